"""Window arithmetic: what a sliding window makes of a size, and what of its input it reads.

One set of functions for convolutions, pools and everything else that slides.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import gcd

from netc.ir.shape import Dim

Padding = str | tuple[tuple[int, int], ...]  # "same", "valid", "causal", or (before, after) of each dimension


@dataclass(frozen=True, slots=True)
class Window:
    """A window along one dimension: taps, step between windows, step between taps, padding on each side.

    With `up` above 1 the input is first spread out, `up` - 1 positions of nothing after each pixel, and all the
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

    def beyond(self, size: int, count: int) -> int:
        """How many pixels after the end of a dimension the last of so many windows reads; below 0, how many before the
        end it leaves."""
        return (count - 1) * self.stride + self.extent - self.before - size

    def stands_as(self, other: Window, size: Dim) -> bool:
        """Whether the windows of one size, stride and dilation read the same with either padding: what none of them
        reads after the end does not count. Of an open size, whatever it is."""
        if self == other or size is None:
            return self == other
        made = [output_size(size, one.size, one.stride, one.dilation, (one.before, one.after)) for one in (self, other)]
        return self.before == other.before and made[0] == made[1]


def repeating(factor: int) -> Window:
    """The window that repeats each pixel: nearest-neighbour upsampling."""
    return Window(factor, before=factor - 1, after=factor - 1, up=factor)


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
    total = max(Window(window, stride, dilation).beyond(size, -(-size // stride)), 0)
    return total // 2, total - total // 2


def known_same_padding(size: Dim, window: int, stride: int, dilation: int) -> tuple[int, int] | None:
    """As `same_padding`, also of an open size; None where it depends on that."""
    if size is None and stride > 1 and window > 1:
        return None
    return same_padding(Window(window, dilation=dilation).extent if size is None else size, window, stride, dilation)


def cropping(window: int, stride: int, dilation: int = 1) -> tuple[int, int]:
    """The pixels that `same` takes off a transposed convolution, before and after: all beyond size*stride, the odd one
    after."""
    return same_padding(stride, window, stride, dilation)


def transposed_size(size: Dim, window: int, stride: int, dilation: int, padding: str) -> Dim:
    """Output size of a transposed convolution in Keras: size*stride for `same`, else the full overlap."""
    if size is None:
        return None
    if padding == "same":
        return size * stride
    return size * stride + max((window - 1) * dilation + 1 - stride, 0)


MANY_TAPS = 10_000


def skips(window: Window) -> bool:
    """Whether pixels lie between the taps that no window reads, wherever it stands."""
    return _classes(window) < window.stride


def read_share(size: Dim, window: Window) -> float:
    """Share of a dimension's pixels that at least one window reads.

    Exact where the size is known, but for windows of very many dilated taps; without the borders where it is not.
    """
    count = 0 if size is None else (size + window.before + window.after - window.extent) // window.stride + 1
    if size is None or (window.dilation > 1 and _classes(window) > MANY_TAPS):
        return min(_classes(window) / window.stride, 1.0)
    if count < 1:
        return 0.0
    if window.dilation == 1:
        return _covered(size, -window.before, window.size, window.stride, count) / size
    return sum(_read_in_class(size, window, count, tap) for tap in range(_classes(window))) / size


def _classes(window: Window) -> int:
    """How many of the classes of pixels modulo the stride the taps fall into."""
    return min(window.size, window.stride // gcd(window.stride, window.dilation))


def _read_in_class(size: int, window: Window, count: int, tap: int) -> int:
    """Pixels read by a tap, and by the later ones that fall into the same class modulo the stride.

    Numbered within the class, each tap reads a run of `count` pixels.
    """
    stride, common = window.stride, gcd(window.stride, window.dilation)
    start, offset = divmod(tap * window.dilation - window.before, stride)
    taps = -(-(window.size - tap) // (stride // common))
    return _covered(-(-(size - offset) // stride), start, count, window.dilation // common, taps)


def _covered(size: int, start: int, length: int, step: int, count: int) -> int:
    """Positions from 0 to `size` - 1 in `count` runs of `length`, the first at `start` and then every `step`."""
    if length >= step:
        return max(min(start + (count - 1) * step + length, size) - max(start, 0), 0)

    def before(position: int) -> int:
        passed = min(max(position - start, 0), count * step)
        return passed // step * length + min(passed % step, length)

    return before(max(size, 0)) - before(0)
