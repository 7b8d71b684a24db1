"""Scenes: what a figure shows, as shapes with coordinates. Writers turn them into SVG, PDF and TikZ.

Coordinates are user units, x to the right and y down; a scene says how large one is. A shape names its `look`
(`netc.figures.theme`), never a colour.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from copy import copy
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from math import cos, dist, radians, sin
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from netc.figures.theme import Look
    from netc.ir.net import Node

# Advance widths of Arial in thousandths of the font size (the metrics that Liberation Sans and Helvetica share).
_WIDTHS = {
    **dict.fromkeys("ijl'|", 222), **dict.fromkeys(" !,./:;I[]\\ft", 278), **dict.fromkeys("()r-", 333),
    **dict.fromkeys("ckszvxyJ", 500), **dict.fromkeys("abdeghnopqu0123456789$_?L#", 556), **dict.fromkeys("+<=>~", 584),
    **dict.fromkeys("FTZ", 611), **dict.fromkeys("ABEKPSVXY&", 667), **dict.fromkeys("CDHNRUw", 722),
    **dict.fromkeys("GOQ", 778), **dict.fromkeys("mM", 833), "W": 944, "%": 889, "@": 1015, "{": 334, "}": 334,
    '"': 355, "*": 389, "^": 469, "×": 584, "²": 333, "₂": 333, "·": 333, "→": 1000, "…": 1000,
    "−": 584, "≤": 549, "∣": 260, "⌈": 333, "⌉": 333, "⌊": 333, "⌋": 333,
}  # fmt: skip
_WIDEST = 1000  # of a character that is not in the table: a full-width one
SAFETY = 1.15  # the fonts that stand in for Arial are up to this much wider
PIXEL = 0.75  # points: 96 pixels of CSS are an inch, as are 72 points


@lru_cache(maxsize=4096)
def text_width(text: str, size: float = 12, bold: bool = False) -> float:
    """How wide a text can be at most, in the unit of its size."""
    units = sum(_WIDTHS.get(character, _WIDEST) for character in text)
    return units * size / 1000 * SAFETY * (1.07 if bold else 1)


def fit(text: str, width: float, size: float = 12, bold: bool = False) -> str:
    """A text that is at most so wide: the whole, or its beginning with `...` after."""
    if text_width(text, size, bold) <= width:
        return text
    room, kept = width - text_width("...", size, bold), 0
    while kept < len(text) and (room := room - text_width(text[kept], size, bold)) >= 0:
        kept += 1
    return text[:kept].rstrip() + "..."


class Box(NamedTuple):
    """A rectangle along the axes."""

    left: float
    top: float
    right: float
    bottom: float

    def around(self, other: Box) -> Box:
        """The smallest box around both."""
        return Box(
            min(self.left, other.left),
            min(self.top, other.top),
            max(self.right, other.right),
            max(self.bottom, other.bottom),
        )

    def overlaps(self, other: Box, slack: float = 0.01) -> bool:
        """Whether the insides meet."""
        return (
            self.left < other.right - slack
            and other.left < self.right - slack
            and self.top < other.bottom - slack
            and other.top < self.bottom - slack
        )

    def holds(self, other: Box, slack: float = 0.01) -> bool:
        """Whether the other lies inside."""
        return (
            self.left <= other.left + slack
            and self.top <= other.top + slack
            and other.right <= self.right + slack
            and other.bottom <= self.bottom + slack
        )


Point = tuple[float, float]


@dataclass(slots=True)
class Rect:
    """A rectangle; `radius` rounds its corners."""

    x: float
    y: float
    width: float
    height: float
    look: str = ""
    radius: float = 0

    @property
    def box(self) -> Box:
        """What it covers."""
        return Box(self.x, self.y, self.x + self.width, self.y + self.height)


@dataclass(slots=True)
class Ellipse:
    """An ellipse around a middle; a circle where both radii are equal."""

    x: float
    y: float
    rx: float
    ry: float
    look: str = ""

    @property
    def box(self) -> Box:
        """The box around it."""
        return Box(self.x - self.rx, self.y - self.ry, self.x + self.rx, self.y + self.ry)


@dataclass(slots=True)
class Picture:
    """An image, spread over a parallelogram: its upper left corner, and from there the vectors to the upper right one
    and to the lower left one."""

    corner: Point
    across: Point
    down: Point
    png: bytes
    look: str = ""

    @property
    def box(self) -> Box:
        """The box around it."""
        (x, y), (ax, ay), (dx, dy) = self.corner, self.across, self.down
        return around([(x, y), (x + ax, y + ay), (x + dx, y + dy), (x + ax + dx, y + ay + dy)])


@dataclass(slots=True)
class Polygon:
    """A closed area."""

    points: Sequence[Point]
    look: str = ""

    @property
    def box(self) -> Box:
        """The box around it."""
        return around(self.points)


def rounded(points: Sequence[Point], radius: float, pointed: float = 0.5) -> list[tuple[Point, ...]]:
    """The segments of a line through points with round corners: of a radius, or less where a side is shorter than two;
    the more `pointed`, from 0 to 1, the nearer to their corners."""
    segments: list[tuple[Point, ...]] = []
    for before, corner, after in zip(points, points[1:], points[2:], strict=False):
        by = min(radius, dist(before, corner) / 2, dist(corner, after) / 2)
        bend = by * (1 - pointed)
        segments.append((towards(corner, before, by),))
        segments.append((towards(corner, before, bend), towards(corner, after, bend), towards(corner, after, by)))
    return [*segments, (points[-1],)]


def towards(start: Point, end: Point, by: float) -> Point:
    """The point so far from a start on the way to an end."""
    length = dist(start, end) or 1.0
    return start[0] + (end[0] - start[0]) * by / length, start[1] + (end[1] - start[1]) * by / length


@dataclass(slots=True)
class Path:
    """A line: a start, and then segments of one point (straight) or three (a cubic Bezier curve).

    An `arrow` ends in a head: two strokes, or a triangle where it is `filled`. A `role` of "edge" says that it joins
    boxes.
    """

    start: Point
    segments: Sequence[tuple[Point, ...]]
    look: str = ""
    arrow: bool = False
    role: str = "edge"
    filled: bool = False
    head: float = 5.0  # how long the head of an arrow is

    @property
    def end(self) -> Point:
        """The last point."""
        return self.segments[-1][-1]

    @property
    def box(self) -> Box:
        """The box around its points, those that only steer included."""
        return around([self.start, *(point for segment in self.segments for point in segment)])

    def points(self, steps: int = 16) -> Iterator[Point]:
        """Points along it: the ends of straight segments, `steps` on a curve."""
        yield self.start
        last = self.start
        for segment in self.segments:
            if len(segment) == 3:
                for step in range(1, steps):
                    yield _bezier(last, *segment, step / steps)
            last = segment[-1]
            yield last


def _bezier(a: Point, b: Point, c: Point, d: Point, t: float) -> Point:
    s = 1 - t
    weights = (s * s * s, 3 * s * s * t, 3 * s * t * t, t * t * t)
    points = (a, b, c, d)
    return sum(w * p[0] for w, p in zip(weights, points, strict=True)), sum(
        w * p[1] for w, p in zip(weights, points, strict=True)
    )


@dataclass(slots=True)
class Text:
    """One line of text. `y` is its baseline; `anchor` says which of its points `x` is: start, middle or end.

    It is turned around that point by so many degrees, clockwise. A `halo` is an outline in the colour of the paper, so
    that it is read on textures and lines.
    """

    x: float
    y: float
    text: str
    size: float = 12
    anchor: str = "middle"
    look: str = ""  # the colour; the theme's ink unless given
    bold: bool = False
    turn: float = 0.0
    halo: bool = False

    @property
    def corners(self) -> list[Point]:
        """The corners of what it can cover at most, from the upper left one, clockwise."""
        width = text_width(self.text, self.size, self.bold)
        left = -{"start": 0.0, "middle": width / 2, "end": width}[self.anchor]
        top, bottom = -0.78 * self.size, 0.22 * self.size
        c, s = (cos(radians(self.turn)), sin(radians(self.turn))) if self.turn else (1.0, 0.0)
        flat = ((left, top), (left + width, top), (left + width, bottom), (left, bottom))
        return [(self.x + x * c - y * s, self.y + x * s + y * c) for x, y in flat]

    @property
    def box(self) -> Box:
        """The box around what it can cover at most."""
        return around(self.corners)


@dataclass
class Template:
    """Shapes around the origin that a figure shows many times, written once. Equal keys mean equal shapes."""

    key: str
    items: Sequence[Rect | Ellipse | Polygon | Path]
    look: str = ""  # what the items share

    @cached_property
    def box(self) -> Box:
        """The box around them."""
        return union(item.box for item in self.items)


@dataclass(slots=True)
class Stamp:
    """A template at a place."""

    x: float
    y: float
    template: Template

    @property
    def box(self) -> Box:
        """The box around it."""
        inner = self.template.box
        return Box(inner.left + self.x, inner.top + self.y, inner.right + self.x, inner.bottom + self.y)


@dataclass(slots=True)
class Group:
    """Shapes that belong together. With a `name` it is an object of the figure: it gets an id, a tooltip and the
    place in the spec that made it. `role` says what it is beside others:

    - "box": its first shape is a box that nothing else may touch, and its texts lie inside;
    - "frame": a border around others;
    - "repeat": a bracket beside others, with their count;
    - "": no more than its items.
    """

    items: list[Item] = field(default_factory=list)
    name: str = ""
    title: str = ""
    role: str = ""
    look: str = ""  # for all items that name none
    line: int | None = None
    span: str | None = None  # columns of the line (`Facts.span`)
    data: dict[str, str] = field(default_factory=dict)  # written as data-... attributes
    nodes: Sequence[Node] = ()  # the layers that it is drawn for

    @property
    def box(self) -> Box:
        """The box around all items."""
        return union(item.box for item in self.items)


Item = Rect | Ellipse | Polygon | Path | Picture | Text | Stamp | Group


@dataclass(slots=True)
class Scene:
    """A whole figure: its size, what it shows, and its title and description for those who cannot see it.

    `unit` is how large one unit of its coordinates is on a page, in points (1/72 inch). `facts`, `legend` (how each
    miniature looks, and what it means) and `notes` are what stands around the figure, also where they are not drawn.
    """

    width: float
    height: float
    items: list[Item]
    title: str
    description: str
    unit: float = PIXEL
    facts: str = ""
    legend: Sequence[tuple[Look, str]] = ()
    notes: Sequence[str] = ()

    def walk(self) -> Iterator[Item]:
        """All items, groups before what they hold."""
        stack: list[Iterator[Item]] = [iter(self.items)]
        while stack:
            item = next(stack[-1], None)
            if item is None:
                stack.pop()
                continue
            yield item
            if isinstance(item, Group):
                stack.append(iter(item.items))


def around(points: Iterable[Point]) -> Box:
    """The box around points."""
    xs, ys = zip(*points, strict=True)
    return Box(min(xs), min(ys), max(xs), max(ys))


def union(boxes: Iterable[Box]) -> Box:
    """The box around boxes."""
    lefts, tops, rights, bottoms = zip(*boxes, strict=True)
    return Box(min(lefts), min(tops), max(rights), max(bottoms))


def moved(item: Item, dx: float, dy: float) -> Item:
    """An item at another place."""
    match item:
        case Rect(x, y) | Text(x, y) | Stamp(x, y) | Ellipse(x, y):
            again = copy(item)
            again.x, again.y = x + dx, y + dy
            return again
        case Polygon(points, look):
            return Polygon([(x + dx, y + dy) for x, y in points], look)
        case Picture((x, y), across, down, png, look):
            return Picture((x + dx, y + dy), across, down, png, look)
        case Path((x, y), segments):
            shifted = [tuple((x + dx, y + dy) for x, y in segment) for segment in segments]
            return replace(item, start=(x + dx, y + dy), segments=shifted)
        case Group():
            return replace(item, items=[moved(inner, dx, dy) for inner in item.items])
