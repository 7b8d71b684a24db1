"""Inputs, and the layers of Keras that sum up products or slide over their input: dense ones, convolutions, pools."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from netc.ir.shape import Dim
from netc.ir.window import Window
from netc.layers.sliding import pad_of
from netc.lift.source import Tensor, Unsaid
from netc.targets.keras.read.activations import learnt
from netc.targets.keras.read.options import flag, shown, sizes
from netc.targets.keras.read.reading import Held, Missing, Pending, Site
from netc.targets.keras.read.table import says, spatial


@says("InputLayer")
def _input(site: Site) -> Tensor:
    shape = site.options.take("batch_shape") or site.options.take("batch_input_shape")
    if site.options.take("sparse") or site.options.take("ragged"):
        raise Unsaid("its data are sparse or ragged")
    dims = shape[1:] if isinstance(shape, list) else []
    if not dims:
        raise Unsaid(f"its shape is {shown(shape)}, and netc needs that of one sample: build the model before saving")
    if not all(dim is None or type(dim) is int for dim in dims):
        raise Unsaid(f"its shape is {shown(shape)}, and sizes are whole numbers")
    return site.add("input", shape=tuple(dims))


@says("Dense")
def dense(site: Site) -> Tensor:
    """Of a map it is a convolution of one pixel."""
    held = site.only()
    units = site.options.take("units", site.options.take("output_dim"))
    values, op, given = learnt(site, "kernel")
    if isinstance(held, Pending) and held.kind == "flatten":
        return site.activated(site.add("fc", held.base, units=units, **values), op, given)
    x = site.one()
    rank = site.rank(x)
    if not rank:
        return site.activated(site.add("fc", x, units=units, **values), op, given)
    if type(units) is not int:
        raise Unsaid(f"got {shown(units)} units")
    made = site.add("conv", x, filters=units, kernel=(1,) * rank, **values)
    return site.activated(made, op, given)


def _padding(
    space: Sequence[Dim], around: Sequence[tuple[int, int]], window: Mapping[str, tuple[int, ...]], words: Sequence[str]
) -> str | tuple[int, ...] | None:
    """The `pad` that is these zeros for a window, on a map of this size; None where there is none. What no window reads
    of them does not count."""
    if len(space) > 1 or window["stride"] != (1,):
        words = [word for word in words if word != "causal"]
    steps = zip(window["kernel"], window["stride"], window["dilation"], around, strict=True)
    return pad_of(space, [Window(taps, step, gap, *sides) for taps, step, gap, sides in steps], words)


def _windowed(site: Site, held: Held, rank: int, key: str, words: Sequence[str], kinds: Sequence[str]) -> Any:
    """What a window slides over, and its parameters: zeros before it become its own where they are the same."""
    options = site.options
    kernel = sizes(options.take(key), rank)
    stride = options.take("strides", options.take("subsample"))
    default = kernel if key == "pool_size" else (1,) * rank
    window = {
        "kernel": kernel,
        "stride": default if stride is None else sizes(stride, rank),
        "dilation": sizes(options.take("dilation_rate") or 1, rank),
    }
    word = options.take("padding", "valid")
    if word not in ("same", "valid", "causal"):
        raise Unsaid(f"its `padding` is {shown(word)}, and same, valid or causal are known")
    site.channels_last()
    if word == "valid" and set(kernel) == {1} and not isinstance(held, Pending):
        word = "same"  # which pads no window of one pixel, whatever the size
    said = {name: value for name, value in window.items() if name == "kernel" or set(value) != {1}}
    if isinstance(held, Pending) and held.kind in kinds and word == "valid":
        shape = site.shape(held)
        if shape is None:
            raise Missing
        unseen = held.kind == "lowest" or held.base in site.reader.not_negative  # by a maximum
        fits = key != "pool_size" or unseen or words == ()
        pad = _padding(shape[:-1], held.values, window, words) if fits else None
        if pad is not None and (key != "pool_size" or isinstance(pad, str) or all(map(int.__lt__, pad, kernel))):
            return held.base, said, pad
    return site.reader.settled(held), said, word


def _convolution(site: Site, op: str, *kernels: str, **more: Any) -> Tensor:
    held, rank = spatial(site)
    words = ("same", "causal") if op != "deconv" else ()
    x, window, pad = _windowed(site, held, rank, "kernel_size", words, ("zeros",) if op != "deconv" else ())
    values, after, given = learnt(site, *kernels)
    return site.activated(site.add(op, x, **window, pad=pad, **more, **values), after, given)


@says("Conv{}D", "Convolution{}D")
def _conv(site: Site) -> Tensor:
    take = site.options.take
    return _convolution(site, "conv", "kernel", filters=take("filters"), groups=take("groups", 1))


@says("DepthwiseConv{}D")
def _depthwise(site: Site) -> Tensor:
    site.options.need("groups", 1)
    site.options.need("filters")
    for name in ("kernel_initializer", "kernel_regularizer", "kernel_constraint"):
        site.options.take(name)  # which the class inherits and does not read
    return _convolution(site, "dwconv", "depthwise", multiplier=site.options.take("depth_multiplier", 1))


@says("SeparableConv{}D", "SeparableConvolution{}D")
def _separable(site: Site) -> Tensor:
    site.options.need("groups", 1)
    for name in ("kernel_initializer", "kernel_regularizer", "kernel_constraint"):
        site.options.take(name)
    take = site.options.take
    more = {"filters": take("filters"), "multiplier": take("depth_multiplier", 1)}
    return _convolution(site, "sepconv", "depthwise", "pointwise", **more)


@says("Conv{}DTranspose", "Convolution{}DTranspose")
def _transposed(site: Site) -> Tensor:
    site.options.need("output_padding")
    site.options.need("groups", 1)
    return _convolution(site, "deconv", "kernel", filters=site.options.take("filters"))


def _pool(site: Site, op: str, words: Sequence[str], kinds: Sequence[str]) -> Tensor:
    held, rank = spatial(site)
    x, window, pad = _windowed(site, held, rank, "pool_size", words, kinds)
    kernel, stride = window["kernel"], window.get("stride", (1,) * rank)
    return site.add(op, x, kernel=kernel, pad=pad, **({} if stride == kernel else {"stride": stride}))


@says("MaxPooling{}D", "MaxPool{}D")
def _max_pool(site: Site) -> Tensor:
    return _pool(site, "pool", ("same",), ("zeros", "lowest"))


@says("AveragePooling{}D", "AvgPool{}D")
def _average_pool(site: Site) -> Tensor:
    return _pool(site, "avgpool", (), ("zeros",))


@says("netc>MaxPoolPadding")
def _lowest(site: Site) -> Held:
    held = site.only()
    x = site.reader.settled(held)
    sides = sizes(site.options.take("padding", 1), site.rank(x))

    def alone() -> Tensor:
        site.refuse("it pads with minus infinity for more than the max pool after it")
        return None

    return Pending("lowest", x, alone, [(side, side) for side in sides])


@says("GlobalAveragePooling{}D", "GlobalAvgPool{}D", "GlobalMaxPooling{}D", "GlobalMaxPool{}D")
def _global(site: Site) -> Held:
    held, _ = spatial(site)
    site.channels_last()
    op = "gap" if "A" in site.kind.removeprefix("Global")[:1] else "gmp"
    x = site.reader.settled(held)
    if flag(site.options.take("keepdims") or False):
        return site.add(op, x, keep=True)
    return site.later(op, x, op, lambda: site.add(op, x, keep=True))
