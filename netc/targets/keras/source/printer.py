"""One copy of a definition, or the file, as Python statements."""

from __future__ import annotations

import ast
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from netc.ir.shape import Shape
from netc.layers import LAYERS
from netc.layers.regularise import DropPath
from netc.lower.expansion import Body, CallStep, IfStep, LayerStep, RepeatStep, Step
from netc.lower.walk import handed_over, nested
from netc.params import declared
from netc.program import Program
from netc.syntax.source import Span
from netc.syntax.tree import (
    Argument,
    Branch,
    Definition,
    Keyword,
    Operation,
    Positional,
    Reference,
    Repeat,
    Starred,
    Statement,
)
from netc.target import Symbol
from netc.targets.keras.lowering import applied, to_keras
from netc.targets.keras.order import operand_order
from netc.targets.keras.source.calls import link, made
from netc.targets.keras.source.comments import Remarks
from netc.targets.keras.source.expressions import Sight, condition, sight, translate
from netc.targets.keras.source.identifiers import Identifiers
from netc.targets.keras.source.naming import Join, Naming, quoted
from netc.targets.keras.source.reach import Reach
from netc.targets.keras.source.symbols import spoken, symbolic
from netc.targets.keras.source.tree import (
    CHECKED,
    DEAD,
    GHOST,
    HOLE,
    Chain,
    Comment,
    For,
    Link,
    Statements,
    assign,
    call,
    chain,
    error,
    expanded,
    hoist,
    joined,
    listed,
    load,
    merge,
    reads,
    store,
)


@dataclass(slots=True)
class Lists:
    """The lists of what labels name in all passes: their variables by label; those that are made before a statement,
    and the one that a statement's result is appended to, by the `id` of the statement."""

    variables: dict[str, str] = field(default_factory=dict)
    made: dict[int, list[str]] = field(default_factory=dict)
    grown: dict[int, str] = field(default_factory=dict)


@dataclass(slots=True)
class Frame:
    """What all copies of a definition (or the file) have in common.

    `variables` are the Python names of parameters and indices, `labels` those of labels that are read. A label that is
    `carried` on by loops is assigned anew in them, so that the current tensor never is in its variable.
    """

    statements: Sequence[Statement]
    variables: Mapping[str, str]
    reals: frozenset[str]
    labels: Mapping[str, str]
    naming: Naming
    identifiers: Identifiers
    listed_inputs: bool = False  # `inputs` is a list that every `input` is appended to
    chosen_outputs: bool = False  # `outputs` is set by an `output` in an `if`
    carried: frozenset[str] = frozenset()
    lists: Lists = field(default_factory=Lists)
    known: Mapping[str, ast.expr] = field(default_factory=dict)  # values of parameters that always have the same
    fixed: Mapping[str, ast.expr] = field(default_factory=dict)  # those among them that are written in their place
    words: frozenset[str] = frozenset()  # parameters that may stand for a word as Keras has it
    models: dict[Definition, str] = field(default_factory=dict)  # those of `shared def`s, by their variables

    def sight(self, tensor: str, shape: Shape | None, variables: Mapping[str, str] | None = None) -> Sight:
        """What expressions see where `tensor` is the current one: all variables, unless others are given."""
        seen = sight(self.variables if variables is None else variables, self.reals, tensor, shape)
        return replace(seen, variables={**seen.variables, **self.fixed}, known=self.known, words=self.words)

    def indexed(self, index: str, variable: str) -> Frame:
        """What the body of a loop has in common, where a name is that of its index."""
        known, fixed = ({key: one for key, one in of.items() if key != index} for of in (self.known, self.fixed))
        return replace(self, variables={**self.variables, index: variable}, known=known, fixed=fixed)


@dataclass(slots=True)
class Module:
    """What all functions of the emitted module have in common."""

    program: Program
    remarks: Remarks
    depth: Mapping[str, int]
    call: Callable[[CallStep, Sight, Sequence[str], ast.expr | None], ast.Call]  # of a definition, under a name
    model: Callable[[CallStep, Sight, Sequence[str]], ast.Call]  # of the function that makes the model of a definition
    in_line: Container[Definition]  # of those that become models: all calls stand in one body, one after the other
    at_least: Callable[[RepeatStep, int], None]  # is told how many passes a loop must have
    reach: Reach


@dataclass(slots=True)
class Flow:
    """The variable that holds the current tensor, and the one that the next layer assigns."""

    current: str
    work: str
    read: bool = True  # whether anything follows that reads the current tensor

    def settle(self) -> Statements:
        """Have the current tensor in the working variable, as loops and arms need it."""
        if self.current == self.work or not self.read:
            return []
        moved = assign(self.work, self.current)
        self.current = self.work
        return [moved]


def read_labels(statements: Iterable[Statement]) -> dict[str, None]:
    """What `from`, `output`, combiners, options and calls name, in order: labels, and words among them."""
    return {
        name: None for statement in nested(statements) if isinstance(statement, Operation) for name in _named(statement)
    }


def _named(statement: Operation) -> list[str]:
    if statement.name in ("from", "output"):
        return references(statement)
    return [*_joined_labels(statement), *handed(statement)]


def _is_combiner(statement: Operation) -> bool:
    return statement.name in LAYERS and LAYERS[statement.name].operands[1] not in (0, 1)


def _joined_labels(statement: Operation) -> list[str]:
    """The tensors that a layer reads beside the current one, in the order of its operands; words may be among them."""
    if statement.name not in LAYERS:
        return []
    cls = LAYERS[statement.name]
    options = {argument.key: argument.value for argument in statement.arguments if isinstance(argument, Keyword)}
    named = [options.get(param.key) for name, param in declared(cls).items() if name in cls.tensors()]
    return [
        *(references(statement) if _is_combiner(statement) else []),
        *(value.name for value in named if isinstance(value, Reference)),
    ]


def references(statement: Operation) -> list[str]:
    """The bare names among the arguments of a statement."""
    return _bare(statement.arguments)


def handed(call: Operation) -> list[str]:
    """The labels after `with` in a call of a definition with tensors."""
    return _bare(handed_over(call)[1] or ())


def _bare(arguments: Iterable[Argument]) -> list[str]:
    values = [argument.value for argument in arguments if isinstance(argument, Positional)]
    return [value.name for value in values if isinstance(value, Reference)]


@dataclass(slots=True)
class Printer:
    """Prints the bodies of one copy. `once` is set inside a shared definition that becomes no model, whose layers are
    made once."""

    module: Module
    frame: Frame
    once: bool = False
    inputs: list[str] = field(default_factory=list)
    _busy: list[str] = field(default_factory=list)  # variables of branches that are open

    def block(self, statements: Sequence[Statement], body: Body, flow: Flow) -> Statements:
        """The statements of a body."""
        steps = {id(step.statement): step for step in body.steps}
        items: Statements = []
        for statement in statements:
            step = steps.get(id(statement))
            if step is not None:
                items += self._comments(self.module.remarks.at, statement)
                items += [assign(name, listed(())) for name in self.frame.lists.made.get(id(statement), ())]
                items += self._step(step, flow)
                items += self._kept(statement, flow)
            elif isinstance(statement, Operation) and statement.name == "output" and self.frame.chosen_outputs:
                items.append(assign("outputs", listed(load(self.frame.labels[name]) for name in references(statement))))
            items += self._comments(self.module.remarks.end, statement)
        return items

    def _comments(self, where: Mapping[Span, list[str]], statement: Statement) -> Statements:
        return [Comment(text) for text in where.get(statement.span, ()) if text]

    def _kept(self, statement: Statement, flow: Flow) -> Statements:
        """What keeps a result for later passes, and for after them."""
        label = statement.label if isinstance(statement, Operation | Repeat) else None
        items: Statements = []
        if label is not None and label.text in self.frame.carried and label.text in self.frame.labels:
            items.append(assign(self.frame.labels[label.text], flow.current))
        if id(statement) in self.frame.lists.grown:
            items.append(ast.Expr(call(f"{self.frame.lists.grown[id(statement)]}.append", load(flow.current))))
        return items

    def _sight(self, step: Step, flow: Flow) -> Sight:
        """What the expressions of a statement see."""
        source = step.source
        shape = None if source is None else self.module.program.home(source).shapes[source]
        return self.frame.sight(flow.current, shape)

    def _step(self, step: Step, flow: Flow) -> Statements:
        counting = self._bump(step)
        if isinstance(step, LayerStep):
            return counting + self._layers(step, flow)
        if isinstance(step, CallStep):
            return counting + self._call(step, flow)
        if isinstance(step, RepeatStep):
            return self._repeat(step, flow)
        return self._if(step, flow)

    # -- names -----------------------------------------------------------------------------------------------

    def _bump(self, step: Step) -> Statements:
        counter = self.frame.naming.bumps.get(id(step.statement))
        if counter is None or isinstance(step, RepeatStep):
            return []
        kept = self.frame.naming.kept.get(id(step.statement))
        return [raised(counter), *([assign(kept, counter)] if kept else [])]

    def counters(self, scope: int | None) -> Statements:
        """Counting variables at the start of a body."""
        return [assign(counter, ast.Constant(0)) for counter in self.frame.naming.counters.get(scope, ())]

    def _name(self, statement: Statement, *suffix: ast.expr) -> ast.expr:
        return joined(quoted(self.frame.naming.names[id(statement)]), *suffix)

    def _target(self, statement: Operation | Repeat, work: str) -> str:
        """The variable for the result of a statement: its label's where that is read later."""
        label = statement.label
        plain = label is None or label.text in self.frame.carried
        return work if plain else self.frame.labels.get(label.text, work)  # type: ignore[union-attr]

    # -- layers ----------------------------------------------------------------------------------------------

    def _layers(self, step: LayerStep, flow: Flow) -> Statements:
        statement = step.statement
        if statement.name in ("from", "identity"):
            return self._alias(statement, flow)
        if statement.name in LAYERS and LAYERS[statement.name].is_input:
            return self._input(step, flow)
        items, operands = self._operands(step, flow)
        seen, target = self._sight(step, flow), self._target(statement, flow.work)
        changes = flow.current == flow.work
        links: list[Link] = []
        for name in step.nodes:
            *before, last = self._links(step, name, seen)
            read = reads(last.made)
            if links and flow.work in read:  # of what the layer before it gives
                items += self._applied(step, links, flow.work, flow.work, operands)
                links, operands = [], load(flow.work)
            for first in before:
                (applied,) = self._applied(step, [first], flow.work, flow.work, operands)
                if changes and flow.work in read:  # of what would be gone
                    (applied,) = expanded(applied) if isinstance(applied, Chain) else [applied]
                    operands = applied.value  # type: ignore[attr-defined]
                else:
                    items.append(applied)
                    operands = load(flow.work)
            links.append(last)
        items += self._applied(step, links, target, flow.work, operands)
        flow.current = target
        return items

    def _applied(self, step: LayerStep, links: list[Link], target: str, work: str, operand: ast.expr) -> Statements:
        chain = Chain(target, work, operand, links, self._name(step.statement))
        return expanded(chain, once=True) if self.once else [chain]

    def _alias(self, statement: Operation, flow: Flow) -> Statements:
        items: Statements = []
        if statement.name == "from":
            (label,) = references(statement)
            flow.current = self.frame.labels[label]
            items += flow.settle() if label in self.frame.carried else []
        target = self._target(statement, flow.current)
        return items if target == flow.current else [*items, assign(target, flow.current)]

    def _links(self, step: LayerStep, name: str, seen: Sight) -> list[Link]:
        """The calls that make the layers of a node."""
        net = self.module.program.home(name)
        node = net.node(name)
        first = None if node.shares is None else self.module.program.home(node.shares).operand_shapes(node.shares)
        applied(node.layer, net.operand_shapes(name), first)  # raises where Keras' layer fits one of the sizes only
        layer = symbolic(node.layer, node.origin.written, seen)
        if isinstance(layer, DropPath) and layer.ramp:
            layer = replace(layer, fraction=Symbol(call("next", load("ramps")), layer.fraction))  # type: ignore[arg-type]
        calls = to_keras(layer, net.operand_shapes(name))
        suffix: tuple[str | ast.expr, ...] = (name.partition("~")[0].removeprefix(step.nodes[0].partition("~")[0]),)
        if (word := spoken(net, step.nodes, name, seen)) is not None:
            calls, suffix = (replace(calls[0], args=(word,)),), ("_", word.expr)
        return [link(one, quoted((), *suffix, one.suffix), node.layer.op) for one in calls]

    def _input(self, step: LayerStep, flow: Flow) -> Statements:
        statement = step.statement
        node = self.module.program.home(step.nodes[0]).node(step.nodes[0])
        (target_call,) = to_keras(
            symbolic(node.layer, node.origin.written, sight(self.frame.variables, self.frame.reals)), ()
        )
        tensor = made(target_call, name=self._name(statement))
        if self.frame.listed_inputs:
            flow.current = self._target(statement, flow.work)
            return [assign(flow.current, tensor), ast.Expr(call("inputs.append", load(flow.current)))]
        wanted = statement.label.text if statement.label else step.nodes[0]
        single = len(self.module.program.net.inputs) == 1 and not statement.label
        flow.current = self._target(statement, "inputs" if single else "") or self.frame.identifiers.make(wanted)
        self.inputs.append(flow.current)
        return [assign(flow.current, tensor)]

    # -- combiners -------------------------------------------------------------------------------------------

    def _operands(self, step: LayerStep, flow: Flow) -> tuple[Statements, ast.expr]:
        """What stands before a layer, and what it reads."""
        labels = self.frame.labels
        joined = [labels[name] for name in _joined_labels(step.statement) if name in labels]
        if not _is_combiner(step.statement) and not joined:
            return [], load(flow.current)
        starred = [argument.value for argument in step.statement.arguments if isinstance(argument.value, Starred)]
        if starred:
            return [], self._all_passes(step.statement)
        items, results = self._branches(step, flow)
        results = results or [flow.current, *joined]
        net = self.module.program.home(step.nodes[0])
        order = operand_order(net, step.nodes[0], self.module.depth)
        return items, listed(load(results[slot]) for slot in order)

    def _all_passes(self, statement: Operation) -> ast.expr:
        """What a combiner reads that joins labels of all passes, in the order in which it was written."""
        found: list[ast.expr] = []
        for value in (argument.value for argument in statement.arguments if isinstance(argument, Positional)):
            if isinstance(value, Starred):
                found.append(ast.Starred(load(self.frame.lists.variables[value.name]), ast.Load()))
            elif isinstance(value, Reference) and value.name in self.frame.labels:
                found.append(load(self.frame.labels[value.name]))
        only = found[0]
        return only.value if len(found) == 1 and isinstance(only, ast.Starred) else listed(found)

    def _branches(self, step: LayerStep, flow: Flow) -> tuple[Statements, list[str]]:
        items: Statements = []
        results = []
        opened = self._branch_names(step.statement)
        for branch, body, name in zip(step.statement.branches, step.branches, opened, strict=True):
            inner = Flow(flow.current, name)
            items += self.block(branch.statements, body, inner)
            results.append(inner.current)
        for name in opened:
            self._busy.remove(name)
            self.frame.identifiers.release(name)
        return items, results

    def _branch_names(self, statement: Operation) -> list[str]:
        """Variables for the branches: `shortcut` and `residual` where that is what they are."""
        names = [f"branch{number}" for number in range(1, len(statement.branches) + 1)]
        sizes = [_size(branch) for branch in statement.branches]
        if len(sizes) == 2 and sizes[0] != sizes[1]:
            short, long = ("shortcut", "residual") if statement.name == "add" else ("direct", "branch")
            long = "gate" if statement.name == "mul" else long
            names = [short, long] if sizes[0] < sizes[1] else [long, short]
        made = [self.frame.identifiers.make(name, separator="") for name in names]
        self._busy += made
        return made

    # -- calls -----------------------------------------------------------------------------------------------

    def _call(self, step: CallStep, flow: Flow) -> Statements:
        target = self._target(step.statement, flow.work)
        name = None if step.definition.shared else self._name(step.statement)
        labels = handed(step.statement) if step.definition.tensors else []
        tensors = [flow.current, *(self.frame.labels[label] for label in labels)]
        seen, items = self._sight(step, flow), Statements()
        if step.definition in self.module.in_line:
            model = self.frame.models.get(step.definition)
            if model is None:
                model = self.frame.models[step.definition] = self.frame.identifiers.make(step.definition.name)
                items.append(assign(model, self.module.model(step, seen, tensors)))
            made = call(model, one_or_all(tensors))
        else:
            made = self.module.call(step, seen, tensors, name)
        flow.current = target
        return [*items, assign(target, made)]

    # -- repeat ----------------------------------------------------------------------------------------------

    def _repeat(self, step: RepeatStep, flow: Flow) -> Statements:
        statement, naming = step.statement, self.frame.naming
        if not self.module.reach.passes(statement) and statement.label is None and id(statement) not in naming.passes:
            return []
        items = flow.settle()
        count = translate(statement.count, self._sight(step, flow))
        passes = naming.passes.get(id(statement)) or self.frame.identifiers.make("passes", separator="")
        before, stretches = self._stretches(step, flow)
        several = len(before) + len(stretches) > 1
        changed = several and self._sight(step, flow).reads_tensor(statement.count)  # by the first of them
        if changed or id(statement) in naming.passes:
            items.append(assign(passes, count))
            count = load(passes)
        if id(statement) not in naming.passes:
            self.frame.identifiers.release(passes)
        items += before
        ends = [*(ast.Constant(start) for start, _ in stretches[1:]), count]
        reached = self.module.reach.passes(step)
        rank = CHECKED if step.passes else DEAD if not reached else HOLE if step.ghost is None else GHOST
        for (start, body), end in zip(stretches, ends, strict=True):
            over = call("range", *([ast.Constant(start)] if start else []), end)
            items.append(For(naming.indices[id(statement)], over, body, rank))
        target = self._target(statement, flow.work)
        if target != flow.work:
            items.append(assign(target, flow.work))
        return items

    def _stretches(self, step: RepeatStep, flow: Flow) -> tuple[Statements, list[tuple[int, Statements]]]:
        """What stands before the loops, and each stretch of passes that print the same, with its first pass."""
        if not step.passes:
            reached = self.module.reach.passes(step)
            return [], [(0, self._unrun(step.statement.body.statements, step.ghost, flow, reached)[0])]
        stretches: list[tuple[int, Statements]] = []
        for number, body in enumerate(step.passes):
            items = self._pass(step, body, flow)
            merged = merge(stretches[-1][1], items) if stretches else None
            if merged is None:
                stretches.append((number, items))
            else:
                stretches[-1] = (stretches[-1][0], merged)
        self.module.at_least(step, stretches[-1][0])
        if len(stretches) != 2 or stretches[1][0] != 1:
            return [], stretches
        hoisted = hoist(stretches[0][1], stretches[1][1])
        if hoisted is None:
            return [], stretches
        naming = self.frame.naming
        first = replace(self, frame=replace(self.frame, naming=naming.first_pass(naming.indices[id(step.statement)])))
        return first._pass(step, step.passes[0], flow)[hoisted[0]], [(0, hoisted[1])]

    def _pass(self, step: RepeatStep, body: Body, flow: Flow) -> Statements:
        statement, naming = step.statement, self.frame.naming
        inner = self._indexed(statement)
        items: Statements = []
        if id(statement) in naming.bumps:
            items.append(raised(naming.bumps[id(statement)]))
        items += self.counters(id(statement))
        within = Flow(flow.work, flow.work)
        items += inner.block(statement.body.statements, body, within)
        return [*items, *within.settle()]

    def _indexed(self, statement: Repeat) -> Printer:
        if statement.index is None:
            return self
        return replace(self, frame=self.frame.indexed(statement.index.text, self.frame.naming.indices[id(statement)]))

    # -- if --------------------------------------------------------------------------------------------------

    def _if(self, step: IfStep, flow: Flow) -> Statements:
        statement, joins = step.statement, self.frame.naming.joins.get(id(step.statement), ())
        items: Statements = [assign(join.before, join.counter) for join in joins]
        live = self.module.reach.outcomes(statement)
        if len(live) == 1:
            items += self._decided(step, next(iter(live)), flow)
            return [*items, *map(_joined, joins)]
        if statement.arms[-1].condition is not None:
            items += flow.settle()
        seen = self._sight(step, flow)
        found: list[tuple[ast.expr | None, Statements, int]] = []
        for index, arm in enumerate(statement.arms):
            if index in live:
                test = None if arm.condition is None else condition(arm.condition, seen)
                found.append((test, *self._arm(step, index, flow)))
        items += chain(found)
        flow.current = flow.work
        return [*items, *map(_joined, joins)]

    def _decided(self, step: IfStep, index: int | None, flow: Flow) -> Statements:
        """The only arm that can run, if any."""
        body = None if index is None else step.arms[index]
        return (
            [] if index is None or body is None else self.block(step.statement.arms[index].body.statements, body, flow)
        )

    def _arm(self, step: IfStep, index: int, flow: Flow) -> tuple[Statements, int]:
        statements, body = step.statement.arms[index].body.statements, step.arms[index]
        if index != step.taken or body is None:
            return self._unrun(statements, body, flow, index in self.module.reach.arms(step))
        within = replace(flow)
        items = self.block(statements, body, within)
        return [*items, *within.settle()], CHECKED

    def _unrun(
        self, statements: Sequence[Statement], ghost: Body | None, flow: Flow, reached: bool
    ) -> tuple[Statements, int]:
        """Statements that did not run, as they would have run; nothing where this copy cannot come to them."""
        if not reached:
            return [], DEAD
        if ghost is None:
            line = statements[0].span.line if statements else 0
            return [error(f"line {line} of the spec was not checked for these arguments")], HOLE
        within = replace(flow)
        items = self.block(statements, ghost, within)
        return [*items, *within.settle()], GHOST


def one_or_all(variables: Sequence[str]) -> ast.expr:
    """A variable, or the list of several."""
    return load(variables[0]) if len(variables) == 1 else listed(map(load, variables))


def raised(counter: str) -> ast.stmt:
    """`counter += 1`."""
    return ast.AugAssign(store(counter), ast.Add(), ast.Constant(1))


def _joined(join: Join) -> ast.stmt:
    most = ast.BinOp(load(join.before), ast.Add(), join.most)
    return assign(join.counter, call("max", load(join.counter), most))


def _size(branch: Branch) -> int:
    """How much a branch does, by its text: statements and their words."""
    return sum(
        1 + len(statement.arguments) if isinstance(statement, Operation) and statement.name != "identity" else 2
        for statement in branch.statements
        if not (isinstance(statement, Operation) and statement.name == "identity")
    )
