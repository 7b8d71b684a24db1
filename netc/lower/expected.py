"""How much an expansion will at least make, told before it runs.

Definitions and `repeat`s multiply, so that a short text can stand for any number of layers. What is sure to pass a
bound is refused at once, rather than when memory and patience are used up.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from netc.layers import LAYERS
from netc.lower.definitions import Known, Namespace, shipped
from netc.lower.names import NAMELESS
from netc.syntax.tree import Group, If, Literal, Operation, Repeat, Statement

DEPTH = 64  # definitions and blocks inside each other that are looked into


class Amount(NamedTuple):
    """Statements that run, and layers that they make."""

    steps: int
    layers: int

    def and_then(self, other: Amount, times: int = 1) -> Amount:
        """Both together, the other one several times."""
        return Amount(self.steps + times * other.steps, self.layers + times * other.layers)


NOTHING, ONE_STEP = Amount(0, 0), Amount(1, 0)


class Expected:
    """The least that definitions and blocks make. Counts that only running tells count as 0."""

    def __init__(self) -> None:
        self._definitions: dict[int, Amount] = {}

    def passes(self, statement: Repeat, count: int, space: Namespace, position: int) -> Amount:
        """The least that the passes of a `repeat` make."""
        return NOTHING.and_then(self._block(statement.body.statements, space, position, 0), count)

    def call(self, known: Known) -> Amount:
        """The least that a call of a definition makes."""
        return self._definition(known, 0)

    def _definition(self, known: Known, depth: int) -> Amount:
        key = id(known.definition)
        if key not in self._definitions:
            if depth >= DEPTH:
                return NOTHING
            body = known.definition.body.statements
            self._definitions[key] = self._block(body, known.namespace, known.position, depth + 1)
        return self._definitions[key]

    def _block(self, statements: Iterable[Statement], space: Namespace, position: int, depth: int) -> Amount:
        amount = NOTHING
        for statement in statements:
            amount = amount.and_then(self._statement(statement, space, position, depth))
        return amount

    def _statement(self, statement: Statement, space: Namespace, position: int, depth: int) -> Amount:
        if depth >= DEPTH:
            return ONE_STEP
        if isinstance(statement, Repeat):
            body = self._block(statement.body.statements, space, position, depth + 1)
            return ONE_STEP.and_then(body, _literal(statement))
        if isinstance(statement, If):
            arms = [self._block(arm.body.statements, space, position, depth + 1) for arm in statement.arms]
            arms += [NOTHING] * (statement.arms[-1].condition is not None)
            return ONE_STEP.and_then(Amount(min(arm.steps for arm in arms), min(arm.layers for arm in arms)))
        if not isinstance(statement, Operation) or statement.name in NAMELESS:
            return ONE_STEP
        known = space.visible(statement.name, position)
        if known is None and statement.name in LAYERS:
            branches = [self._block(branch.statements, space, position, depth + 1) for branch in statement.branches]
            return Amount(1 + sum(each.steps for each in branches), 1 + sum(each.layers for each in branches))
        known = known or shipped(statement.name)
        return ONE_STEP if known is None else ONE_STEP.and_then(self._definition(known, depth))


def _literal(statement: Repeat) -> int:
    """The passes of a `repeat` where they are written as a number."""
    count = statement.count
    while isinstance(count, Group):
        count = count.inner
    if isinstance(count, Literal) and isinstance(count.value, int) and not isinstance(count.value, bool):
        return max(count.value, 0)
    return 0
