"""The complete network as JSON (docs/json.md describes the format)."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import fields, is_dataclass
from math import isfinite
from typing import Any

from netc.analysis.sizes import text
from netc.analysis.sizes.trace import Formulas, formulas
from netc.ir.net import Net, Node
from netc.params import Declared, declared
from netc.program import Program
from netc.sections.model import Data, Section
from netc.syntax.source import Span
from netc.values import SizeValue

FORMAT = 1  # raised when a key changes its meaning or goes; new keys leave it


def dump(program: Program) -> str:
    """A program as JSON text that ends in a newline; the same program always gives the same text."""
    net = program.net
    found = formulas(net) if net.is_open else None
    data = {
        "format": FORMAT,
        "name": program.name,
        "file": program.file.source.name,
        "parameters": plain(program.parameters),
        "inputs": net.inputs,
        "outputs": net.outputs,
        "layers": [_layer(net, node, found) for node in net],
        "data": _section(program.sections.data),
        "train": _section(program.sections.train),
    }
    return json.dumps(data, indent=2, allow_nan=False) + "\n"


def _layer(net: Net, node: Node, found: Formulas | None) -> dict[str, Any]:
    inputs, frame = net.operand_shapes(node.name), node.origin.frame
    return {
        "name": node.name,
        "op": node.layer.op,
        "parameters": _declared(node.layer),
        "inputs": net.operands(node.name),
        "output_shape": net.shapes[node.name],
        "weights": [
            {"name": weight.name, "shape": weight.shape, "trainable": weight.trainable}
            for weight in node.layer.weights(inputs)
        ],
        "shares": node.shares,
        "origin": plain(node.origin.span),
        "frames": [{"title": step.title, "origin": plain(step.span)} for step in frame.chain()] if frame else [],
    } | ({} if found is None else {"output_formula": text.data(found.shapes[node.name])})


def _section(section: Section | None) -> dict[str, Any] | None:
    if section is None:
        return None
    lines = [plain(line.value) | {"origin": plain(line.span)} for line in section.lines]
    return ({"source": plain(section.source)} if isinstance(section, Data) else {}) | {"lines": lines}


def _declared(layer: Declared) -> dict[str, Any]:
    return {name: plain(getattr(layer, name)) for name in declared(type(layer))}


def plain(value: object) -> Any:
    """A value as JSON has it: an object for what has fields, `name` and `parameters` for what has declared parameters;
    a size is the text a spec writes, an infinite number the text `inf` or `-inf`."""
    match value:
        case None | bool() | int():
            return value
        case str():
            return str(value)
        case float():
            return value if isfinite(value) else str(value)
        case Span(source=source, start=start):
            line, column = source.position(start)
            return {"file": source.name, "line": line, "column": column, "text": value.text}
        case SizeValue():
            return str(value)
        case Declared():
            return {"name": getattr(value, "name", type(value).__name__), "parameters": _declared(value)}
        case Mapping():
            return {str(key): plain(item) for key, item in value.items()}
        case Iterable():
            return [plain(item) for item in value]
    if is_dataclass(value):
        return {item.name: plain(getattr(value, item.name)) for item in fields(value)}
    raise TypeError(f"{type(value).__name__} has no form in JSON")
