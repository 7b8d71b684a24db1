"""Networks deeper than Keras follows by itself: a chain of about 1,000 layers is more than its recursion bears."""

from __future__ import annotations

import sys
from typing import Any

import pytest

import netc

keras = pytest.importorskip("keras")
np = pytest.importorskip("numpy")

LAYERS = 1100


@pytest.fixture(scope="module")
def chain() -> netc.Network:
    return netc.loads(f"input 2x3; conv 3x1; repeat {LAYERS} {{ relu }}; gap")


@pytest.fixture(scope="module")
def model(chain: netc.Network) -> Any:
    return chain.to_keras()


def answer(model: Any) -> Any:
    """What a network of a convolution, activations and a mean gives, worked out again and by the model."""
    x = np.random.default_rng(0).normal(size=(4, 2, 3)).astype("float32")
    kernel = np.asarray(model.get_layer("conv1").kernel)[0]
    np.testing.assert_allclose(model(x), np.maximum(x @ kernel, 0).mean(1), rtol=1e-5, atol=1e-6)
    return model.predict(x, verbose=0)


def test_keras_alone_fails(model: Any) -> None:
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(1000)  # Python's own, which `--limit nesting` of a test before this one may have raised
    try:
        with pytest.raises(RecursionError):
            keras.Model(model.inputs, model.outputs)
    finally:
        sys.setrecursionlimit(before)


def test_the_direct_build_does_not(model: Any) -> None:
    before = sys.getrecursionlimit()
    assert len(model.layers) == LAYERS + 3
    answer(model)
    assert sys.getrecursionlimit() == before


@pytest.mark.parametrize("flat", [False, True], ids=["structured", "flat"])
def test_nor_does_emitted_code(chain: netc.Network, model: Any, flat: bool) -> None:
    before = sys.getrecursionlimit()
    module: dict[str, Any] = {"__name__": "emitted"}
    exec(compile(chain.source(flat=flat), "emitted.py", "exec"), module)
    try:
        emitted = module["build_model"]()
    finally:
        sys.setrecursionlimit(before)
    assert [layer.name for layer in emitted.layers] == [layer.name for layer in model.layers]
    answer(emitted)
