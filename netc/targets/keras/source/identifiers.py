"""Names of Python variables and functions, which must neither clash nor shadow."""

from __future__ import annotations

import builtins
import keyword
import re
from collections.abc import Iterable

FIXED = frozenset(
    [
        "h5py",
        "keras",
        "layers",
        "initializers",
        "regularizers",
        "optimizers",
        "losses",
        "metrics",
        "callbacks",
        "ops",
        "tf",
        "math",
        "sys",
        "x",
        "name",
        "once",
        "models",
        "inputs",
        "ramps",
        "outputs",
        "build_model",
        "train",
        "self",
    ]
)
_TAKEN = FIXED | frozenset(keyword.kwlist) | frozenset(keyword.softkwlist) | frozenset(dir(builtins))


class Identifiers:
    """The names of one scope of emitted code, over those of the scope around it."""

    def __init__(self, taken: Iterable[str] = ()) -> None:
        self._taken = set(taken)

    def inner(self) -> Identifiers:
        """A scope inside, which may not shadow this one."""
        return Identifiers(self._taken)

    def reserve(self, names: Iterable[str]) -> None:
        """Keep names from being made."""
        self._taken.update(names)

    def release(self, name: str) -> None:
        """Let a name be made again."""
        self._taken.discard(name)

    def free(self, name: str) -> bool:
        """Whether a name could be made as it is."""
        return name not in self._taken and name not in _TAKEN

    def make(self, wanted: str, separator: str = "_") -> str:
        """A new name, as near to the wanted one as Python and the scope allow: `class_`, `block_2`."""
        base = re.sub(r"\W", "_", wanted, flags=re.ASCII) or "_"
        if base[0].isdigit() or base.startswith("__"):
            base = f"n{base}"
        name, number = base, 2
        if name in _TAKEN:
            name = base = f"{base}_"
        while not self.free(name):
            name, number = f"{base.rstrip('_')}{separator}{number}", number + 1
        self._taken.add(name)
        return name
