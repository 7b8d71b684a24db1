"""The receptive field of a layer, as it lies on the inputs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from netc.analysis.receptive import is_placed, receptive_fields
from netc.diagnostics.escape import harmless
from netc.figures.facts import Facts
from netc.figures.styles import FigureError
from netc.ir.net import Net
from netc.ir.shape import show_shape
from netc.suggest import did_you_mean


@dataclass(frozen=True, slots=True)
class Seen:
    """What the position in the middle of a layer's map sees of an input: the first and the last pixel of each
    dimension."""

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
        return "×".join(str(last - first + 1) for first, last in self.pixels)


def seen(facts: Facts, net: Net, layer: str) -> dict[str, Seen]:
    """What a layer, by label or name, sees of each input that it reads. Raises `FigureError` where there is none such,
    for one that sees all of an input, and for inputs that are no images, which have no face to mark it on."""
    labels = facts.program.expansion.labels
    name = labels.get(layer, layer)
    if name not in net:
        known = did_you_mean(layer, [*labels, *(node.name for node in net)])
        raise FigureError(
            f"no layer has the label or name `{harmless(layer)}`" + "".join(f"; {text}" for text in known)
        )
    middles = [(side or 1) // 2 for side in net.shapes[name][:-1]]
    found: dict[str, Seen] = {}
    for source in net.inputs:
        fields, shape = receptive_fields(net, of=source), net.shapes[source]
        if name not in fields:
            continue
        axes, sides = fields[name], shape[:-1]
        if axes is not None and not is_placed(axes):
            raise FigureError(f"`{harmless(layer)}` is in no order of the input's: expected a layer before that")
        if axes is None or len(axes) != len(sides):
            raise FigureError(f"`{harmless(layer)}` sees the whole input: expected a layer whose output has positions")
        if len(sides) != 2:
            raise FigureError(f"what `{harmless(layer)}` sees is marked on images; `{source}` is {show_shape(shape)}")
        pixels = tuple(axis.at(middle) for axis, middle in zip(axes, middles, strict=True))
        found[source] = Seen(name, pixels, tuple(side or 1 for side in sides))
    return found


def words(found: Mapping[str, Seen]) -> str:
    """How the legend says it: the inputs are named where it differs between them."""
    sizes = {source: str(each) for source, each in found.items()}
    (layer,) = {each.layer for each in found.values()}
    if len(set(sizes.values())) == 1:
        return f"seen by {layer}: {next(iter(sizes.values()))}"
    return f"seen by {layer}: " + ", ".join(f"{size} of {source}" for source, size in sizes.items())
