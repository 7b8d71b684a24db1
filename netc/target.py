"""What a layer becomes in the target: a call as data.

One lowering serves two uses. The direct build executes calls; the source backend prints them, after replacing
parameters that the spec writes as expressions by `Symbol`s. A lowering therefore treats its parameters as values
it passes on, and looks at them only through `concrete` and `is_given`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

ATOM = 20  # precedence of a name, a literal or a call in printed Python
PRODUCT = 12
SUM = 11


@dataclass(frozen=True, slots=True, eq=False)
class Symbol:
    """A Python expression with the value it has in the copy at hand.

    Arithmetic makes the text of the result; comparisons and truth look at the value, so that a lowering takes the
    same way with a symbol as without (copies that take different ways get separate functions in emitted code).
    """

    source: str
    value: Any
    precedence: int = ATOM

    def at_least(self, precedence: int) -> str:
        """The text, in parentheses where it binds less tightly."""
        return self.source if self.precedence >= precedence else f"({self.source})"

    def _binary(self, other: object, sign: str, precedence: int, value: Any) -> Symbol:
        right = other.at_least(precedence + 1) if isinstance(other, Symbol) else repr(other)
        return Symbol(f"{self.at_least(precedence)} {sign} {right}", value, precedence)

    def __truediv__(self, other: Any) -> Symbol:
        return self._binary(other, "/", PRODUCT, self.value / concrete(other))

    def __floordiv__(self, other: Any) -> Symbol:
        return self._binary(other, "//", PRODUCT, self.value // concrete(other))

    def __mul__(self, other: Any) -> Symbol:
        return self._binary(other, "*", PRODUCT, self.value * concrete(other))

    def __rmul__(self, other: Any) -> Symbol:
        return Symbol(f"{other!r} * {self.at_least(PRODUCT + 1)}", concrete(other) * self.value, PRODUCT)

    def __add__(self, other: Any) -> Symbol:
        return self._binary(other, "+", SUM, self.value + concrete(other))

    def __sub__(self, other: Any) -> Symbol:
        return self._binary(other, "-", SUM, self.value - concrete(other))

    def __rsub__(self, other: Any) -> Symbol:
        return Symbol(f"{other!r} - {self.at_least(SUM + 1)}", concrete(other) - self.value, SUM)

    def __neg__(self) -> Symbol:
        return Symbol(f"-{self.at_least(ATOM)}", -self.value, PRODUCT)

    def __eq__(self, other: object) -> bool:
        return bool(self.value == concrete(other))

    def __lt__(self, other: Any) -> bool:
        return bool(self.value < concrete(other))

    def __le__(self, other: Any) -> bool:
        return bool(self.value <= concrete(other))

    def __gt__(self, other: Any) -> bool:
        return bool(self.value > concrete(other))

    def __ge__(self, other: Any) -> bool:
        return bool(self.value >= concrete(other))

    def __bool__(self) -> bool:
        return bool(self.value)

    def __hash__(self) -> int:
        return hash(self.value)


def concrete(value: Any) -> Any:
    """The value behind a symbol; anything else as it is."""
    if isinstance(value, Symbol):
        return value.value
    if isinstance(value, tuple):
        return tuple(map(concrete, value))
    return value


def is_given(value: object, default: object) -> bool:
    """Whether an argument must be printed: always for a symbol, else when it differs from the target's default."""
    return isinstance(value, Symbol) or value != default


def compact(sizes: Any) -> Any:
    """`(3, 3)` as 3 and `(k, k)` as k, the way Keras users write it; unequal sizes as they are."""
    if isinstance(sizes, tuple) and len({_identity(size) for size in sizes}) == 1:
        return sizes[0]
    return sizes


def _identity(size: Any) -> tuple[bool, Any]:
    return (True, size.source) if isinstance(size, Symbol) else (False, size)


@dataclass(frozen=True, slots=True)
class Call:
    """A call of something in the target, whose result is a layer, an initialiser or a regulariser.

    `path` is relative to the `keras` package (`layers.Conv2D`, `regularizers.L2`), or `custom.X` for a class of
    `netc.backends.custom`. Arguments are literals, tuples, `Symbol`s and `Call`s. `suffix` is appended to the
    node's name for all but the last call of a layer that needs several (`_pad`).
    """

    path: str
    args: tuple[Any, ...] = ()
    kwargs: Mapping[str, Any] = field(default_factory=dict)
    suffix: str = ""
