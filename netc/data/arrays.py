"""Arrays in files: .npz and HDF5."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import prod
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from netc.data.errors import BROKEN, CLASSES, MISSING, SHAPE, shown, unfit
from netc.data.sources import Array, Collection, Expected, Images, Memory, Part, is_classes, numbered, to_unit
from netc.storage import hdf5, npz
from netc.storage.memory import affordable
from netc.storage.stored import StorageError, Stored

# Names of images and of targets; Keras' .npz files and TFLearn's HDF5 files are among them.
NAMES = {
    "train": (
        ("x_train", "X_train", "train_images", "x", "X", "images", "image", "data"),
        ("y_train", "Y_train", "train_labels", "y", "Y", "labels", "label", "targets", "target"),
    ),
    "validation": (("x_val", "x_valid", "x_validation", "X_val"), ("y_val", "y_valid", "y_validation", "Y_val")),
    "test": (("x_test", "X_test", "test_images"), ("y_test", "Y_test", "test_labels")),
}
PIECEWISE = "HDF5 files and folders of images are read piece by piece"


@dataclass(frozen=True, slots=True)
class Opened:
    """A file whose headers were read: the names in it, and the array or the images under each."""

    names: Sequence[str]
    array: Callable[[str], Stored]
    images: Callable[[str, Expected], Images]  # for an input that takes such


def read_arrays(
    path: Path,
    inputs: Mapping[str, str],
    outputs: Iterable[str],
    classes: int | None,
    expected: Mapping[str, Expected],
) -> Collection:
    """The arrays of a file, under the usual names or those of the network's inputs (label to layer) and outputs.

    `classes` is how many the spec says there are, `expected` what each input takes, by its layer. Raises `Unfit`.
    """
    try:
        held = _npz(path) if path.suffix.lower() == ".npz" else _hdf5(path)
        parts = _parts(path, held, inputs, outputs, expected)
    except StorageError as error:
        raise unfit(BROKEN, f"{shown(path)} cannot be read: {error}") from None
    return Collection(class_names(parts.values(), classes), parts["train"], parts.get("validation"), parts.get("test"))


def _parts(
    path: Path, held: Opened, inputs: Mapping[str, str], outputs: Iterable[str], expected: Mapping[str, Expected]
) -> dict[str, Part]:
    by_name = {label: name for label, name in inputs.items() if label in held.names}
    parts: dict[str, Part] = {}
    if by_name and (len(set(by_name.values())) == len(set(inputs.values()))):
        targets = {label: label for label in outputs if label in held.names}
        images = {name: held.images(label, expected[name]) for label, name in by_name.items()}
        parts["train"] = _part(path, held, images, targets)
    else:
        for part, names in NAMES.items():
            x, y = (next((name for name in some if name in held.names), None) for some in names)
            if x is not None and y is not None:
                parts[part] = _part(path, held, {"": held.images(x, next(iter(expected.values())))}, {"": y})
    if "train" not in parts:
        there = ", ".join(f"`{name}`" for name in held.names[:20]) or "nothing"
        wanted = "`x_train` and `y_train`, or `images` and `labels`"
        if len(expected) > 1:
            wanted = f"arrays named as inputs and outputs: {', '.join([*inputs, *outputs])}"
        raise unfit(SHAPE, f"{shown(path)} holds {there}", f"expected {wanted}")
    return parts


def class_names(parts: Iterable[Part], classes: int | None) -> tuple[str, ...]:
    """Names for classes that have none: their numbers. None for targets that are no classes."""
    given = [found for part in parts for found in [part.targets.get("")] if found is not None and is_classes(found)]
    if not given:
        return ()
    return numbered(min(int(found.min()) for found in given), max(int(found.max()) for found in given), classes)


def _part(path: Path, held: Opened, images: Mapping[str, Images], targets: Mapping[str, str]) -> Part:
    """Some of the arrays as a part: what their headers say is compared before any is read."""
    answers = {name: held.array(key) for name, key in targets.items()}
    counts = {*map(len, images.values()), *(stored.shape[0] for stored in answers.values())}
    if len(counts) != 1:
        raise unfit(SHAPE, f"{shown(path)}: images and labels differ in number: {', '.join(map(str, sorted(counts)))}")
    if counts == {0}:
        raise unfit(MISSING, f"{shown(path)} has no images")
    return Part(images, np.arange(counts.pop()), {name: numbers(stored.read()) for name, stored in answers.items()})


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


def _npz(path: Path) -> Opened:
    found = {name: stored for name, stored in npz.headers(path).items() if stored.shape}
    return Opened([*found], found.__getitem__, lambda name, expected: _memory(path, found[name], expected))


def _memory(path: Path, stored: Stored, expected: Expected) -> Memory:
    """Images that are read as a whole, once all else is right; more than fit into memory never."""
    stored.check()

    def load() -> Array:
        try:
            return imaged(stored.read(), expected.rank)
        except StorageError as error:
            raise unfit(BROKEN, f"{shown(path)} cannot be read: {error}", PIECEWISE) from None

    shape = (*stored.shape, 1) if len(stored.shape) == expected.rank == 3 else stored.shape
    return Memory(shape, load, expected.ids)


# -- HDF5 ------------------------------------------------------------------------------------------------------


class Rows(Images):
    """Images in an HDF5 data set, read one by one."""

    def __init__(self, path: Path, dataset: hdf5.Dataset, shape: tuple[int, ...], rank: int) -> None:
        if dataset.dtype.kind in "iu" and dataset.dtype not in (np.uint8, np.uint16):
            where = f"{shown(path)}: `{dataset.name}`"
            raise unfit(SHAPE, f"{where} holds {dataset.dtype}", "pixels are uint8, uint16 or floats")
        self.path = path
        self.dataset = dataset
        self.count, *one = shape
        self.grey = len(shape) == rank == 3
        self.shape = (*one, 1) if self.grey else tuple(one)

    def __len__(self) -> int:
        return self.count

    def one(self, index: int) -> NDArray[np.float32]:
        try:
            image = self.dataset.read(index)
        except StorageError as error:
            raise unfit(BROKEN, f"{shown(self.path)}, image {index}, is broken: {error}") from None
        return to_unit(image[..., None] if self.grey else image)


IN_MEMORY = 1 << 30  # bytes up to which an HDF5 data set is read at once


def _hdf5(path: Path) -> Opened:
    """The data sets of a file: small ones as arrays, images beyond a size to be read row by row."""
    file = hdf5.file(path)  # open as long as a data set of it is used
    found = {name: each for name, each in hdf5.datasets(file).items() if each.shape}

    def array(name: str) -> Stored:
        return hdf5.array(found[name], name)

    def images(name: str, expected: Expected) -> Images:
        dataset = found[name]
        shape = dataset.shape or ()
        if dataset.nbytes <= IN_MEMORY or len(shape) < 3:
            return _memory(path, array(name), expected)
        hdf5.checked(dataset, name)
        piece = max(dataset.nbytes // max(1, shape[0]), prod(dataset.chunks or ()) * dataset.dtype.itemsize)
        if piece > affordable():
            raise StorageError(f"`{name}` is read {piece:,} bytes at a time, more than fit into memory")
        return Rows(path, dataset, shape, expected.rank)

    return Opened([*found], array, images)
