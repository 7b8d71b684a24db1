"""Tensors that no output depends on (NET119), and ids that are computed (NET214)."""

from __future__ import annotations

from collections.abc import Iterator

from netc.checks.findings import Findings, words
from netc.diagnostics.model import Label
from netc.ir.shape import show_shape
from netc.lower.expansion import Body, LayerStep, parts
from netc.program import Program
from netc.syntax.tree import Operation, Starred


def left_behind(program: Program) -> None:
    """Report every tensor that nothing reads and that is no output: its layers would be in no model."""
    net = program.net
    if program.report.failed or not net.outputs:
        return
    used = net.used()
    ends = [node for node in net if node.name not in used and not net.consumers(node.name)]
    if not ends:
        return
    leavers = {step.source: step for step in _moves(program.expansion) if step.source != step.result}
    with Findings(program.report) as findings:
        for node in ends:
            if not findings.fresh("NET119", node):
                continue
            leaver = leavers.get(node.name)
            findings.add(
                "NET119",
                node,
                f"nothing uses the result of `{words(node)}`, and it is no output",
                label=f"{show_shape(net.shapes[node.name])} is left behind",
                secondary=[Label(leaver.statement.span, "goes on from elsewhere")] if leaver else (),
                help=["remove it, or give it a label and join it (`concat`, `add`) or name it in `output`"],
            )


def _moves(body: Body) -> Iterator[LayerStep]:
    """The statements that ran and do not go on from the tensor before them: `from`, `input`, `add z*`."""
    waiting = [body]
    while waiting:
        for step in waiting.pop().steps:
            if isinstance(step, LayerStep) and _moves_on(step.statement):
                yield step
            waiting.extend(parts(step))


def _moves_on(statement: Operation) -> bool:
    starred = any(isinstance(argument.value, Starred) for argument in statement.arguments)
    return statement.name in ("from", "input") or starred


def made_ids(program: Program) -> None:
    """Report what reads ids that no input holds."""
    net = program.net
    with Findings(program.report) as findings:
        for node in net:
            if not node.layer.ids:
                continue
            before = net.node(net.operands(node.name)[0])
            if not before.layer.is_input and findings.fresh("NET214", node):
                findings.add(
                    "NET214",
                    node,
                    f"`{words(node)}` reads ids, and `{words(before)}` makes amounts",
                    secondary=[Label(before.origin.span, "made here")],
                    help=["put it after the `input` that holds the ids"],
                )
