"""How fast and how small `netc check` is, in whole cold processes: `python -m benchmarks.check`.

Times are medians of one run on one machine: read the ratios. It measures and judges nothing: the exit code is 0.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path

from netc.report.table import plain

ROOT = Path(__file__).resolve().parent.parent
NETC = [sys.executable, "-m", "netc"]
RESNET = [str(ROOT / "specs" / "resnet.net"), "-D", "n=18"]
VGG16 = str(ROOT / "specs" / "vgg16.net")
# Both sides run compiled, as pip leaves them: where the variable is set, ours alone would be compiled anew each time.
QUIET = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
QUIET |= {"TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": ""}
LINES = ("conv 16x3 bn relu", "conv 16x3/1 relu l2=1e-4", "pool 3/1", "dropout 0.1", "conv 16x1", "bn; relu")

HEAVY = """
import sys
from netc.cli import main
code = main(sys.argv[1:])
heavy = sorted({"tensorflow", "keras"} & {name.partition(".")[0] for name in sys.modules})
sys.exit(f"{heavy} imported" if heavy else f"exit code {code}" if code else 0)
"""


def cold(command: list[str]) -> tuple[float, float]:
    """Seconds and peak megabytes of a whole process."""
    start = time.perf_counter()
    process = subprocess.Popen(command, env=QUIET, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    seconds = time.perf_counter() - start
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} ended with {process.returncode}")
    return seconds, usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024) / 1e6


def median(command: list[str], runs: int) -> float:
    """Seconds of a command, the files it reads in the cache."""
    cold(command)
    return statistics.median(cold(command)[0] for _ in range(runs))


def against_keras() -> list[tuple[str, str, str]]:
    """Checking ResNet-110 against building it by hand."""
    ours = median([*NETC, "check", *RESNET], 9)
    rows = [("check resnet.net -D n=18", "", f"{ours:.2f} s")]
    if find_spec("keras") is None:
        return [*rows, ("the same in Keras, by hand", "", "keras is not installed")]
    keras = median([sys.executable, "-m", "benchmarks.keras_resnet110"], 3)
    rows.append(("the same in Keras, by hand", "", f"{keras:.2f} s"))
    return [*rows, ("ratio", ">= 20", f"{keras / ours:.1f}")]


def flat_files() -> list[tuple[str, str, str]]:
    """Files without structure."""
    times = []
    with tempfile.TemporaryDirectory() as folder:
        for count in (10_000, 40_000):
            path = Path(folder, f"flat{count}.net")
            lines = (LINES[index % len(LINES)] for index in range(count))
            path.write_text("\n".join(["net flat", "input 32x32x16", *lines]) + "\n")
            times.append(median([*NETC, "check", str(path)], 3))
    return [
        ("check of 10,000 statements", "about 2 s", f"{times[0]:.2f} s"),
        ("check of 40,000 statements", "", f"{times[1]:.2f} s"),
        ("ratio", "<= 4.6", f"{times[1] / times[0]:.2f}"),
    ]


def peak_memory() -> list[tuple[str, str, str]]:
    """Memory of a check."""
    return [("peak memory of check vgg16.net", "< 80 MB", f"{cold([*NETC, 'check', VGG16])[1]:.0f} MB")]


def heavy_imports() -> list[tuple[str, str, str]]:
    """Commands that must work without TensorFlow."""
    rows = []
    for command in (["check", VGG16], ["summary", VGG16], ["fmt", "--check", VGG16], ["compile", VGG16, "-o", "-"]):
        done = subprocess.run(
            [sys.executable, "-c", HEAVY, *command], env=QUIET, cwd=ROOT, check=False, capture_output=True, text=True
        )
        said = done.stderr.strip().splitlines()
        rows.append((f"TensorFlow or Keras after {command[0]}", "no", said[-1] if done.returncode else "no"))
    return rows


def main() -> None:
    """Measure everything and print a table."""
    rows = [*against_keras(), *flat_files(), *peak_memory(), *heavy_imports()]
    print(plain(("measured", "target", "result"), rows, (False, True, True)), end="")


if __name__ == "__main__":
    main()
