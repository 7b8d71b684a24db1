"""Models of other programs, with random weights, as files: what `python -m tools.imports` reads.

Each module is a family: `NAMES`, and `make`, which writes the file of one of them into a folder."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple


class Made(NamedTuple):
    """A file, and the trainable parameters that its own program counts, where it does."""

    path: Path
    trainable: int | None = None
