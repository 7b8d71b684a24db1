"""On what was measured."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from netc import __version__


@dataclass(frozen=True, slots=True)
class Machine:
    """A processor by its name, how many of it this process may use, the bytes of memory, and what runs there."""

    processor: str
    processors: int
    memory: int
    system: str
    python: str
    netc: str

    @classmethod
    def this(cls) -> Machine:
        """The machine that this process runs on."""
        import psutil  # noqa: PLC0415 - comes with what reads weights

        return cls(
            _processor(),
            len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1,
            psutil.virtual_memory().total,
            f"{platform.system()} {platform.machine()}",
            platform.python_version(),
            __version__,
        )

    @property
    def text(self) -> str:
        """It, in a line."""
        count = f"{self.processors} processor{'s' * (self.processors != 1)}"
        memory = f"{self.memory / 1e9:.0f} GB"
        return f"{self.processor}, {count}, {memory}; {self.system}, Python {self.python}, netc {self.netc}"


def _processor() -> str:
    """What the processor calls itself, as far as that can be had."""
    with suppress(OSError, StopIteration):
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next(line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    if sys.platform == "darwin":
        with suppress(OSError, subprocess.SubprocessError):
            asked = ["sysctl", "-n", "machdep.cpu.brand_string"]
            return subprocess.run(asked, check=True, capture_output=True, text=True).stdout.strip()
    return platform.processor() or platform.machine() or "an unknown processor"
