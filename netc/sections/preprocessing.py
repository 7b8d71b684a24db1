"""The steps between a data set and the network, in the order they are written.

A step marked random acts in training only, with fresh numbers for each image and epoch. Statistics (`center`, `scale`,
`zca`) are computed once on the training images, as the steps above leave them without chance, and stored with the run.

What a step does to an image in evaluation is said in the functions of `netc/primitives.py` (`compute`), as what layers
do is. Training runs `netc/data/transforms.py`, which a test holds against it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from netc.ir.shape import Dim, Shape, elements, show_shape
from netc.params import Choice, Int, Real, Refused, Sizes, param
from netc.record import record
from netc.sections.base import Registry, Setting, choice

if TYPE_CHECKING:
    from netc.primitives import Primitives, Tensor, Weighted

CHANCE = Real(min=0, max=1, open=("min",))
HOW = Choice(("per_channel", "per_pixel", "overall", "samplewise"))
STRENGTH = Real(min=0, max=1)
POSITIVE = Real(min=0, open=("min",))
LUMA = (0.299, 0.587, 0.114)  # ITU-R BT.601
SMALLEST = 2.0**-23  # a standard deviation up to which an image is flat, and not divided by it
WHITENED = 8192  # numbers of an image up to which `zca` is computed: half a gigabyte, and minutes


class Step(Setting):
    """One step of the pipeline."""

    random: ClassVar[bool] = False
    moves: ClassVar[bool] = False  # whether pixels come to stand elsewhere, as targets a pixel would have to

    def shape(self, image: Shape) -> Shape:
        """Shape of an image after it, for images of a shape (rows, columns, channels; None is unknown)."""
        return image

    def compute(self, f: Primitives, x: Tensor, w: Weighted) -> Tensor:
        """What it makes of a batch of images in evaluation, where random steps do nothing; `w` are the statistics."""
        return x


DATA: Registry[Setting] = {}  # lines of `data`: the steps here, the others in `settings`


def _full(size: tuple[int, ...], image: Shape) -> Shape:
    return (*size, image[-1])


@choice(DATA, "resize", example="resize 224x224")
class Resize(Step):
    """Scale images to a size; nothing is cut, so their proportions may change."""

    moves = True
    size: ClassVar[tuple[str, ...]] = ("to",)
    repeatable = True

    to: tuple[int, ...] = param(Sizes(), "rows and columns")
    method: str = param(Choice(("bilinear", "nearest", "bicubic", "area")), "how pixels are interpolated", "bilinear")

    def shape(self, image: Shape) -> Shape:
        return _full(self.to, image)

    def compute(self, f: Primitives, x: Tensor, w: Weighted) -> Tensor:
        return f.resample(x, self.to, self.method)


@choice(DATA, "crop", example="crop 32x32 pad=4")
class Crop(Step):
    """Cut out a window: at random in training, the central one in evaluation (Krizhevsky et al. 2012).

    The zeros of `pad` count in training only.
    """

    moves = True
    size: ClassVar[tuple[str, ...]] = ("to",)
    random = True
    repeatable = True

    to: tuple[int, ...] = param(Sizes(), "rows and columns")
    pad: int = param(Int(min=0), "zeros added on each side before, in training", 0)
    where: str = param(Choice(("random", "central")), "whether training cuts at random", "random")

    def validate(self) -> None:
        if self.pad and self.where == "central":
            raise Refused(
                "NET407", "`pad` is for random crops, this one is central", param="pad", help=("remove `pad`",)
            )

    def shape(self, image: Shape) -> Shape:
        if any(_exceeds(part, dim) for part, dim in zip(self.to, image, strict=False)):
            raise Refused(
                "NET406",
                f"a crop of {show_shape(self.to)} is larger than its image, {show_shape(image[:-1])}",
                param="to",
                help=("`pad` widens images in training only: `resize` them first, or crop less",),
            )
        return _full(self.to, image)

    def compute(self, f: Primitives, x: Tensor, w: Weighted) -> Tensor:
        corner = [(size - part) // 2 for size, part in zip(x.shape[1:-1], self.to, strict=True)]
        window = [slice(first, first + part) for first, part in zip(corner, self.to, strict=True)]
        return f.slice(x, [*window, slice(None)])


def _exceeds(part: int, dim: Dim) -> bool:
    return dim is not None and part > dim


@choice(DATA, "pad", example="pad 2")
class Pad(Step):
    """Zeros on each side: MNIST's 28x28 becomes LeNet's 32x32 with `pad 2`."""

    moves = True
    size: ClassVar[tuple[str, ...]] = ("by",)
    repeatable = True

    by: tuple[int, ...] = param(Sizes(), "rows and columns on each side")

    def shape(self, image: Shape) -> Shape:
        sides = zip(self.by, image, strict=False)
        return (*(None if dim is None else dim + 2 * part for part, dim in sides), image[-1])

    def compute(self, f: Primitives, x: Tensor, w: Weighted) -> Tensor:
        return f.pad(x, [*((part, part) for part in self.by), (0, 0)])


@choice(DATA, "channels", example="channels 3")
class Channels(Step):
    """Colour to grey, grey to three equal channels, or red, green and blue in the order of Caffe and OpenCV."""

    positional: ClassVar[tuple[str, ...]] = ("count",)

    count: int = param(Int(min=1, max=4), "1 is grey, 3 is red, green and blue, 4 has opacity too")
    order: str = param(Choice(("rgb", "bgr")), "which colour comes first", "rgb")

    def validate(self) -> None:
        if self.order == "bgr" and self.count < 3:
            raise Refused(
                "NET407",
                f"`bgr` is an order of three colours, and `channels {self.count}` makes grey",
                param="order",
                help=("write `channels 3 bgr`, or leave `bgr` out",),
            )

    def shape(self, image: Shape) -> Shape:
        return (*image[:-1], self.count)

    def compute(self, f: Primitives, x: Tensor, w: Weighted) -> Tensor:
        """Grey is the luma of ITU-R BT.601; opacity is dropped, and complete where it is added."""
        before = x.shape[-1]
        if self.count < 3:
            colour = f.sum(f.gather(x, (0, 1, 2)) * _array(LUMA), [-1], keep=True) if before > 2 else f.gather(x, (0,))
        else:
            order = (0, 1, 2) if before > 2 else (0, 0, 0)
            colour = f.gather(x, order[::-1] if self.order == "bgr" else order)
        if self.count in (1, 3):
            return colour
        return f.concat([colour, f.gather(x, (before - 1,)) if before in (2, 4) else f.gather(x, (0,)) * 0.0 + 1.0])


@record
class _Statistic(Step):
    """A step that needs a statistic of the training images, or one number a channel."""

    positional: ClassVar[tuple[str, ...]] = ("values",)

    how: str = param(HOW, "over what it is taken", "per_channel")
    values: tuple[float, ...] = param(Real(), "given values, one or one a channel", (), many=True)

    def validate(self) -> None:
        if self.values and self.how != "per_channel":
            raise Refused("NET407", f"given values are per channel, `{self.how}` is computed", param="how")

    def shape(self, image: Shape) -> Shape:
        channels = image[-1]
        if len(self.values) > 1 and channels is not None and channels != len(self.values):
            raise Refused(
                "NET406",
                f"got {len(self.values)} values for images of {channels} channels",
                param="values",
                help=(f"write one value, or {channels}, or `{self.name} per_channel` to have them computed",),
            )
        return image

    def array(self, w: Weighted) -> Any:
        """The numbers that are subtracted or divided by: as given, or the statistic."""
        return _array(self.values) if self.values else w[self.name]


def _array(values: tuple[float, ...]) -> Any:
    import numpy  # noqa: PLC0415 - checks need none

    return numpy.asarray(values, numpy.float32)


@choice(DATA, "center", example="center per_channel")
class Center(_Statistic):
    """Subtract the mean: of the training set a channel, a pixel or overall, of each image itself, or as given."""

    def compute(self, f: Primitives, x: Tensor, w: Weighted) -> Tensor:
        return x - (f.mean(x, (1, 2, 3), keep=True) if self.how == "samplewise" else self.array(w))


@choice(DATA, "scale", example="scale per_channel")
class Scale(_Statistic):
    """Divide by the standard deviation: of the training set, of each image itself, or as given."""

    values: tuple[float, ...] = param(POSITIVE, "divisors, one or one a channel", (), many=True)

    def compute(self, f: Primitives, x: Tensor, w: Weighted) -> Tensor:
        if self.how != "samplewise":
            return x / self.array(w)
        centred = x - f.mean(x, (1, 2, 3), keep=True)
        deviation = f.sqrt(f.mean(centred * centred, (1, 2, 3), keep=True))
        return x / f.where(deviation > SMALLEST, deviation, 1.0)


@choice(DATA, "zca", example="zca epsilon=0.1")
class ZCA(Step):
    """Whiten: make pixels uncorrelated and of variance 1, staying near the image (Krizhevsky 2009, appendix A)."""

    epsilon: float = param(POSITIVE, "added to the variances", 1e-6)

    def shape(self, image: Shape) -> Shape:
        size = elements(image)
        if size is not None and size > WHITENED:
            raise Refused(
                "NET406",
                f"`zca` of {show_shape(image)} images needs a matrix of {size:,} x {size:,} numbers",
                help=(f"`resize` them first: an image may have {WHITENED:,} numbers, such as 52x52x3",),
            )
        return image

    def compute(self, f: Primitives, x: Tensor, w: Weighted) -> Tensor:
        return f.reshape(f.matmul(f.flatten(x - w["zca_mean"]), w["zca"]), x.shape[1:])


@choice(DATA, "flip", example="flip horizontal")
class Flip(Step):
    """Mirror at random; `both` decides on each direction by itself."""

    moves = True
    random = True
    repeatable = True

    direction: str = param(Choice(("horizontal", "vertical", "both")), "which way", "horizontal")
    p: float = param(CHANCE, "how probable", 0.5)


@choice(DATA, "rotate", example="rotate 20")
class Rotate(Step):
    """Turn by a random angle."""

    moves = True
    positional: ClassVar[tuple[str, ...]] = ("angle",)
    random = True

    angle: float = param(Real(min=0, max=180, open=("min",)), "largest angle either way, in degrees", 20.0)
    p: float = param(CHANCE, "how probable", 0.5)


@choice(DATA, "shift", example="shift 0.1")
class Shift(Step):
    """Move by a random share of the size, zeros coming in."""

    moves = True
    positional: ClassVar[tuple[str, ...]] = ("share",)
    random = True

    share: float = param(Real(min=0, max=1, open=("min",)), "largest shift either way, as a share of the size", 0.1)
    p: float = param(CHANCE, "how probable", 0.5)


@choice(DATA, "blur", example="blur 2")
class Blur(Step):
    """Gaussian blur of a random width."""

    positional: ClassVar[tuple[str, ...]] = ("sigma",)
    random = True

    sigma: float = param(POSITIVE, "largest standard deviation, in pixels", 5.0)
    p: float = param(CHANCE, "how probable", 0.5)


@choice(DATA, "jitter", example="jitter brightness=0.2 contrast=0.2")
class Jitter(Step):
    """Random changes of colour, each up to a share."""

    random = True

    brightness: float = param(STRENGTH, "largest change of brightness", 0.0)
    contrast: float = param(STRENGTH, "largest change of contrast", 0.0)
    saturation: float = param(STRENGTH, "largest change of saturation", 0.0)
    hue: float = param(Real(min=0, max=0.5), "largest turn of hue, in turns", 0.0)

    def validate(self) -> None:
        if not (self.brightness or self.contrast or self.saturation or self.hue):
            raise Refused(
                "NET106",
                "`jitter` changes nothing without a strength",
                help=("for example `jitter brightness=0.2 contrast=0.2`",),
            )

    def shape(self, image: Shape) -> Shape:
        if (self.saturation or self.hue) and image[-1] not in (3, None):
            raise Refused(
                "NET406",
                f"saturation and hue need images of 3 channels, these have {image[-1]}",
                param="saturation" if self.saturation else "hue",
                help=("keep brightness and contrast",),
            )
        return image


@choice(DATA, "cutout", example="cutout 16")
class Cutout(Step):
    """Zero a square at a random place (DeVries & Taylor 2017, arXiv:1708.04552)."""

    size: ClassVar[tuple[str, ...]] = ("hole",)
    random = True

    hole: tuple[int, ...] = param(Sizes(), "rows and columns")
    p: float = param(CHANCE, "how probable", 1.0)

    def shape(self, image: Shape) -> Shape:
        if any(_exceeds(part, dim) for part, dim in zip(self.hole, image, strict=False)):
            raise Refused(
                "NET406",
                f"a hole of {show_shape(self.hole)} is larger than its image, {show_shape(image[:-1])}",
                param="hole",
            )
        return image


@choice(DATA, "mixup", example="mixup 0.2")
class Mixup(Step):
    """Blend each image and its label with another's (Zhang et al. 2018, arXiv:1710.09412)."""

    positional: ClassVar[tuple[str, ...]] = ("alpha",)
    random = True

    alpha: float = param(POSITIVE, "both parameters of the beta distribution of the share", 0.2)
