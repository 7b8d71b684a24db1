"""How each kind of statement runs."""

from __future__ import annotations

import re

from netc.layers import LAYERS
from netc.lower.calls import run_call
from netc.lower.declarations import run_definition, run_parameter
from netc.lower.definitions import shipped, shipped_names
from netc.lower.expansion import Step
from netc.lower.flow import run_if, run_repeat
from netc.lower.layers import run_layer
from netc.lower.special import SPECIAL
from netc.lower.state import BROKEN, Context, State, Table, run_branches
from netc.suggest import did_you_mean
from netc.syntax.tree import Definition, If, Lost, Operation, Parameter, Repeat


def run_operation(state: State, statement: Operation, ctx: Context) -> Step | None:
    """A special operation, a layer, or a call: a definition above hides what netc has of that name."""
    name = statement.name
    special = SPECIAL.get(name)
    if special is not None:
        return special(state, statement, ctx)
    known = ctx.namespace.visible(name, ctx.position)
    if known is None and name in LAYERS:
        return run_layer(state, statement, ctx)
    below = ctx.namespace.standing_below(name)
    known = known or (shipped(name) if below is None else None)
    if known is not None:
        step = run_call(state, statement, known, ctx)
        _record(state, known.definition)
        return step
    if below is not None:
        ctx.scope.report.add(
            "NET116",
            f"`{name}` is defined below, at line {below.name_span.line}",
            statement.name_span,
            notes=("a definition may call only what stands above it, so that no call can run for ever",),
            help=(f"move the definition of `{name}` up",),
            frame=ctx.frame,
        )
    else:
        there = [*LAYERS, *SPECIAL, "def", "param", "repeat", *ctx.namespace.known, *shipped_names()]
        help = did_you_mean(name, there, ("`netc ops` lists the operations and the standard blocks",))
        ctx.scope.fail("NET101", f"there is no operation `{name}`", statement.name_span, help=help)
    ctx.names.name(statement, repeated=ctx.repeated)
    run_branches(state, statement, ctx)
    ctx.move(BROKEN)
    return None


def _record(state: State, definition: Definition) -> None:
    """Note that a definition was called, callees first."""
    key, number = definition.name, 2
    while state.called.setdefault(key, definition) is not definition:
        key, number = f"{definition.name}~{number}", number + 1


def run_lost(state: State, statement: Lost, ctx: Context) -> None:
    """Text that could not be read: what it would have done is unknown."""
    state.lost.update(re.findall(r"\w+", statement.span.text), ("",))
    ctx.move(BROKEN)


STATEMENTS: Table = {
    Operation: run_operation,
    Repeat: run_repeat,
    If: run_if,
    Definition: run_definition,
    Parameter: run_parameter,
    Lost: run_lost,
}
