"""Statements that decide what runs: calls of definitions, `repeat`, `if`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from netc.diagnostics.model import Diagnostics, Frame
from netc.ir.net import Node
from netc.ir.shape import Shape, show_shape
from netc.lower.bind import bind
from netc.lower.context import BROKEN, Broken, Context, Current, Labels, Mark, Sharing
from netc.lower.definitions import Known
from netc.lower.evaluate import Poison, Scope, boolean, evaluate, integer
from netc.lower.expansion import Body, CallStep, IfStep, RepeatStep
from netc.lower.layers import head
from netc.lower.names import Names
from netc.lower.walk import names
from netc.syntax.source import Span
from netc.syntax.tree import Expr, If, Operation, Repeat, Statement
from netc.values import Value

if TYPE_CHECKING:
    from netc.lower.expand import Expander


def _name(current: Current) -> str | None:
    return current if isinstance(current, str) else None


@dataclass(slots=True)
class FirstCall:
    """The first call of a `shared def`: what it was given, and the nodes that it made."""

    shape: Shape | Broken | None
    arguments: Mapping[str, Value]
    made: list[Node]
    span: Span


# -- calls ---------------------------------------------------------------------------------------------------


def run_call(expander: Expander, statement: Operation, known: Known, ctx: Context) -> CallStep | None:
    """Run a call of a definition: bind its arguments, then run a copy of its body."""
    definition, source = known.definition, ctx.current
    known.called = True
    prefix = ctx.names.name(statement, repeated=ctx.repeated)
    frame = _call_frame(statement, ctx)
    if statement.block is not None or statement.branches:
        place = statement.block or statement.branches[0]
        ctx.scope.fail("NET126", f"`{statement.name}` is a definition and takes nothing in braces", place.span)
        ctx.move(BROKEN)
        return None
    scope = Scope({}, ctx.scope.report, expander.limits, frame=frame)
    body_ctx = replace(
        ctx,
        scope=scope,
        names=Names(prefix, expander.canonical),
        labels=Labels(),
        options=known.options,
        namespace=known.namespace,
        position=known.position,
        frame=frame,
        top=False,
        outermost=False,
        shipped=known.shipped,
        repeated=False,
        copy=None,
    )
    body_ctx.move(source)
    try:
        arguments = _arguments(statement, known, ctx, scope)
    except Poison:  # what the body says without its parameters is checked all the same
        scope.values = dict.fromkeys(formal.name for formal in definition.formals)
        body_ctx.move(BROKEN)
        expander.run(definition.body.statements, body_ctx)
        ctx.move(BROKEN)
        return None
    shared = definition.shared and _share(expander, statement, known, arguments, body_ctx)
    if shared is None:
        ctx.move(BROKEN)
        return None
    expander.expected.check_call(statement, known, ctx)
    body = expander.run(definition.body.statements, body_ctx)
    ctx.move(body_ctx.current)
    return CallStep(
        statement, definition, arguments, body_ctx.names.prefix, body, _name(source), _name(ctx.current), shared
    )


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


def _share(
    expander: Expander, statement: Operation, known: Known, arguments: dict[str, Value], ctx: Context
) -> bool | None:
    """Prepare a call of a shared definition: whether it is a later one, or None after reporting that it cannot be."""
    shape = BROKEN if ctx.current is BROKEN else ctx.scope.shape
    first = expander.shared.get(id(known))
    if first is None:
        sharing = Sharing([])
        expander.shared[id(known)] = FirstCall(shape, arguments, sharing.record, head(statement))
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


# -- repeat --------------------------------------------------------------------------------------------------


def run_repeat(expander: Expander, statement: Repeat, ctx: Context) -> RepeatStep | None:
    """Run the passes of a `repeat`."""
    source = ctx.current
    if statement.index is not None:
        ctx.scope.refuse_channels(statement.index.text, statement.index.span)
    count = _passes(expander, statement, ctx)
    if count is None:
        ctx.move(BROKEN)
        return None
    expander.expected.check_repeat(statement, count, ctx)
    passes = []
    for index in range(count):
        inner = _pass(expander, statement, ctx, index, count)
        passes.append(expander.run(statement.body.statements, inner))
        ctx.move(inner.current)
    ghost = None
    if not count:
        expander.pass_over(statement.body.statements, statement.count.span, ctx)
    if not count and expander.speculate:
        ghost = expander.aside(statement.body.statements, _pass(expander, statement, ctx, 0, 1))
    return RepeatStep(statement, count, passes, _name(source), _name(ctx.current), ghost)


def _passes(expander: Expander, statement: Repeat, ctx: Context) -> int | None:
    try:
        count = integer(statement.count, ctx.scope, "the number of passes")
    except Poison:
        return None
    limit = expander.limits.repeat
    if count < 0:
        ctx.scope.fail("NET109", f"a `repeat` of {count} passes: expected 0 or more", statement.count.span)
        return None
    if count > limit:
        ctx.scope.fail(
            "NET603",
            f"a `repeat` of {count} passes: at most {limit} are allowed",
            statement.count.span,
            help=(f"raise the bound with `--limit repeat={count}`",),
        )
        return None
    return count


def _pass(expander: Expander, statement: Repeat, ctx: Context, index: int, count: int) -> Context:
    """The context of one pass: its own labels, its index, its place in the expansion chain."""
    frame = Frame(f"pass {index + 1} of {count}", statement.keyword_span.to(statement.count.span), ctx.frame)
    values: dict[str, Value | None] = {} if statement.index is None else {statement.index.text: index}
    scope = Scope(values, ctx.scope.report, expander.limits, ctx.scope, frame)
    names = ctx.names
    if statement.label is not None:
        names = Names(ctx.names.counted(statement.label.text), expander.canonical)
    inner = replace(
        ctx,
        scope=scope,
        names=names,
        labels=Labels(ctx.labels),
        frame=frame,
        top=False,
        outermost=False,
        repeated=statement.label is None,
        copy=(index + 1, count),
    )
    inner.move(ctx.current)
    return inner


# -- if ------------------------------------------------------------------------------------------------------


def run_if(expander: Expander, statement: If, ctx: Context) -> IfStep | None:
    """Run the arm whose condition holds; names and labels come out the same whichever it is."""
    source = ctx.current
    try:
        taken = _taken(statement, ctx)
    except Poison:
        for arm in statement.arms:
            expander.pass_over(arm.body.statements, statement.span, ctx)
        ctx.labels.marks.update((label, Mark(BROKEN, statement.span)) for label in _labels(expander, statement)[0])
        ctx.move(BROKEN)
        return None
    sometimes = [label for label in _labels(expander, statement)[1] if label not in ctx.labels.marks]
    labels = ctx.labels
    arms: list[Body | None] = []
    result = ctx.current
    taken_labels = Labels(labels)
    for index, arm in enumerate(ctx.names.arms(statement)):
        ctx.move(source)
        if index == taken:
            ctx.labels = taken_labels
            arms.append(_arm(expander, arm.body.statements, ctx))
            ctx.labels = labels
            result = ctx.current
        else:
            expander.pass_over(arm.body.statements, statement.span, ctx)
            arms.append(_ghost_arm(expander, arm.body.statements, ctx))
            ctx.names.skip(arm.body.statements, partial(_known_passes, ctx.scope), repeated=ctx.repeated)
    ctx.move(result)
    labels.marks.update(taken_labels.marks)
    for label in sometimes:
        mark = labels.marks.get(label)
        labels.marks[label] = Mark(mark.node if mark else None, mark.span if mark else statement.span, False)
    return IfStep(statement, taken, arms, _name(source), _name(result))


def _known_passes(scope: Scope, count: Expr, indices: frozenset[str]) -> int | None:
    """The passes of a `repeat` that does not run, where they depend on nothing else that does not."""
    read = set(names(count))
    if read & indices or ("channels" in read and not scope.knows("channels")):
        return None
    try:
        value = evaluate(count, replace(scope, report=Diagnostics()))
    except Poison:
        return None
    return max(value, 0) if type(value) is int else None


def _taken(statement: If, ctx: Context) -> int | None:
    for index, arm in enumerate(statement.arms):
        if arm.condition is None or boolean(arm.condition, ctx.scope):
            return index
    return None


def _arm(expander: Expander, statements: Sequence[Statement], ctx: Context) -> Body:
    options, copy, top = ctx.options, ctx.copy, ctx.top
    ctx.top = False
    body = expander.run(statements, ctx)
    ctx.options, ctx.copy, ctx.top = options, copy, top
    return body


def _ghost_arm(expander: Expander, statements: Sequence[Statement], ctx: Context) -> Body | None:
    """An arm that did not run, which sees the labels from before the `if` and not those of the arm that did."""
    if not expander.speculate:
        return None
    return expander.aside(statements, replace(ctx, scope=replace(ctx.scope)))


def _labels(expander: Expander, statement: If) -> tuple[set[str], set[str]]:
    """The labels that the arms of an `if` define: all, and those that not every path has."""
    found = expander.labels_of_arms.get(id(statement))
    if found is None:
        sets = [set(static_labels(arm.body.statements)) for arm in statement.arms]
        all_of_them = set().union(*sets)
        always = set.intersection(*sets) if statement.arms[-1].condition is None else set()
        found = expander.labels_of_arms[id(statement)] = all_of_them, all_of_them - always
    return found


def static_labels(statements: Iterable[Statement]) -> Iterator[str]:
    """Labels that statements define in their own body, wherever they would run."""
    for statement in statements:
        if isinstance(statement, Operation | Repeat) and statement.label is not None:
            yield statement.label.text
        if isinstance(statement, Operation):
            for branch in statement.branches:
                yield from static_labels(branch.statements)
        elif isinstance(statement, If) and statement.arms[-1].condition is None:
            sets = [set(static_labels(arm.body.statements)) for arm in statement.arms]
            yield from sorted(set.intersection(*sets))
