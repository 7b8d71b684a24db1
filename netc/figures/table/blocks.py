"""Rows as He et al. 2015, Table 1: a row for each output size, with blocks of layers in brackets."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from math import prod

from netc.figures.align import align
from netc.figures.facts import label, listed
from netc.figures.levels import Size, are_relative, levels, scales
from netc.figures.table.model import Cell, Column, Row, is_common, marked
from netc.figures.trunk import Trunk, Unit, short, stages
from netc.ir.net import Net
from netc.layers.base import Layer


def rows(columns: Sequence[Column]) -> list[Row]:
    """The rows of networks of which some have shortcuts."""
    relative = are_relative([column.trunk for column in columns])
    networks = [_sizes(column, relative) for column in columns]
    made: list[Row] = []
    number = 0
    for indices in align(networks, lambda a, b: 0.0 if a[0] == b[0] else None):
        parts = [parts[at] if at is not None else None for parts, at in zip(networks, indices, strict=True)]
        cells = [part[1] if part else [] for part in parts]
        size = next(part[0] for part in parts if part)
        convolutional = any(cell.kind == "conv" for own in cells for cell in own)
        number += convolutional
        blocks = any(cell.times for own in cells for cell in own)
        name = f"conv{number}" + ("_x" if blocks else "") if convolutional else ""
        for at, places in enumerate(align(cells, _pairing)):
            row = [own[place] if place is not None else None for own, place in zip(cells, places, strict=True)]
            band = is_common(row) and (len(row) == 1 or not any(cell and cell.times for cell in row))
            head = (name, str(size)) if at == 0 else ("", "")
            made.append(Row(tuple(row) if band else marked(row), band, head, at == 0))
    return made


def strides(rows: Sequence[Row]) -> str:
    """What brackets leave out: which of them begin with a stride. Empty if none does."""
    names: list[str] = []
    name, alike = "", True
    for row in rows:
        name = row.head[0] or name
        strided = [cell.strided for cell in row.cells if cell and cell.times]
        if any(strided):
            names.append(name)
            alike = alike and all(strided)
    if not names:
        return ""
    if not alike:
        return "where no row of a smaller size says a stride, its first block has one"
    return f"the first block of {listed(names)} has a stride"


def _pairing(one: Cell, other: Cell) -> float | None:
    if one.kind != other.kind:
        return None
    return float(one != other)


def _sizes(column: Column, relative: bool) -> list[tuple[Size, list[Cell]]]:
    """The cells of each run of one output size. A block that makes maps smaller belongs to the size it ends with."""
    trunk, sizes = column.trunk, levels(column.facts, column.trunk, relative)
    blocks = _blocks(trunk, sizes)
    for start, end in blocks.items():
        sizes[start:end] = [sizes[end - 1]] * (end - start)
    return [(sizes[run.start], list(_cells(trunk, run, blocks))) for run in stages(sizes)]


def _blocks(trunk: Trunk, sizes: Sequence[Size]) -> dict[int, int]:
    """Index of the first unit of each block -> of the one after its last: what shortcuts span, outermost only, as far
    as it has one size, or one and then a smaller one; not counting layers of a factor a channel (squeeze and
    excitation: Hu et al. 2018)."""
    spans: dict[int, int] = {}
    end, known = 0, scales(trunk.net)
    scale = [known[unit.node.name] for unit in trunk.units]
    for shortcut in sorted(trunk.shortcuts, key=lambda shortcut: (shortcut.start, -shortcut.end)):
        if shortcut.start + 1 < end:
            continue
        units = [at for at in range(shortcut.start + 1, shortcut.end + 1) if scale[at] or not sizes[at].pixels]
        inside = [size for size, _ in groupby(sizes[at] for at in units)]
        before, after = scale[shortcut.start + 1], scale[shortcut.end]
        if len(inside) == 1 or (len(inside) == 2 and before and after and prod(before) < prod(after)):
            end = shortcut.end + 1
            spans[shortcut.start + 1] = end
    return spans


def _cells(trunk: Trunk, run: range, blocks: dict[int, int]) -> Iterator[Cell]:
    units = trunk.units
    parts: list[tuple[tuple[str, ...], bool, Sequence[Unit]]] = []  # lines, whether in brackets, what they say
    at = run.start
    while at < run.stop:
        end = blocks.get(at, at + 1)
        said = units[at:end]
        if at in blocks and said[-1].layer.residual and len(said) > 1:
            said = said[:-1]  # the sum that brackets stand for
        parts.append((tuple(_line(unit, at in blocks) for unit in said), at in blocks, units[at:end]))
        at = end
    for (lines, bracketed), group in groupby(parts, key=lambda part: part[:2]):
        same = [part[2] for part in group]
        unit = same[0][0]
        if bracketed or len(same) > 1:
            strided = any(_steps(trunk.net, each) for each in same[0])
            yield Cell(lines, unit.layer.family, len(same), unit, strided=strided)
        else:
            yield Cell((_alone(unit.layer, unit),), unit.layer.family, 0, unit)


def _line(unit: Unit, bracketed: bool) -> str:
    """A layer of a block; how many channels it concatenates changes from block to block."""
    if unit.layer.family == "merge":
        return unit.layer.op if bracketed else f"{unit.layer.op}, {unit.shape[-1]}"
    return short(unit.layer, unit.shape)


def _alone(layer: Layer, unit: Unit) -> str:
    """A layer outside brackets, with its stride and activation: `7×7, 64, /2`, `3×3 dw, 144, /2`."""
    if layer.family == "merge":
        return _line(unit, False)
    head, *rest = label(layer, unit.shape).replace(" conv", "", 1).split(", ")
    if layer.mark is not None and str(unit.shape[-1]) not in rest:
        rest.insert(0, str(unit.shape[-1]))
    return ", ".join([head, *rest])


def _steps(net: Net, unit: Unit) -> bool:
    return any(window.stride > 1 for window in unit.layer.windows(net.operand_shapes(unit.node.name)) or ())
