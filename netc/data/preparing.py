"""From a spec and a place to the streams of a run, with everything checked on the way."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from netc.data import splitting
from netc.data.errors import BROKEN, CLASSES, MISSING, SHAPE, Unfit, from_tensorflow, located, unfit
from netc.data.files import Files, Progress, Reading
from netc.data.labels import Target, targets, wanted
from netc.data.pictures import Where, header
from netc.data.pipeline import Pipeline, computed
from netc.data.places import channels, collect
from netc.data.sources import Collection, Images, Part, whole
from netc.data.statistics import Statistics, arrays_of, needed
from netc.data.stream import Datasets, Stream
from netc.ir.shape import Shape, elements, fits, show_shape
from netc.params import Refused
from netc.program import Program
from netc.sections.model import Data
from netc.sections.preprocessing import Resize, Scale, Step
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
        return tuple(targets(outputs, part.targets, len(found.classes)))

    train, validation = _split(found, data) if divide else (found.train, None)
    for part in (train, validation, found.test):
        if part is not None:
            _check_images(program, steps, part)
    for part in (train, validation, found.test):
        for images in part.inputs.values() if part else ():
            images.load()
    of_train = answers(train)  # before statistics, which take their time
    _check_places(steps, of_train)
    if statistics is None:
        statistics = _statistics(steps, train, progress)
    _check_statistics(steps, statistics, next(_shapes(next(iter(train.inputs.values())))))
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


def _check_images(program: Program, steps: Sequence[Step], part: Part) -> None:
    """The images against the inputs of the network, after the steps."""
    net = program.net
    if not len(part):
        raise unfit(MISSING, "there are no images")
    names = net.inputs if "" in part.inputs else list(part.inputs)
    if len(net.inputs) != len(part.inputs) or set(names) != set(net.inputs):
        have = f"{len(part.inputs)} set{'s' * (len(part.inputs) != 1)} of images"
        raise unfit(SHAPE, f"the data hold {have}, and the network takes {', '.join(net.inputs)}")
    if len(net.inputs) > 1 and steps:
        raise unfit(SHAPE, "the steps of `data` are for networks of one input", about=steps[0].name)
    for name, images in zip(names, part.inputs.values(), strict=True):
        wanted = net.shapes[name]
        shapes = set(_shapes(images))
        for index, step in enumerate(steps):
            if needed(step) and len({_after(shape, steps[:index]) for shape in shapes}) > 1:
                message = f"`{step.name}` needs images of one size to compute statistics of"
                raise unfit(SHAPE, message, f"put `resize` above `{step.name}`", about=step.name)
        shapes = {_after(shape, steps) for shape in shapes}
        if len(shapes) > 1:
            some, others = min(shapes, key=str), max(shapes, key=str)
            one = show_shape(wanted[:2]) if len(wanted) == 3 and None not in wanted else "224x224"
            message = f"images have different sizes, such as {show_shape(some)} and {show_shape(others)}"
            raise unfit(SHAPE, message, f"`resize {one}` in `data` gives all of them one size")
        for shape in shapes:
            if not fits(shape, wanted):
                _refuse(shape, wanted, name)


def _shapes(images: Images) -> Iterator[Shape]:
    """The shapes that images have, each once."""
    if isinstance(images, Files):
        yield from ((*size, images.channels) for size in images.sizes)
    else:
        yield images.shape


def _after(shape: Shape, steps: Sequence[Step]) -> Shape:
    """The shape of an image after the steps."""
    for step in steps:
        try:
            shape = step.shape(shape)
        except Refused as error:
            raise unfit(error.code, error.message, *error.help, about=step.name) from None
    return shape


def _refuse(shape: Shape, wanted: Shape, name: str) -> None:
    help = []
    if len(wanted) == len(shape) == 3:
        if shape[:2] != wanted[:2] and None not in wanted[:2]:
            help.append(f"`resize {show_shape(wanted[:2])}` in `data` scales them")
        if shape[-1] != wanted[-1]:
            help.append(f"`channels {wanted[-1]}` in `data` converts them")
    message = f"images come as {show_shape(shape)}, and the network takes {show_shape(wanted)}"
    raise unfit(SHAPE, message, *help, output=name)


def _check_places(steps: Sequence[Step], answers: Sequence[Target]) -> None:
    """Targets a pixel stay where they are, whatever the steps do to the images."""
    for target in answers:
        moving = [step for step in steps if step.moves] if target.array.ndim > 2 else []
        if moving:
            message = f"`{moving[0].name}` moves the pixels of images, and the targets of `{target.output}` stay"
            help = "change images and targets together before, and store both"
            raise unfit(SHAPE, message, help, about=moving[0].name, output=target.output)


def _check_statistics(steps: Sequence[Step], statistics: Statistics, shape: Shape) -> None:
    """The statistics against images of a shape: those of an earlier run may be of others, and files change."""
    for index, step in enumerate(steps):
        for name, place in arrays_of(step, _after(shape, steps[:index])).items():
            array = statistics.arrays.get(name)
            if array is None:
                message = f"`{step.name}` needs the statistics of the training images, and there are none of it"
                raise unfit(MISSING, message, "they lie in the folder of the run", about=step.name)
            if not fits(array.shape, place):
                message = f"the statistics of `{step.name}` are {show_shape(array.shape)}, and images need"
                raise unfit(SHAPE, f"{message} {show_shape(place)}", about=step.name)
            if not np.isfinite(array).all() or (isinstance(step, Scale) and not array.all()):
                raise unfit(BROKEN, f"the statistics of `{step.name}` hold what is no number, or 0", about=step.name)


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
        (shape,) = {_after(shape, pipeline.steps) for images in train.inputs.values() for shape in _shapes(images)}
        size = max(1, LOOKED_THROUGH // (elements(shape) or 1))
        stream = Stream(train, pipeline, (), size)
        for done, batch in enumerate(stream.batches().as_numpy_iterator(), 1):
            if progress:
                progress("computing statistics", min(done * size, stream.images), stream.images)
            yield batch

    return computed(steps, batches)


# -- images alone ----------------------------------------------------------------------------------------------


def images(
    given: Sequence[Where], program: Program, statistics: Statistics | None, *, usual: Shape | None, batch: int
) -> Stream:
    """See `netc.data.images`."""
    try:
        data = program.sections.data
        steps = data.steps if data else []
        files = Files.at(given, Reading(channels(program)))
        for index in range(len(files)):
            _check_picture(files, index, steps, program.net.shapes[program.net.inputs[0]], usual)
        part = whole(files, None)
        _check_images(program, steps, part)
        _check_statistics(steps, statistics or Statistics(), next(_shapes(files)))
        return Stream(part, Pipeline(steps, statistics or Statistics()), (), batch)
    except Unfit as problem:
        raise located(problem, program, of_data=False) from None


def _check_picture(files: Files, index: int, steps: Sequence[Step], wanted: Shape, usual: Shape | None) -> None:
    """A picture against the images of the run: a step may give any size another, but only `resize` is made for it."""
    found = header(files.fetch(index), files.name(index))
    shape = (found.rows, found.columns, files.channels)
    if len(wanted) != 3 or any(isinstance(step, Resize) for step in steps):
        return
    if fits(shape[:2], usual[:2]) if usual else fits(_after(shape, steps)[:2], wanted[:2]):
        return
    sizes = show_shape(shape[:2]), show_shape((usual or wanted)[:2])
    message = f"{files.name(index)} is {sizes[0]}, and the network learnt from images of {sizes[1]}"
    raise unfit(SHAPE, message, f"scale it to {sizes[1]}", f"or train with `resize {sizes[1]}` in `data`, for any size")
