"""The sections against the network."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any

from netc.diagnostics.codes import Severity
from netc.diagnostics.model import Diagnostic, Edit, Fix, Label
from netc.ir.net import Net
from netc.ir.shape import Shape, show_shape
from netc.params import Refused
from netc.program import Program
from netc.sections.classes import counts
from netc.sections.conflicts import Conflict, watching
from netc.sections.losses import Loss, MeanSquaredError
from netc.sections.lowering import quantities, units
from netc.sections.metrics import METRICS, IoU, Metric, TopK
from netc.sections.model import Data, Line, Train, layers_of, output_of
from netc.sections.preprocessing import Step
from netc.sections.settings import Batch, Classes, Freeze, Skip
from netc.suggest import did_you_mean
from netc.syntax.source import Span

NEAREST = 1000  # names of layers among which the nearest spelling is looked for


def check(program: Program) -> None:
    """Report where `data` and `train` contradict the network, or each other on an output that failed to build."""
    data, train = program.sections.data, program.sections.train
    if data is not None:
        _images(data, program)
    if train is not None:
        _rate(train, program)
        _batch(train, data, program)
        outputs = _Outputs(train, data, program)
        if outputs.broken or program.net.outputs:
            outputs.check()


# -- what hardly anybody means ----------------------------------------------------------------------------


def _rate(train: Train, program: Program) -> None:
    line = train.one_optimizer
    if line is None:
        return
    (low, high), rate, name = line.value.usual, line.value.lr, line.value.name
    if not low <= rate <= high:
        program.report.add(
            "NET520",
            f"a learning rate of {rate:g} is far {'above' if rate > high else 'below'} what `{name}` is used with, "
            f"{low:g} to {high:g}",
            line.at("lr"),
            help=(f"most train with `{line.value.example.removeprefix('optimizer ')}` or near it",),
        )


def _batch(train: Train, data: Data | None, program: Program) -> None:
    line = train.one(Batch)
    if line is None or data is None or data.images is None or not 0 < data.images < line.value.images:
        return
    program.report.add(
        "NET524",
        f"a batch of {line.value.images} is larger than the {data.images} images there are to train on",
        line.span,
        secondary=(Label(data.source_span, f"{data.images} images"),),
        help=("an epoch is one step with fewer images: write a smaller batch",),
    )


# -- images against the input --------------------------------------------------------------------------------


def _images(data: Data, program: Program) -> None:
    """Follow an image through the pipeline to the network's input."""
    report, data_set, written = program.report, data.data_set, data.one(Classes)
    if data_set and written and written.value.count != data_set.classes:
        report.add(
            "NET405",
            f"`{data_set.name}` has {data_set.classes} classes, not {written.value.count}",
            written.at("count"),
            help=("remove the line: named data sets know their classes",),
        )
    image, last = data.image(), data.source_span
    for line in data.all(Step):
        try:
            shape = line.value.shape(image)
        except Refused as error:
            report.add(error.code, error.message, line.at(error.param), help=error.help)
            return
        image, last = shape, last if shape == image else line.span
    _input(image, last, data, program)


def _input(image: Shape, place: Span, data: Data, program: Program) -> None:
    net = program.net
    if len(net.inputs) > 1 and data.source is not None and not data.arrays:
        program.report.add(
            "NET406",
            f"images alone feed one input, and the network has {len(net.inputs)}",
            data.source_span,
            help=("an .npz or .h5 file holds arrays for several, under the labels of inputs and outputs",),
        )
    if len(net.inputs) != 1 or net.inputs[0] not in net.shapes:
        return
    wanted = net.shapes[net.inputs[0]]
    if len(wanted) != len(image) and (data.arrays or data.source is None):
        _array(wanted, data, program)  # whose shape is known when it is read
        return
    unequal = len(wanted) != len(image) or any(
        None not in (there, here) and there != here for there, here in zip(image, wanted, strict=True)
    )
    if unequal:
        program.report.add(
            "NET406",
            f"images come as {show_shape(image)}, and the network takes {show_shape(wanted)}",
            place,
            secondary=(Label(net.node(net.inputs[0]).origin.span, f"{show_shape(wanted)} here"),),
            help=tuple(_mend(image, wanted)),
        )


def _array(wanted: Shape, data: Data, program: Program) -> None:
    net = program.net
    step = next(data.all(Step), None)
    if step is not None:
        program.report.add(
            "NET406",
            f"`{step.value.name}` is a step for images, and the network takes {show_shape(wanted)}",
            step.span,
            secondary=(Label(net.node(net.inputs[0]).origin.span, f"{show_shape(wanted)} here"),),
            help=("arrays of an .npz or .h5 that are no images come as they are: without steps",),
        )


def _mend(image: Shape, wanted: Shape) -> Iterator[str]:
    if len(wanted) != 3:
        yield f"images have rows, columns and channels: `input {show_shape(image)}`"
        yield "arrays of an .npz or .h5 may have any shape"
        return
    if image[-1] is not None and image[-1] != wanted[-1]:
        yield f"`channels {wanted[-1]}` in `data` converts them, or the network starts with `input {show_shape(image)}`"
    if None not in wanted and image[:2] != wanted[:2]:
        yield f"`resize {show_shape(wanted[:2])}` in `data` scales them, or `input` says {show_shape(image)}"


# -- losses, metrics and the like against the outputs --------------------------------------------------------


class _Outputs:
    """Checks `train` against the outputs of a network."""

    def __init__(self, train: Train, data: Data | None, program: Program) -> None:
        self.train = train
        self.data = data
        self.program = program
        self.net = program.net
        self.report = program.report
        self.labels = program.expansion.labels
        self.broken = any(_outside(found, program) for found in program.report)
        self.by_output: dict[str, Line[Loss]] = {}
        self.astray = False  # a loss was for an output that does not exist
        self.endings = endings(self.net)

    def check(self) -> None:
        """Everything, losses first: what they want of labels decides the rest."""
        for line in self.train.losses:
            self._loss(line)
        self._without_loss()
        for output, line in self.by_output.items():
            if output in self.net.shapes:
                self._activation(output, line)
        counts(self.train, self.data, self.by_output, self.program)
        self._metrics()
        self._monitors()
        for frozen in self.train.all(Freeze):
            self._layers(frozen, [*frozen.value.labels, *filter(None, [frozen.value.before])])
        for skipped in self.train.all(Skip):
            self._layers(skipped, skipped.value.labels)

    def _output(self, line: Line[Any]) -> str | None:
        """The output that a line speaks of, or how it calls it where that failed to build; reports one that is not."""
        output = output_of(line.value.of, self.net, self.labels)
        if output is None and self.broken:
            return str(line.value.of)
        if output is None:
            names = self._names()
            self.report.add(
                "NET408",
                f"there is no output `{line.value.of}`",
                line.at("of"),
                help=did_you_mean(
                    line.value.of,
                    names,
                    (f"outputs are {', '.join(f'`{name}`' for name in names)}; `output` names them",),
                ),
            )
        return output

    def _names(self) -> list[str]:
        """The outputs as a user calls them."""
        label = {node: label for label, node in self.labels.items()}
        return [label.get(output, output) for output in self.net.outputs]

    def _loss(self, line: Line[Loss]) -> None:
        output = self._output(line)
        if output is None:
            self.astray = True
            return
        first = self.by_output.setdefault(output, line)
        if first is not line:
            names = dict(zip(self.net.outputs, self._names(), strict=True))
            Conflict(
                line,
                f"the output `{names[output]}` has a loss already" if output in names else "there is a loss already",
                "say with `of=` which output this one is for",
                [first],
                code="NET403",
            ).add_to(self.report)

    def _without_loss(self) -> None:
        if self.broken or not self.train.complete or self.astray:
            return
        for output, name in zip(self.net.outputs, self._names(), strict=True):
            if output not in self.by_output:
                self.report.add(
                    "NET408",
                    f"the output `{name}` has no loss",
                    self.train.losses[-1].span,
                    secondary=(Label(self.net.node(output).origin.span, "this output"),),
                    help=(f"add a line such as `loss {self.train.losses[0].value.name} of={name} weight=0.3`",),
                )

    # -- activation ------------------------------------------------------------------------------------------

    def _activation(self, output: str, line: Line[Loss]) -> None:
        loss = line.value
        found = self.endings[output]
        if isinstance(loss, MeanSquaredError) and found == "softmax":
            self._squares(output, line)
        if found is None or not loss.activations:
            return
        if loss.logits and found in loss.activations:
            self._twice(found, output, line)
        elif loss.logits and found != "linear":
            self._contradiction(output, line, found, "linear outputs", f"remove `{found}`")
        elif not loss.logits and found not in loss.activations:
            wanted = " or ".join(f"`{name}`" for name in loss.activations)
            self._contradiction(output, line, found, wanted, _advice(loss, found))

    def _squares(self, output: str, line: Line[Loss]) -> None:
        self.report.add(
            "NET523",
            f"`{line.value.name}` of a softmax learns little where the network is sure of the wrong class",
            line.span,
            secondary=(Label(self.net.node(output).origin.span, "softmax here"),),
            help=("for classes use `loss categorical_crossentropy`; for values remove the softmax",),
        )

    def _twice(self, found: str, output: str, line: Line[Loss]) -> None:
        place = line.spans.get("from_logits")
        fix = Fix("remove `from_logits`", (Edit(place, ""),)) if place else None
        self.report.add(
            "NET506",
            f"`{line.value.name}` applies {found} itself, and the network ends in it",
            line.at("from_logits"),
            secondary=(Label(self.net.node(output).origin.span, f"{found} here"),),
            help=(f"remove `from_logits`, or the `{found}`" if place else f"remove the `{found}`",),
            fix=fix,
        )

    def _contradiction(self, output: str, line: Line[Loss], found: str, wanted: str, help: str) -> None:
        self.report.add(
            "NET404",
            f"`{line.value.name}` expects {wanted}, and the network ends in {_ending(found)}",
            line.span,
            secondary=(Label(self.net.node(output).origin.span, f"{_ending(found)} here"),),
            help=(help,),
        )

    # -- metrics and what watches them -----------------------------------------------------------------------

    def _metrics(self) -> None:
        seen: dict[tuple[str, str], Line[Metric]] = {}
        for line in self.train.all(Metric):
            output = self._output(line)
            if output is None or output not in self.by_output:
                continue
            first = seen.setdefault((output, line.value.key), line)
            if first is not line:
                message = f"`{line.value.key}` of this output stands here a second time"
                Conflict(line, message, "keep one of them", [first], code="NET403").add_to(self.report)
            self._metric(line, output, self.by_output[output])

    def _metric(self, line: Line[Metric], output: str, loss: Line[Loss]) -> None:
        metric = line.value
        if loss.value.labels not in metric.labels:
            fitting = _fitting(loss.value)
            message = f"`{metric.name}` does not go with the labels of `{loss.value.name}`"
            help = f"use {fitting}" if fitting else "this output has none that a metric compares it with: remove it"
            Conflict(line, message, help, [loss]).add_to(self.report)
        elif metric.probabilities and loss.value.logits:
            message = f"`{metric.name}` needs probabilities, and `{loss.value.name}` works on linear outputs"
            Conflict(line, message, "end the network in an activation, and drop `from_logits`", [loss]).add_to(
                self.report
            )
        elif isinstance(metric, IoU) and output in self.net.shapes:
            count = metric.classes(loss.value, units(self.net, output))
            if metric.of_class >= count:
                message = f"there is no class {metric.of_class} among {count}"
                Conflict(line, message, f"classes go from 0 to {count - 1}", param="of_class").add_to(self.report)
        elif isinstance(metric, TopK) and output in self.net.shapes and metric.k >= units(self.net, output):
            count = units(self.net, output)
            message = f"the top {metric.k} of {count} outputs always hold the right one"
            Conflict(line, message, f"`topk` is below {count}", param="k").add_to(self.report)

    def _monitors(self) -> None:
        if self.broken or not self.train.complete:
            return
        known = quantities(self.train, self.net, self.labels)
        listed = ", ".join(f"`{name}`" for name in known)
        for line in watching(self.train):
            if line.value.monitor not in known:
                self.report.add(
                    "NET407",
                    f"nothing is measured under the name `{line.value.monitor}`",
                    line.at("monitor"),
                    help=did_you_mean(line.value.monitor, known, (f"measured are {listed}; `metrics` adds others",)),
                )

    def _layers(self, line: Line[Any], labels: list[str] | tuple[str, ...]) -> None:
        for label in labels:
            if not self.broken and not layers_of(label, self.net, self.labels):
                self.report.add(
                    "NET114",
                    f"no layer has the label or name `{label}`",
                    line.at("labels" if label in getattr(line.value, "labels", ()) else "before"),
                    help=did_you_mean(label, [*self.labels, *islice((node.name for node in self.net), NEAREST)]),
                )


def _outside(found: Diagnostic, program: Program) -> bool:
    """Whether a finding is an error of the network, so that what is missing may only have failed to build."""
    if found.severity is not Severity.ERROR:
        return False
    sections = [section.span for section in (program.sections.data, program.sections.train) if section]
    span = found.span
    return span is None or not any(
        span.source is there.source and there.start <= span.start < there.end for there in sections
    )


def endings(net: Net) -> dict[str, str | None]:
    """The activation that each node ends in, "linear" for none; None where that cannot be said (a sum of probabilities,
    branches that end in different ones)."""
    found: dict[str, str | None] = {}
    for node in net:
        layer, before = node.layer, {found[operand] for operand in node.layer.valued(net.operands(node.name))}
        if layer.sums and "linear" in before:
            found[node.name] = "linear"
        elif layer.transparent:
            found[node.name] = before.pop() if len(before) == 1 else None
        else:
            found[node.name] = layer.ending
    return found


def _ending(found: str) -> str:
    return "linear outputs" if found == "linear" else f"`{found}`"


_OTHERWISE = {
    "sigmoid": "; for classes that do not exclude each other, use `binary_crossentropy`",
    "softmax": "; for classes that exclude each other, use `categorical_crossentropy`",
}


def _advice(loss: Loss, found: str) -> str:
    wanted = loss.activations[0]
    if found == "linear" and hasattr(loss, "from_logits"):
        return f"end in `{wanted}`, or write `loss {loss.name} from_logits`"
    end = f"end in `{wanted}`" if wanted != "linear" else "remove the activation"
    return end + _OTHERWISE.get(found, "")


def _fitting(loss: Loss) -> str:
    fitting = dict.fromkeys(metric.name for metric in METRICS.values() if loss.labels in metric.labels)
    return ", ".join(f"`{name}`" for name in fitting)
