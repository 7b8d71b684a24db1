"""A run that is killed and resumed against one that never was: weights and log, bit for bit.

    python -m tests.kill_and_resume            some points
    python -m tests.kill_and_resume --full     every point, and processes that are really killed

A process that is killed leaves its files as they are at that moment. So one run is watched, its folder is copied at
every moment at which a kill could matter (between steps, in the middle of the bytes of a checkpoint, before and after
each rename, in the middle of a row of the log), each copy is resumed, and what comes out is compared. With `--full`
some processes are also killed by SIGKILL at random times.
"""

from __future__ import annotations

import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

SPEC = """net tiny
input 8x8x1
conv 8x3/2 bn relu
dropout 0.3
gap
fc 10 softmax

data digits {
    shift 0.2
    cutout 2
    center per_pixel
    validation 0.9
}
train {
    loss categorical_crossentropy
    optimizer adam lr=0.02
    schedule plateau patience=1 factor=0.5 delta=0.1
    metrics accuracy topk=3
    weight_decay 1e-4
    ema 0.9
    batch 32
    epochs 5
    validate every=5
    checkpoint every=4 keep=2 best
}
"""


@dataclass(frozen=True)
class Kill:
    """The folder as a kill left it, and where that was."""

    name: str
    folder: Path


def request(folder: Path, spec: Path, *, resume: bool) -> Any:
    from netc.compiler import compile_source
    from netc.syntax.source import Source
    from netc.train.run import Run
    from netc.train.session import Request

    program = compile_source(Source(str(spec), spec.read_text()))
    assert not program.report.failed, [found.message for found in program.report]
    return Request(program, Run(folder), resume=resume)


def train(folder: Path, spec: Path, *, resume: bool = False) -> list[str]:
    """Train, and return the notes."""
    from netc.train.progress import Progress
    from netc.train.session import train as run

    notes: list[str] = []
    progress = Progress()
    progress.note = notes.append  # type: ignore[method-assign]
    assert run(request(folder, spec, resume=resume), progress).finished
    return notes


def result(folder: Path) -> tuple[str, dict[str, bytes]]:
    """The log, and the weights at the end as bytes."""
    from netc.storage import opening
    from netc.train.run import Run

    with opening.opened(Run(folder).model) as layers:
        read = {array.name: array.read().tobytes() for layer in layers.found for array in layer.arrays}
    return (folder / "log.csv").read_text(), read


def differences(expected: tuple[str, dict[str, bytes]], folder: Path) -> list[str]:
    log, arrays = result(folder)
    found = [] if log == expected[0] else ["log.csv"]
    return found + [name for name, data in expected[1].items() if arrays.get(name) != data]


@contextmanager
def watched(folder: Path, kept: Path) -> Iterator[list[Kill]]:
    """Copy the folder at every moment that matters."""
    import os

    from netc.storage import checkpoint
    from netc.train.log import Log
    from netc.train.steps import Steps

    kills: list[Kill] = []

    def snap(name: str) -> Path:
        copy = kept / f"{len(kills):03d}"
        shutil.copytree(folder, copy)
        kills.append(Kill(name, copy))
        return copy

    def around(original: Callable[..., Any], name: str, *, after: bool = False) -> Any:
        def call(*args: Any, **kwargs: Any) -> Any:
            if folder.is_dir() and not after:
                snap(f"before {name}")
            made = original(*args, **kwargs)
            if after:
                snap(f"after {name}")
            return made

        return call

    member, add, replace = checkpoint._member, Log.add, Path.replace

    def cut_member(archive: Any, name: str, array: Any) -> None:
        member(archive, name, array)
        if "kernel" in name and "model" in name:
            archive.fp.flush()
            snap(f"in a checkpoint, after {name}")

    def cut_row(self: Log, row: Any) -> None:
        add(self, row)
        copy = snap("after a row of the log")
        text = (copy / "log.csv").read_bytes()
        (copy / "log.csv").write_bytes(text[:-7])

    with (
        mock.patch.object(checkpoint, "_member", cut_member),
        mock.patch.object(Log, "add", cut_row),
        mock.patch.object(
            Path, "replace", lambda self, to: (snap(f"before a rename to {to.name}"), replace(self, to))[1]
        ),
        mock.patch.object(os, "fsync", around(os.fsync, "fsync")),
        mock.patch.object(Steps, "train", around(Steps.train, "steps", after=True)),
    ):
        yield kills


def lose_power(kill: Kill, what: str) -> Kill:
    """The same with the last checkpoint, or the best one, cut in half, as a power cut may leave a file."""
    saved = sorted((kill.folder / "checkpoints").glob(what))
    copy = kill.folder.with_name(f"{kill.folder.name}-{'best' if 'best' in what else 'cut'}")
    shutil.copytree(kill.folder, copy)
    file = copy / "checkpoints" / saved[-1].name
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    return Kill(f"{kill.name}, {file.name} cut in half", copy)


def points(work: Path, choose: Callable[[list[Kill]], list[Kill]]) -> tuple[tuple[str, dict[str, bytes]], list[Kill]]:
    """A whole run's result, and the chosen moments at which it could have been killed."""
    spec = work / "tiny.net"
    spec.write_text(SPEC)
    train(work / "whole", spec)
    (work / "kept").mkdir()
    with watched(work / "seen", work / "kept") as kills:
        train(work / "seen", spec)
    return result(work / "whole"), choose([kill for kill in kills if (kill.folder / "run.json").is_file()])


def killed(work: Path, number: int, after: float) -> Kill:
    """A process that SIGKILL ends so many seconds after its first checkpoint."""
    folder = work / f"killed{number}"
    command = [sys.executable, "-m", "tests.kill_and_resume", "--child", str(folder), str(work / "tiny.net")]
    process = subprocess.Popen(command)
    while process.poll() is None and not list(folder.glob("checkpoints/step-*")):
        time.sleep(0.01)
    time.sleep(after)
    process.send_signal(signal.SIGKILL)
    process.wait()
    return Kill(f"SIGKILL {after:.2f} s after the first checkpoint", folder)


def main(arguments: list[str]) -> int:
    if arguments[:1] == ["--child"]:
        train(Path(arguments[1]), Path(arguments[2]))
        return 0
    full = "--full" in arguments
    with tempfile.TemporaryDirectory() as place:
        work = Path(place)
        expected, kills = points(work, lambda kills: kills if full else kills[:: max(1, len(kills) // 12)])
        torn = [kill for kill in kills if len(list((kill.folder / "checkpoints").glob("step-*"))) > 1]
        kills += [lose_power(kill, what) for kill in torn[:: 1 if full else 4] for what in ("step-*", "best*")]
        if full:
            kills += [killed(work, number, random.uniform(0, 3)) for number in range(10)]
        wrong = 0
        for number, kill in enumerate(kills):
            train(kill.folder, work / "tiny.net", resume=True)
            found = differences(expected, kill.folder)
            wrong += bool(found)
            print(f"{number + 1}/{len(kills)} {kill.name}: {', '.join(found) or 'the same'}", flush=True)
        print(f"{len(kills)} kill points, {wrong} that came out differently")
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
