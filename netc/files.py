"""Files that are written whole or not at all, and whether one has changed."""

from __future__ import annotations

import errno
import os
import shutil
import stat
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from mmap import mmap
from pathlib import Path
from typing import IO

TEMPORARY = ".netc-"  # the names of files that are being written begin so; one that stays was left by a killed process


Stamp = tuple[int, int, int]


def stamp(path: str | os.PathLike[str]) -> Stamp | None:
    """What is another one after a change of a file; None where there is none."""
    try:
        found = os.stat(path)
    except (OSError, ValueError):
        return None
    return (found.st_mtime_ns, found.st_size, found.st_ino) if stat.S_ISREG(found.st_mode) else None


@contextmanager
def replacing(path: str | os.PathLike[str]) -> Iterator[IO[bytes]]:
    """A file to write, which takes the place of another once it is whole and on disk; else the old one stays as it was.

    The new file stands beside its place under a name that nobody can know before, `file.name`, with the same suffix,
    and is never opened through a link of that name. It gets the permissions of the old file, else the usual ones. Where
    the place is a symbolic link, what it points to is replaced and the link stays. Raises OSError: also for a file that
    may not be written, which renaming alone would not notice.
    """
    target = _replaceable(path)
    beside = _beside(target)
    try:
        with open(beside, "xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        if target.exists():
            beside.chmod(target.stat().st_mode & 0o7777)
        beside.replace(target)
    except BaseException:
        with suppress(OSError):
            beside.unlink()
        raise
    _sync(target.parent)


def replace(path: str | os.PathLike[str], content: str | bytes | mmap) -> None:
    """Put a complete file in the place of another, as `replacing`; text is UTF-8. What is no file, such as a pipe or
    `/dev/stdout`, is written to."""
    data = content.encode("utf-8", "backslashreplace") if isinstance(content, str) else content
    if os.path.exists(path) and not os.path.isfile(path) and not os.path.isdir(path):
        with open(path, "wb", buffering=0) as device:
            device.write(data)
        return
    with replacing(path) as file:
        file.write(data)


def replace_all(contents: Mapping[Path, bytes | mmap]) -> None:
    """Put complete files in the places of others that belong together, all of them or none; one as `replace`.

    The first is the one by which the others are found. It is away while they change: a process that is killed then
    leaves none beside files that are not its own. Raises OSError.
    """
    if len(contents) == 1:
        replace(*next(iter(contents.items())))
        return
    targets = {_replaceable(path): content for path, content in contents.items()}
    if len(targets) < len(contents):
        raise FileExistsError(errno.EEXIST, "two of the files are the same", str(next(iter(contents))))
    made, old, undo = {target: _beside(target) for target in targets}, dict[Path, Path](), list[tuple[Path, Path]]()
    try:
        for target, content in targets.items():
            _put(made[target], content)
            if target.exists():
                made[target].chmod(target.stat().st_mode & 0o7777)
                old[target] = _beside(target)
        for target, aside in old.items():
            target.rename(aside)
            undo.append((aside, target))
        for target in reversed(targets):
            made[target].rename(target)
            undo.append((target, made[target]))
    except BaseException:
        for now, before in reversed(undo):
            now.rename(before)
        for beside in made.values():
            with suppress(OSError):
                beside.unlink()
        raise
    for aside in old.values():
        aside.unlink()
    for folder in {target.parent for target in targets}:
        _sync(folder)


def replace_folder(path: str | os.PathLike[str], contents: Mapping[str, bytes | mmap], inside: Sequence[str]) -> None:
    """Put a complete folder in the place of another, as `replacing` does a file; names of its files may be paths.
    Raises OSError: also where `only_holds` does for the old one."""
    target = Path(os.path.realpath(path))
    only_holds(target, inside)
    made, old = _beside(target), _beside(target)
    try:
        made.mkdir()
        for name, content in contents.items():
            (made / name).parent.mkdir(parents=True, exist_ok=True)
            _put(made / name, content)
        moved = target.exists()
        if moved:
            target.rename(old)
        try:
            made.rename(target)
        except BaseException:
            if moved:
                old.rename(target)
            raise
    except BaseException:
        shutil.rmtree(made, ignore_errors=True)
        raise
    shutil.rmtree(old, ignore_errors=True)
    _sync(target.parent)


def only_holds(folder: Path, inside: Sequence[str]) -> None:
    """Raises OSError for what is there and is no folder, and for one that holds anything but some names, of which the
    first has to be there."""
    held = sorted(os.listdir(folder)) if folder.exists() else []
    if other := next((name for name in held if name not in inside), None):
        raise FileExistsError(errno.EEXIST, f"the folder holds {other}, which would be lost", str(folder))
    if held and inside[0] not in held:
        raise FileExistsError(errno.EEXIST, f"the folder holds {held[0]} and no {inside[0]}", str(folder))


def _put(path: Path, content: bytes | mmap) -> None:
    """Write a new file onto the disk."""
    with open(path, "xb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _replaceable(path: str | os.PathLike[str]) -> Path:
    """Where a file is that a name means. Raises OSError for a folder, and for what may not be written."""
    target = Path(os.path.realpath(path))
    if target.is_symlink():
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), str(path))
    if target.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    if target.exists() and not os.access(target, os.W_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
    return target


def _beside(target: Path) -> Path:
    """A new name in the same folder."""
    return target.with_name(f"{TEMPORARY}{os.urandom(8).hex()}{target.suffix[:16]}")


def _sync(folder: Path) -> None:
    """Put a rename on disk, where the system can."""
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
