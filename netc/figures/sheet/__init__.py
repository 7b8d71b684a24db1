"""The style `sheet`: networks of a family at one scale, and below them what they cost.

Each network is a silhouette: as high as it is deep, at each layer as wide as the root of its channels. The chart sets
parameters against multiply-accumulates; the area of a mark is the depth.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from netc.figures.facts import counted
from netc.figures.levels import are_relative
from netc.figures.options import Options
from netc.figures.page import Entry, margin, room, room_down, sheet, swatch
from netc.figures.scene import PIXEL, Item, Rect, Scene, union
from netc.figures.sheet.chart import HEIGHT as CHART
from netc.figures.sheet.chart import LEAST_HEIGHT, chart
from netc.figures.sheet.silhouettes import TALL, Member, Plan, hues, members, silhouettes
from netc.program import Program
from netc.report.summary import human

_WIDE = 820.0  # of the figure at most where no page says it
_BETWEEN = 34.0  # the silhouettes and the chart
_AROUND = 150.0  # what header, legend and notes take of a page at most


def draw(programs: Sequence[Program], options: Options) -> Scene:
    """The figure. Raises `FigureError`."""
    family = members(programs)
    plan = _plan(family, options)
    looks = hues(family)
    items: list[Item] = list(silhouettes(family, plan, looks))
    height = min(CHART, plan.chart)
    below = union(item.box for item in items).bottom + _BETWEEN
    items += chart(family, plan.width, below, height)
    relative = are_relative([member.trunk for member in family])
    names = [member.name for member in family]
    unknown = [member.name for member in family if member.facts.cost.total.macs is None]
    notes = ["silhouettes: the weighted layers of the deepest path, as wide as the square root of their channels"]
    notes += ["numbers: layers of one size" + ("; in the chart, and as areas: layers deep" if len(family) > 1 else "")]
    notes += [f"thin layers: the widest of each {plan.bundle} is shown"] if plan.bundle > 1 else []
    notes += ["sizes as parts of each input's"] if relative else []
    notes += [f"not in the chart, since the size of its input is open: {', '.join(unknown)}"] if unknown else []
    return sheet(
        items,
        title=" · ".join(names) if len(names) < 4 else f"{names[0]} to {names[-1]}",
        facts=_facts(family) if len(family) > 1 else family[0].facts.header(),
        description=" ".join(member.facts.description() for member in family),
        options=options,
        legend=[*(swatch(look, str(size)) for size, look in looks.items()), *_widths(plan)],
        notes=notes,
    )


def _plan(family: Sequence[Member], options: Options) -> Plan:
    """How large all is: for the page that is asked for at the size of a screen, or smaller where it must be."""
    width, _ = options.page
    most = room(options) or _WIDE
    natural = most if width is None else min(width / PIXEL - 2 * margin(options), most)
    plan = Plan.of(family, natural, most, TALL)
    down = room_down(options)
    if down is None:
        return plan
    rows = -(-len(family) // plan.columns)
    free = down - rows * plan.header - _BETWEEN - (0 if options.bare else _AROUND)
    tall = max(min(TALL, (free - LEAST_HEIGHT) / rows), TALL / 4)
    plan = Plan.of(family, natural, most, tall)
    plan.chart = max(LEAST_HEIGHT, free - rows * tall)
    return plan


def _facts(family: Sequence[Member]) -> str:
    totals = [member.facts.cost.total for member in family]
    macs = [total.macs for total in totals if total.macs is not None]
    counts = [total.trainable for total in totals]
    depths = [member.facts.cost.depth for member in family]
    parts = [f"{len(family)} networks at one scale"]
    parts += [_range([min(depths), max(depths)], str) + " layers deep", f"{_range(counts, human)} {counted(*totals)}"]
    parts += [_range(macs, human) + " MACs"] if macs else []
    return " · ".join(parts)


def _range(values: Sequence[int], show: Callable[[int], str]) -> str:
    ends = [show(min(values)), show(max(values))]
    return " to ".join(dict.fromkeys(ends))


def _widths(plan: Plan) -> list[Entry]:
    """The scale of channels, drawn."""
    return [
        Entry([Rect(0, 3, plan.breadth(count), 6, "panel")], plan.breadth(count), f"{count} channels")
        for count in plan.marks
    ]
