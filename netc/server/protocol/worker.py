"""The thread that works on texts: one thing after the other, each of which can be ended before it is done."""

from __future__ import annotations

import asyncio
import ctypes
import gc
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TypeVar

T = TypeVar("T")
PATIENCE = 1.0  # seconds until what was told to end is told so again
STACK = 64 * 2**20  # bytes: threads have less than programs on some systems


class Ended(BaseException):
    """Raised in work that is for no one any more. It is no `Exception`, so that nothing that goes on after errors goes
    on after this."""


class Task:
    """Work that can be ended, on the text of a `name`: `since` when it is done (monotonic, in seconds), whether it is
    `over` before that, and until when it is `told` so no more."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.since = self.told = 0.0
        self.over = False


class Worker:
    """One thread. What it does knows nothing of being ended: Python raises `Ended` in it, wherever it is."""

    def __init__(self) -> None:
        before = threading.stack_size(STACK)
        self._threads = ThreadPoolExecutor(1, "netc")
        self._thread: int = self._threads.submit(threading.get_ident).result()
        threading.stack_size(before)
        self._lock = threading.Lock()
        self.task: Task | None = None  # that can be ended now

    def run(self, work: Callable[[], T]) -> asyncio.Future[T]:
        """Do something when its turn comes."""
        return asyncio.get_running_loop().run_in_executor(self._threads, work)

    def endable(self, task: Task, work: Callable[[], T]) -> T:
        """Do the part of something that can be ended; called in the thread. Raises `Ended`: also where work that was
        ended came to a result or to an error, as some code in C makes another error of one, or goes on."""
        try:
            self._begin(task)
            done = work()
            self._leave()
        except BaseException:
            self._left()
            if not task.over:
                raise
        if task.over:
            gc.enable()  # which compiling pauses
            raise Ended
        return done

    def _begin(self, task: Task) -> None:
        with self._lock:
            task.since = time.monotonic()
            self.task = task
        if task.over:
            raise Ended

    def _leave(self) -> None:
        """Be out of reach: also for an end that has been sent and has not come."""
        with self._lock:
            self.task = None
            _raise(self._thread, None)

    def _left(self) -> None:
        while self.task is not None:
            with suppress(Ended):
                self._leave()

    def end(self, task: Task) -> bool:
        """End a task, also before it begins. False where it is still done, and has to be told again in a moment: in the
        middle of an import, which would leave half a module, or where Python passes over the error."""
        with self._lock:
            task.over = True
            if self.task is not task:
                return True
            if time.monotonic() >= task.told and not self._imports():
                task.told = time.monotonic() + PATIENCE
                _raise(self._thread, Ended)
        return False

    def _imports(self) -> bool:
        frame = sys._current_frames().get(self._thread)
        while frame is not None:
            if frame.f_code.co_filename.startswith("<frozen importlib"):
                return True
            frame = frame.f_back
        return False


def _raise(thread: int, error: type[BaseException] | None) -> None:
    """Have an error raised in a thread before its next step, or none that has been sent before."""
    given = None if error is None else ctypes.py_object(error)
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), given)
