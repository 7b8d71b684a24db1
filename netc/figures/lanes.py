"""Lanes beside each other for lines that skip places."""

from __future__ import annotations

from collections.abc import Sequence


def lanes(spans: Sequence[range]) -> list[int]:
    """Of each span of places the lane that it runs in, from 0, so that it goes around all that lie inside it."""
    found, taken = [0] * len(spans), dict[int, int]()
    for at in sorted(range(len(spans)), key=lambda at: len(spans[at])):
        found[at] = 1 + max(taken.get(place, -1) for place in spans[at])
        taken |= dict.fromkeys(spans[at], found[at])
    return found
