"""What is installed only by those who ask for it."""

from __future__ import annotations

from importlib import util


def tensorflow(what: str) -> None:
    """Raises ModuleNotFoundError, saying how to mend it, where `what` needs TensorFlow and it is not installed."""
    if util.find_spec("tensorflow") is None:
        raise ModuleNotFoundError(f"{what} needs TensorFlow: pip install 'netc[tensorflow]'", name="tensorflow")
