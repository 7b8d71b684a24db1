"""Comments of a spec, at the statements they belong to, as text that cannot leave its comment or docstring."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import groupby
from textwrap import wrap

from netc.syntax.source import Source, Span
from netc.syntax.tree import Block, Branch, Comment, File, If, Statement, children

WIDTH = 88  # of a line of emitted code


@dataclass(slots=True)
class Remarks:
    """Comments by the span of a statement: those `at` it, and those after it at the `end` of its block."""

    at: dict[Span, list[str]] = field(default_factory=dict)
    end: dict[Span, list[str]] = field(default_factory=dict)

    def update(self, other: Remarks) -> None:
        """Take over the comments of another file."""
        self.at.update(other.at)
        self.end.update(other.end)


def clean(text: str) -> str:
    """Text on one line, of printable characters."""
    return "".join(char if char.isprintable() else " " for char in text).strip()


def docstring(text: Sequence[str], indent: str = "") -> str:
    """A docstring of lines that may hold anything; an empty line parts paragraphs."""
    paragraphs = [list(group) for filled, group in groupby(text, key=bool) if filled]
    body = "\n\n".join("\n".join(indent + line for line in _fitted(lines, indent)) for lines in paragraphs).strip()
    body = body.replace("\\", "\\\\").replace('"""', '\\"\\"\\"')
    closing = f"\n{indent}" if "\n" in body else ""
    if body.endswith('"') and not closing:
        body = body[:-1] + '\\"'
    return f'{indent}"""{body}{closing}"""'


def _fitted(lines: list[str], indent: str) -> list[str]:
    """A paragraph as it was written, or filled anew where a line is too long."""
    width = WIDTH - len(indent)
    if all(len(line) <= width for line in lines):
        return lines
    return wrap(" ".join(lines), width) if not lines[-1].startswith(" ") else lines


def last_paragraph(lines: Sequence[str]) -> list[str]:
    """The lines after the last empty one: what stands directly above a statement."""
    found = list(lines)
    while "" in found:
        del found[: found.index("") + 1]
    return found


def attach(file: File) -> Remarks:
    """Where the comments of a file belong.

    A comment belongs to the statement that ends or begins on its line, else to the one below it. Comments that
    steer netc (`# netc: ...`) are for netc alone.
    """
    waiting = deque(comment for comment in file.comments if not comment.text.strip().startswith("netc:"))
    remarks = Remarks()
    _block(file.statements, len(file.source.text), waiting, remarks, file.source)
    return remarks


def _block(
    statements: Sequence[Statement], end: int, waiting: deque[Comment], remarks: Remarks, source: Source
) -> None:
    for statement in statements:
        own = remarks.at.setdefault(statement.span, [])
        own.extend(_until(waiting, statement.span.start))
        first = source.position(statement.span.start)[0]
        while waiting and not waiting[0].own_line and source.position(waiting[0].span.start)[0] == first:
            if waiting[0].span.start >= end:
                break
            own.append(clean(waiting.popleft().text))
        for inner in _blocks(statement):
            _block(inner.statements, inner.span.end, waiting, remarks, source)
        own.extend(_until(waiting, statement.span.end))
        last = source.position(statement.span.end)[0]
        while waiting and waiting[0].span.start < end and source.position(waiting[0].span.start)[0] == last:
            own.append(clean(waiting.popleft().text))
    rest = _until(waiting, end)
    if statements and rest:
        remarks.end[statements[-1].span] = rest


def _until(waiting: deque[Comment], offset: int) -> list[str]:
    """The comments before an offset, with an empty line where they stand apart."""
    found: list[str] = []
    line = 0
    while waiting and waiting[0].span.start < offset:
        comment = waiting.popleft()
        if found and comment.span.line > line + 1:
            found.append("")
        line = comment.span.line
        found.append(clean(comment.text))
    return found


def _blocks(statement: Statement) -> list[Block | Branch]:
    """The blocks and branches of a statement."""
    parts = statement.arms if isinstance(statement, If) else (statement,)
    return [inner for part in parts for inner in children(part) if isinstance(inner, Block | Branch)]
