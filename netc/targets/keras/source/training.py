"""The `train` section as a function of the emitted module.

What `compile` and `fit` are given comes from `netc.sections.lowering`, on settings whose expressions are symbols. It is
Keras as one writes it by hand: what `fit` cannot do is left out, and a comment says what `netc train` does there.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from netc.ir.net import Net
from netc.program import Program
from netc.sections.base import Clock, Setting
from netc.sections.conflicts import length, watching
from netc.sections.lowering import DECAYED, CompileArguments, lower, quantities
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
from netc.target import Symbol
from netc.targets.keras.nesting import Nesting
from netc.targets.keras.source.calls import made, value
from netc.targets.keras.source.expressions import constant, sight
from netc.targets.keras.source.identifiers import Identifiers
from netc.targets.keras.source.symbols import symbolic
from netc.targets.keras.source.train_doc import describe
from netc.targets.keras.source.train_guards import Guards
from netc.targets.keras.source.tree import (
    Comment,
    Docstring,
    For,
    Parameter,
    Statements,
    assign,
    call,
    define,
    listed,
    load,
    reads,
    refuse,
    statements,
    tall,
    written,
)

UNKNOWN = Clock(1000, 100_000)  # where no data set says how long training is; only comparisons look at it
FOLDER = "checkpoints"


@dataclass(frozen=True, slots=True)
class Signature:
    """The parameters of the file in a function: Python variables, parameters, statements for late ones."""

    variables: Mapping[str, str]
    written: Sequence[Parameter]
    computed: Statements
    documented: Sequence[str]


class Trainer:
    """Prints `train`. `built` holds the parameters that `build_model` takes, by name, as it calls them."""

    def __init__(
        self, program: Program, identifiers: Identifiers, signature: Signature, built: Mapping[str, str]
    ) -> None:
        train = program.sections.train
        assert train is not None
        self.program = program
        self.train: Train = train
        self.net: Net = program.net
        self.nesting = Nesting(program.net)
        self.labels = program.expansion.labels
        self.signature = signature
        self.built = built
        reals = frozenset(name for name, given in program.parameters.items() if isinstance(given, float))
        self.sight = sight(signature.variables, reals)
        self._symbolic: dict[int, Any] = {}
        self.options: list[Parameter] = []  # keyword parameters besides those of the file
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
        each = Symbol(load(self.per_epoch), known.per_epoch)
        self.clock = Clock(each, self.length if train.steps else each * self.length)
        self.compiled: CompileArguments = lower(train, self.net, self.labels, self.clock, self._symbols)

    # -- settings --------------------------------------------------------------------------------------------

    def _symbols(self, line: Line[Any]) -> Any:
        """A setting whose expressions are symbols, the same ones each time."""
        if id(line) not in self._symbolic:
            self._symbolic[id(line)] = symbolic(line.value, line.written, self.sight, many=True)
        return self._symbolic[id(line)]

    def _option(self, kind: type[Setting], name: str, variable: str, value: int, doc: str) -> Symbol:
        """A setting that is a parameter of `train`, or an expression of the file's parameters."""
        line = self.train.one(kind)
        if line is not None:
            given = getattr(self._symbols(line), name)
            if isinstance(given, Symbol):
                return given
        self.options.append((ast.arg(variable), constant(value)))
        self.documented.append(f"{variable}: {doc}.")
        return Symbol(load(variable), value)

    def _length(self, make: Any) -> Symbol:
        if self.train.steps:
            return self._option(Steps, "count", make("steps"), self.train.steps, "steps (batches) to train")
        return self._option(Epochs, "count", make("epochs"), self.train.epochs or 1, "passes over the data")

    # -- the function ----------------------------------------------------------------------------------------

    def function(self) -> ast.stmt:
        """The function."""
        body = [*self._data(), *self._optimizer(), self._compile(), *self._fit()]
        if self.per_epoch in reads(body):
            body.insert(1, self._count())
        checks = [*self._guards([self._start(), *body]), *self._needs()]
        checkpoint = self.train.one(Checkpoint)
        if checkpoint is not None:
            self.options.append((ast.arg(self.folder), constant(FOLDER)))
            self.documented.append(f"{self.folder}: where the checkpoints go.")
        weights = self.train.value(ClassWeights)
        if weights is not None and weights.how:
            self.options.insert(0, (ast.arg("class_weight"), None))
            self.documented.append("class_weight: what each class weighs, which `netc train` finds out by its number.")
        data: list[Parameter] = [(ast.arg("data"), None), (ast.arg("validation"), ast.Constant(None))]
        doc = Docstring(describe(self.program, [*self.signature.documented, *self.documented]))
        before = [*self.signature.computed, *checks, self._start(), *self._model()]
        body = [doc, *before, *body, ast.Return(load(self.model))]
        return define("train", [*data, *self.signature.written, *self.options], len(data), body)

    def _start(self) -> ast.stmt:
        return ast.Expr(call("keras.utils.set_random_seed", self.seed.expr))

    def _model(self) -> Statements:
        """The new model, with what it takes over and what stays as it is."""
        given = {key: load(self.signature.variables[name]) for name, key in self.built.items()}
        items: Statements = [assign(self.model, call("build_model", **given))]
        if self.compiled.policy is not None:
            head = "POLICY = keras.mixed_precision.dtype_policy()\nkeras.mixed_precision.set_dtype_policy(NUMBER)"
            back = "keras.mixed_precision.set_dtype_policy(POLICY)"
            items = [
                *statements(head, POLICY=self.policy, NUMBER=constant(self.compiled.policy)),
                *items,
                *statements(back, POLICY=self.policy),
                *self._each(self.compiled.exact, 'LAYER.dtype_policy = "float32"', "losses and metrics see these"),
            ]
        return [*items, *self._restore(), *self._freeze()]

    def _restore(self) -> Statements:
        restore = self.train.value(Restore)
        if restore is None:
            return []
        kept = skipped_layers(self.train, self.net, self.labels)
        skipping = {"kept": value(kept)} if kept else {}
        return [ast.Expr(call("restore_weights", load(self.model), constant(restore.path), **skipping))]

    def _freeze(self) -> Statements:
        return [*self._each(frozen_layers(self.train, self.net, self.labels), "LAYER.trainable = False")]

    def _each(self, names: Iterable[str], change: str, remark: str = "") -> Iterator[ast.stmt]:
        """A change of layers, in the model and in the models in it."""
        inside: dict[tuple[str, ...], list[str]] = {}
        for name in names:
            inside.setdefault(self.nesting.around(name), []).append(name)
        for around, found in inside.items():
            layer: ast.expr = load(self.model)
            for key in [*map(constant, around), load("name")]:
                layer = written("MODEL.get_layer(KEY)", MODEL=layer, KEY=key)
            yield For("name", value(found), statements(change, LAYER=layer), remark=remark)

    def _data(self) -> Statements:
        return statements(
            "IMAGES, LABELS = data if isinstance(data, (tuple, list)) else (data, None)",
            IMAGES=self.xs,
            LABELS=self.ys,
        )

    def _count(self) -> ast.stmt:
        """Steps of an epoch."""
        first = "keras.tree.flatten(IMAGES)[0]" if len(self.net.inputs) > 1 else "IMAGES"
        steps = f"len(data) if LABELS is None else math.ceil(len({first}) / BATCH)"
        return assign(self.per_epoch, written(steps, IMAGES=self.xs, LABELS=self.ys, BATCH=self.batch.expr))

    def _optimizer(self) -> Statements:
        items: Statements = [assign(self.optimizer, made(self.compiled.optimizer))]
        if self.compiled.decays:
            kept = " and ".join(f"{part!r} not in v.name" for part in DECAYED)
            exclude = f"OPTIMIZER.exclude_from_weight_decay([v for v in MODEL.trainable_variables if {kept}])"
            items += statements(exclude, OPTIMIZER=self.optimizer, MODEL=self.model)
        return items

    # -- compile and fit -------------------------------------------------------------------------------------

    def _compile(self) -> ast.stmt:
        given = {name: value(one) for name, one in self.compiled.keywords(self.nesting.outputs()).items()}
        return ast.Expr(tall(call(f"{self.model}.compile", optimizer=load(self.optimizer), **given)))

    def _fit(self) -> Statements:
        batch = written("BATCH if LABELS is not None else None", BATCH=self.batch.expr, LABELS=self.ys)
        arguments = {"batch_size": batch, "epochs": self._epochs(), "validation_data": load("validation")}
        validate = self.train.one(Validate)
        if validate is not None and validate.value.unit == "epochs":
            arguments["validation_freq"] = value(self._symbols(validate).every)
        data = self.program.sections.data
        if data is not None and data.value(Shuffle) == Shuffle(on=False):
            arguments["shuffle"] = ast.Constant(False)
        class_weight = self._class_weight()
        if class_weight is not None:
            arguments["class_weight"] = class_weight
        if callbacks := [*map(value, self.compiled.callbacks), *self._checkpoints()]:
            arguments["callbacks"] = tall(listed(callbacks))
        return [*self._left_out(), ast.Expr(tall(call(f"{self.model}.fit", load(self.xs), load(self.ys), **arguments)))]

    def _left_out(self) -> Iterator[ast.stmt]:
        """What `netc train` does and `fit` does not."""
        validate, checkpoint = self.train.value(Validate), self.train.value(Checkpoint)
        if self.train.steps:
            yield Comment("fit ends with an epoch; `netc train` ends after so many steps.")
        if validate is not None and validate.unit == "steps":
            yield Comment(f"fit validates after every epoch; `netc train` does every {validate.every} steps.")
        if checkpoint is not None:
            yield Comment(f"All checkpoints stay; of those of `netc train`, the last {checkpoint.keep}.")

    def _epochs(self) -> ast.expr:
        if self.train.steps:
            return written("math.ceil(LENGTH / EACH)", LENGTH=self.length.expr, EACH=self.per_epoch)
        return self.length.expr

    def _class_weight(self) -> ast.expr | None:
        line = self.train.one(ClassWeights)
        if line is None:
            return None
        if line.value.how:
            return load("class_weight")
        weights = self._symbols(line).weights
        return ast.Dict([*map(ast.Constant, range(len(weights)))], [*map(value, weights)])

    def _checkpoints(self) -> Iterator[ast.expr]:
        """The callbacks that save: to go on from after an interruption, every so often, and the best."""
        line = self.train.one(Checkpoint)
        if line is None:
            return
        given, folder = self._symbols(line), load(self.folder)
        yield written('callbacks.BackupAndRestore(FOLDER + "/backup")', FOLDER=folder)
        name, often = '"/epoch-{epoch:04d}.keras"', ""
        if line.value.every is not None and line.value.unit == "steps":
            name, often = '"/epoch-{epoch:04d}-step-{batch:05d}.keras"', ", save_freq=EVERY"
        elif line.value.every not in (None, 1):
            often = ", save_freq=EVERY * EACH"
        each = f"callbacks.ModelCheckpoint(FOLDER + {name}{often})"
        yield written(each, FOLDER=folder, EVERY=value(given.every), EACH=self.per_epoch)
        if line.value.best:
            yield written(
                'callbacks.ModelCheckpoint(FOLDER + "/best.keras", monitor=QUANTITY, mode=BETTER, save_best_only=True)',
                FOLDER=folder,
                QUANTITY=constant(line.value.monitor),
                BETTER=constant(quantities(self.train, self.net, self.labels)[line.value.monitor]),
            )

    # -- what must not be lost -------------------------------------------------------------------------------

    def _guards(self, body: Statements) -> Statements:
        guards = Guards(self.program, self._symbols, self.sight, self.signature.variables)
        named = self.train.one(Freeze) is not None or self.train.one(Skip) is not None
        return guards.statements(body, self.built if named else ())

    def _needs(self) -> Statements:
        """Refuse to train without validation data where something looks at them."""
        watched = [line.value.monitor for line in watching(self.train)]
        found = next((name for name in watched if name.startswith(VALIDATION)), None)
        if found is None and self.train.one(Validate) is None:
            return []
        why = f"{found} is watched" if found else "the model is validated while it trains"
        return [refuse(written("validation is None"), f"{why}: give validation data")]
