"""`netc export`: what is written, what is proved before, and that nothing is written otherwise."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import netc
from netc.cli import main
from netc.cli.endings import CLEAN, ERRORS, USAGE
from netc.engines import engine
from netc.ir.weights import Weights, random_weights
from netc.layers import LAYERS
from netc.targets.errors import ExportError, Unproved
from tests.needs import needs_tensorflow
from tests.one_layer import difference

np = pytest.importorskip("numpy")
onnx = pytest.importorskip("onnx")
ort = pytest.importorskip("onnxruntime")
from netc.targets.noise import noise  # noqa: E402 - imports NumPy
from netc.targets.numpy.run import layers, run  # noqa: E402
from netc.targets.proof import prove  # noqa: E402

TEXT = "input 8x8x3\nconv 4x3 bn relu\n\nlrn alpha=0.5\ngap\nfc 3 softmax\n"


def export(*arguments: str) -> int:
    return main(["export", *arguments])


def test_a_file_runs_by_itself_and_says_what_it_is(spec: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert export("a.net", "--random-weights", "7", "-o", "a.onnx") == CLEAN
    said = capsys.readouterr().err
    assert "the weights are random, of seed 7" in said
    assert "proved: onnxruntime" in said
    assert "wrote a.onnx" in said
    net = netc.load(spec).net
    inputs = noise(net, 5, 3)
    (output,) = ort.InferenceSession("a.onnx").run(None, dict(inputs))
    assert difference(output, run(net, random_weights(net, 7), inputs)["fc1"]) < 1e-5
    said = {prop.key: prop.value for prop in onnx.load("a.onnx").metadata_props}
    assert said["netc_spec"] == TEXT
    assert export("a.net", "--random-weights", "8", "-o", "a.onnx") == CLEAN  # netc's own file is replaced


@pytest.mark.parametrize("name", ["w.safetensors", "w.npz", "w.weights.h5"])
def test_weights_go_into_files_and_from_there_into_a_model(spec: Path, name: str) -> None:
    assert export("a.net", "--random-weights", "7", "-o", name) == CLEAN
    network = netc.load(spec)
    again, expected = network.weights(name), random_weights(network.net, 7)
    assert all((again[key] == array).all() for key, array in expected.items())
    assert export("a.net", "--weights", name, "-o", "b.onnx") == CLEAN
    inputs = noise(network.net, 2, 3)
    (output,) = ort.InferenceSession("b.onnx").run(None, dict(inputs))
    assert difference(output, run(network.net, expected, inputs)["fc1"]) < 1e-5


def test_nothing_of_tensorflow_is_imported(spec: Path) -> None:
    code = (
        "import sys; from netc.cli import main; assert main(sys.argv[1:]) == 0;"
        "assert not {'tensorflow', 'keras'} & sys.modules.keys()"
    )
    line = [sys.executable, "-c", code, "export", "a.net", "--random-weights", "1", "-o", "a.onnx"]
    here = {"PYTHONPATH": str(Path(netc.__file__).parents[1])}
    done = subprocess.run(line, check=False, capture_output=True, text=True, env=here)
    assert done.returncode == 0, done.stderr


@needs_tensorflow
def test_keras_files_are_proved_in_keras(spec: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert export("a.net", "--random-weights", "7", "-o", "a.keras") == CLEAN
    assert "proved: Keras" in capsys.readouterr().err
    network = netc.load(spec)
    again = network.weights("a.keras")
    assert all((again[key] == array).all() for key, array in random_weights(network.net, 7).items())


@needs_tensorflow
def test_what_keras_computes_otherwise_is_refused(spec: Path, capsys: pytest.CaptureFixture[str]) -> None:
    spec.write_text("input 8\nfc 40 softsign\nsparsemax\n")
    assert export("a.net", "--random-weights", "7", "-o", "a.onnx") == CLEAN
    assert "`sparsemax` is as published in the file" in capsys.readouterr().err
    assert export("a.net", "--random-weights", "7", "-o", "a.keras") == ERRORS
    said = capsys.readouterr().err
    assert "computes another network" in said
    assert "the first layer that differs is `sparsemax1` (sparsemax), a.net:3" in said
    assert not Path("a.keras").exists()


def test_a_wrong_target_is_refused_with_the_line_and_writes_nothing(
    spec: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from netc.targets.onnx.primitives import Onnx

    right = Onnx.pow
    monkeypatch.setattr(Onnx, "pow", lambda self, x, exponent: right(self, x, exponent * 1.01))
    Path("a.onnx").write_bytes(b"")
    assert export("a.net", "--random-weights", "7", "-o", "a.onnx") == ERRORS
    said = capsys.readouterr().err.splitlines()
    assert said[-1].startswith("  the first layer that differs is `lrn1` (lrn), a.net:4: by ")
    assert Path("a.onnx").read_bytes() == b""
    assert sorted(path.name for path in spec.parent.iterdir()) == ["a.net", "a.onnx"]


LARGE = "input 64\nfc 32 relu\n\nfc 9\n"


@pytest.fixture
def large(spec: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A spec of which one file of ONNX is too small to hold the model."""
    monkeypatch.setattr("netc.targets.onnx.model.LARGEST", 4000)
    spec.write_text(LARGE)
    return spec


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_large_model_has_its_arrays_in_a_second_file(large: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for seed in ("7", "8"):  # netc's own files are replaced
        assert export("a.net", "--random-weights", seed, "-o", "a.onnx") == CLEAN
    assert names(large.parent) == ["a.net", "a.onnx", "a.onnx.data"]
    said = capsys.readouterr().err
    assert "proved: onnxruntime" in said
    sizes = {path.name: path.stat().st_size for path in large.parent.iterdir()}
    assert f"wrote a.onnx: {sizes['a.onnx']:,} bytes\nwrote a.onnx.data: {sizes['a.onnx.data']:,} bytes\n" in said
    assert sizes["a.onnx"] < 4000 < 64 * 32 * 4 <= sizes["a.onnx.data"]
    onnx.checker.check_model("a.onnx", full_check=True)
    network = netc.load(large)
    weights, inputs = random_weights(network.net, 8), noise(network.net, 5, 3)
    expected = run(network.net, weights, inputs)["fc2"]
    (output,) = ort.InferenceSession("a.onnx").run(None, dict(inputs))
    assert difference(output, expected) < 1e-5
    whole = onnx.load("a.onnx")  # as any other reader takes them together
    (output,) = ort.InferenceSession(whole.SerializeToString()).run(None, dict(inputs))
    assert difference(output, expected) < 1e-5
    assert network.export("b.onnx", weights).startswith("proved: onnxruntime")
    assert Path("b.onnx.data").read_bytes() == Path("a.onnx.data").read_bytes()
    assert difference(engine(network.program, weights, "onnxruntime")(inputs)["fc2"], expected) < 1e-5


def test_the_second_file_is_of_netc_or_kept(large: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("a.onnx.data").write_bytes(b"mine")
    assert export("a.net", "--random-weights", "7", "-o", "a.onnx") == USAGE
    assert "`a.onnx.data` was not written by netc: --force replaces it" in capsys.readouterr().err
    assert names(large.parent) == ["a.net", "a.onnx.data"]
    assert export("a.net", "--random-weights", "7", "-o", "a.onnx", "--force") == CLEAN
    Path("b.onnx").symlink_to("c.onnx")
    assert export("a.net", "--random-weights", "7", "-o", "b.onnx") == ERRORS
    assert "needs two files, b.onnx and b.onnx.data, and one of them is a link" in capsys.readouterr().err
    assert names(large.parent) == ["a.net", "a.onnx", "a.onnx.data", "b.onnx"]


def test_a_small_model_in_place_of_a_large_one_is_alone(large: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("mine.onnx.data").write_bytes(b"mine")
    for name in ("a.onnx", "b.onnx"):
        assert export("a.net", "--random-weights", "7", "-o", name) == CLEAN
    large.write_text("input 64\nfc 2")
    network = netc.load(large)
    assert export("a.net", "--random-weights", "7", "-o", "a.onnx") == CLEAN
    assert "\nremoved a.onnx.data: it belonged to the old a.onnx\n" in capsys.readouterr().err
    for name in ("b.onnx", "mine.onnx"):
        network.export(name, random_weights(network.net, 7))
    assert names(large.parent) == ["a.net", "a.onnx", "b.onnx", "mine.onnx", "mine.onnx.data"]


def test_a_wrong_large_model_is_refused_with_the_line_and_writes_nothing(
    large: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from netc.targets.onnx.external import Beside

    right = Beside.write

    def wrong(self: Beside, folder: Path) -> Path:
        path = right(self, folder)
        content = bytearray(path.read_bytes())
        start, last = self.placed[-1]
        content[start:] = bytes(last.nbytes)
        path.write_bytes(content)
        return path

    monkeypatch.setattr(Beside, "write", wrong)
    assert export("a.net", "--random-weights", "7", "-o", "a.onnx") == ERRORS
    said = capsys.readouterr().err.splitlines()
    assert said[-1].startswith("  the first layer that differs is `fc2` (fc), a.net:4: by ")
    assert names(large.parent) == ["a.net"]


@pytest.mark.parametrize("step", ["open", "rename"])
def test_a_full_disk_leaves_the_old_files(
    large: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    assert export("a.net", "--random-weights", "7", "-o", "a.onnx") == CLEAN
    before = {path.name: path.read_bytes() for path in large.parent.iterdir()}
    calls = 0

    def full(*arguments: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == 3:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return right(*arguments)

    right = {"open": open, "rename": Path.rename}[step]
    if step == "open":
        monkeypatch.setattr("netc.files.open", full, raising=False)
        calls = 1  # the second of two files
    else:
        monkeypatch.setattr(Path, "rename", full)
    assert export("a.net", "--random-weights", "8", "-o", "a.onnx") == USAGE
    assert "cannot write `a.onnx`: no space left on device" in capsys.readouterr().err
    assert {path.name: path.read_bytes() for path in large.parent.iterdir()} == before


def test_a_full_disk_before_the_proof(
    large: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from netc.targets.onnx.external import Beside

    def full(self: Beside, folder: Path) -> Path:
        (folder / self.name).write_bytes(b"half")
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Beside, "write", full)
    assert export("a.net", "--random-weights", "8", "-o", "a.onnx") == USAGE
    assert "cannot write `a.onnx`: no space left on device" in capsys.readouterr().err
    assert names(large.parent) == ["a.net"]


WRONG: dict[str, tuple[list[str], int, str]] = {
    "no weights": (["a.net", "-o", "a.onnx"], USAGE, "needs --weights, or --random-weights SEED"),
    "both": (["a.net", "--weights", "w.npz", "--random-weights", "1", "-o", "a.onnx"], USAGE, "without --weights"),
    "ending": (["a.net", "--random-weights", "1", "-o", "a.txt"], USAGE, "expected a name that ends in .onnx"),
    "only an ending": (["a.net", "--random-weights", "1", "-o", ".onnx"], USAGE, "expected a name that ends in"),
    "folder": (["a.net", "--random-weights", "1", "-o", "no/a.onnx"], USAGE, "there is no folder of that name"),
    "seed": (["a.net", "--random-weights", "-3", "-o", "a.onnx"], USAGE, "expected"),
    "no file": (["b.net", "--weights", "w.npz", "-o", "a.onnx"], USAGE, "there is no b.net"),
    "not a run": ([".", "-o", "a.onnx"], USAGE, "holds no run"),
    "no weights file": (["a.net", "--weights", "w.npz", "-o", "a.onnx"], USAGE, "there is no file w.npz"),
    "other weights": (["a.net", "--weights", "other.npz", "-o", "a.onnx"], ERRORS, "other.npz"),
    "over the spec's weights": (["a.net", "--weights", "v.npz", "-o", "v.npz"], USAGE, "is read by this command"),
    "over another file": (["a.net", "--random-weights", "1", "-o", "other.npz"], USAGE, "was not written by netc"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_cannot_be_is_said(spec: Path, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    arguments, code, words = WRONG[name]
    np.savez("other.npz", **{"conv1/kernel": np.zeros((3, 3, 3, 5), "float32")})
    if "v.npz" in arguments:
        assert export("a.net", "--random-weights", "1", "-o", "v.npz") == CLEAN
    before = {path.name: path.read_bytes() for path in spec.parent.iterdir()}
    assert export(*arguments) == code
    said = capsys.readouterr().err
    assert words in said
    assert "bug" not in said
    assert {path.name: path.read_bytes() for path in spec.parent.iterdir()} == before


@pytest.mark.parametrize(
    ("target", "words"),
    [
        ("a.onnx", "cannot write `a.onnx`: too many levels of symbolic links"),
        ("no/b.onnx", "cannot write `a.onnx`: there is no folder of that name"),
        (".", "cannot write `a.onnx`: is a directory"),
        ("a.net", "`a.onnx` is read by this command: -o and another name keep it"),
        ("/dev/full", "cannot write `a.onnx`: no space left on device"),
    ],
)
def test_links_to_where_nothing_can_be_written(
    spec: Path, target: str, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("a.onnx").symlink_to(target)
    assert export("a.net", "--random-weights", "1", "-o", "a.onnx") == USAGE
    assert words in capsys.readouterr().err
    assert sorted(path.name for path in spec.parent.iterdir()) == ["a.net", "a.onnx"]
    assert spec.read_text() == TEXT


def test_hostile_characters_end_in_metadata_as_they_were_or_as_escapes(
    spec: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    comment = "# \x1b[31m \u202e \x00 \N{PILE OF POO}\n"
    hostile = os.fsdecode(b"\xff\x1b[31m.net")
    Path(hostile).write_text("net small\n" + comment + TEXT, encoding="utf-8")
    assert export(hostile, "--random-weights", "1", "-o", "a.onnx") == CLEAN
    proto = onnx.load("a.onnx")
    assert {prop.key: prop.value for prop in proto.metadata_props}["netc_spec"] == "net small\n" + comment + TEXT
    assert all(node.doc_string.isprintable() for node in proto.graph.node)
    assert export("a.net", "--random-weights", "1", "-o", "\x1b[31m\n.onnx") == CLEAN
    assert "\x1b" not in capsys.readouterr().err
    network = netc.loads("# \ud800\n" + TEXT)  # which no file holds
    assert network.export("b.onnx", random_weights(network.net, 0)).startswith("proved")
    assert "# \\ud800\n" in {prop.key: prop.value for prop in onnx.load("b.onnx").metadata_props}["netc_spec"]


def test_an_operation_without_a_meaning_is_named(
    spec: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from netc.layers.base import Layer

    monkeypatch.setattr(LAYERS["lrn"], "compute", Layer.compute)
    assert export("a.net", "--random-weights", "1", "-o", "a.onnx") == USAGE
    assert "`lrn` does not say what it computes" in capsys.readouterr().err


def test_python_exports_too(spec: Path) -> None:
    network: Any = netc.load(spec)
    weights = random_weights(network.net, 0)
    assert network.export("a.onnx", weights).startswith("proved: onnxruntime")
    assert json.loads({p.key: p.value for p in onnx.load("a.onnx").metadata_props}["netc_parameters"]) == {}
    with pytest.raises(ValueError, match="expected a name that ends in"):
        network.export("a.pb", weights)


# -- a softmax hides differences -----------------------------------------------------------------------------


class _Elsewhere:
    """NumPy with weights of its own, as an engine that says nothing of what is before a softmax."""

    name = "elsewhere"

    def __init__(self, program: Any, weights: Any) -> None:
        self.outputs = lambda inputs: run(program.net, weights, inputs)
        self.before_softmax = lambda inputs: {}
        self.layers = lambda inputs: dict(layers(program.net, weights, inputs))


@pytest.mark.parametrize("gain", [1.0, 30.0, 3e4])
def test_a_difference_that_a_softmax_hides_is_found_or_nothing_is_proved(gain: float) -> None:
    program = netc.loads("input 6; hidden: fc 8; end: fc 3 softmax").program
    weights = dict(random_weights(program.net, 0))
    weights["end", "kernel"] = weights["end", "kernel"] * np.float32(gain)
    other = {key: array * np.float32(1.01) if key == ("hidden", "kernel") else array for key, array in weights.items()}
    right, wrong = _Elsewhere(program, Weights(weights)), _Elsewhere(program, Weights(other))
    inputs = noise(program.net, 2, 0)
    apart = difference(*(next(iter(engine.outputs(inputs).values())) for engine in (wrong, right)))
    if gain > 1e3:
        for engine in (right, wrong):
            with pytest.raises(Unproved, match="leaves one channel everything: nothing is proved"):
                prove(program, Weights(weights), engine)
        return
    prove(program, Weights(weights), right)
    with pytest.raises(ExportError, match="the first layer that differs is `hidden`"):
        prove(program, Weights(weights), wrong)
    if gain > 1:
        assert apart < 1e-4  # as outputs are, it would be rounding
