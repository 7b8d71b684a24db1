"""Statistics of the training images, for `center`, `scale` and `zca`."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from netc.files import replacing
from netc.ir.shape import Shape, elements
from netc.sections.preprocessing import ZCA, Center, Scale, Step
from netc.storage.npz import opened

Double = NDArray[np.float64]
AXES = {"per_channel": (0, 1), "overall": (0, 1, 2), "per_pixel": ()}  # over what the mean of a pixel's is taken


@dataclass(frozen=True, slots=True)
class Statistics:
    """What was computed on the training images: arrays by the step that subtracts, divides or multiplies by them."""

    arrays: Mapping[str, NDArray[np.float32]] = field(default_factory=dict)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write them as .npz; the file is whole or is not there."""
        with replacing(path) as file:
            np.savez(file, allow_pickle=False, **self.arrays)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Statistics:
        """Read what `save` wrote. Raises `StorageError` for another file; nothing in it is run."""
        with opened(Path(path)) as held:
            return cls({name: stored.read().astype(np.float32) for name, stored in held.items()})


def needed(step: Step) -> bool:
    """Whether a step needs a statistic of the training images."""
    if isinstance(step, Center | Scale):
        return not step.values and step.how != "samplewise"
    return isinstance(step, ZCA)


def arrays_of(step: Step, image: Shape) -> dict[str, Shape]:
    """The arrays that a step takes from the statistics, for images of a shape, with theirs."""
    if isinstance(step, ZCA):
        return {"zca_mean": image, "zca": (elements(image), elements(image))}
    if not needed(step):
        return {}
    over = AXES[step.how]  # type: ignore[attr-defined]
    return {step.name: tuple(1 if axis in over else size for axis, size in enumerate(image))}


@dataclass(slots=True)
class Moments:
    """Mean and sum of squared differences of each pixel, merged batch by batch (Chan, Golub & LeVeque 1979)."""

    count: int
    mean: Double
    squares: Double

    @classmethod
    def of(cls, batches: Iterable[Any]) -> Moments:
        """The moments of batches of images, rows x columns x channels after the batch."""
        total: Moments | None = None
        for batch in batches:
            values = np.asarray(batch, np.float64)
            mean = values.mean(0)
            part = cls(len(values), mean, np.square(values - mean).sum(0))
            total = part if total is None else total.merged(part)
        assert total is not None
        return total

    def merged(self, other: Moments) -> Moments:
        """Those of both together."""
        count = self.count + other.count
        apart = other.mean - self.mean
        mean = self.mean + apart * (other.count / count)
        squares = self.squares + other.squares + np.square(apart) * (self.count * other.count / count)
        return Moments(count, mean, squares)

    def center(self, how: str) -> Double:
        """The mean, over each channel, each pixel or everything."""
        return _over(self.mean, how)

    def deviation(self, how: str) -> Double:
        """The standard deviation, over the same; 1 where nothing varies, so that nothing is divided by 0."""
        center = self.center(how)
        variance = _over(self.squares / self.count + np.square(self.mean - center), how)
        found = np.sqrt(np.maximum(variance, 0))
        return np.where(found > np.finfo(np.float32).eps, found, 1.0)

    def after(self, step: Step, array: Double) -> Moments:
        """The moments of the images after `center` or `scale`."""
        if isinstance(step, Center):
            return Moments(self.count, self.mean - array, self.squares)
        return Moments(self.count, self.mean / array, self.squares / np.square(array))


def _over(values: Double, how: str) -> Double:
    return values.mean(AXES[how], keepdims=True) if AXES[how] else values


def whitening(batches: Iterable[Any], mean: Double, epsilon: float) -> NDArray[np.float32]:
    """The matrix U diag(1 / sqrt(l + epsilon)) U^T of the covariance U diag(l) U^T, over flattened images."""
    size = mean.size
    covariance, count = np.zeros((size, size)), 0
    for batch in batches:
        values = np.asarray(batch, np.float64).reshape(len(batch), size) - mean.reshape(size)
        covariance += values.T @ values
        count += len(values)
    lengths, axes = np.linalg.eigh(covariance / count)
    matrix: NDArray[np.float32] = ((axes / np.sqrt(np.maximum(lengths, 0) + epsilon)) @ axes.T).astype(np.float32)
    return matrix
