"""Runs the statements of a file from top to bottom, which makes the network and the tree of what ran."""

from __future__ import annotations

import re
from collections import ChainMap
from collections.abc import Iterable, Mapping, MutableMapping, Sequence
from dataclasses import replace
from functools import cached_property

from netc.diagnostics.model import MOST, Diagnostics
from netc.ir.net import Net, Node
from netc.ir.shape import Shape, elements, show_shape
from netc.layers import LAYERS
from netc.limits import Limits
from netc.lower import bounds
from netc.lower.bounds import Stop
from netc.lower.context import BROKEN, Context, Current, Labels, Mark
from netc.lower.definitions import Includes, Known, Namespace, shipped, shipped_names
from netc.lower.evaluate import Poison, Scope, evaluate
from netc.lower.expansion import Body, Step
from netc.lower.expected import Expected
from netc.lower.flow import FirstCall, run_call, run_if, run_repeat
from netc.lower.layers import run_branches, run_layer
from netc.lower.names import Names, network_name
from netc.lower.special import SPECIAL
from netc.lower.walk import LONG, head_length, mentions, size
from netc.suggest import did_you_mean
from netc.syntax.parser import parse
from netc.syntax.source import Span
from netc.syntax.tree import Definition, File, If, Lost, Operation, Parameter, Repeat, Statement
from netc.values import Value, kind_of, show


class Expander:
    """One expansion. The functions of `layers`, `flow` and `special` run the statements and share this state."""

    def __init__(self, file: File, overrides: Mapping[str, Value], limits: Limits, report: Diagnostics) -> None:
        self.file = file
        self.overrides = dict(overrides)
        self.limits = limits
        self.report = report
        self.speculate = False
        self.named = False
        self.lost: set[str] = set()  # the words of statements that could not be read
        self.net = Net(network_name(file.source.name))
        self.reserved: dict[str, Span] = {}  # names of layers that could not be made
        self.ghosts = Net("ghosts")
        self.outputs: list[str] | None = None
        self.sections: list[Operation] = []
        self.shared: MutableMapping[int, FirstCall] = {}
        self.called: dict[str, Definition] = {}
        self.marks: list[tuple[str, Mark]] = []
        self.read_labels: set[Span] = set()
        self.mentioned: set[str] = set()  # names in statements that do not run, which count as used
        self.labels_of_arms: dict[int, tuple[set[str], set[str]]] = {}
        self._passed_over: dict[int, int] = {}  # how many statements there are in one of these
        self.parameters: dict[str, Value | None] = {}
        self.includes = Includes.start(file.source, report, limits)
        self.steps = 0
        self._steps_aside = 0
        self.expected = Expected(self)
        self._most = len(report) + MOST
        self._weights = 0
        self._level = 0
        self._aside = 0

    def canonical(self, name: str) -> str:
        """The word under which an operation is counted in names."""
        cls = LAYERS.get(name)
        return name if cls is None else cls.op

    # -- running ---------------------------------------------------------------------------------------------

    def run(self, statements: Iterable[Statement], ctx: Context) -> Body:
        """Run statements one after the other on the current tensor."""
        body = Body([], ctx.scope.shape, None)
        self._level += 1
        for statement in statements:
            if self._level > self.limits.nesting + 1:
                bounds.too_deep(self.limits, statement.span, ctx)
                break
            self._tick(statement, ctx)
            if self._label_is_taken(statement, ctx):
                ctx.move(BROKEN)
                continue
            step = self._step(statement, ctx)
            if step is not None:
                body.steps.append(step)
            self._label(statement, ctx)
        self._level -= 1
        body.result = ctx.current if isinstance(ctx.current, str) else None
        return body

    def _tick(self, statement: Statement, ctx: Context) -> None:
        self.work(1 + head_length(statement) // LONG, statement.span, ctx)
        if len(self.report) >= self._most:
            *_, last = self.report
            last.notes += (f"this is the last of {MOST} findings, what stands below was not run",)
            raise Stop

    def work(self, steps: int, span: Span, ctx: Context) -> None:
        """Count steps, and stop where there are too many."""
        self.steps += steps
        if self.steps > self.limits.steps:
            bounds.too_many_steps(self.limits, span, ctx)

    def _step(self, statement: Statement, ctx: Context) -> Step | None:
        if isinstance(statement, Operation):
            return self._operation(statement, ctx)
        if isinstance(statement, Repeat):
            return run_repeat(self, statement, ctx)
        if isinstance(statement, If):
            return run_if(self, statement, ctx)
        if isinstance(statement, Lost):
            self.lost.update(re.findall(r"\w+", statement.span.text), ("",))
            ctx.move(BROKEN)
            return None
        what = "`def`" if isinstance(statement, Definition) else "`param`"
        if not ctx.top:
            ctx.scope.fail("NET117", f"{what} stands at the top level of a file only", statement.name_span)
        elif isinstance(statement, Definition):
            self._define(statement, ctx)
        else:
            self._parameter(statement, ctx)
        return None

    def _operation(self, statement: Operation, ctx: Context) -> Step | None:
        name = statement.name
        special = SPECIAL.get(name)
        if special is not None:
            return special(self, statement, ctx)
        known = ctx.namespace.visible(name, ctx.position)
        if known is None and name in LAYERS:
            return run_layer(self, statement, ctx)
        known = known or (shipped(name) if not self._below(name, ctx) else None)
        if known is None:
            self._unknown(statement, ctx)
            return None
        step = run_call(self, statement, known, ctx)
        self._record(known.definition)
        return step

    def _record(self, definition: Definition) -> None:
        key, number = definition.name, 2
        while self.called.setdefault(key, definition) is not definition:
            key, number = f"{definition.name}~{number}", number + 1

    def _below(self, name: str, ctx: Context) -> Definition | None:
        found = ctx.namespace.below.get(name)
        if found is None and name in ctx.namespace.known:
            found = ctx.namespace.known[name].definition
        return found

    def _unknown(self, statement: Operation, ctx: Context) -> None:
        name, below = statement.name, self._below(statement.name, ctx)
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
            known = [*LAYERS, *SPECIAL, "def", "param", "repeat", *ctx.namespace.known, *shipped_names()]
            ctx.scope.fail(
                "NET101", f"there is no operation `{name}`", statement.name_span, help=did_you_mean(name, known)
            )
        ctx.names.name(statement, repeated=ctx.repeated)
        run_branches(self, statement, ctx)
        ctx.move(BROKEN)

    # -- the top level ---------------------------------------------------------------------------------------

    def _define(self, statement: Definition, ctx: Context) -> None:
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
        if statement.name in SPECIAL:
            ctx.scope.fail(
                "NET124", f"`{statement.name}` is a statement of the language, not a free name", statement.name_span
            )
            return
        if statement.name in LAYERS or shipped(statement.name) is not None:
            kind = "an operation" if statement.name in LAYERS else "a shipped block"
            ctx.scope.report.add("NET510", f"`{statement.name}` hides {kind} of that name", statement.name_span)
        space.bring(statement.name, Known(statement, space, ctx.position, ctx.options), ctx.position)

    def _parameter(self, statement: Parameter, ctx: Context) -> None:
        name = statement.name
        if name in self.parameters:
            ctx.scope.fail("NET113", f"the parameter `{name}` is defined already", statement.name_span)
            return
        ctx.scope.refuse_channels(name, statement.name_span)
        try:
            value: Value | None = evaluate(statement.value, ctx.scope)
        except Poison:
            value = None
        if name in self.overrides:
            value = self._override(statement, value, self.overrides.pop(name), ctx)
        self.parameters[name] = value

    def _override(self, statement: Parameter, default: Value | None, given: Value, ctx: Context) -> Value | None:
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

    def include(self, target: str, span: Span, ctx: Context) -> None:
        """Bring the definitions of another file into this one."""
        found = self.includes.open(target, span)
        if found is None:
            return
        path, source = found
        file = parse(source, self.limits, self.report)
        space = Namespace(below=definitions_of(file))
        scope = Scope({}, self.report, self.limits)
        inner = Context(self.net, scope, Names("", self.canonical), Labels(), {}, space, 0, top=True)
        self.includes.stack.append(path)
        for position, statement in enumerate(file.statements):
            inner.position = position
            brings = isinstance(statement, Definition)
            if brings or (isinstance(statement, Operation) and statement.name in ("use", "default")):
                self._step(statement, inner)
        self.includes.stack.pop()
        for name, known in space.known.items():
            if name in ctx.namespace.known:
                ctx.scope.fail("NET113", f"`{name}`, from {target!r}, is defined already", span)
            else:
                ctx.namespace.bring(name, known, ctx.position)

    # -- labels ----------------------------------------------------------------------------------------------

    def _label_is_taken(self, statement: Statement, ctx: Context) -> bool:
        """Whether a statement's label names something else already, which is reported."""
        label = statement.label if isinstance(statement, Operation | Repeat) else None
        earlier = None if label is None else ctx.labels.find(label.text)
        if label is None or earlier is None or not earlier.everywhere:
            return False
        ctx.scope.fail("NET113", f"the label `{label.text}` is used already, at line {earlier.span.line}", label.span)
        return True

    def _label(self, statement: Statement, ctx: Context) -> None:
        """Let a statement's label name its result."""
        if not isinstance(statement, Operation | Repeat) or statement.label is None:
            return
        mark = Mark(ctx.current, statement.label.span)
        ctx.labels.marks[statement.label.text] = mark
        if isinstance(statement, Operation) and statement.name != "input":  # that of a `repeat` names its passes
            self.marks.append((statement.label.text, mark))

    def use_label(self, name: str, span: Span, ctx: Context) -> Current:
        """The tensor that a label names; None after reporting that there is none."""
        mark = ctx.labels.find(name)
        if mark is None:
            below = ctx.frame is None and name in self._labels_of_file
            message = f"the label `{name}` stands below" if below else f"there is no label `{name}` here"
            notes = () if below else ("labels belong to the file, the definition or the pass they stand in",)
            ctx.scope.report.add(
                "NET115" if below else "NET114",
                message,
                span,
                notes=notes,
                help=did_you_mean(name, ctx.labels.names()),
                frame=ctx.frame,
            )
            return None
        self.read_labels.add(mark.span)
        if not mark.everywhere:
            ctx.scope.fail(
                "NET115",
                f"the label `{name}` is not there on every path: only some arms of an `if` define it",
                span,
                help=("define it in every arm, `else` included",),
            )
            return None
        if isinstance(mark.node, str):
            self._localise(mark.node, ctx)
        return mark.node

    @cached_property
    def _labels_of_file(self) -> set[str]:
        return {s.label.text for s in self.file.statements if isinstance(s, Operation | Repeat) and s.label}

    # -- nodes -----------------------------------------------------------------------------------------------

    def unique(self, name: str, ctx: Context) -> str:
        """A name for a node that the network does not have yet."""
        if ctx.net is self.ghosts:
            return f"{name}~{self._aside}"
        return name

    def reserve(self, name: str, span: Span, ctx: Context) -> None:
        """Keep the name of a layer that could not be made, so that another one of that name is told all the same."""
        if ctx.net is self.net and self._is_new(name, span, ctx):
            self.reserved[name] = span

    def _is_new(self, name: str, span: Span, ctx: Context) -> bool:
        other = ctx.net.node(name).origin.span if name in ctx.net else self.reserved.get(name)
        if other is not None:
            ctx.scope.fail(
                "NET121",
                f"two layers would have the name `{name}`, this one and that of line {other.line}",
                span,
                help=("give one of them another label",),
            )
        return other is None

    def admit(self, node: Node, inputs: Sequence[Shape], shape: Shape, ctx: Context) -> bool:
        """Whether a node may join the network: bounds, names and shared weights; reports what is wrong."""
        span, limits = node.origin.span, self.limits
        if not self._is_new(node.name, span, ctx):
            return False
        count = elements(tuple(dim or 1 for dim in shape)) or 0
        if count > limits.elements:
            message = f"a tensor of {show_shape(shape)} has {count:,} elements: at most {limits.elements:,} are allowed"
            bounds.over("NET605", message, "elements", count, span, ctx)
            return False
        if len(ctx.net) >= limits.layers:
            bounds.too_many_layers(limits, span, ctx)
        if len(node.name) > limits.name:
            message = f"this layer would have a name of more than {limits.name:,} characters"
            ctx.scope.fail("NET609", message, span, help=("names join the labels on the way: give it shorter ones",))
            return False
        for sharing in ctx.sharing:
            if sharing.follow is None:
                sharing.record.append(node)
            elif not self._follow(node, next(sharing.follow, None), ctx):
                return False
        if node.shares is None:
            self._weights += sum(weight.count for weight in node.layer.weights(inputs))
        if self._weights > limits.parameters:
            message = f"the network has more than {limits.parameters:,} parameters"
            raise bounds.over("NET606", message, "parameters", self._weights, span, ctx)
        return True

    def _follow(self, node: Node, first: Node | None, ctx: Context) -> bool:
        if first is None or first.layer != node.layer:
            ctx.scope.fail("NET122", "this call makes other layers than the first one", node.origin.span)
            return False
        node.shares = first.layer_name
        return True

    def pass_over(self, statements: Sequence[Statement], span: Span, ctx: Context) -> None:
        """Count statements that do not run, which is work too, and note every name in them as used."""
        number = self._passed_over.get(id(statements))
        if number is None:
            number = self._passed_over[id(statements)] = size(statements)
            self.mentioned.update(mentions(statements))
        self.work(number, span, ctx)

    # -- speculation -----------------------------------------------------------------------------------------

    def aside(self, statements: Sequence[Statement], ctx: Context) -> Body | None:
        """Expand statements that do not run, on the scratch network, so that emitted code can show them.

        None where that leads to errors. Nothing else of the expansion changes.
        """
        scratch = Diagnostics()
        names = Names(ctx.names.prefix, self.canonical, ChainMap({}, ctx.names.counts))
        scope = replace(ctx.scope, report=scratch)
        inner = replace(
            ctx, net=self.ghosts, scope=scope, names=names, labels=Labels(ctx.labels), sharing=(), top=False
        )
        if not isinstance(ctx.current, str):
            return None
        kept = self.shared, len(self.marks), self._weights, self.outputs, self._level
        outside = ctx.net is not self.ghosts
        if outside:  # what is expanded aside has a bound of its own
            self.steps, self._steps_aside = self._steps_aside, self.steps
        self._aside += 1
        self.shared = ChainMap({}, self.shared)
        self.outputs = None  # an arm may name outputs of its own
        self._localise(ctx.current, inner)
        inner.move(ctx.current)
        try:
            body = self.run(statements, inner)
        except Stop:
            body = None
        if outside:
            self.steps, self._steps_aside = self._steps_aside, self.steps
        self.shared, self._weights, self.outputs, self._level = kept[0], *kept[2:]
        del self.marks[kept[1] :]
        if body is None or scratch.failed or inner.current is BROKEN:
            return None
        body.ghost = True
        return body

    def _localise(self, name: str, ctx: Context) -> None:
        """Let the scratch network know a real node that something in it reads."""
        if ctx.net is self.ghosts and name not in self.ghosts:
            self.ghosts.add(self.net.node(name), (), self.net.shapes[name])


def definitions_of(file: File) -> dict[str, Definition]:
    return {statement.name: statement for statement in file.statements if isinstance(statement, Definition)}
