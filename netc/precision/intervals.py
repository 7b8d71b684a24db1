"""What a test set of so many images says about all others: intervals of 95 %."""

from __future__ import annotations

from collections.abc import Callable
from math import sqrt

import numpy as np

NORMAL = 1.959964  # standard deviations that hold 95 % of a normal distribution
DRAWS = 1000


def wilson(share: float, count: int) -> tuple[float, float]:
    """Where a share of all images lies, from that of `count` of them (Wilson 1927)."""
    square = NORMAL**2 / count
    middle = share + square / 2
    width = NORMAL * sqrt(share * (1 - share) / count + square / (4 * count))
    return (middle - width) / (1 + square), (middle + width) / (1 + square)


def bootstrap(count: int, of: Callable[[np.ndarray], float], seed: int = 0) -> tuple[float, float]:
    """Where a number that is computed from the rows of a sample lies, from samples of these (Efron 1979)."""
    random = np.random.default_rng(seed)
    found = [of(random.integers(0, count, count)) for _ in range(DRAWS)]
    low, high = np.quantile(found, (0.025, 0.975))
    return float(low), float(high)
