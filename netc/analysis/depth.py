"""Depth as papers count it, and the path along which a network is deepest."""

from __future__ import annotations

from netc.ir.net import Net
from netc.ir.shape import is_pixel
from netc.layers.merge import Multiply


def depths(net: Net) -> dict[str, int]:
    """For each layer the most weighted layers on a path from an input to it, itself included.

    Those of a gate are not counted, one factor a channel: SE-ResNet-50 has 50 layers (Hu et al. 2018, Table 1).
    """
    found: dict[str, int] = {}
    gating = _gates(net)
    for node in net:
        before = max((found[operand] for operand in net.operands(node.name)), default=0)
        found[node.name] = before + (node.layer.weighted and node.name not in gating)
    return found


def _gates(net: Net) -> set[str]:
    """The layers that make the factors of a map's channels of what is left when its positions are joined."""
    found: set[str] = set()
    for node in net:
        operands = net.operands(node.name)
        if not isinstance(node.layer, Multiply) or all(is_pixel(net.shapes[operand]) for operand in operands):
            continue
        waiting = [operand for operand in operands if is_pixel(net.shapes[operand])]
        while waiting:
            name = waiting.pop()
            if name not in found and is_pixel(net.shapes[name]):
                found.add(name)
                waiting += net.operands(name)
    return found


def trunk(net: Net) -> list[str]:
    """The layers from an input to the first output, each time along the operand with the most weighted layers after it
    (the last of equal ones: the shipped blocks name the shortcut first)."""
    known = depths(net)
    path = [net.outputs[0]]
    while operands := net.operands(path[-1]):
        path.append(max(reversed(operands), key=known.__getitem__))
    return path[::-1]
