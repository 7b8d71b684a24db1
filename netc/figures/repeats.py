"""Equal consecutive blocks of a path, so that a figure of a long network shows each once, with its count."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace

from netc.figures.trunk import Shortcut, Trunk

LONGEST = 48  # units of a block


@dataclass(frozen=True, slots=True)
class Repeat:
    """Units of a path from `first` to after `last`, which come `count` times."""

    first: int
    last: int
    count: int


def folded(trunk: Trunk, says: Sequence[Hashable], least: tuple[float, float]) -> tuple[Trunk, list[Repeat], list[int]]:
    """A path without the copies of its blocks, what is repeated in it, and which of its units are left.

    Units are equal that say the same and end equal lines; `least` are how many blocks, and how many single units, are
    told as one. A block is told as one where no line leaves it but from its last unit, and none comes into it from
    before the unit that it follows: so lines of blocks left out are those of the one that is shown.
    """
    ends: dict[int, list[Shortcut]] = defaultdict(list)
    for shortcut in trunk.shortcuts:
        ends[shortcut.end].append(shortcut)
    farthest = [0] * len(trunk.units)  # the last end of lines that leave after a unit
    for shortcut in trunk.shortcuts:
        farthest[shortcut.start] = max(farthest[shortcut.start], shortcut.end)
    keys = [
        (said, tuple(sorted((at - each.start, each.look, each.into.layer.op) for each in ends[at])))
        for at, said in enumerate(says)
    ]
    reach = [max((at - each.start for each in ends[at]), default=0) for at in range(len(keys))]
    numbers: dict[Hashable, int] = {}
    told = [numbers.setdefault(key, len(numbers)) for key in keys]
    alike = _alike(told)
    left: list[int] = []
    found: list[Repeat] = []
    at = 0
    while at < len(told):
        period, count = _best(at, alike, reach, farthest, least)
        if count > 1:
            found.append(Repeat(len(left), len(left) + period, count))
        left += range(at, at + period)
        at += period * count
    return _without(trunk, left), found, left


def _alike(told: Sequence[int]) -> list[list[int]]:
    """For each period from 1, and each unit, how many units from there on are equal to the one a period later."""
    rows: list[list[int]] = []
    for period in range(1, min(LONGEST, len(told) // 2) + 1):
        row = [0] * (len(told) + 1)
        for at in range(len(told) - period - 1, -1, -1):
            row[at] = row[at + 1] + 1 if told[at] == told[at + period] else 0
        rows.append(row)
    return rows


def _best(
    at: int,
    alike: Sequence[Sequence[int]],
    reach: Sequence[int],
    farthest: Sequence[int],
    least: tuple[float, float],
) -> tuple[int, int]:
    """The period and the count of blocks from a unit on that leave out the most; 1 and 1 where there are none."""
    best = (1, 1)
    for period, row in enumerate(alike, 1):
        count = row[at] // period + 1
        if period > 1 and alike[0][at] >= period - 1:
            continue  # all its units are equal: no block
        if count < least[period == 1] or period * (count - 1) <= best[0] * (best[1] - 1):
            continue
        inside = all(reach[at + offset] <= offset + 1 for offset in range(period))
        end = at + period * count
        if inside and all(farthest[unit] < end for unit in range(at, end - 1)):
            best = (period, count)
    return best


def _without(trunk: Trunk, left: Sequence[int]) -> Trunk:
    """A path of the units that are left. A line from a copy that is left out leaves the block that is shown."""
    places = {unit: at for at, unit in enumerate(left)}
    kept: list[Shortcut] = []
    for shortcut in trunk.shortcuts:
        if shortcut.end in places:
            start = bisect_right(left, shortcut.start) - 1  # copies come after the block that is shown
            kept.append(replace(shortcut, start=start, end=places[shortcut.end]))
    return Trunk(trunk.net, [trunk.units[unit] for unit in left], kept)
