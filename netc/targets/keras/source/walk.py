"""Everything that stands in a body of the syntax tree."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from netc.syntax.tree import If, Operation, Repeat, Statement


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
