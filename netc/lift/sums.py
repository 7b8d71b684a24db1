"""What layers add up (`add`), in whatever steps: a sum that another one alone reads is a part of it.

Programs add to a sum what they make next, where a spec says `add z*` of all. Both are one number to the last bit, as
long as they add up from the first on.
"""

from __future__ import annotations

from netc.ir.net import Net
from netc.layers.merge import Add
from netc.lift.joins import Part, outermost


def summed(net: Net) -> tuple[Net, dict[str, Part]]:
    """The network in which `add a b` and an `add` of that and `c`, which alone reads it, are `add a b c`, and of each
    layer that is none by itself then, which part of another sum it was. The network itself where there is none.

    What is added to a later operand than the first, of more than two, is rounded otherwise, and stays.
    """
    operands: dict[str, list[str]] = {}  # of each sum of sums
    inside: dict[str, str] = {}  # by the parts, what reads them
    counts: dict[str, int] = {}  # and how many tensors they add up
    for node in net:
        if not isinstance(node.layer, Add):
            continue
        own = net.operands(node.name)
        found = next((name for name in own[: 1 if len(own) > 2 else 2] if _is_part(name, node.name, net)), None)
        if found is not None:
            whole = operands[node.name] = operands.pop(found, [*net.operands(found)])
            inside[found], counts[found] = node.name, len(whole)
            whole += (name for name in own if name != found)  # in place: sums may be as long as the network
    if not inside:
        return net, {}
    made = Net(net.name)
    for node in net:
        if node.name not in inside:
            made.add(node, operands.get(node.name, net.operands(node.name)), net.shapes[node.name])
    made.outputs = list(net.outputs)
    return made, {name: Part(reader, 0, counts[name]) for name, reader in outermost(inside).items()}


def _is_part(name: str, of: str, net: Net) -> bool:
    """Whether a tensor is a sum that another sum alone reads, all of one shape."""
    shapes = {*net.operand_shapes(name), *net.operand_shapes(of)}
    once = len(net.consumers(name)) == net.operands(of).count(name) == 1
    return isinstance(net.node(name).layer, Add) and name not in net.outputs and once and len(shapes) == 1
