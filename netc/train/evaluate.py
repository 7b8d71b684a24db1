"""Loss and metrics of trained weights on images that were kept, or on others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from netc.sections.base import Clock
from netc.targets.keras.quiet import import_tensorflow
from netc.train.run import RunError

if TYPE_CHECKING:
    from netc.data.statistics import Statistics
    from netc.program import Program

PARTS = ("test", "validation", "train")
ALL = "all"  # the images for training, with those that `validation` keeps


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What was found, on which images, with which weights."""

    part: str
    images: int
    weights: Path
    values: Mapping[str, float]


def evaluate(
    program: Program,
    weights: Path,
    *,
    data: Any = None,
    part: str | None = None,
    statistics: Statistics | None = None,
    seed: int = 0,
) -> Evaluation:
    """Evaluate on a part of the data: the test images, else those kept for validation, else all for training; or on
    `ALL`, which other images than the run's are.

    Raises `RunError`, `WeightsError` and `DataError`.
    """
    section = program.sections.train
    if section is None:
        raise RunError("the spec has no `train` section: its losses and metrics are what is evaluated")
    import_tensorflow()
    import tensorflow as tf  # noqa: PLC0415

    from netc.data import prepare  # noqa: PLC0415
    from netc.train.steps import Steps  # noqa: PLC0415
    from netc.train.trainee import Trainee  # noqa: PLC0415
    from netc.train.weights import load_into  # noqa: PLC0415

    found = prepare(program, source=data, seed=seed, batch=section.batch, statistics=statistics, divide=part != ALL)
    streams = {name: stream for name in PARTS if (stream := getattr(found, name)) is not None}
    chosen = part or next(iter(streams))
    place = "train" if chosen == ALL else chosen
    if place not in streams:
        raise RunError(f"the data have no {chosen} images; there are images for {' and '.join(streams)}")
    stream = replace(streams[place], training=False, shuffled=False)
    trainee = Trainee(program, Clock(1, 1), seed, tf.distribute.get_strategy())
    matched = load_into(trainee.model, program, weights, strict=True)
    return Evaluation(chosen, stream.images, matched.path, Steps(trainee).validate(stream.batches()))
