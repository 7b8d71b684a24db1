"""Every name that a text defines, and where it is used: for editors, comparisons and renaming.

Says of each use what lowering finds there, without running anything: arms that are not taken, bodies that nothing
calls and what can be read of a broken file are in it too. Where lowering reports an unknown name there is no use.
"""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Iterable, Iterator, MutableMapping
from dataclasses import dataclass, field, replace
from typing import Literal as Choice

from netc.diagnostics.model import Diagnostics
from netc.layers import LAYERS
from netc.layers.kinds import Operand
from netc.limits import Limits
from netc.lower.bind import trailing_words
from netc.lower.definitions import Includes, Texts, definitions_of, is_flag, shipped
from netc.lower.names import NAMELESS
from netc.lower.walk import WITH, handed_over, references
from netc.params import Param
from netc.syntax.parser import parse
from netc.syntax.source import Source, Span
from netc.syntax.tree import (
    Definition,
    Expr,
    File,
    If,
    Keyword,
    Literal,
    Operation,
    Parameter,
    Reference,
    Repeat,
    Size,
    Starred,
    Statement,
)

Kind = Choice["definition", "parameter", "formal", "index", "label"]


@dataclass(slots=True, eq=False)
class Named:
    """Something that a text gives a name: a definition, a `param`, a parameter of a definition, an index, a label.

    `spans` are where it is defined, one but for a label that several arms of an `if` define. `scope` is the text that
    can see it, and `uses` are where it does, in the order of the text.
    """

    kind: Kind
    name: str
    spans: list[Span]
    scope: Span
    uses: list[Span] = field(default_factory=list)
    formals: dict[str, Named] = field(default_factory=dict)  # of a definition
    definition: Definition | None = None  # itself, of one
    flags: frozenset[str] = frozenset()  # those whose bare name in a call means true
    tensors: bool = False  # whether its calls hand over tensors


@dataclass(slots=True)
class Index:
    """The names of a file and of the files that it uses."""

    source: Source
    named: list[Named]

    def definition_at(self, offset: int, source: Source | None = None) -> Named | None:
        """What the name at a place stands for, at its definition or at a use; a name's end counts as well.

        Places are in the file itself unless a `source` says otherwise.
        """
        source = source or self.source
        for named in self.named:
            for span in (*named.spans, *named.uses):
                if span.source is source and span.start <= offset <= span.end:
                    return named
        return None

    def definition(self, name: str) -> Named | None:
        """The definition of a name."""
        return next((named for named in self.named if named.kind == "definition" and named.name == name), None)

    def words_at(self, named: Named, offset: int) -> Span:
        """The words of a name that `definition_at` found at a place of the file itself."""
        here = (span for span in self.references(named) if span.source is self.source)
        return next(span for span in here if span.start <= offset <= span.end)

    def references(self, named: Named) -> list[Span]:
        """Every place of a name, definitions first: what a new name replaces."""
        return [*named.spans, *named.uses]


def index(file: File, limits: Limits | None = None, texts: Texts | None = None) -> Index:
    """Find every name that a file defines, and all its uses. `texts` are those of an editor."""
    limits = limits or Limits()
    walk = _Walk(Includes.start(file.source, Diagnostics(), limits, texts), limits)
    walk.file(file)
    for named in walk.named.values():
        named.uses.sort(key=lambda span: (span.source.name, span.start))
    return Index(file.source, list(walk.named.values()))


Names = MutableMapping[str, Named]


@dataclass(slots=True)
class _Sight:
    """What a statement sees: definitions above, those that stand below, values, labels; and the text around it."""

    definitions: dict[str, Named]
    below: Iterable[str]
    values: Names
    labels: Names
    scope: Span
    passes: dict[str, list[Named]] = field(default_factory=dict)  # the labels in `repeat`s of the body so far
    waiting: list[Starred] = field(default_factory=list)  # labels of all passes in a `repeat` that goes on
    repeated: bool = False


class _Walk:
    """Follows the statements as lowering runs them, but each once."""

    def __init__(self, includes: Includes, limits: Limits) -> None:
        self.named: dict[int, Named] = {}
        self.includes = includes
        self.limits = limits
        self.shipped: dict[int, Named] = {}

    def name(self, kind: Kind, name: str, span: Span, scope: Span) -> Named:
        named = Named(kind, name, [span], scope)
        self.named[id(named)] = named
        return named

    # -- files ---------------------------------------------------------------------------------------------------

    def file(self, file: File) -> dict[str, Named]:
        """Walk a file; the definitions that another one gets from it."""
        sight = _Sight({}, definitions_of(file), {}, {}, Span(file.source, 0, len(file.source.text)))
        sections = []
        for statement in file.statements:
            if isinstance(statement, Definition):
                named = self._definition(statement, sight)
                if statement.name not in NAMELESS:
                    sight.definitions.setdefault(statement.name, named)
            elif isinstance(statement, Parameter):
                self._value(statement.value, sight)
                named = self.name("parameter", statement.name, statement.name_span, sight.scope)
                sight.values.setdefault(statement.name, named)
            elif isinstance(statement, Operation) and statement.name in ("data", "train"):
                sections.append(statement)
            elif isinstance(statement, Operation) and statement.name == "use":
                self._use(statement, sight)
            else:
                self._statement(statement, sight)
        for section in sections:  # read when everything else is known
            self._section(section, sight)
        return sight.definitions

    def _use(self, statement: Operation, sight: _Sight) -> None:
        values = [argument.value for argument in statement.arguments]
        if len(values) == 1 and isinstance(values[0], Literal) and isinstance(values[0].value, str):
            found = self.includes.open(values[0].value, values[0].span)
            if found is not None:
                path, source = found
                self.includes.stack.append(path)
                brought = self.file(parse(source, self.limits, Diagnostics()))
                self.includes.stack.pop()
                for name, named in brought.items():
                    sight.definitions.setdefault(name, named)

    def _definition(self, statement: Definition, sight: _Sight) -> Named:
        named = self.name("definition", statement.name, statement.name_span, sight.scope)
        named.definition = statement
        values: Names = {}
        for formal in statement.formals:
            if formal.default is not None:
                self._value(formal.default, replace(sight, values=values))
            values.setdefault(formal.name, self.name("formal", formal.name, formal.name_span, statement.span))
        named.formals = dict(values)
        named.flags = frozenset(formal.name for formal in statement.formals if is_flag(formal))
        named.tensors = bool(statement.tensors)
        labels: Names = {}
        for tensor in statement.tensors:
            labels.setdefault(tensor.text, self.name("label", tensor.text, tensor.span, statement.span))
        inside = replace(sight, values=values, labels=labels, scope=statement.span)
        inside = replace(inside, passes={}, waiting=[], repeated=False)
        self._statements(statement.body.statements, inside)
        return named

    # -- statements ----------------------------------------------------------------------------------------------

    def _statements(self, statements: Iterable[Statement], sight: _Sight) -> None:
        for statement in statements:
            self._statement(statement, sight)

    def _statement(self, statement: Statement, sight: _Sight) -> None:
        if isinstance(statement, Operation):
            self._operation(statement, sight)
        elif isinstance(statement, Repeat):
            self._value(statement.count, sight)
            inside = replace(sight, labels=ChainMap({}, sight.labels), scope=statement.span, repeated=True)
            if statement.index is not None:
                named = self.name("index", statement.index.text, statement.index.span, statement.span)
                inside.values = ChainMap({named.name: named}, sight.values)
            self._statements(statement.body.statements, inside)
            if not sight.repeated:
                self._all_passes(sight)
        elif isinstance(statement, If):
            self._if(statement, sight)
        elif isinstance(statement, Definition):  # out of place, which is an error
            self._definition(statement, sight)
        elif isinstance(statement, Parameter):
            self._value(statement.value, sight)
        if isinstance(statement, Operation | Repeat) and statement.label is not None:
            self._label(statement.label.text, statement.label.span, sight)

    def _label(self, name: str, span: Span, sight: _Sight) -> None:
        if (named := sight.labels.get(name)) is None:
            named = sight.labels[name] = self.name("label", name, span, sight.scope)
        else:
            named.spans.append(span)
        if sight.repeated:
            sight.passes.setdefault(name, []).append(named)

    def _if(self, statement: If, sight: _Sight) -> None:
        """Each arm sees the labels from before; a label of several arms is one."""
        own: dict[str, Named] = {}
        for arm in statement.arms:
            if arm.condition is not None:
                self._value(arm.condition, sight)
            here: dict[str, Named] = {}
            self._statements(arm.body.statements, replace(sight, labels=ChainMap(here, sight.labels)))
            for name, named in here.items():
                first = own.setdefault(name, named)
                self._are_one(first, named)
        sight.labels.update(own)

    def _all_passes(self, sight: _Sight) -> None:
        """Find what labels of all passes stand for: the label in each `repeat` so far, as one."""
        for label in sight.waiting:
            first, *others = sight.passes.get(label.name, [None])
            if first is not None:
                for other in filter(None, others):
                    self._are_one(first, other)
                first.uses.append(Span(label.span.source, label.span.start, label.span.end - 1))
        sight.waiting.clear()

    def _are_one(self, first: Named, other: Named) -> None:
        """Take two labels for one from here on."""
        if first.spans is not other.spans:
            first.spans += other.spans
            first.uses += other.uses
            other.spans, other.uses = first.spans, first.uses
            del self.named[id(other)]

    def _operation(self, statement: Operation, sight: _Sight) -> None:
        name, called = statement.name, sight.definitions.get(statement.name)
        if name in NAMELESS:
            self._special(statement, sight)
        elif called is None and name in LAYERS:
            self._layer(statement, sight)
        else:
            if called is None and name not in sight.below:
                called = self._shipped(name)
            self._call(statement, called, sight)
        for branch in statement.branches:
            self._statements(branch.statements, sight)
        if statement.block is not None and name not in NAMELESS:
            self._statements(statement.block.statements, replace(sight, labels=ChainMap({}, sight.labels)))

    def _special(self, statement: Operation, sight: _Sight) -> None:
        arguments = statement.arguments
        if statement.name in ("from", "output"):
            for argument in arguments:
                if isinstance(argument.value, Reference):
                    self._see(argument.value.name, argument.value.span, sight.labels)
        elif statement.name == "default" and arguments and isinstance(arguments[0].value, Reference):
            cls = LAYERS.get(arguments[0].value.name)
            params = {} if cls is None else cls.signature(cls.op).params
            for argument in arguments[1:]:
                value, param = argument.value, params.get(argument.key) if isinstance(argument, Keyword) else None
                if not (isinstance(value, Reference) and param is not None and value.name in param.kind.words()):
                    self._value(value, sight)
        elif statement.name == "net":
            for argument in arguments[1:]:
                self._value(argument.value, sight)

    def _layer(self, statement: Operation, sight: _Sight) -> None:
        cls = LAYERS[statement.name]
        joins = cls.operands[1] is None or cls.operands[0] > 1
        params = cls.signature(cls.op).params
        words = cls.signature(cls.op).bare_words()
        words.update(trailing_words() if cls.trailing else ())
        for argument in statement.arguments:
            value = argument.value
            is_label = joins and isinstance(value, Reference) and not isinstance(argument, Keyword)
            is_tensor = isinstance(argument, Keyword) and _names_a_tensor(params.get(argument.key))
            if isinstance(value, Starred):
                sight.waiting.append(value)
                if not sight.repeated:
                    self._all_passes(sight)
            elif isinstance(value, Reference) and (
                is_tensor or (is_label and value.name not in {*sight.values, "channels", *words})
            ):
                self._see(value.name, value.span, sight.labels)
            else:
                self._value(value, sight)

    def _call(self, statement: Operation, called: Named | None, sight: _Sight) -> None:
        if called is not None:
            called.uses.append(statement.name_span)
        formals = called.formals if called is not None else {}
        values, labels = handed_over(statement)
        if called is None or not (called.tensors or WITH not in {*formals, *sight.values}):
            values, labels = statement.arguments, None
        for label in labels or ():
            if isinstance(label.value, Reference):
                self._see(label.value.name, label.value.span, sight.labels)
        for argument in values:
            value = argument.value
            if isinstance(argument, Keyword):
                self._see(argument.key, argument.key_span, formals)
            flag = called is not None and isinstance(value, Reference) and value.name in called.flags
            if flag and isinstance(value, Reference) and not isinstance(argument, Keyword):
                self._see(value.name, value.span, sight.values if value.name in sight.values else formals)
            else:
                self._value(value, sight)

    def _shipped(self, name: str) -> Named | None:
        known = shipped(name)
        if known is None:
            return None
        definition = known.definition
        if id(definition) not in self.shipped:
            source = definition.span.source
            sight = _Sight({}, (), {}, {}, Span(source, 0, len(source.text)))
            self.shipped[id(definition)] = self._definition(definition, sight)
        return self.shipped[id(definition)]

    # -- sections ------------------------------------------------------------------------------------------------

    def _section(self, section: Operation, sight: _Sight) -> None:
        for argument in section.arguments:
            self._value(argument.value, sight)
        for line in self._lines(section.block.statements if section.block else (), sight):
            self._line(section.name, line, sight)

    def _lines(self, statements: Iterable[Statement], sight: _Sight) -> Iterator[Operation]:
        for statement in statements:
            if isinstance(statement, Operation):
                yield statement
            elif isinstance(statement, If):
                for arm in statement.arms:
                    if arm.condition is not None:
                        self._value(arm.condition, sight)
                    yield from self._lines(arm.body.statements, sight)

    def _line(self, section: str, line: Operation, sight: _Sight) -> None:
        from netc.sections.resolve import bare_names  # noqa: PLC0415 - all the settings of training

        bare = {id(name) for name in bare_names(section, line)}
        for argument in line.arguments:
            value = argument.value
            if isinstance(value, Reference) and id(value) in bare:
                self._see(value.name, value.span, sight.labels)
            else:
                self._value(value, sight)

    # -- uses ----------------------------------------------------------------------------------------------------

    def _see(self, name: str, span: Span, names: Names) -> None:
        if (named := names.get(name)) is not None:
            named.uses.append(span)

    def _value(self, value: Expr | Size, sight: _Sight) -> None:
        for reference in references(value):
            self._see(reference.name, reference.span, sight.values)


def _names_a_tensor(param: Param | None) -> bool:
    return param is not None and isinstance(param.kind, Operand)


__all__ = ["Index", "Kind", "Named", "index"]
