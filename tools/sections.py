"""The reference of the sections, from their classes: `python -m tools.sections > docs/sections.md`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from netc.ir.shape import show_shape
from netc.params import declared
from netc.report.reference import setting_page, table
from netc.sections.base import Targeted
from netc.sections.data_sets import DATA_SETS
from netc.sections.losses import LOSSES
from netc.sections.metrics import METRICS
from netc.sections.optimizers import OPTIMIZERS
from netc.sections.preprocessing import DATA, Step
from netc.sections.schedules import SCHEDULES
from netc.sections.settings import TRAIN
from netc.values import show

HEAD = """\
# `data` and `train`

Made from the classes that implement them.

Both sections are optional, and a file without them is still a network. Their lines are written like operations: a word,
then values, words and `key=value`; `if` chooses between lines, and parameters stand wherever values do.

```net
param depth = 20
input 32x32x3
conv 16x3
resblock n=3 ch=16
bn; relu; gap
fc 10 softmax

data cifar10 {
    center per_channel
    flip horizontal
    crop 32x32 pad=4
    validation 5000 stratified
}
train {
    loss categorical_crossentropy
    optimizer momentum lr=0.1 momentum=0.9
    if depth > 100 { schedule warmup steps=400 lr=0.01 constant }
    schedule milestones 32000 48000 factor=0.1
    weight_decay 0.0001
    batch 128
    steps 64000
    metrics accuracy topk=5
    checkpoint every=500 keep=10 best monitor=val_accuracy
}
```

Everything is checked before the first step: spellings, ranges, settings that cannot stand together, and the sections
against the network: the loss against the last activation, classes against outputs, images against the input."""

DATA_HEAD = """\
## `data`

`data NAME`, `data "path"` or, for images given when training starts, `data` alone. A path is a folder with a folder
for each class, a list file (`path class` a line), `.npz`, `.h5` or TFRecords, relative to the spec; [data.md](data.md)
says more. Pixels are numbers from 0 to 1. Labels are encoded as the loss needs them."""

STEPS_HEAD = """\
### Steps

The steps between the data set and the network, in the order written. Random steps act in training only. Statistics are
computed once on the training images, as the steps above leave them without chance, and stored with the run."""

TRAIN_HEAD = """\
## `train`

A `loss` and an `optimizer` are needed. Without other lines a batch has 64 images and training 10 epochs, as in
TFLearn."""

OUTPUTS = """\
A loss, and a metric, belongs to the first output, or to the one that `of=` names; each output needs a loss. `weight`
is its share in the sum of all losses. The loss says how labels are encoded, and what the network must end in."""

DEFAULTS = """\
### Defaults of optimizers that differ

The learning rate is 0.001 unless written, as in TFLearn's `regression`, except where the paper's algorithm has a rate
of its own. Other defaults are those of the paper, else TFLearn's, else Keras'. A dash is no such parameter, or no word
on it."""

SCHEDULES_HEAD = """\
### `schedule`

One schedule, one `warmup`, or both; `plateau` stands alone. Times count steps (batches), or epochs with the word
`epochs`. As in Keras, the step at a milestone still has the rate before it."""

METRICS_HEAD = """\
### `metrics` and `metric`

`metrics accuracy topk=5` names several, `key=value` giving a metric's first option; `metric f1 average=micro of=main`
names one with all its options. Without either, `accuracy` is measured where the loss is over classes. Each can be
watched by its name, with `val_` in front on validation images, with the output's name in front where there are several
outputs: `val_main_accuracy`."""


def document() -> str:
    """The whole reference as one Markdown document."""
    parts = [HEAD, DATA_HEAD, _data_sets()]
    parts += _settings(cls for cls in _classes(DATA) if not issubclass(cls, Step))
    parts += [STEPS_HEAD, *_settings(cls for cls in _classes(DATA) if issubclass(cls, Step))]
    parts += [TRAIN_HEAD, *_settings(_classes(TRAIN))]
    parts += ["### `loss`", OUTPUTS, *_settings(_classes(LOSSES))]
    parts += ["### `optimizer`", *_settings(_classes(OPTIMIZERS)), DEFAULTS, _defaults()]
    parts += [SCHEDULES_HEAD, *_settings(_classes(SCHEDULES)), METRICS_HEAD, *_settings(_classes(METRICS))]
    return "\n\n".join(part.rstrip("\n") for part in parts) + "\n"


def _classes(registry: dict[str, type[Any]]) -> list[type[Any]]:
    return list(dict.fromkeys(registry.values()))


def _settings(classes: Iterable[type[Any]]) -> Iterator[str]:
    return (setting_page(cls, "####") for cls in classes)


def _data_sets() -> str:
    rows = [
        (f"`{one.name}`", show_shape(one.shape), str(one.classes), f"{one.training:,}", f"{one.test:,}", one.doc)
        for one in DATA_SETS.values()
    ]
    return table(("name", "images", "classes", "for training", "for testing", "what it is"), rows)


def _defaults() -> str:
    rows = [
        (f"`{cls.name} {name}`", *map(_shown, (declared(cls)[name].default, *others)))
        for cls in _classes(OPTIMIZERS)
        if issubclass(cls, Targeted)
        for name, others in cls.elsewhere.items()
    ]
    return table(("option", "netc", "Keras", "TFLearn", "paper"), rows)


def _shown(value: object) -> str:
    return "-" if value is None else show(value)


if __name__ == "__main__":
    print(document(), end="")
