"""`Network.engine`: a function of arrays, called as a Keras model is."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import pytest

from netc.api import loads
from netc.engines import NAMES
from netc.ir.weights import WeightsError, random_weights

np = pytest.importorskip("numpy")

NET = "input 8x8x3\nconv 8x3 bn relu\npool 2\ngap\nfc 5 softmax\n"
SEVERAL = "left: input 8x8x3\nright: input 8x8x2\nconcat left\nbody: conv 4x3 relu\none: gap\nfrom body\ntwo: conv 2x1\noutput one two\n"
INSTALLED = [name for name in NAMES if find_spec(name)]


@pytest.mark.parametrize("name", ["auto", *INSTALLED])
def test_an_array_in_and_one_out(name: str) -> None:
    network = loads(NET)
    weights = random_weights(network.net, 0)
    images = np.random.default_rng(0).random((3, 8, 8, 3))
    made = network.engine(name, weights=weights)(images)
    assert (made.shape, made.dtype) == ((3, 5), np.float32)
    assert np.allclose(made, network.engine("numpy", weights=weights)(images), atol=1e-5)


@pytest.mark.parametrize("name", INSTALLED)
def test_several_are_lists_in_order_or_named(name: str) -> None:
    network = loads(SEVERAL)
    run = network.engine(name, weights=random_weights(network.net, 0))
    random = np.random.default_rng(0)
    left, right = (random.random((2, 8, 8, channels), np.float32) for channels in (3, 2))
    by_place = run([left, right])
    by_name = run({"right": right, "left": left})
    assert [made.shape for made in by_place] == [(2, 4), (2, 8, 8, 2)]
    assert all(np.array_equal(one, other) for one, other in zip(by_place, by_name, strict=True))
    with pytest.raises(ValueError, match="expected a list of 2 batches: left, right"):
        run(left)


def test_it_is_what_keras_says() -> None:
    pytest.importorskip("tensorflow")
    from netc.targets.keras.build import assign

    network = loads(SEVERAL)
    weights = random_weights(network.net, 0)
    model = network.to_keras()
    assign(model, weights)
    random = np.random.default_rng(1)
    batches = [random.random((2, 8, 8, channels), np.float32) for channels in (3, 2)]
    for made, expected in zip(network.engine("numpy", weights=weights)(batches), model(batches), strict=True):
        assert np.allclose(made, expected, atol=1e-5)


def test_what_does_not_fit_is_refused(tmp_path: Path) -> None:
    network = loads(NET)
    weights = random_weights(network.net, 0)
    network.save_weights(tmp_path / "a.npz", weights)
    run = network.engine("numpy", weights=tmp_path / "a.npz", batch=2)
    assert run(np.zeros((2, 8, 8, 3))).shape == (2, 5)
    with pytest.raises(ValueError, match="made for batches of 2"):
        run(np.zeros((3, 8, 8, 3)))
    with pytest.raises(ValueError, match="8x8x3"):
        run(np.zeros((2, 8, 8, 1)))
    with pytest.raises(ValueError, match="expected one of auto, onnxruntime"):
        network.engine("caffe", weights=weights)
    with pytest.raises(WeightsError):
        network.engine("numpy", weights=random_weights(loads(NET.replace("fc 5", "fc 6")).net, 0))
