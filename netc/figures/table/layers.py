"""Rows as Simonyan & Zisserman 2014, Table 1: a row for each layer, common pools and heads across all networks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from netc.figures.align import align
from netc.figures.facts import label, times
from netc.figures.levels import Size, are_relative, levels
from netc.figures.table.model import Cell, Column, Row, is_common, marked
from netc.figures.trunk import Unit, kernel
from netc.ir.shape import rank_of
from netc.layers.sliding import spread
from netc.report.label import dilation, groups


@dataclass(frozen=True, slots=True)
class Part:
    """Layers between two of the rows that cut the table, or one such row."""

    cells: tuple[Cell, ...]
    size: Size
    cuts: bool


def rows(columns: Sequence[Column]) -> list[Row]:
    """The rows of networks without shortcuts."""
    relative = are_relative([column.trunk for column in columns])
    networks = [_parts(column, relative) for column in columns]
    made: list[Row] = []
    for indices in align(networks, _pairing):
        parts = [parts[at] if at is not None else None for parts, at in zip(networks, indices, strict=True)]
        cuts = next(part.cuts for part in parts if part)
        cells = [part.cells if part else () for part in parts]
        for number, places in enumerate(align(cells, lambda a, b: float(a != b))):
            row = [own[at] if at is not None else None for own, at in zip(cells, places, strict=True)]
            band = cuts and is_common(row)
            head = "" if cuts or number else _size(parts)
            made.append(Row(tuple(row) if band else marked(row), band, (head,), starts=number == 0))
    return made


def _size(parts: Sequence[Part | None]) -> str:
    """The output size of a row, where all networks have the same."""
    sizes = {part.size for part in parts if part}
    return str(sizes.pop()) if len(sizes) == 1 else ""


def _pairing(one: Part, other: Part) -> float | None:
    if one.cuts != other.cuts or (one.cuts and one.cells[0].kind != other.cells[0].kind):
        return None
    return 0.5 * (one.size != other.size) + 0.25 * (one.cells != other.cells)


def _parts(column: Column, relative: bool) -> list[Part]:
    parts: list[Part] = []
    for cell, size in _cells(column, relative):
        cuts = cell.kind in ("input", "pool", "dense", "activation")
        if cuts or not parts or parts[-1].cuts:
            parts.append(Part((cell,), size, cuts))
        else:
            parts[-1] = Part((*parts[-1].cells, cell), size, cuts)
    return parts


def _cells(column: Column, relative: bool) -> Iterator[tuple[Cell, Size]]:
    units = column.trunk.units
    for unit, size in zip(units, levels(column.facts, column.trunk, relative), strict=True):
        yield Cell((_text(unit),), unit.layer.family, unit=unit), size
    if (last := units[-1].layer).family == "dense" and last.ending == "softmax":
        yield Cell(("soft-max",), "activation"), Size()


def _text(unit: Unit) -> str:
    """A layer in the paper's words: `conv3-64`, `maxpool`, `FC-4096`."""
    layer, shape = unit.layer, unit.shape
    if layer.family == "dense":
        return f"FC-{shape[-1]}"
    if "kernel" not in vars(layer):
        return label(layer, shape)
    window = kernel(layer, shape)
    if len(set(window.split("×"))) == 1:
        window = window.split("×")[0]
    values = vars(layer)
    steps = spread(values["kernel"] if values.get("stride") is None else values["stride"], rank_of(shape))
    stride = str(steps[0]) if len(set(steps)) == 1 else "×".join(map(str, steps))
    if layer.family == "pool":
        word = layer.paper.replace(" ", "")
        return word if (window, stride) == ("2", "2") else f"{word} {window}/{stride}"
    text = f"{layer.op}{window}-{shape[-1]}" + (f" {'×' if layer.enlarges else '/'}{stride}" if stride != "1" else "")
    return ", ".join(filter(None, [text, times(dilation(layer)), groups(layer)]))
