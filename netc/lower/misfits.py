"""Why a gate does not fit the map beside it: what is to be seen in how its branch is written."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from netc.diagnostics.model import Frame
from netc.ir.net import Net, Node
from netc.ir.shape import Shape, channels_of, is_pixel, rank_of
from netc.layers.dense import Dense
from netc.layers.merge import Multiply
from netc.lower.definitions import shipped
from netc.lower.walk import names
from netc.syntax.tree import Expr, Reference

_LOOK_BACK = 8  # layers that come after the one which says how many channels there are: activations, dropout
_SHIPPED = "se"  # the block that is such a gate


@dataclass(frozen=True, slots=True)
class _Width:
    """The layer that gives a branch its channels, and how their number is written."""

    node: Node
    written: Expr
    before: int  # channels of what the layer reads


def gates(
    op: type, net: Net, operands: Sequence[str], shapes: Sequence[Shape], frame: Frame | None
) -> tuple[list[str], bool]:
    """Help for operands of `mul` or `add` that do not fit; whether it says the cause."""
    whole = next((shape for shape in shapes if rank_of(shape) and not is_pixel(shape)), None)
    small = [at for at, shape in enumerate(shapes) if not rank_of(shape) or is_pixel(shape)]
    if whole is None or not small:
        return [], False
    causes = [cause for at in small for cause in _causes(net, operands[at], shapes[at], channels_of(whole), frame)]
    known = op is Multiply and shipped(_SHIPPED) is not None
    more = f"`{_SHIPPED}` is a gate of all channels that netc ships; `netc explain NET201` has its text"
    return [*causes, *([more] if known else [])], bool(causes)


def _causes(net: Net, operand: str, shape: Shape, channels: int, frame: Frame | None) -> Iterator[str]:
    width = _width(net, operand)
    if width is None:
        return
    right = channels_of(shape) == channels
    if not right and "channels" in names(width.written):
        calls = (one.span.text.split()[0] for one in frame.chain() if "`" in one.title) if frame else iter(())
        inside = next(calls, "")
        take = f"take it before the branches, as a parameter's default: `def {inside}(c=channels)`"
        yield f"`channels` is {width.before} there: {take if inside else f'write `{channels}`'}"
    if not rank_of(shape) and isinstance(width.node.layer, Dense):
        written = width.written.span.text
        if not right:
            written = str(channels)
        elif isinstance(width.written, Reference):
            written = f"({written})"
        yield f"`{width.node.layer.op}` flattens: write `conv {written}x1` for it, after `gap keep`"


def _width(net: Net, name: str) -> _Width | None:
    for _ in range(_LOOK_BACK):
        node, read = net.node(name), net.operands(name)
        if len(read) != 1:
            return None
        for key in ("filters", "units"):
            written = node.origin.written.get(key)
            if written is not None and not isinstance(written, tuple):
                return _Width(node, written, channels_of(net.shapes[read[0]]))
        name = read[0]
    return None
