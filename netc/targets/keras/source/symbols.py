"""Layers and settings with what the spec wrote in place of the values of one copy."""

from __future__ import annotations

import ast
import dataclasses
from collections.abc import Mapping, Sequence
from copy import copy
from typing import Any, TypeVar

from netc.ir.net import Net, Written
from netc.layers.kinds import ACTIVATION_ALIASES
from netc.params import Declared, declared
from netc.syntax.tree import Expr
from netc.target import Call, Decided, Symbol
from netc.targets.keras.lowering import to_keras
from netc.targets.keras.source.expressions import Sight, translate

T = TypeVar("T", bound=Declared)


def symbolic(
    value: T,
    written: Mapping[str, Written],
    sight: Sight,
    *,
    many: bool = False,
    decided: Decided | None = None,
) -> T:
    """A copy whose parameters are symbols wherever an expression with a name in it was written.

    Parameters that take any number of values are left out without `many`, as `written` holds one of them only.
    `decided` is told what is then decided by the value of a symbol.
    """
    known = declared(type(value))
    changes: dict[str, Any] = {}
    for name, expr in written.items():
        if name not in known or (known[name].many and not many):
            continue
        changes[name] = _symbols(expr, getattr(value, name), sight, decided)
    return dataclasses.replace(value, **changes) if changes else value  # type: ignore[type-var]


def _symbols(written: Written, value: Any, sight: Sight, decided: Decided | None) -> Any:
    if not isinstance(value, tuple):
        return value if isinstance(written, tuple) else _symbol(written, value, sight, decided)
    parts = written if isinstance(written, tuple) else (written,) * len(value)
    if len(parts) != len(value):
        return value
    return tuple(_symbol(expr, part, sight, decided) for expr, part in zip(parts, value, strict=True))


def _symbol(expr: Expr | None, value: Any, sight: Sight, decided: Decided | None) -> Any:
    if expr is None or not sight.sees(expr):
        return value
    own = copy(translate(expr, sight))  # so that this very use of a variable can be found in the tree
    return value if isinstance(own, ast.Constant) else Symbol(own, value, decided)


def spoken(
    net: Net, statement: Sequence[str], name: str, sight: Sight, decided: Decided | None = None
) -> Symbol | None:
    """The word of an activation that a parameter holds, where a node needs no more of it than its name.

    `statement` are the nodes of its statement: another activation among them would have a number in its name where the
    two have one word.
    """
    node = net.node(name)
    expr, op = node.origin.op, node.layer.op
    if expr is None or not sight.sees(expr) or not sight.speaks(expr):
        return None
    several = sum(net.node(other).layer.family == "activation" for other in statement[1:]) > 1
    if several or to_keras(node.layer, net.operand_shapes(name)) != (Call("layers.Activation", (op,)),):
        return None
    made = as_keras_says(copy(translate(expr, sight)))
    return None if isinstance(made, ast.Constant) else Symbol(made, op, decided)


def as_keras_says(expr: ast.expr) -> ast.expr:
    """A word, or a choice of words, without other names of activations."""
    match expr:
        case ast.Constant(value=str(word)):
            return ast.Constant(ACTIVATION_ALIASES.get(word, word))
        case ast.IfExp(test=test, body=body, orelse=orelse):
            return ast.IfExp(test, as_keras_says(body), as_keras_says(orelse))
    return expr
