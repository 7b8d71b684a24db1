"""Pools over windows and over the whole input."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from netc.ir.shape import Shape, channels_of, show_shape
from netc.ir.window import Window
from netc.layers.base import Layer, LayerError, declaration, operation
from netc.layers.kinds import Padding, Sized, keywords
from netc.layers.sliding import all_are, lower_padding, slide, slide_windows, spatial_rank, spread
from netc.params import Bool, Sizes, param
from netc.target import Call, compact, concrete, is_given
from netc.values import show

PADDING = "padding around the input, or none (`valid`); `same` puts an odd pixel at the end"


@declaration
class Pool(Layer):
    """What pools over windows have."""

    slides: ClassVar[bool] = True
    transparent: ClassVar[bool] = True
    size = ("kernel", "stride")
    keras: ClassVar[str]

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
            raise LayerError(
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

    def _nothing_left(self, shape: Shape, kernel: tuple[int, ...], step: tuple[int, ...]) -> LayerError:
        least = tuple(2 if taps > 1 and stride > 1 else 1 for taps, stride in zip(kernel, step, strict=True))
        return LayerError(
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

    def lower(self, inputs: Sequence[Shape]) -> tuple[Call, ...]:
        rank = len(inputs[0]) - 1
        before, padding = self._lowered_padding(rank)
        stride = None if self.stride is None else compact(self.stride)
        same = stride is not None and not is_given(stride, compact(self.kernel))
        kwargs = keywords(("strides", None if same else stride, None), ("padding", padding, "valid"))
        return (*before, Call(f"layers.{self.keras}{rank}D", (compact(self.kernel),), kwargs))

    def _lowered_padding(self, rank: int) -> tuple[tuple[Call, ...], Any]:
        return lower_padding(self.pad, rank)


@operation("pool", "maxpool", family="pool")
class MaxPool(Pool):
    """Maximum over windows; padding never wins (it is minus infinity)."""

    keras = "MaxPooling"
    example = "pool 3/2"

    pad: str | Sized = param(Padding(("same", "valid")), PADDING, "same")

    def _lowered_padding(self, rank: int) -> tuple[tuple[Call, ...], Any]:
        if isinstance(concrete(self.pad), str) or not any(concrete(spread(self.pad, rank))):
            return lower_padding(self.pad, rank)
        return (Call("custom.MaxPoolPadding", (compact(self.pad),), suffix="_pad"),), "valid"


class ZeroPaddedMaxPool(MaxPool):
    """A max pool of values from 0 upwards, over which zeros around them never win either: Keras pads with those."""

    def _lowered_padding(self, rank: int) -> tuple[tuple[Call, ...], Any]:
        return lower_padding(self.pad, rank)


@operation("avgpool", family="pool")
class AveragePool(Pool):
    """Average over windows; `same` leaves its padding out of the average, explicit padding counts as zeros."""

    keras = "AveragePooling"
    example = "avgpool 2"

    pad: str | Sized = param(Padding(("same", "valid")), PADDING, "same")


@declaration
class GlobalPool(Layer):
    """What global pools have."""

    slides: ClassVar[bool] = True
    transparent: ClassVar[bool] = True
    keras: ClassVar[str]

    keep: bool = param(Bool(), "keep the spatial dimensions, with size 1", False)

    def infer(self, inputs: Sequence[Shape]) -> Shape:
        shape = inputs[0]
        rank = spatial_rank(self.op, shape, help="a vector needs no global pool: remove it")
        return (*(1,) * (rank if self.keep else 0), channels_of(shape))

    def windows(self, inputs: Sequence[Shape]) -> None:
        return None

    def lower(self, inputs: Sequence[Shape]) -> tuple[Call, ...]:
        name = f"layers.{self.keras}{len(inputs[0]) - 1}D"
        return (Call(name, kwargs=keywords(("keepdims", self.keep, False))),)


@operation("gap", family="pool")
class GlobalAveragePool(GlobalPool):
    """Global average pooling: the mean of each channel (Lin et al. 2014, arXiv:1312.4400)."""

    keras = "GlobalAveragePooling"
    example = "gap"


@operation("gmp", family="pool")
class GlobalMaxPool(GlobalPool):
    """Global max pooling: the maximum of each channel."""

    keras = "GlobalMaxPooling"
    example = "gmp keep"
