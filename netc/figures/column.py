"""The style `column`: a row for each layer and an arc for each shortcut, as He et al. 2015, Figure 3.

Several networks stand side by side, aligned where their outputs have the same size.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from netc.figures.align import align
from netc.figures.facts import Facts, label
from netc.figures.levels import Size, are_relative, levels
from netc.figures.options import Options
from netc.figures.page import sheet
from netc.figures.scene import Group, Item, Path, Rect, Scene, Text, fit, text_width
from netc.figures.theme import stage
from netc.figures.trunk import LINES, Shortcut, Trunk, Unit, lanes, read, stages
from netc.program import Program
from netc.report.summary import human

WIDTH, HEIGHT = 150.0, 15.0  # of a row
GAP = 14.0  # between rows
_PITCH = HEIGHT + GAP
_ENDS, _LEAVES = 3.5, 7.5  # where arcs end and leave, below a row
_REACH, _LANE = 20.0, 12.0  # how far an arc goes out, and how much further one around it
_BETWEEN = 36.0  # networks
_TEXT = 10.0
_HEADING = 34.0
_MIDDLE = WIDTH / 2


def draw(programs: Sequence[Program], options: Options) -> Scene:
    """The figure of one network, or of several side by side. Raises `FigureError`."""
    several = len(programs) > 1
    trunks = [read(program.net, "column") for program in programs]
    relative = are_relative(trunks)
    columns = [
        _Column.of(program, trunk, relative, f"n{at}_" if several else "")
        for at, (program, trunk) in enumerate(zip(programs, trunks, strict=True), 1)
    ]
    rows = align([column.sizes for column in columns], lambda a, b: 0.0 if a == b else None)
    items: list[Item] = list(_place(columns, rows, _HEADING if several else 0.0))
    left = 0.0
    for column in columns:
        items += column.heading(left) if several else []
        items += column.items(left)
        left += column.width + _BETWEEN
    return _sheet(columns, items, options)


@dataclass(slots=True)
class _Column:
    """One network: where its rows stand, and the lanes of its arcs."""

    facts: Facts
    trunk: Trunk
    prefix: str  # of ids
    runs: list[range]  # of rows of one size
    sizes: list[Size]  # of each run
    tops: list[float] = field(default_factory=list)
    looks: list[str] = field(default_factory=list)
    lanes: list[int] = field(default_factory=list)

    @classmethod
    def of(cls, program: Program, trunk: Trunk, relative: bool, prefix: str) -> _Column:
        facts = Facts(program)
        keys = levels(facts, trunk, relative)
        runs = stages(keys)
        count = len(trunk.units)
        made = cls(facts, trunk, prefix, runs, [keys[run.start] for run in runs], [0.0] * count, [""] * count)
        made.lanes = lanes(trunk.shortcuts, count)
        return made

    @property
    def width(self) -> float:
        """Of the rows with their arcs and labels, or of the heading."""
        reach = max((_reach(lane) for lane in self.lanes), default=0.0)
        labels = max(
            (text_width(_projection(self.trunk, shortcut), _TEXT) for shortcut in self.trunk.shortcuts), default=0.0
        )
        arcs = reach + (labels + 6 if labels else 0)
        return max(WIDTH + arcs, *(item.box.right for item in self.heading(0)))

    def is_convolution(self, index: int) -> bool:
        """Whether a row is one, and so has the hue of its size."""
        return self.trunk.units[index].layer.family == "conv"

    def heading(self, left: float) -> list[Text]:
        """The name, and what the network costs."""
        total = self.facts.cost.total
        text = f"{human(total.trainable)} parameters · {human(total.macs)} MACs"
        name = fit(self.facts.program.name, WIDTH, 12, bold=True)
        return [
            Text(left, 10, name, 12, "start", bold=True),
            Text(left, 23, text, _TEXT, "start", "muted"),
        ]

    def items(self, left: float) -> Iterator[Item]:
        """Arrows, arcs and rows."""
        middle = left + _MIDDLE
        ends = zip(self.tops, self.tops[1:], strict=False)
        yield Group([Path((middle, a + HEIGHT), [((middle, b),)], arrow=True) for a, b in ends], look="edge")
        shortcuts = list(zip(self.trunk.shortcuts, self.lanes, strict=True))
        for look, _ in LINES:
            arcs: list[Item] = [
                self._arc(shortcut, lane, left) for shortcut, lane in shortcuts if shortcut.look == look
            ]
            if arcs:
                yield Group(arcs, look=look)
        yield from self._labels(left + WIDTH + 6)
        for unit, top, look in zip(self.trunk.units, self.tops, self.looks, strict=True):
            yield self._row(unit, left, top, look)

    def _labels(self, left: float) -> Iterator[Item]:
        """The projections of shortcuts, beside all arcs that pass there, one below the other."""
        spans = [
            (self._below(shortcut.start), self._below(shortcut.end), _reach(lane), _projection(self.trunk, shortcut))
            for shortcut, lane in zip(self.trunk.shortcuts, self.lanes, strict=True)
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
        right, start, end = left + WIDTH, self._below(shortcut.start) + _LEAVES, self._below(shortcut.end) + _ENDS
        out = right + _reach(lane) * 4 / 3  # a cubic curve reaches three quarters of the way to its control points
        curve = ((out, start), (out, end), (right, end))
        return Path((left + _MIDDLE, start), [((right, start),), curve, ((left + _MIDDLE + 1, end),)], arrow=True)

    def _row(self, unit: Unit, left: float, top: float, look: str) -> Group:
        text = fit(label(unit.layer, unit.shape), WIDTH - 6, _TEXT)
        shapes: list[Item] = [
            Rect(left, top, WIDTH, HEIGHT, look, 2),
            Text(left + _MIDDLE, top + 11, text, _TEXT),
        ]
        return self.facts.drawn(shapes, unit.node, unit.names, prefix=self.prefix)


def _place(columns: Sequence[_Column], rows: Sequence[Sequence[int | None]], top: float) -> Iterator[Item]:
    """Give each row of each network its place and its look; yields the sizes at the left."""
    hues: dict[Size, int] = {}
    for row in rows:
        runs = [(column, column.runs[at]) for column, at in zip(columns, row, strict=True) if at is not None]
        size = next(column.sizes[at] for column, at in zip(columns, row, strict=True) if at is not None)
        if any(column.is_convolution(index) for column, run in runs for index in run):
            hues.setdefault(size, len(hues))
        for column, run in runs:
            for place, index in enumerate(run):
                column.tops[index] = top + place * _PITCH
                column.looks[index] = stage(hues[size]) if column.is_convolution(index) else "panel"
        yield Text(-12, top + 11, str(size), _TEXT, "end", "muted")
        top += max(len(run) for _, run in runs) * _PITCH


def _reach(lane: int) -> float:
    return _REACH + _LANE * lane


def _projection(trunk: Trunk, shortcut: Shortcut) -> str:
    """A shortcut's own convolution: `1×1, 128, /2`."""
    weighted = next((node for node in shortcut.via if node.layer.weighted), None)
    return "" if weighted is None else label(weighted.layer, trunk.net.shapes[weighted.name]).replace(" conv", "", 1)


def _sheet(columns: Sequence[_Column], items: Sequence[Item], options: Options) -> Scene:
    shortcuts = [shortcut for column in columns for shortcut in column.trunk.shortcuts]
    looks = {shortcut.look for shortcut in shortcuts}
    lines = [line for line in LINES if line[0] in looks]
    note = "left: output size, one hue for each, none for layers without a convolution"
    if len(columns) == 1:
        facts = columns[0].facts
        title, numbers, text = facts.program.name, facts.header(), facts.description()
    else:
        title = " · ".join(column.facts.program.name for column in columns)
        numbers = f"{len(columns)} networks, aligned where their outputs have the same size"
        text = " ".join(column.facts.description() for column in columns)
    return sheet(items, title=title, facts=numbers, description=text, options=options, notes=[note], lines=lines)
