"""Which way each edge of the network takes through the figure: along the line, or as a skip at its side.

A skip leaves the line after its source, as late as it can (inside a frame that the line goes into, for a block's own
shortcut), runs in a lane at the side of its sequence, and ends at the side of its target. In and out of branches it
crosses the bands where their lines fan out, never the branches beside them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from netc.figures.graph.measure import Leg, Spot
from netc.figures.graph.tree import Fork, Frame, Leaf, Seq, Skip, Tree
from netc.ir.net import Net


@dataclass(slots=True, eq=False)
class Flow:
    """An edge along the line: from a leaf to the next one, through the borders of frames and forks."""

    source: Leaf
    target: Leaf


@dataclass(slots=True, eq=False)
class Cross:
    """Where a skip crosses a band of a fork: above its branches or below them, on a track of its own."""

    fork: Fork
    below: bool
    track: int


@dataclass(slots=True, eq=False)
class Side:
    """A skip: from slot `tap` of a sequence through its legs (with a crossing between two of them) to a leaf."""

    source: Leaf
    target: Leaf
    spot: Spot
    tap: int
    skip: Skip | None
    legs: list[Leg] = field(default_factory=list)
    crossings: list[Cross] = field(default_factory=list)
    lone: bool = False  # no line goes on after the source: it begins right there

    @property
    def names(self) -> Sequence[str]:
        """The layers on it."""
        return self.skip.names if self.skip else ()


Step = tuple[Spot, int]


class Router:
    """The routes of all edges of a tree."""

    def __init__(self, tree: Tree, net: Net) -> None:
        self.tree, self.net = tree, net
        self.order: list[Spot] = []
        self.spots: dict[int, Spot] = {}
        self.places: dict[int, Step] = {}  # leaf -> its sequence and its place in it
        self.leaves: list[Leaf] = []
        self.tracks: dict[int, list[int]] = {}
        self._of: dict[str, Leaf] = {}  # node -> the leaf that shows it
        self._locate()

    def _locate(self) -> None:
        stack = [Spot(self.tree.root)]
        while stack:
            spot = stack.pop()
            self.order.append(spot)
            self.spots[id(spot.seq)] = spot
            children: list[Spot] = []
            for index, item in enumerate(spot.seq.items):
                if isinstance(item, Leaf):
                    self.places[id(item)] = (spot, index)
                    self.leaves.append(item)
                    if not item.output:
                        self._of.update(dict.fromkeys(item.names, item))
                    continue
                inner = [item.body] if isinstance(item, Frame) else item.branches
                children += [Spot(seq, spot, index, item, spot.depth + 1) for seq in inner]
            stack += children[::-1]

    def route(self) -> tuple[list[Flow], list[Side]]:
        """All edges: those along the line, and the skips."""
        flows: list[Flow] = []
        sides: list[Side] = []
        for source, target, skip in self._edges():
            route = self._route(source, target, skip)
            (flows if isinstance(route, Flow) else sides).append(route)  # type: ignore[arg-type]
        on_line = {id(flow.source) for flow in flows}
        for side in sides:
            if side.tap and id(side.source) not in on_line:
                side.lone = True
                side.legs[0].start = 2 * side.tap - 1  # beside its source, so that no column ends between
        return flows, sides

    def _edges(self) -> Iterator[tuple[Leaf, Leaf, Skip | None]]:
        of, shown = self._of, self.tree.shown
        absorbed = {name for skip in self.tree.skips for name in skip.names}
        for leaf in self.leaves:
            if leaf.output:
                yield of[shown[leaf.exit]], leaf, None
                continue
            inside = set(leaf.names)
            for name in leaf.names:
                operands, sources = self.net.operands(name), set[str]()
                for slot, operand in enumerate(operands):
                    source = shown[operand]
                    if operand in inside or source in absorbed:
                        continue
                    again = Skip(operand, name, []) if operand in operands[:slot] else None  # `add(x, x)`
                    if again is None and source in sources:
                        continue  # equal branches, of which one is drawn
                    sources.add(source)
                    yield of[source], leaf, again
        for skip in self.tree.skips:
            yield of[shown[skip.source]], of[skip.target], skip

    def _chain(self, leaf: Leaf) -> list[Step]:
        """Sequences around a leaf and the place in each, from the outermost in."""
        spot, index = self.places[id(leaf)]
        steps = [(spot, index)]
        while spot.parent is not None:
            spot, index = spot.parent, spot.index
            steps.append((spot, index))
        return steps[::-1]

    def _route(self, source: Leaf, target: Leaf, skip: Skip | None) -> Flow | Side:
        up, down = self._chain(source), self._chain(target)
        depth = 0
        while depth + 1 < min(len(up), len(down)) and up[depth + 1][0] is down[depth + 1][0]:
            depth += 1
        if skip is None and self._is_join(up, down, depth):
            return Flow(source, target)
        if not self._leaves_last(up, depth):
            return self._side_from_within(source, target, skip, up, down, depth)
        spot, tap = up[depth][0], up[depth][1] + 1
        while tap == down[depth][1] and depth + 1 < len(down) and self._enters(source, down[depth + 1][0].seq):
            depth += 1
            spot, tap = down[depth][0], 0
        if skip is None and tap == down[depth][1] and depth + 1 == len(down):
            return Flow(source, target)
        side = Side(source, target, spot, tap, skip)
        spot.taps.add(tap)
        self._descend(side, 2 * tap, down, depth)
        return side

    def _enters(self, source: Leaf, seq: Seq) -> bool:
        """Whether the line from a leaf goes on into a sequence: what that begins with reads the leaf."""
        begins = list(seq.items[:1])
        while begins:
            item = begins.pop()
            if isinstance(item, Leaf):
                operands = (operand for name in item.names for operand in self.net.operands(name))
                if any(self._of.get(self.tree.shown[operand]) is source for operand in operands):
                    return True
                continue
            inner = [item.body] if isinstance(item, Frame) else item.branches
            begins += [each for one in inner for each in one.items[:1]]
        return False

    def _is_join(self, up: list[Step], down: list[Step], depth: int) -> bool:
        """Whether the source ends a branch of the fork right before the target."""
        (spot, last), (_, place) = up[depth], down[depth]
        if not isinstance(spot.seq.items[last], Fork) or place != last + 1 or len(down) > depth + 1:
            return False
        return self._leaves_last(up, depth + 1) and up[depth + 1][1] == len(up[depth + 1][0].seq.items) - 1

    @staticmethod
    def _leaves_last(up: list[Step], depth: int) -> bool:
        """Whether a tensor leaves all frames inside `depth` at their end, so that it is on the line after them."""
        inner = up[depth + 1 :]
        return all(isinstance(spot.owner, Frame) and place == len(spot.seq.items) - 1 for spot, place in inner)

    def _side_from_within(
        self, source: Leaf, target: Leaf, skip: Skip | None, up: list[Step], down: list[Step], depth: int
    ) -> Side:
        """A skip that starts in a branch, or in the middle of a frame."""
        spot, place = up[-1]
        side = Side(source, target, spot, place + 1, skip)
        spot.taps.add(place + 1)
        begin = 2 * (place + 1)
        for inner, index in up[:depth:-1]:
            if not isinstance(inner.owner, Fork):
                begin = 2 * inner.index + 1
                continue
            start = begin if inner is spot else 2 * index + 1
            self._leg(side, inner, start, 2 * len(inner.seq.items) + 1)
            self._cross(side, inner.owner, below=True)
            begin = 2 * inner.index + 1
        if up[depth][1] == down[depth][1]:  # into another branch of the same fork, from below
            self._descend(side, None, down, depth + 1)
        else:
            self._descend(side, begin, down, depth)
        return side

    def _descend(self, side: Side, start: int | None, down: list[Step], depth: int) -> None:
        """Legs from a sequence down to the target: `start` is None for one that comes from below."""
        for spot, place in down[depth:]:
            leaf = spot is down[-1][0]
            inner = None if leaf else spot.seq.items[place]
            if start is None:
                self._leg(side, spot, 2 * place + 1, 2 * len(spot.seq.items) + 1)
            elif not isinstance(spot.owner, Frame) or spot is down[depth][0]:
                self._leg(side, spot, start, 2 * place + 1)
            if isinstance(inner, Fork):
                self._cross(side, inner, below=False)
            start = 0

    def _leg(self, side: Side, spot: Spot, start: int, end: int) -> None:
        leg = Leg(spot.seq, start, end)
        spot.legs.append(leg)
        side.legs.append(leg)

    def _cross(self, side: Side, fork: Fork, *, below: bool) -> None:
        tracks = self.tracks.setdefault(id(fork), [0, 0])
        side.crossings.append(Cross(fork, below, tracks[below]))
        tracks[below] += 1
