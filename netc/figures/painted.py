"""The shapes of a scene in the order in which they are painted, each with the whole of its look: for formats in which
no shape takes its look from what is around it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from math import pi

from netc.figures.scene import Ellipse, Group, Item, Path, Picture, Polygon, Rect, Stamp, Text, moved
from netc.figures.theme import LOOKS, Look

Shape = Rect | Ellipse | Polygon | Path | Picture | Text


@dataclass(frozen=True, slots=True)
class Painted:
    """A shape, what its look is called and what it is."""

    shape: Shape
    name: str
    look: Look

    @property
    def head(self) -> str:
        """What the look of its head is called, where that is filled."""
        return f"{self.name}.head"

    @property
    def area(self) -> float:
        """How much of the paper it covers, in square units; lines and texts nothing."""
        match self.shape:
            case Rect(_, _, width, height):
                return width * height
            case Ellipse(_, _, rx, ry):
                return pi * rx * ry
            case Polygon(points):
                pairs = zip(points, [*points[1:], points[0]], strict=True)
                return abs(sum(x1 * y2 - x2 * y1 for (x1, y1), (x2, y2) in pairs)) / 2
        return 0.0


@dataclass(frozen=True, slots=True)
class Opened:
    """A named group begins: what comes up to its `Closed` belongs to it."""

    group: Group


@dataclass(frozen=True, slots=True)
class Closed:
    """The named group that was opened last ends."""


def painted(items: Iterable[Item]) -> Iterator[Painted | Opened | Closed]:
    """All shapes of items; a stamp as the shapes of its template, moved to their place."""
    stack: list[tuple[Iterator[Item], str, bool]] = [(iter(items), "", False)]
    while stack:
        level, outer, named = stack[-1]
        item = next(level, None)
        if item is None:
            stack.pop()
            if named:
                yield Closed()
        elif isinstance(item, Group):
            if item.name:
                yield Opened(item)
            stack.append((iter(item.items), item.look or outer, bool(item.name)))
        elif isinstance(item, Stamp):
            shapes = [moved(shape, item.x, item.y) for shape in item.template.items]
            stack.append((iter(shapes), item.template.look or outer, False))
        else:
            name, look = _whole(item.look, outer)
            yield Painted(item, name, look)


@lru_cache(maxsize=1024)
def _whole(own: str, outer: str) -> tuple[str, Look]:
    """A look with what it leaves to the one around it: its outline."""
    if not own:
        name = outer or "ink"
        return name, LOOKS[name]
    look = LOOKS[own]
    around = LOOKS[outer] if outer else Look()
    if look.stroke or look.bare or not around.stroke:
        return own, look
    return f"{outer} {own}", replace(look, stroke=around.stroke, width=around.width, dash=around.dash)
