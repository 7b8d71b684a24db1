"""The text of the custom Keras classes that emitted code carries along."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from functools import cache
from importlib.resources import files

from netc.layers.base import OperationError
from netc.targets.keras.written import source, written

MODULES = ("custom", "custom_training")  # beside this package; read as text, since they import Keras
_PACKAGE = "package=PACKAGE"


def sources(wanted: Iterable[str]) -> dict[str, str]:
    """The text of the named classes and of those they need, by name, each after what it needs."""
    wanted, known = set(wanted), shipped()
    missing = wanted - set(known)
    if missing:
        named = ", ".join(f"`custom.{name}`" for name in sorted(missing))
        raise OperationError(f"netc.targets.keras has no class for {named}, which a layer or a setting becomes")
    for name in reversed(known):
        if name in wanted:
            wanted |= known[name][1] & set(known)
    return {name: text for name, (text, _) in known.items() if name in wanted}


def shipped() -> dict[str, tuple[str, set[str]]]:
    """Text and read names of everything that emitted code may carry along, by name."""
    return {**_of_modules(), **{name: (source(op), set()) for name, op in written().items()}}


@cache
def _of_modules() -> dict[str, tuple[str, set[str]]]:
    known: dict[str, tuple[str, set[str]]] = {}
    for module in MODULES:
        known.update(_definitions(files("netc.targets.keras").joinpath(f"{module}.py").read_text(encoding="utf-8")))
    return known


def _definitions(text: str) -> dict[str, tuple[str, set[str]]]:
    """Text and read names of each class and function at the top of a module."""
    lines = text.splitlines()
    found = {}
    for node in ast.parse(text).body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef):
            first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
            source = "\n".join(lines[first - 1 : node.end_lineno]).replace(_PACKAGE, 'package="netc"')
            read = {inner.id for inner in ast.walk(node) if isinstance(inner, ast.Name)}
            found[node.name] = (source, read - {node.name})
    return found
