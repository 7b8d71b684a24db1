"""`shared def`s as Keras models: which become one, without TensorFlow; and what files, training and code then hold."""

from __future__ import annotations

import pytest

from netc.ir.weights import random_weights
from netc.targets.keras.nesting import Nesting
from netc.targets.keras.order import in_order, nested_in_order
from tests.emit_samples import SAMPLES
from tests.test_emit import compiled, emitted

HEAD = "input 12x12x3\n"
ANY, ONE = True, False  # maps of any size, or of the one size of all calls
MODELS = {  # definitions that become models, and what maps these take
    "shared def t() { conv 4x3 bn }\nt; pool 2; conv 3x1; t; gap; fc 2": {"t": ANY},
    "shared def t() { conv 4x3; fc 5 }\nx: identity; y: t; from x; relu; t; add y; fc 2": {"t": ONE},
    "shared def t() { conv 3x3; if rows > 6 { relu } else { relu } }\nt; t; gap; fc 2": {"t": ONE},
    "shared def t() { conv 3x3; if rows > 6 { relu } else { relu } }\nt; pool 2; t; gap; fc 2": {},
    "def size(n=rows) { conv 3x(n) }\nshared def t() { size }\nt; t; gap; fc 2": {"t": ONE},
    "shared def t() { conv 3x3; reshape ?x3 }\na: conv 3x1; x: t; from a; pool 2; t; concat x over=rows; fc 2": {
        "t": ANY
    },
    "shared def t() { conv 3x3; droppath 0.1 ramp }\nt; t; gap; fc 2": {},
    "shared def t() { identity }\nconv 3x1; t; t; gap; fc 2": {},
    "shared def t() with a { conv 3x3; add a }\na: conv 3x3; t with a; t with a; gap; fc 2": {},
    "shared def t() with a { conv 3x3; add a }\na: conv 3x3; relu; t with a; t with a; gap; fc 2": {"t": ANY},
    "shared def i() { conv 3x3 }\nshared def o() { i; bn; i }\no; o; gap; fc 2": {"i": ANY, "o": ANY},
    "shared def i() { conv 3x3 }\nshared def o() { i; bn; i }\ni; o; o; gap; fc 2": {"i": ANY},
    "shared def i() { conv 3x3 }\nshared def o() { i; droppath 0.1 ramp }\ni; o; o; gap; fc 2": {"i": ANY},
}
SHARED = ["shared", "models", "shared at sizes"]  # the last one as none


@pytest.mark.parametrize("text", MODELS)
def test_which_become_models(text: str) -> None:
    models = Nesting(compiled(HEAD + text).net).models
    assert {definition.name: nested.any_size for definition, nested in models.items()} == MODELS[text]


def test_no_layer_has_the_name_of_a_model() -> None:
    net = compiled(
        HEAD + "shared def tower() { conv 3x3 }\ntower_2: relu; tower_input1: bn; tower; tower; tower: relu; gap; fc 2"
    ).net
    (nested,) = Nesting(net).models.values()
    assert nested.name == "tower_3"
    assert nested.inputs == ("tower_3_input1",)


def test_a_model_is_made_once_and_called() -> None:
    text = emitted(SAMPLES["shared"])
    assert text.count("tower = build_tower(") == 1
    assert text.count("tower(left)") == text.count("tower(right)") == 1
    assert "once" not in text


# -- with Keras ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", SHARED)
def test_files_have_what_keras_writes(name: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Keras takes the `.weights.h5` of a network, whose layers come in Keras' order; what Keras writes is read by name,
    and so is a file from before a `shared def` was a model, which a `.safetensors` is."""
    pytest.importorskip("keras")
    import numpy as np

    from netc.targets.keras.build import construct, layers_in_order, layers_of
    from netc.targets.keras.custom_training import restore_weights
    from netc.targets.keras.weights import read, write

    net, built, again = (program := compiled(SAMPLES[name])).net, construct(program), construct(program)
    assert [layer.name for layer in built.model.layers] == [one for one, _ in nested_in_order(net, Nesting(net))]
    flat = [one + call.suffix for one, call in in_order(net)]
    assert [layer.name for layer in layers_in_order(built.model, net)] == flat
    weights, folder = random_weights(net, 1), tmp_path_factory.mktemp("files")
    write(folder / "ours.weights.h5", net, weights)
    built.model.load_weights(folder / "ours.weights.h5")
    built.model.save(folder / "theirs.keras")
    for file in ("ours.weights.h5", "theirs.keras"):
        restore_weights(again.model, str(folder / file))
        for layer in layers_of(again.model):
            for variable, array in zip(layer.weights, weights.of(layer.name), strict=True):
                np.testing.assert_array_equal(variable, array, err_msg=f"{file}: {variable.path}")
        found, matched = read(folder / file, net)
        assert matched.by_name
        assert all((found[key] == array).all() for key, array in weights.items())


def test_a_model_in_training_is_the_layers_one_by_one() -> None:
    """The penalties of a step, the moving averages after it and its gradients are those of the same layers in a model
    without models in it."""
    keras = pytest.importorskip("keras")
    tf = pytest.importorskip("tensorflow")
    import numpy as np

    from netc.targets.keras.build import construct

    text = HEAD + "shared def t() { conv 3x3 bn l2=0.1 }\nt; pool 2; t; gap; fc 2"
    built = construct(compiled(text))
    tensors = built.tensors()
    flat = keras.Model(tensors["input1"], tensors["fc1"])
    images = np.random.default_rng(0).normal(size=(4, 12, 12, 3)).astype("float32")
    before = [variable.numpy() for variable in flat.variables]
    seen = []
    for model in (flat, built.model):
        for variable, array in zip(flat.variables, before, strict=True):
            variable.assign(array)
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(model(images, training=True) ** 2) + sum(model.losses)
        assert len(model.losses) == 1
        gradients = tape.gradient(loss, [variable.value for variable in flat.trainable_variables])
        seen.append([loss, *gradients, *(variable.numpy() for variable in flat.non_trainable_variables)])
    for one, other in zip(*seen, strict=True):
        np.testing.assert_array_equal(one, other)
