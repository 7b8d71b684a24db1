"""The rows of a summary: one for each layer, grouped as the statements of the spec group them."""

from __future__ import annotations

from dataclasses import dataclass, field

from netc.diagnostics.escape import harmless
from netc.ir.net import Node
from netc.ir.shape import Shape
from netc.lower.expansion import Body, CallStep, IfStep, LayerStep, RepeatStep, Task, walk
from netc.program import Program
from netc.report.cost import Cost, NetCost
from netc.report.label import kind
from netc.report.receptive import Field
from netc.syntax.source import Span


@dataclass(slots=True)
class Row:
    """A layer, or a group (a call, a `repeat` or one of its passes) with the sum of what it made.

    `indent` is spaces, with a bar where a branch begins; `statement` names the top-level statement around. A
    statement that makes nothing (`from enc1`) has no cost.
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


@dataclass(slots=True)
class Rows:
    """The rows of a program, in the order of its statements."""

    program: Program
    cost: NetCost
    fields: dict[str, Field]
    rows: list[Row] = field(default_factory=list)
    _sums: list[Cost] = field(default_factory=lambda: [Cost()])  # of the open groups, outermost first
    _statement: str = ""

    def collect(self) -> list[Row]:
        """All rows."""
        walk(self._steps(self.program.expansion, "", top=True))
        return self.rows

    def _steps(self, body: Body, indent: str, top: bool = False) -> Task:
        for step in body.steps:
            if isinstance(step, IfStep):
                if step.ran is not None:
                    yield self._steps(step.ran, indent, top)
                continue
            name = _name(step)
            if top:
                self._statement = name
            if isinstance(step, LayerStep):
                for branch in step.branches:
                    yield self._branch(branch, indent)
                self._layers(step, indent)
            else:
                row = self._row(indent, name, _head(step), step.result, step.statement.span)
                yield self._group(row, step.passes if isinstance(step, RepeatStep) else [step.body])

    def _group(self, row: Row, bodies: list[Body]) -> Task:
        self.rows.append(row)
        self._sums.append(Cost())
        inner = " " * len(row.indent) + "  "
        for number, body in enumerate(bodies, 1):
            if len(bodies) > 1 and len(body.steps) > 1:
                yield self._group(self._row(inner, f"pass {number}", "", body.result, None), [body])
            else:
                yield self._steps(body, inner)
        row.cost = self._sums.pop()
        self._sums[-1] += row.cost

    def _branch(self, branch: Body, indent: str) -> Task:
        start, inner = len(self.rows), " " * len(indent)
        yield self._steps(branch, inner + "  ")
        if len(self.rows) == start:
            self.rows.append(self._row("", "identity", "", branch.result, None))
        self.rows[start].indent = inner + "| "

    def _layers(self, step: LayerStep, indent: str) -> None:
        if not step.nodes:
            self.rows.append(self._row(indent, _name(step), "", step.result, step.statement.span))
        for name in step.nodes:
            if name not in self.program.net:
                continue
            node, cost = self.program.net.node(name), self.cost.layers[name]
            row = self._row(indent, name, kind(node.layer, self.program.net.shapes[name]), name, None)
            row.node, row.cost, row.line = node, cost, node_line(self.program, node)
            self.rows.append(row)
            self._sums[-1] += cost

    def _row(self, indent: str, name: str, kind: str, result: str | None, span: Span | None) -> Row:
        line = line_of(self.program, span) if span else None
        if result is None or result not in self.program.net:
            return Row(indent, name, kind, None, None, line, self._statement)
        return Row(indent, name, kind, self.program.net.shapes[result], self.fields[result], line, self._statement)


def _name(step: LayerStep | CallStep | RepeatStep) -> str:
    if isinstance(step, CallStep):
        return step.prefix
    if isinstance(step, RepeatStep):
        return step.statement.label.text if step.statement.label else "repeat"
    return step.nodes[0] if step.nodes else _one_line(step.statement.span)


def _head(step: CallStep | RepeatStep) -> str:
    if isinstance(step, CallStep):
        return _one_line(step.statement.span)
    index = step.statement.index
    return f"repeat {step.statement.count.span.text}" + (f" as {index.text}" if index else "")


def _one_line(span: Span) -> str:
    return harmless(" ".join(span.text.split()))


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
