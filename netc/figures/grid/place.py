"""Columns of the grid: a cell's rank on the longest path, where an arrow counts 1, or 0 if it may stand upright.

Arrows in a row count 1, and so do those over more than one row. One to the next row stands upright, unless its source
goes on in its own row, or it ends in a merge beside one that does not. In a nested network (U-Net++: Zhou et al. 2018,
arXiv:1807.10165) none stands upright, which gives it its triangle.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from netc.figures.grid.reduce import Arrow, Cell


@dataclass(slots=True)
class Columns:
    """The column of each cell, in the order of cells, and how many there are."""

    of: dict[int, int]  # by the id of the cell
    count: int

    def __getitem__(self, cell: Cell) -> int:
        return self.of[id(cell)]


def place(cells: Sequence[Cell]) -> Columns:
    """The columns of cells, each of which stands after those that it reads."""
    nested = _triangles(cells) > 1
    weights = _weights(cells, nested)
    found: dict[int, int] = {}
    last: dict[int, int] = {}  # row -> its last column so far
    for cell in cells:
        wanted = max((found[id(arrow.source)] + weights[id(arrow)] for arrow in cell.arrows), default=0)
        found[id(cell)] = last[cell.row] = max(wanted, last.get(cell.row, -1) + 1)
    after: dict[int, int] = {}  # row -> the column of the cell after
    for cell in () if nested else reversed(cells):  # as late as it may stand, which sets parallel streams side by side
        latest = min((found[id(arrow.target)] - weights[id(arrow)] for arrow in cell.readers), default=found[id(cell)])
        latest = min(latest, after.get(cell.row, latest + 1) - 1)
        found[id(cell)] = after[cell.row] = max(found[id(cell)], latest)
    first = min(found.values())
    found = {key: column - first for key, column in found.items()}
    return Columns(found, max(found.values()) + 1)


def _weights(cells: Sequence[Cell], nested: bool) -> dict[int, int]:
    """What each arrow counts, by its id."""
    weights: dict[int, int] = {}
    for cell in cells:
        for arrow in cell.arrows:
            weights[id(arrow)] = 0 if not nested and _stands(arrow) else 1
        across = [arrow for arrow in cell.arrows if arrow.source.row != cell.row]
        if len(cell.arrows) > 1 and any(weights[id(arrow)] for arrow in across):
            weights.update((id(arrow), 1) for arrow in across)
    return weights


def _stands(arrow: Arrow) -> bool:
    """Whether an arrow may stand upright, going by its own ends."""
    down = arrow.target.row - arrow.source.row
    if abs(down) != 1 or (down == 1 and len(arrow.target.arrows) > 1):
        return False
    return not any(_goes_on(other) for other in arrow.source.readers)


def _goes_on(arrow: Arrow) -> bool:
    """Whether a stream goes on in its row: with a map that is no output alone."""
    target = arrow.target
    return target.row == arrow.source.row and len(target.arrows) == 1 and bool(target.readers)


def _triangles(cells: Sequence[Cell]) -> int:
    """Maps that a merge reads beside what is made of them one row below and comes back."""
    count = 0
    for cell in cells:
        direct = {id(arrow.source) for arrow in cell.arrows if arrow.source.row == cell.row}
        below = [arrow.source for arrow in cell.arrows if arrow.source.row == cell.row + 1]
        count += any(id(arrow.source) in direct for each in below for arrow in each.arrows)
    return count
