"""Weights put into a model that trains, measures or predicts: those of a file, or those that a run came to."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from netc.ir.weights import WeightsError
from netc.sections.model import skipped_layers
from netc.targets.keras.weights import Matched, read
from netc.train.run import Run, is_run

if TYPE_CHECKING:
    from netc.ir.net import Net
    from netc.ir.weights import Weights
    from netc.program import Program


def load_into(model: Any, program: Program, path: Path, *, strict: bool = False) -> Matched:
    """Set the weights of a model from a file or a run; with `strict`, every layer must be in it, else those that the
    spec says to `skip` when it begins to train stay fresh. Raises `WeightsError`."""
    from netc.targets.keras.build import assign, layers_of  # noqa: PLC0415 - imports what Keras models are made of

    layers = {layer.name for layer in layers_of(model) if layer.weights}
    train = program.sections.train
    skip = skipped_layers(train, program.net, program.expansion.labels) if train and not strict else ()
    weights, found = read_from(path, program.net, only=layers, skip=set(skip), strict=strict)
    assign(model, weights)
    return found


def read_from(path: Path, net: Net, **which: Any) -> tuple[Weights, Matched]:
    """The weights of a network from a file or a run, and how they were matched; `which` is as for
    `netc.targets.keras.weights.read`. Raises `WeightsError`."""
    weights, found = read(file_of(path), net, **which)
    found.path = path
    return weights, found


def file_of(path: Path) -> Path:
    """A file as it is; of a run the one with the weights at its end, else its best, else its last. Raises
    `WeightsError`."""
    if not is_run(path):
        return path
    run = Run(path)
    store = run.store()
    candidates = [run.model, store.best, *reversed(store.saved())]
    found = next((path for path in candidates if path.is_file()), None)
    if found is None:
        raise WeightsError(f"{run.folder} has no weights yet")
    return found
