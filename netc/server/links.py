"""The files that a text brings in."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from netc.diagnostics.model import Diagnostics
from netc.lower.definitions import Includes, used
from netc.server.document import Document
from netc.syntax.source import Span


@dataclass(frozen=True, slots=True)
class Link:
    """The words of a text that name a file, and the file."""

    span: Span
    path: Path


def links(document: Document) -> list[Link]:
    """The files that a document brings in, where they are there to be opened."""
    now = document.now
    includes = Includes.start(now.source, Diagnostics(), now.settings.limits, now.texts)
    found = ((target.span, includes.open(target.value, target.span)) for target in used(now.file))
    return [Link(span, opened[0]) for span, opened in found if opened is not None]
