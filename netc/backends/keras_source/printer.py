"""One copy of a definition, or the file, as Python statements."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from netc.backends.keras_source.calls import Uses
from netc.backends.keras_source.comments import Remarks
from netc.backends.keras_source.expressions import Sight, translate
from netc.backends.keras_source.identifiers import Identifiers
from netc.backends.keras_source.items import CHECKED, GHOST, HOLE, Item, Items, Suite, hoist, merge
from netc.backends.keras_source.naming import Naming, quoted
from netc.backends.keras_source.symbols import symbolic
from netc.backends.keras_source.walk import nested
from netc.backends.order import operand_order
from netc.layers import LAYERS
from netc.lower.expansion import Body, CallStep, IfStep, LayerStep, RepeatStep, Step
from netc.program import Program
from netc.syntax.source import Span
from netc.syntax.tree import Branch, Operation, Positional, Reference, Repeat, Statement
from netc.targets.keras.lowering import to_keras


@dataclass(slots=True)
class Frame:
    """What all copies of a definition (or the file) have in common.

    `variables` are the Python names of parameters and indices, `labels` those of labels that are read.
    """

    statements: Sequence[Statement]
    variables: Mapping[str, str]
    reals: frozenset[str]
    labels: Mapping[str, str]
    naming: Naming
    identifiers: Identifiers
    listed_inputs: bool = False  # `inputs` is a list that every `input` is appended to
    chosen_outputs: bool = False  # `outputs` is set by an `output` in an `if`


@dataclass(slots=True)
class Module:
    """What all functions of the emitted module have in common."""

    program: Program
    uses: Uses
    remarks: Remarks
    depth: Mapping[str, int]
    call: Callable[[CallStep, Sight, str], str]  # the text of a call of a definition, given its name argument


@dataclass(slots=True)
class Flow:
    """The variable that holds the current tensor, and the one that the next layer assigns."""

    current: str
    work: str
    read: bool = True  # whether anything follows that reads the current tensor

    def settle(self) -> list[Item]:
        """Have the current tensor in the working variable, as loops and arms need it."""
        if self.current == self.work or not self.read:
            return []
        moved = f"{self.work} = {self.current}"
        self.current = self.work
        return [moved]


def read_labels(statements: Iterable[Statement]) -> dict[str, None]:
    """What `from`, `output` and combiners name, in order: labels, and words among them."""
    return {
        name: None
        for statement in nested(statements)
        if isinstance(statement, Operation) and (statement.name in ("from", "output") or _is_combiner(statement))
        for name in references(statement)
    }


def _is_combiner(statement: Operation) -> bool:
    return statement.name in LAYERS and LAYERS[statement.name].operands[1] not in (0, 1)


def references(statement: Operation) -> list[str]:
    """The bare names among the arguments of a statement."""
    values = [argument.value for argument in statement.arguments if isinstance(argument, Positional)]
    return [value.name for value in values if isinstance(value, Reference)]


@dataclass(slots=True)
class Printer:
    """Prints the bodies of one copy. `once` is set inside a shared definition, whose layers are made once."""

    module: Module
    frame: Frame
    once: bool = False
    inputs: list[str] = field(default_factory=list)
    _busy: list[str] = field(default_factory=list)  # variables of branches that are open

    def block(self, statements: Sequence[Statement], body: Body, flow: Flow) -> list[Item]:
        """The statements of a body."""
        steps = {id(step.statement): step for step in body.steps}
        items: list[Item] = []
        for statement in statements:
            step = steps.get(id(statement))
            if step is not None:
                items += self._comments(self.module.remarks.at, statement)
                items += self._step(step, flow)
            elif isinstance(statement, Operation) and statement.name == "output" and self.frame.chosen_outputs:
                items.append(f"outputs = [{', '.join(self.frame.labels[name] for name in references(statement))}]")
            items += self._comments(self.module.remarks.end, statement)
        return items

    def _comments(self, where: Mapping[Span, list[str]], statement: Statement) -> list[Item]:
        return [f"# {text}" for text in where.get(statement.span, ()) if text]

    def _sight(self, flow: Flow) -> Sight:
        return Sight(self.frame.variables, self.frame.reals, flow.current)

    def _step(self, step: Step, flow: Flow) -> list[Item]:
        counting = self._bump(step)
        if isinstance(step, LayerStep):
            return counting + self._layers(step, flow)
        if isinstance(step, CallStep):
            return counting + self._call(step, flow)
        if isinstance(step, RepeatStep):
            return self._repeat(step, flow)
        return self._if(step, flow)

    # -- names -----------------------------------------------------------------------------------------------

    def _bump(self, step: Step) -> list[Item]:
        counter = self.frame.naming.bumps.get(id(step.statement))
        if counter is None or isinstance(step, RepeatStep):
            return []
        return [f"{counter} += 1"]

    def counters(self, scope: int | None) -> list[Item]:
        """Counting variables at the start of a body."""
        return [f"{counter} = 0" for counter in self.frame.naming.counters.get(scope, ())]

    def _name(self, statement: Statement, suffix: str = "") -> str:
        return quoted(self.frame.naming.names[id(statement)], suffix)

    def _target(self, statement: Operation | Repeat, work: str) -> str:
        """The variable for the result of a statement: its label's where that is read later."""
        label = statement.label
        return work if label is None else self.frame.labels.get(label.text, work)

    # -- layers ----------------------------------------------------------------------------------------------

    def _layers(self, step: LayerStep, flow: Flow) -> list[Item]:
        statement = step.statement
        if statement.name in ("from", "identity"):
            return self._alias(statement, flow)
        if statement.name in LAYERS and LAYERS[statement.name].op == "input":
            return self._input(step, flow)
        items, operands = self._operands(step, flow)
        sight, target = self._sight(flow), self._target(statement, flow.work)
        for index, name in enumerate(step.nodes):
            last = target if index == len(step.nodes) - 1 else flow.work
            items += self._node(step, name, operands, last, flow.work, sight)
            operands = last
        flow.current = operands
        return items

    def _alias(self, statement: Operation, flow: Flow) -> list[Item]:
        if statement.name == "from":
            flow.current = self.frame.labels[references(statement)[0]]
        target = self._target(statement, flow.current)
        return [] if target == flow.current else [f"{target} = {flow.current}"]

    def _node(self, step: LayerStep, name: str, operands: str, target: str, work: str, sight: Sight) -> list[Item]:
        """The calls of one node, one line each, but in one line where a later one reads the input's channels and its
        variable would be gone."""
        net = self.module.program.home(name)
        node = net.node(name)
        calls = to_keras(symbolic(node.layer, node.origin.written, sight), net.operand_shapes(name))
        suffix = name.partition("~")[0].removeprefix(step.nodes[0].partition("~")[0])
        written = [part if isinstance(part, tuple) else (part,) for part in node.origin.written.values()]
        reads = work == sight.tensor and any(sight.reads_tensor(expr) for exprs in written for expr in exprs)
        items: list[Item] = []
        for call in calls:
            made = self.module.uses.call(call, f"name={self._name(step.statement, suffix + call.suffix)}")
            applied = f"{f'once({made})' if self.once else made}({operands})"
            if reads and call is not calls[-1]:
                operands = applied
                continue
            into = target if call is calls[-1] else work
            items.append(f"{into} = {applied}")
            operands = into
        return items

    def _input(self, step: LayerStep, flow: Flow) -> list[Item]:
        statement = step.statement
        node = self.module.program.home(step.nodes[0]).node(step.nodes[0])
        (call,) = to_keras(symbolic(node.layer, node.origin.written, replace(self._sight(flow), tensor=None)), ())
        made = self.module.uses.call(call, f"name={self._name(statement)}")
        if self.frame.listed_inputs:
            flow.current = self._target(statement, flow.work)
            return [f"{flow.current} = {made}", f"inputs.append({flow.current})"]
        wanted = statement.label.text if statement.label else step.nodes[0]
        single = len(self.module.program.net.inputs) == 1 and not statement.label
        flow.current = self._target(statement, "inputs" if single else "") or self.frame.identifiers.make(wanted)
        self.inputs.append(flow.current)
        return [f"{flow.current} = {made}"]

    # -- combiners -------------------------------------------------------------------------------------------

    def _operands(self, step: LayerStep, flow: Flow) -> tuple[list[Item], str]:
        """What stands before a layer, and the text of what it reads."""
        if not _is_combiner(step.statement):
            return [], flow.current
        items, results = self._branches(step, flow)
        results = results or [flow.current, *(self.frame.labels[name] for name in self._labels(step.statement))]
        net = self.module.program.home(step.nodes[0])
        order = operand_order(net, step.nodes[0], self.module.depth)
        return items, f"[{', '.join(results[slot] for slot in order)}]"

    def _labels(self, statement: Operation) -> list[str]:
        return [name for name in references(statement) if name in self.frame.labels]

    def _branches(self, step: LayerStep, flow: Flow) -> tuple[list[Item], list[str]]:
        items: list[Item] = []
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

    def _call(self, step: CallStep, flow: Flow) -> list[Item]:
        target = self._target(step.statement, flow.work)
        name = "" if step.definition.shared else f"name={self._name(step.statement)}"
        text = self.module.call(step, self._sight(flow), name)
        flow.current = target
        return [f"{target} = {text}"]

    # -- repeat ----------------------------------------------------------------------------------------------

    def _repeat(self, step: RepeatStep, flow: Flow) -> list[Item]:
        statement, naming = step.statement, self.frame.naming
        items = flow.settle()
        count = translate(statement.count, self._sight(flow)).text
        passes = naming.passes.get(id(statement)) or self.frame.identifiers.make("passes", separator="")
        before, stretches = self._stretches(step, flow)
        several = len(before) + len(stretches) > 1
        changed = several and self._sight(flow).reads_tensor(statement.count)  # by the first of them
        if changed or id(statement) in naming.passes:
            items.append(f"{passes} = {count}")
            count = passes
        if id(statement) not in naming.passes:
            self.frame.identifiers.release(passes)
        items += before
        ends = [str(start) for start, _ in stretches[1:]] + [count]
        for (start, loop), end in zip(stretches, ends, strict=True):
            header = f"for {loop.index} in range({f'{start}, ' if start else ''}{end}):"
            items.append(replace(loop, header=header))
        target = self._target(statement, flow.work)
        if target != flow.work:
            items.append(f"{target} = {flow.work}")
        return items

    def _stretches(self, step: RepeatStep, flow: Flow) -> tuple[Items, list[tuple[int, Suite]]]:
        """What stands before the loops, and for each stretch of passes that print the same its first pass and loop.

        The loops have no header yet: how many passes there are is named where what they print is known.
        """
        index = self.frame.naming.indices[id(step.statement)]
        if not step.passes:
            inside, rank = self._unrun(step.statement.body.statements, step.ghost, flow)
            return (), [(0, Suite("", inside, rank, index))]
        stretches: list[tuple[int, Suite]] = []
        for number, body in enumerate(step.passes):
            items = self._pass(step, body, flow)
            merged = merge(stretches[-1][1].items, items) if stretches else None
            if merged is None:
                stretches.append((number, Suite("", items, CHECKED, index)))
            else:
                stretches[-1] = (stretches[-1][0], Suite("", merged, CHECKED, index))
        if len(stretches) != 2 or stretches[1][0] != 1:
            return (), stretches
        hoisted = hoist(stretches[0][1].items, stretches[1][1].items)
        if hoisted is None:
            return (), stretches
        before = self._first_pass(index)._pass(step, step.passes[0], flow)[hoisted[0]]
        return before, [(0, Suite("", hoisted[1], CHECKED, index))]

    def _pass(self, step: RepeatStep, body: Body, flow: Flow) -> Items:
        statement, naming = step.statement, self.frame.naming
        inner = self._indexed(statement)
        items: list[Item] = []
        if id(statement) in naming.bumps:
            items.append(f"{naming.bumps[id(statement)]} += 1")
        items += self.counters(id(statement))
        within = Flow(flow.work, flow.work)
        items += inner.block(statement.body.statements, body, within)
        return (*items, *within.settle())

    def _first_pass(self, index: str) -> Printer:
        """Prints the first pass of a loop outside it."""
        return replace(self, frame=replace(self.frame, naming=self.frame.naming.first_pass(index)))

    def _indexed(self, statement: Repeat) -> Printer:
        if statement.index is None:
            return self
        variables = {**self.frame.variables, statement.index.text: self.frame.naming.indices[id(statement)]}
        return replace(self, frame=replace(self.frame, variables=variables))

    # -- if --------------------------------------------------------------------------------------------------

    def _if(self, step: IfStep, flow: Flow) -> list[Item]:
        statement, joins = step.statement, self.frame.naming.joins.get(id(step.statement), ())
        items: list[Item] = [f"{join.before} = {join.counter}" for join in joins]
        if statement.arms[-1].condition is not None:
            items += flow.settle()
        sight = self._sight(flow)
        for index, (arm, body) in enumerate(zip(statement.arms, step.arms, strict=True)):
            word = "else" if arm.condition is None else "elif" if index else "if"
            condition = "" if arm.condition is None else f" {translate(arm.condition, sight).text}"
            inside, rank = self._arm(arm.body.statements, body, flow, index == step.taken)
            items.append(Suite(f"{word}{condition}:", inside, rank))
        flow.current = flow.work
        for join in joins:
            items.append(f"{join.counter} = max({join.counter}, {join.before} + {join.most})")
        return items

    def _arm(self, statements: Sequence[Statement], body: Body | None, flow: Flow, ran: bool) -> tuple[Items, int]:
        if not ran or body is None:
            return self._unrun(statements, body, flow)
        within = replace(flow)
        items = self.block(statements, body, within)
        return (*items, *within.settle()), CHECKED

    def _unrun(self, statements: Sequence[Statement], ghost: Body | None, flow: Flow) -> tuple[Items, int]:
        """Statements that did not run, as they would have run."""
        if ghost is None:
            line = statements[0].span.line if statements else 0
            return (f'raise ValueError("line {line} of the spec was not checked for these arguments")',), HOLE
        within = replace(flow)
        items = self.block(statements, ghost, within)
        return (*items, *within.settle()), GHOST


def _size(branch: Branch) -> int:
    """How much a branch does, by its text: statements and their words."""
    return sum(
        1 + len(statement.arguments) if isinstance(statement, Operation) and statement.name != "identity" else 2
        for statement in branch.statements
        if not (isinstance(statement, Operation) and statement.name == "identity")
    )
