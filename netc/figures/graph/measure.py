"""How large the parts of a graph figure are. Sizes are along the flow and across it, so that both directions share
them: `flow` grows from input to output, `across` to the side of the skips."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import ceil

from netc.figures.graph.tree import Fork, Frame, Leaf, Seq
from netc.figures.scene import text_width

NODE = (150.0, 26.0)  # width and height of a box
PILL = 20.0  # height of a combiner
GAP = 18.0  # between two boxes
TAP = 8.0  # from a box to where a skip leaves the line after it
LANE = 14.0  # between skips
BAND = 26.0  # in which lines fan out to branches, or come together
TRACK = 8.0  # between lines that cross such a band
BETWEEN = 16.0  # branches
PAD = 10.0  # inside a frame
CORNER = 20.0  # in the corner of a frame, for its count
LABEL = 10.0  # font size of labels on edges


@dataclass(slots=True, eq=False)
class Leg:
    """A piece of a skip that runs beside a sequence, from place `start` to place `end` of it (slot k is 2k, item i is
    2i + 1)."""

    seq: Seq
    start: int
    end: int
    label: str = ""
    width: float = LANE
    lane: int = 0
    offset: float = 0.0  # from the line of the sequence


@dataclass(slots=True, eq=False)
class Spot:
    """The place of a sequence in the tree, and its measures."""

    seq: Seq
    parent: Spot | None = None
    index: int = 0  # of the item of the parent that holds it
    owner: Fork | Frame | None = None
    depth: int = 0
    taps: set[int] = field(default_factory=set)  # slots where a skip leaves
    labels: dict[int, str] = field(default_factory=dict)  # slot -> shape
    legs: list[Leg] = field(default_factory=list)
    gaps: list[float] = field(default_factory=list)
    flow: float = 0.0
    before: float = 0.0  # extent across, to either side of the line
    after: float = 0.0
    start: float = 0.0  # where it was placed
    line: float = 0.0


@dataclass(slots=True)
class Extent:
    """An item's size: along the flow, and across it to either side of the line."""

    flow: float
    before: float
    after: float


@dataclass(slots=True)
class Measures:
    """The sizes of all items and sequences, from the innermost out."""

    vertical: bool
    spots: dict[int, Spot]
    widths: dict[int, tuple[float, float]]  # of leaves: width and height
    tracks: dict[int, list[int]]  # of forks: lines that cross the bands above and below the branches
    extents: dict[int, Extent] = field(default_factory=dict)
    spread: dict[int, list[float]] = field(default_factory=dict)  # of forks: where the lines of branches are

    def run(self, order: Sequence[Spot]) -> None:
        """Measure all; `order` has parents before what they hold."""
        for spot in reversed(order):
            self._sequence(spot)

    def _sequence(self, spot: Spot) -> None:
        items = spot.seq.items
        extents = []
        for item in items:
            if isinstance(item, Leaf):
                extent = self._leaf(item)
            elif isinstance(item, Frame):
                extent = self._frame(item)
            else:
                extent = self._fork(item)
            self.extents[id(item)] = extent
            extents.append(extent)
        spot.gaps = [self._gap(spot, slot) for slot in range(len(items) + 1)]
        spot.flow = sum(spot.gaps) + sum(extent.flow for extent in extents)
        spot.before = max((extent.before for extent in extents), default=0)
        afters = [extent.after for extent in extents]
        labels = [0.0] * (len(items) + 1)  # of the shapes at the slots
        for slot, text in spot.labels.items():
            if self.vertical and slot:
                labels[slot] = 6.0 + ceil(text_width(text, LABEL))
        spot.after = max([*afters, *labels, _lanes(spot, afters, labels)])

    def _gap(self, spot: Spot, slot: int) -> float:
        tap = TAP if slot in spot.taps else 0.0
        if slot in (0, len(spot.seq.items)):
            return tap + (14.0 if slot == 0 else 4.0) if tap else 0.0
        if isinstance(spot.seq.items[slot - 1], Fork):
            return 0.0
        label = spot.labels.get(slot, "")
        if not label:
            return GAP + tap
        return max(GAP, 24.0) + tap if self.vertical else ceil(text_width(label, LABEL)) + 16 + tap

    def _leaf(self, leaf: Leaf) -> Extent:
        width, height = self.widths[id(leaf)]
        flow, across = (height, width) if self.vertical else (width, height)
        return Extent(flow, across / 2, across / 2)

    def _frame(self, frame: Frame) -> Extent:
        body = self.spots[id(frame.body)]
        first, side = (CORNER, PAD) if self.vertical else (PAD, CORNER)
        width = ceil(text_width(f"×{frame.count}", 12, True)) + 12
        needed = width if not self.vertical else 0.0
        flow = max(first + body.flow + PAD, needed)
        return Extent(flow, max(body.before + side, width if self.vertical else 0), body.after + PAD)

    def _fork(self, fork: Fork) -> Extent:
        branches = [self.spots[id(branch)] for branch in fork.branches]
        lines, at = [], 0.0
        for spot in branches:
            lines.append(at + spot.before)
            at += spot.before + spot.after + BETWEEN
        total = at - BETWEEN
        middle = lines[len(lines) // 2] if len(lines) % 2 else total / 2
        middle = middle if fork.trunk is None else lines[fork.trunk]
        self.spread[id(fork)] = [line - middle for line in lines]
        above, below = self.bands(fork)
        return Extent(above + max(spot.flow for spot in branches) + below, middle, total - middle)

    def bands(self, fork: Fork) -> tuple[float, float]:
        """The heights of the bands above and below the branches."""
        above, below = self.tracks.get(id(fork), (0, 0))
        return (
            (0 if fork.rootless else BAND) + TRACK * above,
            (BAND if fork.trunk is None else 0) + TRACK * below,
        )


def _lanes(spot: Spot, afters: Sequence[float], labels: Sequence[float]) -> float:
    """Give each leg a lane, shorter ones inside; returns how far the outermost reaches.

    Legs that overlap form a cluster, whose lanes begin beside the widest item or label along it.
    """
    reach = 0.0
    for cluster in _clusters(spot.legs):
        count = _colour(cluster)
        passed = slice(min(_first(leg) for leg in cluster), max(_last(leg) for leg in cluster) + 1)
        base = max([*afters[passed], *labels[passed]], default=0.0)
        widths = [0.0] * count
        for leg in cluster:
            widths[leg.lane] = max(widths[leg.lane], leg.width)
        at = [base + LANE + sum(widths[:lane]) for lane in range(count)]
        for leg in cluster:
            leg.offset = at[leg.lane]
        reach = max(reach, base + LANE + sum(widths))
    return reach


def _first(leg: Leg) -> int:
    """The first item that a leg runs beside: not the fork that it comes out of, below its branches."""
    return leg.start // 2 + (leg.start % 2 and isinstance(leg.seq.items[leg.start // 2], Fork))


def _last(leg: Leg) -> int:
    """The last item that a leg runs beside: not the fork that it goes into, above its branches."""
    at = leg.end // 2
    return at - (at < len(leg.seq.items) and isinstance(leg.seq.items[at], Fork))


def _clusters(legs: Sequence[Leg]) -> list[list[Leg]]:
    clusters: list[list[Leg]] = []
    end = -1
    for leg in sorted(legs, key=lambda leg: leg.start):
        if leg.start >= end or not clusters:
            clusters.append([])
        clusters[-1].append(leg)
        end = max(end, leg.end)
    return clusters


def _colour(legs: Sequence[Leg]) -> int:
    """Interval colouring: no two legs in a lane overlap, and one that holds others runs outside of them."""
    ends: list[int] = []
    latest = -1
    for leg in sorted(legs, key=lambda leg: (leg.end, -leg.start)):
        busy = [lane for lane, end in enumerate(ends) if end > leg.start]
        if latest >= leg.start:
            leg.lane = max(busy, default=-1) + 1
        else:
            leg.lane = next((lane for lane, end in enumerate(ends) if end <= leg.start), len(ends))
        if leg.lane == len(ends):
            ends.append(0)
        ends[leg.lane] = leg.end
        latest = max(latest, leg.start)
    return len(ends)
