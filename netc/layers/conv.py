"""Convolutions: plain, depthwise, separable, transposed."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import TYPE_CHECKING, Any, ClassVar

from netc.ir.shape import Shape, channels_of, elements
from netc.ir.window import Window, cropping, transposed_size
from netc.layers.activation import finished
from netc.layers.base import Layer, Weight, declaration, operation
from netc.layers.kernel_norm import NormedKernel
from netc.layers.kinds import (
    Activation,
    Initializer,
    Padding,
    Sized,
)
from netc.layers.sliding import (
    padding,
    slide,
    slide_windows,
    spatial_rank,
    spread,
    too_many_dimensions,
)
from netc.params import Bool, Choice, Int, Real, Refused, Sizes, param
from netc.values import show

if TYPE_CHECKING:
    from netc.primitives import Primitives, Tensor, Tensors, Weighted


@declaration
class Convolution(Layer):
    """What all convolutions have."""

    trailing: ClassVar[bool] = True
    weighted: ClassVar[bool] = True
    slides: ClassVar[bool] = True
    mark: ClassVar[str | None] = ""
    most: ClassVar[int] = 3  # spatial dimensions
    too_many: ClassVar[str] = ""  # help for an input with more

    kernel: Sized = param(Sizes(), "size of the window")
    stride: Sized = param(Sizes(), "step between windows", 1)
    dilation: Sized = param(Sizes(), "step between the taps of a window", 1)
    pad: str | Sized = param(
        Padding(), "zeros around the input, or none (`valid`); `same` puts an odd one at the end", "same"
    )
    bias: bool = param(Bool(), "whether a bias is added; not with a `bn` as a word after", True)
    act: str = param(Activation(), "activation of the output", "linear")
    init: str | float = param(Initializer(), "initial weights", "glorot_uniform")
    bias_init: str | float = param(Initializer("a constant", vector=True), "initial biases", "zeros")
    l1: float | None = param(Real(min=0), "adds l1 * sum(|w|) to the loss", None)
    l2: float | None = param(Real(min=0), "adds l2 / 2 * sum(w ** 2) to the loss, in place of `weight_decay`", None)

    def validate(self, rank: int | None) -> None:
        if rank is not None and rank > self.most:
            raise too_many_dimensions(self.op, rank, self.most, self.too_many)
        if self.pad == "causal" and rank is not None and rank > 1:
            raise Refused(
                "NET202",
                f"`pad=causal` needs one spatial dimension, time, and the input has {rank}",
                param="pad",
                help=("`pad=same` looks both ways",),
            )

    def infer(self, inputs: Sequence[Shape]) -> Shape:
        shape = inputs[0]
        self.validate(spatial_rank(self.op, shape, self.most, self.too_many))
        return (*slide(self.op, shape, self.kernel, self.stride, self.dilation, self.pad), self._channels(shape))

    def _channels(self, shape: Shape) -> int:
        """Channels of the output."""
        raise NotImplementedError

    def windows(self, inputs: Sequence[Shape]) -> tuple[Window, ...] | None:
        return slide_windows(inputs[0], self.kernel, self.stride, self.dilation, self.pad)

    def macs(self, inputs: Sequence[Shape], output: Shape) -> int | None:
        positions = elements(output[:-1])
        weights = sum(weight.count for weight in self.weights(inputs) if weight.terms)
        return None if positions is None else positions * weights

    def weights(self, inputs: Sequence[Shape]) -> tuple[Weight, ...]:
        shape = inputs[0]
        kernels = self._weights(spread(self.kernel, len(shape) - 1), channels_of(shape))
        return (*kernels, Weight("bias", (self._channels(shape),))) if self.bias else kernels

    def _weights(self, kernel: tuple[int, ...], channels: int) -> tuple[Weight, ...]:
        """Weights without the bias."""
        raise NotImplementedError

    def compute(self, f: Primitives, xs: Tensors, w: Weighted) -> Tensor:
        return finished(f, self._convolved(f, xs[0], w), w, self.act)

    def _convolved(self, f: Primitives, x: Tensor, w: Weighted) -> Tensor:
        """The sums of products, without bias and activation."""
        raise NotImplementedError

    def _slid(self, f: Primitives, x: Tensor, kernel: Any, groups: int) -> Tensor:
        """A convolution in the layer's windows."""
        rank = len(x.shape) - 2
        stride, dilation = spread(self.stride, rank), spread(self.dilation, rank)
        return f.conv(x, kernel, stride, dilation, padding(self.pad, self.kernel, self.dilation, rank), groups)


@operation("conv", family="conv")
class Conv(NormedKernel, Convolution):
    """Convolution: each filter slides over the input and sums up all channels of its group.

    `groups` cuts channels and filters into groups that do not see each other (Krizhevsky et al. 2012). The
    arithmetic of windows, strides and padding is that of Dumoulin & Visin 2016 (arXiv:1603.07285).

    `same` pads as little as the output of ceil(size / stride) needs, half on each side and an odd pixel at the end, at
    the bottom and the right. With a stride that depends on the size: `conv 64x7/2` on 224 pads 2 and 3, where `pad=3`,
    the padding of Caffe and PyTorch, pads 3 and 3 and gives the same shape.

    `norm=spectral` divides the kernel by its largest singular value (Miyato et al. 2018, arXiv:1802.05957),
    `norm=weight` gives each filter a learnt length (Salimans & Kingma 2016, arXiv:1602.07868).
    """

    size = ("filters", "kernel", "stride")
    example = "conv 64x3/2 bn relu"

    filters: int = param(Int(min=1), "number of filters, the channels of the output")
    groups: int = param(Int(min=1), "groups of channels that are convolved apart", 1)

    def validate(self, rank: int | None) -> None:
        super().validate(rank)
        _refuse_stride_and_dilation(self.op, self.stride, self.dilation, rank)
        _divide(self.filters, self.groups, f"`{self.op}` has {self.filters} filters")

    def infer(self, inputs: Sequence[Shape]) -> Shape:
        shape = super().infer(inputs)
        channels = channels_of(inputs[0])
        _divide(channels, self.groups, f"the input has {channels} channels")
        return shape

    def apart(self, inputs: Sequence[Shape]) -> int:
        return self.groups

    def _channels(self, shape: Shape) -> int:
        return self.filters

    def _weights(self, kernel: tuple[int, ...], channels: int) -> tuple[Weight, ...]:
        seen = (*kernel, channels // self.groups)
        dense = ((channels, self.filters),) if prod(kernel) == self.groups == 1 else ()
        return self.normed_weights(Weight("kernel", (*seen, self.filters), terms=prod(seen), also=dense))

    def _convolved(self, f: Primitives, x: Tensor, w: Weighted) -> Tensor:
        return self._slid(f, x, self.normed_kernel(w), self.groups)


@declaration
class Depthwise(Convolution):
    """What the convolutions have that treat each channel by itself."""

    shown = ("multiplier",)
    most = 2
    too_many = "Keras has no three-dimensional one; `conv` with `groups=(channels)` does the same as a `dwconv`"

    multiplier: int = param(Int(min=1), "outputs of each input channel's own convolution", 1)

    def validate(self, rank: int | None) -> None:
        super().validate(rank)
        stride = spread(self.stride, rank or 1)
        if len(set(stride)) > 1:
            raise Refused(
                "NET210",
                f"`{self.op}` has strides {show(stride)}: TensorFlow's own CPU kernels need equal ones",
                param="stride",
                help=(f"stride by 1 and put `subsample {show(stride)}` after, or use `conv` with groups",),
            )

    def _each_channel(self, f: Primitives, x: Tensor, kernel: Any) -> Tensor:
        """Each channel in the layer's windows, by its own part of a weight of window x channels x multiplier."""
        channels = x.shape[-1]
        grouped = kernel.reshape((*kernel.shape[:-2], 1, channels * self.multiplier))
        return self._slid(f, x, grouped, channels)


@operation("dwconv", family="conv")
class DepthwiseConv(Depthwise):
    """Depthwise convolution: each channel is convolved by itself (Howard et al. 2017, arXiv:1704.04861)."""

    mark = "dw "
    paper = "dw conv"
    size = ("kernel", "stride")
    example = "dwconv 3/2 bn relu6"

    def apart(self, inputs: Sequence[Shape]) -> int:
        return channels_of(inputs[0])

    def _channels(self, shape: Shape) -> int:
        return channels_of(shape) * self.multiplier

    def _weights(self, kernel: tuple[int, ...], channels: int) -> tuple[Weight, ...]:
        grouped = (*kernel, 1, channels * self.multiplier)
        return (Weight("kernel", (*kernel, channels, self.multiplier), terms=prod(kernel), also=(grouped,)),)

    def _convolved(self, f: Primitives, x: Tensor, w: Weighted) -> Tensor:
        return self._each_channel(f, x, w["kernel"])


@operation("sepconv", family="conv")
class SeparableConv(Depthwise):
    """Depthwise convolution, then a 1x1 convolution across the channels (Chollet 2017, arXiv:1610.02357)."""

    mark = "sep "
    paper = "sep conv"
    size = ("filters", "kernel", "stride")
    example = "sepconv 64x3 bn relu"

    filters: int = param(Int(min=1), "number of filters of the 1x1 convolution, the channels of the output")

    def _channels(self, shape: Shape) -> int:
        return self.filters

    def _weights(self, kernel: tuple[int, ...], channels: int) -> tuple[Weight, ...]:
        ones, deep = (1,) * len(kernel), channels * self.multiplier
        return (
            Weight("depthwise_kernel", (*kernel, channels, self.multiplier), terms=prod(kernel)),
            Weight("pointwise_kernel", (*ones, deep, self.filters), terms=deep),
        )

    def _convolved(self, f: Primitives, x: Tensor, w: Weighted) -> Tensor:
        once = (1,) * (len(x.shape) - 2)
        deep = self._each_channel(f, x, w["depthwise_kernel"])
        return f.conv(deep, w["pointwise_kernel"], once, once, [(0, 0)] * len(once))


# What the words of its padding do.
CROPPINGS = {
    "same": "crops the output to `stride` times the size of the input",
    "valid": "keeps everything that a window reaches",
}


@operation("deconv", family="conv")
class TransposedConv(NormedKernel, Convolution):
    """Transposed convolution: upsamples by its stride, the gradient of a convolution (Zeiler et al. 2010).

    `same` makes the input `stride` times as large, cropping half of the rest on each side and an odd pixel at the end;
    `valid` keeps everything that a window reaches. `norm=` is as for `conv`.
    """

    mark = "up "
    enlarges = True
    output_axis = -2
    size = ("filters", "kernel", "stride")
    example = "deconv 32x4/2 relu"

    filters: int = param(Int(min=1), "number of filters, the channels of the output")
    pad: str = param(Choice(("same", "valid"), CROPPINGS), "`same` crops the output to a multiple of the input", "same")

    def validate(self, rank: int | None) -> None:
        super().validate(rank)
        _refuse_stride_and_dilation(self.op, self.stride, self.dilation, rank)

    def infer(self, inputs: Sequence[Shape]) -> Shape:
        shape = inputs[0]
        rank = spatial_rank(self.op, shape)
        self.validate(rank)
        steps = (spread(value, rank) for value in (self.kernel, self.stride, self.dilation))
        return (*map(transposed_size, shape[:-1], *steps, [self.pad] * rank), self.filters)

    def _channels(self, shape: Shape) -> int:
        return self.filters

    def _weights(self, kernel: tuple[int, ...], channels: int) -> tuple[Weight, ...]:
        terms = max(prod(kernel) // prod(spread(self.stride, len(kernel))), 1) * channels
        return self.normed_weights(Weight("kernel", (*kernel, self.filters, channels), terms=terms))

    def _convolved(self, f: Primitives, x: Tensor, w: Weighted) -> Tensor:
        kernel, stride, dilation = (spread(v, len(x.shape) - 2) for v in (self.kernel, self.stride, self.dilation))
        steps = list(zip(kernel, stride, dilation, strict=True))
        cut = [self._cropped(*each) for each in steps]
        more = [max(step - ((taps - 1) * gap + 1), 0) for taps, step, gap in steps]  # positions that no window reaches
        return f.conv_transpose(x, self.normed_kernel(w), stride, dilation, cut, more)

    def macs(self, inputs: Sequence[Shape], output: Shape) -> int | None:
        return super().macs(inputs, inputs[0])  # each input position meets each weight once

    def windows(self, inputs: Sequence[Shape]) -> tuple[Window, ...] | None:
        rank = len(inputs[0]) - 1
        steps = zip(*(spread(value, rank) for value in (self.kernel, self.stride, self.dilation)), strict=True)
        return tuple(self._window(*each) for each in steps)

    def _window(self, kernel: int, stride: int, dilation: int) -> Window:
        extent = (kernel - 1) * dilation + 1
        before, after = (extent - 1 - sides for sides in self._cropped(kernel, stride, dilation))
        return Window(kernel, 1, dilation, before, after, up=stride)

    def _cropped(self, kernel: int, stride: int, dilation: int) -> tuple[int, int]:
        """Pixels that are taken off each side of one dimension."""
        return cropping(kernel, stride, dilation) if self.pad == "same" else (0, 0)


def _refuse_stride_and_dilation(op: str, stride: Sized, dilation: Sized, rank: int | None) -> None:
    strides, dilations = spread(stride, rank or 1), spread(dilation, rank or 1)
    if max(strides) > 1 and max(dilations) > 1:
        raise Refused(
            "NET207",
            f"`{op}` has stride {show(_short(strides))} and dilation {show(_short(dilations))}: "
            "Keras takes one of the two above 1",
            param="dilation",
            help=(f"leave the stride at 1 and put `subsample {show(_short(strides))}` after",) * (op == "conv"),
        )


def _short(sizes: tuple[int, ...]) -> int | tuple[int, ...]:
    return sizes[0] if len(set(sizes)) == 1 else sizes


def _divide(count: int, groups: int, what: str) -> None:
    if count % groups:
        near = [number for number in range(1, min(count, 256) + 1) if count % number == 0]
        raise Refused(
            "NET203",
            f"{what}, which {groups} groups do not divide",
            param="groups",
            help=(f"{count} is divided by " + ", ".join(map(str, near)),),
        )
