"""One training from start to end: the data, the network, the loop, and the folder they leave."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

from netc.sections.base import Clock
from netc.sections.conflicts import Conflict
from netc.sections.lowering import quantities
from netc.sections.model import Train
from netc.sections.settings import Accumulate, Checkpoint, ClassWeights, Precision, Restore
from netc.targets.keras.quiet import import_tensorflow
from netc.train.events import Events
from netc.train.log import COUNTS, RATE, Log
from netc.train.loop import VALIDATION, Loop, Timetable
from netc.train.progress import Progress
from netc.train.record import FINISHED, RUNNING, STOPPED, Parts, Record
from netc.train.run import Run, RunError, absolute, settings, versions
from netc.train.run import now as time_now
from netc.train.strategy import MULTIWORKER, Cluster, ClusterError, agree, open_strategy, stopping_together

if TYPE_CHECKING:
    from netc.data.stream import Datasets
    from netc.program import Program

KEEP = 5  # checkpoints, unless the spec says
WATCHED = f"{VALIDATION}loss"


@dataclass(frozen=True, slots=True)
class Request:
    """What to train, where to, and how it was asked for. `given` goes into `run.json` and comes back on resume."""

    program: Program
    run: Run
    data: Any = None  # `--data`: a name, a path, or arrays
    seed: int | None = None
    weights: str | None = None
    resume: bool = False
    cluster: Cluster = field(default_factory=Cluster)
    deterministic: bool = False
    given: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Outcome:
    """How training ended."""

    run: Run
    finished: bool
    step: int
    clock: Clock
    row: Mapping[str, float]  # the last of the log
    best: tuple[float, int] | None
    seconds: float
    model: Any


def train(request: Request, progress: Progress, stop: Callable[[], bool] = lambda: False) -> Outcome:
    """Train, or go on training. Raises `RunError`, `netc.data.DataError`, `netc.data.ShareError`, `Diverged`,
    and `OSError` for the disk."""
    begun = perf_counter()
    program, section, run = request.program, _section(request.program), request.run
    record = run.read() if request.resume else None
    seed = record.seed if record else section.seed if request.seed is None else request.seed
    if request.cluster.kind:
        _refuse_distributed(program)
    import_tensorflow()
    strategy = _open(request)
    data = _data(request, seed, progress)
    data.train.check_shares(strategy.num_replicas_in_sync)
    clock = Clock(data.train.steps, section.steps or data.train.steps * (section.epochs or 0))
    if request.cluster.kind == MULTIWORKER:
        stop = stopping_together(strategy, stop)
    loop = _loop(request, strategy, data, clock, seed, progress, stop)
    rows = _restore(request, loop, progress)
    if request.cluster.chief:
        _begin(request, seed, data, record)
        progress.note(f"training {program.name} in {run.folder}")
        loop.log.start(rows)
    from netc.train.normalise import fused  # noqa: PLC0415

    progress.begins(clock, section.batch, loop.state.step)
    try:
        with fused(loop.trainee.model):
            finished = loop.run()
    except Exception as error:
        raise _explained(error, request) from None
    finally:
        progress.ends()
    if finished:
        from netc.train.finish import finish  # noqa: PLC0415

        finish(loop, run, writes=request.cluster.chief)
    seconds = perf_counter() - begun
    if request.cluster.chief:
        spent = seconds + (record.seconds if record else 0)
        run.update(status=FINISHED if finished else STOPPED, seconds=round(spent, 1), step=loop.state.step)
    row = loop.log.rows[-1] if loop.log.rows else {}
    return Outcome(run, finished, loop.state.step, clock, row, loop.state.best, seconds, loop.trainee.model)


def _explained(error: Exception, request: Request) -> Exception:
    """What TensorFlow says in the middle of training, for the user: an unreadable image, a worker that is gone."""
    from netc.data import as_data_error  # noqa: PLC0415

    said = as_data_error(error, request.program)
    if said is not None:
        return said
    lost = ("Unavailable", "Aborted", "DeadlineExceeded", "Cancelled", "Internal", "Unknown")  # as gRPC names it
    if request.cluster.kind == MULTIWORKER and type(error).__name__.removesuffix("Error") in lost:
        return ClusterError(
            "another worker is gone, and training cannot go on without it; start all of them again with --resume"
            f" (TensorFlow says: {str(error).splitlines()[0][:200]})"
        )
    return error


def _section(program: Program) -> Train:
    train = program.sections.train
    if train is None:
        raise RunError("the spec has no `train` section: it says with which loss and optimizer to train")
    return train


def _open(request: Request) -> Any:
    import tensorflow as tf  # noqa: PLC0415 - seconds

    strategy = open_strategy(request.cluster)
    if request.deterministic:
        tf.config.experimental.enable_op_determinism()
    return strategy


def _data(request: Request, seed: int, progress: Progress) -> Datasets:
    from netc.data import prepare  # noqa: PLC0415 - imports TensorFlow

    known = request.run.read_statistics() if request.resume else None
    batch = _section(request.program).batch
    return prepare(
        request.program, source=request.data, seed=seed, batch=batch, statistics=known, progress=progress.reading
    )


def _loop(
    request: Request,
    strategy: Any,
    data: Datasets,
    clock: Clock,
    seed: int,
    progress: Progress,
    stop: Callable[[], bool],
) -> Loop:
    from netc.train.monitors import Monitors  # noqa: PLC0415
    from netc.train.steps import Steps  # noqa: PLC0415
    from netc.train.trainee import Trainee  # noqa: PLC0415

    program, section, run = request.program, _section(request.program), request.run
    trainee = Trainee(program, clock, seed, strategy)
    steps = Steps(trainee, class_weights(section, data))
    checkpoint = section.value(Checkpoint)
    validation = None if data.validation is None else data.validation.batches()
    names = list(trainee.training.named)
    validated = [VALIDATION + name for name in names if data.validation is not None]
    return Loop(
        trainee,
        steps,
        Monitors(trainee.compiled.callbacks, trainee.model),
        Timetable.of(section, clock),
        data.train,
        validation,
        Log(run.log, [*COUNTS, RATE, *names, *validated], Events(run.events)),
        run.store(checkpoint.keep if checkpoint else KEEP),
        progress,
        stop,
        writes=request.cluster.chief,
        watched=_watched(program, section, validation is not None),
    )


def _watched(program: Program, section: Train, validates: bool) -> tuple[str, str] | None:
    """By what the best checkpoint is found: as the spec says; without a word on checkpoints, by the validation loss."""
    checkpoint = section.value(Checkpoint)
    if checkpoint is None:
        return (WATCHED, "min") if validates else None
    if not checkpoint.best:
        return None
    return checkpoint.monitor, quantities(section, program.net, program.expansion.labels)[checkpoint.monitor]


def class_weights(section: Train, data: Datasets) -> list[float] | None:
    """A factor for the loss of each class: as given, or images / (classes * images of the class)."""
    import numpy  # noqa: PLC0415

    setting = section.value(ClassWeights)
    if setting is None:
        return None
    if setting.weights:
        return list(setting.weights)
    labels = data.train.labels
    if labels is None:
        raise RunError("`class_weights balanced` needs images with classes, and the targets are none")
    counts = numpy.bincount(labels, minlength=len(data.classes))
    return [float(len(labels) / (len(counts) * count)) if count else 0.0 for count in counts]


def _refuse_distributed(program: Program) -> None:
    """What Keras cannot do over several replicas is said before the first step."""
    from netc.diagnostics.model import Diagnostics  # noqa: PLC0415

    section = _section(program)
    report = Diagnostics()
    for line in section.all(Accumulate):
        if line.value.count > 1:
            help = "use a larger `batch`: the devices share it"
            Conflict(line, "`accumulate` does not go with `--distribute`", help).add_to(report)
    for precision in section.all(Precision):
        if precision.value.number == "float16":
            help = "use `precision bfloat16`, which needs no loss scaling"
            Conflict(precision, "`precision float16` does not go with `--distribute`", help).add_to(report)
    if report.failed:
        from netc.data import DataError  # noqa: PLC0415

        raise DataError(report)


def _begin(request: Request, seed: int, data: Datasets, record: Record | None) -> None:
    """Make the folder, or note that an old one goes on."""
    run, program = request.run, request.program
    if record:
        run.update(status=RUNNING, resumed=time_now())
        return
    run.folder.mkdir(parents=True, exist_ok=True)
    data.statistics.save(run.statistics)
    run.write(
        Record(
            name=program.name,
            status=RUNNING,
            started=time_now(),
            spec=run.keep_spec(program),
            **_asked(request),
            seed=seed,
            classes=list(data.classes),
            images=Parts(data.train.images, data.validation.images if data.validation else 0, _shape(data)),
            versions=versions(),
            settings=settings(program),
        )
    )


def _asked(request: Request) -> Mapping[str, Any]:
    """How the run was asked for. A path of the spec is relative to it, and its copy in the folder lies elsewhere."""
    from netc.data.places import beside  # noqa: PLC0415 - imports NumPy

    data = request.program.sections.data
    if request.data is not None or data is None or not isinstance(data.source, str):
        return request.given
    return {**request.given, "data": absolute(str(beside(request.program, data.source)))}


def _shape(data: Datasets) -> tuple[int | None, int | None, int] | None:
    """That of a picture, where the network takes pictures."""
    first = next(iter(data.train.part.inputs.values())).shape
    return (first[0], first[1], first[2]) if len(first) == 3 and first[2] else None


def _restore(request: Request, loop: Loop, progress: Progress) -> list[dict[str, float]]:
    """Start from a checkpoint, from weights, or from scratch; returns the rows of the log so far."""
    found = loop.store.latest(progress.note) if request.resume else None
    if found is not None:
        path, checkpoint = found
        try:
            loop.restore(checkpoint.state, checkpoint.arrays)
        except ValueError as error:
            raise RunError(f"{path} is not of this network: {error}") from None
        progress.note(f"going on after step {loop.state.step:,} ({path})")
        rows = loop.log.rows
    else:
        if request.resume:
            progress.note(f"{request.run.folder} has no whole checkpoint: training starts at the beginning")
        rows = []
        _load_weights(request, loop, progress)
    loop.log.rows = [dict(row) for row in rows]
    if request.cluster.kind == MULTIWORKER:
        agree(loop.trainee.strategy, loop.state.step)
    return loop.log.rows


def _load_weights(request: Request, loop: Loop, progress: Progress) -> None:
    from netc.train.weights import load_into  # noqa: PLC0415

    restore = _section(request.program).value(Restore)
    path = request.weights or (restore.path if restore else None)
    if path is None:
        return
    if request.weights is None:
        path = str(Path(request.program.file.source.name).parent / path)
    progress.note(load_into(loop.trainee.model, request.program, Path(path)).text())


__all__ = ["Outcome", "Request", "train"]
