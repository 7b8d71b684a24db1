"""What each operation becomes in Keras: the calls that make a layer, as data.

The one place that says it: the direct build executes the calls, the source backend prints them. There any value of a
layer may be a `Symbol`, or a tuple of them: a `Sizes` written as one expression is one `Symbol` with an integer.
`spread`, `compact` and `keywords` take all of these.

An operation has a function here, registered for its class (or a base of several classes), where Keras has such a layer,
where it has weights, and where it is another one in training; all others are written from their `compute`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import singledispatch
from types import MappingProxyType
from typing import Any

from netc.ir.shape import Shape, rank_of
from netc.layers import (
    activation,
    attention,
    conv,
    dense,
    embed,
    kernel_norm,
    merge,
    norm,
    pool,
    recurrent,
    regularise,
    shape,
)
from netc.layers.base import Layer, OperationError
from netc.layers.sliding import spread
from netc.params import declared
from netc.target import Call, Keywords, Symbol, compact, concrete, is_given, is_text

Calls = tuple[Call, ...]


@singledispatch
def to_keras(layer: Layer, inputs: Sequence[Shape]) -> Calls:
    """The calls that make a layer, applied one after the other; the last one carries the node's name.

    A class without a lowering becomes a layer that is written from its `compute` (`written.py`). Raises
    `OperationError` for one that has weights, or is another one in training.
    """
    if layer.train_only or layer.weights(inputs):
        what = "is another one in training" if layer.train_only else "has weights"
        raise OperationError(f"`{layer.op}` {what}: netc/targets/keras/lowering.py has to say how it trains")
    given = ((name, getattr(layer, name), param.default) for name, param in declared(type(layer)).items())
    return (Call(f"custom.{type(layer).__name__}", kwargs=keywords(*given)),)


def applied(layer: Layer, inputs: Sequence[Shape], first: Sequence[Shape] | None) -> Calls:
    """The calls that make a layer, which is another one's where that reads `first`: a later call of a `shared def`.

    Raises `OperationError` where Keras' layer would be another one for the sizes here. A `Reshape` works its open size
    out at each call; one of Keras before 3.15 kept its first one and raises.
    """
    calls = to_keras(layer, inputs)
    if first is not None and first != inputs and calls != to_keras(layer, first):
        raise OperationError(f"Keras has no `{layer.op}` that fits maps of several sizes, as a `shared def` asks for")
    return calls


# -- arguments -----------------------------------------------------------------------------------------------

# Initialisers that Keras has under other names, or not by name.
INITIALIZERS: Mapping[str, str | Call] = MappingProxyType(
    {
        "uniform_scaling": "lecun_uniform",  # U(-sqrt(3 / fan_in), sqrt(3 / fan_in))
        "variance_scaling": "he_normal",  # truncated normal of variance 2 / fan_in
        "xavier": "glorot_uniform",
        "normal": Call("initializers.RandomNormal", kwargs={"stddev": 0.02}),
        "truncated_normal": Call("initializers.TruncatedNormal", kwargs={"stddev": 0.02}),
    }
)

FUNCTIONS_TOO = ("leaky_relu", "glu", "threshold")  # layers only in netc, which Keras takes as an `activation` as well


def keywords(*arguments: tuple[str, Any, Any]) -> Keywords:
    """Keyword arguments from (name, value, Keras' default), without those that equal the default."""
    given = {name: value for name, value, default in arguments if is_given(value, default)}
    return Keywords(given, {name: default for name, _, default in arguments})


def kernel_initializer(value: Any) -> Any:
    """An initialiser: a number is the standard deviation of a normal distribution around 0."""
    if is_text(value):
        return _named(value)
    return Call("initializers.RandomNormal", kwargs={"stddev": value})


def bias_initializer(value: Any) -> Any:
    """An initialiser: a number is a constant."""
    return _named(value) if is_text(value) else Call("initializers.Constant", (value,))


def _named(value: Any) -> Any:
    if isinstance(value, Symbol) and value not in tuple(INITIALIZERS):
        return value
    return INITIALIZERS.get(concrete(value), value)


def regularizer(l1: Any, l2: Any) -> Call | None:
    """netc's `l1` and `l2`, in Keras, whose L2(c) is c * sum(w ** 2), twice what papers and TFLearn say."""
    if l1 is not None and l2 is not None:
        return Call("regularizers.L1L2", kwargs={"l1": l1, "l2": l2 / 2})
    if l2 is not None:
        return Call("regularizers.L2", (l2 / 2,))
    return None if l1 is None else Call("regularizers.L1", (l1,))


def border(path: str, pairs: Sequence[tuple[Any, Any]], suffix: str = "") -> Call:
    """A call of `ZeroPadding{n}D` or `Cropping{n}D` in its shortest form: 1, (1, 2) or ((1, 0), (2, 2))."""
    symmetric = all(_text(before) == _text(after) for before, after in pairs)
    if len(pairs) == 1:
        argument: Any = pairs[0][0] if symmetric else tuple(pairs[0])
    else:
        argument = compact(tuple(before for before, _ in pairs)) if symmetric else tuple(map(tuple, pairs))
    return Call(f"layers.{path}{len(pairs)}D", (argument,), suffix=suffix)


def _text(value: Any) -> Any:
    return value.source if isinstance(value, Symbol) else value


def padding(pad: Any, rank: int) -> tuple[Calls, Any]:
    """The zero padding to put before a window, and the `padding` to give to it."""
    if is_text(pad):
        return (), pad
    pixels = spread(pad, rank)
    if not any(pixels):
        return (), "valid"
    return (border("ZeroPadding", [(size, size) for size in pixels], "_pad"),), "valid"


# -- input, dense, convolutions ------------------------------------------------------------------------------


@to_keras.register(dense.Input)
def _(layer: dense.Input, inputs: Sequence[Shape]) -> Calls:
    return (Call("Input", kwargs={"shape": layer.shape}),)


@to_keras.register(dense.Dense)
def _(layer: dense.Dense, inputs: Sequence[Shape]) -> Calls:
    flatten = (Call("layers.Flatten", suffix="_flatten"),) if rank_of(inputs[0]) else ()
    return (*flatten, _normed(layer, Call("layers.Dense", (layer.units,), _learnt(layer, "kernel"))))


def _normed(layer: kernel_norm.NormedKernel, call: Call) -> Call:
    """The call of a layer in that of what norms its kernel."""
    if layer.norm == "none":
        return call
    name = "SpectralNormalization" if layer.norm == "spectral" else "WeightNormalization"
    # Keras counts the names that it makes up, and so weights would be called otherwise in each process.
    one = Call(call.path, call.args, {**call.kwargs, "name": layer.op})
    return Call(f"custom.{name}", (one,), keywords(("axis", layer.output_axis, -1)))


def _learnt(layer: dense.Dense | conv.Convolution, *kernels: str) -> Keywords:
    """What layers with weights have in common; Keras prefixes initialisers and regularisers with the kernels' names."""
    return keywords(
        ("activation", layer.act, "linear"),
        ("use_bias", layer.bias, True),
        *((f"{kernel}_initializer", kernel_initializer(layer.init), "glorot_uniform") for kernel in kernels),
        ("bias_initializer", bias_initializer(layer.bias_init), "zeros"),
        *((f"{kernel}_regularizer", regularizer(layer.l1, layer.l2), None) for kernel in kernels),
    )


def _convolution(
    layer: conv.Convolution,
    inputs: Sequence[Shape],
    name: str,
    *args: Any,
    more: tuple[str, Any, Any] | None = None,
    kernels: tuple[str, ...] = ("kernel",),
) -> Calls:
    """The call of `layers.{name}`, whose `{}` is the rank, after a zero padding where it has no such `padding`."""
    rank = rank_of(inputs[0])
    before, word = padding(layer.pad, rank)
    if isinstance(layer, conv.Depthwise) and layer.pad == "causal":
        taps, gap = (spread(value, rank)[0] for value in (layer.kernel, layer.dilation))
        before, word = (border("ZeroPadding", [((taps - 1) * gap, 0)], "_pad"),), "valid"
    sliding = keywords(
        ("strides", compact(layer.stride), 1),
        ("padding", word, "valid"),
        ("dilation_rate", compact(layer.dilation), 1),
        *([] if more is None else [more]),
    )
    call = Call(f"layers.{name.format(rank)}", args, sliding | _learnt(layer, *kernels))
    return (*before, _normed(layer, call) if isinstance(layer, kernel_norm.NormedKernel) else call)


@to_keras.register(conv.Conv)
def _(layer: conv.Conv, inputs: Sequence[Shape]) -> Calls:
    groups = ("groups", layer.groups, 1)
    return _convolution(layer, inputs, "Conv{}D", layer.filters, compact(layer.kernel), more=groups)


@to_keras.register(conv.DepthwiseConv)
def _(layer: conv.DepthwiseConv, inputs: Sequence[Shape]) -> Calls:
    multiplier, kernels = ("depth_multiplier", layer.multiplier, 1), ("depthwise",)
    return _convolution(layer, inputs, "DepthwiseConv{}D", compact(layer.kernel), more=multiplier, kernels=kernels)


@to_keras.register(conv.SeparableConv)
def _(layer: conv.SeparableConv, inputs: Sequence[Shape]) -> Calls:
    multiplier, kernels = ("depth_multiplier", layer.multiplier, 1), ("depthwise", "pointwise")
    args = (layer.filters, compact(layer.kernel))
    return _convolution(layer, inputs, "SeparableConv{}D", *args, more=multiplier, kernels=kernels)


@to_keras.register(conv.TransposedConv)
def _(layer: conv.TransposedConv, inputs: Sequence[Shape]) -> Calls:
    return _convolution(layer, inputs, "Conv{}DTranspose", layer.filters, compact(layer.kernel))


# -- sequences -----------------------------------------------------------------------------------------------


@to_keras.register(embed.Embed)
def _(layer: embed.Embed, inputs: Sequence[Shape]) -> Calls:
    kwargs = keywords(
        ("embeddings_initializer", kernel_initializer(layer.init), None),
        ("embeddings_regularizer", regularizer(layer.l1, layer.l2), None),
    )
    return (Call("layers.Embedding", (layer.count, layer.units), kwargs),)


@to_keras.register(attention.Attention)
def _(layer: attention.Attention, inputs: Sequence[Shape]) -> Calls:
    each = layer.key or inputs[0][-1] // concrete(layer.heads)
    kwargs = keywords(
        ("dropout", layer.dropout, 0.0),
        ("use_bias", layer.bias, True),
        ("kernel_initializer", kernel_initializer(layer.init), "glorot_uniform"),
        ("kernel_regularizer", regularizer(layer.l1, layer.l2), None),
    )
    applied = keywords(("use_causal_mask", layer.causal, False))
    return (Call("layers.MultiHeadAttention", (layer.heads, each), kwargs, apart=2, applied=applied),)


@to_keras.register(recurrent.LSTM)
def _(layer: recurrent.LSTM, inputs: Sequence[Shape]) -> Calls:
    return _recurrent(layer, "LSTM", "lstm")


@to_keras.register(recurrent.GRU)
def _(layer: recurrent.GRU, inputs: Sequence[Shape]) -> Calls:
    return _recurrent(layer, "GRU", "gru")


@to_keras.register(recurrent.SimpleRNN)
def _(layer: recurrent.SimpleRNN, inputs: Sequence[Shape]) -> Calls:
    return _recurrent(layer, "SimpleRNN", "rnn")


def _recurrent(layer: recurrent.Recurrent, name: str, inner: str) -> Calls:
    kwargs = keywords(
        ("return_sequences", layer.all, False),
        ("use_bias", layer.bias, True),
        ("kernel_initializer", kernel_initializer(layer.init), "glorot_uniform"),
        ("kernel_regularizer", regularizer(layer.l1, layer.l2), None),
    )
    if not layer.both:
        return (Call(f"layers.{name}", (layer.units,), kwargs),)
    # Keras counts the names that it makes up, and so weights would be called otherwise in each process.
    one = Call(f"layers.{name}", (layer.units,), {**kwargs, "name": inner})
    return (Call("layers.Bidirectional", (one,)),)


# -- pools ---------------------------------------------------------------------------------------------------


@to_keras.register(pool.MaxPool)
def _(layer: pool.MaxPool, inputs: Sequence[Shape]) -> Calls:
    before, word = padding(layer.pad, rank_of(inputs[0]))
    if before:  # zeros could win
        before = (Call("custom.MaxPoolPadding", (compact(layer.pad),), suffix="_pad"),)
    return (*before, _pool(layer, inputs, "MaxPooling", word))


@to_keras.register(pool.ZeroPaddedMaxPool)
def _(layer: pool.ZeroPaddedMaxPool, inputs: Sequence[Shape]) -> Calls:
    before, word = padding(layer.pad, rank_of(inputs[0]))
    return (*before, _pool(layer, inputs, "MaxPooling", word))


@to_keras.register(pool.AveragePool)
def _(layer: pool.AveragePool, inputs: Sequence[Shape]) -> Calls:
    before, word = padding(layer.pad, rank_of(inputs[0]))
    return (*before, _pool(layer, inputs, "AveragePooling", word))


def _pool(layer: pool.Pool, inputs: Sequence[Shape], name: str, word: Any) -> Call:
    stride = None if layer.stride is None else compact(layer.stride)
    same = stride is not None and not is_given(stride, compact(layer.kernel))
    kwargs = keywords(("strides", None if same else stride, None), ("padding", word, "valid"))
    return Call(f"layers.{name}{rank_of(inputs[0])}D", (compact(layer.kernel),), kwargs)


@to_keras.register(pool.GlobalAveragePool)
def _(layer: pool.GlobalAveragePool, inputs: Sequence[Shape]) -> Calls:
    return _global_pool(layer, inputs, "Average", "mean")


@to_keras.register(pool.GlobalMaxPool)
def _(layer: pool.GlobalMaxPool, inputs: Sequence[Shape]) -> Calls:
    return _global_pool(layer, inputs, "Max", "max")


def _global_pool(layer: pool.GlobalPool, inputs: Sequence[Shape], name: str, function: str) -> Calls:
    if layer.over == "channels":
        return (Call("custom.ChannelPooling", (function,)),)
    path = f"layers.Global{name}Pooling{rank_of(inputs[0])}D"
    return (Call(path, kwargs=keywords(("keepdims", layer.keep, False))),)


# -- normalisation -------------------------------------------------------------------------------------------


def _normalisation(layer: norm.Normalisation, *more: tuple[str, Any, Any]) -> Keywords:
    return keywords(
        *more,
        ("epsilon", layer.epsilon, 1e-3),
        ("center", layer.center, True),
        ("scale", layer.scale, True),
        ("gamma_initializer", _gamma(layer), "ones"),
    )


def _gamma(layer: norm.Normalisation) -> Any:
    if layer.gamma_std:
        return Call("initializers.RandomNormal", kwargs={"mean": layer.gamma, "stddev": layer.gamma_std})
    if layer.gamma == 1:
        return "ones"
    return "zeros" if layer.gamma == 0 else Call("initializers.Constant", (layer.gamma,))


@to_keras.register(norm.BatchNorm)
def _(layer: norm.BatchNorm, inputs: Sequence[Shape]) -> Calls:
    return (Call("layers.BatchNormalization", kwargs=_normalisation(layer, ("momentum", layer.decay, 0.99))),)


@to_keras.register(norm.LayerNorm)
def _(layer: norm.LayerNorm, inputs: Sequence[Shape]) -> Calls:
    return (Call("layers.LayerNormalization", kwargs=_normalisation(layer)),)


@to_keras.register(norm.GroupNorm)
def _(layer: norm.GroupNorm, inputs: Sequence[Shape]) -> Calls:
    return (Call("layers.GroupNormalization", kwargs=_normalisation(layer, ("groups", layer.groups, 32))),)


@to_keras.register(norm.LocalResponseNorm)
def _(layer: norm.LocalResponseNorm, inputs: Sequence[Shape]) -> Calls:
    constants = [(name, getattr(layer, name), param.default) for name, param in declared(type(layer)).items()]
    return (Call("custom.LocalResponseNormalization", kwargs=keywords(*constants)),)


@to_keras.register(norm.Scale)
def _(layer: norm.Scale, inputs: Sequence[Shape]) -> Calls:
    return (Call("custom.LayerScale", (layer.init,)),)


@to_keras.register(norm.Rescale)
def _(layer: norm.Rescale, inputs: Sequence[Shape]) -> Calls:
    return (Call("layers.Rescaling", (layer.factor,), keywords(("offset", layer.offset, 0.0))),)


@to_keras.register(norm.L2Norm)
def _(layer: norm.L2Norm, inputs: Sequence[Shape]) -> Calls:
    return (Call("layers.UnitNormalization"),)


# -- activations ---------------------------------------------------------------------------------------------


@to_keras.register(activation.Activation)
def _(layer: activation.Activation, inputs: Sequence[Shape]) -> Calls:
    return _activation(layer)


def _activation(layer: activation.Activation, *arguments: tuple[str, Any, Any]) -> Calls:
    given = {name: value for name, value, default in arguments if default is None or value != default}
    return (Call("custom.ParametricActivation" if given else "layers.Activation", (layer.op,), given),)


@to_keras.register(activation.ReLU)
def _(layer: activation.ReLU, inputs: Sequence[Shape]) -> Calls:
    kwargs = keywords(
        ("max_value", layer.max, None), ("negative_slope", layer.slope, 0.0), ("threshold", layer.threshold, 0.0)
    )
    return (Call("layers.ReLU", kwargs=kwargs),) if kwargs else _activation(layer)


@to_keras.register(activation.LeakyReLU)
def _(layer: activation.LeakyReLU, inputs: Sequence[Shape]) -> Calls:
    return (Call("layers.LeakyReLU", kwargs={"negative_slope": layer.slope}),)


@to_keras.register(activation.PReLU)
def _(layer: activation.PReLU, inputs: Sequence[Shape]) -> Calls:
    axes = tuple(range(1, rank_of(inputs[0]) + 1 + bool(layer.single)))
    kwargs = keywords(("alpha_initializer", bias_initializer(layer.init), "zeros"), ("shared_axes", axes or None, None))
    return (Call("layers.PReLU", kwargs=kwargs),)


@to_keras.register(activation.ELU)
def _(layer: activation.ELU, inputs: Sequence[Shape]) -> Calls:
    kwargs = keywords(("alpha", layer.alpha, 1.0))
    return (Call("layers.ELU", kwargs=kwargs),) if kwargs else _activation(layer)


@to_keras.register(activation.CELU)
def _(layer: activation.CELU, inputs: Sequence[Shape]) -> Calls:
    return _activation(layer, ("alpha", layer.alpha, 1.0))


@to_keras.register(activation.GELU)
def _(layer: activation.GELU, inputs: Sequence[Shape]) -> Calls:
    return _activation(layer, ("approximate", layer.approximate, False))


@to_keras.register(activation.GLU)
def _(layer: activation.GLU, inputs: Sequence[Shape]) -> Calls:
    return (Call("custom.ParametricActivation", ("glu",)),)  # keras.layers.Activation keeps the shape


@to_keras.register(activation.HardShrink)
@to_keras.register(activation.SoftShrink)
def _(layer: activation.HardShrink | activation.SoftShrink, inputs: Sequence[Shape]) -> Calls:
    return _activation(layer, ("threshold", layer.threshold, 0.5))


@to_keras.register(activation.Threshold)
def _(layer: activation.Threshold, inputs: Sequence[Shape]) -> Calls:
    return _activation(layer, ("threshold", layer.threshold, None), ("default_value", layer.value, None))


@to_keras.register(activation.Squareplus)
def _(layer: activation.Squareplus, inputs: Sequence[Shape]) -> Calls:
    return _activation(layer, ("b", layer.b, 4))


@to_keras.register(activation.Absolute)
def _(layer: activation.Absolute, inputs: Sequence[Shape]) -> Calls:
    return (Call("custom.AbsoluteValue"),)


# -- only in training ----------------------------------------------------------------------------------------


@to_keras.register(regularise.Dropout)
def _(layer: regularise.Dropout, inputs: Sequence[Shape]) -> Calls:
    return (Call("layers.Dropout", (layer.rate,)),)


@to_keras.register(regularise.SpatialDropout)
def _(layer: regularise.SpatialDropout, inputs: Sequence[Shape]) -> Calls:
    return (Call(f"layers.SpatialDropout{rank_of(inputs[0])}D", (layer.rate,)),)


@to_keras.register(regularise.DropPath)
def _(layer: regularise.DropPath, inputs: Sequence[Shape]) -> Calls:
    one_a_sample: tuple[Any, ...] = (None, *(1,) * len(inputs[0]))
    return (Call("layers.Dropout", (layer.share,), {"noise_shape": one_a_sample}),)


@to_keras.register(regularise.Noise)
def _(layer: regularise.Noise, inputs: Sequence[Shape]) -> Calls:
    return (Call("layers.GaussianNoise", (layer.std,)),)


# -- shapes --------------------------------------------------------------------------------------------------


@to_keras.register(shape.Identity)
def _(layer: shape.Identity, inputs: Sequence[Shape]) -> Calls:
    return (Call("layers.Identity"),)


@to_keras.register(shape.Flatten)
def _(layer: shape.Flatten, inputs: Sequence[Shape]) -> Calls:
    return (Call("layers.Flatten"),)


@to_keras.register(shape.Reshape)
def _(layer: shape.Reshape, inputs: Sequence[Shape]) -> Calls:
    return (Call("layers.Reshape", (tuple(-1 if size is None else size for size in layer.shape),)),)


@to_keras.register(shape.Pad)
def _(layer: shape.Pad, inputs: Sequence[Shape]) -> Calls:
    pairs = layer.pairs(rank_of(inputs[0]))
    if layer.mode != "zeros":
        return (Call("custom.MirrorPadding", (tuple(pairs), layer.mode)),)
    return (border("ZeroPadding", pairs),)


@to_keras.register(shape.Crop)
def _(layer: shape.Crop, inputs: Sequence[Shape]) -> Calls:
    if layer.to:
        offset = None if layer.offset is None else compact(layer.offset)
        return (Call("custom.CroppingLike", kwargs=keywords(("offset", offset, None))),)
    return (border("Cropping", layer.pairs(rank_of(inputs[0]))),)


@to_keras.register(shape.Resize)
def _(layer: shape.Resize, inputs: Sequence[Shape]) -> Calls:
    method = keywords(("interpolation", layer.method, "bilinear"))
    if layer.to:
        return (Call("custom.ResizingLike", kwargs=method),)
    return (Call("layers.Resizing", spread(layer.extent, rank_of(inputs[0])), method),)


@to_keras.register(shape.ToDepth)
def _(layer: shape.ToDepth, inputs: Sequence[Shape]) -> Calls:
    return (Call("custom.SpaceToDepth", (layer.factor,)),)


@to_keras.register(shape.ToSpace)
def _(layer: shape.ToSpace, inputs: Sequence[Shape]) -> Calls:
    return (Call("custom.DepthToSpace", (layer.factor,)),)


@to_keras.register(shape.Swap)
def _(layer: shape.Swap, inputs: Sequence[Shape]) -> Calls:
    return (Call("layers.Permute", ((2, 1),)),)


@to_keras.register(shape.Pick)
def _(layer: shape.Pick, inputs: Sequence[Shape]) -> Calls:
    return (Call("custom.Position", (layer.index,)),)


@to_keras.register(shape.Token)
def _(layer: shape.Token, inputs: Sequence[Shape]) -> Calls:
    initial = keywords(("initializer", kernel_initializer(layer.init), "zeros"))
    return (Call("custom.ClassToken", kwargs=initial),)


@to_keras.register(shape.Position)
def _(layer: shape.Position, inputs: Sequence[Shape]) -> Calls:
    return (Call("custom.PositionEmbedding", (kernel_initializer(layer.init),)),)


@to_keras.register(shape.Upsample)
def _(layer: shape.Upsample, inputs: Sequence[Shape]) -> Calls:
    kwargs = keywords(("interpolation", layer.method, "nearest"))
    return (Call(f"layers.UpSampling{rank_of(inputs[0])}D", (compact(layer.factor),), kwargs),)


@to_keras.register(shape.Subsample)
def _(layer: shape.Subsample, inputs: Sequence[Shape]) -> Calls:
    return (Call(f"layers.MaxPooling{rank_of(inputs[0])}D", (1,), {"strides": compact(layer.factor)}),)


@to_keras.register(shape.PadChannels)
def _(layer: shape.PadChannels, inputs: Sequence[Shape]) -> Calls:
    return (Call("custom.ChannelPadding", (layer.total,), keywords(("side", layer.side, "both"))),)


@to_keras.register(shape.Part)
def _(layer: shape.Part, inputs: Sequence[Shape]) -> Calls:
    return (Call("custom.ChannelPart", kwargs={"index": layer.index - 1, "parts": layer.of}),)


@to_keras.register(shape.Shuffle)
def _(layer: shape.Shuffle, inputs: Sequence[Shape]) -> Calls:
    return (Call("custom.ChannelShuffle", (layer.groups,)),)


# -- combiners -----------------------------------------------------------------------------------------------


def _combiner(name: str) -> Callable[[merge.Combiner, Sequence[Shape]], Calls]:
    return lambda layer, inputs: (Call(f"layers.{name}"),)


to_keras.register(merge.Add, _combiner("Add"))
to_keras.register(merge.Subtract, _combiner("Subtract"))
to_keras.register(merge.Multiply, _combiner("Multiply"))
to_keras.register(merge.Maximum, _combiner("Maximum"))
to_keras.register(merge.Average, _combiner("Average"))


@to_keras.register(merge.Concatenate)
def _(layer: merge.Concatenate, inputs: Sequence[Shape]) -> Calls:
    axis = -1 if layer.stacks else 1 + layer.axis(inputs[0])
    return (Call("layers.Concatenate", kwargs=keywords(("axis", axis, -1))),)
