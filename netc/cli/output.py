"""Where results go: standard output, or a file that is replaced only by a complete one."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from pathlib import Path

from netc.cli import UsageError
from netc.diagnostics.escape import harmless

STDIO = "-"


def emit(text: str) -> None:
    """Write a text to standard output; a terminal gets what could steer it as escapes."""
    if sys.stdout.isatty():
        text = "\n".join("\t".join(map(harmless, line.split("\t"))) for line in text.split("\n"))
    sys.stdout.write(text)


def write(path: str, content: str | bytes) -> None:
    """Write a file, or to standard output for `-`; the old file stays whole if that fails."""
    if path == STDIO:
        emit(content) if isinstance(content, str) else sys.stdout.buffer.write(content)
        return
    try:
        replace(path, content)
    except OSError as error:
        raise UsageError(f"cannot write `{harmless(path)}`: {error.strerror}") from None


def replace(path: str | os.PathLike[str], content: str | bytes) -> None:
    """Put a complete file in the place of another. Raises OSError; the old file stays whole then."""
    target = Path(os.path.realpath(path))  # a link stays a link
    data = content if isinstance(content, bytes) else content.encode("utf-8", "backslashreplace")
    if target.exists() and not target.is_file():  # a device or a pipe cannot be replaced; a directory refuses
        target.write_bytes(data)
        return
    beside = target.with_name(f".netc-{os.getpid()}.tmp")
    try:
        beside.write_bytes(data)
        if target.exists():
            beside.chmod(target.stat().st_mode & 0o7777)
        beside.replace(target)
    except BaseException:
        with suppress(OSError):
            beside.unlink()
        raise


def say(text: str) -> None:
    """Something to know that is no result: to standard error, behind the results so far."""
    sys.stdout.flush()
    print(text, file=sys.stderr)


def difference(name: str, old: str, new: str) -> str:
    """A unified diff, as `patch` reads it."""
    from difflib import unified_diff  # noqa: PLC0415 - only for --diff

    lines = unified_diff(_lines(old), _lines(new), name, name)
    return "".join(line if line.endswith("\n") else line + "\n\\ No newline at end of file\n" for line in lines)


def _lines(text: str) -> list[str]:
    *whole, rest = text.split("\n")
    return [line + "\n" for line in whole] + ([rest] if rest else [])
