"""The values that expressions and arguments have once computed."""

from __future__ import annotations

from dataclasses import dataclass


class Word(str):
    """A bare word that stands for itself: an activation, a padding, an initialiser."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class SizeValue:
    """A computed size: extents (None for `?`) and the strides after `/` (empty when none is written)."""

    parts: tuple[int | None, ...]
    stride: tuple[int, ...] = ()

    def __str__(self) -> str:
        parts = "x".join("?" if part is None else str(part) for part in self.parts)
        return parts + ("/" + "x".join(map(str, self.stride)) if self.stride else "")


Value = int | float | bool | str | Word | SizeValue


def show(value: object) -> str:
    """A value as a spec writes it, for messages."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Word | SizeValue | int):
        return str(value)
    if isinstance(value, float):
        return repr(value)
    if isinstance(value, tuple):
        return "x".join(map(show, value))
    return '"' + str(value) + '"'


def kind_of(value: object) -> str:
    """What a value is, in words, for messages."""
    if isinstance(value, bool):
        return "a boolean"
    if isinstance(value, int):
        return "an integer"
    if isinstance(value, float):
        return "a real number"
    if isinstance(value, SizeValue):
        return "a size"
    return "a word" if isinstance(value, Word) else "a string"
