"""Layers that act only in training."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from netc.ir.shape import Shape
from netc.layers.base import Layer, declaration, operation
from netc.layers.sliding import spatial_rank
from netc.params import Bool, Real, param

if TYPE_CHECKING:
    from netc.primitives import Primitives, Tensor, Tensors, Weighted


@declaration
class Dropping(Layer):
    """What all kinds of dropout have."""

    beside: ClassVar[bool] = True
    transparent: ClassVar[bool] = True
    train_only: ClassVar[bool] = True
    positional = ("rate",)

    rate: float = param(Real(min=0, max=1, open=("max",)), "share that is dropped", 0.5)

    def infer(self, inputs: Sequence[Shape]) -> Shape:
        return inputs[0]

    def does_nothing(self, inputs: Sequence[Shape]) -> bool:
        return self.rate == 0

    def compute(self, f: Primitives, xs: Tensors, w: Weighted) -> Tensor:
        return xs[0]


@operation("dropout", family="regularise")
class Dropout(Dropping):
    """Sets a share of the elements to zero in training and scales up the rest (Srivastava et al. 2014, JMLR 15)."""

    example = "fc 64 relu; dropout 0.5"


@operation("spatialdropout", family="regularise")
class SpatialDropout(Dropping):
    """Dropout of whole channels (Tompson et al. 2015, arXiv:1411.4280)."""

    paper = "spatial dropout"
    example = "spatialdropout 0.1"

    def infer(self, inputs: Sequence[Shape]) -> Shape:
        spatial_rank(self.op, inputs[0], help="on a vector `dropout` does the same")
        return inputs[0]


@operation("droppath", family="regularise")
class DropPath(Dropping):
    """Stochastic depth: sets a share of the samples to zero, at the end of a residual branch (Huang et al. 2016,
    arXiv:1603.09382)."""

    paper = "drop path"
    example = "add {\n    | identity\n    | conv 16x3; droppath 0.1\n}"

    ramp: bool = param(
        Bool(), "the rate rises from 0 to this one over all that say so in the network", False, late=True
    )
    fraction: float = 1.0  # of the rate, by the place among them, which the whole network says (`netc.rewrites.ramps`)

    @property
    def share(self) -> float:
        """The share that is dropped: `rate`, or as much of it as the place among the ramps of the network gives."""
        return self.rate * self.fraction if self.ramp else self.rate

    @property
    def told(self) -> str:
        return "ramp" if self.ramp else ""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, DropPath) and (self.rate, self.ramp) == (other.rate, other.ramp)

    def __hash__(self) -> int:
        return hash((type(self), self.rate, self.ramp))


@operation("noise", family="regularise")
class Noise(Layer):
    """Adds Gaussian noise in training."""

    beside = True
    transparent = True
    train_only = True
    positional = ("std",)
    example = "noise 0.1"

    std: float = param(Real(min=0, max=1), "standard deviation")

    def infer(self, inputs: Sequence[Shape]) -> Shape:
        return inputs[0]

    def does_nothing(self, inputs: Sequence[Shape]) -> bool:
        return self.std == 0

    def compute(self, f: Primitives, xs: Tensors, w: Weighted) -> Tensor:
        return xs[0]
