"""A network with everything that training it takes: optimizer, losses, metrics, as the `train` section lowers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from netc.sections.base import Clock
from netc.sections.lowering import DECAYED, CompileArguments, lower
from netc.sections.model import Train, frozen_layers, loss_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from netc.ir.net import Net
    from netc.program import Program

LOSS = "loss"
SHOWN = 3  # layers that a message names


@dataclass(frozen=True, slots=True)
class Head:
    """One output: how its labels come, what its loss is, and what it counts in the sum."""

    name: str
    labels: str  # one_hot, integer, binary or real (`Loss.labels`)
    units: int
    loss: Any
    weight: float


class Trainee:
    """A model, its optimizer, and the losses and metrics of its outputs, made in the scope of a strategy."""

    def __init__(self, program: Program, clock: Clock, seed: int, strategy: Any) -> None:
        import keras  # noqa: PLC0415 - seconds

        train = program.sections.train
        assert train is not None
        self.program = program
        self.train: Train = train
        self.strategy = strategy
        self.compiled: CompileArguments = lower(train, program.net, program.expansion.labels, clock)
        keras.utils.set_random_seed(seed)
        with strategy.scope():
            self.model = self._model()
            self.optimizer = self._optimizer()
            self.heads = [self._head(output) for output in program.net.outputs]
            self.training = Meters(self.compiled, program.net)
            strategy.run(self.training.build)
        self.training.reset()
        self.validation = Meters(self.compiled, program.net)  # outside: every worker validates by itself
        self.validation.build()

    # -- parts -----------------------------------------------------------------------------------------------

    def _model(self) -> Any:
        import keras  # noqa: PLC0415

        from netc.targets.keras.build import build, layers_in_order  # noqa: PLC0415 - imports Keras

        with _policy(self.compiled.policy):
            model = build(self.program)
        self.layers = layers_in_order(model, self.program.net)
        exact, frozen = self.compiled.exact, frozen_layers(self.train, self.program.net, self.program.expansion.labels)
        for layer in self.layers:
            if layer.name in exact:
                layer.dtype_policy = "float32"
            if layer.name in frozen:
                layer.trainable = False
            if self.strategy.num_replicas_in_sync > 1 and isinstance(layer, keras.layers.BatchNormalization):
                layer.synchronized = True  # the moments of the whole batch, as one device has them
        return model

    def _optimizer(self) -> Any:
        import keras  # noqa: PLC0415

        from netc.targets.keras.calls import make  # noqa: PLC0415

        variables = [one for one in self._held() if one.trainable]
        optimizer = make(self.compiled.optimizer)
        if self.compiled.decays:
            optimizer.exclude_from_weight_decay(
                var_list=[one for one in variables if not any(part in one.name for part in DECAYED)]
            )
        if self.compiled.policy == "mixed_float16":
            optimizer = keras.optimizers.LossScaleOptimizer(optimizer)
        optimizer.build(variables)
        if self.strategy.num_replicas_in_sync > 1:  # gradients are summed before they get there
            optimizer._all_reduce_sum_gradients = lambda pairs: pairs
        self.model.optimizer = optimizer  # where callbacks look for it
        return optimizer

    def _head(self, output: str) -> Head:
        from netc.targets.keras.calls import make  # noqa: PLC0415

        loss = loss_of(self.program, output)
        assert loss is not None
        weight, units = float(self.compiled.weights.get(output, 1.0)), self.program.net.shapes[output][-1] or 0
        return Head(output, loss.labels, units, make(self.compiled.losses[output]), weight)

    def _held(self) -> list[Any]:
        """The variables of the model, layer by layer, in an order that models in it change nothing of."""
        return [*{id(one): one for layer in self.layers for one in layer.variables}.values()]

    # -- state -----------------------------------------------------------------------------------------------

    @property
    def rate(self) -> float:
        """The learning rate of the next step."""
        return float(value_of(self.optimizer.learning_rate))

    def variables(self) -> Iterator[tuple[str, Any]]:
        """Everything that the next step depends on, by names that say what each is.

        Besides weights, these are the optimizer's state and rate, the counters of the seed generators (which no
        saving path of Keras stores) and the sums of the metrics of the epoch under way.
        """
        weights = {id(one) for one in self.model.weights}
        groups = (
            ("model", self._held()),
            ("optimizer", self.optimizer.variables),
            ("metric", self.training.variables),
        )
        for group, variables in groups:
            for number, variable in enumerate(variables):
                layer = f"{variable.path.rpartition('/')[0]}/" if id(variable) in weights else ""  # others are numbered
                yield f"{group}/{number}/{layer}{variable.name}", variable

    def arrays(self) -> Iterator[tuple[str, NDArray[Any]]]:
        """The values of `variables`, one at a time."""
        for name, variable in self.variables():
            yield name, value_of(variable)

    def restore(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Set `variables`; raises `ValueError` where the arrays are those of another network."""
        import numpy  # noqa: PLC0415 - comes with TensorFlow

        if renamed := _renamed(arrays, (name for name, _ in self.variables())):
            more = f" and {len(renamed) - SHOWN} more" if len(renamed) > SHOWN else ""
            raise ValueError(
                f"its layers have other names ({', '.join(renamed[:SHOWN])}{more}), as names now count the arms of an"
                " `if` that do not run; `--weights` of a new run takes its weights over, in order"
            )
        for name, variable in self.variables():
            array = arrays.get(name)
            if array is None:
                raise ValueError(f"it has no {name}")
            if array.shape != tuple(variable.shape):
                raise ValueError(f"{name} has the shape {array.shape} there and {tuple(variable.shape)} here")
            if array.dtype.kind != numpy.dtype(variable.dtype).kind:
                raise ValueError(f"{name} is of the type {array.dtype} there and {variable.dtype} here")
            variable.assign(array)


def _renamed(there: Iterable[str], here: Iterable[str]) -> list[str]:
    """The layers of a checkpoint that are called otherwise here, where its weights have no other difference."""
    theirs, ours = ([name.split("/", 2)[1:] for name in names if name.startswith("model/")] for names in (there, here))
    layers = {}
    for (number, one), (place, other) in zip(theirs, ours, strict=False):
        (layer, _, role), (called, _, part) = one.rpartition("/"), other.rpartition("/")
        if (number, role) != (place, part):
            return []
        layers[layer] = called
    return [f"{one} is {other} here" for one, other in layers.items() if one != other and len(theirs) == len(ours)]


class Meters:
    """The mean loss and the metrics of one pass over some images, by the names that logs and monitors use."""

    def __init__(self, compiled: CompileArguments, net: Net) -> None:
        import keras  # noqa: PLC0415

        from netc.targets.keras.calls import make  # noqa: PLC0415

        self.net = net
        outputs = net.outputs
        several = len(outputs) > 1
        self.loss = keras.metrics.Mean(name=LOSS)
        self.losses = {name: keras.metrics.Mean(name=f"{name}_{LOSS}") for name in outputs if several}
        self.metrics = {name: [make(call) for call in calls] for name, calls in compiled.metrics.items()}
        self.named: dict[str, Any] = {LOSS: self.loss}
        self.named.update((meter.name, meter) for meter in self.losses.values())
        for output, metrics in self.metrics.items():
            self.named.update((f"{output}_{one.name}" if several else one.name, one) for one in metrics)

    @property
    def variables(self) -> list[Any]:
        """The sums after the values."""
        return [variable for meter in self.named.values() for variable in meter.variables]

    def build(self) -> None:
        """Make all variables: some metrics do so only when they are first used."""
        import tensorflow as tf  # noqa: PLC0415

        for output, metrics in self.metrics.items():
            zeros = tf.zeros([1, *(size or 1 for size in self.net.shapes[output])])
            for metric in metrics:
                metric.update_state(tf.zeros([1]) if "Sparse" in type(metric).__name__ else zeros, zeros)

    def values(self) -> dict[str, float]:
        """The values so far."""
        return {name: float(meter.result()) for name, meter in self.named.items()}

    def reset(self) -> None:
        """Begin a new pass."""
        for meter in self.named.values():
            meter.reset_state()


def value_of(variable: Any) -> NDArray[Any]:
    """The value of a Keras variable; of one that every replica has a copy of, the first."""
    import keras  # noqa: PLC0415

    return keras.ops.convert_to_numpy(variable)  # type: ignore[no-any-return]


@contextmanager
def _policy(name: str | None) -> Iterator[None]:
    """Layers made inside compute by a dtype policy."""
    import keras  # noqa: PLC0415

    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(name or "float32")
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)
