"""HDF5 files, of which only what lies in the file itself is read.

HDF5 can name arrays in other files (external storage, external links, virtual data sets), groups that hold themselves,
and arrays of terabytes in a few bytes.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from mmap import ACCESS_READ, mmap
from pathlib import Path
from typing import TYPE_CHECKING, Any

from netc.storage.stored import NUMBERS, StorageError, Stored, explained, widened

if TYPE_CHECKING:
    from numpy.typing import NDArray

SMALL, MOST_PACKED = 1 << 20, 1032  # bytes, and how many of them deflate gets into one
HEAP, HEAP_ENTRY = b"GCOL", 16  # how a collection of strings begins, and bytes of its head and of those of its parts
PATIENCE = 60  # seconds for texts in a file
_TEXTS = """
import h5py, json, sys
with h5py.File(sys.argv[1], "r") as file:
    found = {name: file.attrs[name] for name in sys.argv[2:] if name in file.attrs}
texts = {name: text.decode() if isinstance(text, bytes) else text for name, text in found.items()}
print(json.dumps({name: text for name, text in texts.items() if isinstance(text, str)}))
"""
LARGEST_SEARCHED = 1 << 32  # bytes of a file whose collections are looked at


@contextmanager
def opened(path: Path | BytesIO) -> Iterator[Any]:
    """A file, open for reading; raises `StorageError` for what is none."""
    held = file(path)
    with held:
        yield held


def file(path: Path | BytesIO) -> Any:
    """As `opened`, for as long as anything of it is used."""
    import h5py  # noqa: PLC0415 - only for files of it

    with explained():
        if isinstance(path, BytesIO):
            _check_heaps(path.getvalue())
        elif 0 < path.stat().st_size <= LARGEST_SEARCHED and path.is_file():
            with path.open("rb") as raw, mmap(raw.fileno(), 0, access=ACCESS_READ) as content:
                _check_heaps(content)
        return h5py.File(path, "r")


def _check_heaps(content: bytes | mmap) -> None:
    """Raises `StorageError` where a collection of strings has an unused part of no bytes: HDF5 would go over that one
    for ever, as soon as a string of the collection is asked for."""
    left = len(content) // HEAP_ENTRY  # parts that all collections can have together
    at = content.find(HEAP)
    while at >= 0:
        end = min(at + _number(content, at + 8, 8), len(content))
        place = at + HEAP_ENTRY
        while place + HEAP_ENTRY <= end:
            used, size = _number(content, place, 2), _number(content, place + 8, 8)
            left -= 1
            if left < 0 or not (used or size):
                raise StorageError("a collection of its strings has no end")
            place += HEAP_ENTRY + -(-size // 8) * 8 if used else size
        at = content.find(HEAP, at + len(HEAP))


def _number(content: bytes | mmap, at: int, size: int) -> int:
    return int.from_bytes(content[at : at + size], "little")


def texts(path: Path, *names: str) -> dict[str, str]:
    """Attributes of a file that are texts, as far as it has them. Where the place of one is wrong, HDF5 takes the
    process down with it: so they are read in one of their own. Raises `StorageError`."""
    with opened(path):  # what cannot be opened, or has no end, is said here
        pass
    command = [sys.executable, "-I", "-c", _TEXTS, os.path.abspath(path), *names]
    try:
        ran = subprocess.run(command, capture_output=True, check=False, timeout=PATIENCE)
    except subprocess.TimeoutExpired:
        raise StorageError(f"HDF5 does not come to an end with it in {PATIENCE} seconds") from None
    if ran.returncode:
        said = ran.stderr.decode(errors="replace").strip().rpartition("\n")[2].rpartition(": ")[2]
        raise StorageError(f"HDF5 cannot read it: {said}" if said else "HDF5 cannot read it")
    found: dict[str, str] = json.loads(ran.stdout)
    return found


def datasets(group: Any) -> dict[str, Any]:
    """The arrays in a group; links are left out, wherever they lead."""
    import h5py  # noqa: PLC0415

    hard = [name for name in group if isinstance(group.get(name, getlink=True), h5py.HardLink)]
    return {name: group[name] for name in hard if isinstance(group[name], h5py.Dataset)}


def members(group: Any) -> dict[str, Any]:
    """What a group holds, by name; raises `StorageError` for what is elsewhere."""
    return {name: member(group, name) for name in group}


def member(group: Any, name: str) -> Any:
    """What a group holds under a name, None for nothing; raises `StorageError` for what is elsewhere."""
    import h5py  # noqa: PLC0415

    if name not in group:
        return None
    if not isinstance(group.get(name, getlink=True), h5py.HardLink):
        raise StorageError(f"`{name}` is a link, and what it leads to is not read")
    return group[name]


def is_group(member: Any) -> bool:
    """Whether a member holds others."""
    import h5py  # noqa: PLC0415

    return isinstance(member, h5py.Group)


def place(group: Any) -> int:
    """Where in the file a group is, by whatever name it was come to."""
    import h5py  # noqa: PLC0415

    found: int = h5py.h5o.get_info(group.id).addr
    return found


def check(dataset: Any, name: str) -> None:
    """Raises `StorageError` for anything but an array of numbers that lies in the file itself."""
    if is_group(dataset):
        raise StorageError(f"`{name}` is a group, and an array is expected")
    if dataset.external or dataset.is_virtual:
        raise StorageError(f"`{name}` lies in another file")
    if dataset.dtype.kind not in NUMBERS:
        raise StorageError(f"`{name}` holds {dataset.dtype}, and numbers are expected")


def array(dataset: Any, name: str) -> Stored:
    """A data set of numbers, in the file itself. Raises `StorageError` for any other, and for more than the file can
    hold: no more memory is taken than it could fill."""
    import numpy  # noqa: PLC0415

    if not (wide := _is_bfloat16(dataset)):
        check(dataset, name)
    if dataset.nbytes > SMALL + MOST_PACKED * dataset.id.get_storage_size():
        raise StorageError(f"`{name}` is said to have {dataset.nbytes:,} bytes, more than the file can hold")

    def load() -> NDArray[Any]:
        with explained():
            found: NDArray[Any] = dataset[()]
            return widened(found.view("<u2")) if wide else found

    if wide:
        return Stored(name, dataset.shape, numpy.dtype("float32"), load, "bfloat16")
    return Stored(name, dataset.shape, dataset.dtype, load)


def _is_bfloat16(dataset: Any) -> bool:
    """Whether it holds what Keras writes of bfloat16, in the file itself: two bytes without a type, and its name as an
    attribute."""
    if is_group(dataset) or dataset.external or dataset.is_virtual:
        return False
    found: bool = dataset.dtype == "V2" and dataset.attrs.get("dtype") == "bfloat16"
    return found
