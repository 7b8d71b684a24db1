"""The style `volumes`: each layer's output as a slab, the diagram that VGG-16 is known by.

A cabinet projection: edges away from the viewer are drawn at half their length, at an angle with the tangent 3/4
(37 degrees). All slabs stand centred on one axis. Sides and channels vary over orders of magnitude, so both are drawn
by their logarithms, to a whole pixel.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import log2

from netc.analysis.structure import structure
from netc.diagnostics.escape import harmless
from netc.figures.facts import Facts
from netc.figures.options import Options
from netc.figures.page import sheet
from netc.figures.scene import Group, Item, Path, Polygon, Scene, Stamp, Template, Text, fit, text_width
from netc.figures.stages import Stage, group, is_pool
from netc.figures.styles import FigureError
from netc.figures.trunk import LINES, Shortcut, Trunk, Unit, is_active, lanes, read
from netc.ir.shape import channels_of, rank_of, show_shape
from netc.program import Program

_AT_7, _DOUBLING, _LEAST = 98.0, 27.4, 12.0  # px: height of a side of 7, more for each doubling (235 at 224), least
_THICK, _POOL = 3, 8  # px: thickness for each doubling of the channels, and of a pooling layer
_BAR, _LONG = 9, 20  # px: height and thickness of a vector, length for each doubling of its elements
_RIGHT, _UP = 0.4, 0.3  # where an edge away from the viewer ends, for each px of its length: half of 4/5 and 3/5
_GAP, _ARROW, _BARS_APART = 2.0, 18.0, 20.0  # px: between slabs, of the axis between stages, between vectors
_RISE, _LANE = 22.0, 12.0  # px: of a shortcut above the slabs, and more for each one around another
_LINES = ((12.0, True), (10.0, False), (10.0, False))  # size and weight of the lines under a stage
_WIDEST = 190.0  # px: of those lines, where the slabs above are not wider
_LEFT_OUT = 30.0  # px: in place of slabs that are left out
_LONGEST = 12  # slabs of a stage before some are left out


@dataclass(frozen=True, slots=True)
class Slab:
    """A box in space, in px. Its place is the middle of its left face."""

    height: int
    thickness: int
    depth: int

    @classmethod
    def of(cls, unit: Unit) -> Slab:
        """The slab of a layer's output."""
        if not rank_of(unit.shape):
            return cls(_BAR, _BAR, round(_LONG * log2(channels_of(unit.shape) + 1)))
        height, *rest = (_extent(side) for side in unit.shape[:-1])
        thickness = _POOL if is_pool(unit) else _THICK * log2(channels_of(unit.shape) + 1)
        return cls(height, round(thickness), rest[0] if rest else _BAR)

    @property
    def dx(self) -> int:
        """How far its far side is shifted to the right."""
        return round(self.depth * _RIGHT)

    @property
    def dy(self) -> int:
        """How far its far side is shifted up."""
        return round(self.depth * _UP)

    @property
    def near(self) -> float:
        """How far its outline, on the axis, is left of its place."""
        return min(self.dx, self.height * self.dx / self.dy) / 2

    @property
    def bottom(self) -> float:
        """Its lower front edge, below the axis; the upper one at the back is as far above it."""
        return (self.height + self.dy) / 2

    def faces(self, kind: str, active: bool) -> Template:
        """Front, top and right side; a band at the right of the front for an activation."""
        left, bottom = -self.dx / 2, self.bottom
        right, top = left + self.thickness, bottom - self.height
        far, up = self.dx, self.dy
        corner = (right + far, top - up)
        shapes = [
            Polygon([(left, top), (left + far, top - up), corner, (right, top)], f"{kind}.top"),
            Polygon([(right, top), corner, (right + far, bottom - up), (right, bottom)], f"{kind}.side"),
            _upright(left, top, right, bottom),
        ]
        if active:
            band = max(2, round(self.thickness / 4))
            shapes.append(_upright(right - band, top, right, bottom, f"{kind}.band"))
        sides = [self.height, self.thickness, *([] if self.depth == self.height else [self.depth])]
        key = kind + "-".join(str(side) for side in sides) + ("a" if active else "")
        return Template(key, shapes, kind)


def _upright(left: float, top: float, right: float, bottom: float, look: str = "") -> Polygon:
    """A face towards the viewer; shorter in a file than a rectangle."""
    return Polygon([(left, top), (right, top), (right, bottom), (left, bottom)], look)


def _extent(side: int | None) -> int:
    assert side is not None
    return round(max(_LEAST, _AT_7 + _DOUBLING * log2(side / 7)))


def draw(programs: Sequence[Program], options: Options) -> Scene:
    """The figure of a network. Raises `FigureError`."""
    (program,) = programs
    trunk = read(program.net, "volumes")
    _refuse_other_shapes(trunk)
    figure = _Figure(Facts(program), trunk, options)
    figure.place(
        [_Row.of(stage, _shown(stage, trunk.shortcuts, options)) for stage in group(trunk.units, structure(program))]
    )
    return figure.sheet()


def _refuse_other_shapes(trunk: Trunk) -> None:
    for unit in trunk.units:
        name = f"the style volumes cannot show {harmless(trunk.net.name)}"
        if None in unit.shape:
            raise FigureError(f"{name}: its size {show_shape(unit.shape)} is open; give the input a fixed size")
        if rank_of(unit.shape) > 2:
            raise FigureError(f"{name}: its {show_shape(unit.shape)} has {rank_of(unit.shape)} spatial dimensions, "
                              "and slabs have two; the style graph shows it")  # fmt: skip


@dataclass(slots=True)
class _Row:
    """The slabs of a stage, side by side from 0: indices of their units, and where each begins.

    `gap` is where slabs were left out. `middle` is that of the front edges, over which the stage's lines stand.
    """

    stage: Stage
    slabs: list[tuple[int, Slab, float]] = field(default_factory=list)
    length: float = 0.0
    gap: float | None = None

    @classmethod
    def of(cls, stage: Stage, shown: Sequence[int]) -> _Row:
        """The row of a stage; `shown` are the positions in it that are drawn."""
        row = cls(stage)
        apart = _BARS_APART if stage.is_vector else _GAP
        for place, at in enumerate(shown):
            if place and at > shown[place - 1] + 1:
                row.gap = row.length
                row.length += _LEFT_OUT
            slab = Slab.of(stage.units[at])
            row.slabs.append((stage.first + at, slab, row.length))
            row.length += slab.thickness + (apart if place < len(shown) - 1 else 0)
        return row

    @property
    def middle(self) -> float:
        """The middle of its front edges."""
        return (self.length - self.slabs[0][1].dx / 2 - self.slabs[-1][1].dx / 2) / 2

    def lines(self) -> list[str]:
        """What stands under it."""
        name, layers, size = self.stage.name(), self.stage.layers(), self.stage.size()
        texts = ["input", size, ""] if self.stage.units[0].layer.is_input else [name, layers, size]
        room = max(_WIDEST, self.length)
        return [fit(text, room, *kind) for text, kind in zip(texts, _LINES, strict=True)]


def _shown(stage: Stage, shortcuts: Sequence[Shortcut], options: Options) -> list[int]:
    """Positions in a long stage that are drawn: two blocks at either end."""
    count = len(stage.units)
    inside = [
        shortcut.end - shortcut.start for shortcut in shortcuts if stage.first <= shortcut.start < stage.first + count
    ]
    keep = 2 * min(max(inside, default=2), 4)
    if options.collapse == "none" or count <= max(_LONGEST, 2 * keep + 1):
        return list(range(count))
    return [*range(keep), *range(count - keep, count)]


@dataclass(slots=True)
class _Figure:
    facts: Facts
    trunk: Trunk
    options: Options
    items: list[Item] = field(default_factory=list)
    places: dict[int, tuple[Slab, float]] = field(default_factory=dict)  # index of a unit -> slab, and where it stands
    kinds: set[str] = field(default_factory=set)
    active: bool = False
    shortened: bool = False

    def place(self, rows: Sequence[_Row]) -> None:
        """Set the stages on the axis, from left to right: what is nearer to the viewer covers what is behind it."""
        bottom = max(slab.bottom for row in rows for _, slab, _ in row.slabs)
        labels: list[Item] = []
        arrows: list[Item] = []
        end = free = 0.0
        for row in rows:
            first, lines = row.slabs[0][1], row.lines()
            wide = max(text_width(line, *kind) for line, kind in zip(lines, _LINES, strict=True))
            start = end + row.stage.is_vector * _BARS_APART + _ARROW + first.dx / 2 if self.places else 0.0
            start = max(start, free - row.middle + wide / 2) if self.places else start
            if self.places:
                arrows.append(Path((end, 0), [((start - first.near, 0),)], arrow=True, role="axis"))
            self._add(row, start)
            x = start + row.middle
            texts = zip(_LINES, lines, (20, 35, 49), strict=True)
            labels += [Text(x, bottom + y, line, size, bold=bold) for (size, bold), line, y in texts if line]
            end, free = start + row.length, start + row.middle + wide / 2 + 14
        self.items.append(Group(arrows, look="edge"))
        self._add_shortcuts()
        self.items += labels

    def _add(self, row: _Row, start: float) -> None:
        for index, slab, offset in row.slabs:
            unit, x = self.trunk.units[index], start + offset
            if row.gap is not None and row.gap + _LEFT_OUT == offset:
                self.shortened = True
                self.items.append(Text(x - (_LEFT_OUT + slab.dx) / 2, slab.dy / 2, "...", 15, bold=True))
            self.places[index] = (slab, x)
            self.items.append(self._slab(unit, slab, x))

    def _slab(self, unit: Unit, slab: Slab, x: float) -> Group:
        kind = unit.layer.family
        active = bool(rank_of(unit.shape)) and any(is_active(self.trunk.net.node(name).layer) for name in unit.names)
        self.kinds.add(kind)
        self.active |= active
        return self.facts.drawn([Stamp(x, 0, slab.faces(kind, active))], unit.node, unit.names, "slab")

    def _add_shortcuts(self) -> None:
        """Arcs from the far upper edge of the slab they leave to that of the one they end in."""
        shown = [
            shortcut
            for shortcut in self.trunk.shortcuts
            if shortcut.start in self.places and shortcut.end in self.places
        ]
        levels = lanes(shown, len(self.trunk.units))
        arcs = [(shortcut.look, self._arc(shortcut, lane)) for shortcut, lane in zip(shown, levels, strict=True)]
        for look, _ in LINES:
            if group := [arc for owner, arc in arcs if owner == look]:
                self.items.append(Group(list(group), look=look))

    def _arc(self, shortcut: Shortcut, lane: int) -> Path:
        (a, xa), (b, xb) = self.places[shortcut.start], self.places[shortcut.end]
        start = (xa + a.dx / 2 + a.thickness * 2 / 3, -a.bottom)
        end = (xb + b.dx / 2 + b.thickness / 3, -b.bottom)
        between = [self.places[at][0] for at in range(shortcut.start, shortcut.end + 1) if at in self.places]
        top = -max(slab.bottom for slab in between) - (_RISE + _LANE * lane) * 4 / 3
        return Path(start, [((start[0], top), (end[0], top), end)], arrow=True, role="arc")

    def sheet(self) -> Scene:
        """The figure with its header and legend."""
        facts = self.facts
        notes = [
            f"height and depth: {_AT_7:g} px for a side of 7, {_DOUBLING:g} px more for each doubling (depth at half)",
            f"thickness: {_THICK:g} px for each doubling of the channels; pooling {_POOL:g} px;"
            f" vectors {_LONG / 2:g} px long for each doubling of their elements",
        ]
        notes += ["edge band: activation"] if self.active else []
        notes += ["...: more of the same"] if self.shortened else []
        looks = {item.look for item in self.items if isinstance(item, Group)}
        lines = [(look, text) for look, text in LINES if look in looks]
        return sheet(
            self.items,
            title=facts.program.name,
            facts=facts.header(),
            description=facts.description(),
            options=self.options,
            kinds=self.kinds,
            notes=notes,
            lines=lines,
        )
