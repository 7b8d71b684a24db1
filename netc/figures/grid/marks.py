"""Trapezoids on arrows between resolutions: narrower towards the coarser map, filled where resampling is learned."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from math import hypot, prod

from netc.figures.grid.layout import Layout
from netc.figures.grid.reduce import Arrow, resamplers, step
from netc.figures.grid.route import Way
from netc.figures.scene import Box, Point, Polygon
from netc.ir.net import Net
from netc.ir.shape import rank_of

HEAD = 5.0  # length of an arrow's head
HALF = 4.2  # half of a trapezoid's length
_ENDS = {"down": (6.5, 3.2), "up": (3.2, 6.5)}  # half of its two sides, in the arrow's direction
_PLACES = (0.5, 0.42, 0.58, 0.34, 0.66, 0.27, 0.73, 0.8)  # along an arrow, where it may be
_NEIGHBOURS = 24  # arrows in one gap that are looked at for that
_NEAR = 9.0  # from other lines, which is near
_FAR = 14.0  # from other lines, which is far enough


@dataclass(slots=True, eq=False)
class Mark:
    """A trapezoid: its middle, the direction of the arrow there, and the piece of its way that it is on."""

    way: Way
    at: Point
    along: Point
    piece: int

    def polygon(self, look: str) -> Polygon:
        """Its shape."""
        return trapezoid(self.way.look, self.at, self.along, look)

    @property
    def box(self) -> Box:
        """The box around it."""
        return self.polygon("").box


def trapezoid(way: str, at: Point, along: Point, look: str) -> Polygon:
    """The shape that stands for `down` or `up` around a point along a direction."""
    (x, y), (dx, dy), (back, front) = at, along, _ENDS[way]
    corners = ((-HALF, -back), (HALF, -front), (HALF, front), (-HALF, back))
    return Polygon([(x + a * dx - b * dy, y + a * dy + b * dx) for a, b in corners], look)


def factor(net: Net, arrow: Arrow) -> float:
    """How many times as large an arrow makes a map, along each axis on average."""
    product = prod(step(net, net.node(name)) for name in resamplers(net, arrow))
    return float(product ** (1 / max(rank_of(net.shapes[arrow.source.output]), 1)))


def factors(net: Net, arrow: Arrow) -> str:
    """What an arrow does to each side of a map: `×4`, `/1×2×2`."""
    sides: list[Fraction] = []
    for name in resamplers(net, arrow):
        windows = net.node(name).layer.windows(net.operand_shapes(name)) or ()
        steps = [Fraction(window.up, window.stride) for window in windows]
        sides = [one * other for one, other in zip(sides, steps, strict=True)] if sides else steps
    sign = "×" if prod(sides) > 1 else "/"
    shown = [str(side if sign == "×" else 1 / side) for side in sides]
    return sign + (shown[0] if len(set(shown)) == 1 else "×".join(shown))


def marks(net: Net, layout: Layout, ways: Sequence[Way]) -> dict[int, Mark]:
    """The trapezoids, by the id of their arrow, each where it is farthest from the other arrows of its gap."""
    gaps: dict[int, list[Way]] = defaultdict(list)
    for way in ways:
        gaps[layout[way.arrow.source].column].append(way)
    found: dict[int, Mark] = {}
    for near in gaps.values():
        made: list[Mark] = []
        for way in near:
            if way.look in _ENDS and factor(net, way.arrow) != 1:
                made.append(_best(way, [each for each in near[:_NEIGHBOURS] if each is not way], made[-_NEIGHBOURS:]))
                found[id(way.arrow)] = made[-1]
    return found


def _best(way: Way, others: Sequence[Way], made: Sequence[Mark]) -> Mark:
    (x1, y1), (x2, y2) = piece = way.longest()
    length = hypot(x2 - x1, y2 - y1) or 1.0
    along = ((x2 - x1) / length, (y2 - y1) / length)
    pieces = list(pairwise(way.points))
    number = pieces.index(piece)
    free = length - HEAD if number == len(pieces) - 1 else length
    found = [Mark(way, (x1 + along[0] * free * t, y1 + along[1] * free * t), along, number) for t in _PLACES]
    lines = [line for each in others for line in pairwise(each.points)]

    def room(mark: Mark) -> float:
        near = [_distance(mark.at, *line) for line in lines]
        near += [0.7 * hypot(mark.at[0] - each.at[0], mark.at[1] - each.at[1]) for each in made]
        return min([*near, _FAR])

    if x1 == x2 and room(found[0]) >= _NEAR:
        return found[0]  # upright arrows have it at half their height
    return max(found, key=room)


def _distance(point: Point, one: Point, other: Point) -> float:
    """From a point to a straight line between two others."""
    dx, dy = other[0] - one[0], other[1] - one[1]
    length = dx * dx + dy * dy or 1.0
    t = min(max(((point[0] - one[0]) * dx + (point[1] - one[1]) * dy) / length, 0.0), 1.0)
    return hypot(point[0] - one[0] - t * dx, point[1] - one[1] - t * dy)
