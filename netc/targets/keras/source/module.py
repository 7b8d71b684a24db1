"""The whole emitted module: header, imports, functions, `build_model`, `train`."""

from __future__ import annotations

import ast
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import PurePath

from netc.analysis.cost import measure
from netc.diagnostics.model import Diagnostics
from netc.ir.shape import SIZES, show_shape
from netc.limits import Limits
from netc.lower.evaluate import Scope, evaluate
from netc.lower.expansion import Body, LayerStep
from netc.lower.walk import mentions, nested
from netc.needs import BACKENDS
from netc.program import Program
from netc.sections.settings import WeightDecay
from netc.syntax.parser import parse
from netc.syntax.tree import Definition, If, Operation, Parameter, Statement
from netc.targets.keras.backends import refusal
from netc.targets.keras.nesting import Nesting
from netc.targets.keras.order import depths, recursion
from netc.targets.keras.source import tree
from netc.targets.keras.source.calls import PACKAGES
from netc.targets.keras.source.comments import Remarks, attach, clean, last_paragraph
from netc.targets.keras.source.conditions import Conditions
from netc.targets.keras.source.customs import shipped, sources
from netc.targets.keras.source.expressions import constant, names, sight, translate
from netc.targets.keras.source.flat import Flat
from netc.targets.keras.source.functions import (
    Functions,
    copies,
    default_later,
    extras,
    function,
    in_line,
    make_frame,
)
from netc.targets.keras.source.helpers import with_helpers
from netc.targets.keras.source.identifiers import Identifiers
from netc.targets.keras.source.printer import Flow, Frame, Module, Printer, references
from netc.targets.keras.source.reach import Reach
from netc.targets.keras.source.symbols import as_keras_says
from netc.targets.keras.source.training import Signature, Trainer
from netc.targets.keras.source.tree import (
    Carried,
    Comment,
    Docstring,
    Statements,
    assign,
    call,
    define,
    load,
    packages,
    reads,
    refuse,
    written,
)

RECURSION = 800  # levels that Python's default limit of 1000 leaves to Keras

RAMPS = '''\
def rising(count):
    """Return numbers from 0 to 1 in equal steps, one after the other; a single one is 1."""
    return iter([i / (count - 1) for i in range(count)] if count > 1 else [1.0])'''

ONCE = '''\
def first_of_each_name():
    """Return a function that makes a layer when its name comes first and gives it back from then on."""
    made = {}

    def once(layer, *args, name, **kwargs):
        if name not in made:
            made[name] = layer(*args, name=name, **kwargs)
        return made[name]

    return once'''


class Emitter:
    """Makes the text of one module."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.identifiers = Identifiers((*shipped(), "first_of_each_name", "rising"))
        self.depth = depths(program.net)
        self.levels = recursion(program.net, self.depth)
        self.remarks = self._remarks()
        self.title = self._title()
        self.reach = Reach(program, self._built())

    def _remarks(self) -> Remarks:
        """The comments of the file and of those that definitions come from."""
        remarks = attach(self.program.file)
        sources_ = {definition.span.source for definition in self.program.definitions.values()}
        for source in sources_ - {self.program.file.source}:
            remarks.update(attach(parse(source, Limits(), Diagnostics())))
        return remarks

    def _title(self) -> list[str]:
        """Takes the comment at the top of the file from the remarks.

        What stands directly above a definition or a parameter at the top is theirs.
        """
        first = self.program.file.statements[0]
        remarks = self.remarks.at.get(first.span, [])
        own = last_paragraph(remarks) if isinstance(first, Definition | Parameter) else []
        self.remarks.at[first.span] = own
        return remarks[: len(remarks) - len(own)]

    def flat(self) -> Statements:
        """A module with every layer written out."""
        net = self.program.net
        flat = Flat(net, self.identifiers)
        body = [*self._limit(), *self._refused(), *flat.statements()]
        inputs = _one([load(flat.variables[name]) for name in net.inputs])
        body.append(self._model(inputs, _one([load(flat.variables[name]) for name in net.outputs])))
        return self._module([define("build_model", [], 0, body), *self._train(None)])

    def structured(self) -> Statements:
        """A module with a function for each definition and a loop for each `repeat`."""
        program = self.program
        direct = [step for step in program.expansion.steps if isinstance(step, LayerStep)]
        made = {node for step in direct for node in step.nodes}
        inputs = {node.name for net in (program.net, program.ghosts) for node in net if node.layer.is_input}
        listed = not made >= inputs
        models = Nesting(program.net).models
        called = {call.definition for call in program.net.shared}
        models.update((one, ghost) for one, ghost in Nesting(program.ghosts).models.items() if one not in called)
        functions = Functions(self.identifiers, listed, models)
        depth = {**self.depth, **depths(program.ghosts, self.depth)}
        conditions = Conditions(program, self._built(), self.reach)
        conditions.fix_parameters(self._decay() | self._sized())
        copied = copies(program.expansion, self.reach, models)
        module = Module(
            program,
            self.remarks,
            depth,
            functions.call,
            functions.model,
            in_line(copied, models),
            conditions.at_least,
            self.reach,
        )
        for definition in program.definitions.values():
            functions.define(definition, copied.get(id(definition), ()), module)
        frame = self._frame(listed)
        items = tree.living(self._statements(frame, module, conditions))
        called_ = functions.used(items)
        helpers, (items, *bodies) = with_helpers(
            [items, *(one.items for one in called_)], self._names(functions, items)
        )
        for one, body in zip(called_, bodies, strict=True):
            one.items = body
        used = [function(one, self.remarks.at.get(one.definition.span, [])) for one in called_]
        return self._module([*helpers, *used, self._build_model(frame, items, conditions), *self._train(frame)])

    def _names(self, functions: Functions, items: Statements) -> set[str]:
        """All names in the module so far."""
        bodies = [items, *(one.items for one in functions.made)]
        used = {node.id for body in bodies for node in tree.nodes(body) if isinstance(node, ast.Name)}
        own = {variable for one in functions.made for variable in (one.name, *one.frame.variables.values())}
        return used | own | {*shipped(), "first_of_each_name", "rising", *self.program.parameters}

    # -- build_model -----------------------------------------------------------------------------------------

    def _frame(self, listed: bool) -> Frame:
        identifiers, parameters = self.identifiers.inner(), self.program.parameters
        variables = {name: identifiers.make(name) for name in parameters}
        reals = frozenset(name for name, value in parameters.items() if isinstance(value, float))
        statements = self.program.file.statements
        frame = make_frame(statements, (), variables, reals, identifiers, listed)
        inner = (part for statement in statements if isinstance(statement, If) for part in nested((statement,)))
        chosen = any(isinstance(part, Operation) and part.name == "output" for part in inner)
        return replace(frame, chosen_outputs=chosen, words=self.reach.words(None))

    def _statements(self, frame: Frame, module: Module, conditions: Conditions) -> Statements:
        """What `build_model` does, without its parameters."""
        printer, flow = Printer(module, frame), Flow("None", "x")
        items = printer.counters(None)
        if frame.chosen_outputs:
            items += self._choose(frame, printer, flow)
        else:
            items += printer.block(frame.statements, self.program.expansion, flow)
        if not frame.listed_inputs:
            inputs = _one([*map(load, printer.inputs)])
        elif len(self.program.net.inputs) > 1:
            inputs = load("inputs")
        else:
            inputs = written("inputs if len(inputs) > 1 else inputs[0]")
        items.append(self._model(inputs, self._outputs(frame, flow)))
        helpers = extras(items)
        if frame.listed_inputs:
            items.insert(0, assign("inputs", tree.listed(())))
        if "models" in helpers:
            items.insert(0, assign("models", ast.Dict([], [])))
        if "once" in helpers:
            items.insert(0, assign("once", call("first_of_each_name")))
        if "ramps" in helpers:
            items.insert(0, assign("ramps", call("rising", conditions.ramps(frame.variables))))
        return items

    def _choose(self, frame: Frame, printer: Printer, flow: Flow) -> Statements:
        """Statements where an `if` names the outputs, which are the last tensor's otherwise."""
        body, place = self.program.expansion, _last_step(frame, self.program.expansion)
        if isinstance(frame.statements[place], If):
            items = printer.block(frame.statements[:place], body, flow)
            items.append(assign("outputs", flow.current))
            flow.read = False
            return items + printer.block(frame.statements[place:], body, flow)
        items = printer.block(frame.statements, body, flow)
        last = tree.statements("if outputs is None:\n    outputs = LAST", LAST=flow.current)
        return [assign("outputs", ast.Constant(None)), *items, *last]

    def _outputs(self, frame: Frame, flow: Flow) -> ast.expr:
        if frame.chosen_outputs:
            return load("outputs")
        for statement in frame.statements:
            if isinstance(statement, Operation) and statement.name == "output":
                return _one([load(frame.labels[name]) for name in references(statement)])
        return load(flow.current)

    def _model(self, inputs: ast.expr, outputs: ast.expr) -> ast.stmt:
        return ast.Return(call("keras.Model", inputs, outputs, name=constant(self.program.name)))

    def _limit(self) -> Statements:
        """Python's default limit stops Keras in deep networks."""
        if self.levels <= RECURSION:
            return []
        limit = "sys.setrecursionlimit(max(sys.getrecursionlimit(), LIMIT))"
        return [
            Comment(f"Keras follows the {self.levels:,} layers of the longest way recursively."),
            *tree.statements(limit, LIMIT=ast.Constant(2 * self.levels + 1000)),
        ]

    def _refused(self) -> Statements:
        """The end on a backend where it would be another network."""
        reasons = ((name, refusal(self.program.net, name)) for name in BACKENDS)
        running = "keras.backend.backend() == NAME"
        return [refuse(written(running, NAME=constant(name)), why) for name, why in reasons if why]

    def _build_model(self, frame: Frame, items: Statements, conditions: Conditions) -> ast.stmt:
        signature = self._signature(frame.variables, frame.reals, self._built())
        read = set(mentions(filter(_is_network, frame.statements)))
        used = reads([*signature.computed, *items])
        unread = [name for name, variable in signature.variables.items() if name in read and variable not in used]
        checks = conditions.guards(signature.variables, self.program.parameters, unread)
        documented = signature.documented
        doc = ["Build the model.", "", "Args:", *(f"    {line}" for line in documented)]
        body: Statements = [Docstring(doc)] if documented else []
        body += [*self._limit(), *self._refused(), *signature.computed, *checks, *items]
        return define("build_model", signature.written, len(signature.written), body)

    def _signature(self, variables: Mapping[str, str], reals: frozenset[str], wanted: Container[str]) -> Signature:
        """The wanted parameters of the file as those of a function."""
        chosen, written, documented = {}, [], []
        computed: Statements = []
        for statement in self._parameters():
            if statement.name not in wanted:
                continue
            variable = chosen[statement.name] = variables[statement.name]
            default: ast.expr = constant(self.program.parameters[statement.name])
            if statement.name in self.reach.words(None):
                default = as_keras_says(default)
            if self._derived(statement):
                default = ast.Constant(None)
                computed += default_later(variable, translate(statement.value, sight(variables, reals)))
            written.append((ast.arg(variable), default))
            remark = " ".join(last_paragraph(self.remarks.at.get(statement.span, ())))
            documented += [f"{variable}: {remark}"] if remark else []
        return Signature(chosen, written, computed, documented)

    def _parameters(self) -> Iterator[Parameter]:
        for statement in self.program.file.statements:
            if isinstance(statement, Parameter) and statement.name in self.program.parameters:
                yield statement

    def _built(self) -> set[str]:
        """The parameters of `build_model`: all but those that only the sections read."""
        statements = self.program.file.statements
        training = set(mentions(statement for statement in statements if _is_training(statement)))
        network = set(mentions(filter(_is_network, statements)))
        wanted = {s.name for s in self._parameters() if s.name in network or s.name not in training} | self._decay()
        for statement in reversed(list(self._parameters())):  # one that follows others needs these
            if statement.name in wanted and self._derived(statement):
                wanted |= names(statement.value)
        return wanted

    def _sized(self) -> set[str]:
        """The parameters that others follow together with a size, which there is not yet where these are computed."""
        read, values = [names(statement.value) for statement in self._parameters()], self.program.parameters
        return {name for found in read if found & set(SIZES) - values.keys() for name in found & values.keys()}

    def _decay(self) -> set[str]:
        """The parameters of a weight decay in the loss, which is the layers'."""
        train = self.program.sections.train
        line = train.one(WeightDecay) if train else None
        if line is None or line.value.decoupled:
            return set()
        return {name for expr in line.written.values() if not isinstance(expr, tuple) for name in names(expr)}

    # -- train -----------------------------------------------------------------------------------------------

    def _train(self, frame: Frame | None) -> Statements:
        """The function for the `train` section; the parameters of the file are in a structured module only."""
        if self.program.sections.train is None:
            return []
        identifiers, parameters = self.identifiers.inner(), self.program.parameters if frame else {}
        for name in ("data", "validation"):
            identifiers.make(name)
        variables = {name: identifiers.make(name) for name in parameters}
        reals = frozenset(name for name, value in parameters.items() if isinstance(value, float))
        signature = self._signature(variables, reals, parameters)
        built = {name: frame.variables[name] for name in parameters if name in self._built()} if frame else {}
        return [Trainer(self.program, identifiers, signature, built).function()]

    def _derived(self, statement: Parameter) -> bool:
        """Whether a parameter has the value that its expression gives it from others, and so follows them."""
        values, read = self.program.parameters, names(statement.value)
        if not read & set(values) or any(name in SIZES and name not in values for name in read):
            return False
        return evaluate(statement.value, Scope(values, Diagnostics(), Limits())) == values[statement.name]

    # -- the module ------------------------------------------------------------------------------------------

    def _module(self, functions: Statements) -> Statements:
        used = reads(functions)
        carried: Statements = [Carried(source) for source in sources(used & shipped().keys()).values()]
        if "first_of_each_name" in used:
            carried.append(Carried(ONCE))
        if "rising" in used:
            carried.append(Carried(RAMPS))
        parts = [*carried, *functions, *tree.statements('if __name__ == "__main__":\n    build_model().summary()')]
        blank = Comment("")
        spaced = [statement for part in parts for statement in (blank, blank, part)]
        return [Docstring(self._header()), blank, *self._imports(parts), *spaced]

    def _imports(self, parts: Statements) -> Statements:
        """What the code takes attributes of."""
        used = packages(parts)
        standard: Statements = [ast.Import([ast.alias(name)]) for name in ("math", "sys") if name in used]
        made = [*standard, *([Comment("")] if standard else [])]
        made += [ast.Import([ast.alias(name)]) for name in ("h5py", "keras") if name in used or name == "keras"]
        named = [ast.alias(name) for name in sorted((*PACKAGES, "ops")) if name in used]
        return [*made, *([ast.ImportFrom("keras", named, 0)] if named else [])]

    def _header(self) -> list[str]:
        """The comment at the top of the spec, and what was checked."""
        program, cost = self.program, measure(self.program.net).total
        ends = ", ".join(show_shape(program.net.shapes[name]) for name in program.net.inputs)
        results = ", ".join(show_shape(program.net.shapes[name]) for name in program.net.outputs)
        facts = f"{ends} -> {results}, {cost.parameters:,} parameters ({cost.trainable:,} trainable)"
        if cost.macs is not None:
            facts += f", {cost.macs:,} multiply-accumulates"
        origin = clean(PurePath(program.file.source.name).name)
        return [*(self.title or [program.name]), "", f"Written by netc from {origin}. As it stands: {facts}."]


def _is_network(statement: Statement) -> bool:
    return not (_is_training(statement) or isinstance(statement, Parameter))


def _is_training(statement: Statement) -> bool:
    return isinstance(statement, Operation) and statement.name in ("data", "train")


def _last_step(frame: Frame, body: Body) -> int:
    """The position of the last statement that does something to a tensor."""
    made = {id(step.statement) for step in body.steps}
    return max(place for place, statement in enumerate(frame.statements) if id(statement) in made)


def _one(variables: Sequence[ast.expr]) -> ast.expr:
    """The only one, or a list of all."""
    return variables[0] if len(variables) == 1 else tree.listed(variables)
