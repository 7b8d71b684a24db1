"""Recurrent layers: one position after the other, with a state that each hands on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from netc.ir.shape import Shape, channels_of
from netc.layers.attention import ROWS
from netc.layers.base import Layer, Weight, declaration, operation
from netc.layers.kinds import Initializer
from netc.layers.sliding import spatial_rank
from netc.params import Bool, Int, Real, param

if TYPE_CHECKING:
    from netc.primitives import Primitives, Tensor, Tensors, Weighted

FORWARD, BACKWARD = "forward/", "backward/"


@declaration
class Recurrent(Layer):
    """What recurrent layers have."""

    weighted: ClassVar[bool] = True
    slides: ClassVar[bool] = True
    positional = ("units",)
    cell: ClassVar[str]  # as `Primitives.recur` calls it
    gates: ClassVar[int]  # products of each unit
    bias_rows: ClassVar[int] = 1

    units: int = param(Int(min=1), "numbers in the state, the channels of the output")
    all: bool = param(Bool(), "whether the state of each position comes out, in place of the last one's", False)
    both: bool = param(Bool(), "whether another one goes backwards, whose channels come after", False)
    bias: bool = param(Bool(), "whether biases are added", True)
    init: str | float = param(
        Initializer(), "initial weights of the inputs; those of the state are orthogonal", "glorot_uniform"
    )
    l1: float | None = param(Real(min=0), "adds l1 * sum(|w|) of the inputs' weights to the loss", None)
    l2: float | None = param(Real(min=0), "adds l2 / 2 * sum(w ** 2) of them, in place of `weight_decay`", None)

    @property
    def ending(self) -> str:
        return "tanh"

    @property
    def sides(self) -> tuple[str, ...]:
        """What the names of weights begin with, for each direction."""
        return (FORWARD, BACKWARD) if self.both else ("",)

    def infer(self, inputs: Sequence[Shape]) -> Shape:
        spatial_rank(self.op, inputs[0], most=1, help=ROWS)
        channels = self.units * len(self.sides)
        return (*inputs[0][:-1], channels) if self.all else (channels,)

    def weights(self, inputs: Sequence[Shape]) -> tuple[Weight, ...]:
        channels, wide = channels_of(inputs[0]), self.gates * self.units
        biases = (wide,) if self.bias_rows == 1 else (self.bias_rows, wide)
        return tuple(
            weight
            for side in self.sides
            for weight in (
                Weight(f"{side}kernel", (channels, wide), terms=channels),
                Weight(f"{side}recurrent_kernel", (self.units, wide), terms=self.units),
                *([Weight(f"{side}bias", biases)] if self.bias else []),
            )
        )

    def macs(self, inputs: Sequence[Shape], output: Shape) -> int | None:
        positions, products = inputs[0][0], self.gates * self.units * (channels_of(inputs[0]) + self.units)
        return None if positions is None else positions * products * len(self.sides)

    def compute(self, f: Primitives, xs: Tensors, w: Weighted) -> Tensor:
        ways = [(w[f"{side}kernel"], w[f"{side}recurrent_kernel"], w.get(f"{side}bias")) for side in self.sides]
        return f.recur(self.cell, xs[0], ways, self.all)

    def windows(self, inputs: Sequence[Shape]) -> None:
        return None


@operation("lstm", family="sequence")
class LSTM(Recurrent):
    """Long short-term memory: a state and a memory that gates write, keep and read (Hochreiter & Schmidhuber 1997;
    with forget gates, Gers et al. 2000), as Keras' LSTM."""

    paper = "LSTM"
    example = "reshape 64x256; lstm 32 all both"
    cell = "lstm"
    gates = 4


@operation("gru", family="sequence")
class GRU(Recurrent):
    """Gated recurrent unit (Cho et al. 2014, arXiv:1406.1078), as Keras' GRU: the reset gate after the product, with a
    bias of its own."""

    paper = "GRU"
    example = "reshape 64x256; gru 32"
    cell = "gru"
    gates = 3
    bias_rows = 2


@operation("rnn", family="sequence")
class SimpleRNN(Recurrent):
    """Plain recurrent layer: tanh of the input's and the state's products (Elman 1990)."""

    paper = "RNN"
    example = "reshape 64x256; rnn 32"
    cell = "rnn"
    gates = 1
