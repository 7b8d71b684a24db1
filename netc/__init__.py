"""netc: the compiler for convolutional network architectures."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from netc.api import Network, SpecError, load, loads

__version__ = "0.1.0"

__all__ = ["Network", "SpecError", "__version__", "load", "loads"]


def __getattr__(name: str) -> object:
    """The Python interface, imported when it is first used: the command line must start quickly."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from netc import api  # noqa: PLC0415

    value = globals()[name] = getattr(api, name)
    return value
