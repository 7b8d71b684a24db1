"""Attention: each position reads all others, weighed by what they hold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar

from netc.ir.shape import Shape, channels_of, rank_of, show_shape
from netc.layers.base import Layer, Weight, operation
from netc.layers.kinds import Initializer, Operand
from netc.layers.sliding import spatial_rank
from netc.params import Bool, Int, Real, Refused, param

if TYPE_CHECKING:
    from netc.primitives import Primitives, Tensor, Tensors, Weighted

ROWS = "`reshape ?x(channels)` makes a row of positions of an image"
PROJECTIONS = ("query", "key", "value")


@operation("attention", family="sequence")
class Attention(Layer):
    """Multi-head attention: each position becomes a mean of all, weighed by how its query meets their keys (Vaswani et
    al. 2017, arXiv:1706.03762, section 3.2.2).

    Of positions x channels, `heads` times: queries, keys and values are matrix products of the channels, the weights
    softmax(query · key / sqrt(key)) over all positions, and another matrix product joins the heads. With `from=` the
    keys and values are those of another tensor, whose positions and channels may be other ones. `causal` reads no
    position after its own.
    """

    paper = "multi-head attention"
    weighted = True
    slides = True
    positional = ("heads",)
    channel_shares: ClassVar[Mapping[str, str]] = {"key": "heads"}
    example = "reshape 64x256; attention heads=4"

    heads: int = param(Int(min=1), "how many times it is computed, with weights of their own")
    key: int | None = param(Int(min=1), "channels of a head's queries, keys and values: channels / heads", None)
    bias: bool = param(Bool(), "whether biases are added", True)
    dropout: float = param(Real(min=0, max=1, open=("max",)), "share of the weights dropped in training", 0.0)
    from_: bool = param(Operand(), "label of a tensor whose positions are read, in place of the input's own", False)
    causal: bool = param(Bool(), "whether later positions are left out", False)
    init: str | float = param(Initializer(), "initial weights", "glorot_uniform")
    l1: float | None = param(Real(min=0), "adds l1 * sum(|w|) to the loss", None)
    l2: float | None = param(Real(min=0), "adds l2 / 2 * sum(w ** 2) to the loss, in place of `weight_decay`", None)

    @property
    def ending(self) -> str:
        return "linear"

    def infer(self, inputs: Sequence[Shape]) -> Shape:
        shape = inputs[0]
        spatial_rank(self.op, shape, most=1, help=ROWS)
        self.share(shape)
        if rank_of(inputs[-1]) != 1:
            raise Refused(
                "NET202",
                f"`{self.op} from=` reads a tensor of positions and channels, got {show_shape(inputs[-1])}",
                param="from_",
                help=(ROWS,),
            )
        return shape

    def share(self, shape: Shape) -> int:
        """Channels of a head; NET203 where none are said and heads do not divide those of the input."""
        channels = channels_of(shape)
        if self.key is None and channels % self.heads:
            raise Refused(
                "NET203",
                f"the input has {channels} channels, which {self.heads} heads do not divide",
                param="heads",
                help=("`key=64` gives each head 64 channels of its own",),
            )
        return self.key or channels // self.heads

    def within(self, inputs: Sequence[Shape]) -> tuple[Shape, ...]:
        return ((self.heads, inputs[0][0], inputs[-1][0]),)

    def weights(self, inputs: Sequence[Shape]) -> tuple[Weight, ...]:
        channels, each = channels_of(inputs[0]), (self.heads, self.share(inputs[0]))
        read = {name: channels_of(inputs[0 if name == "query" else -1]) for name in PROJECTIONS}
        made = [
            (Weight(f"{name}/kernel", (terms, *each), terms=terms), Weight(f"{name}/bias", each))
            for name, terms in read.items()
        ]
        joined = Weight("attention_output/kernel", (*each, channels), terms=each[0] * each[1])
        made.append((joined, Weight("attention_output/bias", (channels,))))
        return tuple(weight for pair in made for weight in pair[: 1 + self.bias])

    def macs(self, inputs: Sequence[Shape], output: Shape) -> int | None:
        asking, read = inputs[0][0], inputs[-1][0]
        if asking is None or read is None:
            return None
        wide = self.heads * self.share(inputs[0])
        return 2 * wide * (asking * channels_of(inputs[0]) + read * channels_of(inputs[-1]) + asking * read)

    def compute(self, f: Primitives, xs: Tensors, w: Weighted) -> Tensor:
        channels = xs[0].shape[-1]

        def projected(name: str) -> Tensor:
            kernel = w[f"{name}/kernel"]
            x = f.matmul(xs[0 if name == "query" else -1], kernel.reshape((len(kernel), -1)))
            return x + w[f"{name}/bias"].reshape(-1) if self.bias else x

        query, key, value = map(projected, PROJECTIONS)
        joined = f.attend(query, key, value, self.heads, self.causal)
        made = f.matmul(joined, w["attention_output/kernel"].reshape((-1, channels)))
        return made + w["attention_output/bias"] if self.bias else made

    def windows(self, inputs: Sequence[Shape]) -> None:
        return None
