"""Pictures on the slabs of volumes: an image on the input, and what a trained network makes of it on its layers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from netc import needs
from netc.figures.styles import FigureError
from netc.ir.shape import show_shape

if TYPE_CHECKING:
    from netc.data.statistics import Statistics
    from netc.ir.shape import Shape
    from netc.program import Program

_LARGEST = 160  # pixels of what is shown of a layer
_ACROSS = 448  # of the image itself, at most


def faces(program: Program, image: Path, weights: Path | None) -> dict[str, bytes]:
    """PNG files by the names of layers: the image for the input, and with `weights` (a file, or a run's folder) the
    mean of the channels of each map.

    Raises `FigureError` for a network that takes no image, what reading images and weights raises, and
    ModuleNotFoundError without Pillow, or with weights what `netc predict` needs.
    """
    (name, *others), net = program.net.inputs, program.net
    shape = net.shapes[name]
    if others or len(shape) != 3:
        raise FigureError(f"an image is for a network with one input, an image; {net.name} takes {show_shape(shape)}")
    needs.require("an image in a figure", *(needs.PREDICTING if weights else ("PIL",)))
    return dict(_faces(program, name, image, weights))


def _faces(program: Program, name: str, image: Path, weights: Path | None) -> Iterator[tuple[str, bytes]]:
    from netc.data.pictures import coloured, header, scaled  # noqa: PLC0415 - imports Pillow

    rows, columns, channels = program.net.shapes[name]
    head = header(image)
    rows, columns = rows or head.rows, columns or head.columns
    share = min(1.0, _ACROSS / max(rows, columns))
    shown = scaled(image, max(1, round(rows * share)), max(1, round(columns * share)), 1 if channels == 1 else 3)
    yield name, shown
    if weights is None:
        return
    from netc.train.predict import activations  # noqa: PLC0415 - not every figure has weights

    statistics, usual = _of_run(weights)
    learnt = [side for side in usual[:2] if side] if usual else []
    high, wide = learnt if len(learnt) == 2 else (rows, columns)
    given = scaled(image, high, wide, channels or 3)
    for layer, values in activations(program, weights, given, statistics=statistics, usual=usual).items():
        if not program.net.node(layer).layer.is_input:
            yield layer, coloured(values.mean(axis=-1), _LARGEST)


def _of_run(weights: Path) -> tuple[Statistics | None, Shape | None]:
    """The statistics of a run, and the shape of the images that it learnt from."""
    from netc.train.run import Run, is_run  # noqa: PLC0415

    if not is_run(weights):
        return None, None
    run = Run(weights)
    return run.read_statistics(), run.read().images.shape
