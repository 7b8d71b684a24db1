"""Layers as the figures and tables of papers label them: `7x7 conv, 64, /2`."""

from __future__ import annotations

from collections.abc import Sequence

from netc.ir.shape import Shape, rank_of
from netc.layers.base import Layer
from netc.layers.sliding import spread
from netc.params import declared


def kind(layer: Layer, shape: Shape, *, activation: bool = True) -> str:
    """A layer with its output shape in a few words: window, operation, filters, groups, dilation, padding where it is
    more than usual, stride, activation, or its arguments.

    `3x3 conv, 64, relu`, `k=3 conv, 64`, `2x2 pool, /2`, `fc 4096, relu`, `dropout 0.5`. Without its `activation`, if
    asked for so.
    """
    names = (*layer.size, *layer.positional, "act")
    given = {name: _show(getattr(layer, name), name == "shape") for name in names if hasattr(layer, name)}
    kernel, stride, act = (given.pop(name, "") for name in ("kernel", "stride", "act"))
    rest = [text for text in given.values() if text]
    if kernel:
        rest.insert(0, operation(layer, shape))
    else:
        rest = [" ".join([layer.op, *rest, *([layer.told] if layer.told else [])])]
    step = stride or (kernel if hasattr(layer, "stride") else "1")
    parts = [
        *rest,
        groups(layer) if kernel else "",
        dilation(layer),
        _padding(layer, shape) if kernel else "",
        *_options(layer),
        "" if step == "1" else f"/{step}",
        "" if act == "linear" or not activation else act,
    ]
    return ", ".join(part for part in parts if part)


def operation(layer: Layer, shape: Shape) -> str:
    """An operation with its window, if it has one, whatever its filters and options are: `3x3 conv`, `fc`."""
    return f"{sliding(layer, shape)} {layer.op}" if hasattr(layer, "kernel") and layer.kernel else layer.op


def window_size(sizes: Sequence[int]) -> str:
    """A window as papers write it: `3x3`, and along one dimension `k=3`."""
    return "x".join(map(str, sizes)) if len(sizes) > 1 else f"k={sizes[0]}"


def sliding(layer: Layer, shape: Shape) -> str:
    """The window of a layer that has one, and whether it sees the past alone: `3x3`, `k=2 causal`."""
    values = vars(layer)
    sizes = spread(values["kernel"], rank_of(shape))
    return window_size(sizes) + " causal" * (values.get("pad") == "causal" and max(sizes) > 1)


def groups(layer: Layer) -> str:
    """How many groups of channels are convolved apart, if several: `32 groups`."""
    count = vars(layer).get("groups", 1)
    return f"{count} groups" if count > 1 else ""


def _padding(layer: Layer, shape: Shape) -> str:
    """The zeros around a map where some windows lie in them for the most part: `pad 100`."""
    pad = vars(layer).get("pad")
    if not isinstance(pad, int | tuple):
        return ""
    sizes, gaps, sides = (
        spread(each, rank_of(shape)) for each in (vars(layer)["kernel"], getattr(layer, "dilation", 1), pad)
    )
    more = any(2 * side > (size - 1) * gap for size, gap, side in zip(sizes, gaps, sides, strict=True))
    return f"pad {_show(sides, False)}" if more else ""


def dilation(layer: Layer) -> str:
    """The step between the taps of a window, where it is not 1: `dilation 2`."""
    gap = _show(getattr(layer, "dilation", 1), False)
    return "" if gap == "1" else f"dilation {gap}"


def _options(layer: Layer) -> list[str]:
    """Options that say what a layer is, where they are not as they are unless given: `offset 1`, `reflect`."""
    params = declared(type(layer)) if layer.shown else {}
    given = {name: getattr(layer, name) for name in layer.shown if getattr(layer, name) != params[name].default}
    return [
        str(value) if value in params[name].bare_words else f"{params[name].key} {_show(value, False)}".strip()
        for name, value in given.items()
    ]


def _show(value: object, whole: bool) -> str:
    """A value in the shortest form; equal sizes as one unless the `whole` is asked for."""
    if value is None or isinstance(value, bool):
        return ""
    if isinstance(value, tuple):
        sizes = value if whole or len(set(value)) > 1 else value[:1]
        return "x".join("?" if size is None else str(size) for size in sizes)
    return f"{value:g}" if isinstance(value, float) else str(value)
