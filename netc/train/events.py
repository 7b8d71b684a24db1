"""The log for TensorBoard, where that is installed (TensorFlow no longer brings it)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from netc.train.log import COUNTS

VALIDATION = "val_"
TRAINING_RUN, VALIDATION_RUN = "training", "validation"


class Events:
    """Scalars by step; those of the validation are a run of their own, so that TensorBoard draws them together."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.writers: dict[str, Any] = {}

    def start(self, rows: Sequence[Mapping[str, float]]) -> None:
        """Make the folder say these rows and no others; without TensorBoard nothing is written."""
        if find_spec("tensorboard") is None:
            return
        import tensorflow as tf  # noqa: PLC0415 - seconds

        for old in self.folder.glob("*/events.*"):
            with suppress(OSError):
                old.unlink()
        for name in (TRAINING_RUN, VALIDATION_RUN):
            self.writers[name] = tf.summary.create_file_writer(str(self.folder / name))
        for row in rows:
            self.add(row)

    def add(self, row: Mapping[str, float]) -> None:
        """Add a row of the log."""
        import tensorflow as tf  # noqa: PLC0415

        for run, writer in self.writers.items():
            with writer.as_default():
                for name, value in row.items():
                    if name not in COUNTS and name.startswith(VALIDATION) == (run == VALIDATION_RUN):
                        tf.summary.scalar(name.removeprefix(VALIDATION), value, int(row["step"]))
            writer.flush()
