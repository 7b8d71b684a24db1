"""Combiners: several tensors into one."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from operator import add, mul
from typing import TYPE_CHECKING, ClassVar

from netc.ir.shape import Shape, axes_of, channels_of, is_pixel, rank_of, show_shape
from netc.ir.window import Window
from netc.layers.base import Layer, operation
from netc.params import Choice, Refused, param

if TYPE_CHECKING:
    from netc.primitives import Primitives, Tensor, Tensors, Weighted


def joined(shapes: Sequence[Shape]) -> Shape | None:
    """The one shape that all could be, a size unknown where one of them is; None if they differ."""
    if len({len(shape) for shape in shapes}) > 1:
        return None
    columns = [set(column) for column in zip(*shapes, strict=True)]
    if any(len(column - {None}) > 1 for column in columns):
        return None
    return tuple(None if None in column else column.pop() for column in columns)


def _listed(shapes: Sequence[Shape]) -> str:
    shown = [show_shape(shape) for shape in shapes]
    return ", ".join(shown[:-1]) + " and " + shown[-1]


class Combiner(Layer):
    """Element by element over operands of one shape."""

    beside: ClassVar[bool] = True
    listed: ClassVar[bool] = True
    operands: ClassVar[tuple[int, int | None]] = (2, None)

    def infer(self, inputs: Sequence[Shape]) -> Shape:
        shape = joined(inputs)
        if shape is None:
            raise Refused(
                "NET201",
                f"`{self.op}` needs operands of one shape, got {_listed(inputs)}",
                help=self._help(inputs),
            )
        return shape

    def _help(self, inputs: Sequence[Shape]) -> tuple[str, ...]:
        if len({len(shape) for shape in inputs}) > 1:
            return ("a `gap keep` keeps the spatial dimensions, with size 1",) if isinstance(self, Gated) else ()
        points = [shape for shape in inputs if is_pixel(shape)]
        if points and len(points) < len(inputs):
            whole = next(shape for shape in inputs if shape not in points)
            if isinstance(self, Gated):
                return (f"one value a channel needs as many channels: `conv {channels_of(whole)}x1` before it",)
            point, size = show_shape(points[0]), show_shape(whole[:-1])
            return (f"{point} is one value a channel: `mul` and `add` take it, `upsample {size}` makes it as large",)
        if joined([shape[:-1] for shape in inputs]) is None:
            return ("the branches shrink the input by different factors: compare their strides and paddings",)
        return (f"a `conv {channels_of(inputs[-1])}x1` brings the shortcut to the same channels",)


class Gated(Combiner):
    """Element by element over operands of one shape, beside which others may be gates: one value for each channel
    (1x1xC, as `gap keep` makes it) or one for each position (HxWx1)."""

    def infer(self, inputs: Sequence[Shape]) -> Shape:
        return super().infer(self._full(inputs) or inputs)

    @staticmethod
    def _full(inputs: Sequence[Shape]) -> Sequence[Shape]:
        """The operands that are no gates; none where not all others are gates beside these."""
        if len(set(map(rank_of, inputs))) > 1 or not rank_of(inputs[0]):
            return ()
        channels = max(map(channels_of, inputs))
        wide = [shape for shape in inputs if shape[-1] == channels]
        full = [shape for shape in wide if not is_pixel(shape)] or wide
        space = joined([shape[:-1] for shape in full])
        fit = space is not None and all(
            (shape[-1] == channels and joined([shape[:-1], space]) is not None) or _is_gate(shape, space, channels)
            for shape in inputs
        )
        return full if fit else ()


def _is_gate(shape: Shape, space: Shape, channels: int) -> bool:
    if is_pixel(shape) and shape[-1] == channels:
        return True
    return shape[-1] == 1 and joined([shape[:-1], space]) is not None


@operation("add", family="merge")
class Add(Gated):
    """Sum, element by element. Operands have one shape; beside a map, one may have one value a channel (1x1xC) or a
    position (HxWx1). Nothing else is broadcast."""

    symbol = "+"
    commutative = True
    sums = True
    residual = True
    example = "add {\n    | identity\n    | conv 16x3 relu\n}"

    def compute(self, f: Primitives, xs: Tensors, w: Weighted) -> Tensor:
        return reduce(add, xs)


@operation("sub", family="merge")
class Subtract(Combiner):
    """The first operand minus the second."""

    symbol = "−"
    sums = True
    operands = (2, 2)
    example = "sub {\n    | identity\n    | avgpool 3/1\n}"

    def compute(self, f: Primitives, xs: Tensors, w: Weighted) -> Tensor:
        return xs[0] - xs[1]


@operation("mul", family="merge")
class Multiply(Gated):
    """Product, element by element. Beside a map, an operand may have one factor a channel (1x1xC), as in
    squeeze-and-excitation (Hu et al. 2018, arXiv:1709.01507), or a position (HxWx1), as in CBAM (Woo et al. 2018,
    arXiv:1807.06521)."""

    symbol = "×"
    commutative = True
    example = "mul {\n    | identity\n    | gap keep; conv 4x1 relu; conv 16x1 sigmoid\n}"

    def compute(self, f: Primitives, xs: Tensors, w: Weighted) -> Tensor:
        return reduce(mul, xs)


@operation("max", family="merge")
class Maximum(Combiner):
    """Maximum, element by element (maxout: Goodfellow et al. 2013, arXiv:1302.4389)."""

    commutative = True
    transparent = True
    example = "max {\n    | conv 16x3\n    | conv 16x3\n}"

    def compute(self, f: Primitives, xs: Tensors, w: Weighted) -> Tensor:
        return reduce(f.maximum, xs)


@operation("avg", family="merge")
class Average(Combiner):
    """Mean, element by element."""

    commutative = True
    sums = True
    transparent = True
    example = "avg {\n    | conv 16x3 relu\n    | conv 16x5 relu\n}"

    def compute(self, f: Primitives, xs: Tensors, w: Weighted) -> Tensor:
        return reduce(add, xs) * (1 / len(xs))


@operation("concat", family="merge")
class Concatenate(Combiner):
    """The channels of all operands, in order, or with `over=` their positions.

    `concat over=rows` sets them one below the other, as SSD joins its boxes (Liu et al. 2016, arXiv:1512.02325). All
    other sizes are equal. One dimension has `rows`; two have `rows` and `columns`, three `frames`, `rows`, `columns`.
    """

    transparent = True
    shown = ("over",)
    example = "concat {\n    | conv 16x1 relu\n    | conv 8x1 relu; conv 16x3 relu\n}"

    over: str = param(
        Choice(("channels", "rows", "columns", "frames")),
        "the axis along which operands are joined",
        "channels",
        keyed=True,
    )

    @property
    def stacks(self) -> bool:
        return self.over == "channels"

    def axis(self, shape: Shape) -> int:
        """The axis along which operands are joined, without the batch."""
        axes, rank = axes_of(shape), rank_of(shape)
        if self.over not in axes:
            raise Refused(
                "NET202",
                f"`concat over={self.over}`: operands with {rank or 'no'} spatial dimension{'s' * (rank != 1)} "
                f"have no {self.over}",
                param="over",
                help=(f"they have {' and '.join(axes)}",),
            )
        return axes.index(self.over)

    def infer(self, inputs: Sequence[Shape]) -> Shape:
        axis = self.axis(inputs[0])
        one_rank = len({len(shape) for shape in inputs}) == 1
        others = joined([(*shape[:axis], *shape[axis + 1 :]) for shape in inputs]) if one_rank else None
        if others is None:
            raise Refused(
                "NET201",
                f"`concat` needs operands whose sizes are equal except for the {self.over}, got {_listed(inputs)}",
                help=self._help(inputs) if self.stacks else (),
            )
        along = [shape[axis] for shape in inputs]
        known = [size for size in along if size is not None]
        return (*others[:axis], sum(known) if len(known) == len(along) else None, *others[axis:])

    def windows(self, inputs: Sequence[Shape]) -> tuple[Window, ...] | None:
        if self.stacks:
            return ()
        along = zip(inputs[0][:-1], self.infer(inputs)[:-1], strict=True)
        return tuple(Window(1, after=0 if size is None or made is None else made - size) for size, made in along)

    def rearranges(self, inputs: Sequence[Shape]) -> bool:
        return not self.stacks

    def compute(self, f: Primitives, xs: Tensors, w: Weighted) -> Tensor:
        return f.concat(xs, 1 + self.axis(xs[0].shape[1:]))
