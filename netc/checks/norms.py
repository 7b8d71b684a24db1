"""Normalisation, and what only some machines run: NET303, NET304, NET501."""

from __future__ import annotations

from netc.checks.findings import Findings, words
from netc.diagnostics.model import Edit, Fix, Label
from netc.ir.net import Net, Node
from netc.ir.shape import Shape, channels_of, elements, show_shape
from netc.layers.base import Layer
from netc.layers.conv import TransposedConv
from netc.layers.norm import BatchNorm, GroupNorm, LayerNorm
from netc.layers.sliding import spread
from netc.program import Program
from netc.syntax.source import Span


def check_norms(program: Program) -> None:
    """Report biases that a normalisation takes away, and normalisations whose output is constant."""
    net, train = program.net, program.sections.train
    batch = None if train is None else train.batch
    with Findings(program.report) as findings:
        for node in net:
            if node.layer.family != "norm":
                continue
            source = net.operands(node.name)[0]
            if node.layer.removes_bias:
                _bias_before(net, net.node(source), node, findings)
            if _values(node.layer, net.shapes[source], batch) == 1:
                _constant(node, net.shapes[source], findings)


def check_targets(program: Program) -> None:
    """Report layers that TensorFlow runs on some CPUs only."""
    with Findings(program.report) as findings:
        for node in program.net:
            dilated = isinstance(node.layer, TransposedConv) and max(spread(node.layer.dilation, 1)) > 1
            if dilated and findings.fresh("NET303", node):
                findings.add(
                    "NET303",
                    node,
                    f"`{words(node)}`: TensorFlow refuses a dilated transposed convolution on CPUs without oneDNN",
                    notes=["it says `Current CPU implementations do not yet support dilation rates larger than 1`"],
                    help=["`upsample` and then a dilated `conv` run everywhere, with other results"],
                )


def _bias_before(net: Net, source: Node, norm: Node, findings: Findings) -> None:
    """A bias that nobody asked for, between a layer and the batch normalisation that alone reads it."""
    layer = source.layer
    biased = getattr(layer, "bias", False) is True and "bias" not in source.origin.written
    if not biased or layer.activation is not None:
        return
    alone = len(net.consumers(source.name)) == 1 and source.name not in net.outputs
    if not alone or not findings.fresh("NET501", source):
        return
    span = source.origin.span
    end = Span(span.source, span.end, span.end)
    findings.add(
        "NET501",
        source,
        f"the bias of `{words(source)}` has no effect: the batch normalisation after it takes it away",
        secondary=[Label(norm.origin.span, "subtracts the mean, bias included")],
        help=[
            f"`bn` as a word of it (`{words(source)} bn`) leaves the bias out, and so does `bias=false`",
            "`bias=true` says that it is meant",
        ],
        fix=Fix("leave the bias out", (Edit(end, " bias=false"),)),
    )


def _values(layer: Layer, shape: Shape, batch: int | None) -> int | None:
    """How many values each mean is taken over; None where that is not known."""
    if isinstance(layer, LayerNorm):
        return channels_of(shape)
    positions = elements(shape[:-1])
    if isinstance(layer, GroupNorm):
        return None if positions is None else positions * (channels_of(shape) // layer.groups)
    if isinstance(layer, BatchNorm) and batch is not None:
        return None if positions is None else positions * batch
    return None


def _constant(node: Node, shape: Shape, findings: Findings) -> None:
    if not findings.fresh("NET304", node):
        return
    batch = isinstance(node.layer, BatchNorm)
    findings.add(
        "NET304",
        node,
        f"`{words(node)}` normalises over a single value, so that its output does not depend on its input",
        label=f"{show_shape(shape)} here" + (", and batches of 1" if batch else ""),
        notes=["a value minus its own mean is 0: what remains is `beta`, and no gradient passes"],
        help=["use batches of more than one image" if batch else "normalise over more values, or remove it"],
    )
