"""The folder of a run belongs to one process at a time: the one that trains holds a lock in it.

A lock of the operating system (by filelock, on Windows too) and no file that says "locked": it ends with its process,
however that ends. Reading a run takes no lock, as every file of it is whole at any moment.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from netc.files import TEMPORARY, replacing
from netc.train.run import RUNS, Run, RunError, is_run

LOCK, HOLDER = ".lock", ".holder"  # the second says who has the first, which Windows lets nobody read


class TakenError(RunError):
    """A folder that holds a run already, or in which another process trains."""


@contextmanager
def claimed(network: str, out: Path | None, *, resume: bool = False, writes: bool = True) -> Iterator[Run]:
    """The run to train, held until the end: `out`, else the first of `runs/NETWORK`, `runs/NETWORK-2`, ... that is
    free.

    Raises `TakenError` where another process holds `out`, or it holds a run that is not to `resume`. A worker that
    never `writes` holds nothing.
    """
    if not writes:
        yield Run(out or Path(RUNS, network))
        return
    run, lock, made = _free(network) if out is None else _given(out, resume=resume)
    try:
        with suppress(OSError), replacing(run.folder / HOLDER) as file:
            file.write(f"process {os.getpid()} on {socket.gethostname()}".encode())
        yield run
    finally:
        for name in (HOLDER, LOCK):  # Windows removes the second itself, once nobody holds it
            with suppress(OSError):
                (run.folder / name).unlink()
        lock.release()
        if made:
            with suppress(OSError):  # it holds a run, unless something was wrong before the first file
                run.folder.rmdir()


def _given(folder: Path, *, resume: bool) -> tuple[Run, FileLock, bool]:
    lock, made = _locked(folder)
    if is_run(folder) and not resume:
        lock.release()
        raise TakenError(f"{folder} holds a run already")
    return Run(folder), lock, made


def _free(network: str) -> tuple[Run, FileLock, bool]:
    """The first folder that holds nothing, and no other process; a lock that nobody holds any more is nothing."""
    Path(RUNS).mkdir(exist_ok=True)
    number = 1
    while True:
        folder = Path(RUNS, network if number == 1 else f"{network}-{number}")
        number += 1
        if _holds_anything(folder):
            continue
        try:
            lock, _ = _locked(folder)
        except (TakenError, FileExistsError, FileNotFoundError):  # another one was faster, or took its folder away
            continue
        if not _holds_anything(folder):
            return Run(folder), lock, True
        lock.release()


def _holds_anything(folder: Path) -> bool:
    try:
        return any(not name.startswith((LOCK, HOLDER, TEMPORARY)) for name in os.listdir(folder))
    except FileNotFoundError:
        return False
    except NotADirectoryError:
        return True


def _locked(folder: Path) -> tuple[FileLock, bool]:
    """The lock of a folder, and whether the folder was made for it."""
    made = not folder.exists()
    folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder / LOCK)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise TakenError(f"{folder} is in use: {_holder(folder)} trains there") from None
    return lock, made


def _holder(folder: Path) -> str:
    with suppress(OSError):
        return (folder / HOLDER).read_text(encoding="utf-8", errors="replace")[:200]
    return "another process"
