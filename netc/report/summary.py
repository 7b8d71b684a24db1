"""`netc summary`: what a network is made of and what it costs, as text, JSON, CSV or Markdown."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from math import inf
from typing import Any

from netc.analysis.cost import Cost, NetCost, measure
from netc.analysis.receptive import Axis, Field, figure, jump, net_field, receptive_fields
from netc.analysis.sizes import text
from netc.analysis.sizes.trace import Amounts, Formulas, formulas
from netc.diagnostics.escape import harmless
from netc.ir.net import Net, Node
from netc.ir.shape import show_shape
from netc.program import Program
from netc.report.rows import Row, Rows, node_line
from netc.report.table import comma_separated, markdown, plain

HEADER = ("layer", "kind", "output", "parameters", "MACs", "memory", "field", "jump", "line")
RIGHT = (False, False, False, True, True, True, True, True, True)
WIDEST = 48  # characters of a statement's text in a table


def render(program: Program, format: str = "text") -> str:
    """The summary of a program, `format` being one of `FORMATS`.

    Parameters are counted as Keras counts them, MACs and memory are for one sample (memory in float32), the
    receptive field and the jump (the distance between neighbouring positions) in pixels of the input.
    """
    return FORMATS[format](program, measure(program.net), receptive_fields(program.net))


@dataclass(frozen=True, slots=True)
class Table:
    """A summary for people: rows with their cells under `HEADER`, and what it comes to, by name."""

    rows: list[tuple[Row, list[str]]]
    totals: list[tuple[str, str]]

    @property
    def cells(self) -> list[list[str]]:
        """The cells of all rows, names with their indent."""
        return [cells for _, cells in self.rows]


def tabulated(program: Program) -> Table:
    """The summary of a program as its table."""
    return _tabulated(program, measure(program.net), receptive_fields(program.net))


def _tabulated(program: Program, cost: NetCost, fields: dict[str, Field]) -> Table:
    found = _formulas(program)
    rows = Rows(program, cost, fields, found).collect()
    return Table([(row, [row.indent + row.name, *_cells(row)]) for row in rows], _totals(program, cost, fields, found))


def _text(program: Program, cost: NetCost, fields: dict[str, Field]) -> str:
    made = _tabulated(program, cost, fields)
    width = max(len(name) for name, _ in made.totals)
    totals = "".join(f"{name:{width}}  {value}\n" for name, value in made.totals)
    return plain(HEADER, made.cells, RIGHT) + "\n" + totals


def _markdown(program: Program, cost: NetCost, fields: dict[str, Field]) -> str:
    made = _tabulated(program, cost, fields)
    return markdown(HEADER, made.cells, RIGHT) + "\n" + markdown(("total", ""), made.totals, (False, False))


def _formulas(program: Program) -> Formulas | None:
    """The formulas of a network with open sizes."""
    return formulas(program.net) if program.net.is_open else None


def _cells(row: Row) -> list[str]:
    shape = text.shape(row.extents)
    label = row.kind if len(row.kind) <= WIDEST else row.kind[: WIDEST - 1] + "…"
    if row.node is not None and row.node.shares:
        label += f" (weights of {row.node.shares})"
    costs = ["", "", ""]
    if row.cost is not None:
        costs = [human(row.cost.parameters), *_amounts(row.cost, row.amounts)]
    return [label, shape, *costs, *_field_cells(row), "" if row.line is None else str(row.line)]


def _amounts(cost: Cost, amounts: Amounts) -> tuple[str, str]:
    """MACs and memory, as formulas where sizes are open."""
    macs, memory = (
        amount if known is None else known
        for known, amount in ((cost.macs, amounts.macs), (cost.memory, amounts.memory))
    )
    return text.brief(macs, human), text.brief(memory, partial(human, unit="B"))


def _field_cells(row: Row) -> list[str]:
    if row.shape is None:
        return ["", ""]
    uneven = "" if all(axis.aligned for axis in row.field or ()) else "*"
    return [show_field(row.field), _show(jump(row.field), "") + uneven]


def _totals(program: Program, cost: NetCost, fields: dict[str, Field], found: Formulas | None) -> list[tuple[str, str]]:
    total = cost.total
    lines = [
        ("network", f"{harmless(program.name)}, {cost.depth} weighted layer{'s' * (cost.depth != 1)} deep"),
        ("parameters", f"{total.parameters:,} ({total.trainable:,} trainable)"),
        ("MACs", _total_macs(total, found)),
        ("activations", _activations(program, cost, found)),
        ("receptive field", show_fields(program.net, fields)),
    ]
    if any(not axis.aligned for field in fields.values() for axis in field or ()):
        lines.append(("*", "branches of different jumps meet here; the larger is shown"))
    return lines


def _total_macs(total: Cost, found: Formulas | None) -> str:
    macs = total.macs if found is None else found.total.macs
    return "unknown" if macs is None else text.amount(macs, "{:,}".format)


def _activations(program: Program, cost: NetCost, found: Formulas | None) -> str:
    amounts = Amounts() if found is None else found.total
    peak = cost.peak if found is None else found.peak(program.net)
    said, most = _amounts(cost.total, amounts)[1], text.brief(peak, partial(human, unit="B"))
    return f"{said} for one sample, {most} at once in inference"


def human(count: int | None, unit: str = "") -> str:
    """A count with at most one decimal and a decimal prefix: `1.2 M`, `15.5 G`; `?` for unknown."""
    if count is None:
        return "?"
    if count < 1000:
        return f"{count} {unit}".rstrip()
    value, prefixes = count / 1000, iter("kMGTP")
    prefix = next(prefixes)
    while value >= 999.95:
        value, prefix = value / 1000, next(prefixes, "E")
    return f"{value:.1f} {prefix}{unit}"


def show_field(field: Field) -> str:
    """A receptive field in words: `212`, `7x3`, `whole input`."""
    return _show(figure(field, _size), "whole input")


def show_fields(net: Net, fields: dict[str, Field]) -> str:
    """The receptive fields of a network's outputs in words: `212`, `18 to 204` where they differ."""
    found = {net_field(net, fields, output) for output in net.outputs} or {None}
    ends = sorted(found, key=lambda field: inf if field is None else max(axis.size for axis in field))
    return " to ".join(dict.fromkeys(map(show_field, (ends[0], ends[-1]))))


def _size(axis: Axis) -> int:
    return axis.size


def _show(value: object, everything: str) -> str:
    if value is None:
        return everything
    return "x".join(map(str, value)) if isinstance(value, list) else str(value)


def _json(program: Program, cost: NetCost, fields: dict[str, Field]) -> str:
    net, total, found = program.net, cost.total, _formulas(program)
    summary: dict[str, Any] = {
        "name": program.name,
        "inputs": net.inputs,
        "outputs": net.outputs,
        "parameters": {"total": total.parameters, "trainable": total.trainable},
        "macs": total.macs,
        "depth": cost.depth,
        "receptive_field": figure(net_field(net, fields), _size),
        "layers": [_layer(program, node, cost, fields) | _open(node.name, found) for node in net],
    }
    if found is not None:
        summary["macs_formula"] = None if found.total.macs is None else str(found.total.macs)
    return json.dumps(summary, indent=2) + "\n"


def _layer(program: Program, node: Node, cost: NetCost, fields: dict[str, Field]) -> dict[str, Any]:
    return {
        "name": node.name,
        "op": node.layer.op,
        "inputs": program.net.operands(node.name),
        "output_shape": program.net.shapes[node.name],
        "parameters": cost.layers[node.name].parameters,
        "macs": cost.layers[node.name].macs,
        "receptive_field": figure(fields[node.name], _size),
        "line": node_line(program, node),
    }


def _open(name: str, found: Formulas | None) -> dict[str, Any]:
    """What is said of a layer in a network with open sizes."""
    if found is None:
        return {}
    macs = found.macs[name]
    return {"output_formula": text.data(found.shapes[name]), "macs_formula": None if macs is None else str(macs)}


COLUMNS = ("layer", "op", "kind", "inputs", "output", "parameters", "trainable", "macs", "memory",
           "receptive_field", "jump", "line", "statement")  # fmt: skip


def _csv(program: Program, cost: NetCost, fields: dict[str, Field]) -> str:
    rows = Rows(program, cost, fields).collect()
    return comma_separated(COLUMNS, [_record(program, row, row.node) for row in rows if row.node is not None])


def _record(program: Program, row: Row, node: Node) -> list[str | int | None]:
    assert row.cost is not None
    return [
        row.name,
        node.layer.op,
        row.kind,
        " ".join(program.net.operands(row.name)),
        show_shape(program.net.shapes[row.name]),
        row.cost.parameters,
        row.cost.trainable,
        row.cost.macs,
        row.cost.memory,
        _show(figure(row.field, _size), ""),
        _show(jump(row.field), ""),
        row.line,
        row.statement,
    ]


Format = Callable[[Program, NetCost, dict[str, Field]], str]
FORMATS: dict[str, Format] = {"text": _text, "json": _json, "csv": _csv, "md": _markdown}
