"""Exact equivalents: layers replaced by plainer ones with the same outputs and gradients.

Names and edges stay, so that weights, checkpoints and figures do not see a difference. A rule gives the plainer layer
with its written arguments, or None where it is not exactly the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from itertools import pairwise

from netc.ir.net import Node, Written
from netc.layers.activation import ReLU, ReLU6
from netc.layers.base import Layer
from netc.layers.pool import AveragePool, MaxPool, ZeroPaddedMaxPool
from netc.layers.shape import Subsample
from netc.layers.sliding import spread
from netc.lower.expansion import Body, LayerStep, all_parts
from netc.lower.walk import names
from netc.program import Program

Rewrite = tuple[Layer, Mapping[str, Written]]
Rule = Callable[[Node], Rewrite | None]


def single_pixel_pool(node: Node) -> Rewrite | None:
    """`avgpool 1/2` and `pool 1/2` are `subsample 2`.

    The mean and the maximum of one pixel are the pixel. `same` and `valid` agree: both read the pixels 0, s, 2s, ...
    and, as a window of one pixel never hangs over the border, neither adds padding. Explicit pixels (which pools
    refuse for this window, but for 0) would add values. What a parameter makes 1 stays a pool, so that the layer is of
    one class for all values of the parameter.
    """
    layer = node.layer
    if not isinstance(layer, AveragePool | MaxPool) or layer.stride is None:
        return None
    written = node.origin.written
    padded = not isinstance(layer.pad, str) and (max(spread(layer.pad, 1)) > 0 or _named(written.get("pad")))
    if max(spread(layer.kernel, 1)) > 1 or _named(written.get("kernel")) or padded:
        return None
    if max(spread(layer.stride, 1)) == 1 and not _named(written.get("stride")):
        return None
    return Subsample(factor=layer.stride), {"factor": written["stride"]} if "stride" in written else {}


def _named(written: Written | None) -> bool:
    """Whether a name stands in what was written."""
    parts = written if isinstance(written, tuple) else (written,)
    return any(True for part in parts for _ in names(part))


RULES: tuple[Rule, ...] = (single_pixel_pool,)


def pad_with_zeros(before: Node, pool: Node) -> None:
    """`pool 3/2 pad=1` directly after a ReLU pads with zeros, which Keras has a layer for, in place of minus infinity.

    No window is padding alone, and what the ReLU gives is at least 0: the maximum is the same. Where a zero of the
    padding and one of the ReLU are equal, the gradient is lost in either.
    """
    positive = isinstance(before.layer, ReLU6) or (
        isinstance(before.layer, ReLU) and before.layer.slope == 0 and "slope" not in before.origin.written
    )
    if positive and type(pool.layer) is MaxPool and not isinstance(pool.layer.pad, str):
        pool.layer = ZeroPaddedMaxPool(**vars(pool.layer))


def canonicalise(program: Program) -> None:
    """Replace layers by their exact equivalents, in place."""
    for node in (*program.net, *program.ghosts):
        for rule in RULES:
            rewritten = rule(node)
            if rewritten is not None:
                node.layer, written = rewritten
                node.origin = replace(node.origin, written=written)
    for before, after in neighbours(program.expansion):
        net = program.home(after)
        if net.operands(after) == (before,):
            pad_with_zeros(net.node(before), net.node(after))


def neighbours(outermost: Body) -> Iterator[tuple[str, str]]:
    """The last node of a statement and the first of the next one, where both are layers: whichever arms and passes the
    parameters choose, these follow each other."""
    waiting = [outermost]
    while waiting:
        steps = waiting.pop().steps
        waiting += (body for step in steps for body in all_parts(step))
        for before, after in pairwise(steps):
            if isinstance(before, LayerStep) and isinstance(after, LayerStep) and before.nodes and after.nodes:
                yield before.nodes[-1], after.nodes[0]
