"""Recurrent layers and attention."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from math import sqrt
from typing import TYPE_CHECKING, Any

import numpy as np

from netc.ir.shape import channels_of
from netc.layers.norm import Rescale
from netc.layers.shape import Part
from netc.lift.source import Unsaid
from netc.targets.onnx.primitives import GATES
from netc.targets.onnx.read.constants import Constant
from netc.targets.onnx.read.graph import Op
from netc.targets.onnx.read.layout import BATCH, Axis, Digits, Tensor, merged, own, whole
from netc.targets.onnx.read.reader import Load, Reader, Repeated, reads

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]

USUAL = {"LSTM": ["Sigmoid", "Tanh", "Tanh"], "GRU": ["Sigmoid", "Tanh"], "RNN": ["Tanh"]}


@reads(22, "LSTM", "GRU", "RNN")
def recurrent(r: Reader, op: Op) -> Any:
    x = r.tensor(op)
    kind = op.op.lower()
    ways = {"forward": 1, "bidirectional": 2}.get(op.attr("direction", "forward"), 0)
    usual = USUAL[op.op] * ways
    if not ways or op.attr("activations", usual) != usual or op.flag("layout") or x.rank != 3:
        raise Unsaid("its direction, its activations or its layout are not those of netc")
    resets_before = kind == "gru" and not op.flag("linear_before_reset")
    if op.attr("clip") is not None or op.flag("input_forget") or resets_before:
        raise Unsaid("it clips, joins its gates, or resets before the product")
    kernel, recurrent_kernel = r.constant(op, 1, "weights"), r.constant(op, 2, "recurrent weights")
    bias = r.constant(op, 3, "bias") if op.given(3) else None
    for place in range(4, 8):
        _nothing(r, op, place)
    wide = kernel.shape[1] if len(kernel.shape) == 3 else 0
    rows = len(GATES[kind])  # products of each unit
    units, channels = wide // rows, kernel.shape[-1]
    sizes = (ways, wide, channels), (ways, wide, units), (ways, 2 * wide)
    shapes = kernel.shape, recurrent_kernel.shape, bias.shape if bias else sizes[2]
    if units < 1 or shapes != sizes or op.attr("hidden_size", units) != units:
        raise Unsaid(f"its weights have the sizes {[list(shape) for shape in shapes]}")
    x = r.layout.turned(Tensor(x.node, (x.axes[1], x.axes[0], x.axes[2])), (1, 2))
    if channels_of(r.shape(x)) != channels:
        raise Unsaid(f"its weights take {channels} channels, and its input has {channels_of(r.shape(x))}")
    order = np.argsort(np.arange(wide).reshape(rows, units)[GATES[kind]].reshape(-1))
    weights: dict[str, Load] = {}
    for way, side in enumerate(("forward/", "backward/") if ways == 2 else ("",)):
        weights[f"{side}kernel"] = partial(_gates, kernel, way, order)
        weights[f"{side}recurrent_kernel"] = partial(_gates, recurrent_kernel, way, order)
        if bias is not None:
            weights[f"{side}bias"] = partial(_biases, bias, way, order, kind == "gru")
    used = [bool(name) and (name in r.readers or name in r.graph.outputs) for name in (*op.outputs, "", "")]
    if used[0] and used[1]:
        raise Unsaid("all its states are read, and the last one by itself")
    values: dict[str, Any] = {"units": units, "bias": bias is not None, "both": ways == 2, "all": used[0]}
    node = r.layer(op, kind, [x.node], weights, **values)
    last = len(r.sketch.net.shapes[node]) - 1
    both = (Digits(last, 2, units),) if ways == 2 else ()
    own_units = (Digits(last, units),) if units > 1 else ()
    axes: list[Axis] = [both, x.axes[0], own_units]
    made = Tensor(node, (own(r.sketch.net.shapes[node])[0], *axes) if used[0] else tuple(axes))
    return [made if used[0] else None, made if used[1] else None][: len(op.outputs)]


def _nothing(r: Reader, op: Op, place: int) -> None:
    """Refuse a state that it begins with, lengths and peepholes, but for zeros."""
    if not op.given(place):
        return
    found = r.value(op, place)
    held = found.constant if isinstance(found, Repeated) else found
    if place == 4 or not isinstance(held, Constant) or held.symbolic or held.array().any():
        raise Unsaid(f"its input {place + 1} is given, and is not 0 throughout")


def _gates(constant: Constant, way: int, order: Array) -> Any:
    return constant.weights()[way][order].T


def _biases(constant: Constant, way: int, order: Array, two: bool) -> Any:
    both = constant.weights()[way].reshape(2, -1)[:, order]
    return both if two else both.sum(0)


# -- attention ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Scores:
    """How queries meet keys: products of two tensors over the channels of each head. `softened` after the softmax."""

    query: Tensor
    key: Tensor
    heads: int
    factor: float = 1.0
    causal: bool = False
    softened: bool = False


@dataclass(frozen=True, slots=True)
class Attended:
    """What attention gives before its heads are joined."""

    scores: Scores
    value: Tensor


def product(r: Reader, op: Op, one: Any, other: Any) -> Any:
    """A product of two tensors in an attention: queries by keys, or softened scores by values."""
    if isinstance(one, Scores) and isinstance(other, Tensor) and one.softened:
        heads, positions, share = _by_head(r, other, False)
        if heads != one.heads or positions != _positions(r, one.key):
            raise Unsaid("its weights are of other positions or heads than its values")
        shape = r.sketch.net.shapes[one.query.node]
        if share * heads != channels_of(shape):
            raise Unsaid("the values of a head have other channels than its queries")
        node = r.sketch.add(f"{op.name or op.outputs[0]}.attended", "identity", [one.query.node])
        if node is None:
            raise Unsaid("it gives no tensor of positions and channels")
        r.attended[node] = Attended(one, other)
        return Tensor(node, one.query.axes)
    if isinstance(one, Tensor) and isinstance(other, Tensor):
        heads, _, share = _by_head(r, one, False)
        if _by_head(r, other, True)[::2] != (heads, share):
            raise Unsaid("it is a product of two tensors that are no queries and keys")
        return Scores(one, other, heads)
    raise Unsaid("it is a product of two tensors, which is known as a part of an attention alone")


def _by_head(r: Reader, x: Tensor, turned: bool) -> tuple[int, Any, int]:
    """The heads, the positions and the channels of each head of a tensor whose last two axes are the latter."""
    why = Unsaid("it is a product of two tensors that are no queries, keys or values of heads")
    if x.rank < 3 or len(r.shape(x)) != 2:
        raise why
    positions, channels = r.shape(x)
    lead: Axis = merged(sum(x.axes[:-2], ()))
    rows, columns = x.axes[-2:] if not turned else x.axes[:-3:-1]
    if not lead or lead[0].axis != BATCH or rows != whole(0, positions) or len(columns) > 1 or not channels:
        raise why
    share = columns[0].size or 0 if columns else 1
    heads = channels // max(share, 1)
    wanted: Axis = (Digits(1, heads, share),) if heads > 1 else ()
    if columns != whole(1, share) or lead[1:] != wanted:
        raise why
    return heads, positions, share


def _positions(r: Reader, x: Tensor) -> Any:
    return r.shape(x)[0]


def scaled(scores: Scores, layer: str, values: dict[str, Any]) -> Scores:
    """Scores times a number."""
    if scores.softened or (layer and (layer != "rescale" or values.get("offset"))):
        raise Unsaid("it changes the scores of an attention in a way that is not known")
    return replace(scores, factor=scores.factor * values.get("factor", 1.0))


def masked(r: Reader, scores: Scores, mask: Constant) -> Scores:
    """Scores with a mask added: nothing, or what leaves later positions out."""
    array = mask.array()
    if scores.softened or array.ndim < 2 or array.size != array.shape[-1] * array.shape[-2]:
        raise Unsaid("it adds something to the scores of an attention that is no mask")
    array = array.reshape(array.shape[-2:])
    later = np.triu(np.ones(array.shape, bool), 1)
    sizes = [_positions(r, scores.query), _positions(r, scores.key)]
    if list(array.shape) != sizes or array[~later].any() or not np.all(array[later] < -1e30):
        raise Unsaid("its mask is not that which leaves later positions out")
    return replace(scores, causal=True)


def softened(scores: Scores, axis: int) -> Scores:
    """Scores after a softmax over the keys."""
    if scores.softened or axis != scores.query.rank - 1:
        raise Unsaid("it is a softmax of an attention, and not over its keys")
    return replace(scores, softened=True)


@dataclass(slots=True)
class _Projection:
    """A matrix product of positions: of what, its weights, and a factor after it."""

    source: str
    kernel: Load
    bias: Load | None
    factor: float


def _projection(r: Reader, node: str) -> _Projection:
    net, factor = r.sketch.net, 1.0
    cut: Callable[[Any], Any] = lambda array: array  # noqa: E731
    layer = net.node(node).layer
    while isinstance(layer, Rescale | Part):
        if isinstance(layer, Rescale):
            if layer.offset:
                break
            factor *= layer.factor
        else:
            share = channels_of(net.shapes[node])
            cut = partial(_columns, cut, (layer.index - 1) * share, share)
        (node,) = net.operands(node)
        layer = net.node(node).layer
    held = r.weights.get(node, {})
    if layer.op != "conv" or net.node(node).shares or layer.weights(net.operand_shapes(node))[0].shape[0] != 1:
        raise Unsaid("queries, keys or values of an attention are no matrix product of a tensor")
    if getattr(layer, "act", "linear") != "linear" or len(net.shapes[node]) != 2:
        raise Unsaid("queries, keys or values of an attention are no matrix product of a tensor")
    kernel, bias = held["kernel"], held.get("bias")
    return _Projection(
        net.operands(node)[0], lambda: cut(kernel()[0]), None if bias is None else lambda: cut(bias()), factor
    )


def _columns(before: Callable[[Any], Any], first: int, count: int, array: Any) -> Any:
    return before(array[..., first : first + count])


def attention(r: Reader, op: Op, x: Tensor, kernel: Constant, bias: Constant | None) -> str:
    """An attention, once its heads are joined by a matrix."""
    made = r.attended[x.node]
    scores = made.scores
    query, key, value = (_projection(r, one.node) for one in (scores.query, scores.key, made.value))
    net = r.sketch.net
    channels, units = kernel.shape
    heads, share = scores.heads, channels // scores.heads
    biased = any(one is not None for one in (query.bias, key.bias, value.bias, bias))
    if key.source != value.source or units != channels_of(net.shapes[query.source]):
        raise Unsaid("it ends an attention of three tensors, or one that changes the channels")
    factor = np.float32(scores.factor * query.factor * key.factor * sqrt(share))
    factor = np.float32(1) if abs(factor - 1) < 1e-5 else factor
    weights: dict[str, Load] = {}
    for name, one, times in (("query", query, factor), ("key", key, 1), ("value", value, np.float32(value.factor))):
        weights[f"{name}/kernel"] = partial(_heads, one.kernel, heads, share, times)
        if biased:
            weights[f"{name}/bias"] = partial(_heads, one.bias or partial(np.zeros, channels), heads, share, times)
    weights["attention_output/kernel"] = lambda: kernel.weights().reshape((heads, share, units))
    if biased:
        weights["attention_output/bias"] = bias.weights if bias else lambda: np.zeros(units, np.float32)
    ordered = {
        f"{name}/{role}": weights[f"{name}/{role}"]
        for name in ("query", "key", "value", "attention_output")
        for role in ("kernel", "bias")
        if f"{name}/{role}" in weights
    }
    values: dict[str, Any] = {"heads": heads, "key": share, "bias": biased, "causal": scores.causal}
    operands = [query.source]
    if key.source != query.source:
        operands.append(key.source)
        values["from_"] = True
    return r.layer(op, "attention", operands, ordered, **values)


def _heads(load: Load, heads: int, share: int, factor: Any) -> Any:
    array = load()
    return (array * np.float32(factor)).reshape((*array.shape[:-1], heads, share))
