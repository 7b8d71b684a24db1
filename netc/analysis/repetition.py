"""Runs in a sequence: where a block of any length comes at least twice in a row."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence


class Runs:
    """The runs of a sequence of numbers: stretches `[start, end)` that are longer than twice their period, or as long.

    Found by divide and conquer (Main & Lorentz 1984, J. Algorithms 5, section 3): what crosses the middle of a part
    comes out of four Z-functions, so that n numbers take O(n log n) whatever the periods are. Only shortest periods
    count: four equal numbers are no two blocks of two. A number that comes once is in no run, and parts the sequence.
    """

    def __init__(self, numbers: Sequence[int]) -> None:
        counts = Counter(numbers)
        found: set[tuple[int, int, int]] = set()
        start = 0
        for at in range(len(numbers) + 1):
            if at == len(numbers) or counts[numbers[at]] == 1:
                if at - start > 1:
                    found.update((start + low, start + high, p) for low, high, p in _runs(numbers[start:at]))
                start = at + 1
        whole: list[tuple[int, int, int]] = []
        for run in sorted(found, key=lambda run: (run[2], run[0], -run[1])):
            if not whole or whole[-1][2] != run[2] or whole[-1][1] < run[1]:  # else a piece of the one before
                whole.append(run)
        self._runs = sorted(whole, key=lambda run: run[1])  # those not reached yet: the last one ends last
        self._open: list[tuple[int, int, int]] = []

    def ending(self, end: int) -> Iterator[tuple[int, int]]:
        """Of the runs that reach to `end` or farther: the period, and how much of the run is before `end`, which is two
        periods or more. `end` is never larger than it was in the call before."""
        while self._runs and self._runs[-1][1] >= end:
            self._open.append(self._runs.pop())
        self._open = [run for run in self._open if run[0] + 2 * run[2] <= end]
        for start, _, period in sorted(self._open, key=lambda run: run[2]):
            yield period, end - start


def _runs(numbers: Sequence[int]) -> Iterator[tuple[int, int, int]]:
    """Start, end and period of each run; some of them more than once, or cut at the part they were found in."""
    parts = [(0, len(numbers))]
    while parts:
        low, high = parts.pop()
        if high - low < 2:
            continue
        middle = (low + high) // 2
        parts += [(low, middle), (middle, high)]
        yield from _crossing(numbers[low:middle], numbers[middle:high], low)


def _crossing(left: Sequence[int], right: Sequence[int], low: int) -> Iterator[tuple[int, int, int]]:
    """The runs that cross the border of two neighbouring parts, the first of which begins at `low`."""
    middle = low + len(left)
    back = [*left[::-1], -1, *right[::-1], *left[::-1]]  # -1 is no number of the sequence
    before_left, before_right = _agreeing(left[::-1]), _agreeing(back)
    after_left, after_right = _agreeing([*right, -1, *left, *right]), _agreeing(right)
    kept: list[tuple[int, int, int]] = []
    for period in range(1, max(len(left), len(right)) + 1):
        spans = []
        if period <= len(left):  # the border, and a period before it
            less = before_left[period] if period < len(left) else 0
            more = after_left[len(right) + 1 + len(left) - period]
            spans.append((middle - period - less, middle + more))
        if period <= len(right):  # the border, and a period after it
            less = before_right[len(left) + 1 + len(right) - period]
            more = after_right[period] if period < len(right) else 0
            spans.append((middle - less, middle + period + more))
        for start, end in spans:
            if end - start < 2 * period:
                continue
            if any(period % one == 0 and at <= start and end <= to for at, to, one in kept):
                continue
            kept.append((start, end, period))
            yield start, end, period


def _agreeing(numbers: Sequence[int]) -> list[int]:
    """The Z-function: how many numbers from each place on agree with those from the first on."""
    size = len(numbers)
    found = [size] + [0] * (size - 1) if size else []
    left = right = 0
    for at in range(1, size):
        length = min(right - at, found[at - left]) if at < right else 0
        while at + length < size and numbers[length] == numbers[at + length]:
            length += 1
        if at + length > right:
            left, right = at, at + length
        found[at] = length
    return found
