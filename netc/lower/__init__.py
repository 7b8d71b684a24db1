"""Syntax tree to network: names, parameters, definitions, repeats, argument binding."""

from __future__ import annotations

from collections.abc import Mapping, Set

from netc.diagnostics.model import Diagnostic, Diagnostics
from netc.ir.net import Net
from netc.limits import Limits
from netc.lower.definitions import Namespace, Texts, definitions_of
from netc.lower.evaluate import Scope
from netc.lower.expansion import Body
from netc.lower.names import Names
from netc.lower.state import Context, Labels, Mark, State, Stop
from netc.lower.statements import STATEMENTS
from netc.lower.walk import mentions, names
from netc.program import Program, Sections
from netc.suggest import did_you_mean
from netc.syntax.source import Span
from netc.syntax.tree import Definition, File, Parameter
from netc.values import Value

# What may come of a statement that could not be read: of one with this word in it, and of one with the unknown name.
_OF_LOST = {"NET106": "default", "NET112": "param", "NET118": "input"}
_OF_LOST_NAMES = frozenset({"NET101", "NET104", "NET110", "NET114"})


def lower(
    file: File,
    overrides: Mapping[str, Value],
    limits: Limits,
    report: Diagnostics,
    *,
    speculate: bool = False,
    texts: Texts | None = None,
) -> Program:
    """Expand a file into a `Program`, reporting everything wrong with it.

    `overrides` replace the values of the file's `param`s. With `speculate`, arms and passes that do not run are
    expanded too, on `Program.ghosts`, as emitted code needs them. `texts` are those of an editor.
    """
    state = State(file, overrides, limits, report, STATEMENTS, speculate=speculate, texts=texts)
    namespace = Namespace(below=definitions_of(file))
    scope = Scope(state.parameters, report, limits)
    ctx = Context(state.net, scope, Names(""), Labels(), {}, namespace, 0, top=True, outermost=True)
    body = _run(state, file, ctx)
    sections = _sections(state, scope)
    _outputs(state, file, ctx)
    _unused(state, file, ctx)
    if state.lost:
        report.discard(lambda found: _may_be_lost(found, state.lost))
    parameters = {name: value for name, value in state.parameters.items() if value is not None}
    return Program(
        file,
        state.net.name,
        parameters,
        state.net,
        body,
        state.called,
        sections,
        report,
        state.ghosts,
        state.includes.opened,
    )


def _may_be_lost(found: Diagnostic, lost: Set[str]) -> bool:
    """Whether something is unknown perhaps because the statement that defines it could not be read."""
    names_lost = found.code in _OF_LOST_NAMES and found.span is not None and found.span.text in lost
    return names_lost or _OF_LOST.get(found.code) in lost


def _run(state: State, file: File, ctx: Context) -> Body:
    """Run the file statement by statement; definitions are visible to what stands below them."""
    whole = Body([], None, None)
    try:
        for position, statement in enumerate(file.statements):
            ctx.position = position
            whole.steps.extend(state.run((statement,), ctx).steps)
    except Stop:
        pass
    whole.result = ctx.current if isinstance(ctx.current, str) else None
    whole.labels = ctx.labels.nodes()
    return whole


def _sections(state: State, scope: Scope) -> Sections:
    if not state.sections:
        return Sections()
    from netc.sections.resolve import resolve  # noqa: PLC0415 - all the settings of training, which few checks need

    return resolve(state.sections, scope, state.report)


def _outputs(state: State, file: File, ctx: Context) -> None:
    if state.outputs is not None:
        state.net.outputs = state.outputs
    elif isinstance(ctx.current, str):
        state.net.outputs = [ctx.current]
    elif not state.report.failed and not any(isinstance(s, Definition) for s in file.statements):
        state.report.add(
            "NET125",
            "the file makes no network",
            Span(file.source, 0, 0),
            help=("begin with the shape of one sample, such as `input 32x32x3`",),
        )


def _is_left(mark: Mark, net: Net) -> bool:
    """Whether nothing reads what a label names: that is an error of its own (NET119)."""
    return (
        isinstance(mark.node, str)
        and bool(net.outputs)
        and mark.node not in net.outputs
        and not net.consumers(mark.node)
    )


def _unused_formals(definition: Definition, report: Diagnostics) -> None:
    """Parameters that neither the body nor another one's default mentions, and tensors that the body does not."""
    read = set(mentions(definition.body.statements))
    defaults = {name for formal in definition.formals for name in names(formal.default)}
    for formal in definition.formals:
        if formal.name not in read | defaults:
            message = f"`{formal.name}`, a parameter of `{definition.name}`, is never used in it"
            report.add("NET518", message, formal.name_span, help=("remove it here and from the calls",))
    for tensor in definition.tensors:
        if tensor.text not in read:
            message = f"`{tensor.text}`, a tensor that `{definition.name}` is handed, is never used in it"
            report.add("NET518", message, tensor.span, help=("remove it here and from the calls",))


def _unused(state: State, file: File, ctx: Context) -> None:
    """What was given or defined and never used."""
    report = state.report
    there = ", ".join(state.parameters) or "this file has none"
    for name in state.overrides:
        report.add(
            "NET112",
            f"`-D {name}=...` names no parameter of the file",
            Span(file.source, 0, 0),
            help=did_you_mean(name, state.parameters, (f"parameters are `param` lines: {there}",)),
        )
    if report.failed:
        return
    mentioned = state.mentioned.union(mentions(state.sections))
    for name, mark in state.marks:
        if mark.first not in state.read_labels and name not in mentioned and not _is_left(mark, state.net):
            report.add("NET508", f"the label `{name}` is never used", mark.span, help=("remove it",))
    unread = {s.name for s in file.statements if isinstance(s, Parameter)} - ctx.scope.used - mentioned
    if unread:  # an expression need not read all its names
        unread.difference_update(mentions(file.statements))
    for statement in file.statements:
        if isinstance(statement, Definition):
            _unused_formals(statement, report)
        if not isinstance(statement, Definition | Parameter) or statement.name in mentioned:
            continue
        if isinstance(statement, Definition):
            known = ctx.namespace.known.get(statement.name)
            if state.net.outputs and known is not None and not known.called:
                report.add("NET512", f"`{statement.name}` is never called", statement.name_span)
        elif statement.name in unread:
            report.add("NET511", f"the parameter `{statement.name}` is never used", statement.name_span)


__all__ = ["Texts", "lower"]
