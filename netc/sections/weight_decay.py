"""`weight_decay` of `train`, put into the layers."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

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
    for node in (*program.net, *program.ghosts):
        layer: Any = node.layer
        if "l2" in declared(type(layer)) and layer.l2 is None:
            node.layer = replace(layer, l2=decay.strength)
