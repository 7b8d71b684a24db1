"""The lines of a graph figure: straight along the flow, curved into branches, round the corners of lanes."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import pairwise

from netc.figures.graph.measure import BAND, MARK, TAP, TRACK, Leg, Spot
from netc.figures.graph.place import Column, Places
from netc.figures.graph.route import Cross, Flow, Router, Side
from netc.figures.graph.tree import Fork, Leaf
from netc.figures.scene import Path, Point, rounded

_ROUND = 7.0
Way = list[Point]  # corners of a line, (across, flow)


class Lines:
    """Paths of the edges of a figure that is placed."""

    def __init__(self, places: Places, router: Router, vertical: bool) -> None:
        self.places, self.router, self.vertical = places, router, vertical
        self._turns: list[tuple[float, ...]] = []  # where skips run across: the place along the flow, from, to

    def draw(
        self, flows: Iterable[Flow], sides: Sequence[Side], changes: Callable[[Side], bool]
    ) -> tuple[list[Path], list[Path], list[Path]]:
        """Edges along the line, shortcuts that leave the shape, shortcuts that change it."""
        edges = [self._flow(flow) for flow in flows]
        ways = [self._ways(side) for side in sides]
        self._turns = sorted(
            (one[1], min(one[0], other[0]), max(one[0], other[0]))
            for way in (way for parts in ways for way in parts)
            for one, other in pairwise(way)
            if one[1] == other[1]
        )
        skips: list[Path] = []
        dotted: list[Path] = []
        for side, parts in zip(sides, ways, strict=True):
            drawn = [self._rounded(way, arrow=way is parts[-1]) for way in parts]
            (dotted if changes(side) else skips).extend(drawn)
        return edges, skips, dotted

    # -- along the line --------------------------------------------------------------------------------------

    def _flow(self, flow: Flow) -> Path:
        box = self.places.items
        leaving, entering = (0.0 if self.vertical else self._slant(leaf) for leaf in (flow.source, flow.target))
        start = self.places.lines[id(flow.source)], box[id(flow.source)].bottom - leaving
        target = self.places.lines[id(flow.target)], box[id(flow.target)].top + entering
        spot, _ = self.router.places[id(flow.source)]
        goal, place = self.router.places[id(flow.target)]
        joined = self._join(spot, goal, place)
        if joined is not None:
            return self._joined(start, joined, spot, target, flow.target)
        way = [start]
        columns = self._columns(flow)
        if columns is not None:
            way += self._to_next_column(start, *columns)
        for fork, branch in self._forks(spot, goal):
            level = self.places.items[id(fork)].top + BAND / 2
            way += [(way[-1][0], level), (branch.line, level)]
        return self._rounded([*way, target])

    def _forks(self, spot: Spot, goal: Spot) -> list[tuple[Fork, Spot]]:
        """The forks that the line enters on its way from one sequence into another, from the outermost in."""
        around = set()
        outer: Spot | None = spot
        while outer is not None:
            around.add(id(outer))
            outer = outer.parent
        found: list[tuple[Fork, Spot]] = []
        inner: Spot | None = goal
        while inner is not None and id(inner) not in around:
            if isinstance(inner.owner, Fork):
                found.append((inner.owner, inner))
            inner = inner.parent
        return found[::-1]

    def _join(self, spot: Spot, goal: Spot, place: int) -> Fork | None:
        """The fork whose branch ends here, right before the target."""
        item = goal.seq.items[place - 1] if place else None
        inner: Spot | None = spot
        while inner is not None and inner is not goal:
            if isinstance(item, Fork) and inner.owner is item and inner.parent is goal:
                return item
            inner = inner.parent
        return None

    def _joined(self, start: Point, fork: Fork, spot: Spot, target: Point, leaf: Leaf) -> Path:
        """Straight down below the longest branch, and from there to the combiner."""
        while spot.owner is not fork:
            assert spot.parent is not None
            spot = spot.parent
        if id(fork) in self.places.measures.straight:
            end = (start[0], target[1])
        else:
            number = next(n for n, branch in enumerate(fork.branches) if branch is spot.seq)
            box = self.places.items[id(leaf)]
            room = box.right - box.left - 16 if self.vertical else 0.0
            share = (number + 0.5) / len(fork.branches) - 0.5
            end = (target[0] + share * max(room, 0.0), target[1])
        level = self.places.items[id(fork)].bottom - BAND / 2
        return self._rounded([start, (start[0], level), (end[0], level), end])

    def _columns(self, flow: Flow) -> tuple[Column, Column] | None:
        columns = self.places.columns
        if len(columns) < 2:
            return None
        one, other = (columns[self.places.column_of[self._outer(leaf)]] for leaf in (flow.source, flow.target))
        return None if one is other else (one, other)

    def _outer(self, leaf: Leaf) -> int:
        spot, index = self.router.places[id(leaf)]
        while spot.parent is not None:
            spot, index = spot.parent, spot.index
        return index

    def _to_next_column(self, start: Point, one: Column, other: Column) -> Way:
        """Below the one column, up between both, and down to the line of the other."""
        low, high = one.bottom + self.places.measures.cut, -14.0
        gutter = one.right + 10
        return [(start[0], low), (gutter, low), (gutter, high), (other.line, high), (other.line, 0)]

    # -- at the side -----------------------------------------------------------------------------------------

    def _ways(self, side: Side) -> list[Way]:
        """The corners of a skip: one line, and one more after each place where it goes on in another column."""
        start = self.places.slot(side.spot, side.tap) + TAP
        line = self.places.line(side.spot, side.tap)
        way: Way = [(line, start)]
        if side.lone:
            way.insert(0, (line, self.places.items[id(side.source)].bottom))
        box = self.places.items[id(side.target)]
        ways = []
        for leg, (begin, end) in zip(side.legs, pairwise(self._levels(side)), strict=True):
            way.append((self._lane(leg.first), begin))
            if leg.last is not leg.first:
                way.append((self._lane(leg.first), self._column(leg.first).bottom + leg.first.stub))
                ways.append(way)
                way = [(self._lane(leg.last), -leg.last.stub)]
            way.append((self._lane(leg.last), end))
        middle, slant = self._entry(side.target)
        return [*ways, [*way, (box.right - slant, middle)]]

    def _levels(self, side: Side) -> list[float]:
        """Where the legs of a skip begin and end along the flow."""
        start = self.places.slot(side.spot, side.tap) + TAP
        return [start, *map(self._level, side.crossings), self._entry(side.target)[0]]

    def _entry(self, leaf: Leaf) -> tuple[float, float]:
        """Where a skip goes into a box: along the flow, and how far inside of its right side."""
        box, form = self.places.items[id(leaf)], self.places.measures.forms[id(leaf)]
        if not self.vertical:
            return box.top + form.before, 0.0
        return box.top + form.middle, form.inside

    def _slant(self, leaf: Leaf) -> float:
        return self.places.measures.forms[id(leaf)].slant

    def _column(self, leg: Leg) -> Column:
        return self.places.columns[self.places.column_of[leg.start // 2]]

    def stubs(self, sides: Iterable[Side]) -> Iterator[tuple[Side, Point, Point]]:
        """The skips that go on in another column: the middles of the marks where they leave one and enter the other."""
        for side in sides:
            for leg in side.legs:
                if leg.last is not leg.first:
                    out = (self._lane(leg.first), self._column(leg.first).bottom + leg.first.stub + MARK)
                    yield side, self._turned(out), self._turned((self._lane(leg.last), -leg.last.stub - MARK))

    def _turned(self, point: Point) -> Point:
        return point if self.vertical else (point[1], point[0])

    def _lane(self, leg: Leg) -> float:
        spot = self.router.spots[id(leg.seq)]
        return self.places.line(spot, leg.start // 2) + leg.offset

    def _level(self, cross: Cross) -> float:
        box = self.places.items[id(cross.fork)]
        above, below = self.places.measures.bands(cross.fork)
        inside = 4 + TRACK * cross.track
        return box.bottom - below + inside if cross.below else box.top + above - inside

    def beside_leg(self, side: Side, along: float, across: float) -> Point:
        """Where a label of such a size stands beside the first leg of a skip: the lane of that, and along the flow the
        place nearest to its middle where no other skip passes through."""
        whole = side.legs[0]
        leg = whole.labelled
        lane, (begin, end, *_) = self._lane(leg), self._levels(side)
        if leg is not whole.last:
            end = self._column(leg).bottom
        if leg is not whole.first:
            begin = 0.0
        half, middle = along / 2, (begin + end) / 2
        near = self._turns[bisect_left(self._turns, (begin,)) : bisect_right(self._turns, (end + 1,))]
        levels = [level for level, left, right in near if left < lane + across and right > lane + 1]
        places = [middle, *(level + sign * (half + 1) for level in levels for sign in (-1, 1))]
        inside = [at for at in places if begin + half <= at <= end - half]
        free = [at for at in inside if all(abs(at - level) > half for level in levels)]
        return lane, min(free, key=lambda at: abs(at - middle), default=middle)

    # -- on the screen ---------------------------------------------------------------------------------------

    def _rounded(self, way: Way, *, arrow: bool = True) -> Path:
        """A line through corners along both axes, rounded."""
        points = [way[0]]
        for point in way[1:]:
            if abs(point[0] - points[-1][0]) + abs(point[1] - points[-1][1]) <= 0.05:
                continue
            if len(points) > 1 and _straight(points[-2], points[-1], point):
                points.pop()
            points.append(point)
        segments = rounded(points, _ROUND)
        if self.vertical:
            return Path(points[0], segments, arrow=arrow)
        turned = [tuple((flow, across) for across, flow in segment) for segment in segments]
        return Path((points[0][1], points[0][0]), turned, arrow=arrow)


def _straight(one: Point, two: Point, three: Point) -> bool:
    """Whether a line through three points goes straight on along an axis."""
    return any(abs(one[k] - two[k]) < 0.05 and abs(two[k] - three[k]) < 0.05 for k in (0, 1))
