"""The functions of `netc.primitives` as nodes of ONNX.

A tensor carries the shape that the network knows, channels last, and `perm`: which of these axes each axis of the ONNX
value is. So a transposition is bookkeeping. Nodes appear only where an operation insists on an order: convolutions,
pools and `Resize` want channels first, `Reshape` and `LayerNormalization` want them last. A flattened tensor is not
flattened before it is read: a matrix product permutes the rows of its weight instead.

Weights and numbers are arrays, so what is computed of them alone is no node.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np

from netc.ir.resampling import TABLE, matrix, nearest
from netc.ir.window import output_size, same_padding
from netc.layers.activation import ELU, HardSiLU, LeakyReLU
from netc.targets.numpy.primitives import Numpy
from netc.targets.onnx.graph import Graph, Value

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from netc.ir.shape import Dim
    from netc.layers.base import Layer
    from netc.primitives import Pad, Sizes, Tensors, Weighted

    Array = NDArray[Any]
    Dims = tuple[Dim, ...]

FAR = np.iinfo(np.int64).max
GATES = {"lstm": [0, 3, 1, 2], "gru": [0, 1, 2], "rnn": [0]}  # where the gates of ONNX are among those of `recur`
FLOAT, INT64 = 1, 7  # numbers of types in ONNX


@dataclass(eq=False, slots=True)
class Tensor:
    """A value of the graph with the shape of the network: `perm[i]` is the axis of `shape` that its axis i is.

    With `unflattened` it stands for all elements of that one as a vector, and has no value of its own yet.
    """

    f: Onnx
    shape: Dims
    perm: tuple[int, ...]
    value: Value | None = None
    unflattened: Tensor | None = None

    __array_ufunc__ = None  # an array leaves arithmetic with it to the methods below

    def axis(self, axis: int) -> int:
        """Where an axis of `shape` is in the value."""
        return self.perm.index(axis % len(self.shape))

    def __add__(self, other: Any) -> Tensor:
        return self.f.both("Add", self, other)

    __radd__ = __add__

    def __mul__(self, other: Any) -> Tensor:
        return self.f.both("Mul", self, other)

    __rmul__ = __mul__

    def __sub__(self, other: Any) -> Tensor:
        if isinstance(other, Tensor):
            return self.f.both("Sub", self, other)
        return self.f.both("Add", self, -_array(other))

    def __rsub__(self, other: Any) -> Tensor:
        return self.f.both("Add", -self, other)

    def __truediv__(self, other: Any) -> Tensor:
        if isinstance(other, Tensor):
            return self.f.both("Div", self, other)
        return self.f.both("Mul", self, np.float32(1) / _array(other))

    def __gt__(self, other: Any) -> Tensor:
        return self.f.both("Greater", self, other)

    def __lt__(self, other: Any) -> Tensor:
        return self.f.both("Less", self, other)

    def __neg__(self) -> Tensor:
        return self.f.each("Neg", self)


def _array(value: Any) -> Array:
    return np.asarray(value, np.float32)


def _integers(values: Sequence[int]) -> Array:
    return np.asarray(list(values), np.int64)


def _last(rank: int) -> tuple[int, ...]:
    return tuple(range(rank))


def _first(rank: int) -> tuple[int, ...]:
    return (0, rank - 1, *range(1, rank - 1))


# What says the same in one node, and is faster in onnxruntime. (Its `LRN` is slower than what it stands for.)
IDIOMS: dict[type[Layer], Callable[[Any], tuple[str, dict[str, float]]]] = {
    LeakyReLU: lambda layer: ("LeakyRelu", {"alpha": float(layer.slope)}),
    ELU: lambda layer: ("Elu", {"alpha": float(layer.alpha)}),
    HardSiLU: lambda layer: ("HardSwish", {}),
}


class Onnx:
    """The functions, which add their nodes to `graph`."""

    def __init__(self) -> None:
        self.graph = Graph()
        self._numpy = Numpy()
        self._turned: dict[tuple[Value, tuple[int, ...]], Tensor] = {}

    def input(self, shape: Dims) -> Tensor:
        """A new input of the graph, without its batch."""
        value = Value()
        self.graph.inputs.append((value, (None, *shape)))
        return Tensor(self, (None, *shape), _last(len(shape) + 1), value)

    def output(self, x: Tensor, own_input: bool = False) -> Value:
        """Make a tensor an output of the graph, in a value of its own, unless it is an input under its own name."""
        x = self.last(x)
        taken = {value for value, _ in (*self.graph.inputs, *self.graph.outputs)}
        value = x.value if own_input else self.graph.add("Identity", [x.value]).output if x.value in taken else x.value
        assert value is not None
        self.graph.outputs.append((value, x.shape))
        return value

    def layer(self, layer: Layer, xs: Tensors, w: Weighted) -> Any:
        idiom = IDIOMS.get(type(layer))
        if idiom is None:
            return layer.compute(self, xs, w)
        op, attributes = idiom(layer)
        return self.each(op, xs[0], **attributes)

    # -- layout ----------------------------------------------------------------------------------------------

    def settled(self, x: Tensor) -> Tensor:
        """A tensor that has a value, in whatever order of axes."""
        if x.unflattened is None:
            return x
        if x.value is None:
            whole = x.unflattened
            x.value = self.graph.add("Flatten", [self.last(whole).value], axis=1).output
        return Tensor(self, x.shape, x.perm, x.value)

    def turned(self, x: Tensor, perm: tuple[int, ...]) -> Tensor:
        """A tensor with its axes in an order, transposed once however often it is asked for."""
        x = self.settled(x)
        if x.perm == perm:
            return x
        assert x.value is not None
        if (x.value, perm) not in self._turned:
            node = self.graph.add("Transpose", [x.value], perm=[x.axis(axis) for axis in perm])
            self._turned[x.value, perm] = Tensor(self, x.shape, perm, node.output)
        return self._turned[x.value, perm]

    def last(self, x: Tensor) -> Tensor:
        """A tensor with the channels last."""
        return self.turned(x, _last(len(x.shape)))

    def first(self, x: Tensor) -> Tensor:
        """A tensor with the channels before the spatial axes."""
        return self.turned(x, _first(len(x.shape)))

    def _alike(self, xs: Sequence[Tensor]) -> list[Tensor]:
        """Tensors of one rank in one order of axes, that of the first unless another has the channels first."""
        settled = [self.settled(x) for x in xs]
        perms = [x.perm for x in settled]
        first = _first(len(perms[0]))
        return [self.turned(x, first if first in perms else perms[0]) for x in settled]

    def _node(self, op: str, x: Tensor, *inputs: Any, shape: Dims | None = None, **attributes: Any) -> Tensor:
        """A node over a tensor that is settled, which keeps the order of axes."""
        node = self.graph.add(op, [x.value, *inputs], **attributes)
        return Tensor(self, x.shape if shape is None else shape, x.perm, node.output)

    # -- element by element ----------------------------------------------------------------------------------

    def each(self, op: str, x: Tensor, *inputs: Any, **attributes: Any) -> Tensor:
        """A node of elements by themselves."""
        return self._node(op, self.settled(x), *inputs, **attributes)

    def both(self, op: str, x: Tensor, other: Any) -> Tensor:
        """A node of the elements of two tensors, or of one and a constant."""
        if isinstance(other, Tensor):
            x, other = self._alike([x, other])
            return self._node(op, x, other.value, shape=tuple(map(_wider, x.shape, other.shape)))
        x = self.settled(x)
        return self._node(op, x, self._constant(x, other))

    def _constant(self, x: Tensor, value: Any) -> Array:
        """An array in the order of a tensor's axes, with as many; a number without any."""
        array = _array(value)
        if array.size == 1:
            return array.reshape(())
        return array.reshape((*(1,) * (len(x.shape) - array.ndim), *array.shape)).transpose(x.perm)

    def exp(self, x: Any) -> Any:
        return self.each("Exp", x) if isinstance(x, Tensor) else self._numpy.exp(x)

    def log(self, x: Any) -> Any:
        return self.each("Log", x) if isinstance(x, Tensor) else self._numpy.log(x)

    def sqrt(self, x: Any) -> Any:
        return self.each("Sqrt", x) if isinstance(x, Tensor) else self._numpy.sqrt(x)

    def tanh(self, x: Any) -> Any:
        return self.each("Tanh", x) if isinstance(x, Tensor) else self._numpy.tanh(x)

    def erf(self, x: Any) -> Any:
        return self.each("Erf", x) if isinstance(x, Tensor) else self._numpy.erf(x)

    def sigmoid(self, x: Any) -> Any:
        return self.each("Sigmoid", x) if isinstance(x, Tensor) else self._numpy.sigmoid(x)

    def abs(self, x: Any) -> Any:
        return self.each("Abs", x) if isinstance(x, Tensor) else self._numpy.abs(x)

    def pow(self, x: Any, exponent: float) -> Any:
        if isinstance(x, Tensor):
            return self.each("Pow", x, _array(exponent))
        return self._numpy.pow(x, exponent)

    def maximum(self, x: Any, other: Any) -> Any:
        if not isinstance(x, Tensor):
            return self.both("Max", other, x) if isinstance(other, Tensor) else self._numpy.maximum(x, other)
        return self.each("Relu", x) if isinstance(other, float) and other == 0 else self.both("Max", x, other)

    def clip(self, x: Any, low: float, high: float) -> Any:
        if isinstance(x, Tensor):
            return self.each("Clip", x, _array(low), _array(high))
        return self._numpy.clip(x, low, high)

    def where(self, condition: Any, x: Any, other: Any) -> Any:
        if not isinstance(condition, Tensor):
            return self._numpy.where(condition, x, other)
        tensors = self._alike([one for one in (condition, x, other) if isinstance(one, Tensor)])
        order, waiting = tensors[0], iter(tensors)
        sources = [
            next(waiting).value if isinstance(one, Tensor) else self._constant(order, one)
            for one in (condition, x, other)
        ]
        return Tensor(self, order.shape, order.perm, self.graph.add("Where", sources).output)

    # -- along axes ------------------------------------------------------------------------------------------

    def _reduced(self, op: str, x: Tensor, axes: Sequence[int], keep: bool) -> Tensor:
        x, rank = self.settled(x), len(x.shape)
        gone = {axis % rank for axis in axes}
        where = _integers(sorted(x.axis(axis) for axis in gone))
        value = self.graph.add(op, [x.value, where], keepdims=int(keep)).output
        if keep:
            shape = tuple(1 if axis in gone else size for axis, size in enumerate(x.shape))
            return Tensor(self, shape, x.perm, value)
        left = [axis for axis in range(rank) if axis not in gone]
        perm = tuple(left.index(axis) for axis in x.perm if axis not in gone)
        return Tensor(self, tuple(x.shape[axis] for axis in left), perm, value)

    def _global(self, op: str, x: Tensor, keep: bool) -> Tensor:
        x = self.first(x)
        shape: Dims = (x.shape[0], *(1,) * (len(x.shape) - 2), x.shape[-1])
        pooled = self._node(op, x, shape=shape)
        return pooled if keep else self.flatten(pooled)

    def sum(self, x: Tensor, axes: Sequence[int], keep: bool = False) -> Any:
        return self._reduced("ReduceSum", x, axes, keep)

    def mean(self, x: Tensor, axes: Sequence[int], keep: bool = False) -> Any:
        if _everywhere(x, axes):
            return self._global("GlobalAveragePool", x, keep)
        return self._reduced("ReduceMean", x, axes, keep)

    def max(self, x: Tensor, axes: Sequence[int], keep: bool = False) -> Any:
        if _everywhere(x, axes):
            return self._global("GlobalMaxPool", x, keep)
        return self._reduced("ReduceMax", x, axes, keep)

    def softmax(self, x: Tensor) -> Any:
        x = self.settled(x)
        return self._node("Softmax", x, axis=x.axis(-1))

    def standardize_channels(self, x: Tensor, epsilon: float) -> Any:
        x = self.last(x)
        return self._node(
            "LayerNormalization", x, np.ones(x.shape[-1] or 0, np.float32), axis=-1, epsilon=float(epsilon)
        )

    def standardize_groups(self, x: Tensor, groups: int, epsilon: float) -> Any:
        x = self.first(x)
        before = [x.shape[axis] for axis in x.perm[1:]]
        known = _integers([0, *(size or 0 for size in before)])
        shape = self.graph.add("Shape", [x.value]).output if None in before else known
        parts = self._node("Reshape", x, _integers([0, groups, -1]))
        one, zero = np.ones(groups, np.float32), np.zeros(groups, np.float32)
        return self._node(
            "Reshape", self._node("InstanceNormalization", parts, one, zero, epsilon=float(epsilon)), shape
        )

    def sort_descending(self, x: Tensor) -> Any:
        x = self.settled(x)
        node = self.graph.add("TopK", [x.value, _integers([x.shape[-1] or 0])], 2, axis=x.axis(-1), largest=1, sorted=1)
        return Tensor(self, x.shape, x.perm, node.output)

    def cumsum(self, x: Tensor) -> Any:
        x = self.settled(x)
        return self._node("CumSum", x, np.asarray(x.axis(-1), np.int64))

    def arange(self, count: int) -> Any:
        return self._numpy.arange(count)

    # -- shapes ----------------------------------------------------------------------------------------------

    def flatten(self, x: Tensor) -> Any:
        if len(x.shape) == 2:
            return x
        sizes = [size or 0 for size in x.shape[1:]]
        flat = Tensor(self, (x.shape[0], prod(sizes)), (0, 1), unflattened=x)
        if prod(sizes[:-1]) == 1:  # in any order
            flat.value = self.graph.add("Flatten", [self.settled(x).value], axis=1).output
            flat.unflattened = None
        return flat

    def reshape(self, x: Tensor, shape: Sizes) -> Any:
        value = self.graph.add("Reshape", [self.last(x).value, _integers([0, *shape])]).output
        return Tensor(self, (x.shape[0], *shape), _last(len(shape) + 1), value)

    def concat(self, xs: Tensors, axis: int = -1) -> Any:
        alike = self._alike(xs)
        value = self.graph.add("Concat", [x.value for x in alike], axis=alike[0].axis(axis)).output
        known = [None if None in column else column[0] for column in zip(*(x.shape for x in xs), strict=True)]
        along = [x.shape[axis] for x in xs]
        known[axis] = None if None in along else sum(size or 0 for size in along)
        return Tensor(self, tuple(known), alike[0].perm, value)

    def prepend(self, x: Tensor, rows: Array) -> Any:
        x = self.last(x)
        batch = self.graph.add("Shape", [x.value], start=0, end=1).output
        shape = self.graph.add("Concat", [batch, _integers(rows.shape)], axis=0).output
        same = self.graph.add("Expand", [_array(rows)[None], shape]).output
        value = self.graph.add("Concat", [same, x.value], axis=1).output
        return Tensor(
            self, (x.shape[0], None if x.shape[1] is None else x.shape[1] + len(rows), x.shape[2]), x.perm, value
        )

    def transpose(self, x: Tensor, axes: Sequence[int]) -> Any:
        x, order = self.settled(x), list(axes)
        return Tensor(self, tuple(x.shape[axis] for axis in order), tuple(map(order.index, x.perm)), x.value)

    def pad(self, x: Tensor, sides: Sequence[tuple[int, int]], mode: str = "zeros") -> Any:
        if mode != "zeros":
            return self._mirrored(x, sides, mode)
        x = self.first(x) if any(map(any, sides[:-1])) else self.settled(x)  # as windows, which take padding in
        if not any(map(any, sides)):
            return x
        sizes = [size and size + sum(pair) for size, pair in zip(x.shape[1:], sides, strict=True)]
        # Every axis is said: onnxruntime 1.32 moves transpositions over a `Pad` of some `axes` wrongly.
        physical = [(0, 0), *(sides[axis - 1] for axis in x.perm[1:])]
        pads = _integers([*(before for before, _ in physical), *(after for _, after in physical)])
        return self._node("Pad", x, pads, _array(0), shape=(x.shape[0], *sizes))

    def _mirrored(self, x: Tensor, sides: Sequence[tuple[int, int]], mode: str) -> Tensor:
        """Pieces of a tensor backwards around it: ONNX has no `symmetric`, and engines differ in what they refuse."""
        x, beyond = self.settled(x), int(mode == "reflect")
        for axis, (before, after) in enumerate(sides, 1):
            pieces = [
                self._backwards(x, axis, before + beyond - 1, before) if before else None,
                x,
                self._backwards(x, axis, -1 - beyond, after) if after else None,
            ]
            if before or after:
                x = self.concat([piece for piece in pieces if piece is not None], axis)
        return x

    def _backwards(self, x: Tensor, axis: int, start: int, count: int) -> Tensor:
        """Elements along an axis from one on, towards the first."""
        end = start - count
        where = [_integers([number]) for number in (start, -FAR if start >= 0 > end else end, x.axis(axis), -1)]
        shape = tuple(count if at == axis else size for at, size in enumerate(x.shape))
        return self._node("Slice", x, *where, shape=shape)

    def crop(self, x: Tensor, like: Tensor, offsets: Sequence[int | None]) -> Any:
        known = list(zip(x.shape[1:-1], like.shape[1:-1], offsets, strict=True))
        if None not in (*x.shape[1:-1], *like.shape[1:-1]):
            starts = [((size or 0) - (kept or 0)) // 2 if at is None else at for size, kept, at in known]
            parts = [slice(start, start + (kept or 0)) for start, (_, kept, _) in zip(starts, known, strict=True)]
            return self.slice(x, [*parts, slice(None)])
        x, like = self.first(x), self.first(like)
        size, kept = (self.graph.add("Shape", [one.value], start=2).output for one in (x, like))
        rest = self.graph.add("Sub", [size, kept]).output
        middle = self.graph.add("Div", [rest, _integers([2])]).output
        begin: Any = _integers([0 if at is None else at for at in offsets])
        if None in offsets:
            is_middle = np.asarray([at is None for at in offsets])
            begin = self.graph.add("Where", [is_middle, middle, begin]).output
        end = self.graph.add("Add", [kept, begin]).output
        axes = _integers(range(2, len(x.shape)))
        return self._node("Slice", x, begin, end, axes, shape=(x.shape[0], *like.shape[1:-1], x.shape[-1]))

    def space_to_depth(self, x: Tensor, factor: int) -> Any:
        sizes = [size and size // factor for size in x.shape[1:-1]]
        channels = (x.shape[-1] or 0) * factor ** len(sizes)
        if len(sizes) == 1:
            return self._in_rows(x, sizes[0], channels)
        return self._node("SpaceToDepth", self.first(x), shape=(x.shape[0], *sizes, channels), blocksize=factor)

    def depth_to_space(self, x: Tensor, factor: int) -> Any:
        sizes = [size and size * factor for size in x.shape[1:-1]]
        channels = (x.shape[-1] or 0) // factor ** len(sizes)
        if len(sizes) == 1:
            return self._in_rows(x, sizes[0], channels)
        shape = (x.shape[0], *sizes, channels)
        return self._node("DepthToSpace", self.first(x), shape=shape, blocksize=factor, mode="DCR")

    def _in_rows(self, x: Tensor, size: Dim, channels: int) -> Tensor:
        """The elements of positions in a row with another number of channels."""
        value = self.graph.add("Reshape", [self.last(x).value, _integers([0, -1, channels])]).output
        return Tensor(self, (x.shape[0], size, channels), _last(3), value)

    def slice(self, x: Tensor, slices: Sequence[slice]) -> Any:
        x = self.settled(x)
        parts = [(x.axis(axis), part) for axis, part in enumerate(slices, 1) if part != slice(None)]
        if not parts:
            return x
        starts = _integers([part.start or 0 for _, part in parts])
        ends = _integers([FAR if part.stop is None else part.stop for _, part in parts])
        steps = _integers([part.step or 1 for _, part in parts])
        axes = _integers([axis for axis, _ in parts])
        pairs = zip(x.shape[1:], slices, strict=True)
        sizes = [None if size is None else len(range(*part.indices(size))) for size, part in pairs]
        return self._node("Slice", x, starts, ends, axes, steps, shape=(x.shape[0], *sizes))

    def gather(self, x: Tensor, order: Sequence[int]) -> Any:
        x = self.settled(x)
        return self._node("Gather", x, _integers(order), shape=(*x.shape[:-1], len(order)), axis=x.axis(-1))

    def resize(self, x: Tensor, factors: Sizes, method: str) -> Any:
        x = self.first(x)
        sizes = [size and size * factor for size, factor in zip(x.shape[1:-1], factors, strict=True)]
        modes = (
            {"mode": "nearest", "coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}
            if method == "nearest"
            else {"mode": "linear", "coordinate_transformation_mode": "half_pixel"}
        )
        shape = (x.shape[0], *sizes, x.shape[-1])
        return self._node("Resize", x, None, _array([1, 1, *factors]), shape=shape, **modes)

    def interpolate(self, x: Tensor, like: Any, method: str) -> Any:
        sizes = like.shape[1:-1] if isinstance(like, Tensor) else tuple(like)
        if None not in (*x.shape[1:-1], *sizes):
            return self.resample(x, [size or 0 for size in sizes], method, smooth=False)
        x = self.first(x)
        after = self.first(like) if isinstance(like, Tensor) else None
        value = x.value
        for axis, (old, new) in enumerate(zip(x.shape[1:-1], sizes, strict=True), 2):
            value = self._along(value, axis, self._count(x, axis, old), self._count(after, axis, new), method)
        return Tensor(self, (x.shape[0], *sizes, x.shape[-1]), x.perm, value)

    def _count(self, x: Tensor | None, axis: int, size: Dim) -> Any:
        """The size of a tensor along an axis: a number where it is known, else a value."""
        if size is not None or x is None:
            return np.asarray(size, np.int64)
        shape = self.graph.add("Shape", [x.value]).output
        return self.graph.add("Gather", [shape, np.asarray(axis, np.int64)], axis=0).output

    def _along(self, value: Any, axis: int, old: Any, new: Any, method: str) -> Any:
        """An image along one axis, from one size to another that are known only when it runs: `matrix` as nodes."""

        def node(op: str, *inputs: Any, **attributes: Any) -> Any:
            return self.graph.add(op, list(inputs), **attributes).output

        def real(count: Any) -> Any:
            return _array(count) if isinstance(count, np.ndarray) else node("Cast", count, to=FLOAT)

        def numbers(count: Any) -> Any:
            if isinstance(count, np.ndarray):
                return _array(np.arange(int(count)))
            zero, one = np.asarray(0, np.int64), np.asarray(1, np.int64)
            return real(node("Range", zero, count, one))

        step = node("Div", real(old), real(new))
        centre = node("Mul", node("Add", numbers(new), _array(0.5)), step)
        if method == "nearest":
            last = node("Sub", old, np.asarray(1, np.int64))
            return node("Gather", value, node("Min", node("Cast", centre, to=INT64), last), axis=axis)
        centre = node("Unsqueeze", node("Sub", centre, _array(0.5)), _integers([1]))
        if method == "bicubic":
            pixel = node("Floor", centre)
            place = node("Round", node("Mul", node("Sub", centre, pixel), _array(TABLE)))
            centre = node("Add", pixel, node("Mul", place, _array(1 / TABLE)))
        far = node("Abs", node("Sub", numbers(old), centre))
        if method == "bilinear":
            weights = node("Relu", node("Sub", _array(1), far))
        else:  # Keys 1981, a = -0.5
            near = node("Mul", node("Sub", node("Mul", far, _array(1.5)), _array(2.5)), node("Mul", far, far))
            near = node("Add", near, _array(1))
            beyond = node("Add", node("Mul", far, _array(-0.5)), _array(2.5))
            beyond = node("Add", node("Mul", node("Sub", node("Mul", beyond, far), _array(4)), far), _array(2))
            beyond = node("Where", node("Less", far, _array(2)), beyond, _array(0))
            weights = node("Where", node("Less", far, _array(1)), near, beyond)
        weights = node("Div", weights, node("ReduceSum", weights, _integers([1]), keepdims=1))
        if axis == 2:
            return node("MatMul", weights, value)
        return node("MatMul", value, node("Transpose", weights, perm=[1, 0]))

    def resample(self, x: Tensor, sizes: Sizes, method: str, smooth: bool = True) -> Any:
        x = self.first(x)
        value = x.value
        for axis, (before, after) in enumerate(zip(x.shape[1:-1], sizes, strict=True), 2):
            assert before is not None
            if method == "nearest":
                value = self.graph.add("Gather", [value, nearest(before, after)], axis=axis).output
                continue
            sums = matrix(before, after, method, 0, after, smooth)[1].astype(np.float32)
            value = self.graph.add("MatMul", [sums, value] if axis == 2 else [value, sums.T]).output
        return Tensor(self, (x.shape[0], *sizes, x.shape[-1]), x.perm, value)

    # -- sums of products, and windows -----------------------------------------------------------------------

    def matmul(self, x: Tensor, kernel: Array) -> Any:
        shape = (x.shape[0], kernel.shape[-1])
        if x.unflattened is not None and x.value is None:
            whole = self.settled(x.unflattened)
            sizes = [size or 0 for size in whole.shape[1:]]
            rows = kernel.reshape((*sizes, -1)).transpose((*(axis - 1 for axis in whole.perm[1:]), len(sizes)))
            flat = self.graph.add("Flatten", [whole.value], axis=1).output
            return Tensor(self, shape, (0, 1), self.graph.add("Gemm", [flat, rows.reshape(kernel.shape)]).output)
        if len(x.shape) > 2:
            return self._node("MatMul", self.last(x), kernel, shape=(*x.shape[:-1], kernel.shape[-1]))
        return self._node("Gemm", self.settled(x), kernel, shape=shape)

    def lookup(self, ids: Tensor, table: Array) -> Any:
        whole = self.graph.add("Cast", [self.settled(ids).value], to=INT64).output
        made = self.graph.add("Gather", [_array(table), whole], axis=0).output
        return Tensor(self, (*ids.shape, table.shape[-1]), _last(3), made)

    def attend(self, query: Tensor, key: Tensor, value: Tensor, heads: int, causal: bool) -> Any:
        share = (query.shape[-1] or 0) // heads

        def by_head(x: Tensor, perm: Sequence[int]) -> Value:
            parts = self.graph.add("Reshape", [self.last(x).value, _integers([0, 0, heads, -1])])
            return self.graph.add("Transpose", [parts.output], perm=list(perm)).output

        scaled = self.graph.add("Mul", [by_head(query, (0, 2, 1, 3)), _array(share**-0.5)]).output
        scores = self.graph.add("MatMul", [scaled, by_head(key, (0, 2, 3, 1))]).output
        if causal:
            scores = self.graph.add("Add", [scores, self._later(scores)]).output
        weights = self.graph.add("Softmax", [scores], axis=-1).output
        means = self.graph.add("MatMul", [weights, by_head(value, (0, 2, 1, 3))]).output
        joined = self.graph.add("Transpose", [means], perm=[0, 2, 1, 3]).output
        made = self.graph.add("Reshape", [joined, _integers([0, 0, -1])]).output
        return Tensor(self, (*query.shape[:-1], value.shape[-1]), _last(3), made)

    def _later(self, scores: Value) -> Value:
        """Minus infinity for all positions after that of the query, the axis before the last; else 0."""
        sizes = self.graph.add("Shape", [scores], start=2).output
        everywhere = self.graph.add("Expand", [_array(-np.inf), sizes]).output
        return self.graph.add("Trilu", [everywhere, np.asarray(1, np.int64)], upper=1).output

    def recur(self, cell: str, x: Tensor, ways: Sequence[tuple[Array, Array, Any]], every: bool) -> Any:
        units, wide = ways[0][1].shape
        order = np.arange(wide).reshape(-1, units)[GATES[cell]].reshape(-1)
        weights: list[list[Array]] = [[], [], []]
        for kernel, recurrent, bias in ways:
            biases = np.zeros((2, wide), np.float32)
            if bias is not None:
                biases[: bias.size // wide] = bias
            for held, array in zip(
                weights, (kernel.T[order], recurrent.T[order], biases[:, order].ravel()), strict=True
            ):
                held.append(array)
        attributes = {"hidden_size": units, "direction": "bidirectional" if len(ways) > 1 else "forward"}
        more = {"linear_before_reset": 1} if cell == "gru" else {}
        inputs = [self.turned(x, (1, 0, 2)).value, *map(np.stack, weights)]
        node = self.graph.add(cell.upper(), inputs, 2, **attributes, **more)
        # Positions x ways x batch x units, or without positions, as batch x (positions x) channels.
        found, perm = (node.outputs[0], [2, 0, 1, 3]) if every else (node.outputs[1], [1, 0, 2])
        turned = self.graph.add("Transpose", [found], perm=perm).output
        sizes = _integers([*(0 for _ in perm[:-2]), len(ways) * units])
        shape = (*(x.shape[:-1] if every else x.shape[:1]), len(ways) * units)
        return Tensor(self, shape, _last(len(shape)), self.graph.add("Reshape", [turned, sizes]).output)

    def _windows(self, x: Tensor, kernel: Sizes, stride: Sizes, dilation: Sizes, pad: Pad) -> tuple[Dims, Any]:
        """The sizes after windows, and the attributes that say them."""
        steps = list(zip(x.shape[1:-1], kernel, stride, dilation, strict=True))
        attributes = {"kernel_shape": list(kernel), "strides": list(stride)}
        if isinstance(pad, str):
            if any(size is None and step > 1 for size, _, step, _ in steps):  # else they do not depend on the size
                sizes = tuple(output_size(*each, "same") for each in steps)
                return sizes, {**attributes, "auto_pad": "SAME_UPPER"}
            pad = [same_padding(size or 1, *rest) for size, *rest in steps]
        sizes = tuple(output_size(*each, around) for each, around in zip(steps, pad, strict=True))
        return sizes, {**attributes, "pads": [before for before, _ in pad] + [after for _, after in pad]}

    def conv(self, x: Tensor, kernel: Array, stride: Sizes, dilation: Sizes, pad: Pad, groups: int = 1) -> Any:
        x = self.first(x)
        sizes, attributes = self._windows(x, kernel.shape[:-2], stride, dilation, pad)
        if "auto_pad" in attributes and max(dilation) > 1:
            return self.conv(x, _dilated(kernel, dilation), stride, (1,) * len(dilation), pad, groups)
        weight = np.moveaxis(kernel, (-1, -2), (0, 1))
        shape = (x.shape[0], *sizes, kernel.shape[-1])
        return self._node("Conv", x, weight, shape=shape, group=groups, dilations=list(dilation), **attributes)

    def conv_transpose(
        self, x: Tensor, kernel: Array, stride: Sizes, dilation: Sizes, cut: Sequence[tuple[int, int]], more: Sizes
    ) -> Any:
        x = self.first(x)
        steps = zip(x.shape[1:-1], kernel.shape, stride, dilation, cut, more, strict=False)
        sizes = [
            size and (size - 1) * step + (taps - 1) * gap + 1 - sum(sides) + rest
            for size, taps, step, gap, sides, rest in steps
        ]
        attributes = {
            "kernel_shape": list(kernel.shape[:-2]),
            "strides": list(stride),
            "dilations": list(dilation),
            "pads": [before for before, _ in cut] + [after for _, after in cut],
            "output_padding": list(more),
        }
        weight = np.moveaxis(kernel, (-1, -2), (0, 1))
        return self._node("ConvTranspose", x, weight, shape=(x.shape[0], *sizes, kernel.shape[-2]), **attributes)

    def _reached(self, x: Tensor, kernel: Sizes, stride: Sizes) -> Tensor:
        """A tensor without the pixels at its end that no window reaches: pools of onnxruntime fail on these, with a
        padding below zero."""
        if all(taps >= step for taps, step in zip(kernel, stride, strict=True)):
            return x
        sizes = self.graph.add("Shape", [x.value], start=2).output
        windows = self.graph.add("Add", [sizes, _integers([step - 1 for step in stride])]).output
        windows = self.graph.add("Div", [windows, _integers(stride)]).output
        steps = self.graph.add("Mul", [windows, _integers(stride)]).output
        rest = [taps - step for taps, step in zip(kernel, stride, strict=True)]
        ends = self.graph.add("Add", [steps, _integers(rest)]).output
        axes = range(2, 2 + len(kernel))
        return self._node("Slice", x, _integers([0] * len(kernel)), ends, _integers(axes))

    def max_pool(self, x: Tensor, kernel: Sizes, stride: Sizes, pad: Pad) -> Any:
        x = self.first(x)
        sizes, attributes = self._windows(x, kernel, stride, (1,) * len(kernel), pad)
        x = self._reached(x, kernel, stride) if "auto_pad" in attributes else x
        return self._node("MaxPool", x, shape=(x.shape[0], *sizes, x.shape[-1]), **attributes)

    def avg_pool(self, x: Tensor, kernel: Sizes, stride: Sizes, pad: Pad, count_padding: bool) -> Any:
        x = self.first(x)
        sizes, attributes = self._windows(x, kernel, stride, (1,) * len(kernel), pad)
        attributes["count_include_pad"] = int(count_padding)
        x = self._reached(x, kernel, stride) if "auto_pad" in attributes else x
        return self._node("AveragePool", x, shape=(x.shape[0], *sizes, x.shape[-1]), **attributes)


def _wider(one: Dim, other: Dim) -> Dim:
    """The size that two axes have together, where one pixel meets many."""
    if one == 1 or other == 1:
        return other if one == 1 else one
    return None if other is None else one


def _dilated(kernel: Array, dilation: Sizes) -> Array:
    """A kernel with zeros between its taps: onnxruntime refuses a dilation beside padding that depends on the size."""
    sizes = [(taps - 1) * gap + 1 for taps, gap in zip(kernel.shape, dilation, strict=False)]
    wide = np.zeros((*sizes, *kernel.shape[-2:]), kernel.dtype)
    wide[tuple(slice(None, None, gap) for gap in dilation)] = kernel
    return wide


def _everywhere(x: Tensor, axes: Sequence[int]) -> bool:
    """Whether axes are all spatial ones, of which there are some."""
    return len(x.shape) > 2 and sorted(axes) == list(range(1, len(x.shape) - 1))
