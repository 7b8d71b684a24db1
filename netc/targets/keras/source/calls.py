"""Calls of the target as Python."""

from __future__ import annotations

import ast

from netc.target import Call, Keywords, Symbol
from netc.targets.keras.source.customs import sources
from netc.targets.keras.source.expressions import constant
from netc.targets.keras.source.tree import Link, call, listed, load

PACKAGES = (
    "callbacks",
    "initializers",
    "layers",
    "losses",
    "metrics",
    "optimizers",
    "regularizers",
)  # imported by name where they are used


def path(path: str) -> ast.expr | str:
    """What a call's path is in emitted code, where classes of netc's own stand in the module itself."""
    package, _, rest = path.partition(".")
    if package == "custom":
        sources((rest,))  # raises where there is no such class
        return load(rest)
    return path if package in PACKAGES else f"keras.{path}"


def made(made: Call, **more: ast.expr) -> ast.Call:
    """A call, with further keyword arguments."""
    given = {key: value(inner) for key, inner in made.kwargs.items()}
    return call(path(made.path), *map(value, made.args), **given, **more)


def defaults(made: Call) -> dict[str, ast.expr]:
    """What the keyword arguments of a call are where they are not given, as far as that is known."""
    known = made.kwargs.defaults if isinstance(made.kwargs, Keywords) else {}
    return {key: value(inner) for key, inner in known.items()}


def link(target: Call, suffix: ast.expr, word: str) -> Link:
    """A layer in a chain, and how it is called on its operands."""
    applied = [ast.keyword(key, value(inner)) for key, inner in target.applied.items()]
    return Link(made(target), suffix, word, defaults(target), target.apart, applied)


def value(given: object) -> ast.expr:
    """An argument: a constant, a symbol, a call, or a sequence of these."""
    if isinstance(given, Symbol):
        return given.expr
    if isinstance(given, Call):
        return made(given)
    if isinstance(given, tuple):
        return ast.Tuple([*map(value, given)], ast.Load())
    if isinstance(given, list):
        return listed(map(value, given))
    if isinstance(given, dict):
        return ast.Dict([*map(constant, given)], [*map(value, given.values())])
    return constant(given)
