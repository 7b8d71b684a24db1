"""Window arithmetic: what a sliding window makes of a size, and what of its input it reads.

One set of functions for convolutions, pools and everything else that slides.
"""

from __future__ import annotations

from dataclasses import dataclass

from netc.ir.shape import Dim

Padding = str | tuple[tuple[int, int], ...]  # "same", "valid", "causal", or (before, after) of each dimension


@dataclass(frozen=True, slots=True)
class Window:
    """A window along one dimension: taps, step between windows, step between taps, padding on each side.

    With `up` above 1 the input is first spread out, `up` - 1 positions of nothing behind each pixel, and all the
    other fields count on that finer grid: a transposed convolution of stride s has `up` = s and `stride` = 1, the
    nearest-neighbour upsampling by s is such a one of size s, the bilinear one of size 2s - 1.
    """

    size: int
    stride: int = 1
    dilation: int = 1
    before: int = 0
    after: int = 0
    up: int = 1

    @property
    def extent(self) -> int:
        """Pixels from the first tap to the last, both included."""
        return (self.size - 1) * self.dilation + 1


def output_size(size: Dim, window: int, stride: int, dilation: int, padding: str | tuple[int, int]) -> Dim:
    """Output size along one dimension; zero or less when the window does not fit.

    `same` and `causal` give ceil(size / stride); `valid` and explicit padding count whole windows
    (Dumoulin & Visin 2016, arXiv:1603.07285, relationship 6).
    """
    if size is None:
        return None
    if padding in ("same", "causal"):
        return -(-size // stride)
    before, after = (0, 0) if isinstance(padding, str) else padding
    extent = (window - 1) * dilation + 1
    return (size + before + after - extent) // stride + 1


def same_padding(size: int, window: int, stride: int, dilation: int = 1) -> tuple[int, int]:
    """The zeros TensorFlow's `same` adds before and after: the odd one comes after."""
    extent = (window - 1) * dilation + 1
    total = max((-(-size // stride) - 1) * stride + extent - size, 0)
    return total // 2, total - total // 2


def transposed_size(size: Dim, window: int, stride: int, dilation: int, padding: str) -> Dim:
    """Output size of a transposed convolution in Keras: size*stride for `same`, else the full overlap."""
    if size is None:
        return None
    if padding == "same":
        return size * stride
    return size * stride + max((window - 1) * dilation + 1 - stride, 0)


def read_share(size: int, window: int, stride: int, dilation: int, padding: str | tuple[int, int]) -> float:
    """Share of a dimension's pixels that at least one window reads, by counting them."""
    count = output_size(size, window, stride, dilation, padding)
    if not count or count < 0:
        return 0.0
    if padding == "same":
        before = same_padding(size, window, stride, dilation)[0]
    elif padding == "causal":
        before = (window - 1) * dilation
    else:
        before = 0 if isinstance(padding, str) else padding[0]
    period = [0] * (size + 1)
    read = period  # one flag a pixel
    for index in range(count):
        start = index * stride - before
        for tap in range(start, start + window * dilation, dilation):
            if 0 <= tap < size:
                read[tap] = 1
    return sum(read) / size
