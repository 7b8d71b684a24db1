"""Calls of the target, executed: what the source backend prints, this runs.

Keras is imported only when something is made.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import reduce
from importlib import import_module
from typing import Any

from netc.layers.base import OperationError
from netc.target import Call, concrete
from netc.targets.keras.source.customs import MODULES
from netc.targets.keras.written import made, written


def make(call: Call, name: str | None = None) -> Any:
    """What a call gives: a Keras layer, initialiser, regulariser, optimizer, or the tensor of an `Input`."""
    named = {} if name is None else {"name": name}
    return resolve(call.path)(*map(executed, call.args), **executed(call.kwargs), **named)


def resolve(path: str) -> Any:
    """The class or function of a path relative to `keras`, or of one of netc's own classes (`custom.X`); raises
    `OperationError` where there is none."""
    package, _, rest = path.partition(".")
    if package != "custom":
        keras = import_module("keras")
        try:
            return reduce(getattr, path.split("."), keras)
        except AttributeError:
            raise OperationError(f"Keras {keras.__version__} has no `keras.{path}`") from None
    if rest in (operations := written()):
        return made(operations[rest])
    modules = (import_module(f"netc.targets.keras.{module}") for module in MODULES)
    found = next((getattr(module, rest) for module in modules if hasattr(module, rest)), None)
    if found is None:
        raise OperationError(f"netc.targets.keras has no class `{rest}`")
    return found


def executed(value: Any) -> Any:
    """A value with what its calls give in their place, in sequences and mappings too."""
    if isinstance(value, Call):
        return make(value)
    if isinstance(value, list | tuple):
        return type(value)(map(executed, value))
    if isinstance(value, Mapping):
        return {key: executed(inner) for key, inner in value.items()}
    return concrete(value)
