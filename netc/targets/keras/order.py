"""The orders that Keras gives a network: of the operands that a combiner reads, and of the layers of a model."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from netc.ir.net import Net, SharedCall
from netc.target import Call

if TYPE_CHECKING:
    from netc.targets.keras.nesting import Nested, Nesting

Place = tuple[str, int]  # a node, and the number of the layer in it
Layer = Callable[[Place], Place]  # the layer that is called at a place, as the place where it is first called


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
    """The layers of the model of a network without models in it: each as the name under which its weights are made and
    the call that makes it.

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

    ends = [(output, len(calls[output]) - 1) for output in net.outputs]
    return [(name, calls[name][number]) for name, number in _sorted(ends, before, layer)]


def _sorted(ends: Iterable[Place], before: Callable[[Place], Iterator[Place]], layer: Layer) -> list[Place]:
    """The layers that the ways back from some ends come to, in Keras' order."""
    met: dict[Place, int] = {}  # layers, by when they were first come to
    done: dict[Place, None] = {}  # places, from inputs to outputs
    for start in ends:
        stack = [(start, before(start))]
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
    return sorted(met, key=lambda one: (-distance[one], met[one]))


MODEL, INPUT = -1, -2  # in place of the number of a layer: the model that gives a tensor, an input of a model


def nested_in_order(net: Net, nesting: Nesting, within: SharedCall | None = None) -> list[tuple[str, Call | Nested]]:
    """The layers of the model of a network, or of one in it, which its files have in the same order: each as its name
    and the call that makes it, where it is no model itself."""
    from netc.targets.keras.lowering import to_keras  # noqa: PLC0415

    depth = depths(net)
    calls: dict[str, Sequence[Call]] = {}
    models: dict[str, SharedCall] = {}
    for part in nesting.parts(within):
        if isinstance(part, SharedCall):
            models[part.result] = part
        else:
            calls[part.name] = to_keras(part.layer, net.operand_shapes(part.name))
    inputs = {} if within is None else dict(zip(within.operands, nesting.models[within.definition].inputs, strict=True))

    def place(name: str) -> Place:
        return name, MODEL if name in models else INPUT if name in inputs else len(calls[name]) - 1

    def before(here: Place) -> Iterator[Place]:
        name, number = here
        if number > 0:
            yield name, number - 1
        elif number == MODEL:
            yield from (place(one) for one in models[name].operands)
        elif number != INPUT:
            yield from (place(net.operands(name)[slot]) for slot in operand_order(net, name, depth))

    def layer(here: Place) -> Place:
        name, number = here
        if number == MODEL:
            return nesting.models[models[name].definition].name, MODEL
        return (inputs[name], INPUT) if number == INPUT else (net.node(name).layer_name, number)

    of = {nested.name: nested for nested in nesting.models.values()}
    made: list[tuple[str, Call | Nested]] = []
    for name, number in _sorted(map(place, net.outputs if within is None else [within.result]), before, layer):
        if number == MODEL:
            made.append((name, of[name]))
        else:
            call = Call("Input") if number == INPUT else calls[name][number]
            made.append((name + call.suffix, call))
    return made
