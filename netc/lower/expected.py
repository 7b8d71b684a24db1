"""How much an expansion will at least make, told before it runs.

Definitions and `repeat`s multiply, so that a short text can stand for any number of layers. What is sure to pass a
bound is refused at once, rather than when memory and patience are used up.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple

from netc.layers import LAYERS
from netc.lower.bounds import too_many_layers, too_many_steps
from netc.lower.context import Context
from netc.lower.definitions import Known, Namespace, shipped
from netc.lower.special import SPECIAL
from netc.syntax.tree import Group, If, Literal, Operation, Repeat, Statement

if TYPE_CHECKING:
    from netc.lower.expand import Expander

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

    def __init__(self, expander: Expander) -> None:
        self.expander = expander
        self._definitions: dict[int, Amount] = {}

    def check_repeat(self, statement: Repeat, count: int, ctx: Context) -> None:
        """Report what the passes of a `repeat` are sure to pass, and stop."""
        if count > 1:
            one = self._block(statement.body.statements, ctx.namespace, ctx.position, 0)
            self._check(NOTHING.and_then(one, count), statement, ctx)

    def check_call(self, statement: Operation, known: Known, ctx: Context) -> None:
        """Report what a call is sure to pass, and stop."""
        self._check(self._definition(known, 0), statement, ctx)

    def _check(self, amount: Amount, statement: Repeat | Operation, ctx: Context) -> None:
        expander, limits = self.expander, self.expander.limits
        place = statement.count.span if isinstance(statement, Repeat) else statement.name_span
        if len(ctx.net) + amount.layers > limits.layers:
            too_many_layers(limits, place, ctx)
        if expander.steps + amount.steps > limits.steps:
            too_many_steps(limits, place, ctx)

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
        if not isinstance(statement, Operation) or statement.name in SPECIAL:
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
