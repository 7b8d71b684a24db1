"""A table as a scene."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate

from netc.figures.levels import are_relative
from netc.figures.options import Options
from netc.figures.page import sheet
from netc.figures.scene import Group, Item, Path, Rect, Scene, Text, fit, text_width
from netc.figures.table.model import Cell, Column, Row, Table

_TEXT, _SMALL = 12.0, 10.0
_LINE, _HIGH = 16.0, 22.0  # px: between the lines of a block, and the least height of a row
_PAD, _LEAST, _WIDEST = 12.0, 92.0, 260.0  # px: beside a text, and of a column
_HEADING = 42.0
_BRACKET, _TIMES = 5.0, 8.0  # px: how far brackets reach, and from there to the count


def draw(table: Table, options: Options) -> Scene:
    """The figure of a table."""
    items = list(_Grid.of(table).items())
    cells = [cell for row in table.rows for cell in row.cells if cell]
    means = ["sizes as parts of each input's"] if are_relative([column.trunk for column in table.columns]) else []
    means += ["coloured bands: common to all"] if any(row.band for row in table.rows) else []
    means += ["bold: not in the network at the left"] if any(cell.added or cell.recounted for cell in cells) else []
    alone = len(table.columns) == 1
    return sheet(
        items,
        title=", ".join(column.name for column in table.columns),
        facts=table.columns[0].facts.header() if alone else " · ".join(means),
        description=" ".join(column.facts.description() for column in table.columns),
        options=options,
        kinds=[box.look for item in items if isinstance(item, Group) for box in item.items if isinstance(box, Rect)],
        notes=table.notes,
    )


@dataclass(slots=True)
class _Grid:
    """Where columns begin (one more than there are), and rows."""

    table: Table
    lefts: list[float]
    tops: list[float]

    @classmethod
    def of(cls, table: Table) -> _Grid:
        """The grid that a table needs."""
        totals = table.totals()
        heads = [_width([title, *(row.head[at] for row in table.rows)], 0) for at, title in enumerate(table.heads)]
        heads[0] = max(heads[0], _width([name for name, _ in totals], 0))
        columns = []
        for at, column in enumerate(table.columns):
            cells = [cell for row in table.rows if (cell := row.cells[at])]
            texts = [column.name, column.depth, *(values[at] for _, values in totals)]
            columns.append(max(_width(texts, _LEAST), *(_cell_width(cell) for cell in cells)))
        lefts = list(accumulate([*heads, *columns], initial=0.0))
        tops = list(accumulate([*map(_height, table.rows), *[_HIGH] * len(totals)], initial=_HEADING))
        return cls(table, lefts, tops)

    @property
    def first(self) -> int:
        """Index of the first network's column."""
        return len(self.lefts) - 1 - len(self.table.columns)

    def items(self) -> Iterator[Item]:
        """Rules, then what stands between them."""
        yield Group(list(self._rules()), look="rule")
        for left, title in zip(self.lefts, self.table.heads, strict=False):
            yield Text(left + _PAD, 18, title, _TEXT, "start", bold=True)
        for at, column in enumerate(self.table.columns):
            yield from self._heading(at, column)
        for number, row in enumerate(self.table.rows):
            yield from self._row(number, row)
        start = len(self.table.rows)
        for number, (name, values) in enumerate(self.table.totals(), start):
            y = (self.tops[number] + self.tops[number + 1]) / 2 + 4
            yield Text(_PAD, y, name, _TEXT, "start")
            for at, value in enumerate(values):
                yield Text(self._middle(at), y, value, _TEXT)

    def _middle(self, at: int) -> float:
        return (self.lefts[self.first + at] + self.lefts[self.first + at + 1]) / 2

    def _rules(self) -> Iterator[Item]:
        right, bottom = self.lefts[-1], self.tops[-1]
        starts = [top for row, top in zip(self.table.rows, self.tops, strict=False) if row.starts]
        for y in (0.0, *starts, self.tops[len(self.table.rows)], bottom):
            yield Path((0, y), [((right, y),)], role="rule")
        for x in (0.0, *self.lefts[1:]):
            yield Path((x, 0), [((x, bottom),)], role="rule")

    def _heading(self, at: int, column: Column) -> Iterator[Item]:
        width = self.lefts[self.first + at + 1] - self.lefts[self.first + at] - _PAD
        yield Text(self._middle(at), 18, fit(column.name, width, _TEXT, True), _TEXT, bold=True)
        yield Text(self._middle(at), 33, column.depth, _SMALL, look="muted")

    def _row(self, number: int, row: Row) -> Iterator[Item]:
        top, bottom = self.tops[number], self.tops[number + 1]
        for at, text in enumerate(row.head):
            if text:
                yield Text(self.lefts[at] + _PAD, top + 15, text, _TEXT, "start")
        if row.band and row.cells[0]:
            yield self._cell(0, row.cells[0], (self.lefts[self.first], top, self.lefts[-1], bottom), filled=True)
            return
        for at, cell in enumerate(row.cells):
            if cell:
                left, right = self.lefts[self.first + at : self.first + at + 2]
                yield self._cell(at, cell, (left + 3, top + 2, right - 3, bottom - 2), filled=cell.added)

    def _cell(self, at: int, cell: Cell, box: tuple[float, float, float, float], filled: bool) -> Group:
        left, top, right, bottom = box
        items: list[Item] = [Rect(left, top, right - left, bottom - top, cell.kind)] if filled else []
        items += _texts(cell, (left + right) / 2, (top + bottom) / 2, right - left)
        unit, role = cell.unit, "box" if filled else ""
        if unit is None:
            return Group(items, role=role)
        prefix = f"n{at + 1}_" if len(self.table.columns) > 1 else ""
        return self.table.columns[at].facts.drawn(items, unit.node, unit.names, role, prefix)


def _texts(cell: Cell, x: float, y: float, room: float) -> Iterator[Item]:
    """A cell's text around a point; a block in brackets with its count after."""
    if not cell.times:
        yield Text(x, y + 4, fit(cell.lines[0], room - 4, _TEXT, cell.added), _TEXT, bold=cell.added)
        return
    inner, count = _inner(cell), cell.count
    whole = inner + 2 * _BRACKET + _TIMES + text_width(count, _TEXT, True)
    bold = cell.added or cell.recounted
    left = x - whole / 2
    middle, right = left + _BRACKET + inner / 2, left + inner + 2 * _BRACKET
    half = len(cell.lines) * _LINE / 2
    for at, line in enumerate(cell.lines):
        yield Text(middle, y - half + at * _LINE + 12, fit(line, inner, _TEXT, cell.added), _TEXT, bold=cell.added)
    for edge, tip in ((left, left + _BRACKET), (right, right - _BRACKET)):
        corners = ((edge, y - half), (edge, y + half), (tip, y + half))
        yield Path((tip, y - half), [(corner,) for corner in corners], "bracket", role="bracket")
    yield Text(right + _TIMES - 3, y + 4, count, _TEXT, "start", bold=bold)


def _inner(cell: Cell) -> float:
    """The width between brackets."""
    return min(max(text_width(line, _TEXT, True) for line in cell.lines), _WIDEST) + 4


def _cell_width(cell: Cell) -> float:
    if not cell.times:
        return _width(cell.lines, 0)
    return _inner(cell) + 2 * _BRACKET + _TIMES + text_width(cell.count, _TEXT, True) + 2 * _PAD


def _width(texts: Sequence[str], least: float) -> float:
    widest = max((text_width(text, _TEXT, True) for text in texts), default=0.0)
    return min(max(widest + 2 * _PAD, least), _WIDEST)


def _height(row: Row) -> float:
    lines = max((len(cell.lines) for cell in row.cells if cell and cell.times), default=0)
    return max(_HIGH, lines * _LINE + 10) if lines else _HIGH
