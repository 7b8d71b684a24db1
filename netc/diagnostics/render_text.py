"""Diagnostics for people: the source lines, what is underlined in them, notes and help.

Columns are counted from 1 in code points; underlines follow what a terminal shows (tabs, wide characters, escapes).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from netc.diagnostics.codes import Severity
from netc.diagnostics.escape import escape, harmless
from netc.diagnostics.model import Diagnostic, Frame, capped
from netc.syntax.source import Source, Span

WIDTH = 120  # characters of a source line that are shown
BEFORE = 40  # of those, how many stand before the underlined part when a line is shortened
TAB = 4
CHAIN = 6  # expansion steps shown from each end of a long chain
TRACE = "-> "  # a secondary label that begins so is shown after its line, not under it
TRACE_COLUMN = 18

_RESET = "\x1b[0m"
_BOLD, _BLUE, _CYAN = "\x1b[1m", "\x1b[1;34m", "\x1b[36m"
_SEVERITY = {Severity.ERROR: "\x1b[1;31m", Severity.WARNING: "\x1b[1;33m"}


def render(findings: Iterable[Diagnostic], *, colour: bool = False) -> str:
    """All findings, a blank line between them."""
    return "\n".join("\n".join(_lines(found, _Painter(colour, found.severity))) + "\n" for found in capped(findings))


def summary(findings: Sequence[Diagnostic], files: Sequence[str]) -> str:
    """`2 errors, 1 warning in resnet.net`."""
    errors = sum(found.severity is Severity.ERROR for found in findings)
    counts = [_count(errors, "error"), _count(len(findings) - errors, "warning")]
    where = harmless(files[0]) if len(files) == 1 else f"{len(files)} files"
    return (", ".join(filter(None, counts)) or "no errors or warnings") + f" in {where}"


def place(span: Span) -> str:
    """`resnet.net:9:1`."""
    line, column = span.source.position(span.start)
    return f"{harmless(span.source.name)}:{line}:{column}"


def chain(frame: Frame | None) -> list[str]:
    """How a place was reached, innermost first, the middle of a long chain left out."""
    steps = [] if frame is None else [f"in {step.title}, used at {place(step.span)}" for step in frame.chain()]
    if len(steps) > 2 * CHAIN:
        steps[CHAIN:-CHAIN] = [f"({len(steps) - 2 * CHAIN} more steps)"]
    return steps


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'s' * (number != 1)}" if number else ""


class _Painter(NamedTuple):
    colour: bool
    severity: Severity

    def __call__(self, text: str, code: str) -> str:
        return f"{code}{text}{_RESET}" if self.colour and text else text

    @property
    def primary(self) -> str:
        return _SEVERITY[self.severity]


@dataclass(frozen=True, slots=True)
class _Mark:
    """Something underlined within one line, by offsets in the source."""

    start: int
    end: int
    text: str
    primary: bool


def _lines(found: Diagnostic, paint: _Painter) -> Iterator[str]:
    title = paint(f"{found.severity.value}[{found.code}]", paint.primary)
    yield title + paint(f": {harmless(found.message)}", _BOLD)
    groups = _groups(found)
    gutter = max((len(str(line)) for lines in groups.values() for line in lines), default=0) + 1
    for index, (source, lines) in enumerate(groups.items()):
        mark = lines[min(lines)][0]
        first = found.span if index == 0 and found.span else Span(source, mark.start, mark.end)
        yield " " * gutter + paint(":::" if index else "-->", _BLUE) + " " + place(first)
        if source.text:
            yield from _snippet(source, lines, gutter, paint)
    for kind, text in _remarks(found):
        first_line, *more = text.split("\n")
        yield " " * gutter + paint(" = ", _BLUE) + paint(kind, _CYAN) + ": " + harmless(first_line)
        yield from (" " * (gutter + 5 + len(kind)) + harmless(line) for line in more)


def _remarks(found: Diagnostic) -> Iterator[tuple[str, str]]:
    yield from (("note", note) for note in found.notes)
    yield from (("note", step) for step in chain(found.frame))
    yield from (("help", text) for text in found.help)
    if found.fix is not None:
        hint = " (`netc check --fix` does it)" if found.fix.safe else ""
        yield "fix", found.fix.title + hint


def _groups(found: Diagnostic) -> dict[Source, dict[int, list[_Mark]]]:
    """The marks of each line of each source, that of the primary span first."""
    groups: dict[Source, dict[int, list[_Mark]]] = {}
    labels = [(found.span, found.label, True)] if found.span else []
    labels += [(label.span, label.text, False) for label in found.secondary]
    for span, text, primary in labels:
        lines = groups.setdefault(span.source, {})
        for line, mark in _split(span, text, primary):
            lines.setdefault(line, []).append(mark)
    return groups


def _split(span: Span, text: str, primary: bool) -> Iterator[tuple[int, _Mark]]:
    """The mark of a span, or those of its first and its last line."""
    source, start, end = span
    line = source.position(start)[0]
    last, column = source.position(max(start, end - 1))
    if last == line:
        yield line, _Mark(start, end, text, primary)
        return
    yield line, _Mark(start, source.text.find("\n", start), "", primary)
    begin = end - column
    indent = re.compile(r"[ \t]*").match(source.text, begin, end)
    assert indent is not None
    yield last, _Mark(indent.end(), end, text, primary)


def _snippet(source: Source, lines: dict[int, list[_Mark]], gutter: int, paint: _Painter) -> Iterator[str]:
    blank = " " * gutter + paint(" |", _BLUE)
    yield blank
    excerpts = {line: _excerpt(source, marks) for line, marks in sorted(lines.items())}
    traced = [shown.width for line, shown in excerpts.items() if any(_is_trace(mark) for mark in lines[line])]
    column = max([TRACE_COLUMN, *(width + 1 for width in traced)])
    before = None
    for line, shown in excerpts.items():
        if before is not None and line > before + 1:
            yield paint("...", _BLUE)
        before = line
        marks = [mark for mark in lines[line] if not _is_trace(mark)]
        trace = " ".join(harmless(mark.text) for mark in lines[line] if _is_trace(mark))
        text = shown.text + (" " * (column - shown.width) + paint(trace, _BLUE) if trace else "")
        yield (paint(f"{line:>{gutter}} |", _BLUE) + " " + text).rstrip()
        yield from (f"{blank} {row}" for row in _underlines(shown, marks, paint))


def _is_trace(mark: _Mark) -> bool:
    return not mark.primary and mark.text.startswith(TRACE)


# -- one source line -----------------------------------------------------------------------------------------


class _Excerpt(NamedTuple):
    """A source line as shown: its text, and the cell in which each character from `first` on begins."""

    text: str
    first: int
    cells: list[int]
    width: int

    def cell(self, offset: int) -> int:
        """The cell of an offset; what is cut off counts as the dots that stand for it."""
        if offset < self.first:
            return 0
        return self.cells[min(offset - self.first, len(self.cells) - 1)]


def _excerpt(source: Source, marks: Sequence[_Mark]) -> _Excerpt:
    text = source.text
    anchor = next((mark for mark in marks if mark.primary), marks[0]).start
    begin = anchor - source.position(anchor)[1] + 1
    end = text.find("\n", begin, begin + WIDTH + 1)
    if end < 0 and len(text) - begin <= WIDTH:
        end = len(text)
    first = begin
    if end < 0:
        first = max(begin, anchor - BEFORE)
        end = text.find("\n", first, first + WIDTH)
        end = min(first + WIDTH, len(text)) if end < 0 else end
    shown = ["..."] if first > begin else []
    width, cells = 3 * len(shown), []
    for character in text[first:end].rstrip("\r"):
        cells.append(width)
        piece = " " * (TAB - width % TAB) if character == "\t" else escape(character)
        shown.append(piece)
        width += _width(piece)
    cells.append(width)
    if end < len(text) and text[end] != "\n":
        shown.append("...")
        width += 3
    return _Excerpt("".join(shown), first, cells, width)


def _width(text: str) -> int:
    """Cells a terminal takes for a text that prints."""
    if text.isascii():
        return len(text)
    from unicodedata import combining, east_asian_width  # noqa: PLC0415  (most specs are ASCII)

    return sum(0 if combining(char) else 2 if east_asian_width(char) in "WF" else 1 for char in text)


def _underlines(shown: _Excerpt, marks: Sequence[_Mark], paint: _Painter) -> Iterator[str]:
    """The row of `^` and `-`, with the rightmost label after it, then the other labels on rows of their own."""
    if not marks:
        return
    placed = []
    for mark in sorted(marks, key=lambda mark: (mark.start, not mark.primary)):
        start = shown.cell(mark.start)
        placed.append((start, max(shown.cell(mark.end), start + 1), mark))
    row = [" "] * max(end for _, end, _ in placed)
    for start, end, mark in sorted(placed, key=lambda item: item[2].primary):
        row[start:end] = ("^" if mark.primary else "-") * (end - start)
    labels = [(start, end, mark) for start, end, mark in placed if mark.text]
    inline = ""
    if labels and labels[-1][1] == len(row):
        inline = " " + _label(labels.pop()[2], paint)
    yield _painted("".join(row), paint) + inline
    if labels:
        yield _painted(_bars([start for start, _, _ in labels]), paint)
    for index in reversed(range(len(labels))):
        start, _, mark = labels[index]
        bars = _bars([other for other, _, _ in labels[:index] if other < start])
        yield paint(bars, _BLUE) + " " * (start - len(bars)) + _label(mark, paint)


def _bars(cells: Sequence[int]) -> str:
    return "".join("|" if cell in cells else " " for cell in range(max(cells, default=-1) + 1))


def _label(mark: _Mark, paint: _Painter) -> str:
    return paint(harmless(mark.text), paint.primary if mark.primary else _BLUE)


def _painted(row: str, paint: _Painter) -> str:
    if not paint.colour:
        return row
    return re.sub(r"\^+|[-|]+", lambda run: paint(run[0], paint.primary if run[0][0] == "^" else _BLUE), row)
