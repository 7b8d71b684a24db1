"""Statements that decide what runs: `repeat` and `if`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial

from netc.diagnostics.model import Frame
from netc.lower.evaluate import Poison, Scope, boolean, integer
from netc.lower.expansion import Body, IfStep, RepeatStep
from netc.lower.expected import Sight, known_passes
from netc.lower.names import Names
from netc.lower.state import BROKEN, Context, Labels, Mark, State
from netc.syntax.tree import If, Operation, Repeat, Statement
from netc.values import Value


def run_repeat(state: State, statement: Repeat, ctx: Context) -> RepeatStep | None:
    """Run the passes of a `repeat`."""
    source = ctx.node
    if statement.index is not None:
        ctx.scope.refuse_channels(statement.index.text, statement.index.span)
    count = _passes(state, statement, ctx)
    inside = state.labels_in(statement)
    if count is None:
        for label in inside:
            ctx.labels.passes[label] = [Mark(BROKEN, statement.span)]
            if ctx.labels.find(label) is not None:
                ctx.labels.marks[label] = Mark(BROKEN, statement.span)
        ctx.move(BROKEN)
        return None
    before = ctx.labels.named(inside)
    for label in inside:
        ctx.labels.passes.setdefault(label, [])
    sight = Sight(ctx.namespace, ctx.position, ctx.scope)
    state.expect(state.expected.passes(statement, count, sight), statement.count.span, ctx)
    passes = []
    for index in range(count):
        inner = _pass(state, statement, ctx, index, count)
        passes.append(state.run(statement.body.statements, inner))
        passes[-1].labels = inner.labels.nodes()
        ctx.labels.carry(inner.labels)
        ctx.move(inner.current)
    ghost = None
    if not count:
        state.pass_over(statement.body.statements, statement.count.span, ctx)
    if not count and state.speculate:
        ghost = state.run_aside(statement.body.statements, _pass(state, statement, ctx, 0, 1))
    return RepeatStep(statement, count, passes, source, ctx.node, ghost, before)


def _passes(state: State, statement: Repeat, ctx: Context) -> int | None:
    try:
        count = integer(statement.count, ctx.scope, "the number of passes")
    except Poison:
        return None
    limit = state.limits.repeat
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


def _pass(state: State, statement: Repeat, ctx: Context, index: int, count: int) -> Context:
    """The context of one pass: its own labels, its index, its place in the expansion chain."""
    frame = Frame(f"pass {index + 1} of {count}", statement.keyword_span.to(statement.count.span), ctx.frame)
    values: dict[str, Value | None] = {} if statement.index is None else {statement.index.text: index}
    scope = Scope(values, ctx.scope.report, state.limits, ctx.scope, frame)
    names = ctx.names
    if statement.label is not None:
        names = Names(ctx.names.counted(statement.label.text))
    inner = replace(
        ctx,
        scope=scope,
        names=names,
        labels=Labels(ctx.labels, of_pass=True),
        frame=frame,
        top=False,
        outermost=False,
        repeated=statement.label is None,
        copy=(index + 1, count),
    )
    inner.move(ctx.current)
    return inner


# -- if ------------------------------------------------------------------------------------------------------


def run_if(state: State, statement: If, ctx: Context) -> IfStep | None:
    """Run the arm whose condition holds; names and labels come out the same whichever it is."""
    source, node = ctx.current, ctx.node
    try:
        taken = _taken(statement, ctx)
    except Poison:
        for arm in statement.arms:
            state.pass_over(arm.body.statements, statement.span, ctx)
        for label in _labels(state, statement)[0]:
            ctx.labels.put(label, Mark(BROKEN, statement.span))
        ctx.move(BROKEN)
        return None
    before = ctx.labels.named(_labels(state, statement)[0])
    known = {label: ctx.labels.find(label) for label in _labels(state, statement)[1]}
    sometimes = [label for label, mark in known.items() if mark is None or not mark.everywhere]
    labels = ctx.labels
    arms: list[Body | None] = []
    result = ctx.current
    taken_labels = Labels(labels)
    for index, arm in enumerate(ctx.names.arms(statement)):
        ctx.move(source)
        if index == taken:
            ctx.labels = taken_labels
            ran = _arm(state, arm.body.statements, ctx)
            ran.labels = taken_labels.nodes()
            arms.append(ran)
            ctx.labels = labels
            result = ctx.current
        else:
            state.pass_over(arm.body.statements, statement.span, ctx)
            aside = replace(ctx, scope=replace(ctx.scope))
            arms.append(state.run_aside(arm.body.statements, aside) if state.speculate else None)
            ctx.names.skip(arm.body.statements, partial(known_passes, ctx.scope), repeated=ctx.repeated)
    ctx.move(result)
    labels.marks.update(taken_labels.marks)
    labels.collect(taken_labels)
    for label in sometimes:
        mark = labels.marks.get(label)
        labels.marks[label] = Mark(mark.node if mark else None, mark.span if mark else statement.span, False)
    return IfStep(statement, taken, arms, node, ctx.node, before)


def _taken(statement: If, ctx: Context) -> int | None:
    for index, arm in enumerate(statement.arms):
        if arm.condition is None or boolean(arm.condition, ctx.scope):
            return index
    return None


def _arm(state: State, statements: Sequence[Statement], ctx: Context) -> Body:
    defaults, copy, top = ctx.defaults, ctx.copy, ctx.top
    ctx.top = False
    body = state.run(statements, ctx)
    ctx.defaults, ctx.copy, ctx.top = defaults, copy, top
    return body


def _labels(state: State, statement: If) -> tuple[set[str], set[str]]:
    """The labels that the arms of an `if` define: all, and those that not every path has."""
    found = state.labels_of_arms.get(id(statement))
    if found is None:
        sets = [set(static_labels(arm.body.statements)) for arm in statement.arms]
        all_of_them = set().union(*sets)
        always = set.intersection(*sets) if statement.arms[-1].condition is None else set()
        found = state.labels_of_arms[id(statement)] = all_of_them, all_of_them - always
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
