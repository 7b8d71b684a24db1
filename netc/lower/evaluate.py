"""Expressions to values."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache

from netc.diagnostics.model import Diagnostics, Frame
from netc.ir.shape import SIZES, Shape, axes_of, show_shape
from netc.limits import Limits
from netc.suggest import did_you_mean
from netc.syntax.source import Span
from netc.syntax.tree import Binary, Conditional, Expr, Group, Literal, Reference, Starred, Unary
from netc.values import Value, Word, kind_of, show


class Poison(Exception):
    """A value that an error already reported has made unknown: whoever meets it stays silent."""


@dataclass(slots=True)
class Scope:
    """The names that an expression can see: parameters and loop indices, innermost first, and the sizes of a tensor.

    A value of None is poisoned. `shape` is the shape of the current tensor: None before any input, and poisoned
    while `broken`. `used` collects the names that were read.
    """

    values: Mapping[str, Value | None]
    report: Diagnostics
    limits: Limits
    outer: Scope | None = None
    frame: Frame | None = None
    shape: Shape | None = None
    broken: bool = False
    used: set[str] = field(default_factory=set)

    def knows(self, name: str) -> bool:
        """Whether a parameter or an index of that name can be seen."""
        scope: Scope | None = self
        while scope is not None:
            if name in scope.values:
                return True
            scope = scope.outer
        return False

    def lookup(self, name: str) -> Value:
        """The value of a parameter or index that `knows` has confirmed; raises `Poison`."""
        scope: Scope | None = self
        while scope is not None:
            if name in scope.values:
                scope.used.add(name)
                value = scope.values[name]
                if value is None:
                    raise Poison
                return value
            scope = scope.outer
        raise KeyError(name)

    def names(self) -> Iterable[str]:
        """All names that can be seen."""
        scope: Scope | None = self
        while scope is not None:
            yield from scope.values
            scope = scope.outer
        yield from SIZES

    def fail(self, code: str, message: str, span: Span, *, help: Iterable[str] = ()) -> Poison:
        """Report and return the exception to raise."""
        self.report.add(code, message, span, help=help, frame=self.frame)
        return Poison()

    def refuse_channels(self, name: str, span: Span) -> None:
        """Report a parameter or an index named `channels`, which would hide the channel count."""
        if name == "channels":
            message = "`channels` is the channel count of the current tensor, and cannot name something else"
            self.fail("NET124", message, span, help=("another name, such as `ch`",))

    def size(self, name: str, span: Span) -> int:
        """A size of the current tensor, which a spec calls `rows`, `columns`, `frames` or `channels`."""
        if self.broken:
            raise Poison
        if self.shape is None:
            raise self.fail("NET118", f"`{name}` is known only after an `input`", span)
        axes = axes_of(self.shape)
        if name not in axes:
            help = f"it has {' and '.join(f'`{axis}`' for axis in axes if axis)}"
            raise self.fail("NET202", f"a tensor of {show_shape(self.shape)} has no `{name}`", span, help=(help,))
        value = self.shape[axes.index(name)]
        if value is None:
            raise self.fail(
                "NET208",
                f"`{name}` is not known: the tensor is {show_shape(self.shape)}",
                span,
                help=("give `input` its sizes, or leave the value out: many operations take any size",),
            )
        return value


@cache
def value_words() -> frozenset[str]:
    """Words that are values wherever an expression may stand: activations, paddings, initialisers and the like."""
    from netc.layers import LAYERS  # noqa: PLC0415 - layers are complete only after import

    return frozenset(
        word
        for layer in LAYERS.values()
        for param in layer.signature(layer.op).params.values()
        for word in param.bare_words
    )


def evaluate(expr: Expr, scope: Scope) -> Value:
    """The value of an expression; raises `Poison` after reporting. Depth is bounded by the parser."""
    if isinstance(expr, Literal):
        return expr.value
    if isinstance(expr, Reference):
        return _reference(expr, scope)
    if isinstance(expr, Group):
        return evaluate(expr.inner, scope)
    if isinstance(expr, Starred):
        help = (f"tensors are joined: `add {expr.name}*`",)
        raise scope.fail("NET108", f"`{expr.name}*` is a label of all passes, and no value", expr.span, help=help)
    if isinstance(expr, Unary):
        return _unary(expr, scope)
    if isinstance(expr, Conditional):
        chosen = expr.then if boolean(expr.condition, scope) else expr.otherwise
        return evaluate(chosen, scope)
    return _binary(expr, scope)


def boolean(expr: Expr, scope: Scope) -> bool:
    """The value of a condition."""
    value = evaluate(expr, scope)
    if not isinstance(value, bool):
        help = "`true` and `false` are conditions, and comparisons: `if n > 0 { ... }`"
        raise scope.fail("NET111", f"a condition must be true or false, this is {show(value)}", expr.span, help=(help,))
    return value


def integer(expr: Expr, scope: Scope, what: str) -> int:
    """The value of an expression that must be an integer; `what` names it in the message."""
    value = evaluate(expr, scope)
    if isinstance(value, bool) or not isinstance(value, int):
        raise scope.fail(
            "NET108",
            f"{what} must be an integer, this is {show(value)}",
            expr.span,
            help=("`//` divides to an integer",) if isinstance(value, float) else (),
        )
    return value


def _reference(expr: Reference, scope: Scope) -> Value:
    if scope.knows(expr.name):
        return scope.lookup(expr.name)
    if expr.name in SIZES:
        return scope.size(expr.name, expr.span)
    if expr.name in value_words():
        return Word(expr.name)
    raise scope.fail(
        "NET110",
        f"`{expr.name}` is not defined here",
        expr.span,
        help=did_you_mean(expr.name, [*scope.names(), *sorted(value_words())], _unnamed(expr.name, scope)),
    )


def _unnamed(name: str, scope: Scope) -> tuple[str, ...]:
    """What to write for a name that has no value."""
    if scope.outer is not None or scope.frame is not None:
        return (f"give `{name}` a value, as a parameter of the definition or with `param` at the top of the file",)
    return (f"write the number, or give it a value above: `param {name} = 3`",)


def _number(value: Value, expr: Expr, operator: str, scope: Scope) -> int | float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise scope.fail("NET111", f"`{operator}` needs numbers, this is {kind_of(value)}: {show(value)}", expr.span)
    return value


def _unary(expr: Unary, scope: Scope) -> Value:
    if expr.operator == "not":
        return not boolean(expr.operand, scope)
    value = _number(evaluate(expr.operand, scope), expr.operand, expr.operator, scope)
    return -value if expr.operator == "-" else value


_ARITHMETIC: dict[str, Callable[[int | float, int | float], int | float]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": lambda a, b: a / b,
    "//": lambda a, b: int(a // b),
    "%": lambda a, b: a % b,
}
_ORDER: dict[str, Callable[[int | float, int | float], bool]] = {
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
}


def _binary(expr: Binary, scope: Scope) -> Value:
    operator = expr.operator
    if operator == "and":
        return boolean(expr.left, scope) and boolean(expr.right, scope)
    if operator == "or":
        return boolean(expr.left, scope) or boolean(expr.right, scope)
    left, right = evaluate(expr.left, scope), evaluate(expr.right, scope)
    if operator in ("==", "!="):
        return _equal(left, right, expr, scope) == (operator == "==")
    a = _number(left, expr.left, operator, scope)
    b = _number(right, expr.right, operator, scope)
    if operator in _ORDER:
        return _ORDER[operator](a, b)
    return _bounded(_power(a, b, expr, scope) if operator == "**" else _divide(a, b, expr, scope), expr, scope)


def _equal(left: Value, right: Value, expr: Binary, scope: Scope) -> bool:
    numbers = [isinstance(value, int | float) and not isinstance(value, bool) for value in (left, right)]
    if numbers[0] != numbers[1] or isinstance(left, bool) != isinstance(right, bool):
        raise scope.fail(
            "NET111",
            f"`{expr.operator}` compares values of one kind, these are {kind_of(left)} and {kind_of(right)}",
            expr.span,
        )
    return left == right


def _divide(a: int | float, b: int | float, expr: Binary, scope: Scope) -> int | float:
    try:
        return _ARITHMETIC[expr.operator](a, b)
    except ZeroDivisionError:
        raise scope.fail("NET111", f"division by zero: {show(a)} {expr.operator} 0", expr.span) from None
    except (OverflowError, ValueError):
        raise scope.fail("NET607", "the result is too large for a number", expr.span) from None


def _power(a: int | float, b: int | float, expr: Binary, scope: Scope) -> int | float:
    if isinstance(a, int) and isinstance(b, int) and b > 0 and abs(a) > 1 and b > scope.limits.number.bit_length():
        raise scope.fail("NET607", f"{a} ** {b} is too large for an integer", expr.span)
    try:
        result = a**b
    except (OverflowError, ZeroDivisionError):
        raise scope.fail("NET111", f"{show(a)} ** {show(b)} cannot be computed", expr.span) from None
    if isinstance(result, complex):
        raise scope.fail("NET111", f"{show(a)} ** {show(b)} is not a real number", expr.span)
    return result


def _bounded(value: int | float, expr: Expr, scope: Scope) -> int | float:
    if isinstance(value, int) and abs(value) > scope.limits.number:
        raise scope.fail("NET607", f"this integer is larger than {scope.limits.number}", expr.span)
    if value != value or value in (float("inf"), float("-inf")):  # noqa: PLR0124
        raise scope.fail("NET607", "the result is too large for a number", expr.span)
    return value
