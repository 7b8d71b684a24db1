"""A text in the canonical style, as changes of what is there."""

from __future__ import annotations

import re
from dataclasses import dataclass

from netc.diagnostics.model import Diagnostics
from netc.server.document import Document
from netc.server.moved import Moved
from netc.syntax.format import format_file
from netc.syntax.parser import parse
from netc.syntax.source import Source
from netc.syntax.tree import alike

_SOLID = re.compile(r"[^\s;]")


@dataclass(frozen=True, slots=True)
class Replacement:
    """A text in place of what stands between two offsets."""

    start: int
    end: int
    text: str


def formatting(document: Document) -> list[Replacement]:
    """What `netc fmt` would change; nothing in a text that cannot be read."""
    old, new = document.now.source.text, formatted(document)
    gaps = _gaps(old, new)
    return replacements(old, new) if gaps is None else gaps


def formatting_of(document: Document, start: int, end: int) -> list[Replacement]:
    """What `netc fmt` would change of the lines between two offsets, where that alone leaves the meaning."""
    now = document.now
    text = now.source.text
    first, last = text.rfind("\n", 0, start) + 1, text.find("\n", max(start, end - 1))
    last = len(text) if last < 0 else last + 1
    chosen = [one for one in formatting(document) if first <= one.start and one.end <= last]
    made = replaced(text, chosen)
    tree = parse(Source(now.source.name, made), now.settings.limits, report := Diagnostics())
    return chosen if not report.failed and alike(tree.statements, now.file.statements) else []


def formatted(document: Document) -> str:
    """The text as `netc fmt` writes it; as it is where it cannot be read."""
    now = document.now
    limits = now.settings.limits
    if len(now.source.text) > limits.file_size:
        return now.source.text
    tree = parse(now.source, limits, report := Diagnostics())
    return now.source.text if report.failed else format_file(tree, limits)


def _gaps(old: str, new: str) -> list[Replacement] | None:
    """The changes of blanks, line breaks and semicolons where these alone differ, as they mostly do; else None."""
    solid, others = ([match.start() for match in _SOLID.finditer(text)] for text in (old, new))
    if len(solid) != len(others) or any(old[at] != new[to] for at, to in zip(solid, others, strict=True)):
        return None
    ends, other_ends = [*solid, len(old)], [*others, len(new)]
    starts, other_starts = [0, *(at + 1 for at in solid)], [0, *(to + 1 for to in others)]
    return [
        Replacement(start, end, new[now:now_end])
        for start, end, now, now_end in zip(starts, ends, other_starts, other_ends, strict=True)
        if old[start:end] != new[now:now_end]
    ]


def replacements(old: str, new: str) -> list[Replacement]:
    """What makes one text of another, from its beginning to its end."""
    found = Moved(old, new).changes
    return [Replacement(one.start, one.end, new[one.now : one.now_end]) for one in found]


def replaced(text: str, made: list[Replacement]) -> str:
    """A text after changes, which are in its order."""
    pieces, at = [], 0
    for one in made:
        pieces += [text[at : one.start], one.text]
        at = one.end
    return "".join(pieces) + text[at:]
