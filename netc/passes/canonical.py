"""Exact equivalents: layers replaced by plainer ones with the same outputs and gradients.

Names and edges stay, so that weights, checkpoints and figures do not see a difference. A rule gives the plainer layer
with its written arguments, or None where it is not exactly the same.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from netc.ir.net import Node, Written
from netc.layers.base import Layer
from netc.layers.pool import AveragePool, MaxPool
from netc.layers.shape import Subsample
from netc.layers.sliding import spread
from netc.program import Program

Rewrite = tuple[Layer, Mapping[str, Written]]
Rule = Callable[[Node], Rewrite | None]


def single_pixel_pool(node: Node) -> Rewrite | None:
    """`avgpool 1/2` and `pool 1/2` are `subsample 2`.

    The mean and the maximum of one pixel are the pixel. `same` and `valid` agree: both read the pixels 0, s, 2s, ...
    and, as a window of one pixel never hangs over the border, neither adds padding. Explicit pixels (which pools
    refuse for this window, but for 0) would add values.
    """
    layer = node.layer
    if not isinstance(layer, AveragePool | MaxPool) or layer.stride is None:
        return None
    padded = not isinstance(layer.pad, str) and max(spread(layer.pad, 1)) > 0
    if max(spread(layer.kernel, 1)) > 1 or max(spread(layer.stride, 1)) == 1 or padded:
        return None
    written = node.origin.written
    return Subsample(factor=layer.stride), {"factor": written["stride"]} if "stride" in written else {}


RULES: tuple[Rule, ...] = (single_pixel_pool,)


def canonicalise(program: Program) -> None:
    """Replace layers by their exact equivalents, in place."""
    for node in program.net:
        for rule in RULES:
            rewritten = rule(node)
            if rewritten is not None:
                node.layer, written = rewritten
                node.origin = replace(node.origin, written=written)
