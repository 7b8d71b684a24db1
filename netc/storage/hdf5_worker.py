"""The process in which HDF5 reads a file. It is asked in lines of JSON, first to open one, and answers in such lines,
with the numbers of an array after the one that says how many bytes they take."""

from __future__ import annotations

import json
import sys
import traceback
import zipfile
from collections.abc import Iterable, Mapping
from contextlib import suppress
from io import BytesIO
from mmap import ACCESS_READ, mmap
from pathlib import Path
from typing import Any

import h5py
import numpy

from netc.storage.stored import StorageError, explained

HEAP, HEAP_ENTRY = b"GCOL", 16  # how a collection of strings begins, and bytes of its head and of those of its parts
LARGEST_SEARCHED = 1 << 32  # bytes of a file whose collections are looked at


def main() -> None:
    """Answer until nothing more is asked."""
    held: list[Any] = []  # the file, and what was told of it
    for line in sys.stdin.buffer:
        content: bytes | memoryview = b""
        try:
            with explained():
                said, content = _answer(held, json.loads(line))
        except StorageError as error:
            said = {"error": str(error)}
        except Exception:  # of ours: whoever asks raises it again
            said = {"bug": traceback.format_exc()}
        sys.stdout.buffer.write(json.dumps(said).encode() + b"\n")
        sys.stdout.buffer.write(content)
        sys.stdout.buffer.flush()


def _answer(held: list[Any], asked: Mapping[str, Any]) -> tuple[Mapping[str, Any], bytes | memoryview]:
    if asked["ask"] == "open":
        held.append(_file(Path(asked["path"]), asked["member"], asked["memory"]))
        return {}, b""
    of = held[asked["of"]]
    if asked["ask"] == "members":
        return {"members": [_member(of, name, held) for name in of]}, b""
    if asked["ask"] == "attribute":
        return {"value": _value(of.attrs[asked["name"]]) if asked["name"] in of.attrs else None}, b""
    numbers = numpy.ascontiguousarray(of[()] if asked["row"] is None else of[asked["row"]])
    content = numbers.reshape(-1).view("u1").data
    return {"bytes": len(content)}, content


def _file(path: Path, member: str, memory: int) -> Any:
    """The file, or a member of an archive, opened with so many bytes of memory at most."""
    if member:
        with zipfile.ZipFile(path) as archive:
            content = archive.read(member)
        _check_heaps(content)
    elif 0 < path.stat().st_size <= LARGEST_SEARCHED and path.is_file():
        with path.open("rb") as raw, mmap(raw.fileno(), 0, access=ACCESS_READ) as mapped:
            _check_heaps(mapped)
    _bound(memory)
    return h5py.File(BytesIO(content) if member else path, "r")


def _bound(memory: int) -> None:
    """Take no more memory than this from here on, where the system can be told, and leave no image of a crash."""
    with suppress(ImportError, OSError, ValueError):
        import resource  # noqa: PLC0415 - not on Windows

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        taken = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (taken + memory, resource.getrlimit(resource.RLIMIT_AS)[1]))


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


def _member(group: Any, name: str, held: list[Any]) -> Mapping[str, Any]:
    """What a group has under a name: a link is not followed, all else is held under the next number."""
    if not isinstance(group.get(name, getlink=True), h5py.HardLink):
        return {"name": name, "kind": "link"}
    member = group[name]
    held.append(member)
    said = {"name": name, "of": len(held) - 1, "full": member.name}
    if isinstance(member, h5py.Group):
        return {**said, "kind": "group", "place": h5py.h5o.get_info(member.id).addr}
    if not isinstance(member, h5py.Dataset):
        return {**said, "kind": "type"}
    here = not (member.external or member.is_virtual)
    return {
        **said,
        "kind": "array",
        "here": here,
        "shape": member.shape,
        "dtype": member.dtype.str,
        "stored": member.id.get_storage_size(),
        "chunk": member.chunks,
        "bfloat16": here and member.dtype == "V2" and _value(member.attrs.get("dtype")) == "bfloat16",
    }


def _value(found: Any) -> object:
    """An attribute: a text, a list of texts, or False for anything else."""
    if isinstance(found, str | bytes):
        return _text(found)
    if getattr(found, "ndim", 0) == 1 and isinstance(found, Iterable):
        return [_text(one) for one in found]
    return False


def _text(found: Any) -> str:
    return found.decode() if isinstance(found, bytes) else str(found)
