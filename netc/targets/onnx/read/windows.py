"""Windows of convolutions and pools: the pixels around their input, as netc says them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from netc.ir.shape import Dim
from netc.ir.window import Window, known_same_padding, same_padding
from netc.lift.source import Unsaid
from netc.targets.onnx.read.graph import Op

LARGEST = 1 << 31

Pairs = list[tuple[int, int]]


@dataclass(slots=True)
class Windows:
    """The windows of a node, along each axis of positions."""

    sizes: Sequence[Dim]
    kernel: tuple[int, ...]
    stride: tuple[int, ...]
    dilation: tuple[int, ...]
    pads: Pairs | None  # None: as many as give size / stride, an odd one at the end, whatever the size

    @property
    def pad(self) -> str | tuple[int, ...] | None:
        """The value of `pad`: `same` where it gives these pixels, whatever the size is where it is open; None where one
        side has more than the other."""
        if self.pads is None:
            return "same"
        steps = zip(self.sizes, self.kernel, self.stride, self.dilation, strict=True)
        if [known_same_padding(*step) for step in steps] == list(self.pads):
            return "same"
        if not any(map(any, self.pads)):
            return "valid"
        return None if any(before != after for before, after in self.pads) else tuple(before for before, _ in self.pads)

    @property
    def causal(self) -> bool:
        """Whether they read nothing that comes later, along the only axis, and all that is before."""
        return len(self.kernel) == 1 and self.pads == [((self.kernel[0] - 1) * self.dilation[0], 0)]


def windows(op: Op, sizes: Sequence[Dim], kernel: Sequence[int] | None) -> Windows:
    """The windows of a convolution or a pool. Raises `Unsaid`."""
    rank = len(sizes)
    given = op.attr("kernel_shape", None if kernel is None else list(kernel))
    stride = op.attr("strides", [1] * rank)
    dilation = op.attr("dilations", [1] * rank)
    if given is None or not all(_fits(each, rank) for each in (given, stride, dilation)):
        raise Unsaid(f"its kernel_shape, strides or dilations are no {rank} numbers of at least 1")
    if kernel is not None and list(kernel) != given:
        raise Unsaid(f"its kernel_shape is {given}, and its kernel has {list(kernel)}")
    made = Windows(sizes, tuple(given), tuple(stride), tuple(dilation), [])
    made.pads = _pads(op, made)
    if op.flag("ceil_mode"):
        made.pads = _rounded_up(made)
    return made


def _fits(numbers: object, rank: int) -> bool:
    return (
        isinstance(numbers, list)
        and len(numbers) == rank
        and all(isinstance(one, int) and 1 <= one < LARGEST for one in numbers)
    )


def _pads(op: Op, made: Windows) -> Pairs | None:
    rank = len(made.sizes)
    mode = op.attr("auto_pad", "NOTSET")
    pads = op.attr("pads", [0] * 2 * rank)
    if mode == "VALID":
        return [(0, 0)] * rank
    if mode == "SAME_UPPER":
        return None
    if mode == "SAME_LOWER":
        if None in made.sizes and max(made.stride) > 1:
            raise Unsaid("its auto_pad is SAME_LOWER, and the size that it is for is open")
        steps = zip(made.sizes, made.kernel, made.stride, made.dilation, strict=True)
        return [same_padding(size or (taps - 1) * gap + 1, taps, step, gap)[::-1] for size, taps, step, gap in steps]
    if mode != "NOTSET":
        raise Unsaid(f"its auto_pad is {mode}")
    if len(pads) != 2 * rank or not all(isinstance(one, int) and 0 <= one < LARGEST for one in pads):
        raise Unsaid(f"its pads are {pads}, expected {2 * rank} of at least 0")
    return list(zip(pads[:rank], pads[rank:], strict=True))


def _rounded_up(made: Windows) -> Pairs | None:
    """The pads that make as many windows as rounding up does, of which none begins after the input."""
    if made.pads is None:
        return None
    found = []
    steps = zip(made.sizes, made.kernel, made.stride, made.dilation, made.pads, strict=True)
    for size, taps, step, gap, (before, after) in steps:
        if size is None:
            if step > 1:
                raise Unsaid("its ceil_mode rounds up a size that is open")
            found.append((before, after))
            continue
        window = Window(taps, step, gap, before, after)
        count = -(-(size + before + after - window.extent) // step) + 1
        if (count - 1) * step >= size + before:
            count -= 1
        found.append((before, max(after, window.beyond(size, count))))
    return found
