"""TFRecord files of `tf.train.Example`, and data sets of tensorflow-datasets, which are such files."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from threading import local
from typing import Any

import numpy as np

from netc.data.errors import BROKEN, MISSING, Unfit, shown, unfit
from netc.data.files import Files, Reading
from netc.data.sources import Collection, Part, numbered, whole

PREFIX = "tfds:"
SUFFIXES = (".tfrecord", ".tfrecords")
IMAGES, LABELS = ("image", "image/encoded"), ("label", "image/class/label")
_HEAD, _FOOT = 12, 4  # bytes of a record around its data: length and its checksum, checksum of the data


def read_records(path: Path, reading: Reading) -> Collection:
    """A TFRecord file, or a folder of such files, of encoded images and class numbers."""
    paths = sorted(file for file in path.iterdir() if _is_record(file)) if path.is_dir() else [path]
    part = _part(paths, reading)
    assert part.labels is not None
    return Collection(numbered(int(part.labels.min()), int(part.labels.max())), part)


def holds_records(folder: Path) -> bool:
    """Whether a folder holds TFRecord files."""
    return any(_is_record(file) for file in folder.iterdir())


def _is_record(path: Path) -> bool:
    return any(suffix in SUFFIXES or suffix.startswith(".tfrecord-") for suffix in path.suffixes)


def read_tfds(name: str, folder: Path | None, reading: Reading) -> Collection:
    """A data set of tensorflow-datasets, from where it was prepared, or prepared now where there is a network.

    Without a folder it is looked for where tensorflow-datasets keeps its own.
    """
    if find_spec("tensorflow_datasets") is None:
        raise unfit(MISSING, "tensorflow-datasets is not installed", "`pip install 'netc[tfds]'` does")
    import tensorflow_datasets as tfds  # noqa: PLC0415 - seconds

    name = name.removeprefix(PREFIX)
    try:
        builder = tfds.builder(name, data_dir=None if folder is None else str(folder))
        builder.download_and_prepare(file_format="tfrecord")
        info = builder.info
        parts = {
            part: _part([Path(file) for file in info.splits[part].filepaths], reading)
            for part in ("train", "validation", "test")
            if part in info.splits
        }
        classes = tuple(info.features["label"].names)
    except Unfit:
        raise
    except Exception as error:  # it raises whatever it meets
        said = str(error).split("\n", maxsplit=1)[0]
        place = "`~/tensorflow_datasets`, or $TFDS_DATA_DIR" if folder is None else shown(folder)
        raise unfit(MISSING, f"tensorflow-datasets does not give `{name}`: {said}", f"looked in {place}") from None
    if "train" not in parts:
        raise unfit(MISSING, f"`{name}` has no part `train`")
    return Collection(classes, parts["train"], parts.get("validation"), parts.get("test"))


def _part(paths: Sequence[Path], reading: Reading) -> Part:
    places: list[tuple[int, int, int]] = []
    labels: list[int] = []
    for number, path in enumerate(paths):
        for start, data in _records(path):
            image, label = _example(path, len(labels), data)
            places.append((number, start, len(data)))
            labels.append(label)
            del image
    if not places:
        raise unfit(MISSING, f"{shown(paths[0]) if paths else 'the data set'} has no records")
    table = np.asarray(places, np.int64)
    opened = local()  # a file each thread, as reading moves its position

    def fetch(index: int) -> bytes:
        number, start, length = table[index]
        held: dict[Any, Any] = opened.__dict__
        if number not in held:
            held[number] = paths[number].open("rb")
        held[number].seek(start)
        return _example(paths[number], index, held[number].read(length))[0]

    def name(index: int) -> str:
        return f"record {index} in {shown(paths[table[index][0]])}"

    return whole(Files(len(places), fetch, name, reading), np.asarray(labels, np.int64))


def _records(path: Path) -> Any:
    """Start and data of each record. TensorFlow reads them too, and compares their checksums, but takes memory for as
    many bytes as a record says it has: so that is compared with the file first."""
    import tensorflow as tf  # noqa: PLC0415 - seconds

    _check_lengths(path)
    at = 0
    try:
        for data in tf.data.TFRecordDataset(str(path)).as_numpy_iterator():
            yield at + _HEAD, data
            at += _HEAD + len(data) + _FOOT
    except tf.errors.OpError as error:
        raise unfit(BROKEN, f"{shown(path)} is broken: {error.message}") from None


def _check_lengths(path: Path) -> None:
    at, size, number = 0, path.stat().st_size, 0
    with path.open("rb") as file:
        while at < size:
            file.seek(at)
            head = file.read(8)
            at += _HEAD + int.from_bytes(head, "little") + _FOOT
            if len(head) < 8 or at > size:
                raise unfit(BROKEN, f"{shown(path)} is broken: record {number} ends after the end of the file")
            number += 1


def _example(path: Path, index: int, data: bytes) -> tuple[bytes, int]:
    """Image and label of a `tf.train.Example`."""
    import tensorflow as tf  # noqa: PLC0415

    try:
        features = tf.train.Example.FromString(data).features.feature
    except Exception as error:  # protobuf's own
        raise unfit(BROKEN, f"record {index} in {shown(path)} is no Example: {error}") from None
    image: Any = next((features[name].bytes_list.value for name in IMAGES if name in features), ())
    label: Any = next((features[name].int64_list.value for name in LABELS if name in features), ())
    if len(image) != 1 or len(label) != 1:
        there = ", ".join(f"`{name}`" for name in sorted(features)[:20])
        raise unfit(BROKEN, f"record {index} in {shown(path)} holds {there}", "expected `image` (encoded) and `label`")
    return image[0], int(label[0])
