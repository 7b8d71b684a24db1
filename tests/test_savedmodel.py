"""SavedModels, loaded by TensorFlow, against NumPy: what they compute, and which folders are replaced."""

from __future__ import annotations

from pathlib import Path

import pytest

import netc
from netc.cli import main
from netc.cli.endings import CLEAN, ERRORS, USAGE
from netc.ir.weights import random_weights
from tests.one_layer import difference

np = pytest.importorskip("numpy")
pytest.importorskip("tensorflow")
from netc.targets.noise import noise  # noqa: E402 - imports NumPy
from netc.targets.numpy.run import run  # noqa: E402

TEXT = """left: input ?x?x3
conv 4x3/2 bn relu

lrn alpha=0.5
a: gap
right: input 4
fc 4 relu
add { | from a | identity }
b: fc 3 softmax
output a b
"""


def command(*arguments: str) -> int:
    return main(["export", "a.net", "--random-weights", "7", "-o", "a.savedmodel", *arguments])


def test_a_folder_runs_by_itself_with_any_batch(spec: Path, capfd: pytest.CaptureFixture[str]) -> None:
    import tensorflow as tf

    assert command() == CLEAN
    said = capfd.readouterr().err
    assert "proved: TensorFlow 2." in said
    assert "wrote a.savedmodel: " in said
    net = netc.load(spec).net
    serve = tf.saved_model.load("a.savedmodel").signatures["serving_default"]
    for batch in (1, 3):
        inputs = noise(net, batch, 3)
        found, expected = serve(**inputs), run(net, random_weights(net, 7), inputs)
        assert found.keys() == expected.keys() == {"a", "b"}
        assert all(difference(found[name].numpy(), expected[name]) < 1e-5 for name in expected)


def test_folders_are_replaced_when_that_is_wanted_and_they_are_models(
    spec: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = Path("a.savedmodel")
    folder.mkdir()  # an empty one is in nobody's way
    assert command() == CLEAN
    before = (folder / "variables" / "variables.data-00000-of-00001").read_bytes()
    assert command() == USAGE
    assert "holds fingerprint.pb, which would be lost: --force replaces a SavedModel" in capsys.readouterr().err
    assert main(["export", "a.net", "--random-weights", "8", "-o", "a.savedmodel/", "--force"]) == CLEAN
    assert (folder / "variables" / "variables.data-00000-of-00001").read_bytes() != before
    (folder / "notes.txt").write_text("mine")
    assert command("--force") == USAGE
    assert "cannot write `a.savedmodel`: the folder holds notes.txt, which would be lost" in capsys.readouterr().err
    assert (folder / "notes.txt").read_text() == "mine"
    assert sorted(path.name for path in spec.parent.iterdir()) == ["a.net", "a.savedmodel"]


def test_a_wrong_target_is_refused_with_the_line_and_writes_nothing(
    spec: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from netc.targets.keras.custom import LocalResponseNormalization

    right = LocalResponseNormalization.call
    monkeypatch.setattr(LocalResponseNormalization, "call", lambda self, inputs: right(self, inputs) * 1.01)
    assert command() == ERRORS
    said = capsys.readouterr().err
    assert "TensorFlow" in said
    assert "computes another network" in said
    assert "the first layer that differs is `lrn1` (lrn), a.net:4: by " in said
    assert [path.name for path in spec.parent.iterdir()] == ["a.net"]


def test_python_writes_folders_too(spec: Path) -> None:
    network = netc.loads("input 4\nfc 3")
    weights = random_weights(network.net, 0)
    assert network.export("m.savedmodel", weights).startswith("proved: TensorFlow")
    assert network.export("m.savedmodel", weights)
    Path("m.savedmodel/mine").touch()
    with pytest.raises(FileExistsError, match="which would be lost"):
        network.export("m.savedmodel", weights)


def test_a_full_disk_is_no_bug(spec: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    import keras
    import tensorflow as tf

    def full(*_: object, **__: object) -> None:
        raise tf.errors.ResourceExhaustedError(None, None, "{{node x}} /a/b; No space left on device [Op:SaveV2]")

    monkeypatch.setattr(type(keras.export.ExportArchive()), "write_out", full)  # the class of the backend
    assert command() == USAGE
    assert capsys.readouterr().err.endswith("cannot write temporary files: no space left on device\n")
    assert [path.name for path in spec.parent.iterdir()] == ["a.net"]
