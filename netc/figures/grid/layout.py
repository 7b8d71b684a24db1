"""Where cells stand: their sizes, the gaps between columns, and what is kept free between rows.

One unit is 0.6 pt where the smallest text is 6 pt high. Bars are higher the finer their map is, by its halvings, and
wider the more channels they have, by their logarithm.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import accumulate, pairwise
from math import log2

from netc.figures.grid.place import Columns
from netc.figures.grid.reduce import Arrow, Cell, Plan
from netc.figures.grid.words import Words, shown
from netc.figures.lanes import lanes
from netc.figures.scene import Box, text_width
from netc.ir.net import Net
from netc.ir.shape import channels_of

TEXT = 10.0  # size of all texts
LINE = 12.0  # from one line of text to the next
LABEL = 13.0  # kept free for the channels above a cell
LANE = 7.5  # from one bus lane to the next
CIRCLE = 8.0  # radius of a merge
WIDE = 500.0  # a figure at least so wide has large bars
_HIGH = {True: (77.0, 23.0), False: (57.0, 20.0)}  # heights of bars of the first and of the last row
_ARROWS = 34.0  # between two rows with arrows from one to the other
_APART = 10.0  # between others
_MARKED = 26.0  # with a trapezoid on an arrow along the row
_MOST = 103.0  # gap between columns at most
_LEAST = {True: 14.0, False: 8.0}  # at least
_SLANTED = {True: 22.0, False: 11.0}  # and with arrows to other rows
STUB, AFTER = 13.0, 4.0  # the arrow of an output, and from its end to the name
_OPEN = 6  # parts of a cell that are drawn each by itself


@dataclass(slots=True, eq=False)
class Spot:
    """Where a cell stands. `segments` are the operands of a concatenation in the order in which they are drawn, `parts`
    its maps: pairs of a left edge and a width."""

    cell: Cell
    column: int
    width: float
    segments: dict[int, tuple[float, float]]  # by the id of the arrow
    parts: list[tuple[float, float]]
    place: int = 0  # in its row, from the left
    lane: int | None = None  # of the bus that carries its map over others in its row
    left: float = 0.0
    top: float = 0.0
    bottom: float = 0.0
    above: float = 0.0  # kept free for the text above
    below: float = 0.0  # and below

    @property
    def right(self) -> float:
        """Its right edge."""
        return self.left + self.width

    @property
    def middle(self) -> tuple[float, float]:
        """The middle of its height, and of its maps."""
        if not self.parts:
            return self.left + self.width / 2, (self.top + self.bottom) / 2
        (first, _), (last, width) = self.parts[0], self.parts[-1]
        return self.left + (first + last + width) / 2, (self.top + self.bottom) / 2

    @property
    def box(self) -> Box:
        """What it covers."""
        return Box(self.left, self.top, self.right, self.bottom)

    def segment(self, arrow: Arrow) -> float | None:
        """The middle of the segment that an arrow fills, or None."""
        found = self.segments.get(id(arrow))
        return None if found is None else self.left + found[0] + found[1] / 2

    def reach(self, arrow: Arrow) -> float:
        """How far from its middle an arrow may end: on its segment, or on the maps."""
        _, width = self.segments.get(id(arrow)) or (0, self.parts[-1][0] + self.parts[-1][1] - self.parts[0][0])
        return width / 2 - 1


@dataclass(frozen=True, slots=True)
class Band:
    """Where a row stands: where what is above it ends, its lowest bus lane, and its middle."""

    start: float
    lane: float
    middle: float


@dataclass(slots=True)
class Layout:
    """All spots, by the id of their cell, and the lines of the grid."""

    spots: dict[int, Spot]
    rows: list[list[Spot]]  # from left to right
    right: float  # of the last column
    limit: float  # of all texts
    gaps: list[tuple[float, float]]  # from the end of each column to the beginning of the next
    bands: list[Band]
    bottom: float

    def __getitem__(self, cell: Cell) -> Spot:
        return self.spots[id(cell)]


@dataclass
class Measure:
    """The widths of a plan, before it is known how wide the figure is."""

    net: Net
    plan: Plan
    columns: Columns
    words: Words
    large: bool
    scale: float  # of the widths of bars
    spots: dict[int, Spot] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for cell in self.plan.cells:
            self.spots[id(cell)] = self._spot(cell)
        self.rows: list[list[Spot]] = [[] for _ in self.plan.labels]
        for cell in self.plan.cells:
            self.rows[cell.row].append(self.spots[id(cell)])
        for row in self.rows:
            row.sort(key=lambda spot: spot.column)
            for place, spot in enumerate(row):
                spot.place = place
            self._assign_lanes(row)
        self.widths = [0.0] * self.columns.count
        for spot in self.spots.values():
            self.widths[spot.column] = max(self.widths[spot.column], spot.width)
        self.label = max(text_width(label, TEXT) for label in self.plan.labels) + 10
        self.least, self.wished, self.weights = self._gaps()

    @property
    def needed(self) -> float:
        """How wide the figure is at least."""
        return self.label + sum(self.widths) + sum(self.least) + self._after()

    def _after(self) -> float:
        """Room after the last column: for half of the texts there."""
        last = [spot for spot in self.spots.values() if spot.column == self.columns.count - 1]
        beside = [
            STUB + AFTER + text_width(spot.cell.output, TEXT, True)
            for spot in last
            if len(self.net.outputs) > 1 and spot.cell.output in self.net.outputs
        ]
        over = [(text_width(text, TEXT) - self.widths[-1]) / 2 for spot in last for text in self.words.lines(spot.cell)]
        return max([0.0, *beside, *over])

    def _spot(self, cell: Cell) -> Spot:
        column = self.columns[cell]
        if cell.head == "sum":
            return Spot(cell, column, 2 * CIRCLE, {}, [])
        at, segments = 0.0, {}
        if cell.head == "concat":
            for arrow in self._order(cell):
                width = self._bar(channels_of(self.net.shapes[arrow.via[-1] if arrow.via else arrow.source.output]))
                width = max(0.72 * width, 6.0 if self.large else 4.0)
                segments[id(arrow)] = (at, width)
                at += width
        parts: list[tuple[float, float]] = []
        drawn = shown(self.net, cell)[1:] if cell.head == "concat" else shown(self.net, cell)
        many = len(drawn) > _OPEN
        for part in drawn[:_OPEN]:
            width = self._bar(channels_of(self.net.shapes[part.names[-1]])) * (1 if len(drawn) == 1 else 0.62)
            width = 0.6 * width if many else width
            parts.append((at, width))
            at += width
        return Spot(cell, column, at, segments, parts)

    def _bar(self, channels: int) -> float:
        return (3.5 + 1.75 * log2(channels)) * self.scale

    def _gaps(self) -> tuple[list[float], list[float], list[float]]:
        """Of the gap after each column: the least, the least that keeps all texts apart, and its share of what is left:
        more for one that arrows to other rows cross."""
        gaps = [_LEAST[self.large]] * (self.columns.count - 1)
        crossing = [0] * len(gaps)
        for cell in self.plan.cells:
            for arrow in cell.arrows:
                start, end = self.spots[id(arrow.source)].column, self.spots[id(cell)].column
                if arrow.source.row == cell.row and end == start + 1:
                    texts = [text_width(text, TEXT) + 18 for text in self.words.beside(arrow)]
                    gaps[start] = max([gaps[start], *texts, _MARKED if arrow.falls else 0.0])
                elif arrow.source.row != cell.row and end > start:
                    for at in (start, end - 1):
                        gaps[at] = max(gaps[at], _SLANTED[self.large])
                    crossing[start] += 1
        wished = gaps.copy()
        for row in self.rows:
            for one, other in pairwise(row):
                if other.column == one.column + 1:
                    inside = (self.widths[one.column] + self.widths[other.column]) / 2
                    above, under = self._apart(one, other)
                    needed = max(above, under) if one.cell.size or other.cell.size else above
                    gaps[one.column] = max(gaps[one.column], needed + 4 - inside)
                    wished[one.column] = max(wished[one.column], gaps[one.column], under + 6 - inside)
        return gaps, wished, [min(0.5 + 0.25 * count, 1.5) for count in crossing]

    def _apart(self, one: Spot, other: Spot) -> tuple[float, float]:
        """How far apart the middles of two neighbours must be for the texts above them, and for those under them."""
        above = [channels(self.net, spot.cell) for spot in (one, other)]
        first, second = ([text_width(text, TEXT) for text in self.words.lines(spot.cell)] for spot in (one, other))
        under = (max(first) + max(second)) / 2 if first and second else 0.0
        return sum(text_width(text, TEXT) for text in above) / 2 if above[0] != above[1] else 0.0, under

    def solve(self, width: float) -> Layout:
        """The layout of a figure at most so wide."""
        room = width - self.label - sum(self.widths) - self._after()
        least = self.wished if sum(self.wished) <= room else self.least
        gap = _filling(least, self.weights, room)
        gaps = [max(each, min(gap * weight, _MOST)) for each, weight in zip(least, self.weights, strict=True)]
        starts = list(accumulate(map(sum, zip(self.widths, [*gaps, 0.0], strict=True)), initial=self.label))
        for spot in self.spots.values():
            spot.left = starts[spot.column] + (self.widths[spot.column] - spot.width) / 2
        between = [(at + wide, at + wide + gap) for at, wide, gap in zip(starts, self.widths, gaps, strict=False)]
        end = starts[-1]
        return Layout(self.spots, self.rows, end, end + self._after(), between, *self._down())

    def _down(self) -> tuple[list[Band], float]:
        """Give spots their place down the figure; the bands of the rows, and the end of all."""
        heights = self.plan.levels
        most, least = _HIGH[self.large]
        span = max(heights[-1], 3.0)
        crossed = [False] * (len(heights) + 1)
        for cell in self.plan.cells:
            for arrow in cell.arrows:
                for between in range(min(arrow.source.row, cell.row), max(arrow.source.row, cell.row)):
                    crossed[between + 1] = True
        bands: list[Band] = []
        at = 0.0
        for number, spots in enumerate(self.rows):
            start = at
            high = most - (most - least) * heights[number] / span
            at += (_ARROWS if crossed[number] else _APART) if number else 0
            count = max((spot.lane + 1 for spot in spots if spot.lane is not None), default=0)
            at += count * LANE + (4 if count else 0)
            lane = at - 4
            at += LABEL
            middle = at + high / 2
            bands.append(Band(start, lane, middle))
            for spot in spots:
                half = CIRCLE if spot.cell.is_bare else (most - (most - least) * spot.cell.level / span) / 2
                spot.top, spot.bottom = middle - half, middle + half
                spot.above = LABEL if channels_shown(self.net, spot.cell) else 0
                lines = self.words.lines(spot.cell)
                spot.below = LINE * len(lines) + 2 if lines else 0
            at = max(at + high, *(spot.bottom + spot.below for spot in spots))
        return bands, at

    def _order(self, cell: Cell) -> list[Arrow]:
        """The operands of a concatenation as they are drawn: what comes straight along its row first, what comes from
        other rows last."""
        same = [arrow for arrow in cell.arrows if arrow.source.row == cell.row]
        nearest = max(same, key=lambda arrow: self.columns[arrow.source], default=None)
        first = [arrow for arrow in same if arrow is nearest]
        others = [arrow for arrow in same if arrow is not nearest]
        return [*first, *others, *(arrow for arrow in cell.arrows if arrow.source.row != cell.row)]

    def _assign_lanes(self, row: Sequence[Spot]) -> None:
        """Give each spot whose map goes over others in its row a lane above them, the shortest the lowest."""
        spans = {}
        for spot in row:
            ends = [
                self.spots[id(arrow.target)].place for arrow in spot.cell.readers if arrow.target.row == spot.cell.row
            ]
            if (last := max(ends, default=0)) > spot.place + 1:
                spans[spot.place] = range(spot.place, last)
        for place, lane in zip(spans, lanes([*spans.values()]), strict=True):
            row[place].lane = lane


def _filling(least: Sequence[float], weights: Sequence[float], room: float) -> float:
    """The length that, times the weight of each gap, fills the room, where each gap is at least so wide."""
    taken, shares = 0.0, sum(weights)
    for needed, weight in sorted(zip(least, weights, strict=True), key=lambda gap: gap[0] / gap[1], reverse=True):
        if (room - taken) / shares * weight >= needed:
            return (room - taken) / shares
        taken, shares = taken + needed, shares - weight
    return 0.0


def channels(net: Net, cell: Cell) -> str:
    """The channels of a cell's map, as they stand above it."""
    return str(channels_of(net.shapes[cell.output]))


def channels_shown(net: Net, cell: Cell) -> bool:
    """Whether channels stand above a cell: not above a merge that a map with as many follows or precedes in its row."""
    if not cell.is_bare:
        return True
    near = [arrow.target for arrow in cell.readers] + [arrow.source for arrow in cell.arrows if not arrow.via]
    return not any(each.row == cell.row and channels(net, each) == channels(net, cell) for each in near)
