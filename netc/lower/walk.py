"""What stands in statements and what they mention, whether or not they run."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from netc.syntax.tree import Definition, Expr, If, Operation, Reference, Repeat, Size, Statement, descend


def mentions(statements: Iterable[Statement]) -> Iterator[str]:
    """Names of operations and bare names in statements, at any depth."""
    for node in descend(statement for statement in statements if not isinstance(statement, Definition)):
        if isinstance(node, Operation | Reference):
            yield node.name


LONG = 128  # characters that count as another statement


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


def head_length(statement: Statement) -> int:
    """The characters of a statement that are read each time it runs: all but its blocks and branches."""
    if isinstance(statement, Operation):
        return statement.arguments[-1].span.end - statement.span.start if statement.arguments else 0
    if isinstance(statement, Repeat):
        return statement.count.span.end - statement.span.start
    if isinstance(statement, If):
        return sum(arm.body.span.start - arm.span.start for arm in statement.arms)
    return 0


def names(value: Expr | Size | None) -> Iterator[str]:
    """Bare names in an expression or a size."""
    return (reference.name for reference in references(value))


def references(value: Expr | Size | None) -> Iterator[Reference]:
    """The bare names in an expression or a size, with their places."""
    return (node for node in descend(() if value is None else (value,)) if isinstance(node, Reference))
