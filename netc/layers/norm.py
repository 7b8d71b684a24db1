"""Normalisation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from netc.ir.shape import Shape, channels_of
from netc.layers.base import Layer, Weight, declaration, operation
from netc.params import Bool, Int, Real, Refused, param

if TYPE_CHECKING:
    from netc.primitives import Primitives, Tensor, Tensors, Weighted

TINY = 1e-12  # lengths below count as this: Keras' `UnitNormalization`


class Rescaling(Layer):
    """What keeps the shape and makes numbers of any size of any others."""

    beside: ClassVar[bool] = True

    @property
    def ending(self) -> str:
        return "linear"

    def infer(self, inputs: Sequence[Shape]) -> Shape:
        return inputs[0]


@declaration
class Normalisation(Rescaling):
    """What normalisations with a learnt scale and offset have."""

    epsilon: float = param(Real(min=0, open=("min",)), "added to the variance", 1e-5)
    scale: bool = param(Bool(), "whether a learnt factor a channel (gamma) follows", True)
    center: bool = param(Bool(), "whether a learnt offset a channel (beta) follows", True)
    gamma: float = param(Real(), "initial gamma", 1.0)
    gamma_std: float = param(Real(min=0), "standard deviation of the initial gamma around `gamma`", 0.0)

    def weights(self, inputs: Sequence[Shape]) -> tuple[Weight, ...]:
        per_channel = (channels_of(inputs[0]),)
        learnt = [("gamma", self.scale), ("beta", self.center)]
        return tuple(Weight(name, per_channel) for name, there in learnt if there)

    def scaled(self, x: Tensor, w: Weighted) -> Tensor:
        """Channels times gamma, plus beta, as far as they are learnt."""
        if self.scale:
            x = x * w["gamma"]
        return x + w["beta"] if self.center else x


@operation("bn", "batchnorm", family="norm")
class BatchNorm(Normalisation):
    """Batch normalisation: each channel to mean 0 and variance 1 over the batch (Ioffe & Szegedy 2015,
    arXiv:1502.03167).

    Moving averages, used when the network is not training, keep `decay` of their value at each step.
    """

    paper = "BN"
    trails = True
    removes_bias = True
    example = "conv 32x3; bn; relu"

    decay: float = param(Real(min=0, max=1), "share of the moving averages kept at each step", 0.9)

    def weights(self, inputs: Sequence[Shape]) -> tuple[Weight, ...]:
        per_channel = (channels_of(inputs[0]),)
        moving = (Weight(name, per_channel, trainable=False) for name in ("moving_mean", "moving_variance"))
        return (*super().weights(inputs), *moving)

    def compute(self, f: Primitives, xs: Tensors, w: Weighted) -> Tensor:
        factor = w.get("gamma", 1.0) / f.sqrt(w["moving_variance"] + self.epsilon)
        return xs[0] * factor + (w.get("beta", 0.0) - w["moving_mean"] * factor)


@operation("layernorm", family="norm")
class LayerNorm(Normalisation):
    """Layer normalisation: the channels of each position to mean 0 and variance 1 (Ba et al. 2016,
    arXiv:1607.06450; over the channels only, as in ConvNeXt)."""

    paper = "layer norm"
    example = "layernorm"

    def compute(self, f: Primitives, xs: Tensors, w: Weighted) -> Tensor:
        return self.scaled(f.standardize_channels(xs[0], self.epsilon), w)


@operation("groupnorm", family="norm")
class GroupNorm(Normalisation):
    """Group normalisation: groups of channels, over all positions of a sample, to mean 0 and variance 1 (Wu & He
    2018, arXiv:1803.08494).

    `groupnorm (channels)` is instance normalisation. Its statistics see the whole input, which receptive fields
    leave out, as for batch normalisation.
    """

    paper = "group norm"
    positional = ("groups",)
    example = "groupnorm 4"

    groups: int = param(Int(min=1), "number of groups of channels", 32)

    def infer(self, inputs: Sequence[Shape]) -> Shape:
        channels = channels_of(inputs[0])
        if channels % self.groups:
            raise Refused(
                "NET203",
                f"the input has {channels} channels, which {self.groups} groups do not divide",
                param="groups",
                help=("`groupnorm (channels//2)` has two channels in each group",),
            )
        return inputs[0]

    def compute(self, f: Primitives, xs: Tensors, w: Weighted) -> Tensor:
        return self.scaled(f.standardize_groups(xs[0], self.groups, self.epsilon), w)


@operation("lrn", family="norm")
class LocalResponseNorm(Rescaling):
    """Local response normalisation across channels: x / (bias + alpha * sum of the squares of the 2 * radius + 1
    channels around) ** beta (Krizhevsky et al. 2012, section 3.3, whose constants are the defaults)."""

    paper = "LRN"
    listed = True
    example = "lrn radius=5 bias=1"

    radius: int = param(Int(min=0), "channels on each side that count", 2)
    bias: float = param(Real(min=0, open=("min",)), "k of the paper", 2.0)
    alpha: float = param(Real(min=0), "factor of the sum of squares (not of their mean)", 1e-4)
    beta: float = param(Real(min=0), "exponent", 0.75)

    def compute(self, f: Primitives, xs: Tensors, w: Weighted) -> Tensor:
        channels = xs[0].shape[-1]
        radius = min(self.radius, channels - 1)
        around = f.pad(xs[0] * xs[0], [(0, 0)] * (len(xs[0].shape) - 2) + [(radius, radius)])
        everywhere = [slice(None)] * (len(xs[0].shape) - 2)
        total = f.slice(around, [*everywhere, slice(0, channels)])
        for first in range(1, 2 * radius + 1):
            total = total + f.slice(around, [*everywhere, slice(first, first + channels)])
        return xs[0] / f.pow(total * self.alpha + self.bias, self.beta)


@operation("scale", family="norm")
class Scale(Rescaling):
    """A learnt factor for each channel: layer scale (Touvron et al. 2021, arXiv:2103.17239, section 2)."""

    example = "scale init=0.1"

    init: float = param(Real(), "initial factor", 1e-6)

    def weights(self, inputs: Sequence[Shape]) -> tuple[Weight, ...]:
        return (Weight("gamma", (channels_of(inputs[0]),)),)

    def compute(self, f: Primitives, xs: Tensors, w: Weighted) -> Tensor:
        return xs[0] * w["gamma"]


@operation("rescale", family="norm")
class Rescale(Rescaling):
    """Every element times a constant, plus another: `rescale -1 offset=1` is 1 - x, a fixed factor of a residual
    branch is `rescale 0.17` (Szegedy et al. 2017, arXiv:1602.07261, section 3.3)."""

    positional = ("factor",)
    shown = ("offset",)
    example = "rescale 0.17"

    factor: float = param(Real(), "what elements are multiplied by")
    offset: float = param(Real(), "what is added", 0.0)

    def does_nothing(self, inputs: Sequence[Shape]) -> bool:
        return self.factor == 1 and self.offset == 0

    def compute(self, f: Primitives, xs: Tensors, w: Weighted) -> Tensor:
        return xs[0] * self.factor + self.offset


@operation("l2norm", family="norm")
class L2Norm(Rescaling):
    """The channels of each position to length 1: x / sqrt(sum(x ** 2)), and 0 where all are 0 (ParseNet, Liu et al.
    2015, arXiv:1506.04579, section 3.3; FaceNet, Schroff et al. 2015, arXiv:1503.03832). A `scale` after it learns
    the length of each channel, as in SSD."""

    paper = "L2 norm"
    example = "l2norm; scale init=20"

    def compute(self, f: Primitives, xs: Tensors, w: Weighted) -> Tensor:
        return xs[0] / f.maximum(f.sqrt(f.sum(xs[0] * xs[0], [-1], True)), TINY)
