"""What nodes make of constants alone, within bounds."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np
from onnx import helper

from netc.lift.source import Unsaid
from netc.targets.onnx.read.constants import MOST, Constant, derived, known
from netc.targets.onnx.read.graph import Op
from netc.targets.onnx.read.sizes import OPEN, Size

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]


def _divided(one: Array, other: Array) -> Array:
    if object in (one.dtype, other.dtype) or one.dtype.kind in "iu":
        made: Array = one // other
        return made
    return np.asarray(one / other)


def _expanded(array: Array, sizes: Array) -> Array:
    wanted = tuple(int(size) for size in sizes)
    shape = np.broadcast_shapes(array.shape, wanted)
    if prod(shape) * array.dtype.itemsize > MOST:
        raise Unsaid(f"makes a constant of {prod(shape):,} numbers")
    return np.broadcast_to(array, shape)


def _equal(one: Any, other: Any) -> bool:
    """Whether two sizes are equal; an open one is at least 1."""
    if isinstance(one, Size) or isinstance(other, Size):
        known = [size for size in (one, other) if not isinstance(size, Size)]
        if known and known[0] < 1:
            return False
        if one != other:
            raise Unsaid(OPEN)
    return bool(one == other)


def _range(start: Array, end: Array, step: Array) -> Array:
    if step == 0 or abs((float(end) - float(start)) / float(step)) * 8 > MOST:
        raise Unsaid("makes a constant of too many numbers")
    return np.asarray(np.arange(start.item(), end.item(), step.item())).astype(start.dtype)


COMPUTED: Mapping[str, Callable[..., Any]] = {
    "Add": lambda a, b: a + b,
    "Sub": lambda a, b: a - b,
    "Mul": lambda a, b: a * b,
    "Div": _divided,
    "Pow": lambda a, b: np.power(a, b).astype(a.dtype),
    "Max": np.maximum,
    "Min": np.minimum,
    "Sqrt": np.sqrt,
    "Exp": np.exp,
    "Log": np.log,
    "Neg": np.negative,
    "Abs": np.abs,
    "Floor": lambda a: a if a.dtype == object else np.floor(a),
    "Ceil": lambda a: a if a.dtype == object else np.ceil(a),
    "Reciprocal": lambda a: (1 / a).astype(a.dtype),
    "Equal": lambda a, b: np.frompyfunc(_equal, 2, 1)(a, b).astype(bool),
    "Not": np.logical_not,
    "Where": np.where,
    "Mod": np.mod,
    "Range": _range,
    "Expand": _expanded,
}
OF_WEIGHTS = ("Add", "Sub", "Mul", "Div", "Sqrt", "Reciprocal", "Neg")


def foldable(op: Op) -> bool:
    return op.op in (*COMPUTED, "Cast", "Trilu")


def folded(op: Op, given: Sequence[Constant]) -> Constant:
    """What a node computes of constants. Raises `Unsaid`."""
    if op.op in OF_WEIGHTS and max(one.size for one in given) * 8 > MOST:
        return _of_weights(op, given)
    try:
        with np.errstate(all="ignore"):
            arrays = [_known(one.array()) for one in given]
            if op.op == "Trilu":
                return known(_trilu(arrays[0], arrays[1:], op.attr("upper", 1)))
            if op.op == "Cast":
                return known(_cast(arrays[0], op.attr("to")))
            if op.op not in ("Range", "Expand") and prod(np.broadcast_shapes(*(a.shape for a in arrays))) * 8 > MOST:
                raise Unsaid("makes a constant of too many numbers")
            return known(np.asarray(COMPUTED[op.op](*arrays)))
    except (ValueError, TypeError, ArithmeticError, KeyError, MemoryError) as error:
        raise Unsaid(f"cannot be computed of its constants: {error}") from None


def _of_weights(op: Op, given: Sequence[Constant]) -> Constant:
    """Weights of weights, one by one: computed when they are asked for."""
    shapes = [one.shape for one in given]
    try:
        shape = np.broadcast_shapes(*shapes)
    except ValueError as error:
        raise Unsaid(f"cannot be computed of its constants: {error}") from None
    if shape not in shapes or any(one.dtype.kind != "f" for one in given):
        raise Unsaid("makes a constant of too many numbers")
    return derived(given, shape, COMPUTED[op.op])


def _trilu(array: Array, diagonal: Sequence[Array], upper: int) -> Array:
    """One half of a matrix; the rest is 0, also where it was infinite."""
    shift = int(diagonal[0].item()) if diagonal else 0
    rows, columns = np.indices(array.shape[-2:])
    kept = columns - rows >= shift if upper else columns - rows <= shift
    return np.where(kept, array, array.dtype.type(0))


def _known(array: Array) -> Array:
    """An array of sizes that are all known as one of whole numbers."""
    open_ones = array.dtype == object and any(isinstance(size, Size) for size in array.reshape(-1))
    return array.astype(np.int64) if array.dtype == object and not open_ones else array


def _cast(array: Array, kind: int) -> Array:
    if array.dtype == object:
        return array
    return array.astype(helper.tensor_dtype_to_np_dtype(kind))
