"""Where texts go: the first of the places there are that touches nothing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise, product
from math import inf

from netc.figures.grid.route import crosses
from netc.figures.scene import Box, Point, Text

_SIDE = 40.0  # of the squares by which things are looked up
_AIR = 1.5  # between a text and a line


class Board:
    """What is taken: boxes and lines, looked up by squares."""

    def __init__(self) -> None:
        self.limit = inf  # where the figure ends at the right
        self._boxes: dict[tuple[int, int], list[Box]] = defaultdict(list)
        self._lines: dict[tuple[int, int], list[tuple[Point, Point]]] = defaultdict(list)

    def take(self, box: Box) -> None:
        """Take a box."""
        for square in _squares(box):
            self._boxes[square].append(box)

    def draw(self, points: Sequence[Point]) -> None:
        """Take a line."""
        for one, other in pairwise(points):
            for square in _along(one, other):
                self._lines[square].append((one, other))

    def is_free(self, box: Box) -> bool:
        """Whether a box touches nothing that is taken."""
        if box.right > self.limit:
            return False
        grown = Box(box.left - _AIR, box.top - 0.5, box.right + _AIR, box.bottom + 0.5)
        for square in _squares(grown):
            if any(box.overlaps(other, 0.05) for other in self._boxes.get(square, ())):
                return False
            if any(crosses(grown, one, other) for one, other in self._lines.get(square, ())):
                return False
        return True

    def put(self, places: Iterable[Sequence[Text]]) -> list[Text]:
        """The first of some places for lines of text that is free, which then is taken; nothing where none is."""
        for texts in places:
            if all(self.is_free(text.box) for text in texts):
                for text in texts:
                    self.take(text.box)
                return list(texts)
        return []


def _squares(box: Box) -> Iterator[tuple[int, int]]:
    across = range(int(box.left // _SIDE), int(box.right // _SIDE) + 1)
    return product(across, range(int(box.top // _SIDE), int(box.bottom // _SIDE) + 1))


def _along(one: Point, other: Point) -> Iterator[tuple[int, int]]:
    """The squares that a line may touch: those of its box, column by column of squares."""
    (x1, y1), (x2, y2) = sorted((one, other))
    for column in range(int(x1 // _SIDE), int(x2 // _SIDE) + 1):
        left, right = max(x1, column * _SIDE), min(x2, (column + 1) * _SIDE)
        slope = (y2 - y1) / (x2 - x1) if x2 > x1 else 0.0
        ends = (y1 + slope * (left - x1), y1 + slope * (right - x1)) if x2 > x1 else (y1, y2)
        for row in range(int(min(ends) // _SIDE), int(max(ends) // _SIDE) + 1):
            yield column, row
