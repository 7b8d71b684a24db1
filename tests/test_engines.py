"""The same network in every engine that is installed: equal numbers, and the same words for what does not fit."""

from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec
from typing import Any

import pytest

import netc
from netc.ir.weights import Weights, random_weights
from tests.one_layer import difference

np = pytest.importorskip("numpy")
from netc import engines  # noqa: E402 - imports NumPy
from netc.engines import NAMES, EngineError, chosen, engine  # noqa: E402
from netc.targets.noise import noise  # noqa: E402
from netc.targets.numpy.run import layers, run  # noqa: E402

RESIDUAL = "input 12x12x3; a: conv 4x3 bn relu; conv 4x3; dropout 0.5; add a; gap; fc 3 softmax"
OPEN = "input ?x?x3; a: conv 4x3 bn relu; pool 2; conv 4x3; upsample 2; concat a; gap; fc 2"
TWO = "left: input 8x8x3; conv 2x3; l: gap; right: input 4x4x1; r: gap; concat l; fc 2"
SHARED = "input 12x12x3; shared def same() { conv 3x3 relu }; repeat 3 { same; bn }; end: gap; fc 2; out: softmax"


def _installed(name: str) -> bool:
    return all(map(find_spec, engines.ENGINES[name]))


EACH = [
    pytest.param(name, marks=pytest.mark.skipif(not _installed(name), reason=f"{name} is not installed"))
    for name in NAMES
]


def _given(text: str, batch: int = 2) -> tuple[Any, Weights, dict[str, Any]]:
    program = netc.loads(text).program
    return program, random_weights(program.net, 1), dict(noise(program.net, batch, 2))


@pytest.mark.parametrize("name", EACH)
@pytest.mark.parametrize("text", [RESIDUAL, TWO, SHARED])
def test_an_engine_computes_what_numpy_does(name: str, text: str) -> None:
    program, weights, inputs = _given(text)
    made = engine(program, weights, name)(inputs)
    expected = run(program.net, weights, inputs)
    assert made.keys() == expected.keys()
    for output, array in expected.items():
        assert made[output].dtype == np.float32
        assert difference(made[output], array) < 1e-5


@pytest.mark.parametrize("name", EACH)
def test_the_output_of_each_layer_can_be_had_without_the_weights_after_it(name: str) -> None:
    program, weights, inputs = _given(RESIDUAL)
    expected = dict(layers(program.net, weights, inputs))
    names = [node.name for node in program.net if not node.layer.is_input]
    made = engine(program, weights, name, outputs=names)(inputs)
    assert list(made) == names
    assert max(difference(made[one], expected[one]) for one in names) < 1e-5
    first = next(iter(weights))[0]
    alone = Weights({key: array for key, array in weights.items() if key[0] == first})
    (found,) = engine(program, alone, name, outputs=[first])(inputs).values()
    assert difference(found, expected[first]) < 1e-5


@pytest.mark.parametrize("name", EACH)
def test_open_sizes_are_taken_where_they_work_and_refused_in_words(name: str) -> None:
    program, weights, _ = _given(OPEN)
    ready = engine(program, weights, name)
    for rows, columns in ((8, 8), (4, 10)):
        inputs = {"input1": np.random.default_rng(0).normal(size=(3, rows, columns, 3)).astype("float32")}
        (made,), (expected,) = ready(inputs).values(), run(program.net, weights, inputs).values()
        assert difference(made, expected) < 1e-5
    with pytest.raises(ValueError, match="3x7x8x3 does not work: concat1"):
        ready({"input1": np.zeros((3, 7, 8, 3))})


@pytest.mark.parametrize("name", EACH)
def test_arrays_that_do_not_fit_are_said(name: str) -> None:
    program, weights, inputs = _given(TWO)
    ready = engine(program, weights, name, batch=2)
    ready(inputs)
    one = {key: array[:1] for key, array in inputs.items()}
    (left, right) = program.net.inputs
    for wrong, words in (
        (one, "a batch of 1, and the engine was made for batches of 2"),
        ({left: inputs[left]}, f"got nothing for the input {right}"),
        ({**inputs, left: inputs[left][:1]}, "batches of 1 and 2"),
        (
            {**inputs, left: inputs[left][..., :2]},
            f"got batches of 8x8x2 for the input {left}, expected batches of 8x8x3",
        ),
        ({**inputs, "more": inputs[left]}, "there is no input more"),
        ({key: array[:0] for key, array in inputs.items()}, "batches of 0"),
    ):
        with pytest.raises(ValueError, match=words):
            ready(wrong)


def test_an_engine_that_there_is_not_is_said() -> None:
    with pytest.raises(ValueError, match="got the engine 'onxruntime', expected one of auto, onnxruntime, openvino"):
        chosen("onxruntime")


def test_auto_is_the_first_that_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    here = {"numpy", "h5py", "safetensors", "psutil", "onnx", "onnxruntime", "openvino", "tensorflow"}

    def installed(name: str) -> object:
        return object() if name in here else None

    monkeypatch.setattr("importlib.util.find_spec", installed)
    for gone, expected in (("", "onnxruntime"), ("onnxruntime", "openvino"), ("onnx", "numpy")):
        here -= {gone}
        assert chosen() == expected
    here -= {"h5py", "openvino"}
    with pytest.raises(ModuleNotFoundError, match=r"the engine onnxruntime needs .* pip install 'netc\[onnx\]'"):
        chosen()
    with pytest.raises(ModuleNotFoundError, match=r"the engine openvino needs .* pip install 'netc\[openvino\]'"):
        chosen("openvino")


def test_numpy_does_not_take_a_number_of_threads() -> None:
    program, weights, _ = _given("input 4; fc 2")
    with pytest.raises(EngineError, match="OMP_NUM_THREADS"):
        engine(program, weights, "numpy", threads=1)


@pytest.mark.skipif(not _installed("onnxruntime"), reason="onnxruntime is not installed")
def test_tensorflow_is_not_loaded_for_another_engine() -> None:
    text = """
import netc, sys
from netc.engines import engine
from netc.ir.weights import random_weights
import numpy
program = netc.loads("input 4; fc 2").program
engine(program, random_weights(program.net, 0))({"input1": numpy.zeros((1, 4))})
assert "onnxruntime" in sys.modules and not {"tensorflow", "keras"} & sys.modules.keys()
"""
    subprocess.run([sys.executable, "-c", text], check=True)


@pytest.mark.parametrize("name", EACH)
def test_outputs_that_are_asked_for_are_those_of_one_engine(name: str) -> None:
    """They were those of the network from then on, which was exported with them."""
    program, weights, inputs = _given(RESIDUAL)
    outputs = list(program.net.outputs)
    assert list(engine(program, weights, name, outputs=["a"])(inputs)) == ["a"]
    assert program.net.outputs == outputs
