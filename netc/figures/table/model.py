"""What a table holds, before it becomes a figure, Markdown or LaTeX."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from netc.figures.facts import Facts
from netc.figures.trunk import Trunk, Unit, is_own, read
from netc.layers.base import Layer
from netc.program import Program
from netc.report.summary import human


@dataclass(frozen=True, slots=True)
class Cell:
    """What a network has in a row: a layer, or a block of layers (`lines`) in brackets with how often it comes.

    `kind` is the family of its layers. Cells are equal that say the same; `unit` is the first layer. `strided`: the
    first of the blocks has a stride, which its lines do not say.
    """

    lines: tuple[str, ...]
    kind: str
    times: int = 0  # 0: no brackets
    unit: Unit | None = field(default=None, compare=False)
    strided: bool = field(default=False, compare=False)
    added: bool = field(default=False, compare=False)  # the network at the left lacks it
    recounted: bool = field(default=False, compare=False)  # the network at the left has it, but not as often

    @property
    def body(self) -> str:
        """The layers as one line, without their count."""
        return f"[{'; '.join(self.lines)}]" if self.times else self.lines[0]

    @property
    def count(self) -> str:
        """How often the block comes: `×3`; empty without brackets."""
        return f"×{self.times}" if self.times else ""


@dataclass(frozen=True, slots=True)
class Row:
    """One row. `head` is what stands at its left, where the table has such columns. A row whose cells are all the same
    and belong to all networks is a `band`; `starts` says that a rule is above it."""

    cells: tuple[Cell | None, ...]
    band: bool
    head: tuple[str, ...]
    starts: bool


@dataclass(slots=True)
class Column:
    """A network of the table."""

    facts: Facts
    trunk: Trunk

    @classmethod
    def of(cls, program: Program) -> Column:
        """The column of a program. Raises `FigureError`."""
        return cls(Facts(program), read(program.net, "table", _is_row))

    @property
    def name(self) -> str:
        """The name of the network."""
        return self.facts.program.name

    @property
    def depth(self) -> str:
        """Its layers, as papers count them."""
        return f"{self.facts.cost.depth} weight layer{'s' * (self.facts.cost.depth != 1)}"


@dataclass(slots=True)
class Table:
    """A whole table; costs are its last two rows."""

    columns: Sequence[Column]
    rows: list[Row]
    notes: list[str] = field(default_factory=list)

    @property
    def heads(self) -> tuple[str, ...]:
        """Titles of the columns at the left of the networks."""
        return ("output size",) if len(self.rows[0].head) == 1 else ("layers", "output size")

    def totals(self) -> list[tuple[str, list[str]]]:
        """MACs and exact parameters of each network."""
        totals = [column.facts.cost.total for column in self.columns]
        return [
            ("MACs", [column.facts.macs() or human(column.facts.cost.total.macs) for column in self.columns]),
            ("parameters", [f"{total.trainable:,}" for total in totals]),
        ]


def _is_row(layer: Layer) -> bool:
    return is_own(layer) or layer.listed


def marked(cells: Sequence[Cell | None]) -> tuple[Cell | None, ...]:
    """Cells of a row, each marked when the network at its left lacks it, or has it in another number."""
    pairs = zip(cells, [cells[0], *cells], strict=False)
    return tuple(None if cell is None else _compared(cell, left) for cell, left in pairs)


def _compared(cell: Cell, left: Cell | None) -> Cell:
    known = left is not None and (cell.kind, cell.lines) == (left.kind, left.lines)
    return replace(cell, added=not known, recounted=known and cell != left)


def unmarked(row: Row) -> Row:
    """A row without marks."""
    return replace(row, cells=tuple(cell and replace(cell, added=False, recounted=False) for cell in row.cells))


def is_common(cells: Sequence[Cell | None]) -> bool:
    """Whether all networks have the same in a row."""
    return all(cell is not None and cell == cells[0] for cell in cells)
