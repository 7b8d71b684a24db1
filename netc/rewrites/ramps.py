"""Rates that rise over the network: each `droppath ... ramp` gets its place among all of them."""

from __future__ import annotations

from dataclasses import replace

from netc.ir.net import Net, Node
from netc.layers.regularise import DropPath
from netc.program import Program


def place_ramps(program: Program) -> None:
    """Give the i-th of the n ramps of the network i/(n-1) of its rate, and a single one all of it.

    Each use of a layer of a `shared def` has a place, and the layer the one of its first use.
    """
    ramps = [node for node in program.net if is_ramp(node)]
    places = {node.name: place for place, node in enumerate(ramps)}
    fractions = rising(len(ramps))

    def placed(node: Node) -> Node:
        place = places.get(node.layer_name)
        if place is None or not isinstance(node.layer, DropPath):
            return node
        return replace(node, layer=replace(node.layer, fraction=fractions[place]))

    if ramps:
        program.rewrite(placed)


def is_ramp(node: Node) -> bool:
    """Whether the rate of a node depends on its place."""
    return isinstance(node.layer, DropPath) and bool(node.layer.ramp)


def ramps_of(net: Net) -> int:
    """How many ramps a network has."""
    return sum(map(is_ramp, net))


def rising(count: int) -> list[float]:
    """Numbers from 0 to 1 in equal steps; a single one is 1."""
    return [place / (count - 1) for place in range(count)] if count > 1 else [1.0] * count
