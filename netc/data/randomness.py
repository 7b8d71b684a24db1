"""Random numbers that are functions of their key: (seed, epoch, index of the image, number of the draw).

Nothing is drawn one after the other, so any part of any epoch can be had without the rest: after a resume, on another
worker, in another order. Numbers come from the finaliser of SplitMix64 (Steele, Lea & Flood, OOPSLA 2014, "Fast
splittable pseudorandom number generators"), applied once for each part of the key.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

ORDER, AUGMENTATION, SPLIT = 1, 2, 3  # what numbers are for: no two uses share any
_GAMMA = np.uint64(0x9E3779B97F4A7C15)
_FIRST, _SECOND = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
_MANTISSA = 24  # bits of a float32 in [0, 1)


def bits(*key: int | NDArray[np.integer]) -> NDArray[np.uint64]:
    """64 random bits for each element of the broadcast parts of a key."""
    state = np.zeros((), np.uint64)
    with np.errstate(over="ignore"):  # arithmetic modulo 2^64
        for part in key:
            state = _mix(state ^ np.asarray(part).astype(np.uint64))
    return state


def _mix(state: NDArray[np.uint64]) -> NDArray[np.uint64]:
    state = np.asarray(state + _GAMMA)
    state = (state ^ (state >> np.uint64(30))) * _FIRST
    state = (state ^ (state >> np.uint64(27))) * _SECOND
    return np.asarray(state ^ (state >> np.uint64(31)))


def uniform(seed: int, epoch: int, indices: NDArray[np.int64], draws: int) -> NDArray[np.float32]:
    """Numbers in [0, 1) for the augmentation of images: a row an index, a column a draw."""
    found = bits(AUGMENTATION, seed, epoch, indices[:, None], np.arange(draws)[None, :])
    return (found >> np.uint64(64 - _MANTISSA)).astype(np.float32) * np.float32(2.0**-_MANTISSA)


def order(seed: int, epoch: int, count: int) -> NDArray[np.int64]:
    """The order of an epoch: a permutation of 0 .. count - 1."""
    return np.argsort(bits(ORDER, seed, epoch, np.arange(count)), kind="stable")


def draw(seed: int, count: int) -> NDArray[np.int64]:
    """A permutation of 0 .. count - 1 to take a part from."""
    return np.argsort(bits(SPLIT, seed, np.arange(count)), kind="stable")
