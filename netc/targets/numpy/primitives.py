"""The functions of `netc.primitives` in NumPy: in the type of the input, float32 or float64."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import product
from math import erf, prod
from typing import TYPE_CHECKING, Any

import numpy as np

from netc.ir.resampling import matrix, nearest
from netc.ir.window import output_size, same_padding

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from netc.layers.base import Layer
    from netc.primitives import Pad, Sizes, Tensors, Weighted

    Array = NDArray[Any]

AT_ONCE, LONG = 16, 1 << 14  # new pixels that are made by one matrix, over at most so many old ones
_erf = np.vectorize(erf, otypes=[float])


class Numpy:
    """Each function as it is defined, without a thought for speed but that matrices are multiplied as such."""

    def layer(self, layer: Layer, xs: Tensors, w: Weighted) -> Any:
        return layer.compute(self, xs, w)

    # -- element by element ----------------------------------------------------------------------------------

    def exp(self, x: Array) -> Any:
        return np.exp(x)

    def log(self, x: Array) -> Any:
        return np.log(x)

    def sqrt(self, x: Array) -> Any:
        return np.sqrt(x)

    def tanh(self, x: Array) -> Any:
        return np.tanh(x)

    def erf(self, x: Array) -> Any:
        return _erf(x).astype(x.dtype)

    def sigmoid(self, x: Array) -> Any:
        small = np.exp(-np.abs(x))
        return np.where(x < 0, small, 1) / (1 + small)

    def abs(self, x: Array) -> Any:
        return np.abs(x)

    def pow(self, x: Array, exponent: float) -> Any:
        return np.power(x, exponent)

    def maximum(self, x: Array, other: Any) -> Any:
        return np.maximum(x, other)

    def clip(self, x: Array, low: float, high: float) -> Any:
        return np.clip(x, low, high)

    def where(self, condition: Array, x: Any, other: Any) -> Any:
        return np.where(condition, x, other)

    # -- along axes ------------------------------------------------------------------------------------------

    def sum(self, x: Array, axes: Sequence[int], keep: bool = False) -> Any:
        return np.sum(x, tuple(axes), keepdims=keep)

    def mean(self, x: Array, axes: Sequence[int], keep: bool = False) -> Any:
        return np.mean(x, tuple(axes), keepdims=keep)

    def max(self, x: Array, axes: Sequence[int], keep: bool = False) -> Any:
        return np.max(x, tuple(axes), keepdims=keep)

    def softmax(self, x: Array) -> Any:
        powers = np.exp(x - np.max(x, -1, keepdims=True))
        return powers / np.sum(powers, -1, keepdims=True)

    def standardize_channels(self, x: Array, epsilon: float) -> Any:
        return _standardized(x, (-1,), epsilon)

    def standardize_groups(self, x: Array, groups: int, epsilon: float) -> Any:
        parts = x.reshape((*x.shape[:-1], groups, x.shape[-1] // groups))
        return _standardized(parts, (*range(1, x.ndim - 1), -1), epsilon).reshape(x.shape)

    def sort_descending(self, x: Array) -> Any:
        return -np.sort(-x, -1)

    def cumsum(self, x: Array) -> Any:
        return np.cumsum(x, -1)

    def arange(self, count: int) -> Any:
        return np.arange(1, count + 1, dtype=np.float32)

    # -- shapes ----------------------------------------------------------------------------------------------

    def flatten(self, x: Array) -> Any:
        return x.reshape((len(x), prod(x.shape[1:])))

    def reshape(self, x: Array, shape: Sizes) -> Any:
        return x.reshape((len(x), *shape))

    def concat(self, xs: Sequence[Array], axis: int = -1) -> Any:
        return np.concatenate(xs, axis)

    def prepend(self, x: Array, rows: Array) -> Any:
        return np.concatenate([np.broadcast_to(rows, (len(x), *rows.shape)).astype(x.dtype), x], 1)

    def transpose(self, x: Array, axes: Sequence[int]) -> Any:
        return np.transpose(x, axes)

    def pad(self, x: Array, sides: Sequence[tuple[int, int]], mode: str = "zeros") -> Any:
        around = [(0, 0), *sides]
        return np.pad(x, around) if mode == "zeros" else np.pad(x, around, mode)  # type: ignore[call-overload]

    def crop(self, x: Array, like: Array, offsets: Sequence[int | None]) -> Any:
        found = zip(x.shape[1:-1], like.shape[1:-1], offsets, strict=True)
        starts = [((size - kept) // 2 if offset is None else offset, kept) for size, kept, offset in found]
        return x[:, *(slice(start, start + kept) for start, kept in starts)]

    def space_to_depth(self, x: Array, factor: int) -> Any:
        rank = x.ndim - 2
        parts = x.reshape((len(x), *(part for size in x.shape[1:-1] for part in (size // factor, factor)), x.shape[-1]))
        parts = parts.transpose((0, *range(1, 2 * rank, 2), *range(2, 2 * rank + 1, 2), 2 * rank + 1))
        return parts.reshape((*parts.shape[: rank + 1], factor**rank * x.shape[-1]))

    def depth_to_space(self, x: Array, factor: int) -> Any:
        rank = x.ndim - 2
        parts = x.reshape((*x.shape[:-1], *(factor,) * rank, x.shape[-1] // factor**rank))
        parts = parts.transpose((0, *(axis for n in range(1, rank + 1) for axis in (n, n + rank)), 2 * rank + 1))
        return parts.reshape((len(x), *(size * factor for size in x.shape[1:-1]), parts.shape[-1]))

    def slice(self, x: Array, slices: Sequence[slice]) -> Any:
        return x[:, *slices]

    def gather(self, x: Array, order: Sequence[int]) -> Any:
        return x[..., list(order)]

    def resize(self, x: Array, factors: Sizes, method: str) -> Any:
        for axis, factor in enumerate(factors, 1):
            x = np.repeat(x, factor, axis) if method == "nearest" else _interpolated(x, axis, factor)
        return x

    def interpolate(self, x: Array, like: Any, method: str) -> Any:
        sizes = like.shape[1:-1] if isinstance(like, np.ndarray) else like
        return self.resample(x, sizes, method, smooth=False)

    def resample(self, x: Array, sizes: Sizes, method: str, smooth: bool = True) -> Any:
        along = {axis: size / x.shape[axis] for axis, size in enumerate(sizes, 1)}
        for axis in sorted(along, key=lambda axis: along[axis]):  # what becomes smaller first: the rest is less work
            x = _resampled(x, axis, sizes[axis - 1], method, smooth)
        return x

    # -- sums of products, and windows -----------------------------------------------------------------------

    def matmul(self, x: Array, kernel: Array) -> Any:
        return x @ kernel

    def lookup(self, ids: Array, table: Array) -> Any:
        if not ((ids >= 0) & (ids < len(table)) & (ids == np.trunc(ids))).all():
            raise ValueError(f"ids are whole numbers from 0 to {len(table) - 1}, and others are given")
        return table[ids.astype(np.int64)]

    def attend(self, query: Array, key: Array, value: Array, heads: int, causal: bool) -> Any:
        query, key, value = (_by_head(x, heads) for x in (query, key, value))
        scores = query @ key.swapaxes(-1, -2) * query.dtype.type(query.shape[-1] ** -0.5)
        if causal:
            scores = np.where(np.tri(*scores.shape[-2:]) > 0, scores, scores.dtype.type(-np.inf))
        means = (self.softmax(scores) @ value).swapaxes(1, 2)
        return means.reshape((*means.shape[:2], -1))

    def recur(self, cell: str, x: Array, ways: Sequence[tuple[Array, Array, Any]], every: bool) -> Any:
        states = [self._way(cell, x[:, :: -1 if back else 1], *way) for back, way in enumerate(ways)]
        if not every:
            return self.concat([found[-1] for found in states])
        return self.concat([np.stack(found[:: -1 if back else 1], 1) for back, found in enumerate(states)])

    def _way(self, cell: str, x: Array, kernel: Array, recurrent: Array, bias: Any) -> list[Array]:
        """The states of a cell, one position after the other."""
        biases = np.zeros((2, kernel.shape[1]), x.dtype)
        if bias is not None:
            biases[: bias.size // kernel.shape[1]] = bias
        own = x @ kernel + biases[0]
        memory = state = np.zeros((len(x), len(recurrent)), x.dtype)
        states = []
        for at in range(x.shape[1]):
            parts = np.split(own[:, at], kernel.shape[1] // len(recurrent), -1)
            more = np.split(state @ recurrent + biases[1], len(parts), -1)
            if cell == "lstm":
                write, keep, new, read = (one + other for one, other in zip(parts, more, strict=True))
                memory = self.sigmoid(keep) * memory + self.sigmoid(write) * np.tanh(new)
                state = self.sigmoid(read) * np.tanh(memory)
            elif cell == "gru":
                update, reset = (self.sigmoid(one + other) for one, other in zip(parts[:2], more[:2], strict=True))
                state = update * state + (1 - update) * np.tanh(parts[2] + reset * more[2])
            else:
                state = np.tanh(parts[0] + more[0])
            states.append(state)
        return states

    def conv(self, x: Array, kernel: Array, stride: Sizes, dilation: Sizes, pad: Pad, groups: int = 1) -> Any:
        window, channels, filters = kernel.shape[:-2], kernel.shape[-2], kernel.shape[-1] // groups
        weight = kernel.reshape((*window, channels, groups, filters))
        total: Any = 0
        for tap, part in _taps(x, window, stride, dilation, pad, 0):
            by_group = part.reshape((*part.shape[:-1], groups, channels))
            if channels == 1:
                product = by_group * weight[tap][0]
            else:
                product = np.moveaxis(np.moveaxis(by_group, -2, 0) @ _matrices(weight[tap], by_group.ndim), 0, -2)
            total = total + product
        return total.reshape((*total.shape[:-2], groups * filters))

    def conv_transpose(
        self, x: Array, kernel: Array, stride: Sizes, dilation: Sizes, cut: Sequence[tuple[int, int]], more: Sizes
    ) -> Any:
        window, sizes = kernel.shape[:-2], x.shape[1:-1]
        steps = list(zip(sizes, window, stride, dilation, strict=True))
        full = [(size - 1) * step + (taps - 1) * gap + 1 for size, taps, step, gap in steps]
        total = np.zeros((len(x), *(n + rest for n, rest in zip(full, more, strict=True)), kernel.shape[-2]), x.dtype)
        for tap in product(*map(range, window)):
            reached = [
                slice(at * gap, at * gap + (size - 1) * step + 1, step)
                for at, (size, _, step, gap) in zip(tap, steps, strict=True)
            ]
            total[:, *reached] += x @ kernel[tap].T
        kept = [slice(a, size - b) for (a, b), size in zip(cut, total.shape[1:-1], strict=True)]
        return total[:, *kept]

    def max_pool(self, x: Array, kernel: Sizes, stride: Sizes, pad: Pad) -> Any:
        return _over(np.maximum, x, kernel, stride, pad, -np.inf)

    def avg_pool(self, x: Array, kernel: Sizes, stride: Sizes, pad: Pad, count_padding: bool) -> Any:
        total = _over(np.add, x, kernel, stride, pad, 0)
        if count_padding:
            return total / prod(kernel)
        return total / _over(np.add, np.ones((1, *x.shape[1:-1], 1), x.dtype), kernel, stride, pad, 0)


def _standardized(x: Array, axes: tuple[int, ...], epsilon: float) -> Any:
    centred = x - np.mean(x, axes, keepdims=True)
    return centred / np.sqrt(np.mean(centred * centred, axes, keepdims=True) + epsilon)


def _interpolated(x: Array, axis: int, factor: int) -> Any:
    """Linear interpolation along one axis between the centres of pixels."""
    size = x.shape[axis]
    places = np.clip((np.arange(size * factor) + 0.5) / factor - 0.5, 0, size - 1)
    first = np.floor(places).astype(int)
    share = (places - first).astype(x.dtype).reshape((-1, *(1,) * (x.ndim - axis - 1)))
    return np.take(x, first, axis) * (1 - share) + np.take(x, np.minimum(first + 1, size - 1), axis) * share


def _resampled(x: Array, axis: int, size: int, method: str, smooth: bool) -> Array:
    """Weighted sums along one axis, for a few pixels at a time: for all, the matrix is large, and mostly zeros."""
    before = x.shape[axis]
    if method == "nearest":
        return np.take(x, nearest(before, size), axis)
    lines = x.reshape((*x.shape[: axis + 1], prod(x.shape[axis + 1 :])))
    made = np.empty((*x.shape[:axis], size, lines.shape[-1]), x.dtype)
    few = max(1, min(AT_ONCE, LONG * size // before))
    for begin in range(0, size, few):
        low, sums = matrix(before, size, method, begin, begin + few, smooth)
        made[..., begin : begin + few, :] = sums.astype(x.dtype) @ lines[..., low : low + sums.shape[1], :]
    return made.reshape((*x.shape[:axis], size, *x.shape[axis + 1 :]))


def _by_head(x: Array, heads: int) -> Any:
    """batch x positions x channels as batch x heads x positions x channels of a head."""
    return x.reshape((*x.shape[:2], heads, -1)).swapaxes(1, 2)


def _matrices(weight: Array, ndim: int) -> Any:
    """Channels x groups x filters as a matrix for each group, behind which other axes are those of positions."""
    by_group = np.moveaxis(weight, 1, 0)
    return by_group.reshape((len(by_group), *(1,) * (ndim - 3), *by_group.shape[1:]))


def _taps(
    x: Array, window: Sizes, stride: Sizes, dilation: Sizes, pad: Pad, beyond: float
) -> Iterator[tuple[tuple[int, ...], Array]]:
    """What each tap of a window sees, one pixel a window, `beyond` in the padding."""
    steps = list(zip(x.shape[1:-1], window, stride, dilation, strict=True))
    sides = [same_padding(*each) for each in steps] if isinstance(pad, str) else list(pad)
    count = [output_size(*each, around) or 0 for each, around in zip(steps, sides, strict=True)]
    if any(map(any, sides)):
        x = np.pad(x, [(0, 0), *sides, (0, 0)], constant_values=beyond)
    for tap in product(*map(range, window)):
        seen = [
            slice(at * gap, at * gap + (number - 1) * step + 1, step)
            for at, number, step, gap in zip(tap, count, stride, dilation, strict=True)
        ]
        yield tap, x[:, *seen]


def _over(combine: Callable[[Any, Any], Any], x: Array, window: Sizes, stride: Sizes, pad: Pad, beyond: float) -> Any:
    total: Any = None
    for _, part in _taps(x, window, stride, (1,) * len(window), pad, beyond):
        total = part if total is None else combine(total, part)
    return total
