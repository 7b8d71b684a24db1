"""Charts of marks, each with its name beside it: axes, and places for the names."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from math import sqrt

from netc.figures.axis import Scale, spaced
from netc.figures.scene import Box, Ellipse, Group, Item, Path, Text, fit, text_width
from netc.figures.styles import FigureError

TEXT, WIDEST = 10.0, 160.0  # of names
_AWAY = (4.0, 14.0, 26.0, 40.0, 56.0, 74.0, 96.0, 120.0, 150.0)  # from a mark to its name
_SIDES = ((1, 0), (-1, 0), (0, -1), (0, 1), (1, -1), (-1, -1), (1, 1), (-1, 1))
_LEADER = 10.0  # names farther away are joined to their mark by a line


@dataclass(frozen=True, slots=True)
class Mark:
    """A disc in a chart: what it is called, how it looks, what a pointer over it says, and the name of its group."""

    x: float
    y: float
    radius: float
    name: str
    look: str
    title: str
    group: str = ""
    note: str = ""  # after the name, never cut

    @property
    def box(self) -> Box:
        """What it covers."""
        return Box(self.x - self.radius, self.y - self.radius, self.x + self.radius, self.y + self.radius)


@dataclass(frozen=True, slots=True)
class Axis:
    """An axis: its scale, what stands beside it, and how values are written."""

    scale: Scale
    title: str
    short: Callable[[float], str]


def marked(marks: Sequence[Mark], plot: Box, across: Axis, up: Axis) -> list[Item]:
    """A chart of marks that lie in the box. Raises `FigureError` where the names have no place."""
    items: list[Item] = list(_axes(plot, across, up))
    leaders, names = _names(marks, plot)
    items += [Group(leaders, look="rule")] if leaders else []
    for mark in sorted(marks, key=lambda mark: -mark.radius):
        items.append(Group([Ellipse(mark.x, mark.y, mark.radius, mark.radius, mark.look)], mark.group, mark.title))
    return [*items, *names]


def _axes(plot: Box, across: Axis, up: Axis) -> Iterator[Item]:
    heights = [plot.bottom - up.scale.share(tick) * (plot.bottom - plot.top) for tick in up.scale.ticks]
    places = [plot.left + across.scale.share(tick) * (plot.right - plot.left) for tick in across.scale.ticks]
    lines: list[Item] = [Path((plot.left, y), [((plot.right, y),)], role="rule") for y in heights]
    yield Group(lines + [Path((x, plot.top), [((x, plot.bottom),)], role="rule") for x in places], look="grid")
    corner = Path((plot.left, plot.top), [((plot.left, plot.bottom),), ((plot.right, plot.bottom),)], role="rule")
    yield Group([corner], look="rule")
    for y, tick in spaced([(y, TEXT + 2) for y in heights], up.scale.ticks):
        yield Text(plot.left - 6, y + 3.5, up.short(tick), TEXT, "end", "muted")
    widths = [text_width(across.short(tick), TEXT) for tick in across.scale.ticks]
    inside = [(min(x, plot.right - width / 2), width + 8) for x, width in zip(places, widths, strict=True)]
    for x, tick in spaced(inside, across.scale.ticks):
        yield Text(x, plot.bottom + 14, across.short(tick), TEXT, look="muted")
    yield Text(plot.left - 6, plot.top - 9, up.title, TEXT, "end", "muted")
    yield Text((plot.left + plot.right) / 2, plot.bottom + 28, across.title, TEXT, look="muted")


def _names(marks: Sequence[Mark], plot: Box) -> tuple[list[Item], list[Item]]:
    """A name beside each mark, on no other name and no mark, and the lines to those that are away."""
    taken = [mark.box for mark in marks]
    leaders: list[Item] = []
    names: list[Item] = []
    for mark in marks:
        text = fit(mark.name, WIDEST, TEXT) + mark.note
        for away, (dx, dy) in product(_AWAY, _SIDES):
            name = _beside(mark, text, away, dx, dy)
            inside = plot.left < name.box.left and name.box.right < plot.right and plot.top < name.box.top
            if inside and name.box.bottom < plot.bottom and not any(name.box.overlaps(box) for box in taken):
                break
        else:
            raise FigureError(f"the chart has no place for the name of {mark.name}: expected fewer of them")
        taken.append(name.box)
        names.append(name)
        if away > _LEADER:
            leaders.append(_leader(mark, name.box))
    return leaders, names


def _beside(mark: Mark, text: str, away: float, dx: int, dy: int) -> Text:
    slanted = 0.72 if dx and dy else 1.0
    reach = (mark.radius + away) * slanted
    x, y = mark.x + dx * reach, mark.y + dy * reach
    if not dx:
        return Text(x, y + (0.78 * TEXT if dy > 0 else -0.22 * TEXT), text, TEXT, halo=True)
    return Text(x, y + 3.5, text, TEXT, "start" if dx > 0 else "end", halo=True)


def _leader(mark: Mark, name: Box) -> Path:
    """A line from the edge of a mark to the nearest point of its name."""
    x = min(max(mark.x, name.left), name.right)
    y = min(max(mark.y, name.top), name.bottom)
    way = sqrt((x - mark.x) ** 2 + (y - mark.y) ** 2)
    share = mark.radius / way
    return Path((mark.x + (x - mark.x) * share, mark.y + (y - mark.y) * share), [((x, y),)], role="rule")
