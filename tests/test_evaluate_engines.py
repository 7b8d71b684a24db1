"""`netc evaluate` says the same with every engine: losses with what weights add to them, and metrics."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from netc.api import load
from netc.cli import main
from netc.engines import NAMES
from netc.ir.weights import random_weights

np = pytest.importorskip("numpy")
pytest.importorskip("tensorflow")
pytest.importorskip("PIL")

ONE = """input 8x8x1
conv 4x3 bn relu l2=0.01
gap
dropout 0.5
fc 3 softmax
data "images.npz" { center; scale }
train { loss categorical_crossentropy label_smoothing=0.1; optimizer adam; metric accuracy; metric auc; batch 16; epochs 1 }
"""
SEVERAL = """input 8x8x1
body: conv 4x3 relu l2=0.01
gap
kind: fc 3 softmax
from body
gap
size: fc 1
output kind size
data "images.npz"
train {
    loss categorical_crossentropy of=kind
    loss mean_squared_error of=size
    optimizer adam
    batch 16
    epochs 1
}
"""


def evaluated(capsys: pytest.CaptureFixture[str], *more: str) -> dict[str, object]:
    capsys.readouterr()
    line = ["evaluate", "a.net", "--weights", "a.npz", "--on", "train", "--format", "json", *more]
    assert main(line) == 0, capsys.readouterr().err
    found: dict[str, object] = json.loads(capsys.readouterr().out)
    return found


def same(found: dict[str, object], expected: dict[str, object]) -> bool:
    """Words are equal, and numbers near."""
    assert found.keys() == expected.keys()
    return all(
        found[name] == (value if isinstance(value, str) else pytest.approx(value, rel=1e-4))
        for name, value in expected.items()
    )


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    random = np.random.default_rng(0)
    np.savez("images.npz", x=random.random((40, 8, 8, 1), np.float32), y=np.arange(40) % 3)
    return tmp_path


def test_engines_measure_the_same(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("a.net").write_text(ONE)
    network = load("a.net")
    network.save_weights("a.npz", random_weights(network.net, 0))
    expected = evaluated(capsys)
    assert str(expected.pop("engine")).startswith("TensorFlow ")
    assert expected["images"] == 40
    for name in [name for name in NAMES if name != "tensorflow"]:
        pytest.importorskip(name)
        found = evaluated(capsys, "--engine", name)
        assert str(found.pop("engine")).lower().startswith(name)
        assert same(found, expected)


def test_weights_count_in_the_loss(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What an engine cannot know: without the `l2` the loss is smaller by just that."""
    losses = []
    for text in (ONE, ONE.replace(" l2=0.01", "")):
        Path("a.net").write_text(text)
        network = load("a.net")
        weights = random_weights(network.net, 0)
        network.save_weights("a.npz", weights)
        losses.append(evaluated(capsys, "--engine", "numpy")["loss"])
    kernel = weights["conv1", "kernel"]
    assert losses[0] - losses[1] == pytest.approx(0.01 * float((kernel * kernel).sum()) / 2, rel=1e-3)  # type: ignore[operator]


def test_every_output_has_its_loss(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("a.net").write_text(SEVERAL)
    random = np.random.default_rng(0)
    np.savez(
        "images.npz",
        input1=random.random((40, 8, 8, 1), np.float32),
        kind=np.arange(40) % 3,
        size=random.random((40, 1), np.float32),
    )
    network = load("a.net")
    network.save_weights("a.npz", random_weights(network.net, 0))
    expected = evaluated(capsys)
    assert {"loss", "kind_loss", "size_loss"} <= {
        name.replace("fc1", "kind").replace("fc2", "size") for name in expected
    }
    found = evaluated(capsys, "--engine", "numpy")
    assert found.pop("engine") != expected.pop("engine")
    assert same(found, expected)
