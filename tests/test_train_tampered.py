"""Runs whose files someone changed give words. `python -m tests.tampered` tries every change with every command."""

from __future__ import annotations

import random
from pathlib import Path
from zipfile import ZipFile

import pytest

pytest.importorskip("numpy")
pytest.importorskip("h5py")

import numpy as np

from netc.api import loads
from netc.ir.weights import WeightsError
from netc.storage import checkpoint, npz
from netc.storage.checkpoint import CheckpointError
from netc.storage.stored import StorageError
from netc.targets.keras.weights import read as read_weights
from netc.train.run import Run, RunError
from tests.tampered import ARCHIVE, FILES, changes, told, unpacked

NET = loads(ZipFile(ARCHIVE).read("first/spec/first.net").decode()).program.net


def read(run: Path, file: str) -> None:
    """Read a file of a run as the commands do, as far as that goes without TensorFlow."""
    path = run / file
    if file == "statistics.npz":
        Run(run).read_statistics()
    elif file.endswith((".npz", ".keras")):
        read_weights(path, NET)
        if file.endswith(".npz"):
            checkpoint.read(path)
    else:
        for command in ("runs", str(run)), ("runs", str(run.parent)), ("check", str(run / "spec/first.net")):
            code, said = told([*command])
            assert code in (0, 1, 2), said
            assert code == 0 or said.strip()


@pytest.mark.parametrize("file", FILES)
def test_every_change_is_read_or_refused_in_words(file: str, tmp_path: Path) -> None:
    tried, said = 0, []
    for number, (name, change) in enumerate(changes(file, random.Random(file))):
        run = unpacked(tmp_path / str(number))
        change(run / file)
        tried += 1
        try:
            read(run, file)
        except (RunError, WeightsError, CheckpointError) as error:
            said.append((name, str(error).replace(str(run), "RUN")))
    assert tried > 10
    assert len(said) > tried / 6 or not file.endswith((".npz", ".keras"))
    assert not [one for one in said if "RUN" not in one[1] or len(one[1]) > 500]


@pytest.mark.parametrize(
    ("file", "change"),
    [
        ("checkpoints/step-00000015.npz", "log [[1]]"),
        ("statistics.npz", "an array of shape"),
        ("run.json", "seed is -1"),
    ],
)
def test_commands_that_would_train_or_measure_say_what_is_wrong(file: str, change: str, tmp_path: Path) -> None:
    pytest.importorskip("tensorflow")
    pytest.importorskip("sklearn")
    run = unpacked(tmp_path)
    changed = next(one for seed in range(50) for name, one in changes(file, random.Random(seed)) if name == change)
    changed(run / file)
    code, said = told(["train", str(run), "--resume"])
    assert (code, "Traceback" in said) == (1, False)
    assert said.startswith(("netc: ", "error[")) or "netc: " in said


def test_what_is_broken_is_an_error_and_what_is_not_there_is_wrong_use(tmp_path: Path) -> None:
    pytest.importorskip("tensorflow")
    pytest.importorskip("sklearn")
    for number, file in enumerate(("run.json", "model.keras", "checkpoints/best.npz", "statistics.npz")):
        run = unpacked(tmp_path / str(number))
        (run / file).write_bytes((run / file).read_bytes()[:200])
        best = ("--weights", "best") if "best" in file else ()
        for command in (["evaluate", str(run), *best], ["predict", str(run), __file__, *best]):
            code, said = told(command)
            assert (code, file in said) == (1, True), said
    spec, run = str(run / "spec/first.net"), unpacked(tmp_path / "whole")
    (run / "checkpoints/best.npz").unlink()
    for command in (
        ["evaluate", str(run), "--weights", "best"],
        ["evaluate", str(run), "--weights", "no.h5"],
        ["evaluate", spec, "--weights", "no.h5"],
        ["predict", str(run), "no.png"],
        ["train", spec, "--weights", "no.h5", "--out", str(tmp_path / "out")],
    ):
        code, said = told(command)
        assert (code, "there is no file" in said) == (2, True), said


def test_what_an_archive_says_is_compared_with_what_it_holds(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", whole=np.arange(6.0).reshape(2, 3), fortran=np.asfortranarray(np.ones((3, 2))))
    with npz.opened(tmp_path / "a.npz") as found:
        assert {name: stored.shape for name, stored in found.items()} == {"whole": (2, 3), "fortran": (3, 2)}
        assert np.array_equal(found["whole"].read(), np.arange(6.0).reshape(2, 3))
    with ZipFile(tmp_path / "a.npz") as old, ZipFile(tmp_path / "b.npz", "w") as new:
        new.writestr("whole.npy", old.read("whole.npy").replace(b"(2, 3)", b"(9, 3)"))
    with (
        pytest.raises(StorageError, match="`whole` says it has 216 bytes, and there are 48"),
        npz.opened(tmp_path / "b.npz"),
    ):
        pass
