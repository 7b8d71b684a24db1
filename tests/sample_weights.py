"""Weights and images by rule, for the same network in two programs. NumPy alone, whose `RandomState` never changes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

Weights = list[np.ndarray]  # of one layer, in Keras' layout

RANGES: Mapping[str, tuple[float, float]] = {"gamma": (0.6, 1.0), "moving_variance": (0.5, 1.5)}  # else +-0.05


def weights(number: int, shapes: Mapping[str, Sequence[int]]) -> Weights:
    """Those of the layer that comes as the `number`th, by name: kernels as He et al. initialise, the others so that no
    two channels are alike and a deep network neither dies out nor overflows."""
    random = np.random.RandomState(number)
    return [
        (
            random.standard_normal(shape) * np.sqrt(2 / np.prod(shape[:-1]))
            if name in ("kernel", "depthwise_kernel")
            else random.uniform(*RANGES.get(name, (-0.05, 0.05)), shape)
        ).astype("float32")
        for name, shape in shapes.items()
    ]


def images(shape: Sequence[int], count: int = 2) -> np.ndarray:
    """Noise on squares of a sixteenth of the rows, so that images stay apart after global pooling."""
    rows, columns, channels = shape
    random = np.random.RandomState(0)
    squares = random.standard_normal((count, 16, 16, channels))[:, np.arange(rows) * 16 // rows]
    noise = random.standard_normal((count, rows, columns, channels))
    return (squares[:, :, np.arange(columns) * 16 // columns] + noise / 2).astype("float32")
