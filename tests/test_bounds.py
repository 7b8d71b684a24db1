"""What a spec could blow up, with the limits as they ship: whole processes that end soon, small, and with a message."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

SECONDS, MEGABYTES = 6.0, 300  # of the processor and of memory: a second or two, and room for a slow machine
INPUT = "input 32x32x3\n"
LAUGHS = "".join(f"def f{n}() {{ " + "; ".join([f"f{n - 1}"] * 10) + " }\n" for n in range(1, 12)) + INPUT + "f11\n"
DEEP = "".join(f"def f{n}() {{ " + "repeat 1 { " * 95 + f"f{n - 1}" + " }" * 95 + " }\n" for n in range(1, 99))


@dataclass(frozen=True)
class Ended:
    """How a process ended, what it said, and what it took."""

    code: int
    said: str
    seconds: float
    megabytes: float


# A process begins with the peak of the one that forked it, so a small one stands between the tests and what is measured.
MEASURE = """
import os, resource, sys
resource.setrlimit(resource.RLIMIT_AS, (2 << 30, 2 << 30))
child = os.posix_spawn(sys.executable, [sys.executable, "-m", "netc", "check", sys.argv[1]], os.environ)
_, status, usage = os.wait4(child, 0)
code = os.waitstatus_to_exitcode(status)
print(code, usage.ru_utime + usage.ru_stime, usage.ru_maxrss, file=open(sys.argv[2], "w"))
"""


def check(path: str | Path, folder: Path) -> Ended:
    """`netc check`, as a process of its own with 2 GB of addresses."""
    command = [sys.executable, "-c", MEASURE, str(path), str(folder / "measured")]
    said = subprocess.run(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=True
    )
    code, seconds, peak = (folder / "measured").read_text().split()
    unit = 1e6 if sys.platform == "darwin" else 1e3
    return Ended(int(code), said.stdout.decode(), float(seconds), float(peak) / unit)


def holds(ended: Ended, code: str, exit_code: int = 1) -> None:
    assert ended.code == exit_code, ended.said[-2000:]
    assert f"[{code}]" in ended.said, ended.said[:2000]
    assert ended.seconds < SECONDS, ended.seconds
    assert ended.megabytes < MEGABYTES


TEXTS: dict[str, tuple[str, str | bytes]] = {
    "one repeat": ("NET603", INPUT + "repeat 1000000000 { conv 8x3 }\n"),
    "nested repeats": ("NET604", INPUT + "repeat 1000 { repeat 1000 { repeat 1000 { conv 8x3 } } }\n"),
    "nested repeats by a parameter": ("NET608", INPUT + "param n = 1000\nrepeat n { repeat n { if n < 0 { bn } } }\n"),
    "nested repeats of nothing": ("NET608", INPUT + "repeat 1000 { repeat 1000 { if false { conv 8x3 } } }\n"),
    "nested repeats of an unknown name": ("NET608", INPUT + "repeat 1000 { repeat 1000 { brrr } }\n"),
    "nested repeats of a mistake": ("NET604", INPUT + "repeat 1000 { repeat 101 as i { conv 8x3 stirde=(i) } }\n"),
    "a repeat of mistakes": ("NET604", INPUT + "repeat 50000 as i { add { | identity | conv 8x3 stirde=(i) } }\n"),
    "laughs": ("NET604", "def f0() { conv 8x3 }\n" + LAUGHS),
    "silent laughs": ("NET608", "def f0() { if false { conv 8x3 } }\n" + LAUGHS),
    "braces": ("NET602", INPUT + "repeat 2 { " * 100_000 + "}" * 100_000),
    "parentheses": ("NET602", INPUT + "conv " + "(" * 100_000 + "8" + ")" * 100_000 + "x3\n"),
    "branches in branches": ("NET602", INPUT + "add { | identity | " * 100_000),
    "blocks in definitions in blocks": ("NET602", "def f0() { conv 8x3 }\n" + DEEP + INPUT + "f98\n"),
    "a chain of calls": (
        "NET602",
        "def f0() { bn }\n" + "".join(f"def f{n}() {{ f{n - 1} }}\n" for n in range(1, 5000)) + INPUT + "f4999\n",
    ),
    "operators": ("NET609", INPUT + "param a = " + "1+" * 100_000 + "1\n"),
    "filters": ("NET605", INPUT + "conv 999999999x3\n"),
    "a kernel": ("NET606", INPUT + "conv 8x999999999\n"),
    "upsampling": ("NET605", INPUT + "repeat 100 { upsample 2 }\n"),
    "a power": ("NET607", INPUT + "conv (9**9**9)x3\n"),
    "5,000 digits": ("NET607", INPUT + "conv " + "9" * 5000 + "x3\n"),
    "a million digits": ("NET609", INPUT + "conv " + "9" * 1_000_000 + "x3\n"),
    "one long word": ("NET609", INPUT + "conv 8x3 " + "a" * 1_900_000 + "\n"),
    "one long line of words": ("NET609", INPUT + "conv 8x3 " + "a " * 950_000 + "\n"),
    "one long line of 10 MB": ("NET601", "a" * 10_000_000),
    "a string without an end": ("NET609", INPUT + 'param s = "' + "a" * 1_900_000 + "\n"),
    "a string": ("NET609", INPUT + 'param s = "' + "a" * 1_900_000 + '"\n'),
    "bars": ("NET609", INPUT + "add {" + "|" * 1_000_000 + "}"),
    "closing braces": ("NET001", INPUT + "}" * 1_000_000),
    "a long label": ("NET609", INPUT + "a" * 1_000_000 + ": conv 8x3\n"),
    "long names": (
        "NET609",
        f"def f() {{ {'b' * 9000}: conv 8x3 }}\n" + INPUT + f"repeat 9000 {{ {'a' * 9000}: f }}\n",
    ),
    "10,000 unknown names": ("NET101", INPUT + "convv 8x3\n" * 10_000),
    "10,000 unknown options": ("NET102", INPUT + "conv 8x3 stirde=2\n" * 10_000),
    "10,000 unknown labels": ("NET114", INPUT + "".join(f"from nowhere{n}\n" for n in range(10_000))),
    "a size of names": ("NET007", INPUT + "conv " + "ax" * 9_000 + "3/1x2x3x4b\n"),
    "sizes of names": ("NET104", INPUT + ("conv a" + "x3" * 9_900 + "b\n") * 90),
    "sizes with names": ("NET004", INPUT + ("conv " + "1/" * 9_900 + "a\n") * 30),
    "quotes": ("NET006", INPUT + 'param s = "' + '\\"' * 900_000 + "\n"),
    "blanks": ("NET101", INPUT + (" " * 19_990 + "brr\n") * 99),
    "blanks in sizes": ("NET004", INPUT + ("conv 8" + " " * 9_980 + "x 3\n") * 190),
    "divisions": ("NET007", INPUT + "def f() { " + "bn ((1)); " * 10_000 + "}\n" + "conv (8) / / 3\n" * 990),
    "spaced strides": ("NET004", INPUT + ("conv 8" + " /1" * 6_000 + " x\n") * 100),
    "no UTF-8": ("NET005", b"input 8x8x3\n\xff\xfe conv 8x3\n"),
    "NUL bytes": ("NET609", b"input 8x8x3\nconv 8x3\0\n" + bytes(1_900_000)),
    "a path with NUL": ("NET006", b'use "a\\0b"\ninput 8x8x3\n'),
    "itself included": ("NET123", 'use "spec.net"\n' + INPUT + "conv 8x3\n"),
    "a file outside included": ("NET123", 'use "../../../../../../etc/passwd"\n' + INPUT + "conv 8x3\n"),
    "a link to the outside included": ("NET123", 'use "outside.net"\n' + INPUT + "conv 8x3\n"),
    "a link to itself included": ("NET123", 'use "loop.net"\n' + INPUT + "conv 8x3\n"),
    "a pipe included": ("NET123", 'use "pipe.net"\n' + INPUT + "conv 8x3\n"),
    "a large file included": ("NET123", 'use "sparse.net"\n' + INPUT + "conv 8x3\n"),
    "a folder included": ("NET123", 'use "."\n' + INPUT + "conv 8x3\n"),
}


def special_files(folder: Path) -> None:
    (folder / "outside.net").symlink_to("/etc/passwd")
    (folder / "loop.net").symlink_to("loop.net")
    os.mkfifo(folder / "pipe.net")
    with (folder / "sparse.net").open("wb") as file:
        file.truncate(1 << 30)


@pytest.mark.parametrize("name", TEXTS)
def test_texts(name: str, tmp_path: Path) -> None:
    code, text = TEXTS[name]
    special_files(tmp_path)
    (tmp_path / "spec.net").write_bytes(text if isinstance(text, bytes) else text.encode())
    holds(check(tmp_path / "spec.net", tmp_path), code)


FILES: dict[str, tuple[str, Callable[[Path], str | Path]]] = {
    "a sparse gigabyte": ("NET601", lambda folder: folder / "sparse.net"),
    "a pipe": ("NET005", lambda folder: folder / "pipe.net"),
    "a link to itself": ("NET005", lambda folder: folder / "loop.net"),
    "a folder of all these": ("NET601", lambda folder: folder),
    "an endless device": ("NET005", lambda folder: "/dev/zero"),
    "nothing": ("NET005", lambda folder: folder / "missing.net"),
    "a name without an end": ("NET005", lambda folder: "a" * 5000),
}


@pytest.mark.parametrize("name", FILES)
def test_files(name: str, tmp_path: Path) -> None:
    code, path = FILES[name]
    special_files(tmp_path)
    holds(check(path(tmp_path), tmp_path), code, 1 if name == "a sparse gigabyte" else 2)
