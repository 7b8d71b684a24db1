"""Definitions as Python functions: one for all copies that print the same, more where they differ."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from netc.backends.keras_source.comments import docstring, last_paragraph
from netc.backends.keras_source.expressions import Python, Sight, constant, names, translate
from netc.backends.keras_source.identifiers import Identifiers
from netc.backends.keras_source.items import Item, Items, Suite, lines, merge
from netc.backends.keras_source.naming import PREFIX, Name, plan
from netc.backends.keras_source.printer import Flow, Frame, Module, Printer, read_labels
from netc.backends.keras_source.walk import nested
from netc.lower.definitions import is_flag
from netc.lower.expansion import Body, CallStep, IfStep, LayerStep, RepeatStep
from netc.lower.walk import mentions
from netc.syntax.tree import Definition, Expr, Formal, Keyword, Operation, Positional, Reference, Repeat, Statement
from netc.values import Value, show

EXTRAS = {"once": r"\bonce[(=]", "inputs": r"\binputs(=|\.append)"}  # what functions hand on to those they call


@dataclass(frozen=True, slots=True)
class Copy:
    """One call of a definition. `once` is set in and below shared definitions, `ghost` where it did not run."""

    step: CallStep
    once: bool
    ghost: bool


@dataclass(slots=True)
class Function:
    """One emitted function: the copies of a definition that print the same."""

    name: str
    definition: Definition
    frame: Frame
    items: Items
    arguments: list[Mapping[str, Value]] = field(default_factory=list)

    @property
    def extras(self) -> list[str]:
        """What it needs besides its parameters, as keyword arguments."""
        return extras(self.items)

    @property
    def formals(self) -> list[Formal]:
        """The parameters, without those that decided about the code but do not stand in it.

        An initialiser that became `TruncatedNormal(stddev=0.02)` is one: its name can no longer be another.
        """
        text = "\n".join(lines(self.items))
        read = set(mentions(self.definition.body.statements))
        kept: list[Formal] = []
        for formal in reversed(self.definition.formals):  # a default reads parameters that stand before it
            values = {given[formal.name] for given in self.arguments}
            fixed = formal.name in read and len(values) == 1
            if fixed and not re.search(rf"\b{re.escape(self.frame.variables[formal.name])}\b", text):
                continue
            kept.append(formal)
            text += "\n".join(lines(_parameter(formal, self)[1], "\n"))
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


def extras(items: Items) -> list[str]:
    """The helpers that statements use."""
    text = "\n".join(lines(items))
    return [extra for extra, use in EXTRAS.items() if re.search(use, text)]


def copies(body: Body) -> dict[int, list[Copy]]:
    """All calls of each definition, by the definition's `id`; those that ran come first."""
    found: dict[int, list[Copy]] = {}
    stack = [(body, False, body.ghost)]
    while stack:
        body, once, ghost = stack.pop()
        for step in body.steps:
            inner = once
            if isinstance(step, CallStep):
                inner = once or step.definition.shared
                found.setdefault(id(step.definition), []).append(Copy(step, inner, ghost))
            stack.extend((part, inner, ghost or part.ghost) for part in _parts(step))
    return {key: sorted(calls, key=lambda copy: copy.ghost) for key, calls in found.items()}


def _parts(step: LayerStep | CallStep | RepeatStep | IfStep) -> Iterator[Body]:
    if isinstance(step, CallStep):
        yield step.body
    elif isinstance(step, LayerStep):
        yield from step.branches
    elif isinstance(step, RepeatStep):
        yield from step.passes
        if step.ghost is not None:
            yield step.ghost
    else:
        yield from (arm for arm in step.arms if arm is not None)


class Functions:
    """The functions of a module, made definition by definition, callees first."""

    def __init__(self, identifiers: Identifiers, listed_inputs: bool) -> None:
        self.identifiers = identifiers
        self.made: list[Function] = []
        self._listed = listed_inputs
        self._of: dict[int, Function] = {}  # by the `id` of the call

    def define(self, definition: Definition, calls: Iterable[Copy], module: Module) -> None:
        """Print all copies of a definition and make a function of each way they come out."""
        calls = list(calls)
        frame = self._frame(definition, calls)
        variants: list[Function] = []
        for copy in calls:
            items = _print(definition, frame, copy, module)
            variant = _variant(variants, items)
            if variant is None:
                variant = Function(self.identifiers.make(definition.name), definition, frame, items)
                variants.append(variant)
            if not copy.ghost or not variant.arguments:
                variant.arguments.append(copy.step.arguments)
            self._of[id(copy.step)] = variant
        self.made += variants

    def _frame(self, definition: Definition, calls: list[Copy]) -> Frame:
        identifiers = self.identifiers.inner()
        variables = {formal.name: identifiers.make(formal.name) for formal in definition.formals}
        reals = frozenset(
            name for copy in calls for name, value in copy.step.arguments.items() if isinstance(value, float)
        )
        statements = definition.body.statements
        prefix: Name = (definition.name,) if definition.shared else PREFIX
        return make_frame(statements, prefix, variables, reals, identifiers, self._listed)

    def call(self, step: CallStep, sight: Sight, name: str) -> str:
        """The text of a call."""
        function = self._of[id(step)]
        given = _given(step, sight)
        arguments = [str(sight.tensor)]
        starred = function.starred
        for number, formal in enumerate(function.formals):
            if formal.name not in given:
                continue
            text, keyword = given[formal.name]
            by_position = not keyword and number < starred and len(arguments) == number + 1
            arguments.append(text if by_position else f"{function.frame.variables[formal.name]}={text}")
        arguments += [f"{extra}={extra}" for extra in function.extras]
        return f"{function.name}({', '.join([*arguments, name] if name else arguments)})"

    def used(self, items: Items) -> list[Function]:
        """The functions that a body needs, callees first."""
        wanted, kept = "\n".join(lines(items)), []
        for function in reversed(self.made):
            if re.search(rf"\b{function.name}\(", wanted):
                kept.append(function)
                wanted += "\n".join(lines(function.items))
        return kept[::-1]


def make_frame(
    statements: tuple[Statement, ...],
    prefix: Name,
    variables: Mapping[str, str],
    reals: frozenset[str],
    identifiers: Identifiers,
    listed_inputs: bool,
) -> Frame:
    """Choose the names of labels, indices and layers of a body."""
    defined = _labels(statements)
    labels = {label: identifiers.make(label) for label in read_labels(statements) if label in defined}
    naming = plan(statements, prefix, variables, identifiers)
    return Frame(statements, variables, reals, labels, naming, identifiers, listed_inputs)


def _labels(statements: Iterable[Statement]) -> set[str]:
    found = (s.label for s in nested(statements) if isinstance(s, Operation | Repeat))
    return {label.text for label in found if label is not None}


def _print(definition: Definition, frame: Frame, copy: Copy, module: Module) -> Items:
    printer = Printer(module, frame, copy.once)
    flow = Flow("x", "x")
    items = printer.counters(None) + printer.block(definition.body.statements, copy.step.body, flow)
    return (*items, f"return {flow.current}")


def _variant(variants: list[Function], items: Items) -> Function | None:
    """The function that a copy can share, its statements completed by those of the copy."""
    for variant in variants:
        merged = merge(variant.items, items)
        if merged is not None:
            variant.items = merged
            return variant
    return None


def _given(step: CallStep, sight: Sight) -> dict[str, tuple[str, bool]]:
    """The arguments of a call as they were written: text, and whether under a key. As `netc.lower.bind` reads them."""
    formals = step.definition.formals
    flags = {formal.name for formal in formals if is_flag(formal)}
    given: dict[str, tuple[str, bool]] = {}
    for argument in step.statement.arguments:
        value: Expr = argument.value  # type: ignore[assignment]  # a definition takes no sizes
        if isinstance(argument, Keyword):
            given[argument.key] = (translate(value, sight).text, True)
        elif _is_flag(argument, flags, sight):
            given[value.name] = ("True", True)  # type: ignore[union-attr]
        else:
            name = next(formal.name for formal in formals if formal.name not in given)
            given[name] = (translate(value, sight).text, False)
    return given


def _is_flag(argument: Positional, flags: set[str], sight: Sight) -> bool:
    value = argument.value
    return isinstance(value, Reference) and value.name in flags and value.name not in sight.variables


# -- text ----------------------------------------------------------------------------------------------------


def function_lines(function: Function, remarks: list[str]) -> list[str]:
    """The text of a function."""
    definition, formals, starred = function.definition, function.formals, function.starred
    parameters, computed = ["x"], []
    for number, formal in enumerate(formals):
        if number == starred:
            parameters.append("*")
        parameter, statements = _parameter(formal, function)
        parameters.append(parameter)
        computed += statements
    if function.extras and starred == len(formals):
        parameters.append("*")
    parameters += function.extras
    if not definition.shared:
        parameters.append(f"name={definition.name!r}")
    remarks = last_paragraph(remarks)
    body = [docstring(remarks, "    ")] if remarks else []
    body += lines((*computed, *function.items), "    ")
    return [f"def {function.name}({', '.join(parameters)}):", *body]


def _parameter(formal: Formal, function: Function) -> tuple[str, list[Item]]:
    """A parameter with its default; one that is computed at the call is None until then."""
    variable = function.frame.variables[formal.name]
    if formal.default is None:
        return variable, []
    before = {}
    for earlier in function.definition.formals:
        if earlier is formal:
            break
        before[earlier.name] = function.frame.variables[earlier.name]
    sight = Sight(before, function.frame.reals)
    text = translate(formal.default, sight)
    read = names(formal.default)
    if "channels" not in read and not any(name in before for name in read):
        return f"{variable}={text.text}", []
    return f"{variable}=None", default_later(variable, text)


def default_later(variable: str, text: Python) -> list[Item]:
    """Statements that compute a parameter which was not given."""
    return [Suite(f"if {variable} is None:", (f"{variable} = {text.text}",))]


def guards(items: Items, variables: Mapping[str, str], values: Mapping[str, Value]) -> list[Item]:
    """Refuse other values of a parameter that decided about the code but does not appear in it."""
    text = "\n".join(lines(items))
    found: list[Item] = []
    for name, variable in variables.items():
        if re.search(rf"\b{re.escape(variable)}\b", text):
            continue
        message = constant(f"this code is for {name}={show(values[name])} only").text
        found.append(Suite(f"if {variable} != {constant(values[name]).text}:", (f"raise ValueError({message})",)))
    return found
