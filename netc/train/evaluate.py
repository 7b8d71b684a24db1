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
TENSORFLOW = "tensorflow"
ALL = "all"  # the images for training, with those that `validation` keeps


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What was found, on which images, with which weights, by which engine."""

    part: str
    images: int
    weights: Path
    engine: str
    values: Mapping[str, float]


def evaluate(
    program: Program,
    weights: Path,
    *,
    data: Any = None,
    part: str | None = None,
    statistics: Statistics | None = None,
    seed: int = 0,
    engine: str = TENSORFLOW,
) -> Evaluation:
    """Evaluate on a part of the data: the test images, else those kept for validation, else all for training; or on
    `ALL`, which other images than the run's are.

    TensorFlow runs the network as training does, in the precision of the `train` section; another engine of
    `netc.engines` runs it in float32, and TensorFlow reads the images and computes losses and metrics of its outputs.
    Raises `RunError`, `WeightsError`, `EngineError` and `DataError`.
    """
    section = program.sections.train
    if section is None:
        raise RunError("the spec has no `train` section: its losses and metrics are what is evaluated")
    import_tensorflow()
    import tensorflow as tf  # noqa: PLC0415

    from netc.data import as_data_error, prepare  # noqa: PLC0415
    from netc.engines import chosen  # noqa: PLC0415
    from netc.engines import engine as ready  # noqa: PLC0415
    from netc.targets.keras.build import assign  # noqa: PLC0415
    from netc.train.steps import Steps  # noqa: PLC0415
    from netc.train.trainee import Trainee  # noqa: PLC0415
    from netc.train.weights import read_from  # noqa: PLC0415

    found = prepare(program, source=data, seed=seed, batch=section.batch, statistics=statistics, divide=part != ALL)
    streams = {name: stream for name in PARTS if (stream := getattr(found, name)) is not None}
    part = part or next(iter(streams))
    place = "train" if part == ALL else part
    if place not in streams:
        raise RunError(f"the data have no {part} images; there are images for {' and '.join(streams)}")
    stream = replace(streams[place], training=False, shuffled=False)
    trainee = Trainee(program, Clock(1, 1), seed, tf.distribute.get_strategy())
    held, matched = read_from(weights, program.net)
    assign(trainee.model, held)
    steps, name = Steps(trainee), chosen(engine)
    other = None if name == TENSORFLOW else ready(program, held, name)
    try:
        values = steps.validate(stream.batches()) if other is None else steps.judge(stream.batches(), other)
    except tf.errors.OpError as error:
        raise (as_data_error(error, program) or error) from None
    said = other.name if other else f"TensorFlow {tf.__version__}"
    return Evaluation(part, stream.images, matched.path, said, values)
