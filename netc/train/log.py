"""The log of a run: one row each time the network was validated, or an epoch ended.

Rows hold nothing that differs between a run that was resumed and one that never stopped (no times, no speeds). They
travel in the checkpoints, so that the file always fits the weights.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from netc.files import replacing

if TYPE_CHECKING:
    from netc.train.events import Events

Row = Mapping[str, float]
COUNTS = ("step", "epoch")
RATE = "learning_rate"
LARGEST = 1 << 28  # bytes of a log, a few million rows


class Log:
    """Rows in memory, and the same as a CSV file."""

    def __init__(self, path: Path, columns: Sequence[str], events: Events | None = None) -> None:
        self.path = path
        self.events = events
        self.columns = tuple(columns)
        self.rows: list[dict[str, float]] = []

    def start(self, rows: Sequence[Mapping[str, float]] = ()) -> None:
        """Make the file say these rows and no others."""
        self.rows = [dict(row) for row in rows]
        with replacing(self.path) as file:
            file.write(self._text(self.rows, header=True).encode())
        if self.events is not None:
            self.events.start(self.rows)

    def add(self, row: Row) -> None:
        """Append a row."""
        self.rows.append(dict(row))
        with self.path.open("ab") as file:
            file.write(self._text([row], header=False).encode())
        if self.events is not None:
            self.events.add(row)

    def _text(self, rows: Sequence[Row], *, header: bool) -> str:
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\n")
        if header:
            writer.writerow(self.columns)
        for row in rows:
            writer.writerow([_show(row[name], name) if name in row else "" for name in self.columns])
        return out.getvalue()


def _show(value: float, name: str) -> str:
    """Nine digits tell every float32 from its neighbours."""
    return str(int(value)) if name in COUNTS else f"{value:.9g}"


def read_log(path: Path) -> list[dict[str, float]]:
    """The rows of a CSV log; a last line that was cut off is left out. Raises `OSError`, and `ValueError` for another
    file."""
    if not path.exists():
        return []
    with path.open("rb") as file:
        content = file.read(LARGEST + 1)
    if len(content) > LARGEST:
        raise ValueError(f"it has more than {LARGEST:,} bytes")
    lines = content[: content.rfind(b"\n") + 1].decode()
    try:
        found = list(csv.DictReader(io.StringIO(lines)))
    except csv.Error as error:
        raise ValueError(str(error)) from None
    rows: list[dict[str, float]] = []
    for row in found:
        held = {name: value for name, value in row.items() if name and value}
        if not held.keys() >= set(COUNTS):
            raise ValueError(f"row {len(rows) + 1} has no {' or no '.join(COUNTS)}")
        rows.append({name: int(value) if name in COUNTS else float(value) for name, value in held.items()})
    return rows
