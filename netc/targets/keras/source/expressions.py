"""Expressions of the language as Python."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from netc.ir.shape import SIZES, Shape, axes_of
from netc.lower import walk
from netc.syntax.tree import Conditional, Expr, Group, Literal, Reference, Size, Starred, Unary
from netc.targets.keras.source.folding import fold, truth
from netc.targets.keras.source.tree import call, load
from netc.values import Word

_ARITHMETIC: dict[str, type[ast.operator]] = {
    "+": ast.Add,
    "-": ast.Sub,
    "*": ast.Mult,
    "/": ast.Div,
    "//": ast.FloorDiv,
    "%": ast.Mod,
    "**": ast.Pow,
}
_COMPARISONS: dict[str, type[ast.cmpop]] = {
    "==": ast.Eq,
    "!=": ast.NotEq,
    "<": ast.Lt,
    "<=": ast.LtE,
    ">": ast.Gt,
    ">=": ast.GtE,
}
_SIGNS: dict[str, type[ast.unaryop]] = {"+": ast.UAdd, "-": ast.USub, "not": ast.Not}


@dataclass(frozen=True, slots=True)
class Sight:
    """What an expression sees: what each name is in Python, and which of these may hold a real number.

    `sizes` are those of the current tensor, by the names that a spec has for them, none where it cannot be read.
    `known` are the values of names that always have the same, which conditions need not ask for; `words` are names that
    may stand for a word as Keras has it.
    """

    variables: Mapping[str, ast.expr]
    reals: frozenset[str] = frozenset()
    sizes: Mapping[str, ast.expr] = field(default_factory=dict)
    known: Mapping[str, ast.expr] = field(default_factory=dict)
    words: frozenset[str] = frozenset()

    def reads_tensor(self, expr: Expr) -> bool:
        """Whether an expression depends on the current tensor, by a size of it."""
        return any(name in SIZES and name not in self.variables for name in names(expr))

    def speaks(self, expr: Expr) -> bool:
        """Whether each name that an expression may have the value of stands for a word as Keras has it."""
        return all(name in self.words or name not in self.variables for name in words(expr))

    def sees(self, expr: Expr) -> bool:
        """Whether a variable, or the current tensor, stands in an expression; any other name is a word."""
        return any(name in self.variables or name in self.sizes for name in names(expr))


def words(value: Expr | Size | None) -> Iterator[str]:
    """The bare names that an expression may have the value of."""
    if isinstance(value, Group):
        yield from words(value.inner)
    elif isinstance(value, Conditional):
        yield from words(value.then)
        yield from words(value.otherwise)
    elif isinstance(value, Reference):
        yield value.name


def sight(
    variables: Mapping[str, str], reals: frozenset[str] = frozenset(), tensor: str = "x", shape: Shape | None = None
) -> Sight:
    """What is seen where names are variables and `tensor` is that of the current tensor, if it has a shape."""
    sizes: dict[str, ast.expr] = {}
    for axis, name in enumerate(() if shape is None else axes_of(shape), 1):
        place = ast.Constant(-1 if name == "channels" else axis)
        sizes[name] = ast.Subscript(ast.Attribute(load(tensor), "shape", ast.Load()), place, ast.Load())
    return Sight({name: load(variable) for name, variable in variables.items()}, reals, sizes)


def names(expr: Expr) -> frozenset[str]:
    """The names that an expression reads."""
    return frozenset(walk.names(expr))


def constant(value: object) -> ast.Constant:
    """A computed value."""
    return ast.Constant(str(value) if isinstance(value, Word) else value)  # type: ignore[arg-type]


def translate(expr: Expr, sight: Sight) -> ast.expr:
    """An expression as Python that computes the same. Depth is bounded by the parser."""
    if isinstance(expr, Literal):
        return constant(expr.value)
    if isinstance(expr, Group):
        return translate(expr.inner, sight)
    if isinstance(expr, Starred):  # a word: it stands for tensors
        return constant(Word(expr.name))
    if isinstance(expr, Reference):
        if expr.name in sight.variables:
            return sight.variables[expr.name]
        return sight.sizes.get(expr.name) or constant(Word(expr.name))
    if isinstance(expr, Unary):
        return ast.UnaryOp(_SIGNS[expr.operator](), translate(expr.operand, sight))
    if isinstance(expr, Conditional):
        test = condition(expr.condition, sight)
        if (known := truth(test)) is not None:
            return translate(expr.then if known else expr.otherwise, sight)
        return ast.IfExp(test, translate(expr.then, sight), translate(expr.otherwise, sight))
    left, right = translate(expr.left, sight), translate(expr.right, sight)
    if expr.operator in ("and", "or"):
        return ast.BoolOp(ast.And() if expr.operator == "and" else ast.Or(), [left, right])
    if expr.operator in _COMPARISONS:  # Python chains comparisons, the language does not
        return ast.Compare(left, [_COMPARISONS[expr.operator]()], [right])
    made = ast.BinOp(left, _ARITHMETIC[expr.operator](), right)
    if expr.operator == "//" and (_real(expr.left, sight) or _real(expr.right, sight)):
        return call("int", made)  # the language's `//` is an integer always, Python's only of integers
    return made


def condition(expr: Expr, sight: Sight) -> ast.expr:
    """A condition as Python, without what is always so."""
    return fold(translate(expr, replace(sight, variables={**sight.variables, **sight.known})))


def _real(expr: Expr, sight: Sight) -> bool:
    """Whether the value of an expression may be a real number."""
    if isinstance(expr, Literal):
        return isinstance(expr.value, float)
    if isinstance(expr, Reference | Starred):
        return expr.name in sight.reals
    if isinstance(expr, Group):
        return _real(expr.inner, sight)
    if isinstance(expr, Unary):
        return _real(expr.operand, sight)
    if isinstance(expr, Conditional):
        return _real(expr.then, sight) or _real(expr.otherwise, sight)
    if expr.operator == "/":
        return True
    return expr.operator in ("+", "-", "*", "%", "**") and (_real(expr.left, sight) or _real(expr.right, sight))
