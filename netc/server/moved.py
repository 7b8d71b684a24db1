"""Where places of one text stand in another, which was made of it by changes."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple


class Change(NamedTuple):
    """What stood between two offsets of the old text stands now between two of the new one."""

    start: int
    end: int
    now: int
    now_end: int


class Moved:
    """The way from one text to another.

    It depends on both texts alone, not on how the one became the other. Lines that each of them has once are the same
    line where their order agrees (the patience difference of Cohen); between them what both begin and end with is the
    same. So it takes time in proportion to the texts.
    """

    def __init__(self, old: str, new: str) -> None:
        self.changes = tuple(_changes(old, new))
        self._ends = [change.end for change in self.changes]

    def span(self, start: int, end: int) -> tuple[int, int] | None:
        """Where a range of the old text stands in the new one; None where one of its ends is gone.

        What was written inside belongs to it, what was written beside it does not.
        """
        for change in islice(self.changes, bisect_left(self._ends, start), None):
            if change.start > end:
                break
            whole = change.start <= start and end <= change.end and change.start < change.end
            if whole or change.start < start < change.end or change.start < end < change.end:
                return None
        before = bisect_right(self._ends, start)
        inside = bisect_left(self._ends, end)
        if inside < len(self.changes) and self.changes[inside].start < self.changes[inside].end == end:
            inside += 1
        now = start + self._shift(before)
        return now, max(now, end + self._shift(inside))

    def _shift(self, count: int) -> int:
        """How far the first changes have moved what comes after them."""
        return self.changes[count - 1].now_end - self.changes[count - 1].end if count else 0

    def back(self, offset: int) -> int:
        """The place in the old text of one in the new one; in what is new, where that begins."""
        count = bisect_right(self.changes, offset, key=lambda change: change.now)
        if count and offset < self.changes[count - 1].now_end:
            return self.changes[count - 1].start
        return offset - self._shift(count)


def _changes(old: str, new: str) -> Iterator[Change]:
    if old == new:
        return
    at = now = 0
    for line, other, length in [*_anchors(old, new), (len(old), len(new), 0)]:
        yield from _between(old, new, at, line, now, other)
        at, now = line + length, other + length


def _between(old: str, new: str, start: int, end: int, now: int, now_end: int) -> Iterator[Change]:
    """The changes between two places: line by line, where there are as many lines now."""
    lines, others = old[start:end].splitlines(keepends=True), new[now:now_end].splitlines(keepends=True)
    if len(lines) != len(others):
        yield from _trimmed(old, new, start, end, now, now_end)
        return
    for line, other in zip(lines, others, strict=True):
        yield from _trimmed(old, new, start, start + len(line), now, now + len(other))
        start, now = start + len(line), now + len(other)


def _trimmed(old: str, new: str, start: int, end: int, now: int, now_end: int) -> Iterator[Change]:
    """The change between two places, without what both begin and end with."""
    if old[start:end] == new[now:now_end]:
        return
    before = _alike(old[start:end], new[now:now_end])
    start, now = start + before, now + before
    after = _alike(old[start:end][::-1], new[now:now_end][::-1])
    yield Change(start, end - after, now, now_end - after)


def _alike(one: str, other: str) -> int:
    """How many characters two texts begin with alike."""
    low, high = 0, min(len(one), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        if one[low:middle] == other[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low


def _anchors(old: str, new: str) -> list[tuple[int, int, int]]:
    """Lines that both have once, in one order: where they stand in each, and their length."""
    lines, others = old.splitlines(keepends=True), new.splitlines(keepends=True)
    once = {line for line, count in Counter(lines).items() if count == 1}
    once &= {line for line, count in Counter(others).items() if count == 1}
    places = dict(_starts(others))
    pairs = [(start, places[line], len(line)) for line, start in _starts(lines) if line in once]
    ends: list[int] = []  # of the rising runs so far, by their length: the lowest place in the new text
    last: list[int] = []  # the pair that each of them ends with
    before: list[int | None] = []
    for number, (_, place, _) in enumerate(pairs):
        at = bisect_left(ends, place)
        ends[at : at + 1] = [place]
        last[at : at + 1] = [number]
        before.append(last[at - 1] if at else None)
    found, number_or_none = [], last[-1] if last else None
    while number_or_none is not None:
        found.append(pairs[number_or_none])
        number_or_none = before[number_or_none]
    return found[::-1]


def _starts(lines: list[str]) -> Iterator[tuple[str, int]]:
    at = 0
    for line in lines:
        yield line, at
        at += len(line)
