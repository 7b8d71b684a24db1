"""`norm=spectral` and `norm=weight` against what the papers say, and what training does with them."""

from __future__ import annotations

from typing import Any

import pytest

from netc.api import loads
from netc.layers import LAYERS
from tests.needs import needs_tensorflow

np = pytest.importorskip("numpy")

KERNELS: dict[str, tuple[dict[str, Any], tuple[int, ...], int]] = {  # the shape of one, and the axis of the outputs
    "conv": ({"filters": 6, "kernel": (3, 3), "groups": 2}, (3, 3, 4, 6), 3),
    "deconv": ({"filters": 6, "kernel": (3, 2)}, (3, 2, 6, 5), 2),
    "fc": ({"units": 7}, (9, 7), 1),
}


def matrix(kernel: Any, axis: int) -> Any:
    """A row for each output, as both papers and PyTorch have kernels."""
    return np.moveaxis(kernel, axis, 0).reshape(kernel.shape[axis], -1)


def normed(op: str, norm: str, **weights: Any) -> Any:
    values, _, axis = KERNELS[op]
    layer: Any = LAYERS[op](**values, norm=norm)
    return matrix(layer.normed_kernel(weights), axis)


@pytest.mark.parametrize("op", KERNELS)
def test_kernels_are_those_of_the_papers(op: str) -> None:
    _, shape, axis = KERNELS[op]
    draw = np.random.default_rng(0)
    kernel, own = draw.normal(size=shape), draw.normal(size=shape[axis])
    rows = matrix(kernel, axis)
    lengths = np.linalg.norm(rows, axis=1)
    assert normed(op, "weight", kernel=kernel, g=own) == pytest.approx((own / lengths)[:, None] * rows, rel=1e-9)
    v = rows.T @ own / np.linalg.norm(rows.T @ own)
    u = rows @ v / np.linalg.norm(rows @ v)
    assert normed(op, "spectral", kernel=kernel, vector_u=own) == pytest.approx(rows / (u @ rows @ v), rel=1e-9)
    at_end = normed(op, "spectral", kernel=kernel, vector_u=np.linalg.svd(rows)[0][:, 0])
    assert np.linalg.svd(at_end, compute_uv=False)[0] == pytest.approx(1, abs=1e-9)


@pytest.mark.parametrize("norm", ["spectral", "weight"])
def test_a_kernel_of_zeros_stays_one(norm: str) -> None:
    for op, (_, shape, axis) in KERNELS.items():
        own = np.ones(shape[axis], "float32")
        assert not normed(op, norm, kernel=np.zeros(shape, "float32"), vector_u=own, g=own).any(), op


# -- training ------------------------------------------------------------------------------------------------

LAYERS_OF = {"conv": "conv 4x3 groups=2 pad=valid", "deconv": "deconv 4x3/2", "fc": "fc 4"}
NORMS = ("spectral", "weight")


def model_of(statement: str, **weights: Any) -> Any:
    """The Keras model of one layer of 12 inputs, with weights by their names."""
    model = loads(f"input {'12' if statement.startswith('fc') else '5x5x12'}\nonly: {statement}\n").to_keras()
    for variable in model.weights:
        if variable.name in weights:
            variable.assign(weights[variable.name])
    return model


def held(model: Any) -> dict[str, Any]:
    return {variable.name: variable.numpy() for variable in model.weights}


def gradients(model: Any) -> dict[str, Any]:
    """Those of a sum of squares, by the names of what trains."""
    import tensorflow as tf

    draw = np.random.default_rng(1)
    x, target = (draw.normal(size=(2, *one.shape[1:])).astype("float32") for one in (model.inputs[0], model.outputs[0]))
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum((model(x, training=True) - target) ** 2)
    found = tape.gradient(loss, [variable.value for variable in model.trainable_variables])
    return {one.name: value.numpy() for one, value in zip(model.trainable_variables, found, strict=True)}


@needs_tensorflow
@pytest.mark.parametrize("op", LAYERS_OF)
def test_gradients_are_those_of_the_papers(op: str) -> None:
    axis = KERNELS[op][2]
    model = model_of(f"{LAYERS_OF[op]} norm=weight")
    model.get_layer("only").g.assign(g := np.asarray([0.5, -1, 2, 1], "float32"))
    rows, shape = matrix(held(model)["kernel"], axis), held(model)["kernel"].shape
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)

    def plain(normed: Any) -> Any:
        """The gradient by a kernel that is no function of others."""
        moved = [size for at, size in enumerate(shape) if at != axis]
        kernel = np.moveaxis(normed.reshape(shape[axis], *moved), 0, axis)
        return matrix(gradients(model_of(LAYERS_OF[op], kernel=kernel))["kernel"], axis)

    by_kernel = plain(g[:, None] * rows / lengths)
    found = gradients(model)
    by_length = (by_kernel * rows).sum(1) / lengths[:, 0]  # Salimans & Kingma 2016, equation 3
    assert found["g"] == pytest.approx(by_length, rel=1e-3, abs=1e-4)
    expected = g[:, None] / lengths * by_kernel - (g * by_length)[:, None] / lengths**2 * rows
    assert matrix(found["kernel"], axis) == pytest.approx(expected, rel=1e-3, abs=1e-3)

    u, sizes, v = np.linalg.svd(rows)
    model = model_of(f"{LAYERS_OF[op]} norm=spectral", kernel=held(model)["kernel"], vector_u=u[:, 0])
    by_kernel = plain(rows / sizes[0])
    share = (by_kernel * rows / sizes[0]).sum()  # lambda of Miyato et al. 2018, equation 12
    expected = (by_kernel - share * np.outer(u[:, 0], v[0])) / sizes[0]
    assert matrix(gradients(model)["kernel"], axis) == pytest.approx(expected, rel=1e-3, abs=1e-3)


@needs_tensorflow
def test_keras_own_layer_is_another() -> None:
    """As docs/language.md says: it does not norm outside training, and has another gradient."""
    import keras

    model = model_of("fc 4 norm=spectral", kernel=3 * np.eye(12, 4), vector_u=np.eye(4)[0])
    theirs = keras.Sequential([keras.Input((12,)), keras.layers.SpectralNormalization(keras.layers.Dense(4))])
    for variable in theirs.weights:
        variable.assign(held(model)[variable.name].reshape(variable.shape))
    x = np.ones((1, 12), "float32")
    assert model(x).numpy() == pytest.approx(np.ones((1, 4)))
    assert theirs(x).numpy() == pytest.approx(3 * np.ones((1, 4)))
    ours = gradients(model)["kernel"]
    assert np.abs(ours - gradients(theirs)["kernel"]).max() > 0.1 * np.abs(ours).max()


@needs_tensorflow
@pytest.mark.parametrize("norm", NORMS)
def test_a_step_moves_what_it_should(norm: str) -> None:
    import keras

    model = model_of(f"conv 4x3 norm={norm} l2=0.5")
    own = {"spectral": "vector_u", "weight": "g"}[norm]
    assert [one.name for one in model.non_trainable_variables] == ["vector_u"] * (norm == "spectral")
    before = held(model)
    assert model.losses[0].numpy() == pytest.approx(0.25 * (before["kernel"] ** 2).sum(), rel=1e-5)
    x = np.random.default_rng(0).normal(size=(4, 5, 5, 12)).astype("float32")
    model.predict(x, verbose=0)
    assert all(np.array_equal(value, before[name]) for name, value in held(model).items())
    model.compile(keras.optimizers.SGD(0.01), "mse")
    model.fit(x, x[..., :4], verbose=0)
    assert {name for name, value in held(model).items() if not np.array_equal(value, before[name])} == {
        "kernel",
        "bias",
        own,
    }
    if norm == "spectral":
        rows = before["kernel"].reshape(-1, 4)
        u = rows.T @ (rows @ before["vector_u"])
        assert held(model)["vector_u"] == pytest.approx(u / np.linalg.norm(u), abs=1e-5)
    model.get_layer("only").trainable = False
    model.compile(keras.optimizers.SGD(0.01), "mse")
    before = held(model)
    model.fit(x, x[..., :4], verbose=0)
    assert all(np.array_equal(value, before[name]) for name, value in held(model).items())


@needs_tensorflow
def test_weight_norm_begins_as_the_layer_would() -> None:
    import keras

    made = []
    for norm in ("none", "weight"):
        keras.utils.set_random_seed(3)
        made.append(loads(f"input 5x5x3\nconv 4x3 norm={norm}\ndeconv 3x3/2 norm={norm}\nfc 2 norm={norm}").to_keras())
    x = np.random.default_rng(0).normal(size=(2, 5, 5, 3)).astype("float32")
    assert made[0](x).numpy() == pytest.approx(made[1](x).numpy(), rel=1e-4, abs=1e-5)


@needs_tensorflow
@pytest.mark.parametrize("norm", NORMS)
def test_kernels_are_normed_in_float32_whatever_is_computed_in(norm: str) -> None:
    import keras

    keras.config.set_dtype_policy("mixed_float16")
    try:
        model = model_of(f"fc 4 norm={norm}", kernel=1e-6 * np.random.default_rng(0).normal(size=(12, 4)))
    finally:
        keras.config.set_dtype_policy("float32")
    weights = held(model)
    assert {value.dtype for value in weights.values()} == {np.dtype("float32")}
    x = np.random.default_rng(0).normal(size=(2, 12)).astype("float32")
    made = model(x)
    layer: Any = LAYERS["fc"](units=4, norm=norm)
    assert made.dtype == "float16"
    expected = x @ layer.normed_kernel(weights)
    largest = float(np.abs(expected).max())
    assert made.numpy() == pytest.approx(expected, abs=5e-3 * largest)
    model.get_layer("only").dtype_policy = "float32"  # as outputs of a model in mixed precision have it
    assert model(x).numpy() == pytest.approx(expected, abs=1e-5 * largest)
