"""Checkpoint files: each is written whole or not at all, and says itself whether it is intact.

A checkpoint is a plain `.npz` (a zip archive of arrays, uncompressed, no pickle): `state` holds JSON, `digest` the
SHA-256 of everything else, and every other member one array under its own name.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from netc.files import TEMPORARY, replacing
from netc.storage.npz import MEMBER, opened
from netc.storage.stored import StorageError

if TYPE_CHECKING:
    from numpy.typing import NDArray

SUFFIX = ".npz"
STATE, DIGEST = "state", "digest"
PREFIX = "step-"
BEST = f"best{SUFFIX}"


class CheckpointError(Exception):
    """A checkpoint that is broken, or that does not belong to the network."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What a file holds: `state` as it was given, and the arrays by name."""

    state: Mapping[str, Any]
    arrays: Mapping[str, NDArray[Any]]


def write(path: Path, state: Mapping[str, Any], arrays: Iterable[tuple[str, NDArray[Any]]]) -> None:
    """Write a checkpoint, replacing one of the same name; raises `OSError` and then leaves the old one."""
    import numpy  # noqa: PLC0415 - comes with TensorFlow

    digest = sha256()
    with replacing(path) as file, zipfile.ZipFile(file, "w", zipfile.ZIP_STORED, allowZip64=True) as archive:
        text = numpy.frombuffer(json.dumps(state).encode(), numpy.uint8)
        for name, array in _first((STATE, text), arrays):
            _add(digest, name, array)
            _member(archive, name, array)
        _member(archive, DIGEST, numpy.frombuffer(digest.hexdigest().encode(), numpy.uint8))


def _first(one: tuple[str, NDArray[Any]], others: Iterable[tuple[str, NDArray[Any]]]) -> Iterator[Any]:
    yield one
    yield from others


def _member(archive: zipfile.ZipFile, name: str, array: NDArray[Any]) -> None:
    from numpy.lib import format as npy  # noqa: PLC0415

    entry = zipfile.ZipInfo(name + MEMBER)  # the date of 1980, so that equal states are equal files
    with archive.open(entry, "w", force_zip64=True) as member:
        npy.write_array(member, array, allow_pickle=False)


def _add(digest: Any, name: str, array: NDArray[Any]) -> None:
    digest.update(f"{name}\0{array.dtype.str}\0{array.shape}\0".encode())
    digest.update(array.tobytes())


def read(path: Path) -> Checkpoint:
    """The content of a checkpoint; raises `CheckpointError` for one that is not intact."""
    import numpy  # noqa: PLC0415

    digest, arrays, written = sha256(), {}, b""
    try:
        with opened(path, packed=False) as found:
            for name, stored in found.items():
                array = stored.read()
                if name == DIGEST:
                    written = array.tobytes()
                else:
                    _add(digest, name, array)
                    arrays[name] = array
        if written != digest.hexdigest().encode():
            raise StorageError("its content does not have the checksum that it names")
        state = json.loads(arrays.pop(STATE, numpy.zeros(0)).tobytes() or "null")
        if not isinstance(state, dict):
            raise StorageError("it has no state")
    except (ValueError, RecursionError) as error:  # `StorageError` is one
        raise CheckpointError(f"{path} is broken: {error}") from None
    return Checkpoint(state, arrays)


# -- the checkpoints of a run --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Store:
    """The folder of a run's checkpoints: the last `keep` of them, and the best."""

    folder: Path
    keep: int

    def path(self, step: int) -> Path:
        """Where the checkpoint behind a step stands."""
        return self.folder / f"{PREFIX}{step:08d}{SUFFIX}"

    @property
    def best(self) -> Path:
        """Where the best weights stand."""
        return self.folder / BEST

    def saved(self) -> list[Path]:
        """The checkpoints that are there, oldest first."""
        return sorted(self.folder.glob(f"{PREFIX}*{SUFFIX}"))

    def save(self, step: int, state: Mapping[str, Any], arrays: Iterable[tuple[str, NDArray[Any]]]) -> Path:
        """Write the checkpoint behind a step, then remove those that are too old."""
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self.path(step)
        write(path, state, arrays)
        for old in self.saved()[: -self.keep]:
            with suppress(OSError):
                old.unlink()
        return path

    def latest(self, note: Any) -> tuple[Path, Checkpoint] | None:
        """The newest intact checkpoint; `note` hears of broken ones.

        Where the best weights are broken too, one from before they were found is taken: the way from there to here
        finds them again, bit for bit.
        """
        for left in [*self.folder.glob(f"{TEMPORARY}*"), *self.folder.glob(".*.tmp")]:  # what a killed writer left
            with suppress(OSError):
                left.unlink()
        best_is_broken = self._broken_best(note)
        fallback = None
        for path in reversed(self.saved()):
            try:
                found = path, read(path)
            except CheckpointError as error:
                note(f"{error}; the one before is used")
                continue
            best = found[1].state.get("best")
            if not (best_is_broken and best):
                return found
            fallback = fallback or found
        return fallback

    def _broken_best(self, note: Any) -> bool:
        try:
            read(self.best)
        except FileNotFoundError:
            return True
        except CheckpointError as error:
            note(str(error))
            return True
        return False
