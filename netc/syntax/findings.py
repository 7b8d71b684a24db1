"""Findings while a text is read, and which statements they spoil."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterable

from netc.diagnostics.model import MOST, Diagnostics, Fix, Label
from netc.syntax.source import Source, Span


class TooMany(Exception):
    """`MOST` errors were met: the rest of the text is not read."""


class Findings:
    """What was reported, and where: a statement with an error inside is spoilt, and says nothing more."""

    def __init__(self, source: Source, report: Diagnostics) -> None:
        self.source = source
        self.report = report
        self.count = 0
        self.marks: list[int] = []  # offsets of errors, sorted

    def add(
        self,
        code: str,
        message: str,
        start: int,
        end: int,
        *,
        label: str = "",
        secondary: Iterable[Label] = (),
        help: Iterable[str] = (),
        fix: Fix | None = None,
        spoils: bool = True,
    ) -> None:
        """Report an error of the text between two offsets, which spoils the statement around it."""
        size, last = len(self.source.text), self.count + 1 == MOST
        notes = [f"this is the last of {MOST} errors, the rest of the file was not read"] if last else []
        span = Span(self.source, min(start, size), min(end, size))
        self.report.add(code, message, span, label=label, secondary=secondary, notes=notes, help=help, fix=fix)
        if spoils:
            self.mark(start)
        self.count_one()

    def count_one(self) -> None:
        """Count an error, reported or not; raises `TooMany`."""
        self.count += 1
        if self.count == MOST:
            raise TooMany

    def mark(self, offset: int) -> None:
        """Spoil the statement that stands around an offset."""
        insort(self.marks, offset)

    def forgive(self, offset: int) -> None:
        """Take back the mark of an error that has been mended."""
        if self.marked(offset, offset + 1):
            del self.marks[bisect_left(self.marks, offset)]

    def marked(self, start: int, end: int) -> bool:
        """Whether an error stands between two offsets."""
        return bisect_left(self.marks, start) < bisect_left(self.marks, end)

    def spoilt(self, start: int, end: int) -> bool:
        """Whether errors stand between two offsets; the statement around this one is not spoilt by them."""
        first, last = bisect_left(self.marks, start), bisect_left(self.marks, end)
        del self.marks[first:last]
        return first < last

    def too_deep(self, what: str, start: int, end: int, limit: int) -> None:
        """Report nesting beyond the limit."""
        help = [f"raise the bound with `--limit nesting={10 * limit}`"]
        self.add("NET602", f"{what} are nested more than {limit} deep", start, end, help=help)
