"""Activations: every one that Keras has. Those that are functions of the tensor alone also serve as `act`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from netc.ir.shape import Shape, channels_of, rank_of, show_shape
from netc.layers.base import Layer, Weight, declaration, operation
from netc.params import Bool, Real, Refused, param


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


_PLAIN = (
    ("sigmoid", "Logistic sigmoid, 1 / (1 + exp(-x)), element by element."),
    ("tanh", "Hyperbolic tangent."),
    ("softmax", "Softmax over the channels: exp(x) / sum(exp(x))."),
    ("log_softmax", "Logarithm of the softmax over the channels."),
    ("sparsemax", "Sparsemax over the channels (Martins & Astudillo 2016, arXiv:1602.02068)."),
    ("selu", "Scaled exponential linear unit (Klambauer et al. 2017, arXiv:1706.02515)."),
    (
        "silu swish",
        "Sigmoid linear unit, x * sigmoid(x) (Elfwing et al. 2018, arXiv:1702.03118; Ramachandran et al. 2017).",
    ),
    ("mish", "Mish, x * tanh(softplus(x)) (Misra 2019, arXiv:1908.08681)."),
    ("softplus", "Smooth rectifier, log(1 + exp(x))."),
    ("softsign", "Softsign, x / (1 + |x|)."),
    ("exponential", "Exponential, exp(x)."),
    ("log_sigmoid", "Logarithm of the sigmoid."),
    ("hard_sigmoid", "Piecewise linear sigmoid, relu6(x + 3) / 6 (Howard et al. 2019, arXiv:1905.02244)."),
    ("hard_silu hard_swish", "Piecewise SiLU, x * hard_sigmoid(x) (Howard et al. 2019, arXiv:1905.02244)."),
    ("hard_tanh", "Piecewise linear tanh: x, cut off at -1 and 1."),
    ("tanh_shrink", "What tanh takes away, x - tanh(x)."),
    ("sparse_plus", "Sparse softplus: 0 up to -1, x from 1 on, (x + 1) ** 2 / 4 between."),
    ("sparse_sigmoid", "Sparse sigmoid: 0 up to -1, 1 from 1 on, (x + 1) / 2 between."),
)


_ACROSS = ("softmax", "log_softmax", "sparsemax")


_PAPER = {"selu": "SELU", "silu": "SiLU", "mish": "Mish", "hard_silu": "hard SiLU"}


def _plain(name: str, *aliases: str, doc: str) -> None:
    paper = _PAPER.get(name, name.replace("_", " "))
    facts: dict[str, object] = {"__doc__": doc, "__module__": __name__, "example": f"conv 16x3; {name}", "paper": paper}
    facts["across"] = name in _ACROSS
    operation(name, *aliases, family="activation")(type(name, (Activation,), facts))


for _names, _doc in _PLAIN:
    _plain(*_names.split(), doc=_doc)


@operation("linear", family="activation")
class Linear(Activation):
    """The identity, as an activation."""

    transparent = True
    joins = True
    example = "conv 16x3; linear"

    def does_nothing(self, inputs: Sequence[Shape]) -> bool:
        return True


@operation("relu", family="activation")
class ReLU(Activation):
    """Rectified linear unit, max(x, 0) (Nair & Hinton 2010); below `threshold` it is slope * (x - threshold)."""

    paper = "ReLU"
    example = "bn; relu"

    max: float | None = param(Real(min=0), "largest output, no bound unless given", None)
    slope: float = param(Real(min=0), "slope below the threshold", 0.0)
    threshold: float = param(Real(min=0), "below it the unit is off", 0.0)


@operation("relu6", family="activation")
class ReLU6(Activation):
    """Rectified linear unit with a maximum of 6 (Krizhevsky 2010, CIFAR-10 deep belief networks)."""

    paper = "ReLU6"
    example = "conv 16x3; relu6"


@operation("leakyrelu", "leaky_relu", family="activation")
class LeakyReLU(Activation):
    """Leaky rectified linear unit: x above 0, slope * x below (Maas et al. 2013, with 0.01)."""

    paper = "leaky ReLU"
    positional = ("slope",)
    example = "conv 16x3; leakyrelu 0.2"

    slope: float = param(Real(min=0), "slope below 0", 0.1)


@operation("prelu", family="activation")
class PReLU(Activation):
    """Parametric rectified linear unit: x above 0, a learnt slope times x below, one slope a channel (He et al. 2015,
    arXiv:1502.01852)."""

    paper = "PReLU"
    example = "conv 16x3; prelu"

    init: float = param(Real(), "initial slope", 0.25)
    shared: bool = param(Bool(), "one slope for all channels", False)

    def weights(self, inputs: Sequence[Shape]) -> tuple[Weight, ...]:
        channels = 1 if self.shared else channels_of(inputs[0])
        return (Weight("alpha", (*(1,) * rank_of(inputs[0]), channels)),)


@operation("elu", family="activation")
class ELU(Activation):
    """Exponential linear unit: x above 0, alpha * (exp(x) - 1) below (Clevert et al. 2016, arXiv:1511.07289)."""

    positional = ("alpha",)
    paper = "ELU"
    example = "conv 16x3; elu"

    alpha: float = param(Real(min=0), "minus the limit for small x", 1.0)


@operation("celu", family="activation")
class CELU(Activation):
    """Continuously differentiable exponential linear unit: x above 0, alpha * (exp(x / alpha) - 1) below (Barron 2017,
    arXiv:1704.07483)."""

    paper = "CELU"
    positional = ("alpha",)
    example = "conv 16x3; celu 0.5"

    alpha: float = param(Real(min=0, open=("min",)), "minus the limit for small x", 1.0)


@operation("gelu", family="activation")
class GELU(Activation):
    """Gaussian error linear unit, x times the normal distribution function of x (Hendrycks & Gimpel 2016,
    arXiv:1606.08415)."""

    paper = "GELU"
    example = "conv 16x3; gelu approximate"

    approximate: bool = param(Bool(), "with tanh in place of the error function", False)


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


@operation("hard_shrink", family="activation")
class HardShrink(Activation):
    """Hard shrinkage: x, but 0 between -threshold and threshold."""

    paper = "hard shrink"
    positional = ("threshold",)
    example = "conv 16x3; hard_shrink 0.1"

    threshold: float = param(Real(min=0), "half the width of the zero band", 0.5)


@operation("soft_shrink", family="activation")
class SoftShrink(Activation):
    """Soft shrinkage: x moved towards 0 by `threshold`, and 0 where it would change sign."""

    paper = "soft shrink"
    positional = ("threshold",)
    example = "conv 16x3; soft_shrink 0.1"

    threshold: float = param(Real(min=0), "half the width of the zero band", 0.5)


@operation("threshold", family="activation")
class Threshold(Activation):
    """Threshold: x above `threshold`, `value` elsewhere."""

    positional = ("threshold",)
    example = "conv 16x3; threshold 0.1"

    threshold: float = param(Real(), "x passes above it", 1.0)
    value: float = param(Real(), "the output elsewhere", 0.0)


@operation("squareplus", family="activation")
class Squareplus(Activation):
    """Squareplus, (x + sqrt(x ** 2 + b)) / 2 (Barron 2021, arXiv:2112.11687)."""

    example = "conv 16x3; squareplus"

    b: float = param(Real(min=0), "how smooth the bend at 0 is", 4)


@operation("abs", family="activation")
class Absolute(Activation):
    """Absolute value."""

    joins = True  # after tanh a rectification of its own (Jarrett et al. 2009)
    formula = "|{}|"
    example = "conv 16x3; abs"
