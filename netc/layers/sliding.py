"""What convolutions and pools share: the rank of their input, windows that must fit, padding."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any, Literal

from netc.ir.shape import Dim, Shape, rank_of, show_shape
from netc.ir.window import Window, known_same_padding, output_size, same_padding
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
    return [_around(*each) for each in zip(*(spread(value, rank) for value in (pad, kernel, dilation)), strict=True)]


def _around(pad: str | int, taps: int, gap: int) -> tuple[int, int]:
    """What is padded before and after one dimension, but for `same`."""
    if pad == "causal":
        return (taps - 1) * gap, 0
    return (0, 0) if isinstance(pad, str) else (pad, pad)


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


def pad_of(sizes: Sequence[Dim], wanted: Sequence[Window], words: Sequence[str]) -> str | tuple[int, ...] | None:
    """The value of `pad`, one of some words or pixels, with which windows read what those `wanted` do on a map of these
    sizes, whatever the open ones are; None where there is none."""
    ways: list[str | tuple[int, ...]] = [*words, tuple(one.before for one in wanted)]
    return next((pad for pad in ways if _stand_as(pad, sizes, wanted)), None)


def _stand_as(pad: str | tuple[int, ...], sizes: Sequence[Dim], wanted: Sequence[Window]) -> bool:
    for own, size, one in zip(spread(pad, len(wanted)), sizes, wanted, strict=True):
        if own == "same":
            sides = known_same_padding(size, one.size, one.stride, one.dilation)
        else:
            sides = _around(own, one.size, one.dilation)
        if sides is None or not one.stands_as(replace(one, before=sides[0], after=sides[1]), size):
            return False
    return True


@lru_cache(maxsize=4096)  # equal layers are most of a deep network
def slide_windows(shape: Shape, kernel: Sized, stride: Sized, dilation: Sized, pad: str | Sized) -> tuple[Window, ...]:
    """The windows of each dimension. On an unknown size, `same` is taken as on a multiple of the stride."""
    axes = zip(shape[:-1], *(spread(value, rank_of(shape)) for value in (kernel, stride, dilation, pad)), strict=True)
    windows = []
    for size, taps, step, gap, own in axes:
        if own == "same":
            around = same_padding(taps * step if size is None else size, taps, step, gap)
        else:
            around = _around(own, taps, gap)
        windows.append(Window(taps, step, gap, *around))
    return tuple(windows)
