"""Layers that change the shape or rearrange channels, without arithmetic of their own."""

from __future__ import annotations

from collections.abc import Sequence
from math import gcd, prod
from typing import TYPE_CHECKING, Any, ClassVar

from netc.ir.shape import Dim, Shape, channels_of, rank_of, show_shape
from netc.ir.window import Window, repeating
from netc.layers.base import Layer, Weight, declaration, operation
from netc.layers.dense import known_elements
from netc.layers.kinds import Extents, Initializer, Operand, Sized
from netc.layers.sliding import all_are, spatial_rank, spread
from netc.params import Choice, Int, Refused, Sizes, param

if TYPE_CHECKING:
    from netc.primitives import Primitives, Tensor, Tensors, Weighted

DIMENSIONS = 2  # spatial ones of an image
RADIUS = {"bilinear": 1, "bicubic": 2}  # pixels on each side of a centre that have a weight


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

    def rearranges(self, inputs: Sequence[Shape]) -> bool:
        return channels_of(inputs[0]) % channels_of(self.infer(inputs)) == 0

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

    def _is_unsaid(self) -> bool:
        return self.by is None and self.before is None and self.after is None

    def pairs(self, rank: int) -> list[tuple[Any, Any]]:
        """Pixels before and after in each dimension."""
        by = 0 if self.by is None else self.by
        before, after = (spread(by if side is None else side, rank) for side in (self.before, self.after))
        return list(zip(before, after, strict=True))

    def validate(self, rank: int | None) -> None:
        if self._is_unsaid():
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
    """Zeros around the input, or its own pixels, mirrored.

    `reflect` mirrors them at the outermost one, `symmetric` repeats that one too (as `tf.pad` calls the two).
    """

    sign = 1
    shown = ("mode",)
    example = "pad before=0 after=1"

    mode: str = param(Choice(("zeros", "reflect", "symmetric")), "what stands around the input", "zeros", late=True)

    def infer(self, inputs: Sequence[Shape]) -> Shape:
        out = super().infer(inputs)
        if self.mode != "zeros":
            pairs = self.pairs(rank_of(out))
            own = int(self.mode == "reflect")  # the outermost pixel is not among those that are mirrored
            for size, (before, after) in zip(inputs[0][:-1], pairs, strict=True):
                if size is not None and size - own < max(before, after):
                    raise Refused(
                        "NET109",
                        f"`pad {self.mode}` mirrors {max(before, after)} pixels, and its input "
                        f"{show_shape(inputs[0][:-1])} has {size - own} to mirror",
                        label=f"{show_shape(inputs[0])} here",
                        help=("expected at most as many; or pad with zeros",),
                    )
        return out

    def compute(self, f: Primitives, xs: Tensors, w: Weighted) -> Tensor:
        return f.pad(xs[0], [*self.pairs(len(xs[0].shape) - 2), (0, 0)], self.mode)


@operation("crop", family="shape")
class Crop(Border):
    """The input without pixels at its border: with `to=`, down to the sizes of another tensor, from its middle unless
    an `offset` is given (FCN, Long et al. 2015, arXiv:1411.4038)."""

    sign = -1
    shown = ("offset",)
    example = "crop 1x2"

    to: bool = param(Operand(size=True), "label of a tensor whose spatial sizes the output has", False)
    offset: Sized | None = param(Sizes(min=0), "pixels left out before, with `to=`; half of all unless given", None)

    def validate(self, rank: int | None) -> None:
        if not self.to:
            super().validate(rank)
            if self.offset is not None:
                raise Refused(
                    "NET106",
                    "`offset` says where a `crop to=` begins, and there is no `to=`",
                    param="offset",
                    help=("`before=` and `after=` are the pixels that a `crop` leaves out",),
                )
        elif not self._is_unsaid():
            raise Refused(
                "NET103",
                "the size is given twice: as `to=`, and as pixels on each side",
                help=("leave one of them out",),
            )

    def infer(self, inputs: Sequence[Shape]) -> Shape:
        if not self.to:
            return super().infer(inputs)
        rank = spatial_rank(self.op, inputs[0])
        self.validate(rank)
        _same_rank(self.op, inputs)
        for size, wanted, offset in zip(inputs[0][:-1], inputs[1][:-1], self._offsets(rank), strict=True):
            if size is not None and wanted is not None and size < wanted + (offset or 0):
                raise Refused(
                    "NET205",
                    f"`crop` cannot make {show_shape(inputs[0][:-1])} as large as {show_shape(inputs[1][:-1])}"
                    + (f" from {offset} on" if offset else ""),
                    param="offset" if offset else "to",
                    help=("`resize to=` makes maps larger too",),
                )
        return (*inputs[1][:-1], channels_of(inputs[0]))

    def _offsets(self, rank: int) -> tuple[int | None, ...]:
        return spread(self.offset, rank)

    def does_nothing(self, inputs: Sequence[Shape]) -> bool:
        return not self.to and super().does_nothing(inputs)

    def windows(self, inputs: Sequence[Shape]) -> tuple[Window, ...] | None:
        if not self.to:
            return super().windows(inputs)
        rank = rank_of(inputs[0])
        return tuple(map(_cropped, inputs[0][:-1], inputs[1][:-1], self._offsets(rank)))

    def compute(self, f: Primitives, xs: Tensors, w: Weighted) -> Tensor:
        rank = len(xs[0].shape) - 2
        if self.to:
            return f.crop(xs[0], xs[1], self._offsets(rank))
        inner = [slice(before, -after if after else None) for before, after in self.pairs(rank)]
        return f.slice(xs[0], [*inner, slice(None)])


def _cropped(size: Dim, wanted: Dim, offset: int | None) -> Window:
    if size is None or wanted is None:
        return Window(1, before=-(offset or 0))
    before = (size - wanted) // 2 if offset is None else offset
    return Window(1, before=-before, after=before + wanted - size)


def _same_rank(op: str, inputs: Sequence[Shape]) -> None:
    if rank_of(inputs[0]) != rank_of(inputs[1]):
        raise Refused(
            "NET202",
            f"`{op} to=` needs a tensor with as many spatial dimensions as its input, got {show_shape(inputs[0])} and "
            f"{show_shape(inputs[1])}",
            param="to",
        )


@operation("resize", family="shape")
class Resize(Layer):
    """An image of another size: the one written, or with `to=` that of another tensor, as in FPN (Lin et al. 2017,
    arXiv:1612.03144). Centres of pixels lie half a pixel from the border; an image that becomes smaller is not
    smoothed before, as `tf.image.resize` and Keras' `Resizing` do it."""

    size = ("extent",)
    shown = ("method",)
    example = "resize 48x48"

    extent: Sized | None = param(Sizes(), "rows and columns of the output", None)
    to: bool = param(Operand(size=True), "label of a tensor whose rows and columns the output has", False)
    method: str = param(Choice(("bilinear", "nearest", "bicubic")), "interpolation", "bilinear")

    @property
    def transparent(self) -> bool:  # type: ignore[override]
        return self.method != "bicubic"  # whose weights are below zero too

    @property
    def ending(self) -> str | None:
        return None if self.transparent else "linear"

    def validate(self, rank: int | None) -> None:
        if rank not in (DIMENSIONS, None):
            raise Refused(
                "NET202",
                f"`resize` works on images, with two spatial dimensions, and the input has {rank}",
                help=("`upsample` and `subsample` work with one and three too",) if rank else (),
            )
        if self.extent is None and not self.to:
            raise Refused(
                "NET106", "`resize` needs a size", help=("such as `resize 64x64`, or `resize to=c3` with a label",)
            )
        if self.extent is not None and self.to:
            raise Refused("NET103", "the size is given twice: in numbers, and as `to=`", param="to")

    def infer(self, inputs: Sequence[Shape]) -> Shape:
        self.validate(rank_of(inputs[0]))
        if self.to:
            _same_rank(self.op, inputs)
        return (*self._space(inputs), channels_of(inputs[0]))

    def _space(self, inputs: Sequence[Shape]) -> tuple[Dim, ...]:
        return inputs[1][:-1] if self.to else spread(self.extent, DIMENSIONS)

    def does_nothing(self, inputs: Sequence[Shape]) -> bool:
        return not self.to and inputs[0][:-1] == self._space(inputs)

    def windows(self, inputs: Sequence[Shape]) -> tuple[Window, ...] | None:
        pairs = list(zip(inputs[0][:-1], self._space(inputs), strict=True))
        known = [(size, wanted) for size, wanted in pairs if size is not None and wanted is not None]
        return tuple(self._window(*pair) for pair in known) if len(known) == len(pairs) else None

    def _window(self, size: int, wanted: int) -> Window:
        """The pixels of a positive weight, on a grid that `up` times refines the input: pixel centres are half a pixel
        from the border."""
        common = gcd(size, wanted)
        stride, up = size // common, wanted // common
        if self.method == "nearest":
            first, last = stride // 2 - up + 1, stride // 2
        else:
            reach = up * RADIUS[self.method]
            first, last = (stride - up - 2 * reach) // 2 + 1, -(-(stride - up + 2 * reach) // 2) - 1
        count = last - first + 1
        return Window(count, stride, 1, -first, (wanted - 1) * stride + last - (size - 1) * up, up)

    def compute(self, f: Primitives, xs: Tensors, w: Weighted) -> Tensor:
        return f.interpolate(xs[0], xs[1] if self.to else spread(self.extent, DIMENSIONS), self.method)


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
            return repeating(factor)
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


def _blocks(op: str, shape: Shape) -> int:
    """The number of spatial dimensions of what is cut into blocks."""
    return spatial_rank(op, shape, DIMENSIONS, "`reshape` says what is to be done with three")


@operation("todepth", family="shape")
class ToDepth(Layer):
    """Space to depth: each block of `factor` by `factor` positions becomes one, with the channels of all (Shi et al.
    2016, arXiv:1609.05158, turned round; the `reorg` of YOLOv2).

    The channels of the upper left position come first, then those of the one right of it, row by row, as in
    `tf.nn.space_to_depth`; PyTorch's `PixelUnshuffle` has the positions of a channel beside each other.
    """

    paper = "space to depth"
    transparent = True
    positional = ("factor",)
    example = "todepth 2"

    factor: int = param(Int(min=1), "positions along each axis that become one")

    def infer(self, inputs: Sequence[Shape]) -> Shape:
        shape = inputs[0]
        rank = _blocks(self.op, shape)
        if any(size is not None and size % self.factor for size in shape[:-1]):
            raise Refused(
                "NET212",
                f"`{self.op} {self.factor}` needs sizes that are multiples of {self.factor}, "
                f"got {show_shape(shape[:-1])}",
                param="factor",
                help=("`pad` or `crop` the map before",),
            )
        space = (None if size is None else size // self.factor for size in shape[:-1])
        return (*space, channels_of(shape) * self.factor**rank)

    def does_nothing(self, inputs: Sequence[Shape]) -> bool:
        return self.factor == 1

    def windows(self, inputs: Sequence[Shape]) -> tuple[Window, ...] | None:
        return (Window(self.factor, self.factor),) * rank_of(inputs[0])

    def compute(self, f: Primitives, xs: Tensors, w: Weighted) -> Tensor:
        return f.space_to_depth(xs[0], self.factor)


@operation("tospace", family="shape")
class ToSpace(Layer):
    """Depth to space, pixel shuffle: each position becomes a block of `factor` by `factor`, among which its channels
    are dealt out (sub-pixel convolution, Shi et al. 2016, arXiv:1609.05158).

    The first channels are those of the upper left position of a block, then come those of the one right of it, row by
    row, as in `tf.nn.depth_to_space`; PyTorch's `PixelShuffle` has the positions of a channel beside each other.
    """

    paper = "depth to space"
    transparent = True
    positional = ("factor",)
    example = "tospace 2"

    factor: int = param(Int(min=1), "positions along each axis that one becomes")

    def infer(self, inputs: Sequence[Shape]) -> Shape:
        shape = inputs[0]
        share = _share(self.op, shape, self.factor ** _blocks(self.op, shape), "factor")
        return (*(None if size is None else size * self.factor for size in shape[:-1]), share)

    def does_nothing(self, inputs: Sequence[Shape]) -> bool:
        return self.factor == 1

    def windows(self, inputs: Sequence[Shape]) -> tuple[Window, ...] | None:
        return (repeating(self.factor),) * rank_of(inputs[0])

    def compute(self, f: Primitives, xs: Tensors, w: Weighted) -> Tensor:
        return f.depth_to_space(xs[0], self.factor)


def _line(op: str, shape: Shape) -> None:
    """Refuse what is not one-dimensional."""
    if rank_of(shape) != 1:
        raise Refused(
            "NET202",
            f"`{op}` works on positions in a row, with one spatial dimension, and the input is {show_shape(shape)}",
            label=f"{show_shape(shape)} here",
            help=("`reshape` makes a row of an image: `reshape ?x(channels)`",) if rank_of(shape) else (),
        )


@operation("swap", family="shape")
class Swap(Layer):
    """Positions and channels of a one-dimensional tensor exchanged: a `fc` or `conv` of one position after it mixes
    what were positions (MLP-Mixer, Tolstikhin et al. 2021, arXiv:2105.01601)."""

    transparent = True
    example = "reshape 1024x16; swap"

    def infer(self, inputs: Sequence[Shape]) -> Shape:
        _line(self.op, inputs[0])
        known_elements(self.op, inputs[0])
        return inputs[0][::-1]

    def does_nothing(self, inputs: Sequence[Shape]) -> bool:
        return inputs[0] == (1, 1)

    def windows(self, inputs: Sequence[Shape]) -> None:
        return None

    def compute(self, f: Primitives, xs: Tensors, w: Weighted) -> Tensor:
        return f.transpose(xs[0], [0, 2, 1])


@operation("pick", family="shape")
class Pick(Layer):
    """One position of a one-dimensional tensor as a vector: `pick 0` the first, such as the class token, `pick -1` the
    last."""

    transparent = True
    positional = ("index",)
    example = "reshape 1024x16; pick 0"

    index: int = param(Int(), "which position, from 0; from the end where it is negative")

    def infer(self, inputs: Sequence[Shape]) -> Shape:
        _line(self.op, inputs[0])
        count = inputs[0][0]
        if count is not None and not -count <= self.index < count:
            raise Refused(
                "NET109",
                f"`pick {self.index}`: there are {count} positions, expected from {-count} to {count - 1}",
                param="index",
                label=f"{show_shape(inputs[0])} here",
            )
        return (channels_of(inputs[0]),)

    def windows(self, inputs: Sequence[Shape]) -> None:
        return None

    def compute(self, f: Primitives, xs: Tensors, w: Weighted) -> Tensor:
        one = slice(self.index, self.index + 1 if self.index != -1 else None)
        return f.reshape(f.slice(xs[0], [one, slice(None)]), [xs[0].shape[-1]])


@operation("token", family="shape")
class Token(Layer):
    """A learnt position before all others: the class token (BERT, Devlin et al. 2019, arXiv:1810.04805; ViT,
    Dosovitskiy et al. 2021, arXiv:2010.11929)."""

    paper = "class token"
    example = "reshape 1024x16; token; position"

    init: str | float = param(Initializer(), "initial values", "zeros")

    @property
    def ending(self) -> str:
        return "linear"

    def infer(self, inputs: Sequence[Shape]) -> Shape:
        _line(self.op, inputs[0])
        count = inputs[0][0]
        return (None if count is None else count + 1, channels_of(inputs[0]))

    def weights(self, inputs: Sequence[Shape]) -> tuple[Weight, ...]:
        return (Weight("token", (1, channels_of(inputs[0]))),)

    def windows(self, inputs: Sequence[Shape]) -> tuple[Window, ...] | None:
        return (Window(1, before=1),)

    def compute(self, f: Primitives, xs: Tensors, w: Weighted) -> Tensor:
        return f.prepend(xs[0], w["token"])


@operation("position", family="shape")
class Position(Layer):
    """A learnt embedding of each position, added to its channels (ViT, Dosovitskiy et al. 2021, arXiv:2010.11929,
    section 3.1; images may have one too)."""

    paper = "position embedding"
    beside = True
    example = "reshape 1024x16; position"

    init: str | float = param(Initializer(), "initial values", 0.02)

    @property
    def ending(self) -> str:
        return "linear"

    def infer(self, inputs: Sequence[Shape]) -> Shape:
        spatial_rank(self.op, inputs[0])
        known_elements(self.op, inputs[0])
        return inputs[0]

    def weights(self, inputs: Sequence[Shape]) -> tuple[Weight, ...]:
        sizes = tuple(size for size in inputs[0] if size is not None)
        return (Weight("embedding", sizes),)

    def compute(self, f: Primitives, xs: Tensors, w: Weighted) -> Tensor:
        return xs[0] + w["embedding"]
