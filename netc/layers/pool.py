"""Pools over windows and over the whole input."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from netc.ir.shape import Shape, channels_of, show_shape
from netc.ir.window import Window
from netc.layers.base import Layer, declaration, operation
from netc.layers.kinds import Padding, Sized
from netc.layers.sliding import all_are, padding, slide, slide_windows, spatial_rank, spread
from netc.params import Bool, Choice, Refused, Sizes, param
from netc.values import show

if TYPE_CHECKING:
    from netc.primitives import Primitives, Tensor, Tensors, Weighted

PADDING = "padding around the input, or none (`valid`); `same` puts an odd pixel at the end"


@declaration
class Pool(Layer):
    """What pools over windows have."""

    slides: ClassVar[bool] = True
    transparent: ClassVar[bool] = True
    size = ("kernel", "stride")

    kernel: Sized = param(Sizes(), "size of the window")
    stride: Sized | None = param(Sizes(), "step between windows; the window's size unless given", None)
    pad: str | Sized

    @property
    def step(self) -> Sized:
        """The stride: the window's size unless given."""
        return self.kernel if self.stride is None else self.stride

    def validate(self, rank: int | None) -> None:
        kernel = spread(self.kernel, rank or 1)
        if not isinstance(self.pad, str) and any(
            pixels >= taps for pixels, taps in zip(spread(self.pad, rank or 1), kernel, strict=True)
        ):
            raise Refused(
                "NET109",
                f"`{self.op}` pads by {show(self.pad)}, as much as its window of {show(kernel)}: "
                "a window of padding alone has nothing to pool, expected less",
                param="pad",
            )

    def infer(self, inputs: Sequence[Shape]) -> Shape:
        shape = inputs[0]
        rank = spatial_rank(self.op, shape)
        self.validate(rank)
        kernel, step = spread(self.kernel, rank), spread(self.step, rank)
        if max(kernel) > 1 and max(step) > 1 and all(size == 1 for size in shape[:-1]):
            raise self._nothing_left(shape, kernel, step)
        return (*slide(self.op, shape, self.kernel, self.step, 1, self.pad), channels_of(shape))

    def _nothing_left(self, shape: Shape, kernel: tuple[int, ...], step: tuple[int, ...]) -> Refused:
        least = tuple(2 if taps > 1 and stride > 1 else 1 for taps, stride in zip(kernel, step, strict=True))
        return Refused(
            "NET204",
            f"`{self.op} {show(kernel[0] if len(set(kernel)) == 1 else kernel)}` needs at least {show(least)}, "
            f"but its input is {show_shape(shape[:-1])}",
            label=f"{show_shape(shape)} here",
            help=("remove this pool, or start from a larger input",),
        )

    def does_nothing(self, inputs: Sequence[Shape]) -> bool:
        return all_are(self.kernel, 1) and all_are(self.step, 1)

    def windows(self, inputs: Sequence[Shape]) -> tuple[Window, ...] | None:
        return slide_windows(inputs[0], self.kernel, self.step, 1, self.pad)


@operation("pool", "maxpool", family="pool")
class MaxPool(Pool):
    """Maximum over windows; padding never wins (it is minus infinity)."""

    paper = "max pool"
    example = "pool 3/2"

    pad: str | Sized = param(Padding(("same", "valid")), PADDING, "same")

    def compute(self, f: Primitives, xs: Tensors, w: Weighted) -> Tensor:
        rank = len(xs[0].shape) - 2
        pad = padding(self.pad, self.kernel, 1, rank)
        return f.max_pool(xs[0], spread(self.kernel, rank), spread(self.step, rank), pad)


class ZeroPaddedMaxPool(MaxPool):
    """A max pool of values from 0 upwards, over which zeros around them never win either: Keras pads with those."""


@operation("avgpool", family="pool")
class AveragePool(Pool):
    """Average over windows; `same` leaves its padding out of the average, explicit padding counts as zeros."""

    paper = "avg pool"
    example = "avgpool 2"

    pad: str | Sized = param(Padding(("same", "valid")), PADDING, "same")

    def compute(self, f: Primitives, xs: Tensors, w: Weighted) -> Tensor:
        rank = len(xs[0].shape) - 2
        pad = padding(self.pad, self.kernel, 1, rank)
        return f.avg_pool(xs[0], spread(self.kernel, rank), spread(self.step, rank), pad, pad != "same")


@declaration
class GlobalPool(Layer):
    """What global pools have."""

    slides: ClassVar[bool] = True
    transparent: ClassVar[bool] = True
    shown: ClassVar[tuple[str, ...]] = ("over",)

    keep: bool = param(Bool(), "keep the spatial dimensions, with size 1", False)
    over: str = param(
        Choice(("positions", "channels")),
        "what is pooled: with `channels` a map of one is left",
        "positions",
        keyed=True,
    )

    @property
    def called(self) -> str:
        return self.paper.removeprefix("global ") if self.over == "channels" else self.paper

    def infer(self, inputs: Sequence[Shape]) -> Shape:
        shape = inputs[0]
        if self.over == "channels":
            return (*shape[:-1], 1)
        rank = spatial_rank(self.op, shape, help="a vector needs no global pool: remove it")
        return (*(1,) * (rank if self.keep else 0), channels_of(shape))

    def does_nothing(self, inputs: Sequence[Shape]) -> bool:
        return self.over == "channels" and channels_of(inputs[0]) == 1

    def windows(self, inputs: Sequence[Shape]) -> tuple[Window, ...] | None:
        return () if self.over == "channels" else None

    def _gone(self, x: Tensor) -> tuple[Sequence[int], bool]:
        """The axes that are pooled, and whether they stay with size 1."""
        return ([-1], True) if self.over == "channels" else (range(1, len(x.shape) - 1), self.keep)


@operation("gap", family="pool")
class GlobalAveragePool(GlobalPool):
    """Global average pooling: the mean of each channel (Lin et al. 2014, arXiv:1312.4400).

    With `over=channels` the mean of each position, a map of one channel (CBAM, Woo et al. 2018, arXiv:1807.06521).
    """

    paper = "global avg pool"
    example = "gap"

    def compute(self, f: Primitives, xs: Tensors, w: Weighted) -> Tensor:
        return f.mean(xs[0], *self._gone(xs[0]))


@operation("gmp", family="pool")
class GlobalMaxPool(GlobalPool):
    """Global max pooling: the maximum of each channel; with `over=channels` that of each position."""

    paper = "global max pool"
    example = "gmp keep"

    def compute(self, f: Primitives, xs: Tensors, w: Weighted) -> Tensor:
        return f.max(xs[0], *self._gone(xs[0]))
