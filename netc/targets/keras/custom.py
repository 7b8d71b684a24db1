# mypy: allow-untyped-defs, allow-untyped-calls, allow-subclassing-any, allow-untyped-decorators
# Written as Keras' own code is, without annotations, because emitted files carry these classes as they stand.
"""Layers that Keras lacks.

Each class stands by itself and needs only `keras`, so that emitted code can carry it along. The module imports Keras,
so only what builds or trains may import it.
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
