"""What convolutions and pools share: the rank of their input, windows that must fit, padding."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Literal

from netc.ir.shape import Dim, Shape, rank_of, show_shape
from netc.ir.window import Window, output_size, same_padding
from netc.layers.kinds import Sized
from netc.params import Refused
from netc.values import show

Sides = str | tuple[tuple[int, int], ...]  # "same", "valid", "causal", or (before, after) of each dimension

_LAYOUTS = {1: "steps and channels", 2: "height, width and channels", 3: "depth, height, width and channels"}


def spread(sizes: Any, rank: int) -> tuple[Any, ...]:
    """One size a dimension; a single one counts for all."""
    return sizes if isinstance(sizes, tuple) else (sizes,) * rank


def all_are(sizes: Sized, wanted: int) -> bool:
    """Whether a size, one number or one a dimension, is `wanted` throughout."""
    return all(size == wanted for size in spread(sizes, 1))


def spatial_rank(op: str, shape: Shape, most: int = 3, help: str = "") -> int:
    """The number of spatial dimensions, which must be from 1 to `most`; else NET202."""
    rank = rank_of(shape)
    if rank == 0:
        raise Refused(
            "NET202",
            f"`{op}` works on positions, but its input is a vector of {show_shape(shape)}: expected at least one "
            "spatial dimension before the channels",
            label=f"a vector of {show_shape(shape)} here",
            help=(help or "put it before the `fc`, `flatten` or `gap`, or give the vector a shape with `reshape`",),
        )
    if rank > most:
        raise too_many_dimensions(op, rank, most, help)
    return rank


def too_many_dimensions(op: str, rank: int, most: int, help: str = "") -> Refused:
    """The error of an input that has more spatial dimensions than an operation takes, or must have for its sizes."""
    dimensions = f"{most} spatial dimension{'s' * (most > 1)} ({_LAYOUTS[most]})"
    message = f"`{op}` takes at most {dimensions}, and the input has {rank}"
    return Refused("NET202", message, help=(help,) if help else ())


def sides(pad: str | Sized, rank: int) -> Sides:
    """A `pad` parameter as (before, after) of each dimension, unless it is a word."""
    return pad if isinstance(pad, str) else tuple((pixels, pixels) for pixels in spread(pad, rank))


def padding(pad: str | Sized, kernel: Sized, dilation: Sized, rank: int) -> Literal["same"] | list[tuple[int, int]]:
    """A `pad` parameter as (before, after) of each dimension, but for `same`, which depends on the size."""
    if pad == "same":
        return "same"
    if pad == "causal":
        steps = zip(spread(kernel, rank), spread(dilation, rank), strict=True)
        return [((taps - 1) * gap, 0) for taps, gap in steps]
    return [(0, 0)] * rank if isinstance(pad, str) else [(pixels, pixels) for pixels in spread(pad, rank)]


def slide(op: str, shape: Shape, kernel: Sized, stride: Sized, dilation: Sized, pad: str | Sized) -> tuple[Dim, ...]:
    """Spatial size after a sliding window; NET204 when the window does not fit."""
    rank = rank_of(shape)
    kernels, strides, dilations = spread(kernel, rank), spread(stride, rank), spread(dilation, rank)
    around = sides(pad, rank)
    per_dim = [around] * rank if isinstance(around, str) else around
    out = tuple(map(output_size, shape[:-1], kernels, strides, dilations, per_dim))
    if any(size is not None and size < 1 for size in out):
        raise _too_large(op, shape, kernels, dilations, around)
    return out


def _too_large(op: str, shape: Shape, kernel: Sequence[int], dilation: Sequence[int], around: Sides) -> Refused:
    extent = tuple((taps - 1) * step + 1 for taps, step in zip(kernel, dilation, strict=True))
    spread_out = f" (dilated to {show(extent)})" if extent != tuple(kernel) else ""
    padded = [0] * len(extent) if isinstance(around, str) else [before + after for before, after in around]
    least = tuple(max(size - pad, 1) for size, pad in zip(extent, padded, strict=True))
    same = ", or use `pad=same`" if around != "same" else ""
    return Refused(
        "NET204",
        f"`{op}` with a window of {show(tuple(kernel))}{spread_out} needs at least {show(least)}, "
        f"but its input is {show_shape(shape[:-1])}",
        label=f"{show_shape(shape)} here",
        help=(f"remove it, make its window smaller, or start from a larger input{same}",),
    )


@lru_cache(maxsize=4096)  # equal layers are most of a deep network
def slide_windows(shape: Shape, kernel: Sized, stride: Sized, dilation: Sized, pad: str | Sized) -> tuple[Window, ...]:
    """The windows of each dimension. On an unknown size, `same` is taken as on a multiple of the stride."""
    rank = rank_of(shape)
    around = sides(pad, rank)
    windows = []
    for axis, size in enumerate(shape[:-1]):
        taps, step, gap = (spread(value, rank)[axis] for value in (kernel, stride, dilation))
        if around == "same":
            before, after = same_padding(taps * step if size is None else size, taps, step, gap)
        elif around == "causal":
            before, after = (taps - 1) * gap, 0
        else:
            before, after = (0, 0) if isinstance(around, str) else around[axis]
        windows.append(Window(taps, step, gap, before, after))
    return tuple(windows)
