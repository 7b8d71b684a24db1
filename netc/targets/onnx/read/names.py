"""What the source calls its layers: modules of PyTorch where names or metadata have them, else the names of nodes."""

from __future__ import annotations

import re
from collections import Counter
from itertools import zip_longest

from netc.targets.onnx.read.graph import Graph, Op

WEIGHTED = ("Conv", "ConvTranspose", "Gemm", "MatMul", "BatchNormalization", "LayerNormalization", "PRelu")
ROLES = (".weight", ".bias", ".running_mean")  # what PyTorch calls arrays after the module that has them


class Names:
    """The names of a model's layers."""

    def __init__(self, graph: Graph) -> None:
        self._modules = {op: module for op in graph.ops if (module := _module(op, graph))}
        self._count = Counter(self._modules.values())
        self._weighted = Counter(module for op, module in self._modules.items() if _has_weights(op, graph))
        self._graph = graph

    def of(self, op: Op) -> str:
        """The name of a node: its module where it is the only one in it."""
        module = self._modules.get(op, "")
        if module and (self._count[module] == 1 or (_has_weights(op, self._graph) and self._weighted[module] == 1)):
            return module
        if not module:
            return op.name.strip("/") or op.outputs[0] or op.op.lower()
        last = str(op.attributes["layer"]) if op.op == "Function" else op.op.lower()
        return f"{module}.{last}"


def _has_weights(op: Op, graph: Graph) -> bool:
    return op.op in WEIGHTED and any(source in graph.constants for source in op.inputs[1:])


def _module(op: Op, graph: Graph) -> str:
    """The modules around a node, `layer1.0.conv1`; "" where nothing says them."""
    for source in op.inputs[1:]:
        for role in ROLES:
            if source in graph.constants and source.endswith(role):
                return source.removesuffix(role)
    if op.scopes:
        return next((scope for scope in reversed(op.scopes[:-1]) if scope), "")
    last = op.name.rpartition("/")[2]
    if op.name.startswith("/") or re.fullmatch(rf"{re.escape(op.op)}_\d+", last):
        return ".".join(_path(op.name))
    if op.name in graph.scopes:
        return op.name
    return ""


def _path(name: str) -> list[str]:
    """`/layer1/layer1.0/conv1/Conv` as `layer1.0`, `conv1`: a scope that the next one begins with is part of it."""
    parts = [part for part in name.split("/") if part][:-1]
    return [part for part, after in zip_longest(parts, parts[1:], fillvalue="") if not after.startswith(f"{part}.")]
