"""Calls of definitions: each runs a copy of the body, and those of a `shared def` have the weights of the first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from netc.diagnostics.model import Frame
from netc.ir.net import SharedCall
from netc.ir.shape import SIZES, Shape, show_shape
from netc.lower.bind import bind
from netc.lower.definitions import Known, shipped
from netc.lower.evaluate import Poison, Scope, evaluate
from netc.lower.expansion import CallStep
from netc.lower.names import Names
from netc.lower.state import BROKEN, Broken, Context, Current, FirstCall, Labels, Mark, Sharing, State, braceless, head
from netc.lower.walk import WITH, handed_over, mentions, names
from netc.syntax.tree import Argument, Definition, Operation, Positional, Reference
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
        handed=bool(definition.tensors),
    )
    body_ctx.move(ctx.current)
    values, labels = handed_over(statement)
    if not definition.tensors and (WITH in known.signature.params or ctx.scope.knows(WITH)):
        values, labels = statement.arguments, None  # `with` is a value's name
    try:
        arguments: dict[str, Value] | None = _arguments(statement, values, known, ctx, scope)
    except Poison:
        arguments = None
        scope.values = dict.fromkeys(formal.name for formal in definition.formals)
    tensors = _tensors(state, statement, definition, labels, ctx)
    for number, name in enumerate(definition.tensors):
        body_ctx.labels.marks[name.text] = Mark(tensors[number] if tensors else BROKEN, name.span)
    if arguments is None or tensors is None:  # what the body says without them is checked all the same
        body_ctx.move(BROKEN)
        state.run(definition.body.statements, body_ctx)
        ctx.move(BROKEN)
        return None
    shared = definition.shared and _share(state, statement, known, arguments, tensors, body_ctx)
    if shared is None:
        ctx.move(BROKEN)
        return None
    state.expect(state.expected.call(known), statement.name_span, ctx)
    start, place = len(ctx.net), len(ctx.net.shared)
    body = state.run(definition.body.statements, body_ctx)
    if shared and body_ctx.current is not BROKEN and next(body_ctx.sharing[-1].follow or iter(()), None) is not None:
        ctx.scope.fail(
            "NET122", f"this call of `{statement.name}` makes fewer layers than the first one", head(statement)
        )
        body_ctx.move(BROKEN)
    ctx.move(body_ctx.current)
    operands = tuple(tensor for tensor in (source, *tensors) if isinstance(tensor, str))
    if definition.shared and ctx.node is not None and len(operands) > len(tensors):
        sized = state.shared[id(known)].reads_sizes
        made = SharedCall(definition, operands, start, len(ctx.net), ctx.node, sized)
        ctx.net.shared.insert(place, made)  # before those inside
    return CallStep(statement, definition, arguments, body_ctx.names.prefix, body, source, ctx.node, shared)


def _call_frame(statement: Operation, ctx: Context) -> Frame:
    if ctx.copy is None or ctx.frame is None:
        return Frame(f"`{statement.name}`", head(statement), ctx.frame)
    index, count = ctx.copy
    return Frame(f"copy {index} of {count} of `{statement.name}`", head(statement), ctx.frame.outer)


def _arguments(
    statement: Operation, written: Sequence[Argument], known: Known, ctx: Context, scope: Scope
) -> dict[str, Value]:
    """The values of a definition's parameters. Defaults see the parameters before them and `channels`."""
    bound = bind(known.signature, statement, ctx.scope, 0, arguments=written)
    values: dict[str, Value] = {}
    scope.values = values
    for formal in known.definition.formals:
        if formal.name in bound.values:
            values[formal.name] = bound.values[formal.name]
        else:
            assert formal.default is not None
            values[formal.name] = evaluate(formal.default, scope)
    return values


def _tensors(
    state: State, statement: Operation, definition: Definition, labels: Sequence[Argument] | None, ctx: Context
) -> list[Current] | None:
    """The tensors that a call hands over; None after reporting that they are not those that the definition names."""
    wanted = [name.text for name in definition.tensors]
    named: list[Reference] = []
    for argument in labels or ():
        if not isinstance(argument, Positional) or not isinstance(argument.value, Reference):
            message = f"after `{WITH}` stand labels, which are bare names"
            ctx.scope.fail("NET108", message, argument.span, help=("values stand before it",))
            return None
        named.append(argument.value)
    found = [state.use_label(label.name, label.span, ctx) for label in named]
    if len(found) != len(wanted):
        names = " and ".join(f"`{name}`" for name in wanted)
        tensors = f"the tensor{'s' * (len(wanted) > 1)} {names}" if wanted else "no tensor"
        example = f"{statement.name} ... {WITH} {' '.join(wanted)}" if wanted else f"def {statement.name}(...) {WITH} a"
        ctx.scope.fail(
            "NET106" if len(found) < len(wanted) else "NET107",
            f"`{statement.name}` takes {tensors} after `{WITH}`, this call hands over {len(found) or 'none'}",
            head(statement),
            help=(f"one label for each that the definition names: `{example}`",),
        )
        return None
    return None if None in found else found


def _share(
    state: State,
    statement: Operation,
    known: Known,
    arguments: dict[str, Value],
    tensors: Sequence[Current],
    ctx: Context,
) -> bool | None:
    """Prepare a call of a shared definition: whether it is a later one, or None after reporting that it cannot be."""
    shapes = [_shape_of(tensor, ctx) for tensor in (ctx.current, *tensors)]
    first = state.shared.get(id(known))
    if first is None:
        sharing = Sharing([])
        state.shared[id(known)] = FirstCall(shapes, arguments, sharing.record, head(statement), _reads_sizes(known))
        ctx.names.prefix = known.definition.name
        ctx.sharing = (*ctx.sharing, sharing)
        return False
    if arguments != first.arguments:
        _refuse_sharing(statement, first, shapes, "arguments", ctx)
        return None
    if BROKEN in (*shapes, *first.shapes):
        return None
    for place, (shape, at_first) in enumerate(zip(shapes, first.shapes, strict=True)):
        what = _difference(shape, at_first)
        if what:
            what = f"{what} of the tensors after `{WITH}`" if place else f"input {what}"
            _refuse_sharing(statement, first, shapes, what, ctx)
            return None
    prefixes = known.definition.name, ctx.names.prefix
    ctx.sharing = (*ctx.sharing, Sharing([], iter(first.made), prefixes))
    return True


def _reads_sizes(known: Known) -> bool:
    """Whether a definition, or one that it may call, names the size of a map."""
    met, waiting = {known}, [known]
    while waiting:
        one = waiting.pop()
        read = set(mentions(one.definition.body.statements))
        read.update(name for formal in one.definition.formals for name in names(formal.default))
        if read & set(SIZES[:-1]):
            return True
        called = {one.namespace.visible(name, one.position) or shipped(name) for name in read} - {None}
        waiting += called - met  # type: ignore[arg-type]
        met |= called  # type: ignore[arg-type]
    return False


def _difference(here: Shape | Broken | None, there: Shape | Broken | None) -> str:
    """What differs between tensors of two calls that has to be the same; sizes of maps need not be."""
    if isinstance(here, tuple) and isinstance(there, tuple) and len(here) == len(there):
        return "channels" if here[-1] != there[-1] else ""
    return "shapes" if here != there else ""


def _shape_of(tensor: Current, ctx: Context) -> Shape | Broken | None:
    return ctx.net.shapes[tensor] if isinstance(tensor, str) else tensor


def _shown(shapes: Sequence[Shape | Broken | None]) -> str:
    return " and ".join(show_shape(shape) for shape in shapes if isinstance(shape, tuple))


def _refuse_sharing(
    statement: Operation, first: FirstCall, shapes: Sequence[Shape | Broken | None], what: str, ctx: Context
) -> None:
    there = f"the first call is at line {first.span.line}"
    if BROKEN not in first.shapes:
        there += f" and has {_shown(first.shapes) or 'no input'}"
    ctx.scope.report.add(
        "NET122",
        f"`{statement.name}` is shared, but its calls have different {what}",
        head(statement),
        label=_shown(shapes),
        notes=(there,),
        help=("give every call the same, or use a `def` without `shared`, whose calls have weights of their own",),
        frame=ctx.frame,
    )
