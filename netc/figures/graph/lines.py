"""The lines of a graph figure: straight along the flow, curved into branches, round the corners of lanes."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise

from netc.figures.graph.measure import TAP, TRACK, Leg, Spot
from netc.figures.graph.place import Column, Places
from netc.figures.graph.route import Cross, Flow, Router, Side
from netc.figures.graph.tree import Fork, Leaf
from netc.figures.scene import Path, Point

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
        ways = [self._way(side) for side in sides]
        self._turns = sorted(
            (one[1], min(one[0], other[0]), max(one[0], other[0]))
            for way in ways
            for one, other in pairwise(way)
            if one[1] == other[1]
        )
        skips: list[Path] = []
        dotted: list[Path] = []
        for side, way in zip(sides, ways, strict=True):
            (dotted if changes(side) else skips).append(self._rounded(way))
        return edges, skips, dotted

    # -- along the line --------------------------------------------------------------------------------------

    def _flow(self, flow: Flow) -> Path:
        box = self.places.items
        start = (self.places.lines[id(flow.source)], box[id(flow.source)].bottom)
        target = self.places.lines[id(flow.target)], box[id(flow.target)].top
        spot, _ = self.router.places[id(flow.source)]
        goal, place = self.router.places[id(flow.target)]
        joined = self._join(spot, goal, place)
        if joined is not None:
            return self._joined(start, joined, spot, target, flow.target)
        columns = self._columns(flow)
        if columns is not None:
            return self._to_next_column(start, target, *columns)
        segments: list[tuple[Point, ...]] = []
        at = start
        for fork, branch in self._forks(spot, goal):
            top = self.places.items[id(fork)].top
            above, _ = self.places.measures.bands(fork)
            if top > at[1]:
                segments.append(((at[0], top),))
            at = self._curve(segments, (at[0], top), (branch.line, top + above))
        if at != target or not segments:
            segments.append((target,))
        return self._path(start, segments)

    def _curve(self, segments: list[tuple[Point, ...]], start: Point, end: Point) -> Point:
        if abs(start[0] - end[0]) < 0.05:
            segments.append((end,))
            return end
        middle = (start[1] + end[1]) / 2
        segments.append(((start[0], middle), (end[0], middle), end))
        return end

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
        """Straight down to the end of the longest branch, then curved into the combiner."""
        while spot.owner is not fork:
            assert spot.parent is not None
            spot = spot.parent
        _, below = self.places.measures.bands(fork)
        level = self.places.items[id(fork)].bottom - below
        segments: list[tuple[Point, ...]] = []
        if level > start[1]:
            segments.append(((start[0], level),))
        number = next(n for n, branch in enumerate(fork.branches) if branch is spot.seq)
        box = self.places.items[id(leaf)]
        room = box.right - box.left - 16 if self.vertical else 0.0
        share = (number + 0.5) / len(fork.branches) - 0.5
        end = (target[0] + share * max(room, 0.0), target[1])
        self._curve(segments, (start[0], level), end)
        return self._path(start, segments)

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

    def _to_next_column(self, start: Point, target: Point, one: Column, other: Column) -> Path:
        """Below the one column, up between both, and down into the other."""
        low, high = one.bottom + 22, -14.0
        gutter = one.right + 16
        return self._rounded([start, (start[0], low), (gutter, low), (gutter, high), (target[0], high), target])

    # -- at the side -----------------------------------------------------------------------------------------

    def _way(self, side: Side) -> Way:
        spot = side.spot
        start = self.places.slot(spot, side.tap) + TAP
        line = self.places.line(spot, side.tap)
        way: Way = [(line, start)]
        if side.lone:
            way.insert(0, (line, self.places.items[id(side.spot.seq.items[side.tap - 1])].bottom))
        box = self.places.items[id(side.target)]
        levels = [start, *(self._level(cross) for cross in side.crossings), (box.top + box.bottom) / 2]
        for number, leg in enumerate(side.legs):
            across = self._lane(leg)
            way += [(across, levels[number]), (across, levels[number + 1])]
        way.append((box.right, levels[-1]))
        return way

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
        way = self._way(side)[-2 * len(side.legs) - 1 :]
        lane, begin, end = way[0][0], way[0][1], way[1][1]
        half, middle = along / 2, (begin + end) / 2
        near = self._turns[bisect_left(self._turns, (begin,)) : bisect_right(self._turns, (end + 1,))]
        levels = [level for level, left, right in near if left < lane + across and right > lane + 1]
        places = [middle, *(level + sign * (half + 1) for level in levels for sign in (-1, 1))]
        inside = [at for at in places if begin + half <= at <= end - half]
        free = [at for at in inside if all(abs(at - level) > half for level in levels)]
        return lane, min(free, key=lambda at: abs(at - middle), default=middle)

    # -- on the screen ---------------------------------------------------------------------------------------

    def _rounded(self, way: Way) -> Path:
        """A line through corners along both axes, rounded."""
        points = [way[0]]
        for point in way[1:]:
            if abs(point[0] - points[-1][0]) + abs(point[1] - points[-1][1]) > 0.05:
                points.append(point)
        segments: list[tuple[Point, ...]] = []
        for before, corner, after in zip(points, points[1:], points[2:], strict=False):
            radius = min(_ROUND, _distance(before, corner) / 2, _distance(corner, after) / 2)
            segments.append((_towards(corner, before, radius),))
            inner = (_towards(corner, before, radius / 2), _towards(corner, after, radius / 2))
            segments.append((*inner, _towards(corner, after, radius)))
        segments.append((points[-1],))
        return self._path(points[0], segments)

    def _path(self, start: Point, segments: Sequence[tuple[Point, ...]]) -> Path:
        if self.vertical:
            return Path(start, segments, arrow=True)
        turned = [tuple((flow, across) for across, flow in segment) for segment in segments]
        return Path((start[1], start[0]), turned, arrow=True)


def _distance(one: Point, other: Point) -> float:
    return abs(one[0] - other[0]) + abs(one[1] - other[1])


def _towards(start: Point, end: Point, length: float) -> Point:
    whole = _distance(start, end) or 1.0
    return start[0] + (end[0] - start[0]) * length / whole, start[1] + (end[1] - start[1]) * length / whole
