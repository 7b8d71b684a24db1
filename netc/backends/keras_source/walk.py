"""Everything that stands in a body of the syntax tree."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from netc.backends.keras_source.expressions import names
from netc.syntax.tree import Expr, If, Operation, Repeat, Size, Statement


def nested(statements: Iterable[Statement]) -> Iterator[Statement]:
    """The statements and those inside them, in text order; depth is bounded by the parser."""
    for statement in statements:
        yield statement
        if isinstance(statement, Repeat):
            yield from nested(statement.body.statements)
        elif isinstance(statement, If):
            for arm in statement.arms:
                yield from nested(arm.body.statements)
        elif isinstance(statement, Operation):
            for branch in statement.branches:
                yield from nested(branch.statements)


def reads(statements: Iterable[Statement]) -> set[str]:
    """The names that expressions in a body read; labels and words are among them."""
    return {name for statement in nested(statements) for expr in _expressions(statement) for name in names(expr)}


def _expressions(statement: Statement) -> Iterator[Expr]:
    if isinstance(statement, Repeat):
        yield statement.count
    elif isinstance(statement, If):
        yield from (arm.condition for arm in statement.arms if arm.condition is not None)
    elif isinstance(statement, Operation):
        for argument in statement.arguments:
            value = argument.value
            if isinstance(value, Size):
                yield from (part for part in (*value.parts, *value.stride) if part is not None)
            else:
                yield value
