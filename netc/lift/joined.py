"""Networks in which activations belong to the layers before them, wherever a spec could say so.

`conv 64x3 relu` is one layer, and `conv 64x3` with a `relu` after it, in another block of a text or in a model of
another program, are two that compute the same with the same weights. Layers that hand on what they are given
(`linear`, `rescale 1`) are left out. A `concat` of all that another one joins, and of more after it, reads that one:
DenseNets are written both ways. Networks are compared in this form.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from netc.ir.net import Net, Node
from netc.layers.merge import Concatenate
from netc.lift.arguments import given, params_of


def joined(net: Net) -> tuple[Net, dict[str, str]]:
    """The network in this form, and of each layer that is none of it, the one whose tensor is its."""
    net, idle = busy(net)
    net = grown(net)
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
    return made, ends | {name: ends.get(head, head) for name, head in idle.items()}


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


def grown(net: Net) -> Net:
    """The network in which `concat a b c` reads the `concat a b` that stands somewhere, and `c`; the network itself
    where there is none such.

    Whatever the order of the layers, all networks that differ in this alone have one form. What two layers join alike
    is left as it is, since neither is the one to be read.
    """
    at: dict[str, _Path] = {}  # what each layer joins
    ends: dict[_Path, list[str]] = {}
    paths: dict[tuple[object, str], _Path] = {}
    for node in net:
        if not isinstance(node.layer, Concatenate):
            continue
        first, *rest = net.operands(node.name)
        path = at.get(first)
        if path is None or net.node(first).layer != node.layer:
            path = paths.setdefault((node.layer, first), _Path(None, first))
        for operand in rest:
            path = paths.setdefault((path, operand), _Path(path, operand))
        at[node.name] = path
        ends.setdefault(path, []).append(node.name)
    operands = {name: _grown(name, path, net, at, ends) for name, path in at.items()}
    if all(net.operands(name) == own for name, own in operands.items()):
        return net
    made = Net(net.name)
    for node in net:
        waiting = [node.name]
        while waiting:  # of what is read now, another `concat` may come later in the network
            name = waiting[-1]
            own = operands.get(name, net.operands(name))
            if missing := [each for each in own if each not in made]:
                waiting += missing
                continue
            if name not in made:
                made.add(net.node(name), own, net.shapes[name])
            waiting.pop()
    made.outputs = list(net.outputs)
    return made


@dataclass(frozen=True, slots=True, eq=False)
class _Path:
    """Tensors one after the other: those of another path, if there is one, and one more."""

    before: _Path | None
    last: str


def _grown(
    name: str, path: _Path, net: Net, at: Mapping[str, _Path], ends: Mapping[_Path, Sequence[str]]
) -> tuple[str, ...]:
    """What a layer reads that joins the tensors of a path: what joins the most of the first of these, and the rest."""
    own = at.get(net.operands(name)[0])
    rest = [path.last]
    before = path.before
    while before is not None and before is not own and len(ends.get(before, ())) != 1:
        rest.append(before.last)
        before = before.before
    if before is None:
        return net.operands(name)
    return (net.operands(name)[0] if before is own else ends[before][0], *rest[::-1])


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
