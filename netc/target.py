"""What a layer becomes in the target: a call as data.

One lowering serves two uses. The direct build executes calls; the source backend prints them, after replacing
parameters that the spec writes as expressions by `Symbol`s. A lowering therefore treats its parameters as values
it passes on, and looks at them as little as it can: what it decides by a value holds for some values only, and
emitted code must refuse the others.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True, eq=False)
class Symbol:
    """A Python expression with the value it has in the copy at hand.

    Arithmetic makes the expression of the result. Comparisons and truth look at the value, so that a lowering takes
    the same way with a symbol as without; each is told to `decided`, with its outcome, because for another value the
    lowering might take another way.
    """

    expr: ast.expr
    value: Any
    decided: Decided | None = None

    @property
    def source(self) -> str:
        """The expression as text, to tell symbols apart."""
        return ast.unparse(self.expr)

    def _binary(self, operator: ast.operator, left: object, right: object, value: Any) -> Symbol:
        return Symbol(ast.BinOp(_expression(left), operator, _expression(right)), value, self.decided)

    def __truediv__(self, other: Any) -> Symbol:
        return self._binary(ast.Div(), self, other, self.value / _value(other))

    def __floordiv__(self, other: Any) -> Symbol:
        return self._binary(ast.FloorDiv(), self, other, self.value // _value(other))

    def __mul__(self, other: Any) -> Symbol:
        return self._binary(ast.Mult(), self, other, self.value * _value(other))

    def __rmul__(self, other: Any) -> Symbol:
        return self._binary(ast.Mult(), other, self, other * self.value)

    def __add__(self, other: Any) -> Symbol:
        return self._binary(ast.Add(), self, other, self.value + _value(other))

    def __sub__(self, other: Any) -> Symbol:
        return self._binary(ast.Sub(), self, other, self.value - _value(other))

    def __rsub__(self, other: Any) -> Symbol:
        return self._binary(ast.Sub(), other, self, other - self.value)

    def __neg__(self) -> Symbol:
        return Symbol(ast.UnaryOp(ast.USub(), self.expr), -self.value, self.decided)

    def _compare(self, operator: ast.cmpop, other: object, outcome: object) -> bool:
        if self.decided is not None:
            self.decided(ast.Compare(self.expr, [operator], [_expression(other)]), bool(outcome))
        return bool(outcome)

    def __eq__(self, other: object) -> bool:
        return self._compare(ast.Eq(), other, self.value == _value(other))

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __lt__(self, other: Any) -> bool:
        return self._compare(ast.Lt(), other, self.value < _value(other))

    def __le__(self, other: Any) -> bool:
        return self._compare(ast.LtE(), other, self.value <= _value(other))

    def __gt__(self, other: Any) -> bool:
        return self._compare(ast.Gt(), other, self.value > _value(other))

    def __ge__(self, other: Any) -> bool:
        return self._compare(ast.GtE(), other, self.value >= _value(other))

    def __bool__(self) -> bool:
        if self.decided is not None:
            zero = ast.Compare(self.expr, [ast.NotEq()], [ast.Constant(type(self.value)())])
            self.decided(self.expr if isinstance(self.value, bool) else zero, bool(self.value))
        return bool(self.value)

    def __hash__(self) -> int:
        return hash(self.value)


Decided = Callable[[ast.expr, bool], None]  # is told a condition and its outcome


def _expression(value: object) -> ast.expr:
    return value.expr if isinstance(value, Symbol) else ast.Constant(value)  # type: ignore[arg-type]


def _value(value: Any) -> Any:
    return value.value if isinstance(value, Symbol) else value


def is_text(value: object) -> bool:
    """Whether a value, or what a symbol stands for, is a word: no other value of a symbol is of another kind."""
    return isinstance(_value(value), str)


def concrete(value: Any) -> Any:
    """The value of a symbol; anything else as it is. Whatever is made of it holds for this value alone."""
    if isinstance(value, Symbol):
        value == value.value  # noqa: B015 - a decision
        return value.value
    if isinstance(value, tuple):
        return tuple(map(concrete, value))
    return value


def is_given(value: object, default: object) -> bool:
    """Whether an argument must be printed: always where a symbol is in play, else when it differs from the default."""
    return _symbolic(value) or _symbolic(default) or value != default


def _symbolic(value: object) -> bool:
    return isinstance(value, Symbol) or (isinstance(value, tuple) and any(map(_symbolic, value)))


def compact(sizes: Any) -> Any:
    """`(3, 3)` as 3 and `(k, k)` as k, the way Keras users write it; unequal sizes as they are."""
    if isinstance(sizes, tuple) and len({_identity(size) for size in sizes}) == 1:
        return sizes[0]
    return sizes


def _identity(size: Any) -> tuple[bool, Any]:
    return (True, size.source) if isinstance(size, Symbol) else (False, size)


class Keywords(dict[str, Any]):
    """Keyword arguments, without those that equal what the target takes in their place: the `defaults` of all."""

    def __init__(self, given: Mapping[str, Any], defaults: Mapping[str, Any]) -> None:
        super().__init__(given)
        self.defaults = defaults

    def __or__(self, other: Mapping[str, Any]) -> Keywords:  # type: ignore[override]
        more = other.defaults if isinstance(other, Keywords) else {}
        return Keywords({**self, **other}, {**self.defaults, **more})


@dataclass(frozen=True, slots=True)
class Call:
    """A call of something in the target, whose result is a layer, an initialiser or a regulariser.

    `path` is relative to the `keras` package (`layers.Conv2D`, `regularizers.L2`), or `custom.X` for a class of
    `netc.targets.keras.custom`. Arguments are literals, tuples, `Symbol`s and `Call`s. `suffix` is appended to the
    node's name for all but the last call of a layer that needs several (`_pad`).

    The layer is called on its operand, or on a list of several. Where it takes them one by one, `apart` says how many
    there must be, the last one again for those that are missing (`attention(x, x)`); `applied` are keyword arguments
    of that call.
    """

    path: str
    args: tuple[Any, ...] = ()
    kwargs: Mapping[str, Any] = field(default_factory=dict)
    suffix: str = ""
    apart: int = 0
    applied: Mapping[str, Any] = field(default_factory=dict)

    def arguments(self, operands: Sequence[T]) -> list[T]:
        """The operands as arguments of their own; none where they are one argument."""
        missing = range(self.apart - len(operands))
        return [*operands, *(operands[-1] for _ in missing)] if self.apart else []
