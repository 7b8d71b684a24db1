"""Which images are kept for validation."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from netc.data import randomness

Rows = NDArray[np.int64]


def split(count: int, kept: int, seed: int, labels: Rows | None = None) -> tuple[Rows, Rows]:
    """Indices to train on, and `kept` others to validate on, both in rising order; a function of the arguments alone.

    With `labels` each class keeps its share: as many of the kept as its share says, rounded down, and one more where
    most was cut off (the method of largest remainders).
    """
    order = randomness.draw(seed, count)
    if labels is None:
        return np.sort(order[kept:]), np.sort(order[:kept])
    _, classes = np.unique(labels, return_inverse=True)
    sizes = np.bincount(classes)
    exact = sizes * kept / count
    shares = np.floor(exact).astype(np.int64)
    most_cut_off = np.argsort(shares - exact, kind="stable")
    shares[most_cut_off[: kept - shares.sum()]] += 1
    drawn = classes[order]
    taken = np.sort(np.concatenate([order[drawn == each][:share] for each, share in enumerate(shares)]))
    return np.setdiff1d(np.arange(count), taken, assume_unique=True), taken
