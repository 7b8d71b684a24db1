"""Images without targets, to predict: through the steps of evaluation in NumPy, without TensorFlow.

What a step does is its `compute`. The pipeline of TensorFlow (`pipeline`, `stream`), through which training and
evaluation go, does the same: but for the rounding of sums, bit for bit.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from netc.data.checks import channels, check_images, check_statistics, shape_after, shapes_of
from netc.data.errors import SHAPE, Unfit, located, unfit
from netc.data.files import Files, Reading
from netc.data.pictures import Where, header
from netc.data.sources import whole
from netc.data.statistics import Statistics
from netc.ir.shape import Shape, fits, show_shape
from netc.program import Program
from netc.sections.preprocessing import Resize, Step
from netc.targets.numpy.primitives import Numpy


@dataclass(frozen=True, slots=True)
class Alone:
    """Images in their order, which have been looked at and fit the network."""

    program: Program
    files: Files
    steps: Sequence[Step]
    statistics: Statistics
    batch: int

    def batches(self) -> Iterator[NDArray[np.float32]]:
        """Batches of float32, batch x rows x columns x channels. Raises `DataError` for a file that changed since."""
        try:
            with ThreadPoolExecutor() as pool:
                for first in range(0, len(self.files), self.batch):
                    found = list(pool.map(self._one, range(first, min(first + self.batch, len(self.files)))))
                    yield found[0] if len(found) == 1 else np.concatenate(found)
        except Unfit as problem:
            raise located(problem, self.program, of_data=False) from None

    def _one(self, index: int) -> NDArray[np.float32]:
        return prepared(self.files.one(index)[None], self.steps, self.statistics)


def prepared(images: NDArray[np.float32], steps: Sequence[Step], statistics: Statistics) -> NDArray[np.float32]:
    """A batch of images, of one size, after steps."""
    for step in steps:
        images = step.compute(Numpy(), images, statistics.arrays)
    return images


def images(
    given: Sequence[Where], program: Program, statistics: Statistics | None, *, usual: Shape | None, batch: int
) -> Alone:
    """See `netc.data.images`."""
    try:
        data = program.sections.data
        steps = data.steps if data else []
        files = Files.at(given, Reading(channels(program)))
        for index in range(len(files)):
            _check_picture(files, index, steps, program.net.shapes[program.net.inputs[0]], usual)
        check_images(program, steps, whole(files, None))
        check_statistics(steps, statistics or Statistics(), next(shapes_of(files)))
        return Alone(program, files, steps, statistics or Statistics(), batch)
    except Unfit as problem:
        raise located(problem, program, of_data=False) from None


def _check_picture(files: Files, index: int, steps: Sequence[Step], wanted: Shape, usual: Shape | None) -> None:
    """A picture against the images of the run: a step may give any size another, but only `resize` is made for it."""
    found = header(files.fetch(index), files.name(index))
    shape = (found.rows, found.columns, files.channels)
    if len(wanted) != 3 or any(isinstance(step, Resize) for step in steps):
        return
    if fits(shape[:2], usual[:2]) if usual else fits(shape_after(shape, steps)[:2], wanted[:2]):
        return
    sizes = show_shape(shape[:2]), show_shape((usual or wanted)[:2])
    message = f"{files.name(index)} is {sizes[0]}, and the network learnt from images of {sizes[1]}"
    raise unfit(SHAPE, message, f"scale it to {sizes[1]}", f"or train with `resize {sizes[1]}` in `data`, for any size")
