"""What is said of measured times: order statistics alone, which hold whatever the times are distributed like."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil, comb

CONFIDENCE = 0.95
FEWEST = 6  # values of which the least and the largest hold the median with that confidence: 1 - 2 / 2^6


@dataclass(frozen=True, slots=True)
class Ratio:
    """The median of a paired ratio, and the interval that holds it with 95 % confidence, where there are enough
    pairs."""

    median: float
    interval: tuple[float, float] | None


def percentile(values: Sequence[float], share: float) -> float:
    """The least value that at least this share of the values do not exceed (the nearest rank)."""
    return sorted(values)[max(ceil(share * len(values)), 1) - 1]


def interval(values: Sequence[float]) -> tuple[float, float] | None:
    """The two values between which the median of what they were drawn from lies with at least 95 % confidence; none for
    less than `FEWEST`.

    The k-th least and the k-th largest, by the binomial distribution of how many lie below it: Conover, Practical
    Nonparametric Statistics, 3rd edition, section 3.2.
    """
    if len(values) < FEWEST:
        return None
    ordered, outside, rank = sorted(values), 0.0, 0
    while True:
        outside += comb(len(values), rank) / 2 ** len(values)  # the probability that at most `rank` lie below it
        if 2 * outside > 1 - CONFIDENCE:
            return ordered[rank - 1], ordered[-rank]
        rank += 1


def ratio(times: Mapping[int, Sequence[float]], reference: Mapping[int, Sequence[float]]) -> Ratio | None:
    """How many times as long as a reference something takes: of the medians of each round in which both had a turn;
    none without such a round."""
    pairs = [
        statistics.median(times[number]) / statistics.median(reference[number])
        for number in times
        if number in reference
    ]
    return Ratio(statistics.median(pairs), interval(pairs)) if pairs else None
