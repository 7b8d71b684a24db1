"""The proof that a text is the network it was made of: node by node, under a stated mapping."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from netc.analysis.cost import measure
from netc.ir.net import Net, Node
from netc.layers.merge import Concatenate
from netc.layers.regularise import DropPath
from netc.layers.shape import Reshape
from netc.lift.arguments import collapsed, given, params_of
from netc.lift.joined import joined
from netc.lift.padding import pixels
from netc.rewrites.canonical import plain


class NotTheNetwork(AssertionError):
    """A text that says another network than it was made of: a bug of what wrote it."""


def mapped(net: Net, made: Net, order: Sequence[str]) -> dict[str, str]:
    """The node of `made`, the network of a text, for each of `net`, which it was made of, in the order of the text.

    `order` names the nodes of `net` as the statements of the text make theirs. Activations are compared as parts of
    the layers before them (`joined`); such a one is mapped to that layer where it is none by itself in `made`, and a
    part of a sum to none there. Raises `NotTheNetwork` where an operation, a parameter, an operand, a shape, shared
    weights, the outputs, or the cost differ.
    """
    form, its_form = joined(net), joined(made)
    one, two = form.net, its_form.net
    names = [name for name in order if name in one]
    others = [name for name in made.shapes if name in two]
    if sorted(names) != sorted(node.name for node in one) or len(names) != len(others):
        raise NotTheNetwork(f"the text has {len(others)} layers, and the network {len(one)}")
    mapping = dict(zip(names, others, strict=True))
    first, its_first = dict[str, str](), dict[str, str]()  # the layer that the text makes first, of those that share
    for name, other in mapping.items():
        shares = mapping[first.setdefault(one.node(name).layer_name, name)]
        its_shares = its_first.setdefault(two.node(other).layer_name, other)
        here = *_facts(one.node(name), one, mapping), shares
        there = *_facts(two.node(other), two, {}), its_shares
        if here != there:
            raise NotTheNetwork(f"`{name}` is {here}, and the text says {there} of `{other}`")
    if [mapping[name] for name in one.outputs] != two.outputs:
        raise NotTheNetwork(f"the text has the outputs {two.outputs}, and the network {one.outputs}")
    if [mapping[name] for name in one.inputs] != two.inputs:
        raise NotTheNetwork(f"the text has the inputs {two.inputs}, and the network {one.inputs}")
    if (costs := (measure(one).total, measure(two).total))[0] != costs[1]:
        raise NotTheNetwork(f"the text costs {costs[1]}, and the network {costs[0]}")
    mapping = form.whole(mapping, its_form)
    for name in form.parts.keys() - mapping.keys():
        if isinstance(net.node(name).layer, Concatenate):
            raise NotTheNetwork(f"`{name}` joins what no layer of the text joins by itself")
    return mapping


def facts(node: Node, net: Net) -> tuple[object, ...]:
    """What of a layer by itself has to be the same."""
    layer = plain(node.layer)
    values: dict[str, Any] = {"rate": layer.share} if isinstance(layer, DropPath) else given(layer)  # however said
    params = params_of(layer)
    values = {name: collapsed(params[name], own) for name, own in values.items()}
    inputs = net.operand_shapes(node.name)
    if inputs and (around := pixels(layer, inputs[0])) is not None:
        values["pad"] = around
    if isinstance(layer, Reshape):
        values["shape"] = net.shapes[node.name]  # whichever size it says as `?`
    values = {name: own for name, own in values.items() if own != params[name].default}  # `1x1` that is 1 unless given
    return layer.op, values


def _facts(node: Node, net: Net, mapping: Mapping[str, str]) -> tuple[object, ...]:
    """What of a layer in its network has to be the same."""
    operands = tuple(mapping.get(name, name) for name in net.operands(node.name))
    return *facts(node, net), operands, net.shapes[node.name]
