"""Layer names in emitted code: the rule of docs/architecture.md ("Names") as text with counts in it.

The rule depends on the statements alone, so it is worked out once for a definition and holds for all its copies.
A count is a polynomial of loop indices and parameters (`f"{name}_unit{2 * i + 3}"`). Where none exists, as after a
`repeat` inside an `if`, the emitted code counts in a variable.
"""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import reduce

from netc.ir.shape import SIZES
from netc.lower.names import NAMELESS, canonical
from netc.syntax.tree import Expr, If, Operation, Repeat, Statement
from netc.targets.keras.source.counts import ONE, ZERO, Count, polynomial
from netc.targets.keras.source.expressions import names, sight, translate
from netc.targets.keras.source.identifiers import Identifiers
from netc.targets.keras.source.tree import call, same

Counts = dict[str, Count | None]  # None where the count is no polynomial
Name = tuple[str | Count, ...]  # the pieces of a name
PREFIX: Name = (Count.of("name"),)  # the path that a function is given


_LEGAL = re.compile(r"[A-Za-z0-9_.-]*\Z")


@dataclass(frozen=True, slots=True)
class Join:
    """A counting variable after an `if`: at least what it was before, plus what the longest arm counts."""

    counter: str
    before: str
    most: ast.expr


@dataclass(slots=True)
class Naming:
    """The names of one definition or file. Keys are `id`s of statements of the syntax tree.

    `names` holds the names of statements; `indices` the loop variables; `passes` a variable for a `repeat`'s
    count where names need it; `counters` the counting variables that start at 0 in a body
    (None for the whole, else a labelled `repeat`); `bumps` the variable that a statement counts up, `kept` one that
    keeps its count where branches count on before the name is needed.
    """

    names: dict[int, Name] = field(default_factory=dict)
    indices: dict[int, str] = field(default_factory=dict)
    passes: dict[int, str] = field(default_factory=dict)
    counters: dict[int | None, list[str]] = field(default_factory=dict)
    bumps: dict[int, str] = field(default_factory=dict)
    kept: dict[int, str] = field(default_factory=dict)
    joins: dict[int, list[Join]] = field(default_factory=dict)

    def first_pass(self, index: str) -> Naming:
        """The names in the first pass of a loop."""
        return replace(
            self,
            names={
                key: tuple(piece.at(index, 0) if isinstance(piece, Count) else piece for piece in name)
                for key, name in self.names.items()
            },
        )


def quoted(name: Name, *suffix: str | ast.expr) -> ast.expr:
    """A name as a Python string, with more text, or expressions that give it, at its end."""
    pieces: list[ast.expr] = []
    text = ""
    for piece in (*name, *suffix):
        if isinstance(piece, ast.expr) or (isinstance(piece, Count) and piece.number is None):
            pieces += [ast.Constant(text), ast.FormattedValue(piece if isinstance(piece, ast.expr) else piece.expr, -1)]
            text = ""
        else:
            text += str(piece.number) if isinstance(piece, Count) else piece
    pieces.append(ast.Constant(text))
    assert all(_LEGAL.match(str(piece.value)) for piece in pieces if isinstance(piece, ast.Constant)), name
    return ast.JoinedStr(pieces) if len(pieces) > 1 else pieces[0]


def plan(
    statements: Sequence[Statement], prefix: Name, variables: Mapping[str, str], identifiers: Identifiers
) -> Naming:
    """Work out the names of a body. `prefix` is the path of its names: `PREFIX`, a fixed name, or nothing."""
    counted: set[tuple[int | None, str]] = set()
    while True:
        scope = identifiers.inner()
        planner = _Planner(Naming(), scope, counted)
        planner.walk(statements, _Body(None, prefix, variables), {})
        if planner.missing <= counted:
            naming = planner.finished()
            identifiers.reserve(planner.made)
            return naming
        counted |= planner.missing


@dataclass(frozen=True, slots=True)
class _Body:
    """Where names are made: the body that counts, the path before them, what expressions see."""

    scope: int | None
    prefix: Name
    variables: Mapping[str, str]
    repeated: bool = False
    dry: bool = False  # counts only, nothing is recorded

    def path(self, *name: str | Count) -> Name:
        return (*self.prefix, "_", *name) if self.prefix else name


class _Planner:
    def __init__(self, naming: Naming, identifiers: Identifiers, counted: set[tuple[int | None, str]]) -> None:
        self.naming = naming
        self.identifiers = identifiers
        self.counted = counted
        self.missing: set[tuple[int | None, str]] = set()
        self.made: list[str] = []
        self._counters: dict[tuple[int | None, str], str] = {}
        self._bumped = Counter[str | None]()  # how often each counter was raised so far
        self._passes: dict[int, str] = {}

    def finished(self) -> Naming:
        """The plan, with variables for pass counts only where a name needs them."""
        pieces = [piece for name in self.naming.names.values() for piece in name if isinstance(piece, Count)]
        read = frozenset[str]().union(*(piece.variables for piece in pieces))
        self.naming.passes = {key: name for key, name in self._passes.items() if name in read}
        self.made = [name for name in self.made if name in read or name not in self._passes.values()]
        return self.naming

    def walk(self, statements: Sequence[Statement], body: _Body, counts: Counts) -> None:
        """Name statements, going on from `counts`."""
        for statement in statements:
            if isinstance(statement, Operation):
                self._operation(statement, body, counts)
            elif isinstance(statement, Repeat):
                self._repeat(statement, body, counts)
            elif isinstance(statement, If):
                self._if(statement, body, counts)

    def _operation(self, statement: Operation, body: _Body, counts: Counts) -> None:
        if statement.name not in NAMELESS:
            name = self._name(statement, body, counts)
            if not body.dry:
                self.naming.names[id(statement)] = name
        counter = self.naming.bumps.get(id(statement))
        before = self._bumped[counter]
        for branch in statement.branches:
            self.walk(branch.statements, body, counts)
        if counter is not None and self._bumped[counter] > before and not body.dry:
            kept = self.naming.kept[id(statement)] = self._make(counter.replace("_count", "_number"))
            name = self.naming.names[id(statement)]
            self.naming.names[id(statement)] = (*name[:-1], Count.of(kept))

    def _name(self, statement: Operation, body: _Body, counts: Counts) -> Name:
        if statement.label is None:
            return self._counted(statement, canonical(statement.name), body, counts)
        if body.repeated:
            return self._counted(statement, statement.label.text, body, counts)
        return body.path(statement.label.text)

    def _counted(self, statement: Statement, word: str, body: _Body, counts: Counts) -> Name:
        key = (body.scope, word)
        if key in self.counted:
            counter = self._counter(key)
            self.naming.bumps[id(statement)] = counter
            self._bumped[counter] += 1
            return body.path(word, Count.of(counter))
        count = counts.get(word, ZERO)
        if count is None:
            if not body.dry:
                self.missing.add(key)
            return ()
        count += ONE
        counts[word] = count
        return body.path(word, count)

    def _counter(self, key: tuple[int | None, str]) -> str:
        if key not in self._counters:
            self._counters[key] = self._make(f"{key[1]}_count")
            self.naming.counters.setdefault(key[0], []).append(self._counters[key])
        return self._counters[key]

    def _make(self, wanted: str) -> str:
        name = self.identifiers.make(wanted)
        self.made.append(name)
        return name

    # -- repeat ----------------------------------------------------------------------------------------------

    def _repeat(self, statement: Repeat, body: _Body, counts: Counts) -> None:
        total = self._total(statement, body)
        index = self._index(statement)
        variables = body.variables
        if statement.index is not None:
            variables = {**variables, statement.index.text: index}
        inner = replace(body, variables=variables)
        steps = self._steps(statement, inner, index)
        if not body.dry:
            self._passes_of(statement, inner, index, steps, counts)
        for word, step in steps.items():
            start = counts.get(word, ZERO)
            counts[word] = None if start is None or step is None else start + total * step
        self.identifiers.release(index)

    def _passes_of(self, statement: Repeat, body: _Body, index: str, steps: Counts, counts: Counts) -> None:
        """Name what one pass makes, whatever its index."""
        at = Count.of(index)
        start: Counts = dict(counts)
        for word, step in steps.items():
            before = counts.get(word, ZERO)
            start[word] = None if before is None or step is None else before + at * step
        if statement.label is None:
            self.walk(statement.body.statements, replace(body, repeated=True), start)
            return
        prefix = self._counted(statement, statement.label.text, body, start)
        own = replace(body, scope=id(statement), prefix=prefix, repeated=False)
        self.walk(statement.body.statements, own, {})

    def _steps(self, statement: Repeat, body: _Body, index: str) -> Counts:
        """How far one pass takes each count."""
        if statement.label is not None:
            return {statement.label.text: ONE}
        steps: Counts = {}
        self.walk(statement.body.statements, replace(body, repeated=True, dry=True), steps)
        return {word: None if step is not None and index in step.variables else step for word, step in steps.items()}

    def _total(self, statement: Repeat, body: _Body) -> Count:
        found = polynomial(statement.count, body.variables)
        if found is not None:
            return found
        if id(statement) not in self._passes:
            self._passes[id(statement)] = self._make("passes")
        return Count.of(self._passes[id(statement)])

    def _index(self, statement: Repeat) -> str:
        indices = self.naming.indices
        if id(statement) in indices:
            self.identifiers.reserve((indices[id(statement)],))
        elif statement.index is not None:
            indices[id(statement)] = self._make(statement.index.text)
        else:
            free = (letter for letter in "ijk" if self.identifiers.free(letter))
            indices[id(statement)] = self._make(next(free, "i"))
        return indices[id(statement)]

    # -- if --------------------------------------------------------------------------------------------------

    def _if(self, statement: If, body: _Body, counts: Counts) -> None:
        start, ends = dict(counts), []
        for arm in statement.arms:
            end = dict(start)
            self.walk(arm.body.statements, body, end)
            ends.append(end)
        for word in dict.fromkeys(word for end in ends for word in end):
            counts[word] = _longest(start.get(word, ZERO), [end.get(word, ZERO) for end in ends])
        if not body.dry:
            self._join(statement, body)

    def _skipped(
        self, statements: Sequence[Statement], body: _Body, repeated: bool, indices: frozenset[str]
    ) -> dict[str, ast.expr]:
        """What statements that do not run count, as `netc.lower.names.Names.skip` says it."""
        found: dict[str, ast.expr] = {}

        def add(word: str, more: ast.expr) -> None:
            found[word] = sum_of(found.get(word, ast.Constant(0)), more)

        for statement in statements:
            parts: list[dict[str, ast.expr]] = []
            times: ast.expr = ast.Constant(1)
            if isinstance(statement, Operation):
                if statement.name not in NAMELESS and (statement.label is None or repeated):
                    add(canonical(statement.name) if statement.label is None else statement.label.text, times)
                parts = [self._skipped(branch.statements, body, repeated, indices) for branch in statement.branches]
            elif isinstance(statement, Repeat):
                times = self._known_passes(statement.count, body, indices)
                inner = indices if statement.index is None else indices | {statement.index.text}
                named: dict[str, ast.expr] = {}
                if statement.label is not None:
                    named[statement.label.text] = ast.Constant(1)
                parts = [named or self._skipped(statement.body.statements, body, True, inner)]
            elif isinstance(statement, If):
                arms = [self._skipped(arm.body.statements, body, repeated, indices) for arm in statement.arms]
                words = dict.fromkeys(word for arm in arms for word in arm)
                zero = ast.Constant(0)
                parts = [{word: reduce(_largest, [arm.get(word, zero) for arm in arms]) for word in words}]
            for part in parts:
                for word, count in part.items():
                    add(word, product(times, count))
        return found

    def _known_passes(self, count: Expr, body: _Body, indices: frozenset[str]) -> ast.expr:
        read = names(count)
        if read & indices or any(name in SIZES and name not in body.variables for name in read):
            return ast.Constant(0)
        found = polynomial(count, body.variables)
        if found is not None and found.number is not None:
            return ast.Constant(found.number)
        return call("max", translate(count, sight(body.variables)), ast.Constant(0))

    def _join(self, statement: If, body: _Body) -> None:
        for word, most in self._skipped((statement,), body, body.repeated, frozenset()).items():
            if (body.scope, word) in self.counted:
                counter = self._counter((body.scope, word))
                join = Join(counter, self._make(f"{counter}_before"), most)
                self.naming.joins.setdefault(id(statement), []).append(join)


def sum_of(*counts: ast.expr) -> ast.expr:
    """The sum of counts."""
    total: ast.expr = ast.Constant(0)
    for count in counts:
        match total, count:
            case ast.Constant(value=int(a)), ast.Constant(value=int(b)):
                total = ast.Constant(a + b)
            case ast.Constant(value=0), _:
                total = count
            case _, ast.Constant(value=0):
                pass
            case _:
                total = ast.BinOp(total, ast.Add(), count)
    return total


def product(one: ast.expr, other: ast.expr) -> ast.expr:
    """The product of two counts."""
    match one, other:
        case ast.Constant(value=int(a)), ast.Constant(value=int(b)):
            return ast.Constant(a * b)
        case (_, ast.Constant(value=1)) | (ast.Constant(value=0), _):
            return one
        case ast.Constant(value=1), _:
            return other
    return ast.BinOp(one, ast.Mult(), other)


def _largest(one: ast.expr, other: ast.expr) -> ast.expr:
    match one, other:
        case ast.Constant(value=int(a)), ast.Constant(value=int(b)):
            return ast.Constant(max(a, b))
        case ast.Call(func=ast.Name(id="max"), args=[first, ast.Constant(value=0)]), ast.Constant():
            return call("max", first, other)
        case ast.Constant(), ast.Call(func=ast.Name(id="max"), args=[first, ast.Constant(value=0)]):
            return call("max", first, one)
    return one if same(one, other) else call("max", one, other)


def _longest(start: Count | None, ends: list[Count | None]) -> Count | None:
    """The count after an `if`, the larger of its arms'; None where they do not all count a fixed number."""
    if start is None:
        return None
    most = 0
    for end in ends:
        step = None if end is None else (end + -start).number
        if step is None:
            return None
        most = max(most, step)
    return start + Count.of(most)
