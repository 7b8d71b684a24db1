"""How much an expansion will at least make, told before it runs.

Definitions and `repeat`s multiply, so that a short text can stand for any number of layers. What is sure to pass a
bound is refused at once, rather than when memory and patience are used up.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import NamedTuple

from netc.diagnostics.model import Diagnostics
from netc.layers import LAYERS
from netc.limits import Limits
from netc.lower.definitions import Known, Namespace, shipped
from netc.lower.evaluate import Poison, Scope, evaluate
from netc.lower.names import NAMELESS
from netc.lower.walk import names
from netc.syntax.tree import Expr, If, Operation, Repeat, Statement

DEPTH = 64  # definitions and blocks inside each other that are looked into


class Amount(NamedTuple):
    """Statements that run, and layers that they make."""

    steps: int
    layers: int

    def and_then(self, other: Amount, times: int = 1) -> Amount:
        """Both together, the other one several times."""
        return Amount(self.steps + times * other.steps, self.layers + times * other.layers)


NOTHING, ONE_STEP = Amount(0, 0), Amount(1, 0)


class Sight(NamedTuple):
    """What statements can see that did not run yet: definitions, and names; `indices` have no value yet."""

    space: Namespace
    position: int
    scope: Scope
    indices: frozenset[str] = frozenset()

    def inside(self, statement: Repeat) -> Sight:
        """In the passes of a `repeat`."""
        index = () if statement.index is None else (statement.index.text,)
        return self._replace(indices=self.indices.union(index))

    def passes(self, count: Expr) -> int:
        """Those of a `repeat`; 0 where only running tells, and where it is refused for their number."""
        known = known_passes(self.scope, count, self.indices) or 0
        return known if known <= self.scope.limits.repeat else 0


def known_passes(scope: Scope, count: Expr, indices: frozenset[str]) -> int | None:
    """The passes of a `repeat` that did not run yet, where they depend on nothing else that did not."""
    read = set(names(count))
    if read & indices or not all(map(scope.knows, read)):
        return None
    try:
        value = evaluate(count, replace(scope, report=Diagnostics()))
    except Poison:
        return None
    return max(value, 0) if type(value) is int else None


class Expected:
    """The least that definitions and blocks make."""

    def __init__(self, limits: Limits) -> None:
        self._nothing = Scope({}, Diagnostics(), limits)  # what a definition knows before it is called
        self._definitions: dict[int, Amount] = {}

    def passes(self, statement: Repeat, count: int, sight: Sight) -> Amount:
        """The least that the passes of a `repeat` make."""
        return NOTHING.and_then(self._block(statement.body.statements, sight.inside(statement), 0), count)

    def call(self, known: Known) -> Amount:
        """The least that a call of a definition makes."""
        return self._definition(known, 0)

    def _definition(self, known: Known, depth: int) -> Amount:
        key = id(known.definition)
        if key not in self._definitions:
            if depth >= DEPTH:
                return NOTHING
            sight = Sight(known.namespace, known.position, self._nothing)
            self._definitions[key] = self._block(known.definition.body.statements, sight, depth + 1)
        return self._definitions[key]

    def _block(self, statements: Iterable[Statement], sight: Sight, depth: int) -> Amount:
        amount = NOTHING
        for statement in statements:
            amount = amount.and_then(self._statement(statement, sight, depth))
        return amount

    def _statement(self, statement: Statement, sight: Sight, depth: int) -> Amount:
        if depth >= DEPTH:
            return ONE_STEP
        if isinstance(statement, Repeat):
            body = self._block(statement.body.statements, sight.inside(statement), depth + 1)
            return ONE_STEP.and_then(body, sight.passes(statement.count))
        if isinstance(statement, If):
            arms = [self._block(arm.body.statements, sight, depth + 1) for arm in statement.arms]
            arms += [NOTHING] * (statement.arms[-1].condition is not None)
            return ONE_STEP.and_then(Amount(min(arm.steps for arm in arms), min(arm.layers for arm in arms)))
        if not isinstance(statement, Operation) or statement.name in NAMELESS:
            return ONE_STEP
        known = sight.space.visible(statement.name, sight.position)
        if known is None and statement.name in LAYERS:
            branches = [self._block(branch.statements, sight, depth + 1) for branch in statement.branches]
            return Amount(1 + sum(each.steps for each in branches), 1 + sum(each.layers for each in branches))
        known = known or shipped(statement.name)
        return ONE_STEP if known is None else ONE_STEP.and_then(self._definition(known, depth))
