"""Values for parameters of settings, made from their kinds."""

from __future__ import annotations

from typing import Any, TypeVar

from netc.params import Bool, Choice, Int, Kind, Real, Refused, declared
from netc.sections.base import Registry, Setting
from netc.values import Word

S = TypeVar("S", bound=Setting)


def classes(registry: Registry[S]) -> list[type[S]]:
    """The classes of a registry, each once."""
    return list(dict.fromkeys(registry.values()))


def other_values(cls: type[Setting]) -> dict[str, Any]:
    """For each parameter with a plain kind, a legal value that is not its default."""
    params = declared(cls).values()
    return {p.name: other(p.kind, p.default) for p in params if isinstance(p.kind, Real | Int | Bool | Choice)}


def other(kind: Kind, default: Any) -> Any:
    """A value that a kind accepts, another than the default."""
    if isinstance(kind, Bool):
        return not default
    candidates: tuple[Any, ...] = kind.choices if isinstance(kind, Choice) else (2, 3, -1)
    if isinstance(kind, Real):
        candidates = (0.25, 0.125, -0.25, 2.5)
    return next(value for value in candidates if value != default and _accepted(kind, value))


def _accepted(kind: Kind, value: Any) -> bool:
    try:
        kind.accept(Word(value) if isinstance(value, str) else value, 2)
    except Refused:
        return False
    return True
