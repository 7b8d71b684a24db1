"""What operations and networks compute in NumPy is what Keras makes of them, on random weights."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given as drawn

import netc
from netc.ir.weights import random_weights
from netc.layers import LAYERS
from netc.program import Program
from tests.effort import effort
from tests.layer_samples import PLANE, SAMPLES, Sample
from tests.one_layer import difference, given, net_of, weights_of
from tests.random_networks import compiled, networks
from tests.specs import SPECS

np = pytest.importorskip("numpy")
keras = pytest.importorskip("keras")
from netc.targets.keras.build import construct  # noqa: E402 - imports Keras
from netc.targets.noise import noise  # noqa: E402
from netc.targets.numpy.run import run  # noqa: E402
from tests.test_layers_keras import build, forward  # noqa: E402

UNLIKE = {cls.op for cls in LAYERS.values() if cls.unlike_keras}


@pytest.mark.parametrize("sample", [sample for sample in SAMPLES if sample.inputs], ids=str)
def test_an_operation_computes_what_keras_computes(sample: Sample, request: pytest.FixtureRequest) -> None:
    if what := sample.layer.unlike_keras:
        request.applymarker(pytest.mark.xfail(strict=True, reason=what))
    net = net_of(sample)
    weights, inputs = weights_of(net), given(net)
    model = build(sample.layer, sample.inputs)
    model.set_weights(weights.of("only"))
    operands = list(inputs.values())
    expected = np.asarray(forward(sample.layer, model)(operands if len(operands) > 1 else operands[0]))
    assert difference(run(net, weights, inputs)["only"], expected) < 1e-5


@pytest.mark.parametrize("act", [cls.op for cls in dict.fromkeys(LAYERS.values()) if cls.family == "activation"])
def test_an_activation_in_a_layer_is_the_one_after_it(act: str) -> None:
    from netc.layers.kinds import ACTIVATIONS

    if act not in ACTIVATIONS or act in UNLIKE:
        return
    sample = Sample(LAYERS["conv"](filters=6, kernel=(3, 3), act=act), (PLANE,))
    net = net_of(sample)
    model = build(sample.layer, sample.inputs)
    model.set_weights(weights_of(net).of("only"))
    (x,) = given(net).values()
    assert difference(run(net, weights_of(net), given(net))["only"], np.asarray(model(x))) < 1e-5


def compare(program: Program, bound: float) -> None:
    """Outputs of a whole network in NumPy and Keras, on the same weights."""
    net = program.net
    weights, inputs = random_weights(net, 3), noise(net, 2, 0)
    built = construct(program)
    for name in {name for name, _ in weights}:
        built.layers[name][-1].set_weights(weights.of(name))
    operands = [inputs[name] for name in net.inputs]
    outputs = built.model(operands if len(operands) > 1 else operands[0], training=False)
    ours = run(net, weights, inputs)
    for name, output in zip(net.outputs, outputs if isinstance(outputs, list) else [outputs], strict=True):
        theirs = np.asarray(output)
        if np.isfinite(theirs).all():  # a power of a power may be beyond float32
            assert difference(ours[name], theirs) < bound, name


@effort(25)
@drawn(networks())
def test_a_random_network_computes_what_keras_computes(text: str) -> None:
    program = compiled(text)
    assert program is not None
    if not any(re.search(rf"\b{op}\b", text) for op in UNLIKE) and not any(
        found.code == "NET303" for found in program.report
    ):
        keras.backend.clear_session()
        compare(program, 1e-4)


@pytest.mark.parametrize("name", ["resnet32", "unet", "mobilenetv2", "siamese", "vgg-a-lrn"])
def test_a_spec_computes_what_keras_computes(name: str) -> None:
    compare(netc.load(SPECS / f"{name}.net").program, 1e-4)


def test_random_weights_are_all_that_a_network_has() -> None:
    network: Any = netc.load(SPECS / "unet.net")
    random_weights(network.net, 0).check(network.net)
