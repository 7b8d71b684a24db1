"""Backends on which Keras would compute another network than on TensorFlow, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING

from netc.ir.shape import Dim, rank_of
from netc.ir.window import same_padding
from netc.layers.pool import AveragePool
from netc.layers.shape import Resize
from netc.layers.sliding import spread

if TYPE_CHECKING:
    from netc.ir.net import Net

SHOWN = 3  # layers that are named


def refusal(net: Net, backend: str) -> str:
    """Why a network is refused on a backend; nothing where it is taken.

    Bicubic interpolation of TensorFlow has a table of 1,024 places between two pixels, and Torch's another sharpness.
    Keras 3.15 on Torch pads an average pool by repeating the border, and counts it, where `same` adds more after than
    before; elsewhere it counts no padding.
    """
    if backend == "tensorflow":
        return ""
    bicubic = [node.name for node in net if isinstance(node.layer, Resize) and node.layer.method == "bicubic"]
    if bicubic:
        return f"Keras on {backend} has other weights for bicubic interpolation: {_named(bicubic)}"
    uneven = [node.name for node in net if backend == "torch" and _is_uneven_average(net, node.name)]
    if uneven:
        return f"Keras on torch averages repeated borders where padding='same' is uneven: {_named(uneven)}"
    return ""


def _named(names: list[str]) -> str:
    return ", ".join(names[:SHOWN]) + (f" and {len(names) - SHOWN} more" if len(names) > SHOWN else "")


def _is_uneven_average(net: Net, name: str) -> bool:
    layer = net.node(name).layer
    if not isinstance(layer, AveragePool) or layer.pad != "same":
        return False
    (shape,) = net.operand_shapes(name)
    rank = rank_of(shape)
    windows = zip(shape, spread(layer.kernel, rank), spread(layer.step, rank), strict=False)
    return any(_is_uneven(size, kernel, stride) for size, kernel, stride in windows)


def _is_uneven(size: Dim, kernel: int, stride: int) -> bool:
    """Whether `same` adds more after than before, for any size where it is open."""
    sizes = range(stride, 2 * stride) if size is None else (size,)  # what is added repeats with the stride
    return any(before != after for before, after in (same_padding(one, kernel, stride) for one in sizes))
