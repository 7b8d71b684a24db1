"""Files to sources, within bounds and with errors that say what is wrong."""

from __future__ import annotations

import errno
import os
import stat
import sys
from codecs import BOM_UTF16_BE, BOM_UTF16_LE

from netc.diagnostics.model import Diagnostics
from netc.limits import Limits
from netc.syntax.source import Source, Span

STDIN = "-"
_AT_ONCE = getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)  # a pipe without a writer is not waited for


def read(path: str | os.PathLike[str], limits: Limits, report: Diagnostics, *, name: str = "<stdin>") -> Source | None:
    """The text of a file, or of standard input, under that name, for `-`; None after reporting why it is none.

    Raises OSError, as `open` does, for what cannot be read at all.
    """
    if str(path) != STDIN:
        name = str(path)
    data = _bytes(path, limits.file_size)
    if len(data) > limits.file_size:
        report.add(
            "NET601",
            f"{name} is larger than {limits.file_size:,} bytes",
            help=("raise the bound with `--limit file_size=BYTES`",),
        )
        return None
    return _decode(name, data, report)


def _bytes(path: str | os.PathLike[str], limit: int) -> bytes:
    """At most one byte more than the limit, which is enough to see that a file is too large."""
    if str(path) == STDIN:
        return sys.stdin.buffer.read(limit + 1)
    if os.path.isdir(path):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    if "\0" in str(path):
        raise FileNotFoundError(errno.ENOENT, "a path cannot hold a NUL character", str(path))
    with open(os.open(path, os.O_RDONLY | _AT_ONCE), "rb") as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise OSError(errno.EINVAL, "it is not a file of text", str(path))
        size = os.fstat(file.fileno()).st_size
        return bytes(limit + 1) if size > limit else file.read(limit + 1)


def _decode(name: str, data: bytes, report: Diagnostics) -> Source | None:
    try:
        return Source(name, data.decode("utf-8"))
    except UnicodeDecodeError as error:
        if b"\0" in data and not data.startswith((BOM_UTF16_LE, BOM_UTF16_BE)):
            report.add("NET005", f"{name} is no text, but binary data", Span(Source(name, ""), 0, 0))
            return None
        place = len(data[: error.start].decode())
        report.add(
            "NET005",
            f"{name} is not UTF-8: byte {error.start} is 0x{data[error.start]:02x}",
            Span(Source(name, data.decode(errors="replace")), place, place + 1),
            help=("save the file as UTF-8",),
        )
        return None
