"""A table as a scene."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate

from netc.figures.levels import are_relative
from netc.figures.options import Options
from netc.figures.page import sheet
from netc.figures.scene import Group, Item, Path, Rect, Scene, Text, fit, text_width
from netc.figures.styles import FigureError
from netc.figures.table.model import Cell, Column, Row, Table

_WIDEST = 260.0  # of a column
_BRACKET, _TIMES = 5.0, 8.0  # how far brackets reach, and from there to the count


@dataclass(frozen=True, slots=True)
class _Measures:
    """Sizes of the text and of the smaller one, the least height of a row and between the lines of a block, the space
    beside a text, and the least width of a network's column."""

    text: float
    small: float
    row: float
    line: float
    pad: float
    least: float

    @property
    def heading(self) -> float:
        """The height of the first row: a name and the depth below it."""
        return self.text + self.small + 20

    def width(self, texts: Sequence[str], least: float = 0) -> float:
        """Of a column of these texts."""
        widest = max((text_width(text, self.text, True) for text in texts), default=0.0)
        return min(max(widest + 2 * self.pad, least), _WIDEST)

    def inner(self, cell: Cell) -> float:
        """The width between brackets."""
        return min(max(text_width(line, self.text, True) for line in cell.lines), _WIDEST) + 4

    def cell(self, cell: Cell) -> float:
        """The width of a cell."""
        if not cell.times:
            return self.width(cell.lines)
        return self.inner(cell) + 2 * _BRACKET + _TIMES + text_width(cell.count, self.text, True) + 2 * self.pad

    def height(self, row: Row) -> float:
        """The height of a row."""
        lines = max((len(cell.lines) for cell in row.cells if cell and cell.times), default=0)
        return max(self.row, lines * self.line + 10) if lines else self.row


_WIDE = _Measures(text=12, small=10, row=22, line=16, pad=12, least=92)
_NARROW = _Measures(text=10, small=10, row=17, line=13, pad=5, least=0)


def draw(table: Table, options: Options) -> Scene:
    """The figure of a table; of little space between its texts where a page asks for it."""
    if options.page == (None, None):
        return _drawn(table, options, _WIDE)
    try:
        return _drawn(table, options, _WIDE)
    except FigureError:
        return _drawn(table, options, _NARROW)


def _drawn(table: Table, options: Options, measures: _Measures) -> Scene:
    items = list(_Grid.of(table, measures).items())
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
    measures: _Measures
    lefts: list[float]
    tops: list[float]

    @classmethod
    def of(cls, table: Table, measures: _Measures) -> _Grid:
        """The grid that a table needs."""
        totals = table.totals()
        heads = [measures.width([title, *(row.head[at] for row in table.rows)]) for at, title in enumerate(table.heads)]
        heads[0] = max(heads[0], measures.width([name for name, _ in totals]))
        columns = []
        for at, column in enumerate(table.columns):
            cells = [cell for row in table.rows if not row.band and (cell := row.cells[at])]
            texts = [column.name, column.depth, *(values[at] for _, values in totals)]
            columns.append(max([measures.width(texts, measures.least), *(measures.cell(cell) for cell in cells)]))
        bands = [measures.cell(cell) for row in table.rows if row.band and (cell := row.cells[0])]
        lacking = max([0.0, *(width - sum(columns) for width in bands)])
        columns = [column + lacking / len(columns) for column in columns]
        lefts = list(accumulate([*heads, *columns], initial=0.0))
        tops = list(
            accumulate([*map(measures.height, table.rows), *[measures.row] * len(totals)], initial=measures.heading)
        )
        return cls(table, measures, lefts, tops)

    @property
    def first(self) -> int:
        """Index of the first network's column."""
        return len(self.lefts) - 1 - len(self.table.columns)

    def items(self) -> Iterator[Item]:
        """Rules, then what stands between them."""
        yield Group(list(self._rules()), look="rule")
        for left, title in zip(self.lefts, self.table.heads, strict=False):
            yield Text(left + self.measures.pad, self.measures.text + 6, title, self.measures.text, "start", bold=True)
        for at, column in enumerate(self.table.columns):
            yield from self._heading(at, column)
        for number, row in enumerate(self.table.rows):
            yield from self._row(number, row)
        start = len(self.table.rows)
        for number, (name, values) in enumerate(self.table.totals(), start):
            y = (self.tops[number] + self.tops[number + 1]) / 2 + 4
            yield Text(self.measures.pad, y, name, self.measures.text, "start")
            for at, value in enumerate(values):
                yield Text(self._middle(at), y, value, self.measures.text)

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
        width = self.lefts[self.first + at + 1] - self.lefts[self.first + at] - self.measures.pad
        yield Text(
            self._middle(at),
            self.measures.text + 6,
            fit(column.name, width, self.measures.text, True),
            self.measures.text,
            bold=True,
        )
        yield Text(
            self._middle(at),
            self.measures.text + self.measures.small + 11,
            column.depth,
            self.measures.small,
            look="muted",
        )

    def _row(self, number: int, row: Row) -> Iterator[Item]:
        top, bottom = self.tops[number], self.tops[number + 1]
        for at, text in enumerate(row.head):
            if text:
                yield Text(
                    self.lefts[at] + self.measures.pad,
                    top + self.measures.row / 2 + 4,
                    text,
                    self.measures.text,
                    "start",
                )
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
        items += self._texts(cell, (left + right) / 2, (top + bottom) / 2, right - left)
        unit, role = cell.unit, "box" if filled else ""
        if unit is None:
            return Group(items, role=role)
        prefix = f"n{at + 1}_" if len(self.table.columns) > 1 else ""
        return self.table.columns[at].facts.drawn(items, unit.node, unit.names, role, prefix)

    def _texts(self, cell: Cell, x: float, y: float, room: float) -> Iterator[Item]:
        """A cell's text around a point; a block in brackets with its count after."""
        if not cell.times:
            text = fit(cell.lines[0], room - 4, self.measures.text, cell.added)
            yield Text(x, y + 4, text, self.measures.text, bold=cell.added)
            return
        inner, count = self.measures.inner(cell), cell.count
        whole = inner + 2 * _BRACKET + _TIMES + text_width(count, self.measures.text, True)
        bold = cell.added or cell.recounted
        left = x - whole / 2
        middle, right = left + _BRACKET + inner / 2, left + inner + 2 * _BRACKET
        half = len(cell.lines) * self.measures.line / 2
        for at, line in enumerate(cell.lines):
            yield Text(
                middle,
                y - half + (at + 0.5) * self.measures.line + 4,
                fit(line, inner, self.measures.text, cell.added),
                self.measures.text,
                bold=cell.added,
            )
        for edge, tip in ((left, left + _BRACKET), (right, right - _BRACKET)):
            corners = ((edge, y - half), (edge, y + half), (tip, y + half))
            yield Path((tip, y - half), [(corner,) for corner in corners], "bracket", role="bracket")
        yield Text(right + _TIMES - 3, y + 4, count, self.measures.text, "start", bold=bold)
