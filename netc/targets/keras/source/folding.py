"""Conditions of which parts are known: where `option` is "B", `option == "C" or deep and n > 1` is `deep and n > 1`."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable
from typing import Any

_COMPARED: dict[type[ast.cmpop], Callable[[Any, Any], bool]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}


def truth(node: ast.expr) -> bool | None:
    """Whether a condition is true or false, None where it is neither for certain."""
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, bool) else None


def fold(node: ast.expr) -> ast.expr:
    """A condition without what is decided in it. What computes numbers stays as it is."""
    match node:
        case ast.BoolOp(op=joined):
            neutral = isinstance(joined, ast.And)
            parts = [part for part in map(fold, node.values) if truth(part) is not neutral]
            if any(truth(part) is not None for part in parts):
                return ast.Constant(not neutral)
            if len(parts) < 2:
                return parts[0] if parts else ast.Constant(neutral)
            return ast.BoolOp(joined, parts)
        case ast.UnaryOp(op=ast.Not()):
            inner = fold(node.operand)
            known = truth(inner)
            return ast.UnaryOp(ast.Not(), inner) if known is None else ast.Constant(not known)
        case ast.Compare(left=ast.Constant(value=left), ops=[compared], comparators=[ast.Constant(value=right)]):
            if type(left) is type(right) and not (
                isinstance(left, str) and not isinstance(compared, ast.Eq | ast.NotEq)
            ):
                return ast.Constant(_COMPARED[type(compared)](left, right))
    return node
