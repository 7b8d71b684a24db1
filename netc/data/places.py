"""From what a spec or a command names to what is found there."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from netc.data import arrays, folders, named, records
from netc.data.checks import channels
from netc.data.errors import BROKEN, MISSING, SHAPE, shown, unfit
from netc.data.files import Progress, Reading
from netc.data.sources import Collection, Expected, Memory, Part
from netc.ir.net import Net
from netc.program import Program
from netc.sections.data_sets import DATA_SETS, DataSet
from netc.sections.model import ARRAYS
from netc.sections.settings import Classes
from netc.suggest import did_you_mean
from netc.syntax.reading import STDIN


def collect(program: Program, source: Any, folder: Path | None, progress: Progress | None) -> Collection:
    """Everything that is to be trained, validated and tested on. Raises `Unfit`."""
    data = program.sections.data
    written = data.source if data else None
    if isinstance(source, tuple):
        return _given(program, *source)
    reading = Reading(channels(program), progress)
    if source is None and written is None:
        raise unfit(
            MISSING,
            "the spec does not say what to train on",
            'name a data set in it, `data digits`, or a path, `data "flowers"`',
            "or give one with `--data`",
        )
    if source is None:
        source = written if isinstance(written, DataSet) else beside(program, str(written))
    elif str(source) in DATA_SETS:
        source = DATA_SETS[str(source)]
    if isinstance(source, DataSet):
        return named.read(source, folder, reading)
    if str(source).startswith(records.PREFIX):
        return records.read_tfds(str(source), folder, reading)
    return _path(program, Path(source), reading)


def beside(program: Program, path: str) -> str | Path:
    """A path of a spec, which is relative to it."""
    if path.startswith(records.PREFIX):
        return path
    name = program.file.source.name
    return Path(path) if name.startswith("<") or name == STDIN else Path(name).parent / path


def _path(program: Program, path: Path, reading: Reading) -> Collection:
    net, labels, data = program.net, program.expansion.labels, program.sections.data
    try:
        folder, file = path.is_dir(), path.is_file()
    except ValueError:
        raise unfit(MISSING, f"{shown(path)} is no path") from None
    if not folder and not file:
        where = f"{shown(os.path.abspath(path))} is not there"
        names = did_you_mean(path.name, DATA_SETS, (f"data sets with a name are {', '.join(DATA_SETS)}",))
        raise unfit(MISSING, where, *names)
    if folder:
        found = named.read_there(data.data_set if data else None, path, reading)
        if found is not None:
            return found
        return (
            records.read_records(path, reading) if records.holds_records(path) else folders.read_folder(path, reading)
        )
    if path.suffix.lower() in ARRAYS:
        inputs = {**{name: name for name in net.inputs}, **{to: at for to, at in labels.items() if at in net.inputs}}
        outputs = [*(to for to, at in labels.items() if at in net.outputs), *net.outputs]
        return arrays.read_arrays(path, inputs, outputs, _classes(program), _expected(net))
    if path.suffix.lower() in records.SUFFIXES or ".tfrecord-" in path.name:
        return records.read_records(path, reading)
    if path.suffix.lower() in (".gz", ".tgz", ".zip", ".xz", ".tar"):
        raise unfit(BROKEN, f"{shown(path)} is an archive", "unpack it, and name the folder")
    return folders.read_list(path, reading)


def _classes(program: Program) -> int | None:
    data = program.sections.data
    written = data.value(Classes) if data else None
    return written.count if written else None


def _given(program: Program, images: Any, labels: Any) -> Collection:
    """Arrays from Python: one of each, or several by the labels of inputs and outputs."""
    inputs = {name: np.asarray(array) for name, array in _by_name(images).items()}
    targets = {name: arrays.numbers(np.asarray(array)) for name, array in _by_name(labels).items()}
    counts = {len(array) for array in (*inputs.values(), *targets.values())}
    if len(counts) != 1:
        raise unfit(SHAPE, f"images and labels differ in number: {', '.join(map(str, sorted(counts)))}")
    if counts == {0}:
        raise unfit(MISSING, "there are no images")
    expected = _expected(program.net)
    nodes = {label: node for label, node in program.expansion.labels.items() if node in program.net.inputs}
    held = {}
    for name, array in inputs.items():
        node = nodes.get(name, name)
        taken = expected.get(node or program.net.inputs[0], Expected(array.ndim - 1))
        held[node] = Memory.of(arrays.imaged(array, taken.rank), taken.ids)
    part = Part(held, np.arange(counts.pop()), targets)
    return Collection(arrays.class_names([part], _classes(program)), part)


def _expected(net: Net) -> dict[str, Expected]:
    """What each input takes."""
    return {name: Expected.by(net, name) for name in net.inputs}


def _by_name(held: Any) -> Mapping[str, Any]:
    return held if isinstance(held, Mapping) else {"": held}
