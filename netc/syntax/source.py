"""Source text and positions in it."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field
from typing import NamedTuple

BLANK = " \t\r\f"  # what parts words on a line


@dataclass(frozen=True, slots=True, eq=False)
class Source:
    """One text: a file, standard input, or a string, under the name that messages show."""

    name: str
    text: str = field(repr=False)
    _starts: list[int] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        starts = [0]
        find = self.text.find
        at = find("\n")
        while at >= 0:
            starts.append(at + 1)
            at = find("\n", at + 1)
        object.__setattr__(self, "_starts", starts)

    @property
    def lines(self) -> int:
        """Number of lines."""
        return len(self._starts)

    def position(self, offset: int) -> tuple[int, int]:
        """Line and column of an offset, both from 1."""
        line = bisect_right(self._starts, offset)
        return line, offset - self._starts[line - 1] + 1

    def start(self, number: int) -> int:
        """Offset of the first character of a line (from 1)."""
        return self._starts[number - 1]

    def line(self, number: int) -> str:
        """The text of a line (from 1), without its newline."""
        start = self.start(number)
        end = self._starts[number] - 1 if number < len(self._starts) else len(self.text)
        return self.text[start:end].rstrip("\r")


class Span(NamedTuple):
    """Half-open range of offsets in a source."""

    source: Source
    start: int
    end: int

    @property
    def text(self) -> str:
        """The text covered."""
        return self.source.text[self.start : self.end]

    @property
    def line(self) -> int:
        """Line of the first character, from 1."""
        return self.source.position(self.start)[0]

    def holds(self, other: Span) -> bool:
        """Whether another range lies in this one."""
        return self.source is other.source and self.start <= other.start and other.end <= self.end

    def to(self, other: Span) -> Span:
        """The range from the start of this one to the end of another."""
        return Span(self.source, self.start, other.end)


NOWHERE = Span(Source("", ""), 0, 0)  # what is made by a program has no place in a text
