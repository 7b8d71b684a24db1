"""Parameters against multiply-accumulates of networks, each with its name and depth beside its mark."""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt

from netc.figures.axis import Scale
from netc.figures.facts import counted
from netc.figures.marks import Axis, Mark, marked
from netc.figures.scene import Box, Item
from netc.figures.sheet.silhouettes import Member
from netc.report.summary import human

HEIGHT, LEAST_HEIGHT = 230.0, 120.0  # with the words of its axes
_LEFT, _ABOVE, _BELOW = 52.0, 20.0, 32.0  # for the words of its axes
_LARGEST, _SMALLEST = 11.0, 2.5  # radius of a mark


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
    marks = []
    for member in shown:
        cost = member.facts.cost
        marks.append(
            Mark(
                plot.left + across.share(cost.total.trainable) * (plot.right - plot.left),
                plot.bottom - up.share(cost.total.macs or 1) * (plot.bottom - plot.top),
                max(_SMALLEST, _LARGEST * sqrt(cost.depth / deepest)),
                member.name,
                "conv",
                f"{member.name}: {cost.total.trainable:,} {counted(cost.total)}, {cost.total.macs:,} MACs, "
                f"{cost.depth} deep",
                f"{member.prefix}cost",
                f" · {cost.depth}",
            )
        )
    words = counted(*(member.facts.cost.total for member in shown))
    return marked(marks, plot, Axis(across, words, _short), Axis(up, "MACs", _short))


def _short(value: float) -> str:
    return human(round(value)).replace(".0 ", " ")
