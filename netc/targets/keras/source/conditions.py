"""For which values of its parameters emitted code is the network, found along everything that was expanded.

The code was made for one value of each parameter. Wherever a value decided what the code is, and not only what it
computes with, the decision is put in terms of the parameters of `build_model`, which refuses values that would decide
otherwise. Decided is

- by a lowering that compares a symbol (`netc.target.Symbol` tells of it) or that the value never reaches as one;
- by the rank of a tensor, which other arms of an `if` or another number of passes would make another: a `fc` has a
  `Flatten` before it on a map of pixels and none on a vector;
- by the printer, where passes of a loop print differently.

Where a decision cannot be put in terms of the parameters, because it reads channels or the index of a loop, the
parameters that these depend on must have the values that they had.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import replace

from netc.ir.net import Node
from netc.ir.shape import SIZES, Shape
from netc.layers.base import Layer
from netc.layers.kinds import ACTIVATION_ALIASES
from netc.lower.expansion import Body, CallStep, IfStep, LayerStep, RepeatStep, Step, all_parts
from netc.lower.walk import mentions, names
from netc.params import Refused
from netc.program import Program
from netc.rewrites.ramps import is_ramp, ramps_of
from netc.syntax.tree import Expr, Keyword, Parameter, Positional, Reference, Size
from netc.target import Symbol
from netc.targets.keras.lowering import FUNCTIONS_TOO, to_keras
from netc.targets.keras.source.expressions import Sight, constant, translate
from netc.targets.keras.source.naming import product, sum_of
from netc.targets.keras.source.reach import Reach, given
from netc.targets.keras.source.symbols import as_keras_says, spoken, symbolic
from netc.targets.keras.source.text import expression
from netc.targets.keras.source.tree import load, negated, nodes, reads, refuse, same
from netc.values import Value, show

LARGE = 100  # nodes of a condition, above which the parameters in it are fixed instead

Reason = tuple[tuple[ast.expr, bool], ...]  # what a tensor's rank was decided by: conditions with their outcomes


class Conditions:
    """What must hold of the parameters. In its expressions these are `$name`, and what depends on them unseen `?n`."""

    def __init__(self, program: Program, parameters: Iterable[str], reach: Reach) -> None:
        self.program = program
        self.reach = reach
        self.parameters = list(parameters)
        read = set(mentions(s for s in program.file.statements if not isinstance(s, Parameter)))
        self._shaping = {name for name in self.parameters if name in read}  # what channels may depend on
        self._hidden: dict[str, set[str]] = {}
        self._fixed: dict[str, None] = {}
        self._decided: dict[str, tuple[ast.expr, bool]] = {}
        self._ranks: dict[str, list[tuple[Shape, Reason]]] = {}  # of a node: shapes of other ranks it might have
        self._total: ast.expr = ast.Constant(ramps_of(program.net))
        self._counts: dict[int, ast.expr] = {}  # of passes, by the `id` of the step
        if self.parameters:
            variables: dict[str, ast.expr] = {name: load(f"${name}") for name in self.parameters}
            seen = self._sight(variables, program.parameters)
            self._total = self._walk(program.expansion, replace(seen, words=reach.words(None)))

    # -- decisions -------------------------------------------------------------------------------------------

    def decided(self, condition: ast.expr, outcome: bool) -> None:
        """A condition must come out as it did."""
        read = reads(condition)
        if not read:
            return
        if read & self._hidden.keys() or sum(1 for _ in nodes(condition)) > LARGE:
            self.fix(condition)
            return
        match condition:
            case ast.Compare(left=ast.Name(), ops=[ast.Eq()], comparators=[ast.Constant()]) if outcome:
                self.fix(condition)
            case ast.Name():  # true or false
                self.fix(condition)
            case _:
                self._decided[ast.dump(condition)] = condition, outcome

    def fix(self, expr: ast.expr) -> None:
        """Whatever an expression depends on must have the value that it had."""
        self._fixed.update(dict.fromkeys(self._parameters(expr)))

    def fix_parameters(self, names: Iterable[str]) -> None:
        """Parameters must have the value that they had."""
        self._fixed.update(dict.fromkeys(names))

    def at_least(self, step: RepeatStep, passes: int) -> None:
        """A loop must have that many passes."""
        if passes and id(step) in self._counts:
            self.decided(ast.Compare(self._counts[id(step)], [ast.GtE()], [ast.Constant(passes)]), True)

    def ramps(self, variables: Mapping[str, str]) -> ast.expr:
        """How many layers of the network have a rate that rises over all of them."""
        if reads(self._total) & self._hidden.keys() or sum(1 for _ in nodes(self._total)) > LARGE:
            self.fix_parameters(self._before_ramps())
            return ast.Constant(ramps_of(self.program.net))
        shown: ast.expr = _Named(variables).visit(deepcopy(self._total))
        return shown

    def _before_ramps(self) -> Iterator[str]:
        """The parameters that the file reads down to its last ramp: no other can change how many there are."""
        steps = self.program.expansion.steps
        last = max(place for place, step in enumerate(steps) if self._has_ramps(step))
        read = set(mentions(step.statement for step in steps[: last + 1]))
        return (name for name in self.parameters if name in read)

    def _has_ramps(self, step: Step) -> bool:
        waiting = [step]
        while waiting:
            step = waiting.pop()
            if isinstance(step, LayerStep) and any(is_ramp(self.program.home(name).node(name)) for name in step.nodes):
                return True
            waiting += [inner for body in all_parts(step) for inner in body.steps]
        return False

    def _parameters(self, expr: ast.expr) -> set[str]:
        read = reads(expr)
        hidden = [self._hidden[name] for name in read if name in self._hidden]
        return {name[1:] for name in read if name not in self._hidden}.union(*hidden)

    def guards(
        self, variables: Mapping[str, str], values: Mapping[str, Value], unread: Iterable[str]
    ) -> Iterator[ast.stmt]:
        """The refusals; `unread` are parameters that decided, as they do not stand in the code."""
        fixed = self._fixed.keys() | set(unread)
        for name in (name for name in variables if name in fixed):
            value, variable = values[name], load(variables[name])
            known: ast.expr = constant(value)
            if name in self.reach.words(None):
                known = as_keras_says(known)
            test: ast.expr = ast.Compare(variable, [ast.NotEq()], [known])
            if isinstance(value, bool):
                test = ast.UnaryOp(ast.Not(), variable) if value else variable
            yield refuse(test, f"this code is for {name}={show(value)} only")
        for condition in _grouped(self._decided.values()):
            if not {name[1:] for name in reads(condition)} <= fixed:
                shown = _Named(variables).visit(deepcopy(condition))
                yield refuse(negated(shown), _message(shown))

    # -- expansion -------------------------------------------------------------------------------------------

    def _hide(self, parameters: set[str]) -> ast.Name:
        name = f"?{len(self._hidden)}"
        self._hidden[name] = parameters
        return load(name)

    def _sight(self, variables: Mapping[str, ast.expr], values: Mapping[str, object]) -> Sight:
        reals = frozenset(name for name, value in values.items() if isinstance(value, float))
        return Sight(variables, reals, dict.fromkeys(SIZES, self._hide(self._shaping)))

    def _walk(self, body: Body, seen: Sight) -> ast.expr:
        """Find what is decided in a body; how many ramps it has."""
        total: ast.expr = ast.Constant(0)
        for step in body.steps:
            total = sum_of(total, self._step(step, seen))
        return total

    def _step(self, step: Step, seen: Sight) -> ast.expr:
        if isinstance(step, CallStep):
            defaults = (formal.default for formal in step.definition.formals if formal.default is not None)
            self._sized(step, [*(argument.value for argument in step.statement.arguments), *defaults], seen)
            return self._walk(step.body, self._inside(step, seen))
        if isinstance(step, RepeatStep):
            return self._repeat(step, seen)
        if isinstance(step, IfStep):
            return self._if(step, seen)
        total: ast.expr = ast.Constant(sum(is_ramp(self.program.home(name).node(name)) for name in step.nodes))
        for branch in step.branches:
            total = sum_of(total, self._walk(branch, seen))
        self._layers(step, seen)
        return total

    def _inside(self, step: CallStep, seen: Sight) -> Sight:
        """What the body of a call sees: its parameters, by what the call gave."""
        written = given(step, seen)
        inner = replace(self._sight({}, step.arguments), words=self.reach.words(step.definition))
        for formal in step.definition.formals:
            value = written[formal.name][0] if formal.name in written else None
            if value is None:
                assert formal.default is not None
                value = translate(formal.default, inner)
            if not reads(value):
                value = constant(step.arguments[formal.name])
            elif sum(1 for _ in nodes(value)) > LARGE:
                value = self._hide(self._parameters(value))
            inner = replace(inner, variables={**inner.variables, formal.name: value})
        return inner

    def _sized(self, step: Step, written: Iterable[Expr | Size], seen: Sight) -> None:
        """What says `rows` or another size reads it where it stands in a tensor of this rank."""
        read = {name for value in written for name in names(value) if name in SIZES[:-1] and name in seen.sizes}
        if read - seen.variables.keys() and step.source is not None:
            for _, reason in self._ranks.get(step.source, ()):
                for condition, outcome in reason:
                    self.decided(condition, outcome)

    def _if(self, step: IfStep, seen: Sight) -> ast.expr:
        self._sized(step, [arm.condition for arm in step.statement.arms if arm.condition is not None], seen)
        arms = step.statement.arms if step.taken is None else step.statement.arms[: step.taken + 1]
        conditions = [translate(arm.condition, seen) for arm in arms if arm.condition is not None]
        reason = tuple((condition, number == step.taken) for number, condition in enumerate(conditions))
        live = self.reach.outcomes(step.statement)
        bodies = {number: body for number, body in enumerate(step.arms) if body is not None and number in live}
        counted = {number: self._walk(body, seen) for number, body in bodies.items()}
        totals = [counted.get(number, ast.Constant(0)) for number in range(len(step.arms))]
        others = [body for number, body in bodies.items() if number != step.taken]
        ends = [(body.result, {**step.labels, **body.labels}) for body in others]
        if None in live and step.taken is not None:
            ends.append((step.source, dict(step.labels)))
        held = {**step.labels, **(step.ran.labels if step.ran else {})}
        for end, labels in ends:
            self._might_be(step.result, end, reason)
            for label, node in held.items():
                self._might_be(node, labels.get(label), reason)
        if not any(map(reads, conditions)):
            return ast.Constant(0) if step.taken is None else totals[step.taken]
        total = ast.Constant(0) if step.statement.arms[-1].condition is not None else totals[-1]
        for arm, one in zip(step.statement.arms[::-1], totals[::-1], strict=True):
            if arm.condition is not None and not same(one, total):
                total = ast.IfExp(translate(arm.condition, seen), one, total)
        return total

    def _repeat(self, step: RepeatStep, seen: Sight) -> ast.expr:
        statement = step.statement
        self._sized(step, [statement.count], seen)
        count = self._counts[id(step)] = translate(statement.count, seen)
        depends = bool(reads(count))
        bodies = step.passes or ([step.ghost] if step.ghost and depends else [])
        entry, inner, held = step.source, seen, dict(step.labels)
        totals = []
        for number, body in enumerate(bodies):
            if statement.index is not None:
                index: ast.expr = self._hide(self._parameters(count)) if depends else ast.Constant(number)
                inner = replace(seen, variables={**seen.variables, statement.index.text: index})
            if depends and number == len(bodies) - 1:  # which begins as those after it would
                most = ast.Compare(count, [ast.LtE()], [ast.Constant(number + 1)])
                self._might_be(entry, body.result, ((most, True),))
                for label, node in held.items():
                    self._might_be(node, body.labels.get(label), ((most, True),))
            totals.append(self._walk(body, inner))
            entry = body.result
            held.update((label, body.labels[label]) for label in held.keys() & body.labels.keys())
        if not depends:
            return sum_of(*totals) if step.passes else ast.Constant(0)
        if step.passes:
            some = ast.Compare(count, [ast.GtE()], [ast.Constant(1)])
            self._might_be(step.result, step.source, ((some, True),))
            for label, node in step.labels.items():
                self._might_be(held[label], node, ((some, True),))
        elif step.ghost is not None:
            none = ast.Compare(count, [ast.LtE()], [ast.Constant(0)])
            self._might_be(step.source, step.ghost.result, ((none, True),))
            for label, node in step.labels.items():
                self._might_be(node, step.ghost.labels.get(label), ((none, True),))
        if all(same(one, totals[0]) for one in totals[1:]):
            return product(count, totals[0]) if totals else ast.Constant(0)
        return self._hide(self._parameters(count))

    # -- layers ----------------------------------------------------------------------------------------------

    def _layers(self, step: LayerStep, seen: Sight) -> None:
        used: set[int] = set()
        for name in step.nodes:
            node = self.program.home(name).node(name)
            shapes = self.program.home(name).operand_shapes(name)
            used |= {id(expr) for expr in _parts(node.origin.written.values())}
            layer = symbolic(node.layer, node.origin.written, seen, decided=self.decided)
            if layer is not node.layer:
                to_keras(layer, shapes)
                self._keeps(node, layer, shapes)
            spoke = spoken(self.program.home(name), step.nodes, name, seen, self.decided)
            if spoke is not None:
                used.add(id(node.origin.op))
                for other in (*ACTIVATION_ALIASES, *FUNCTIONS_TOO):  # layers have their names from it
                    spoke == other  # noqa: B015 - a decision
            for expr in node.origin.unseen:  # of a `default` statement at the top of the file, or of this body
                for variables in (seen.variables, {name: load(f"${name}") for name in self.parameters}):
                    self.fix(translate(expr, replace(seen, variables=variables)))
            self._other_ranks(name, node.layer, shapes)
        self._words(step, seen)
        self._sized(step, [argument.value for argument in step.statement.arguments], seen)
        if step.nodes:
            first = self.program.home(step.nodes[0]).node(step.nodes[0]).layer
            for argument in step.statement.arguments:
                value = argument.value
                word = isinstance(argument, Keyword) and getattr(first, argument.key, None)
                if isinstance(value, Reference) and value.name == word:
                    continue
                parts = (*value.parts, *value.stride) if isinstance(value, Size) else (value,)
                for part in parts:
                    if part is not None and id(part) not in used:
                        self.fix(translate(part, seen))

    def _words(self, step: LayerStep, seen: Sight) -> None:
        """A word after an operation that became its `act` is a layer of its own for other words, some of which Keras
        takes as an `activation` too."""
        for name in step.nodes[:1]:
            node = self.program.home(name).node(name)
            act = node.origin.written.get("act")
            for argument in step.statement.arguments:
                if isinstance(argument, Positional) and argument.value is act and not isinstance(act, tuple):
                    symbol = Symbol(translate(act, seen), node.layer.act, self.decided)  # type: ignore[attr-defined]
                    for word in FUNCTIONS_TOO:
                        symbol == word  # noqa: B015 - a decision

    def _keeps(self, node: Node, layer: Layer, shapes: Sequence[Shape]) -> None:
        """Whether the output has another rank where a parameter that is true is false, such as the `keep` of `gap`."""
        for name, value in vars(layer).items():
            if isinstance(value, Symbol) and isinstance(value.value, bool):
                try:
                    shape = type(layer)(**{**vars(node.layer), name: not value.value}).infer(shapes)
                except Refused:
                    continue
                self._add(node.name, shape, ((value.expr, value.value),))

    # -- ranks -----------------------------------------------------------------------------------------------

    def _might_be(self, node: str | None, other: str | None, reason: Reason) -> None:
        """In place of a node, another one would be read, were it not for the reason."""
        if node is not None and other is not None:
            self._add(node, self.program.home(other).shapes[other], reason)
            for shape, more in self._ranks.get(other, ()):
                self._add(node, shape, (*reason, *more))

    def _add(self, node: str, shape: Shape, reason: Reason) -> None:
        known = self._ranks.setdefault(node, [])
        if len(shape) != len(self.program.home(node).shapes[node]) and len(known) < LARGE:
            known.append((shape, reason))

    def _other_ranks(self, name: str, layer: Layer, shapes: Sequence[Shape]) -> None:
        """Follow the ranks that the operands of a node might have, to where the layer would be made another way."""
        operands = self.program.home(name).operands(name)
        reasons = {id(reason): reason for operand in operands for _, reason in self._ranks.get(operand, ())}
        for reason in reasons.values():
            others = tuple(
                next((other for other, why in self._ranks.get(operand, ()) if why is reason), shape)
                for operand, shape in zip(operands, shapes, strict=True)
            )
            try:
                made = layer.infer(others)
            except Refused:
                continue  # netc refuses it, and so does Keras
            if to_keras(layer, others) != to_keras(layer, shapes):
                for condition, outcome in reason:
                    self.decided(condition, outcome)
            else:
                self._add(name, made, reason)


def _parts(written: Iterable[Expr | tuple[Expr | None, ...]]) -> Iterator[Expr | None]:
    for one in written:
        yield from one if isinstance(one, tuple) else (one,)


def _grouped(decided: Iterable[tuple[ast.expr, bool]]) -> Iterator[ast.expr]:
    """The conditions as they must hold: several words that something is not are one."""
    words: dict[str, tuple[ast.expr, list[ast.expr]]] = {}
    for condition, outcome in decided:
        match condition:
            case ast.Compare(left=left, ops=[ast.Eq()], comparators=[ast.Constant() as word]) if not outcome:
                words.setdefault(ast.dump(left), (left, []))[1].append(word)
            case _:
                yield condition if outcome else negated(condition)
    for left, found in words.values():
        if len(found) == 1:
            yield ast.Compare(left, [ast.NotEq()], [*found])
        else:
            yield ast.Compare(left, [ast.NotIn()], [ast.Tuple([*found], ast.Load())])


def _message(condition: ast.expr) -> str:
    match condition:
        case ast.Compare(left=left, ops=[ast.NotIn()], comparators=[ast.Tuple(elts=words)]):
            found = ", ".join(str(word.value) for word in words if isinstance(word, ast.Constant))
            return f"{expression(left)} is one of {found}: compile the spec anew for it"
    return f"this code is for {expression(condition)} only"


class _Named(ast.NodeTransformer):
    """Puts in the variables of the parameters, into a copy."""

    def __init__(self, variables: Mapping[str, str]) -> None:
        self.variables = variables

    def visit_Name(self, node: ast.Name) -> ast.expr:
        return load(self.variables[node.id[1:]])
