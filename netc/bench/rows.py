"""What is measured: a row for each engine, precision and batch."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from netc.bench.statistics import Ratio, percentile, ratio

FP32, INT8 = "fp32", "int8"


@dataclass(frozen=True, slots=True)
class Case:
    """An engine that runs a network in a precision on batches of one size. `make` is the function that makes it ready,
    as `module:function`; what that is given is in `netc.bench.subjects`."""

    engine: str
    batch: int
    make: str = "netc.bench.subjects:subject"
    precision: str = FP32

    @property
    def text(self) -> str:
        """Its name in messages."""
        return ", ".join([self.engine, *([self.precision] if self.precision != FP32 else []), f"batch {self.batch}"])

    @property
    def answers(self) -> bool:
        """Whether it answers as a file of `netc export` does: scales of int8 are seen on noise here, not on images."""
        return self.precision != INT8

    def alike(self, other: Case) -> bool:
        """Whether it differs in the batch at most."""
        return replace(self, batch=other.batch) == other


@dataclass(slots=True)
class Row:
    """What was found of a case, as far as it was measured. Times are seconds, sizes bytes.

    `times` are those of single calls, by the number of the round; `first` is from the start of the process to its first
    result; `difference` is how far that is from the first row's, relative to the largest number there. `error` says why
    there is no more.
    """

    case: Case
    name: str = ""
    times: dict[int, Sequence[float]] = field(default_factory=dict)
    first: float | None = None
    memory: int | None = None
    size: int | None = None
    difference: float | None = None
    accuracy: float | None = None
    error: str = ""

    @property
    def calls(self) -> list[float]:
        """The times of all calls."""
        return [time for turn in self.times.values() for time in turn]

    @property
    def median(self) -> float | None:
        """Seconds of a call that half of the calls do not exceed."""
        return statistics.median(self.calls) if self.times else None

    @property
    def slow(self) -> float | None:
        """Seconds of a call that 95 % of the calls do not exceed."""
        return percentile(self.calls, 0.95) if self.times else None

    @property
    def rate(self) -> float | None:
        """Images a second."""
        return self.case.batch * len(self.calls) / sum(self.calls) if self.times else None


def fastest(rows: Sequence[Row]) -> dict[int, Row]:
    """The row with the least median, for each batch."""
    found: dict[int, Row] = {}
    for row in rows:
        before = found.get(row.case.batch)
        if row.median is not None and (before is None or row.median < (before.median or 0)):
            found[row.case.batch] = row
    return found


def ratios(rows: Sequence[Row]) -> list[Ratio | None]:
    """How many times as long as the fastest of its batch each row takes."""
    best = fastest(rows)
    return [ratio(row.times, best[row.case.batch].times) if row.times else None for row in rows]
