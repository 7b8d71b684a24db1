"""Statements that make no layer: `net`, `from`, `identity`, `output`, `default`, `use`, `data`, `train`."""

from __future__ import annotations

import re
from collections.abc import Callable

from netc.layers import LAYERS
from netc.layers.kinds import Operand
from netc.lower.bind import NO_DEFAULTS, Defaults, Option, Trailing, bind, size_value, trailing_words
from netc.lower.definitions import Namespace, definitions_of, shipped
from netc.lower.evaluate import Poison, Scope, evaluate
from netc.lower.expansion import LayerStep
from netc.lower.layers import signature_of
from netc.lower.names import NAMELESS, Names
from netc.lower.state import BROKEN, Context, Labels, State, braceless, head
from netc.params import Int, Param, Refused, Signature
from netc.suggest import did_you_mean
from netc.syntax.parser import parse
from netc.syntax.source import Span
from netc.syntax.tree import Definition, Keyword, Literal, Operation, Positional, Reference, Size
from netc.values import Word

Special = Callable[[State, Operation, Context], LayerStep | None]

LANGUAGE = 1  # the newest version of the language
LEGAL = re.compile(r"[A-Za-z][A-Za-z0-9_.-]*\Z")
_NET = Signature("net", {"language": Param("language", Int(min=1), LANGUAGE, "version of the language")})


def _top_level(statement: Operation, ctx: Context) -> bool:
    if ctx.top:
        return True
    ctx.scope.fail("NET117", f"`{statement.name}` stands at the top level of a file only", head(statement))
    return False


def _bare(statement: Operation, ctx: Context) -> bool:
    """Whether a statement has neither label nor braces; reports what it has."""
    if statement.label is not None:
        ctx.scope.fail("NET117", f"`{statement.name}` takes no label", statement.label.span)
        return False
    return braceless(statement, ctx)


def run_net(state: State, statement: Operation, ctx: Context) -> None:
    """`net NAME [language=1]`."""
    if not (_top_level(statement, ctx) and _bare(statement, ctx)):
        return
    first = statement.arguments[0] if statement.arguments else None
    value = first.value if isinstance(first, Positional) else None
    name = value.name if isinstance(value, Reference) else value.value if isinstance(value, Literal) else None
    if not isinstance(name, str) or not LEGAL.match(name):
        ctx.scope.fail(
            "NET106" if first is None else "NET108",
            "`net` needs a name of letters, digits, `_`, `.` and `-`, beginning with a letter",
            head(statement),
            help=("for example `net resnet`",),
        )
        return
    if state.named:
        ctx.scope.fail("NET113", "the network has a name already", head(statement))
        return
    state.named = True
    state.net.name = name
    try:
        bound = bind(_NET, statement, ctx.scope, 0, arguments=statement.arguments[1:])
    except Poison:
        return
    if bound.values.get("language", LANGUAGE) > LANGUAGE:
        ctx.scope.fail(
            "NET008",
            f"language {bound.values['language']} is not known, this netc reads up to {LANGUAGE}",
            bound.spans["language"],
            help=("install a newer netc, or remove `language=`",),
        )


def _references(statement: Operation, ctx: Context, count: int | None) -> list[Reference] | None:
    """Arguments that must all be bare names."""
    found = []
    for argument in statement.arguments:
        if isinstance(argument, Keyword) or not isinstance(argument.value, Reference):
            ctx.scope.fail("NET108", f"`{statement.name}` takes labels, which are bare names", argument.span)
            return None
        found.append(argument.value)
    if not found or (count is not None and len(found) != count):
        expected = "one label" if count == 1 else "labels"
        ctx.scope.fail(
            "NET106" if not found else "NET107",
            f"`{statement.name}` takes {expected}",
            head(statement),
            help=("a label is a name before a statement: `enc1: conv 64x3 relu`",),
        )
        return None
    return found


def run_from(state: State, statement: Operation, ctx: Context) -> LayerStep | None:
    """`from LABEL`: go on from it."""
    source = ctx.node
    names = _references(statement, ctx, 1) if braceless(statement, ctx) else None
    node = state.use_label(names[0].name, names[0].span, ctx) if names else None
    ctx.move(BROKEN if node is None else node)
    return None if ctx.node is None else LayerStep(statement, [], [], source, ctx.node)


def run_identity(state: State, statement: Operation, ctx: Context) -> LayerStep | None:
    """`identity`: the current tensor itself."""
    if statement.arguments or statement.block is not None or statement.branches:
        ctx.scope.fail("NET107", "`identity` is the current tensor itself and takes no arguments", statement.span)
    if ctx.current is None:
        ctx.scope.fail("NET118", "`identity` has nothing to work on: no `input` stands above", head(statement))
        ctx.move(BROKEN)
    return None if ctx.node is None else LayerStep(statement, [], [], ctx.node, ctx.node)


def run_output(state: State, statement: Operation, ctx: Context) -> None:
    """`output LABEL...`: the outputs, in order."""
    if not ctx.outermost:
        ctx.scope.fail("NET117", "`output` stands in the file itself, or in an `if` there", head(statement))
        return
    if not _bare(statement, ctx):
        return
    if state.outputs is not None:
        ctx.scope.fail("NET113", "the outputs are named already", head(statement))
        return
    state.outputs = []
    for name in _references(statement, ctx, None) or ():
        node = state.use_label(name.name, name.span, ctx)
        if isinstance(node, str) and node in state.outputs:
            ctx.scope.fail("NET113", f"`{name.name}` is an output already", name.span)
        elif isinstance(node, str):
            state.outputs.append(node)


def run_default(state: State, statement: Operation, ctx: Context) -> None:
    """`default OP key=value ... WORD ...`: options and words for what follows in the same braces or file."""
    if not _bare(statement, ctx):
        return
    first = statement.arguments[0] if statement.arguments else None
    if not isinstance(first, Positional) or not isinstance(first.value, Reference):
        ctx.scope.fail(
            "NET106",
            "`default` needs an operation and options",
            head(statement),
            help=("for example `default conv l2=1e-4`",),
        )
        return
    cls = LAYERS.get(first.value.name)
    if cls is None:
        _no_operation(first.value, ctx)
        return
    signature = signature_of(first.value.name)
    if len(statement.arguments) == 1:
        help = f"options are `key=value`; it has: {', '.join(signature.params)}"
        ctx.scope.fail("NET106", f"`default {first.value.name}` sets nothing", head(statement), help=(help,))
    defaults = ctx.defaults.get(cls.op, NO_DEFAULTS)
    options, words = dict(defaults.options), []
    for argument in statement.arguments[1:]:
        if isinstance(argument, Keyword):
            option = _option(signature, argument, ctx)
            if option is not None:
                options[argument.key] = option
        else:
            word = _word(signature, argument, ctx)
            words += [] if word is None else [word]
    ctx.defaults = {**ctx.defaults, cls.op: Defaults(options, tuple(words) or defaults.words)}


def _no_operation(expr: Reference, ctx: Context) -> None:
    if expr.name in ctx.namespace.known or shipped(expr.name) is not None:
        message = f"`default` sets options of operations, and `{expr.name}` is a definition"
        ctx.scope.fail("NET108", message, expr.span, help=("write what it needs at its calls",))
    else:
        ctx.scope.fail(
            "NET101", f"there is no operation `{expr.name}`", expr.span, help=did_you_mean(expr.name, LAYERS)
        )


def _word(signature: Signature, argument: Positional, ctx: Context) -> Trailing | None:
    """A word that makes a layer after those of an operation; None after reporting that it is none."""
    words = trailing_words() if signature.trailing else frozenset()
    value, span = argument.value, argument.span
    if isinstance(value, Size):
        value = Literal(value.span.text, span)  # no word
    name = value.name if isinstance(value, Reference) else ""
    known = ctx.scope.knows(name)
    if name in words and not known:
        return Trailing(name, value, span, default=True)
    if name in words:
        ctx.scope.fail(
            "NET105",
            f"`{name}` is both a word of `{signature.name}` and a parameter",
            span,
            help=(f"`({name})` means the parameter; rename the parameter to mean the word",),
        )
        return None
    key = next((key for key, param in signature.params.items() if name in (*param.kind.words(), key)), None)
    if name and not known and key is None and words:
        help = did_you_mean(name, [*words, *ctx.scope.names()])
        message = f"`{signature.name}` does not know the word `{name}`, and no parameter has that name"
        ctx.scope.fail("NET104", message, span, help=help)
        return None
    try:
        held = None if name and not known else evaluate(value, ctx.scope)
    except Poison:
        return None
    if isinstance(held, Word) and held in words:
        return Trailing(held, value, span, default=True)
    option = "l2=1e-4" if key is None else f"{key}={'true' if key == name else name}"
    takes = "options as `key=value`" + (", and words such as `bn relu`" if words else " only")
    ctx.scope.fail(
        "NET107", f"`default` takes {takes}", span, help=(f"for example `default {signature.name} {option}`",)
    )
    return None


def _option(signature: Signature, argument: Keyword, ctx: Context) -> Option | None:
    param = signature.params.get(argument.key)
    if param is None:
        ctx.scope.fail(
            "NET102",
            f"`{signature.name}` has no option `{argument.key}`",
            argument.key_span,
            help=did_you_mean(argument.key, signature.params, (f"it has: {', '.join(signature.params)}",)),
        )
        return None
    value = argument.value
    if isinstance(param.kind, Operand):
        ctx.scope.fail(
            "NET107",
            f"`{param.key}` of `{signature.name}` names a tensor, which `default` cannot do for others",
            argument.span,
            help=(f"write `{param.key}=` at each `{signature.name}`",),
        )
        return None
    try:
        if isinstance(value, Size):
            computed: object = size_value(value, ctx.scope)
        elif isinstance(value, Reference) and value.name in param.kind.words():
            computed = Word(value.name)
            value = Literal(computed, value.span)  # whatever else has that name
        else:
            computed = evaluate(value, ctx.scope)
        param.kind.accept(computed, 0)  # an input of another rank may follow
    except Poison:
        return None
    except Refused as error:
        ctx.scope.fail(error.code, f"`{param.name}` of `{signature.name}`: {error}", argument.span)
        return None
    return Option(computed, value, argument.span, ctx.scope)  # type: ignore[arg-type]


def run_use(state: State, statement: Operation, ctx: Context) -> None:
    """`use "blocks.net"`: bring another file's definitions in."""
    if not (_top_level(statement, ctx) and _bare(statement, ctx)):
        return
    values = [argument.value for argument in statement.arguments if isinstance(argument, Positional)]
    if (
        len(statement.arguments) != 1
        or not values
        or not isinstance(values[0], Literal)
        or not isinstance(values[0].value, str)
    ):
        ctx.scope.fail("NET108", '`use` takes the path of one file, in quotes: `use "blocks.net"`', head(statement))
        return
    _include(state, values[0].value, values[0].span, ctx)


def _include(state: State, target: str, span: Span, ctx: Context) -> None:
    """Bring the definitions of another file into this one."""
    found = state.includes.open(target, span)
    if found is None:
        return
    path, source = found
    file = parse(source, state.limits, state.report)
    space = Namespace(below=definitions_of(file))
    scope = Scope({}, state.report, state.limits)
    inner = Context(state.net, scope, Names(""), Labels(), {}, space, 0, top=True)
    state.includes.stack.append(path)
    for position, statement in enumerate(file.statements):
        inner.position = position
        brings = isinstance(statement, Definition)
        if brings or (isinstance(statement, Operation) and statement.name in ("use", "default")):
            state.table[type(statement)](state, statement, inner)
    state.includes.stack.pop()
    for name, known in space.known.items():
        if name in ctx.namespace.known:
            ctx.scope.fail("NET113", f"`{name}`, from {target!r}, is defined already", span)
        else:
            ctx.namespace.bring(name, known, ctx.position)


def run_section(state: State, statement: Operation, ctx: Context) -> None:
    """`data` and `train`: kept, and resolved when the network is complete."""
    if _top_level(statement, ctx):
        state.sections.append(statement)


SPECIAL: dict[str, Special] = {
    "net": run_net,
    "from": run_from,
    "identity": run_identity,
    "output": run_output,
    "default": run_default,
    "use": run_use,
    "data": run_section,
    "train": run_section,
}
assert SPECIAL.keys() == NAMELESS
