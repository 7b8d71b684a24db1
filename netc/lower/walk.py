"""What stands in statements and what they mention, whether or not they run."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from netc.syntax.tree import (
    Argument,
    Definition,
    Expr,
    If,
    Node,
    Operation,
    Positional,
    Reference,
    Repeat,
    Size,
    Starred,
    Statement,
    descend,
)


def mentions(statements: Iterable[Statement]) -> Iterator[str]:
    """Names of operations and bare names in statements, at any depth."""
    return (node.name for node in _inside(statements) if isinstance(node, Operation | Reference | Starred))


def nested(statements: Iterable[Statement]) -> Iterator[Statement]:
    """The statements and those inside them, in text order."""
    return (node for node in _inside(statements) if isinstance(node, Statement))


def _inside(statements: Iterable[Statement]) -> Iterator[Node]:
    """All of statements but for definitions, which run elsewhere."""
    return descend(statement for statement in statements if not isinstance(statement, Definition))


def labels_in(statements: Iterable[Statement]) -> dict[str, None]:
    """The labels in statements, at any depth, in text order."""
    found = (statement.label for statement in nested(statements) if isinstance(statement, Operation | Repeat))
    return {label.text: None for label in found if label is not None}


LONG = 128  # characters that count as another statement


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


WITH = "with"  # parts the values of a call from the labels of the tensors that it hands over


Arguments = Sequence[Argument]


def handed_over(call: Operation) -> tuple[Arguments, Arguments | None]:
    """The values that a call of a definition with tensors gives, and the labels after `with`; None without a `with`."""
    for at, argument in enumerate(call.arguments):
        value = argument.value if isinstance(argument, Positional) else None
        if isinstance(value, Reference) and value.name == WITH:
            return call.arguments[:at], call.arguments[at + 1 :]
    return call.arguments, None
