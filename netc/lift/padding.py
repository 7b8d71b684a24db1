"""Padding as it is, however it is said: `same` may be a number of pixels, or none at all."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from netc.ir.shape import Shape
from netc.layers.base import Layer
from netc.layers.conv import Convolution, TransposedConv
from netc.layers.pool import Pool
from netc.layers.sliding import all_are

Pixels = tuple[tuple[int, int], ...]


class Same(str):
    """`same`, and the pixels on every side that it is, if it is one number of them."""

    __slots__ = ("pixels",)

    pixels: int | None

    def __new__(cls, pixels: int | None) -> Same:
        made = super().__new__(cls, "same")
        made.pixels = pixels
        return made


def number(pad: Any) -> Any:
    """A padding as its pixels, where it is a number of them."""
    return pad.pixels if isinstance(pad, Same) and pad.pixels is not None else pad


def pixels(layer: Layer, shape: Shape) -> Pixels | None:
    """The pixels before and after of each dimension, of a convolution or of a pool that pads nothing.

    None where padding is something else, or depends on a size that is not known.
    """
    if not isinstance(layer, Convolution | Pool) or isinstance(layer, TransposedConv) or layer.pad == "causal":
        return None
    step = layer.step if isinstance(layer, Pool) else layer.stride
    known = None not in shape[:-1] or (isinstance(layer, Convolution) and (layer.pad != "same" or all_are(step, 1)))
    windows = layer.windows((shape,)) if known else None
    if windows is None:
        return None
    found = tuple((window.before, window.after) for window in windows)
    return found if isinstance(layer, Convolution) or not any(map(any, found)) else None


def said(layer: Layer, shape: Shape) -> list[Any]:
    """All ways to say the padding of a layer, `same` first where it is one."""
    own = pixels(layer, shape)
    if own is None:
        return []
    sides = {side for pair in own for side in pair}
    number = sides if len(sides) == 1 and any(sides) else ()
    other: Any = layer
    return [way for way in ("same", "valid", *number) if pixels(replace(other, pad=way), shape) == own]
