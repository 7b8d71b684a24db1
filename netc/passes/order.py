"""Layers that stand in a doubtful order, or that do nothing: NET502, NET507, NET514."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from netc.diagnostics.model import Edit, Fix, Label
from netc.ir.net import Node
from netc.ir.shape import Shape
from netc.layers import LAYERS, Layer
from netc.layers.pool import AveragePool, MaxPool
from netc.layers.regularise import Dropout, DropPath, Noise, SpatialDropout
from netc.layers.shape import Crop, Flatten, Pad, PadChannels, Part, Reshape, Shuffle, Subsample, Upsample
from netc.passes.findings import Findings, words
from netc.passes.usage import bodies
from netc.program import Program
from netc.syntax.source import Span
from netc.syntax.tree import Expr, Group, Literal, Operation, Unary

# `abs` behind tanh is a rectification of its own (Jarrett et al. 2009), `glu` a gate
_NO_ACTIVATION = ("linear", "abs", "glu")


# -- NET502 --------------------------------------------------------------------------------------------------


def double_activations(program: Program) -> None:
    """Report activations applied to the result of another one."""
    net = program.net
    with Findings(program.report) as findings:
        for node in net:
            if node.layer.family != "activation" or node.layer.op in _NO_ACTIVATION:
                continue
            source = net.node(net.operands(node.name)[0])
            first = activation_of(source)
            if first is None or not findings.fresh("NET502", node):
                continue
            findings.add(
                "NET502",
                node,
                f"`{words(node)}` is applied to the result of `{first}`: two activations in a row",
                secondary=[Label(source.origin.span, f"`{first}` here")],
                help=["remove one of them"],
            )


def activation_of(node: Node) -> str | None:
    """The activation that a node ends in."""
    name = node.layer.op if node.layer.family == "activation" else getattr(node.layer, "act", "linear")
    return None if name in _NO_ACTIVATION else name


# -- NET507 --------------------------------------------------------------------------------------------------


def last_dropouts(program: Program) -> None:
    """Report dropouts with weighted layers before them and none behind."""
    net = program.net
    dropouts = [node for node in net if isinstance(node.layer, Dropout | SpatialDropout) and node.layer.rate > 0]
    if program.report.failed or not dropouts:
        return
    order = list(net)
    learns = {node.name for node in order if node.layer.weights(net.operand_shapes(node.name))}
    behind: set[str] = set()  # nodes that a layer with weights depends on
    for node in reversed(order):
        if any(reader in learns or reader in behind for reader in net.consumers(node.name)):
            behind.add(node.name)
    before: set[str] = set()  # nodes that depend on a layer with weights
    for node in order:
        if any(operand in learns or operand in before for operand in net.operands(node.name)):
            before.add(node.name)
    with Findings(program.report) as findings:
        for node in dropouts:
            if node.name in before and node.name not in behind and findings.fresh("NET507", node):
                findings.add(
                    "NET507",
                    node,
                    f"`{words(node)}` stands behind the last layer that learns: it only spoils outputs in training",
                    help=["put it before the last layer with weights, or remove it"],
                )


# -- NET514 --------------------------------------------------------------------------------------------------


def _all(value: Any, wanted: int) -> bool:
    """Whether a size, one number or one for each dimension, is `wanted` throughout."""
    return all(part == wanted for part in (value if isinstance(value, tuple) else (value,)))


def _dropped_nothing(layer: Any, shape: Shape) -> bool:
    return bool(layer.rate == 0)


def _pools_nothing(layer: Any, shape: Shape) -> bool:
    return _all(layer.kernel, 1) and _all(layer.step, 1)


def _borders_nothing(layer: Any, shape: Shape) -> bool:
    return not any(window.before or window.after for window in layer.windows((shape,)))


# whether a layer hands its input of some shape on as it is
_EFFECTLESS: dict[type[Layer], Callable[[Any, Shape], bool]] = {
    Dropout: _dropped_nothing,
    SpatialDropout: _dropped_nothing,
    DropPath: _dropped_nothing,
    Noise: lambda layer, shape: bool(layer.std == 0),
    MaxPool: _pools_nothing,
    AveragePool: _pools_nothing,
    Pad: _borders_nothing,
    Crop: _borders_nothing,
    Subsample: lambda layer, shape: _all(layer.factor, 1),
    Upsample: lambda layer, shape: _all(layer.factor, 1),
    Flatten: lambda layer, shape: len(shape) == 1,
    Reshape: lambda layer, shape: bool(layer.shape == shape),
    PadChannels: lambda layer, shape: bool(layer.total == shape[-1]),
    Shuffle: lambda layer, shape: layer.groups in (1, shape[-1]),
    Part: lambda layer, shape: bool(layer.of == 1),
    LAYERS["linear"]: lambda layer, shape: True,
}


def without_effect(program: Program) -> None:
    """Report layers that hand their input on, unless a computed argument or another copy makes a difference."""
    net = program.net
    idle: dict[Span, Node] = {}
    busy: set[Span] = set()
    with Findings(program.report) as findings:
        for node in net:
            rule = _EFFECTLESS.get(type(node.layer))
            if rule is None:
                continue
            span = node.origin.span
            if not rule(node.layer, net.shapes[net.operands(node.name)[0]]) or not _literal(node):
                busy.add(span)
            elif findings.fresh("NET514", node):
                idle[span] = node
        for span, node in idle.items():
            if span not in busy:
                findings.add(
                    "NET514", node, f"`{words(node)}` changes nothing", help=["remove it, or mend its argument"]
                )
    for statement in _idle_identities(program):
        program.report.add(
            "NET514",
            "`identity` changes nothing: the statements around it are fed by the current tensor anyway",
            statement.name_span,
            fix=Fix("remove it", (Edit(statement.span, ""),), safe=True),
        )


def _literal(node: Node) -> bool:
    """Whether all arguments of a node are plain numbers and words."""
    return all(
        isinstance(_inner(part), Literal)
        for written in node.origin.written.values()
        for part in (written if isinstance(written, tuple) else (written,))
    )


def _inner(expr: Expr) -> Expr:
    while isinstance(expr, Group | Unary):
        expr = expr.inner if isinstance(expr, Group) else expr.operand
    return expr


def _idle_identities(program: Program) -> Iterator[Operation]:
    """Each `identity` without a label that is not alone in its body, once."""
    waiting, seen = [program.expansion], set()
    while waiting:
        body = waiting.pop()
        for step in body.steps:
            waiting.extend(bodies(step))
            statement = step.statement
            if not isinstance(statement, Operation) or statement.name != "identity" or statement.label is not None:
                continue
            if statement.arguments or statement.branches or statement.block is not None:  # an error already
                continue
            if len(body.steps) > 1 and statement.span not in seen:
                seen.add(statement.span)
                yield statement
