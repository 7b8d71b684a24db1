"""Layers as the figures and tables of papers label them: `7x7 conv, 64, /2`."""

from __future__ import annotations

from netc.ir.shape import Shape, rank_of
from netc.layers.base import Layer
from netc.params import declared


def kind(layer: Layer, shape: Shape, *, activation: bool = True) -> str:
    """A layer with its output shape in a few words: window, operation, filters, dilation, stride, activation, or its
    arguments.

    `3x3 conv, 64, relu`, `2x2 pool, /2`, `fc 4096, relu`, `dropout 0.5`. Without its `activation`, if asked for so.
    """
    names = (*layer.size, *layer.positional, "act")
    given = {name: _show(getattr(layer, name), name == "shape") for name in names if hasattr(layer, name)}
    kernel, stride, act = (given.pop(name, "") for name in ("kernel", "stride", "act"))
    rest = [text for text in given.values() if text]
    if kernel:
        window = kernel if "x" in kernel else "x".join([kernel] * rank_of(shape))
        rest.insert(0, f"{window} {layer.op}")
    else:
        rest = [" ".join([layer.op, *rest, *([layer.told] if layer.told else [])])]
    step = stride or (kernel if hasattr(layer, "stride") else "1")
    parts = [
        *rest,
        dilation(layer),
        *_options(layer),
        "" if step == "1" else f"/{step}",
        "" if act == "linear" or not activation else act,
    ]
    return ", ".join(part for part in parts if part)


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
