"""Which layer of one network is which of another, whatever they are called and in whatever order they were added."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from netc.ir.net import Net
from netc.lift.joined import joined
from netc.lift.proof import NotTheNetwork, facts

ROUNDS = 3  # from the inputs to the outputs and back, until branches that differ somewhere are told apart

Facts = Callable[[str, Net], Any]


def aligned(net: Net, other: Net, says: Facts = lambda name, net: facts(net.node(name), net)) -> dict[str, str]:
    """The node of another network for each of this one. Operands of sums and the like may come in another order.

    `says` gives what has to be the same of two nodes, beside their edges, shapes and shared weights. Activations are
    compared as parts of the layers before them (`joined`), and are mapped to these. What joins a part of what another
    layer joins is mapped where the other network has such a layer. Raises `NotTheNetwork` with the first difference,
    seen from the outputs.
    """
    form, its_form = joined(net), joined(other)
    one, two = form.net, its_form.net
    if len(one.outputs) != len(two.outputs) or len(one.inputs) != len(two.inputs):
        raise NotTheNetwork("the numbers of inputs or outputs differ")
    here, there = _colours(one, says), _colours(two, says)
    mapping = dict(zip(one.inputs, two.inputs, strict=True))
    waiting = [*zip(one.outputs, two.outputs, strict=True), *mapping.items()]
    done = set[str]()
    while waiting:
        name, match = waiting.pop()
        if mapping.setdefault(name, match) != match:
            raise NotTheNetwork(f"`{name}` is read where `{match}` is read, and `{mapping[name]}` too")
        if name in done:
            continue
        done.add(name)
        own, its = (says(name, one), one.shapes[name]), (says(match, two), two.shapes[match])
        if own != its:
            raise NotTheNetwork(f"`{name}` is {own}, and `{match}` is {its}")
        operands, matches = list(one.operands(name)), list(two.operands(match))
        if len(operands) != len(matches):
            raise NotTheNetwork(f"`{name}` reads {len(operands)} tensors, and `{match}` {len(matches)}")
        if one.node(name).layer.commutative:
            operands.sort(key=lambda each: here[each])
            matches.sort(key=lambda each: there[each])
        waiting += zip(operands, matches, strict=True)
    if len(mapping) != len(one) or len(set(mapping.values())) != len(two):
        raise NotTheNetwork(f"one network has {len(one)} layers, and the other {len(two)}")
    there_of, here_of = dict[str, str](), dict[str, str]()  # whose weights are whose, whichever layer is made first
    for name, match in mapping.items():
        if not one.node(name).layer.weights(one.operand_shapes(name)):
            continue
        made, matched = one.node(name).layer_name, two.node(match).layer_name
        if there_of.setdefault(made, matched) != matched or here_of.setdefault(matched, made) != made:
            raise NotTheNetwork(f"`{name}` and `{match}` share weights with others")
    return form.whole(mapping, its_form)


def _colours(net: Net, says: Facts) -> dict[str, int]:
    """A number for each node, the same for nodes of two networks that look the same from all sides."""
    colours = {node.name: hash(repr((says(node.name, net), net.shapes[node.name]))) for node in net}
    for name in net.outputs:
        colours[name] = hash((colours[name], net.outputs.index(name)))
    nodes = list(net)
    for _ in range(ROUNDS):
        for node in nodes:
            read = [colours[one] for one in net.operands(node.name)]
            colours[node.name] = hash((colours[node.name], tuple(sorted(read) if node.layer.commutative else read)))
        for node in reversed(nodes):
            readers = sorted(
                (colours[one], -1 if net.node(one).layer.commutative else net.operands(one).index(node.name))
                for one in net.consumers(node.name)
            )
            colours[node.name] = hash((colours[node.name], tuple(readers)))
    return colours


LEARNING = {"init", "bias_init", "l1", "l2", "decay", "gamma", "gamma_std", "rate", "dropout", "std", "ramp"}


def computed(name: str, net: Net) -> Any:
    """What of a layer has to be the same for the same weights to give the same outputs: all but how it learns."""
    op, values = facts(net.node(name), net)
    assert isinstance(values, dict)
    return op, {key: value for key, value in values.items() if key not in LEARNING}
