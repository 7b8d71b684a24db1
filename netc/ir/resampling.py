"""Images of another size: along each axis, every new pixel is a weighted sum of neighbouring old ones.

The rules are those of `tf.image.resize`, which trains: centres of pixels lie half a pixel from the border, `bilinear`
and `bicubic` (Keys 1981, a = -0.5) widen with the pixel where images become smaller, as Pillow's do, unless they are
not to be `smooth`; `area` is the mean of what a new pixel covers, and `nearest` takes one old pixel.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]


TABLE = 1024  # places between two pixels that `tf.image.resize` tells apart in `bicubic` that is not smooth


def nearest(before: int, after: int) -> Array:
    """The old pixel of each new one: computed in float32, as TensorFlow does, or some would be others."""
    import numpy as np  # noqa: PLC0415 - networks need none

    places = (np.arange(after, dtype="f4") + np.float32(0.5)) * (np.float32(before) / np.float32(after))
    found: Array = np.minimum(places.astype(int), before - 1)
    return found


def matrix(before: int, after: int, method: str, begin: int, end: int, smooth: bool = True) -> tuple[int, Array]:
    """New pixels from `begin` to before `end` of `after`, as a matrix over old ones, and the first old one in it: by a
    method other than `nearest`. All new ones are over all old ones."""
    import numpy as np  # noqa: PLC0415

    new = np.arange(begin, min(end, after))[:, None]
    step = before / after
    if method == "area":
        low, high = new * step, np.minimum((new + 1) * step, before)
        old = np.arange(int(low[0, 0]), int(np.ceil(high[-1, 0])))
        weights = (np.minimum(old + 1, high) - np.maximum(old, low)).clip(0)
    else:
        kernel, radius = _KERNELS[method]
        wide = max(step, 1.0) if smooth else 1.0
        centre = (new + 0.5) * step - 0.5  # counted in old pixels
        if method == "bicubic" and not smooth:  # for which TensorFlow has a table of weights
            centre = np.floor(centre) + np.rint((centre - np.floor(centre)) * TABLE) / TABLE
        first, last = np.ceil(centre[0, 0] - radius * wide), np.floor(centre[-1, 0] + radius * wide)
        old = np.arange(max(0, int(first)), min(before, int(last) + 1))
        weights = kernel(np.abs(old - centre) / wide)
    return int(old[0]), weights / weights.sum(1, keepdims=True)


def _triangle(x: Array) -> Array:
    return (1 - x).clip(0)


def _keys(x: Array) -> Array:
    near, far = (1.5 * x - 2.5) * x * x + 1, ((-0.5 * x + 2.5) * x - 4) * x + 2
    made: Array = near * (x < 1) + far * ((x >= 1) & (x < 2))
    return made


_KERNELS: dict[str, tuple[Callable[[Array], Array], int]] = {"bilinear": (_triangle, 1), "bicubic": (_keys, 2)}
