"""Files that are written whole or not at all."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

TEMPORARY = ".netc-"  # the names of files that are being written begin so; one that stays was left by a killed process


@contextmanager
def replacing(path: str | os.PathLike[str]) -> Iterator[IO[bytes]]:
    """A file to write, which takes the place of another once it is whole and on disk; else the old one stays as it was.

    The new file stands beside its place under a name that nobody can know before, `file.name`, with the same suffix,
    and is never opened through a link of that name. It gets the permissions of the old file, else the usual ones. Where
    the place is a symbolic link, what it points to is replaced and the link stays. Raises OSError: also for a file that
    may not be written, which renaming alone would not notice.
    """
    target = Path(os.path.realpath(path))
    old = target.stat() if target.exists() else None
    if target.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    if old is not None and not os.access(target, os.W_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
    beside = target.with_name(f"{TEMPORARY}{os.urandom(8).hex()}{target.suffix[:16]}")
    try:
        with open(beside, "xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        if old is not None:
            beside.chmod(old.st_mode & 0o7777)
        beside.replace(target)
    except BaseException:
        with suppress(OSError):
            beside.unlink()
        raise
    _sync(target.parent)


def replace(path: str | os.PathLike[str], content: str | bytes) -> None:
    """Put a complete file in the place of another, as `replacing`; text is UTF-8. What is no file, such as a pipe or
    `/dev/stdout`, is written to."""
    data = content if isinstance(content, bytes) else content.encode("utf-8", "backslashreplace")
    if os.path.exists(path) and not os.path.isfile(path) and not os.path.isdir(path):
        with open(path, "wb", buffering=0) as device:
            device.write(data)
        return
    with replacing(path) as file:
        file.write(data)


def _sync(folder: Path) -> None:
    """Put a rename on disk, where the system can."""
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
