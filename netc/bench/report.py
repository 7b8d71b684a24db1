"""Rows as a table, as JSON and as CSV."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from netc.bench.machine import Machine
from netc.bench.measure import Plan
from netc.bench.rows import FP32, Row, ratios
from netc.bench.statistics import Ratio
from netc.report.table import comma_separated, plain
from netc.targets.proof import TOLERANCE

FORMATS = ("text", "json", "csv")
_RIGHT = 2  # columns from this one on are numbers


@dataclass(frozen=True, slots=True)
class Report:
    """What was measured, of what, where and how; `absent` are engines that are not installed, with what to do,
    and `judged` says on which images accuracy is."""

    network: str
    weights: str
    rows: Sequence[Row]
    plan: Plan
    machine: Machine
    absent: Mapping[str, str]
    whole: bool = True
    judged: str = ""

    def render(self, format: str) -> str:
        """All of it in one of `FORMATS`."""
        render: Mapping[str, Callable[[], str]] = {"text": self._text, "json": self._json, "csv": self._csv}
        return render[format]()

    @property
    def threads(self) -> str:
        """How many threads each row had."""
        count = self.plan.threads
        return f"{count} thread{'s' * (count != 1)} each" if count else "as many threads as each engine takes"

    def _text(self) -> str:
        header, cells = self._cells()
        lines = [f"{self.network}, {self.weights}", f"{self.machine.text}; {self.threads}", ""]
        lines += [plain(header, cells, [at >= _RIGHT for at in range(len(header))]), *self.notes()]
        return "\n".join(lines).rstrip() + "\n"

    def notes(self) -> list[str]:
        """What the table does not say: rows that have no more to say, and answers that are not the same."""
        found = [f"{row.case.text}: {row.error}" for row in self.rows if row.error]
        first = {row.case.batch: row.name for row in reversed(self.rows) if row.difference == 0}
        found += [
            f"{row.case.text}: its answers differ from those of {first[row.case.batch]} by {row.difference:.1e} of the "
            f"largest, and up to {TOLERANCE:.0e} is rounding"
            for row in self.rows
            if row.difference is not None and not row.difference <= TOLERANCE and row.case.precision == FP32
        ]
        found += [self.judged] if self.judged else []
        return [*found, *([] if self.whole else ["stopped: this is what was measured so far"])]

    def _cells(self) -> tuple[list[str], list[list[str]]]:
        """The table, without columns in which nothing is known."""
        columns: Mapping[str, Callable[[Row, Ratio | None], str]] = {
            "engine": lambda row, _: row.name or row.case.engine,
            "precision": lambda row, _: row.case.precision if self._mixed else "",
            "batch": lambda row, _: str(row.case.batch),
            "p50": lambda row, _: shown_time(row.median),
            "p95": lambda row, _: shown_time(row.slow),
            "images/s": lambda row, _: "" if row.rate is None else _short(row.rate),
            "times the fastest": lambda _, ratio: "" if ratio is None else _ratio(ratio),
            "first result": lambda row, _: "" if row.first is None else f"{row.first:.2f} s",
            "memory": lambda row, _: _bytes(row.memory),
            "file": lambda row, _: _bytes(row.size),
            "accuracy": lambda row, _: "" if row.accuracy is None else f"{row.accuracy:.2%}",
        }
        compared = ratios(self.rows)
        found = {
            name: [cell(row, ratio) for row, ratio in zip(self.rows, compared, strict=True)]
            for name, cell in columns.items()
        }
        shown = {name: cells for name, cells in found.items() if any(cells)}
        return list(shown), [list(cells) for cells in zip(*shown.values(), strict=True)]

    @property
    def _mixed(self) -> bool:
        return any(row.case.precision != FP32 for row in self.rows)

    def _data(self) -> list[dict[str, Any]]:
        return [_row(row, ratio) for row, ratio in zip(self.rows, ratios(self.rows), strict=True)]

    def _csv(self) -> str:
        rows = self._data()
        cells = [[_cell(value) for value in row.values()] for row in rows]
        return comma_separated(list(rows[0]), cells)

    def _json(self) -> str:
        said = {
            "network": self.network,
            "weights": self.weights,
            "machine": asdict(self.machine),
            "plan": asdict(self.plan),
            "whole": self.whole,
            "judged": self.judged,
            "absent": dict(self.absent),
            "rows": self._data(),
        }
        return json.dumps(said, indent=1) + "\n"


def _row(row: Row, ratio: Ratio | None) -> dict[str, Any]:
    """A row as data: seconds and bytes."""
    low, high = (ratio and ratio.interval) or (None, None)
    return {
        "engine": row.case.engine,
        "name": row.name,
        "precision": row.case.precision,
        "batch": row.case.batch,
        "p50": row.median,
        "p95": row.slow,
        "images_per_second": row.rate,
        "ratio": ratio.median if ratio else None,
        "ratio_low": low,
        "ratio_high": high,
        "rounds": len(row.times),
        "calls": len(row.calls),
        "first_result": row.first,
        "peak_memory": row.memory,
        "file_size": row.size,
        "accuracy": row.accuracy,
        "difference": row.difference,
        "error": row.error,
    }


def _cell(value: object) -> str:
    return "" if value is None else f"{value:.6g}" if isinstance(value, float) else str(value)


def shown_time(seconds: float | None) -> str:
    """Seconds as milliseconds, nothing where they are not known."""
    return "" if seconds is None else f"{_short(seconds * 1000)} ms"


def _short(value: float) -> str:
    """Three digits, or all before the point."""
    return f"{value:,.0f}" if value >= 99.95 else f"{value:.1f}" if value >= 9.995 else f"{value:.2f}"


def _bytes(count: int | None) -> str:
    return "" if count is None else f"{_short(count / 1e6)} MB"


def _ratio(ratio: Ratio) -> str:
    if ratio.interval is None or ratio.interval == (1, 1):
        return _short(ratio.median)
    low, high = ratio.interval
    return f"{_short(ratio.median)} ({_short(low)} to {_short(high)})"
