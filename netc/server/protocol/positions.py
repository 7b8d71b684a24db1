"""Places as the protocol counts them, and as netc does: the only module that knows both.

netc counts code points from the beginning of a text; the protocol lines, and in them units of what was agreed on:
UTF-16, unless client and server both know another. Its lines also end with a carriage return alone, netc's do not.
"""

from __future__ import annotations

import re
from bisect import bisect_right

from lsprotocol.types import Position, PositionEncodingKind, Range

_BREAK = re.compile(r"\r\n|\n|\r")
_CODECS = {
    PositionEncodingKind.Utf8: ("utf-8", "surrogatepass"),
    PositionEncodingKind.Utf16: ("utf-16-le", "surrogatepass"),
}


class Positions:
    """The places of one text in an encoding."""

    def __init__(self, text: str, encoding: PositionEncodingKind | str = PositionEncodingKind.Utf16) -> None:
        self._text = text
        self._starts = [0, *(match.end() for match in _BREAK.finditer(text))]
        self._encoding = PositionEncodingKind.Utf32 if text.isascii() else PositionEncodingKind(encoding)

    def position(self, offset: int) -> Position:
        """The place of an offset; of one in the middle of a line break, the end of the line."""
        line = bisect_right(self._starts, offset) - 1
        before = self._text[self._starts[line] : offset].removesuffix("\r")
        return Position(line, self._count(before))

    def range(self, start: int, end: int) -> Range:
        """The places of two offsets."""
        return Range(self.position(start), self.position(end))

    def offset(self, position: Position) -> int:
        """The offset of a place; one after the end of a line or of the text is that end, and one in the middle of a
        character is before it."""
        if position.line >= len(self._starts):
            return len(self._text)
        start = self._starts[position.line]
        line = self._line(position.line)
        if self._encoding == PositionEncodingKind.Utf32:
            return start + min(position.character, len(line))
        left = position.character
        for at, character in enumerate(line):
            left -= self._count(character)
            if left < 0:
                return start + at
        return start + len(line)

    def _line(self, number: int) -> str:
        """A line without its break."""
        end = self._starts[number + 1] if number + 1 < len(self._starts) else len(self._text)
        return self._text[self._starts[number] : end].rstrip("\r\n")

    def _count(self, text: str) -> int:
        """How many units a text has."""
        if self._encoding == PositionEncodingKind.Utf32:
            return len(text)
        return len(text.encode(*_CODECS[self._encoding])) // (2 if self._encoding == PositionEncodingKind.Utf16 else 1)
