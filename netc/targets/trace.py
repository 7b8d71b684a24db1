"""A network run through the functions of a target."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
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
