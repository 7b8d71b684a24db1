"""Silhouettes of networks at one scale: down the layers of the deepest path, across the root of their channels."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from math import ceil, sqrt

from netc.analysis.depth import trunk
from netc.figures.axis import Scale, spaced
from netc.figures.facts import Facts, counted
from netc.figures.levels import Size, are_relative, levels
from netc.figures.scene import Group, Item, Path, Point, Polygon, Text, fit, text_width
from netc.figures.theme import stage
from netc.figures.trunk import Trunk, stages, units_of
from netc.program import Program
from netc.report.summary import human

TALL = 260.0  # of the deepest network
_THICKEST, _THINNEST = 14.0, 0.25  # of a layer
_OUTLINED = 1.5  # height of what has an outline of its own
_WIDEST, _NARROWEST = 84.0, 3.0  # of a layer's channels
_AXIS = 40.0  # left of the silhouettes
_COUNT = 24.0  # right of each: how many layers
_BETWEEN = 8.0
_LINES = (
    (10.0, 12.0, True),
    (25.0, 10.0, False),
    (38.0, 10.0, False),
    (51.0, 10.0, False),
)  # baselines, sizes, weights
_HEADER = 66.0  # above a row of silhouettes
_UNDER = 16.0  # below one
_GAP = 20.0  # between two rows
_TEXT = 10.0


@dataclass(slots=True)
class Member:
    """A network of a family: its weighted layers on the deepest path, with their sizes."""

    facts: Facts
    trunk: Trunk
    sizes: list[Size]
    prefix: str  # of ids

    @property
    def name(self) -> str:
        """The name of the network."""
        return self.facts.program.name

    @property
    def layers(self) -> range:
        """The weighted layers among the units: all but the input."""
        return range(0 if self.trunk.units[0].layer.weighted else 1, len(self.trunk.units))

    @property
    def lines(self) -> list[str]:
        """What stands above the silhouette."""
        cost = self.facts.cost
        macs = "MACs by input" if cost.total.macs is None else f"{human(cost.total.macs)} MACs"
        return [self.name, _layers(cost.depth), f"{human(cost.total.trainable)} {counted(cost.total)}", macs]

    def channels(self, index: int) -> int:
        """Those of the tensor after a layer, with what is joined to it."""
        return self.trunk.units[index].joined[-1] or 1


def members(programs: Sequence[Program]) -> list[Member]:
    """The networks of a family, as far as silhouettes show them."""
    trunks = []
    for program in programs:
        units, _ = units_of(program.net, trunk(program.net), lambda layer: layer.weighted)
        trunks.append(Trunk(program.net, units))
    relative = are_relative(trunks)
    made: list[Member] = []
    for at, (program, path) in enumerate(zip(programs, trunks, strict=True), 1):
        facts = Facts(program)
        made.append(Member(facts, path, levels(facts, path, relative), f"n{at}_" if len(programs) > 1 else ""))
    return made


def hues(family: Sequence[Member]) -> dict[Size, str]:
    """A look for each size, the largest first; vectors have that of none."""
    sizes = dict.fromkeys(member.sizes[at] for member in family for at in member.layers)
    ordered = sorted(sizes, key=lambda size: size.rank)
    return {size: "panel" if size == Size() else stage(at) for at, size in enumerate(ordered)}


@dataclass(slots=True)
class Plan:
    """The scale of a figure, and how many networks stand in a row."""

    columns: int
    panel: float  # width of one network
    width: float
    layer: float  # height of one layer
    root: float  # width of the root of one channel
    marks: tuple[int, ...]  # channels that the legend shows
    chart: float = TALL

    header: float = _HEADER + _UNDER + _GAP

    @classmethod
    def of(cls, family: Sequence[Member], natural: float, most: float, tall: float) -> Plan:
        """For a figure that should be as wide as is `natural`, at `most` as wide where more networks then stand in a
        row, and whose deepest network is so high."""
        deepest = max((len(member.layers) for member in family), default=1) or 1
        thick = max((member.channels(at) for member in family for at in member.layers), default=1)
        texts = [
            text_width(line, size, bold)
            for member in family
            for line, (_, size, bold) in list(zip(member.lines, _LINES, strict=True))[1:]
        ]
        least = ceil(max(_WIDEST + _COUNT, *texts) + _BETWEEN)
        rows = ceil(len(family) / max(1, int((most - _AXIS) // least)))
        columns = ceil(len(family) / rows)  # about as many in each row
        panel = max(least, min((natural - _AXIS) // columns, 1.5 * least))
        layer = min(max(tall / deepest, _THINNEST), _THICKEST)
        marks = tuple(dict.fromkeys(2 ** max(at, 0) for at in (_power(thick) - 4, _power(thick) - 2, _power(thick))))
        return cls(columns, panel, max(_AXIS + columns * panel, 240.0), layer, _WIDEST / sqrt(thick), marks)

    @property
    def bundle(self) -> int:
        """How many layers are shown by the widest of them, so that outlines of thin ones do not run into each other."""
        return max(1, ceil(_OUTLINED / self.layer))

    def breadth(self, channels: int) -> float:
        """How wide a layer is."""
        return max(_NARROWEST, round(self.root * sqrt(channels), 1))


def _power(count: int) -> int:
    return count.bit_length() - 1


def silhouettes(family: Sequence[Member], plan: Plan, looks: dict[Size, str]) -> Iterator[Item]:
    """Rows of silhouettes over a common axis of layers."""
    top = 0.0
    for start in range(0, len(family), plan.columns):
        row = family[start : start + plan.columns]
        deepest = max(len(member.layers) for member in row)
        base = top + _HEADER
        yield from _axis(plan, deepest, base, len(row))
        for at, member in enumerate(row):
            yield from _silhouette(member, plan, looks, _AXIS + (at + 0.5) * plan.panel, top, base)
        top = base + deepest * plan.layer + _UNDER + _GAP


def _axis(plan: Plan, deepest: int, base: float, count: int) -> Iterator[Item]:
    right = _AXIS + count * plan.panel
    ticks = Scale.of([0, max(deepest, 1)], whole=True).ticks
    shown = list(spaced([(base + tick * plan.layer, _TEXT + 2) for tick in ticks], ticks))
    yield Group([Path((_AXIS, y), [((right, y),)], role="rule") for y, _ in shown], look="grid")
    for y, tick in shown:
        yield Text(_AXIS - 6, y + 3.5, f"{tick:g}", _TEXT, "end", "muted")
    yield Text(_AXIS - 6, base - 12, "layers", _TEXT, "end", "muted")


def _silhouette(
    member: Member, plan: Plan, looks: dict[Size, str], middle: float, top: float, base: float
) -> Iterator[Item]:
    for line, (y, size, bold) in zip(member.lines, _LINES, strict=True):
        shown = fit(line, plan.panel - _BETWEEN, size, bold)
        yield Text(middle, top + y, shown, size, look="" if bold else "muted", bold=bold)
    layers = member.layers
    right = middle + max((plan.breadth(member.channels(at)) for at in layers), default=0) / 2 + 5
    free = base
    for run in stages([member.sizes[at] for at in layers]):
        inside = [layers[at] for at in run]
        y, height = base + run.start * plan.layer, len(run) * plan.layer
        yield _stage(member, plan, inside, looks[member.sizes[inside[0]]], middle, y)
        baseline = y + height / 2 + 3.5
        if height >= _TEXT and baseline - _TEXT >= free:
            yield Text(right, baseline, str(len(run)), _TEXT, "start", "muted", halo=True)
            free = baseline


def _stage(member: Member, plan: Plan, inside: Sequence[int], look: str, middle: float, y: float) -> Group:
    """The layers of one size as one outline."""
    right: list[Point] = []
    bundles = [max(map(member.channels, inside[at : at + plan.bundle])) for at in range(0, len(inside), plan.bundle)]
    shown = [plan.breadth(bundles[at // plan.bundle]) for at in range(len(inside))]
    for breadth, run in groupby(shown):
        bottom: float = y + len(list(run)) * plan.layer
        right += [(breadth / 2, y), (breadth / 2, bottom)]
        y = bottom
    outline = [(middle + x, at) for x, at in right] + [(middle - x, at) for x, at in reversed(right)]
    channels = [member.channels(at) for at in inside]
    said = " to ".join(dict.fromkeys(str(count) for count in (min(channels), max(channels))))
    first = member.trunk.units[inside[0]].node
    return Group(
        [Polygon(outline, look)],
        name=member.prefix + first.name,
        title=f"{member.sizes[inside[0]]}: {_layers(len(inside))}, {said} channels",
        line=member.facts.line(first),
        span=member.facts.span(first),
        nodes=[member.trunk.net.node(name) for at in inside for name in member.trunk.units[at].names],
    )


def _layers(count: int) -> str:
    return f"{count} layer{'s' * (count != 1)}"
