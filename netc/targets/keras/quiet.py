"""Keras on what it runs on, imported without what TensorFlow prints to standard error about the machine, or says of
itself later."""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def backend() -> str:
    """What Keras runs on, or would if it were imported: KERAS_BACKEND, else what its file of settings says."""
    if "keras" in sys.modules:
        import keras  # noqa: PLC0415 - it is there

        return str(keras.config.backend())
    if chosen := os.environ.get("KERAS_BACKEND"):
        return chosen
    settings = Path(os.environ.get("KERAS_HOME") or Path.home() / ".keras", "keras.json")
    try:
        return str(json.loads(settings.read_text(encoding="utf-8"))["backend"])
    except (OSError, ValueError, LookupError, TypeError):  # Keras does not mind either
        return "tensorflow"


def import_keras(on: str | None = None) -> None:
    """Import Keras, on this backend or on what it is set to; what fails is an exception as ever, with what was printed
    before it. Raises RuntimeError where Keras runs on another backend already."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # errors that matter are exceptions too
    if "keras" not in sys.modules:
        if on is not None:
            os.environ["KERAS_BACKEND"] = on
        with silence(unless_it_fails=True):
            import keras  # noqa: F401, PLC0415 - seconds
    if on not in (None, backend()):
        message = f"Keras runs on {backend()} in this process, and this needs {on}"
        raise RuntimeError(f"{message}: set KERAS_BACKEND={on} before Keras is imported")


def import_tensorflow() -> None:
    """Import TensorFlow, and Keras on it. Raises RuntimeError where Keras runs on something else already."""
    import_keras("tensorflow")
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
