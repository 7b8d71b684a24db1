"""Ids in arrays: whole numbers that `embed` takes rows for reach it as they are, and others are refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from netc.cli import main
from netc.compiler import compile_source
from netc.data import DataError, prepare
from netc.syntax.source import Source

np = pytest.importorskip("numpy")
pytest.importorskip("keras")

WORDS = """net words
input 12
embed 50 8
gap
fc 3 softmax

data "words.npz" { validation 0.2 }
train {
    loss categorical_crossentropy
    optimizer adam lr=0.05
    batch 60
    epochs 4
}
"""


def sentences(count: int) -> tuple[Any, Any]:
    """Of 12 words each, of which one, anywhere, says the class: 0, 1 or 2."""
    draw, classes = np.random.default_rng(0), np.arange(count) % 3
    words = draw.integers(3, 50, (count, 12))
    words[np.arange(count), draw.integers(12, size=count)] = classes
    return words, classes


def first(ids: Any, text: str = WORDS) -> Any:
    """The first samples that the network gets of arrays."""
    data = prepare(compile_source(Source("<test>", text)), source=(ids, sentences(len(ids))[1]), seed=0, batch=9)
    (batch, _), *_ = data.train.batches()
    return data.train.part.rows, batch.numpy()


def test_a_network_learns_from_ids(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Which word says the class is learnt, and NumPy, which refuses what is no id, measures the same."""
    (tmp_path / "words.net").write_text(WORDS)
    x, y = sentences(600)
    np.savez(tmp_path / "words.npz", x=x, y=y)
    assert main(["train", str(tmp_path / "words.net"), "--out", str(tmp_path / "run")]) == 0
    capsys.readouterr()
    found = []
    for engine in ("tensorflow", "numpy"):
        assert main(["evaluate", str(tmp_path / "run"), "--engine", engine, "--format", "json"]) == 0
        found.append(json.loads(capsys.readouterr().out))
    assert found[0]["images"] == 120
    assert found[0]["accuracy"] > 0.95
    assert found[1]["loss"] == pytest.approx(found[0]["loss"], rel=1e-5)


@pytest.mark.parametrize("kind", ["uint8", "int16", "int64", "uint64", "float32", "float64"])
def test_ids_of_every_type_are_the_same_numbers(kind: str) -> None:
    words, _ = sentences(9)
    rows, made = first(words.astype(kind), WORDS.replace("{ validation 0.2 }", "{ shuffle false }"))
    assert made.dtype == np.float32
    assert (made == words[rows]).all()


def test_ids_in_a_file_of_hdf5(tmp_path: Path) -> None:
    words, classes = sentences(9)
    with pytest.importorskip("h5py").File(tmp_path / "words.h5", "w") as file:
        file["x"], file["y"] = words, classes
    text = WORDS.replace('"words.npz" { validation 0.2 }', f'"{tmp_path / "words.h5"}" {{ shuffle false }}')
    data = prepare(compile_source(Source("<test>", text)), seed=0, batch=9)
    (batch, _), *_ = data.train.batches()
    assert (batch.numpy() == words).all()


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (50, "sample 4 holds the id 50, and the layer that reads it knows the whole numbers from 0 to 49"),
        (-1, "holds the id -1,"),
        (2.5, "holds the id 2.5,"),
        (float("nan"), "holds the id nan,"),
        ("cat", "ids are of the type <U"),
    ],
)
def test_what_is_no_id_is_refused(wrong: Any, said: str) -> None:
    words, _ = sentences(9)
    words = words.astype(type(wrong)) if wrong != "cat" else words.astype("U3")
    words[4, 7] = wrong
    with pytest.raises(DataError, match=said):
        first(words)


def test_each_input_gets_what_it_takes() -> None:
    """A picture as numbers from 0 to 1 beside the ids of its words, and grey ones without channels."""
    head = "words: input 12\nembed 50 4\nleft: gap\npicture: input 6x6x1\ngap\nfc 4\nadd left\nfc 3 softmax\n"
    text = head + WORDS[WORDS.index("data") :].replace("{ validation 0.2 }", "{ shuffle false }")
    words, classes = sentences(9)
    pictures = np.random.default_rng(1).integers(0, 256, (9, 6, 6), np.uint8)
    given = {"picture": pictures, "words": words}
    data = prepare(compile_source(Source("<test>", text)), source=(given, classes), seed=0, batch=9)
    (batch, _), *_ = data.train.batches()
    assert np.allclose(batch["picture"][..., 0], pictures / 255)
    assert (batch["words"].numpy() == words).all()
