"""Layers that stand in a doubtful order, or that do nothing: NET502, NET507, NET514, NET521, NET522."""

from __future__ import annotations

from collections.abc import Iterator

from netc.checks.findings import Findings, words
from netc.diagnostics.model import Edit, Fix, Label
from netc.ir.net import Net, Node
from netc.layers.regularise import Dropout, SpatialDropout
from netc.lower.expansion import parts
from netc.program import Program
from netc.syntax.source import Span
from netc.syntax.tree import Expr, Group, Literal, Operation, Unary

SOFTMAX = "softmax"

# -- NET502 --------------------------------------------------------------------------------------------------


def double_activations(program: Program) -> None:
    """Report activations applied to the result of another one."""
    net = program.net
    with Findings(program.report) as findings:
        for node in net:
            if node.layer.family != "activation" or node.layer.activation is None:
                continue
            source = net.node(net.operands(node.name)[0])
            first = source.layer.activation
            if first is None or node.layer.activation == first == SOFTMAX or not findings.fresh("NET502", node):
                continue
            written, help = source.origin.span, "remove one of them"
            act = source.origin.written.get("act")
            if isinstance(act, Expr) and not written.holds(act.span):
                if node.origin.word is None:
                    option = act.span.source.text[: act.span.start].rstrip().endswith("=")  # else it is a word there
                    plain = " ".join([*written.text.split(), "act=linear" if option else "linear"])
                    help = f"`{plain}` is without the `{first}` of the `default`"
                written = act.span
            findings.add(
                "NET502",
                node,
                f"`{words(node)}` is applied to the result of `{first}`: two activations in a row",
                secondary=[Label(written, f"`{first}` here")],
                help=[help],
            )


# -- NET521, NET522 ----------------------------------------------------------------------------------------


def done_twice(program: Program) -> None:
    """Report batch normalisations of normalised values, and softmaxes of probabilities."""
    net = program.net
    with Findings(program.report) as findings:
        for node in net:
            if node.layer.removes_bias:
                before, code = net.node(net.operands(node.name)[0]), "NET521"
                twice, does = before.layer.removes_bias, "normalises what is normalised already"
                help = "remove one of them: the second learns nothing that the first has not"
            elif node.layer.ending == SOFTMAX and node.layer.family == "activation":
                before, code = _through(net, net.operands(node.name)[0]), "NET522"
                twice, does = before.layer.ending == SOFTMAX, "is applied to probabilities, which it makes nearly equal"
                help = "remove one of them"
            else:
                continue
            if twice and findings.fresh(code, node):
                label = Label(before.origin.span, "the first one")
                findings.add(code, node, f"`{words(node)}` {does}", secondary=[label], help=[help])


def _through(net: Net, name: str) -> Node:
    """The node that makes the values which layers hand on as they are, in another shape or with some dropped."""
    node = net.node(name)
    while (node.layer.train_only or node.layer.family == "shape") and len(net.operands(node.name)) == 1:
        node = net.node(net.operands(node.name)[0])
    return node


# -- NET507 --------------------------------------------------------------------------------------------------


def last_dropouts(program: Program) -> None:
    """Report dropouts with weighted layers before them and none after."""
    net = program.net
    dropouts = [node for node in net if isinstance(node.layer, Dropout | SpatialDropout) and node.layer.rate > 0]
    if program.report.failed or not dropouts:
        return
    order = list(net)
    learns = {node.name for node in order if node.layer.weights(net.operand_shapes(node.name))}
    after: set[str] = set()  # nodes that a layer with weights depends on
    for node in reversed(order):
        if any(reader in learns or reader in after for reader in net.consumers(node.name)):
            after.add(node.name)
    before: set[str] = set()  # nodes that depend on a layer with weights
    for node in order:
        if any(operand in learns or operand in before for operand in net.operands(node.name)):
            before.add(node.name)
    with Findings(program.report) as findings:
        for node in dropouts:
            if node.name in before and node.name not in after and findings.fresh("NET507", node):
                findings.add(
                    "NET507",
                    node,
                    f"`{words(node)}` stands after the last layer that learns: it only spoils outputs in training",
                    help=["put it before the last layer with weights, or remove it"],
                )


# -- NET514 --------------------------------------------------------------------------------------------------


def without_effect(program: Program) -> None:
    """Report layers that hand their input on, unless a computed argument or another copy makes a difference."""
    net = program.net
    idle: dict[Span, Node] = {}
    busy: set[Span] = set()
    with Findings(program.report) as findings:
        for node in net:
            span = node.origin.span
            if not node.layer.does_nothing(net.operand_shapes(node.name)) or not _literal(node):
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
        if part is not None
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
            waiting.extend(parts(step))
            statement = step.statement
            if not isinstance(statement, Operation) or statement.name != "identity" or statement.label is not None:
                continue
            if statement.arguments or statement.branches or statement.block is not None:  # an error already
                continue
            if len(body.steps) > 1 and statement.span not in seen:
                seen.add(statement.span)
                yield statement
