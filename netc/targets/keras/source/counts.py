"""Counts in layer names: sums and products of loop indices and parameters, such as `2 * i + 3`."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import reduce

from netc.syntax.tree import Binary, Expr, Group, Literal, Reference, Unary
from netc.targets.keras.source.tree import load

Monomial = tuple[str, ...]  # variables in order, () for the constant


@dataclass(frozen=True, slots=True)
class Count:
    """A polynomial with integer coefficients over Python variables."""

    terms: Mapping[Monomial, int] = field(default_factory=dict)

    @classmethod
    def of(cls, value: int | str) -> Count:
        """A number or a variable."""
        return cls({(): value}) if isinstance(value, int) else cls({(value,): 1})

    def __add__(self, other: Count) -> Count:
        terms = dict(self.terms)
        for monomial, factor in other.terms.items():
            terms[monomial] = terms.get(monomial, 0) + factor
        return Count(_clean(terms))

    def __neg__(self) -> Count:
        return Count({monomial: -factor for monomial, factor in self.terms.items()})

    def __mul__(self, other: Count) -> Count:
        terms: dict[Monomial, int] = {}
        for left, a in self.terms.items():
            for right, b in other.terms.items():
                monomial = tuple(sorted((*left, *right)))
                terms[monomial] = terms.get(monomial, 0) + a * b
        return Count(_clean(terms))

    def at(self, variable: str, value: int) -> Count:
        """The count for one value of a variable."""
        total = ZERO
        for monomial, factor in self.terms.items():
            power = monomial.count(variable)
            rest = tuple(other for other in monomial if other != variable)
            total += Count({rest: factor * value**power} if value or not power else {})
        return total

    @property
    def variables(self) -> frozenset[str]:
        """The variables it depends on."""
        return frozenset(variable for monomial in self.terms for variable in monomial)

    @property
    def number(self) -> int | None:
        """The value of a constant, else None."""
        return None if self.variables else self.terms.get((), 0)

    @property
    def expr(self) -> ast.expr:
        """The count in Python: the variables first, then the constant."""
        found: ast.expr | None = None
        for monomial, factor in sorted(self.terms.items(), key=lambda term: (not term[0], term[1] < 0)):
            size: list[ast.expr] = [ast.Constant(abs(factor))] if abs(factor) != 1 or not monomial else []
            product = reduce(lambda one, other: ast.BinOp(one, ast.Mult(), other), [*size, *map(load, monomial)])
            if found is None:
                found = ast.UnaryOp(ast.USub(), product) if factor < 0 else product
            else:
                found = ast.BinOp(found, ast.Sub() if factor < 0 else ast.Add(), product)
        return found or ast.Constant(0)


ZERO, ONE = Count(), Count.of(1)


def _clean(terms: dict[Monomial, int]) -> dict[Monomial, int]:
    return {monomial: factor for monomial, factor in terms.items() if factor}


def polynomial(expr: Expr, variables: Mapping[str, str]) -> Count | None:
    """An expression as a count, or None where it is no polynomial of variables that keep their value."""
    if isinstance(expr, Literal):
        return Count.of(expr.value) if type(expr.value) is int else None
    if isinstance(expr, Reference):
        return Count.of(variables[expr.name]) if expr.name in variables else None
    if isinstance(expr, Group):
        return polynomial(expr.inner, variables)
    if isinstance(expr, Unary):
        inner = polynomial(expr.operand, variables)
        return inner if inner is None or expr.operator == "+" else (-inner if expr.operator == "-" else None)
    if not isinstance(expr, Binary) or expr.operator not in ("+", "-", "*"):
        return None
    left, right = polynomial(expr.left, variables), polynomial(expr.right, variables)
    if left is None or right is None:
        return None
    if expr.operator == "*":
        return left * right
    return left + (right if expr.operator == "+" else -right)
