"""`netc import`, and other commands that are given models: a spec and its weights, written whole or not at all."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import netc
from netc.cli import main
from netc.lift.aligned import aligned, computed
from netc.lift.proof import NotTheNetwork
from netc.lift.source import ImportRefused
from tests.needs import needs_tensorflow

np = pytest.importorskip("numpy")
pytest.importorskip("h5py")
pytest.importorskip("safetensors")

from netc.targets.numpy.run import run  # noqa: E402
from tests.keras_reading import archived, functional, image, layer, stored, written  # noqa: E402

CONV: dict[str, Any] = {"kernel_size": [3, 3], "padding": "same", "activation": "relu"}
MODEL = functional(
    image(),
    layer("Conv2D", "block1/conv", "image", filters=4, **CONV),
    layer("Conv2D", "block2/conv", "block1/conv", filters=4, **CONV),
    layer("GlobalAveragePooling2D", "pooled", "block2/conv"),
    layer("Dense", "scores", "pooled", units=2, activation="softmax"),
    name="tiny",
)


def arrays(seed: int = 0) -> dict[str, Any]:
    random = np.random.default_rng(seed)
    shapes = {"conv2d/vars/0": (3, 3, 3, 4), "conv2d/vars/1": (4,), "conv2d_1/vars/0": (3, 3, 4, 4)}
    shapes |= {"conv2d_1/vars/1": (4,), "dense/vars/0": (4, 2), "dense/vars/1": (2,)}
    return {f"layers/{name}": random.normal(0, 0.3, shape).astype("float32") for name, shape in shapes.items()}


@pytest.fixture
def model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return archived(tmp_path, json.dumps(MODEL), stored(arrays()), "tiny.keras")


def by_hand(x: Any) -> Any:
    """What the model makes of an image, in plain arithmetic."""
    held = list(arrays().values())
    for kernel, bias in ((held[0], held[1]), (held[2], held[3])):
        around = np.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)))
        windows = [around[:, i : i + 8, j : j + 8] @ kernel[i, j] for i in range(3) for j in range(3)]
        x = np.maximum(sum(windows) + bias, 0)
    scores = np.exp(x.mean((1, 2)) @ held[4] + held[5])
    return scores / scores.sum(-1, keepdims=True)


def test_writes_a_spec_and_weights_that_compute_what_the_model_does(
    model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["import", "tiny.keras"]) == 0
    assert "wrote tiny.net: " in capsys.readouterr().err
    text = Path("tiny.net").read_text()
    assert text.startswith("# Imported by netc from tiny.keras: ")
    net = netc.load("tiny.net")
    x = np.random.default_rng(1).normal(size=(2, 8, 8, 3)).astype("float32")
    (found,) = run(net.net, net.weights("tiny.safetensors"), {net.net.inputs[0]: x}).values()
    assert np.abs(found - by_hand(x)).max() < 1e-6


def test_from_keras_gives_the_network_with_the_weights_of_the_file(model: Path) -> None:
    net = netc.from_keras(model)
    assert net.cost.total.parameters == sum(array.size for array in arrays().values())
    x = np.random.default_rng(1).normal(size=(2, 8, 8, 3)).astype("float32")
    (found,) = run(net.net, net.weights(), {net.net.inputs[0]: x}).values()
    assert np.abs(found - by_hand(x)).max() < 1e-6
    with pytest.raises(TypeError, match="needs a file"):
        netc.loads("input 8x8x3; gap").weights()


def test_nothing_is_replaced_unless_that_is_wanted(model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("tiny.safetensors").write_text("mine")
    assert main(["import", "tiny.keras"]) == 2
    assert "`tiny.safetensors` is there: --force" in capsys.readouterr().err
    assert not Path("tiny.net").exists()
    assert main(["import", "tiny.keras", "--force"]) == 0
    assert main(["import", "tiny.keras", "-o", "no/where.net"]) == 2
    assert main(["import", "tiny.keras", "-o", "tiny.txt"]) == 2


def test_prints_the_spec_under_another_name(model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["import", "tiny.keras", "-o", "-", "--flat", "--name", "other"]) == 0
    said = capsys.readouterr()
    assert "net other\n" in said.out
    assert "block1_conv: conv 4x3 relu" in said.out
    assert "the weights are not written" in said.err
    assert [path.name for path in Path().iterdir()] == ["tiny.keras"]


def test_writes_weights_for_a_spec_of_the_same_network(model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("mine.net").write_text("input 8x8x3\nrepeat 2 { conv 4x3 relu l2=1e-4 }\ngap\nfc 2 softmax\n")
    assert main(["import", "tiny.keras", "--weights-only", "mine.net"]) == 0
    net = netc.load("mine.net")
    kernel = net.weights("mine.safetensors")["conv2", "kernel"]
    assert (kernel == arrays()["layers/conv2d_1/vars/0"]).all()
    Path("mine.net").write_text("input 8x8x3\nrepeat 2 { conv 4x3 relu6 }\ngap\nfc 2 softmax\n")
    assert main(["import", "tiny.keras", "--weights-only", "mine.net", "--force"]) == 1
    assert "mine.net is another network" in capsys.readouterr().err


def test_all_that_is_refused_is_listed_and_nothing_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    kinds = [layer("Lambda", f"code{number}", "image") for number in range(30)]
    written(tmp_path, functional(image(), *kinds, layer("Add", "sum", *(one["name"] for one in kinds))))
    assert main(["import", "m.json"]) == 1
    said = capsys.readouterr().err
    assert said.count("it holds code of Python") == 30
    assert not Path("m.net").exists()


@pytest.mark.parametrize(
    ("name", "content", "code", "said"),
    [
        ("a.keras", b"PK", 1, "cannot read a.keras"),
        ("a.h5", b"\x89HDF\r\n\x1a\n", 1, "cannot read a.h5"),
        ("a.json", b"{", 1, "cannot read a.json"),
        ("a.json", b'{"class_name": "Dense", "config": {}}', 1, "it is a Dense"),
        ("a.txt", b"", 2, "expected a name that ends in .keras"),
        ("", b"", 2, "cannot read none.keras: no such file"),
    ],
)
def test_what_is_no_model_is_said_in_words(
    name: str, content: bytes, code: int, said: str, tmp_path: Path, monkeypatch: Any, capsys: Any
) -> None:
    monkeypatch.chdir(tmp_path)
    if name:
        Path(name).write_bytes(content)
    assert main(["import", name or "none.keras"]) == code
    assert said in capsys.readouterr().err


def test_other_commands_take_a_model_and_never_write_over_it(model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = model.read_bytes()
    assert main(["summary", "tiny.keras"]) == 0
    assert "270" in capsys.readouterr().out  # 3·3·3·4 + 4 + 3·3·4·4 + 4 + 4·2 + 2
    assert main(["draw", "tiny.keras"]) == 0
    assert main(["check", "tiny.keras"]) == 0
    assert main(["check", "--fix", "tiny.keras"]) == 2
    assert main(["fmt", "tiny.keras"]) == 2
    assert main(["summary", "none.keras"]) == 2
    assert "cannot read none.keras" in capsys.readouterr().err
    assert model.read_bytes() == before


@needs_tensorflow
def test_verify_runs_the_model_in_keras(model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from netc.targets.keras.quiet import import_tensorflow

    import_tensorflow()
    import keras

    from tests.keras_reading import randomised

    ends = keras.Input((9, 9, 3), name="image")
    x = keras.layers.Conv2D(4, 3, strides=2, padding="same")(ends)
    outputs = keras.layers.Dense(3, activation="softmax", name="scores")(keras.layers.Flatten()(x))
    made = randomised(keras.Model(ends, outputs))
    made.save("made.keras")
    assert main(["import", "made.keras", "--verify"]) == 0
    assert "proved: Keras" in capsys.readouterr().err
    Path("made.json").write_text(made.to_json())
    assert main(["import", "made.json", "-o", "alone.net", "--verify"]) == 0
    assert not Path("alone.safetensors").exists()


def test_verify_needs_a_program_that_runs_the_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("a.cfg").write_text("[net]\nheight=8\nwidth=8\nchannels=3\n[convolutional]\nfilters=4\nsize=3\npad=1\n")
    assert main(["import", "a.cfg", "--verify"]) == 1
    assert "a .cfg has no weights" in capsys.readouterr().err
    assert main(["import", "a.cfg"]) == 0
    assert [path.name for path in sorted(Path().iterdir())] == ["a.cfg", "a.net"]


@pytest.mark.parametrize("beside", [False, True])
@pytest.mark.parametrize("end", ["gap; fc 5 softmax", "conv 4x1; softmax"])
def test_verify_of_onnx_compares_what_is_before_a_softmax(
    end: str, beside: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """One that gives a channel everything hides whatever is wrong before it."""
    pytest.importorskip("onnxruntime")
    import onnx

    from netc.ir.weights import Weights, random_weights
    from netc.targets import importing
    from netc.targets.errors import ExportError
    from netc.targets.onnx.model import model
    from netc.targets.proof import prove

    monkeypatch.chdir(tmp_path)
    program = netc.loads(f"input 8x8x3; conv 4x3; {end}").program
    weights = random_weights(program.net, 0)
    made = model(program, Weights({key: 1e4 * array for key, array in weights.items()})).proto
    onnx.save(made, "a.onnx", save_as_external_data=beside, size_threshold=0)
    assert main(["import", "a.onnx", "--verify"]) == 0
    assert "proved: onnxruntime" in capsys.readouterr().err
    found = importing.read(Path("a.onnx"))
    lifted = importing.spec(found, "a.onnx")
    true, engine = importing.source_engine(Path("a.onnx"), found, lifted)
    assert engine.before_softmax({name: np.zeros((1, 8, 8, 3), "float32") for name in lifted.program.net.inputs})
    first = next(key for key in true if key[1] == "kernel")
    with pytest.raises(ExportError, match="computes another network"):
        prove(lifted.program, Weights({**true, first: 1.001 * true[first]}), engine)


def test_networks_are_aligned_whatever_the_order_of_their_branches() -> None:
    one = netc.loads("input 8x8x3; add { | conv 4x3 bn; relu | conv 4x1 }; gap; dropout 0.1").net
    two = netc.loads("input 8x8x3; add { | x: conv 4x1 | conv 4x3 bn relu }; gap; dropout 0.5").net
    names = aligned(one, two, computed)
    assert (names["conv1"], names["conv2"]) == ("conv1", "x")
    with pytest.raises(NotTheNetwork):
        aligned(one, two)
    for other in ("conv 4x3 bn relu | conv 4x3", "conv 4x3 bn relu | conv 4x1 relu"):
        with pytest.raises(NotTheNetwork):
            aligned(one, netc.loads(f"input 8x8x3; add {{ | {other} }}; gap; dropout 0.1").net, computed)


def test_a_refusal_is_an_error_of_python_too(tmp_path: Path) -> None:
    with pytest.raises(ImportRefused, match="code of Python"):
        netc.from_keras(written(tmp_path, functional(image(), layer("Lambda", "l", "image"))))


def test_texts_of_darknet_and_caffe_are_models_that_nothing_here_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("a.cfg").write_text("[net]\nwidth=8\nheight=8\nchannels=3\n[convolutional]\nfilters=4\nactivation=leaky\n")
    caffe = 'input: "x" input_dim: 1 input_dim: 3 input_dim: 8 input_dim: 8\nlayer { name: "r" type: "ReLU" bottom: "x" top: "r" }\n'
    Path("b.prototxt").write_text(caffe)
    for name, said in (("a.cfg", "conv 4x1 leakyrelu"), ("b.prototxt", "relu")):
        assert main(["import", name]) == 0
        assert Path(name).with_suffix(".net").read_text().splitlines()[-1] == said
        assert main(["import", name, "-o", "other.net", "--verify"]) == 1
        assert "runs in Python" in capsys.readouterr().err
        assert not Path("other.net").exists()
