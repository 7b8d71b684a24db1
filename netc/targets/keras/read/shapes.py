"""Layers of Keras that change shapes, or join tensors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from netc.ir.shape import axes_of
from netc.lift.source import Tensor, Unsaid
from netc.targets.keras.read.options import pairs, shown, sizes
from netc.targets.keras.read.reading import Held, Missing, Pending, Site, known
from netc.targets.keras.read.table import initial, says, spatial


@says("Identity")
def _identity(site: Site) -> Tensor:
    return site.add("identity", site.one())


@says("Flatten")
def _flatten(site: Site) -> Held:
    x = site.one()
    site.channels_last()
    return site.later("flatten", x, "flatten")


@says("Reshape")
def _reshape(site: Site) -> Held:
    held = site.only()
    shape = site.options.take("target_shape")
    if not isinstance(shape, list | tuple) or not shape or not all(type(size) is int for size in shape):
        raise Unsaid(f"its shape is {shown(shape)}, and sizes are expected")
    if isinstance(held, Pending) and held.kind in ("gap", "gmp"):
        before = site.shape(held)
        if before is not None and tuple(shape) == (*(1,) * (len(before) - 1), before[-1]):
            kept: Tensor = held.values()
            return kept
    sizes_ = tuple(None if size == -1 else size for size in shape)
    return site.add("reshape", site.reader.settled(held), shape=sizes_)


def bordered(site: Site, op: str, sides: Sequence[tuple[int, int]], kind: str, **more: Any) -> Held:
    """Pixels around, or off: as one number a dimension where they are as many on each side."""
    before, after = (tuple(side) for side in zip(*sides, strict=True))
    values = {"by": before} if before == after else {"before": before, "after": after}
    return site.later(kind, site.one(), op, list(sides), **values, **more)


@says("ZeroPadding{}D")
def _zeros(site: Site) -> Held:
    _, rank = spatial(site)
    site.channels_last()
    return bordered(site, "pad", pairs(site.options.take("padding", 1), rank), "zeros")


@says("netc>MirrorPadding")
def _mirror(site: Site) -> Tensor:
    sides = pairs(site.options.take("padding"), site.rank(site.only()))
    mode = site.options.take("mode", "reflect")
    return site.reader.settled(bordered(site, "pad", sides, "mirror", mode=mode))


@says("Cropping{}D")
def _crop(site: Site) -> Tensor:
    _, rank = spatial(site)
    site.channels_last()
    return site.reader.settled(bordered(site, "crop", pairs(site.options.take("cropping", 1), rank), "crop"))


@says("netc>CroppingLike")
def _crop_like(site: Site) -> Tensor:
    x, like = site.tensors(most=2)
    offset = site.options.take("offset")
    values: dict[str, Any] = {} if offset is None else {"offset": sizes(offset, site.rank(x))}
    return site.add("crop", x, like, to=True, **values)


@says("Resizing")
def _resizing(site: Site) -> Tensor:
    x, options = site.one(), site.options
    site.channels_last()
    for name in ("crop_to_aspect_ratio", "pad_to_aspect_ratio", "antialias"):
        options.need(name, False)
    for name in ("fill_mode", "fill_value"):
        options.take(name)  # of what is padded
    extent = sizes([options.take("height"), options.take("width")], 2)
    return site.add("resize", x, extent=extent, method=options.take("interpolation", "bilinear"))


@says("netc>ResizingLike")
def _resize_like(site: Site) -> Tensor:
    x, like = site.tensors(most=2)
    return site.add("resize", x, like, to=True, method=site.options.take("interpolation", "bilinear"))


@says("UpSampling{}D")
def _upsampling(site: Site) -> Tensor:
    held, rank = spatial(site)
    site.channels_last()
    factor = sizes(site.options.take("size", 2), rank)
    method = site.options.take("interpolation") or "nearest"
    return site.add("upsample", site.reader.settled(held), factor=factor, method=method)


@says("Permute")
def _permute(site: Site) -> Tensor:
    x, dims = site.one(), site.options.take("dims")
    if dims == list(range(1, site.rank(x) + 2)):
        return site.add("identity", x)
    if dims != [2, 1]:
        raise Unsaid(f"it orders axes as {shown(dims)}, and netc swaps the two of a row of positions")
    return site.add("swap", x)


@says("netc>ClassToken")
def _token(site: Site) -> Tensor:
    return site.add("token", site.one(), **initial(site, "initializer", "zeros"))


@says("netc>PositionEmbedding")
def _position(site: Site) -> Tensor:
    return site.add("position", site.one(), **initial(site, "initializer", "zeros"))


@says("netc>ChannelPart")
def _channel_part(site: Site) -> Tensor:
    index, parts = site.options.take("index"), site.options.take("parts")
    if type(index) is not int:
        raise Unsaid(f"its index is {shown(index)}")
    return site.add("part", site.one(), index=index + 1, of=parts)


@says("netc>ChannelPooling")
def _channel_pooling(site: Site) -> Tensor:
    what = site.options.take("function")
    op = {"mean": "gap", "max": "gmp"}.get(what if isinstance(what, str) else "")
    if op is None:
        raise Unsaid(f"its function is {shown(what)}")
    return site.add(op, site.one(), over="channels")


COMBINERS = {"Add": "add", "Subtract": "sub", "Multiply": "mul", "Maximum": "max", "Average": "avg"}


@says(*COMBINERS)
def _combiner(site: Site) -> Tensor:
    return site.add(COMBINERS[site.kind], *site.tensors())


@says("Concatenate", "ops.Concatenate")
def _concatenate(site: Site) -> Tensor:
    found = site.tensors()
    axis = site.options.take("axis", -1 if known(site.call.layer, site.kind) == "Concatenate" else 0)
    axis = site.given.take("axis", axis)
    if not found:
        raise Unsaid("it reads no tensors")
    over = axis_name(site, found[0], axis)
    return site.add("concat", *found, over=over) if len(found) > 1 else site.add("identity", found[0])


def axis_name(site: Site, tensor: Tensor, axis: object) -> str:
    """What netc calls an axis that Keras counts, the batch being 0."""
    shape = site.shape(tensor)
    if shape is None:
        raise Missing
    if type(axis) is not int or not -len(shape) <= axis <= len(shape) or axis == 0:
        raise Unsaid(f"it works along axis {shown(axis)}")
    return axes_of(shape)[axis - 1 if axis > 0 else axis]
