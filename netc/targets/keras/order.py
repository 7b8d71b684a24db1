"""The orders that Keras gives a network: of the operands that a combiner reads, and of the layers of a model."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from netc.ir.net import Net
from netc.target import Call

Place = tuple[str, int]  # a node, and the number of the layer in it


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
    layer. So the shortest way comes first where the order means nothing: in an `add`, the shortcut. Where a definition
    is handed tensors, which of them comes the shortest way is another thing at each call, and one function serves all.
    """
    operands = net.operands(name)
    slots = range(len(operands))
    node = net.node(name)
    if not node.layer.commutative or node.origin.in_order:
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


def in_order(net: Net) -> list[tuple[str, Call]]:
    """The layers of the model of a network, which its files have in the same order: each as the name under which its
    weights are made and the call that makes it.

    Keras sorts layers by their distance from the outputs, and those of one distance by when it first comes to them on
    its way back from the outputs (`keras.src.ops.function.map_graph`).
    """
    from netc.targets.keras.lowering import to_keras  # noqa: PLC0415 - files mostly have the names of the network

    calls = {node.name: to_keras(node.layer, net.operand_shapes(node.name)) for node in net}
    depth = depths(net)

    def before(place: Place) -> Iterator[Place]:
        name, number = place
        if number:
            yield name, number - 1
            return
        for slot in operand_order(net, name, depth):
            operand = net.operands(name)[slot]
            yield operand, len(calls[operand]) - 1

    def layer(place: Place) -> Place:
        return net.node(place[0]).layer_name, place[1]

    met: dict[Place, int] = {}  # layers, by when they were first come to
    done: dict[Place, None] = {}  # places, from inputs to outputs
    for output in net.outputs:
        stack = [(start := (output, len(calls[output]) - 1), before(start))]
        met.setdefault(layer(start), len(met))
        while stack:
            place, ways = stack[-1]
            following = next((way for way in ways if way not in done), None)
            if following is None:
                done[place] = None
                stack.pop()
            else:
                met.setdefault(layer(following), len(met))
                stack.append((following, before(following)))
    far: dict[Place, int] = {}
    distance: dict[Place, int] = {}
    for place in reversed(done):
        own = max(far.get(place, 0), distance.get(layer(place), 0))
        far[place] = distance[layer(place)] = own
        for way in before(place):
            far[way] = max(own + 1, far.get(way, 0))
    ordered = sorted(met, key=lambda one: (-distance[one], met[one]))
    return [(name, calls[name][number]) for name, number in ordered]
