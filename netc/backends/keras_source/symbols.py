"""Layers and settings with what the spec wrote in place of the values of one copy."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any, TypeVar

from netc.backends.keras_source.expressions import Sight, names, target_word, translate
from netc.ir.net import Written
from netc.params import Declared, declared
from netc.syntax.tree import Expr
from netc.target import Symbol

T = TypeVar("T", bound=Declared)


def symbolic(value: T, written: Mapping[str, Written], sight: Sight, *, many: bool = False) -> T:
    """A copy whose parameters are symbols wherever an expression with a name in it was written.

    Parameters that take any number of values are left out without `many`, as `written` holds one of them only.
    """
    known = declared(type(value))
    changes: dict[str, Any] = {}
    for name, expr in written.items():
        if name not in known or (known[name].many and not many):
            continue
        changes[name] = _symbols(expr, getattr(value, name), sight)
    return dataclasses.replace(value, **changes) if changes else value  # type: ignore[type-var]


def _symbols(written: Written, value: Any, sight: Sight) -> Any:
    if not isinstance(value, tuple):
        return value if isinstance(written, tuple) else _symbol(written, value, sight)
    parts = written if isinstance(written, tuple) else (written,) * len(value)
    if len(parts) != len(value):
        return value
    return tuple(_symbol(expr, part, sight) for expr, part in zip(parts, value, strict=True))


def _symbol(expr: Expr, value: Any, sight: Sight) -> Any:
    read = names(expr)
    if not any(name in sight.variables or (name == "channels" and sight.tensor is not None) for name in read):
        return value
    text = translate(expr, sight)
    return Symbol(text.text, target_word(value) if isinstance(value, str) else value, text.precedence)
