"""Where results go: standard output, or a file that is replaced only by a complete one."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from netc import files
from netc.cli.endings import ReaderLeft, UsageError
from netc.diagnostics.escape import harmless

STDIO = "-"
REPLACED = frozenset({".svg", ".png", ".pdf", ".html", ".dot", ".csv", ".md", ".tikz"})  # figures and tables
_CODE, _BY = (b'"""', b'r"""'), b"\nWritten by netc from "
_JSON = b'{\n  "format": '
_TABLE = b"\\begin{tabular}"
_ONNX = b"\x08\x08\x12\x04netc"  # its version of the format, and who wrote it
_OPENVINO = b'<?xml version="1.0"?>\n<!-- netc '
FEATURES = ("features", "files")  # what an .npz of `netc predict --layer` holds


# -- the three streams ---------------------------------------------------------------------------------------


class _Unheard(io.TextIOWrapper):
    """Standard error, which nobody has to listen to: what cannot be written there is dropped."""

    def write(self, text: str) -> int:
        with suppress(OSError):
            super().write(text)
        return len(text)

    def flush(self) -> None:
        with suppress(OSError):
            super().flush()


def open_streams() -> None:
    """Make the standard streams fit to be used, whatever the caller has done to them.

    One that is closed must not give its number to the next file that is opened. Standard input and output are then
    opened the wrong way round, so that using them fails as with a closed file. Text that the terminal's encoding lacks
    is printed as escapes rather than failing.
    """
    for number, (name, flags) in enumerate((("stdin", os.O_WRONLY), ("stdout", os.O_RDONLY), ("stderr", os.O_WRONLY))):
        if getattr(sys, name) is not None:
            continue
        with suppress(OSError):
            os.dup2(os.open(os.devnull, flags), number)
            os.set_inheritable(number, True)
            setattr(sys, name, os.fdopen(number, "w" if number else "r", encoding="utf-8", closefd=False))
    if sys.stderr is sys.__stderr__ and isinstance(sys.stderr, io.TextIOWrapper):
        sys.stderr = _Unheard(sys.stderr.buffer, encoding=sys.stderr.encoding, line_buffering=True)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def emit(content: str | bytes, *, rendered: bool = False) -> None:
    """Write to standard output, at once. A terminal gets what could steer it as escapes, except in what is `rendered`:
    coloured, and harmless otherwise. Raises `ReaderLeft`, and `UsageError` where the output is full or closed."""
    if isinstance(content, str) and not rendered and sys.stdout.isatty():
        content = "\n".join("\t".join(map(harmless, line.split("\t"))) for line in content.split("\n"))
    try:
        if isinstance(content, str):
            sys.stdout.write(content)
        else:
            sys.stdout.flush()
            sys.stdout.buffer.write(content)
        sys.stdout.flush()
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or the interpreter's last flush fails again
        if isinstance(error, BrokenPipeError):
            raise ReaderLeft from None
        raise UsageError(f"cannot write to standard output: {reason(error)}") from None


def say(text: str, *, rendered: bool = False) -> None:
    """Something to know that is no result: to standard error, after the results so far. It may hold what a user or a
    spec calls things, and is one line, unless it is `rendered`."""
    print(text if rendered else harmless(text), file=sys.stderr)


def tell(text: str) -> None:
    """As `say`, of lines of which all but the first are indented by two blanks."""
    say("\n  ".join(map(harmless, text.split("\n  "))), rendered=True)


def reason(error: OSError) -> str:
    """Why the system refused, as a part of a sentence; what netc says itself is one already."""
    return str(error) if error.strerror is None else error.strerror[:1].lower() + error.strerror[1:]


# -- files ---------------------------------------------------------------------------------------------------


def keep(path: str, inputs: Iterable[str | os.PathLike[str]], *, force: bool = False) -> None:
    """Raises `UsageError` where writing this output would lose something: one of the inputs, or, unless that is wanted
    by `force`, a file that is neither a figure or table nor netc's own."""
    if path == STDIO or not os.path.isfile(path):
        return
    for one in inputs:
        if os.path.exists(one) and os.path.samefile(path, one):
            raise UsageError(f"`{path}` is read by this command: -o and another name keep it")
    if not (force or Path(path).suffix.lower() in REPLACED or _own(path)):
        raise UsageError(f"`{path}` was not written by netc: --force replaces it, -o and another name keep it")


def _own(path: str) -> bool:
    """Whether a file is empty, or says itself that netc wrote it, or the file says so that it belongs to."""
    if path.lower().endswith((".bin", ".onnx.data")):
        stem, ending = os.path.splitext(path)
        owner = stem + ".xml" if ending.lower() == ".bin" else stem
        return os.path.isfile(owner) and os.path.getsize(owner) > 0 and _own(owner)
    try:
        with open(path, "rb") as file:
            head = file.read(100_000)
        if head.startswith(b"PK"):
            import zipfile  # noqa: PLC0415 - only for an archive that is in the way

            with zipfile.ZipFile(path) as archive:
                return set(archive.namelist()) == {f"{name}.npy" for name in FEATURES}
    except Exception:  # whatever such a file holds, it is not netc's
        return False
    if path.lower().endswith(".tex"):  # a table, TikZ or a caption, and never a paper
        return not head or head.startswith(_TABLE) or b"netc" in head[:2000]
    docstring = head[: head.find(b'"""', len(_CODE[1]))]
    return (
        not head
        or head.startswith((_JSON, _ONNX, _OPENVINO))
        or (head.startswith(_CODE) and _BY in docstring.replace(b"\r", b""))
    )


def write(path: str, content: str | bytes, *, announce: bool = False, named: bool = False) -> None:
    """Write a file, or to standard output for `-`; say so if that is to be announced, or the file was `named` by netc,
    which then makes its folder. The old file stays whole if that fails, with `UsageError`."""
    if path == STDIO:
        emit(content)
        return
    folder = os.path.dirname(path)
    try:
        if named and folder:
            os.makedirs(folder, exist_ok=True)
        files.replace(path, content)
    except OSError as error:
        missing = f"there is no folder `{folder}`" if folder and not os.path.isdir(folder) else reason(error)
        raise UsageError(f"cannot write `{path}`: {missing}") from None
    if announce or named:
        say(f"wrote {path}")


def difference(name: str, old: str, new: str) -> str:
    """A unified diff, as `patch` reads it."""
    from difflib import unified_diff  # noqa: PLC0415 - only for --diff

    before, after = ([*io.StringIO(text, newline="\n")] for text in (old, new))  # lines end in nothing but \n
    lines = unified_diff(before, after, harmless(name), harmless(name))
    return "".join(line if line.endswith("\n") else line + "\n\\ No newline at end of file\n" for line in lines)
