"""From the statements of the sections to typed settings."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

from netc.diagnostics.model import Diagnostics, Frame, Label
from netc.layers import LAYERS
from netc.lower.bind import bind
from netc.lower.evaluate import Poison, Scope, boolean, evaluate
from netc.params import Refused, declared
from netc.sections.base import Name, Setting
from netc.sections.conflicts import conflicts
from netc.sections.data_sets import DATA_SETS, DataSet
from netc.sections.metrics import METRICS
from netc.sections.model import Data, Line, Sections, Train
from netc.sections.settings import FAMILIES, METRICS_LINE, SECTIONS, lines
from netc.suggest import did_you_mean, nearest
from netc.syntax.source import Span
from netc.syntax.tree import Argument, If, Keyword, Literal, Lost, Operation, Positional, Reference, Size, Statement
from netc.values import Word, kind_of, show

S = TypeVar("S", bound=Setting)
EXAMPLES = {"loss": "loss categorical_crossentropy", "optimizer": "optimizer momentum lr=0.1"}
RANK = 2  # what data sets hold are images


def resolve(operations: Sequence[Operation], scope: Scope, report: Diagnostics, frame: Frame | None = None) -> Sections:
    """The sections of a file, from its `data` and `train` statements; what is wrong with them is reported."""
    found: dict[str, Data | Train] = {}
    places: dict[str, Operation] = {}
    for operation in operations:
        first = places.setdefault(operation.name, operation)
        if first is not operation:
            _duplicate(operation.name, operation.name_span, first.name_span, report, frame)
            continue
        reader = _Reader(operation, scope, report, frame)
        section = reader.data() if operation.name == "data" else reader.train()
        found[operation.name] = section
    data, train = found.get("data"), found.get("train")
    assert not isinstance(data, Train)
    assert not isinstance(train, Data)
    sections = Sections(data, train)
    for conflict in conflicts(sections):
        conflict.add_to(report, frame)
    return sections


def _duplicate(name: str, span: Span, first: Span, report: Diagnostics, frame: Frame | None) -> None:
    report.add(
        "NET403",
        f"`{name}` stands here a second time",
        span,
        secondary=(Label(first, "first here"),),
        help=("keep one of them",),
        frame=frame,
    )


class _Reader:
    """Reads one section."""

    def __init__(self, operation: Operation, scope: Scope, report: Diagnostics, frame: Frame | None) -> None:
        self.operation = operation
        self.section = operation.name
        self.scope = scope
        self.report = report
        self.frame = frame
        self.lines: list[Line[Any]] = []
        self.present: set[str] = set()  # first words of lines, of wrong ones too
        self.once: dict[str, Operation] = {}  # lines that may stand once
        self.complete = True

    def fail(self, code: str, message: str, span: Span, help: Iterable[str] = ()) -> Poison:
        self.report.add(code, message, span, help=help, frame=self.frame)
        self.complete = False
        return Poison()

    # -- sections --------------------------------------------------------------------------------------------

    def data(self) -> Data:
        """`data NAME|"path" { ... }`"""
        source, place = self._source()
        self._body()
        return Data(self.operation.span, self.lines, self.complete, source, place)

    def train(self) -> Train:
        """`train { ... }`"""
        if self.operation.arguments:
            self.fail("NET107", "`train` takes nothing but braces", self.operation.arguments[0].span)
        self._body()
        for word, needed in (("loss", "a `loss`"), ("optimizer", "an `optimizer`")):
            if word not in self.present:
                self.fail(
                    "NET409",
                    f"`train` needs {needed}",
                    self.operation.name_span,
                    (f"for example `{EXAMPLES[word]}`",),
                )
        return Train(self.operation.span, self.lines, self.complete)

    def _source(self) -> tuple[DataSet | str | None, Span]:
        arguments = self.operation.arguments
        if not arguments:
            return None, self.operation.name_span
        wrong = next((extra for index, extra in enumerate(arguments) if index or isinstance(extra, Keyword)), None)
        if wrong is not None:
            self.fail("NET107", "`data` takes a name or a path; what else there is to say stands in braces", wrong.span)
            return None, arguments[0].span
        try:
            return self._named_or_path(arguments[0]), arguments[0].span
        except Poison:
            self.complete = False
            return None, arguments[0].span

    def _named_or_path(self, argument: Argument) -> DataSet | str:
        expr = argument.value
        names = isinstance(expr, Reference) and (expr.name in DATA_SETS or not self.scope.knows(expr.name))
        value = None if names or isinstance(expr, Size) else evaluate(expr, self.scope)
        if isinstance(value, str) and not isinstance(value, Word):
            return value
        return DATA_SETS[self._chosen(argument, DATA_SETS, "data set")]

    # -- statements ------------------------------------------------------------------------------------------

    def _body(self) -> None:
        for branch in self.operation.branches:
            self.fail("NET126", f"`{self.section}` has no branches", branch.span)
        if self.operation.label is not None:
            self.fail("NET117", f"`{self.section}` takes no label", self.operation.label.span)
        if self.operation.block is not None:
            self._statements(self.operation.block.statements)

    def _statements(self, statements: Iterable[Statement]) -> None:
        for statement in statements:
            try:
                if isinstance(statement, If):
                    self._if(statement)
                elif isinstance(statement, Operation):
                    self._line(statement)
                elif isinstance(statement, Lost):  # what it may have said is not missing
                    self.present.update(statement.span.text.split())
                    raise Poison
                else:
                    raise self.fail("NET117", f"`{self.section}` holds settings and `if` only", statement.span)
            except Poison:
                self.complete = False

    def _if(self, statement: If) -> None:
        try:
            taken = (arm for arm in statement.arms if arm.condition is None or boolean(arm.condition, self.scope))
            arm = next(taken, None)
        except Poison:  # what an arm of unknown fate says is not missing
            self.present.update(
                line.name for arm in statement.arms for line in arm.body.statements if isinstance(line, Operation)
            )
            raise
        if arm is not None:
            self._statements(arm.body.statements)

    def _line(self, operation: Operation) -> None:
        word = operation.name
        if operation.label is not None:
            self.present.add(operation.label.text)
            raise self.fail("NET117", f"a line of `{self.section}` takes no label", operation.label.span)
        if operation.block is not None or operation.branches:
            place = operation.block or operation.branches[0]
            raise self.fail("NET126", f"`{word}` takes nothing in braces", place.span)
        if word not in lines(self.section):
            raise self._unknown(operation)
        self.present.add(word)
        if word == METRICS_LINE:
            self._metrics(operation)
        elif word in SECTIONS[self.section]:
            self._add(SECTIONS[self.section][word], operation, operation.arguments)
        else:
            if word == "optimizer":
                self._once(word, operation)
            chosen = FAMILIES[word][self._chosen(self._first(operation), FAMILIES[word], word)]
            self._add(chosen, operation, operation.arguments[1:])

    def _unknown(self, operation: Operation) -> Poison:
        known = lines(self.section)
        self.present.add(nearest(operation.name, known) or "")  # the line that was meant is not missing
        other = "train" if self.section == "data" else "data"
        help: Iterable[str]
        if operation.name in lines(other):
            help = (f"it is a setting of `{other}`",)
        elif operation.name in LAYERS:
            help = (f"`{operation.name}` is an operation: it stands among the layers, above `{self.section}`",)
        else:
            takes = f"`{self.section}` takes " + ", ".join(f"`{word}`" for word in known)
            help = did_you_mean(operation.name, known, (takes,))
        return self.fail("NET401", f"`{self.section}` has no setting `{operation.name}`", operation.name_span, help)

    def _first(self, operation: Operation) -> Argument:
        """The argument that says which loss, optimizer or the like."""
        if operation.arguments:
            return operation.arguments[0]
        names = METRICS if operation.name == METRICS_LINE else FAMILIES[operation.name]
        raise self.fail(
            "NET106", f"`{operation.name}` needs a name", operation.name_span, (f"one of {_listed(names)}",)
        )

    def _metrics(self, operation: Operation) -> None:
        """`metrics accuracy topk=5`: a word a metric, or its first parameter after `=`."""
        self._first(operation)
        for argument in operation.arguments:
            try:
                self._metric(operation, argument)
            except Poison:
                self.complete = False

    def _metric(self, operation: Operation, argument: Argument) -> None:
        given: tuple[Argument, ...] = ()
        if isinstance(argument, Positional):
            chosen = METRICS[self._chosen(argument, METRICS, "metric")]
        else:
            chosen = METRICS[self._known(argument.key, METRICS, "metric", argument.key_span)]
            given = (Positional(argument.value, argument.span),)
        line = self._bound(chosen, operation, given)
        self.lines.append(Line(line.value, argument.span, line.spans, line.written))

    # -- lines -----------------------------------------------------------------------------------------------

    def _add(self, chosen: type[Setting], operation: Operation, arguments: Sequence[Argument]) -> None:
        if not chosen.repeatable:
            self._once(chosen.name, operation)
        self.lines.append(self._bound(chosen, operation, arguments))

    def _once(self, key: str, operation: Operation) -> None:
        first = self.once.setdefault(key, operation)
        if first is not operation:
            _duplicate(key, operation.name_span, first.name_span, self.report, self.frame)
            raise Poison

    def _bound(self, chosen: type[S], operation: Operation, arguments: Sequence[Argument]) -> Line[S]:
        for argument in arguments:
            if isinstance(argument, Keyword):
                self._refused(chosen, argument)
        bound = bind(
            chosen.signature(chosen.name), operation, self.scope, RANK, arguments=list(_quoted(chosen, arguments))
        )
        line = Line(chosen(**bound.values), operation.span, bound.spans, bound.written)
        try:
            line.value.validate()
        except Refused as error:
            raise self.fail(error.code, error.message, line.at(error.param), error.help) from None
        return line

    def _refused(self, chosen: type[Setting], argument: Keyword) -> None:
        for code, keys in (("NET102", chosen.misnamed), ("NET407", chosen.refused)):
            if argument.key in keys:
                message = f"`{chosen.name}` takes no `{argument.key}`"
                raise self.fail(code, message, argument.key_span, (keys[argument.key],))

    # -- choosing by name ------------------------------------------------------------------------------------

    def _chosen(self, argument: Argument, known: Mapping[str, Any], what: str) -> str:
        """The name that the first word of a line chooses; a parameter may hold it."""
        expr = argument.value
        if isinstance(argument, Keyword) or isinstance(expr, Size):
            raise self.fail("NET108", f"expected the name of a {what}", argument.span, (f"one of {_listed(known)}",))
        if isinstance(expr, Reference) and not self.scope.knows(expr.name):
            return self._known(expr.name, known, what, expr.span)
        if isinstance(expr, Reference) and expr.name in known:
            raise self.fail(
                "NET105",
                f"`{expr.name}` is both a {what} and a parameter",
                expr.span,
                (f"`({expr.name})` means the parameter; rename the parameter to mean the {what}",),
            )
        value = evaluate(expr, self.scope)
        if not isinstance(value, str):
            raise self.fail("NET108", f"expected the name of a {what}, got {kind_of(value)}: {show(value)}", expr.span)
        return self._known(value, known, what, expr.span)

    def _known(self, name: str, known: Mapping[str, Any], what: str, span: Span) -> str:
        if name in known:
            return name
        path = (f'a folder or a file is a string: `data "{name}"`',) if known is DATA_SETS else ()
        help = did_you_mean(name, known, path or (f"one of {_listed(known)}",))
        raise self.fail("NET402", f"there is no {what} `{name}`", span, help)


def bare_names(section: str, operation: Operation) -> Iterator[Reference]:
    """The names in a line of a section that are no parameters and no words: labels, outputs, monitored quantities."""
    word, arguments = operation.name, operation.arguments
    chosen = [SECTIONS[section][word]] if word in SECTIONS[section] else []
    first = arguments[0].value if arguments else None
    if word in FAMILIES and isinstance(first, Reference) and first.name in FAMILIES[word]:
        chosen, arguments = [FAMILIES[word][first.name]], arguments[1:]
    for cls in chosen:
        for argument, quoted in zip(arguments, _quoted(cls, arguments), strict=True):
            if quoted is not argument and isinstance(argument.value, Reference):
                yield argument.value


def _listed(known: Mapping[str, Any]) -> str:
    """Canonical names, for help."""
    return ", ".join(f"`{name}`" for name in dict.fromkeys(choice.name for choice in known.values()))


def _quoted(chosen: type[Setting], arguments: Iterable[Argument]) -> Iterator[Argument]:
    """Arguments whose bare names are labels and the like as words, so that no parameter or word is looked for."""
    params = declared(chosen)
    named = {name for name, parameter in params.items() if isinstance(parameter.kind, Name)}
    positional = named.intersection(chosen.positional)
    for argument in arguments:
        value = argument.value
        if not isinstance(value, Reference):
            yield argument
        elif isinstance(argument, Keyword) and argument.key in named:
            yield Keyword(argument.key, Literal(Word(value.name), value.span), argument.key_span, argument.span)
        elif isinstance(argument, Positional) and positional:
            yield Positional(Literal(Word(value.name), value.span), argument.span)
        else:
            yield argument
