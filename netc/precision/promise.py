"""A form that keeps a promise: as few layers in float32 as it takes, most harmful first."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from netc.precision.forms import batches
from netc.precision.intervals import bootstrap, wilson
from netc.precision.metric import Measured, Metric
from netc.precision.search import fewest
from netc.targets.errors import ExportError

if TYPE_CHECKING:
    from netc.data.stream import Stream
    from netc.precision.forms import Form, Layer, Run
    from netc.precision.shares import Shares

ROUNDING = 1e-4  # points: metrics are float32
SHOWN = 40  # rows of a table


@dataclass(frozen=True, slots=True)
class Harm:
    """How far the outputs go, root mean square relative to their own, when a layer alone is in fewer bits."""

    layer: Layer
    error: float


@dataclass(frozen=True, slots=True)
class Promise:
    """What a form came to on the images of the promise. `harms` is of all layers, most harmful first, or of none where
    nobody had to look; the first of them, `floats` many, are float32. `drops` are those that were seen, in points, by
    that number."""

    precision: str
    metric: str
    most: float
    float32: Measured
    found: Measured
    kept: str
    harms: Sequence[Harm]
    floats: int
    drops: Mapping[int, float]

    @property
    def names(self) -> list[str]:
        """The layers that are float32."""
        return [harm.layer.name for harm in self.harms[: self.floats]]

    def metadata(self) -> dict[str, str]:
        """What the file says of itself."""
        said = {
            "metric": self.metric,
            "max_drop_points": self.most,
            "images": self.found.images,
            "images_are": self.kept,
            "float32": round(self.float32.value, 6),
            self.precision: round(self.found.value, 6),
            "float32_layers": self.names,
        }
        return {"netc_precision": self.precision, "netc_promise": json.dumps(said)}

    def text(self) -> str:
        """The report: a line, and a table where layers returned to float32."""
        said = (
            f"promised: {self.metric} {self.found.value:.4f} in {self.precision}, {self.float32.value:.4f} in float32: "
            f"{drop_text(points(self.float32, self.found))}, at most {self.most:g} allowed, on {self.found.images:,} "
            f"images {self.kept}"
        )
        if not self.floats:
            return f"{said}; no layer is float32"
        return "\n  ".join([f"{said}; {self.floats} of {len(self.harms)} layers are float32", *self.table()])

    def table(self) -> list[str]:
        """Rows: the layer, where the spec says it, what it does to the outputs alone, and the drop once it and all
        above it are float32."""
        rows = [("layer", "line", "error alone", "drop without")]
        for number, harm in enumerate(self.harms, 1):
            seen = f"{self.drops[number]:+.2f}" if number in self.drops else ""
            rows.append((f"{harm.layer.name} ({harm.layer.op})", harm.layer.place, f"{harm.error:.1e}", seen))
        rest = len(rows) - 1 - SHOWN
        widths = [max(map(len, column)) for column in zip(*rows[: SHOWN + 1], strict=True)]
        lines = ["  ".join(map(str.ljust, row, widths)).rstrip() for row in rows[: SHOWN + 1]]
        return lines + ([f"and {rest} more, which harm less"] if rest > 0 else [])


def points(float32: Measured, found: Measured) -> float:
    """By how many percentage points a metric falls."""
    return 100 * (float32.value - found.value)


def drop_text(drop: float) -> str:
    """A drop in words."""
    rounded = round(drop, 2)
    if not rounded:
        return "it does not fall"
    return f"it falls by {rounded:.2f} points" if rounded > 0 else f"it rises by {-rounded:.2f} points"


def promised(form: Form, full: Run, metric: Metric, shares: Shares, inputs: Sequence[str], most: float) -> Promise:
    """The form with the fewest layers in float32, most harmful first, whose metric falls by at most `most` points from
    that of the model in float32. Raises `ExportError`, with the table, where no layer would be left."""
    float32 = metric.measure(shares.promise, full)
    found: dict[int, Measured] = {}
    harms: list[Harm] = []

    def holds(floats: int) -> bool:
        if floats and not harms:
            harms.extend(_harms(form, full, shares.probe, inputs))
        run = _ready(form, [harm.layer.name for harm in harms[:floats]])
        found[floats] = metric.measure(shares.promise, run)
        return points(float32, found[floats]) <= most + ROUNDING

    floats = fewest(max(0, len(form.layers) - 1), holds)
    if floats is None and not harms:
        harms.extend(_harms(form, full, shares.probe, inputs))
    drops = {number: points(float32, one) for number, one in found.items()}
    best = min(found, key=lambda number: drops[number]) if floats is None else floats
    promise = Promise(
        form.name, metric.name, most, float32, found[best], shares.kept, harms, best, dict(sorted(drops.items()))
    )
    if floats is None:
        raise ExportError(_refused(promise))
    return promise


def _refused(promise: Promise) -> str:
    said = (
        f"{promise.precision} breaks the promise: {promise.metric} is {promise.float32.value:.4f} in float32, and "
        f"{drop_text(promise.drops[0])} in {promise.precision}, at most {promise.most:g} allowed, on "
        f"{promise.found.images:,} images {promise.kept}"
    )
    mend = "allow more with --max-drop, or take another precision"
    if not promise.harms:
        return f"{said}; {mend}"
    return "\n  ".join([said, "no number of layers in float32 mends it, most harmful first:", *promise.table(), mend])


def _ready(form: Form, floats: Sequence[str]) -> Run:
    return form.ready(form.model(floats).SerializeToString(deterministic=True))


def _harms(form: Form, full: Run, probe: Stream, inputs: Sequence[str]) -> list[Harm]:
    """What each layer does alone, worst first."""
    seen = [(images, full(images)) for images in batches(probe, inputs)]
    names = {layer.name for layer in form.layers}

    def error(layer: Layer) -> float:
        run = _ready(form, sorted(names - {layer.name}))
        off: dict[str, float] = dict.fromkeys(seen[0][1], 0.0)
        size = dict(off)
        for images, expected in seen:
            made = run(images)
            for name, array in expected.items():
                off[name] += float(np.square(made[name].astype(np.float64) - array).sum())
                size[name] += float(np.square(array.astype(np.float64)).sum())
        worst = max(off[name] / max(size[name], 1e-300) for name in off)
        return float("inf") if np.isnan(worst) else float(np.sqrt(worst))

    return sorted((Harm(layer, error(layer)) for layer in form.layers), key=lambda harm: -harm.error)


def look(metric: Metric, test: Stream | None, full: Run, run: Run, precision: str) -> str:
    """The one look at the test images: what the metric is there, and what others would find."""
    if test is None:
        return "the data have no test images, so that none were looked at"
    float32, found = metric.measure(test, full), metric.measure(test, run)
    said = f"on the {found.images:,} test images, looked at once: {metric.name} {found.value:.4f} in {precision}"
    if metric.counts:
        said += f" (95 %: {_between(wilson(found.value, found.images))}, Wilson)"
    said += f", {float32.value:.4f} in float32: {drop_text(points(float32, found))}"
    if found.labels is not None and found.outputs is not None and float32.outputs is not None:
        labels, ours, theirs = found.labels, found.outputs, float32.outputs
        low, high = bootstrap(
            found.images,
            lambda rows: 100 * (metric.of(labels[rows], theirs[rows]) - metric.of(labels[rows], ours[rows])),
        )
        said += f" (95 % of the fall: {low:.2f} to {high:.2f} points, paired bootstrap)"
    return said


def _between(interval: tuple[float, float]) -> str:
    return f"{interval[0]:.4f} to {interval[1]:.4f}"
