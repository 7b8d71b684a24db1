"""Images of another size: compared with what netc's layers make, pixel by pixel along each axis."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from netc.ir.resampling import matrix, nearest
from netc.lift.source import Unsaid
from netc.targets.onnx.read.constants import Constant
from netc.targets.onnx.read.graph import Op
from netc.targets.onnx.read.layout import Tensor
from netc.targets.onnx.read.reader import Reader, reads
from netc.targets.onnx.read.sizes import Size

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]

SAMPLE = 24  # pixels that stand for an open size: a whole factor repeats what it does
EXACT = 1e-6
LARGEST = 2048  # pixels along an axis that are compared

METHODS = {"nearest": "nearest", "linear": "bilinear"}  # what netc calls modes
COORDINATES: dict[str, Callable[[Array, float, int, int], Array]] = {
    "half_pixel": lambda x, scale, old, new: (x + 0.5) / scale - 0.5,
    "pytorch_half_pixel": lambda x, scale, old, new: (x + 0.5) / scale - 0.5 if new > 1 else x * 0.0,
    "asymmetric": lambda x, scale, old, new: x / scale,
    "align_corners": lambda x, scale, old, new: x * ((old - 1) / (new - 1) if new > 1 else 0.0),
}
ROUNDED: dict[str, Callable[[Array], Array]] = {
    "round_prefer_floor": lambda x: np.ceil(x - 0.5),
    "round_prefer_ceil": lambda x: np.floor(x + 0.5),
    "floor": np.floor,
    "ceil": np.ceil,
}


@reads(19, "Resize", "Upsample")
def resize(r: Reader, op: Op) -> Tensor:
    x = r.tensor(op)
    mode = op.attr("mode", "nearest")
    old_meaning = op.op == "Upsample" or op.version < 11
    place = op.attr("coordinate_transformation_mode", "asymmetric" if old_meaning else "half_pixel")
    rounding = op.attr("nearest_mode", "floor" if old_meaning else "round_prefer_floor")
    op.attr("extrapolation_value"), op.attr("cubic_coeff_a")
    if mode not in METHODS or place not in COORDINATES or rounding not in ROUNDED:
        raise Unsaid(f"its mode is {mode}, with {place}, which no layer has")
    kept = op.attr("keep_aspect_ratio_policy", "stretch") != "stretch"
    if op.flag("antialias") or op.flag("exclude_outside") or kept:
        raise Unsaid("it smooths, leaves out what is outside, or keeps an aspect ratio")
    axes = [r.axis(axis, x.rank) for axis in op.attr("axes") or range(x.rank)]
    scales, sizes = _wanted(r, op, old_meaning)
    given = scales if scales is not None else sizes
    if given is None or len(given) != len(axes) or any(not isinstance(one, Size) and one <= 0 for one in given):
        raise Unsaid("it has not one scale or size for each axis")
    x = r.mapped(op, x)
    space = r.shape(x)[:-1]
    along = dict(zip(axes, given, strict=True))
    for at in (0, 1):
        if at in along and along[at] != (1 if scales is not None else (r.layout.shape(x)[-1] if at else along[0])):
            raise Unsaid("it resizes channels, or the batch")
    steps = [(size, along.get(at, 1 if scales is not None else size)) for at, size in enumerate(space, 2)]
    if sizes is not None and any(isinstance(one, Size) for _, one in steps):
        return _to_another(r, op, x, [one for _, one in steps], mode, place, rounding)
    made = [_step(size, one, scales is not None) for size, one in steps]
    factors = [round(scale) if new is None or (old and new % old == 0) else 0 for old, new, scale in made]
    pairs = list(zip((old for old, _, _ in made), factors, strict=True))
    if all(factors) and all(new in (None, (old or 0) * by) for (old, new, _), (_, by) in zip(made, pairs, strict=True)):
        if all(one == 1 for one in factors):
            return x
        if all(_equal(old or SAMPLE, (old or SAMPLE) * by, by, mode, place, rounding, True) for old, by in pairs):
            return r.placed(r.layer(op, "upsample", [x.node], factor=tuple(factors), method=METHODS[mode]), x)
    if any(new is None for _, new, _ in made):
        raise Unsaid("it resizes an open size by no whole factor, or not as `upsample` does")
    if not all(_equal(old or 0, new or 0, scale, mode, place, rounding, False) for old, new, scale in made):
        raise Unsaid(_elsewhere(place, mode))
    extent = tuple(new for _, new, _ in made)
    return r.placed(r.layer(op, "resize", [x.node], extent=extent, method=METHODS[mode]), x)


def _elsewhere(place: str, mode: str) -> str:
    """Why pixels are none of `resize`, and what is in PyTorch."""
    instead = " (in PyTorch: align_corners=False)" if place == "align_corners" else ""
    return f"it finds pixels by {place} ({mode}), and `resize` takes their centres{instead}"


def _wanted(r: Reader, op: Op, old: bool) -> tuple[list[float] | None, list[Any] | None]:
    """The scales or the sizes of a node."""
    if op.op == "Upsample" and op.version < 9:
        return op.attr("scales"), None
    place = 1 if old else 2
    if op.given(place):
        found = r.constant(op, place, "scales")
        if found.size:
            if found.symbolic or found.dtype.kind != "f":
                raise Unsaid("its scales are known only when it runs")
            return [float(one) for one in found.array().reshape(-1)], None
    return None, r.integers(op, 3, "sizes") if not old else None


def _step(old: int | None, given: Any, scaled: bool) -> tuple[int | None, int | None, float]:
    """A size, the one that it becomes, and the scale."""
    if scaled:
        return old, None if old is None else int(np.floor(old * given)), given
    if old is None:
        raise Unsaid("it makes an open size a known one")
    return old, given, given / old


def _equal(old: int, new: int, scale: float, mode: str, place: str, rounding: str, repeats: bool) -> bool:
    """Whether an axis is resized as netc does it: by the whole factor, or between sizes."""
    if new < 1 or max(old, new) > LARGEST:
        return False
    x = COORDINATES[place](np.arange(new, dtype=float), scale, old, new)
    if mode == "nearest":
        found = ROUNDED[rounding](x).clip(0, old - 1).astype(int)
        return np.array_equal(found, np.arange(new) // int(scale) if repeats else nearest(old, new))
    first, sums = matrix(old, new, "bilinear", 0, new, False)
    wanted = np.zeros((new, old))
    wanted[:, first : first + sums.shape[1]] = sums
    x = x.clip(0, old - 1)
    low = np.floor(x).astype(int).clip(0, old - 1)
    made = np.zeros((new, old))
    np.add.at(made, (np.arange(new), low), 1 - (x - low))
    np.add.at(made, (np.arange(new), np.minimum(low + 1, old - 1)), x - low)
    return bool(np.abs(made - wanted).max() < EXACT)


def _to_another(r: Reader, op: Op, x: Tensor, sizes: list[Any], mode: str, place: str, rounding: str) -> Tensor:
    """An image of the size of another one, or of a multiple of its own."""
    space = r.shape(x)[:-1]
    if (
        not all(isinstance(one, Size) and one.axis == at for at, one in enumerate(sizes))
        or len({one.node for one in sizes}) > 1
    ):
        raise Unsaid("its sizes are computed of several tensors")
    factors = {one.factor for one in sizes}
    samples = [(SAMPLE, SAMPLE * 2), (SAMPLE, SAMPLE + 5), (SAMPLE, SAMPLE - 7)]
    node = sizes[0].node
    if node == x.node and None in space:
        given = tuple(one.factor for one in sizes)
        if all(_equal(SAMPLE, SAMPLE * one, one, mode, place, rounding, True) for one in given):
            return r.placed(r.layer(op, "upsample", [x.node], factor=given, method=METHODS[mode]), x)
    if factors != {1} or not all(_equal(a, b, b / a, mode, place, rounding, False) for a, b in samples):
        raise Unsaid(_elsewhere(place, mode))
    return r.placed(r.layer(op, "resize", [x.node, node], to=True, method=METHODS[mode]), x)


def resampled(table: Constant, old: int) -> str | None:
    """The method of `resize` whose matrix a constant is."""
    if len(table.shape) != 2 or table.shape[1] != old:
        return None
    new = table.shape[0]
    for method in ("bilinear", "bicubic"):
        first, sums = matrix(old, new, method, 0, new, False)
        wanted = np.zeros((new, old), np.float32)
        wanted[:, first : first + sums.shape[1]] = sums.astype(np.float32)
        if np.abs(wanted - table.array()).max() < EXACT:
            return method
    return None
