"""How large the parts of a graph figure are. Sizes are along the flow and across it, so that both directions share
them: `flow` grows from input to output, `across` to the side of the skips."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from math import ceil

from netc.figures.graph.boxes import LABEL, Form, upright, widened
from netc.figures.graph.tree import Fork, Frame, Leaf, Seq
from netc.figures.page import wrap
from netc.figures.scene import text_width

GAP = 15.0  # between two boxes
TAP = 8.0  # from a box to where a skip leaves the line after it
LANE = 11.0  # between skips
BAND = 24.0  # in which lines fan out to branches, or come together
STRAIGHT = 14.0  # the same where they go straight down into a bar
MARKED = 8.0  # between skips whose ends have marks, in two rows
TRACK = 8.0  # between lines that cross such a band
BETWEEN = 14.0  # branches
PAD = 7.0  # inside a frame
CORNER = 20.0  # at the top of a frame, for its tab
CUT, STUB, MARK = 22.0, 4.0, 6.5  # below a column: the line to the next one; of skips that go on, end and mark
TAB = (14.0, LABEL)  # height of a frame's tab, and its font size


@dataclass(slots=True, eq=False)
class Leg:
    """A piece of a skip that runs beside a sequence, from place `start` to place `end` of it (slot k is 2k, item i is
    2i + 1)."""

    seq: Seq
    start: int
    end: int
    label: str = ""
    lines: list[str] = field(default_factory=list)  # of the label
    width: float = LANE
    lane: int = 0
    offset: float = 0.0  # from the line of the sequence
    pieces: list[Leg] = field(default_factory=list)  # where it goes on in another column: in the first, in the last

    @property
    def first(self) -> Leg:
        """What of it is in the column where it begins."""
        return self.pieces[0] if self.pieces else self

    @property
    def labelled(self) -> Leg:
        """What of it has its label beside it."""
        return next((piece for piece in self.pieces if piece.lines), self)

    @property
    def stub(self) -> float:
        """How far it goes on below a column, or begins above one, to its mark: neighbours stand in two rows."""
        return STUB + (2 * MARK + 1) * (self.lane % 2)

    @property
    def last(self) -> Leg:
        """What of it is in the column where it ends."""
        return self.pieces[-1] if self.pieces else self


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
    forms: dict[int, Form]  # of leaves, as they would be alone
    tracks: dict[int, list[int]]  # of forks: lines that cross the bands above and below the branches
    columns: int = 1  # that the outermost sequence is set in, at most
    upright: bool = False  # whether tabs stand at the sides of their frames, where these are high enough
    extents: dict[int, Extent] = field(default_factory=dict)
    spread: dict[int, list[float]] = field(default_factory=dict)  # of forks: where the lines of branches are
    straight: set[int] = field(default_factory=set)  # forks whose branches go straight down into a bar
    cuts: list[int] = field(default_factory=list)  # where columns begin, but for the first
    cut: float = CUT  # from a column to the line that goes on to the next one

    def run(self, order: Sequence[Spot]) -> None:
        """Measure all; `order` has parents before what they hold."""
        for spot in reversed(order):
            self._sequence(spot)

    def _sequence(self, spot: Spot) -> None:
        items = spot.seq.items
        extents = []
        for at, item in enumerate(items):
            before = items[at - 1] if at else None
            if isinstance(item, Leaf):
                if isinstance(before, Fork):
                    self._bar(item, before)
                extent = self._leaf(item)
            elif isinstance(item, Frame):
                extent = self._frame(item)
            else:
                after = items[at + 1] if at + 1 < len(items) else None
                if isinstance(after, Leaf) and self.forms[id(after)].shares:
                    self.straight.add(id(item))
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
        flows = [extent.flow for extent in extents]
        for leg in spot.legs:
            leg.pieces, leg.lines, leg.width = [], [], LANE
        legs = spot.legs
        if spot.parent is None:
            self.cuts = self._columns(spot, flows)
            legs = [piece for leg in legs for piece in _pieces(leg, self.cuts)]
            self.cut = CUT + (2 * MARK + 1 if any(leg.pieces for leg in spot.legs) else 0.0)
        for leg in spot.legs:
            self._break(leg, spot.gaps, flows)
        spot.after = max([*afters, *labels, _lanes(legs, afters, labels)])

    def _break(self, leg: Leg, gaps: Sequence[float], flows: Sequence[float]) -> None:
        """Set the label of a leg in lines that are no longer than it, upright beside it: where it is in two columns,
        beside the longer piece."""
        if not leg.label:
            return
        pieces = leg.pieces or [leg]
        rooms = [
            sum(flows[(piece.start + 1) // 2 : piece.end // 2])
            + sum(gaps[(piece.start + 3) // 2 : (piece.end + 1) // 2])
            for piece in pieces
        ]
        room = max(rooms)
        labelled = pieces[rooms.index(room)]
        room = max([room, *(text_width(word, LABEL) + 0.1 for word in leg.label.split())])
        labelled.lines = wrap(leg.label, room, LABEL, " · ", " ") if self.vertical else [leg.label]
        labelled.width = LANE + len(labelled.lines) * (LABEL + 1) + 2

    def _gap(self, spot: Spot, slot: int) -> float:
        tap = TAP if slot in spot.taps else 0.0
        if slot in (0, len(spot.seq.items)):
            return tap + (14.0 if slot == 0 else 4.0) if tap else 0.0
        if isinstance(spot.seq.items[slot - 1], Fork):
            return 0.0
        label = spot.labels.get(slot, "")
        return GAP + tap if self.vertical or not label else ceil(text_width(label, LABEL)) + 16 + tap

    def _bar(self, leaf: Leaf, fork: Fork) -> None:
        """Make a concatenation as wide as the branches that it joins."""
        if id(fork) in self.straight:
            lines = self.spread[id(fork)]
            make = widened if self.vertical else upright
            self.forms[id(leaf)] = make(self.forms[id(leaf)], 24 - min(lines), 24 + max(lines))

    def _leaf(self, leaf: Leaf) -> Extent:
        form = self.forms[id(leaf)]
        if self.vertical:
            return Extent(form.height, form.before, form.after)
        return Extent(form.before + form.after, form.middle, form.height - form.middle)

    def _frame(self, frame: Frame) -> Extent:
        body = self.spots[id(frame.body)]
        tab = self.tab(frame)
        if not self.vertical:
            flow = max(2 * PAD + body.flow, tab + PAD)
            return Extent(flow, body.before + CORNER, body.after + PAD)
        before, after = body.before + PAD, body.after + PAD
        if self.stands(frame):
            return Extent(body.flow + 2 * PAD, before + TAB[0], after)
        if before < tab + 4:
            after = max(after, tab + 4)
        return Extent(CORNER + body.flow + PAD, before, after)

    def stands(self, frame: Frame) -> bool:
        """Whether the tab of a frame stands at its side."""
        return self.upright and self.vertical and self.spots[id(frame.body)].flow + 2 * PAD >= self.tab(frame) + 6

    def top(self, frame: Frame) -> float:
        """From the beginning of a frame to what it holds."""
        return CORNER if self.vertical and not self.stands(frame) else PAD

    def tab(self, frame: Frame) -> float:
        """How wide the tab of a frame is."""
        return ceil(text_width(frame.heading, TAB[1], True)) + 10.0

    def _fork(self, fork: Fork) -> Extent:
        branches = [self.spots[id(branch)] for branch in fork.branches]
        lines, at, total = [], 0.0, 0.0
        for number, spot in enumerate(branches):
            lines.append(at + spot.before)
            total = max(total, at + spot.before + spot.after)
            beside = max((head.flow for head in branches[number + 1 :]), default=0.0)
            after = self._reach(spot, beside) if fork.trunk == number else spot.after
            at += spot.before + after + BETWEEN
        middle = lines[len(lines) // 2] if len(lines) % 2 else total / 2
        middle = middle if fork.trunk is None else lines[fork.trunk]
        self.spread[id(fork)] = [line - middle for line in lines]
        above, below = self.bands(fork)
        return Extent(above + max(spot.flow for spot in branches) + below, middle, total - middle)

    def _reach(self, spot: Spot, flow: float) -> float:
        """How far a sequence reaches to the side of its skips, down to so far along it."""
        at, reach, last = -BETWEEN, 0.0, 0
        for slot, item in enumerate(spot.seq.items):
            at += spot.gaps[slot]
            if at > flow:
                break
            last = slot
            extent = self.extents[id(item)]
            reach, at = max(reach, extent.after), at + extent.flow
        if self.vertical:
            labels = (text_width(text, LABEL) for slot, text in spot.labels.items() if slot <= last + 1)
            reach = max([reach, *(6.0 + ceil(width) for width in labels)])
        return max([reach, *(leg.offset + leg.width for leg in spot.legs if leg.start <= 2 * last + 2)])

    def bands(self, fork: Fork) -> tuple[float, float]:
        """The heights of the bands above and below the branches."""
        above, below = self.tracks.get(id(fork), (0, 0))
        return (
            (0 if fork.rootless else BAND) + TRACK * above,
            (0 if fork.trunk is not None else STRAIGHT if id(fork) in self.straight else BAND) + TRACK * below,
        )

    # -- columns ---------------------------------------------------------------------------------------------

    def _columns(self, root: Spot, flows: Sequence[float]) -> list[int]:
        """Where the outermost sequence goes on in another column: so that the longest is as short as it can be, and
        where no skip passes if that makes it no more than 15 % longer."""
        items = root.seq.items
        if self.columns <= 1:
            return []
        passed = [0] * (len(items) + 1)  # skips that pass a cut before an item
        for leg in root.legs:
            first, last = leg.start // 2 + 1, (leg.end + 1) // 2
            for slot in (first, last):
                if slot < len(passed):
                    passed[slot] += 1 if slot == first else -1
        for slot in range(1, len(passed)):
            passed[slot] += passed[slot - 1]
        lone = {leg.start // 2 + 1 for leg in root.legs if leg.start % 2}  # right after them begins a skip, and no line
        whole = [slot for slot in range(1, len(items)) if slot not in lone and not isinstance(items[slot - 1], Fork)]
        free = [slot for slot in whole if not passed[slot]]
        sizes = [flow + root.gaps[at] for at, flow in enumerate(flows)]
        anywhere, clean = (_balanced(sizes, slots, self.columns) for slots in (whole, free))
        return clean if _longest(sizes, clean) <= 1.15 * _longest(sizes, anywhere) else anywhere


def _longest(sizes: Sequence[float], cuts: Sequence[int]) -> float:
    ends = [0, *cuts, len(sizes)]
    return max((sum(sizes[start:end]) for start, end in pairwise(ends)), default=0.0)


def _balanced(sizes: Sequence[float], slots: Sequence[int], count: int) -> list[int]:
    """At most `count - 1` of the slots, so that the longest part between them is as short as can be."""
    allowed = set(slots)

    def fill(most: float) -> list[int] | None:
        cuts: list[int] = []
        length, last, since = 0.0, 0, 0.0  # of this part; its last slot, and what came after it
        for at, size in enumerate(sizes):
            if at in allowed:
                last, since = at, 0.0
            length, since = length + size, since + size
            if length > most:
                if not last or (cuts and cuts[-1] == last) or since > most or len(cuts) + 1 >= count:
                    return None
                cuts.append(last)
                length = since
        return cuts

    best: list[int] = []
    low, high = max(sizes, default=0.0), sum(sizes)
    while high - low > 0.5:
        middle = (low + high) / 2
        found = fill(middle)
        low, high, best = (middle, high, best) if found is None else (low, middle, found)
    return best


def _pieces(leg: Leg, cuts: Sequence[int]) -> list[Leg]:
    """A leg of the outermost sequence in its columns: whole, or its first and its last piece."""
    first, last = leg.start // 2 + 1, (leg.end + 1) // 2
    passed = [cut for cut in cuts if first <= cut < last]
    if not passed:
        return [leg]
    leg.pieces = [
        replace(leg, end=2 * passed[0], width=MARKED, pieces=[]),
        replace(leg, start=2 * passed[-1], width=MARKED, pieces=[]),
    ]
    return leg.pieces


def _lanes(legs: Sequence[Leg], afters: Sequence[float], labels: Sequence[float]) -> float:
    """Give each leg a lane, shorter ones inside; returns how far the outermost reaches.

    Legs that overlap form a cluster, whose lanes begin beside the widest item or label along it.
    """
    reach = 0.0
    for cluster in _clusters(legs):
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
