"""What a text holds, for outlines: parameters, definitions, labelled statements, sections; and what can be folded."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Literal as Choice

from netc.server.around import head
from netc.server.document import Document
from netc.server.words import first_line
from netc.server.written import SECTIONS
from netc.syntax.source import Span
from netc.syntax.tree import Block, Branch, Definition, If, Node, Operation, Parameter, Repeat, Statement, descend


@dataclass(frozen=True, slots=True)
class Symbol:
    """A part of a text: its name, the words that name it, and all of it."""

    name: str
    kind: Choice["net", "parameter", "definition", "formal", "label", "section", "repeat"]
    detail: str
    words: Span
    span: Span
    inside: tuple[Symbol, ...] = ()


def symbols(document: Document) -> list[Symbol]:
    """The outline of a text."""
    return [*_symbols(document.now.file.statements)]


def _symbols(statements: Iterable[Statement]) -> Iterator[Symbol]:
    for statement in statements:
        if isinstance(statement, Parameter):
            yield Symbol(statement.name, "parameter", statement.value.span.text, statement.name_span, statement.span)
        elif isinstance(statement, Definition):
            inner = (*_formals(statement), *_symbols(statement.body.statements))
            yield Symbol(
                statement.name, "definition", first_line(statement), statement.name_span, statement.span, inner
            )
        elif isinstance(statement, Operation):
            yield from _operation(statement)
        elif isinstance(statement, Repeat):
            inner = tuple(_symbols(statement.body.statements))
            label = statement.label
            words = statement.keyword_span if label is None else label.span
            name = " ".join(head(statement).text.split()) if label is None else label.text
            yield Symbol(name, "repeat" if label is None else "label", "", words, statement.span, inner)
        elif isinstance(statement, If):
            for arm in statement.arms:
                yield from _symbols(arm.body.statements)


def _formals(definition: Definition) -> Iterator[Symbol]:
    for formal in definition.formals:
        default = "" if formal.default is None else formal.default.span.text
        yield Symbol(formal.name, "formal", default, formal.name_span, formal.span)


def _operation(statement: Operation) -> Iterator[Symbol]:
    inside = [inner for branch in statement.branches for inner in branch.statements]
    inside += statement.block.statements if statement.block else ()
    if statement.label is not None:
        detail = " ".join(statement.name_span.to(head(statement)).text.split())
        yield Symbol(
            statement.label.text, "label", detail, statement.label.span, statement.span, tuple(_symbols(inside))
        )
    elif statement.name in SECTIONS:
        detail = statement.arguments[0].span.text if statement.arguments else ""
        yield Symbol(statement.name, "section", detail, statement.name_span, statement.span)
    elif statement.name == "net" and statement.arguments:
        words = statement.arguments[0].span
        yield Symbol(words.text, "net", "", words, statement.span)
    else:
        yield from _symbols(inside)


@dataclass(frozen=True, slots=True)
class Fold:
    """What can be hidden: all after the line of the offset `first`, to that of `last`."""

    first: int
    last: int
    comment: bool = False


def folding(document: Document) -> list[Fold]:
    """Braces and branches of several lines, and comments of several lines."""
    file = document.now.file
    found = {fold for node in descend(file.statements) if (fold := _fold(node)) is not None}
    lines = [(comment.span.line, comment.span.start) for comment in file.comments if comment.own_line]
    for _, group in groupby(enumerate(lines), key=lambda pair: pair[1][0] - pair[0]):
        starts = [start for _, (_, start) in group]
        if len(starts) > 1:
            found.add(Fold(starts[0], starts[-1], comment=True))
    return sorted(found, key=lambda fold: (fold.first, -fold.last))


def _fold(node: Node) -> Fold | None:
    """What a block hides: all between its braces, which stay."""
    if not isinstance(node, Block | Branch):
        return None
    source, start, end = node.span
    first, last = source.position(start)[0], source.position(max(start, end - 1))[0]
    if isinstance(node, Block):
        last, end = last - 1, source.text.rfind("\n", start, max(start, end - 1))
    return Fold(start, max(start, end - isinstance(node, Branch))) if last > first else None
