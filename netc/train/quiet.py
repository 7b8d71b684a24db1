"""TensorFlow, imported without what it prints to standard error about the machine, or says of itself later."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager


def import_tensorflow() -> None:
    """Import TensorFlow, and Keras on it; whatever fails is an exception as ever.

    The loop is TensorFlow's, whatever Keras is set to; raises `RunError` where Keras runs on something else already.
    """
    if "keras" not in sys.modules:
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
        os.environ["KERAS_BACKEND"] = "tensorflow"
    with _silent():
        import keras  # noqa: PLC0415 - seconds
        import tensorflow as tf  # noqa: PLC0415
    if keras.config.backend() != "tensorflow":
        from netc.train.run import RunError  # noqa: PLC0415 - only for a mistake

        message = f"Keras runs on {keras.config.backend()} in this process, and training needs TensorFlow"
        raise RunError(f"{message}: set KERAS_BACKEND=tensorflow before Keras is imported")
    tf.get_logger().setLevel("ERROR")


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
