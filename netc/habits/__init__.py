"""How people write a thing who come from Keras, PyTorch, Python, YAML, C or papers, and how it is written here.

`table` holds the habits. They are looked at only where netc has found an error already, so that none takes anything
from the language.
"""

from __future__ import annotations

from collections.abc import Iterator
from re import Match

from netc.diagnostics.codes import Severity
from netc.diagnostics.model import Diagnostic, Diagnostics, Edit, Fix
from netc.habits.table import HABITS, Habit
from netc.syntax.source import Span

BEFORE, AFTER = 120, 240  # characters around an error in which its habit is looked for
MOST = 100  # habits are told of so many errors
WRITTEN = frozenset(  # errors that a way of writing may have caused; those of other codes know better
    (
        *(f"NET00{digit}" for digit in "12347"),
        *(f"NET10{digit}" for digit in "124678"),
        "NET110",
        "NET117",
        "NET401",
        "NET402",
    )
)


def recognise(report: Diagnostics) -> None:
    """Let errors whose line shows a habit say so, and what to write; of several in one such place the first remains."""
    told: list[Span] = []
    gone: set[int] = set()
    looked = 0
    for found in report:
        if found.severity is not Severity.ERROR or found.span is None or found.code not in WRITTEN:
            continue
        if any(_touch(found.span, place) for place in told):
            gone.add(id(found))
        elif looked < MOST:
            looked += 1
            if (place := _tell(found, found.span)) is not None:
                told.append(place)
    if gone:
        report.discard(lambda found: id(found) in gone)


def _tell(found: Diagnostic, span: Span) -> Span | None:
    """Say of an error which habit it is, where it is one; returns the place of that."""
    for habit, match in _habits(span):
        words = habit.words(match)
        if words is None:
            continue
        place = Span(span.source, *match.span("it"))
        known = {**words, "it": " ".join(place.text.split())}
        write = habit.write.format_map(known)
        found.message, found.span, found.label = habit.says.format_map(known), place, ""
        found.notes, found.help = (), (habit.help.format_map({**known, "write": write.strip()}),)
        found.fix = Fix(f"write `{write.strip()}`", (Edit(place, write),), safe=habit.safe) if habit.write else None
        return place
    return None


def _habits(span: Span) -> Iterator[tuple[Habit, Match[str]]]:
    """The habits that a line shows around a place."""
    text = span.source.text
    start = max(text.rfind("\n", 0, span.start) + 1, span.start - BEFORE)
    end = text.find("\n", span.start)
    end = min(len(text) if end < 0 else end, span.start + AFTER)
    for habit in HABITS:
        for match in habit.pattern.finditer(text, start, end):
            if _touch(span, Span(span.source, *match.span("it"))):
                yield habit, match


def _touch(one: Span, other: Span) -> bool:
    return one.source is other.source and one.start <= other.end and other.start <= one.end
