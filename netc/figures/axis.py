"""Axes of charts: from values to places, with ticks on round values."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import ceil, floor, log10

HUGE = 1e300  # the difference of larger numbers may not be one
FAR = 8  # a largest value that is so many times the least
ROOM = 0.12  # of the range, beyond the least and the largest value
_TICKS = 5


@dataclass(frozen=True, slots=True)
class Scale:
    """From values to px along one axis; `ticks` are round values inside. With `log`, equal ways are equal factors."""

    low: float
    high: float
    ticks: tuple[float, ...]
    log: bool = False

    @classmethod
    def of(cls, values: Sequence[float], whole: bool = False) -> Scale:
        """A scale that holds values: from one round value to another, or for `whole` numbers from the first to the
        last."""
        low, high = min(values), max(values)
        if high - low <= 1e-9 * max(abs(low), abs(high)):
            low, high = low - (abs(low) / 10 or 1), high + (abs(high) / 10 or 1)
        rough = (high - low) / _TICKS
        power = 10.0 ** floor(log10(rough))
        step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough * 0.999)
        step = max(step, 1) if whole else step
        if whole:
            inside = range(ceil(low / step - 1e-9), floor(high / step + 1e-9) + 1)
            return cls(low, high, tuple(at * step for at in inside))
        first, last = floor(low / step + 1e-9), ceil(high / step - 1e-9)
        return cls(first * step, last * step, tuple(at * step for at in range(first, last + 1)))

    @classmethod
    def by_decades(cls, values: Sequence[float]) -> Scale:
        """A scale that holds values: by powers of ten where they are of different ones."""
        if min(values) < 1 / HUGE or max(values) < 10 * min(values):
            return cls.of(values)
        first, last = floor(log10(min(values)) + 1e-9), ceil(log10(max(values)) - 1e-9)
        step = ceil((last - first) / _TICKS)
        return cls(10.0**first, 10.0**last, tuple(10.0**at for at in range(first, last + 1, step)), log=True)

    def share(self, value: float) -> float:
        """Where a value lies, from 0 to 1."""
        if self.log:
            return (log10(value) - log10(self.low)) / (log10(self.high) - log10(self.low))
        return (value - self.low) / (self.high - self.low)

    @classmethod
    def around(cls, values: Sequence[float]) -> Scale:
        """A scale with room around values that are above 0: by factors where the largest is `FAR` times the least."""
        low, high = min(values), max(values)
        if high < FAR * low:
            space = (high - low) * ROOM
            return cls.of([max(low - space, 0.0), high + space])
        space = (high / low) ** ROOM
        low, high = low / space, high * space
        powers = range(floor(log10(low)) - 1, ceil(log10(high)) + 1)
        steps = [factor * 10.0**power for power in powers for factor in (1, 2, 5)]
        inside = [step for step in steps if low <= step <= high]
        decades = [step for step in inside if step in {10.0**power for power in powers}]
        return cls(low, high, tuple(decades if len(inside) > 2 * _TICKS else inside), log=True)


def spaced(places: Sequence[tuple[float, float]], ticks: Sequence[float]) -> Iterator[tuple[float, float]]:
    """The ticks whose words do not meet, with their places; `places` are middles along the axis, and the room that each
    word takes there."""
    last: tuple[float, float] | None = None
    for (place, room), tick in zip(places, ticks, strict=True):
        if last is None or abs(place - last[0]) >= (room + last[1]) / 2:
            yield place, tick
            last = place, room
