"""Networks in which activations belong to the layers before them, wherever a spec could say so.

`conv 64x3 relu` is one layer, and `conv 64x3` with a `relu` after it, in another block of a text or in a model of
another program, are two that compute the same with the same weights. Layers that hand on what they are given
(`linear`, `rescale 1`) are left out. What a `concat` joins and an `add` adds up is said in one way (`netc.lift.joins`,
`netc.lift.sums`). Networks are compared in this form.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, NamedTuple

from netc.ir.net import Net, Node
from netc.lift.arguments import given, params_of
from netc.lift.joins import Part, grown, opened
from netc.lift.sums import summed


class Joined(NamedTuple):
    """A network in this form, of layers that are none of it the one whose tensor is theirs, and of others which parts
    they join or add up of what one of it does."""

    net: Net
    ends: dict[str, str]
    parts: dict[str, Part]

    def whole(self, mapping: Mapping[str, str], other: Joined) -> dict[str, str]:
        """A mapping of the layers to those of another network in this form, with what it says of layers that are none
        of it: of parts, where `other` has a layer for the same one."""
        inner = {part: name for name, part in other.parts.items()}
        same = {name: inner.get(part._replace(reader=mapping[part.reader])) for name, part in self.parts.items()}
        found = {**mapping, **{act: mapping[head] for act, head in self.ends.items()}}
        return found | {name: match for name, match in same.items() if match is not None}


def joined(net: Net) -> Joined:
    """The network in this form."""
    net, idle = busy(net)
    net, parts = opened(grown(net))
    net, sums = summed(net)
    acts = _acts(net)
    ends = {act: head for head, act in acts.items()}
    made = Net(net.name)
    for node in net:
        if node.name in ends:
            continue
        layer: Any = node.layer
        if act := acts.get(node.name):
            layer = type(layer)(**{**vars(layer), "act": net.node(act).layer.op})
        operands = [ends.get(name, name) for name in net.operands(node.name)]
        made.add(replace(node, layer=layer), operands, net.shapes[node.name])
    made.outputs = [ends.get(name, name) for name in net.outputs]
    heads = ends | {name: ends.get(head, head) for name, head in idle.items()}
    return Joined(made, {name: head for name, head in heads.items() if head in made}, parts | sums)


def busy(net: Net) -> tuple[Net, dict[str, str]]:
    """The network without layers that hand on what they are given, and the layer whose tensor each of these has.

    An output stays, and so does what a layer reads beside that tensor. Layers without weights share none."""
    net = net.rewrite(lambda node: replace(node, shares=None) if node.shares and not _weighs(node, net) else node)
    heads: dict[str, str] = {}
    for node in net:
        if len(operands := net.operands(node.name)) != 1 or node.shares or node.name in net.outputs:
            continue
        layer = node.layer
        if layer.train_only or not layer.does_nothing(net.operand_shapes(node.name)):  # rates of 0 belong to a series
            continue
        head = heads.get(operands[0], operands[0])
        readers = [[heads.get(one, one) for one in net.operands(name)] for name in net.consumers(node.name)]
        if not any(head in names for names in readers):
            heads[node.name] = head
    return without(net, heads), heads


def _weighs(node: Node, net: Net) -> bool:
    return bool(node.layer.weights(net.operand_shapes(node.name)))


def without(net: Net, heads: Mapping[str, str]) -> Net:
    """The network without some layers, none of them an output, where each has another one whose tensor is read instead;
    the network itself where there are none."""
    if not heads:
        return net
    made = Net(net.name)
    for node in net:
        if node.name not in heads:
            made.add(node, [heads.get(name, name) for name in net.operands(node.name)], net.shapes[node.name])
    made.outputs = list(net.outputs)
    return made


def _acts(net: Net) -> dict[str, str]:
    """The activation that belongs to a layer, by the layer. Layers that share their weights are one with theirs, or
    none of them is."""
    found, calls = dict[str, str](), dict[str, list[str]]()
    outputs = set(net.outputs)
    for node in net:
        calls.setdefault(node.layer_name, []).append(node.name)
        params = params_of(node.layer)
        readers = net.consumers(node.name)
        if not node.layer.trailing or "act" not in params or len(readers) != 1 or node.name in outputs:
            continue
        after = net.node(readers[0])
        word = after.layer.op
        plain = not given(after.layer) and word in params["act"].kind.words() and after.shares is None
        if plain and getattr(node.layer, "act") == "linear":  # noqa: B009 - of some classes only
            found[node.name] = after.name
    for names in calls.values():
        if len({found[name] and net.node(found[name]).layer.op if name in found else None for name in names}) > 1:
            for name in names:
                found.pop(name, None)
    return found
