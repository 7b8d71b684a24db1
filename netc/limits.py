"""Bounds on everything that a spec can blow up.

Each is a normal diagnostic (NET6xx) that names the limit and how to raise it: `--limit layers=500000`.
"""

from __future__ import annotations

from dataclasses import dataclass, field

DEEPEST = 1000  # `nesting`: each level takes a part of the stack
LARGEST = 10**18 - 1


def _bound(default: int, doc: str) -> int:
    made: int = field(default=default, metadata={"doc": doc})
    return made


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of one run."""

    file_size: int = _bound(2_000_000, "bytes of one text")
    statement: int = _bound(20_000, "characters of one statement")
    name: int = _bound(1_000, "characters of the name of a layer")
    nesting: int = _bound(100, "brackets and blocks inside each other, and operators deep in one expression")
    repeat: int = _bound(100_000, "passes of one `repeat`")
    layers: int = _bound(100_000, "layers of the network")
    steps: int = _bound(250_000, "statements executed or passed over while expanding; long ones count several times")
    elements: int = _bound(2**31 - 1, "elements of one tensor, for one sample")
    parameters: int = _bound(10_000_000_000, "parameters of the network")
    number: int = _bound(2**53, "magnitude of an integer")
    includes: int = _bound(100, "files brought in by `use`")


def bounded(name: str, value: int, got: str) -> int:
    """The value of a limit; raises ValueError, which shows what was `got`, for one that it cannot have."""
    if value < 1:
        raise ValueError(f"got `{got}`, expected a whole number of at least 1")
    if value > LARGEST:
        raise ValueError(f"got `{got}`, expected at most {LARGEST:,}")
    if name == "nesting" and value > DEEPEST:
        raise ValueError(f"got `{got}`, expected at most {DEEPEST:,}: each level takes a part of the stack")
    return value
