"""Data for training: sets, folders and files become batches of `tf.data`, through the steps of the `data` section.

    data = prepare(program, seed=0, batch=128)
    for images, labels in data.train.batches(epoch=0):
        ...

What a batch holds depends on (seed, epoch, index of the image) alone: not on what ran before, on threads, or on where
an epoch is entered. NumPy, Pillow and TensorFlow are imported by the calls, not by this module. docs/data.md says what
is read and how.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from netc.data.errors import DataError, ShareError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from netc.data.alone import Alone
    from netc.data.pictures import Where
    from netc.data.statistics import Statistics
    from netc.data.stream import Datasets
    from netc.ir.shape import Shape
    from netc.program import Program

    Progress = Callable[[str, int, int], None]  # what is being done, how many of how many are done


def prepare(
    program: Program,
    *,
    source: Any = None,
    folder: Path | None = None,
    seed: int,
    batch: int,
    statistics: Statistics | None = None,
    progress: Progress | None = None,
    divide: bool = True,
) -> Datasets:
    """The data of a spec, looked at and ready: every file is there, its images can be read, classes and sizes fit.

    `source` overrides what the `data` section names: the name of a data set, a path (relative to the current
    directory, where the section's own is relative to the spec), or a pair `(images, labels)` of arrays, or of
    dictionaries of arrays by the labels of inputs and outputs. `folder` is where named sets are looked for, before
    `$NETC_DATA` and Keras' cache. `seed` decides order and augmentation; `batch` is the images a step. `statistics` are
    those of an earlier run; without them they are computed on the training images. Without `divide`, `validation` keeps
    none of these. Raises `DataError`, whose diagnostics have their place in the spec and are added to `program.report`.
    """
    from netc.data.preparing import prepare as run  # noqa: PLC0415 - imports NumPy and TensorFlow

    return run(
        program,
        source=source,
        folder=folder,
        seed=seed,
        batch=batch,
        statistics=statistics,
        progress=progress,
        divide=divide,
    )


def images(
    given: Sequence[Where],
    program: Program,
    statistics: Statistics | None = None,
    *,
    usual: Shape | None = None,
    batch: int = 32,
) -> Alone:
    """Image files, by path or as bytes, through the steps of evaluation, in their order, without TensorFlow: batches
    hold images alone.

    `statistics` are those of the run, and `usual` is the shape of its images before the steps: without a `resize`,
    pictures are of this size. Raises `DataError` for files that cannot be read.
    """
    from netc.data.alone import images as run  # noqa: PLC0415 - imports NumPy

    return run(given, program, statistics, usual=usual, batch=batch)


def as_data_error(error: BaseException, program: Program) -> DataError | None:
    """What to say when a file turned out unreadable in the middle of training: TensorFlow's error as a `DataError`.

    None for errors that have nothing to do with the data.
    """
    from netc.data.errors import from_tensorflow  # noqa: PLC0415

    return from_tensorflow(error, program)


__all__ = ["DataError", "ShareError", "as_data_error", "images", "prepare"]
