"""Numbers and path data of SVG in their shortest form, to a tenth of a pixel.

After the first point everything is relative, so that what moves as a whole keeps its lines. The differences are those
of rounded points: no error adds up along a path.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import hypot

from netc.figures.scene import Path, Point

_SLOPE = 0.6  # of an arrow's head: half its width by its length


def number(value: float) -> str:
    """A coordinate, to a tenth of a pixel: `12`, `12.5`, `-.5`."""
    return _shown(round(value * 10))


def line(start: Point, segments: Iterable[Sequence[Point]]) -> str:
    """A line from `start` along straight and curved segments; what goes along an axis in its short form."""
    x, y = _tenths(start)
    parts = [f"M{_shown(x)}{_more(y)}"]
    for segment in segments:
        (to_x, to_y), (at_x, at_y) = _tenths(segment[-1]), (x, y)
        x, y = to_x, to_y
        if len(segment) == 3:
            points = map(_tenths, segment)
            parts.append("c" + _numbers([step for px, py in points for step in (px - at_x, py - at_y)]))
        elif x == at_x:
            parts.append("v" + _shown(y - at_y))
        elif y == at_y:
            parts.append("h" + _shown(x - at_x))
        else:
            parts.append("l" + _numbers([x - at_x, y - at_y]))
    return "".join(parts)


def head(path: Path) -> str:
    """The two strokes of an arrow's head, from one side over the tip to the other, for after the path's own data."""
    back, other = sides(path)
    return "m" + _numbers([*_tenths(back), *(-each for each in _tenths(back)), *_tenths(other)])


def head_alone(path: Path) -> str:
    """The same as a path of its own; a filled one is closed."""
    (x, y), (back, other) = path.end, sides(path)
    closed = "z" if path.filled else ""
    return line((x + back[0], y + back[1]), [((x, y),), ((x + other[0], y + other[1]),)]) + closed


def sides(path: Path) -> tuple[Point, Point]:
    """From the tip of an arrow to the ends of its strokes."""
    before = path.segments[-1][-2] if len(path.segments[-1]) > 1 else path.start
    if len(path.segments[-1]) == 1 and len(path.segments) > 1:
        before = path.segments[-2][-1]
    dx, dy = path.end[0] - before[0], path.end[1] - before[1]
    length = hypot(dx, dy) or 1.0
    (x, y), (wide, long) = (dx / length, dy / length), (path.head * _SLOPE, path.head)
    return (-x * long - y * wide, -y * long + x * wide), (-x * long + y * wide, -y * long - x * wide)


def _tenths(point: Point) -> tuple[int, int]:
    return round(point[0] * 10), round(point[1] * 10)


def _shown(tenths: int) -> str:
    whole, tenth = divmod(abs(tenths), 10)
    sign = "-" if tenths < 0 else ""
    return f"{sign}{whole or ''}.{tenth}" if tenth else f"{sign}{whole}"


def _more(tenths: int) -> str:
    """A number after another one: a minus sign separates as well as a space."""
    return _shown(tenths) if tenths < 0 else " " + _shown(tenths)


def _numbers(values: Sequence[int]) -> str:
    return _shown(values[0]) + "".join(map(_more, values[1:]))
