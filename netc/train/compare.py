"""Runs beside each other: what they came to, and in what they differ."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from netc.report.table import comma_separated, markdown, plain
from netc.train.log import COUNTS, RATE
from netc.train.progress import span
from netc.train.record import Record
from netc.train.run import Run, last_row

FORMATS = ("text", "json", "csv", "md")


@dataclass(frozen=True, slots=True)
class Summary:
    """A run in short."""

    run: Run
    record: Record
    row: Mapping[str, float]

    @classmethod
    def of(cls, run: Run) -> Summary:
        """Read a run; raises `RunError`."""
        return cls(run, run.read(), last_row(run))

    def facts(self) -> dict[str, str]:
        """What stands in a table, as text."""
        return {
            "run": str(self.run.folder),
            "status": self.record.status,
            "step": f"{int(self.row['step']):,}" if self.row else "0",
            "epoch": f"{int(self.row['epoch'])}" if self.row else "0",
            **{name: f"{value:.4f}" for name, value in self.row.items() if name not in (*COUNTS, RATE)},
            "time": span(self.record.seconds) if self.record.seconds else "",
        }

    def choices(self) -> dict[str, str]:
        """What was chosen for it, flat: `n`, `optimizer.lr`, `data`, `seed`."""
        settings = self.record.settings
        found = {name: str(value) for name, value in settings.parameters.items()}
        found["data"] = str(self.record.data or settings.data)
        found["seed"] = str(self.record.seed)
        for line in (*settings.data_lines, *settings.train_lines):
            name = str(line.get("setting", ""))
            found[name] = "yes"
            found.update({f"{name}.{key}": _show(value) for key, value in line.items() if key != "setting"})
        return found


def _show(value: object) -> str:
    return " ".join(map(str, value)) if isinstance(value, list) else str(value)


def listing(runs: Iterable[Run], format: str = "text") -> str:
    """A row a run."""
    return _table([Summary.of(run).facts() for run in runs], format)


def comparison(runs: Iterable[Run], format: str = "text") -> str:
    """A column a run: what they came to, then the settings that are not the same in all."""
    summaries = [Summary.of(run) for run in runs]
    chosen = [summary.choices() for summary in summaries]
    names = list(dict.fromkeys(name for choices in chosen for name in choices))
    different = [name for name in names if len({choices.get(name) for choices in chosen}) > 1]
    facts = [summary.facts() for summary in summaries]
    rows: list[dict[str, str]] = []
    for name in list(dict.fromkeys(name for one in facts for name in one))[1:]:
        rows.append({"": name, **{one["run"]: one.get(name, "") for one in facts}})
    for name in different:
        rows.append({"": name, **{one["run"]: c.get(name, "") for one, c in zip(facts, chosen, strict=True)}})
    return _table(rows, format)


def _table(rows: Sequence[Mapping[str, str]], format: str) -> str:
    if format == "json":
        return json.dumps(list(rows), indent=1) + "\n"
    header = list(dict.fromkeys(name for row in rows for name in row))
    cells = [[row.get(name, "") for name in header] for row in rows]
    if format == "csv":
        return comma_separated(header, cells)
    right = [index > 1 for index in range(len(header))]
    return (markdown if format == "md" else plain)(header, cells, right)
