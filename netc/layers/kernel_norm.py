"""Layers that learn a kernel by its direction: spectral and weight normalisation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from netc.layers.base import Layer, Weight, declaration
from netc.layers.norm import TINY
from netc.params import Choice, Refused, param

if TYPE_CHECKING:
    from netc.primitives import Weighted


# What the words of `norm=` do.
NORMS = {
    "none": "the kernel as it is stored",
    "spectral": "divides the kernel by its largest singular value",
    "weight": "brings the weights of each output to a learnt length",
}


@declaration
class NormedKernel(Layer):
    """What layers have whose kernel may be normed: a function of the stored one, which trains.

    `spectral` divides it by its largest singular value, as a matrix of each output's weights, which one power iteration
    from a stored vector estimates (Miyato et al. 2018, arXiv:1802.05957, Algorithm 1). `weight` brings the weights of
    each output to a learnt length (Salimans & Kingma 2016, arXiv:1602.07868, equation 2).
    """

    shown: ClassVar[tuple[str, ...]] = ("norm",)
    output_axis: ClassVar[int] = -1  # of the kernel

    if TYPE_CHECKING:
        init: str | float  # of which each layer says its place among its parameters

    norm: str = param(
        Choice(("none", "spectral", "weight"), NORMS),
        "how the kernel is normed; `l1`, `l2` and weight decay are of the stored one",
        "none",
        keyed=True,
    )

    def validate(self, rank: int | None) -> None:
        super().validate(rank)
        if self.norm != "none" and self.init in ("zeros", 0):
            raise Refused(
                "NET109",
                f"`norm={self.norm}` keeps the direction of the kernel, and one of zeros has none",
                param="init",
                help=("leave `init` out, or take one such as `init=he_normal`",),
            )

    def normed_weights(self, kernel: Weight) -> tuple[Weight, ...]:
        """A kernel after what its norm stores."""
        outputs = (kernel.shape[self.output_axis],)
        own = {"spectral": Weight("vector_u", outputs, trainable=False), "weight": Weight("g", outputs)}
        return (own[self.norm], kernel) if self.norm in own else (kernel,)

    def normed_kernel(self, w: Weighted) -> Any:
        """The kernel that is multiplied by."""
        kernel = w["kernel"]
        if self.norm == "none":
            return kernel
        last = kernel.swapaxes(self.output_axis, -1)
        rows = last.reshape(-1, last.shape[-1])
        if self.norm == "weight":
            scaled = rows * (w["g"] / _length(rows, 0))
        else:
            v = rows @ w["vector_u"]
            scaled = rows / _length((v / _length(v)) @ rows)
        return scaled.reshape(last.shape).swapaxes(self.output_axis, -1)


def _length(x: Any, axis: int | None = None) -> Any:
    return ((x * x).sum(axis) ** 0.5).clip(TINY)
