"""A text in the canonical style: as its tree is printed, with what of the text the tree does not say.

What stood on one line stays on one line while it fits: statements parted by `;`, short blocks, combiners. Literals stay
as they were written. Blank lines stay, one in a row. Comments stay where they are; those inside parentheses move above.
All lines end as the first one does, with a line feed or with a carriage return before it.
"""

from __future__ import annotations

from collections import deque

from netc.diagnostics.model import Diagnostics
from netc.limits import Limits
from netc.syntax.parser import parse
from netc.syntax.printer import Line, Printer, Trivia
from netc.syntax.source import Source
from netc.syntax.tree import Comment, File, If, Literal, Statement, alike


def format_file(file: File, limits: Limits | None = None) -> str:
    """The text of a file without errors, in canonical style; proves that it means the same."""
    text = _formatted(file)
    prove(file, text, limits or Limits())
    return text.replace("\n", "\r\n") if _first_end(file.source.text) == "\r\n" else text


def _first_end(text: str) -> str:
    """How the first line ends."""
    end = text.find("\n")
    return text[max(end - 1, 0) : end + 1]


def prove(file: File, text: str, limits: Limits) -> None:
    """Raise `AssertionError` unless a text is read as the same tree and comments, and formatting changes it no more."""
    report = Diagnostics()
    again = parse(Source(file.source.name, text), limits, report)
    found = [f"{found.code} {found.message}" for found in report]
    assert not found, f"the formatted text of {file.source.name} has errors: {found}"
    comments = [[comment.text for comment in each.comments] for each in (file, again)]
    same = alike(file.statements, again.statements) and comments[0] == comments[1]
    assert same, f"formatting {file.source.name} would change its meaning"
    assert _formatted(again) == text, f"formatting {file.source.name} twice would change it twice"


class _Written(Trivia):
    """How a text is written."""

    def __init__(self, source: Source) -> None:
        self.source = source

    def line_of(self, offset: int) -> int:
        return self.source.position(offset)[0]

    def literal(self, literal: Literal) -> str:
        return literal.span.text

    def beside(self, one: Statement, other: Statement) -> bool:
        return self.line_of(one.span.end) == self.line_of(other.span.start)

    def closed(self, statement: Statement, opening: int) -> bool:
        first = statement.span.start if isinstance(statement, If) else opening
        return self.line_of(first) == self.line_of(statement.span.end)


def _formatted(file: File) -> str:
    weaver, end = _Weaver(file), len(file.source.text)
    for line in Printer(weaver.written).lines(file.statements, end):
        weaver.add(line)
    weaver.comments_before(end, "")
    return "".join(line + "\n" for line in weaver.lines)


class _Weaver:
    """The lines of a file so far, and the comments that are still to come."""

    def __init__(self, file: File) -> None:
        self.written = _Written(file.source)
        self.comments = deque(file.comments)
        self.lines: list[str] = []
        self.last: int | None = None  # line of the source where the last line ended; None where no blank may follow

    def add(self, line: Line) -> None:
        """A line, with the comments above and after it."""
        if line.bar is not None:
            self.comments_before(line.bar, line.outer)
            self._gap(line.bar)
            self.last = None
        self.comments_before(line.start, line.outer)
        self.comments_before(line.stop, line.outer, line.start)
        if line.text == "}":
            self.last = None
        if not line.joins(self.lines):
            self._gap(line.start)
        line.put(self.lines)
        self.last = self.written.line_of(line.stop)
        self._comment_after(line)
        if line.text.endswith("{"):
            self.last = None

    def comments_before(self, end: int, indent: str, at: int | None = None) -> None:
        """Comments on lines of their own, as if they stood before `at`."""
        while self.comments and self.comments[0].span.start < end:
            comment = self.comments.popleft()
            place = comment.span.start if at is None else at
            self._gap(place)
            self.lines.append(indent + _comment(comment))
            self.last = self.written.line_of(place)

    def _gap(self, start: int) -> None:
        """A blank line, if one stood before an offset."""
        if self.last is not None and self.written.line_of(start) > self.last + 1:
            self.lines.append("")

    def _comment_after(self, line: Line) -> None:
        """The comment that stands where a line ended goes after it."""
        if not self.comments or self.comments[0].own_line or self.comments[0].span.start >= line.after:
            return
        if self.written.line_of(self.comments[0].span.start) == self.last:
            self.lines[-1] += "  " + _comment(self.comments.popleft())


def _comment(comment: Comment) -> str:
    """A comment with a space after its sign, unless there is none on purpose (`#!`)."""
    text = comment.span.text[1:].rstrip()
    return f"# {text}" if text and text[0] not in " \t#!" else f"#{text}"
