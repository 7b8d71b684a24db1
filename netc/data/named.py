"""The data sets that have names, from local folders in their official formats, or by Keras' downloaders."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import numpy as np

from netc.data.errors import MISSING, unfit
from netc.data.sources import Collection, Memory, whole
from netc.sections.data_sets import DataSet


def read(data_set: DataSet, folder: Path | None) -> Collection:
    """A named set; raises `Unfit` where it is not found."""
    if data_set.name == "digits":
        return _digits()
    raise NotImplementedError(data_set.name)


def _digits() -> Collection:
    """scikit-learn brings the images with it: 8x8, from 0 to 16."""
    if find_spec("sklearn") is None:
        raise unfit(
            MISSING, "`digits` come with scikit-learn, which is not installed", "`pip install 'netc[train]'` does"
        )
    from sklearn.datasets import load_digits  # noqa: PLC0415 - seconds

    held = load_digits()
    images = (held.images / 16).astype(np.float32)[..., None]
    return Collection(tuple("0123456789"), whole(Memory(images), held.target.astype(np.int64)))
