"""Operations of elements by themselves: activations, sums, products."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from onnx import TensorProto

from netc.ir.shape import Dim
from netc.layers.base import LAYERS
from netc.lift.source import Unsaid
from netc.params import Refused
from netc.targets.onnx.read import functions
from netc.targets.onnx.read.constants import Constant, known, short
from netc.targets.onnx.read.folding import foldable, folded
from netc.targets.onnx.read.graph import Op
from netc.targets.onnx.read.idioms import BINARY
from netc.targets.onnx.read.layout import Tensor, extent, in_parts, joined_axes, parted, whole
from netc.targets.onnx.read.reader import FLOATS, WHOLE, Load, Reader, reads
from netc.targets.onnx.read.sequences import Scores, masked, scaled, softened
from netc.targets.onnx.read.sizes import OPEN

COMBINERS = {"Add": "add", "Sum": "add", "Mul": "mul", "Sub": "sub", "Max": "max", "Mean": "avg"}
HALF = {TensorProto.FLOAT16: "float16", TensorProto.BFLOAT16: "bfloat16"}
ENDLESS = 1e30  # a bound from which on it is none
POWERS = (2, 3, 4)  # that are products of a tensor with itself


@reads(1, "Function")
def function(r: Reader, op: Op) -> Any:
    """An activation that several nodes may be; made by `netc.targets.onnx.read.idioms`."""
    kind, values, rank = op.attr("layer"), op.attr("values"), op.attr("rank")
    if isinstance(scores := r.value(op, 0), Scores):
        return scaled(scores, kind, values)
    x = r.tensor(op)
    if rank > x.rank:
        raise Unsaid("its constant has more axes than the tensor")
    return x if not kind else Tensor(r.layer(op, kind, [x.node], **values), x.axes)


@reads(15, "Add", "Sub", "Mul", "Div", "Max", "Sum", "Mean", "Min", "Pow")
def both(r: Reader, op: Op) -> Any:
    given = [r.value(op, place) for place in range(len(op.inputs))]
    if all(isinstance(one, Constant) for one in given):
        return folded(op, [one for one in given if isinstance(one, Constant)])
    constants = [one for one in given if isinstance(one, Constant)]
    if op.op in ("Mul", "Div") and isinstance(given[0], Scores) and constants and constants[0].size == 1:
        return scaled(given[0], *_with_number(op, constants[0], False))
    if op.op == "Add" and constants and (scores := [one for one in given if isinstance(one, Scores)]):
        return masked(r, scores[0], constants[0])
    tensors = [r.tensor(op, place) for place, one in enumerate(given) if isinstance(one, Tensor)]
    if len(tensors) + len(constants) != len(given) or (constants and len(given) != 2):
        raise Unsaid("it takes tensors and constants together")
    if constants:
        return _with_constant(r, op, tensors[0], constants[0], isinstance(given[0], Constant))
    if op.op not in COMBINERS:
        raise Unsaid("no layer of netc is known for it between tensors")
    if len(tensors) == 1:
        return tensors[0]
    return combined(r, op, COMBINERS[op.op], tensors)


def combined(r: Reader, op: Op, kind: str, tensors: list[Tensor]) -> Tensor:
    """A combiner of tensors, in the order of axes of the one that has most of them."""
    if len({x.axes for x in tensors}) == 1 and len({r.shape(x) for x in tensors}) == 1:
        return Tensor(r.layer(op, kind, [x.node for x in tensors]), tensors[0].axes)
    lead = max(tensors, key=lambda x: (x.rank, sum(map(bool, x.axes))))
    if any(x.rank != lead.rank for x in tensors):
        raise Unsaid("its inputs have different numbers of axes")
    if (parts := in_parts(lead, tensors)) is not None:
        whole_axes = combined(r, op, kind, [joined_axes(x, parts) for x in tensors])
        return parted(whole_axes, [[extent(lead.axes[at]) or 1 for at in part] for part in parts])
    lead, order = r.layout.settled(lead)
    made = r.layer(op, kind, _as_large(r, op, kind, [r.layout.turned(x, order).node for x in tensors]))
    return r.layout.ordered(made, lead, order)


def _as_large(r: Reader, op: Op, kind: str, nodes: list[str]) -> list[str]:
    """Operands of a combiner, of which those that it does not make larger by itself are as large as the others."""
    shapes = [r.sketch.net.shapes[node] for node in nodes]
    try:
        LAYERS[kind]().infer(shapes)
    except Refused:
        sizes = [[size for size in column if size != 1] or [1] for column in zip(*shapes, strict=True)]
        return [enlarged(r, op, node, [column[0] for column in sizes]) or node for node in nodes]
    return nodes


def enlarged(r: Reader, op: Op, node: str, wanted: Sequence[Dim]) -> str | None:
    """A map whose positions of size 1 are repeated; None where it takes more than that to have the wanted shape."""
    shape = r.sketch.net.shapes[node]
    pairs = list(zip(shape, wanted, strict=True))
    if shape[-1] != wanted[-1] or any(old != new and (old != 1 or new is None) for old, new in pairs):
        return None
    factor = tuple(1 if old == new or new is None else new for old, new in pairs[:-1])
    return r.layer(op, "upsample", [node], factor=factor) if max(factor, default=1) > 1 else node


def _with_constant(r: Reader, op: Op, x: Tensor, constant: Constant, first: bool) -> Tensor:
    """A factor or an offset of every channel, or an offset of every element."""
    shape = (1,) * (x.rank - len(constant.shape)) + constant.shape
    if constant.dtype.kind != "f" or len(shape) > x.rank:
        raise Unsaid(f"its constant has {len(constant.shape)} axes, and the tensor {x.rank}")
    if constant.size == 1:
        if op.op == "Pow" and not first and (power := float(constant.array().reshape(-1)[0])) in POWERS:
            return Tensor(r.layer(op, "mul", [x.node] * int(power)), x.axes)
        kind, values = _with_number(op, constant, first)
        return x if not kind else Tensor(r.layer(op, kind, [x.node], **values), x.axes)
    along = [at for at, size in enumerate(shape) if size != 1]
    plain = not (first and op.op in ("Div", "Sub")) and shape[0] == 1
    if plain and op.op in ("Mul", "Div", "Add", "Sub") and len(along) == 1:
        (axis,) = along
        if extent(x.axes[axis]) != constant.size:
            raise Unsaid("its constant makes the tensor larger")
        return _affine(r, op, x, axis, constant)
    if plain and op.op in ("Add", "Sub"):
        x, order = r.layout.settled(x)
        if tuple(shape[at] for at in order) == r.shape(x):
            sign = np.float32(1 if op.op == "Add" else -1)

            def embedding() -> Any:
                return sign * constant.weights().reshape(shape).transpose((0, *order))[0]

            return Tensor(r.layer(op, "position", [x.node], {"embedding": embedding}), x.axes)
    raise Unsaid(f"no layer of netc computes it with a constant of the sizes {list(constant.shape)}")


def _with_number(op: Op, constant: Constant, first: bool) -> tuple[str, dict[str, Any]]:
    """The layer of a factor or an offset, which a constant of the file was not before it was computed."""
    value = functions.X
    number = functions.form(float(constant.array().reshape(-1)[0]))
    computed = BINARY.get(op.op)
    try:
        made = computed and computed(*((number, value) if first else (value, number)))
        found = made and functions.activation(made, [], short)
    except (functions.NoForm, ArithmeticError):
        found = None
    if found is None:
        raise Unsaid("it is no function of elements that a layer of netc computes")
    return found


def _affine(r: Reader, op: Op, x: Tensor, axis: int, constant: Constant) -> Tensor:
    """A factor and an offset of each channel, of which the second is a node after the first: a `scale` where there is
    no offset, else a `bn` whose statistics change nothing."""
    x = channels_at(r, x, axis)
    channels = constant.size
    first, other = (("Mul", "Div"), ("Add", "Sub"))[:: 1 if op.op in ("Mul", "Div") else -1]
    found = next(filter(None, (r.after(op, kind, axis, x.rank, channels) for kind in other)), None)
    steps = [(op.op, constant)] if found is None else [(op.op, constant), (found[0].op, found[1])]
    if found is None and first == ("Mul", "Div"):
        return Tensor(r.layer(op, "scale", [x.node], {"gamma": lambda: _numbers(op.op, constant)}), x.axes)

    def affine() -> tuple[Any, Any]:
        factor, offset = np.ones(channels, np.float32), np.zeros(channels, np.float32)
        for kind, held in steps:
            numbers = _numbers(kind, held)
            scaled = kind in ("Mul", "Div")
            factor, offset = (factor * numbers, offset * numbers) if scaled else (factor, offset + numbers)
        return factor, offset

    r.remark("a factor and an offset of each channel are a `bn` whose mean is 0, and whose variance and epsilon are 1")
    weights: dict[str, Load] = {
        "gamma": lambda: affine()[0],
        "beta": lambda: affine()[1],
        "moving_mean": lambda: np.zeros(channels, np.float32),
        "moving_variance": lambda: np.full(channels, 1 - 1e-5, np.float32),
    }
    return Tensor(r.layer(op, "bn", [x.node], weights), x.axes)


def _numbers(kind: str, constant: Constant) -> Any:
    """What a node multiplies by, or adds."""
    array = constant.weights().reshape(-1)
    if kind == "Div":
        return np.float32(1) / array
    return -array if kind == "Sub" else array


@reads(16, "PRelu")
def prelu(r: Reader, op: Op) -> Tensor:
    x, slope = r.tensor(op), r.constant(op, 1, "slope")
    if slope.size == 1:
        node = r.layer(op, "prelu", [x.node], {"alpha": lambda: slope.weights().reshape(_ones(r, x))}, single=True)
        return Tensor(node, x.axes)
    shape = (1,) * (x.rank - len(slope.shape)) + slope.shape
    along = [at for at, size in enumerate(shape) if size != 1]
    if len(shape) != x.rank or len(along) != 1 or not along[0]:
        raise Unsaid(f"its slope has the sizes {list(slope.shape)}")
    (axis,) = along
    x = r.layout.last(x, axis)
    ones = _ones(r, x)
    node = r.layer(op, "prelu", [x.node], {"alpha": lambda: slope.weights().reshape((*ones[:-1], -1))})
    return Tensor(node, x.axes)


def _ones(r: Reader, x: Tensor) -> tuple[int, ...]:
    return (1,) * len(r.shape(x))


@reads(13, "Softmax", "LogSoftmax")
def softmax(r: Reader, op: Op) -> Any:
    if isinstance(scores := r.value(op, 0), Scores) and op.op == "Softmax":
        return softened(scores, r.axis(op.attr("axis", -1 if op.version >= 13 else 1), scores.query.rank))
    x = r.tensor(op)
    axis = r.axis(op.attr("axis", -1 if op.version >= 13 else 1), x.rank)
    if op.version < 13 and any(x.axes[at] for at in range(axis + 1, x.rank)):
        raise Unsaid("it takes the sum over several axes")
    x = channels_at(r, x, axis)
    return Tensor(r.layer(op, "softmax" if op.op == "Softmax" else "log_softmax", [x.node]), x.axes)


def channels_at(r: Reader, x: Tensor, axis: int) -> Tensor:
    """A tensor that has the channels of its layer as an axis."""
    last = len(r.shape(x)) - 1
    apart = r.layout.order(x) is not None or not x.is_batch(0)
    if axis and apart and x.axes[axis] == whole(last, r.shape(x)[last]) != ():
        return x
    return r.layout.last(x, axis)


@reads(1, "L2Norm")
def l2norm(r: Reader, op: Op) -> Tensor:
    """Channels to length 1; of several nodes (`netc.targets.onnx.read.patterns`)."""
    x = r.tensor(op)
    x = channels_at(r, x, r.axis(op.attr("axis"), x.rank))
    if not op.attr("bounded"):
        r.remark("`l2norm` leaves channels that are all 0 as they are, of which the file makes no numbers (NaN)")
    return Tensor(r.layer(op, "l2norm", [x.node]), x.axes)


@reads(22, "Dropout")
def dropout(r: Reader, op: Op) -> Any:
    x = r.tensor(op)
    rate: Any = op.attr("ratio", 0.5)
    if op.version >= 12:
        op.attr("seed")
        if op.given(1):
            rate = short(float(r.constant(op, 1, "ratio").array()))
        if op.given(2) and r.constant(op, 2, "training_mode").array().any():
            raise Unsaid("it drops elements at random, in training mode")
    return [Tensor(r.layer(op, "dropout", [x.node], rate=rate), x.axes) if rate else x]


@reads(28, "Cast")
def cast(r: Reader, op: Op) -> Any:
    kind, given = op.attr("to"), r.value(op, 0)
    op.attr("saturate"), op.attr("round_mode")
    if isinstance(given, Constant):
        return folded(op, [given])
    if isinstance(given, Tensor) and kind in FLOATS:
        if kind in HALF:
            r.remark(f"numbers are {HALF[kind]} in some of the file's tensors, and float32 here")
        return given
    if isinstance(given, Tensor) and kind in WHOLE:
        r.whole.add(op.outputs[0])
        return given
    raise Unsaid("it makes other numbers of a tensor")


@reads(
    28,
    "Sqrt",
    "Neg",
    "Floor",
    "Ceil",
    "Reciprocal",
    "Exp",
    "Log",
    "Abs",
    "Equal",
    "Not",
    "Where",
    "Range",
    "Trilu",
    "Mod",
)
def computed(r: Reader, op: Op) -> Any:
    """What is only known of constants."""
    given = [r.value(op, place) for place in range(len(op.inputs))]
    constants = [one for one in given if isinstance(one, Constant)]
    if len(constants) < len(given) or not foldable(op) or op.flag("fmod"):
        raise Unsaid("no layer of netc is known for it")
    return folded(op, constants)


@reads(13, "Clip")
def clipped(r: Reader, op: Op) -> Any:
    """Elements within bounds that no activation has: moved to 0, where a `relu` is, and back."""
    x = r.value(op, 0)
    given = [r.constant(op, place, "bound") if op.given(place) else None for place in (1, 2)]
    if any(one is not None and one.size != 1 for one in given):
        raise Unsaid("a bound is no number")
    said = op.attr("min"), op.attr("max")  # before opset 11
    bounds = [one if held is None else held.array().reshape(()) for one, held in zip(said, given, strict=True)]
    if isinstance(x, Constant):
        made = x.array()
        if made.dtype == object:
            raise Unsaid(OPEN)
        for bound, nearer in zip(bounds, (np.maximum, np.minimum), strict=True):
            made = made if bound is None else nearer(made, bound)
        return known(made)
    low, high = (None if bound is None or abs(bound) > ENDLESS else short(float(bound)) for bound in bounds)
    x = r.tensor(op)
    if low is None and high is None:
        return x
    if low is not None and high is not None and low >= high:
        raise Unsaid(f"its bounds are {low:g} and {high:g}")
    sign, zero = (1.0, low) if low is not None else (-1.0, high or 0.0)
    most: dict[str, Any] = {} if low is None or high is None else {"max": high - low}
    node = r.layer(op, "rescale", [x.node], factor=sign, offset=-sign * zero)
    node = r.layer(op, "relu", [node], **most)
    return Tensor(r.layer(op, "rescale", [node], factor=sign, offset=zero), x.axes)
