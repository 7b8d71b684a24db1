"""Calls of definitions: each runs a copy of the body, and those of a `shared def` have the weights of the first."""

from __future__ import annotations

from dataclasses import replace

from netc.diagnostics.model import Frame
from netc.ir.shape import show_shape
from netc.lower.bind import bind
from netc.lower.definitions import Known
from netc.lower.evaluate import Poison, Scope, evaluate
from netc.lower.expansion import CallStep
from netc.lower.names import Names
from netc.lower.state import BROKEN, Context, FirstCall, Labels, Sharing, State, braceless, head
from netc.syntax.tree import Operation
from netc.values import Value


def run_call(state: State, statement: Operation, known: Known, ctx: Context) -> CallStep | None:
    """Run a call of a definition: bind its arguments, then run a copy of its body."""
    definition, source = known.definition, ctx.node
    known.called = True
    prefix = ctx.names.name(statement, repeated=ctx.repeated)
    frame = _call_frame(statement, ctx)
    if not braceless(statement, ctx, "is a definition and "):
        ctx.move(BROKEN)
        return None
    scope = Scope({}, ctx.scope.report, state.limits, frame=frame)
    body_ctx = replace(
        ctx,
        scope=scope,
        names=Names(prefix),
        labels=Labels(),
        defaults=known.defaults,
        namespace=known.namespace,
        position=known.position,
        frame=frame,
        top=False,
        outermost=False,
        shipped=known.shipped,
        repeated=False,
        copy=None,
    )
    body_ctx.move(ctx.current)
    try:
        arguments = _arguments(statement, known, ctx, scope)
    except Poison:  # what the body says without its parameters is checked all the same
        scope.values = dict.fromkeys(formal.name for formal in definition.formals)
        body_ctx.move(BROKEN)
        state.run(definition.body.statements, body_ctx)
        ctx.move(BROKEN)
        return None
    shared = definition.shared and _share(state, statement, known, arguments, body_ctx)
    if shared is None:
        ctx.move(BROKEN)
        return None
    state.expect(state.expected.call(known), statement.name_span, ctx)
    body = state.run(definition.body.statements, body_ctx)
    ctx.move(body_ctx.current)
    return CallStep(statement, definition, arguments, body_ctx.names.prefix, body, source, ctx.node, shared)


def _call_frame(statement: Operation, ctx: Context) -> Frame:
    if ctx.copy is None or ctx.frame is None:
        return Frame(f"`{statement.name}`", head(statement), ctx.frame)
    index, count = ctx.copy
    return Frame(f"copy {index} of {count} of `{statement.name}`", head(statement), ctx.frame.outer)


def _arguments(statement: Operation, known: Known, ctx: Context, scope: Scope) -> dict[str, Value]:
    """The values of a definition's parameters. Defaults see the parameters before them and `channels`."""
    bound = bind(known.signature, statement, ctx.scope, 0)
    values: dict[str, Value] = {}
    scope.values = values
    for formal in known.definition.formals:
        if formal.name in bound.values:
            values[formal.name] = bound.values[formal.name]
        else:
            assert formal.default is not None
            values[formal.name] = evaluate(formal.default, scope)
    return values


def _share(state: State, statement: Operation, known: Known, arguments: dict[str, Value], ctx: Context) -> bool | None:
    """Prepare a call of a shared definition: whether it is a later one, or None after reporting that it cannot be."""
    shape = BROKEN if ctx.current is BROKEN else ctx.scope.shape
    first = state.shared.get(id(known))
    if first is None:
        sharing = Sharing([])
        state.shared[id(known)] = FirstCall(shape, arguments, sharing.record, head(statement))
        ctx.names.prefix = known.definition.name
        ctx.sharing = (*ctx.sharing, sharing)
        return False
    if arguments != first.arguments:
        _refuse_sharing(statement, first, "arguments", ctx)
        return None
    if shape is BROKEN or first.shape is BROKEN:
        return None
    if shape != first.shape:
        _refuse_sharing(statement, first, "input shapes", ctx)
        return None
    ctx.sharing = (*ctx.sharing, Sharing([], iter(first.made)))
    return True


def _refuse_sharing(statement: Operation, first: FirstCall, what: str, ctx: Context) -> None:
    there = f"the first call is at line {first.span.line}"
    if first.shape is not BROKEN:
        there += f" and has {show_shape(first.shape) if first.shape else 'no input'}"
    ctx.scope.report.add(
        "NET122",
        f"`{statement.name}` is shared, but its calls have different {what}",
        head(statement),
        label=show_shape(ctx.scope.shape) if ctx.scope.shape else "",
        notes=(there,),
        help=("give every call the same, or use a `def` without `shared`, whose calls have weights of their own",),
        frame=ctx.frame,
    )
