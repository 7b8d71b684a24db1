"""Runs of earlier versions still evaluate, predict and go on.

`old_runs/first_format.zip` is a run of netc 0.1.0 before run folders were locked: with a layer that Keras lacks, half
precision, averages, statistics, plateau reduction and dropout, and a checkpoint in its middle. What is expected here is
what that version said.
"""

from __future__ import annotations

import csv
import json
from pathlib import Path
from zipfile import ZipFile

import pytest

from netc.cli import main

pytest.importorskip("tensorflow")
pytest.importorskip("sklearn")

ARCHIVE = Path(__file__).with_name("old_runs") / "first_format.zip"
EVALUATED = {"loss": 2.2828032970428467, "accuracy": 0.08574610203504562, "top3": 0.36636972427368164}
PREDICTED = {"6": 0.12764348089694977, "3": 0.11091548204421997, "8": 0.10263852775096893}  # for the first digit


@pytest.fixture
def run(tmp_path: Path) -> Path:
    with ZipFile(ARCHIVE) as archive:
        archive.extractall(tmp_path)
    return tmp_path / "first"


def test_it_evaluates_and_predicts_the_same(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from PIL import Image
    from sklearn.datasets import load_digits

    assert main(["evaluate", str(run), "--format", "json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert {name: found[name] for name in EVALUATED} == pytest.approx(EVALUATED, rel=1e-4)
    picture = (load_digits().images[0] / 16 * 255).astype("uint8")
    Image.fromarray(picture).save(run.parent / "zero.png")
    assert main(["predict", str(run), str(run.parent / "zero.png"), "--top", "3", "--format", "json"]) == 0
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
