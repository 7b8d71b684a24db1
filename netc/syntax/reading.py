"""Files to sources, within bounds and with errors that say what is wrong."""

from __future__ import annotations

import os
import stat
import sys
from pathlib import Path

from netc.diagnostics.model import Diagnostics
from netc.limits import Limits
from netc.syntax.source import Source, Span

STDIN = "-"


def read(path: str | Path, limits: Limits, report: Diagnostics) -> Source | None:
    """The text of a file, or of standard input for `-`; None after reporting why there is none."""
    name = "<stdin>" if str(path) == STDIN else str(path)
    place = Span(Source(name, ""), 0, 0)
    try:
        data = _bytes(path, limits.file_size)
    except OSError as error:
        reason = (error.strerror or "it cannot be read").lower()
        report.add("NET005", f"cannot read {name}: {reason}", place)
        return None
    except ValueError:
        report.add("NET005", f"cannot read {name!a}: a path cannot hold a NUL character", place)
        return None
    if len(data) > limits.file_size:
        report.add(
            "NET601",
            f"{name} is larger than {limits.file_size:,} bytes",
            place,
            help=("raise the bound with `--limit file_size=BYTES`",),
        )
        return None
    return _decode(name, data, report, place)


def _bytes(path: str | Path, limit: int) -> bytes:
    """At most one byte more than the limit, which is enough to see that a file is too large."""
    if str(path) == STDIN:
        return sys.stdin.buffer.read(limit + 1)
    with open(os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0)), "rb") as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise OSError(0, "it is not a file of text")
        size = os.fstat(file.fileno()).st_size
        return bytes(limit + 1) if size > limit else file.read(limit + 1)


def _decode(name: str, data: bytes, report: Diagnostics, place: Span) -> Source | None:
    try:
        return Source(name, data.decode("utf-8"))
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        report.add(
            "NET005",
            f"{name} is not UTF-8: byte {error.start} (0x{data[error.start]:02x}), in line {line}",
            place,
            help=("save the file as UTF-8",),
        )
        return None
