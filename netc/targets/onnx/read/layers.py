"""Convolutions, pools, normalisations and dense layers of ONNX."""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np

from netc.ir.shape import channels_of, elements, rank_of
from netc.ir.window import cropping
from netc.layers.shape import Pad
from netc.lift.source import Unsaid
from netc.targets.onnx.read.constants import MOST, Constant, derived
from netc.targets.onnx.read.graph import Op
from netc.targets.onnx.read.layout import BATCH, Axis, Tensor, extent, own, regrouped
from netc.targets.onnx.read.names import ROLES
from netc.targets.onnx.read.reader import Load, Reader, reads
from netc.targets.onnx.read.resizing import resampled
from netc.targets.onnx.read.sequences import attention, product
from netc.targets.onnx.read.windows import Windows, windows

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]


def _turned(constant: Constant, change: Callable[[Array], Array]) -> Load:
    return lambda: change(constant.weights())


def _vector(r: Reader, op: Op, place: int, what: str, size: int) -> Constant | None:
    """An input with one number for each channel; None where it is left out."""
    if not op.given(place):
        return None
    found = r.constant(op, place, what)
    if found.shape != (size,):
        raise Unsaid(f"its {what} has the sizes {list(found.shape)}, expected {size}")
    return _noted(r, found)


def _noted(r: Reader, constant: Constant) -> Constant:
    """A constant that becomes a weight."""
    if constant.kind or constant.dtype != np.float32:
        r.remark(f"numbers are {constant.kind or constant.dtype} in the file, and float32 here")
    return constant


def _kernel(r: Reader, op: Op, place: int = 1) -> Constant:
    found = r.constant(op, place, "kernel")
    if found.dtype.kind != "f" or not found.size or len(found.shape) < 2:
        raise Unsaid(f"its kernel is of {found.dtype}, with sizes {list(found.shape)}")
    return _noted(r, found)


def _bias(r: Reader, op: Op, place: int, axis: int, rank: int, channels: int) -> Constant | None:
    """The bias of a node: its own input, or what is added to what it gives. Zeros that the file computes are none: no
    layer has learnt them."""
    if op.given(place):
        found = _vector(r, op, place, "bias", channels)
        return found if found is None or found.name or found.array().any() else None
    added = r.after(op, "Add", axis, rank, channels)
    return None if added is None else _noted(r, added[1])


# -- convolutions ----------------------------------------------------------------------------------------------


@reads(22, "Conv")
def conv(r: Reader, op: Op) -> Tensor:
    x, kernel = r.mapped(op, r.tensor(op)), _kernel(r, op)
    groups = op.attr("group", 1)
    shape = r.shape(x)
    rank, channels = rank_of(shape), channels_of(shape)
    filters = kernel.shape[0]
    if len(kernel.shape) != rank + 2 or groups < 1 or channels != kernel.shape[1] * groups or filters % groups:
        sizes = f"the sizes {list(kernel.shape)} and {groups} groups"
        raise Unsaid(f"its kernel has {sizes}, its input {channels} channels")
    source, slid = _with_border(r, x.node, windows(op, shape[:-1], kernel.shape[2:]))
    bias = _bias(r, op, 2, 1, rank + 2, filters)
    node, pad = _padded(r, op, source, slid)
    given: dict[str, Any] = {
        "kernel": slid.kernel, "stride": slid.stride, "dilation": slid.dilation, "pad": pad, "bias": bias is not None,
    }  # fmt: skip
    weights: dict[str, Load] = {"kernel": _turned(kernel, lambda array: np.moveaxis(array, (0, 1), (-1, -2)))}
    kind = "conv"
    multiplier = filters // groups
    if groups == channels > 1 and rank < 3 and len(set(slid.stride)) == 1:
        kind, size = "dwconv", (*slid.kernel, channels, multiplier)
        given["multiplier"] = multiplier
        weights["kernel"] = _turned(kernel, lambda array: np.moveaxis(array, (0, 1), (-1, -2)).reshape(size))
    else:
        given |= {"filters": filters, "groups": groups}
    if bias is not None:
        weights["bias"] = bias.weights
    constants = [kernel] if bias is None else [kernel, bias]
    skipping = (1,) * rank
    if kind == "conv" and max(slid.stride) > 1 and max(slid.dilation) > 1 and pad != "same":
        skipping, given["stride"] = slid.stride, (1,) * rank
    node = _shared(r, op, kind, node, constants, weights, _unsaid(given))
    if max(skipping) > 1:
        node = r.layer(op, "subsample", [node], factor=skipping)
    return r.placed(node, x)


def _unsaid(given: dict[str, Any]) -> dict[str, Any]:
    """Parameters without steps of 1, which a text that does not say them has as one number."""
    return {name: value for name, value in given.items() if name not in ("stride", "dilation") or set(value) != {1}}


def _shared(
    r: Reader, op: Op, kind: str, node: str, constants: list[Constant], weights: dict[str, Load], given: dict[str, Any]
) -> str:
    """A layer with weights, which are those of another one where the file has them once."""
    key, owner = r.owner(kind, constants, repr(sorted(given.items())), channels_of(r.sketch.net.shapes[node]))
    if owner is not None and np.ptp(constants[0].load()) == 0:
        owner = None
    made = r.layer(op, kind, [node], weights, shares=owner, **given)
    if key is not None:
        r.owners.setdefault(key, made)
    return made


def _with_border(r: Reader, node: str, slid: Windows) -> tuple[str, Windows]:
    """What a convolution reads and its windows, once zeros around what it reads are its own padding."""
    net = r.sketch.net
    layer = net.node(node).layer
    if not isinstance(layer, Pad) or layer.mode != "zeros" or slid.pads is None:
        return node, slid
    (source,) = net.operands(node)
    space = net.shapes[source][:-1]
    border = zip(layer.pairs(len(space)), slid.pads, strict=True)
    pads = [(before + left, after + right) for (before, after), (left, right) in border]
    return source, Windows(space, *_steps(slid), pads)


def _padded(r: Reader, op: Op, node: str, slid: Windows) -> tuple[str, str | tuple[int, ...]]:
    """What a convolution reads, and its `pad`: zeros that are not as many on both sides are a layer of their own."""
    if (pad := slid.pad) is not None:
        return node, pad
    if slid.causal:
        return node, "causal"
    assert slid.pads is not None
    before, after = zip(*slid.pads, strict=True)
    return r.layer(op, "pad", [node], before=before, after=after), "valid"


@reads(22, "ConvTranspose")
def conv_transpose(r: Reader, op: Op) -> Tensor:
    x, kernel = r.mapped(op, r.tensor(op)), _kernel(r, op)
    shape = r.shape(x)
    rank, channels = rank_of(shape), channels_of(shape)
    if op.attr("group", 1) != 1:
        raise Unsaid("it has groups, which `deconv` has not")
    if len(kernel.shape) != rank + 2 or kernel.shape[0] != channels:
        raise Unsaid(f"its kernel has the sizes {list(kernel.shape)}, its input {channels} channels")
    if op.attr("output_shape"):
        raise Unsaid("its output_shape says the padding")
    slid = windows(op, shape[:-1], kernel.shape[2:])
    more = op.attr("output_padding", [0] * rank)
    if slid.pads is None or op.attr("auto_pad", "NOTSET") not in ("NOTSET", "VALID"):
        raise Unsaid("its auto_pad is SAME")
    filters = kernel.shape[1]
    bias = _bias(r, op, 2, 1, rank + 2, filters)
    steps = list(zip(slid.kernel, slid.stride, slid.dilation, slid.pads, more, strict=True))
    usual = [max(step - ((taps - 1) * gap + 1), 0) for taps, step, gap, _, _ in steps]
    cuts = [(sides[0], sides[1] - extra + least) for (*_, sides, extra), least in zip(steps, usual, strict=True)]
    same = [cropping(taps, step, gap) for taps, step, gap, _, _ in steps]
    given: dict[str, Any] = {
        "kernel": slid.kernel, "stride": slid.stride, "dilation": slid.dilation, "filters": filters,
        "bias": bias is not None, "pad": "same" if cuts == same else "valid",
    }  # fmt: skip
    if any(after < 0 for _, after in cuts):
        raise Unsaid("its output_padding adds pixels that no window reaches")
    weights: dict[str, Load] = {"kernel": _turned(kernel, lambda array: np.moveaxis(array, (0, 1), (-1, -2)))}
    if bias is not None:
        weights["bias"] = bias.weights
    constants = [kernel] if bias is None else [kernel, bias]
    node = _shared(r, op, "deconv", x.node, constants, weights, _unsaid(given))
    if cuts != same and any(map(any, cuts)):
        before, after = zip(*cuts, strict=True)
        node = r.layer(op, "crop", [node], before=before, after=after)
    return r.placed(node, x)


# -- pools -----------------------------------------------------------------------------------------------------


@reads(22, "MaxPool", "AveragePool")
def pool(r: Reader, op: Op) -> Any:
    x = r.mapped(op, r.tensor(op))
    shape = r.shape(x)
    maximum = op.op == "MaxPool"
    floor = list(op.attributes.get("pads", []))
    slid = windows(op, shape[:-1], None)
    op.flag("storage_order")  # of the second output
    said = any(floor) or op.attributes.get("auto_pad", "NOTSET") not in ("NOTSET", "VALID")
    counted = bool(op.flag("count_include_pad")) and said  # what `ceil_mode` adds beyond the map is not counted
    if max(slid.dilation) > 1:
        raise Unsaid("its windows are dilated, which those of pools are not")
    if max(slid.kernel) == max(slid.stride) == 1 and slid.pad == "same":
        return [x] if maximum else x
    node, pad = x.node, slid.pad
    padded = slid.pads is None or any(map(any, slid.pads))
    if maximum:
        if pad is None:
            if not r.sketch.net.node(node).layer.not_negative:
                raise Unsaid(f"it pads by {slid.pads}, not as much on both sides, which a `pool` cannot")
            node, pad = _padded(r, op, node, slid)
    elif padded and counted:
        if slid.pads is None or (op.attributes.get("ceil_mode") and _flat(slid) != floor):
            raise Unsaid("it counts its padding, whose windows go beyond it")
        if pad == "same":
            pad = None if any(one != other for one, other in slid.pads) else tuple(one for one, _ in slid.pads)
        if pad is None:
            node, pad = _padded(r, op, node, Windows([None] * len(slid.sizes), *_steps(slid), slid.pads))
    elif padded and pad != "same":
        raise Unsaid("it leaves out its padding, which an `avgpool` does with pad=same alone")
    given: dict[str, Any] = {"pad": pad, "kernel": slid.kernel}
    if slid.stride != slid.kernel:
        given["stride"] = slid.stride
    made = r.placed(r.layer(op, "pool" if maximum else "avgpool", [node], **given), x)
    return [made] if maximum else made


def _flat(slid: Windows) -> Any:
    pads = slid.pads or []
    return [before for before, _ in pads] + [after for _, after in pads]


def _steps(slid: Windows) -> tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]:
    return slid.kernel, slid.stride, slid.dilation


@reads(22, "GlobalAveragePool", "GlobalMaxPool")
def global_pool(r: Reader, op: Op) -> Tensor:
    x = r.mapped(op, r.tensor(op))
    return pooled(r, op, "gap" if op.op == "GlobalAveragePool" else "gmp", x, True)


def pooled(r: Reader, op: Op, kind: str, x: Tensor, keep: bool) -> Tensor:
    """A global pool over the positions of a map; without them where whatever reads it reads a vector."""
    readers = r.readers.get(op.outputs[0], [])
    flat = not keep or (bool(readers) and all(_flattens(r, reader) for reader in readers))
    node = r.layer(op, kind, [x.node], keep=not flat)
    shape = r.sketch.net.shapes[node]
    channels = own(shape)[-1]
    rest: list[Axis] = [()] * (x.rank - 2 if keep else 0)
    return Tensor(node, (x.axes[0], channels, *rest))


def _flattens(r: Reader, op: Op) -> bool:
    """Whether a node takes away the axes of size 1, and only for that is there."""
    if op.op in ("Dropout", "Cast"):
        readers = r.readers.get(op.outputs[0], [])
        return bool(readers) and all(_flattens(r, reader) for reader in readers)
    if op.op == "Reshape":
        sizes = r.values.get(op.given(1))
        return isinstance(sizes, Constant) and sizes.shape == (2,)
    return op.op in ("Flatten", "Squeeze")


# -- normalisations --------------------------------------------------------------------------------------------


@reads(15, "BatchNormalization")
def batch_norm(r: Reader, op: Op) -> Any:
    if isinstance(constant := r.value(op, 0), Constant):
        return [_standardised(r, op, constant)]
    x = r.tensor(op)
    x = r.layout.last(x, 1)
    channels = channels_of(r.shape(x))
    if op.flag("training_mode") or op.flag("spatial", True) != 1:
        raise Unsaid("it normalises by the batch that it is given")
    roles = ("gamma", "beta", "moving_mean", "moving_variance")
    arrays = [_vector(r, op, place, role, channels) for place, role in enumerate(roles, 1)]
    if None in arrays:
        raise Unsaid("it has not all of its four arrays")
    weights: dict[str, Load] = {
        role: array.weights for role, array in zip(roles, arrays, strict=True) if array is not None
    }
    values: dict[str, Any] = {"decay": op.attr("momentum", 0.9)}
    if (epsilon := op.attr("epsilon", 1e-5)) == 0:
        variance = weights["moving_variance"]
        weights["moving_variance"] = lambda: variance() - np.float32(1e-5)
        r.remark("a `bn` has 1e-05 added to its variance, and one of the file has nothing: its variance is less")
    else:
        values["epsilon"] = epsilon
    node = _shared(r, op, "bn", x.node, [array for array in arrays if array is not None], weights, values)
    return [r.placed(node, x)]


def _standardised(r: Reader, op: Op, x: Constant) -> Constant:
    """A kernel whose filters are normalised (weight standardisation, Qiao et al. 2019, arXiv:1903.10520): in training
    by their own statistics."""
    arrays = [r.constant(op, place, "array") for place in range(1, 5)]
    channels = x.shape[1] if len(x.shape) > 1 else 0
    if x.dtype.kind != "f" or any(array.shape != (channels,) for array in arrays) or not x.size:
        raise Unsaid("it is of a constant, for which its arrays have other sizes")
    own_statistics, epsilon = op.flag("training_mode"), op.attr("epsilon", 1e-5)
    op.attr("momentum")
    over = tuple(at for at in range(len(x.shape)) if at != 1)
    sizes = tuple(-1 if at == 1 else 1 for at in range(len(x.shape)))

    def normalised(array: Array, gamma: Array, beta: Array, mean: Array, variance: Array) -> Array:
        if own_statistics:
            mean, variance = array.mean(over), array.var(over)
        factor = gamma / np.sqrt(variance + np.float32(epsilon))
        return array * factor.reshape(sizes) + (beta - mean * factor).reshape(sizes)

    return derived([x, *arrays], x.shape, normalised)


@reads(22, "InstanceNormalization", "GroupNormalization")
def group_norm(r: Reader, op: Op) -> Tensor:
    x = r.mapped(op, r.tensor(op))
    channels = channels_of(r.shape(x))
    if op.op == "InstanceNormalization":
        groups, count = channels, channels
    else:
        groups = op.attr("num_groups")
        count = channels if op.version >= 21 else groups
    op.attr("stash_type")
    if not isinstance(groups, int) or groups < 1 or channels % groups:
        raise Unsaid(f"it has {groups} groups, and its input {channels} channels")
    gamma, beta = (_vector(r, op, place, what, count) for place, what in ((1, "scale"), (2, "bias")))
    values: dict[str, Any] = {"groups": groups, "epsilon": op.attr("epsilon", 1e-5)}
    return r.placed(_normalised(r, op, "groupnorm", x, 1, gamma, beta, channels // count, values), x)


@reads(17, "LayerNormalization")
def layer_norm(r: Reader, op: Op) -> Any:
    x = r.tensor(op)
    axis = r.axis(op.attr("axis", -1), x.rank)
    op.attr("stash_type")
    if any(x.axes[at] for at in range(axis + 1, x.rank)):
        raise Unsaid("it normalises over more than one axis")
    x = r.layout.last(x, axis)
    channels = channels_of(r.shape(x))
    gamma, beta = (_vector(r, op, place, what, channels) for place, what in ((1, "scale"), (2, "bias")))
    values: dict[str, Any] = {"epsilon": op.attr("epsilon", 1e-5)}
    node = _normalised(r, op, "layernorm", x, axis, gamma, beta, 1, values)
    axes = list(x.axes)
    axes[axis] = own(r.sketch.net.shapes[node])[-1]
    return [Tensor(node, tuple(axes))]


def _normalised(
    r: Reader, op: Op, kind: str, x: Tensor, axis: int, gamma: Constant | None, beta: Constant | None, share: int,
    values: dict[str, Any],
) -> str:  # fmt: skip
    """A normalisation with its factor and its offset, which may be nodes after it."""
    channels = channels_of(r.shape(x))
    if (beta is None or not np.any(beta.load())) and (gamma is None or np.all(gamma.load() == 1)):
        found, learnt = _after_both(r, op, axis, x.rank, channels)
        if found or (beta is None and not op.given(2)):
            gamma, beta, share = *learnt, 1
        else:
            gamma = None if gamma is None or _nothing_learnt(gamma) else gamma
            beta = None if beta is None or _nothing_learnt(beta) else beta
    weights: dict[str, Load] = {}
    for role, name, array in (("gamma", "scale", gamma), ("beta", "center", beta)):
        if array is None:
            values[name] = False
        else:
            weights[role] = _turned(_noted(r, array), lambda numbers: np.repeat(numbers, share))
    constants = [array for array in (gamma, beta) if array is not None]
    return _shared(r, op, kind, x.node, constants, weights, values)


def _nothing_learnt(array: Constant) -> bool:
    """Whether factors of 1 or offsets of 0 are no parameters of a module, which may be trained yet."""
    return not array.name.endswith(ROLES)


def _after_both(
    r: Reader, op: Op, axis: int, rank: int, channels: int
) -> tuple[bool, tuple[Constant | None, Constant | None]]:
    """A factor and an offset of each channel in nodes after another one."""
    readers = r.readers.get(op.outputs[0], [])
    if (
        len(readers) == 1
        and readers[0].op == "BatchNormalization"
        and axis == 1
        and op.outputs[0] not in r.graph.outputs
    ):
        found = [r.graph.constants.get(name) for name in readers[0].inputs[1:]]
        arrays = [array for array in found if array is not None and array.shape == (channels,)]
        plain = readers[0].attributes.get("epsilon") == 0 and not readers[0].attributes.get("training_mode")
        if plain and len(arrays) == 4 and not arrays[2].load().any() and np.all(arrays[3].load() == 1):
            r.skipped[readers[0]] = op.outputs[0]
            return True, (arrays[0], arrays[1])
    factor = r.after(op, "Mul", axis, rank, channels)
    offset = r.after(op if factor is None else factor[0], "Add", axis, rank, channels)
    return bool(factor or offset), (factor and factor[1], offset and offset[1])


@reads(1, "Standardized")
def standardized(r: Reader, op: Op) -> Tensor:
    """A layer normalisation of several nodes (`netc.targets.onnx.read.patterns`)."""
    x = r.tensor(op)
    axis = r.axis(op.attr("axis"), x.rank)
    x = r.layout.last(x, axis)
    values: dict[str, Any] = {"epsilon": op.attr("epsilon")}
    return Tensor(_normalised(r, op, "layernorm", x, axis, None, None, 1, values), x.axes)


@reads(1, "Grouped")
def grouped(r: Reader, op: Op) -> Tensor:
    """A group normalisation of several nodes (`netc.targets.onnx.read.patterns`)."""
    x = r.tensor(op)
    x = r.layout.last(x, 1)
    shape = r.shape(x)
    groups, rest, sizes = op.attr("groups"), op.attr("rest"), op.attr("sizes")
    channels, whole = channels_of(shape), elements(shape)
    if groups < 1 or channels % groups or (rest != -1 and (whole is None or rest * groups != whole)):
        raise Unsaid(f"it has {groups} groups, and its input {channels} channels")
    known = [extent(x.axes[0]), channels, *shape[:-1]]
    one = sizes.count(-1) == 1
    fits = [size in (0, there) or (size == -1 and one) for size, there in zip(sizes, known, strict=False)]
    if sizes and (len(sizes) != x.rank or not all(fits)):
        raise Unsaid(f"its shape is {sizes}, and that of its input another one")
    values: dict[str, Any] = {"groups": groups, "epsilon": op.attr("epsilon")}
    return r.placed(_normalised(r, op, "groupnorm", x, 1, None, None, 1, values), x)


@reads(1, "AcrossChannels")
def across_channels(r: Reader, op: Op) -> Tensor:
    """A local response normalisation of several nodes (`netc.targets.onnx.read.patterns`)."""
    x = r.tensor(op)
    axis = r.axis(op.attr("axis"), x.rank)
    x = r.layout.last(x, axis)
    channels, batch, *rest = channels_of(r.shape(x)), *x.axes
    if op.attr("channels", channels) != channels:
        raise Unsaid("it sums up some of the channels")
    for place, axes in ((1, (batch, (), *rest)), (2, x.axes)):
        sizes = r.integers(op, place, "shape")
        if sizes is not None and regrouped(x, sizes) != axes:
            raise Unsaid(f"its shape is {sizes}, and that of its input another one")
    values = {name: op.attr(name) for name in ("radius", "bias", "alpha", "beta")}
    return Tensor(r.layer(op, "lrn", [x.node], **values), x.axes)


@reads(13, "LRN")
def lrn(r: Reader, op: Op) -> Tensor:
    x = r.mapped(op, r.tensor(op))
    size = op.attr("size", 0)
    if size < 1 or size % 2 == 0:
        raise Unsaid(f"it sums up {size} channels, expected an odd number")
    alpha = op.attr("alpha", 1e-4) / size
    values: dict[str, Any] = {"radius": size // 2, "alpha": float(f"{alpha:.7g}")}
    values |= {"bias": op.attr("bias", 1.0), "beta": op.attr("beta", 0.75)}
    return r.placed(r.layer(op, "lrn", [x.node], **values), x)


# -- dense layers ----------------------------------------------------------------------------------------------


@reads(13, "Gemm")
def gemm(r: Reader, op: Op) -> Tensor:
    x, kernel = r.tensor(op), _kernel(r, op)
    alpha, beta = op.attr("alpha", 1.0), op.attr("beta", 1.0)
    if op.flag("transA") or x.rank != 2 or len(kernel.shape) != 2:
        raise Unsaid("it is no product of a vector for each sample with a matrix")
    if op.flag("transB"):
        kernel = _again(kernel, kernel.shape[::-1], lambda array: array.T)
    if alpha != 1:
        kernel = _again(kernel, kernel.shape, lambda array: array * np.float32(alpha))
    bias: Constant | None = None
    if op.given(2):
        bias = r.constant(op, 2, "bias")
        units = kernel.shape[1]
        if bias.size not in (1, units) or bias.shape[-1:] not in ((), (1,), (units,)):
            raise Unsaid(f"its bias has the sizes {list(bias.shape)}, expected {units}")
        bias = _again(_noted(r, bias), (units,), lambda array: np.full(units, array.reshape(-1)) * np.float32(beta))
    return dense(r, op, x, kernel, bias)


def _again(constant: Constant, shape: tuple[int, ...], change: Callable[[Array], Array]) -> Constant:
    """A constant that is changed, under its name."""
    return Constant(shape, constant.dtype, lambda: change(constant.load()), constant.name, constant.kind)


def dense(r: Reader, op: Op, x: Tensor, kernel: Constant, bias: Constant | None) -> Tensor:
    """A matrix product of the last axis with a matrix, for every position. It reads a flattened tensor as it is: rows
    of the matrix change places."""
    terms, units = kernel.shape
    last = x.rank - 1
    if extent(x.axes[last]) != terms:
        raise Unsaid(f"its matrix has {terms} rows, and the last axis of its input {extent(x.axes[last])}")
    if bias is None and (found := r.after(op, "Add", last, x.rank, units)) is not None:
        bias = _noted(r, found[1])
    weights: dict[str, Load] = {"kernel": kernel.weights}
    values: dict[str, Any] = {"bias": bias is not None}
    if bias is not None:
        weights["bias"] = bias.weights
    constants = [kernel] if bias is None else [kernel, bias]
    if x.rank == 2 and len(x.axes[0]) == 1:
        node, order = _rows(r, x)
        if order is not None:
            weights["kernel"] = _turned(kernel, order)
        made = _shared(r, op, "fc", node, constants, weights, {"units": units, **values})
        return Tensor(made, (x.axes[0], own((units,))[0]))
    # The batch comes first, wherever it is, and then what the file may have joined with it.
    lead = sum(x.axes[:-1], ())
    batch = [digits for digits in lead if digits.axis == BATCH]
    rest = [digits for digits in lead if digits.axis != BATCH]
    apart = Tensor(x.node, (tuple(batch), *((digits,) for digits in rest), *[()] * (not rest), x.axes[-1]))
    apart = r.layout.turned(apart, list(range(1, apart.rank)))
    if apart.node in r.attended:
        made = attention(r, op, apart, kernel, bias)
    else:
        ones = (1,) * (apart.rank - 2)
        weights["kernel"] = _turned(kernel, lambda array: array.reshape((*ones, terms, units)))
        made = _shared(r, op, "conv", apart.node, constants, weights, {"filters": units, "kernel": ones, **values})
    *places, channels = own(r.sketch.net.shapes[made])
    after = {BATCH: tuple(batch)} | dict(zip(map(id, rest), places, strict=False))
    axes = [sum((after[BATCH if one.axis == BATCH else id(one)] for one in axis), ()) for axis in x.axes[:-1]]
    return Tensor(made, (*axes, channels))


def _rows(r: Reader, x: Tensor) -> tuple[str, Callable[[Array], Array] | None]:
    """The layer whose elements are those of a vector, and what puts rows of a matrix in its order, if anything."""
    digits = x.axes[1]
    whole = elements(r.shape(x))
    if len(x.axes[0]) != 1 or x.axes[0][0].axis != BATCH or any(one.axis == BATCH for one in digits):
        raise Unsaid("the batch is not the first axis of what it reads, or not by itself")
    if whole is None or prod(one.size or 0 for one in digits) != whole:
        return r.layout.as_vector(x), None
    order = sorted(range(len(digits)), key=lambda at: (digits[at].axis, -digits[at].stride))
    if order == list(range(len(digits))):
        return x.node, None
    sizes = [one.size or 0 for one in digits]
    return x.node, lambda array: array.reshape((*sizes, -1)).transpose((*order, len(order))).reshape(array.shape)


@reads(13, "MatMul")
def matmul(r: Reader, op: Op) -> Any:
    kernel = r.value(op, 1)
    if (image := _resampled(r, op)) is not None:
        return image
    if not isinstance(kernel, Constant):
        return product(r, op, r.value(op, 0), kernel)
    if len(kernel.shape) != 2:
        raise Unsaid(f"its matrix has the sizes {list(kernel.shape)}")
    return dense(r, op, r.tensor(op), _kernel(r, op), None)


def _resampled(r: Reader, op: Op) -> Tensor | None:
    """An image of another size, along its rows by a matrix before it, along its columns by one after it, or both where
    a second node does the other."""
    left, right = r.value(op, 0), r.value(op, 1)
    x, table = (right, left) if isinstance(left, Constant) else (left, right)
    if not isinstance(x, Tensor) or not isinstance(table, Constant) or x.rank != 4 or len(table.shape) != 2:
        return None
    mapped = r.mapped(op, x) if x.axes[1] else x
    rows = isinstance(left, Constant)
    shape = list(r.shape(mapped)[:-1])
    method = _method(r, table, shape[0 if rows else 1], rows)
    if method is None or len(shape) != 2:
        return None
    shape[0 if rows else 1] = table.shape[0 if rows else 1]
    readers = r.readers.get(op.outputs[0], [])
    if rows and len(readers) == 1 and readers[0].op == "MatMul" and op.outputs[0] not in r.graph.outputs:
        other = r.values.get(readers[0].inputs[1])
        if isinstance(other, Constant) and _method(r, other, shape[1], False) == method:
            shape[1] = other.shape[1]
            r.skipped[readers[0]] = op.outputs[0]
    return r.placed(r.layer(op, "resize", [mapped.node], extent=tuple(shape), method=method), mapped)


def _method(r: Reader, table: Constant, size: int | None, rows: bool) -> str | None:
    if len(table.shape) != 2 or size is None or table.size * 4 > MOST or table.dtype.kind != "f":
        return None
    return resampled(table if rows else table.changed(table.shape[::-1], lambda array: array.T), size)
