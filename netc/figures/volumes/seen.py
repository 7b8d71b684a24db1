"""The receptive field of a layer, as it lies on the input."""

from __future__ import annotations

from dataclasses import dataclass

from netc.diagnostics.escape import harmless
from netc.figures.facts import Facts
from netc.figures.styles import FigureError
from netc.ir.net import Net
from netc.suggest import did_you_mean


@dataclass(frozen=True, slots=True)
class Seen:
    """What the position in the middle of a layer's map sees: the first and the last pixel of each dimension."""

    layer: str
    pixels: tuple[tuple[int, int], ...]
    sides: tuple[int, ...]  # of the input

    @property
    def shares(self) -> tuple[tuple[float, float], ...]:
        """From and to, as shares of the input's sides; what lies in the padding is not of it."""
        return tuple(
            (max(first, 0) / side, min(last + 1, side) / side)
            for (first, last), side in zip(self.pixels, self.sides, strict=True)
        )

    def __str__(self) -> str:
        return f"seen by {self.layer}: " + "×".join(str(last - first + 1) for first, last in self.pixels)


def seen(facts: Facts, net: Net, layer: str) -> Seen:
    """What a layer, by label or name, sees of the input. Raises `FigureError` where there is none such, and for one
    that sees all of it."""
    labels = facts.program.expansion.labels
    name = labels.get(layer, layer)
    if name not in net:
        known = did_you_mean(layer, [*labels, *(node.name for node in net)])
        raise FigureError(
            f"no layer has the label or name `{harmless(layer)}`" + "".join(f"; {text}" for text in known)
        )
    axes, sides = facts.fields[name], net.shapes[net.inputs[0]][:-1]
    if axes is None or len(axes) != len(sides):
        raise FigureError(f"`{harmless(layer)}` sees the whole input: expected a layer whose output has positions")
    middles = [(side or 1) // 2 for side in net.shapes[name][:-1]]
    pixels = tuple(axis.at(middle) for axis, middle in zip(axes, middles, strict=True))
    return Seen(name, pixels, tuple(side or 1 for side in sides))
