"""`netc predict` says the same with every engine, and loads TensorFlow only for its own."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from netc.api import load, loads
from netc.cli import main
from netc.engines import NAMES
from netc.ir.weights import random_weights
from netc.train.predict import activations
from tests.data_samples import pictures, save

np = pytest.importorskip("numpy")
pytest.importorskip("PIL")
pytest.importorskip("safetensors")


INSTALLED = [name for name in NAMES if find_spec(name)]
OTHERS = [name for name in INSTALLED if name != "numpy"]
CLOSE = 1e-4

CLASSES = "input 8x8x3\nstem: conv 8x3 bn relu  # netc: allow NET508\npool 2\nbasicblock n=1 ch=8\ngap\nfc 5 softmax\ndata { resize 8x8; center 0.4 0.5 0.6; scale samplewise; flip }\n"
LOGITS = (
    "input 8x8x3\nconv 8x3 bn relu\ngap\nfc 5\ntrain { loss categorical_crossentropy from_logits; optimizer adam }\n"
)
BINARY = "input 8x8x3\nconv 8x3 relu\ngap\nfc 1 sigmoid\ntrain { loss binary_crossentropy; optimizer adam }\n"
SEVERAL = "input 8x8x3\nbody: conv 8x3 relu\ngap\none: fc 5 softmax\nfrom body\ntwo: conv 2x1\noutput one two\n"
OPEN = "input ?x?x1\nconv 8x3/2 relu\nconv 8x3 bn relu\ngap\nfc 5 softmax\n"


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for index, pixels in enumerate(pictures(3, 8, 8, 3)):
        save(tmp_path / f"{index}.png", pixels)
    return tmp_path


def written(text: str) -> None:
    Path("a.net").write_text(text)
    network = load("a.net")
    network.save_weights("a.safetensors", random_weights(network.net, 1))


def said(capsys: pytest.CaptureFixture[str], *arguments: object) -> list[dict[str, object]]:
    capsys.readouterr()
    code = main(["predict", "a.net", "--weights", "a.safetensors", *map(str, arguments), "--format", "json"])
    out, err = capsys.readouterr()
    assert code == 0
    assert err in ("", "the spec has no `data` section: the network is given pixels from 0 to 1\n")
    found: list[dict[str, object]] = json.loads(out)
    return found


@pytest.mark.parametrize("name", OTHERS)
@pytest.mark.parametrize("text", [CLASSES, LOGITS, BINARY, OPEN], ids=["classes", "logits", "binary", "open"])
def test_engines_say_the_same(text: str, name: str, here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    written(text)
    images = ["0.png", "1.png", "2.png"]
    expected = said(capsys, *images, "--engine", "numpy", "--top", "9")
    for one, other in zip(said(capsys, *images, "--engine", name, "--top", "9"), expected, strict=True):
        shares, others = dict(one["classes"]), dict(other["classes"])  # type: ignore[call-overload]
        assert shares == pytest.approx(others, abs=CLOSE)
        assert sum(shares.values()) == pytest.approx(1, abs=1e-5)
        assert str(one["engine"]).lower().startswith(name)
        assert str(other["engine"]).startswith("NumPy")


@pytest.mark.parametrize("name", OTHERS)
@pytest.mark.parametrize("layer", ["stem", "pool1", "fc1", "input1"])
def test_layers_are_the_same(layer: str, name: str, here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Inside the network, where engines merge layers; more images than a batch holds, of which the last has few."""
    written(CLASSES)
    folder = here / "many"
    for index, pixels in enumerate(pictures(35, 8, 8, 3)):
        save(folder / f"{index:02}.png", pixels)
    made = []
    for engine in ("numpy", name):
        out = f"{engine}.npz"
        line = [
            "predict",
            "a.net",
            "--weights",
            "a.safetensors",
            "many",
            "--layer",
            layer,
            "--engine",
            engine,
            "-o",
            out,
        ]
        assert main(line) == 0
        made.append(np.load(out)["features"])
    assert made[0].shape[0] == 35
    assert np.abs(made[0] - made[1]).max() <= CLOSE * np.abs(made[0]).max()


@pytest.mark.parametrize("name", INSTALLED)
def test_several_outputs_and_the_maps_of_all_layers(name: str, here: Path) -> None:
    written(SEVERAL)
    network = load("a.net")
    found = activations(network.program, Path("a.safetensors"), Path("0.png"), engine=name)
    assert {layer: values.shape for layer, values in found.items()} == {
        layer: shape for layer, shape in network.shapes.items() if len(shape) == 3
    }
    reference = activations(network.program, Path("a.safetensors"), Path("0.png"), engine="numpy")
    assert all(np.abs(found[layer] - reference[layer]).max() <= CLOSE for layer in found)


def test_an_image_of_standard_input(
    here: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    written(CLASSES)
    expected = said(capsys, "0.png")[0]["classes"]
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(Path("0.png").read_bytes())))
    assert said(capsys, "-")[0]["classes"] == expected


CODE = """
import sys
sys.modules.update(dict.fromkeys({absent!r}))
from netc.cli import main
code = main({arguments!r})
loaded = [name for name in ("tensorflow", "keras", "jax", "torch") if sys.modules.get(name)]
print(loaded, file=sys.stderr)
raise SystemExit(code)
"""
LINE = ["predict", "a.net", "--weights", "a.safetensors", "0.png"]


def apart(absent: list[str], *more: str) -> subprocess.CompletedProcess[str]:
    code = CODE.format(absent=absent, arguments=[*LINE, *more])
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)


@pytest.mark.parametrize("name", ["auto", *(name for name in INSTALLED if name != "tensorflow")])
def test_tensorflow_is_not_loaded(name: str, here: Path) -> None:
    written(CLASSES)
    done = apart([], "--engine", name)
    assert (done.returncode, done.stderr) == (0, "[]\n")
    assert done.stdout.startswith("0.png  ")


def test_auto_takes_what_is_there(here: Path) -> None:
    written(CLASSES)
    done = apart(["onnx", "onnxruntime", "openvino", "tensorflow", "keras"], "--format", "json")
    assert json.loads(done.stdout)[0]["engine"].startswith("NumPy")


@pytest.mark.parametrize(
    ("absent", "engine", "advice"),
    [
        (
            "openvino",
            "openvino",
            "the engine openvino needs OpenVINO, which is not installed: pip install 'netc[openvino]'",
        ),
        (
            "onnxruntime",
            "onnxruntime",
            "the engine onnxruntime needs onnxruntime, which is not installed: pip install 'netc[onnx]'",
        ),
    ],
)
def test_an_engine_that_is_not_installed(absent: str, engine: str, advice: str, here: Path) -> None:
    pytest.importorskip("onnx")
    written(CLASSES)
    done = apart([absent], "--engine", engine)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"netc: {advice}")


def test_sizes_that_do_not_work_are_said(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    written("input ?x?x1\nadd { | conv 4x3/2 | pool 2 pad=valid; conv 4x3 }\ngap\nfc 5 softmax\n")
    save(here / "odd.png", pictures(1, 9, 9, 1)[0])
    capsys.readouterr()
    assert main(["predict", "a.net", "--weights", "a.safetensors", "odd.png"]) == 1
    assert "9x9x1 does not work: add1" in capsys.readouterr().err


def test_classes_of_a_network_that_draws_them(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What is refused is refused before weights are read, with any engine."""
    Path("a.net").write_text("input 8x8x3\nconv 4x3\n")
    network = loads("input 8x8x3\nconv 4x3\n")
    network.save_weights("a.safetensors", random_weights(network.net, 0))
    assert main(LINE) == 1
    assert "the output is 8x8x4, and classes are one number each" in capsys.readouterr().err
