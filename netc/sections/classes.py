"""Losses against how many classes there are."""

from __future__ import annotations

from collections.abc import Mapping

from netc.diagnostics.model import Label
from netc.ir.shape import show_shape
from netc.program import Program
from netc.sections.losses import Loss
from netc.sections.lowering import units
from netc.sections.model import Data, Line, Train
from netc.sections.settings import Classes, ClassWeights


def counts(train: Train, data: Data | None, losses: Mapping[str, Line[Loss]], program: Program) -> None:
    """Report outputs, by the lines of their losses, and weights that are too many or too few for the classes."""
    for output, line in losses.items():
        if output in program.net.shapes:
            _output(output, line, data, program)
    _weights(train, data, program)


def _output(output: str, line: Line[Loss], data: Data | None, program: Program) -> None:
    net, loss = program.net, line.value
    if loss.labels in ("group", "none"):
        return
    node, count = net.node(output), units(net, output)
    several = loss.labels in ("one_hot", "integer")
    if several and count == 1 and (data is None or data.classes is None):
        program.report.add(
            "NET405",
            f"`{loss.name}` is over several outputs, one for each class, and this is one",
            line.span,
            secondary=(Label(node.origin.span, "1 here"),),
            help=("end in `fc 2`, or tell two classes by one output: `sigmoid`, with `loss binary_crossentropy`",),
        )
        return
    if data is None or (data.source is None and data.classes is None):
        return
    if len(net.shapes[output]) > 1:
        if data.data_set is not None:
            program.report.add(
                "NET405",
                f"images have one label each, and the output is {show_shape(net.shapes[output])}",
                node.origin.span,
                secondary=(Label(line.span, "for this loss"),),
                help=("`gap` or `fc` in front of the end makes one prediction an image",),
                frame=node.origin.frame,
            )
        return
    classes = data.classes
    alone = loss.labels == "real" or (loss.labels == "binary" and classes == 2)  # one output may say which class
    if classes is None or count == classes or (count == 1 and alone):
        return
    written = data.one(Classes)
    program.report.add(
        "NET405",
        f"{classes} classes need {classes} outputs, this has {count}",
        node.origin.span,
        label=f"{count} here",
        secondary=(Label(written.span if written else data.source_span, f"{classes} classes"),),
        help=(f"end in `fc {classes}`",),
        frame=node.origin.frame,
    )


def _weights(train: Train, data: Data | None, program: Program) -> None:
    line, net = train.one(ClassWeights), program.net
    if line is None or not line.value.weights:
        return
    given, wanted = len(line.value.weights), data.classes if data else None
    if wanted is None and net.outputs and net.outputs[0] in net.shapes:
        wanted = units(net, net.outputs[0])
    if wanted and given != wanted:
        program.report.add(
            "NET405",
            f"{wanted} classes need {wanted} weights, got {given}",
            line.span,
            help=("write one number a class, or `class_weights balanced`",),
        )
