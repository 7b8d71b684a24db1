"""Ctrl-C and SIGTERM as a wish to stop: the steps under way end, and a checkpoint is written."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

SIGNALS = tuple(number for name in ("SIGINT", "SIGTERM") if (number := getattr(signal, name, None)) is not None)


@contextmanager
def handlers_kept() -> Iterator[None]:
    """Have the same signal handlers after what is done here: TensorFlow's coordination of workers takes SIGTERM."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class Stop:
    """Whether a signal asked to stop, and which."""

    def __init__(self) -> None:
        self.signal: int | None = None

    def __call__(self) -> bool:
        return self.signal is not None

    @property
    def code(self) -> int:
        """The exit code by which shells tell the signal; that of SIGTERM where another worker was told to stop."""
        return 128 + (self.signal or signal.SIGTERM)


@contextmanager
def stopping(say: Any) -> Iterator[Stop]:
    """Turn the first signal into a wish; a second one ends the process as usual."""
    stop = Stop()
    if threading.current_thread() is not threading.main_thread():
        yield stop
        return
    before = {number: signal.getsignal(number) for number in SIGNALS}

    def wish(number: int, frame: FrameType | None) -> None:
        stop.signal = number
        for one, handler in before.items():
            signal.signal(one, handler)
        say("stopping after the steps under way; once more ends at once, without a checkpoint")

    for number in SIGNALS:
        signal.signal(number, wish)
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
