"""Rows as He et al. 2015, Table 1: a row for each output size, with blocks of layers in brackets."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from netc.figures.align import align
from netc.figures.facts import label
from netc.figures.stages import Size, output_size, show_size
from netc.figures.table.model import Cell, Column, Row, is_common, marked
from netc.figures.trunk import Trunk, Unit, short, stages


def rows(columns: Sequence[Column]) -> list[Row]:
    """The rows of networks of which some have shortcuts."""
    networks = [_sizes(column) for column in columns]
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
            band = is_common(row) and not any(cell and cell.times for cell in row)
            head = (name, show_size(size)) if at == 0 else ("", "")
            made.append(Row(tuple(row) if band else marked(row), band, head, at == 0))
    return made


def _pairing(one: Cell, other: Cell) -> float | None:
    if one.kind != other.kind:
        return None
    return float(one != other)


def _sizes(column: Column) -> list[tuple[Size, list[Cell]]]:
    """The cells of each run of one output size."""
    units = column.trunk.units
    sizes = [output_size(column.facts, unit) for unit in units]
    blocks = _blocks(column.trunk, sizes)
    return [(sizes[run.start], list(_cells(units, run, blocks))) for run in stages(sizes)]


def _blocks(trunk: Trunk, sizes: Sequence[Size]) -> dict[int, int]:
    """Index of the first unit of each block -> of the one after its last: what shortcuts span, outermost only, as far
    as all of it has one size."""
    spans: dict[int, int] = {}
    end = 0
    for shortcut in sorted(trunk.shortcuts, key=lambda shortcut: (shortcut.start, -shortcut.end)):
        if shortcut.start + 1 < end:
            continue
        if len(set(sizes[shortcut.start + 1 : shortcut.end + 1])) == 1:
            end = shortcut.end + 1
            spans[shortcut.start + 1] = end
    return spans


def _cells(units: Sequence[Unit], run: range, blocks: dict[int, int]) -> Iterator[Cell]:
    parts: list[tuple[tuple[str, ...], Unit]] = []
    at = run.start
    while at < run.stop:
        end = blocks.get(at, at + 1)
        parts.append((tuple(short(unit.layer, unit.shape) for unit in units[at:end]), units[at]))
        at = end
    for lines, group in groupby(parts, key=lambda part: part[0]):
        same = list(group)
        unit = same[0][1]
        if len(lines) > 1 or len(same) > 1:
            yield Cell(lines, unit.layer.family, len(same), unit)
        else:
            alone = label(unit.layer, unit.shape).replace(" conv", "", 1)  # with its stride: `7×7, 64, /2`
            yield Cell((alone,), unit.layer.family, 0, unit)
