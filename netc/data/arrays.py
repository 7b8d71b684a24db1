"""Arrays in files: .npz and HDF5."""

from __future__ import annotations

import os
import zipfile
import zlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray

from netc.data.errors import BROKEN, CLASSES, MISSING, SHAPE, shown, unfit
from netc.data.sources import Array, Collection, Images, Memory, Part, is_classes, to_unit

# Names of images and of targets; Keras' .npz files and TFLearn's HDF5 files are among them.
NAMES = {
    "train": (
        ("x_train", "X_train", "train_images", "x", "X", "images", "image", "data"),
        ("y_train", "Y_train", "train_labels", "y", "Y", "labels", "label", "targets", "target"),
    ),
    "validation": (("x_val", "x_valid", "x_validation", "X_val"), ("y_val", "y_valid", "y_validation", "Y_val")),
    "test": (("x_test", "X_test", "test_images"), ("y_test", "Y_test", "test_labels")),
}
NO_CLASSES = "targets that are no classes are real numbers: `targets.astype('float32')`"


def read_arrays(
    path: Path, inputs: Mapping[str, str], outputs: Iterable[str], classes: int | None, rank: int
) -> Collection:
    """The arrays of a file, under the usual names or those of the network's inputs (label to layer) and outputs.

    `classes` is how many the spec says there are, `rank` how many dimensions the network takes. Raises `Unfit`.
    """
    held = _npz(path) if path.suffix.lower() == ".npz" else _hdf5(path)
    by_name = {label: name for label, name in inputs.items() if label in held}
    parts: dict[str, Part] = {}
    if by_name and (len(set(by_name.values())) == len(set(inputs.values()))):
        targets = {label: held[label] for label in outputs if label in held}
        parts["train"] = _part(path, {name: held[label] for label, name in by_name.items()}, targets, rank)
    else:
        for part, names in NAMES.items():
            x, y = (next((name for name in some if name in held), None) for some in names)
            if x is not None and y is not None:
                parts[part] = _part(path, {"": held[x]}, {"": held[y]}, rank)
    if "train" not in parts:
        there = ", ".join(f"`{name}`" for name in list(held)[:20]) or "nothing"
        expected = "`x_train` and `y_train`, or `images` and `labels`"
        if len(set(inputs.values())) > 1:
            expected = f"arrays named as inputs and outputs: {', '.join([*inputs, *outputs])}"
        raise unfit(SHAPE, f"{shown(path)} holds {there}", f"expected {expected}")
    return Collection(class_names(parts.values(), classes), parts["train"], parts.get("validation"), parts.get("test"))


def class_names(parts: Iterable[Part], classes: int | None) -> tuple[str, ...]:
    """Names for classes that have none: their numbers. None for targets that are no classes."""
    given = [found for part in parts for found in [part.targets.get("")] if found is not None and is_classes(found)]
    if not given:
        return ()
    low, high = min(int(found.min()) for found in given), max(int(found.max()) for found in given)
    if low < 0:
        raise unfit(CLASSES, f"class numbers begin at 0, and there is a {low}", NO_CLASSES)
    if classes is not None and high >= classes:
        raise unfit(CLASSES, f"there is a class number {high}, and `classes` says {classes}", about="classes")
    if high > 1_000_000:
        raise unfit(CLASSES, f"class number {high:,} is too large", NO_CLASSES)
    return tuple(map(str, range(classes or high + 1)))


def _part(path: Path, inputs: Mapping[str, Any], targets: Mapping[str, Any], rank: int) -> Part:
    counts = {len(array) for array in (*inputs.values(), *targets.values())}
    if len(counts) != 1:
        raise unfit(SHAPE, f"{shown(path)}: images and labels differ in number: {', '.join(map(str, sorted(counts)))}")
    if not counts & {*range(1, max(counts) + 1)}:
        raise unfit(MISSING, f"{shown(path)} has no images")
    images = {name: _images(found, rank) for name, found in inputs.items()}
    return Part(images, np.arange(counts.pop()), {name: numbers(_whole(array)) for name, array in targets.items()})


def _images(found: Any, rank: int) -> Images:
    return Rows(found, rank) if not isinstance(found, np.ndarray) else Memory(imaged(found, rank))


def imaged(array: Array, rank: int) -> Array:
    """Grey images may lack the dimension of channels."""
    return array[..., None] if array.ndim == rank == 3 else array


def numbers(array: Array) -> Array:
    """Targets as numbers: truth as 0 and 1, class numbers in a column as a row. Raises `Unfit` for what is none."""
    if array.dtype.kind == "b":
        array = array.astype(np.uint8)
    if array.dtype.kind not in "iuf":
        help = "number the classes from 0, or keep images in a folder for each class"
        raise unfit(CLASSES, f"targets are of the type {array.dtype}, and numbers are expected", help)
    if array.dtype.kind == "f":
        wrong = np.flatnonzero(~np.isfinite(array).all(axis=tuple(range(1, array.ndim))))
        if wrong.size:
            raise unfit(CLASSES, f"target {wrong[0]} holds something that is no number (nan), or is infinite")
    column = array.ndim == 2 and array.shape[1] == 1 and array.dtype.kind in "iu"
    return array[:, 0] if column else array


def _whole(array: Any) -> Array:
    return np.asarray(array[...])


def affordable() -> int:
    """Bytes that arrays may take: a third of the memory of the machine, as they are there twice for a moment."""
    if not hasattr(os, "sysconf"):  # Windows does not say
        return 1 << 32
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 3


def _check_size(path: Path, name: str, size: int) -> None:
    if size > affordable():
        message = f"{shown(path)}: `{name}` takes {size:,} bytes, more than a third of the memory"
        raise unfit(BROKEN, message, "HDF5 files and folders of images are read piece by piece")


# -- .npz ------------------------------------------------------------------------------------------------------


def _npz(path: Path) -> dict[str, Array]:
    """All arrays of a file, none of which may be larger than memory, or need pickle."""
    held: dict[str, Array] = {}
    try:
        with zipfile.ZipFile(path) as archive, np.load(path, allow_pickle=False) as file:
            sizes = {info.filename.removesuffix(".npy"): info.file_size for info in archive.infolist()}
            _check_size(path, "everything", sum(sizes.values()))
            for name in file.files:
                held[name] = file[name]
    except ValueError as error:
        if "allow_pickle" in str(error):
            raise unfit(
                BROKEN, f"{shown(path)} holds Python objects", "save plain arrays: objects can run anything"
            ) from None
        raise unfit(BROKEN, f"{shown(path)} is broken: {error}") from None
    except (OSError, EOFError, KeyError, MemoryError, zipfile.BadZipFile, zlib.error, NotImplementedError) as error:
        raise unfit(BROKEN, f"{shown(path)} is broken: {error}") from None
    return {name: array for name, array in held.items() if array.ndim}


# -- HDF5 ------------------------------------------------------------------------------------------------------


class Rows(Images):
    """Images in an HDF5 data set, read one by one."""

    def __init__(self, dataset: Any, rank: int) -> None:
        if dataset.dtype.kind in "iu" and dataset.dtype not in (np.uint8, np.uint16):
            where = f"{shown(dataset.file.filename)}: `{dataset.name}`"
            raise unfit(SHAPE, f"{where} holds {dataset.dtype}", "pixels are uint8, uint16 or floats")
        self.dataset = dataset
        self.lock = Lock()  # the library takes one thread at a time
        self.grey = dataset.ndim == rank == 3
        self.shape = (*dataset.shape[1:], 1) if self.grey else dataset.shape[1:]

    def __len__(self) -> int:
        return int(self.dataset.shape[0])

    def one(self, index: int) -> NDArray[np.float32]:
        try:
            with self.lock:
                image = np.asarray(self.dataset[index])
        except OSError as error:
            raise unfit(BROKEN, f"{shown(self.dataset.file.filename)}, image {index}, is broken: {error}") from None
        return to_unit(image[..., None] if self.grey else image)


IN_MEMORY = 1 << 30  # bytes up to which an HDF5 data set is read at once


def _hdf5(path: Path) -> dict[str, Any]:
    """The data sets of a file: small ones as arrays, large ones to be read row by row."""
    import h5py  # noqa: PLC0415 - comes with Keras

    try:
        file = h5py.File(path, "r")
        links = {name: file.get(name, getlink=True) for name in file}
        inside = [name for name, link in links.items() if not isinstance(link, h5py.ExternalLink)]
        found = {name: file[name] for name in inside if isinstance(file[name], h5py.Dataset) and file[name].ndim}
        plain = {name: each for name, each in found.items() if each.dtype.kind in "uifb" and not each.is_virtual}
        outside = [name for name, each in plain.items() if each.external]
        if outside:
            raise unfit(BROKEN, f"{shown(path)}: `{outside[0]}` lies in another file", "copy it into this one")
        return {name: _held(path, name, each) for name, each in plain.items()}
    except (OSError, KeyError, RuntimeError) as error:
        raise unfit(BROKEN, f"{shown(path)} is broken: {error}") from None


def _held(path: Path, name: str, dataset: Any) -> Any:
    """Images beyond a size row by row, everything else as an array."""
    if dataset.nbytes > IN_MEMORY and dataset.ndim > 2:
        return dataset
    _check_size(path, name, dataset.nbytes)
    return np.asarray(dataset[...])
