"""Means, maxima and sums over axes."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from netc.lift.source import Unsaid
from netc.targets.onnx.read.constants import Constant, derived
from netc.targets.onnx.read.elements import channels_at, combined
from netc.targets.onnx.read.graph import Op
from netc.targets.onnx.read.layers import pooled
from netc.targets.onnx.read.layout import Tensor, extent
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
    if x.rank == 2 and keep:
        return Tensor(r.layer(op, kind, [r.layout.as_vector(x)], over="channels"), (x.axes[0], ()))
    if len(axes) == 1 and len(left) > 1:
        x = channels_at(r, x, axes[0])
        if keep:
            node = r.layer(op, kind, [x.node], over="channels")
            return Tensor(node, tuple(() if at == axes[0] else axis for at, axis in enumerate(x.axes)))
    if len(left) != 1 or x.rank < 3:
        raise Unsaid("it is over some axes of positions, and not over all")
    (channels,) = left
    made = pooled(r, op, kind, r.layout.turned(x, [*sorted(axes), channels]), keep)
    if not keep:
        return made
    return Tensor(made.node, tuple(made.axes[{0: 0, channels: 1}.get(at, 2)] for at in range(x.rank)))


def _of_constant(r: Reader, op: Op, x: Constant) -> Constant:
    """What is left of a constant, such as the mean of a kernel."""
    rank, keep = len(x.shape), op.flag("keepdims", True)
    axes = r.axes(op, 1, 13 if op.op == "ReduceSum" else 18, rank)
    if x.dtype.kind != "f" or not x.size or not axes or op.flag("noop_with_empty_axes"):
        raise Unsaid("it is of all axes of a constant, or of one that is no weight")
    function: Any = {"ReduceSum": np.sum, "ReduceMean": np.mean, "ReduceMax": np.max}[op.op]
    left = [(at, size) for at, size in enumerate(x.shape) if at not in axes or keep]
    shape = tuple(1 if at in axes else size for at, size in left)
    return derived([x], shape, lambda array: function(array, tuple(axes), keepdims=keep))
