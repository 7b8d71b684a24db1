"""The style `column`: a row for each layer and an arc for each shortcut, as He et al. 2015, Figure 3.

Several networks stand side by side, aligned where their outputs have the same size. Equal blocks of a long network, or
of one for a page that it would not fit, are shown once.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import product
from math import ceil, inf

from netc.figures.align import align
from netc.figures.facts import Facts, counted, parts
from netc.figures.lanes import lanes
from netc.figures.levels import Size, are_relative, levels
from netc.figures.options import Options
from netc.figures.page import sheet
from netc.figures.repeats import Repeat, folded
from netc.figures.scene import Group, Item, Path, Rect, Scene, Text, fit, text_width
from netc.figures.styles import FigureError
from netc.figures.tails import Tails, notes
from netc.figures.theme import stage
from netc.figures.trunk import LINES, Shortcut, Trunk, Unit, lines, read, stages
from netc.program import Program
from netc.report.summary import human

HEIGHT = 15.0  # of a row
_LONG = 64  # rows of a network that is shown whole where nobody asks
_LEAST = {"none": (inf, inf), "auto": (2, 3), "all": (2, 2)}  # equal blocks, and single layers, that are shown once
_WIDEST = 320.0  # of a row
_TEXT = 10.0
_BRACKET, _TIMES = 6.0, 30.0  # left of repeated rows: to the bracket, and to the end of its count


@dataclass(frozen=True, slots=True)
class _Measures:
    """Distances: between rows and from a row to where arcs end and leave below it; how far arcs go out, and each
    further one; between networks; the least width of rows."""

    gap: float
    ends: float
    leaves: float
    reach: float
    lane: float
    between: float
    row: float

    @property
    def pitch(self) -> float:
        """From row to row."""
        return HEIGHT + self.gap


WIDE = _Measures(gap=14, ends=3.5, leaves=7.5, reach=20, lane=12, between=36, row=150)
NARROW = _Measures(gap=11, ends=2.5, leaves=6, reach=12, lane=7, between=12, row=60)


def draw(programs: Sequence[Program], options: Options) -> Scene:
    """The figure of one network, or of several side by side. Raises `FigureError`."""
    trunks = [read(program.net, "column") for program in programs]
    is_long = any(len(trunk.units) > _LONG for trunk in trunks)
    on_page = options.page != (None, None)
    folds = [options.collapse == "all" or (is_long and options.collapse == "auto")]
    if options.collapse == "auto" and options.page[1] is not None:
        folds = [False, True]
    ways = list(product(folds, (WIDE, NARROW) if on_page else (WIDE,)))
    for fold, measures in ways[:-1]:
        try:
            return _drawn(programs, trunks, fold, measures, options)
        except FigureError:
            continue  # the last one says what would do
    return _drawn(programs, trunks, *ways[-1], options)


def _drawn(
    programs: Sequence[Program], trunks: Sequence[Trunk], fold: bool, measures: _Measures, options: Options
) -> Scene:
    several = len(programs) > 1
    relative = are_relative(trunks)
    least = _LEAST[options.collapse] if fold else _LEAST["none"]
    columns = [
        _Column.of(Facts(program), trunk, relative, f"n{at}_" if several else "", measures, least)
        for at, (program, trunk) in enumerate(zip(programs, trunks, strict=True), 1)
    ]
    rows = align([column.sizes for column in columns], lambda a, b: 0.0 if a == b else None)
    top = max(item.box.bottom for column in columns for item in column.heading(0)) + 8 if several else 0.0
    items: list[Item] = list(_place(columns, rows, top, -12.0 - columns[0].before))
    left = 0.0
    for at, column in enumerate(columns):
        left += column.before if at else 0
        items += column.heading(left) if several else []
        items += column.items(left)
        left += column.width + measures.between
    return _sheet(columns, items, options)


@dataclass(slots=True)
class _Column:
    """One network: what its rows say and where they stand, and the lanes of its arcs."""

    facts: Facts
    trunk: Trunk
    tails: Tails  # of all of it
    texts: list[str]
    repeats: list[Repeat]
    prefix: str  # of ids
    measures: _Measures
    runs: list[range]  # of rows of one size
    sizes: list[Size]  # of each run
    row: float  # width of rows
    lanes: list[int]
    tops: list[float] = field(default_factory=list)
    looks: list[str] = field(default_factory=list)

    @classmethod
    def of(
        cls,
        facts: Facts,
        whole: Trunk,
        relative: bool,
        prefix: str,
        measures: _Measures,
        least: tuple[float, float],
    ) -> _Column:
        """The column of a network whose equal blocks are shown once if they are at `least` so many."""
        tails = Tails.of(whole)
        keys = levels(facts, whole, relative)
        texts = [tails.text(at) for at in range(len(whole.units))]
        trunk, repeats, left = folded(whole, list(zip(texts, keys, strict=True)), least)
        keys, texts = [keys[at] for at in left], [texts[at] for at in left]
        runs = stages(keys)
        row = max(measures.row, ceil(max(text_width(text, _TEXT) for text in texts) + 6))
        count = len(trunk.units)
        return cls(
            facts,
            trunk,
            tails,
            texts,
            repeats,
            prefix,
            measures,
            runs,
            [keys[run.start] for run in runs],
            min(row, _WIDEST),
            lanes([each.span for each in trunk.shortcuts]),
            [0.0] * count,
            [""] * count,
        )

    @property
    def before(self) -> float:
        """The room left of the rows."""
        return _TIMES if self.repeats else 0.0

    @property
    def width(self) -> float:
        """Of the rows with their arcs and labels, or of the heading."""
        reach = max((self.reach(lane) for lane in self.lanes), default=0.0)
        labels = max((text_width(_projection(self.trunk, each), _TEXT) for each in self.trunk.shortcuts), default=0.0)
        arcs = reach + (labels + 6 if labels else 0)
        return max(self.row + arcs, *(item.box.right for item in self.heading(0)))

    def reach(self, lane: int) -> float:
        """How far out the arcs of a lane go."""
        return self.measures.reach + self.measures.lane * lane

    def is_convolution(self, index: int) -> bool:
        """Whether a row is one, and so has the hue of its size."""
        return self.trunk.units[index].layer.family == "conv"

    def heading(self, left: float) -> list[Text]:
        """The name, and what the network costs: in a line, or in two where there is little room."""
        total = self.facts.cost.total
        costs = [f"{human(total.trainable)} {counted(total)}", f"{macs} MACs" if (macs := self.facts.macs()) else ""]
        costs = [cost for cost in costs if cost]
        said = costs if self.measures is NARROW else [" · ".join(costs)]
        name = fit(self.facts.program.name, max(self.row, 90), 12, bold=True)
        found = [Text(left, 10, name, 12, "start", bold=True)]
        return found + [Text(left, 23 + 13 * at, text, _TEXT, "start", "muted") for at, text in enumerate(said)]

    def items(self, left: float) -> Iterator[Item]:
        """Arrows, arcs, rows and what is repeated."""
        middle = left + self.row / 2
        ends = zip(self.tops, self.tops[1:], strict=False)
        yield Group([Path((middle, a + HEIGHT), [((middle, b),)], arrow=True) for a, b in ends], look="edge")
        shortcuts = list(zip(self.trunk.shortcuts, self.lanes, strict=True))
        for look, _ in LINES:
            arcs: list[Item] = [self._arc(each, lane, left) for each, lane in shortcuts if each.look == look]
            if arcs:
                yield Group(arcs, look=look)
        yield from self._labels(left + self.row + 6)
        for at, unit in enumerate(self.trunk.units):
            yield self._row(at, unit, left)
        for repeat in self.repeats:
            yield self._repeat(repeat, left - _BRACKET)

    def _repeat(self, repeat: Repeat, right: float) -> Group:
        """A bracket around the rows of a block, and how often it comes."""
        top, bottom = self.tops[repeat.first], self._below(repeat.last - 1)
        corners = ((right - 4, top), (right - 4, bottom), (right, bottom))
        bracket = Path((right, top), [(corner,) for corner in corners], "bracket", role="bracket")
        count = Text(right - 8, (top + bottom) / 2 + 3.5, f"×{repeat.count}", _TEXT, "end", bold=True)
        return Group([bracket, count], role="repeat")

    def _labels(self, left: float) -> Iterator[Item]:
        """The projections of shortcuts, beside all arcs that pass there, one below the other."""
        spans = [
            (self._below(each.start), self._below(each.end), self.reach(lane), _projection(self.trunk, each))
            for each, lane in zip(self.trunk.shortcuts, self.lanes, strict=True)
        ]
        free = 0.0
        for top, bottom, own, text in sorted(spans, key=lambda span: span[0] + span[1]):
            if not text:
                continue
            y = max((top + bottom) / 2 + 3.5, free)
            free = y + _TEXT + 1
            passing = [reach for above, below, reach, _ in spans if above - _TEXT < y < below + 2 * _TEXT]
            yield Text(left + max([own, *passing]), y, text, _TEXT, "start", "note")

    def _below(self, index: int) -> float:
        return self.tops[index] + HEIGHT

    def _arc(self, shortcut: Shortcut, lane: int, left: float) -> Path:
        start, end = self._below(shortcut.start) + self.measures.leaves, self._below(shortcut.end) + self.measures.ends
        right, middle = left + self.row, left + self.row / 2
        out = right + self.reach(lane) * 4 / 3  # a cubic curve reaches three quarters of the way to its control points
        curve = ((out, start), (out, end), (right, end))
        return Path((middle, start), [((right, start),), curve, ((middle + 1, end),)], arrow=True)

    def _row(self, at: int, unit: Unit, left: float) -> Group:
        top = self.tops[at]
        shapes: list[Item] = [
            Rect(left, top, self.row, HEIGHT, self.looks[at], 2),
            Text(left + self.row / 2, top + 11, fit(self.texts[at], self.row - 6, _TEXT), _TEXT),
        ]
        return self.facts.drawn(shapes, unit.node, unit.names, prefix=self.prefix)


def _place(
    columns: Sequence[_Column], rows: Sequence[Sequence[int | None]], top: float, right: float
) -> Iterator[Item]:
    """Give each row of each network its place and its look; yields the sizes, which end at `right`."""
    hues: dict[Size, int] = {}
    for row in rows:
        runs = [(column, column.runs[at]) for column, at in zip(columns, row, strict=True) if at is not None]
        size = next(column.sizes[at] for column, at in zip(columns, row, strict=True) if at is not None)
        if any(column.is_convolution(index) for column, run in runs for index in run):
            hues.setdefault(size, len(hues))
        for column, run in runs:
            for place, index in enumerate(run):
                column.tops[index] = top + place * column.measures.pitch
                column.looks[index] = stage(hues[size]) if column.is_convolution(index) else "panel"
        yield Text(right, top + 11, str(size), _TEXT, "end", "muted")
        top += max(len(run) * column.measures.pitch for column, run in runs)


def _projection(trunk: Trunk, shortcut: Shortcut) -> str:
    """The layers on a shortcut: `1×1, 128, /2 · BN`."""
    said = [", ".join(parts(node.layer, trunk.net.shapes[node.name])) for node in shortcut.via]
    return " · ".join(said).replace(" conv,", ",", 1)


def _sheet(columns: Sequence[_Column], items: Sequence[Item], options: Options) -> Scene:
    said = ["left: output size, one hue for each, none for layers without a convolution"]
    said += ["a bracket with ×n: rows that come n times"] if any(column.repeats for column in columns) else []
    said += notes([(column.facts.program.name, column.tails) for column in columns], marked=True)
    if len(columns) == 1:
        facts = columns[0].facts
        title, numbers, text = facts.program.name, facts.header(), facts.description()
    else:
        title = " · ".join(column.facts.program.name for column in columns)
        numbers = f"{len(columns)} networks, aligned where their outputs have the same size"
        text = " ".join(column.facts.description() for column in columns)
    shortcuts = [each for column in columns for each in column.trunk.shortcuts]
    return sheet(
        items, title=title, facts=numbers, description=text, options=options, notes=said, lines=lines(shortcuts)
    )
