"""Depth as papers count it, and the path along which a network is deepest."""

from __future__ import annotations

from netc.ir.net import Net


def depths(net: Net) -> dict[str, int]:
    """For each layer the most weighted layers on a path from an input to it, itself included."""
    found: dict[str, int] = {}
    for node in net:
        before = max((found[operand] for operand in net.operands(node.name)), default=0)
        found[node.name] = before + node.layer.weighted
    return found


def trunk(net: Net) -> list[str]:
    """The layers from an input to the first output, each time along the operand with the most weighted layers after it
    (the last of equal ones: the shipped blocks name the shortcut first)."""
    known = depths(net)
    path = [net.outputs[0]]
    while operands := net.operands(path[-1]):
        path.append(max(reversed(operands), key=known.__getitem__))
    return path[::-1]
