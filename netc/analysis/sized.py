"""A network at one size of its input: numbers in place of every `?`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from netc.ir.net import Net
from netc.ir.shape import Shape, show_shape


def at(net: Net, sizes: Sequence[int]) -> Net:
    """The network with `sizes` in place of what is open: one number for all of it, or one for each open axis of an
    input, in order. The network itself where nothing is open. Raises `ValueError` for a number of sizes that does not
    fit, `Refused` for sizes that do not work."""
    if not any(None in net.shapes[name] for name in net.inputs):
        return net
    made = Net(net.name)
    for node in net:
        operands, layer = net.operands(node.name), node.layer
        if layer.is_input:
            layer = type(layer)(**{**vars(layer), "shape": _filled(net.shapes[node.name], sizes)})
        shape = layer.checked_shape([made.shapes[operand] for operand in operands])
        made.add(replace(node, layer=layer), operands, shape)
    made.outputs = list(net.outputs)
    return made


def _filled(shape: Shape, sizes: Sequence[int]) -> Shape:
    """A shape with sizes in place of what is open."""
    count = shape.count(None)
    given = list(sizes) * count if len(sizes) == 1 else list(sizes)
    if count and len(given) != count:
        raise ValueError(f"got {len(sizes)} sizes for {show_shape(shape)}, expected one, or {count}")
    if any(size < 1 for size in given):
        raise ValueError(f"got {'x'.join(map(str, sizes))}, expected sizes of at least 1")
    fill = iter(given)
    return tuple(next(fill) if size is None else size for size in shape)
