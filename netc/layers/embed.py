"""Ids of words or items as vectors that are learned."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from netc.ir.shape import Shape, channels_of, rank_of, show_shape
from netc.layers.base import Layer, Weight, operation
from netc.layers.kinds import Initializer
from netc.params import Int, Real, Refused, param

if TYPE_CHECKING:
    from netc.primitives import Primitives, Tensor, Tensors, Weighted

MOST = 2**24  # up to here each whole number is one of float32, as which inputs come


@operation("embed", family="sequence")
class Embed(Layer):
    """A row of a table of weights for each id: of a vector of ids, whole numbers from 0 to before `count`, positions x
    channels (Bengio et al. 2003, JMLR 3, section 2). It reads an `input`.

    NumPy refuses others. Keras (TensorFlow) and onnxruntime on a CPU refuse those beyond the table, take those below 0
    from its end, and cut fractions off; other engines may take any row.
    """

    paper = "embedding"
    weighted = True
    ids = "count"
    positional = ("count", "units")
    example = "seen: gap\nids: input 12\nembed 100 16\ngap\nadd seen"

    count: int = param(Int(min=1, max=MOST), "how many ids there are")
    units: int = param(Int(min=1), "numbers that stand for an id, the channels of the output")
    init: str | float = param(Initializer(), "initial weights", 0.02)
    l1: float | None = param(Real(min=0), "adds l1 * sum(|w|) to the loss", None)
    l2: float | None = param(Real(min=0), "adds l2 / 2 * sum(w ** 2) to the loss, in place of `weight_decay`", None)

    @property
    def ending(self) -> str:
        return "linear"

    def infer(self, inputs: Sequence[Shape]) -> Shape:
        if rank_of(inputs[0]):
            raise Refused(
                "NET202",
                f"`{self.op}` reads a vector of ids, and the input is {show_shape(inputs[0])}",
                label=f"{show_shape(inputs[0])} here",
                help=("`input 128` is a vector of 128 ids",),
            )
        return (channels_of(inputs[0]), self.units)

    def weights(self, inputs: Sequence[Shape]) -> tuple[Weight, ...]:
        return (Weight("embeddings", (self.count, self.units)),)

    def compute(self, f: Primitives, xs: Tensors, w: Weighted) -> Tensor:
        return f.lookup(xs[0], w["embeddings"])

    def windows(self, inputs: Sequence[Shape]) -> None:
        return None
