"""From a spec and a place to the streams of a run, with everything checked on the way."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from netc.data import named, splitting
from netc.data.errors import CLASSES, EMPTY, MISSING, SHAPE, Unfit, located, shown, unfit
from netc.data.labels import Target, targets, wanted
from netc.data.pipeline import Pipeline, computed
from netc.data.sources import Array, Collection, Memory, Part, is_classes
from netc.data.statistics import Statistics
from netc.data.stream import Datasets, Stream
from netc.ir.shape import show_shape
from netc.program import Program
from netc.sections.data_sets import DATA_SETS, DataSet
from netc.sections.model import Data
from netc.sections.preprocessing import Step
from netc.sections.settings import Classes, Shuffle, Validation

LOOKED_THROUGH = 1000  # images in a batch when statistics are computed


def prepare(
    program: Program,
    *,
    source: Any,
    folder: Path | None,
    seed: int,
    batch: int,
    statistics: Statistics | None,
    progress: Any = None,
) -> Datasets:
    """See `netc.data.prepare`."""
    try:
        return _prepare(program, source, folder, seed, batch, statistics)
    except Unfit as problem:
        raise located(problem, program) from None


def _prepare(
    program: Program, source: Any, folder: Path | None, seed: int, batch: int, statistics: Statistics | None
) -> Datasets:
    data = program.sections.data
    steps = data.steps if data else []
    found = _collection(program, source, folder)
    _check_classes(found, data)
    outputs = wanted(program)

    def answers(part: Part) -> tuple[Target, ...]:
        return tuple(targets(outputs, part.targets, len(found.classes)))

    train, validation = _split(found, data)
    _check_images(program, steps, [part for part in (train, validation, found.test) if part is not None])
    if statistics is None:
        statistics = _statistics(steps, train)
    pipeline = Pipeline(steps, statistics)
    shuffle = data.value(Shuffle) if data else None
    stream = Stream(train, pipeline, answers(train), batch, seed, training=True, shuffled=shuffle is None or shuffle.on)

    def evaluated(part: Part | None) -> Stream | None:
        return None if part is None else Stream(part, pipeline, answers(part), batch)

    return Datasets(found.classes, stream, evaluated(validation), evaluated(found.test), statistics)


# -- the place -------------------------------------------------------------------------------------------------


def _collection(program: Program, source: Any, folder: Path | None) -> Collection:
    data = program.sections.data
    written = data.source if data else None
    if isinstance(source, tuple):
        return _given(program, *source)
    if source is None and written is None:
        raise unfit(
            MISSING,
            "the spec does not say what to train on",
            'name a data set, `data digits`, or a path, `data "flowers"`; or give one with `--data`',
        )
    if isinstance(source, str) and source in DATA_SETS:
        source = DATA_SETS[source]
    if source is None:
        source = written
    if isinstance(source, DataSet):
        return named.read(source, folder)
    raise NotImplementedError(source)


def _given(program: Program, images: Any, labels: Any) -> Collection:
    """Arrays from Python: one of each, or several by the labels of inputs and outputs."""
    inputs = {name: np.asarray(array) for name, array in _named(images).items()}
    answers = {name: np.asarray(array) for name, array in _named(labels).items()}
    for name, array in answers.items():
        if array.ndim == 2 and array.shape[1] == 1 and np.issubdtype(array.dtype, np.integer):
            answers[name] = array[:, 0]
    counts = {len(array) for array in (*inputs.values(), *answers.values())}
    if len(counts) != 1:
        raise unfit(SHAPE, f"images and labels differ in number: {', '.join(map(str, sorted(counts)))}")
    label = {label: node for label, node in program.expansion.labels.items() if node in program.net.inputs}
    known = {label.get(name, name): Memory(array) for name, array in inputs.items()}
    numbers = answers.get("")
    classes = _classes_of(numbers, program) if numbers is not None and is_classes(numbers) else ()
    return Collection(classes, Part(known, np.arange(counts.pop()), answers))


def _named(arrays: Any) -> Mapping[str, Any]:
    return arrays if isinstance(arrays, Mapping) else {"": arrays}


def _classes_of(numbers: Array, program: Program) -> tuple[str, ...]:
    """Names for classes that have none: their numbers."""
    data = program.sections.data
    written = data.value(Classes) if data else None
    count = written.count if written else int(numbers.max(initial=-1)) + 1
    if numbers.size and int(numbers.min()) < 0:
        raise unfit(CLASSES, f"class numbers begin at 0, and there is a {numbers.min()}")
    if numbers.size and int(numbers.max()) >= count:
        raise unfit(CLASSES, f"there is a class number {numbers.max()}, and `classes` says {count}", about="classes")
    return tuple(map(str, range(count)))


# -- checks ----------------------------------------------------------------------------------------------------


def _check_classes(found: Collection, data: Data | None) -> None:
    written = data.value(Classes) if data else None
    if written and found.classes and written.count != len(found.classes):
        message = f"`classes` says {written.count}, and the data have {len(found.classes)}"
        raise unfit(CLASSES, message, about="classes")


def _check_images(program: Program, steps: Sequence[Step], parts: Sequence[Part]) -> None:
    """The images against the inputs of the network, behind the steps."""
    net = program.net
    for part in parts:
        if not len(part):
            raise unfit(EMPTY, "there are no images")
        names = part.inputs if "" not in part.inputs else net.inputs
        if len(net.inputs) != len(part.inputs) or set(names) != set(net.inputs):
            raise unfit(SHAPE, f"the network has the inputs {', '.join(net.inputs)}")
        if len(net.inputs) > 1 and steps:
            raise unfit(SHAPE, "the steps of `data` are for networks of one input", about=steps[0].name)
        for name, images in zip(names, part.inputs.values(), strict=True):
            wanted, shape = net.shapes[name], Pipeline(steps, Statistics()).shape(images.shape)
            if len(shape) != len(wanted) or any(
                None not in pair and pair[0] != pair[1] for pair in zip(shape, wanted, strict=True)
            ):
                message = f"images come as {show_shape(shape)}, and the network takes {show_shape(wanted)}"
                raise unfit(SHAPE, message, output=name)


# -- parts -----------------------------------------------------------------------------------------------------


def _split(found: Collection, data: Data | None) -> tuple[Part, Part | None]:
    validation = data.value(Validation) if data else None
    if validation is None:
        return found.train, found.validation
    if validation.part == "test":
        if found.test is None:
            raise unfit(MISSING, "there are no test images", "keep a share: `validation 0.1`", about="validation")
        return found.train, found.test
    count = len(found.train)
    kept = validation.part if isinstance(validation.part, int) else round(count * float(validation.part))
    if not 0 < kept < count:
        left = "nothing is left to train on" if kept else "no image is left to validate on"
        raise unfit(EMPTY, f"{left}: there are {count} images", about="validation")
    labels = found.train.labels if validation.stratified else None
    if validation.stratified and labels is None:
        raise unfit(CLASSES, "`stratified` needs classes, and the targets are none", about="validation")
    train, kept_rows = splitting.split(count, kept, validation.seed, labels)
    rows = found.train.rows
    return found.train.at(rows[train]), found.train.at(rows[kept_rows])


def _statistics(steps: Sequence[Step], train: Part) -> Statistics:
    def batches(pipeline: Pipeline) -> Any:
        return Stream(train, pipeline, (), LOOKED_THROUGH).batches().as_numpy_iterator()

    return computed(steps, batches)


def images(
    paths: Sequence[str | os.PathLike[str]], program: Program, statistics: Statistics | None, *, batch: int
) -> Stream:
    """See `netc.data.images`."""
    raise NotImplementedError(shown(paths[0]), replace)
