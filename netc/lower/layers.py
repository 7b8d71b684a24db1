"""Statements that make layers: one operation with its trailing words, or a combiner with its branches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from math import prod

from netc.diagnostics.model import Label
from netc.ir.net import Net, Node, Origin, Written
from netc.ir.shape import Shape, channels_of, elements, show_shape
from netc.layers import LAYERS
from netc.layers.base import Layer, Weight
from netc.layers.merge import Gated
from netc.lower.bind import NO_DEFAULTS, Bound, Defaults, Trailing, bind
from netc.lower.evaluate import Poison
from netc.lower.expansion import Body, LayerStep
from netc.lower.misfits import gates
from netc.lower.state import BROKEN, Context, Current, State, head, run_branches
from netc.params import Refused, Signature
from netc.syntax.source import Span
from netc.syntax.tree import Binary, Expr, Group, Keyword, Literal, Operation, Reference, Starred
from netc.values import Word


@cache
def signature_of(op: str) -> Signature:
    """The signature of a layer under one of its names."""
    return LAYERS[op].signature(op)


def run_layer(state: State, statement: Operation, ctx: Context) -> LayerStep | None:
    """Run a statement whose operation is a layer class."""
    cls = LAYERS[statement.name]
    source, node = ctx.current, ctx.node
    name = ctx.names.name(statement, repeated=ctx.repeated)
    branches, operands = _operands(state, statement, cls, ctx)
    ctx.move(source)
    bound = _bind(statement, cls, ctx)
    if bound is None:
        ctx.move(BROKEN)
        return None
    labelled = _labelled(state, cls, bound, ctx)
    if operands is not None and not branches and any(isinstance(label, Starred) for label in bound.labels):
        operands = []  # what is named is joined, and nothing else
    read = None
    if operands is not None and labelled is not None:
        read = _read(statement, cls, [*operands, *labelled], branches, len(bound.tensors), ctx)
    nodes = _nodes(state, statement, cls, bound, name, read, ctx)
    if not nodes:
        _reserve(state, name, head(statement), ctx)
    return None if read is None else LayerStep(statement, nodes, branches, node, ctx.node)


def _operands(
    state: State, statement: Operation, cls: type[Layer], ctx: Context
) -> tuple[list[Body], list[Current] | None]:
    """The branches that ran and the tensors that the layer reads; None after an error."""
    combiner = cls.operands[1] != cls.operands[0] or cls.operands[0] > 1
    if statement.block is not None or (statement.branches and not combiner):
        wanted = "branches, which begin with `|`" if combiner else "nothing in braces"
        ctx.scope.fail("NET126", f"`{statement.name}` takes {wanted}", (statement.block or statement.branches[0]).span)
        return [], None
    if not statement.branches:
        return [], ([] if cls.operands[1] == 0 else [ctx.current])
    return run_branches(state, statement, ctx)


def _bind(statement: Operation, cls: type[Layer], ctx: Context) -> Bound | None:
    shape = ctx.scope.shape
    rank = None if shape is None else len(shape) - 1
    defaults = ctx.defaults.get(cls.op, NO_DEFAULTS)
    try:
        bound = bind(
            signature_of(statement.name),
            statement,
            ctx.scope,
            rank,
            defaults=defaults,
            labels=cls.operands[1] is None or cls.operands[0] > 1,
        )
        _refuse_act_beside_words(statement, bound, defaults, ctx)
    except Poison:
        return None
    return bound


def _refuse_act_beside_words(statement: Operation, bound: Bound, defaults: Defaults, ctx: Context) -> None:
    """Report `conv 8x3 bn act=relu`, which would normalise after the activation but leave the bias out before it, and
    `conv 8x3 act=relu` where a `default` has words.

    Whatever value an expression has there. Only the word `linear` beside words of the layer, or with them in a
    `default`, says that there is no activation before them.
    """
    if "act" not in bound.spans or not bound.trailing:
        return
    here = next((one for one in statement.arguments if isinstance(one, Keyword) and one.key == "act"), None)
    value = defaults.options["act"].expr if here is None else here.value
    plain = isinstance(value, Reference | Literal) and value.span.text == bound.values["act"] == "linear"
    norm = next((word for word in bound.trailing if LAYERS[word.word].removes_bias), None)
    replaced = here is not None and bound.trailing[0].default
    if not replaced and (plain or norm is None):
        return
    act = value.span.text
    if not act.startswith("(") and not (isinstance(value, Reference) and not ctx.scope.knows(value.name)):
        act = f"({act})"  # a parameter, not a word
    own = [statement.name, *(one.span.text for one in statement.arguments if one is not here)]
    if replaced:
        kept = [word.span.text for word in bound.trailing if LAYERS[word.word].family != "activation"]
        most, least = " ".join([*own, *kept, *([] if plain and kept else [act])]), " ".join([*own, act])
        help = [f"own words take the place of those of the `default`: `{most}`"]
        help += [f"`{least}` has no {' and no '.join(f'`{word}`' for word in kept)}"] if kept else []
    elif bound.trailing[0].default:
        help = ["leave `act` out of the `default`: the words say it"]
    else:
        own += [act] * (LAYERS[bound.trailing[-1].word].family != "activation")
        help = [f"words apply in the order written: `{' '.join(own)}{' act=linear' * (here is None)}`"]
        help += ["or leave `act` out of the `default`"] if here is None else []
    word = norm or bound.trailing[0]
    raise ctx.scope.fail(
        "NET127",
        f"`{statement.name}` has `act={value.span.text}`{' from a `default`' * (here is None)} beside the word "
        f"`{word.word}`{' of a `default`' * word.default}: which of the two comes first is not said",
        bound.spans["act"] if here is not None else head(statement) if word.default else word.span,
        help=help,
    )


def _labelled(state: State, cls: type[Layer], bound: Bound, ctx: Context) -> list[Current] | None:
    """The tensors that a combiner's labels name, and those that options do."""
    found: list[Current] = []
    for label in (*bound.labels, *(bound.tensors[name] for name in cls.tensors() if name in bound.tensors)):
        if isinstance(label, Starred):
            several = state.use_passes(label, ctx)
            found += [None] if several is None else several
        else:
            found.append(state.use_label(label.name, label.span, ctx))
    return None if None in found else found


def _read(
    statement: Operation,
    cls: type[Layer],
    operands: Sequence[Current],
    branches: Sequence[Body],
    named: int,
    ctx: Context,
) -> list[str] | None:
    """The nodes that a layer reads, of which options name some; None where one is broken, or after reporting too few,
    too many or a missing one."""
    if any(operand is None for operand in operands):
        ctx.scope.fail(
            "NET118",
            f"`{statement.name}` has nothing to work on: no `input` stands above",
            head(statement),
            help=("begin with the shape of one sample, such as `input 32x32x3`",),
        )
        return None
    low, high = cls.operands
    joined = len(operands) - named
    if not low <= joined <= (joined if high is None else high):
        expected = f"exactly {low}" if low == high else f"at least {low}"
        help = f"write branches, `{statement.name} {{ | ... | ... }}`, or the labels to join the current tensor with"
        starred = [argument.value for argument in statement.arguments if isinstance(argument.value, Starred)]
        if starred:
            name = starred[0].name
            help = f"`{name}*` is what `{name}` named in each pass so far, and the current tensor is not joined with it"
        message = f"`{statement.name}` joins {expected} tensors, this has {joined}"
        ctx.scope.fail("NET120", message, head(statement), help=(help,))
        return None
    if branches and joined > len(branches):
        ctx.scope.fail("NET120", f"`{statement.name}` takes branches or labels, not both", head(statement))
        return None
    nodes = [operand for operand in operands if isinstance(operand, str)]
    return nodes if len(nodes) == len(operands) else None


def _nodes(
    state: State,
    statement: Operation,
    cls: type[Layer],
    bound: Bound,
    name: str,
    operands: Sequence[str] | None,
    ctx: Context,
) -> list[str]:
    """Make the layer and those of its trailing words; the last one becomes the current tensor.

    Where an operand is unknown (None), and after a layer that failed, the others are checked as far as that goes
    without a shape.
    """
    values, written, trailing = dict(bound.values), dict(bound.written), list(bound.trailing)
    unseen = list(bound.unseen)
    _fuse(signature_of(statement.name), values, written, unseen, trailing)
    span = head(statement)
    if operands:
        _divide_channels(cls, values, written, channels_of(ctx.net.shapes[operands[0]]), span)
    names = [name]
    in_order = ctx.handed or any(isinstance(label, Starred) for label in bound.labels)
    origin = Origin(span, ctx.frame, written, tuple(unseen), in_order=in_order)
    last = _add(state, ctx, name, cls, values, origin, operands, bound)
    made = [last]
    for word in trailing:
        after, more = LAYERS[word.word], Bound()
        options: dict[str, object] = {}
        for key, option in ctx.defaults.get(after.op, NO_DEFAULTS).options.items():
            options[key] = option.value
            more.default(key, option, ctx.scope)
        names.append(_free(f"{name}_{after.op}", names))
        operands = None if last is None else [last]
        if word.default:
            unseen = [*more.unseen, *([word.expr] if word.named else [])]
            origin = Origin(span, ctx.frame, more.written, tuple(unseen), word.span)
        else:
            plain = isinstance(word.expr, Reference) and word.expr.name == word.word
            origin = Origin(word.span, ctx.frame, more.written, tuple(more.unseen), op=None if plain else word.expr)
        last = _add(state, ctx, names[-1], after, options, origin, operands, Bound())
        made.append(last)
    ctx.move(BROKEN if last is None else last)
    return [node for node in made if node is not None]


def _fuse(
    signature: Signature,
    values: dict[str, object],
    written: dict[str, Written],
    unseen: list[Expr],
    trailing: list[Trailing],
) -> None:
    """Take a plain activation directly after into the layer, and a bias away before batch normalisation."""
    if not trailing:
        return
    first = trailing[0]
    if LAYERS[first.word].removes_bias and "bias" in signature.params:
        values.setdefault("bias", False)
    act = signature.params.get("act")
    if act is not None and "act" not in values and first.word in act.kind.words():
        values["act"] = act.kind.accept(Word(first.word), 0)
        if first.default and first.named:
            unseen.append(first.expr)
        elif first.default:
            written["act"] = Literal(Word(first.word), first.span)  # whatever else has that name here
        elif first.named:
            written["act"] = first.expr
        del trailing[0]


def _divide_channels(
    cls: type[Layer], values: dict[str, object], written: dict[str, Written], channels: int, span: Span
) -> None:
    """Fill in what is, unless given, a share of the channels: as an expression, because these may be others for other
    arguments. What does not divide is left to the class to refuse."""
    for name, parts in cls.channel_shares.items():
        number = values.get(parts)
        if name in values or not isinstance(number, int) or channels % number:
            continue
        divisor = written.get(parts)
        if divisor is None or isinstance(divisor, tuple):
            divisor = Literal(number, span)
        values[name] = channels // number
        written[name] = Binary("//", Reference("channels", span), Group(divisor, span), span)


def _free(name: str, made: Sequence[str]) -> str:
    """A name for a trailing layer; the second of a kind after one operation is numbered."""
    if name not in made:
        return name
    number = 2
    while f"{name}{number}" in made:
        number += 1
    return f"{name}{number}"


def _add(
    state: State,
    ctx: Context,
    name: str,
    cls: type[Layer],
    values: dict[str, object],
    origin: Origin,
    operands: Sequence[str] | None,
    bound: Bound,
) -> str | None:
    """Make one layer, infer its shape and add it to the network; None after reporting an error.

    Without `operands` there is no shape to infer, and the layer is only checked.
    """
    shapes = [ctx.net.shapes[operand] for operand in operands or ()]
    try:
        layer = cls(**values)
        if operands is None:
            layer.validate(bound.rank)
            return None
        shape = layer.checked_shape(shapes)
    except Refused as error:
        if error.code == "NET201" and issubclass(cls, Gated):
            more, known = gates(cls, ctx.net, operands or (), shapes, origin.frame)
            error.help = (*more,) if known else (*error.help, *more)
        _report(error, origin, shapes, operands or (), bound.spans, ctx)
        return None
    node = _admit(state, Node(state.unique(name, ctx), layer, origin), shapes, shape, ctx)
    return None if node is None else ctx.net.add(node, operands, shape)


def _report(
    error: Refused,
    origin: Origin,
    shapes: Sequence[Shape],
    operands: Sequence[str],
    spans: dict[str, Span],
    ctx: Context,
) -> None:
    label = error.label
    if not label and shapes:
        label = ", ".join(map(show_shape, shapes)) + " here"
    notes = list(error.notes)
    if error.code in ("NET204", "NET205") and operands:
        notes.extend(_shrinking(ctx.net, operands[0]))
    ctx.scope.report.add(
        error.code,
        error.message,
        spans.get(error.param, origin.span),
        label=label,
        secondary=_operand_places(ctx.net, operands, shapes) if len(shapes) > 1 else (),
        notes=notes,
        help=error.help,
        frame=origin.frame,
    )


def _operand_places(net: Net, operands: Sequence[str], shapes: Sequence[Shape]) -> list[Label]:
    return [
        Label(net.node(operand).origin.span, show_shape(shape)) for operand, shape in zip(operands, shapes, strict=True)
    ]


def _shrinking(net: Net, name: str) -> list[str]:
    """Where the spatial size was lost on the way: "the input 32x32 has been halved 5 times already (lines ...)"."""
    lines: list[int] = []
    halved = True
    while operands := net.operands(name):
        before, after = net.shapes[operands[0]][:-1], net.shapes[name][:-1]
        if len(before) == len(after) and (elements(before) or 0) > (elements(after) or 0):
            lines.append(net.node(name).origin.span.line)
            halved &= all(a is not None and b == -(-a // 2) for a, b in zip(before, after, strict=True))
        name = operands[0]
    if not lines:
        return []
    size = show_shape(net.shapes[name][:-1])
    verb = f"been halved {len(lines)} times already" if halved and len(lines) > 1 else "been made smaller"
    unique = list(dict.fromkeys(reversed(lines)))
    where = "line " if len(unique) == 1 else "lines "
    shown = ", ".join(map(str, unique[:12])) + (", ..." if len(unique) > 12 else "")
    return [f"the input {size} has {verb} ({where}{shown})"]


# -- joining the network ---------------------------------------------------------------------------------------


def _reserve(state: State, name: str, span: Span, ctx: Context) -> None:
    """Keep the name of a layer that could not be made, so that another one of that name is told all the same."""
    if ctx.net is state.net and _is_new(state, name, span, ctx):
        state.reserved[name] = span


def _is_new(state: State, name: str, span: Span, ctx: Context) -> bool:
    other = ctx.net.node(name).origin.span if name in ctx.net else state.reserved.get(name)
    if other is not None:
        ctx.scope.fail(
            "NET121",
            f"two layers would have the name `{name}`, this one and that of line {other.line}",
            span,
            help=("give one of them another label",),
        )
    return other is None


def _refuse_weights(node: Node, weights: Sequence[Weight], made: Sequence[Weight], first: Node, ctx: Context) -> None:
    here, there = next(pair for pair in zip(weights, made, strict=True) if pair[0].shape != pair[1].shape)
    ctx.scope.fail(
        "NET122",
        f"the {here.name} of `{node.layer.op}` is {show_shape(here.shape)} here and {show_shape(there.shape)} at the "
        "first call: calls of a `shared def` have their weights in common",
        node.origin.span,
        help=(
            "weights that do not depend on the size of the map fit any: a convolution's, or a `fc` after `gap`",
            "else give every call a tensor of the same shape",
        ),
    )


def _admit(state: State, node: Node, inputs: Sequence[Shape], shape: Shape, ctx: Context) -> Node | None:
    """A node as it joins the network, with the weights that it shares; None, and reported, where it may not."""
    span, limits = node.origin.span, state.limits
    if not _is_new(state, node.name, span, ctx):
        return None
    for made in (shape, *node.layer.within(inputs)):
        count = elements(made) or prod(dim or 1 for dim in made)  # an unknown size is at least 1
        if count > limits.elements:
            where = "" if made is shape else f" inside `{node.layer.op}`"
            message = f"a tensor of {show_shape(made)}{where} has {count:,} elements: "
            message += f"at most {limits.elements:,} are allowed"
            state.over("NET605", message, "elements", count, span, ctx)
            return None
    if len(ctx.net) >= limits.layers:
        state.too_many_layers(span, ctx)
    if len(node.name) > limits.name:
        message = f"this layer would have a name of more than {limits.name:,} characters"
        ctx.scope.fail("NET609", message, span, help=("names join the labels on the way: give it shorter ones",))
        return None
    weights = node.layer.weights(inputs) if ctx.sharing or node.shares is None else ()
    for sharing in ctx.sharing:
        if sharing.follow is None:
            continue
        first, known = next(sharing.follow, (None, ()))
        inner = sharing is ctx.sharing[-1]  # the names of others are those of calls around
        if first is None or first.layer != node.layer or (inner and not sharing.matches(first, node)):
            ctx.scope.fail("NET122", "this call makes other layers than the first one", span)
            return None
        if any(one.shape != other.shape for one, other in zip(weights, known, strict=True)):
            _refuse_weights(node, weights, known, first, ctx)
            return None
        node = replace(node, shares=first.layer_name)
    for sharing in ctx.sharing:
        if sharing.follow is None:
            sharing.record.append((node, weights))
    if node.shares is None:
        state.weights += sum(weight.count for weight in weights)
    if state.weights > limits.parameters:
        message = f"the network has more than {limits.parameters:,} parameters"
        raise state.over("NET606", message, "parameters", state.weights, span, ctx)
    return node
