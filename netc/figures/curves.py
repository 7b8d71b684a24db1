"""Learning curves: what the log of a run says, as lines over its epochs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from math import isfinite

from netc.figures.axis import HUGE, Scale, spaced
from netc.figures.page import sheet
from netc.figures.scene import Group, Item, Path, Point, Rect, Scene, Text, fit, text_width
from netc.figures.styles import FigureError

Row = Mapping[str, float]

_COUNTS = ("epoch", "step")  # what the curves run over, the first that the log has
_VALIDATION = "val_"
_GIVEN = "learning_rate"  # what was asked for stands after what came of it
_WIDTH, _HEIGHT = 300.0, 170.0  # px: of a panel
_LEFT, _BELOW, _ABOVE, _BETWEEN = 58.0, 36.0, 26.0, 26.0  # px: for the labels of its axes and title, and between panels
_PER_ROW = 2
LOOKS = (("train", "training"), ("validation", "validation"))  # look, and what the legend says


def curves(rows: Sequence[Row], title: str = "learning curves") -> Scene:
    """The figure of a log: one panel a quantity, with `name` as the training curve and `val_name` as the one of
    validation. `rows` are in the order they were written; a row may lack columns, and values that are not finite
    interrupt a curve. Raises `FigureError` for a log with nothing to draw.
    """
    over = next((name for name in _COUNTS if any(name in row for row in rows)), "")
    names = dict.fromkeys(name for row in rows for name in row if name not in _COUNTS)
    panels = list(dict.fromkeys(name.removeprefix(_VALIDATION) for name in names))
    points: dict[str, list[Point]] = {name: [] for name in names}
    for at, row in enumerate(rows):
        for name in row.keys() & names.keys():
            points[name].append((row.get(over, at) if over else at, row[name]))
    panels = [name for name in panels if any(_finite(points.get(p + name, [])) for p in ("", _VALIDATION))]
    panels.sort(key=lambda name: name == _GIVEN)
    if not panels:
        raise FigureError("the log has no values to draw: expected columns such as loss and val_loss")
    items: list[Item] = []
    for at, name in enumerate(panels):
        left = (at % _PER_ROW) * (_LEFT + _WIDTH + _BETWEEN) + _LEFT
        top = (at // _PER_ROW) * (_ABOVE + _HEIGHT + _BELOW) + _ABOVE
        items += _panel(left, top, name, over or "row", (points.get(name, []), points.get(_VALIDATION + name, [])))
    shown = [any(_finite(points.get(prefix + name, [])) for name in panels) for prefix in ("", _VALIDATION)]
    return sheet(
        items,
        title=title,
        facts=f"{len(rows)} rows" + (f", to {over} {rows[-1].get(over, 0):g}" if over else ""),
        description=f"Learning curves: {', '.join(panels)} over {over or 'rows'}.",
        lines=[line for line, present in zip(LOOKS, shown, strict=True) if present],
    )


def _finite(points: Sequence[Point]) -> list[Point]:
    return [point for point in points if _drawable(point)]


def _drawable(point: Point) -> bool:
    return all(isfinite(value) and abs(value) < HUGE for value in point)


def _panel(left: float, top: float, name: str, over: str, curves: Sequence[Sequence[Point]]) -> Iterator[Item]:
    """The axes of a quantity, and its curves."""
    every = [point for curve in curves for point in _finite(curve)]
    across, values = Scale.of([x for x, _ in every], whole=True), [y for _, y in every]
    up = Scale.by_decades(values) if name == _GIVEN else Scale.of(values)
    bottom = top + _HEIGHT
    yield Text(left, top - 9, fit(name, _WIDTH - 110, 12, True), 12, "start", bold=True)
    yield Text(left + _WIDTH, top - 9, _last(curves), 10, "end", "muted")
    lines = [bottom - up.share(tick) * _HEIGHT for tick in up.ticks]
    yield Group([Path((left, y), [((left + _WIDTH, y),)], role="rule") for y in lines], look="grid")
    for y, tick in zip(lines, up.ticks, strict=True):
        yield Text(left - 7, y + 3.5, f"{tick if up.log or abs(tick) >= 1e-12 else 0:.4g}", 10, "end", "muted")
    places = [(left + across.share(tick) * _WIDTH, text_width(f"{tick:g}", 10) + 6) for tick in across.ticks]
    for x, tick in spaced(places, across.ticks):
        yield Text(x, bottom + 14, f"{tick:g}", 10, look="muted")
    yield Text(left + _WIDTH / 2, bottom + 28, over, 10, look="muted")
    for (look, _), curve in zip(LOOKS, curves, strict=True):
        spots = [
            (left + across.share(x) * _WIDTH, bottom - up.share(y) * _HEIGHT) if _drawable((x, y)) else None
            for x, y in curve
        ]
        yield from _curve(spots, look)


def _last(curves: Sequence[Sequence[Point]]) -> str:
    """The last values, as the legend would say them."""
    words = ("", "validation ")
    last = [(word, _finite(curve)) for word, curve in zip(words, curves, strict=True)]
    return " · ".join(f"{word}{points[-1][1]:.4g}" for word, points in last if points)


def _curve(spots: Sequence[Point | None], look: str) -> Iterator[Item]:
    """The runs of a curve between gaps; a point alone as a mark."""
    run: list[Point] = []
    for spot in [*spots, None]:
        if spot is not None:
            run.append(spot)
        elif len(run) == 1:
            yield Rect(run[0][0] - 2, run[0][1] - 2, 4, 4, f"{look}.mark")
            run = []
        elif run:
            first, *rest = _thinned(run)
            yield Path(first, [(point,) for point in rest], look, role="curve")
            run = []


def _thinned(points: Sequence[Point]) -> list[Point]:
    """At most four points for each px of width: the first, lowest, highest and last, in their order."""
    if len(points) <= 4 * _WIDTH:
        return list(points)
    columns: dict[int, list[int]] = {}
    for at, (x, _) in enumerate(points):
        columns.setdefault(round(x), []).append(at)
    kept: set[int] = set()
    for column in columns.values():
        ends = (column[0], column[-1])
        kept.update((*ends, min(column, key=lambda at: points[at][1]), max(column, key=lambda at: points[at][1])))
    return [points[at] for at in sorted(kept)]
