"""The whole emitted module: header, imports, functions, `build_model`, `train`."""

from __future__ import annotations

import ast
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import PurePath

from netc.backends.keras_source.calls import PACKAGES, Uses
from netc.backends.keras_source.comments import Remarks, attach, clean, docstring, last_paragraph
from netc.backends.keras_source.customs import sources
from netc.backends.keras_source.expressions import Sight, constant, names, translate
from netc.backends.keras_source.flat import Flat
from netc.backends.keras_source.functions import (
    Functions,
    copies,
    default_later,
    extras,
    function_lines,
    guards,
    make_frame,
)
from netc.backends.keras_source.identifiers import Identifiers
from netc.backends.keras_source.items import Item, Items, Suite, lines
from netc.backends.keras_source.printer import Flow, Frame, Module, Printer, references
from netc.backends.keras_source.training import Signature, Trainer
from netc.backends.keras_source.walk import nested
from netc.backends.order import depths, recursion
from netc.diagnostics.model import Diagnostics
from netc.ir.shape import show_shape
from netc.limits import Limits
from netc.lower.evaluate import Scope, evaluate
from netc.lower.expansion import Body, LayerStep
from netc.lower.walk import mentions
from netc.program import Program
from netc.report.cost import measure
from netc.sections.settings import WeightDecay
from netc.syntax.parser import parse
from netc.syntax.tree import Definition, If, Operation, Parameter, Statement

RECURSION = 800  # levels that Python's default limit of 1000 leaves to Keras

ONCE = '''
def first_of_each_name():
    """Return a function that gives the first layer of each name back, so that later calls share its weights."""
    made = {}

    def once(layer):
        return made.setdefault(layer.name, layer)

    return once
'''


class Emitter:
    """Makes the text of one module."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.uses = Uses()
        self.identifiers = Identifiers()
        self.depth = depths(program.net)
        self.levels = recursion(program.net, self.depth)
        self.remarks = self._remarks()
        self.title = self._title()

    @property
    def trusted(self) -> set[str]:
        """Names of the classes and helpers that netc ships, and emitted code carries along."""
        return {*sources(self.uses.custom), "first_of_each_name"}

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

    def flat(self) -> list[str]:
        """The lines of a module with every layer written out."""
        net = self.program.net
        flat = Flat(net, self.uses, self.identifiers)
        statements = tuple(flat.lines())
        inputs = [flat.variables[name] for name in net.inputs]
        outputs = [flat.variables[name] for name in net.outputs]
        body = lines((*statements, self._model(_listed(inputs), outputs)), "    ")
        return self._module(["def build_model():", *self._limit(), *body, *self._train(None)])

    def structured(self) -> list[str]:
        """The lines of a module with a function for each definition and a loop for each `repeat`."""
        program = self.program
        direct = [step for step in program.expansion.steps if isinstance(step, LayerStep)]
        listed = not {node for step in direct for node in step.nodes} >= set(program.net.inputs)
        functions = Functions(self.identifiers, listed)
        depth = {**self.depth, **depths(program.ghosts, self.depth)}
        module = Module(program, self.uses, self.remarks, depth, functions.call)
        calls = copies(program.expansion)
        for definition in program.definitions.values():
            functions.define(definition, calls.get(id(definition), ()), module)
        frame = self._frame(listed)
        items = self._statements(frame, module)
        text: list[str] = []
        for function in functions.used(items):
            text += ["", "", *function_lines(function, self.remarks.at.get(function.definition.span, []))]
        return self._module([*text, "", "", *self._build_model(frame, items), *self._train(frame)])

    # -- build_model -----------------------------------------------------------------------------------------

    def _frame(self, listed: bool) -> Frame:
        identifiers, parameters = self.identifiers.inner(), self.program.parameters
        variables = {name: identifiers.make(name) for name in parameters}
        reals = frozenset(name for name, value in parameters.items() if isinstance(value, float))
        statements = self.program.file.statements
        frame = make_frame(statements, (), variables, reals, identifiers, listed)
        inner = (part for statement in statements if isinstance(statement, If) for part in nested((statement,)))
        chosen = any(isinstance(part, Operation) and part.name == "output" for part in inner)
        return replace(frame, chosen_outputs=chosen)

    def _statements(self, frame: Frame, module: Module) -> Items:
        """What `build_model` does, without its parameters."""
        printer, flow = Printer(module, frame), Flow("None", "x")
        items = printer.counters(None)
        if frame.chosen_outputs:
            items += self._choose(frame, printer, flow)
        else:
            items += printer.block(frame.statements, self.program.expansion, flow)
        inputs = "inputs" if frame.listed_inputs else _listed(printer.inputs)
        items.append(self._model(inputs, self._outputs(frame, flow)))
        helpers = extras(tuple(items))
        if frame.listed_inputs:
            items.insert(0, "inputs = []")
        if "once" in helpers:
            items.insert(0, "once = first_of_each_name()")
        return tuple(items)

    def _choose(self, frame: Frame, printer: Printer, flow: Flow) -> list[Item]:
        """Statements where an `if` names the outputs, which are the last tensor's otherwise."""
        body, place = self.program.expansion, _last_step(frame, self.program.expansion)
        if isinstance(frame.statements[place], If):
            items = printer.block(frame.statements[:place], body, flow)
            items.append(f"outputs = {flow.current}")
            flow.read = False
            return items + printer.block(frame.statements[place:], body, flow)
        items = printer.block(frame.statements, body, flow)
        last = f"outputs = {flow.current}"
        return ["outputs = None", *items, Suite("if outputs is None:", (last,))]

    def _outputs(self, frame: Frame, flow: Flow) -> list[str]:
        if frame.chosen_outputs:
            return ["outputs"]
        for statement in frame.statements:
            if isinstance(statement, Operation) and statement.name == "output":
                return [frame.labels[name] for name in references(statement)]
        return [flow.current]

    def _model(self, inputs: str, outputs: Sequence[str]) -> str:
        name = constant(self.program.name).text
        return f"return keras.Model({inputs}, {_listed(outputs)}, name={name})"

    def _limit(self) -> list[str]:
        """Python's default limit stops Keras in deep networks."""
        if self.levels <= RECURSION:
            return []
        return [
            f"    # Keras follows the {self.levels:,} layers of the longest way recursively.",
            f"    sys.setrecursionlimit(max(sys.getrecursionlimit(), {2 * self.levels + 1000}))",
        ]

    def _build_model(self, frame: Frame, items: Items) -> list[str]:
        signature = self._signature(frame.variables, frame.reals, self._built())
        read = set(mentions(statement for statement in frame.statements if not _is_training(statement)))
        variables = {name: variable for name, variable in signature.variables.items() if name in read | self._decay()}
        checks = guards((*signature.computed, *items), variables, self.program.parameters)
        documented = signature.documented
        body = (
            [docstring(["Build the model.", "", "Args:", *(f"    {line}" for line in documented)], "    ")]
            if documented
            else []
        )
        body += [*self._limit(), *lines((*signature.computed, *checks, *items), "    ")]
        return [f"def build_model({', '.join(signature.written)}):", *body]

    def _signature(self, variables: Mapping[str, str], reals: frozenset[str], wanted: Container[str]) -> Signature:
        """The wanted parameters of the file as those of a function."""
        chosen, written, documented = {}, [], []
        computed: list[Item] = []
        for statement in self._parameters():
            if statement.name not in wanted:
                continue
            variable = chosen[statement.name] = variables[statement.name]
            if self._derived(statement):
                computed += default_later(variable, translate(statement.value, Sight(variables, reals, None)))
                written.append(f"{variable}=None")
            else:
                written.append(f"{variable}={constant(self.program.parameters[statement.name]).text}")
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
        network = set(mentions(statement for statement in statements if not _is_training(statement)))
        wanted = {s.name for s in self._parameters() if s.name in network or s.name not in training} | self._decay()
        for statement in reversed(list(self._parameters())):  # one that follows others needs these
            if statement.name in wanted and self._derived(statement):
                wanted |= names(statement.value)
        return wanted

    def _decay(self) -> set[str]:
        """The parameters of a weight decay in the loss, which is the layers'."""
        train = self.program.sections.train
        line = train.one(WeightDecay) if train else None
        if line is None or line.value.decoupled:
            return set()
        return {name for expr in line.written.values() if not isinstance(expr, tuple) for name in names(expr)}

    # -- train -----------------------------------------------------------------------------------------------

    def _train(self, frame: Frame | None) -> list[str]:
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
        return ["", "", *Trainer(self.program, self.uses, identifiers, signature, built).lines()]

    def _derived(self, statement: Parameter) -> bool:
        """Whether a parameter has the value that its expression gives it from others, and so follows them."""
        values = self.program.parameters
        if not names(statement.value) & set(values):
            return False
        return evaluate(statement.value, Scope(values, Diagnostics(), Limits())) == values[statement.name]

    # -- the module ------------------------------------------------------------------------------------------

    def _module(self, functions: Sequence[str]) -> list[str]:
        body = "\n".join(functions)
        helpers = [ONCE] if "first_of_each_name(" in body else []
        classes = sources(self.uses.custom)
        text = "\n".join([*classes.values(), *helpers, body])
        carried = [line for source in classes.values() for line in ["", "", source]]
        return [
            docstring(self._header()),
            "",
            *self._imports(text),
            *carried,
            *helpers,
            "",
            "",
            *functions,
            "",
            "",
            'if __name__ == "__main__":',
            "    build_model().summary()",
        ]

    def _imports(self, text: str) -> list[str]:
        """What the code takes attributes of; its docstrings and comments may say `tf.data` without it."""
        nodes = ast.walk(ast.parse(text))
        used = {node.value.id for node in nodes if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name)}
        standard = [f"import {module}" for module in ("math", "sys") if module in used]
        packages = [name for name in (*PACKAGES, "ops") if name in used]
        return [
            *standard,
            *([""] if standard else []),
            *(["import h5py"] if "h5py" in used else []),
            "import keras",
            *(["import tensorflow as tf"] if "tf" in used else []),
            *([f"from keras import {', '.join(sorted(packages))}"] if packages else []),
        ]

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


def _is_training(statement: Statement) -> bool:
    return isinstance(statement, Operation) and statement.name in ("data", "train")


def _last_step(frame: Frame, body: Body) -> int:
    """The position of the last statement that does something to a tensor."""
    made = {id(step.statement) for step in body.steps}
    return max(place for place, statement in enumerate(frame.statements) if id(statement) in made)


def _listed(variables: Sequence[str]) -> str:
    return variables[0] if len(variables) == 1 else f"[{', '.join(variables)}]"
