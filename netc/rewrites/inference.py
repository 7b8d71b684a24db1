"""What a network that is only run can do without: rewrites of (Net, Weights), each exact.

Outputs keep their names, and so does every layer that is left. `REWRITES` says the order. What pays in some engines
alone is not among them: a target adds it to its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from netc.ir.net import Net, Node
from netc.ir.shape import Shape, channels_of
from netc.ir.weights import Key, Weights
from netc.ir.window import same_padding
from netc.layers.base import Layer
from netc.layers.conv import Conv, Convolution, TransposedConv
from netc.layers.pool import AveragePool, Pool
from netc.layers.shape import PadChannels, Subsample
from netc.layers.sliding import spread
from netc.params import Refused

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from netc.layers.kinds import Sized

Rewrite = Callable[[Net, Weights], tuple[Net, Weights]]
IMAGE = 3  # rows, columns, channels


def without_idle(net: Net, weights: Weights) -> tuple[Net, Weights]:
    """Layers that act in training alone, and those that do nothing, are left out, but for outputs."""
    instead: dict[str, str] = {}
    for node in net:
        idle = node.layer.train_only or node.layer.does_nothing(net.operand_shapes(node.name))
        if idle and node.name not in net.outputs and not node.layer.is_input:
            operand = net.operands(node.name)[0]
            instead[node.name] = instead.get(operand, operand)
    return _without(net, weights, instead)


def computed_once(net: Net, weights: Weights) -> tuple[Net, Weights]:
    """Of layers that compute the same of the same, the first is left, but for outputs."""
    instead: dict[str, str] = {}
    first: dict[Any, str] = {}
    for node in net:
        if node.layer.is_input:
            continue
        operands = [instead.get(operand, operand) for operand in net.operands(node.name)]
        made_of = tuple(sorted(operands) if node.layer.commutative else operands)
        owner = node.layer_name if node.layer.weights(net.operand_shapes(node.name)) else None
        same = first.setdefault((node.layer, made_of, owner), node.name)
        if same != node.name and node.name not in net.outputs:
            instead[node.name] = same
    return _without(net, weights, instead)


def sampled_less(net: Net, weights: Weights) -> tuple[Net, Weights]:
    """`subsample` after a convolution, a pool or another `subsample` that only it reads: a larger stride there.

    The windows between are not computed. `same` depends on the stride, so it becomes the padding that it was.
    """
    changed: dict[str, Layer] = {}
    instead: dict[str, str] = {}
    for node in net:
        if not isinstance(node.layer, Subsample) or node.name in net.outputs:
            continue
        operand = instead.get(net.operands(node.name)[0], net.operands(node.name)[0])
        alone = len(net.consumers(net.operands(node.name)[0])) == 1 and operand not in net.outputs
        before = changed.get(operand, net.node(operand).layer)
        merged = _strided(before, node.layer.factor, net.operand_shapes(operand), net.shapes[node.name])
        if alone and merged is not None:
            changed[operand], instead[node.name] = merged, operand
    return _without(net, weights, instead, changed)


def _strided(layer: Layer, factor: Sized, inputs: tuple[Shape, ...], output: Shape) -> Layer | None:
    """A layer that gives every `factor`-th pixel of another one's output, or None."""
    if isinstance(layer, TransposedConv) or not isinstance(layer, Convolution | Pool | Subsample):
        return None
    rank = len(inputs[0]) - 1
    factors = spread(factor, rank)
    values = dict(vars(layer))
    if isinstance(layer, Subsample):
        return Subsample(factor=tuple(a * b for a, b in zip(spread(layer.factor, rank), factors, strict=True)))
    step = spread(layer.step if isinstance(layer, Pool) else layer.stride, rank)
    values["stride"] = tuple(a * b for a, b in zip(step, factors, strict=True))
    if layer.pad == "same":
        dilation = spread(getattr(layer, "dilation", 1), rank)
        sides = [
            (0, 0) if taps == 1 else (0, 1) if size is None else same_padding(size, taps, by, gap)
            for size, taps, by, gap in zip(inputs[0][:-1], spread(layer.kernel, rank), step, dilation, strict=True)
        ]
        counted = isinstance(layer, AveragePool) and any(map(any, sides))  # explicit padding counts as zeros
        if counted or any(before != after for before, after in sides):
            return None
        values["pad"] = tuple(before for before, _ in sides)
    merged = type(layer)(**values)
    try:
        return merged if merged.infer(inputs)[:-1] == output[:-1] else None
    except Refused:  # a dilation, or a stride of its own for each axis
        return None


def without_unread(net: Net, weights: Weights) -> tuple[Net, Weights]:
    """What no output depends on is left out, but for inputs."""
    used = net.used()
    return _rebuilt(net, weights, (node for node in net if node.name in used or node.layer.is_input), {})


def convolved_shortcuts(net: Net, weights: Weights) -> tuple[Net, Weights]:
    """`padchannels` of an image that was subsampled for it alone, the shortcut of option A in He et al. 2015, is one
    strided 1x1 convolution of zeros and ones: engines add it to the other branch as they convolve, and copy nothing.

    Exact for finite numbers: an infinite one times zero is none.
    """
    import numpy  # noqa: PLC0415 - networks need none

    changed: dict[str, Layer] = {}
    instead: dict[str, str] = {}
    kernels: dict[Key, NDArray[Any]] = {}
    for node in net:
        if not isinstance(node.layer, PadChannels):
            continue
        (sampled,) = net.operands(node.name)
        before, (source, *_) = net.node(sampled).layer, (*net.operands(sampled), "")
        alone = len(net.consumers(sampled)) == 1 and sampled not in net.outputs
        if not isinstance(before, Subsample) or not alone or len(net.shapes[sampled]) != IMAGE:
            continue
        channels = channels_of(net.shapes[sampled])
        kernel = numpy.zeros((1, 1, channels, node.layer.total), "float32")
        kernel[0, 0, range(channels), range(*node.layer.place(channels))] = 1
        kernels[node.layer_name, "kernel"] = kernel
        values: dict[str, Any] = {"kernel": 1, "stride": before.factor, "pad": "valid", "bias": False}
        changed[node.name] = Conv(filters=node.layer.total, **values)
        instead[sampled] = source
    return _without(net, Weights({**weights, **kernels}), instead, changed)


REWRITES: tuple[Rewrite, ...] = (without_idle, computed_once, sampled_less, without_unread)


def rewritten(net: Net, weights: Weights, rewrites: Sequence[Rewrite] = REWRITES) -> tuple[Net, Weights]:
    """A network and its weights after all rewrites."""
    for rewrite in rewrites:
        net, weights = rewrite(net, weights)
    return net, weights


def _without(
    net: Net, weights: Weights, instead: Mapping[str, str], changed: Mapping[str, Layer] | None = None
) -> tuple[Net, Weights]:
    """The network where others stand for some of its nodes, and some nodes have another layer."""
    changed = changed or {}
    if not instead:
        return net, weights
    kept = (
        replace(node, layer=changed[node.name]) if node.name in changed else node
        for node in net
        if node.name not in instead
    )
    return _rebuilt(net, weights, kept, instead)


def _rebuilt(net: Net, weights: Weights, nodes: Iterator[Node], instead: Mapping[str, str]) -> tuple[Net, Weights]:
    """A network of some nodes of another, which read what stands for others; shapes are inferred again."""
    made = Net(net.name)
    for node in nodes:
        operands = [instead.get(operand, operand) for operand in net.operands(node.name)]
        shapes = [made.shapes[operand] for operand in operands]
        made.add(node, operands, node.layer.infer(shapes) if shapes else net.shapes[node.name])
    made.outputs = list(net.outputs)
    owners = {node.layer_name for node in made}
    return made, Weights({key: array for key, array in weights.items() if key[0] in owners})
