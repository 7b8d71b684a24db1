"""TFLearn's own outputs on TFLearn's own weights, for the same network written in the language.

`tests/facts/tflearn` holds a `.net` text beside the arrays of each case; its README says how they were made.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import netc
from netc.ir.net import Node
from netc.targets.keras.calls import make
from tests.needs import needs_tensorflow

FACTS = Path(__file__).parent / "facts" / "tflearn"
INDEX: dict[str, dict[str, Any]] = json.loads((FACTS / "index.json").read_text())
RENAMED = {"W": "kernel", "b": "bias"}
TOLERANCE = 1e-5

Arrays = dict[str, np.ndarray]


def arrays(case: str) -> Arrays:
    return dict(np.load(FACTS / f"{case}.npz"))


def load(case: str) -> netc.Network:
    return netc.load(FACTS / f"{case}.net")


def groups(data: Arrays, prefix: str) -> Iterator[tuple[str, Arrays]]:
    """TFLearn's variables a layer, in the order it made them, under Keras' names."""
    found: dict[str, Arrays] = {}
    for key, value in data.items():
        if key.startswith(prefix):
            layer, _, name = key.removeprefix(prefix).removesuffix(":0").rpartition("/")
            found.setdefault(layer, {})[RENAMED.get(name, name)] = value
    yield from found.items()


def weighted(network: netc.Network) -> list[Node]:
    net = network.net
    return [node for node in net if node.layer.weights(net.operand_shapes(node.name))]


def highway(data: Arrays) -> list[Arrays]:
    """TFLearn's one layer is three here; the one that only adds a bias multiplies by 1."""
    ((_, own),) = groups(data, "var:")
    ones = np.ones_like(own["W_T"])
    gates = ((ones, own["bias"]), (own["W_T"], own["b_T"]))
    return [{"kernel": own["kernel"]}, *({"kernel": k.reshape(1, 1, -1, 1), "bias": b} for k, b in gates)]


def set_weights(model: Any, network: netc.Network, values: list[Arrays]) -> None:
    for node, own in zip(weighted(network), values, strict=True):
        names = [weight.name for weight in node.layer.weights(network.net.operand_shapes(node.name))]
        assert set(names) == set(own), node.name
        model.get_layer(node.name).set_weights([own[name] for name in names])


def built(case: str, data: Arrays) -> tuple[Any, netc.Network]:
    network = load(case)
    model = network.to_keras()
    values = highway(data) if case == "highway_conv" else [own for _, own in groups(data, "var:")]
    set_weights(model, network, values)
    return model, network


NETWORKS = [case for case, facts in INDEX.items() if "error" not in facts and case != "xent"]


def test_every_case_is_said_in_the_language() -> None:
    assert {path.stem for path in FACTS.glob("*.net")} == set(INDEX)
    assert {path.stem for path in FACTS.glob("*.npz")} == {name for name in INDEX if "error" not in INDEX[name]}


@needs_tensorflow
@pytest.mark.parametrize("case", NETWORKS)
def test_inference(case: str) -> None:
    data = arrays(case)
    model, network = built(case, data)
    assert list(network.shapes[network.net.outputs[0]]) == INDEX[case]["output_shape"][1:]
    np.testing.assert_allclose(model(data["in"], training=False), data["out_infer"], rtol=0, atol=TOLERANCE)


@needs_tensorflow
@pytest.mark.parametrize("case", [case for case in NETWORKS if INDEX[case]["train"]])
def test_training(case: str) -> None:
    """The output of one training step, and the moving averages after it."""
    data = arrays(case)
    model, network = built(case, data)
    np.testing.assert_allclose(model(data["in"], training=True), data["out_train"], rtol=0, atol=TOLERANCE)
    after = [own for _, own in groups(data, "after_train:")]
    norms = [node for node in weighted(network) if node.layer.op == "bn"]
    assert norms
    for node, own in zip(norms, after, strict=True):
        layer = model.get_layer(node.name)
        np.testing.assert_allclose(layer.moving_mean, own["moving_mean"], rtol=0, atol=TOLERANCE)
        np.testing.assert_allclose(layer.moving_variance, own["moving_variance"], rtol=0, atol=TOLERANCE)


@needs_tensorflow
@pytest.mark.parametrize("case", [case for case in NETWORKS if INDEX[case]["reg_losses"]])
def test_weight_decay(case: str) -> None:
    model, _ = built(case, arrays(case))
    assert sorted(map(float, model.losses)) == pytest.approx(sorted(INDEX[case]["reg_losses"]), rel=TOLERANCE)


@needs_tensorflow
def test_cross_entropy() -> None:
    """TFLearn's loss is the mean over the batch, as Keras' is, on what the network predicts."""
    data, network = arrays("xent"), load("xent")
    (line,) = network.program.sections.train.losses
    labels = np.array([[0, 1, 0], [1, 0, 0.0]], "float32")
    loss = make(line.value.lower())(labels, network.to_keras()(data["in"]))
    assert float(loss) == pytest.approx(float(data["out_infer"]), abs=TOLERANCE)


def test_odd_channel_difference() -> None:
    """TensorFlow refuses TFLearn's addition of 7 and 6 channels; netc refuses the padding, and says where from."""
    assert "Dimensions must be equal" in INDEX["residual_block_odd_channel_diff"]["error"]
    with pytest.raises(netc.SpecError) as caught:
        load("residual_block_odd_channel_diff")
    (found,) = caught.value.diagnostics
    assert found.code == "NET206"
    assert "from 4 to 7 channels" in found.message
    assert found.frame is not None
