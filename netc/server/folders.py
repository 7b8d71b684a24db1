"""The specs in the folders of a workspace, of which most are not open."""

from __future__ import annotations

import os
import stat
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

SPECS = 5_000  # files that are looked at
SIZE = 50_000_000  # bytes of them together
ENTRIES = 200_000  # names of files and folders that are looked at for them
MADE = frozenset(("build", "dist", "node_modules", "site-packages", "__pycache__"))  # folders that programs make
MARKS = frozenset(("CACHEDIR.TAG", "pyvenv.cfg"))  # files that say so of the folder that they are in


@dataclass(frozen=True, slots=True)
class Specs:
    """Files by their paths, without links; `whole` unless there are more than are looked at."""

    paths: list[Path]
    whole: bool


def specs(folders: Iterable[Path]) -> Specs:
    """All `.net` files in some folders (absolute, without links), but for hidden folders and those that programs make.
    No link leads out of its folder, and what cannot be read is passed over."""
    found: dict[Path, None] = {}
    entries = size = 0
    for folder in folders:
        for entry in _entries(folder):
            entries += 1
            for path, bytes in _spec(entry, folder):
                size += bytes
                found[path] = None
            if entries > ENTRIES or len(found) > SPECS or size > SIZE:
                return Specs([*found][:SPECS], whole=False)
    return Specs([*found], whole=True)


def _entries(folder: Path) -> Iterator[os.DirEntry[str]]:
    """What is in a folder and the folders below it, the nearest first."""
    waiting = deque([os.fspath(folder)])
    while waiting:
        with suppress(OSError), os.scandir(waiting.popleft()) as scan:
            entries = sorted(islice(scan, ENTRIES + 1), key=lambda entry: entry.name)
            if MARKS.intersection(entry.name for entry in entries):
                continue
            yield from entries
            waiting += (entry.path for entry in entries if entry.is_dir(follow_symlinks=False) and _looked_at(entry))


def _looked_at(entry: os.DirEntry[str]) -> bool:
    return not entry.name.startswith(".") and entry.name not in MADE


def _spec(entry: os.DirEntry[str], folder: Path) -> Iterator[tuple[Path, int]]:
    """The file of an entry that is a spec, and its size."""
    if entry.name.endswith(".net") and not entry.name.startswith("."):
        with suppress(OSError, RuntimeError, UnicodeError):
            entry.path.encode()  # a name that is no text has no URI
            path = Path(entry.path).resolve() if entry.is_symlink() else Path(entry.path)
            found = path.stat()
            if stat.S_ISREG(found.st_mode) and path.is_relative_to(folder):
                yield path, found.st_size
