"""Slabs, arrows and shortcuts as shapes. Looks are those of the table `SLABS` of the theme."""

from __future__ import annotations

from collections.abc import Sequence
from math import dist, hypot

from netc.figures.scene import Ellipse, Group, Item, Path, Picture, Point, Polygon, Template, rounded, towards
from netc.figures.volumes.geometry import GHOST, PT, RIGHT, UP, Measures, Place, Solid
from netc.figures.volumes.parts import Slab

_NORM, _ACTIVE = (0.18, 4.0 * PT), (0.27, 5.5 * PT)  # share of a slab's thickness that a band has, and the most
_INSET = 0.4  # of a band in its slab, which leaves the outline visible
_MOST = 0.62  # of a slab for all its bands
_RULES = 5  # lines on a slab that convolves each channel by itself, at most
_ROUND = 4.0 * PT  # radius of a line's corners


def segments(slab: Slab, solid: Solid) -> list[tuple[str, float]]:
    """The front of a slab from left to right: colours and widths, the layer itself first."""
    if not slab.bands:
        return [(slab.colour, solid.width)]
    if slab.is_bar:
        share = solid.width / (2 if len(slab.bands) == 1 and slab.bands[0].kind == "softmax" else 3)
        widths = [share / len(slab.bands)] * len(slab.bands)
    else:
        shares = [_NORM if band.kind == "norm" else _ACTIVE for band in slab.bands]
        widths = [min(share * solid.width, most) for share, most in shares]
    total = sum(widths)
    if total > _MOST * solid.width:
        widths = [width * _MOST * solid.width / total for width in widths]
    kinds = [band.kind for band in slab.bands]
    return [(slab.colour, solid.width - sum(widths)), *zip(kinds, widths, strict=True)]


def faces(slab: Slab, solid: Solid) -> Template:
    """The right side, the top and the front of a slab whose place is the origin."""
    left, bottom, dx, dy = -solid.dx / 2, solid.bottom, solid.dx, solid.dy
    right, top = left + solid.width, bottom - solid.height
    parts = segments(slab, solid)
    base = parts[0][0]
    last = base if len(parts) == 1 else parts[-1][0]
    if last == "softmax" and not slab.is_bar:
        last = "softmap"
    side = [(right, top), (right + dx, top - dy), (right + dx, bottom - dy), (right, bottom)]
    shapes: list[Polygon] = [
        Polygon(side, f"v.{last}.side"),
        Polygon([(left, top), (left + dx, top - dy), (right + dx, top - dy), (right, top)], f"v.{base}.top"),
    ]
    fronts: list[Polygon] = [Polygon(_rectangle(left, top, right, bottom), f"v.{base}")]
    inset = _INSET
    for kind, start, width in [*_stripes(slab, left, parts[0][1]), *_bands(parts, left)]:
        end = start + width - (inset if abs(start + width - right) < 1e-6 else 0)
        lean = inset * RIGHT / UP
        shapes.append(
            Polygon(
                [(start + lean, top - inset), (start + dx - lean, top - dy + inset),
                 (end + dx - lean, top - dy + inset), (end + lean, top - inset)],
                f"v.{kind}.over",
            )
        )  # fmt: skip
        fronts.append(Polygon(_rectangle(start, top + inset, end, bottom - inset), f"v.{kind}.band"))
    depth = "" if solid.depth == solid.height else f"-{solid.depth:.1f}"
    key = f"{solid.width:.1f}-{solid.height:.1f}{depth}"
    marks = "".join(kind[0] for kind, _ in parts[1:]) + ("s" + "-".join(map(str, slab.stripes)) if slab.stripes else "")
    return Template(f"{base[0]}{base[-1]}{key}{marks}", [*shapes, *fronts], "v.slab")


def _bands(parts: Sequence[tuple[str, float]], left: float) -> list[tuple[str, float, float]]:
    """The bands after the layer itself: colours, left edges and widths."""
    found, x = [], left + parts[0][1]
    for kind, width in parts[1:]:
        found.append((kind, x, width))
        x += width
    return found


def _stripes(slab: Slab, left: float, width: float) -> list[tuple[str, float, float]]:
    """Every other branch of a slab that stands for several, in a lighter tone; as wide as its channels."""
    found, x, total = [], left, sum(slab.stripes)
    for at, channels in enumerate(slab.stripes):
        share = width * channels / total
        if at % 2:
            found.append(("stripe", x, share))
        x += share
    return found


def _rectangle(left: float, top: float, right: float, bottom: float) -> list[Point]:
    """A face towards the viewer; shorter in a file than a rectangle."""
    return [(left, top), (right, top), (right, bottom), (left, bottom)]


def splits(place: Place, width: float) -> list[Item]:
    """Lines on the front and the top of a slab whose channels are convolved apart; `width` is that of the layer."""
    slab, solid = place.slab, place.solid
    if slab.groups < 2:
        return []
    count = min(slab.groups, _RULES)
    look = "v.rule" if slab.groups > _RULES else "v.split"
    top, bottom = solid.bottom - solid.height, solid.bottom
    lines: list[Item] = []
    if width / count < 1.2 * PT:
        return []
    for at in range(1, count):
        x = place.left + width * at / count
        lines.append(Path((x + solid.dx, top - solid.dy), [((x, top),), ((x, bottom),)], role="mark"))
    return [Group(lines, look=look)]


def ghost(place: Place) -> Item:
    """What a dropout leaves open: a dashed outline behind the slab."""
    solid, shift = place.solid, GHOST
    right, bottom = place.right + shift, solid.bottom
    top = bottom - solid.height
    side = [(right, top), (right + solid.dx, top - solid.dy), (right + solid.dx, bottom - solid.dy), (right, bottom)]
    return Polygon(side, "v.ghost")


def picture(place: Place, png: bytes) -> list[Item]:
    """An image on the right face of a slab, and its outline."""
    solid, (x, y) = place.solid, (place.right, place.solid.bottom - place.solid.height)
    across, down = (solid.dx, -solid.dy), (0.0, solid.height)
    corners = [(x, y), (x + across[0], y + across[1]), (x + across[0], y + across[1] + down[1]), (x, y + down[1])]
    return [Picture((x, y), across, down, png), Polygon(corners, "v.slab")]


def field(place: Place, down: tuple[float, float], across: tuple[float, float]) -> list[Item]:
    """A window on the right face of a slab, from and to where shares of its height and its depth say."""
    solid, (x, y) = place.solid, (place.right, place.solid.bottom - place.solid.height)

    def at(right: float, low: float) -> Point:
        return x + solid.dx * right, y - solid.dy * right + solid.height * low

    (top, bottom), (left, right) = down, across
    corners = [at(left, top), at(right, top), at(right, bottom), at(left, bottom)]
    return [Polygon(corners, "v.field.under"), Polygon(corners, "v.field")]


# -- lines -------------------------------------------------------------------------------------------------------


def tip(end: Point, back: Point, look: str, size: float) -> Polygon:
    """The head of an arrow that ends in a point, coming from another one."""
    dx, dy = end[0] - back[0], end[1] - back[1]
    length = hypot(dx, dy) or 1.0
    x, y = dx / length * size, dy / length * size
    return Polygon(
        [end, (end[0] - x - y * 0.4, end[1] - y + x * 0.4), (end[0] - x + y * 0.4, end[1] - y - x * 0.4)], look
    )


def arrow(points: Sequence[Point], measures: Measures) -> list[Item]:
    """A line along the axis, with rounded corners, from a dot to a head."""
    back, m = points[-2], measures
    return [
        line([*points[:-1], _short(back, points[-1], m.head)], "v.arrow", "axis"),
        tip(points[-1], back, "v.tip", m.head),
        Ellipse(*points[0], m.dot, m.dot, "v.tip"),
    ]


def copied(points: Sequence[Point], measures: Measures) -> list[Item]:
    """The line of a tensor that goes on elsewhere."""
    back, m = points[-2], measures
    return [
        line([*points[:-1], _short(back, points[-1], m.head)], "v.link", "copy"),
        tip(points[-1], back, "v.link.tip", m.head),
        Ellipse(*points[0], 1.2 * m.dot, 1.2 * m.dot, "v.link.tip"),
    ]


def _short(back: Point, end: Point, head: float) -> Point:
    """The end of a line under its head, so that it does not look out of the point."""
    return towards(end, back, min(head * 0.7, dist(end, back)))


def line(points: Sequence[Point], look: str, role: str) -> Path:
    """A line through points, its corners rounded."""
    return Path(points[0], rounded(points, _ROUND, 0.55), look, role=role)


def arc(start: Point, end: Point, rise: float, *, dotted: bool) -> Path:
    """A shortcut from one point to another, over what is between them."""
    top = min(start[1], end[1]) - rise * 4 / 3  # a cubic curve reaches three quarters of the way to its control points
    lean = (end[0] - start[0]) * 0.12
    curve = ((start[0] + lean, top), (end[0] - lean, top), end)
    return Path(start, [curve], "v.link.changed" if dotted else "v.link", role="arc")


def disc(centre: Point, sign: str, radius: float) -> list[Item]:
    """The disc in which tensors are joined, with the sign of what is done."""
    x, y = centre
    reach = radius * 0.52
    strokes: list[tuple[Point, Point]] = {
        "+": [((x - reach, y), (x + reach, y)), ((x, y - reach), (x, y + reach))],
        "−": [((x - reach, y), (x + reach, y))],
        "×": [((x - reach * 0.8, y - reach * 0.8), (x + reach * 0.8, y + reach * 0.8)),
              ((x - reach * 0.8, y + reach * 0.8), (x + reach * 0.8, y - reach * 0.8))],
        "": [((x - reach * 0.45, y - reach), (x - reach * 0.45, y + reach)),
             ((x + reach * 0.45, y - reach), (x + reach * 0.45, y + reach))],
    }.get(sign, [])  # fmt: skip
    marks: list[Item] = [Path(one, [(other,)], role="mark") for one, other in strokes]
    return [Ellipse(x, y, radius, radius, "v.disc"), *([Group(marks, look="v.sign")] if marks else [])]


# -- the window of the first convolution -------------------------------------------------------------------------


def window(face: Point, across: Point, down: float, eye: Point, *, bright: bool) -> list[Item]:
    """A window on the input's face, its middle at `face`, and rays from its corners to where its sum stands; `bright`
    is seen on an image."""
    ending = ".bright" if bright else ""
    x, y = face[0] - across[0] / 2, face[1] - across[1] / 2 - down / 2
    corners = [(x, y), (x + across[0], y + across[1]), (x + across[0], y + across[1] + down), (x, y + down)]
    rays: list[Item] = [Path(corner, [(eye,)], role="mark") for corner in corners]
    return [Polygon(corners, f"v.window{ending}"), Group(rays, look=f"v.ray{ending}")]
