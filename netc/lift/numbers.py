"""Numbers as an expert writes them: `1` for 1.0, `1/255` for 0.00392156862745098. Always the same number."""

from __future__ import annotations

from netc.syntax.source import NOWHERE
from netc.syntax.tree import Binary, Expr, Literal

_LONG = 10  # characters, from which on a number has not been chosen but worked out
_SMALL, _MOST = 16, 256  # of denominators: those that are tried before 1/127.5, and all
_WHOLE = 1e6  # below which a whole number is written out


def integral(value: object) -> object:
    """The integer that a real number is, where it is one."""
    return int(value) if isinstance(value, float) and value.is_integer() and abs(value) < _WHOLE else value


def shortest(value: object) -> Expr:
    """A value as a literal, or as the fraction that it came from."""
    value = integral(value)
    if isinstance(value, float) and len(repr(value)) > _LONG and (parts := _fraction(value)) is not None:
        above, below = parts
        return Binary("/", Literal(above, NOWHERE), Literal(integral(below), NOWHERE), NOWHERE)  # type: ignore[arg-type]
    return Literal(value, NOWHERE)  # type: ignore[arg-type]


def _fraction(value: float) -> tuple[int, float] | None:
    """Two short numbers whose quotient a number is."""
    return _quotient(value, range(2, _SMALL)) or _inverse(value) or _quotient(value, range(_SMALL, _MOST))


def _quotient(value: float, denominators: range) -> tuple[int, float] | None:
    for below in denominators:
        above = round(value * below)
        if above and abs(above) < _MOST and above / below == value:
            return above, below
    return None


def _inverse(value: float) -> tuple[int, float] | None:
    sign = -1 if value < 0 else 1
    below = round(sign / value, 3)
    return (sign, below) if 0 < below < _WHOLE and sign / below == value else None
