"""Models of other programs, read by the ending of a name."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

from netc.lift.source import Imported

_KERAS = "netc.targets.keras.read"
READERS: Mapping[str, str] = {  # the module whose `read` reads files of an ending, without running anything in them
    ".keras": _KERAS,
    ".h5": _KERAS,
    ".hdf5": _KERAS,
    ".json": _KERAS,
    ".onnx": "netc.targets.onnx.read",
    ".cfg": "netc.targets.darknet.read",
    ".prototxt": "netc.targets.caffe.read",
}


def suffix_of(path: Path) -> str | None:
    """The ending by which a file is read as a model; None for another."""
    return next((suffix for suffix in READERS if path.name.lower().endswith(suffix)), None)


def read(path: Path, **options: Any) -> Imported:
    """The flat network of a model file, with its weights where it has any.

    Raises `netc.lift.source.ImportRefused` for a model that is no network of netc, `netc.storage.stored.StorageError`
    for a broken file, ValueError for another ending, OSError for what cannot be opened.
    """
    suffix = suffix_of(path)
    if suffix is None:
        raise ValueError(f"got {path}, expected a name that ends in {', '.join(READERS)}")
    module: Any = import_module(READERS[suffix])
    made: Imported = module.read(path, **options)
    return made
