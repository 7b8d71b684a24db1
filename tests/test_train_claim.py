"""Processes that train at the same time: each has a folder of its own, and dead ones hold none."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from netc.cli import main

pytest.importorskip("filelock")  # which training brings

from netc.train.claim import TakenError, claimed
from netc.train.run import Run

HOLDS = """
import sys
from pathlib import Path
from netc.train.claim import TakenError, claimed
try:
    with claimed("net", Path(sys.argv[1]) if sys.argv[1:] else None) as run:
        print(run.folder.as_posix(), flush=True)
        sys.stdin.readline()
        if sys.argv[2:]:
            run.write({"format": 1})
except TakenError as error:
    print(error, flush=True)
"""
SPEC = "net net; input 8x8x1; gap; fc 10 softmax\n"
SPEC += "data digits { validation 0.9 }\ntrain { loss categorical_crossentropy; optimizer adam; epochs 1 }\n"


@contextmanager
def processes(folder: Path, count: int, *arguments: str) -> Iterator[list[subprocess.Popen[str]]]:
    """So many, started at once, each of which holds what it claimed until it gets a line or dies."""
    pipe = subprocess.PIPE
    command = [sys.executable, "-c", HOLDS, *arguments]
    started = [subprocess.Popen(command, cwd=folder, text=True, stdin=pipe, stdout=pipe) for _ in range(count)]
    try:
        yield started
    finally:
        for one in started:
            one.communicate("\n", timeout=60)


def first_line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def test_processes_that_start_together_have_folders_of_their_own(tmp_path: Path) -> None:
    (tmp_path / "runs/net-3").mkdir(parents=True)
    (tmp_path / "runs/net-3/notes.txt").write_text("mine")
    with processes(tmp_path, 8) as started:
        found = {first_line(one) for one in started}
    assert found == {"runs/net", *(f"runs/net-{number}" for number in (2, 4, 5, 6, 7, 8, 9))}
    assert [path.name for path in (tmp_path / "runs").iterdir()] == ["net-3"]  # none wrote anything


def test_one_of_several_gets_a_folder_that_all_name(tmp_path: Path) -> None:
    with processes(tmp_path, 6, "out", "and writes") as started:
        said = list(map(first_line, started))
        assert said.count("out") == 1
        holder = f"process {started[said.index('out')].pid} on {socket.gethostname()}"
        refused = {f"out is in use: {who} trains there" for who in (holder, "another process")}
        assert set(said) <= {"out", *refused}
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["run.json"]
    with pytest.raises(TakenError, match="holds a run already"), claimed("net", tmp_path / "out"):
        pass
    with claimed("net", tmp_path / "out", resume=True) as run:
        assert run == Run(tmp_path / "out")


@pytest.mark.skipif(os.name != "posix", reason="SIGKILL is POSIX's")
def test_a_dead_process_holds_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with processes(tmp_path, 1) as (holder,):
        assert first_line(holder) == "runs/net"
        with claimed("net", None) as run:
            assert run.folder.as_posix() == "runs/net-2"
        holder.send_signal(signal.SIGKILL)
        holder.wait(60)
        with claimed("net", None) as run:
            assert run.folder.as_posix() == "runs/net"


def test_a_worker_that_writes_nothing_holds_nothing(tmp_path: Path) -> None:
    with claimed("net", tmp_path / "out"), claimed("net", tmp_path / "out", writes=False) as run:
        assert run == Run(tmp_path / "out")


def test_the_command_line_says_who_is_in_the_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("tensorflow")
    pytest.importorskip("sklearn")
    monkeypatch.chdir(tmp_path)
    Path("net.net").write_text(SPEC)
    with processes(tmp_path, 1) as (holder,):
        assert first_line(holder) == "runs/net"
        assert main(["train", "net.net", "--out", "runs/net"]) == 2
        assert capsys.readouterr().err == (
            f"netc: runs/net is in use: process {holder.pid} on {socket.gethostname()} trains there\n"
        )
        assert main(["train", "net.net"]) == 0
        said = capsys.readouterr()
        assert "runs/net is taken, so this run is in runs/net-2\n" in said.err
        assert "curves.svg" in os.listdir("runs/net-2")
        assert not {".lock", ".holder"} & set(os.listdir("runs/net-2"))
    with claimed("net", Path("runs/net-2"), resume=True):
        assert main(["train", "runs/net-2", "--resume"]) == 2
        assert "runs/net-2 is in use" in capsys.readouterr().err
        assert main(["evaluate", "runs/net-2"]) == 0
    assert main(["train", "runs/net-2", "--resume"]) == 0


def test_a_run_that_fails_before_it_begins_leaves_no_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("tensorflow")
    monkeypatch.chdir(tmp_path)
    Path("net.net").write_text(SPEC.replace("data digits", 'data "nowhere"'))
    assert main(["train", "net.net"]) == 1
    assert os.listdir("runs") == []
