"""What processes of `netc bench` run in tests: engines that do something known."""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from netc.bench.subjects import Given, Subject
from netc.engines import EngineError

LOG = "NETC_BENCH_LOG"  # the file in which turns are noted


def ones(given: Given, value: float = 1.0) -> Any:
    """Answers of the right shape."""
    net = given.program.net
    return {name: np.full((given.batch, *net.shapes[name]), value, np.float32) for name in net.outputs}


def noting(given: Given) -> Subject:
    """Takes a millisecond, and says when."""

    def run(inputs: Any) -> Any:
        begun = time.monotonic()
        time.sleep(0.001)
        with Path(os.environ[LOG]).open("a") as file:
            file.write(f"{given.engine} {begun} {time.monotonic()}\n")
        return ones(given)

    return Subject("noting 1.0", run, lambda: 7)


def threads(given: Given) -> Subject:
    """Is called as many threads as it may use."""
    return Subject(f"{given.threads} {os.environ.get('OMP_NUM_THREADS')}", lambda inputs: ones(given), lambda: 0)


def large(given: Given) -> Subject:
    """Has 200 MB for a moment."""

    def run(inputs: Any) -> Any:
        np.ones(200_000_000, np.uint8)
        return ones(given)

    return Subject("large", run, lambda: 0)


def small(given: Given) -> Subject:
    """Has next to nothing."""
    return Subject("small", lambda inputs: ones(given), lambda: 0)


def other(given: Given) -> Subject:
    """Answers something else."""
    return Subject("other", lambda inputs: ones(given, 1.1), lambda: 0)


def chatty(given: Given) -> Subject:
    """Prints, as libraries do, also past Python."""
    print("hello")
    os.write(1, b"hello\n")
    return Subject("chatty", lambda inputs: ones(given), lambda: 0)


def refusing(given: Given) -> Subject:
    """An engine that does not take the network."""
    raise EngineError("no engine takes this\nand more")


def unready(given: Given) -> Subject:
    """A mistake of an engine."""
    raise RuntimeError("broken")


def leaving(given: Given) -> Subject:
    """Ends as libraries do that call abort."""
    print("terminate called", file=sys.stderr, flush=True)
    os._exit(7)


def killed(given: Given) -> Subject:
    """Ends as where memory runs out, after its first turn."""
    calls = iter(range(100))

    def run(inputs: Any) -> Any:
        if next(calls) > 50:
            os.kill(os.getpid(), signal.SIGKILL)
        time.sleep(0.02)
        return ones(given)

    return Subject("killed", run, lambda: 0)
