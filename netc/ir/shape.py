"""Tensor shapes: without the batch dimension, channels last."""

from __future__ import annotations

from math import prod

Dim = int | None
Shape = tuple[Dim, ...]

SIZES = ("frames", "rows", "columns", "channels")  # what a spec calls the sizes of a tensor
_AXES = (("channels",), ("rows", "channels"), ("rows", "columns", "channels"), SIZES)


def show_shape(shape: Shape) -> str:
    """A shape as a spec writes it: `32x32x3`, `?x?x3`."""
    return "x".join("?" if dim is None else str(dim) for dim in shape)


def rank_of(shape: Shape) -> int:
    """Number of spatial dimensions (0 for a vector)."""
    return len(shape) - 1


def channels_of(shape: Shape) -> int:
    """Channel count, which is always known."""
    channels = shape[-1]
    assert channels is not None
    return channels


def is_pixel(shape: Shape) -> bool:
    """Whether it has a single position: a vector has none."""
    return rank_of(shape) > 0 and all(size == 1 for size in shape[:-1])


def axes_of(shape: Shape) -> tuple[str, ...]:
    """What a spec calls each size of a shape; no name for those of more than three spatial dimensions."""
    rank = rank_of(shape)
    return _AXES[rank] if rank < len(_AXES) else (*("",) * rank, "channels")


def fits(shape: Shape, place: Shape) -> bool:
    """Whether a tensor of a shape can stand where a shape is asked for, whose unknown sizes take any."""
    return len(shape) == len(place) and all(there in (None, here) for here, there in zip(shape, place, strict=True))


def elements(shape: Shape) -> int | None:
    """Number of elements, or None when a size is unknown."""
    known = [dim for dim in shape if dim is not None]
    return prod(known) if len(known) == len(shape) else None
