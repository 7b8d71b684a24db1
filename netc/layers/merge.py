"""Combiners: several tensors into one."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from operator import add, mul
from typing import TYPE_CHECKING, ClassVar

from netc.ir.shape import Shape, channels_of, rank_of, show_shape
from netc.layers.base import Layer, operation
from netc.params import Refused

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
            return ("a `gap keep` keeps the spatial dimensions, with size 1",) if self.op == "mul" else ()
        points = [shape for shape in inputs if all(size == 1 for size in shape[:-1])]
        if points and len(points) < len(inputs):
            whole = next(shape for shape in inputs if shape not in points)
            if self.op == "mul":
                return (f"one factor a channel has as many channels: `conv {channels_of(whole)}x1` before it",)
            point, size = show_shape(points[0]), show_shape(whole[:-1])
            return (f"{point} is one value a channel: `mul` takes it as a factor, `upsample {size}` makes it as large",)
        if joined([shape[:-1] for shape in inputs]) is None:
            return ("the branches shrink the input by different factors: compare their strides and paddings",)
        return (f"a `conv {channels_of(inputs[-1])}x1` brings the shortcut to the same channels",)


@operation("add", family="merge")
class Add(Combiner):
    """Sum, element by element. All operands have one shape: nothing is broadcast."""

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
class Multiply(Combiner):
    """Product, element by element. An operand with spatial sizes of 1 is one factor a channel, as in
    squeeze-and-excitation (Hu et al. 2018, arXiv:1709.01507)."""

    symbol = "×"
    commutative = True
    example = "mul {\n    | identity\n    | gap keep; conv 4x1 relu; conv 16x1 sigmoid\n}"

    def infer(self, inputs: Sequence[Shape]) -> Shape:
        maps = [shape for shape in inputs if not self._is_factor(shape)]
        factors = [shape for shape in inputs if self._is_factor(shape)]
        fits = maps and all(rank_of(factor) == rank_of(maps[0]) and factor[-1] == maps[0][-1] for factor in factors)
        return super().infer(maps if fits and joined(maps) else inputs)

    @staticmethod
    def _is_factor(shape: Shape) -> bool:
        return rank_of(shape) > 0 and all(size == 1 for size in shape[:-1])

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
    """The channels of all operands, in order. All other sizes are equal."""

    transparent = True
    stacks = True
    example = "concat {\n    | conv 16x1 relu\n    | conv 8x1 relu; conv 16x3 relu\n}"

    def infer(self, inputs: Sequence[Shape]) -> Shape:
        space = joined([shape[:-1] for shape in inputs])
        if space is None:
            raise Refused(
                "NET201",
                f"`concat` needs operands whose sizes are equal except for the channels, got {_listed(inputs)}",
                help=self._help(inputs),
            )
        return (*space, sum(map(channels_of, inputs)))

    def compute(self, f: Primitives, xs: Tensors, w: Weighted) -> Tensor:
        return f.concat(xs)
