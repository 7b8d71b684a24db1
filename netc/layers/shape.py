"""Layers that change the shape or rearrange channels, without arithmetic of their own."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import TYPE_CHECKING, Any, ClassVar

from netc.ir.shape import Shape, channels_of, rank_of, show_shape
from netc.ir.window import Window
from netc.layers.base import Layer, declaration, operation
from netc.layers.dense import known_elements
from netc.layers.kinds import Extents, Sized
from netc.layers.sliding import all_are, spatial_rank, spread
from netc.params import Choice, Int, Refused, Sizes, param

if TYPE_CHECKING:
    from netc.primitives import Primitives, Tensor, Tensors, Weighted


@operation("identity", family="shape")
class Identity(Layer):
    """The current tensor itself, mostly as a branch of a combiner."""

    beside = True
    transparent = True
    example = "add {\n    | identity\n    | conv 16x3\n}"

    def infer(self, inputs: Sequence[Shape]) -> Shape:
        return inputs[0]

    def compute(self, f: Primitives, xs: Tensors, w: Weighted) -> Tensor:
        return xs[0]

    def does_nothing(self, inputs: Sequence[Shape]) -> bool:
        return True


@operation("flatten", family="shape")
class Flatten(Layer):
    """All elements as one vector."""

    beside = True
    transparent = True
    example = "flatten"

    def infer(self, inputs: Sequence[Shape]) -> Shape:
        return (known_elements(self.op, inputs[0]),)

    def compute(self, f: Primitives, xs: Tensors, w: Weighted) -> Tensor:
        return f.flatten(xs[0])

    def does_nothing(self, inputs: Sequence[Shape]) -> bool:
        return len(inputs[0]) == 1

    def windows(self, inputs: Sequence[Shape]) -> None:
        return None


@operation("reshape", family="shape")
class Reshape(Layer):
    """The same elements in another shape, channels last. One size may be `?`: it is worked out from the rest."""

    transparent = True
    size = ("shape",)
    example = "reshape 16x64x16"

    shape: Shape = param(Extents(), "the new shape")

    def validate(self, rank: int | None) -> None:
        unknown = self.shape.count(None)
        if unknown > 1:
            raise self._error(f"`{show_shape(self.shape)}` has {unknown} unknown sizes: expected at most one")

    def infer(self, inputs: Sequence[Shape]) -> Shape:
        self.validate(rank_of(inputs[0]))
        count, known = known_elements(self.op, inputs[0]), prod(size for size in self.shape if size is not None)
        unknown = self.shape.count(None)
        if count % known or (count != known and not unknown):
            raise self._error(
                f"`reshape {show_shape(self.shape)}` needs {'a multiple of ' * unknown}{known:,} elements, "
                f"but its input {show_shape(inputs[0])} has {count:,}"
            )
        return tuple(count // known if size is None else size for size in self.shape)

    def compute(self, f: Primitives, xs: Tensors, w: Weighted) -> Tensor:
        sizes = [size for size in self.infer([xs[0].shape[1:]]) if size is not None]
        return f.reshape(xs[0], sizes)

    def _error(self, message: str) -> Refused:
        return Refused("NET209", message, param="shape")

    def does_nothing(self, inputs: Sequence[Shape]) -> bool:
        return self.shape == inputs[0]

    def windows(self, inputs: Sequence[Shape]) -> None:
        return None


@declaration
class Border(Layer):
    """What padding and cropping have."""

    beside: ClassVar[bool] = True
    transparent: ClassVar[bool] = True
    size = ("by",)
    sign: ClassVar[int]

    by: Sized | None = param(Sizes(min=0), "pixels on each side", None)
    before: Sized | None = param(Sizes(min=0), "pixels before, `by` unless given", None)
    after: Sized | None = param(Sizes(min=0), "pixels after, `by` unless given", None)

    def pairs(self, rank: int) -> list[tuple[Any, Any]]:
        """Pixels before and after in each dimension."""
        by = 0 if self.by is None else self.by
        before, after = (spread(by if side is None else side, rank) for side in (self.before, self.after))
        return list(zip(before, after, strict=True))

    def validate(self, rank: int | None) -> None:
        if self.by is None and self.before is None and self.after is None:
            raise Refused("NET106", f"`{self.op}` needs the pixels on each side", help=(f"such as `{self.op} 1`",))

    def infer(self, inputs: Sequence[Shape]) -> Shape:
        shape = inputs[0]
        rank = spatial_rank(self.op, shape)
        self.validate(rank)
        change = [self.sign * (before + after) for before, after in self.pairs(rank)]
        out = tuple(None if size is None else size + by for size, by in zip(shape[:-1], change, strict=True))
        if any(size is not None and size < 1 for size in out):
            raise Refused(
                "NET205",
                f"`{self.op}` takes {'x'.join(str(-by) for by in change)} pixels off {show_shape(shape[:-1])}: "
                "expected at least one pixel to remain",
                label=f"{show_shape(shape)} here",
            )
        return (*out, channels_of(shape))

    def does_nothing(self, inputs: Sequence[Shape]) -> bool:
        return not any(before or after for before, after in self.pairs(len(inputs[0]) - 1))

    def windows(self, inputs: Sequence[Shape]) -> tuple[Window, ...] | None:
        pairs = self.pairs(len(inputs[0]) - 1)
        return tuple(Window(1, before=self.sign * before, after=self.sign * after) for before, after in pairs)


@operation("pad", family="shape")
class Pad(Border):
    """Zeros around the input."""

    sign = 1
    example = "pad before=0 after=1"

    def compute(self, f: Primitives, xs: Tensors, w: Weighted) -> Tensor:
        return f.pad(xs[0], [*self.pairs(len(xs[0].shape) - 2), (0, 0)])


@operation("crop", family="shape")
class Crop(Border):
    """The input without pixels at its border."""

    sign = -1
    example = "crop 1x2"

    def compute(self, f: Primitives, xs: Tensors, w: Weighted) -> Tensor:
        inner = [slice(before, -after if after else None) for before, after in self.pairs(len(xs[0].shape) - 2)]
        return f.slice(xs[0], [*inner, slice(None)])


@operation("upsample", family="shape")
class Upsample(Layer):
    """Each pixel as many as `factor`, or bilinear interpolation between them."""

    transparent = True
    size = ("factor",)
    example = "upsample 2 bilinear"

    factor: Sized = param(Sizes(), "how many times as large the output is")
    method: str = param(Choice(("nearest", "bilinear")), "interpolation", "nearest")

    def validate(self, rank: int | None) -> None:
        if self.method == "bilinear" and rank not in (2, None):
            raise Refused(
                "NET202",
                f"bilinear interpolation needs two spatial dimensions, and the input has {rank}",
                param="method",
                help=("`nearest` works with one, two and three",),
            )

    def infer(self, inputs: Sequence[Shape]) -> Shape:
        shape = inputs[0]
        rank = spatial_rank(self.op, shape)
        self.validate(rank)
        sizes = zip(shape[:-1], spread(self.factor, rank), strict=True)
        return (*(None if size is None else size * factor for size, factor in sizes), channels_of(shape))

    def does_nothing(self, inputs: Sequence[Shape]) -> bool:
        return all_are(self.factor, 1)

    def windows(self, inputs: Sequence[Shape]) -> tuple[Window, ...] | None:
        return tuple(map(self._window, spread(self.factor, len(inputs[0]) - 1)))

    def _window(self, factor: int) -> Window:
        if self.method == "nearest":
            return Window(factor, before=factor - 1, after=factor - 1, up=factor)
        size = 2 * factor - factor % 2  # pixel centres are half a pixel from the border
        side = size - 1 - factor // 2
        return Window(size, before=side, after=side, up=factor)

    def compute(self, f: Primitives, xs: Tensors, w: Weighted) -> Tensor:
        return f.resize(xs[0], spread(self.factor, len(xs[0].shape) - 2), self.method)


@operation("subsample", family="shape")
class Subsample(Layer):
    """Every `factor`-th pixel, beginning with the first: a strided slice, the shortcut of option A in He et al.
    2015 (arXiv:1512.03385). In Keras it is a max pool of window 1, as in Keras' own residual blocks."""

    transparent = True
    size = ("factor",)
    example = "subsample 2"

    factor: Sized = param(Sizes(), "distance of the pixels that are taken")

    def infer(self, inputs: Sequence[Shape]) -> Shape:
        shape = inputs[0]
        sizes = zip(shape[:-1], spread(self.factor, spatial_rank(self.op, shape)), strict=True)
        return (*(None if size is None else -(-size // factor) for size, factor in sizes), channels_of(shape))

    def does_nothing(self, inputs: Sequence[Shape]) -> bool:
        return all_are(self.factor, 1)

    def windows(self, inputs: Sequence[Shape]) -> tuple[Window, ...] | None:
        return tuple(Window(1, factor) for factor in spread(self.factor, len(inputs[0]) - 1))

    def compute(self, f: Primitives, xs: Tensors, w: Weighted) -> Tensor:
        steps = [slice(None, None, factor) for factor in spread(self.factor, len(xs[0].shape) - 2)]
        return f.slice(xs[0], [*steps, slice(None)])


@operation("padchannels", family="shape")
class PadChannels(Layer):
    """Zero channels up to `total`, half of them on each side as in TFLearn's shortcuts, or all after."""

    paper = "pad to"
    transparent = True
    positional = ("total",)
    example = "padchannels 32"

    total: int = param(Int(min=1), "channels of the output")
    side: str = param(Choice(("both", "after")), "where the zero channels go", "both")

    def infer(self, inputs: Sequence[Shape]) -> Shape:
        channels = channels_of(inputs[0])
        if self.total < channels:
            raise Refused(
                "NET109",
                f"`padchannels {self.total}` is less than the {channels} channels of its input: expected at least that",
                param="total",
                help=("`part` or a 1x1 convolution makes them fewer",),
            )
        if self.side == "both" and (self.total - channels) % 2:
            raise Refused(
                "NET206",
                f"from {channels} to {self.total} channels is a difference of {self.total - channels}, which has no "
                "half for each side: expected an even one",
                param="total",
                help=("`padchannels ... after` puts all of them after; or project with a 1x1 convolution",),
            )
        return (*inputs[0][:-1], self.total)

    def does_nothing(self, inputs: Sequence[Shape]) -> bool:
        return self.total == channels_of(inputs[0])

    def compute(self, f: Primitives, xs: Tensors, w: Weighted) -> Tensor:
        channels = xs[0].shape[-1]
        first, end = self.place(channels)
        return f.pad(xs[0], [(0, 0)] * (len(xs[0].shape) - 2) + [(first, self.total - end)])

    def place(self, channels: int) -> tuple[int, int]:
        """Where the channels of the input are in the output: the first, and the one after the last."""
        first = (self.total - channels) // 2 if self.side == "both" else 0
        return first, first + channels


def _share(op: str, shape: Shape, parts: int, param: str) -> int:
    """Channels of one of `parts` equal shares; NET212 when they do not divide."""
    channels = channels_of(shape)
    if channels % parts:
        raise Refused(
            "NET212",
            f"`{op}` needs {parts} equal shares of the channels, but its input {show_shape(shape)} has {channels}",
            param=param,
            help=(f"the channels must be a multiple of {parts}",),
        )
    return channels // parts


@operation("part", family="shape")
class Part(Layer):
    """One of several equal shares of the channels (ShuffleNet V2, Ma et al. 2018, arXiv:1807.11164)."""

    transparent = True
    positional = ("index",)
    example = "part 1 of=2"

    index: int = param(Int(min=1), "which share, from 1")
    of: int = param(Int(min=1), "number of shares")

    def validate(self, rank: int | None) -> None:
        if self.index > self.of:
            raise Refused("NET109", f"there is no part {self.index} of {self.of}", param="index")

    def infer(self, inputs: Sequence[Shape]) -> Shape:
        self.validate(rank_of(inputs[0]))
        return (*inputs[0][:-1], _share(self.op, inputs[0], self.of, "of"))

    def does_nothing(self, inputs: Sequence[Shape]) -> bool:
        return self.of == 1

    def compute(self, f: Primitives, xs: Tensors, w: Weighted) -> Tensor:
        share = xs[0].shape[-1] // self.of
        channels = slice((self.index - 1) * share, self.index * share)
        return f.slice(xs[0], [slice(None)] * (len(xs[0].shape) - 2) + [channels])


@operation("shuffle", family="shape")
class Shuffle(Layer):
    """Channel shuffle: deals out the channels of `groups` groups in turn (ShuffleNet, Zhang et al. 2018,
    arXiv:1707.01083)."""

    transparent = True
    positional = ("groups",)
    example = "shuffle 4"

    groups: int = param(Int(min=1), "number of groups")

    def infer(self, inputs: Sequence[Shape]) -> Shape:
        _share(self.op, inputs[0], self.groups, "groups")
        return inputs[0]

    def does_nothing(self, inputs: Sequence[Shape]) -> bool:
        return self.groups in (1, channels_of(inputs[0]))

    def compute(self, f: Primitives, xs: Tensors, w: Weighted) -> Tensor:
        share = xs[0].shape[-1] // self.groups
        return f.gather(xs[0], [first + group * share for first in range(share) for group in range(self.groups)])
