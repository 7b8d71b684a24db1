"""Frozen keyword-only dataclasses without generated code.

`dataclass(frozen=True)` compiles six methods for each class, most of a millisecond: with a hundred declared classes
that is a fifth of a whole cold check. These take theirs from one base. Fields, `replace` and the rest of `dataclasses`
work as ever.
"""

from __future__ import annotations

from dataclasses import MISSING, FrozenInstanceError, dataclass, fields
from functools import cache
from typing import Any

record = dataclass(init=False, repr=False, eq=False, kw_only=True)


class Record:
    """Base of classes decorated with `record`."""

    def __init__(self, **values: Any) -> None:
        cls: Any = type(self)
        defaults = _defaults(cls)
        self.__dict__.update(defaults)
        self.__dict__.update(values)
        wrong = [*(name for name, value in self.__dict__.items() if value is MISSING), *(values.keys() - defaults)]
        if wrong:
            raise TypeError(f"{type(self).__name__}: missing or unknown: {', '.join(wrong)}")

    def __setattr__(self, name: str, value: object) -> None:
        raise FrozenInstanceError(f"cannot assign to field {name!r}")

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and self.__dict__ == other.__dict__

    def __hash__(self) -> int:
        return hash((type(self), *self.__dict__.values()))

    def __repr__(self) -> str:
        given = ", ".join(f"{name}={value!r}" for name, value in self.__dict__.items())
        return f"{type(self).__name__}({given})"


@cache
def _defaults(cls: type[Any]) -> dict[str, Any]:
    return {field.name: field.default for field in fields(cls)}
