"""From a spec and a place to the streams of a run, with everything checked on the way."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import tensorflow as tf

from netc.data import splitting
from netc.data.checks import check_images, check_statistics, shape_after, shapes_of
from netc.data.errors import CLASSES, MISSING, SHAPE, Unfit, from_tensorflow, located, unfit
from netc.data.files import Progress
from netc.data.labels import Moving, Target, targets, wanted
from netc.data.pipeline import Pipeline, computed
from netc.data.places import collect
from netc.data.sources import Collection, Part
from netc.data.statistics import Statistics
from netc.data.stream import Datasets, Stream
from netc.ir.shape import elements
from netc.program import Program
from netc.sections.model import Data
from netc.sections.preprocessing import Mixup, Step
from netc.sections.settings import OWN, TEST, Classes, Shuffle, Validation

LOOKED_THROUGH = 1 << 22  # numbers in a batch when statistics are computed


def prepare(
    program: Program,
    *,
    source: Any,
    folder: Path | None,
    seed: int,
    batch: int,
    statistics: Statistics | None,
    progress: Progress | None = None,
    divide: bool = True,
) -> Datasets:
    """See `netc.data.prepare`."""
    try:
        return _prepare(program, collect(program, source, folder, progress), seed, batch, statistics, progress, divide)
    except Unfit as problem:
        raise located(problem, program) from None
    except tf.errors.OpError as error:  # a file that broke between two looks at it
        found = from_tensorflow(error, program)
        if found is None:
            raise
        raise found from None


def _prepare(
    program: Program,
    found: Collection,
    seed: int,
    batch: int,
    statistics: Statistics | None,
    progress: Progress | None,
    divide: bool,
) -> Datasets:
    data = program.sections.data
    steps = data.steps if data else []
    _check_classes(found, data)
    outputs = wanted(program)

    def answers(part: Part) -> tuple[Target, ...]:
        images = len(next(iter(part.inputs.values())))
        moving = Moving(next(shapes_of(next(iter(part.inputs.values())))), [step for step in steps if step.moves])
        return tuple(targets(outputs, part.targets, len(found.classes), images, moving))

    train, validation = _split(found, data) if divide else (found.train, None)
    for part in (train, validation, found.test):
        if part is not None:
            check_images(program, steps, part)
    for part in (train, validation, found.test):
        for images in part.inputs.values() if part else ():
            images.load()
    of_train = answers(train)  # before statistics, which take their time
    _check_places(steps, of_train)
    if statistics is None:
        statistics = _statistics(steps, train, progress)
    check_statistics(steps, statistics, next(shapes_of(next(iter(train.inputs.values())))))
    pipeline = Pipeline(steps, statistics)
    shuffle = data.value(Shuffle) if data else None

    def evaluated(part: Part | None) -> Stream | None:
        return None if part is None else Stream(part, pipeline, answers(part), batch)

    return Datasets(
        found.classes,
        Stream(train, pipeline, of_train, batch, seed, training=True, shuffled=shuffle is None or shuffle.on),
        evaluated(validation),
        evaluated(found.test),
        statistics,
    )


# -- checks ----------------------------------------------------------------------------------------------------


def _check_classes(found: Collection, data: Data | None) -> None:
    written = data.value(Classes) if data else None
    if written and found.classes and written.count != len(found.classes):
        message = f"`classes` says {written.count}, and the data have {len(found.classes)}"
        raise unfit(CLASSES, message, about="classes")


def _check_places(steps: Sequence[Step], answers: Sequence[Target]) -> None:
    """Targets a pixel follow their pixels, which they do not in maps of another size, nor when they are blended."""
    mixing = next((place for place, step in enumerate(steps) if isinstance(step, Mixup)), len(steps))
    for target in answers:
        if target.array.ndim < 3:
            continue
        for place, step in enumerate(steps):
            if step.moves and not target.placed:
                message = f"`{step.name}` moves the pixels of images, and the targets of `{target.output}` stay"
                help = "targets follow where they have the rows and columns of the images"
                raise unfit(SHAPE, message, help, about=step.name, output=target.output)
            if step.moves and place > mixing:
                message = f"`{step.name}` moves pixels after `mixup` has blended the targets of `{target.output}`"
                raise unfit(SHAPE, message, "put `mixup` last", about=step.name, output=target.output)


# -- parts -----------------------------------------------------------------------------------------------------


def _split(found: Collection, data: Data | None) -> tuple[Part, Part | None]:
    """The images to train on, and those to validate on."""
    validation = data.value(Validation) if data else None
    if validation is None:
        return found.train, found.validation
    if isinstance(validation.part, str):
        there = {TEST: found.test, OWN: found.validation}[validation.part]
        if there is None:
            what = "test images" if validation.part == TEST else "validation images of its own"
            help = ("keep a share: `validation 0.1`", "`netc evaluate --on all` takes all images there are")
            raise unfit(MISSING, f"the data set has no {what}", *help, about="validation")
        return found.train, there
    count = len(found.train)
    kept = validation.kept(count)
    if not 0 < kept < count:
        left = "nothing is left to train on" if kept else "no image is left to validate on"
        raise unfit(MISSING, f"{left}: there are {count} images", about="validation")
    labels = found.train.labels if validation.stratified else None
    if validation.stratified and labels is None:
        raise unfit(CLASSES, "`stratified` needs classes, and the targets are none", about="validation")
    train, rest = splitting.split(count, kept, validation.seed, labels)
    rows = found.train.rows
    return found.train.at(rows[train]), found.train.at(rows[rest])


def _statistics(steps: Sequence[Step], train: Part, progress: Progress | None) -> Statistics:
    def batches(pipeline: Pipeline) -> Any:
        (shape,) = {
            shape_after(shape, pipeline.steps) for images in train.inputs.values() for shape in shapes_of(images)
        }
        size = max(1, LOOKED_THROUGH // (elements(shape) or 1))
        stream = Stream(train, pipeline, (), size)
        for done, batch in enumerate(stream.batches().as_numpy_iterator(), 1):
            if progress:
                progress("computing statistics", min(done * size, stream.images), stream.images)
            yield batch

    return computed(steps, batches)
