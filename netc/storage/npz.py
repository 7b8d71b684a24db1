"""`.npz`: a zip archive of `.npy` members, without pickle."""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from netc.storage.stored import StorageError, Stored, explained

if TYPE_CHECKING:
    from numpy.typing import NDArray

MEMBER = ".npy"
LARGEST_HEADER = 1 << 16  # bytes; numpy itself writes more only for types of thousands of fields
PIECE = 1 << 20  # bytes that are unpacked at once
_LENGTH = {1: "<H", 2: "<I", 3: "<I"}  # of the header, by version


@contextmanager
def opened(path: Path, *, packed: bool = True) -> Iterator[dict[str, Stored]]:
    """The arrays of an archive by name, in its order, to be read before it is closed.

    Raises `StorageError` for what is none, for an array that would not fill its member or is filled by less, and for
    compressed members unless they may be `packed`; `FileNotFoundError` where there is no file.
    """
    with explained():
        archive = zipfile.ZipFile(path)
    with archive:
        found: dict[str, Stored] = {}
        with explained():
            for entry in archive.infolist():
                name = entry.filename.removesuffix(MEMBER)
                if name in found:
                    raise StorageError(f"`{name}` is in it twice")
                if entry.compress_type != zipfile.ZIP_STORED and not packed:
                    raise StorageError(f"`{name}` is compressed")
                if name != entry.filename:
                    found[name] = _member(archive, entry, name)
        yield found


def headers(path: Path) -> dict[str, Stored]:
    """The arrays of an archive by name, each of which opens it again to be read. Raises as `opened`."""
    with opened(path) as found:
        return {name: replace(stored, load=partial(_again, path, stored)) for name, stored in found.items()}


def _again(path: Path, before: Stored) -> NDArray[Any]:
    with opened(path) as found:
        stored = found.get(before.name)
        if stored is None or (stored.shape, stored.dtype) != (before.shape, before.dtype):
            raise StorageError(f"`{before.name}` changed while it was looked at")
        return stored.load()


def _member(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, name: str) -> Stored:
    """What the header of a member says, compared with the size of the member."""
    from numpy.lib import format as npy  # noqa: PLC0415 - numpy is for those who read arrays

    with archive.open(entry) as member:
        magic = member.read(npy.MAGIC_LEN)
        major, _ = npy.read_magic(io.BytesIO(magic))
        if major not in _LENGTH:
            raise StorageError(f"`{name}` is of version {major} of the format, and 1 to 3 are known")
        width = struct.calcsize(_LENGTH[major])
        size = member.read(width)
        length = struct.unpack(_LENGTH[major], size)[0]
        if length > LARGEST_HEADER:
            raise StorageError(f"`{name}` has a header of {length:,} bytes")
        head = io.BytesIO(size + member.read(length))
    read_header = npy.read_array_header_1_0 if major == 1 else npy.read_array_header_2_0
    shape, fortran, dtype = read_header(head)
    start = npy.MAGIC_LEN + width + length

    def load() -> NDArray[Any]:
        with explained():
            return _filled(archive, entry, start, stored, fortran=fortran)

    stored = Stored(name, tuple(map(int, shape)), dtype, load)
    if dtype.hasobject:
        raise StorageError(f"`{name}` holds Python objects, which can run anything: save plain arrays")
    if min(stored.shape, default=0) < 0 or stored.nbytes != entry.file_size - start:
        raise StorageError(f"`{name}` says it has {stored.nbytes:,} bytes, and there are {entry.file_size - start:,}")
    return stored


def _filled(
    archive: zipfile.ZipFile, entry: zipfile.ZipInfo, start: int, stored: Stored, *, fortran: bool
) -> NDArray[Any]:
    """The array, unpacked into its own memory piece by piece."""
    import numpy  # noqa: PLC0415

    array = numpy.empty(stored.shape, stored.dtype, order="F" if fortran else "C")
    room = array.reshape(-1, order="A").view(numpy.uint8).data
    with archive.open(entry) as member:
        member.read(start)
        at = 0
        while at < len(room):
            piece = member.read(min(PIECE, len(room) - at))
            if not piece:
                raise EOFError(f"`{stored.name}` ends early")
            room[at : at + len(piece)] = piece
            at += len(piece)
        member.read(1)  # at the end the archive compares its checksum
    return array
