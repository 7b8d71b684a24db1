"""The official formats of the named data sets."""

from __future__ import annotations

import gzip
import re
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from netc.data.errors import BROKEN, MISSING, shown, unfit
from netc.data.files import Files, Reading
from netc.data.folders import read_folder
from netc.data.sources import Collection, Memory, Part, whole
from netc.storage.memory import affordable

Bytes = NDArray[np.uint8]


def _names(text: str, between: str = " ") -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(between) if name.strip())


DIGITS = _names("0 1 2 3 4 5 6 7 8 9")
CLOTHES = _names("T-shirt, trouser, pullover, dress, coat, sandal, shirt, sneaker, bag, ankle boot", ",")
CIFAR10 = _names("airplane automobile bird cat deer dog frog horse ship truck")
FLOWERS = _names(
    "daffodil, snowdrop, lily of the valley, bluebell, crocus, iris, tiger lily, tulip, fritillary, sunflower, daisy,"
    "coltsfoot, dandelion, cowslip, buttercup, windflower, pansy",
    ",",
)
CIFAR100 = _names(
    """apple aquarium_fish baby bear beaver bed bee beetle bicycle bottle bowl boy bridge bus butterfly camel can castle
    caterpillar cattle chair chimpanzee clock cloud cockroach couch crab crocodile cup dinosaur dolphin elephant
    flatfish forest fox girl hamster house kangaroo keyboard lamp lawn_mower leopard lion lizard lobster man maple_tree
    motorcycle mountain mouse mushroom oak_tree orange orchid otter palm_tree pear pickup_truck pine_tree plain plate
    poppy porcupine possum rabbit raccoon ray road rocket rose sea seal shark shrew skunk skyscraper snail snake spider
    squirrel streetcar sunflower sweet_pepper table tank telephone television tiger tractor train trout tulip turtle
    wardrobe whale willow_tree wolf woman worm"""
)
_IMAGES, _LABELS = 0x803, 0x801  # idx: unsigned bytes in 3 dimensions, in 1
_FLOWER = re.compile(r"image_(\d{4})\.jpg")


# -- idx (LeCun et al., yann.lecun.com/exdb/mnist) -------------------------------------------------------------


def read_idx(folder: Path, classes: tuple[str, ...]) -> Collection | None:
    """MNIST and its kin: four files, as they are or compressed."""
    parts = {}
    for part, prefix in (("train", "train"), ("test", "t10k")):
        images, labels = (_idx_file(folder, prefix, *kind) for kind in (("images", 3), ("labels", 1)))
        if images is None or labels is None:
            if part == "train" and images is None and labels is None:
                return None
            if part == "test" and images is None and labels is None:
                continue
            raise unfit(
                MISSING, f"{shown(folder)} lacks {prefix}-{'images-idx3' if images is None else 'labels-idx1'}-ubyte"
            )
        shape, (count,) = _idx_shape(images, _IMAGES), _idx_shape(labels, _LABELS)
        if shape[0] != count:
            raise unfit(BROKEN, f"{shown(images)} holds {shape[0]:,} images, and {shown(labels)} {count:,} labels")
        numbers = _idx(labels, (count,))
        _check_labels(labels, numbers, len(classes))
        parts[part] = whole(Memory((*shape, 1), _idx_images(images, shape)), numbers.astype(np.int64))
    return Collection(classes, parts["train"], None, parts.get("test"))


def _idx_file(folder: Path, prefix: str, kind: str, dimensions: int) -> Path | None:
    names = [f"{prefix}-{kind}{mark}idx{dimensions}-ubyte{end}" for mark in "-." for end in ("", ".gz")]
    return next((folder / name for name in names if (folder / name).is_file()), None)


def _idx_shape(path: Path, magic: int) -> tuple[int, ...]:
    """What the head of an idx file says; raises `Unfit` for what does not fit into memory."""
    dimensions = magic & 0xFF
    with _idx_open(path) as file:
        head = file.read(4 + 4 * dimensions)
    if len(head) < 4 + 4 * dimensions or int.from_bytes(head[:4], "big") != magic:
        raise unfit(BROKEN, f"{shown(path)} is no idx file of bytes in {dimensions} dimensions")
    shape = tuple(int.from_bytes(head[at : at + 4], "big") for at in range(4, len(head), 4))
    if prod(shape) > affordable():
        raise unfit(BROKEN, f"{shown(path)} says it holds {prod(shape):,} bytes, more than fit into memory")
    return shape


def _idx(path: Path, shape: tuple[int, ...]) -> Bytes:
    """The array of an idx file of a shape."""
    size = prod(shape)
    with _idx_open(path) as file:
        file.read(4 + 4 * len(shape))
        held = file.read(size + 1)
    if len(held) != size:
        there = "more" if len(held) > size else f"{len(held):,}"
        raise unfit(BROKEN, f"{shown(path)} says it holds {size:,} bytes, and there are {there}", "fetch it again")
    return np.frombuffer(held, np.uint8).reshape(shape)


def _idx_images(path: Path, shape: tuple[int, ...]) -> Callable[[], Bytes]:
    return lambda: _idx(path, shape)[..., None]


@contextmanager
def _idx_open(path: Path) -> Iterator[Any]:
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
            yield file
    except (OSError, EOFError, zlib.error) as error:
        raise unfit(BROKEN, f"{shown(path)} is broken: {error}", "fetch it again") from None


# -- CIFAR, binary version (Krizhevsky 2009, cs.toronto.edu/~kriz/cifar.html) ------------------------------------


def read_cifar10(folder: Path) -> Collection | None:
    """CIFAR-10: records of a label and 3 x 32 x 32 bytes."""
    files = [folder / f"data_batch_{number}.bin" for number in range(1, 6)]
    if not any(file.is_file() for file in files):
        return None
    tests = (
        [folder / "test_batch.bin"] if (folder / "test_batch.bin").is_file() else sorted(folder.glob("test_batch*.bin"))
    )
    return _cifar(files, tests, 1, CIFAR10)


def read_cifar100(folder: Path) -> Collection | None:
    """CIFAR-100: records of a coarse label, a fine one, which counts, and 3 x 32 x 32 bytes."""
    train, test = folder / "train.bin", folder / "test.bin"
    if not train.is_file() or train.stat().st_size % 3074:
        return None
    return _cifar([train], [test] if test.is_file() else [], 2, CIFAR100)


def _cifar(files: Sequence[Path], tests: Sequence[Path], labels: int, classes: tuple[str, ...]) -> Collection:
    train = _records(files, labels, classes)
    return Collection(classes, train, None, _records(tests, labels, classes) if tests else None)


def _records(files: Sequence[Path], labels: int, classes: tuple[str, ...]) -> Part:
    pixels, numbers = [], []
    for path in files:
        if not path.is_file():
            raise unfit(MISSING, f"{shown(path)} is not there", "unpack the whole archive")
        if path.stat().st_size > affordable():
            raise unfit(BROKEN, f"{shown(path)} has {path.stat().st_size:,} bytes, more than fit into memory")
        held = np.fromfile(path, np.uint8)
        size = labels + 3 * 32 * 32
        if not len(held) or len(held) % size:
            raise unfit(BROKEN, f"{shown(path)} has {len(held):,} bytes, no multiple of {size:,}", "fetch it again")
        records = held.reshape(-1, size)
        _check_labels(path, records[:, labels - 1], len(classes))
        numbers.append(records[:, labels - 1].astype(np.int64))
        pixels.append(records[:, labels:].reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1))
    return whole(Memory.of(np.concatenate(pixels)), np.concatenate(numbers))


def _check_labels(path: Path, numbers: Bytes, classes: int) -> None:
    wrong = np.flatnonzero(numbers >= classes)
    if len(wrong):
        message = f"{shown(path)}: label {wrong[0]} is {numbers[wrong[0]]}, and there are {classes} classes"
        raise unfit(BROKEN, message, "fetch it again")


# -- 17 Category Flowers (Nilsback & Zisserman 2006, robots.ox.ac.uk/~vgg/data/flowers/17) -------------------------


def read_flowers(folder: Path, reading: Reading) -> Collection | None:
    """80 images a class, in the order of their numbers; or a folder for each class."""
    for place in (folder, folder / "jpg"):
        found = sorted(path for path in place.glob("image_*.jpg") if _FLOWER.fullmatch(path.name))
        if found:
            numbers = np.asarray([int(path.stem[-4:]) - 1 for path in found], np.int64)
            if not 0 <= int(numbers.min()) <= int(numbers.max()) < 1360:
                raise unfit(BROKEN, f"{shown(place)}: images are numbered from 1 to 1360")
            return Collection(FLOWERS, whole(Files.at(found, reading), numbers // 80))
    inside = [path for path in folder.iterdir() if path.is_dir()] if folder.is_dir() else []
    if len(inside) != len(FLOWERS):
        return None
    found_there = read_folder(folder, reading)
    numbered = all(name.isdigit() for name in found_there.classes)
    return Collection(FLOWERS if numbered else found_there.classes, found_there.train)
