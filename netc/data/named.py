"""The data sets that have names: where they are looked for, and how they come there."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import redirect_stdout, suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from netc.data import official
from netc.data.errors import BROKEN, MISSING, shown, unfit
from netc.data.files import Reading
from netc.data.sources import Collection, Memory, whole
from netc.sections.data_sets import DataSet

VARIABLE = "NETC_DATA"
ARCHIVES = (".tar.gz", ".tgz")
IDX = "train-images-idx3-ubyte, train-labels-idx1-ubyte and the same of t10k, each as it is or with .gz,"


@dataclass(frozen=True, slots=True)
class Official:
    """How a set is published: folders it unpacks to, a reader of such a folder, and files with their MD5 sums.

    The reader gives None for a folder that is none of its own.
    """

    folders: tuple[str, ...]
    files: str  # what is expected in one, in words
    read: Callable[[Path, Reading], Collection | None]
    origin: str
    sums: Mapping[str, str]


SETS: dict[str, Official] = {
    "mnist": Official(
        ("mnist", "MNIST", "MNIST/raw"),
        IDX,
        lambda folder, _: official.read_idx(folder, official.DIGITS),
        "https://storage.googleapis.com/cvdf-datasets/mnist/",
        {
            "train-images-idx3-ubyte.gz": "f68b3c2dcbeaaa9fbdd348bbdeb94873",
            "train-labels-idx1-ubyte.gz": "d53e105ee54ea40749a09fcbcd1e9432",
            "t10k-images-idx3-ubyte.gz": "9fb629c4189551a2d022fa330f9573f3",
            "t10k-labels-idx1-ubyte.gz": "ec29112dd5afa0611ce80d1b7f02629c",
        },
    ),
    "fashion_mnist": Official(
        ("fashion_mnist", "fashion-mnist", "FashionMNIST/raw"),
        IDX,
        lambda folder, _: official.read_idx(folder, official.CLOTHES),
        "https://storage.googleapis.com/tensorflow/tf-keras-datasets/",
        {
            "train-images-idx3-ubyte.gz": "8d4fb7e6c68d591d4c3dfef9ec88bf0d",
            "train-labels-idx1-ubyte.gz": "25c81989df183df01b3e8a0aad5dffbe",
            "t10k-images-idx3-ubyte.gz": "bef4ecab320f06d8554ea6380940ec79",
            "t10k-labels-idx1-ubyte.gz": "bb300cfdad3c16e7a12a480ee83cd310",
        },
    ),
    "cifar10": Official(
        ("cifar-10-batches-bin", "cifar10"),
        "data_batch_1.bin to data_batch_5.bin and test_batch.bin, the binary version (the Python one is pickled, and"
        " pickles can run anything)",
        lambda folder, _: official.read_cifar10(folder),
        "https://www.cs.toronto.edu/~kriz/",
        {"cifar-10-binary.tar.gz": "c32a1d4ab5d03f1284b67883e8d87530"},
    ),
    "cifar100": Official(
        ("cifar-100-binary", "cifar100"),
        "train.bin and test.bin, the binary version (the Python one is pickled, and pickles can run anything)",
        lambda folder, _: official.read_cifar100(folder),
        "https://www.cs.toronto.edu/~kriz/",
        {"cifar-100-binary.tar.gz": "03b5dce01913d631647c71ecec9e9cb8"},
    ),
    "flowers17": Official(
        ("17flowers", "flowers17", "jpg"),
        "jpg/image_0001.jpg to image_1360.jpg, or a folder for each of the 17 classes",
        official.read_flowers,
        "https://www.robots.ox.ac.uk/~vgg/data/flowers/17/",
        {"17flowers.tgz": "b59a65d8d1a99cd66944d474e1289eab"},
    ),
}


def read(data_set: DataSet, folder: Path | None, reading: Reading) -> Collection:
    """A named set from the first place that has it, else downloaded. Raises `Unfit` where it is not to be had."""
    if data_set.name == "digits":
        return _digits()
    published = SETS[data_set.name]
    roots = places(folder)
    found = _here(published, roots, reading)
    if found is None:
        _fetch(data_set.name, published, roots)
        found = _here(published, roots, reading)
    if found is None:
        raise unfit(BROKEN, f"`{data_set.name}` was fetched from {published.origin}, and is not what was expected")
    return found


def _here(published: Official, roots: list[Path], reading: Reading) -> Collection | None:
    """The set from the first place that has it."""
    for root in roots:
        for name in published.folders:
            for place in _within(root / name):
                found = published.read(place, reading)
                if found is not None:
                    return found
    return None


def _within(folder: Path) -> Iterator[Path]:
    """A folder, and those that an unpacked archive may have made in it."""
    if folder.is_dir():
        yield folder
        yield from sorted(path for pattern in ("*_extracted", "*_extracted/*") for path in folder.glob(pattern))


def read_there(data_set: DataSet | None, folder: Path, reading: Reading) -> Collection | None:
    """A folder in an official format, of the given set or of any, or one that holds the given set; None for others."""
    if data_set is not None and data_set.name in SETS:
        published = SETS[data_set.name]
        return published.read(folder, reading) or _here(published, [folder], reading)
    for name in ("cifar10", "cifar100", "mnist"):
        found = SETS[name].read(folder, reading)
        if found is not None:
            return found
    return None


def places(folder: Path | None) -> list[Path]:
    """Folders in which named sets are looked for, in order."""
    given = [folder] if folder else []
    if os.environ.get(VARIABLE):
        given.append(Path(os.environ[VARIABLE]).expanduser())
    home = Path(os.environ.get("KERAS_HOME") or "~/.keras").expanduser()
    return [*given, home / "datasets"]


def _fetch(name: str, published: Official, roots: list[Path]) -> None:
    """Bring the set from its publisher, compare it with its sums, keep it in the first folder that can be written."""
    import keras  # noqa: PLC0415 - seconds

    looked = " or ".join(shown(root / published.folders[0]) for root in roots)
    try:
        root = _writable(roots)
        for file, md5 in published.sums.items():
            with redirect_stdout(sys.stderr):  # Keras' progress is no result
                keras.utils.get_file(
                    file,
                    published.origin + file,
                    file_hash=md5,
                    hash_algorithm="md5",
                    extract=file.endswith(ARCHIVES),
                    cache_dir=str(root),
                    cache_subdir=name,
                )
    except Exception as error:  # whatever goes wrong between here and there
        said = str(error).split("\n", maxsplit=1)[0]
        raise unfit(
            MISSING,
            f"the data set `{name}` is not here, and cannot be fetched: {said}",
            f"put {published.files} into {looked}",
            f"they come from {published.origin}{next(iter(published.sums))}",
            f"another folder is given by `--data PATH` or ${VARIABLE}",
        ) from None


def _writable(roots: list[Path]) -> Path:
    """The first folder that can be written; without one Keras would take one for temporary files, without a word."""
    for root in roots:
        with suppress(OSError):
            root.mkdir(parents=True, exist_ok=True)
        if os.access(root, os.W_OK):
            return root
    raise OSError(f"cannot write {' or '.join(map(shown, roots))}")


def _digits() -> Collection:
    """scikit-learn brings the images with it: 8x8, from 0 to 16."""
    if find_spec("sklearn") is None:
        raise unfit(
            MISSING, "`digits` come with scikit-learn, which is not installed", "`pip install 'netc[train]'` does"
        )
    from sklearn.datasets import load_digits  # noqa: PLC0415 - seconds

    held = load_digits()
    images = (held.images / 16).astype(np.float32)[..., None]
    return Collection(official.DIGITS, whole(Memory.of(images), held.target.astype(np.int64)))
