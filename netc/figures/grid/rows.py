"""Rows of the grid: one for each resolution, the finest at the top.

A resolution is counted in halvings. Strides and factors of upsampling say how many lie between two maps, so that
convolutions without padding, which shave a few pixels off, stay in their row; where a layer reads its whole input
(a dense layer, then a reshape), the size of what it makes says it. Maps less than a third of a halving apart share a
row. What has no positions stands in the last row.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from math import log2, prod

from netc.figures.facts import times
from netc.ir.net import Net
from netc.ir.shape import Shape

_NEAR = 0.3  # halvings: less apart is one row
_OPEN = 16.0  # halvings from an input of unknown size down to one pixel: no network has so many strides
_AXES = {1: "L", 2: "HW", 3: "DHW"}

Scale = tuple[Fraction, ...]  # input pixels a pixel, one an axis


@dataclass(slots=True)
class Rows:
    """The row of each layer, and what each row is called."""

    of: dict[str, int]
    labels: list[str]
    heights: list[float]  # in halvings below the first row


def find(net: Net, shown: Iterable[str]) -> Rows:
    """The rows of a network whose layers `shown` are drawn as maps: only these have rows."""
    scales, levels = _levels(net)
    known = {name: level for name in shown if (level := levels[name]) is not None}
    starts = _starts(known.values())
    rows = {level: at for at, start in enumerate(starts) for level in known.values() if 0 <= start - level < _NEAR}
    found = {name: rows[level] for name, level in known.items()}
    members: list[list[str]] = [[] for _ in starts]
    for name, row in found.items():
        members[row].append(name)
    labels = [_label([net.shapes[name] for name in row], [scales[name] for name in row]) for row in members]
    heights = [starts[0] - start for start in starts]
    vectors = [name for name in shown if name not in found]
    if vectors:
        found.update(dict.fromkeys(vectors, len(labels)))
        labels.append("vector")
        heights.append((heights[-1] if heights else 0.0) + 1)
    return Rows(found, labels, heights)


def resolutions(net: Net, names: Iterable[str]) -> int:
    """How many rows the maps among layers would take."""
    levels = _levels(net)[1]
    return len(_starts(level for name in names if (level := levels[name]) is not None))


def _starts(levels: Iterable[float]) -> list[float]:
    """The finest level of each row."""
    starts: list[float] = []
    for level in sorted(set(levels), reverse=True):
        if not starts or starts[-1] - level >= _NEAR:
            starts.append(level)
    return starts


def _levels(net: Net) -> tuple[dict[str, Scale], dict[str, float | None]]:
    """By how much the input is larger than each map, and the halvings from its side down to one pixel; None for a
    tensor without positions."""
    scales: dict[str, Scale] = {}
    levels: dict[str, float | None] = {}
    for node in net:
        shape, operands = net.shapes[node.name], net.operands(node.name)
        rank = len(shape) - 1
        source = next((name for name in operands if net.shapes[name][:-1] == shape[:-1]), "".join(operands[:1]))
        windows = node.layer.windows(net.operand_shapes(node.name)) if operands else None
        if not rank:
            scales[node.name], levels[node.name] = (), None
        elif windows is None or len(scales[source]) != rank:
            scales[node.name], levels[node.name] = (Fraction(1),) * rank, _size_of(shape)
            same = [name for name in operands[:1] if _positions(net.shapes[name]) == _positions(shape)]
            if same and None not in shape:  # no more than set in another order
                levels[node.name] = levels[same[0]]
        else:
            scales[node.name], levels[node.name] = scales[source], levels[source]
            # Steps are those from the first operand; one of the same size, as `resize to=` names, says the row itself.
            if source == operands[0] and any(window.stride != window.up for window in windows):
                steps = [Fraction(window.stride, window.up) for window in windows]
                scales[node.name] = tuple(old * step for old, step in zip(scales[source], steps, strict=True))
                before = levels[source]
                levels[node.name] = None if before is None else round(before - log2(prod(steps)) / rank, 3)
    return scales, levels


def _size_of(shape: Shape) -> float:
    """The halvings from the side of a map down to one pixel: of the geometric mean of its sides."""
    sides = [log2(size) if size else _OPEN for size in shape[:-1]]
    return round(sum(sides) / len(sides), 3)


def _positions(shape: Shape) -> int:
    return prod(size or 1 for size in shape[:-1])


def _label(shapes: list[Shape], scales: list[Scale]) -> str:
    """What a row is called: the size of its maps, or by how much they are smaller than the input."""
    sizes = list(dict.fromkeys(shape[:-1] for shape in shapes))
    known = [size for size in sizes if None not in size]
    if not known:
        letters = _AXES.get(len(scales[0]), "")
        return "×".join(_part(letter, scale) for letter, scale in zip(letters, scales[0], strict=True))
    ranks = dict.fromkeys(map(len, known))
    alike = [[size for size in known if len(size) == rank] for rank in ranks]
    ends = [dict.fromkeys((max(sizes), min(sizes))) for sizes in alike]
    return ", ".join("–".join(times("x".join(map(str, size))) for size in each) for each in ends)


def _part(letter: str, scale: Fraction) -> str:
    times_ = "" if scale.denominator == 1 else str(scale.denominator)
    over = "" if scale.numerator == 1 else f"/{scale.numerator}"
    return times_ + letter + over
