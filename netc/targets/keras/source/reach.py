"""What of a spec the emitted code can come to, by its calls and by other parameters of `build_model`.

A definition is written for all networks; its function is in a module for one, with the parameters of one file. An arm
of an `if` that neither a call nor a parameter leads to would be dead code there, and so would what only it needs. What
is always the same need not be asked: an option of a shipped block that no call of the file changes is a constant.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from netc.ir.shape import SIZES
from netc.lower.definitions import is_flag, shipped
from netc.lower.expansion import Body, CallStep, IfStep, LayerStep, RepeatStep
from netc.lower.walk import handed_over, mentions, names, nested
from netc.program import Program
from netc.syntax.tree import (
    Conditional,
    Definition,
    Expr,
    Group,
    If,
    Keyword,
    Operation,
    Parameter,
    Positional,
    Reference,
    Repeat,
    Size,
    Statement,
)
from netc.targets.keras.source.expressions import Sight, constant, translate, words
from netc.targets.keras.source.folding import fold, truth
from netc.targets.keras.source.tree import load, reads
from netc.values import Value

Variable = tuple[int, str]  # a parameter, with the `id` of its definition; that of the file is 0
FILE = 0


class Reach:
    """What can run for the given parameters of `build_model`, and the values that parameters of definitions have."""

    def __init__(self, program: Program, parameters: Iterable[str]) -> None:
        self.parameters = set(parameters)
        statements = [s for s in program.file.statements if not isinstance(s, Parameter)]
        self._shaped = bool(self.parameters & set(mentions(statements)))
        self._outcomes: dict[int, set[int | None]] = defaultdict(set)  # of an `if`, by its `id`: arms, None for none
        self._arms: dict[int, set[int | None]] = {}  # the same of one copy, by the `id` of the step
        self._passing: set[int] = set()  # `repeat`s that may have a pass, and their copies that may
        self._calls: set[int] = set()
        self._values: dict[Variable, set[tuple[type, Value] | None]] = defaultdict(set)  # None: depends on parameters
        self._handed: dict[Variable, set[Variable]] = defaultdict(set)  # to and from parameters of definitions
        self._below: dict[Variable, set[Variable]] = defaultdict(set)  # to, as it stands
        self._definitions: dict[int, Definition] = {}
        self._used: dict[int, Uses] = {FILE: Uses.of(program.file.statements)}
        for statement in program.file.statements:
            if isinstance(statement, Parameter):
                for name in words(statement.value):
                    self._hand((FILE, name), (FILE, statement.name))
        given = {name: load(name) if name in self.parameters else constant(v) for name, v in program.parameters.items()}
        self._walk(program.expansion, FILE, self._sight(given))

    def runs(self, step: CallStep) -> bool:
        """Whether a call can be come to."""
        return id(step) in self._calls

    def outcomes(self, statement: If) -> set[int | None]:
        """The arms of an `if` that can run; None stands for none of them."""
        return self._outcomes[id(statement)]

    def arms(self, step: IfStep) -> set[int | None]:
        """The same of one copy."""
        return self._arms.get(id(step), set())

    def passes(self, repeat: Repeat | RepeatStep) -> bool:
        """Whether a `repeat`, or one copy of it, can have a pass."""
        return id(repeat) in self._passing

    def known(self, definition: Definition) -> dict[str, ast.expr]:
        """The parameters that have one value in all calls, whatever the parameters of the file."""
        found: dict[str, ast.expr] = {}
        for formal in definition.formals:
            values = self._values[id(definition), formal.name]
            if len(values) == 1 and (only := next(iter(values))) is not None:
                found[formal.name] = constant(only[1])
        return found

    def fixed(self, definition: Definition) -> dict[str, ast.expr]:
        """Those among the known that need no name: options of a shipped block that are only passed on or asked for."""
        known = shipped(definition.name)
        if known is None or known.definition is not definition:
            return {}
        uses = self._used[id(definition)]
        options = {formal.name for formal in definition.formals if formal.default is not None} - uses.computed
        for name in tuple(options):
            below = self._below[id(definition), name]
            if any(inner not in self.fixed(self._definitions[key]) for key, inner in below):
                options.remove(name)  # it is handed on to one that has a name
        return {name: value for name, value in self.known(definition).items() if name in options}

    # -- words -----------------------------------------------------------------------------------------------

    def words(self, owner: Definition | None) -> frozenset[str]:
        """The parameters of a definition, or of the file, that are only passed on, to layers in the end."""
        key = FILE if owner is None else id(owner)
        formals = self.parameters if owner is None else {formal.name for formal in owner.formals}
        return frozenset(name for name in formals if self._is_word((key, name)))

    def _is_word(self, start: Variable) -> bool:
        found, waiting = {start}, [start]
        while waiting:
            key, name = one = waiting.pop()
            if name in self._used[key].computed | self._used[key].asked:
                return False
            waiting += self._handed[one] - found
            found |= self._handed[one]
        return True

    # -- the expansion ---------------------------------------------------------------------------------------

    def _sight(self, variables: Mapping[str, ast.expr], arguments: Mapping[str, Value] = {}) -> Sight:
        reals = frozenset(name for name, value in arguments.items() if isinstance(value, float))
        return Sight(variables, reals, dict.fromkeys(SIZES, load("channels") if self._shaped else ast.Constant(None)))

    def _walk(self, body: Body, owner: int, seen: Sight) -> None:
        for step in body.steps:
            if isinstance(step, LayerStep):
                for branch in step.branches:
                    self._walk(branch, owner, seen)
            elif isinstance(step, CallStep):
                self._call(step, owner, seen)
            elif isinstance(step, RepeatStep):
                self._repeat(step, owner, seen)
            else:
                self._if(step, owner, seen)

    def _call(self, step: CallStep, owner: int, seen: Sight) -> None:
        definition = step.definition
        self._calls.add(id(step))
        self._definitions[id(definition)] = definition
        self._used.setdefault(id(definition), Uses.of(definition.body.statements, definition))
        written, inner = arguments(step, seen), self._sight({}, step.arguments)
        for formal in definition.formals:
            expr, _ = written.get(formal.name, (formal.default, False))
            sight = seen if formal.name in written else inner
            depends = expr is not None and bool(reads(translate(expr, sight)))
            value = step.arguments[formal.name]
            self._values[id(definition), formal.name].add(None if depends else (type(value), value))
            made = load(formal.name) if depends else constant(value)
            inner = replace(inner, variables={**inner.variables, formal.name: made})
            for name in words(expr):
                if formal.name in written and name in seen.variables:
                    if not isinstance(expr, Conditional):
                        self._below[owner, name].add((id(definition), formal.name))
                    self._hand((owner, name), (id(definition), formal.name))
                elif formal.name not in written and name in inner.variables:
                    self._hand((id(definition), name), (id(definition), formal.name))
        self._walk(step.body, id(definition), inner)

    def _hand(self, one: Variable, other: Variable) -> None:
        self._handed[one].add(other)
        self._handed[other].add(one)

    def _repeat(self, step: RepeatStep, owner: int, seen: Sight) -> None:
        depends = bool(reads(translate(step.statement.count, seen)))
        bodies = step.passes or ([step.ghost] if step.ghost is not None and depends else [])
        if depends or bodies:
            self._passing |= {id(step.statement), id(step)}
        for number, body in enumerate(bodies):
            inner = seen
            if step.statement.index is not None:
                index = step.statement.index.text
                made = load(index) if depends else ast.Constant(number)
                inner = replace(seen, variables={**seen.variables, index: made})
            self._walk(body, owner, inner)

    def _if(self, step: IfStep, owner: int, seen: Sight) -> None:
        live = self._arms[id(step)] = set(self._possible(step, seen))
        self._outcomes[id(step.statement)] |= live
        for number, body in enumerate(step.arms):
            if number in live and body is not None:
                self._walk(body, owner, seen)

    def _possible(self, step: IfStep, seen: Sight) -> Iterator[int | None]:
        for number, arm in enumerate(step.statement.arms):
            if arm.condition is None:
                yield number
                return
            condition = translate(arm.condition, seen)
            if reads(condition):
                yield number
            elif step.taken is not None and step.taken < number:  # it was not asked
                known = truth(
                    fold(translate(arm.condition, replace(seen, sizes=dict.fromkeys(SIZES, load("channels")))))
                )
                if known is not False:
                    yield number
                if known:
                    return
            elif step.taken == number:
                yield number
                return
        yield None


@dataclass(slots=True)
class Uses:
    """What a body does with names: `asked` are those in conditions, `computed` those in any other expression than a
    bare name, which is only passed on."""

    asked: set[str] = field(default_factory=set)
    computed: set[str] = field(default_factory=set)

    @classmethod
    def of(cls, statements: Iterable[Statement], definition: Definition | None = None) -> Uses:
        """The uses in statements, and in the defaults of a definition's parameters."""
        found = cls()
        for formal in definition.formals if definition else ():
            found._value(formal.default)
        for statement in nested(statements):
            if isinstance(statement, Operation):
                for argument in statement.arguments:
                    found._value(argument.value)
            elif isinstance(statement, Repeat):
                found.computed.update(names(statement.count))
            elif isinstance(statement, If):
                for arm in statement.arms:
                    found.asked.update(names(arm.condition))
            elif isinstance(statement, Parameter):
                found._value(statement.value)
        return found

    def _value(self, value: Expr | Size | None) -> None:
        if isinstance(value, Group):
            self._value(value.inner)
        elif isinstance(value, Conditional):
            self.asked.update(names(value.condition))
            self._value(value.then)
            self._value(value.otherwise)
        elif not isinstance(value, Reference):
            self.computed.update(names(value))


# -- arguments -----------------------------------------------------------------------------------------------


def arguments(step: CallStep, seen: Sight) -> dict[str, tuple[Expr | None, bool]]:
    """The arguments of a call as they were written, None for a bare switch, and whether under a key. As
    `netc.lower.bind` reads them."""
    formals = step.definition.formals
    flags = {formal.name for formal in formals if is_flag(formal)}
    found: dict[str, tuple[Expr | None, bool]] = {}
    values = handed_over(step.statement)[0] if step.definition.tensors else step.statement.arguments
    for argument in values:
        value: Expr = argument.value  # type: ignore[assignment]  # a definition takes no sizes
        if isinstance(argument, Keyword):
            found[argument.key] = (value, True)
        elif _is_flag(argument, flags, seen):
            found[value.name] = (None, True)  # type: ignore[union-attr]
        else:
            found[next(formal.name for formal in formals if formal.name not in found)] = (value, False)
    return found


def given(step: CallStep, seen: Sight) -> dict[str, tuple[ast.expr, bool]]:
    """The arguments of a call in Python, and whether under a key."""
    return {
        name: (ast.Constant(True) if value is None else translate(value, seen), keyword)
        for name, (value, keyword) in arguments(step, seen).items()
    }


def _is_flag(argument: Positional, flags: set[str], seen: Sight) -> bool:
    value = argument.value
    return isinstance(value, Reference) and value.name in flags and value.name not in seen.variables
