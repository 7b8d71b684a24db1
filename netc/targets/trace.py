"""A network run through the functions of a target."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from netc.ir.shape import fits, show_shape

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from netc.ir.net import Net, Node
    from netc.ir.weights import Weights
    from netc.primitives import Primitives, Tensor


def traced(net: Net, weights: Weights, f: Primitives, inputs: Mapping[str, Tensor]) -> Iterator[tuple[Node, Tensor]]:
    """What each node makes, in order, as far as outputs depend on it; `inputs` are tensors by the names of the inputs.

    A tensor is let go when nothing reads it any more, so that memory does not grow with the depth.
    """
    used = net.used()
    readers = Counter(operand for node in net if node.name in used for operand in net.operands(node.name))
    roles = weights.by_node()
    alive: dict[str, Tensor] = {}
    for node in net:
        if node.name not in used:
            continue
        operands = net.operands(node.name)
        if node.layer.is_input:
            made = inputs[node.name]
        else:
            made = f.layer(node.layer, [alive[operand] for operand in operands], roles.get(node.layer_name, {}))
        yield node, made
        if readers[node.name]:
            alive[node.name] = made
        del made
        for operand in operands:
            readers[operand] -= 1
            if not readers[operand]:
                del alive[operand]


def fitting(net: Net, inputs: Mapping[str, NDArray[Any]]) -> None:
    """Raises `ValueError` unless there is a batch for each input, batch x shape."""
    for name in net.inputs:
        if name not in inputs or not fits(inputs[name].shape[1:], net.shapes[name]):
            got = f"batches of {show_shape(inputs[name].shape[1:])}" if name in inputs else "nothing"
            raise ValueError(f"got {got} for the input {name}, expected batches of {show_shape(net.shapes[name])}")
