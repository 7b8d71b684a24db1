"""Expressions of the language as Python text."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from netc.layers.kinds import ACTIVATION_ALIASES
from netc.syntax.tree import Binary, Conditional, Expr, Group, Literal, Reference, Unary
from netc.target import ATOM, PRODUCT, SUM
from netc.targets.keras.lowering import INITIALIZERS
from netc.values import Word

CONDITIONAL, OR, AND, NOT, COMPARISON, SIGN, POWER = 1, 3, 4, 5, 6, 13, 14
_PRECEDENCE = {
    "or": OR,
    "and": AND,
    **dict.fromkeys(("==", "!=", "<", "<=", ">", ">="), COMPARISON),
    **dict.fromkeys("+-", SUM),
    **dict.fromkeys(("*", "/", "//", "%"), PRODUCT),
    "**": POWER,
}


@dataclass(frozen=True, slots=True)
class Python:
    """A piece of Python: its text, how tightly it binds, and whether its value may be a real number."""

    text: str
    precedence: int = ATOM
    real: bool = False

    def at_least(self, precedence: int) -> str:
        """The text, in parentheses where it binds less tightly."""
        return self.text if self.precedence >= precedence else f"({self.text})"


@dataclass(frozen=True, slots=True)
class Sight:
    """What an expression sees: the Python variable of each name, and which of these may hold a real number.

    `tensor` is the variable of the current tensor, None where `channels` cannot be read.
    """

    variables: Mapping[str, str]
    reals: frozenset[str] = frozenset()
    tensor: str | None = "x"

    def holds(self, expr: Expr) -> bool:
        """Whether every name of an expression can be seen; a name that no variable has is a word."""
        return self.tensor is not None or not self.reads_tensor(expr)

    def reads_tensor(self, expr: Expr) -> bool:
        """Whether an expression depends on the current tensor, by its channels."""
        return "channels" not in self.variables and "channels" in names(expr)


def names(expr: Expr) -> frozenset[str]:
    """The names that an expression reads."""
    if isinstance(expr, Reference):
        return frozenset((expr.name,))
    if isinstance(expr, Group):
        return names(expr.inner)
    if isinstance(expr, Unary):
        return names(expr.operand)
    if isinstance(expr, Binary):
        return names(expr.left) | names(expr.right)
    if isinstance(expr, Conditional):
        return names(expr.then) | names(expr.condition) | names(expr.otherwise)
    return frozenset()


def number(value: float) -> str:
    """A real number as one writes it: `1e-4`, `0.9`."""
    text = repr(value)
    if value and abs(value) < 1e-3 and "e" not in text:
        text = f"{value:.17e}" if float(f"{value:.15e}") != value else f"{value:.15e}"
    if "e" in text:
        mantissa, exponent = text.split("e")
        short = f"{mantissa.rstrip('0').rstrip('.') if '.' in mantissa else mantissa}e{int(exponent)}"
        text = short if float(short) == value else repr(value)
    return text


def target_word(word: str) -> str:
    """A word of the language as the target calls it, where it has a name for it."""
    target = INITIALIZERS.get(word, word)
    return ACTIVATION_ALIASES.get(word, target if isinstance(target, str) else word)


def constant(value: object) -> Python:
    """A computed value."""
    if isinstance(value, float):
        return Python(number(value), SIGN if value < 0 else ATOM, real=True)
    if isinstance(value, int) and not isinstance(value, bool):
        return Python(repr(value), SIGN if value < 0 else ATOM)
    if isinstance(value, str):
        return Python(repr(target_word(value) if isinstance(value, Word) else value))
    return Python(repr(value))


def translate(expr: Expr, sight: Sight) -> Python:
    """An expression as Python that computes the same. Depth is bounded by the parser."""
    if isinstance(expr, Literal):
        return constant(expr.value)
    if isinstance(expr, Group):
        return translate(expr.inner, sight)
    if isinstance(expr, Reference):
        return _reference(expr.name, sight)
    if isinstance(expr, Unary):
        return _unary(expr, sight)
    if isinstance(expr, Conditional):
        return _conditional(expr, sight)
    return _binary(expr, sight)


def _reference(name: str, sight: Sight) -> Python:
    if name in sight.variables:
        return Python(sight.variables[name], real=name in sight.reals)
    if name == "channels" and sight.tensor is not None:
        return Python(f"{sight.tensor}.shape[-1]")
    return constant(Word(name))


def _unary(expr: Unary, sight: Sight) -> Python:
    operand = translate(expr.operand, sight)
    if expr.operator == "not":
        return Python(f"not {operand.at_least(NOT)}", NOT)
    return Python(f"{expr.operator}{operand.at_least(SIGN)}", SIGN, operand.real)


def _conditional(expr: Conditional, sight: Sight) -> Python:
    then, condition, otherwise = (translate(part, sight) for part in (expr.then, expr.condition, expr.otherwise))
    text = f"{then.at_least(OR)} if {condition.at_least(OR)} else {otherwise.at_least(CONDITIONAL)}"
    return Python(text, CONDITIONAL, then.real or otherwise.real)


def _binary(expr: Binary, sight: Sight) -> Python:
    left, right = translate(expr.left, sight), translate(expr.right, sight)
    operator, own = expr.operator, _PRECEDENCE[expr.operator]
    real = operator == "/" or (own >= SUM and (left.real or right.real))
    if own == COMPARISON:  # Python chains comparisons, the language does not
        return Python(f"{left.at_least(SUM)} {operator} {right.at_least(SUM)}", COMPARISON)
    if operator == "**":
        return Python(f"{left.at_least(ATOM)}**{right.at_least(SIGN)}", POWER, real)
    text = f"{left.at_least(own)} {operator} {right.at_least(own + 1)}"
    if operator == "//" and real:  # the language's `//` is an integer always, Python's only of integers
        return Python(f"int({text})")
    return Python(text, own, real)
