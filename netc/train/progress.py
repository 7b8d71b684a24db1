"""What training says while it runs: lines for a pipe, a bar for a terminal, nothing where nothing is wanted."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any, TextIO

from netc.diagnostics.escape import harmless
from netc.train.log import COUNTS, RATE

if TYPE_CHECKING:
    from netc.sections.base import Clock

Values = Callable[[], Mapping[str, float]]  # asked for only where they are shown
QUIET_SECONDS = 10.0  # between two lines in the middle of an epoch
SMOOTHING = 0.7  # of the speed shown


class Progress:
    """Hears of everything that happens; this one says nothing."""

    def note(self, text: str) -> None:
        """Something to know."""

    def reading(self, what: str, done: int, whole: int) -> None:
        """The data are being looked at."""

    def begins(self, clock: Clock, batch: int, step: int) -> None:
        """Training starts after a step."""

    def stepped(self, step: int, count: int, values: Values) -> None:
        """Some steps are done."""

    def validating(self) -> None:
        """The validation images are up next."""

    def logged(self, row: Mapping[str, float]) -> None:
        """A row was added to the log."""

    def saved(self, path: Path) -> None:
        """A checkpoint was written."""

    def ends(self) -> None:
        """Training is over, or was stopped."""


def quantities(values: Mapping[str, float]) -> str:
    """`loss 0.4312  accuracy 0.8712`"""
    return "  ".join(f"{name} {_short(value)}" for name, value in values.items() if name not in (*COUNTS, RATE))


def _short(value: float) -> str:
    return f"{value:.4f}" if 1e-3 <= abs(value) < 1e4 or value == 0 else f"{value:.3e}"


def span(seconds: float) -> str:
    """`42 s`, `3:07 min` or `2:15 h`"""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    return f"{minutes}:{rest:02d} min" if minutes < 60 else f"{minutes // 60}:{minutes % 60:02d} h"


@dataclass(slots=True)
class Speed:
    """Images a second, lately, and the time left."""

    batch: int
    left: int = 0
    last: float = 0.0
    seconds: float = 0.0  # a step, smoothed

    def start(self) -> None:
        """From now on."""
        self.last = monotonic()

    def stepped(self, count: int, left: int) -> None:
        """So many steps since `start` or the last call."""
        now = monotonic()
        step = (now - self.last) / count
        self.seconds = step if not self.seconds else SMOOTHING * self.seconds + (1 - SMOOTHING) * step
        self.last, self.left = now, left

    def __str__(self) -> str:
        if not self.seconds:
            return ""
        return f"{self.batch / self.seconds:,.0f} images/s, {span(self.left * self.seconds)} left"


class Lines(Progress):
    """Plain lines: one a row of the log, and one now and then in a long epoch."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self.stream = stream or sys.stderr
        self.clock: Any = None
        self.speed = Speed(1)
        self.spoken = monotonic()
        self.first = False

    def say(self, text: str) -> None:
        """One line, at once."""
        print(harmless(text), file=self.stream, flush=True)
        self.spoken = monotonic()

    def note(self, text: str) -> None:
        self.say(text)

    def reading(self, what: str, done: int, whole: int) -> None:
        if monotonic() - self.spoken > QUIET_SECONDS:
            self.say(f"{what}: {done:,} of {whole:,}")

    def begins(self, clock: Clock, batch: int, step: int) -> None:
        self.clock, self.speed, self.first = clock, Speed(batch), True
        self.speed.start()
        self.spoken = monotonic()

    def stepped(self, step: int, count: int, values: Values) -> None:
        self._measure(step, count)
        if monotonic() - self.spoken > QUIET_SECONDS:
            epoch, batch = divmod(step - 1, self.clock.per_epoch)
            shown = quantities(values())
            self.say(f"{self._place(epoch)} step {batch + 1}/{self.clock.per_epoch}  {shown}  ({self.speed})")

    def _measure(self, step: int, count: int) -> None:
        if self.first:  # the first call also makes the graph
            self.first = False
            self.speed.start()
            return
        self.speed.stepped(count, self.clock.total - step)

    def _place(self, epoch: int) -> str:
        epochs = -(-self.clock.total // self.clock.per_epoch)
        return f"epoch {epoch + 1}/{epochs}"

    def logged(self, row: Mapping[str, float]) -> None:
        speed = f"  ({self.speed})" if str(self.speed) else ""
        middle = f" step {int(row['step']):,}" if row["step"] % self.clock.per_epoch else ""
        self.say(f"{self._place(int(row['epoch']) - 1)}{middle}  {quantities(row)}{speed}")
        self.speed.start()

    def saved(self, path: Path) -> None:
        self.speed.start()


class Bar(Lines):
    """A live bar for the epoch under way; rows of the log scroll above it."""

    def __init__(self, stream: TextIO | None = None) -> None:
        super().__init__(stream)
        from rich.console import Console  # noqa: PLC0415 - only on a terminal
        from rich.progress import BarColumn, TextColumn  # noqa: PLC0415
        from rich.progress import Progress as RichProgress  # noqa: PLC0415

        self.bar = RichProgress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            TextColumn("{task.completed}/{task.total}"),
            TextColumn("{task.fields[values]}"),
            console=Console(file=self.stream, highlight=False),
            transient=True,
        )
        self.task: Any = None

    def say(self, text: str) -> None:
        if self.bar.live.is_started:
            self.bar.console.print(harmless(text), markup=False, highlight=False, soft_wrap=True)
        else:
            super().say(text)

    def begins(self, clock: Clock, batch: int, step: int) -> None:
        super().begins(clock, batch, step)
        self.task = self.bar.add_task("starting", total=clock.per_epoch, completed=step % clock.per_epoch, values="")
        self.bar.start()

    def stepped(self, step: int, count: int, values: Values) -> None:
        self._measure(step, count)
        epoch, batch = divmod(step - 1, self.clock.per_epoch)
        shown = f"{quantities(values())}  {self.speed}"
        self.bar.update(self.task, description=self._place(epoch), completed=batch + 1, values=shown)

    def validating(self) -> None:
        self.bar.update(self.task, description="validating")

    def ends(self) -> None:
        if self.bar.live.is_started:
            self.bar.stop()


def progress_for(stream: TextIO) -> Progress:
    """A bar where the stream is a terminal that can show one, else lines."""
    import os  # noqa: PLC0415

    return Bar(stream) if stream.isatty() and os.environ.get("TERM") != "dumb" else Lines(stream)
