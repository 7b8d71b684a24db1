"""Checkpoint files: each is written whole or not at all, and says itself whether it is intact.

A checkpoint is a plain `.npz` (a zip archive of arrays, uncompressed, no pickle): `state` holds JSON, `digest` the
SHA-256 of everything else, and every other member one array under its own name.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

from netc.files import replacing
from netc.storage.npz import MEMBER, opened
from netc.storage.stored import StorageError

if TYPE_CHECKING:
    from numpy.typing import NDArray

STATE, DIGEST = "state", "digest"


class CheckpointError(StorageError):
    """A checkpoint that is broken."""


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
        for name, array in chain([(STATE, text)], arrays):
            _add(digest, name, array)
            _member(archive, name, array)
        _member(archive, DIGEST, numpy.frombuffer(digest.hexdigest().encode(), numpy.uint8))


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
