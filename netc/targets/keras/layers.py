"""The layers of a network in the order in which a Keras model has them, which is that of its files.

Keras sorts layers by their distance from the outputs, and those of one distance by when it first comes to them on its
way back from the outputs (`keras.src.ops.function.map_graph`).
"""

from __future__ import annotations

from collections.abc import Iterator

from netc.ir.net import Net
from netc.target import Call
from netc.targets.keras.lowering import to_keras
from netc.targets.keras.order import depths, operand_order

Place = tuple[str, int]  # a node, and the number of the layer in it


def in_order(net: Net) -> list[tuple[str, Call]]:
    """Each layer as the name under which its weights are made and the call that makes it."""
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
