"""What each class of layers of Keras is in netc: the way back from `lowering`.

Each function looks at every option of its class. What it does not take is refused, unless it says nothing
(`options.NEUTRAL`). How layers begin and what the loss is given of them is no part of their function: where netc lacks
that, it is left out, and named.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from math import sqrt
from typing import Any

from netc.ir.shape import Dim, axes_of, channels_of
from netc.ir.window import output_size, same_padding
from netc.layers.base import LAYERS
from netc.layers.conv import Conv
from netc.lift.source import Tensor
from netc.params import declared
from netc.targets.keras.read.graph import is_model
from netc.targets.keras.read.options import (
    Options,
    Unsaid,
    flag,
    function,
    gamma,
    initializer,
    number,
    pairs,
    regularizer,
    shown,
    sizes,
    spoken,
)
from netc.targets.keras.read.reading import Held, Missing, Pending, Says, Site, is_tensor, known

TABLE: dict[str, Says] = {}
RANKS = (1, 2, 3)
SMALLEST = 1e-7  # Keras' own: what its `Normalization` divides by at least
MOST_CHANNELS = 16  # each of which gets a constant of its own


def says(*names: str) -> Callable[[Says], Says]:
    """Register what classes are; `{}` stands for the number of dimensions."""

    def register(function: Says) -> Says:
        for name in names:
            TABLE.update({name.format(rank): function for rank in (RANKS if "{}" in name else (0,))})
        return function

    return register


# -- what several have ---------------------------------------------------------------------------------------


def initial(site: Site, name: str, default: str, *, vector: bool = False) -> dict[str, Any]:
    """netc's `init` or `bias_init`; nothing where netc has no such initialiser."""
    value = site.options.take(name)
    value = default if value is None else value
    found = initializer(value, vector=vector)
    if found is None:
        site.left_out(f"how it begins in training, {name} {spoken(value)}")
        return {}
    return {"bias_init" if vector else "init": found}


def punished(site: Site, *names: str) -> dict[str, Any]:
    """netc's `l1` and `l2`; nothing where netc has no such regulariser."""
    values = [site.options.take(f"{name}_regularizer") for name in names]
    found = [regularizer(value) for value in values]
    for name in ("bias", "beta", "gamma", "recurrent", "alpha"):
        if (other := site.options.take(f"{name}_regularizer")) is not None:
            site.left_out(f"what the {name}_regularizer {spoken(other)} adds to the loss")
    if found[0] is None or any(one != found[0] for one in found):
        site.left_out(f"what the {names[0]}_regularizer {spoken(values[0])} adds to the loss")
        return {}
    return {key: value for key, value in zip(("l1", "l2"), found[0], strict=True) if value is not None}


def ending(site: Site) -> tuple[dict[str, Any], str, Mapping[str, Any]]:
    """The `act` of a layer, and the operation after it where that is no `act`."""
    value = site.options.take("activation")
    if isinstance(value, Mapping) and value.get("class_name") != "function":
        op, given = _activation(value)
    else:
        op, given = function(value)
    unlike(site, op)
    if given or op not in declared(Conv)["act"].kind.words():
        return {}, op, given
    return ({} if op == "linear" else {"act": op}), "linear", {}


def _activation(layer: Mapping[str, Any]) -> tuple[str, Mapping[str, Any]]:
    """The operation of a layer that another one has for its activation."""
    kind, config = str(layer.get("class_name")), layer.get("config")
    says = _FUNCTIONS.get(known(layer, kind))
    if says is None or not isinstance(config, Mapping):
        raise Unsaid(f"its activation is a {shown(kind)}, and netc has no such activation")
    options = Options(config)
    found = says(options)
    if wrong := options.rest():
        raise Unsaid(f"of its activation {kind}: {wrong[0]}")
    return found


def unlike(site: Site, op: str) -> None:
    """Say where Keras computes something else than a layer of this name is known to be."""
    if op in LAYERS and LAYERS[op].unlike_keras:
        site.remark(f"has `{op}`, which netc computes as published: {LAYERS[op].unlike_keras}")


def learnt(site: Site, *kernels: str) -> tuple[dict[str, Any], str, Mapping[str, Any]]:
    """What layers with kernels have in common, and what comes after."""
    act, op, given = ending(site)
    begun = [initial(site, f"{kernel}_initializer", "glorot_uniform") for kernel in kernels]
    if any(one != begun[0] for one in begun):
        site.left_out("that its kernels begin differently in training")
    values = begun[0] | initial(site, "bias_initializer", "zeros", vector=True) | punished(site, *kernels) | act
    return values | {"bias": flag(site.options.take("use_bias", True))}, op, given


def last_axis(site: Site, rank: int, default: int = -1) -> None:
    """Refuse what works along another axis than the channels."""
    axis = site.options.take("axis", default)
    found = axis if isinstance(axis, list) else [axis]
    if found not in ([-1], [rank + 1]):
        raise Unsaid(f"it works along axis {shown(axis)}, and netc's layer along the channels, the last one")


# -- inputs, dense layers, convolutions ----------------------------------------------------------------------


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
    steps = list(zip(window["kernel"], window["stride"], window["dilation"], strict=True))

    def equal(wanted: Sequence[tuple[int, int] | None]) -> bool:
        each = zip(space, around, wanted, steps, strict=True)
        return all(other is not None and _alike(size, own, other, *step) for size, own, other, step in each)

    if "same" in words and equal([_same(size, *step) for size, step in zip(space, steps, strict=True)]):
        return "same"
    if "causal" in words and len(steps) == 1 and equal([((steps[0][0] - 1) * steps[0][2], 0)]):
        return "causal" if steps[0][1] == 1 else None
    before = tuple(first for first, _ in around)
    return before if equal([(first, first) for first in before]) else None


def _same(size: Dim, taps: int, step: int, gap: int) -> tuple[int, int] | None:
    """What `same` pads; None where that depends on a size that is open."""
    if size is None:
        return same_padding(taps * gap, taps, 1, gap) if step == 1 else None
    return same_padding(size, taps, step, gap)


def _alike(size: Dim, own: tuple[int, int], other: tuple[int, int], taps: int, step: int, gap: int) -> bool:
    """Whether windows read the same with either padding."""
    if own == other:
        return True
    made = [output_size(size, taps, step, gap, around) for around in (own, other)]
    return size is not None and own[0] == other[0] and made[0] == made[1]


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
        positive = held.base in site.reader.positive
        fits = key != "pool_size" or held.kind == "lowest" or positive or words == ()
        pad = _padding(shape[:-1], held.values, window, words) if fits else None
        if pad is not None and (key != "pool_size" or isinstance(pad, str) or all(map(int.__lt__, pad, kernel))):
            return held.base, said, pad
    return site.reader.settled(held), said, word


def _spatial(site: Site) -> tuple[Held, int]:
    """The one tensor that a layer reads, and the dimensions in the name of its class, which it must have."""
    held = site.only()
    digit = next((character for character in site.kind if character.isdigit()), "0")
    if (rank := site.rank(held)) != int(digit):
        raise Unsaid(f"it works on {digit} dimensions, and its input has {rank}")
    return held, rank


def _convolution(site: Site, op: str, *kernels: str, **more: Any) -> Tensor:
    held, rank = _spatial(site)
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


# -- pools ---------------------------------------------------------------------------------------------------


def _pool(site: Site, op: str, words: Sequence[str], kinds: Sequence[str]) -> Tensor:
    held, rank = _spatial(site)
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
    held, _ = _spatial(site)
    site.channels_last()
    op = "gap" if "A" in site.kind.removeprefix("Global")[:1] else "gmp"
    x = site.reader.settled(held)
    if flag(site.options.take("keepdims") or False):
        return site.add(op, x, keep=True)
    return site.later(op, x, op, lambda: site.add(op, x, keep=True))


# -- normalisation -------------------------------------------------------------------------------------------


def _normalised(site: Site, op: str, **more: Any) -> Tensor:
    x, options = site.one(), site.options
    values = {"epsilon": site.number("epsilon", 1e-3)} | more
    for name in ("center", "scale"):
        values[name] = flag(options.take(name, True))
    start = options.take("gamma_initializer", "ones")
    if (found := gamma(start)) is None:
        site.left_out(f"how it begins in training, gamma_initializer {spoken(start)}")
    else:
        values |= {"gamma": found[0], "gamma_std": found[1]}
    for name, usual in (("beta", "zeros"), ("moving_mean", "zeros"), ("moving_variance", "ones")):
        value = options.take(f"{name}_initializer", usual)
        if initializer(value, vector=True) != usual:
            site.left_out(f"how it begins in training, {name}_initializer {spoken(value)}")
    punished(site, "gamma")
    return site.add(op, x, **values)


@says("BatchNormalization", "SyncBatchNormalization", "BatchNormalizationV1", "BatchNormalizationV2")
def _batch(site: Site) -> Tensor:
    last_axis(site, site.rank(site.only()))
    for name in ("renorm", "renorm_clipping", "virtual_batch_size", "adjustment"):
        site.options.need(name, False)
    return _normalised(site, "bn", decay=site.number("momentum", 0.99))


@says("LayerNormalization")
def _layer(site: Site) -> Tensor:
    last_axis(site, site.rank(site.only()))
    site.options.need("rms_scaling", False)
    return _normalised(site, "layernorm")


@says("GroupNormalization")
def _group(site: Site) -> Tensor:
    shape = site.shape(site.only())
    if shape is None:
        raise Missing
    last_axis(site, len(shape) - 1)
    groups = site.options.take("groups", 32)
    return _normalised(site, "groupnorm", groups=shape[-1] if groups == -1 else groups)


@says("UnitNormalization")
def _unit(site: Site) -> Tensor:
    x = site.one()
    last_axis(site, site.rank(x))
    return site.add("l2norm", x)


@says("Rescaling")
def _rescaling(site: Site) -> Tensor:
    if skipped(site):
        return site.one()
    return affine(site, site.one(), site.options.take("scale", 1.0), site.options.take("offset", 0.0))


@says("Normalization")
def _normalization(site: Site) -> Tensor:
    options, x = site.options, site.one()
    mean, variance, inverse = options.take("mean"), options.take("variance"), flag(options.take("invert") or False)
    last_axis(site, site.rank(x))
    if skipped(site):
        return x
    if mean is None or variance is None:
        held = site.reader.constants(site.path)
        if held is not None and len(held) >= 2:
            mean, variance = (array.reshape(-1).tolist() for array in held[:2])
        else:
            raise Unsaid("its mean and variance are weights, and there are none: without preprocessing it is left out")
    means, spreads = _each(mean), [max(sqrt(max(one, 0.0)), SMALLEST) for one in _each(variance)]
    count = max(len(means), len(spreads))
    means, spreads = (one * count if len(one) == 1 else one for one in (means, spreads))
    if len(means) != len(spreads):
        raise Unsaid(f"it has {len(means)} means and {len(spreads)} variances")
    both = list(zip(means, spreads, strict=True))
    if inverse:
        return affine(site, x, spreads, means)
    return affine(site, x, [1 / spread for _, spread in both], [-mean / spread for mean, spread in both])


def skipped(site: Site) -> bool:
    """Whether fixed scales and offsets are left out, as the steps of a `data` section say them."""
    if site.reader.preprocessing:
        return False
    site.options = Options({})
    site.left_out(f"what its {site.kind} makes of the data")
    return True


def _each(value: object) -> list[float]:
    """Constants, one for all channels or one for each: numbers in lists of one."""
    while isinstance(value, list) and len(value) == 1:
        value = value[0]
    found = value if isinstance(value, list) else [value]
    if isinstance(value, list) and any(isinstance(one, list) for one in value):
        raise Unsaid("its constants are not one for each channel")
    return [number(one) for one in found]


def affine(site: Site, x: Tensor, factors: object, offsets: object) -> Tensor:
    """A tensor times constants, plus others: one for all channels, or one for each."""
    shape = site.shape(x)
    if shape is None:
        raise Missing
    some = [_each(factors), _each(offsets)]
    scales, shifts = (each if len(set(each)) > 1 else each[:1] for each in some)
    count = channels_of(shape)
    if any(len(each) not in (1, count) for each in some):
        raise Unsaid(f"it has {max(map(len, some))} constants, and its input {count} channels")
    if len(scales) == len(shifts) == 1:
        return site.add("rescale", x, factor=scales[0], offset=shifts[0])
    if count > MOST_CHANNELS:
        raise Unsaid(f"it has constants for each of {count} channels, and netc has one for all")
    scales, shifts = (each * count if len(each) == 1 else each for each in (scales, shifts))
    made = []
    for at, (factor, offset) in enumerate(zip(scales, shifts, strict=True)):
        part = site.add("part", x, suffix=f"_channel{at + 1}", index=at + 1, of=count)
        made.append(site.add("rescale", part, suffix=f"_scaled{at + 1}", factor=factor, offset=offset))
    return site.add("concat", *made)


@says("netc>LocalResponseNormalization")
def _lrn(site: Site) -> Tensor:
    return named(site, "lrn")


@says("netc>LayerScale")
def _scale(site: Site) -> Tensor:
    return site.add("scale", site.one(), init=site.number("initial", 1e-6))


@says("applications.LayerScale")
def _convnext_scale(site: Site) -> Tensor:
    site.options.take("projection_dim")
    return site.add("scale", site.one(), init=site.number("init_values", 1e-6))


@says("applications.CustomScaleLayer")
def _custom_scale(site: Site) -> Tensor:
    straight, branch = site.tensors(most=2)
    scaled = site.add("rescale", branch, suffix="_scaled", factor=site.number("scale", 1.0))
    return site.add("add", straight, scaled)


def named(site: Site, op: str, **more: Any) -> Tensor:
    """A layer whose options are the parameters of the operation, by their names."""
    params = declared(LAYERS[op])
    given = {name: site.options.take(name, param.default) for name, param in params.items() if name not in more}
    kept = {name: tuple(value) if isinstance(value, list) else value for name, value in given.items()}
    changed: dict[str, Any] = {name: value for name, value in kept.items() if value != params[name].default}
    return site.add(op, *site.tensors(), **changed, **more)


# -- activations ---------------------------------------------------------------------------------------------


def _relu(options: Options) -> tuple[str, Mapping[str, Any]]:
    most = options.take("max_value")
    slope = number(options.take("negative_slope") or 0.0)
    threshold = number(options.take("threshold") or 0.0)
    if most is not None and (number(most), slope, threshold) == (6, 0, 0):
        return "relu6", {}
    given = {"max": most if most is None else number(most), "slope": slope, "threshold": threshold}
    return "relu", {name: value for name, value in given.items() if value}


def _leaky(options: Options) -> tuple[str, Mapping[str, Any]]:
    slope = options.take("negative_slope", options.take("alpha", 0.3))
    return "leakyrelu", {"slope": number(slope)}


def _elu(options: Options) -> tuple[str, Mapping[str, Any]]:
    return "elu", {"alpha": number(options.take("alpha", 1.0))}


def _thresholded(options: Options) -> tuple[str, Mapping[str, Any]]:
    return "relu", {"threshold": number(options.take("theta", 1.0))}


def _softmax(options: Options) -> tuple[str, Mapping[str, Any]]:
    axis = options.take("axis", -1)
    if axis not in (-1, [-1]):
        raise Unsaid(f"it is along axis {shown(axis)}, and netc's softmax along the channels")
    return "softmax", {}


def _named_function(options: Options) -> tuple[str, Mapping[str, Any]]:
    value = options.take("activation")
    if isinstance(value, Mapping) and value.get("class_name") != "function":
        return _activation(value)
    return function(value)


_FUNCTIONS: Mapping[str, Callable[[Options], tuple[str, Mapping[str, Any]]]] = {
    "ReLU": _relu,
    "LeakyReLU": _leaky,
    "ELU": _elu,
    "ThresholdedReLU": _thresholded,
    "Softmax": _softmax,
    "Activation": _named_function,
}


@says(*_FUNCTIONS)
def _plain(site: Site) -> Tensor:
    op, given = _FUNCTIONS[known(site.call.layer, site.kind)](site.options)
    unlike(site, op)
    return site.add(op, site.one(), **given)


@says("PReLU")
def _prelu(site: Site) -> Tensor:
    x = site.one()
    rank, axes = site.rank(x), site.options.take("shared_axes")
    shared = set(axes or ())
    spatial = set(range(1, rank + 1))
    if not spatial <= shared <= spatial | {rank + 1}:
        raise Unsaid("it learns a slope for each position, and netc one for each channel, or one for all")
    start = site.options.take("alpha_initializer", "zeros")
    found = initializer(start, vector=True)
    values: dict[str, Any] = {"init": {"zeros": 0.0, "ones": 1.0}.get(str(found), found)}
    if found is None or isinstance(values["init"], str):
        site.left_out(f"how it begins in training, alpha_initializer {spoken(start)}")
        values = {}
    punished(site, "alpha")
    return site.add("prelu", x, single=rank + 1 in shared, **values)


@says("netc>ParametricActivation")
def _parametric(site: Site) -> Tensor:
    op, given = function(site.options.take("function"))
    renamed = {"default_value": "value"}
    names = {name: name for name in declared(LAYERS[op])} | renamed
    values = {there: one for here, there in names.items() if (one := site.options.take(here)) is not None}
    return site.add(op, site.one(), **{**given, **values})


@says("netc>AbsoluteValue")
def _absolute(site: Site) -> Tensor:
    return site.add("abs", site.one())


# -- only in training ----------------------------------------------------------------------------------------


@says("Dropout")
def _dropout(site: Site) -> Tensor:
    x, rate, shape = site.one(), site.number("rate", 0.5), site.options.take("noise_shape")
    if shape is None:
        return site.add("dropout", x, rate=rate)
    ranked = [None, *[1] * (site.rank(x) + 1)]
    if shape == ranked:
        return site.add("droppath", x, rate=rate)
    if isinstance(shape, list) and shape[:-1] == ranked[:-1] and len(shape) == len(ranked) > 2:
        return site.add("spatialdropout", x, rate=rate)
    site.left_out(f"that it drops along {shown(shape)} in training")
    return x


@says("SpatialDropout{}D")
def _spatial_dropout(site: Site) -> Tensor:
    held, _ = _spatial(site)
    site.channels_last()
    return site.add("spatialdropout", site.reader.settled(held), rate=site.number("rate", 0.5))


@says("applications.StochasticDepth")
def _stochastic(site: Site) -> Tensor:
    return site.add("droppath", site.one(), rate=site.number("drop_path_rate", 0.0))


@says("GaussianNoise")
def _noise(site: Site) -> Tensor:
    return site.add("noise", site.one(), std=site.number("stddev", 0.0))


AUGMENTATION = (
    *("RandomFlip", "RandomRotation", "RandomTranslation", "RandomZoom", "RandomCrop", "RandomBrightness"),
    *("RandomContrast", "RandomHue", "RandomSaturation", "RandomSharpness", "RandomShear", "RandomColorJitter"),
    *("RandomColorDegeneration", "RandomGrayscale", "RandomPosterization", "RandomInvert", "RandomErasing"),
    *("RandomGaussianBlur", "RandomElasticTransform", "RandomPerspective", "RandomHeight", "RandomWidth"),
    *("RandAugment", "AugMix", "CutMix", "MixUp"),
)
RESIZES = ("RandomCrop", "RandomHeight", "RandomWidth")  # outside of training too


@says(*(name for name in AUGMENTATION if name not in RESIZES), "GaussianDropout", "AlphaDropout")
def _augmentation(site: Site) -> Tensor:
    site.options = Options({})
    site.left_out(f"what {site.kind} does in training")
    return site.one()


@says("ActivityRegularization")
def _activity(site: Site) -> Tensor:
    given = ", ".join(f"{name}={site.number(name, 0.0)}" for name in ("l1", "l2"))
    site.left_out(f"what it adds to the loss, {given}")
    return site.one()


# -- shapes --------------------------------------------------------------------------------------------------


@says("Identity")
def _identity(site: Site) -> Tensor:
    return site.add("identity", site.one())


@says("Flatten")
def _flatten(site: Site) -> Held:
    x = site.one()
    site.channels_last()
    return site.later("flatten", x, "flatten")


@says("Reshape")
def _reshape(site: Site) -> Held:
    held = site.only()
    shape = site.options.take("target_shape")
    if not isinstance(shape, list | tuple) or not shape or not all(type(size) is int for size in shape):
        raise Unsaid(f"its shape is {shown(shape)}, and sizes are expected")
    if isinstance(held, Pending) and held.kind in ("gap", "gmp"):
        before = site.shape(held)
        if before is not None and tuple(shape) == (*(1,) * (len(before) - 1), before[-1]):
            kept: Tensor = held.values()
            return kept
    sizes_ = tuple(None if size == -1 else size for size in shape)
    return site.add("reshape", site.reader.settled(held), shape=sizes_)


def bordered(site: Site, op: str, sides: Sequence[tuple[int, int]], kind: str, **more: Any) -> Held:
    """Pixels around, or off: as one number a dimension where they are as many on each side."""
    before, after = (tuple(side) for side in zip(*sides, strict=True))
    values = {"by": before} if before == after else {"before": before, "after": after}
    return site.later(kind, site.one(), op, list(sides), **values, **more)


@says("ZeroPadding{}D")
def _zeros(site: Site) -> Held:
    _, rank = _spatial(site)
    site.channels_last()
    return bordered(site, "pad", pairs(site.options.take("padding", 1), rank), "zeros")


@says("netc>MirrorPadding")
def _mirror(site: Site) -> Tensor:
    sides = pairs(site.options.take("padding"), site.rank(site.only()))
    mode = site.options.take("mode", "reflect")
    return site.reader.settled(bordered(site, "pad", sides, "mirror", mode=mode))


@says("Cropping{}D")
def _crop(site: Site) -> Tensor:
    _, rank = _spatial(site)
    site.channels_last()
    return site.reader.settled(bordered(site, "crop", pairs(site.options.take("cropping", 1), rank), "crop"))


@says("netc>CroppingLike")
def _crop_like(site: Site) -> Tensor:
    x, like = site.tensors(most=2)
    offset = site.options.take("offset")
    values: dict[str, Any] = {} if offset is None else {"offset": sizes(offset, site.rank(x))}
    return site.add("crop", x, like, to=True, **values)


@says("Resizing")
def _resizing(site: Site) -> Tensor:
    x, options = site.one(), site.options
    site.channels_last()
    for name in ("crop_to_aspect_ratio", "pad_to_aspect_ratio", "antialias"):
        options.need(name, False)
    for name in ("fill_mode", "fill_value"):
        options.take(name)  # of what is padded
    extent = sizes([options.take("height"), options.take("width")], 2)
    return site.add("resize", x, extent=extent, method=options.take("interpolation", "bilinear"))


@says("netc>ResizingLike")
def _resize_like(site: Site) -> Tensor:
    x, like = site.tensors(most=2)
    return site.add("resize", x, like, to=True, method=site.options.take("interpolation", "bilinear"))


@says("UpSampling{}D")
def _upsampling(site: Site) -> Tensor:
    held, rank = _spatial(site)
    site.channels_last()
    factor = sizes(site.options.take("size", 2), rank)
    method = site.options.take("interpolation") or "nearest"
    return site.add("upsample", site.reader.settled(held), factor=factor, method=method)


@says("Permute")
def _permute(site: Site) -> Tensor:
    x, dims = site.one(), site.options.take("dims")
    if dims == list(range(1, site.rank(x) + 2)):
        return site.add("identity", x)
    if dims != [2, 1]:
        raise Unsaid(f"it orders axes as {shown(dims)}, and netc swaps the two of a row of positions")
    return site.add("swap", x)


@says("netc>SpaceToDepth")
def _to_depth(site: Site) -> Tensor:
    return named(site, "todepth")


@says("netc>DepthToSpace")
def _to_space(site: Site) -> Tensor:
    return named(site, "tospace")


@says("netc>Position")
def _pick(site: Site) -> Tensor:
    return named(site, "pick")


@says("netc>ClassToken")
def _token(site: Site) -> Tensor:
    return site.add("token", site.one(), **initial(site, "initializer", "zeros"))


@says("netc>PositionEmbedding")
def _position(site: Site) -> Tensor:
    return site.add("position", site.one(), **initial(site, "initializer", "zeros"))


@says("netc>ChannelPadding")
def _channel_padding(site: Site) -> Tensor:
    return named(site, "padchannels")


@says("netc>ChannelPart")
def _channel_part(site: Site) -> Tensor:
    index, parts = site.options.take("index"), site.options.take("parts")
    if type(index) is not int:
        raise Unsaid(f"its index is {shown(index)}")
    return site.add("part", site.one(), index=index + 1, of=parts)


@says("netc>ChannelShuffle")
def _shuffle(site: Site) -> Tensor:
    return named(site, "shuffle")


@says("netc>ChannelPooling")
def _channel_pooling(site: Site) -> Tensor:
    what = site.options.take("function")
    op = {"mean": "gap", "max": "gmp"}.get(what if isinstance(what, str) else "")
    if op is None:
        raise Unsaid(f"its function is {shown(what)}")
    return site.add(op, site.one(), over="channels")


# -- combiners -----------------------------------------------------------------------------------------------

COMBINERS = {"Add": "add", "Subtract": "sub", "Multiply": "mul", "Maximum": "max", "Average": "avg"}


@says(*COMBINERS)
def _combiner(site: Site) -> Tensor:
    return site.add(COMBINERS[site.kind], *site.tensors())


@says("Concatenate", "ops.Concatenate")
def _concatenate(site: Site) -> Tensor:
    found = site.tensors()
    axis = site.options.take("axis", -1 if known(site.call.layer, site.kind) == "Concatenate" else 0)
    axis = site.given.take("axis", axis)
    over = {} if len(found) == 1 else {"over": axis_name(site, found[0], axis)}
    if len(found) == 1:
        return site.add("identity", found[0])
    return site.add("concat", *found, **({} if over["over"] == "channels" else over))


def axis_name(site: Site, tensor: Tensor, axis: object) -> str:
    """What netc calls an axis that Keras counts, the batch being 0."""
    shape = site.shape(tensor)
    if shape is None:
        raise Missing
    if type(axis) is not int or not -len(shape) <= axis <= len(shape) or axis == 0:
        raise Unsaid(f"it works along axis {shown(axis)}")
    return axes_of(shape)[axis - 1 if axis > 0 else axis]


# -- sequences -----------------------------------------------------------------------------------------------


@says("Embedding")
def _embedding(site: Site) -> Tensor:
    options = site.options
    options.need("mask_zero", False)
    begun = options.take("embeddings_initializer", "uniform")
    found = initializer(begun)
    values: dict[str, Any] = {} if found is None else {"init": found}
    if found is None:
        site.left_out(f"how it begins in training, embeddings_initializer {spoken(begun)}")
    counts = {"count": options.take("input_dim"), "units": options.take("output_dim")}
    return site.add("embed", site.one(), **counts, **values, **punished(site, "embeddings"))


RECURRENT = {"LSTM": "lstm", "GRU": "gru", "SimpleRNN": "rnn", "CuDNNLSTM": "lstm"}


@says("LSTM", "GRU", "SimpleRNN")
def _recurrent(site: Site) -> Tensor:
    return _recurrent_of(site, site.kind)


def _recurrent_of(site: Site, kind: str, **more: Any) -> Tensor:
    options = site.options
    options.need("activation", "tanh")
    if kind != "SimpleRNN":
        options.need("recurrent_activation", "sigmoid")
    if kind == "GRU" and options.take("reset_after", False) is not True:
        options.wrong.append("its reset gate comes before the product (`reset_after=False`), and netc's after")
    for name in ("return_state", "go_backwards", "stateful"):
        options.need(name, False)
    if len(site.held()) > 1:
        raise Unsaid("it is given a state to begin with")
    for name in ("dropout", "recurrent_dropout"):
        if rate := options.take(name):
            site.left_out(f"its {name} of {shown(rate)} in training")
    if initializer(begun := options.take("recurrent_initializer", "orthogonal")) != "orthogonal":
        site.left_out(f"how it begins in training, recurrent_initializer {spoken(begun)}")
    if initializer(begun := options.take("bias_initializer", "zeros"), vector=True) != "zeros":
        site.left_out(f"how it begins in training, bias_initializer {spoken(begun)}")
    values = initial(site, "kernel_initializer", "glorot_uniform") | punished(site, "kernel") | more
    states = flag(options.take("return_sequences", False))
    bias = flag(options.take("use_bias", True))
    return site.add(RECURRENT[kind], site.one(), units=options.take("units"), all=states, bias=bias, **values)


@says("Bidirectional")
def _bidirectional(site: Site) -> Tensor:
    site.options.need("merge_mode", "concat")
    forward, backward = site.options.take("layer"), site.options.take("backward_layer")
    kind, config = _inner(site, forward)
    if kind not in RECURRENT:
        raise Unsaid(f"it goes over a {shown(kind)}, and netc's recurrent layers are LSTM, GRU and SimpleRNN")
    if backward is not None:
        other_kind, other = _inner(site, backward)
        apart = {"name", "go_backwards"}
        differs = {name for name in config.keys() - apart if _unnumbered(other.get(name)) != _unnumbered(config[name])}
        if other_kind != kind or differs or other.get("go_backwards") is not True:
            raise Unsaid("its two directions are layers of different options")
    site.options = Options({**config, **dict.fromkeys(("activity_regularizer", "dtype"))})
    return _recurrent_of(site, kind, both=True)


def _unnumbered(value: Any) -> Any:
    """An option without the number of its object."""
    return {key: one for key, one in value.items() if key != "shared_object_id"} if isinstance(value, dict) else value


def _inner(site: Site, layer: object) -> tuple[str, Mapping[str, Any]]:
    """The class and the options of a layer in another one, which no third one may have."""
    if not isinstance(layer, Mapping) or not isinstance(layer.get("config"), Mapping) or is_model(layer):
        raise Unsaid("what is in it is no layer")
    number_ = layer.get("shared_object_id")
    if isinstance(number_, int) and site.reader.within.setdefault(number_, site.path) != site.path:
        raise Unsaid(f"the layer in it is in `{'/'.join(site.reader.within[number_])}` too")
    return known(layer, str(layer.get("class_name"))), layer["config"]


@says("TimeDistributed")
def _distributed(site: Site) -> Tensor:
    kind, config = _inner(site, site.options.take("layer"))
    if kind not in ("Dense", "Activation", "ReLU", "LeakyReLU", "ELU", "Dropout"):
        raise Unsaid(f"it has a {shown(kind)} at each position, and netc has none that is not a layer of all positions")
    if kind == "Dropout":
        raise Unsaid("its Dropout has a mask of its own at each position")
    site.options = Options({**config, "dtype": None})
    if kind == "Dense":
        of_map: Tensor = dense(site)
        return of_map
    op, values = _FUNCTIONS[kind](site.options)
    made: Tensor = site.add(op, site.one(), **values)
    return made


@says("MultiHeadAttention")
def _attention(site: Site) -> Tensor:
    options, called = site.options, site.given
    query, read = _attended(site)
    causal = flag(called.take("use_causal_mask") or False)
    for name in ("query_mask", "value_mask", "key_mask", "attention_mask"):
        if called.take(name) is not None:
            raise Unsaid(f"it is called with a `{name}`, and netc has none")
    if called.take("return_attention_scores"):
        raise Unsaid("it gives its weights too, and netc's attention its output alone")
    if site.rank(query) != 1 or site.rank(read) != 1:
        raise Unsaid("it reads maps, and netc's attention a row of positions")
    heads, key = options.take("num_heads"), options.take("key_dim")
    options.need("value_dim", key)
    options.need("output_shape")
    options.need("attention_axes", 1, [1])
    values = initial(site, "kernel_initializer", "glorot_uniform") | punished(site, "kernel")
    begun = options.take("bias_initializer", "zeros")
    if initializer(begun, vector=True) != "zeros":
        site.left_out(f"how it begins in training, bias_initializer {spoken(begun)}")
    given = {
        "heads": heads,
        "key": key,
        "bias": flag(options.take("use_bias", True)),
        "dropout": site.number("dropout", 0.0),
    }
    operands = (query,) if query == read else (query, read)
    return site.add("attention", *operands, **given, **values, causal=causal, from_=len(operands) == 2)


def _attended(site: Site) -> tuple[Tensor, Tensor]:
    """The tensors that ask, and that are read."""
    names = ("query", "value", "key")
    given, found = dict(zip(names, site.args, strict=False)), {}
    if len(site.args) > len(names):
        raise Unsaid(f"it is called with {len(site.args)} arguments, and names are expected after the third")
    for name in names:
        one = site.given.take(name, given.get(name))
        if is_tensor(one):
            found[name] = site.reader.settled(one.held)
        elif one is not None:
            raise Unsaid(f"its {name} is no tensor")
    if "query" not in found or "value" not in found:
        raise Unsaid("it is called without a query or a value")
    if found.get("key", found["value"]) != found["value"]:
        raise Unsaid("its keys and its values are of two tensors, and netc's of one")
    return found["query"], found["value"]


# -- functions of `keras.ops` --------------------------------------------------------------------------------

TWO = {
    "ops.Add": "add",
    "ops.Subtract": "sub",
    "ops.Multiply": "mul",
    "ops.Maximum": "max",
    "ops.Divide": "",
    "ops.TrueDivide": "",
}


@says(*TWO)
def _two(site: Site) -> Tensor:
    """Of two tensors, or of one and a number."""
    name = known(site.call.layer, site.kind)
    given = [*site.args, *(one for key in ("x1", "x2") if (one := site.given.take(key)) is not None)]
    if len(given) != 2:
        raise Unsaid(f"it is called with {len(given)} arguments, and 2 are expected")
    if not any(map(is_tensor, given)):
        raise Unsaid("it is called with no tensor")
    if all(map(is_tensor, given)):
        if not TWO[name]:
            raise Unsaid("it divides one tensor by another, and netc has no such layer")
        return site.add(TWO[name], *(site.reader.settled(one.held) for one in given))
    first = is_tensor(given[0])
    x, value = site.reader.settled((given[0] if first else given[1]).held), number(given[1] if first else given[0])
    match name.removeprefix("ops."):
        case "Add":
            return affine(site, x, 1.0, value)
        case "Multiply":
            return affine(site, x, value, 0.0)
        case "Subtract":
            return affine(site, x, 1.0, -value) if first else affine(site, x, -1.0, value)
        case "Divide" | "TrueDivide" if first and value:
            return affine(site, x, 1 / value, 0.0)
    raise Unsaid(f"it is {site.kind} of a tensor and a number, and netc has no such layer")


ELEMENTWISE = {
    f"ops.{name}": op
    for name, op in (
        *(("Absolute", "abs"), ("Abs", "abs"), ("Tanh", "tanh"), ("Exp", "exponential"), ("Relu", "relu")),
        *(("Relu6", "relu6"), ("Sigmoid", "sigmoid"), ("Softplus", "softplus"), ("Softsign", "softsign")),
        *(("Silu", "silu"), ("Selu", "selu"), ("HardSigmoid", "hard_sigmoid"), ("HardSilu", "hard_silu")),
        *(("HardTanh", "hard_tanh"), ("LogSigmoid", "log_sigmoid"), ("TanhShrink", "tanh_shrink")),
        *(("SparsePlus", "sparse_plus"), ("SparseSigmoid", "sparse_sigmoid")),
    )
}


@says(*ELEMENTWISE)
def _elementwise(site: Site) -> Tensor:
    return site.add(ELEMENTWISE[known(site.call.layer, site.kind)], site.one())


@says("ops.Negative")
def _negative(site: Site) -> Tensor:
    return site.add("rescale", site.one(), factor=-1.0)


@says("ops.Mean", "ops.Max")
def _reduced(site: Site) -> Tensor:
    x = site.one()
    rank, axis = site.rank(x), site.given.take("axis", site.options.take("axis"))
    keep = flag(site.given.take("keepdims", site.options.take("keepdims")) or False)
    site.options.need("initial")
    axes = {one if one >= 0 else one + rank + 2 for one in _axes(axis)}
    op = "gap" if site.kind == "Mean" else "gmp"
    if axes == {rank + 1} and keep:
        return site.add(op, x, over="channels")
    if axes != set(range(1, rank + 1)) or not rank:
        raise Unsaid(f"it works along {shown(axis)}, and netc's global pools over all positions")
    return site.add(op, x, keep=keep)


def _axes(axis: object) -> Sequence[int]:
    found = axis if isinstance(axis, list | tuple) else [axis]
    if not all(type(one) is int for one in found):
        raise Unsaid(f"it works along {shown(axis)}")
    return [one for one in found if type(one) is int]


# -- classes of netc that are written from what operations compute --------------------------------------------


def written_classes() -> None:
    """Register the classes that emitted code has of operations without a lowering."""
    from netc.targets.keras.written import written  # noqa: PLC0415 - asks `lowering`

    for name, op in written().items():
        TABLE[f"netc>{name}"] = partial(named, op=op)


written_classes()
