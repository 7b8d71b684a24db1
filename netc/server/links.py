"""The files that a text brings in."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from netc.diagnostics.model import Diagnostics
from netc.lower.definitions import Includes
from netc.server.document import Document
from netc.syntax.source import Span
from netc.syntax.tree import File, Literal, Operation


@dataclass(frozen=True, slots=True)
class Link:
    """The words of a text that name a file, and the file."""

    span: Span
    path: Path


@dataclass(frozen=True, slots=True)
class Target:
    """What a `use` names, and where, quotes included."""

    value: str
    span: Span


def used(file: File) -> Iterator[Target]:
    """What the `use`s of a file name."""
    for statement in file.statements:
        if isinstance(statement, Operation) and statement.name == "use":
            for argument in statement.arguments:
                if isinstance(argument.value, Literal) and isinstance(argument.value.value, str):
                    yield Target(argument.value.value, argument.value.span)


def links(document: Document) -> list[Link]:
    """The files that a document brings in, where they are there to be opened."""
    now = document.now
    includes = Includes.start(now.source, Diagnostics(), now.settings.limits, now.texts)
    found = ((target.span, includes.open(target.value, target.span)) for target in used(now.file))
    return [Link(span, opened[0]) for span, opened in found if opened is not None]
