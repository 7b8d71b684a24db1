"""TensorFlow, imported without what it prints to standard error about the machine."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager


def import_tensorflow() -> None:
    """Import TensorFlow and Keras; whatever fails is an exception as ever."""
    if "keras" in sys.modules:
        return
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    with _silent():
        import keras  # noqa: F401, PLC0415 - seconds
        import tensorflow  # noqa: F401, PLC0415


@contextmanager
def _silent() -> Iterator[None]:
    """Send the file behind standard error nowhere: the messages come from C++."""
    sys.stderr.flush()
    kept = os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)
