"""Functions of `keras.ops` that are called as layers, and those of TensorFlow that Keras 2 wrote so."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from netc.lift.source import Tensor, Unsaid
from netc.targets.keras.read.activations import CUT, SHIFT, SHIFTED
from netc.targets.keras.read.norms import affine
from netc.targets.keras.read.options import flag, number, shown
from netc.targets.keras.read.reading import Held, Pending, Site, is_tensor, known
from netc.targets.keras.read.table import axes_given, says

TWO = {
    "ops.Add": "add",
    "ops.Subtract": "sub",
    "ops.Multiply": "mul",
    "ops.Maximum": "max",
    "ops.Divide": "",
    "ops.TrueDivide": "",
}


@says(*TWO)
def _two(site: Site) -> Held:
    """Of two tensors, or of one and a number."""
    given = (one for key in ("x1", "x2") if (one := site.given.take(key)) is not None)
    return _paired(site, known(site.call.layer, site.kind), [*site.args, *given])


def _paired(site: Site, name: str, given: Sequence[Any]) -> Held:
    if len(given) != 2:
        raise Unsaid(f"it is called with {len(given)} arguments, and 2 are expected")
    if not any(map(is_tensor, given)):
        raise Unsaid("it is called with no tensor")
    if all(map(is_tensor, given)):
        if not TWO[name]:
            raise Unsaid("it divides one tensor by another, and netc has no such layer")
        return site.add(TWO[name], *(site.reader.settled(one.held) for one in given))
    first = is_tensor(given[0])
    held, value = (given[0] if first else given[1]).held, number(given[1] if first else given[0])
    if name == "ops.Multiply" and isinstance(held, Pending) and held.kind == CUT and value == 1 / 6:
        return site.add("hard_sigmoid", held.base)
    x = site.reader.settled(held)
    if name == "ops.Add" and value == SHIFT:
        return site.later(SHIFTED, x, "rescale", factor=1.0, offset=value)
    match name.removeprefix("ops."):
        case "Add":
            return affine(site, x, 1.0, value)
        case "Multiply":
            return affine(site, x, value, 0.0)
        case "Subtract":
            return affine(site, x, 1.0, -value) if first else affine(site, x, -1.0, value)
        case "Divide" | "TrueDivide" if first and value:
            return affine(site, x, 1 / value, 0.0)
    raise Unsaid(f"it is {name.removeprefix('ops.')} of a tensor and a number, and netc has no such layer")


ELEMENTWISE = {
    f"ops.{name}": op
    for name, op in (
        *(("Absolute", "abs"), ("Abs", "abs"), ("Tanh", "tanh"), ("Exp", "exponential"), ("Relu", "relu")),
        *(("Relu6", "relu6"), ("Sigmoid", "sigmoid"), ("Softplus", "softplus"), ("Softsign", "softsign")),
        *(("Silu", "silu"), ("Selu", "selu"), ("HardSigmoid", "hard_sigmoid"), ("HardSilu", "hard_silu")),
        *(("HardTanh", "hard_tanh"), ("LogSigmoid", "log_sigmoid"), ("TanhShrink", "tanh_shrink")),
        *(("SparsePlus", "sparse_plus"), ("SparseSigmoid", "sparse_sigmoid")),
    )
}


@says(*ELEMENTWISE)
def _elementwise(site: Site) -> Tensor:
    return site.add(ELEMENTWISE[known(site.call.layer, site.kind)], site.one())


POOLS = {"Mean": "gap", "Max": "gmp"}


@says("ops.Negative")
def _negative(site: Site) -> Tensor:
    return site.add("rescale", site.one(), factor=-1.0)


@says("ops.Mean", "ops.Max")
def _reduced(site: Site) -> Tensor:
    return _pooled(site, POOLS[site.kind])


def _pooled(site: Site, op: str) -> Tensor:
    x = site.one()
    rank, axis = site.rank(x), site.given.take("axis", site.options.take("axis"))
    keep = flag(site.given.take("keepdims", site.options.take("keepdims")) or False)
    site.options.need("initial")
    axes = {one if one >= 0 else one + rank + 2 for one in axes_given(axis)}
    if axes == {rank + 1} and keep:
        return site.add(op, x, over="channels")
    if axes != set(range(1, rank + 1)) or not rank:
        raise Unsaid(f"it works along {shown(axis)}, and netc's global pools over all positions")
    return site.add(op, x, keep=keep)


# -- of TensorFlow ---------------------------------------------------------------------------------------------

# By the names that Keras 2 writes, which are those of TensorFlow's interface: what `keras.ops` has under another one.
_TWO = {
    **{f"math.{name}": f"ops.{name.capitalize()}" for name in ("add", "subtract", "multiply", "divide", "maximum")},
    **{f"__operators__.{name}": f"ops.{name.capitalize()}" for name in ("add", "subtract", "multiply")},
    "math.truediv": "ops.Divide",
    "__operators__.truediv": "ops.Divide",
}
_ONE = {
    **{f"math.{name}": name for name in ("abs", "tanh", "sigmoid", "softplus", "log_sigmoid")},
    **{f"nn.{name}": name for name in ("relu", "relu6", "selu", "tanh", "sigmoid", "softplus", "softsign")},
    **{"math.exp": "exponential", "nn.silu": "silu", "nn.swish": "silu"},
}


@says("TFOpLambda")
def _tensorflow(site: Site) -> Held:
    function = site.options.take("function")
    site.given.take("name")  # of the operation in a graph
    if function in _TWO:
        second = site.given.take("y")
        return _paired(site, _TWO[function], [*site.args, *([] if second is None else [second])])
    if function in _ONE:
        site.given.need("beta", 1.0)
        return site.add(_ONE[function], site.one())
    match function:
        case "nn.elu":
            return site.add("elu", site.one(), alpha=1.0)
        case "nn.leaky_relu":
            return site.add("leakyrelu", site.one(), slope=number(site.given.take("alpha", 0.2)))
        case "nn.softmax" if site.given.take("axis") in (None, -1):
            return site.add("softmax", site.one())
        case "math.negative":
            return site.add("rescale", site.one(), factor=-1.0)
        case "math.reduce_mean" | "math.reduce_max":
            return _pooled(site, "gap" if function == "math.reduce_mean" else "gmp")
        case "concat":
            tensors = site.tensors()
            if site.given.take("axis") in (-1, site.rank(tensors[0]) + 1 if tensors else None):
                return site.add("concat", *tensors)
    raise Unsaid(f"it is TensorFlow's {shown(function)}, and netc has no such layer")
