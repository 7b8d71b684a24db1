"""The rows of a report as a chart: the time of an image against accuracy, or against memory where none is known."""

from __future__ import annotations

from netc.bench.report import Report, shown_time
from netc.bench.rows import FP32, Row
from netc.figures.axis import Scale
from netc.figures.marks import Axis, Mark, marked
from netc.figures.page import Entry, sheet
from netc.figures.scene import Box, Ellipse, Scene
from netc.figures.styles import FigureError

_PLOT = Box(52, 20, 600, 300)
_RADIUS = 5.0
_LOOKS = ("conv", "pool", "activation", "norm", "merge", "shape", "regularise", "dense", "input")  # of batches, in turn


def plot(report: Report) -> Scene:
    """The figure of the rows that were measured. Raises `FigureError` for none, or for so many that their names have no
    place."""
    measured = [row for row in report.rows if row.median is not None]
    graded = [row for row in measured if row.accuracy is not None]
    shown = graded or measured
    if not shown:
        raise FigureError("nothing was measured that could be drawn")
    across = Scale.around([_milliseconds(row) for row in shown])
    values = [_percent(row) if graded else _megabytes(row) for row in shown]
    up = Scale.of([max(min(values) - 1, 0), min(max(values) + 1, 100)]) if graded else Scale.around(values)
    height = _percent if graded else _megabytes
    batches = list(dict.fromkeys(row.case.batch for row in shown))
    marks = [
        Mark(
            _PLOT.left + across.share(_milliseconds(row)) * (_PLOT.right - _PLOT.left),
            _PLOT.bottom - up.share(height(row)) * (_PLOT.bottom - _PLOT.top),
            _RADIUS,
            row.case.engine if row.case.precision == FP32 else f"{row.case.engine} {row.case.precision}",
            _look(batches.index(row.case.batch)),
            f"{row.name}, batch {row.case.batch}: {shown_time(row.median)} a call",
        )
        for row in shown
    ]
    beside = Axis(up, "%" if graded else "MB", lambda value: f"{value:,.4g}")
    return sheet(
        marked(marks, _PLOT, Axis(across, "ms an image", lambda value: f"{value:,.4g}"), beside),
        title=report.network.partition(":")[0],
        facts=f"{report.machine.processor} · {report.machine.processors} processors · {report.threads}",
        description=f"Milliseconds an image against {'accuracy' if graded else 'peak memory'}, of {len(shown)} rows.",
        legend=[
            Entry([Ellipse(6, 6, _RADIUS, _RADIUS, _look(at))], 12, f"batch {batch}")
            for at, batch in enumerate(batches)
        ],
        notes=[
            f"median of the calls by the batch; {'accuracy in percent' if graded else 'peak memory of the process'}"
        ],
    )


def _look(number: int) -> str:
    return _LOOKS[number % len(_LOOKS)]


def _milliseconds(row: Row) -> float:
    return (row.median or 0) / row.case.batch * 1000


def _megabytes(row: Row) -> float:
    return (row.memory or 0) / 1e6


def _percent(row: Row) -> float:
    return (row.accuracy or 0) * 100
