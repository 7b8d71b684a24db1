"""The ways of arrows, as lines from the edge of one cell to the edge of another.

Along a row an arrow runs straight at half height, or over other cells on a bus lane above the row, one for each map
that goes there. To the next row it stands upright where both cells share a column. Else it is a slanted line in the
gap between two columns, with a level piece in the row of its source or of its target where it has farther to go and
that is free; where nothing is, it goes through gaps alone.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import hypot

from netc.figures.grid.layout import CIRCLE, LANE, Layout, Spot
from netc.figures.grid.reduce import Arrow, Cell
from netc.figures.scene import Box, Point

_SIDE = 0.3  # of its height: how far from the middle of a bar's side slanted arrows leave and arrive
_AWAY = 3.0  # at least so far from the corners


@dataclass(slots=True, eq=False)
class Way:
    """The line of an arrow. `lane` says that it runs on a bus, whose beginning its fellows share."""

    arrow: Arrow
    look: str
    points: list[Point]
    lane: bool = False

    def longest(self) -> tuple[Point, Point]:
        """Its longest piece that does not lie level, or its longest."""
        pieces = list(pairwise(self.points))
        slanted = [piece for piece in pieces if piece[0][1] != piece[1][1]] or pieces
        return max(slanted, key=lambda piece: hypot(piece[1][0] - piece[0][0], piece[1][1] - piece[0][1]))


def look_of(arrow: Arrow, straight: bool) -> str:
    """What an arrow is drawn as: `down`, `up`, `copy` or `run`."""
    if arrow.falls:
        return "down" if arrow.falls > 0 else "up"
    joins = len(arrow.target.arrows) > 1 and not arrow.via
    return "copy" if joins and not (arrow.target.is_bare and straight) else "run"


class Router:
    """The ways of all arrows of a layout."""

    def __init__(self, layout: Layout, cells: Sequence[Cell]) -> None:
        self.layout = layout
        self._lefts = [[spot.left for spot in row] for row in layout.rows]
        self._detours = [0] * (len(layout.rows) + 1)
        self._upright: set[tuple[int, bool]] = set()  # (id of a spot, at its top): where an arrow ends or begins
        arrows = [arrow for cell in cells for arrow in cell.arrows]
        for arrow in arrows:
            one, other = layout[arrow.source], layout[arrow.target]
            if one.cell.row == other.cell.row and other.place > one.place + 1 and other.segment(arrow) is None:
                self._upright.add((id(other), True))
        made = {id(arrow): way for arrow in arrows if (way := self._standing(arrow))}
        self.ways = [made.get(id(arrow)) or self._way(arrow) for arrow in arrows]

    def _standing(self, arrow: Arrow) -> Way | None:
        """The way of an arrow that stands upright, or nearly so: between neighbours in a column."""
        one, other = self.layout[arrow.source], self.layout[arrow.target]
        if abs(one.cell.row - other.cell.row) != 1 or one.column != other.column:
            return None
        down = other.cell.row > one.cell.row
        x = from_x = _x(other, arrow)
        if not one.cell.is_bare:
            from_x = min(max(x, one.left + _AWAY), one.right - _AWAY)
        elif not other.cell.is_bare:
            from_x = one.middle[0]
        if not other.cell.is_bare and abs(from_x - x) < other.reach(arrow):
            x = from_x  # upright
        start = (from_x, one.bottom + one.below) if down else (from_x, one.top - one.above)
        end = (x, other.top - other.above) if down else (x, self._bottom(other, arrow))
        self._upright |= {(id(one), not down), (id(other), down)}
        return Way(arrow, "down" if down else "up", [start, end])

    def _bottom(self, spot: Spot, arrow: Arrow) -> float:
        """Where an arrow from below ends: under the text, but for segments, which have none under them."""
        return spot.bottom if spot.segment(arrow) is not None or spot.cell.is_bare else spot.bottom + spot.below

    def _way(self, arrow: Arrow) -> Way:
        one, other = self.layout[arrow.source], self.layout[arrow.target]
        if one.cell.row != other.cell.row:
            return Way(arrow, look_of(arrow, True), self._across(arrow, one, other))
        y = one.middle[1]
        if other.place == one.place + 1:
            return Way(arrow, look_of(arrow, True), [(one.right, y), (other.left, y)])
        band = self.layout.bands[one.cell.row]
        lane = band.lane - LANE * (one.lane or 0)
        x = one.middle[0] + (5 if (id(one), True) in self._upright else 0)
        to_x, top = _x(other, arrow), other.top if other.segment(arrow) is not None else other.top - other.above
        if other.cell.is_bare:
            to_x -= 4  # beside an upright arrow from above
        return Way(arrow, look_of(arrow, False), [(x, one.top - one.above), (x, lane), (to_x, lane), (to_x, top)], True)

    def _across(self, arrow: Arrow, one: Spot, other: Spot) -> list[Point]:
        """Between rows: the first of the ways there are that meets no cell."""
        for points in self._tries(arrow, one, other):
            if not any(self._meets(start, end, one, other) for start, end in pairwise(points)):
                return points
        return self._through_gaps(arrow, one, other)

    def _tries(self, arrow: Arrow, one: Spot, other: Spot) -> Iterator[list[Point]]:
        sign = 1 if other.cell.row > one.cell.row else -1
        start, end = _leaves(one, sign), self._arrives(arrow, other, sign)
        if one.column < other.column:
            if other.cell.is_bare:
                end = _on_circle(other, start)
            if one.cell.is_bare:
                start = _on_circle(one, end)
            yield [start, end]
        if one.column + 1 < other.column:
            level, (x, _) = one.middle[1], self.layout.gaps[other.column - 1]
            last = _on_circle(other, (x, level)) if other.cell.is_bare else end
            yield [(one.right, level), (x, level), last]
            level, (_, x) = other.middle[1], self.layout.gaps[one.column]
            first = _on_circle(one, (x, level)) if one.cell.is_bare else start
            if other.segment(arrow) is None:
                yield [first, (x, level), (other.left, level)]

    def _arrives(self, arrow: Arrow, spot: Spot, sign: int) -> Point:
        """Where a slanted arrow ends: on its segment, or at the side."""
        if spot.segment(arrow) is not None:
            return _x(spot, arrow), spot.top if sign > 0 else spot.bottom
        return spot.left, spot.middle[1] - sign * _SIDE * (spot.bottom - spot.top)

    def _through_gaps(self, arrow: Arrow, one: Spot, other: Spot) -> list[Point]:
        """Along the gap after the source's column, between two rows, and to the target's upper or lower edge."""
        down = other.cell.row > one.cell.row
        row = other.cell.row if down else other.cell.row + 1  # the lower one of the rows it passes between
        number = self._detours[row]
        self._detours[row] += 1
        gaps = self.layout.gaps
        left, right = gaps[one.column] if one.column < len(gaps) else (one.right + 4, one.right + 16)
        x = left + (right - left) * (0.3 + 0.1 * (number % 5))
        y = self.layout.bands[row].start + 8 + 3 * (number % 7)
        to_x = _x(other, arrow)
        if other.segment(arrow) is not None:
            end = other.top if down else other.bottom
        else:
            end = other.top - other.above if down else other.bottom + other.below
        start = _leaves(one, 1 if down else -1)
        if one.cell.is_bare:
            start = _on_circle(one, (x, start[1]))
        return [start, (x, start[1]), (x, y), (to_x, y), (to_x, end)]

    def _meets(self, start: Point, end: Point, *own: Spot) -> bool:
        """Whether a line meets a cell, or the text above or under one; at its own two, the cell alone."""
        (x1, y1), (x2, y2) = sorted((start, end), key=lambda point: point[1])
        for number, row in enumerate(self.layout.rows):
            top = min(spot.top - spot.above for spot in row)
            bottom = max(spot.bottom + spot.below for spot in row)
            if y2 <= top or y1 >= bottom:
                continue
            slope = (x2 - x1) / (y2 - y1) if y2 > y1 else 0.0
            xs = [x1 + slope * (min(max(y, y1), y2) - y1) for y in (top, bottom)] if slope else [x1, x2]
            if y1 == y2:
                xs = [x1, x2]
            for spot in self._near(number, min(xs), max(xs)):
                mine = any(spot is each for each in own)
                if mine and spot.cell.is_bare:
                    continue  # it ends on the circle
                box = spot.box if mine else Box(spot.left, spot.top - spot.above, spot.right, spot.bottom + spot.below)
                if crosses(Box(box.left + 0.5, box.top + 0.5, box.right - 0.5, box.bottom - 0.5), start, end):
                    return True
        return False

    def _near(self, row: int, left: float, right: float) -> Iterator[Spot]:
        """The spots of a row between two abscissas."""
        spots, lefts = self.layout.rows[row], self._lefts[row]
        at = max(bisect_left(lefts, left) - 1, 0)
        while at < len(spots) and lefts[at] < right:
            yield spots[at]
            at += 1


def _leaves(spot: Spot, sign: int) -> Point:
    """Where a slanted arrow leaves a spot, down or up."""
    return spot.right, spot.middle[1] + (0 if spot.cell.is_bare else sign * _SIDE * (spot.bottom - spot.top))


def _x(spot: Spot, arrow: Arrow) -> float:
    """Where on the upper or lower edge of a spot an arrow ends."""
    segment = spot.segment(arrow)
    return spot.middle[0] if segment is None else segment


def _on_circle(spot: Spot, towards: Point) -> Point:
    """The point of a circle nearest to another point."""
    x, y = spot.middle
    dx, dy = towards[0] - x, towards[1] - y
    length = hypot(dx, dy) or 1.0
    return x + dx / length * CIRCLE, y + dy / length * CIRCLE


def crosses(box: Box, one: Point, other: Point) -> bool:
    """Whether a straight line has a point inside a box (Liang & Barsky 1984)."""
    dx, dy = other[0] - one[0], other[1] - one[1]
    low, high = 0.0, 1.0
    for step, space in (
        (-dx, one[0] - box.left),
        (dx, box.right - one[0]),
        (-dy, one[1] - box.top),
        (dy, box.bottom - one[1]),
    ):
        if step == 0:
            if space <= 0:
                return False
            continue
        if step < 0:
            low = max(low, space / step)
        else:
            high = min(high, space / step)
    return low < high
