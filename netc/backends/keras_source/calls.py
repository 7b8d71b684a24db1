"""Calls of the target as Python text."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from netc.backends.keras_source.expressions import constant
from netc.target import Call, Symbol

PACKAGES = (
    "callbacks",
    "initializers",
    "layers",
    "losses",
    "metrics",
    "optimizers",
    "regularizers",
)  # imported by name where they are used


@dataclass(slots=True)
class Uses:
    """What emitted code refers to: packages of Keras, custom classes, and helpers of the module."""

    packages: set[str] = field(default_factory=set)
    custom: set[str] = field(default_factory=set)

    def path(self, path: str) -> str:
        """The text of a call's path, noting what it needs."""
        package, _, rest = path.partition(".")
        if package == "custom":
            self.custom.add(rest)
            return rest
        if package in PACKAGES:
            self.packages.add(package)
            return path
        return f"keras.{path}"

    def call(self, call: Call, *more: str) -> str:
        """A call, with further arguments given as text."""
        written = [self.value(value) for value in call.args]
        written += [f"{key}={self.value(value)}" for key, value in call.kwargs.items()]
        return f"{self.path(call.path)}({', '.join((*written, *more))})"

    def value(self, value: object) -> str:
        """An argument: a constant, a symbol, a call, or a sequence of these."""
        if isinstance(value, Symbol):
            return value.source
        if isinstance(value, Call):
            return self.call(value)
        if isinstance(value, tuple):
            return f"({self._items(value)}{',' if len(value) == 1 else ''})"
        if isinstance(value, list):
            return f"[{self._items(value)}]"
        return constant(value).text

    def _items(self, values: Iterable[object]) -> str:
        return ", ".join(map(self.value, values))
