"""Layers and settings with what the spec wrote in place of the values of one copy."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from copy import copy
from typing import Any, TypeVar

from netc.ir.net import Written
from netc.params import Declared, declared
from netc.syntax.tree import Expr
from netc.target import Decided, Symbol
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
    return Symbol(own, value, decided)
