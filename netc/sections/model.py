"""The resolved sections: plain typed objects with the place of everything in them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from netc.ir.net import Net, Written
from netc.ir.shape import Shape
from netc.program import Program, Sections
from netc.sections.base import Setting
from netc.sections.data_sets import DataSet
from netc.sections.losses import Loss
from netc.sections.metrics import Accuracy, Metric
from netc.sections.optimizers import Optimizer
from netc.sections.preprocessing import Step
from netc.sections.schedules import Plateau, Schedule
from netc.sections.settings import Batch, Classes, Epochs, Freeze, Seed, Skip, Steps, Validation
from netc.syntax.source import Span

T_co = TypeVar("T_co", bound=Setting, covariant=True)
U = TypeVar("U", bound=Setting)

ARRAYS = (".npz", ".h5", ".hdf5")
BATCH, EPOCHS, SEED = 64, 10, 0  # TFLearn's; the seed is netc's own


@dataclass(frozen=True, slots=True)
class Line(Generic[T_co]):
    """One line of a section: the setting, where it stands, where its parameters stand and how they were written.

    As with a layer, emitted code replaces parameters in `written` by symbols and lowers the copy.
    """

    value: T_co
    span: Span
    spans: Mapping[str, Span] = field(default_factory=dict)
    written: Mapping[str, Written] = field(default_factory=dict)

    def at(self, name: str) -> Span:
        """Where a parameter stands, else the whole line."""
        return self.spans.get(name, self.span)


@dataclass(frozen=True, slots=True)
class Section:
    """The lines of a section in order. `complete` is false when some were wrong and are missing."""

    span: Span
    lines: Sequence[Line[Setting]]
    complete: bool

    def all(self, kind: type[U]) -> Iterator[Line[U]]:
        """The lines of a kind, in order."""
        return (line for line in self.lines if isinstance(line.value, kind))  # type: ignore[misc]

    def one(self, kind: type[U]) -> Line[U] | None:
        """The line of a kind that stands once at most."""
        return next(self.all(kind), None)

    def value(self, kind: type[U]) -> U | None:
        """What the line of a kind says."""
        line = self.one(kind)
        return None if line is None else line.value


@dataclass(frozen=True, slots=True)
class Data(Section):
    """`data`: a named data set, a path (a folder, a list file, .npz, .h5 ...) or neither, and its lines."""

    source: DataSet | str | None
    source_span: Span

    @property
    def data_set(self) -> DataSet | None:
        """The named data set."""
        return self.source if isinstance(self.source, DataSet) else None

    @property
    def arrays(self) -> bool:
        """Whether the data may hold arrays for several inputs and outputs, and targets of any shape."""
        return isinstance(self.source, str) and self.source.lower().endswith(ARRAYS)

    @property
    def steps(self) -> list[Step]:
        """The pipeline, in order."""
        return [line.value for line in self.all(Step)]

    @property
    def classes(self) -> int | None:
        """How many classes there are, where it is known."""
        if self.data_set is not None:
            return self.data_set.classes
        written = self.value(Classes)
        return written.count if written else None

    @property
    def images(self) -> int | None:
        """Training images left beside the validation images, where it is known."""
        if self.data_set is None:
            return None
        whole, validation = self.data_set.training, self.value(Validation)
        return whole - (validation.kept(whole) if validation else 0)

    def image(self) -> Shape:
        """Shape of an image in front of the pipeline: rows, columns, channels."""
        return self.data_set.shape if self.data_set else (None, None, None)


@dataclass(frozen=True, slots=True)
class Train(Section):
    """`train`: everything about training but the images."""

    @property
    def one_optimizer(self) -> Line[Optimizer] | None:
        """The optimizer, which is missing only when that was reported."""
        return self.one(Optimizer)

    @property
    def optimizer(self) -> Line[Optimizer]:
        """The optimizer of a spec without errors."""
        line = self.one_optimizer
        assert line is not None
        return line

    @property
    def losses(self) -> list[Line[Loss]]:
        """The losses, in the order written."""
        return list(self.all(Loss))

    @property
    def metrics(self) -> list[Line[Metric]]:
        """The metrics; without any, accuracy for each loss over classes."""
        return list(self.all(Metric)) or [
            Line(Accuracy(of=line.value.of), line.span) for line in self.losses if line.value.labels in Accuracy.labels
        ]

    @property
    def schedules(self) -> list[Line[Schedule]]:
        """The schedules of the learning rate: a warm-up, another, or both."""
        return list(self.all(Schedule))

    @property
    def plateau(self) -> Line[Plateau] | None:
        """The reduction of the rate on a plateau."""
        return self.one(Plateau)

    @property
    def batch(self) -> int:
        """Images a step."""
        line = self.value(Batch)
        return BATCH if line is None else line.images

    @property
    def epochs(self) -> int | None:
        """Epochs to train, or None where `steps` bounds training."""
        line = self.value(Epochs)
        if line is not None:
            return line.count
        return None if self.steps else EPOCHS

    @property
    def steps(self) -> int | None:
        """Steps to train, where they bound it."""
        line = self.value(Steps)
        return None if line is None else line.count

    @property
    def seed(self) -> int:
        """Where all random numbers come from."""
        line = self.value(Seed)
        return SEED if line is None else line.value


def output_of(of: str, net: Net, labels: Mapping[str, str]) -> str | None:
    """The output node that `of=` names (the first without it); None when there is none such."""
    if not of:
        return net.outputs[0] if net.outputs else None
    name = labels.get(of, of)
    return name if name in net.outputs else None


def loss_of(program: Program, output: str) -> Loss | None:
    """The loss of an output, of which it has one at most."""
    train, labels = program.sections.train, program.expansion.labels
    losses = [line.value for line in train.losses] if train else []
    return next((loss for loss in losses if output_of(loss.of, program.net, labels) == output), None)


def layers_of(label: str, net: Net, labels: Mapping[str, str]) -> list[str]:
    """Names of the layers that a label or a path stands for: itself and everything made below it."""
    known = {label, labels.get(label, label)}
    return [node.name for node in net if node.name in known or node.name.startswith(f"{label}_")]


def frozen_layers(train: Train, net: Net, labels: Mapping[str, str]) -> list[str]:
    """Names of the layers with weights that stay as they are, in order."""
    found: set[str] = set()
    for line in train.all(Freeze):
        found.update(name for label in line.value.labels for name in layers_of(label, net, labels))
        if line.value.before:
            names = [node.name for node in net]
            found.update(names[: names.index(layers_of(line.value.before, net, labels)[0])])
    return _with_weights(found, net)


def skipped_layers(train: Train, net: Net, labels: Mapping[str, str]) -> list[str]:
    """Names of the layers with weights that keep their fresh ones when others are restored, in order."""
    skipped = [label for line in train.all(Skip) for label in line.value.labels]
    return _with_weights({name for label in skipped for name in layers_of(label, net, labels)}, net)


def _with_weights(names: set[str], net: Net) -> list[str]:
    weighted = (node for node in net if node.name in names and node.layer.weights(net.operand_shapes(node.name)))
    return list(dict.fromkeys(node.layer_name for node in weighted))


__all__ = ["Data", "Line", "Section", "Sections", "Train", "frozen_layers", "layers_of", "output_of", "skipped_layers"]
