"""Where slabs stand and how large they are: an oblique projection, all slabs of a row centred on one axis.

What depends on the width is known for 7 in and for 3.3 in, the widths of a page and of a column, and interpolated
between them. A point is 10 / 6 units: the smallest text, 6 pt, has the size that is the smallest in all figures.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from math import log2, sqrt

from netc.figures.volumes.parts import Slab

PT = 10 / 6  # units
RIGHT, UP = 0.30, 0.27  # where an edge away from the viewer ends, for each unit of its length: 42 degrees
NARROW, WIDE = 238 * PT, 504 * PT  # the widths that the measures below are for
_THINNEST = 1.8 * PT  # a slab
_LEAST = 5.0 * PT  # height of a slab
_SPREAD = 16.0 * PT  # what a gap can get at most of the width that is left
GHOST = 3.0 * PT  # how far right of a slab the outline of what is dropped stands
_STEPS = 14  # of the bisection of the thickness
_DOUBLING = 0.117  # height for each doubling, of the largest, on the logarithmic scale
_ACTIVE = 1.5  # a bar with an activation, times one without


@dataclass(frozen=True, slots=True)
class Measures:
    """What depends on the width of the figure."""

    width: float
    tall: float  # the largest slab
    low: float  # the same, where there are several rows
    name: float  # sizes of texts
    text: float
    face: float
    pool: float  # thickness of what has none
    bar: float  # side of a vector's front
    long: float  # length of a vector of 4096, times the largest slab
    inside: float  # gaps: in a stage, before a pool, between stages, between bars
    before_pool: float
    between: float
    bars: float
    head: float  # length of an arrow's head
    dot: float  # radius of the dot that a line begins with
    disc: float  # radius of the disc in which tensors are joined
    narrow: bool

    @classmethod
    def of(cls, width: float, tall: float = 1.0) -> Measures:
        """Those for a width, with slabs `tall` times as high as usual."""
        share = min(max((width - NARROW) / (WIDE - NARROW), 0.0), 1.0)

        def mix(narrow: float, wide: float) -> float:
            return narrow + (wide - narrow) * share

        return cls(
            width,
            tall * width * mix(0.33, 0.285),
            tall * width * mix(0.26, 0.20),
            PT * mix(6.6, 7.2),
            PT * mix(6.0, 6.6),
            PT * mix(6.0, 6.27),
            PT * mix(2.0, 2.8),
            PT * mix(3.9, 6.2),
            mix(1.4, 1.75),
            PT * mix(0.5, 0.9),
            PT * mix(1.0, 1.6),
            PT * mix(4.2, 7.5),
            PT * mix(11.5, 25.0),
            PT * mix(2.5, 3.6),
            PT * mix(0.75, 1.0),
            PT * mix(2.0, 2.5),
            share < 0.5,
        )


@dataclass(frozen=True, slots=True)
class Solid:
    """A box in space. Its place is the middle of its left face, which is on the axis."""

    width: float
    height: float
    depth: float

    @property
    def dx(self) -> float:
        """How far its far side is shifted to the right."""
        return self.depth * RIGHT

    @property
    def dy(self) -> float:
        """How far its far side is shifted up."""
        return self.depth * UP

    @property
    def bottom(self) -> float:
        """Its lower front edge, below the axis; the upper one at the back is as far above it."""
        return (self.height + self.dy) / 2

    @property
    def near(self) -> float:
        """How far its outline, on the axis, is left of its place."""
        return min(self.dx, self.height * RIGHT / UP) / 2


@dataclass(frozen=True, slots=True)
class Scale:
    """Sizes and channels as lengths."""

    kind: str  # sqrt, linear or log
    height: float  # of the largest side
    largest: int  # side
    longest: int  # vector
    measures: Measures
    thick: float = 0.0  # a slab, for the root of its channels

    @classmethod
    def of(cls, slabs: Sequence[Slab], kind: str, height: float, measures: Measures) -> Scale:
        sides = [side or 1 for slab in slabs if not slab.is_bar for side in slab.shape[:-1]]
        vectors = [slab.shape[-1] or 1 for slab in slabs if slab.is_bar]
        return cls(kind, height, max(sides, default=1), max([4096, *vectors]), measures)

    def side(self, size: float) -> float:
        """The length of a side of so many positions."""
        share = size / self.largest
        match self.kind:
            case "linear":
                length = self.height * share
            case "log":
                length = self.height * (1 + _DOUBLING * log2(share))
            case _:
                length = self.height * sqrt(share)
        return max(length, min(_LEAST, self.height))

    def channels(self, count: float) -> float:
        """The thickness of so many channels."""
        return max(_THINNEST, self.thick * sqrt(count))

    def solid(self, slab: Slab) -> Solid:
        """The box of a slab."""
        m, sides, channels = self.measures, [side or 1 for side in slab.shape[:-1]], slab.shape[-1] or 1
        if slab.kind == "more":
            return Solid((8 + 3 * log2(slab.groups + 1)) * PT, self.side(sides[-1]) if sides else m.bar, 0.0)
        if slab.is_bar:
            front = m.bar if slab.kind != "input" else m.pool
            wide = front * (_ACTIVE if slab.bands else 1.0)
            long = m.long * self.height * (channels / self.longest) ** (1 / 3)
            return Solid(wide, m.bar, max(long, m.bar))
        width = m.pool if slab.thin else self.channels(channels)
        if len(sides) == 1:
            return Solid(width, self.side(sides[0]), 2 * m.bar)
        return Solid(width, self.side(sides[-2]), self.side(sides[-1]))

    def with_thickness(self, thick: float) -> Scale:
        """The same with another thickness."""
        return Scale(self.kind, self.height, self.largest, self.longest, self.measures, thick)


@dataclass(slots=True, eq=False)
class Place:
    """A slab where it stands: the middle of its left face at `x`, on the axis of its row."""

    slab: Slab
    solid: Solid
    x: float

    @property
    def left(self) -> float:
        """The left edge of its front."""
        return self.x - self.solid.dx / 2

    @property
    def right(self) -> float:
        """The right edge of its front."""
        return self.left + self.solid.width

    @property
    def far(self) -> float:
        """The right end of its outline."""
        return self.right + self.solid.dx

    @property
    def reach(self) -> float:
        """The same, with the outline of what is dropped."""
        return self.far + (GHOST if self.slab.drops else 0.0)

    @property
    def end(self) -> float:
        """Where its right face meets the axis."""
        return self.x + self.solid.width

    @property
    def top(self) -> tuple[float, float]:
        """The middle of its top face."""
        return self.x + self.solid.width / 2, -self.solid.height / 2

    @property
    def face(self) -> tuple[float, float]:
        """The middle of its right face."""
        return self.end, 0.0


@dataclass(frozen=True, slots=True)
class Spacing:
    """The gaps between slabs of a row."""

    measures: Measures
    spare: float = 0.0  # more between stages
    flat: float = 0.0  # what is written on the arrow from a map to a vector
    faces: frozenset[str] = frozenset()  # layers whose right faces show something, and shall be seen

    def after(self, before: Place, slab: Slab, solid: Solid, *, begins: bool) -> float:
        """Where a slab stands that follows another one; `begins`: as the first of a stage."""
        m, end = self.measures, before.end
        if slab.kind == "more" or before.slab.kind == "more":
            return end + (before.solid.dx + solid.dx) / 2
        if slab.copied:
            return end - before.solid.dx / 2 + solid.dx / 2
        if slab.is_bar and before.slab.is_bar:
            return end + max(m.bars + self.spare, 0.0)
        if slab.is_bar:
            clear = (solid.dx - before.solid.dx) / 2 + m.between
            room = self.flat if slab.flattened else m.between
            return end + max(clear, room + solid.near + 2 * m.between) + self.spare
        if before.slab.is_bar:
            return end + before.solid.dx / 2 + solid.dx / 2 + m.between + self.spare
        if begins or solid.height > before.solid.height * 1.01:
            wanted = before.solid.dx / 2 * self._open(before.slab) if begins else 0.0
            return end + solid.dx / 2 + max(m.between, wanted + m.inside) + self.spare
        return end + (m.before_pool if slab.thin else m.inside)

    def _open(self, slab: Slab) -> float:
        """How much of the right half of a slab's face the next stage leaves to be seen."""
        if self.faces.isdisjoint(slab.names):
            return 0.0
        return 1.0 if slab.kind == "input" else 0.7


def fitted(
    scale: Scale, spacing: Spacing, reach: Callable[[Scale, Spacing], float], gaps: int, widest: int
) -> tuple[Scale, Spacing]:
    """The thickness with which a figure is as wide as it may be, and what is left for its gaps. `reach` is its width;
    `gaps` how many of them it has, `widest` its most channels."""
    low, high = 0.0, 0.34 * scale.height / sqrt(widest)
    room = scale.measures.width
    if reach(scale.with_thickness(high), spacing) <= room:
        spare = room - reach(scale.with_thickness(high), spacing)
        each = min(_SPREAD, spare / max(gaps, 1))
        return scale.with_thickness(high), replace(spacing, spare=each)
    for _ in range(_STEPS):
        middle = (low + high) / 2
        if reach(scale.with_thickness(middle), spacing) <= room:
            low = middle
        else:
            high = middle
    return scale.with_thickness(low), spacing


def split(lengths: Sequence[float], rows: int, allowed: Sequence[bool]) -> list[range]:
    """Stages in so many rows, of which the longest is as short as can be; a row may begin at those `allowed`."""
    low, high = max(lengths), sum(lengths)
    for _ in range(30):
        middle = (low + high) / 2
        if len(_packed(lengths, middle, allowed)) <= rows:
            high = middle
        else:
            low = middle
    return _packed(lengths, high * 1.0001, allowed)


def _packed(lengths: Sequence[float], room: float, allowed: Sequence[bool]) -> list[range]:
    """Rows at most so long, where that can be."""
    rows: list[range] = []
    start, used, last = 0, 0.0, None
    at = 0
    while at < len(lengths):
        if at > start and allowed[at]:
            last = at
        used += lengths[at]
        if used > room and last is not None and at > start:
            rows.append(range(start, last))
            start, at, used, last = last, last, 0.0, None
            continue
        at += 1
    return [*rows, range(start, len(lengths))]


def floor_of(places: Sequence[Place]) -> list[tuple[float, float, float, float]]:
    """The lower outline of slabs: level and rising edges (x1, y1, x2, y2)."""
    edges: list[tuple[float, float, float, float]] = []
    for place in places:
        solid = place.solid
        edges.append((place.left, solid.bottom, place.right, solid.bottom))
        edges.append((place.right, solid.bottom, place.far, solid.bottom - solid.dy))
    return edges


def lowest(edges: Sequence[tuple[float, float, float, float]], left: float, right: float) -> float:
    """The lowest point (largest y) of edges between two places; far above where there is none."""
    found = -1e9
    for x1, y1, x2, y2 in edges:
        if x1 < right and x2 > left:
            at = max(x1, left)
            y = y1 if x2 - x1 < 1e-9 else y1 + (y2 - y1) * (at - x1) / (x2 - x1)
            found = max(found, y, y2 if y2 > y1 else y)
    return found
