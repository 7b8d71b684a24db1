"""The other lines of `data` and `train`, and the tables of all lines."""

# ruff: noqa: RUF012 - tables of a class are annotated as ClassVar in its base

from __future__ import annotations

from typing import Any, ClassVar

from netc.params import Bool, Choice, Either, Int, Real, Refused, Text, param
from netc.sections.base import Name, Registry, Setting, choice
from netc.sections.losses import LOSSES
from netc.sections.metrics import METRICS
from netc.sections.monitors import Monitoring
from netc.sections.optimizers import OPTIMIZERS
from netc.sections.preprocessing import DATA
from netc.sections.schedules import SCHEDULES, UNIT

COUNT = Int(min=1)
POSITIVE = Real(min=0, open=("min",))
TEST, OWN = "test", "own"  # images to validate on that are not taken from training
LABEL = Name("a label, or the name of a layer")

TRAIN: Registry[Setting] = {}  # lines of `train` that choose nothing by name

FAMILIES: dict[str, Registry[Any]] = {
    "loss": LOSSES,
    "optimizer": OPTIMIZERS,
    "schedule": SCHEDULES,
    "metric": METRICS,
}  # lines of `train` whose first word chooses what the rest says
METRICS_LINE = "metrics"


@choice(DATA, "classes", example="classes 17")
class Classes(Setting):
    """How many classes there are; named data sets know it."""

    positional: ClassVar[tuple[str, ...]] = ("count",)

    count: int = param(Int(min=2), "number of classes")


@choice(DATA, "one_hot", example="one_hot")
class OneHot(Setting):
    """State that labels are one-hot. They are encoded as the loss needs them, so this only checks the loss."""


@choice(DATA, "shuffle", example="shuffle false")
class Shuffle(Setting):
    """Whether each epoch has an order of its own; it does unless this says `false`."""

    positional: ClassVar[tuple[str, ...]] = ("on",)

    on: bool = param(Bool(), "whether to shuffle", True)


@choice(DATA, "validation", example="validation 0.1 stratified")
class Validation(Setting):
    """What to validate on: a share of the training images or a number of them, kept from training, or others.

    Others are the data set's `test` images, or its `own` validation images (a folder `validation`, arrays `x_val`).
    """

    positional: ClassVar[tuple[str, ...]] = ("part",)

    part: float | int | str = param(
        Either((Choice((TEST, OWN)), Real(min=0, max=1, open=("min", "max")), COUNT)),
        "a share, a number, `test` or `own`",
    )
    stratified: bool = param(Bool(), "keep the classes' shares", False)
    seed: int = param(Int(min=0), "chooses the images", 0)

    def validate(self) -> None:
        if isinstance(self.part, str) and self.stratified:
            raise Refused("NET407", f"the `{self.part}` images are what they are, nothing is drawn", param="stratified")

    def kept(self, images: int) -> int:
        """How many of the training images are kept from training."""
        if isinstance(self.part, str):
            return 0
        return self.part if isinstance(self.part, int) else round(images * self.part)


@choice(TRAIN, "batch", example="batch 128")
class Batch(Setting):
    """Images a step; 64 unless written, as in TFLearn."""

    positional: ClassVar[tuple[str, ...]] = ("images",)

    images: int = param(COUNT, "number of images")


@choice(TRAIN, "epochs", example="epochs 200")
class Epochs(Setting):
    """Passes over the training images; 10 unless written, as in TFLearn."""

    positional: ClassVar[tuple[str, ...]] = ("count",)

    count: int = param(COUNT, "number of passes")


@choice(TRAIN, "steps", example="steps 64000")
class Steps(Setting):
    """Length of training in steps (batches), instead of epochs."""

    positional: ClassVar[tuple[str, ...]] = ("count",)

    count: int = param(COUNT, "number of steps")


@choice(TRAIN, "seed", example="seed 1")
class Seed(Setting):
    """Where all random numbers of training come from; 0 unless written."""

    positional: ClassVar[tuple[str, ...]] = ("value",)

    value: int = param(Int(min=0, max=2**32 - 1), "the seed")


@choice(TRAIN, "weight_decay", example="weight_decay 0.0001")
class WeightDecay(Setting):
    """Decay of every kernel that has no `l2` of its own: lambda/2 * |w|^2 in the loss, as in the papers and TFLearn.

    Decoupled, it shrinks kernels by learning rate * lambda a step (Loshchilov & Hutter 2019, arXiv:1711.05101).
    """

    positional: ClassVar[tuple[str, ...]] = ("strength",)

    strength: float = param(Real(min=0), "lambda")
    decoupled: bool = param(Bool(), "in the optimizer instead of the loss", False)


@choice(TRAIN, "clip", example="clip norm=5")
class Clip(Setting):
    """Bound the gradients, by exactly one of three measures. TFLearn's `clip_gradients` is `norm`."""

    norm: float | None = param(POSITIVE, "largest norm of all gradients together (Pascanu et al. 2013)", None)
    each: float | None = param(POSITIVE, "largest norm of each variable's gradient", None)
    value: float | None = param(POSITIVE, "largest size of an element", None)

    def validate(self) -> None:
        given = [name for name in ("norm", "each", "value") if getattr(self, name) is not None]
        if not given:
            raise Refused("NET106", "`clip` needs `norm`, `each` or `value`", help=("for example `clip norm=5`",))
        if len(given) > 1:
            raise Refused("NET407", f"`clip` takes one measure, got {' and '.join(given)}", param=given[1])


@choice(TRAIN, "ema", example="ema 0.999")
class EMA(Setting):
    """Keep a moving average of the weights, which replaces them at the end (Polyak & Juditsky 1992)."""

    positional: ClassVar[tuple[str, ...]] = ("decay",)

    decay: float = param(Real(min=0, max=1, open=("min", "max")), "share of the average that is kept a step", 0.99)


@choice(TRAIN, "accumulate", example="accumulate 4")
class Accumulate(Setting):
    """Add up the gradients of some steps before the weights change: a batch of that many batches."""

    positional: ClassVar[tuple[str, ...]] = ("count",)

    count: int = param(COUNT, "steps a change")


@choice(TRAIN, "precision", example="precision bfloat16")
class Precision(Setting):
    """Numbers that layers compute with. Weights and the layers of outputs stay float32, and float16 scales the loss."""

    number: str = param(Choice(("float32", "bfloat16", "float16")), "the format")


@choice(TRAIN, "class_weights", example="class_weights balanced")
class ClassWeights(Setting):
    """How much each class counts in the loss: numbers, or `balanced` for the inverse of how common each is."""

    positional: ClassVar[tuple[str, ...]] = ("weights",)

    weights: tuple[float, ...] = param(Real(min=0), "one number a class", (), many=True)
    how: str = param(Choice(("balanced",)), "computed from the training labels", "")

    def validate(self) -> None:
        if bool(self.weights) == bool(self.how):
            raise Refused(
                "NET106" if not self.weights else "NET407",
                "`class_weights` takes `balanced`, or one number a class",
                param="how" if self.how else "",
            )


@choice(TRAIN, "early_stopping", example="early_stopping patience=10")
class EarlyStopping(Monitoring):
    """Stop when a quantity has not got better for some epochs."""

    target = "callbacks.EarlyStopping"
    renamed = {"delta": "min_delta", "best": "restore_best_weights"}

    patience: int = param(COUNT, "epochs without getting better")
    delta: float = param(Real(min=0), "smallest change that counts as better", 0)
    best: bool = param(Bool(), "go back to the best weights at the end", False)


@choice(TRAIN, "validate", example="validate every=500")
class Validate(Setting):
    """When to validate: after every epoch unless written."""

    every: int = param(COUNT, "time between two")
    unit: str = param(UNIT, "what it counts", "steps")


@choice(TRAIN, "checkpoint", example="checkpoint every=500 keep=10 best")
class Checkpoint(Setting):
    """When to save, and how many to keep."""

    every: int | None = param(COUNT, "time between two; each epoch unless written", None)
    unit: str = param(UNIT, "what it counts", "steps")
    keep: int = param(COUNT, "how many of the last ones stay", 5)
    best: bool = param(Bool(), "keep the best one too", False)
    monitor: str = param(Name("a quantity such as val_loss"), "by what the best is found", "val_loss")


@choice(TRAIN, "freeze", example="freeze stage1 stage2")
class Freeze(Setting):
    """Layers whose weights stay as they are: by label, by name, or all `before` one."""

    positional: ClassVar[tuple[str, ...]] = ("labels",)

    labels: tuple[str, ...] = param(LABEL, "labels or names; one stands for all layers below it", (), many=True)
    before: str = param(LABEL, "everything that stands above it", "")

    def validate(self) -> None:
        if not (self.labels or self.before):
            raise Refused("NET106", "`freeze` needs a label", help=("for example `freeze before=fc1`",))


@choice(TRAIN, "restore", example='restore "vgg16.weights.h5"')
class Restore(Setting):
    """Weights to start from, matched by the names of layers."""

    positional: ClassVar[tuple[str, ...]] = ("path",)

    path: str = param(Text(), "the file")


@choice(TRAIN, "skip", example="skip fc3")
class Skip(Setting):
    """Layers that keep their fresh weights when others are restored (TFLearn's `restore=False`)."""

    positional: ClassVar[tuple[str, ...]] = ("labels",)

    labels: tuple[str, ...] = param(LABEL, "labels or names; one stands for all layers below it", many=True)


SECTIONS: dict[str, Registry[Any]] = {"data": DATA, "train": TRAIN}


def lines(section: str) -> tuple[str, ...]:
    """The words that lines of a section may begin with."""
    return (*SECTIONS[section], *((*FAMILIES, METRICS_LINE) if section == "train" else ()))
