"""Operations that change shapes, rearrange, cut or join, of tensors and of constants."""

from __future__ import annotations

from collections.abc import Sequence
from math import gcd, prod
from typing import Any

import numpy as np

from netc.ir.shape import axes_of, channels_of, rank_of
from netc.lift.source import Unsaid
from netc.targets.onnx.read.constants import MOST, Constant, known, stored
from netc.targets.onnx.read.elements import channels_at, enlarged
from netc.targets.onnx.read.folding import folded
from netc.targets.onnx.read.graph import Op
from netc.targets.onnx.read.layout import BATCH, Axis, Digits, Tensor, extent, own, regrouped
from netc.targets.onnx.read.reader import Reader, Repeated, reads
from netc.targets.onnx.read.sequences import Scores
from netc.targets.onnx.read.sizes import Size, is_batch

FAR = 1 << 31
REPEATING = ("Add", "Sub", "Mul")  # elements of a smaller tensor for those of a larger one
MOST_PARTS = 64  # shares of channels that are joined to one


def sizes_of(r: Reader, x: Tensor) -> list[Any]:
    """The sizes of a value; open ones as a `Size`."""
    made: list[Any] = []
    for axis in x.axes:
        size = extent(axis)
        if size is None:
            held = [digits for digits in axis if digits.size is None]
            if len(held) > 1:
                raise Unsaid("computes with a product of open sizes")
            known = prod(digits.size for digits in axis if digits.size is not None)
            batch = held[0].axis == BATCH
            made.append(Size("" if batch else x.node, held[0].axis, known))
        else:
            made.append(size)
    return made


@reads(25, "Shape")
def shape(r: Reader, op: Op) -> Constant:
    x = r.value(op, 0)
    start, end = op.attr("start", 0), op.attr("end")
    if isinstance(x, Constant):
        return known(np.asarray(x.shape, np.int64)[start:end])
    if isinstance(x, Scores) and start in (-2, x.query.rank - 2):
        sizes = [sizes_of(r, x.query)[-2], sizes_of(r, x.key)[-1]][:end]
    elif isinstance(x, Tensor):
        sizes = sizes_of(r, x)[start:end]
    else:
        raise Unsaid("it is of a constant that is repeated, or within an attention")
    if all(isinstance(size, int) for size in sizes):
        return known(np.asarray(sizes, np.int64))
    array = np.empty(len(sizes), object)
    array[:] = sizes
    return known(array)


@reads(25, "ConstantOfShape")
def filled(r: Reader, op: Op) -> Any:
    wanted, value = r.integers(op, 0, "shape") or [], op.attr("value")
    held = np.float32(0) if value is None else stored(value, None).array().reshape(-1)[0]
    sizes = [size for size in wanted if isinstance(size, int)]
    if len(sizes) < len(wanted):
        return Repeated(known(np.asarray(held)))
    if any(size < 0 for size in sizes) or prod(sizes) * 8 > MOST:
        raise Unsaid(f"it makes a constant of the sizes {sizes}")
    return known(np.full(sizes, held))


@reads(25, "Transpose")
def transpose(r: Reader, op: Op) -> Any:
    x = r.value(op, 0)
    rank = len(x.axes) if isinstance(x, Tensor) else len(x.shape) if isinstance(x, Constant) else 0
    perm = op.attr("perm") or list(range(rank))[::-1]
    if sorted(perm) != list(range(rank)):
        raise Unsaid(f"its perm is {perm}, of {rank} axes")
    if isinstance(x, Tensor):
        return Tensor(x.node, tuple(x.axes[at] for at in perm))
    if isinstance(x, Constant):
        return x.changed(tuple(x.shape[at] for at in perm), lambda array: array.transpose(perm))
    raise Unsaid("it is of a constant that is repeated")


@reads(25, "Reshape")
def reshape(r: Reader, op: Op) -> Any:
    x, sizes = r.plain(op, 0), r.integers(op, 1, "shape")
    if sizes is None:
        raise Unsaid("it has no shape")
    before: list[Any] = list(x.shape) if isinstance(x, Constant) else sizes_of(r, x)
    if not op.flag("allowzero"):
        if any(size == 0 and at >= len(before) for at, size in enumerate(sizes)):
            raise Unsaid(f"its shape is {sizes}, of {len(before)} axes")
        sizes = [before[at] if size == 0 else size for at, size in enumerate(sizes)]
    if sizes.count(-1) > 1 or any(isinstance(size, int) and (size < -1 or size == 0) for size in sizes):
        raise Unsaid(f"its shape is {sizes}")
    if isinstance(x, Constant):
        return _reshaped_constant(x, sizes)
    return reshaped(r, x, sizes)


def _reshaped_constant(x: Constant, sizes: list[Any]) -> Constant:
    if not all(isinstance(size, int) for size in sizes):
        raise Unsaid("its shape is known only when it runs")
    rest = prod(size for size in sizes if size != -1)
    wanted = tuple(x.size // max(rest, 1) if size == -1 else size for size in sizes)
    if prod(wanted) != x.size:
        raise Unsaid(f"its shape is {sizes}, and the constant has {x.size:,} numbers")
    made = x.changed(wanted, lambda array: array.reshape(wanted))
    return made


def reshaped(r: Reader, x: Tensor, sizes: Sequence[Any]) -> Tensor:
    """A value in other sizes, of which one may be -1."""
    axes = regrouped(x, sizes)
    if axes is not None:
        return Tensor(x.node, axes)
    if x.axes[0] and x.axes[0][0].axis == BATCH and len(x.axes[0]) == 1:
        flat = r.layout.as_vector(x)
        vector = Tensor(flat, (x.axes[0], own(r.sketch.net.shapes[flat])[0]))
        axes = regrouped(vector, sizes)
        if axes is not None:
            return Tensor(flat, axes)
    raise Unsaid(f"its shape is {list(sizes)}, which does not fit {sizes_of(r, x)}")


@reads(25, "Flatten")
def flatten(r: Reader, op: Op) -> Tensor:
    x = r.tensor(op)
    axis = r.axis(op.attr("axis", 1), x.rank + 1)
    if axis == 0:
        raise Unsaid("it mixes the batch with other axes")
    return Tensor(x.node, (sum(x.axes[:axis], ()), sum(x.axes[axis:], ())))


@reads(25, "Squeeze")
def squeeze(r: Reader, op: Op) -> Any:
    x = r.plain(op, 0)
    rank = len(x.shape) if isinstance(x, Constant) else x.rank
    ones = [at for at in range(rank) if (x.shape[at] == 1 if isinstance(x, Constant) else x.axes[at] == ())]
    if isinstance(x, Tensor) and op.given(1) == "" and "axes" not in op.attributes and extent(x.axes[0]) == 1:
        raise Unsaid("it takes away the axis of the batch, which has the size 1 here: export the model for any batch")
    axes = r.axes(op, 1, 13, rank, ones) or []
    if not set(axes) <= set(ones):
        raise Unsaid("it takes away an axis whose size is not 1, or may be another")
    left = [at for at in range(rank) if at not in axes]
    if isinstance(x, Tensor):
        return Tensor(x.node, tuple(x.axes[at] for at in left))
    return _reshaped_constant(x, [x.shape[at] for at in left])


@reads(25, "Unsqueeze")
def unsqueeze(r: Reader, op: Op) -> Any:
    x = r.plain(op, 0)
    given = r.whole_numbers(op, 1, "axes") if op.version >= 13 else op.attr("axes")
    rank = (len(x.shape) if isinstance(x, Constant) else x.rank) + len(given or [])
    axes = {r.axis(axis, rank) for axis in given or []}
    if len(axes) != len(given or []):
        raise Unsaid(f"its axes are {given}")
    rest = iter(x.shape if isinstance(x, Constant) else x.axes)
    if isinstance(x, Constant):
        return _reshaped_constant(x, [1 if at in axes else next(rest) for at in range(rank)])
    made: list[Axis] = [() if at in axes else next(rest) for at in range(rank)]  # type: ignore[arg-type]
    return Tensor(x.node, tuple(made))


@reads(13, "Expand")
def expand(r: Reader, op: Op) -> Any:
    x, sizes = r.value(op, 0), r.integers(op, 1, "shape") or []
    if isinstance(x, Constant) and all(isinstance(size, int) for size in sizes):
        return folded(op, [x, r.constant(op, 1, "shape")])
    if isinstance(x, Constant) and x.size == 1:
        return Repeated(x.changed((), lambda array: array.reshape(())))
    if isinstance(x, Constant) and len(sizes) == len(x.shape) and isinstance(sizes[0], Size) and is_batch(sizes[0]):
        rest = sizes[1:]
        if x.shape[0] == 1 and all(size in (1, there) for size, there in zip(rest, x.shape[1:], strict=True)):
            return Repeated(_reshaped_constant(x, list(x.shape[1:])))
    if isinstance(x, Tensor) and len(sizes) == x.rank:
        there = sizes_of(r, x)
        if all(size in (1, own_size) for size, own_size in zip(sizes, there, strict=True)):
            return x
        if all(own_size in (1, size) for size, own_size in zip(sizes, there, strict=True)) and _repeated_by(
            r, op, sizes
        ):
            return x
        return _larger(r, op, x, sizes)
    raise Unsaid("it makes a tensor larger")


def _larger(r: Reader, op: Op, x: Tensor, sizes: list[Any]) -> Tensor:
    """A map whose positions of size 1 are repeated; a size of 1 leaves what is there."""
    there = sizes_of(r, x)
    wanted = [old if size == 1 else size for old, size in zip(there, sizes, strict=True)]
    x, order = r.layout.settled(x)
    if wanted[0] != there[0] or any(isinstance(size, Size) for size in wanted[1:]):
        raise Unsaid("it makes the batch larger, or a tensor by sizes that are open")
    node = enlarged(r, op, x.node, [wanted[at] for at in order])
    if node is None:
        raise Unsaid("it makes a tensor larger in more than positions of size 1")
    return r.layout.ordered(node, x, order)


@reads(13, "Tile")
def tile(r: Reader, op: Op) -> Any:
    x, times = r.value(op, 0), r.integers(op, 1, "repeats") or []
    if isinstance(x, Constant) and len(times) == len(x.shape) and times:
        if all(isinstance(count, int) for count in times) and x.size * prod(times) * 8 <= MOST:
            return known(np.tile(x.array(), times))
        if times == [Size("", BATCH), *[1] * (len(times) - 1)] and x.shape[0] == 1:
            return Repeated(_reshaped_constant(x, list(x.shape[1:])))
    if isinstance(x, Tensor) and len(times) == x.rank and times[0] == 1:
        there = sizes_of(r, x)
        if all(count == 1 or size == 1 for size, count in zip(there, times, strict=True)):
            return _larger(r, op, x, [size if count == 1 else count for size, count in zip(there, times, strict=True)])
    raise Unsaid("it repeats more than positions of size 1")


def _repeated_by(r: Reader, op: Op, sizes: list[Any]) -> bool:
    """Whether all that read a larger tensor take it together with one of its sizes, which makes it larger anyway."""
    readers = r.readers.get(op.outputs[0], [])
    others = [r.values.get(name) for reader in readers for name in reader.inputs if name != op.outputs[0]]
    fits = all(isinstance(x, Tensor) and sizes_of(r, x) == sizes for x in others)
    return fits and len(others) == len(readers) > 0 and all(reader.op in REPEATING for reader in readers)


# -- joining ---------------------------------------------------------------------------------------------------


@reads(13, "Concat")
def concat(r: Reader, op: Op) -> Any:
    given = [r.value(op, place) for place in range(len(op.inputs))]
    axis = op.attr("axis", 1)
    constants = [one for one in given if isinstance(one, Constant)]
    if len(constants) == len(given):
        arrays = [one.array() for one in constants]
        return known(_joined(arrays, axis))
    tensors = [r.tensor(op, place) for place, one in enumerate(given) if isinstance(one, Tensor)]
    rows = [one for one in given if isinstance(one, Constant | Repeated)]
    if len(tensors) == 1 and len(rows) == len(given) - 1 > 0 and given[-1] is tensors[0]:
        (x,) = tensors
        for row in rows[::-1]:
            x = _token(r, op, row, x, axis)
        return x
    if len(tensors) != len(given):
        raise Unsaid("it joins tensors with what is none")
    if len(tensors) == 1:
        return tensors[0]
    axis = r.axis(axis, tensors[0].rank)
    if tensors[0].is_batch(axis) or any(x.rank != tensors[0].rank for x in tensors):
        raise Unsaid("it joins along the batch, or tensors with different numbers of axes")
    return joined(r, op, tensors, axis)


def _joined(arrays: list[Any], axis: int) -> Any:
    try:
        return np.concatenate(arrays, axis)
    except ValueError as error:
        raise Unsaid(f"it cannot join its constants: {error}") from None


def joined(r: Reader, op: Op, tensors: Sequence[Tensor], axis: int) -> Tensor:
    """Tensors along an axis."""
    lead = max(tensors, key=lambda x: (r.layout.order(x) is not None, sum(map(bool, x.axes))))
    lead, order = r.layout.settled(lead)
    alike = [r.layout.turned(x, order).node for x in tensors]
    names = axes_of(r.shape(lead))
    node = r.layer(op, "concat", alike, over=names[order.index(axis)])
    return r.layout.ordered(node, lead, order)


def _token(r: Reader, op: Op, given: Any, x: Tensor, axis: int) -> Tensor:
    """A row of weights before all positions."""
    constant = given.constant if isinstance(given, Repeated) else given
    batch = extent(x.axes[0]) == 1
    rows = constant.shape if isinstance(given, Repeated) else constant.shape[1:]
    x = channels_at(r, x, 2) if x.rank == 3 else x
    if x.rank != 3 or r.axis(axis, 3) != 1 or rows != (1, channels_of(r.shape(x))):
        raise Unsaid("it joins a tensor with a constant")
    if isinstance(given, Constant) and not (batch and given.shape[0] == 1):
        raise Unsaid("it joins a batch with one constant")
    node = r.layer(op, "token", [x.node], {"token": lambda: constant.weights().reshape(rows)})
    return r.layout.placed(node, x.axes[0], (0, 1))


# -- cutting ---------------------------------------------------------------------------------------------------


@reads(13, "Slice")
def sliced(r: Reader, op: Op) -> Any:
    if isinstance(r.value(op, 0), Repeated) and not r.value(op, 0).constant.shape and op.version >= 10:
        return r.value(op, 0)
    x = r.plain(op, 0)
    rank = len(x.shape) if isinstance(x, Constant) else x.rank
    if op.version >= 10:
        starts, ends = r.whole_numbers(op, 1, "starts") or [], r.whole_numbers(op, 2, "ends") or []
        axes, steps = r.whole_numbers(op, 3, "axes"), r.whole_numbers(op, 4, "steps")
    else:
        starts, ends, axes, steps = op.attr("starts"), op.attr("ends"), op.attr("axes"), None
    axes = list(range(len(starts))) if axes is None else [r.axis(axis, rank) for axis in axes]
    steps = [1] * len(starts) if steps is None else steps
    if not len(starts) == len(ends) == len(axes) == len(steps) or 0 in steps or len(set(axes)) < len(axes):
        raise Unsaid("its starts, ends, axes and steps do not fit one another")
    cuts = {axis: slice(*cut) for axis, *cut in zip(axes, starts, ends, steps, strict=True)}
    if isinstance(x, Constant):
        index = tuple(cuts.get(at, slice(None)) for at in range(rank))
        sizes = tuple(len(range(*part.indices(size))) for part, size in zip(index, x.shape, strict=True))
        return x.changed(sizes, lambda array: array[index])
    for axis, cut in cuts.items():
        x = taken(r, op, x, axis, cut)
    return x


def taken(r: Reader, op: Op, x: Tensor, axis: int, cut: slice) -> Tensor:
    """A part of a tensor along an axis."""
    size = extent(x.axes[axis])
    if size is None:
        return _taken_of_open(r, op, x, axis, cut)
    start, end, step = cut.indices(size)
    count = len(range(start, end, step))
    if count == size and (step == 1 or size == 1):
        return x
    if x.is_batch(axis) or not count:
        raise Unsaid("it cuts the batch" if count else "it leaves nothing")
    if step < 1:
        raise Unsaid("it goes backwards")
    last = len(r.shape(x)) - 1
    held = x.axes[axis][0]
    shares = held.axis == last and held.stride > 1 and held.stride * size == channels_of(r.shape(x))
    if step == 1 and len(x.axes[axis]) == 1 and shares:
        node = _channels(r, op, x.node, start * held.stride, count * held.stride, 1)
        left = (Digits(last, count, held.stride),) if count > 1 else ()
        return Tensor(node, tuple(left if at == axis else one for at, one in enumerate(x.axes)))
    x, order = r.layout.settled(x)
    at = order.index(axis)
    rank = len(order) - 1
    if at == rank:
        return r.layout.ordered(_channels(r, op, x.node, start, count, step), x, order)
    if count == 1 and rank == 1:
        return _picked(r, op, x, axis, start if start < size - 1 or size == 1 else -1)
    node = x.node
    last = start + (count - 1) * step + 1
    if start or (last < size and -(-(size - start) // step) != count):
        spare = [(start, size - end) if other == at else (0, 0) for other in range(rank)]
        before, after = zip(*spare, strict=True)
        node = r.layer(op, "crop", [node], before=before, after=after)
    if step > 1:
        node = r.layer(op, "subsample", [node], factor=tuple(step if other == at else 1 for other in range(rank)))
    return r.layout.ordered(node, x, order)


def _picked(r: Reader, op: Op, x: Tensor, axis: int, index: int) -> Tensor:
    """One position of a row."""
    node = r.layer(op, "pick", [x.node], index=index)
    channels = own(r.sketch.net.shapes[node])[0]
    return Tensor(node, tuple(x.axes[0] if not at else () if at == axis else channels for at in range(x.rank)))


def _taken_of_open(r: Reader, op: Op, x: Tensor, axis: int, cut: slice) -> Tensor:
    start, end, step = cut.start or 0, cut.stop, cut.step or 1
    if start == 0 and end >= FAR - 1 and step == 1:
        return x
    x, order = r.layout.settled(x)
    one = (start + 1 == end) or (start == -1 and end >= FAR - 1)
    if one and step == 1 and len(order) == 2 and order[0] == axis:
        return _picked(r, op, x, axis, start)
    if x.is_batch(axis) or start < 0 or step < 1 or not (end >= FAR - 1 or end < 0):
        raise Unsaid("it cuts the batch, or from the end of an open size")
    at, rank, node = order.index(axis), len(order) - 1, x.node
    if start or end < 0:
        before, after = ([side if other == at else 0 for other in range(rank)] for side in (start, -min(end, 0)))
        node = r.layer(op, "crop", [node], before=tuple(before), after=tuple(after))
    if step > 1:
        node = r.layer(op, "subsample", [node], factor=tuple(step if other == at else 1 for other in range(rank)))
    return r.layout.ordered(node, x, order)


def _channels(r: Reader, op: Op, node: str, start: int, count: int, step: int) -> str:
    """Some channels that follow each other, as equal shares of all."""
    if step != 1:
        raise Unsaid("it takes channels that do not follow each other")
    channels = channels_of(r.sketch.net.shapes[node])
    share = gcd(gcd(start, count), channels)
    if count // share > MOST_PARTS:
        raise Unsaid(f"it takes {count} of {channels} channels from {start} on, which are no few equal shares")
    parts = [
        r.layer(op, "part", [node], index=first // share + 1, of=channels // share)
        for first in range(start, start + count, share)
    ]
    return parts[0] if len(parts) == 1 else r.layer(op, "concat", parts)


def _cut(x: Constant, axis: int, start: int, length: int) -> Constant:
    """Some of a constant that follow each other along an axis."""
    index = (slice(None),) * axis + (slice(start, start + length),)
    return x.changed((*x.shape[:axis], length, *x.shape[axis + 1 :]), lambda array: array[index])


@reads(18, "Split")
def split(r: Reader, op: Op) -> Any:
    x, count = r.value(op, 0), len(op.outputs)
    if not isinstance(x, Constant):
        x = r.tensor(op)
    axis = r.axis(op.attr("axis", 0), len(x.shape) if isinstance(x, Constant) else x.rank)
    size = x.shape[axis] if isinstance(x, Constant) else extent(x.axes[axis])
    op.attr("num_outputs")
    given = r.whole_numbers(op, 1, "split") if op.version >= 13 else op.attr("split")
    if size is None or (isinstance(x, Tensor) and x.is_batch(axis)):
        raise Unsaid("it cuts the batch, or an open size")
    if given is None:
        share = -(-size // count)
        given = [min(share, size - share * at) for at in range(count)]
    if len(given) != count or sum(given) != size or min(given) < 1:
        raise Unsaid(f"its parts are {given}, of {size}")
    starts = [sum(given[:at]) for at in range(count)]
    if isinstance(x, Constant):
        return [_cut(x, axis, start, length) for start, length in zip(starts, given, strict=True)]
    wanted = [bool(r.readers.get(name)) or name in r.graph.outputs for name in op.outputs]
    return [
        taken(r, op, x, axis, slice(start, start + length)) if used else None
        for start, length, used in zip(starts, given, wanted, strict=True)
    ]


@reads(13, "Gather")
def gather(r: Reader, op: Op) -> Any:
    x, index = r.value(op, 0), r.value(op, 1)
    if isinstance(x, Constant) and isinstance(index, Constant):
        axis = r.axis(op.attr("axis", 0), len(x.shape))
        places = index.array()
        size = x.shape[axis]
        if places.dtype.kind not in "iu" or (places.size and not -size <= places.min() <= places.max() < size):
            raise Unsaid("it takes what is not there")
        if places.size * x.size // max(x.shape[axis], 1) * 8 > MOST:
            raise Unsaid("makes a constant of too many numbers")
        return known(np.asarray(np.take(x.array(), places, axis)))
    if isinstance(x, Constant) and isinstance(index, Tensor):
        return _embedded(r, op, x, r.tensor(op, 1, whole=True))
    if not isinstance(x, Tensor) or not isinstance(index, Constant):
        raise Unsaid("it takes places that are computed")
    x = r.tensor(op)
    axis = r.axis(op.attr("axis", 0), x.rank)
    places, along = index.array(), extent(x.axes[axis])
    if x.is_batch(axis) or places.dtype.kind not in "iu" or places.ndim > 1 or not places.size:
        raise Unsaid("it takes samples of the batch, or no places")
    if along is None or not -along <= places.min() <= places.max() < along:
        raise Unsaid("it takes what is not there, or of an open size")
    places = places % along
    if places.ndim:
        return _rearranged(r, op, x, axis, places)
    at = int(places)
    if x.rank == 3 and x.is_batch(0):
        x = channels_at(r, x, 3 - axis)
        if rank_of(r.shape(x)) == 1:
            node = r.layer(op, "pick", [x.node], index=at if at != along - 1 or along == 1 else -1)
            return Tensor(node, (x.axes[0], own(r.sketch.net.shapes[node])[0]))
    x = taken(r, op, x, axis, slice(at, at + 1))
    return Tensor(x.node, tuple(one for other, one in enumerate(x.axes) if other != axis))


def _rearranged(r: Reader, op: Op, x: Tensor, axis: int, places: Any) -> Tensor:
    """Channels in another order, or pixels several times."""
    from netc.ir.resampling import nearest  # noqa: PLC0415

    first, count = int(places[0]), len(places)
    if np.array_equal(places, np.arange(first, first + count)):
        return taken(r, op, x, axis, slice(first, first + count))
    x, order = r.layout.settled(channels_at(r, x, axis) if x.rank == 2 else x)
    at, shape = order.index(axis), r.shape(x)
    size = shape[at] or 0
    if at == len(order) - 1 and count == size:
        for groups in (one for one in range(2, size) if size % one == 0):
            if np.array_equal(places, np.arange(size).reshape(groups, -1).T.reshape(-1)):
                return r.layout.ordered(r.layer(op, "shuffle", [x.node], groups=groups), x, order)
    if at < len(order) - 1 and len(order) == 3 and np.array_equal(places, nearest(size, count)):
        sizes = tuple(count if other == at else shape[other] for other in range(2))
        if None not in sizes:
            return r.layout.ordered(r.layer(op, "resize", [x.node], extent=sizes, method="nearest"), x, order)
    raise Unsaid("it takes places in an order that no layer has")


def _embedded(r: Reader, op: Op, table: Constant, ids: Tensor) -> Tensor:
    if len(table.shape) != 2 or op.attr("axis", 0) != 0 or ids.rank != 2:
        raise Unsaid("it takes rows of a constant for ids that are no vector")
    node = r.layer(
        op,
        "embed",
        [r.layout.as_vector(ids)],
        {"embeddings": table.weights},
        count=table.shape[0],
        units=table.shape[1],
    )
    return r.layout.placed(node, ids.axes[0], (0, 1))


# -- padding and blocks ----------------------------------------------------------------------------------------


@reads(25, "Pad")
def pad(r: Reader, op: Op) -> Tensor:
    x, mode = r.tensor(op), op.attr("mode", "constant")
    if op.version >= 11:
        pads, axes = r.whole_numbers(op, 1, "pads") or [], r.whole_numbers(op, 3, "axes")
        value = float(r.constant(op, 2, "value").array().reshape(-1)[0]) if op.given(2) else 0.0
    else:
        pads, axes, value = op.attr("pads"), None, op.attr("value", 0.0)
    axes = list(range(x.rank)) if axes is None else [r.axis(axis, x.rank) for axis in axes]
    if len(pads) != 2 * len(axes) or len(set(axes)) < len(axes):
        raise Unsaid(f"its pads are {pads}, of {len(axes)} axes")
    sides = dict.fromkeys(range(x.rank), (0, 0)) | {
        axis: (pads[at], pads[at + len(axes)]) for at, axis in enumerate(axes)
    }
    if mode == "constant" and value != 0:
        raise Unsaid(f"it pads with {value:g}")
    if mode == "edge" and all(max(pair) <= 1 for pair in sides.values()):
        mode = "symmetric"
    modes = {"constant": "zeros", "reflect": "reflect", "symmetric": "symmetric"}
    if mode not in modes or any(sides[0]):
        raise Unsaid("it pads the batch" if any(sides[0]) else f"its mode is {mode}")
    if not any(map(any, sides.values())):
        return x
    x, order = r.layout.settled(x)
    pairs = [sides[at] for at in order]
    return r.layout.ordered(_bordered(r, op, x.node, pairs, modes[mode]), x, order)


def _bordered(r: Reader, op: Op, node: str, pairs: list[tuple[int, int]], mode: str) -> str:
    *space, (first, last) = pairs
    if any(min(pair) < 0 for pair in space):
        cuts = [tuple(max(-side, 0) for side in pair) for pair in space]
        before, after = zip(*cuts, strict=True)
        if first or last or mode != "zeros":
            raise Unsaid("it takes pixels away, and adds others")
        node = r.layer(op, "crop", [node], before=before, after=after)
    more = [(max(before, 0), max(after, 0)) for before, after in space]
    if any(map(any, more)):
        before, after = zip(*more, strict=True)
        node = r.layer(op, "pad", [node], before=before, after=after, mode=mode)
    if first or last:
        if mode != "zeros" or min(first, last) < 0 or (first and first != last):
            raise Unsaid("it pads channels in a way that `padchannels` does not")
        total = channels_of(r.sketch.net.shapes[node]) + first + last
        where: dict[str, Any] = {} if first else {"side": "after"}
        node = r.layer(op, "padchannels", [node], total=total, **where)
    return node


@reads(1, "Mirrored")
def mirrored(r: Reader, op: Op) -> Tensor:
    """A padding with the tensor's own pixels, of several nodes (`netc.targets.onnx.read.patterns`)."""
    x = r.tensor(op)
    axis = r.axis(op.attr("axis"), x.rank)
    x, order = r.layout.settled(x)
    if not axis or order.index(axis) == len(order) - 1:
        raise Unsaid("it mirrors channels, or the batch")
    sides = op.attr("before"), op.attr("after")
    before, after = (tuple(side if at == axis else 0 for at in order[:-1]) for side in sides)
    node = r.layer(op, "pad", [x.node], before=before, after=after, mode=op.attr("mode"))
    return r.layout.ordered(node, x, order)


@reads(28, "DepthToSpace", "SpaceToDepth")
def blocks(r: Reader, op: Op) -> Tensor:
    x, factor, mode = r.mapped(op, r.tensor(op)), op.attr("blocksize", 0), op.attr("mode", "DCR")
    if factor < 1 or x.rank != 4:
        raise Unsaid("it has no blocks of an image")
    if mode not in ("DCR", "CRD"):
        raise Unsaid(f"its mode is {mode}")
    node = x.node
    if op.op == "SpaceToDepth":
        node = r.layer(op, "todepth", [node], factor=factor)
        if mode == "CRD" and factor > 1:
            node = r.layer(op, "shuffle", [node], groups=factor**2)
        return r.placed(node, x)
    share = channels_of(r.shape(x)) // factor**2
    if mode == "CRD" and share > 1:
        node = r.layer(op, "shuffle", [node], groups=share)
    return r.placed(r.layer(op, "tospace", [node], factor=factor), x)


@reads(11, "SequenceAt")
def part(r: Reader, op: Op) -> Tensor:
    """One of the parts of a tensor, which `SplitToSequence` makes: of one size, or of sizes that are given."""
    if len(op.inputs) != 3:
        raise Unsaid("its sequence is not of the parts of a tensor")
    x = r.tensor(op)
    axis = r.axis(op.attr("axis", 0), x.rank)
    size = extent(x.axes[axis])
    given = [1] if (split := r.whole_numbers(op, 1, "split")) is None else split
    if len(places := r.whole_numbers(op, 2, "position") or []) != 1:
        raise Unsaid("its position is no number")
    (place,) = places
    if size is None or x.is_batch(axis):
        raise Unsaid("it cuts the batch, or an open size")
    if not op.flag("keepdims", True) and split is None:
        raise Unsaid("its parts have an axis less")
    alike = split is None or not r.constant(op, 1, "split").shape
    count = -(-size // given[0]) if alike and given[0] > 0 else len(given)
    if not -count <= place < count or min(given) < 1 or (not alike and sum(given) != size):
        raise Unsaid(f"it takes the part {place} of {count:,}, of {size:,}")
    place %= count
    start = place * given[0] if alike else sum(given[:place])
    return taken(r, op, x, axis, slice(start, min(size, start + given[0 if alike else place])))
