"""Dense layers, and the input that everything begins with."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from netc.ir.shape import Shape, elements, rank_of, show_shape
from netc.layers.activation import finished
from netc.layers.base import Layer, Weight, operation
from netc.layers.kernel_norm import NormedKernel
from netc.layers.kinds import (
    Activation,
    Extents,
    Initializer,
)
from netc.params import Bool, Int, Real, Refused, param

if TYPE_CHECKING:
    from netc.primitives import Primitives, Tensor, Tensors, Weighted


def known_elements(op: str, shape: Shape) -> int:
    """The number of elements of an input, which must be known; else NET208."""
    count = elements(shape)
    if count is None:
        raise Refused(
            "NET208",
            f"`{op}` needs an input of known size, got {show_shape(shape)}",
            label=f"{show_shape(shape)} here",
            help=("`gap` makes a vector of any size; or give the input a fixed size",),
        )
    return count


@operation("input", family="input")
class Input(Layer):
    """The input of the network: the shape of one sample, channels last.

    `224x224x3` is an image, `?x?x3` one of any size, `784` a vector.
    """

    is_input = True
    operands = (0, 0)
    size = ("shape",)
    example = "input 28x28x1"

    shape: Shape = param(Extents(), "spatial sizes, then channels")

    def infer(self, inputs: Sequence[Shape]) -> Shape:
        if self.shape[-1] is None:
            raise Refused(
                "NET211",
                f"the channels of the input {show_shape(self.shape)} are unknown: expected a number, because the "
                "first layer's weights depend on it",
                help=(f"for colour images `input {show_shape((*self.shape[:-1], 3))}`",),
            )
        if rank_of(self.shape) > 3:
            raise Refused(
                "NET202",
                f"the input {show_shape(self.shape)} has {rank_of(self.shape)} spatial dimensions: expected at most 3",
                help=("write the shape of one sample, without the batch",),
            )
        return self.shape


@operation("fc", "dense", family="dense")
class Dense(NormedKernel):
    """Fully connected layer: every output sees every input. An input with spatial dimensions is flattened first.

    `norm=` is as for `conv`.
    """

    positional = ("units",)
    trailing = True
    weighted = True
    example = "fc 256 relu"

    units: int = param(Int(min=1), "number of outputs")
    bias: bool = param(Bool(), "whether a bias is added; not with a `bn` as a word after", True)
    act: str = param(Activation(), "activation of the output", "linear")
    init: str | float = param(Initializer(), "initial weights", "glorot_uniform")
    bias_init: str | float = param(Initializer("a constant", vector=True), "initial biases", "zeros")
    l1: float | None = param(Real(min=0), "adds l1 * sum(|w|) to the loss", None)
    l2: float | None = param(Real(min=0), "adds l2 / 2 * sum(w ** 2) to the loss, in place of `weight_decay`", None)

    def infer(self, inputs: Sequence[Shape]) -> Shape:
        known_elements(self.op, inputs[0])
        self.validate(rank_of(inputs[0]))
        return (self.units,)

    def weights(self, inputs: Sequence[Shape]) -> tuple[Weight, ...]:
        count = known_elements(self.op, inputs[0])
        sizes = [size or 0 for size in inputs[0]]  # which are known: the window of a convolution that sees all at once
        window = (1, 1, count) if len(sizes) == 1 else tuple(sizes)
        kernel = Weight("kernel", (count, self.units), terms=count, also=((*window, self.units),))
        kernels = self.normed_weights(kernel)
        return (*kernels, Weight("bias", (self.units,))) if self.bias else kernels

    def macs(self, inputs: Sequence[Shape], output: Shape) -> int | None:
        return known_elements(self.op, inputs[0]) * self.units

    def compute(self, f: Primitives, xs: Tensors, w: Weighted) -> Tensor:
        return finished(f, f.matmul(f.flatten(xs[0]), self.normed_kernel(w)), w, self.act)

    def windows(self, inputs: Sequence[Shape]) -> None:
        return None
