"""A process that is told what to do, seen from the one that tells it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from tempfile import TemporaryFile
from threading import Timer
from time import perf_counter
from typing import Any

PATIENCE = 600.0  # seconds that one answer may take
START = "import sys; sys.path[:] = sys.argv[2:]; __import__(sys.argv[1], fromlist=['main']).main()"
WORKER, IMAGES = "netc.bench.worker", "netc.bench.images"  # what a process may be


class Ended(Exception):
    """A process that cannot go on, and why. The text is for the user."""


class Process:
    """A process that runs one of our modules, `begun` at a value of `perf_counter`. It ends with the `with` block, and
    has no part of Ctrl-C: that is its parent's."""

    def __init__(self, environment: Mapping[str, str], module: str = WORKER) -> None:
        self._late = False
        self.begun = perf_counter()
        self._said = TemporaryFile()  # noqa: SIM115 - closed with the process
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-c", START, module, *sys.path],  # it imports from where this process does
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._said,
            text=True,
            encoding="utf-8",
            env={**os.environ, **environment},
            start_new_session=True,
        )

    def __enter__(self) -> Process:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.communicate()
        self._said.close()

    def tell(self, message: Mapping[str, Any]) -> None:
        """Send a message. What is wrong with the process is seen when it is heard."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps(message) + "\n")
            self._process.stdin.flush()
        except OSError:
            return

    def hear(self) -> dict[str, Any]:
        """Wait for an answer. Raises `Ended` where there will be none."""
        assert self._process.stdout is not None
        patience = Timer(PATIENCE, self._give_up)
        patience.daemon = True
        patience.start()
        try:
            line = self._process.stdout.readline()
        finally:
            patience.cancel()
        if not line:
            raise Ended(f"no answer for {PATIENCE:.0f} s" if self._late else self._end())
        answer: dict[str, Any] = json.loads(line)
        if "error" in answer:
            raise Ended(answer["error"])
        return answer

    def _give_up(self) -> None:
        self._late = True
        self._process.kill()

    def _end(self) -> str:
        """Why the process ended by itself."""
        code = self._process.wait()
        if code == -signal.SIGKILL:
            return "the system ended the process, as it does where memory runs out"
        if code < 0:
            return f"the process crashed: {signal.strsignal(-code) or f'signal {-code}'}"
        self._said.seek(0)
        lines = self._said.read().decode("utf-8", "replace").strip().splitlines()
        return f"the process ended with code {code}" + (f": {lines[-1]}" if lines else "")


def environment(threads: int | None) -> dict[str, str]:
    """What a worker finds in its environment: no graphics card, and how many threads, for what asks there."""
    counts = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
    return {
        "CUDA_VISIBLE_DEVICES": "-1",
        "TF_CPP_MIN_LOG_LEVEL": "3",
        **({name: str(threads) for name in counts} if threads is not None else {}),
    }
