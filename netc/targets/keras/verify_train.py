"""`train` of emitted code against what the sections lower to: what `compile` and `fit` were given, as plain data."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from netc.targets.keras.nesting import Nesting

if TYPE_CHECKING:
    from netc.program import Program

STEPS = 1000  # steps of an epoch that both sides are told
SAVING = ("ModelCheckpoint", "BackupAndRestore")  # callbacks in whose place `netc train` has means of its own

# Run in the process of the emitted code, after its other half (`netc.targets.keras.verify`).
RECORDER = f"""
class Steps:
    def __len__(self):
        return {STEPS}

    def __iter__(self):
        return iter([(None, numpy.array([0, 1]))])


def record(emitted, model):
    found = {{}}

    def build(**given):
        found["policy"] = keras.config.dtype_policy().name
        for layer in flat(model):
            layer.dtype_policy = found["policy"]
        return model

    def fit(self, *args, epochs=None, callbacks=(), class_weight=None, **rest):
        compiled, optimizer = self.get_compile_config(), self.optimizer
        optimizer = getattr(optimizer, "inner_optimizer", optimizer)
        kept = [v.path for v in self.trainable_variables if not optimizer._use_weight_decay(v)]
        found.update(
            optimizer=keras.saving.serialize_keras_object(optimizer),
            decayed=[v.path for v in self.trainable_variables if v.path not in kept] if optimizer.weight_decay else [],
            loss=compiled["loss"],
            weights=compiled["loss_weights"],
            metrics=compiled["metrics"],
            callbacks=[plain(one) for one in callbacks if type(one).__name__ not in {SAVING}],
            epochs=epochs,
            frozen=[layer.name for layer in flat(self) if layer.weights and not layer.trainable],
            exact=[layer.name for layer in flat(self) if layer.dtype_policy.name != found["policy"]],
        )

    keras.Model.fit, before = fit, keras.Model.fit
    emitted.build_model = build
    emitted.restore_weights = lambda model, path, kept=(): found.update(restored=[path, *kept])
    more = {{"class_weight": {{}}}} if "class_weight" in emitted.train.__code__.co_varnames else {{}}
    try:
        emitted.train(Steps(), Steps(), **more)
    finally:
        keras.Model.fit = before
    return found


def flat(model):
    parts = [flat(one) if isinstance(one, keras.Model) else [one] for one in model.layers]
    return [layer for part in parts for layer in part]


def plain(one):
    values = {{key: value for key, value in vars(one).items() if isinstance(value, (str, int, float))}}
    return {{"class": type(one).__name__, **values}}
"""


def differences(emitted: dict[str, Any] | None, program: Program, model: Any) -> list[str]:
    """What `train` was seen to do otherwise than the section says; one sentence each."""
    if emitted is None:
        return ["the emitted code has no `train`"]
    expected = json.loads(json.dumps(_expected(program, model), default=str))
    return [
        f"`train` gives the {name} {emitted.get(name)!r}, the section {expected[name]!r}"
        for name in expected
        if _comparable(emitted.get(name)) != _comparable(expected[name])
    ]


def _comparable(value: Any) -> Any:
    """A configuration without the module that a carried class stands in, and the last digits of what is computed."""
    if isinstance(value, dict):
        return {key: _comparable(inner) for key, inner in value.items() if key not in ("module", "build_config")}
    if isinstance(value, list):
        return [*map(_comparable, value)]
    return float(f"{value:.12g}") if isinstance(value, float) else value


def _expected(program: Program, model: Any) -> dict[str, Any]:
    from netc.sections.base import Clock  # noqa: PLC0415
    from netc.sections.lowering import DECAYED, lower  # noqa: PLC0415
    from netc.sections.model import frozen_layers, skipped_layers  # noqa: PLC0415
    from netc.sections.settings import Restore  # noqa: PLC0415
    from netc.targets.keras.build import layers_of  # noqa: PLC0415 - imports what Keras models are made of
    from netc.targets.keras.calls import executed, make  # noqa: PLC0415 - imports Keras

    train, net, labels = program.sections.train, program.net, program.expansion.labels
    assert train is not None
    epochs = -(-train.steps // STEPS) if train.steps else train.epochs
    compiled = lower(train, net, labels, Clock(STEPS, train.steps or STEPS * (train.epochs or 0)))
    optimizer, frozen = make(compiled.optimizer), frozen_layers(train, net, labels)
    restore = train.value(Restore)
    layers = layers_of(model)
    still = {weight.path for layer in layers if layer.name in frozen for weight in layer.weights}
    variables = [weight for weight in model.trainable_variables if weight.path not in still]
    kernels = [one.path for one in variables if not compiled.decays or any(part in one.name for part in DECAYED)]
    given = {name: _serialized(value) for name, value in executed(compiled.keywords(Nesting(net).outputs())).items()}
    return {
        "policy": compiled.policy or "float32",
        "restored": restore and [restore.path, *skipped_layers(train, net, labels)],
        "optimizer": _serialized(optimizer),
        "decayed": kernels if optimizer.weight_decay else [],
        "loss": given["loss"],
        "weights": given.get("loss_weights"),
        "metrics": given.get("metrics"),
        "callbacks": [_plain(make(call)) for call in compiled.callbacks],
        "epochs": epochs,
        "exact": [layer.name for layer in layers if layer.name in compiled.exact],
        "frozen": [layer.name for layer in layers if layer.name in frozen],
    }


def _serialized(value: Any) -> Any:
    import keras  # noqa: PLC0415

    if isinstance(value, dict):
        return {key: _serialized(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [*map(_serialized, value)]
    return value if isinstance(value, int | float) else keras.saving.serialize_keras_object(value)


def _plain(one: Any) -> dict[str, Any]:
    values = {key: value for key, value in vars(one).items() if isinstance(value, str | int | float)}
    return {"class": type(one).__name__, **values}
