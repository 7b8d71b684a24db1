"""HDF5 files, of which only what lies in the file itself is read.

HDF5 can name arrays in other files (external storage, external links, virtual data sets), groups that hold themselves,
and arrays of terabytes in a few bytes. Over a damaged file its library may end the process that it is in, or go on for
ever: so it reads in a process of its own (`hdf5_worker`), and what is here are the answers.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cached_property
from math import prod
from pathlib import Path
from threading import Lock, Timer
from typing import TYPE_CHECKING, Any
from weakref import finalize

from netc import needs
from netc.storage.memory import SHARE, affordable
from netc.storage.stored import NUMBERS, StorageError, Stored, explained, widened

if TYPE_CHECKING:
    import numpy
    from numpy.typing import NDArray

SMALL, MOST_PACKED = 1 << 20, 1032  # bytes, and how many of them deflate gets into one
PATIENCE, SLOWEST = 60.0, 1 << 22  # seconds for an answer, and bytes of one for which there is a second more
START = "import sys; sys.path[:] = sys.argv[1:]; from netc.storage.hdf5_worker import main; main()"


@contextmanager
def opened(path: Path, member: str = "") -> Iterator[Group]:
    """What a file holds, or one that is a `member` of a zip archive; raises `StorageError` for what is none."""
    root = file(path, member)
    try:
        yield root
    finally:
        root.process.end()


def file(path: Path, member: str = "") -> Group:
    """As `opened`, for as long as anything of it is used."""
    needs.require("reading HDF5", "numpy", "h5py", "psutil")
    with explained(), path.open("rb"):
        return Group(_Process(path, member), 0, "/", 0)


class _Process:
    """HDF5 with a file, asked by one thread at a time. It has no part of Ctrl-C, and ends with who asks."""

    def __init__(self, path: Path, member: str) -> None:
        self._lock = Lock()
        self._late = False
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-c", START, *sys.path],  # it imports from where this process does
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        self.end = finalize(self, _end, self._process)
        self.ask(ask="open", path=os.path.abspath(path), member=member, memory=SHARE * affordable())

    def ask(self, room: memoryview | None = None, **asked: object) -> Mapping[str, Any]:
        """An answer; the bytes after it fill `room`. Raises `StorageError`."""
        size = 0 if room is None else room.nbytes
        with self._lock:
            patience = Timer(PATIENCE + size / SLOWEST, self._give_up)
            patience.daemon = True
            patience.start()
            try:
                self._tell(asked)
                return self._hear(room)
            finally:
                patience.cancel()

    def _tell(self, message: Mapping[str, object]) -> None:
        assert self._process.stdin is not None
        with suppress(OSError):  # that it ended is seen when it is heard
            self._process.stdin.write(json.dumps(message).encode() + b"\n")
            self._process.stdin.flush()

    def _hear(self, room: memoryview | None) -> Mapping[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line.endswith(b"\n"):
            raise StorageError(self._ended())
        answer: Mapping[str, Any] = json.loads(line)
        if "bug" in answer:
            raise AssertionError(answer["bug"])
        if "error" in answer:
            raise StorageError(answer["error"])
        if room is not None:
            if answer["bytes"] != room.nbytes:
                raise StorageError(f"{room.nbytes:,} bytes are said to be where {answer['bytes']:,} are")
            if self._process.stdout.readinto(room) < room.nbytes:  # type: ignore[attr-defined]
                raise StorageError(self._ended())
        return answer

    def _ended(self) -> str:
        if self._late:
            return f"HDF5 does not come to an end with it in {PATIENCE:.0f} seconds"
        code = self._process.wait()
        return f"HDF5 cannot read it: it ends with {signal.Signals(-code).name if code < 0 else f'the code {code}'}"

    def _give_up(self) -> None:
        self._late = True
        self._process.kill()


def _end(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.communicate()


@dataclass(frozen=True)
class Link:
    """What leads elsewhere, and is not followed."""


@dataclass(frozen=True)
class Group:
    """A group: its name from the root, and its `place` in the file, by whatever name it was come to."""

    process: _Process
    number: int
    name: str
    place: int

    @cached_property
    def members(self) -> Mapping[str, Group | Dataset | Link]:
        """What it holds, by name; raises `StorageError`."""
        found = self.process.ask(ask="members", of=self.number)["members"]
        made = ((one["name"], self._member(one)) for one in found if one["kind"] != "type")
        return dict(made)

    def _member(self, said: Mapping[str, Any]) -> Group | Dataset | Link:
        import numpy  # noqa: PLC0415 - only for files with arrays

        if said["kind"] == "link":
            return Link()
        if said["kind"] == "group":
            return Group(self.process, said["of"], said["full"], said["place"])
        shape, dtype = said["shape"], numpy.dtype(said["dtype"])
        room = (said["stored"], said["chunk"], said["here"], said["bfloat16"])
        return Dataset(self.process, said["of"], said["full"], None if shape is None else tuple(shape), dtype, *room)

    def attribute(self, name: str) -> str | list[str] | bool | None:
        """A text, a list of texts, False for any other attribute, and None for none."""
        found: str | list[str] | bool | None = self.process.ask(ask="attribute", of=self.number, name=name)["value"]
        return found


@dataclass(frozen=True)
class Dataset:
    """What the header of an array says: the bytes that it has in the file, how it is cut into chunks there, whether it
    lies `here`, and whether it is what Keras writes of bfloat16: two bytes without a type, and its name beside it. The
    shape of nothing at all is None."""

    process: _Process
    number: int
    name: str
    shape: tuple[int, ...] | None
    dtype: numpy.dtype[Any]
    stored: int
    chunks: tuple[int, ...] | None
    here: bool
    bfloat16: bool

    @property
    def nbytes(self) -> int:
        """Bytes that it takes in memory."""
        return prod(self.shape or ()) * self.dtype.itemsize

    def read(self, row: int | None = None) -> NDArray[Any]:
        """The numbers, or those at one place of the first axis. Raises `StorageError`."""
        import numpy  # noqa: PLC0415

        assert self.shape is not None
        made: NDArray[Any] = numpy.empty(self.shape if row is None else self.shape[1:], self.dtype)
        self.process.ask(made.reshape(-1).view("u1").data, ask="read", of=self.number, row=row)
        return made


def member(group: Group | Dataset, name: str) -> Group | Dataset | None:
    """What a group holds under a name, None for nothing; raises `StorageError` for what is elsewhere."""
    found = group.members.get(name) if isinstance(group, Group) else None
    if isinstance(found, Link):
        raise StorageError(f"`{name}` is a link, and what it leads to is not read")
    return found


def members(group: Group) -> dict[str, Group | Dataset]:
    """What a group holds, by name; raises `StorageError` for what is elsewhere."""
    return {name: held for name in group.members if (held := member(group, name))}


def datasets(group: Group) -> dict[str, Dataset]:
    """The arrays in a group; links are left out, wherever they lead."""
    return {name: held for name, held in group.members.items() if isinstance(held, Dataset)}


def checked(dataset: Group | Dataset, name: str) -> Dataset:
    """An array of numbers that lies in the file itself. Raises `StorageError` for anything else."""
    if isinstance(dataset, Group):
        raise StorageError(f"`{name}` is a group, and an array is expected")
    if not dataset.here:
        raise StorageError(f"`{name}` lies in another file")
    if dataset.shape is None:
        raise StorageError(f"`{name}` holds nothing, and numbers are expected")
    if not dataset.bfloat16 and dataset.dtype.kind not in NUMBERS:
        raise StorageError(f"`{name}` holds {dataset.dtype}, and numbers are expected")
    return dataset


def array(dataset: Group | Dataset, name: str) -> Stored:
    """A data set of numbers, in the file itself. Raises `StorageError` for any other, and for more than the file can
    hold: no more memory is taken than it could fill."""
    import numpy  # noqa: PLC0415

    held = checked(dataset, name)
    assert held.shape is not None
    if held.nbytes > SMALL + MOST_PACKED * held.stored:
        raise StorageError(f"`{name}` is said to have {held.nbytes:,} bytes, more than the file can hold")
    if not held.bfloat16:
        return Stored(name, held.shape, held.dtype, held.read)
    return Stored(name, held.shape, numpy.dtype("float32"), lambda: widened(held.read().view("<u2")), "bfloat16")
