"""What is known while statements run: of the file (`State`), and of the body they stand in (`Context`)."""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Callable, Iterable, Iterator, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from functools import cached_property
from itertools import chain, count
from typing import Any, NoReturn

from netc.diagnostics.model import MOST, Diagnostics, Edit, Fix, Frame
from netc.ir.net import Net, Node
from netc.ir.shape import Shape
from netc.layers.base import Weight
from netc.limits import Limits
from netc.lower.definitions import AllDefaults, Includes, Namespace, Texts
from netc.lower.evaluate import Scope
from netc.lower.expansion import Body, Step
from netc.lower.expected import Amount, Expected
from netc.lower.names import Names, network_name
from netc.lower.walk import LONG, head_length, labels_in, mentions, nested
from netc.suggest import did_you_mean
from netc.syntax.source import Span
from netc.syntax.tree import Definition, File, Operation, Repeat, Starred, Statement
from netc.values import Value


class Broken(Enum):
    """The tensor after an error: what reads it is checked as far as that goes without a shape."""

    TENSOR = "broken"


BROKEN = Broken.TENSOR
Current = str | Broken | None  # a node, a broken tensor, or nothing before any input


class Stop(Exception):
    """A bound on the whole expansion was hit and reported: nothing more is expanded."""


# -- the body --------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Mark:
    """A label: the node it names, where it stands, and whether it is there on every path. One that a `repeat` carries
    on is used wherever that which stood `first` is."""

    node: Current
    span: Span
    everywhere: bool = True
    carries: Span | None = None

    @property
    def first(self) -> Span:
        """Where the label stood first."""
        return self.carries or self.span


@dataclass(slots=True)
class Labels:
    """The labels of a body, a pass of a `repeat` or an arm of an `if`, over those around it. `passes` has all that each
    label named in passes."""

    outer: Labels | None = None
    of_pass: bool = False
    marks: dict[str, Mark] = field(default_factory=dict)
    passes: dict[str, list[Mark]] = field(default_factory=dict)

    def _chain(self) -> Iterator[Labels]:
        labels: Labels | None = self
        while labels is not None:
            yield labels
            labels = labels.outer

    def find(self, name: str) -> Mark | None:
        """A label of this body, or of the one around."""
        return next((labels.marks[name] for labels in self._chain() if name in labels.marks), None)

    def here(self, name: str) -> Mark | None:
        """A label of this pass, or where there is none of this body."""
        for labels in self._chain():
            if name in labels.marks or labels.of_pass:
                return labels.marks.get(name)
        return None

    def names(self) -> Iterator[str]:
        """All labels in sight."""
        for labels in self._chain():
            yield from labels.marks

    def put(self, name: str, mark: Mark) -> None:
        """Let a label name something from here on."""
        earlier = self.find(name)
        if earlier is not None and earlier.everywhere:
            mark.carries = earlier.first
        self.marks[name] = mark
        if any(labels.of_pass for labels in self._chain()):
            self.passes.setdefault(name, []).append(mark)

    def carry(self, inner: Labels) -> None:
        """Go on after a pass: what stands around the `repeat` and was set again is now what it was set to."""
        for name, mark in inner.marks.items():
            earlier = self.find(name)
            if earlier is not None and earlier.everywhere and mark.everywhere:
                self.marks[name] = mark
        self.collect(inner)

    def collect(self, inner: Labels) -> None:
        """Take over what labels named in passes."""
        for name, marks in inner.passes.items():
            self.passes.setdefault(name, []).extend(marks)

    def all_passes(self, name: str) -> list[Mark] | None:
        """What a label named in all passes so far, in order; None where no `repeat` above has it."""
        found = [labels.passes[name] for labels in self._chain() if name in labels.passes]
        return [mark for marks in reversed(found) for mark in marks] if found else None

    def passing(self) -> Iterator[str]:
        """The labels of passes."""
        for labels in self._chain():
            yield from labels.passes

    def named(self, names: Iterable[str]) -> dict[str, str]:
        """The nodes that some labels name, those in sight."""
        found = ((name, self.find(name)) for name in names)
        return {name: mark.node for name, mark in found if mark is not None and isinstance(mark.node, str)}

    def nodes(self) -> dict[str, str]:
        """The nodes that they name here, without what stands around."""
        return {name: mark.node for name, mark in self.marks.items() if isinstance(mark.node, str)}


Made = tuple[Node, tuple[Weight, ...]]  # a layer with the weights that it was made with


@dataclass(slots=True)
class Sharing:
    """How a call of a `shared def` relates to the weights: the first call records its nodes, later ones follow.

    `prefixes` are those of the names that the first call and this one make.
    """

    record: list[Made]
    follow: Iterator[Made] | None = None
    prefixes: tuple[str, str] = ("", "")

    def matches(self, first: Node, node: Node) -> bool:
        """Whether a node is of the same statement as one of the first call."""
        names = (one.name.partition("~")[0] for one in (first, node))
        one, other = (name.removeprefix(prefix) for name, prefix in zip(names, self.prefixes, strict=True))
        return first.layer == node.layer and one == other


@dataclass(slots=True)
class Context:
    """The state of one body while its statements run. `copy` is (pass, passes) directly inside a `repeat`."""

    net: Net
    scope: Scope
    names: Names
    labels: Labels
    defaults: AllDefaults
    namespace: Namespace
    position: int
    frame: Frame | None = None
    current: Current = None
    top: bool = False  # directly in the file
    outermost: bool = False  # directly in the file, or in an `if` that is
    shipped: bool = False
    repeated: bool = False  # inside an unlabelled `repeat` of this body
    copy: tuple[int, int] | None = None
    sharing: tuple[Sharing, ...] = ()
    handed: bool = False  # in the body of a definition that is handed tensors

    @property
    def node(self) -> str | None:
        """The node that holds the current tensor."""
        return self.current if isinstance(self.current, str) else None

    def move(self, current: Current) -> None:
        """Make another tensor the current one."""
        self.current = current
        self.scope.broken = current is BROKEN
        self.scope.shape = self.net.shapes[current] if isinstance(current, str) else None


# -- the file --------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class FirstCall:
    """The first call of a `shared def`: the shapes of the current tensor and of those that it was handed, its
    arguments, and the nodes that it made; whether the definition names sizes of maps."""

    shapes: list[Shape | Broken | None]
    arguments: Mapping[str, Value]
    made: list[Made]
    span: Span
    reads_sizes: bool


Table = Mapping[type, Callable[[Any, Any, Context], Step | None]]  # how each kind of statement runs


class State:
    """One expansion of a file. `table` says how each kind of statement runs, given this, the statement, its context."""

    def __init__(
        self,
        file: File,
        overrides: Mapping[str, Value],
        limits: Limits,
        report: Diagnostics,
        table: Table,
        *,
        speculate: bool,
        texts: Texts | None = None,
    ) -> None:
        self.file = file
        self.limits = limits
        self.report = report
        self.table = table
        self.speculate = speculate
        # What the file says.
        self.net = Net(network_name(file.source.name))
        self.named = False
        self.outputs: list[str] | None = None
        self.sections: list[Operation] = []
        self.overrides = dict(overrides)
        self.parameters: dict[str, Value | None] = {}
        self.includes = Includes.start(file.source, report, limits, texts)
        # What ran beside the network, and what was never made.
        self.ghosts = Net("ghosts")
        self.called: dict[str, Definition] = {}
        self.shared: MutableMapping[int, FirstCall] = {}
        self.reserved: dict[str, Span] = {}  # names of layers that could not be made
        self.lost: set[str] = set()  # the words of statements that could not be read
        # What is used.
        self.marks: list[tuple[str, Mark]] = []
        self.read_labels: set[Span] = set()
        self.mentioned: set[str] = set()  # names in statements that do not run, which count as used
        self._labels_in: dict[int, Iterable[str]] = {}
        self.labels_of_arms: dict[int, tuple[set[str], set[str]]] = {}
        # How much it is.
        self.steps = 0
        self.weights = 0
        self.expected = Expected(limits)
        self._steps_aside = 0
        self._passed_over: dict[int, int] = {}  # how many statements there are in one of these
        self._most = len(report) + MOST
        self._level = 0
        self._aside = 0

    # -- running ---------------------------------------------------------------------------------------------

    def run(self, statements: Iterable[Statement], ctx: Context) -> Body:
        """Run statements one after the other on the current tensor."""
        body = Body([], ctx.scope.shape, None)
        self._level += 1
        for statement in statements:
            if self._level > self.limits.nesting + 1:
                self._too_deep(statement.span, ctx)
                break
            self._tick(statement, ctx)
            if self._label_is_taken(statement, ctx):
                ctx.move(BROKEN)
                continue
            step = self.table[type(statement)](self, statement, ctx)
            if step is not None:
                body.steps.append(step)
            self._label(statement, ctx)
        self._level -= 1
        body.result = ctx.node
        return body

    def run_aside(self, statements: Sequence[Statement], ctx: Context) -> Body | None:
        """Expand statements that do not run, on the scratch network, so that emitted code can show them.

        None where that leads to errors. Nothing else of the expansion changes.
        """
        if ctx.node is None:
            return None
        scratch = Diagnostics()
        names = Names(ctx.names.prefix, dict(ctx.names.counts))
        scope = replace(ctx.scope, report=scratch)
        inner = replace(
            ctx, net=self.ghosts, scope=scope, names=names, labels=Labels(ctx.labels), sharing=(), top=False
        )
        kept = self.shared, len(self.marks), self.weights, self.outputs, self._level
        outside = ctx.net is not self.ghosts
        if outside:  # what is expanded aside has a bound of its own
            self.steps, self._steps_aside = self._steps_aside, self.steps
        self._aside += 1
        self.shared = ChainMap({}, self.shared)
        self.outputs = None  # an arm may name outputs of its own
        self._localise(ctx.node, inner)
        inner.move(ctx.current)
        try:
            body = self.run(statements, inner)
        except Stop:
            body = None
        if outside:
            self.steps, self._steps_aside = self._steps_aside, self.steps
        self.shared, marks, self.weights, self.outputs, self._level = kept
        del self.marks[marks:]
        if body is None or scratch.failed or inner.current is BROKEN:
            return None
        body.ghost, body.labels = True, inner.labels.nodes()
        return body

    def pass_over(self, statements: Sequence[Statement], span: Span, ctx: Context) -> None:
        """Count statements that do not run, which is work too, and note every name in them as used."""
        number = self._passed_over.get(id(statements))
        if number is None:
            number = self._passed_over[id(statements)] = sum(1 for _ in nested(statements))
            self.mentioned.update(mentions(statements))
        self._work(number, span, ctx)

    # -- labels and names ------------------------------------------------------------------------------------

    def _label_is_taken(self, statement: Statement, ctx: Context) -> bool:
        """Whether a statement's label names something else already, which is reported."""
        label = statement.label if isinstance(statement, Operation | Repeat) else None
        earlier = None if label is None else ctx.labels.here(label.text)
        if label is None or earlier is None or not earlier.everywhere:
            return False
        ctx.scope.fail("NET113", f"the label `{label.text}` is used already, at line {earlier.span.line}", label.span)
        return True

    def _label(self, statement: Statement, ctx: Context) -> None:
        """Let a statement's label name its result."""
        if not isinstance(statement, Operation | Repeat) or statement.label is None:
            return
        mark = Mark(ctx.current, statement.label.span)
        ctx.labels.put(statement.label.text, mark)
        if isinstance(statement, Operation) and statement.name != "input":  # that of a `repeat` names its passes
            self.marks.append((statement.label.text, mark))

    def use_label(self, name: str, span: Span, ctx: Context) -> Current:
        """The tensor that a label names; None after reporting that there is none."""
        mark = ctx.labels.find(name)
        if mark is None:
            below = ctx.frame is None and name in self._labels_of_file
            message = f"the label `{name}` stands below" if below else f"there is no label `{name}` here"
            notes = () if below else ("labels belong to the file, the definition or the pass they stand in",)
            help, fix = (did_you_mean(name, ctx.labels.names()), None) if below else self._unlabelled(name, span, ctx)
            ctx.scope.report.add(
                "NET115" if below else "NET114", message, span, notes=notes, help=help, fix=fix, frame=ctx.frame
            )
            return None
        self.read_labels.add(mark.first)
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

    def _unlabelled(self, name: str, span: Span, ctx: Context) -> tuple[Iterable[str], Fix | None]:
        """Help for what is no label: it may be the name that netc gives a layer, whose statement can have a label."""
        if name not in ctx.net or ctx.frame is not None:
            otherwise = ("a label is a word before a statement: `skip: conv 64x3 relu`",)
            return did_you_mean(name, ctx.labels.names(), otherwise), None
        place = ctx.net.node(name).origin.span
        written = place.text if len(place.text) <= 40 else f"{place.text.split()[0]} ..."
        words = chain(("skip",), (f"skip{number}" for number in count(2)))
        label = next(word for word in words if ctx.labels.find(word) is None)
        help = f"`{name}` is the name of the layer at line {place.line}: give it a label, `{label}: {written}`"
        before = place.source.text[place.source.text.rfind("\n", 0, place.start) + 1 : place.start].rstrip()
        if place.source is not span.source or (before and before[-1] not in ";{|"):
            return (help,), None
        edits = Edit(Span(place.source, place.start, place.start), f"{label}: "), Edit(span, label)
        return (help,), Fix(f"write `{label}: {written}`, and `{label}` here", edits)

    def use_passes(self, label: Starred, ctx: Context) -> list[Current] | None:
        """The tensors that a label named in all passes so far; None after reporting that there is no such label."""
        marks = ctx.labels.all_passes(label.name)
        if marks is None:
            help = [*did_you_mean(label.name, ctx.labels.passing())]
            if ctx.labels.find(label.name) is not None:
                help.append(f"`{label.name}` alone is what stands above")
            message = f"no `repeat` above has the label `{label.name}` in its passes"
            ctx.scope.fail("NET114", message, label.span, help=help)
            return None
        self._work(len(marks), label.span, ctx)
        self.read_labels.update(mark.first for mark in marks)
        for mark in marks:
            if isinstance(mark.node, str):
                self._localise(mark.node, ctx)
        return [mark.node for mark in marks]

    def labels_in(self, statement: Repeat) -> Iterable[str]:
        """The labels in the passes of a `repeat`."""
        found = self._labels_in.get(id(statement))
        if found is None:
            found = self._labels_in[id(statement)] = labels_in(statement.body.statements)
        return found

    @cached_property
    def _labels_of_file(self) -> set[str]:
        return {s.label.text for s in self.file.statements if isinstance(s, Operation | Repeat) and s.label}

    def unique(self, name: str, ctx: Context) -> str:
        """A name for a node that the network does not have yet."""
        return f"{name}~{self._aside}" if ctx.net is self.ghosts else name

    def _localise(self, name: str, ctx: Context) -> None:
        """Let the scratch network know a real node that something in it reads."""
        if ctx.net is self.ghosts and name not in self.ghosts:
            self.ghosts.add(self.net.node(name), (), self.net.shapes[name])

    # -- bounds ----------------------------------------------------------------------------------------------

    def over(self, code: str, message: str, limit: str, value: int, span: Span, ctx: Context) -> Stop:
        """Report what a `--limit` of that value would let pass."""
        ctx.scope.fail(code, message, span, help=(f"raise the bound with `--limit {limit}={value}`",))
        return Stop()

    def expect(self, amount: Amount, span: Span, ctx: Context) -> None:
        """Report what is sure to pass a bound before it runs, and stop."""
        if len(ctx.net) + amount.layers > self.limits.layers:
            self.too_many_layers(span, ctx)
        if self.steps + amount.steps > self.limits.steps:
            self._too_many_steps(span, ctx)

    def _tick(self, statement: Statement, ctx: Context) -> None:
        long = statement.span.end - statement.span.start >= LONG  # most are not, and a block does not count
        self._work(1 + head_length(statement) // LONG if long else 1, statement.span, ctx)
        if len(self.report) >= self._most:
            *_, last = self.report
            last.notes += (f"this is the last of {MOST} findings, what stands below was not run",)
            raise Stop

    def _work(self, steps: int, span: Span, ctx: Context) -> None:
        self.steps += steps
        if self.steps > self.limits.steps:
            self._too_many_steps(span, ctx)

    def _too_many_steps(self, span: Span, ctx: Context) -> NoReturn:
        steps = self.limits.steps
        raise self.over("NET608", f"more than {steps} statements would run", "steps", steps * 10, span, ctx)

    def too_many_layers(self, span: Span, ctx: Context) -> NoReturn:
        """Report that the network would have more layers than it may."""
        layers = self.limits.layers
        raise self.over("NET604", f"the network has more than {layers:,} layers", "layers", layers * 10, span, ctx)

    def _too_deep(self, span: Span, ctx: Context) -> None:
        nesting = self.limits.nesting
        message = f"more than {nesting} definitions and blocks are being expanded inside each other"
        self.over("NET602", message, "nesting", nesting * 2, span, ctx)
        ctx.move(BROKEN)


# -- what several kinds of statements ask ------------------------------------------------------------------------


def head(statement: Operation) -> Span:
    """The words of an operation, without its label and its braces."""
    last = statement.arguments[-1].span if statement.arguments else statement.name_span
    return statement.name_span.to(last)


def braceless(statement: Operation, ctx: Context, what: str = "") -> bool:
    """Whether an operation has nothing in braces; reports what it has."""
    place = statement.block or next(iter(statement.branches), None)
    if place is None:
        return True
    ctx.scope.fail("NET126", f"`{statement.name}` {what}takes nothing in braces", place.span)
    return False


def run_branches(state: State, statement: Operation, ctx: Context) -> tuple[list[Body], list[Current]]:
    """Run every branch on the current tensor: what ran, and the tensors that come of it."""
    source, results, bodies = ctx.current, [], []
    defaults, top, outermost = ctx.defaults, ctx.top, ctx.outermost
    ctx.top = ctx.outermost = False
    for branch in statement.branches:
        ctx.move(source)
        bodies.append(state.run(branch.statements, ctx))
        ctx.defaults = defaults
        results.append(ctx.current)
    ctx.top, ctx.outermost = top, outermost
    return bodies, results
