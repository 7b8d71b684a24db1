"""Settings that cannot stand together, whatever the network is.

Keras finds these hours into a run, or accepts them and goes wrong.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from netc.diagnostics.model import Diagnostics, Frame, Label
from netc.sections.base import Clock
from netc.sections.model import Line, Sections, Train
from netc.sections.monitors import VALIDATION
from netc.sections.preprocessing import Mixup
from netc.sections.schedules import Cosine, Warmup
from netc.sections.settings import (
    EMA,
    OWN,
    TEST,
    Accumulate,
    Checkpoint,
    ClassWeights,
    Epochs,
    OneHot,
    Steps,
    Validate,
    Validation,
    WeightDecay,
)


@dataclass(frozen=True, slots=True)
class Conflict:
    """A line that cannot stand, the parameter at fault, the lines it cannot stand with, and what to do."""

    line: Line[Any]
    message: str
    help: str
    others: Sequence[Line[Any]] = ()
    param: str = ""
    code: str = "NET407"

    def add_to(self, report: Diagnostics, frame: Frame | None = None) -> None:
        """Report it."""
        report.add(
            self.code,
            self.message,
            self.line.at(self.param),
            secondary=[Label(other.span, "together with this") for other in self.others],
            help=(self.help,),
            frame=frame,
        )


def conflicts(sections: Sections) -> Iterator[Conflict]:
    """Everything that cannot stand together."""
    for check in CHECKS:
        yield from check(sections)


def length(sections: Sections) -> Clock | None:
    """How long training is in steps, where the data set tells."""
    train, data = sections.train, sections.data
    if train is None or data is None or data.images is None or data.images < 1:
        return None
    per_epoch = -(-data.images // train.batch)
    return Clock(per_epoch, train.steps or per_epoch * (train.epochs or 0))


def _rates(sections: Sections) -> Iterator[Conflict]:
    train = sections.train
    if train is None:
        return
    plateau = [train.plateau] if train.plateau else []
    falling = [line for line in train.schedules if not isinstance(line.value, Warmup)]
    if plateau and train.schedules:
        yield Conflict(
            plateau[0],
            "`plateau` sets the learning rate, and so does another schedule",
            "keep one of them: Keras stops with an error when the plateau is reached",
            train.schedules,
        )
    if len(falling) > 1:
        yield Conflict(
            falling[1],
            f"`{falling[1].value.name}` and `{falling[0].value.name}` both set the learning rate",
            "keep one of them; only `warmup` goes together with another",
            falling[:1],
        )
    optimizer = train.one_optimizer
    averaging = [*train.schedules, *plateau, *train.all(EMA)]
    if optimizer is not None and optimizer.value.averages and averaging:
        name = optimizer.value.name
        yield Conflict(
            averaging[0], f"`{name}` needs no schedule and averages by itself", "remove this line", [optimizer]
        )


def _lengths(sections: Sections) -> Iterator[Conflict]:
    train, clock = sections.train, length(sections)
    if train is None:
        return
    epochs, steps = train.one(Epochs), train.one(Steps)
    if epochs and steps:
        yield Conflict(steps, "`steps` and `epochs` both say how long to train", "keep one of them", [epochs])
        return
    warmup, cosine, accumulate = train.one(Warmup), train.one(Cosine), train.one(Accumulate)
    if warmup and clock and warmup.value.steps_of(clock) >= clock.total:
        yield Conflict(
            warmup,
            f"the warm-up of {warmup.value.steps_of(clock)} steps is as long as training, {clock.total} steps",
            "shorten it, or train longer",
            param="steps",
        )
    elif warmup and cosine and warmup.value.unit == cosine.value.unit and 0 < cosine.value.steps <= warmup.value.steps:
        yield Conflict(cosine, "the warm-up takes the whole length of the cosine", "lengthen it", [warmup], "steps")
    if accumulate and clock and accumulate.value.count > clock.total:
        yield Conflict(
            accumulate,
            f"the weights change every {accumulate.value.count} steps, but training has {clock.total}",
            "accumulate less, or train longer",
        )


def _decay(sections: Sections) -> Iterator[Conflict]:
    train = sections.train
    decay, optimizer = (train.one(WeightDecay), train.one_optimizer) if train else (None, None)
    if decay and optimizer and decay.value.decoupled and optimizer.value.decays:
        yield Conflict(
            decay,
            f"`{optimizer.value.name}` decays weights by itself",
            f"write `optimizer {optimizer.value.name} weight_decay={decay.value.strength}` and remove this line",
            [optimizer],
        )


def _labels(sections: Sections) -> Iterator[Conflict]:
    train, data = sections.train, sections.data
    integers = [line for line in train.losses if line.value.labels in ("integer", "group")] if train else []
    if data is None or not integers:
        return
    help = "use `categorical_crossentropy`: labels are encoded as the loss needs them"
    if integers[0].value.labels == "group":
        help = "remove it: a blend of two samples belongs with neither"
    for line in (*data.all(Mixup), *data.all(OneHot)):
        does = "blends labels" if isinstance(line.value, Mixup) else "says that labels are one-hot"
        yield Conflict(line, f"`{line.value.name}` {does}, but the loss takes class numbers", help, integers)


def _class_weights(sections: Sections) -> Iterator[Conflict]:
    train = sections.train
    weights = train.one(ClassWeights) if train else None
    if train and weights and len(train.losses) > 1:
        yield Conflict(weights, "`class_weights` goes with one loss only", "remove it", train.losses[1:])
    if train and weights and train.losses and train.losses[0].value.labels in ("real", "group", "none"):
        yield Conflict(weights, "`class_weights` needs a loss over classes", "remove it", train.losses[:1])


def _validation(sections: Sections) -> Iterator[Conflict]:
    train, data = sections.train, sections.data
    validation = data.one(Validation) if data else None
    if validation and data and data.data_set:
        source, part = data.data_set, validation.value.part
        if (part == TEST and not source.test) or part == OWN:
            what = "test images" if part == TEST else "validation images of its own"
            yield Conflict(validation, f"`{source.name}` has no {what}", "keep a share: `validation 0.1`")
        if not isinstance(part, str) and (data.images or 0) < 1:
            yield Conflict(
                validation,
                f"nothing is left to train on: `{source.name}` has {source.training} images",
                "keep fewer, or a share: `validation 0.1`",
            )
    if train is None or data is None or validation or not data.complete:
        return
    for line in (*train.all(Validate), *watching(train)):
        if isinstance(line.value, Validate) or line.value.monitor.startswith(VALIDATION):
            help = "write `validation 0.1` in `data`"
            help += "" if isinstance(line.value, Validate) else ", or `monitor=loss`"
            yield Conflict(line, f"`{line.value.name}` needs validation images, and `data` keeps none", help)


def _best(sections: Sections) -> Iterator[Conflict]:
    checkpoint = sections.train.one(Checkpoint) if sections.train else None
    if checkpoint and "monitor" in checkpoint.spans and not checkpoint.value.best:
        yield Conflict(checkpoint, "`monitor` finds the best checkpoint", "add the word `best`", param="monitor")


def watching(train: Train) -> list[Line[Any]]:
    """The lines that watch a quantity."""
    return [
        line
        for line in train.lines
        if hasattr(line.value, "monitor") and not (isinstance(line.value, Checkpoint) and not line.value.best)
    ]


CHECKS = (_rates, _lengths, _decay, _labels, _class_weights, _validation, _best)
