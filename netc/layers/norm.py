"""Normalisation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from netc.ir.shape import Shape, channels_of
from netc.layers.base import Layer, Weight, declaration, operation
from netc.params import Bool, Int, Real, Refused, param


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


@operation("layernorm", family="norm")
class LayerNorm(Normalisation):
    """Layer normalisation: the channels of each position to mean 0 and variance 1 (Ba et al. 2016,
    arXiv:1607.06450; over the channels only, as in ConvNeXt)."""

    paper = "layer norm"
    example = "layernorm"


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


@operation("scale", family="norm")
class Scale(Rescaling):
    """A learnt factor for each channel: layer scale (Touvron et al. 2021, arXiv:2103.17239, section 2)."""

    example = "scale init=0.1"

    init: float = param(Real(), "initial factor", 1e-6)

    def weights(self, inputs: Sequence[Shape]) -> tuple[Weight, ...]:
        return (Weight("gamma", (channels_of(inputs[0]),)),)
