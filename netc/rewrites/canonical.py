"""Exact equivalents: layers replaced by plainer ones with the same outputs and gradients.

Names and edges stay, so that weights, checkpoints and figures do not see a difference.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import pairwise

from netc.ir.net import Node, Origin, Written
from netc.layers.base import LAYERS, Layer
from netc.layers.pool import AveragePool, MaxPool, ZeroPaddedMaxPool
from netc.layers.shape import Subsample
from netc.layers.sliding import spread
from netc.lower.expansion import Body, LayerStep, all_parts
from netc.lower.walk import names
from netc.program import Program
from netc.syntax.source import NOWHERE


def single_pixel_pool(node: Node) -> Node:
    """`avgpool 1/2` and `pool 1/2` are `subsample 2`.

    The mean and the maximum of one pixel are the pixel. `same` and `valid` agree: both read the pixels 0, s, 2s, ...
    and, as a window of one pixel never hangs over the border, neither adds padding. Explicit pixels (which pools
    refuse for this window, but for 0) would add values. What a parameter makes 1 stays a pool, so that the layer is of
    one class for all values of the parameter.
    """
    layer = node.layer
    if not isinstance(layer, AveragePool | MaxPool) or layer.stride is None:
        return node
    written = node.origin.written
    padded = not isinstance(layer.pad, str) and (max(spread(layer.pad, 1)) > 0 or _named(written.get("pad")))
    if max(spread(layer.kernel, 1)) > 1 or _named(written.get("kernel")) or padded:
        return node
    if max(spread(layer.stride, 1)) == 1 and not _named(written.get("stride")):
        return node
    factor = {"factor": written["stride"]} if "stride" in written else {}
    return replace(node, layer=Subsample(factor=layer.stride), origin=replace(node.origin, written=factor))


def plain(layer: Layer) -> Layer:
    """The layer as its operation has it, without what rewrites make of some after the layer before them; a pool of one
    pixel is what a text of numbers makes it."""
    cls = LAYERS[layer.op]
    bare = layer if type(layer) is cls else cls(**vars(layer))
    return single_pixel_pool(Node("", bare, Origin(NOWHERE))).layer


def _named(written: Written | None) -> bool:
    """Whether a name stands in what was written."""
    parts = written if isinstance(written, tuple) else (written,)
    return any(True for part in parts for _ in names(part))


def pads_with_zeros(before: Layer, written: Mapping[str, Written], pool: Layer) -> bool:
    """Whether zeros may pad a pool directly after a layer: `pool 3/2 pad=1` after a ReLU, or another layer that gives
    nothing below 0, whatever the parameters of the file are.

    Keras has a layer for zeros, and none for minus infinity. No window is padding alone, and what the layer gives is at
    least 0: the maximum is the same. Where a zero of the padding and one of the layer are equal, the gradient is lost
    in either: an activation that cannot go below 0 is flat where it gives 0.
    """
    fixed = not any(_named(written.get(name)) for name in ("act", "slope"))  # what decides, of all layers
    return fixed and before.not_negative and type(pool) is MaxPool and not isinstance(pool.pad, str)


def canonicalise(program: Program) -> None:
    """Replace layers by their exact equivalents."""
    program.rewrite(single_pixel_pool)
    padded = set()
    for before, after in neighbours(program.expansion):
        net = program.home(after)
        if net.operands(after) == (before,):
            first = net.node(before)
            if pads_with_zeros(first.layer, first.origin.written, net.node(after).layer):
                padded.add(after)

    def with_zeros(node: Node) -> Node:
        return replace(node, layer=ZeroPaddedMaxPool(**vars(node.layer))) if node.name in padded else node

    if padded:
        program.rewrite(with_zeros)


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
