"""Images with random access, wherever they are kept."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from netc.data.errors import CLASSES, SHAPE, unfit
from netc.ir.net import Net
from netc.ir.shape import Shape

Array = NDArray[Any]
MOST_CLASSES = 1_000_000
NO_CLASSES = "targets that are no classes are real numbers: `targets.astype('float32')`"


class Images(ABC):
    """A set of images. `shape` is that of each, None where they differ; numbers come out as float32, from 0 to 1."""

    shape: Shape
    in_memory = False  # whether `gather` makes batches

    @abstractmethod
    def __len__(self) -> int:
        """How many there are."""

    @abstractmethod
    def one(self, index: int) -> NDArray[np.float32]:
        """One image; raises `Unfit` where it cannot be read."""

    def load(self) -> None:  # noqa: B027 - most are read one by one
        """Read what is kept in memory; raises `Unfit`."""

    def gather(self, indices: Any) -> Any:
        """A batch, for those that are kept in memory: a float32 tensor for a tensor of indices."""
        raise NotImplementedError


@dataclass(frozen=True, slots=True)
class Expected:
    """What an input takes: arrays of so many dimensions, and of how many ids they are where they hold such."""

    rank: int
    ids: int | None = None

    @classmethod
    def by(cls, net: Net, name: str) -> Expected:
        """What an input of a network takes."""
        return cls(len(net.shapes[name]), net.ids(name))


class Memory(Images):
    """Images in one array, which is read when all else about it is right: bytes stay bytes until they are used.

    `shape` is that of the whole array, and `ids` how many ids there are, where it holds such: they come out as they
    are. `load` raises `Unfit` for numbers that are no pixels, or no ids.
    """

    in_memory = True

    def __init__(self, shape: tuple[int, ...], load: Callable[[], Array], ids: int | None = None) -> None:
        self.count, *each = shape
        self.shape = tuple(each)
        self._load = load
        self._ids = ids

    @classmethod
    def of(cls, array: Array, ids: int | None = None) -> Memory:
        """An array that is there already."""
        return cls(array.shape, lambda: array, ids)

    def __len__(self) -> int:
        return self.count

    def load(self) -> None:
        assert self._pixels is not None

    @cached_property
    def _pixels(self) -> tuple[Any, float]:
        """A tensor of all images, and what counts as 1 in it."""
        import tensorflow as tf  # noqa: PLC0415 - seconds

        array = _compact(self._load()) if self._ids is None else _ids(self._load(), self._ids)
        with tf.init_scope(), tf.device("cpu"):
            return tf.constant(array), unit_of(array.dtype) if self._ids is None else 1.0

    def one(self, index: int) -> NDArray[np.float32]:
        return np.asarray(self.gather(index).numpy(), np.float32)

    def gather(self, indices: Any) -> Any:
        import tensorflow as tf  # noqa: PLC0415

        pixels, unit = self._pixels
        found = tf.cast(tf.gather(pixels, indices), tf.float32)
        return found if unit == 1 else found / unit


def _compact(array: Array) -> Array:
    """Pixels as bytes, 16 bits or float32, whatever type they came in."""
    if array.dtype in (np.uint8, np.uint16):
        return array
    if array.dtype.kind == "b":
        return array.astype(np.float32)
    if array.dtype.kind == "f":
        wrong = np.flatnonzero(~np.isfinite(array).all(axis=tuple(range(1, array.ndim))))
        if wrong.size:
            raise unfit(SHAPE, f"image {wrong[0]} holds something that is no number (nan), or is infinite")
        return array.astype(np.float32, copy=False)
    if array.dtype.kind not in "iu":
        raise unfit(SHAPE, f"images are of the type {array.dtype}, and pixels are numbers")
    low, high = (int(array.min()), int(array.max())) if array.size else (0, 0)
    if low < 0 or high > np.iinfo(np.uint16).max:
        help = "they go from 0 to 255, or to 65535; real numbers are taken as they are"
        raise unfit(SHAPE, f"pixels are integers from {low} to {high}", help)
    return array.astype(np.uint8 if high <= np.iinfo(np.uint8).max else np.uint16)


def _ids(array: Array, count: int) -> Array:
    """Ids in whatever type they came, as integers; raises `Unfit` for one that there is not."""
    if array.dtype.kind not in "biuf":
        raise unfit(SHAPE, f"ids are of the type {array.dtype}, and expected are whole numbers")
    wrong = ~((array >= 0) & (array < count))
    if array.dtype.kind == "f":
        wrong |= array != np.floor(array)
    if wrong.any():
        index, *_ = place = np.unravel_index(np.argmax(wrong), array.shape)
        known = f"the layer that reads it knows the whole numbers from 0 to {count - 1:,}"
        raise unfit(SHAPE, f"sample {index} holds the id {array[place].item():,}, and {known}")
    return array.astype(np.int32)


def unit_of(dtype: np.dtype[Any]) -> float:
    """What counts as 1 in numbers of a type."""
    return float(np.iinfo(dtype).max) if np.issubdtype(dtype, np.integer) else 1.0


def to_unit(image: Array) -> NDArray[np.float32]:
    """Numbers of any type as float32, from 0 to 1 if they were integers."""
    return image.astype(np.float32) / np.float32(unit_of(image.dtype))


@dataclass(frozen=True, slots=True)
class Part:
    """Some images of a set, by their indices: for training, for validation or for testing.

    `inputs` holds the images by the name of the input that takes them. `targets` is by the label of an output: class
    numbers, one an image (under "" for all outputs), or arrays of anything else. Both are of the whole set.
    """

    inputs: Mapping[str, Images]
    rows: NDArray[np.int64]
    targets: Mapping[str, Array] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.rows)

    def at(self, rows: NDArray[np.int64]) -> Part:
        """Other images of the same set."""
        return Part(self.inputs, rows, self.targets)

    @property
    def labels(self) -> NDArray[np.int64] | None:
        """The class numbers of these images, where there are any."""
        found = self.targets.get("")
        return found[self.rows] if found is not None and is_classes(found) else None


@dataclass(frozen=True, slots=True)
class Collection:
    """All that was found in one place. `classes` are their names in order, () where targets are no classes."""

    classes: tuple[str, ...]
    train: Part
    validation: Part | None = None
    test: Part | None = None


def numbered(low: int, high: int, classes: int | None = None) -> tuple[str, ...]:
    """The names of classes that are numbers, from the least and the greatest that appear; raises `Unfit`."""
    if low < 0:
        raise unfit(CLASSES, f"class numbers begin at 0, and there is a {low}", NO_CLASSES)
    if classes is not None and high >= classes:
        raise unfit(CLASSES, f"there is a class number {high:,}, and `classes` says {classes:,}", about="classes")
    if high >= MOST_CLASSES:
        raise unfit(CLASSES, f"class number {high:,} is too large: they go to {MOST_CLASSES - 1:,}", NO_CLASSES)
    return tuple(map(str, range(classes or high + 1)))


def whole(images: Images, labels: Array | None) -> Part:
    """A whole set of images for a network of one input."""
    return Part({"": images}, np.arange(len(images)), {} if labels is None else {"": labels})


def is_classes(targets: Array) -> bool:
    """Whether targets are class numbers, one an image."""
    return targets.ndim == 1 and bool(np.issubdtype(targets.dtype, np.integer))
