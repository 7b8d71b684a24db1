"""Statements that give a name to something: `def` and `param`."""

from __future__ import annotations

from netc.layers import LAYERS
from netc.lower.definitions import Known, shipped
from netc.lower.evaluate import Poison, evaluate
from netc.lower.names import NAMELESS
from netc.lower.state import Context, State
from netc.syntax.tree import Definition, Parameter
from netc.values import Value, kind_of, show


def _at_the_top(what: str, statement: Definition | Parameter, ctx: Context) -> bool:
    if not ctx.top:
        ctx.scope.fail("NET117", f"{what} stands at the top level of a file only", statement.name_span)
    return ctx.top


def run_definition(state: State, statement: Definition, ctx: Context) -> None:
    """`def NAME(...) { ... }`: visible to what stands below it."""
    if not _at_the_top("`def`", statement, ctx):
        return
    space = ctx.namespace
    earlier = space.known.get(statement.name)
    if earlier is not None:
        ctx.scope.fail(
            "NET113",
            f"`{statement.name}` is defined already, at line {earlier.definition.name_span.line}",
            statement.name_span,
        )
        return
    formals = [formal.name for formal in statement.formals]
    for index, formal in enumerate(statement.formals):
        ctx.scope.refuse_channels(formal.name, formal.span)
        if formal.name in formals[:index]:
            ctx.scope.fail("NET113", f"`{formal.name}` is a parameter twice", formal.span)
    tensors = [tensor.text for tensor in statement.tensors]
    for index, tensor in enumerate(statement.tensors):
        if tensor.text in formals or tensor.text in tensors[:index]:
            what = "a parameter and a tensor" if tensor.text in formals else "a tensor twice"
            ctx.scope.fail("NET113", f"`{tensor.text}` is {what}", tensor.span)
    if statement.name in NAMELESS:
        ctx.scope.fail(
            "NET124", f"`{statement.name}` is a statement of the language, not a free name", statement.name_span
        )
        return
    if statement.name in LAYERS or shipped(statement.name) is not None:
        kind = "an operation" if statement.name in LAYERS else "a shipped block"
        ctx.scope.report.add("NET510", f"`{statement.name}` hides {kind} of that name", statement.name_span)
    space.bring(statement.name, Known(statement, space, ctx.position, ctx.defaults), ctx.position)


def run_parameter(state: State, statement: Parameter, ctx: Context) -> None:
    """`param NAME = EXPRESSION`, or what `-D` gives in its place."""
    if not _at_the_top("`param`", statement, ctx):
        return
    name = statement.name
    if name in state.parameters:
        ctx.scope.fail("NET113", f"the parameter `{name}` is defined already", statement.name_span)
        return
    ctx.scope.refuse_channels(name, statement.name_span)
    try:
        value: Value | None = evaluate(statement.value, ctx.scope)
    except Poison:
        value = None
    if name in state.overrides:
        value = _override(statement, value, state.overrides.pop(name), ctx)
    state.parameters[name] = value


def _override(statement: Parameter, default: Value | None, given: Value, ctx: Context) -> Value | None:
    """A `-D` value, which must be of the kind of the default; an integer will do where a real stands."""
    if default is None or type(given) is type(default):
        return given
    if isinstance(default, float) and isinstance(given, int) and not isinstance(given, bool):
        return float(given)
    if isinstance(default, str) and isinstance(given, str):  # a word on the command line needs no quotes
        return type(default)(given)
    ctx.scope.fail(
        "NET108",
        f"`-D {statement.name}={show(given)}` gives {kind_of(given)}, "
        f"but `{statement.name}` is {kind_of(default)}: {show(default)}",
        statement.value.span,
    )
    return None
