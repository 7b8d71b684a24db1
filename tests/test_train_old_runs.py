"""Runs of earlier versions still evaluate, predict and go on.

`old_runs/first_format.zip` is a run of netc 0.1.0 before run folders were locked: with a layer that Keras lacks, half
precision, averages, statistics, plateau reduction and dropout, and a checkpoint in its middle. `old_runs/renamed_layers.zip`
is one before names counted what stands in a `repeat` that does not run: its `conv2` and `conv3`, of one shape, are `conv3`
and `conv4` since. What is expected here is what those versions said.
"""

from __future__ import annotations

import csv
import json
from pathlib import Path
from zipfile import ZipFile

import pytest

from netc.cli import main
from netc.engines import NAMES

pytest.importorskip("tensorflow")
pytest.importorskip("sklearn")

ARCHIVES = Path(__file__).with_name("old_runs")
EVALUATED = {"loss": 2.2828032970428467, "accuracy": 0.08574610203504562, "top3": 0.36636972427368164}
PREDICTED = {"6": 0.12764348089694977, "3": 0.11091548204421997, "8": 0.10263852775096893}  # for the first digit


def unpacked(archive: str, folder: Path) -> Path:
    """The run in an archive, which is its one folder."""
    with ZipFile(ARCHIVES / archive) as files:
        files.extractall(folder)
    (run,) = folder.iterdir()
    return run


@pytest.fixture
def run(tmp_path: Path) -> Path:
    return unpacked("first_format.zip", tmp_path)


def test_it_evaluates_the_same(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["evaluate", str(run), "--format", "json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert {name: found[name] for name in EVALUATED} == pytest.approx(EVALUATED, rel=1e-4)


@pytest.mark.parametrize("engine", NAMES)
def test_it_predicts_the_same(engine: str, run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """In any engine: nothing of an old run is readable by TensorFlow alone."""
    from PIL import Image
    from sklearn.datasets import load_digits

    pytest.importorskip(engine)
    picture = (load_digits().images[0] / 16 * 255).astype("uint8")
    Image.fromarray(picture).save(run.parent / "zero.png")
    line = ["predict", str(run), str(run.parent / "zero.png"), "--top", "3", "--format", "json", "--engine", engine]
    assert main(line) == 0
    assert dict(json.loads(capsys.readouterr().out)[0]["classes"]) == pytest.approx(PREDICTED, rel=1e-4)


def rows(run: Path) -> list[list[float]]:
    _, *found = csv.reader((run / "log.csv").read_text().splitlines())
    return [list(map(float, row)) for row in found]


def test_it_goes_on_from_its_middle_to_the_same_end(run: Path) -> None:
    before = rows(run)
    (run / "checkpoints/step-00000030.npz").unlink()  # as if it had been killed after step 15
    (run / "model.keras").unlink()
    assert main(["train", str(run), "--resume"]) == 0
    assert len(rows(run)) == len(before) == 2
    for now, then in zip(rows(run), before, strict=True):
        assert now == pytest.approx(then, rel=1e-2)
    assert json.loads((run / "run.json").read_text())["status"] == "finished"


@pytest.fixture
def renamed(tmp_path: Path) -> Path:
    return unpacked("renamed_layers.zip", tmp_path)


def test_layers_of_other_names_have_their_own_weights(renamed: Path, capsys: pytest.CaptureFixture[str]) -> None:
    import numpy as np

    from netc.api import load
    from netc.targets.keras.weights import read

    assert main(["evaluate", str(renamed), "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["loss"] == pytest.approx(2.3033416271209717, rel=1e-6)
    saved, net = np.load(renamed / "checkpoints/step-00000003.npz"), load(renamed / "spec/second.net").program.net
    for only in (None, ["conv1", "conv3"]):  # the second as `predict --layer conv3` asks
        weights, found = read(renamed / "checkpoints/step-00000003.npz", net, only=only)
        assert not found.by_name
        assert np.array_equal(weights["conv1", "kernel"], saved["model/0/conv1/kernel"])
        assert np.array_equal(weights["conv3", "kernel"], saved["model/2/conv2/kernel"])


def test_a_run_whose_layers_have_other_names_does_not_go_on(renamed: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", str(renamed), "--resume"]) == 1
    said = capsys.readouterr().err
    assert "conv2 is conv3 here, conv3 is conv4 here" in said
    assert "`--weights` of a new run takes its weights over" in said
