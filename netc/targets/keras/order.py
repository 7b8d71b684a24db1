"""The order in which combiners read their operands in the target."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from netc.ir.net import Net


def depths(net: Net, known: Mapping[str, int] = {}) -> dict[str, int]:
    """Layers on the longest path to each node, itself included; `known` gives those of nodes without operands here."""
    found: dict[str, int] = {}
    for node in net:
        before = max((found[name] for name in net.operands(node.name)), default=known.get(node.name, 1) - 1)
        found[node.name] = before + 1
    return found


def operand_order(net: Net, name: str, depth: Mapping[str, int]) -> tuple[int, ...]:
    """Slots in the order in which the target reads them.

    Keras follows a model from its outputs back through the first operand of each layer, one level of recursion a
    layer. So the shortest way comes first where the order means nothing: in an `add`, the shortcut.
    """
    operands = net.operands(name)
    slots = range(len(operands))
    if not net.node(name).layer.commutative:
        return tuple(slots)
    return tuple(sorted(slots, key=lambda slot: depth[operands[slot]]))


def recursion(net: Net, depth: Mapping[str, int]) -> int:
    """Levels of recursion that Keras needs to make a model of the network (`keras.src.ops.function.map_graph`)."""
    finished: set[str] = set()
    deepest = 0
    for output in net.outputs:
        stack = [(output, _ways(net, output, depth))]
        while stack:
            deepest = max(deepest, len(stack))
            name, ways = stack[-1]
            following = next((way for way in ways if way not in finished), None)
            if following is None:
                finished.add(name)
                stack.pop()
            else:
                stack.append((following, _ways(net, following, depth)))
    return deepest


def _ways(net: Net, name: str, depth: Mapping[str, int]) -> Iterator[str]:
    operands = net.operands(name)
    return (operands[slot] for slot in operand_order(net, name, depth))
