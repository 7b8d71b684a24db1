"""The training loop: what happens at which step.

Everything here is a function of the step alone, so that a run that was stopped anywhere and resumed does the same as
one that never was.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from time import perf_counter
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct

from netc.sections.base import Clock
from netc.sections.model import Train
from netc.sections.settings import Checkpoint, Validate
from netc.storage.checkpoint import write
from netc.train.checkpoint import Store
from netc.train.log import COUNTS, RATE, Log
from netc.train.monitors import Counters, Monitors
from netc.train.progress import Progress
from netc.train.record import Count
from netc.train.steps import Steps, endless
from netc.train.trainee import LOSS, Trainee, value_of

if TYPE_CHECKING:
    from netc.data.stream import Stream

VALIDATION = "val_"
CALL_SECONDS = 0.25  # of steps in one call: an interrupt waits no longer
LONGEST_CALL = 64
DISTRIBUTED_CALL = 8  # the same on all workers, whose clocks differ


class Diverged(Exception):
    """The loss is no longer a number."""


@dataclass(frozen=True, slots=True)
class Timetable:
    """When to do what, in steps; None is after every epoch."""

    clock: Clock
    validate: int | None
    checkpoint: int | None

    @classmethod
    def of(cls, train: Train, clock: Clock) -> Timetable:
        """As the section says."""
        validate, checkpoint = train.value(Validate), train.value(Checkpoint)
        return cls(
            clock,
            clock.steps(validate.every, validate.unit) if validate else None,
            clock.steps(checkpoint.every, checkpoint.unit) if checkpoint and checkpoint.every else None,
        )

    def due(self, every: int | None, step: int) -> bool:
        """Whether it is time after a step; the end is always."""
        return step == self.clock.total or step % (every or self.clock.per_epoch) == 0

    def next(self, step: int) -> int:
        """The first step after `step` at which anything is due."""
        periods = (self.clock.per_epoch, self.validate, self.checkpoint)
        return int(min(self.clock.total, *((step // every + 1) * every for every in periods if every)))


@dataclass(slots=True)
class State:
    """Where training is, beside the variables. `best` is the best value of the monitored quantity, and its step."""

    step: int = 0
    best: tuple[float, int] | None = None
    fresh: dict[str, float] = field(default_factory=dict)  # validated since the last epoch ended


class Moment(Struct, kw_only=True):
    """What a checkpoint says beside its arrays."""

    step: Count
    best: tuple[float, Count] | None
    fresh: dict[str, float]
    monitors: list[Counters]
    stopping: bool
    log: list[dict[str, int | float]]


@dataclass(slots=True)
class Loop:
    """One run of training, from `state.step` to the end or to where `stop` says so."""

    trainee: Trainee
    steps: Steps
    monitors: Monitors
    timetable: Timetable
    training: Stream
    validation: Any  # batches, or None
    log: Log
    store: Store
    progress: Progress
    stop: Callable[[], bool]
    writes: bool = True  # only one worker does
    watched: tuple[str, str] | None = None  # what tells the best checkpoint, and "min" or "max"
    state: State = field(default_factory=State)
    saved: int = -1  # the step of the last checkpoint

    def run(self) -> bool:
        """Train; false when it was stopped before its end, with a checkpoint written."""
        clock, iterator = self.timetable.clock, None
        while self.state.step < clock.total and not self.monitors.stopping:
            epoch, batch = divmod(self.state.step, clock.per_epoch)
            iterator = iterator or iter(endless(self.training, epoch, batch, self.trainee.strategy))
            if not self._epoch(iterator, epoch):
                return False
        if self.saved != self.state.step:
            self.save()
        return True

    def _epoch(self, iterator: Any, epoch: int) -> bool:
        """To the end of an epoch, or of training; false when stopped."""
        clock = self.timetable.clock
        end = min((epoch + 1) * clock.per_epoch, clock.total)
        pace = Pace(self.steps.several)
        while self.state.step < end:
            if self.stop():
                self.save()
                return False
            target = self.timetable.next(self.state.step)
            count = pace.count(target - self.state.step)
            with pace.timed(count):
                self.steps.train(iterator, count)
                loss = float(self.trainee.training.loss.result())  # waits for the steps
            self.state.step += count
            if not math.isfinite(loss):
                raise Diverged(_diverged(self.state.step, epoch, self.trainee.rate))
            self.progress.stepped(self.state.step, count, self._shown(loss))
            self._events(epoch)
        return True

    def _shown(self, loss: float) -> Callable[[], Mapping[str, float]]:
        """What progress may ask for: over several workers nothing that they would have to add up together."""
        return self.trainee.training.values if self.steps.several else lambda: {LOSS: loss}

    def _events(self, epoch: int) -> None:
        """What is due after the last step."""
        step, table = self.state.step, self.timetable
        ended = step % table.clock.per_epoch == 0 or step == table.clock.total
        values: dict[str, float] = {}
        if self.validation is not None and table.due(table.validate, step):
            self.progress.validating()
            values = {VALIDATION + name: value for name, value in self.steps.validate(self.validation).items()}
            self.state.fresh.update(values)
        if values or ended:
            values = {**self.trainee.training.values(), **values}
            self._row(epoch, values)
            self._best(values)
        if ended:
            self.monitors.epoch_ended(epoch, {**values, **self.state.fresh})
            self.state.fresh.clear()
            self.trainee.training.reset()
        if table.due(table.checkpoint, step) or (ended and self.monitors.stopping):
            self.save()

    def _row(self, epoch: int, values: Mapping[str, float]) -> None:
        row = {"step": self.state.step, "epoch": epoch + 1, RATE: self.trainee.rate, **values}
        if self.writes:
            self.log.add(row)
        else:
            self.log.rows.append(row)
        self.progress.logged(row)

    def _best(self, values: Mapping[str, float]) -> None:
        """Keep the weights when they are the best so far."""
        if self.watched is None or self.watched[0] not in values:
            return
        name, direction = self.watched
        value, best = values[name], self.state.best
        if best is not None and not (value < best[0] if direction == "min" else value > best[0]):
            return
        self.state.best = (value, self.state.step)
        weights = ((variable.path, value_of(variable)) for variable in self.trainee.model.weights)
        if self.writes:
            self.store.folder.mkdir(parents=True, exist_ok=True)
            write(self.store.best, {"step": self.state.step, name: value}, weights)
        else:
            _read(weights)

    def save(self) -> None:
        """Write a checkpoint of this moment."""
        self.saved = self.state.step
        arrays = (pair for part in (self.trainee.arrays(), self.monitors.arrays()) for pair in part)
        if not self.writes:
            _read(arrays)
            return
        moment = Moment(
            step=self.state.step,
            best=self.state.best,
            fresh=self.state.fresh,
            monitors=self.monitors.state(),
            stopping=self.monitors.stopping,
            log=self.log.rows,
        )
        self.progress.saved(self.store.save(self.state.step, msgspec.to_builtins(moment), arrays))

    def restore(self, state: Mapping[str, Any], arrays: Mapping[str, Any]) -> None:
        """Go to where a checkpoint was written; raises `ValueError` where it is of another network."""
        try:
            there = msgspec.convert(state, Moment)
        except msgspec.ValidationError as error:
            raise ValueError(str(error).replace("$.", "")) from None
        if not all(float(row.get(name, math.nan)).is_integer() for row in there.log for name in COUNTS):
            raise ValueError("a row of its log has no step, or no epoch")
        self.trainee.restore(arrays)
        self.monitors.restore(there.monitors, arrays, stopping=there.stopping)
        self.state = State(there.step, there.best, there.fresh)
        self.log.rows = list(there.log)
        self.saved = self.state.step


def _read(arrays: Iterable[object]) -> None:
    """Take part in reading what the workers hold together: the one that writes it cannot read it alone."""
    for _ in arrays:
        pass


@dataclass(slots=True)
class Pace:
    """How many steps share a call: as many as take a quarter of a second, once their speed is known."""

    several: bool
    seconds: float = math.inf  # a step

    def count(self, left: int) -> int:
        """For the next call, when so many steps are left until something is due."""
        if not self.several:
            return min(left, DISTRIBUTED_CALL)
        if self.seconds == math.inf:
            return 1
        return max(1, min(left, LONGEST_CALL, int(CALL_SECONDS / self.seconds)))

    def timed(self, count: int) -> _Timer:
        """Measure a call of so many steps."""
        return _Timer(self, count)


@dataclass(slots=True)
class _Timer:
    pace: Pace
    count: int
    start: float = 0.0

    def __enter__(self) -> None:
        self.start = perf_counter()

    def __exit__(self, *_: object) -> None:
        self.pace.seconds = (perf_counter() - self.start) / self.count


def _diverged(step: int, epoch: int, rate: float) -> str:
    return (
        f"the {LOSS} is not a number any more at step {step:,} (epoch {epoch + 1}), at a learning rate of {rate:g}: "
        "lower `lr`, add `schedule warmup`, or bound the gradients with `clip norm=1`"
    )
