"""Calls of the target as Python."""

from __future__ import annotations

import ast
from copy import deepcopy

from netc.target import Call, Symbol
from netc.targets.keras.source.customs import sources
from netc.targets.keras.source.expressions import constant
from netc.targets.keras.source.tree import call, listed, load

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


def output_of(target: Call, layer: ast.expr, operands: ast.expr) -> ast.Call:
    """The layer that a call makes, called on its operand or on the list of them."""
    several = operands.elts if isinstance(operands, ast.List) else [operands]
    keywords = {key: value(inner) for key, inner in target.applied.items()}
    return call(layer, *map(deepcopy, target.arguments(several) or [operands]), **keywords)


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
