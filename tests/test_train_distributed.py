"""Two workers on one machine against one alone."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

np = pytest.importorskip("numpy")
pytest.importorskip("tensorflow")
pytest.importorskip("sklearn")

SPEC = """net spread
input 8x8x1
conv 8x3 bn relu
pool 2
fc 10 softmax

data digits { shift 0.2; validation 0.5 }
train { loss categorical_crossentropy; optimizer momentum lr=0.05; clip norm=1; batch 32; epochs 3 }
"""
PATIENCE = 300  # seconds; most of it for machines that do other things as well


def start(folder: Path, out: Path, *more: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "netc", "train", *more, "--out", str(out)]
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
    return subprocess.Popen(
        command, cwd=folder, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )


def pair(folder: Path, out: Path, *more: str) -> list[subprocess.Popen[str]]:
    sockets = [socket.socket() for _ in range(2)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    workers = ",".join(f"127.0.0.1:{one.getsockname()[1]}" for one in sockets)
    for one in sockets:
        one.close()
    spread = ["--distribute", "multiworker", "--workers", workers, "--index"]
    return [start(folder, out, *more, *spread, str(index)) for index in range(2)]


def checkpoints(run: Path) -> set[str]:
    return {path.name for path in (run / "checkpoints").glob("step-*.npz")}


def another_checkpoint(run: Path, worker: subprocess.Popen[str]) -> None:
    """Wait until there is one that was not there."""
    before, until = checkpoints(run), time.monotonic() + PATIENCE
    while checkpoints(run) <= before:
        assert worker.poll() is None, worker.communicate()[1]
        assert time.monotonic() < until
        time.sleep(0.05)


def weights(run: Path) -> dict[str, Any]:
    from netc.storage import opening
    from netc.train.weights import file_of

    with opening.opened(file_of(run)) as layers:
        return {layer.name: [array.read() for array in layer.arrays] for layer in layers.found}


def losses(text: str) -> list[str]:
    return [line.split("(")[0] for line in text.splitlines() if line.startswith("epoch")]


def test_two_workers_are_one_and_go_on_when_one_was_lost(tmp_path: Path) -> None:
    (tmp_path / "shared.net").write_text(SPEC)
    alone = start(tmp_path, tmp_path / "alone", "shared.net")
    assert alone.wait(PATIENCE) == 0, alone.communicate()[1]
    workers = pair(tmp_path, tmp_path / "two", "shared.net")
    said = [worker.communicate(timeout=PATIENCE)[1] for worker in workers]
    assert [worker.returncode for worker in workers] == [0, 0], said
    assert losses(said[0]) == losses(said[1]) != []
    expected, found = weights(tmp_path / "alone"), weights(tmp_path / "two")
    for name, arrays in expected.items():
        for one, other in zip(arrays, found[name], strict=True):
            assert other == pytest.approx(one, abs=2e-5), name

    workers = pair(tmp_path, tmp_path / "lost", "shared.net", "--epochs", "200")
    another_checkpoint(tmp_path / "lost", workers[0])
    workers[1].kill()
    message = workers[0].communicate(timeout=PATIENCE)[1]
    assert workers[0].returncode == 1
    assert "another worker is gone" in message
    workers[1].communicate()
    again = pair(tmp_path, tmp_path / "lost", str(tmp_path / "lost"), "--resume")
    another_checkpoint(tmp_path / "lost", again[0])
    again[1].terminate()  # a wish of one to stop is all workers'
    said = [worker.communicate(timeout=PATIENCE)[1] for worker in again]
    assert [worker.returncode for worker in again] == [143, 143], said
    assert all(f"{tmp_path / 'lost'} --resume --distribute multiworker --workers " in one for one in said), said
    assert "going on after step" in said[0]
