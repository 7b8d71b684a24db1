"""Activations of Keras: layers of their own, and parts of others."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from netc.layers.base import LAYERS
from netc.layers.conv import Conv
from netc.lift.source import Tensor, Unsaid
from netc.params import declared
from netc.targets.keras.read.options import Operation, Options, flag, function, initializer, number, shown
from netc.targets.keras.read.reading import Held, Pending, Site, known
from netc.targets.keras.read.table import axes_given, initial, otherwise, punished, says


def ending(site: Site) -> tuple[dict[str, Any], str, Mapping[str, Any]]:
    """The `act` of a layer, and the operation after it where that is no `act`."""
    op, given = _named(site.options)
    unlike(site, op)
    if given or op not in declared(Conv)["act"].kind.words():
        return {}, op, given
    return ({} if op == "linear" else {"act": op}), "linear", {}


def _activation(layer: Mapping[str, Any]) -> Operation:
    """The operation of a layer that another one has for its activation."""
    kind, config = str(layer.get("class_name")), layer.get("config")
    says = FUNCTIONS.get(known(layer, kind))
    if says is None or not isinstance(config, Mapping):
        raise Unsaid(f"its activation is a {shown(kind)}, and netc has no such activation")
    options = Options(config)
    found = says(options)
    if wrong := options.rest():
        raise Unsaid(f"of its activation {kind}: {wrong[0]}")
    return found


def unlike(site: Site, op: str) -> None:
    """Say where Keras computes something else than a layer of this name is known to be, and refuse what one before
    Keras 3 did."""
    if site.reader.legacy and op == "hard_sigmoid":
        raise Unsaid("its hard_sigmoid is that of Keras before 3, clip(0.2 * x + 0.5, 0, 1), which netc has not")
    if op in LAYERS and LAYERS[op].unlike_keras:
        site.remark(f"has `{op}`, which netc computes as published: {LAYERS[op].unlike_keras}")


def learnt(site: Site, *kernels: str) -> tuple[dict[str, Any], str, Mapping[str, Any]]:
    """What layers with kernels have in common, and what comes after."""
    act, op, given = ending(site)
    begun = [initial(site, f"{kernel}_initializer", "glorot_uniform") for kernel in kernels]
    if any(one != begun[0] for one in begun):
        site.left_out("that its kernels begin differently in training")
    values = begun[0] | initial(site, "bias_initializer", "zeros", vector=True) | punished(site, *kernels) | act
    return values | {"bias": flag(site.options.take("use_bias", True))}, op, given


def _relu(options: Options) -> Operation:
    most = options.take("max_value")
    slope = number(options.take("negative_slope") or 0.0)
    threshold = number(options.take("threshold") or 0.0)
    if most is not None and (number(most), slope, threshold) == (6, 0, 0):
        return "relu6", {}
    given = {name: value for name, value in (("slope", slope), ("threshold", threshold)) if value}
    return "relu", given if most is None else {"max": number(most), **given}


def _leaky(options: Options) -> Operation:
    slope = options.take("negative_slope", options.take("alpha", 0.3))
    return "leakyrelu", {"slope": number(slope)}


def _elu(options: Options) -> Operation:
    return "elu", {"alpha": number(options.take("alpha", 1.0))}


def _thresholded(options: Options) -> Operation:
    return "relu", {"threshold": number(options.take("theta", 1.0))}


def _softmax(options: Options) -> Operation:
    axis = options.take("axis", -1)
    if axis not in (-1, [-1]):
        raise Unsaid(f"it is along axis {shown(axis)}, and netc's softmax along the channels")
    return "softmax", {}


def _named(options: Options) -> Operation:
    """The operation of an `activation`, a function or a layer."""
    value = options.take("activation")
    if isinstance(value, Mapping) and value.get("class_name") != "function":
        return _activation(value)
    return function(value)


FUNCTIONS: Mapping[str, Callable[[Options], Operation]] = {
    "ReLU": _relu,
    "LeakyReLU": _leaky,
    "ELU": _elu,
    "ThresholdedReLU": _thresholded,
    "Softmax": _softmax,
    "Activation": _named,
}

# relu6(x + 3) / 6 is `hard_sigmoid` (Howard et al. 2019, arXiv:1905.02244): what is pending of it.
SHIFT, SHIFTED, CUT = 3, "x + 3", "relu6(x + 3)"


@says(*FUNCTIONS)
def _plain(site: Site) -> Held:
    op, given = FUNCTIONS[known(site.call.layer, site.kind)](site.options)
    unlike(site, op)
    held = site.only()
    if op == "relu6" and isinstance(held, Pending) and held.kind == SHIFTED and site.once:
        return Pending(CUT, held.base, lambda: site.add(op, site.reader.settled(held)))
    return site.add(op, site.one(), **given)


@says("PReLU")
def _prelu(site: Site) -> Tensor:
    x = site.one()
    rank, axes = site.rank(x), site.options.take("shared_axes")
    shared = set(axes_given(axes or []))
    spatial = set(range(1, rank + 1))
    if not spatial <= shared <= spatial | {rank + 1}:
        raise Unsaid("it learns a slope for each position, and netc one for each channel, or one for all")
    start = site.options.take("alpha_initializer", "zeros")
    found = initializer(start, vector=True)
    values: dict[str, Any] = {"init": {"zeros": 0.0, "ones": 1.0}.get(str(found), found)}
    if found is None or isinstance(values["init"], str):
        otherwise(site, "alpha_initializer", start)
        values = {}
    punished(site, "alpha")
    return site.add("prelu", x, single=rank + 1 in shared, **values)


@says("netc>ParametricActivation")
def _parametric(site: Site) -> Tensor:
    op, given = function(site.options.take("function"))
    renamed = {"default_value": "value"}
    names = {name: name for name in declared(LAYERS[op])} | renamed
    values = {there: one for here, there in names.items() if (one := site.options.take(here)) is not None}
    return site.add(op, site.one(), **{**given, **values})


@says("netc>AbsoluteValue")
def _absolute(site: Site) -> Tensor:
    return site.add("abs", site.one())
