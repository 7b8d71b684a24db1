"""Activations: every one that Keras has. Those that are functions of the tensor alone also serve as `act`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import pi, sqrt
from typing import TYPE_CHECKING, ClassVar

from netc.ir.shape import Shape, channels_of, rank_of, show_shape
from netc.layers.base import LAYERS, Layer, Weight, declaration, operation
from netc.params import Bool, Real, Refused, param

if TYPE_CHECKING:
    from netc.primitives import Primitives, Tensor, Tensors, Weighted


@declaration
class Activation(Layer):
    """A function of the tensor that keeps its shape."""

    beside = True
    trails = True
    joins: ClassVar[bool] = False  # part of another activation's idea, so that the two may follow one another
    across: ClassVar[bool] = False  # divides by a sum over the channels: a single one always gives the same

    @property
    def ending(self) -> str:
        return self.op

    @property
    def activation(self) -> str | None:
        return None if self.joins else self.op

    def infer(self, inputs: Sequence[Shape]) -> Shape:
        return inputs[0]


def finished(f: Primitives, x: Tensor, w: Weighted, act: str) -> Tensor:
    """What convolutions and dense layers do to their sums of products: a bias where there is one, and an activation."""
    return f.layer(LAYERS[act](), (x + w["bias"] if "bias" in w else x,), {})


# -- those without parameters --------------------------------------------------------------------------------

Function = Callable[["Primitives", "Tensor"], "Tensor"]


def _log_softmax(f: Primitives, x: Tensor) -> Tensor:
    x = x - f.max(x, (-1,), keep=True)
    return x - f.log(f.sum(f.exp(x), (-1,), keep=True))


def _sparsemax(f: Primitives, x: Tensor) -> Tensor:
    """Euclidean projection on the simplex: the largest channels, less what makes their sum 1 (algorithm 1)."""
    ordered = f.sort_descending(x)
    inside = f.arange(x.shape[-1]) * ordered + 1 > f.cumsum(ordered)
    count = f.sum(f.where(inside, ordered * 0 + 1, 0.0), (-1,), keep=True)
    return f.maximum(x - (f.sum(f.where(inside, ordered, 0.0), (-1,), keep=True) - 1) / count, 0.0)


def _softplus(f: Primitives, x: Tensor) -> Tensor:
    return f.maximum(x, 0.0) + f.log(f.exp(-f.abs(x)) + 1)


def _selu(f: Primitives, x: Tensor) -> Tensor:
    scale, alpha = 1.0507009873554805, 1.6732632423543772
    return (f.maximum(x, 0.0) + (f.exp(-f.maximum(-x, 0.0)) - 1) * alpha) * scale


def _sparse_plus(f: Primitives, x: Tensor) -> Tensor:
    bend = f.clip(x, -1.0, 1.0) + 1
    return bend * bend * 0.25 + f.maximum(x - 1, 0.0)


_PLAIN: tuple[tuple[str, str, Function], ...] = (
    ("sigmoid", "Logistic sigmoid, 1 / (1 + exp(-x)), element by element.", lambda f, x: f.sigmoid(x)),
    ("tanh", "Hyperbolic tangent.", lambda f, x: f.tanh(x)),
    ("softmax", "Softmax over the channels: exp(x) / sum(exp(x)).", lambda f, x: f.softmax(x)),
    ("log_softmax", "Logarithm of the softmax over the channels.", _log_softmax),
    ("sparsemax", "Sparsemax over the channels (Martins & Astudillo 2016, arXiv:1602.02068).", _sparsemax),
    ("selu", "Scaled exponential linear unit (Klambauer et al. 2017, arXiv:1706.02515).", _selu),
    (
        "silu swish",
        "Sigmoid linear unit, x * sigmoid(x) (Elfwing et al. 2018, arXiv:1702.03118; Ramachandran et al. 2017).",
        lambda f, x: x * f.sigmoid(x),
    ),
    (
        "mish",
        "Mish, x * tanh(softplus(x)) (Misra 2019, arXiv:1908.08681).",
        lambda f, x: x * f.tanh(_softplus(f, x)),
    ),
    ("softplus", "Smooth rectifier, log(1 + exp(x)).", _softplus),
    ("softsign", "Softsign, x / (1 + |x|).", lambda f, x: x / (f.abs(x) + 1)),
    ("exponential", "Exponential, exp(x).", lambda f, x: f.exp(x)),
    ("log_sigmoid", "Logarithm of the sigmoid.", lambda f, x: -_softplus(f, -x)),
    (
        "hard_sigmoid",
        "Piecewise linear sigmoid, relu6(x + 3) / 6 (Howard et al. 2019, arXiv:1905.02244).",
        lambda f, x: f.clip(x * (1 / 6) + 0.5, 0.0, 1.0),
    ),
    (
        "hard_silu hard_swish",
        "Piecewise SiLU, x * hard_sigmoid(x) (Howard et al. 2019, arXiv:1905.02244).",
        lambda f, x: x * f.clip(x * (1 / 6) + 0.5, 0.0, 1.0),
    ),
    ("hard_tanh", "Piecewise linear tanh: x, cut off at -1 and 1.", lambda f, x: f.clip(x, -1.0, 1.0)),
    ("tanh_shrink", "What tanh takes away, x - tanh(x).", lambda f, x: x - f.tanh(x)),
    ("sparse_plus", "Sparse softplus: 0 up to -1, x from 1 on, (x + 1) ** 2 / 4 between.", _sparse_plus),
    (
        "sparse_sigmoid",
        "Sparse sigmoid: 0 up to -1, 1 from 1 on, (x + 1) / 2 between.",
        lambda f, x: f.clip(x * 0.5 + 0.5, 0.0, 1.0),
    ),
)


_ACROSS = ("softmax", "log_softmax", "sparsemax")
# fmt: off
_NOT_NEGATIVE = (
    "sigmoid", "softmax", "sparsemax", "softplus", "exponential", "hard_sigmoid", "sparse_plus", "sparse_sigmoid",
)
# fmt: on


_UNLIKE_KERAS = {"sparsemax": "Keras 3.15 adds up sums of prefixes: its outputs do not sum to 1"}


_PAPER = {"selu": "SELU", "silu": "SiLU", "mish": "Mish", "hard_silu": "hard SiLU"}


def _plain(name: str, *aliases: str, doc: str, function: Function) -> None:
    def compute(self: Activation, f: Primitives, xs: Tensors, w: Weighted) -> Tensor:
        return function(f, xs[0])

    paper = _PAPER.get(name, name.replace("_", " "))
    facts: dict[str, object] = {"__doc__": doc, "__module__": __name__, "example": f"conv 16x3; {name}", "paper": paper}
    facts |= {"across": name in _ACROSS, "not_negative": name in _NOT_NEGATIVE}
    facts |= {"compute": compute, "unlike_keras": _UNLIKE_KERAS.get(name, "")}
    operation(name, *aliases, family="activation")(type(name, (Activation,), facts))


for _names, _doc, _function in _PLAIN:
    _plain(*_names.split(), doc=_doc, function=_function)


# -- the others ----------------------------------------------------------------------------------------------


@operation("linear", family="activation")
class Linear(Activation):
    """The identity, as an activation."""

    transparent = True
    joins = True
    example = "conv 16x3; linear"

    def compute(self, f: Primitives, xs: Tensors, w: Weighted) -> Tensor:
        return xs[0]

    def does_nothing(self, inputs: Sequence[Shape]) -> bool:
        return True


@operation("relu", family="activation")
class ReLU(Activation):
    """Rectified linear unit, max(x, 0) (Nair & Hinton 2010); below `threshold` it is slope * (x - threshold)."""

    paper = "ReLU"
    usual = True
    example = "bn; relu"

    max: float | None = param(Real(min=0), "largest output, no bound unless given", None)
    slope: float = param(Real(min=0), "slope below the threshold", 0.0)
    threshold: float = param(Real(min=0), "below it the unit is off", 0.0)

    @property
    def not_negative(self) -> bool:
        return self.slope == 0

    def compute(self, f: Primitives, xs: Tensors, w: Weighted) -> Tensor:
        x, threshold = xs[0], self.threshold
        above = f.where(x > threshold, x, 0.0) if threshold else f.maximum(x, 0.0)
        if self.max is not None:
            above = f.clip(above, 0.0, self.max)
        return above - f.maximum(threshold - x, 0.0) * self.slope if self.slope else above


@operation("relu6", family="activation")
class ReLU6(Activation):
    """Rectified linear unit with a maximum of 6 (Krizhevsky 2010, CIFAR-10 deep belief networks)."""

    paper = "ReLU6"
    not_negative = True
    example = "conv 16x3; relu6"

    def compute(self, f: Primitives, xs: Tensors, w: Weighted) -> Tensor:
        return f.clip(xs[0], 0.0, 6.0)


@operation("leakyrelu", "leaky_relu", family="activation")
class LeakyReLU(Activation):
    """Leaky rectified linear unit: x above 0, slope * x below (Maas et al. 2013, with 0.01)."""

    paper = "leaky ReLU"
    positional = ("slope",)
    example = "conv 16x3; leakyrelu 0.2"

    slope: float = param(Real(min=0), "slope below 0", 0.1)

    def compute(self, f: Primitives, xs: Tensors, w: Weighted) -> Tensor:
        return f.where(xs[0] > 0.0, xs[0], xs[0] * self.slope)


@operation("prelu", family="activation")
class PReLU(Activation):
    """Parametric rectified linear unit: x above 0, a learnt slope times x below, one slope a channel (He et al. 2015,
    arXiv:1502.01852)."""

    paper = "PReLU"
    example = "conv 16x3; prelu"

    init: float = param(Real(), "initial slope", 0.25)
    single: bool = param(Bool(), "one slope for all channels", False)

    def weights(self, inputs: Sequence[Shape]) -> tuple[Weight, ...]:
        channels = 1 if self.single else channels_of(inputs[0])
        return (Weight("alpha", (*(1,) * rank_of(inputs[0]), channels)),)

    def compute(self, f: Primitives, xs: Tensors, w: Weighted) -> Tensor:
        return f.where(xs[0] > 0.0, xs[0], xs[0] * w["alpha"])


@operation("elu", family="activation")
class ELU(Activation):
    """Exponential linear unit: x above 0, alpha * (exp(x) - 1) below (Clevert et al. 2016, arXiv:1511.07289)."""

    positional = ("alpha",)
    paper = "ELU"
    example = "conv 16x3; elu"

    alpha: float = param(Real(min=0), "minus the limit for small x", 1.0)

    def compute(self, f: Primitives, xs: Tensors, w: Weighted) -> Tensor:
        return f.maximum(xs[0], 0.0) + (f.exp(-f.maximum(-xs[0], 0.0)) - 1) * self.alpha


@operation("celu", family="activation")
class CELU(Activation):
    """Continuously differentiable exponential linear unit: x above 0, alpha * (exp(x / alpha) - 1) below (Barron 2017,
    arXiv:1704.07483)."""

    paper = "CELU"
    positional = ("alpha",)
    example = "conv 16x3; celu 0.5"

    alpha: float = param(Real(min=0, open=("min",)), "minus the limit for small x", 1.0)

    def compute(self, f: Primitives, xs: Tensors, w: Weighted) -> Tensor:
        return f.maximum(xs[0], 0.0) + (f.exp(f.maximum(-xs[0], 0.0) * (-1 / self.alpha)) - 1) * self.alpha


@operation("gelu", family="activation")
class GELU(Activation):
    """Gaussian error linear unit, x times the normal distribution function of x (Hendrycks & Gimpel 2016,
    arXiv:1606.08415)."""

    paper = "GELU"
    example = "conv 16x3; gelu approximate"

    approximate: bool = param(Bool(), "with tanh in place of the error function", False)

    def compute(self, f: Primitives, xs: Tensors, w: Weighted) -> Tensor:
        x = xs[0]
        bend = f.tanh((x + x * x * x * 0.044715) * sqrt(2 / pi)) if self.approximate else f.erf(x * sqrt(0.5))
        return x * 0.5 * (bend + 1)


@operation("glu", family="activation")
class GLU(Activation):
    """Gated linear unit: the first half of the channels times the sigmoid of the second (Dauphin et al. 2017,
    arXiv:1612.08083)."""

    paper = "GLU"
    joins = True  # a gate
    example = "conv 32x3; glu"

    def infer(self, inputs: Sequence[Shape]) -> Shape:
        channels = channels_of(inputs[0])
        if channels % 2:
            raise Refused(
                "NET212",
                f"`glu` halves the channels, but its input {show_shape(inputs[0])} has {channels}: expected an even "
                "number",
            )
        return (*inputs[0][:-1], channels // 2)

    def compute(self, f: Primitives, xs: Tensors, w: Weighted) -> Tensor:
        everywhere, half = [slice(None)] * (len(xs[0].shape) - 2), xs[0].shape[-1] // 2
        gate = f.slice(xs[0], [*everywhere, slice(half, None)])
        return f.slice(xs[0], [*everywhere, slice(half)]) * f.sigmoid(gate)


@operation("hard_shrink", family="activation")
class HardShrink(Activation):
    """Hard shrinkage: x, but 0 between -threshold and threshold."""

    paper = "hard shrink"
    positional = ("threshold",)
    example = "conv 16x3; hard_shrink 0.1"

    threshold: float = param(Real(min=0), "half the width of the zero band", 0.5)

    def compute(self, f: Primitives, xs: Tensors, w: Weighted) -> Tensor:
        return f.where(f.abs(xs[0]) > self.threshold, xs[0], 0.0)


@operation("soft_shrink", family="activation")
class SoftShrink(Activation):
    """Soft shrinkage: x moved towards 0 by `threshold`, and 0 where it would change sign."""

    paper = "soft shrink"
    positional = ("threshold",)
    example = "conv 16x3; soft_shrink 0.1"

    threshold: float = param(Real(min=0), "half the width of the zero band", 0.5)

    def compute(self, f: Primitives, xs: Tensors, w: Weighted) -> Tensor:
        return f.maximum(xs[0] - self.threshold, 0.0) - f.maximum(-xs[0] - self.threshold, 0.0)


@operation("threshold", family="activation")
class Threshold(Activation):
    """Threshold: x above `threshold`, `value` elsewhere."""

    positional = ("threshold",)
    example = "conv 16x3; threshold 0.1"

    threshold: float = param(Real(), "x passes above it", 1.0)
    value: float = param(Real(), "the output elsewhere", 0.0)

    def compute(self, f: Primitives, xs: Tensors, w: Weighted) -> Tensor:
        return f.where(xs[0] > self.threshold, xs[0], self.value)


@operation("squareplus", family="activation")
class Squareplus(Activation):
    """Squareplus, (x + sqrt(x ** 2 + b)) / 2 (Barron 2021, arXiv:2112.11687)."""

    not_negative = True
    example = "conv 16x3; squareplus"

    b: float = param(Real(min=0), "how smooth the bend at 0 is", 4)

    def compute(self, f: Primitives, xs: Tensors, w: Weighted) -> Tensor:
        return (xs[0] + f.sqrt(xs[0] * xs[0] + self.b)) * 0.5


@operation("abs", family="activation")
class Absolute(Activation):
    """Absolute value."""

    joins = True  # after tanh a rectification of its own (Jarrett et al. 2009)
    formula = "|{}|"
    not_negative = True
    example = "conv 16x3; abs"

    def compute(self, f: Primitives, xs: Tensors, w: Weighted) -> Tensor:
        return f.abs(xs[0])


HardSiLU: type[Layer] = LAYERS["hard_silu"]
