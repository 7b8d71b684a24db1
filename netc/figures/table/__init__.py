"""The style `table`: one column a network, one row for what they have in common.

Networks without shortcuts are set as Simonyan & Zisserman 2014, Table 1; as soon as one has shortcuts, all are set as
He et al. 2015, Table 1.
"""

from __future__ import annotations

from collections.abc import Sequence

from netc.figures.facts import counted
from netc.figures.options import Options
from netc.figures.scene import Scene
from netc.figures.table import blocks, drawing, layers, text
from netc.figures.table.model import Column, Row, Table, unmarked
from netc.figures.tails import Tails, beside, notes
from netc.figures.trunk import read
from netc.program import Program


def draw(programs: Sequence[Program], options: Options) -> Scene:
    """The table as a figure. Raises `FigureError`."""
    return drawing.draw(_table(programs), options)


def markdown(programs: Sequence[Program], options: Options) -> str:
    """The table in GitHub's Markdown. Raises `FigureError`."""
    return text.markdown(_table(programs))


def latex(programs: Sequence[Program], options: Options) -> str:
    """The table as a `tabular` of plain LaTeX that fits the page of the options, or the line. Raises `FigureError`."""
    return text.latex(_table(programs), options.page[0])


def _table(programs: Sequence[Program]) -> Table:
    columns = [Column.of(program) for program in programs]
    rows = blocks.rows(columns) if any(column.trunk.shortcuts for column in columns) else layers.rows(columns)
    if _mostly_new(rows):
        rows = [unmarked(row) for row in rows]
    paths = [(column.name, Tails.of(read(column.facts.program.net, "table"), least=1)) for column in columns]
    habits = notes(paths, marked=False)
    counts = counted(*(column.facts.cost.total for column in columns))
    said = [blocks.strides(rows), "parameters: the trainable ones" if counts != "parameters" else ""]
    return Table(columns, rows, [*filter(None, said), *habits, *beside(paths)])


def _mostly_new(rows: Sequence[Row]) -> bool:
    """Whether networks have so little in common with those at their left that marks would say nothing."""
    others = [cell for row in rows if not row.band for cell in row.cells[1:] if cell]
    return 2 * sum(cell.added for cell in others) > len(others)
