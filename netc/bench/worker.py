"""A process that runs one engine: it answers its first batch, and then as often as it is told.

It reads and writes JSON, a line a message. Whatever libraries print to standard output goes to standard error.
"""

from __future__ import annotations

import json
import os
import pickle
import sys
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import IO, TYPE_CHECKING, Any

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from netc.bench.subjects import Given, Subject

WARM_SECONDS, WARM_CALLS = 0.3, 3  # calls before the measuring: for so long, and so many unless they take longer
WARM_KEPT = 1000  # whose times are held


def main() -> None:
    """Do what is asked, until nobody asks any more."""
    serve(_replies)


def serve(answer: Callable[[IO[str]], Iterator[dict[str, Any]]]) -> None:
    """Send the answers to requests, and the error that ends them."""
    replies = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    try:
        for reply in answer(sys.stdin):
            _send(replies, reply)
    except Exception as error:
        _send(replies, {"error": _words(error)})


def _send(replies: IO[str], reply: object) -> None:
    print(json.dumps(reply), file=replies, flush=True)


def _replies(requests: IO[str]) -> Iterator[dict[str, Any]]:
    from netc.bench.subjects import Given  # noqa: PLC0415 - what it lacks is an answer too

    job = json.loads(next(requests))
    given = Given(*_read(job), job["engine"], job["precision"], job["batch"], job["threads"])
    subject = _made(job["make"], given)
    inputs = _inputs(job["inputs"])
    answers = subject.run(inputs)
    yield {"name": subject.name}
    _write(job["answers"], answers)
    yield {"call": _warmed(subject, inputs)}
    for line in requests:
        request = json.loads(line)
        if request["do"] == "turn":
            yield {"times": _turn(subject, inputs, request["calls"]), "memory": peak()}
        elif request["do"] == "size":
            yield {"size": subject.size()}
        else:
            _write(request["answers"], subject.run(_inputs(request["inputs"])))
            yield {}


def _read(job: dict[str, Any]) -> tuple[Any, Any]:
    """The network and its weights, from files that netc has just written for this process."""
    from netc.targets.keras.weights import read  # noqa: PLC0415

    program = pickle.loads(Path(job["program"]).read_bytes())
    return program, read(Path(job["weights"]), program.net)[0]


def _made(make: str, given: Given) -> Subject:
    module, _, function = make.partition(":")
    made: Subject = getattr(import_module(module), function)(given)
    return made


def _inputs(path: str) -> dict[str, NDArray[Any]]:
    import numpy  # noqa: PLC0415

    with numpy.load(path) as held:
        return dict(held)


def _write(path: str, answers: Any) -> None:
    import numpy  # noqa: PLC0415

    numpy.savez(path, **answers)


def _warmed(subject: Subject, inputs: dict[str, NDArray[Any]]) -> float:
    """Seconds of a call, after some."""
    times, spent = list[float](), 0.0
    while spent < WARM_SECONDS or (len(times) < WARM_CALLS and spent < WARM_SECONDS * WARM_CALLS):
        times += _calls(subject, inputs, 1)
        spent += times[-1]
        if len(times) > WARM_KEPT:  # memory is measured too
            del times[: WARM_KEPT // 2]
    return median(times[len(times) // 2 :])


def _turn(subject: Subject, inputs: dict[str, NDArray[Any]], calls: int) -> list[float]:
    """Seconds of each call. Others have run since the last turn: what is short is called once before."""
    if calls > WARM_CALLS:
        _calls(subject, inputs, 1)
    return _calls(subject, inputs, calls)


def _calls(subject: Subject, inputs: dict[str, NDArray[Any]], count: int) -> list[float]:
    times = []
    for _ in range(count):
        start = perf_counter()
        subject.run(inputs)
        times.append(perf_counter() - start)
    return times


def peak() -> int:
    """The most bytes of memory that this process has had."""
    try:
        status = Path("/proc/self/status").read_text()  # getrusage counts what the parent had when it forked
        return next(int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmHWM"))
    except (OSError, StopIteration):
        import psutil  # noqa: PLC0415 - elsewhere than on Linux

        held: Any = psutil.Process().memory_info()
        if hasattr(held, "peak_wset"):  # on Windows
            return int(held.peak_wset)
        import resource  # noqa: PLC0415 - not on Windows

        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def _words(error: Exception) -> str:
    """What an engine says that refuses a network, in a line; other errors with their class."""
    text = (str(error).strip().splitlines() or [""])[0]
    return text if type(error).__module__.startswith("netc.") else f"{type(error).__name__}: {text}"
