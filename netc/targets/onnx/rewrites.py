"""Nodes that engines need not run: rewrites of a graph, each exact but for the rounding of weights.

`REWRITES` says the order. A value that is an output, or that several nodes read, is left as it is.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from netc.targets.onnx.graph import Graph, Node, Value

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]

CHANNELS = {"Conv": 1, "ConvTranspose": 1, "Gemm": 1, "LayerNormalization": -1}  # the axis, of the output
FILTERS = {"Conv": 0, "ConvTranspose": 1, "Gemm": 1, "LayerNormalization": 0}  # the axis, of the weight


class _Places:
    """Which node makes a value, and how often it is read."""

    def __init__(self, graph: Graph) -> None:
        self._readers = graph.readers()
        self._maker = {node.output: node for node in graph.nodes}

    def only_for(self, node: Node, *ops: str) -> Node | None:
        """The node before another one, where it is one of some and nothing else reads it."""
        source = node.inputs[0]
        before = self._maker.get(source) if isinstance(source, Value) else None
        return before if before is not None and before.op in ops and self._readers[source] == 1 else None

    def merge(self, before: Node, node: Node) -> None:
        """`before` makes what `node` made, which goes."""
        before.outputs = node.outputs
        before.layer = node.layer
        self._maker[before.output] = before


def fold_affine(graph: Graph) -> None:
    """A factor or a sum for each channel after a convolution, a matrix product or a normalisation becomes part of its
    weights: biases, batch normalisation, `scale`."""
    places, gone = _Places(graph), set()
    for node in graph.nodes:
        if node.op not in ("Mul", "Add") or not isinstance(node.inputs[1], np.ndarray):
            continue
        before = places.only_for(node, *CHANNELS)
        per_channel = None if before is None else _per_channel(node.inputs[1], before)
        if before is None or per_channel is None:
            continue
        weight, *rest = before.inputs[1:]
        if node.op == "Mul":
            around = [1] * weight.ndim
            around[FILTERS[before.op]] = -1
            before.inputs[1] = weight * per_channel.reshape(around)
            before.inputs[2:] = [rest[0] * per_channel] if rest else []
        else:
            before.inputs[2:] = [rest[0] + per_channel if rest else per_channel]
        places.merge(before, node)
        gone.add(node)
    graph.nodes = [node for node in graph.nodes if node not in gone]


def _per_channel(constant: Array, before: Node) -> Array | None:
    """A constant as a vector over the channels that a node makes, or None where it is more than that."""
    channels = before.inputs[1].shape[FILTERS[before.op]] * _groups_of_transposed(before)
    if constant.size == 1:
        return np.full(channels, constant.reshape(()), np.float32)
    axis = CHANNELS[before.op]
    fits = constant.size == channels and constant.shape[axis] == channels
    return constant.reshape(channels) if fits else None


def _groups_of_transposed(node: Node) -> int:
    return int(node.attributes.get("group", 1)) if node.op == "ConvTranspose" else 1


def pad_inside(graph: Graph) -> None:
    """Zeros around a tensor that only a convolution reads, or an average pool that counts its padding, become part of
    its windows."""
    places, gone = _Places(graph), set()
    for node in graph.nodes:
        pad = places.only_for(node, "Pad") if node.op in ("Conv", "AveragePool") else None
        own = node.attributes.get("pads")
        if pad is None or own is None:
            continue
        before, after = np.split(pad.inputs[1], 2)
        if before[1] or after[1]:  # channels
            continue
        made = [size + int(more) for size, more in zip(own, (*before[2:], *after[2:]), strict=True)]
        if node.op == "AveragePool":
            taps = node.attributes["kernel_shape"] * 2
            counted = node.attributes["count_include_pad"] or not any(own)
            if not counted or any(size >= most for size, most in zip(made, taps, strict=True)):
                continue
            node.attributes["count_include_pad"] = 1
        node.attributes["pads"] = made
        node.inputs[0] = pad.inputs[0]
        gone.add(pad)
    graph.nodes = [node for node in graph.nodes if node not in gone]


def scale_and_shift(graph: Graph) -> None:
    """A factor and then a sum for each channel, the second axis, are one pass over the tensor."""
    places, gone = _Places(graph), set()
    for node in graph.nodes:
        before = places.only_for(node, "Mul") if node.op == "Add" else None
        if before is None:
            continue
        factor, offset = before.inputs[1], node.inputs[1]
        if not (_second_axis(factor) and _second_axis(offset) and factor.shape == offset.shape):
            continue
        zero, one = np.zeros(factor.size, np.float32), np.ones(factor.size, np.float32)
        node.op = "BatchNormalization"
        node.inputs = [before.inputs[0], factor.reshape(-1), offset.reshape(-1), zero, one]
        node.attributes = {"epsilon": 0.0}
        gone.add(before)
    graph.nodes = [node for node in graph.nodes if node not in gone]


def _second_axis(constant: Any) -> bool:
    return isinstance(constant, np.ndarray) and constant.ndim > 1 and constant.shape[1] == constant.size > 1


def without_unread(graph: Graph) -> None:
    """Nodes that nothing reads are left out."""
    readers = graph.readers()
    kept = []
    for node in reversed(graph.nodes):
        if any(readers[value] for value in node.outputs):
            kept.append(node)
        else:
            readers.subtract(source for source in node.inputs if isinstance(source, Value))
    graph.nodes = kept[::-1]


REWRITES: tuple[Callable[[Graph], None], ...] = (fold_affine, pad_inside, scale_and_shift, without_unread)
