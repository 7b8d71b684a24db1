"""Several sequences in common rows, so that what is alike stands side by side."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

T = TypeVar("T")
Pairing = Callable[[T, T], float | None]  # what it costs to set two items in one row; None: never

_SKIP = 1.0  # what it costs to leave a place in a row empty
_MOST = 40_000  # pairs that are weighed; longer sequences are set side by side as they come


def align(sequences: Sequence[Sequence[T]], pairing: Pairing[T]) -> list[list[int | None]]:
    """Rows with the index of an item of each sequence, or None.

    Sequences join one after the other from left to right. An item is weighed against the nearest one at its left;
    of equally good ways the one that pairs early is taken, so that what was added stands below.
    """
    rows: list[list[int | None]] = []
    nearest: list[T] = []
    for count, sequence in enumerate(sequences):
        merged: list[list[int | None]] = []
        items: list[T] = []
        for row, index in _pairs(nearest, sequence, pairing):
            merged.append([*(rows[row] if row is not None else [None] * count), index])
            items.append(nearest[row] if index is None and row is not None else sequence[index or 0])
        rows, nearest = merged, items
    return rows


def _pairs(left: Sequence[T], right: Sequence[T], pairing: Pairing[T]) -> list[tuple[int | None, int | None]]:
    """The cheapest alignment of two sequences (Needleman & Wunsch 1970), from its start."""
    if len(left) * len(right) > _MOST:
        return _in_order(left, right, pairing)
    rest = _costs(left, right, pairing)
    pairs: list[tuple[int | None, int | None]] = []
    i = j = 0
    while i < len(left) or j < len(right):
        cost = pairing(left[i], right[j]) if i < len(left) and j < len(right) else None
        if cost is not None and rest[i][j] == cost + rest[i + 1][j + 1]:
            pairs.append((i, j))
            i, j = i + 1, j + 1
        elif i < len(left) and rest[i][j] == _SKIP + rest[i + 1][j]:
            pairs.append((i, None))
            i += 1
        else:
            pairs.append((None, j))
            j += 1
    return pairs


def _costs(left: Sequence[T], right: Sequence[T], pairing: Pairing[T]) -> list[list[float]]:
    """What aligning the rests of both sequences costs, for each pair of starts."""
    rest = [[0.0] * (len(right) + 1) for _ in range(len(left) + 1)]
    for i in range(len(left), -1, -1):
        for j in range(len(right), -1, -1):
            ways = [_SKIP + rest[i + 1][j]] if i < len(left) else []
            ways += [_SKIP + rest[i][j + 1]] if j < len(right) else []
            cost = pairing(left[i], right[j]) if i < len(left) and j < len(right) else None
            if cost is not None:
                ways.append(cost + rest[i + 1][j + 1])
            rest[i][j] = min(ways, default=0.0)
    return rest


def _in_order(left: Sequence[T], right: Sequence[T], pairing: Pairing[T]) -> list[tuple[int | None, int | None]]:
    pairs: list[tuple[int | None, int | None]] = []
    for at in range(max(len(left), len(right))):
        if at < len(left) and at < len(right) and pairing(left[at], right[at]) is not None:
            pairs.append((at, at))
            continue
        pairs += [(at, None)] if at < len(left) else []
        pairs += [(None, at)] if at < len(right) else []
    return pairs
