# mypy: allow-untyped-defs, allow-untyped-calls, allow-subclassing-any, allow-untyped-decorators
# Written as Keras' own code is, without annotations, because emitted files carry these classes as they stand.
"""Layers that Keras lacks.

Each class needs only `keras` and functions of this module, so that emitted code can carry it along. The module imports
Keras, so only what builds or trains may import it.
"""

import keras
from keras import layers, ops

PACKAGE = "netc"


@keras.saving.register_keras_serializable(package=PACKAGE)
class LocalResponseNormalization(layers.Layer):
    """x / (bias + alpha * sum of the squares of the 2 * radius + 1 channels around) ** beta.

    Krizhevsky et al. 2012, section 3.3, with TensorFlow's meaning of `alpha`. Squares of half precision are summed up
    in float32, where they do not overflow.
    """

    def __init__(self, radius=2, bias=2.0, alpha=1e-4, beta=0.75, **kwargs):
        super().__init__(**kwargs)
        self.radius = radius
        self.bias = bias
        self.alpha = alpha
        self.beta = beta

    def call(self, inputs):
        x = ops.cast(inputs, keras.backend.result_type(inputs.dtype, "float32"))
        channels = inputs.shape[-1]
        beyond = [(0, 0)] * (len(inputs.shape) - 1) + [(self.radius, self.radius)]
        squares = ops.pad(ops.square(x), beyond)
        total = sum(squares[..., first : first + channels] for first in range(2 * self.radius + 1))
        return ops.cast(x / (self.bias + self.alpha * total) ** self.beta, inputs.dtype)

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        own = {"radius": self.radius, "bias": self.bias, "alpha": self.alpha, "beta": self.beta}
        return {**super().get_config(), **own}


@keras.saving.register_keras_serializable(package=PACKAGE)
class LayerScale(layers.Layer):
    """A learnt factor for each channel, `initial` at first (Touvron et al. 2021, arXiv:2103.17239)."""

    def __init__(self, initial=1e-6, **kwargs):
        super().__init__(**kwargs)
        self.initial = initial

    def build(self, input_shape):
        start = keras.initializers.Constant(self.initial)
        self.gamma = self.add_weight(shape=(input_shape[-1],), initializer=start, name="gamma")

    def call(self, inputs):
        return inputs * self.gamma

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {**super().get_config(), "initial": self.initial}


@keras.saving.register_keras_serializable(package=PACKAGE)
class MaxPoolPadding(layers.Layer):
    """Pads with minus infinity, which no max pool after it takes. `padding` is as for `ZeroPadding2D`, symmetric."""

    def __init__(self, padding=1, **kwargs):
        super().__init__(**kwargs)
        self.padding = padding

    def _sides(self, rank):
        return [self.padding] * rank if isinstance(self.padding, int) else list(self.padding)

    def call(self, inputs):
        sides = self._sides(len(inputs.shape) - 2)
        border = [(0, 0), *((side, side) for side in sides), (0, 0)]
        return ops.pad(inputs, border, constant_values=float("-inf"))

    def compute_output_shape(self, input_shape):
        batch, *sizes, channels = input_shape
        sides = zip(sizes, self._sides(len(sizes)), strict=True)
        return (batch, *(size and size + 2 * side for size, side in sides), channels)

    def get_config(self):
        return {**super().get_config(), "padding": self.padding}


@keras.saving.register_keras_serializable(package=PACKAGE)
class ChannelPadding(layers.Layer):
    """Zero channels up to `total`: half of them on each side, or all after with side="after"."""

    def __init__(self, total, side="both", **kwargs):
        super().__init__(**kwargs)
        self.total = total
        self.side = side

    def build(self, input_shape):
        missing = self.total - input_shape[-1]
        if missing < 0 or (self.side == "both" and missing % 2):
            raise ValueError(f"cannot pad {input_shape[-1]} channels to {self.total} with side={self.side!r}")

    def call(self, inputs):
        missing = self.total - inputs.shape[-1]
        before = missing // 2 if self.side == "both" else 0
        return ops.pad(inputs, [(0, 0)] * (len(inputs.shape) - 1) + [(before, missing - before)])

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], self.total)

    def get_config(self):
        return {**super().get_config(), "total": self.total, "side": self.side}


@keras.saving.register_keras_serializable(package=PACKAGE)
class ChannelPart(layers.Layer):
    """Share number `index` (from 0) of `parts` equal shares of the channels."""

    def __init__(self, index, parts, **kwargs):
        super().__init__(**kwargs)
        self.index = index
        self.parts = parts

    def call(self, inputs):
        share = inputs.shape[-1] // self.parts
        return inputs[..., self.index * share : (self.index + 1) * share]

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], input_shape[-1] // self.parts)

    def get_config(self):
        return {**super().get_config(), "index": self.index, "parts": self.parts}


@keras.saving.register_keras_serializable(package=PACKAGE)
class ChannelShuffle(layers.Layer):
    """Deals out the channels of `groups` groups in turn (Zhang et al. 2018, arXiv:1707.01083)."""

    def __init__(self, groups, **kwargs):
        super().__init__(**kwargs)
        self.groups = groups

    def call(self, inputs):
        *before, channels = ops.shape(inputs)
        grouped = ops.reshape(inputs, (*before, self.groups, channels // self.groups))
        return ops.reshape(ops.swapaxes(grouped, -1, -2), (*before, channels))

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {**super().get_config(), "groups": self.groups}


@keras.saving.register_keras_serializable(package=PACKAGE)
class ParametricActivation(layers.Layer):
    """A function of `keras.activations` with arguments: ParametricActivation("gelu", approximate=True)."""

    def __init__(self, function, *, name=None, dtype=None, trainable=True, **arguments):
        super().__init__(name=name, dtype=dtype, trainable=trainable)
        self.function = function
        self.arguments = arguments

    def call(self, inputs):
        return keras.activations.get(self.function)(inputs, **self.arguments)

    def get_config(self):
        return {**super().get_config(), "function": self.function, **self.arguments}


@keras.saving.register_keras_serializable(package=PACKAGE)
class AbsoluteValue(layers.Layer):
    """Absolute value, element by element."""

    def call(self, inputs):
        return ops.abs(inputs)

    def compute_output_shape(self, input_shape):
        return input_shape


@keras.saving.register_keras_serializable(package=PACKAGE)
class ChannelPooling(layers.Layer):
    """The "mean" or the "max" over the channels of each position: a map of one channel."""

    def __init__(self, function, **kwargs):
        super().__init__(**kwargs)
        self.function = function

    def call(self, inputs):
        function = {"mean": ops.mean, "max": ops.max}[self.function]
        return function(inputs, axis=-1, keepdims=True)

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], 1)

    def get_config(self):
        return {**super().get_config(), "function": self.function}


@keras.saving.register_keras_serializable(package=PACKAGE)
class MirrorPadding(layers.Layer):
    """Pads with the input's own pixels: `padding` is a pair for each dimension, `mode` is "reflect" or "symmetric"."""

    def __init__(self, padding, mode="reflect", **kwargs):
        super().__init__(**kwargs)
        self.padding = tuple(tuple(pair) for pair in padding)
        self.mode = mode

    def call(self, inputs):
        return ops.pad(inputs, [(0, 0), *self.padding, (0, 0)], mode=self.mode)

    def compute_output_shape(self, input_shape):
        batch, *sizes, channels = input_shape
        sides = zip(sizes, self.padding, strict=True)
        return (batch, *(size and size + before + after for size, (before, after) in sides), channels)

    def get_config(self):
        return {**super().get_config(), "padding": self.padding, "mode": self.mode}


@keras.saving.register_keras_serializable(package=PACKAGE)
class CroppingLike(layers.Layer):
    """The first of two tensors, cropped to the size of the second: from `offset` on (one number, or one a dimension),
    or from its middle."""

    def __init__(self, offset=None, **kwargs):
        super().__init__(**kwargs)
        self.offset = offset

    def call(self, inputs):
        x, like = inputs
        found, wanted = ops.shape(x)[1:-1], ops.shape(like)[1:-1]
        if self.offset is None:
            offsets = [(size - kept) // 2 for size, kept in zip(found, wanted, strict=True)]
        else:
            offsets = [self.offset] * len(found) if isinstance(self.offset, int) else self.offset
        parts = zip(offsets, wanted, strict=True)
        return x[(slice(None), *(slice(start, start + kept) for start, kept in parts))]

    def compute_output_shape(self, input_shape):
        x, like = input_shape
        return (x[0], *like[1:-1], x[-1])

    def get_config(self):
        return {**super().get_config(), "offset": self.offset}


@keras.saving.register_keras_serializable(package=PACKAGE)
class ResizingLike(layers.Layer):
    """The first of two images, resized to the size of the second."""

    def __init__(self, interpolation="bilinear", **kwargs):
        super().__init__(**kwargs)
        self.interpolation = interpolation

    def call(self, inputs):
        x, like = inputs
        size = ops.shape(like)[1:-1]
        return ops.cast(ops.image.resize(x, size, interpolation=self.interpolation), x.dtype)

    def compute_output_shape(self, input_shape):
        x, like = input_shape
        return (x[0], *like[1:-1], x[-1])

    def get_config(self):
        return {**super().get_config(), "interpolation": self.interpolation}


@keras.saving.register_keras_serializable(package=PACKAGE)
class SpaceToDepth(layers.Layer):
    """Blocks of `factor` positions along each axis as one position, their channels one after the other."""

    def __init__(self, factor, **kwargs):
        super().__init__(**kwargs)
        self.factor = factor

    def call(self, inputs):
        batch, *sizes, channels = ops.shape(inputs)
        rank, blocks = len(sizes), [size // self.factor for size in sizes]
        split = [part for count in blocks for part in (count, self.factor)]
        x = ops.reshape(inputs, (batch, *split, channels))
        x = ops.transpose(x, (0, *range(1, 2 * rank, 2), *range(2, 2 * rank + 1, 2), 2 * rank + 1))
        return ops.reshape(x, (batch, *blocks, self.factor**rank * channels))

    def compute_output_shape(self, input_shape):
        batch, *sizes, channels = input_shape
        return (batch, *(size and size // self.factor for size in sizes), channels * self.factor ** len(sizes))

    def get_config(self):
        return {**super().get_config(), "factor": self.factor}


@keras.saving.register_keras_serializable(package=PACKAGE)
class DepthToSpace(layers.Layer):
    """Each position as a block of `factor` positions along each axis, among which its channels are dealt out."""

    def __init__(self, factor, **kwargs):
        super().__init__(**kwargs)
        self.factor = factor

    def call(self, inputs):
        batch, *sizes, channels = ops.shape(inputs)
        rank = len(sizes)
        share = channels // self.factor**rank
        x = ops.reshape(inputs, (batch, *sizes, *[self.factor] * rank, share))
        pairs = [axis for number in range(1, rank + 1) for axis in (number, number + rank)]
        x = ops.transpose(x, (0, *pairs, 2 * rank + 1))
        return ops.reshape(x, (batch, *[size * self.factor for size in sizes], share))

    def compute_output_shape(self, input_shape):
        batch, *sizes, channels = input_shape
        return (batch, *(size and size * self.factor for size in sizes), channels // self.factor ** len(sizes))

    def get_config(self):
        return {**super().get_config(), "factor": self.factor}


@keras.saving.register_keras_serializable(package=PACKAGE)
class Position(layers.Layer):
    """One position of a row of them, from the end where `index` is negative."""

    def __init__(self, index, **kwargs):
        super().__init__(**kwargs)
        self.index = index

    def call(self, inputs):
        return inputs[:, self.index]

    def compute_output_shape(self, input_shape):
        return (input_shape[0], input_shape[-1])

    def get_config(self):
        return {**super().get_config(), "index": self.index}


@keras.saving.register_keras_serializable(package=PACKAGE)
class ClassToken(layers.Layer):
    """A learnt position before all others (Dosovitskiy et al. 2021, arXiv:2010.11929)."""

    def __init__(self, initializer="zeros", **kwargs):
        super().__init__(**kwargs)
        self.initializer = keras.initializers.get(initializer)

    def build(self, input_shape):
        self.token = self.add_weight(shape=(1, input_shape[-1]), initializer=self.initializer, name="token")

    def call(self, inputs):
        shape = (ops.shape(inputs)[0], *self.token.shape)
        return ops.concatenate([ops.broadcast_to(self.token, shape), inputs], axis=1)

    def compute_output_shape(self, input_shape):
        batch, count, channels = input_shape
        return (batch, count and count + 1, channels)

    def get_config(self):
        return {**super().get_config(), "initializer": keras.initializers.serialize(self.initializer)}


@keras.saving.register_keras_serializable(package=PACKAGE)
class PositionEmbedding(layers.Layer):
    """A learnt embedding of each position, added to its channels (Dosovitskiy et al. 2021, arXiv:2010.11929)."""

    def __init__(self, initializer="zeros", **kwargs):
        super().__init__(**kwargs)
        self.initializer = keras.initializers.get(initializer)

    def build(self, input_shape):
        self.embedding = self.add_weight(shape=input_shape[1:], initializer=self.initializer, name="embedding")

    def call(self, inputs):
        return inputs + self.embedding

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {**super().get_config(), "initializer": keras.initializers.serialize(self.initializer)}


def called_with(layer, kernel, inputs):
    """What a layer gives with another kernel than its own."""
    values = [(one, kernel if one is layer.kernel else one.value) for one in layer.variables]
    with keras.StatelessScope(state_mapping=values):
        return layer(inputs)


@keras.saving.register_keras_serializable(package=PACKAGE)
class SpectralNormalization(layers.Wrapper):
    """A layer with its kernel divided by the largest singular value (Miyato et al. 2018, arXiv:1802.05957,
    Algorithm 1), as a matrix of the weights of each output, which are along `axis`.

    One power iteration from the stored vector estimates it. Training stores the vector that it comes to, and its
    gradient goes through the division. Keras' own layer of this name overwrites the kernel in each step instead, which
    is another gradient, and outside training computes with the kernel as the last step left it.
    """

    def __init__(self, layer, axis=-1, **kwargs):
        super().__init__(layer, autocast=False, **kwargs)
        self.axis = axis

    def build(self, input_shape):
        super().build(input_shape)
        outputs = (self.layer.kernel.shape[self.axis],)
        self.vector_u = self.add_weight(
            shape=outputs, initializer="random_normal", trainable=False, autocast=False, name="vector_u"
        )

    def call(self, inputs, training=False):
        kernel = ops.convert_to_tensor(self.layer.kernel)
        rows = ops.reshape(ops.moveaxis(kernel, self.axis, -1), (-1, self.vector_u.shape[0]))
        fixed = ops.stop_gradient(rows)
        v = ops.normalize(ops.matmul(fixed, self.vector_u), epsilon=1e-12)
        u = ops.normalize(ops.matmul(v, fixed), epsilon=1e-12)
        if training and self.trainable:
            self.vector_u.assign(u)
        largest = ops.sum(ops.matmul(v, rows) * u)
        kernel = kernel / ops.maximum(largest, 1e-12)
        self.layer.dtype_policy = self.dtype_policy
        return called_with(self.layer, kernel, inputs)

    def compute_output_shape(self, input_shape):
        return self.layer.compute_output_shape(input_shape)

    def get_config(self):
        return {**super().get_config(), "axis": self.axis}


@keras.saving.register_keras_serializable(package=PACKAGE)
class WeightNormalization(layers.Wrapper):
    """A layer whose weights of each output, along `axis` of the kernel, are brought to a learnt length `g` (Salimans &
    Kingma 2016, arXiv:1602.07868). At first that is the length they have: the layer begins as it would by itself."""

    def __init__(self, layer, axis=-1, **kwargs):
        super().__init__(layer, autocast=False, **kwargs)
        self.axis = axis

    def build(self, input_shape):
        super().build(input_shape)
        outputs = (self.layer.kernel.shape[self.axis],)
        self.g = self.add_weight(
            shape=outputs,
            initializer=lambda shape, dtype: ops.reshape(self._lengths(), shape),
            autocast=False,
            name="g",
        )

    def _lengths(self):
        kernel = ops.convert_to_tensor(self.layer.kernel)
        rank = len(kernel.shape)
        others = [axis for axis in range(rank) if axis != self.axis % rank]
        return ops.sqrt(ops.maximum(ops.sum(ops.square(kernel), axis=others, keepdims=True), 1e-24))

    def call(self, inputs):
        lengths = self._lengths()
        kernel = self.layer.kernel * (ops.reshape(self.g, lengths.shape) / lengths)
        self.layer.dtype_policy = self.dtype_policy
        return called_with(self.layer, kernel, inputs)

    def compute_output_shape(self, input_shape):
        return self.layer.compute_output_shape(input_shape)

    def get_config(self):
        return {**super().get_config(), "axis": self.axis}
