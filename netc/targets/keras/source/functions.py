"""Definitions as Python functions: one for all copies that print the same, more where they differ."""

from __future__ import annotations

import ast
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from netc.ir.shape import SIZES, Shape
from netc.lower.expansion import Body, CallStep, IfStep, RepeatStep, all_parts
from netc.lower.walk import labels_in, mentions, names, nested
from netc.syntax.tree import Definition, Formal, If, Operation, Repeat, Starred, Statement
from netc.targets.keras.nesting import Nested
from netc.targets.keras.source.comments import last_paragraph
from netc.targets.keras.source.expressions import Sight, constant, sight, translate
from netc.targets.keras.source.identifiers import Identifiers
from netc.targets.keras.source.naming import PREFIX, Name, plan
from netc.targets.keras.source.printer import Flow, Frame, Lists, Module, Printer, one_or_all, read_labels
from netc.targets.keras.source.reach import Reach, given
from netc.targets.keras.source.symbols import as_keras_says
from netc.targets.keras.source.tree import (
    Docstring,
    Parameter,
    Statements,
    assign,
    call,
    calls,
    define,
    living,
    load,
    merge,
    reads,
    returned,
    same,
    statements,
    written,
)
from netc.values import Value

ELSEWHERE = "elsewhere"  # a place that may be come to several times, or not at all
EXTRAS = ("models", "once", "ramps", "inputs")  # what functions hand on to those they call


@dataclass(frozen=True, slots=True)
class Copy:
    """One call of a definition. `once` is set in and below shared definitions that become no models, `ghost` where it
    did not run. `place` is the body that it stands in, where it runs once whenever that does: of the file (None) or of
    a model."""

    step: CallStep
    once: bool
    ghost: bool
    place: Definition | str | None


@dataclass(frozen=True, slots=True)
class Ends:
    """The inputs of a model, as variables, and the parameters that their shapes come from: channels where it takes maps
    of any size."""

    nested: Nested
    inputs: list[str]
    sizes: list[str]

    @classmethod
    def of(cls, nested: Nested, frame: Frame, definition: Definition) -> Ends:
        tensors = [frame.labels[tensor.text] for tensor in definition.tensors]
        words = ["channels" if nested.any_size else "shape", *(f"{tensor}_shape" for tensor in tensors)]
        if nested.any_size:
            words[1:] = [f"{tensor}_channels" for tensor in tensors]
        return cls(nested, ["inputs", *tensors], [*map(frame.identifiers.make, words)])

    def made(self) -> Statements:
        """The statements that make the inputs."""
        found: Statements = []
        for variable, size, name, shape in zip(
            self.inputs, self.sizes, self.nested.inputs, self.nested.shapes, strict=True
        ):
            taken: ast.expr = load(size)
            if self.nested.any_size:
                taken = ast.Tuple([*(ast.Constant(None) for _ in shape[:-1]), taken], ast.Load())
            found.append(assign(variable, call("keras.Input", shape=taken, name=ast.Constant(name))))
        return found

    def size(self, tensor: str) -> ast.expr:
        """What is given of a tensor that the model is to take."""
        return written("X.shape[-1]" if self.nested.any_size else "X.shape[1:]", X=tensor)


@dataclass(slots=True)
class Function:
    """One emitted function: the copies of a definition that print the same."""

    name: str
    definition: Definition
    frame: Frame
    items: Statements
    shape: Shape | None  # of the tensor that it is called on, whose sizes defaults may read
    arguments: list[Mapping[str, Value]] = field(default_factory=list)
    ends: Ends | None = None  # of one that makes a model
    hands_on: bool = False  # whether it gives its parameters to such a one, as they come

    @property
    def first(self) -> str:
        """The variable of the tensor that its parameters' defaults may read."""
        return self.ends.inputs[0] if self.ends else "x"

    @property
    def given(self) -> list[str]:
        """Its parameters for the tensors that it is called on, or for their shapes."""
        return self.ends.sizes if self.ends else ["x", *dict(self.tensors).values()]

    @property
    def extras(self) -> list[str]:
        """What it needs besides its parameters, as keyword arguments."""
        return [extra for extra in extras(self.items) if not (self.ends and extra in self.ends.inputs)]

    @property
    def tensors(self) -> list[tuple[int, str]]:
        """The tensors that it is handed, those that it reads: their number in the definition, and their variables."""
        used = reads(self.items)
        variables = (self.frame.labels[tensor.text] for tensor in self.definition.tensors)
        return [(number, variable) for number, variable in enumerate(variables) if variable in used]

    @property
    def formals(self) -> list[Formal]:
        """The parameters, without those that decided about the code but do not stand in it.

        An initialiser that became `TruncatedNormal(stddev=0.02)` is one: its name can no longer be another.
        """
        used = reads(self.items)
        read = set(mentions(self.definition.body.statements))
        kept: list[Formal] = []
        for formal in reversed(self.definition.formals):  # a default reads parameters that stand before it
            values = {given[formal.name] for given in self.arguments}
            fixed = formal.name in read and len(values) == 1
            if fixed and self.frame.variables[formal.name] not in used:
                continue
            kept.append(formal)
            used |= reads(_parameter(formal, self)[1])
        return kept[::-1]

    @property
    def starred(self) -> int:
        """How many parameters can be given by position: Python wants those without a default first."""
        defaulted, formals = False, self.formals
        for number, formal in enumerate(formals):
            if defaulted and formal.default is None:
                return number
            defaulted |= formal.default is not None
        return len(formals)


def extras(items: Statements) -> list[str]:
    """The helpers that statements use."""
    used = reads(items)
    return [extra for extra in EXTRAS if extra in used]


def copies(body: Body, reach: Reach, models: Container[Definition]) -> dict[int, list[Copy]]:
    """All calls of each definition that can be come to, by the definition's `id`; those that ran come first. What is in
    later calls of models is not looked at, as it is not made."""
    found: dict[int, list[Copy]] = {}
    stack: list[tuple[Body, bool, bool, Definition | str | None]] = [(body, False, body.ghost, None)]
    while stack:
        body, once, ghost, place = stack.pop()
        for step in body.steps:
            inner, within = once, place
            if isinstance(step, CallStep):
                if not reach.runs(step):
                    continue
                model = step.definition in models
                inner = not model and (once or step.definition.shared)
                found.setdefault(id(step.definition), []).append(Copy(step, inner, ghost, place))
                within = step.definition if model else ELSEWHERE
                if model and step.shared:
                    continue
            elif isinstance(step, RepeatStep) or (isinstance(step, IfStep) and len(reach.outcomes(step.statement)) > 1):
                within = ELSEWHERE
            stack.extend((part, inner, ghost or part.ghost, within) for part in all_parts(step))
    return {key: sorted(calls, key=lambda copy: (copy.ghost, copy.step.shared)) for key, calls in found.items()}


def in_line(called: Mapping[int, Sequence[Copy]], models: Iterable[Definition]) -> set[Definition]:
    """The models that one body makes and calls, at places that are each come to once."""
    places = {definition: {copy.place for copy in called.get(id(definition), ())} for definition in models}
    return {definition for definition, found in places.items() if len(found) == 1 and ELSEWHERE not in found}


class Functions:
    """The functions of a module, made definition by definition, callees first."""

    def __init__(self, identifiers: Identifiers, listed_inputs: bool, models: Mapping[Definition, Nested]) -> None:
        self.identifiers = identifiers
        self.models = models
        self._builders: dict[Definition, Function] = {}
        self.made: list[Function] = []
        self._listed = listed_inputs
        self._of: dict[int, Function] = {}  # by the `id` of the call

    def define(self, definition: Definition, copies: Iterable[Copy], module: Module) -> None:
        """Print all copies of a definition and make a function of each way they come out."""
        copies = list(copies)
        if not copies:
            return
        frame = self._frame(definition, copies, module.reach)
        if definition in self.models:
            self._define_model(frame, copies, module)
            return
        variants: list[Function] = []
        for copy in copies:
            items = _print(definition, frame, copy, module)
            shape = copy.step.body.shape
            alike = [one for one in variants if _same_defaults(definition, one.shape, shape)]
            variant = _variant(alike, items)
            if variant is None:
                variant = Function(self.identifiers.make(definition.name), definition, frame, items, shape)
                variants.append(variant)
            if not copy.ghost or not variant.arguments:
                variant.arguments.append(copy.step.arguments)
            self._of[id(copy.step)] = variant
        for variant in variants:
            variant.items = living(variant.items)
        self.made += variants

    def _define_model(self, frame: Frame, copies: Sequence[Copy], module: Module) -> None:
        """Print the first call as a function that makes the model, and where it is called here and there, one that
        keeps it."""
        step = copies[0].step
        definition, shape = step.definition, step.body.shape
        ends, flow = Ends.of(self.models[definition], frame, definition), Flow("inputs", "x")
        printer, name = Printer(module, frame), constant(ends.nested.name)
        items = living(printer.counters(None) + printer.block(definition.body.statements, step.body, flow))
        items.append(ast.Return(call("keras.Model", one_or_all(ends.inputs), load(flow.current), name=name)))
        arguments = [copy.step.arguments for copy in copies if not copy.ghost] or [step.arguments]
        making = self.identifiers.make(f"build_{definition.name}")
        builder = self._builders[definition] = Function(making, definition, frame, items, shape, arguments, ends)
        self.made.append(builder)
        if definition in module.in_line:
            return
        tensors = ["x", *ends.inputs[1:]]
        variables = [frame.variables[formal.name] for formal in builder.formals]
        given = [*map(ends.size, tensors), *map(load, variables[: builder.starred])]
        named = [*variables[builder.starred :], *builder.extras]
        kept = statements(
            "if NAME not in models:\n    models[NAME] = MADE\nmodels[NAME](ENDS)",
            NAME=name,
            MADE=ast.Call(load(making), given, [ast.keyword(one, load(one)) for one in named]),
            ENDS=one_or_all(tensors),
        )
        assert isinstance(kept[1], ast.Expr)
        items = [kept[0], ast.Return(kept[1].value)]
        keeper = Function(
            self.identifiers.make(definition.name), definition, frame, items, shape, arguments, hands_on=True
        )
        self.made.append(keeper)
        self._of.update((id(copy.step), keeper) for copy in copies)

    def model(self, step: CallStep, seen: Sight, tensors: Sequence[str]) -> ast.Call:
        """A call of the function that makes the model of a definition, for calls on tensors like these."""
        builder = self._builders[step.definition]
        assert builder.ends is not None
        return self._called(builder, [*map(builder.ends.size, tensors)], step, seen)

    def _frame(self, definition: Definition, calls: list[Copy], reach: Reach) -> Frame:
        identifiers = self.identifiers.inner()
        variables = {formal.name: identifiers.make(formal.name) for formal in definition.formals}
        reals = frozenset(
            name for copy in calls for name, value in copy.step.arguments.items() if isinstance(value, float)
        )
        statements = definition.body.statements
        prefix: Name = (definition.name,) if definition.shared else PREFIX
        tensors = {tensor.text: identifiers.make(tensor.text) for tensor in definition.tensors}
        frame = make_frame(statements, prefix, variables, reals, identifiers, self._listed, tensors)
        known, fixed, words = reach.known(definition), reach.fixed(definition), reach.words(definition)
        return replace(frame, known=known, fixed=fixed, words=words)

    def call(self, step: CallStep, seen: Sight, tensors: Sequence[str], name: ast.expr | None) -> ast.Call:
        """A call of the function on the current tensor and those that are handed over."""
        function = self._of[id(step)]
        read = [tensors[0], *(tensors[1 + number] for number, _ in function.tensors)]
        made = self._called(function, [*map(load, read)], step, seen)
        made.keywords += [ast.keyword("name", name)] if name is not None else []
        return made

    def _called(self, function: Function, read: Sequence[ast.expr], step: CallStep, seen: Sight) -> ast.Call:
        """A call of a function, with its arguments after what it reads of tensors."""
        arguments = given(step, seen)
        made, starred = call(function.name, *read), function.starred
        for number, formal in enumerate(function.formals):
            if formal.name not in arguments:
                continue
            value, keyword = arguments[formal.name]
            if formal.name in function.frame.words:
                value = as_keras_says(value)
            if not keyword and number < starred and not made.keywords and len(made.args) == number + len(read):
                made.args.append(value)
            else:
                made.keywords.append(ast.keyword(function.frame.variables[formal.name], value))
        made.keywords += [ast.keyword(extra, load(extra)) for extra in function.extras]
        return made

    def used(self, items: Statements) -> list[Function]:
        """The functions that a body needs, callees first."""
        wanted, kept = calls(items), []
        for function in reversed(self.made):
            if function.name in wanted:
                kept.append(function)
                wanted |= calls(function.items)
        return kept[::-1]


def make_frame(
    statements: tuple[Statement, ...],
    prefix: Name,
    variables: Mapping[str, str],
    reals: frozenset[str],
    identifiers: Identifiers,
    listed_inputs: bool,
    tensors: Mapping[str, str] = {},
) -> Frame:
    """Choose the names of labels, indices and layers of a body; those of the `tensors` that it is handed are chosen."""
    defined = _labels(statements) - tensors.keys()
    labels = {label: identifiers.make(label) for label in read_labels(statements) if label in defined}
    labels.update(tensors)
    lists = _lists(statements, identifiers)
    naming = plan(statements, prefix, variables, identifiers)
    frame = Frame(statements, variables, reals, labels, naming, identifiers, listed_inputs)
    return replace(frame, carried=frozenset(_carried(statements, {*tensors})), lists=lists)


def _lists(statements: Iterable[Statement], identifiers: Identifiers) -> Lists:
    """The lists of a body, each made before the first statement of the body in which something is appended to it."""
    inside = (part for part in nested(statements) if isinstance(part, Operation))
    starred = {arg.value.name for part in inside for arg in part.arguments if isinstance(arg.value, Starred)}
    lists = Lists()
    for statement in statements if starred else ():
        for part in nested((statement,)):
            for inner in nested(part.body.statements) if isinstance(part, Repeat) else ():
                label = inner.label.text if isinstance(inner, Operation | Repeat) and inner.label else ""
                if label not in starred:
                    continue
                if label not in lists.variables:
                    lists.variables[label] = identifiers.make(f"{label}_list" if label.endswith("s") else f"{label}s")
                    lists.made.setdefault(id(statement), []).append(lists.variables[label])
                lists.grown[id(inner)] = lists.variables[label]
    return lists


def _carried(statements: Iterable[Statement], above: set[str]) -> set[str]:
    """The labels that loops carry on: they are set in one, and stand `above` it in the same body, to which those of the
    statements are added."""
    found: set[str] = set()
    for statement in statements:
        if isinstance(statement, Repeat):
            found |= above & labels_in(statement.body.statements).keys()
            found |= _carried(statement.body.statements, {*above})
        elif isinstance(statement, If):
            arms = [{*above} for _ in statement.arms]
            for arm, inner in zip(statement.arms, arms, strict=True):
                found |= _carried(arm.body.statements, inner)
            above.update(*arms)
        elif isinstance(statement, Operation):
            for branch in statement.branches:
                found |= _carried(branch.statements, above)
        if isinstance(statement, Operation | Repeat) and statement.label is not None:
            above.add(statement.label.text)
    return found


def _labels(statements: Iterable[Statement]) -> set[str]:
    found = (s.label for s in nested(statements) if isinstance(s, Operation | Repeat))
    return {label.text for label in found if label is not None}


def _print(definition: Definition, frame: Frame, copy: Copy, module: Module) -> Statements:
    printer = Printer(module, frame, copy.once)
    flow = Flow("x", "x")
    items = printer.counters(None) + printer.block(definition.body.statements, copy.step.body, flow)
    return [*items, ast.Return(load(flow.current))]


def _same_defaults(definition: Definition, one: Shape | None, other: Shape | None) -> bool:
    """Whether the defaults of parameters read a size at the same place of either shape."""
    read = {name for formal in definition.formals for name in names(formal.default)}
    seen = [sight({}, shape=shape).sizes for shape in (one, other)]
    return all(same(seen[0].get(name), seen[1].get(name)) for name in read & set(SIZES))


def _variant(variants: list[Function], items: Statements) -> Function | None:
    """The function that a copy can share, its statements completed by those of the copy."""
    for variant in variants:
        merged = merge(variant.items, items)
        if merged is not None:
            variant.items = merged
            return variant
    return None


# -- the module's functions ----------------------------------------------------------------------------------


def function(function: Function, remarks: list[str]) -> ast.FunctionDef:
    """A function as a statement, with the comment above its definition as docstring."""
    definition, formals = function.definition, function.formals
    parameters: list[Parameter] = [(ast.arg(variable), None) for variable in function.given]
    later: Statements = []
    for formal in formals:
        parameter, computed = _parameter(formal, function)
        parameters.append(parameter)
        later += [] if function.hands_on else computed
    more: list[Parameter] = [(ast.arg(extra), None) for extra in function.extras]
    if not definition.shared:
        more.append((ast.arg("name"), ast.Constant(definition.name)))
    plain = function.starred == len(formals) and not function.extras
    number = len(parameters) + len(more) if plain else len(parameters) - len(formals) + function.starred
    remarks = last_paragraph(remarks)
    body: Statements = [Docstring(remarks)] if remarks else []
    if function.ends:
        body += function.ends.made()
    return define(function.name, [*parameters, *more], number, [*body, *later, *returned(function.items)])


def _parameter(formal: Formal, function: Function) -> tuple[Parameter, Statements]:
    """A parameter with its default; one that is computed at the call is None until then."""
    variable = function.frame.variables[formal.name]
    if formal.default is None:
        return (ast.arg(variable), None), []
    before = {}
    for earlier in function.definition.formals:
        if earlier is formal:
            break
        before[earlier.name] = function.frame.variables[earlier.name]
    default = translate(formal.default, function.frame.sight(function.first, function.shape, before))
    if formal.name in function.frame.words:
        default = as_keras_says(default)
    if not reads(default):
        return (ast.arg(variable), default), []
    return (ast.arg(variable), ast.Constant(None)), default_later(variable, default)


def default_later(variable: str, default: ast.expr) -> Statements:
    """Statements that compute a parameter which was not given."""
    return statements("if VARIABLE is None:\n    VARIABLE = DEFAULT", VARIABLE=variable, DEFAULT=default)
