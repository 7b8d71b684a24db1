"""Where the elements of a value of ONNX are in a tensor of netc, which has its channels last.

A value is a layer's output and, for each of its axes, the digits of the layer's axes that it runs over: all of one
(`Conv` and what follows it: batch, channels, rows, columns), several (`Flatten`), a part of one (a `Reshape` into
groups), or none (a size of 1). So transpositions and reshapes are bookkeeping; a layer is made only where another one
asks for an order that the tensor does not have.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any, NamedTuple

from netc.ir.shape import Dim, Shape, show_shape
from netc.lift.source import Sketch, Unsaid
from netc.targets.onnx.read.sizes import Size, is_batch

BATCH = -1


class Digits(NamedTuple):
    """A part of an axis of a layer's output: an index there is `stride` times this one, plus those of other parts."""

    axis: int  # `BATCH` for the batch
    size: Dim
    stride: int = 1


Axis = tuple[Digits, ...]  # the first changes slowest


@dataclass(frozen=True, slots=True)
class Tensor:
    """A value of ONNX: the output of the layer `node`, in an order of its own."""

    node: str
    axes: tuple[Axis, ...]

    @property
    def rank(self) -> int:
        return len(self.axes)

    def is_batch(self, axis: int) -> bool:
        """Whether an axis runs over the batch."""
        return any(digits.axis == BATCH for digits in self.axes[axis])


class Unknown(Exception):
    """A value that comes of a refused part of the model; why, is noted already."""


def merged(axis: Iterable[Digits]) -> Axis:
    """Digits that follow each other as one."""
    made: list[Digits] = []
    for digits in axis:
        last = made[-1] if made else None
        if (
            last is not None
            and last.axis == digits.axis != BATCH
            and digits.size is not None
            and last.size is not None
            and last.stride == digits.stride * digits.size
        ):
            made[-1] = Digits(last.axis, last.size * digits.size, digits.stride)
        else:
            made.append(digits)
    return tuple(made)


def whole(axis: int, size: Dim) -> Axis:
    """All of an axis of a layer's output."""
    return () if size == 1 else (Digits(axis, size),)


def own(shape: Shape) -> list[Axis]:
    """The axes of a layer's output as they are."""
    return [whole(axis, size) for axis, size in enumerate(shape)]


def extent(axis: Axis) -> Dim:
    """The size of an axis."""
    sizes = [digits.size for digits in axis]
    return None if None in sizes else prod(size for size in sizes if size is not None)


def channels_first(rank: int) -> list[int]:
    """The axes of a layer's output in the order of ONNX's convolutions."""
    return [rank - 1, *range(rank - 1)]


class Layout:
    """Makes layers where a tensor is asked for in another order."""

    def __init__(self, sketch: Sketch) -> None:
        self.sketch = sketch
        self._made: dict[tuple[str, tuple[Axis, ...]], str] = {}

    def shape(self, x: Tensor) -> Shape:
        """The shape of the layer's output."""
        return self.sketch.net.shapes[x.node]

    def placed(self, node: str, batch: Axis, order: Sequence[int]) -> Tensor:
        """A layer's output, whose axes stand in an order."""
        axes = own(self.sketch.net.shapes[node])
        return Tensor(node, (batch, *(axes[axis] for axis in order)))

    def order(self, x: Tensor) -> tuple[int, ...] | None:
        """Which axis of the value each axis of the layer's output is; None where it is no such order."""
        mine = own(self.shape(x))
        if len(mine) != x.rank - 1 or not _has_batch(x):
            return None
        found: list[int] = []
        for axis in mine:
            free = [at for at in range(1, x.rank) if x.axes[at] == axis and at not in found]
            if not free:
                return None
            found.append(free[0])
        return tuple(found)

    def settled(self, x: Tensor) -> tuple[Tensor, tuple[int, ...]]:
        """The same value, as the output of a layer with its axes in some order, and that order."""
        if (order := self.order(x)) is not None:
            return x, order
        last = len(self.shape(x)) - 1
        channels = [at for at in range(1, x.rank) if x.axes[at] == whole(last, self.shape(x)[last]) != ()]
        tried = dict.fromkeys((*channels[:1], x.rank - 1, 1))
        refused: Unsaid | None = None
        for at in tried:
            try:
                made = self.last(x, at)
                order = self.order(made)
                assert order is not None
                return made, order
            except Unsaid as error:
                refused = refused or error
        assert refused is not None
        raise refused

    def turned(self, x: Tensor, order: Sequence[int]) -> Tensor:
        """The value as the output of a layer, whose axes are those of the value in an order. Raises `Unsaid`."""
        if not _has_batch(x):
            raise Unsaid("the batch is not the first axis of what it reads, or not by itself")
        node = self.arranged(x, [x.axes[at] for at in order])
        return self.ordered(node, x, order)

    def last(self, x: Tensor, axis: int) -> Tensor:
        """The value as the output of a layer, whose channels are one of its axes. Raises `Unsaid`."""
        return self.turned(x, [*(at for at in range(1, x.rank) if at != axis), axis])

    def ordered(self, node: str, x: Tensor, order: Sequence[int]) -> Tensor:
        """A layer's output as a value like another one, of whose axes its own are those of an order."""
        axes = [x.axes[0]] * x.rank
        for at, axis in zip(order, own(self.sketch.net.shapes[node]), strict=True):
            axes[at] = axis
        return Tensor(node, tuple(axes))

    def as_vector(self, x: Tensor) -> str:
        """The layer that gives all elements of a value as a vector, in its order."""
        if not _has_batch(x):
            raise Unsaid("the batch is not the first axis of what it reads, or not by itself")
        return self.arranged(x, [sum(x.axes[1:], ())])

    def arranged(self, x: Tensor, wanted: Sequence[Axis]) -> str:
        """The layer whose output has some axes. Raises `Unsaid`, `Unknown`."""
        shape = self.shape(x)
        sizes = tuple(extent(axis) for axis in wanted)
        elements = merged(sum(wanted, ()))
        if any(digits.axis == BATCH for digits in elements):
            raise Unsaid("mixes the batch with other axes")
        if sizes == shape and elements == merged(sum(own(shape), ())):
            return x.node
        key = x.node, tuple(wanted)
        if key not in self._made:
            if None in (*sizes, *shape):
                raise Unsaid(f"rearranges {show_shape(shape)}, whose sizes have to be known for that")
            self._made[key] = self._rearranged(x.node, wanted, sizes, elements)
        return self._made[key]

    def _rearranged(self, node: str, wanted: Sequence[Axis], sizes: Shape, elements: Axis) -> str:
        shape = self.sketch.net.shapes[node]
        mine = merged(sum(own(shape), ()))
        if elements == mine:
            return self._reshaped(node, sizes)
        for layers, after in _exchanges(shape, sizes, elements):
            if merged(sum(after, ())) == elements and tuple(map(extent, after)) == sizes:
                for op, values in layers:
                    node = self._add(node, op, **values)
                return node
        for cut in range(1, len(elements)):
            if merged((*elements[cut:], *elements[:cut])) == mine:
                sides = [prod(one.size or 0 for one in part) for part in (elements[cut:], elements[:cut])]
                swapped = self._add(self._reshaped(node, tuple(sides)), "swap")
                return self._reshaped(swapped, sizes)
        said = ", ".join(show_shape(tuple(one.size for one in axis) or (1,)) for axis in wanted)
        raise Unsaid(f"rearranges {show_shape(shape)} in a way that no layer has (to {said})")

    def _reshaped(self, node: str, sizes: Shape) -> str:
        if self.sketch.net.shapes[node] == sizes:
            return node
        return self._add(node, "flatten") if len(sizes) == 1 else self._add(node, "reshape", shape=sizes)

    def _add(self, node: str, op: str, **values: Any) -> str:
        made = self.sketch.add(f"{self.sketch.sources[node]}.{op}", op, [node], **values)
        if made is None:
            raise Unknown
        return made


def _has_batch(x: Tensor) -> bool:
    return bool(x.axes) and len(x.axes[0]) == 1 and x.axes[0][0].axis == BATCH


Layers = list[tuple[str, dict[str, Any]]]


def _exchanges(shape: Shape, sizes: Shape, elements: Axis) -> Iterator[tuple[Layers, list[Axis]]]:
    """Layers that exchange digits, and the axes of what they make, in digits of what they are given."""
    last, space = len(shape) - 1, own(shape)[:-1]
    channels = shape[last] or 1
    if len(shape) == 2:
        yield [("swap", {})], own(shape)[::-1]
    if len(shape) == len(sizes) and shape == sizes:
        for groups in sorted({digits.size or 1 for digits in elements if digits.axis == last}):
            if channels % groups == 0:
                share = channels // groups
                yield [("shuffle", {"groups": groups})], [*space, (Digits(last, share), Digits(last, groups, share))]
    if len(shape) != len(sizes) or len(shape) < 2 or None in (*shape, *sizes):
        return
    ratios = {(new or 1) / (old or 1) for old, new in zip(shape[:-1], sizes[:-1], strict=True)}
    ratio = ratios.pop() if len(ratios) == 1 else 1.0
    blocks = len(space)
    if ratio < 1 and (1 / ratio).is_integer():
        factor = int(1 / ratio)
        outer = [(Digits(axis, (shape[axis] or 0) // factor, factor),) for axis in range(blocks)]
        inner = tuple(Digits(axis, factor) for axis in range(blocks))
        yield [("todepth", {"factor": factor})], [*map(_shorter, outer), (*inner, *whole(last, channels))]
        after = channels, factor**blocks
        yield (
            [("todepth", {"factor": factor}), ("shuffle", {"groups": after[1]})],
            [*map(_shorter, outer), (*whole(last, channels), *inner)],
        )
    if ratio > 1 and ratio.is_integer() and channels % int(ratio) ** blocks == 0:
        factor = int(ratio)
        left = channels // factor**blocks
        strides = [left * factor ** (blocks - 1 - axis) for axis in range(blocks)]
        parts = [
            (*whole(axis, shape[axis]), Digits(last, factor, stride))
            for axis, stride in zip(range(blocks), strides, strict=True)
        ]
        yield [("tospace", {"factor": factor})], [*parts, _shorter((Digits(last, left),))]
        strides = [factor ** (blocks - 1 - axis) for axis in range(blocks)]
        parts = [
            (*whole(axis, shape[axis]), Digits(last, factor, stride))
            for axis, stride in zip(range(blocks), strides, strict=True)
        ]
        yield (
            [("shuffle", {"groups": left}), ("tospace", {"factor": factor})],
            [*parts, _shorter((Digits(last, left, factor**blocks),))],
        )


def _shorter(axis: Axis) -> Axis:
    """An axis without digits of size 1."""
    return tuple(digits for digits in axis if digits.size != 1)


# -- reshapes ------------------------------------------------------------------------------------------------------


def regrouped(x: Tensor, sizes: Sequence[int | Size]) -> tuple[Axis, ...] | None:
    """The axes of a value with other sizes, of which one may be -1; None where they cut its axes nowhere."""
    left = list(sum(x.axes, ()))
    one = next((at for at, digits in enumerate(left) if digits == Digits(BATCH, 1)), None)
    inner = None if one is None else extent(tuple(left[one + 1 :]))
    if one is None or inner is None:
        return _grouped(left, sizes)
    batch = left.pop(one)
    axes = _grouped(left, sizes)
    return None if axes is None else _with_batch(axes, batch, inner)


def _grouped(left: list[Digits], sizes: Sequence[int | Size]) -> tuple[Axis, ...] | None:
    at = next((at for at, size in enumerate(sizes) if isinstance(size, int) and size == -1), len(sizes))
    made = [_taken(left, size, True) for size in sizes[:at]]
    ends = [_taken(left, size, False) for size in reversed(sizes[at + 1 :])]
    if None in made or None in ends:
        return None
    rest = [tuple(left)] if at < len(sizes) else []
    if not rest and left:
        return None
    return tuple(merged(axis) for axis in (*made, *rest, *reversed(ends)) if axis is not None)


def _with_batch(axes: tuple[Axis, ...], batch: Digits, inner: int) -> tuple[Axis, ...]:
    """Axes with a batch of one among them, after which `inner` elements come: in an axis of size 1 of its own where
    there is one, else in one that is not the last, which has the channels."""
    places = [at for at in range(len(axes) + 1) if extent(sum(axes[at:], ())) == inner]
    at = places[0] if places else 0
    if len(places) < 2:  # no axis of size 1 between
        at -= at == len(axes) - 1 > 0
        at = 0 if at == len(axes) else at
    held = (*axes[at], batch) if places and at < places[0] else (batch, *axes[at])
    return (*axes[:at], held, *axes[at + 1 :]) if axes else axes


def in_parts(lead: Tensor, others: Sequence[Tensor]) -> list[list[int]] | None:
    """Which axes of a value follow each other as parts of one axis of its layer, where they do so in others too, or
    these have size 1 there; None where there is nothing to join."""
    found: list[list[int]] = [[0]]
    for at in range(1, lead.rank):
        before = merged(sum((lead.axes[one] for one in found[-1]), ()))
        fits = len(before) == len(lead.axes[at]) == 1 == len(merged((*before, *lead.axes[at])))
        alike = all(_alike(lead, x, [*found[-1], at]) for x in others)
        if fits and alike and found[-1] != [0]:
            found[-1].append(at)
        else:
            found.append([at])
    return found if len(found) < lead.rank else None


def _alike(lead: Tensor, x: Tensor, part: Sequence[int]) -> bool:
    """Whether axes have the sizes that they have in another value, or all size 1."""
    return all(x.axes[at] == () for at in part) or all(extent(x.axes[at]) == extent(lead.axes[at]) for at in part)


def joined_axes(x: Tensor, parts: Sequence[Sequence[int]]) -> Tensor:
    """A value whose axes are joined, part by part."""
    return Tensor(x.node, tuple(merged(sum((x.axes[at] for at in part), ())) for part in parts))


def parted(x: Tensor, sizes: Sequence[Sequence[int]]) -> Tensor:
    """A value each of whose axes becomes several, where it has several sizes."""
    made: list[Axis] = []
    for axis, wanted in zip(x.axes, sizes, strict=True):
        if len(wanted) == 1:
            made.append(axis)
            continue
        left = list(axis)
        for size in wanted:
            taken = _taken(left, size, True)
            assert taken is not None
            made.append(taken)
    return Tensor(x.node, tuple(made))


def _taken(left: list[Digits], size: int | Size, first: bool) -> Axis | None:
    """Digits of a size from the beginning of others, or from the end; they are taken out."""
    made: list[Digits] = []
    count, missing = (size, None) if isinstance(size, int) else (size.factor, size)
    at = 0 if first else -1
    if missing is None and first and left and left[0].axis == BATCH and left[0].size is not None:
        if count % left[0].size:
            return None
        count //= left[0].size
        made.append(left.pop(0))
    while count > 1 or missing is not None:
        if not left:
            return None
        axis, held, stride = left[at]
        if missing is not None and _is_of(left[at], missing):
            made.append(left.pop(at))
            missing = None
        elif held is None or axis == BATCH:
            return None
        elif count % held == 0:
            made.append(left.pop(at))
            count //= held
        elif held % count == 0 and missing is None:
            outer, inner = (count, held // count) if first else (held // count, count)
            parts = Digits(axis, outer, stride * inner), Digits(axis, inner, stride)
            left[at] = parts[1] if first else parts[0]
            made.append(parts[0] if first else parts[1])
            count = 1
        else:
            return None
    return tuple(made if first else made[::-1])


def _is_of(digits: Digits, size: Size) -> bool:
    """Whether digits are those of an axis whose size is open."""
    if is_batch(size):
        return digits.axis == BATCH
    return digits.size is None and digits.axis == size.axis
