"""Models that Keras makes, read back: from memory, from its files, layer by layer and with their outputs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import netc
from netc.analysis.cost import measure
from netc.lift.aligned import aligned
from netc.lift.lifting import flat
from netc.lift.source import ImportRefused
from tests.effort import EXAMPLES
from tests.layer_samples import SAMPLES as LAYER_SAMPLES
from tests.needs import needs_tensorflow
from tests.one_layer import net_of
from tests.specs import SAMPLE_FILES

pytest.importorskip("numpy")
pytest.importorskip("h5py")
pytest.importorskip("safetensors")
pytestmark = needs_tensorflow

CHEAP = ("MobileNet", "MobileNetV3Small", "EfficientNetB0")
# fmt: off
APPLICATIONS = (
    "VGG16", "VGG19", "ResNet50", "ResNet101", "ResNet152", "ResNet50V2", "ResNet101V2", "ResNet152V2", "DenseNet121",
    "DenseNet169", "DenseNet201", "MobileNet", "MobileNetV2", "MobileNetV3Small", "MobileNetV3Large", "EfficientNetB0",
    "EfficientNetB1", "EfficientNetB2", "EfficientNetB3", "EfficientNetB4", "EfficientNetB5", "EfficientNetB6",
    "EfficientNetB7", "EfficientNetV2B0", "EfficientNetV2B1", "EfficientNetV2B2", "EfficientNetV2B3",
    "EfficientNetV2S", "EfficientNetV2M", "EfficientNetV2L", "Xception", "InceptionV3", "InceptionResNetV2",
    "NASNetMobile", "NASNetLarge", "ConvNeXtTiny", "ConvNeXtSmall", "ConvNeXtBase",
)
# fmt: on
NORMALIZED = {f"EfficientNetB{number}": 7 for number in range(8)}  # means, variances and a count are no weights here
SIDE = 75  # the least that Inception takes


@pytest.fixture(scope="module", autouse=True)
def _keras() -> None:
    from netc.targets.keras.quiet import import_tensorflow

    import_tensorflow()


@pytest.mark.parametrize("name", APPLICATIONS if EXAMPLES else CHEAP)
def test_reads_a_network_of_keras_applications(name: str, tmp_path: Path) -> None:
    import keras

    from netc.targets.importing import read
    from netc.targets.keras.read import of_model
    from tests.keras_reading import far, randomised

    make = getattr(keras.applications, name)  # without the softmax, which would hide what differs
    model = randomised(make(weights=None, input_shape=(SIDE, SIDE, 3), classes=10, classifier_activation=None))
    found = of_model(model)
    assert measure(found.net).total.parameters == model.count_params() - NORMALIZED.get(name, 0)
    assert set(flat(found.net).names) == {node.name for node in found.net}
    assert far(model, found) < 1e-4
    model.save(tmp_path / "m.keras")
    again = read(tmp_path / "m.keras")
    assert far(model, again) < 1e-4
    aligned(found.net, again.net)


@pytest.mark.parametrize("path", SAMPLE_FILES, ids=lambda path: path.stem)
def test_a_spec_that_is_emitted_is_read_back(path: Path) -> None:
    from netc.targets.keras.build import deep_recursion
    from netc.targets.keras.read import of_model
    from tests.keras_reading import lowered

    net = netc.load(path)
    with deep_recursion(30_000):
        found = of_model(net.to_keras())
    aligned(found.net, net.net, lowered)
    assert measure(found.net).total == net.cost.total
    assert found.left_out == []


def test_every_layer_that_netc_emits_is_read_back() -> None:
    """Each sample of each operation, as a model: what is read becomes the same calls of Keras."""
    import keras

    from netc.layers.base import OperationError
    from netc.targets.keras.build import _apply
    from netc.targets.keras.read import of_model
    from tests.keras_reading import lowered

    tried = 0
    for sample in filter(lambda sample: sample.inputs, LAYER_SAMPLES):
        net, tensors, made = net_of(sample), dict[str, Any](), dict[str, list[Any]]()
        try:
            for node in net:
                tensors[node.name] = _apply(net, node, [tensors[one] for one in net.operands(node.name)], made)
            model = keras.Model([tensors[name] for name in net.inputs], tensors["only"])
        except (OperationError, ValueError):
            continue  # which Keras cannot build: tests/test_layers_keras.py has them
        tried += 1
        aligned(of_model(model).net, net, lowered)
    assert tried > 150


def _zoo() -> dict[str, Any]:
    """Models of what netc does not emit, or not so."""
    import keras
    from keras import layers, ops

    from netc.targets.keras import custom

    image, line, ids = keras.Input((9, 10, 4)), keras.Input((7, 6)), keras.Input((5,))
    other = keras.Input((4, 8))
    block = keras.Sequential(
        [layers.Conv2D(4, 3, padding="same", activation="leaky_relu"), layers.BatchNormalization()]
    )
    dense = layers.Dense(6, activation=layers.ReLU(max_value=6))
    shared = dense(dense(line))
    lstm = layers.LSTM(3, return_sequences=True)
    norms = [custom.SpectralNormalization, custom.WeightNormalization]
    x = layers.Rescaling([0.1, 0.2, 0.3, 0.4], offset=1.0)(image)
    x = layers.Dense(5, use_bias=False)(x) * 0.5 + 1.0
    x = ops.relu(1.0 - x)
    return {
        "ops": keras.Model(image, ops.mean(x, axis=(1, 2))),
        "shared": keras.Model(line, shared),
        "nested": keras.Model(image, block(block(image))),
        "wrapped": keras.Model(line, layers.TimeDistributed(layers.Dense(3, activation="gelu"))(line)),
        "both": keras.Model(line, layers.Bidirectional(layers.GRU(3))(line)),
        "recurrent": keras.Model(line, layers.SimpleRNN(4)(lstm(line))),
        "attention": keras.Model(
            [line, other], layers.MultiHeadAttention(2, 5, dropout=0.1)(line, other, use_causal_mask=False)
        ),
        "causal": keras.Model(line, layers.MultiHeadAttention(2, 5)(line, line, use_causal_mask=True)),
        "embedded": keras.Model(ids, layers.Flatten()(layers.Embedding(9, 4)(ids))),
        "normed": keras.Model(
            image, norms[0](layers.Conv2D(3, 3))(norms[1](layers.Dense(5, activation="relu"))(image))
        ),
        "padded": keras.Model(image, layers.AveragePooling2D(3, 2)(layers.ZeroPadding2D(1)(image))),
        "separable": keras.Model(
            line, layers.SeparableConv1D(5, 3, depth_multiplier=2)(layers.PReLU(shared_axes=[1])(line))
        ),
        "named": keras.Model({"b": line, "a": other}, {"y": layers.Flatten()(line), "x": layers.Flatten()(other)}),
        "pooled": keras.Model(
            image, layers.Reshape((1, 1, 4))(layers.GlobalMaxPooling2D()(layers.Cropping2D(((1, 0), (2, 1)))(image)))
        ),
    }


def test_reads_other_models_with_their_outputs(tmp_path: Path) -> None:
    import numpy as np

    from netc.targets.importing import read
    from netc.targets.keras.read import of_model
    from netc.targets.noise import noise
    from netc.targets.numpy.run import run
    from tests.keras_reading import randomised

    for name, model in _zoo().items():
        randomised(model)
        for suffix in ("", ".keras", ".h5"):
            path = tmp_path / f"{name}{suffix}"
            if suffix:
                model.save(path)
            try:
                found = read(path) if suffix else of_model(model)
            except ImportRefused:
                assert (name, suffix) == ("ops", ".h5"), "where functions of `keras.ops` are called as layers are"
                continue
            flat(found.net)
            given = noise(found.net, 2, 0)
            arrays: Any = list(given.values())
            if isinstance(model.input, dict):
                arrays = dict(zip(sorted(model.input), arrays, strict=True))
            made = model.predict_on_batch(arrays if len(given) > 1 else arrays[0])
            made = [made[name] for name in sorted(made)] if isinstance(made, dict) else [made]
            assert found.weights is not None
            for node, expected in zip(run(found.net, found.weights(), given).values(), made, strict=True):
                assert np.abs(node - expected).max() < 1e-5 * (largest := np.abs(expected).max()), (name, suffix)
                assert largest > 0


def test_a_model_of_code_is_refused() -> None:
    import keras

    from netc.targets.keras.read import of_model

    class Mine(keras.Model):  # type: ignore[misc]
        def call(self, x: Any) -> Any:
            return x

    with pytest.raises(ImportRefused, match="Mine"):
        of_model(Mine())
    image = keras.Input((8, 8, 3))
    with pytest.raises(ImportRefused, match="code of Python"):
        of_model(keras.Model(image, keras.layers.Lambda(lambda x: x)(image)))
    with pytest.raises(ImportRefused, match=r"called with `training=True`"):
        of_model(keras.Model(image, keras.layers.Dropout(0.5)(image, training=True)))
