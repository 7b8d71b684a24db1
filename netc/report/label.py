"""Layers as the figures and tables of papers label them: `7x7 conv, 64, /2`."""

from __future__ import annotations

from netc.layers.base import Layer


def kind(layer: Layer) -> str:
    """A layer in a few words: window, operation, filters, stride, activation, or its first arguments.

    `3x3 conv, 64, relu`, `2x2 pool, /2`, `fc 4096, relu`, `dropout 0.5`.
    """
    names = (*layer.size, *layer.positional, "act")
    given = {name: _show(getattr(layer, name)) for name in names if hasattr(layer, name)}
    kernel, stride, act = (given.pop(name, "") for name in ("kernel", "stride", "act"))
    stride = "" if set(stride.split("x")) == {"1"} else stride
    rest = [text for text in given.values() if text]
    name = f"{kernel} {layer.op}" if kernel else " ".join([layer.op, *rest])
    parts = [name, *(rest if kernel else ()), f"/{_compact(stride)}" if stride else "", "" if act == "linear" else act]
    return ", ".join(part for part in parts if part)


def _show(value: object) -> str:
    if value is None or isinstance(value, bool):
        return ""
    if isinstance(value, tuple):
        return "x".join(str(item) if isinstance(item, int) else "?" for item in value)
    return f"{value:g}" if isinstance(value, float) else str(value)


def _compact(sizes: str) -> str:
    parts = sizes.split("x")
    return parts[0] if len(set(parts)) == 1 else sizes
