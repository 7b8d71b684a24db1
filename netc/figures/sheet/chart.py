"""Parameters against multiply-accumulates of networks, each with its name and depth beside its mark."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from math import sqrt

from netc.figures.axis import Scale, spaced
from netc.figures.scene import Box, Ellipse, Group, Item, Path, Text, fit, text_width
from netc.figures.sheet.silhouettes import Member
from netc.figures.styles import FigureError
from netc.report.summary import human

HEIGHT, LEAST_HEIGHT = 230.0, 120.0  # with the words of its axes
_LEFT, _ABOVE, _BELOW = 52.0, 20.0, 32.0  # for the words of its axes
_LARGEST, _SMALLEST = 11.0, 2.5  # radius of a mark
_TEXT, _WIDEST = 10.0, 160.0  # of names
_AWAY = (4.0, 14.0, 26.0, 40.0, 56.0, 74.0, 96.0, 120.0, 150.0)  # from a mark to its name
_SIDES = ((1, 0), (-1, 0), (0, -1), (0, 1), (1, -1), (-1, -1), (1, 1), (-1, 1))
_LEADER = 10.0  # names farther away are joined to their mark by a line


@dataclass(frozen=True, slots=True)
class _Mark:
    """A network in the chart."""

    member: Member
    x: float
    y: float
    radius: float

    @property
    def box(self) -> Box:
        """What it covers."""
        return Box(self.x - self.radius, self.y - self.radius, self.x + self.radius, self.y + self.radius)


def chart(family: Sequence[Member], width: float, top: float, height: float) -> list[Item]:
    """The chart of the networks whose costs are known; nothing for less than two. Raises `FigureError` where the names
    have no place."""
    shown = [member for member in family if member.facts.cost.total.macs and member.facts.cost.total.trainable]
    if len(shown) < 2:
        return []
    plot = Box(_LEFT, top + _ABOVE, width, top + height - _BELOW)
    across = Scale.around([member.facts.cost.total.trainable for member in shown])
    up = Scale.around([member.facts.cost.total.macs or 1 for member in shown])
    deepest = max(member.facts.cost.depth for member in shown)
    marks = [
        _Mark(
            member,
            plot.left + across.share(member.facts.cost.total.trainable) * (plot.right - plot.left),
            plot.bottom - up.share(member.facts.cost.total.macs or 1) * (plot.bottom - plot.top),
            max(_SMALLEST, _LARGEST * sqrt(member.facts.cost.depth / deepest)),
        )
        for member in shown
    ]
    items: list[Item] = list(_axes(plot, across, up))
    leaders, names = _names(marks, plot)
    items += [Group(leaders, look="rule")] if leaders else []
    for mark in sorted(marks, key=lambda mark: -mark.radius):
        cost = mark.member.facts.cost
        title = f"{mark.member.name}: {cost.total.trainable:,} parameters, {cost.total.macs:,} MACs, {cost.depth} deep"
        items.append(
            Group([Ellipse(mark.x, mark.y, mark.radius, mark.radius, "conv")], f"{mark.member.prefix}cost", title)
        )
    return [*items, *names]


def _axes(plot: Box, across: Scale, up: Scale) -> Iterator[Item]:
    heights = [plot.bottom - up.share(tick) * (plot.bottom - plot.top) for tick in up.ticks]
    places = [plot.left + across.share(tick) * (plot.right - plot.left) for tick in across.ticks]
    lines: list[Item] = [Path((plot.left, y), [((plot.right, y),)], role="rule") for y in heights]
    yield Group(lines + [Path((x, plot.top), [((x, plot.bottom),)], role="rule") for x in places], look="grid")
    corner = Path((plot.left, plot.top), [((plot.left, plot.bottom),), ((plot.right, plot.bottom),)], role="rule")
    yield Group([corner], look="rule")
    for y, tick in spaced([(y, _TEXT + 2) for y in heights], up.ticks):
        yield Text(plot.left - 6, y + 3.5, _short(tick), _TEXT, "end", "muted")
    widths = [text_width(_short(tick), _TEXT) for tick in across.ticks]
    inside = [(min(x, plot.right - width / 2), width + 8) for x, width in zip(places, widths, strict=True)]
    for x, tick in spaced(inside, across.ticks):
        yield Text(x, plot.bottom + 14, _short(tick), _TEXT, look="muted")
    yield Text(plot.left - 6, plot.top - 9, "MACs", _TEXT, "end", "muted")
    yield Text((plot.left + plot.right) / 2, plot.bottom + 28, "parameters", _TEXT, look="muted")


def _short(value: float) -> str:
    return human(round(value)).replace(".0 ", " ")


def _names(marks: Sequence[_Mark], plot: Box) -> tuple[list[Item], list[Item]]:
    """A name beside each mark, on no other name and no mark, and the lines to those that are away."""
    taken = [mark.box for mark in marks]
    leaders: list[Item] = []
    names: list[Item] = []
    for mark in marks:
        text = f"{fit(mark.member.name, _WIDEST, _TEXT)} · {mark.member.facts.cost.depth}"
        for away, (dx, dy) in product(_AWAY, _SIDES):
            name = _beside(mark, text, away, dx, dy)
            inside = plot.left < name.box.left and name.box.right < plot.right and plot.top < name.box.top
            if inside and name.box.bottom < plot.bottom and not any(name.box.overlaps(box) for box in taken):
                break
        else:
            raise FigureError(f"the chart has no place for the name of {mark.member.name}: expected fewer networks")
        taken.append(name.box)
        names.append(name)
        if away > _LEADER:
            leaders.append(_leader(mark, name.box))
    return leaders, names


def _beside(mark: _Mark, text: str, away: float, dx: int, dy: int) -> Text:
    slanted = 0.72 if dx and dy else 1.0
    reach = (mark.radius + away) * slanted
    x, y = mark.x + dx * reach, mark.y + dy * reach
    if not dx:
        return Text(x, y + (0.78 * _TEXT if dy > 0 else -0.22 * _TEXT), text, _TEXT, halo=True)
    return Text(x, y + 3.5, text, _TEXT, "start" if dx > 0 else "end", halo=True)


def _leader(mark: _Mark, name: Box) -> Path:
    """A line from the edge of a mark to the nearest point of its name."""
    x = min(max(mark.x, name.left), name.right)
    y = min(max(mark.y, name.top), name.bottom)
    way = sqrt((x - mark.x) ** 2 + (y - mark.y) ** 2)
    share = mark.radius / way
    return Path((mark.x + (x - mark.x) * share, mark.y + (y - mark.y) * share), [((x, y),)], role="rule")
