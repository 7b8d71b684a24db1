"""What optimizers, losses, metrics, schedules and callbacks lower to, executed by Keras."""

from __future__ import annotations

import inspect
import math
from typing import Any

import pytest

from netc.compiler import compile_source
from netc.params import declared
from netc.sections.base import Clock, Targeted
from netc.sections.losses import LOSSES, Contrastive, Loss, WeightedCrossentropy
from netc.sections.lowering import lower, quantities
from netc.sections.metrics import METRICS, IoU, Metric
from netc.sections.optimizers import OPTIMIZERS, Optimizer
from netc.sections.schedules import SCHEDULES, Cosine, Exponential, Milestones, Plateau, Restarts, Step, Warmup
from netc.sections.schedules import learning_rate as scheduled
from netc.sections.settings import EarlyStopping
from netc.syntax.source import Source
from netc.target import Call
from tests.sections_samples import classes, other_values

keras = pytest.importorskip("keras")
np = pytest.importorskip("numpy")
custom_training = pytest.importorskip("netc.targets.keras.custom_training")
CLOCK = Clock(100, 1000)
ONE_HOT = np.eye(4, dtype="float32")


def target(path: str) -> Any:
    if path.startswith("custom."):
        return getattr(custom_training, path.removeprefix("custom."))
    found: Any = keras
    for part in path.split("."):
        found = getattr(found, part)
    return found


def execute(value: Any) -> Any:
    if not isinstance(value, Call):
        return value
    kwargs = {name: execute(given) for name, given in value.kwargs.items()}
    return target(value.path)(*map(execute, value.args), **kwargs)


def default_of(cls: type[Targeted], name: str) -> Any:
    """The target's own default of a parameter."""
    return inspect.signature(target(cls.target).__init__).parameters[cls.renamed.get(name, name)].default


@pytest.mark.parametrize("cls", [*classes(OPTIMIZERS), *classes(LOSSES), Plateau, EarlyStopping])
def test_defaults_of_keras_are_stated_truly(cls: type[Targeted]) -> None:
    for name, declaration in declared(cls).items():
        if declaration.required or name in cls.own - {"lr"}:
            continue
        stated = cls.elsewhere[name].keras if name in cls.elsewhere else declaration.default
        actual = default_of(cls, "learning_rate" if name == "lr" else name)
        assert actual == stated, name


@pytest.mark.parametrize("cls", classes(OPTIMIZERS))
def test_optimizers_have_the_parameters_asked_for(cls: type[Optimizer]) -> None:
    asked = cls(**other_values(cls))
    made = execute(asked.lower(asked.lr, {"global_clipnorm": 5.0, "use_ema": True, "ema_momentum": 0.9}))
    config = made.get_config()
    assert config["learning_rate"] == pytest.approx(asked.lr)
    assert config["global_clipnorm"] == 5.0
    assert config["ema_momentum"] == 0.9
    for name in declared(cls):
        if name != "lr":
            assert config[cls.renamed.get(name, name)] == getattr(asked, name), name
    plain = execute(cls().lower(cls().lr)).get_config()
    for name in declared(cls):
        if name != "lr":
            assert plain[cls.renamed.get(name, name)] == getattr(cls(), name), name


@pytest.mark.parametrize("cls", classes(OPTIMIZERS))
def test_optimizers_take_whole_numbers_and_make_a_step(cls: type[Optimizer]) -> None:
    made = execute(cls().lower(1))
    variable = keras.Variable(np.ones((2, 2), "float32"), name="kernel")
    made.apply([keras.ops.ones((2, 2))], [variable])
    assert np.all(np.asarray(variable) < 1)


@pytest.mark.parametrize("cls", classes(LOSSES))
def test_losses_have_the_parameters_asked_for(cls: type[Loss]) -> None:
    asked = cls(**other_values(cls))
    made = execute(asked.lower())
    config = {**getattr(made, "_fn_kwargs", {}), **made.get_config()}  # Huber leaves delta out of its config
    for name in declared(cls):
        if name not in cls.own:
            assert config[cls.renamed.get(name, name)] == getattr(asked, name), name
    assert all(config[name] == value for name, value in cls.fixed.items())


@pytest.mark.parametrize("cls", classes(LOSSES))
def test_losses_take_the_labels_they_say(cls: type[Loss]) -> None:
    predicted = keras.ops.softmax(ONE_HOT * 2)
    labels = np.arange(4) if cls.labels in ("integer", "group") else ONE_HOT
    assert math.isfinite(float(execute(cls().lower())(labels, predicted)))


@pytest.mark.parametrize("loss", [cls() for cls in classes(LOSSES)], ids=lambda loss: loss.name)
@pytest.mark.parametrize("cls", classes(METRICS))
def test_metrics_go_with_the_losses_they_say(cls: type[Metric], loss: Loss) -> None:
    if loss.labels not in cls.labels or (cls.probabilities and loss.logits):
        return
    values = other_values(cls)
    if cls is IoU:
        values["of_class"] %= IoU.classes(loss, 4)
    asked = cls(**values)
    metric = execute(asked.lower(loss, 4))
    labels = np.arange(4) if loss.labels == "integer" else ONE_HOT
    outputs = np.array([np.roll([0.7, 0.2, 0.07, 0.03], shift) for shift in range(4)], "float32")
    if loss.logits:
        outputs = np.log(outputs / (1 - outputs))
    metric.update_state(labels, outputs)
    right = float(metric.result())
    metric.reset_state()
    metric.update_state(labels, np.roll(outputs, 2, axis=1))
    wrong = float(metric.result())
    assert metric.name == asked.key
    assert right > wrong if cls.best == "max" else right < wrong


def rates(*schedules: Any, rate: float = 0.1) -> Any:
    made = execute(scheduled(rate, list(schedules), CLOCK))
    return lambda *steps: pytest.approx([float(made(step)) for step in steps], rel=1e-5, abs=1e-9)


def test_schedules_alone() -> None:
    assert rates(Milestones(at=(300, 600)))(0, 299, 301, 601) == [0.1, 0.1, 0.01, 0.001]
    assert rates(Milestones(at=(3, 6), unit="epochs", factor=0.5))(299, 301, 601) == [0.1, 0.05, 0.025]
    assert rates(Step(every=100, factor=0.5))(0, 99, 100, 250) == [0.1, 0.1, 0.05, 0.025]
    assert rates(Exponential(every=100, factor=0.25))(0, 50, 100) == [0.1, 0.05, 0.025]
    assert rates(Cosine(end=0.1))(0, 500, 1000, 2000) == [0.1, 0.055, 0.01, 0.01]
    assert rates(Restarts(first=100))(0, 50, 100, 200, 300) == [0.1, 0.05, 0.1, 0.05, 0.1]
    assert rates(SCHEDULES["polynomial"](end=0.02))(0, 500, 1000, 2000) == [0.1, 0.06, 0.02, 0.02]
    assert rates(SCHEDULES["inverse_time"](every=100, factor=1))(0, 50, 100) == [0.1, 0.1 / 1.5, 0.05]
    assert rates(SCHEDULES["inverse_time"](every=100, factor=1, staircase=True))(50, 100) == [0.1, 0.05]
    assert scheduled(1, [], CLOCK) == 1.0


def test_schedules_after_a_warmup() -> None:
    flat, rising = Warmup(steps=40, lr=0.01, shape="constant"), Warmup(steps=40)
    assert rates(flat)(0, 39, 41, 900) == [0.01, 0.01, 0.1, 0.1]
    assert rates(rising)(0, 20, 40, 900) == [0.0, 0.05, 0.1, 0.1]
    assert rates(flat, Milestones(at=(300, 600)))(0, 39, 41, 301, 601) == [0.01, 0.01, 0.1, 0.01, 0.001]
    assert rates(Milestones(at=(300,)), rising)(0, 20, 40, 299, 301) == [0.0, 0.05, 0.1, 0.1, 0.01]
    assert rates(rising, Cosine())(0, 20, 40, 520, 1000) == [0.0, 0.05, 0.1, 0.05, 0.0]
    assert rates(flat, Cosine())(0, 39, 500, 1000) == [0.01, 0.01, 0.05, 0.0]
    assert rates(Step(every=100, factor=0.5), rising)(20, 99, 100) == [0.05, 0.1, 0.05]


def test_warmup_is_saved_and_loaded() -> None:
    made = execute(scheduled(0.1, [Step(every=100, factor=0.5), Warmup(steps=40)], CLOCK))
    loaded = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(made))
    assert [float(loaded(step)) for step in (20, 99, 100)] == [float(made(step)) for step in (20, 99, 100)]


def test_callbacks_watch_in_the_right_direction() -> None:
    better = {"val_accuracy": "max", "loss": "min"}
    plateau = execute(Plateau(monitor="loss", patience=3, factor=0.5).lower(better))
    assert (plateau.monitor, plateau.patience, plateau.factor, plateau.mode) == ("loss", 3, 0.5, "min")
    stopping = execute(EarlyStopping(monitor="val_accuracy", patience=2, best=True).lower(better))
    assert (stopping.monitor, stopping.patience, stopping.mode) == ("val_accuracy", 2, "max")
    assert stopping.restore_best_weights


def test_proximal_adagrad_against_its_formula() -> None:
    made = execute(OPTIMIZERS["proximal_adagrad"](lr=0.5, l1=0.2, l2=0.3).lower(0.5))
    start, gradient = np.array([1.0, -1.0, 0.01], "float32"), np.array([0.5, 1.0, -0.1], "float32")
    variable, accumulator, expected = keras.Variable(start), np.full(3, 0.1), start.astype("float64")
    for _ in range(3):
        made.apply([keras.ops.convert_to_tensor(gradient)], [variable])
        accumulator += gradient**2
        rate = 0.5 / np.sqrt(accumulator)
        moved = expected - rate * gradient
        expected = np.sign(moved) * np.maximum(np.abs(moved) - rate * 0.2, 0) / (1 + rate * 0.3)
    assert np.asarray(variable) == pytest.approx(expected, rel=1e-5)


def test_custom_losses_against_their_formulas() -> None:
    logits, labels = np.array([[1.0], [-2.0], [0.5]]), np.array([[1.0], [1.0], [0.0]])
    share = 1 / (1 + np.exp(-logits))
    expected = -(3 * labels * np.log(share) + (1 - labels) * np.log(1 - share)).mean()
    assert float(execute(WeightedCrossentropy(positive=3).lower())(labels, logits)) == pytest.approx(expected)
    distances = np.array([[0.5], [2.0], [0.3]])
    expected = np.mean([0.5**2, 2.0**2, (1.5 - 0.3) ** 2]) / 2
    assert float(execute(Contrastive(margin=1.5).lower())(labels, distances)) == pytest.approx(expected)


ONE = (
    "input 4\nmain: fc 4 softmax\ntrain { loss categorical_crossentropy; optimizer adam; metrics accuracy topk=2 auc }"
)
TWO = """input 4
stem: identity
main: fc 4 softmax
from stem
aux: fc 4
output main aux
train {
    loss categorical_crossentropy
    loss sparse_categorical_crossentropy from_logits of=aux weight=0.3
    optimizer momentum lr=0.1
    schedule warmup steps=2
    schedule exponential every=5 factor=0.5
    metrics accuracy mae
    metric topk k=2 of=aux
    early_stopping patience=1 monitor=val_aux_top2
}"""


@pytest.mark.parametrize("text", [ONE, TWO])
def test_quantities_have_the_names_that_keras_logs(text: str) -> None:
    program = compile_source(Source("test.net", text))
    assert not program.report.failed, [found.message for found in program.report]
    train, net, labels = program.sections.train, program.net, program.expansion.labels
    assert train is not None
    made = lower(train, net, labels, CLOCK)
    several = len(net.outputs) > 1
    inputs = keras.Input((4,))
    ends = {
        name: keras.layers.Dense(4, None if name == "aux" else "softmax", name=name)(inputs) for name in net.outputs
    }
    model = keras.Model(inputs, ends if several else ends["main"])
    losses = {name: execute(call) for name, call in made.losses.items()}
    metrics = {name: [execute(call) for call in calls] for name, calls in made.metrics.items()}
    model.compile(
        optimizer=execute(made.optimizer),
        loss=losses if several else losses["main"],
        loss_weights={name: made.weights.get(name, 1.0) for name in losses} if several else None,
        metrics=metrics if several else metrics["main"],
    )
    images, labels_ = np.tile(ONE_HOT, (4, 1)), {"main": np.tile(ONE_HOT, (4, 1)), "aux": np.tile(np.arange(4), 4)}
    given = {name: labels_[name] for name in net.outputs} if several else labels_["main"]
    callbacks = [execute(call) for call in made.callbacks]
    logs = model.fit(images, given, validation_data=(images, given), epochs=1, verbose=0, callbacks=callbacks).history
    assert set(logs) == set(quantities(train, net, labels))
    if several:
        total = logs["val_main_loss"][0] + 0.3 * logs["val_aux_loss"][0]
        assert logs["val_loss"][0] == pytest.approx(total, rel=1e-4)
