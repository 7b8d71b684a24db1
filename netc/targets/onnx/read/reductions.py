"""Means, maxima and sums over axes."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

import numpy as np

from netc.lift.source import Unsaid
from netc.targets.onnx.read.constants import Constant, derived
from netc.targets.onnx.read.elements import channels_at, combined
from netc.targets.onnx.read.graph import Op
from netc.targets.onnx.read.layers import pooled
from netc.targets.onnx.read.layout import Axis, Tensor, extent
from netc.targets.onnx.read.reader import Reader, reads
from netc.targets.onnx.read.shapes import taken

MOST_SUMMED = 8  # parts that are added up one by one


@reads(13, "ReduceSum")
def total(r: Reader, op: Op) -> Any:
    """A sum of shares of the channels, or as many times the mean."""
    if isinstance(constant := r.value(op, 0), Constant):
        return _of_constant(r, op, constant)
    x = r.tensor(op)
    axes = r.axes(op, 1, 13, x.rank) or []
    sizes = [extent(x.axes[axis]) for axis in axes]
    if len(axes) == 1 and 0 < (count := sizes[0] or 0) <= MOST_SUMMED and not x.is_batch(axes[0]):
        (axis,) = axes
        parts = [taken(r, op, x, axis, slice(at, at + 1)) for at in range(count)]
        made = parts[0] if count == 1 else combined(r, op, "add", parts)
        left = [one for at, one in enumerate(made.axes) if at != axis or op.flag("keepdims", True)]
        op.flag("noop_with_empty_axes")
        return Tensor(made.node, tuple(left))
    if None in sizes:
        raise Unsaid("it is over axes whose sizes are open")
    mean = reduced(r, op)
    return Tensor(r.layer(op, "rescale", [mean.node], factor=float(prod(one or 1 for one in sizes))), mean.axes)


@reads(20, "ReduceMean", "ReduceMax")
def reduced(r: Reader, op: Op) -> Any:
    if isinstance(constant := r.value(op, 0), Constant):
        return _of_constant(r, op, constant)
    x = r.tensor(op)
    keep = bool(op.flag("keepdims", True))
    axes = r.axes(op, 1, 13 if op.op == "ReduceSum" else 18, x.rank)
    op.flag("noop_with_empty_axes")
    if not axes:
        raise Unsaid("it is over all axes, the batch among them")
    kind = "gmp" if op.op == "ReduceMax" else "gap"
    left = [at for at in range(1, x.rank) if at not in axes]
    if 0 in axes:
        raise Unsaid("it is over the batch")
    if x.rank == 2:
        node = r.layer(op, kind, [r.layout.as_vector(x)], over="channels")
        return Tensor(node, _without(x.axes, axes, keep))
    if len(axes) == 1 and len(left) > 1 and not _is_position(r, x, axes[0]):
        x = channels_at(r, x, axes[0])
        return Tensor(r.layer(op, kind, [x.node], over="channels"), _without(x.axes, axes, keep))
    if len(left) != 1:
        return _in_windows(r, op, kind, x, axes, keep)
    (channels,) = left
    made = pooled(r, op, kind, r.layout.turned(x, [*sorted(axes), channels]), keep)
    if not keep:
        return made
    return Tensor(made.node, tuple(made.axes[{0: 0, channels: 1}.get(at, 2)] for at in range(x.rank)))


@reads(20, "ReduceL2", "ReduceProd", "ReduceMin", "ReduceSumSquare")
def of_constants(r: Reader, op: Op) -> Constant:
    """What is only known of constants, such as the length of a kernel's filters."""
    if not isinstance(constant := r.value(op, 0), Constant):
        raise Unsaid("no layer of netc is known for it")
    return _of_constant(r, op, constant)


FUNCTIONS: dict[str, Any] = {
    "ReduceSum": np.sum,
    "ReduceMean": np.mean,
    "ReduceMax": np.max,
    "ReduceMin": np.min,
    "ReduceProd": np.prod,
    "ReduceL2": lambda array, axes, keepdims: np.sqrt(np.sum(array * array, axes, keepdims=keepdims)),
    "ReduceSumSquare": lambda array, axes, keepdims: np.sum(array * array, axes, keepdims=keepdims),
}


def _is_position(r: Reader, x: Tensor, axis: int) -> bool:
    """Whether an axis is one of positions of a layer's output."""
    order = r.layout.order(x)
    return order is not None and axis != order[-1]


def _in_windows(r: Reader, op: Op, kind: str, x: Tensor, axes: list[int], keep: bool) -> Tensor:
    """Over some axes of positions: a pool whose window goes over all of them."""
    x, order = r.layout.settled(x)
    if order[-1] in axes:
        raise Unsaid("it is over channels and some axes of positions")
    sizes = zip(order, r.shape(x)[:-1], strict=False)
    window = tuple(size if at in axes else 1 for at, size in sizes)
    if None in window:
        raise Unsaid("it is over some axes of positions whose sizes are open, and not over all")
    node = r.layer(op, "avgpool" if kind == "gap" else "pool", [x.node], kernel=window, pad="valid")
    return Tensor(node, _without(r.layout.ordered(node, x, order).axes, axes, keep))


def _without(before: Sequence[Axis], axes: Sequence[int], keep: bool) -> tuple[Axis, ...]:
    """The axes of a value that is reduced along some, which stay with the size 1 or do not."""
    return tuple(() if at in axes else axis for at, axis in enumerate(before) if keep or at not in axes)


def _of_constant(r: Reader, op: Op, x: Constant) -> Constant:
    """What is left of a constant, such as the mean of a kernel."""
    rank, keep = len(x.shape), op.flag("keepdims", True)
    axes = r.axes(op, 1, 13 if op.op == "ReduceSum" else 18, rank)
    if x.symbolic or not x.size or (op.flag("noop_with_empty_axes") and not axes):
        raise Unsaid("it is of sizes that are known only when it runs, or of nothing")
    over = tuple(axes or range(rank))
    function = FUNCTIONS[op.op]
    left = [(at, size) for at, size in enumerate(x.shape) if at not in over or keep]
    shape = tuple(1 if at in over else size for at, size in left)
    return derived([x], shape, lambda array: function(array, over, keepdims=keep))
