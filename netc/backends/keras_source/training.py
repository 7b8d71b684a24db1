"""The `train` section as a function of the emitted module.

What `compile` and `fit` are given comes from `netc.sections.lowering`, on settings whose expressions are symbols. What
plain Keras cannot do is a class or helper of `netc.backends.custom_fitting`, which the module carries along.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from netc.backends.keras_source.calls import Uses
from netc.backends.keras_source.comments import docstring
from netc.backends.keras_source.expressions import Sight, constant
from netc.backends.keras_source.identifiers import Identifiers
from netc.backends.keras_source.items import Item, Suite, lines
from netc.backends.keras_source.symbols import symbolic
from netc.backends.keras_source.train_doc import describe
from netc.backends.keras_source.train_guards import Guards
from netc.ir.net import Net
from netc.program import Program
from netc.sections.base import Clock, Setting
from netc.sections.conflicts import length, watching
from netc.sections.lowering import DECAYED, Compiled, lower, quantities
from netc.sections.model import Line, Train, frozen_layers, skipped_layers
from netc.sections.monitors import VALIDATION
from netc.sections.settings import (
    Batch,
    Checkpoint,
    ClassWeights,
    Epochs,
    Freeze,
    Restore,
    Seed,
    Shuffle,
    Skip,
    Steps,
    Validate,
)
from netc.target import Call, Symbol
from netc.values import Value

UNKNOWN = Clock(1000, 100_000)  # where no data set says how long training is; only comparisons look at it
FOLDER = "checkpoints"


@dataclass(frozen=True, slots=True)
class Signature:
    """The parameters of the file in a function: Python variables, text of the parameters, statements for late ones."""

    variables: Mapping[str, str]
    written: Sequence[str]
    computed: Sequence[Item]
    documented: Sequence[str]


class Trainer:
    """Prints `train`. `built` holds the parameters that `build_model` takes, by name, as it calls them."""

    def __init__(
        self, program: Program, uses: Uses, identifiers: Identifiers, signature: Signature, built: Mapping[str, str]
    ) -> None:
        train = program.sections.train
        assert train is not None
        self.program = program
        self.train: Train = train
        self.net: Net = program.net
        self.labels = program.expansion.labels
        self.uses = uses
        self.signature = signature
        self.built = built
        self.sight = Sight(signature.variables, _reals(program.parameters), None)
        self.options: list[str] = []  # keyword parameters besides those of the file
        self.documented: list[str] = []
        make = identifiers.make
        self.batch = self._option(Batch, "images", make("batch_size"), train.batch, "samples in a step")
        self.length = self._length(make)
        self.seed = self._option(Seed, "value", make("seed"), train.seed, "where all random numbers come from")
        self.folder = make("folder")
        self.model, self.optimizer, self.per_epoch = make("model"), make("optimizer"), make("steps_per_epoch")
        self.xs, self.ys = make("images"), make("labels")
        self.policy = make("policy")
        known = length(program.sections) or UNKNOWN
        each = Symbol(self.per_epoch, known.per_epoch)
        self.clock = Clock(each, self.length if train.steps else each * self.length)
        self.compiled: Compiled = lower(train, self.net, self.labels, self.clock, self._symbols)

    # -- settings --------------------------------------------------------------------------------------------

    def _symbols(self, line: Line[Any]) -> Any:
        """A setting whose expressions are symbols."""
        return symbolic(line.value, line.written, self.sight, many=True)

    def _option(self, kind: type[Setting], name: str, variable: str, value: int, doc: str) -> Symbol:
        """A setting that is a parameter of `train`, or an expression of the file's parameters."""
        line = self.train.one(kind)
        if line is not None:
            given = getattr(self._symbols(line), name)
            if isinstance(given, Symbol):
                return given
        self.options.append(f"{variable}={value}")
        self.documented.append(f"{variable}: {doc}.")
        return Symbol(variable, value)

    def _length(self, make: Any) -> Symbol:
        if self.train.steps:
            return self._option(Steps, "count", make("steps"), self.train.steps, "steps (batches) to train")
        return self._option(Epochs, "count", make("epochs"), self.train.epochs or 1, "passes over the data")

    def _call(self, call: Call) -> str:
        return self.uses.call(call)

    # -- the function ----------------------------------------------------------------------------------------

    def lines(self) -> list[str]:
        """The text of the function."""
        body = [*self._data(), *self._optimizer(), *self._compile(), *self._fit()]
        if re.search(rf"\b{self.per_epoch}\b", "\n".join(lines(body))):
            body.insert(1, self._count())
        checks = [*self._guards([*self._start(), *body]), *self._needs()]
        checkpoint = self.train.one(Checkpoint)
        if checkpoint is not None:
            self.options.append(f'{self.folder}="{FOLDER}"')
            self.documented.append(f"{self.folder}: where the checkpoints go.")
        parameters = ["data", "validation=None"]
        more = [*self.signature.written, *self.options]
        parameters += ["*", *more] if more else []
        text = describe(self.program, [*self.signature.documented, *self.documented])
        items = [*self.signature.computed, *checks, *self._start(), *self._model(), *body, f"return {self.model}"]
        return [f"def train({', '.join(parameters)}):", docstring(text, "    "), *lines(items, "    ")]

    def _start(self) -> list[Item]:
        return [f"keras.utils.set_random_seed({self.seed.source})"]

    def _model(self) -> list[Item]:
        """The new model, with what it takes over and what stays as it is."""
        arguments = ", ".join(f"{key}={self.signature.variables[name]}" for name, key in self.built.items())
        items: list[Item] = [f"{self.model} = build_model({arguments})"]
        if self.compiled.policy is not None:
            items.insert(0, f"{self.policy} = keras.mixed_precision.dtype_policy()")
            items.insert(1, f'keras.mixed_precision.set_dtype_policy("{self.compiled.policy}")')
            items.append(f"keras.mixed_precision.set_dtype_policy({self.policy})")
            head = f"for name in {self.uses.value(list(self.compiled.exact))}:  # losses and metrics see these"
            items.append(Suite(head, (f'{self.model}.get_layer(name).dtype_policy = "float32"',)))
        restore = self.train.value(Restore)
        if restore is not None:
            kept = skipped_layers(self.train, self.net, self.labels)
            more = f", skip={self.uses.value(kept)}" if kept else ""
            helper = self.uses.path("custom.restore_weights")
            items.append(f"{helper}({self.model}, {constant(restore.path).text}{more})")
        return [*items, *self._freeze()]

    def _freeze(self) -> list[Item]:
        frozen = frozen_layers(self.train, self.net, self.labels)
        if not frozen:
            return []
        still = f"{self.model}.get_layer(name).trainable = False"
        return [Suite(f"for name in {self.uses.value(frozen)}:", (still,))]

    def _data(self) -> list[Item]:
        pair = "isinstance(data, (tuple, list))"
        return [f"{self.xs}, {self.ys} = data if {pair} else (data, None)"]

    def _count(self) -> str:
        """Steps of an epoch."""
        first = f"keras.tree.flatten({self.xs})[0]" if len(self.net.inputs) > 1 else self.xs
        steps = f"math.ceil(len({first}) / {self.batch.source})"
        return f"{self.per_epoch} = len(data) if {self.ys} is None else {steps}"

    def _optimizer(self) -> list[Item]:
        items: list[Item] = [f"{self.optimizer} = {self._call(self.compiled.optimizer)}"]
        if self.compiled.decays:
            kept = " and ".join(f"{part!r} not in v.name" for part in DECAYED)
            variables = f"[v for v in {self.model}.trainable_variables if {kept}]"
            items.append(f"{self.optimizer}.exclude_from_weight_decay({variables})")
        return items

    # -- compile and fit -------------------------------------------------------------------------------------

    def _compile(self) -> list[Item]:
        made, several = self.compiled, len(self.net.outputs) > 1
        keys = {output: self.net.node(output).layer_name for output in self.net.outputs}
        arguments = [f"optimizer={self.optimizer}"]
        losses = {keys[output]: self._call(call) for output, call in made.losses.items()}
        metrics = {keys[o]: f"[{', '.join(map(self._call, calls))}]" for o, calls in made.metrics.items()}
        arguments.append(f"loss={_by_name(losses, several)}")
        if made.weights:
            weights = {keys[o]: self.uses.value(made.weights.get(o, 1.0)) for o in made.losses}
            arguments.append(f"loss_weights={_by_name(weights, several)}")
        if metrics:
            arguments.append(f"metrics={_by_name(metrics, several)}")
        return [f"{self.model}.compile({', '.join(arguments)},)"]

    def _fit(self) -> list[Item]:
        arguments = [self.xs, self.ys, f"batch_size={self.batch.source} if {self.ys} is not None else None"]
        arguments.append(f"epochs={self._epochs()}")
        validate = self.train.one(Validate)
        by_step = validate is not None and validate.value.unit == "steps"
        if not by_step:
            arguments.append("validation_data=validation")
        if validate is not None and not by_step:
            arguments.append(f"validation_freq={self.uses.value(self._symbols(validate).every)}")
        data = self.program.sections.data
        if data is not None and data.value(Shuffle) == Shuffle(on=False):
            arguments.append("shuffle=False")
        arguments += self._class_weight()
        if callbacks := [*map(self._call, self._callbacks())]:
            arguments.append(f"callbacks=[{', '.join(callbacks)},]")
        return [f"{self.model}.fit({', '.join(arguments)},)"]

    def _epochs(self) -> str:
        if self.train.steps:
            return f"math.ceil({self.length.source} / {self.per_epoch})"
        return self.length.source

    def _class_weight(self) -> Iterator[str]:
        line = self.train.one(ClassWeights)
        if line is None:
            return
        if line.value.how:
            classes = self.net.shapes[self.net.outputs[0]][-1]
            helper = self.uses.path("custom.balanced_class_weights")
            yield f"class_weight={helper}(data, {max(classes or 2, 2)})"
            return
        weights = self._symbols(line).weights
        items = [f"{number}: {self.uses.value(weight)}" for number, weight in enumerate(weights)]
        yield f"class_weight={{{', '.join(items)}}}"

    def _callbacks(self) -> Iterator[Call]:
        """In an order in which those that watch stand behind the one that validates."""
        validate, checkpoint = self.train.one(Validate), self.train.one(Checkpoint)
        if validate is not None and validate.value.unit == "steps":
            every = self._symbols(validate).every
            yield Call("custom.ValidateEvery", (Symbol("validation", None), every, self.batch))
        yield from self.compiled.callbacks
        if checkpoint is not None:
            yield self._checkpoints(self._symbols(checkpoint), checkpoint.value)
        if self.train.steps:
            yield Call("custom.StopAfter", (self.length,))

    def _checkpoints(self, given: Checkpoint, value: Checkpoint) -> Call:
        arguments: dict[str, Any] = {"keep": given.keep}
        if value.every is not None:
            arguments[value.unit] = given.every
        if value.best:
            arguments |= {
                "monitor": value.monitor,
                "mode": quantities(self.train, self.net, self.labels)[value.monitor],
            }
        return Call("custom.Checkpoints", (Symbol(self.folder, FOLDER),), arguments)

    # -- what must not be lost -------------------------------------------------------------------------------

    def _guards(self, body: Sequence[Item]) -> list[Item]:
        guards = Guards(self.program, self._symbols, self.sight, self.signature.variables)
        named = self.train.one(Freeze) is not None or self.train.one(Skip) is not None
        return guards.items("\n".join(lines(body)), self.built if named else ())

    def _needs(self) -> list[Item]:
        """Refuse to train without validation data where something looks at them."""
        watched = [line.value.monitor for line in watching(self.train)]
        found = next((name for name in watched if name.startswith(VALIDATION)), None)
        if found is None and self.train.one(Validate) is None:
            return []
        why = f"{found} is watched" if found else "the model is validated while it trains"
        return [Suite("if validation is None:", (f'raise ValueError("{why}: give validation data")',))]


def _by_name(texts: Mapping[str, str], several: bool) -> str:
    """One text for the only output, a dictionary for several."""
    if not several:
        return next(iter(texts.values()))
    return f"{{{', '.join(f'{constant(name).text}: {text}' for name, text in texts.items())}}}"


def _reals(parameters: Mapping[str, Value]) -> frozenset[str]:
    return frozenset(name for name, value in parameters.items() if isinstance(value, float))
