"""The rows of a summary: one for each layer, grouped as the statements of the spec group them."""

from __future__ import annotations

from dataclasses import dataclass, field

from netc.analysis.cost import Cost, NetCost
from netc.analysis.receptive import Field
from netc.analysis.sizes import text
from netc.analysis.sizes.trace import Amounts, Extents, Formulas, named
from netc.analysis.structure import Group, Item, Layers, Series, structure
from netc.diagnostics.escape import harmless
from netc.ir.net import Net, Node
from netc.ir.shape import Shape
from netc.lower.expansion import Task, walk
from netc.program import Program
from netc.report.label import kind
from netc.syntax.source import Span

NOTHING = Amounts()


@dataclass(slots=True)
class Row:
    """A layer, or a group (a call, a `repeat` or one of its passes) with the sum of what it made.

    `indent` is spaces, with a bar where a branch begins; `statement` names the top-level statement around. A
    statement that makes nothing (`from enc1`) has no cost. `extents` and `amounts` say shape, MACs and memory where
    sizes are open, as formulas.
    """

    indent: str
    name: str
    kind: str
    shape: Shape | None
    field: Field
    line: int | None
    statement: str
    cost: Cost | None = None
    node: Node | None = None
    extents: Extents = ()
    amounts: Amounts = NOTHING


@dataclass(slots=True)
class Rows:
    """The rows of a program, in the order of its statements."""

    program: Program
    cost: NetCost
    fields: dict[str, Field]
    formulas: Formulas | None = None  # of a network with open sizes
    rows: list[Row] = field(default_factory=list)
    _sums: list[Cost] = field(default_factory=lambda: [Cost()])  # of the open groups, outermost first
    _amounts: list[Amounts] = field(default_factory=lambda: [Amounts()])  # of the same
    _statement: str = ""

    def collect(self) -> list[Row]:
        """All rows."""
        walk(self._items(structure(self.program), "", top=True))
        return self.rows

    def _items(self, series: Series, indent: str, top: bool = False) -> Task:
        for item in series.items:
            name = _name(item)
            if top:
                self._statement = name
            if isinstance(item, Layers):
                for branch in item.branches:
                    yield self._branch(branch, indent)
                self._layers(item, indent)
            else:
                row = self._row(indent, name, _one_line(item.head), item.result, item.span)
                yield self._group(row, item.passes)

    def _group(self, row: Row, passes: list[Series]) -> Task:
        self.rows.append(row)
        self._sums.append(Cost())
        self._amounts.append(Amounts())
        inner = " " * len(row.indent) + "  "
        for number, series in enumerate(passes, 1):
            if len(passes) > 1 and len(series.items) > 1:
                yield self._group(self._row(inner, f"pass {number}", "", series.result, None), [series])
            else:
                yield self._items(series, inner)
        row.cost, row.amounts = self._sums.pop(), self._amounts.pop()
        self._sums[-1] += row.cost
        self._amounts[-1] += row.amounts

    def _branch(self, branch: Series, indent: str) -> Task:
        start, inner = len(self.rows), " " * len(indent)
        yield self._items(branch, inner + "  ")
        if len(self.rows) == start:
            self.rows.append(self._row("", "identity", "", branch.result, None))
        self.rows[start].indent = inner + "| "

    def _layers(self, item: Layers, indent: str) -> None:
        if not item.names:
            self.rows.append(self._row(indent, _name(item), "", item.result, item.span))
        for name in item.names:
            if name not in self.program.net:
                continue
            node, cost = self.program.net.node(name), self.cost.layers[name]
            row = self._row(indent, name, kind_of(node, self.program.net), name, None)
            row.node, row.cost, row.line = node, cost, node_line(self.program, node)
            self.rows.append(row)
            self._sums[-1] += cost
            if self.formulas is not None:
                row.amounts = self.formulas.amounts(name)
                self._amounts[-1] += row.amounts

    def _row(self, indent: str, name: str, kind: str, result: str | None, span: Span | None) -> Row:
        line = line_of(self.program, span) if span else None
        if result is None or result not in self.program.net:
            return Row(indent, name, kind, None, None, line, self._statement)
        shape = self.program.net.shapes[result]
        extents = shape if self.formulas is None else self.formulas.shapes[result]
        return Row(indent, name, kind, shape, self.fields[result], line, self._statement, extents=extents)


def kind_of(node: Node, net: Net) -> str:
    """A layer in a few words; an open size of an input by its symbol: `input HxWx3`."""
    shape = net.shapes[node.name]
    if node.layer.is_input and None in shape:
        return f"{node.layer.op} {text.shape(named(shape))}"
    return kind(node.layer, shape)


def _name(item: Item) -> str:
    if isinstance(item, Group):
        return item.name
    return item.names[0] if item.names else _one_line(item.span.text if item.span else "")


def _one_line(text: str) -> str:
    return harmless(" ".join(text.split()))


def node_line(program: Program, node: Node) -> int | None:
    """The line of the program's own file that made a node: its own, or that of the call that led to it."""
    line = line_of(program, node.origin.span)
    if line is not None or node.origin.frame is None:
        return line
    lines = (line_of(program, frame.span) for frame in node.origin.frame.chain())
    return next((line for line in lines if line is not None), None)


def line_of(program: Program, span: Span) -> int | None:
    """The line of a span in the program's own file, None elsewhere."""
    return span.line if span.source is program.file.source else None
