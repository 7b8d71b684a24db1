"""TensorFlow, imported without what it prints to standard error about the machine, or says of itself later."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager


def import_keras() -> None:
    """Import Keras, on whatever it is set to; what fails is an exception as ever, with what was printed before it."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # errors that matter are exceptions too
    if "keras" not in sys.modules:
        with silence(unless_it_fails=True):
            import keras  # noqa: F401, PLC0415 - seconds


def import_tensorflow() -> None:
    """Import TensorFlow, and Keras on it. Raises RuntimeError where Keras runs on something else already."""
    if "keras" not in sys.modules:
        os.environ["KERAS_BACKEND"] = "tensorflow"
    import_keras()
    import keras  # noqa: PLC0415

    if keras.config.backend() != "tensorflow":
        message = f"Keras runs on {keras.config.backend()} in this process, and this needs TensorFlow"
        raise RuntimeError(f"{message}: set KERAS_BACKEND=tensorflow before Keras is imported")
    with silence(unless_it_fails=True):
        import tensorflow as tf  # noqa: PLC0415
    tf.get_logger().setLevel("ERROR")


@contextmanager
def silence(*, unless_it_fails: bool = False) -> Iterator[None]:
    """Keep from standard error what is written to its file, which C++ does; or keep it until there is an exception."""
    try:
        kept = os.dup(2)
    except OSError:  # it is closed
        yield
        return
    with tempfile.TemporaryFile() as said:
        if sys.stderr is not None:
            sys.stderr.flush()
        os.dup2(said.fileno(), 2)
        try:
            yield
        except Exception:
            if unless_it_fails:
                said.seek(0)
                os.write(kept, said.read())
            raise
        finally:
            os.dup2(kept, 2)
            os.close(kept)
