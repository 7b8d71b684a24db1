"""`weight_decay` of `train`, put into the layers."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from netc.ir.net import Node
from netc.params import declared
from netc.program import Program
from netc.sections.settings import WeightDecay


def apply_weight_decay(program: Program) -> None:
    """Give every kernel without an `l2` of its own that of `weight_decay` (lambda/2 * |w|^2 in the loss).

    A canonicalising pass: afterwards the layers say it themselves, to the direct build and to emitted code alike.
    `l2=0` is one of its own. Decoupled decay is the optimizer's and changes no layer.
    """
    train = program.sections.train
    decay = train.value(WeightDecay) if train else None
    if decay is None or decay.decoupled:
        return

    def decayed(node: Node) -> Node:
        layer: Any = node.layer
        own = "l2" not in declared(type(layer)) or layer.l2 is not None
        return node if own else replace(node, layer=replace(layer, l2=decay.strength))

    program.rewrite(decayed)
