"""Whole numbers as formulas of open sizes: `⌈H/4⌉`, `2·⌈H/2⌉-1`, `9,408·⌈H/2⌉·⌈W/2⌉`.

A formula is a polynomial with whole coefficients over sizes and over quotients of formulas rounded down, which is all
that strides, paddings, factors and counts of elements make of a size. It is kept in a normal form, reached by rules
that hold for all whole numbers (Graham, Knuth & Patashnik 1994, Concrete Mathematics, section 3.2):

- floor((c·q + r) / c) = q + floor(r / c), and -floor(-x / c) = floor((x + c - 1) / c);
- floor((g·x + b) / (g·c)) = floor((x + floor(b / g)) / c);
- floor((floor(x / a) + b) / c) = floor((x + a·b) / (a·c)).

So a chain of strides is one quotient, however long. Equal forms are equal functions; two that differ may be equal too:
functions of one size go on as before after a `turn`, so that comparing one turn decides it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from math import gcd, lcm
from typing import Any

DEEPEST = 16  # quotients inside each other
MOST_TERMS = 64


class Unwieldy(Exception):
    """A formula would be too long to be of use."""


@dataclass(frozen=True, slots=True)
class Symbol:
    """An open size by its name. Where only sizes of `offset` + n * `step` are meant, formulas count in n."""

    name: str
    step: int = 1
    offset: int = 0

    @property
    def key(self) -> tuple[Any, ...]:
        return (self.name, 0, ())


@dataclass(frozen=True)
class Floor:
    """A formula divided by a number, rounded down."""

    inner: Formula
    over: int

    @cached_property
    def depth(self) -> int:
        """How many quotients are inside each other."""
        return 1 + max((atom.depth for atom in self.inner.atoms if isinstance(atom, Floor)), default=0)

    @cached_property
    def key(self) -> tuple[Any, ...]:
        return (min(self.inner.names), self.over, self.inner.key)


Atom = Symbol | Floor
Product = tuple[Atom, ...]


def _order(product: Product) -> tuple[Any, ...]:
    return (-len(product), tuple(atom.key for atom in product))


@dataclass(frozen=True)
class Formula:
    """A sum of products, each with its coefficient, in order. Made of `Formula.of` by arithmetic."""

    terms: tuple[tuple[Product, int], ...]

    @staticmethod
    def of(start: Symbol | int) -> Formula:
        """The formula of one symbol, or of a number."""
        if isinstance(start, Symbol):
            return Formula((((start,), 1),))
        return Formula((((), start),) if start else ())

    # -- what it is ------------------------------------------------------------------------------------------

    @cached_property
    def key(self) -> tuple[Any, ...]:
        """What orders formulas, the same in every run."""
        return tuple((_order(product), count) for product, count in self.terms)

    @cached_property
    def _hash(self) -> int:
        return hash(self.terms)

    def __hash__(self) -> int:
        return self._hash

    @property
    def atoms(self) -> Iterator[Atom]:
        """All factors of all products."""
        return (atom for product, _ in self.terms for atom in product)

    @cached_property
    def symbols(self) -> frozenset[Symbol]:
        """The open sizes in it."""
        found = (atom.inner.symbols if isinstance(atom, Floor) else frozenset((atom,)) for atom in self.atoms)
        return frozenset().union(*found)

    @property
    def names(self) -> list[str]:
        """The names of the open sizes in it, sorted."""
        return sorted(symbol.name for symbol in self.symbols)

    @property
    def constant(self) -> int | None:
        """Its value where no size is in it, else None."""
        return None if any(product for product, _ in self.terms) else sum(count for _, count in self.terms)

    def __str__(self) -> str:
        from netc.analysis.sizes.text import amount, size  # noqa: PLC0415 - reads formulas

        return size(self) if all(len(product) < 2 for product, _ in self.terms) else amount(self)

    # -- arithmetic ------------------------------------------------------------------------------------------

    def __add__(self, other: Formula | int) -> Formula:
        counts = dict(self.terms)
        for product, count in _formula(other).terms:
            counts[product] = counts.get(product, 0) + count
        return _sum(counts)

    __radd__ = __add__

    def __neg__(self) -> Formula:
        return Formula(tuple((product, -count) for product, count in self.terms))

    def __sub__(self, other: Formula | int) -> Formula:
        return self + -_formula(other)

    def __rsub__(self, other: int) -> Formula:
        return -self + other

    def __mul__(self, other: Formula | int) -> Formula:
        counts: dict[Product, int] = {}
        for left, count in self.terms:
            for right, times in _formula(other).terms:
                product = tuple(sorted((*left, *right), key=lambda atom: atom.key))
                counts[product] = counts.get(product, 0) + count * times
        return _sum(counts)

    __rmul__ = __mul__

    def __floordiv__(self, over: int) -> Formula:
        if over < 0:
            return -self // -over
        lead = next((count for product, count in self.terms if product and count % over), 0)
        if lead < 0:
            return -((-self + (over - 1)) // over)
        whole = {product: count // over for product, count in self.terms if product}
        rest = {product: count % over for product, count in self.terms if product and count % over}
        constant = dict(self.terms).get((), 0)
        common = gcd(over, *rest.values())
        over, constant = over // common, constant // common
        whole[()], constant = divmod(constant, over)
        if not rest:
            return _sum(whole)
        ((product, times), *more) = rest.items()
        if not more and times == common and len(product) == 1 and isinstance(inner := product[0], Floor):
            return _sum(whole) + (inner.inner + constant * inner.over) // (inner.over * over)
        atom = Floor(_sum({**{product: count // common for product, count in rest.items()}, (): constant}), over)
        if atom.depth > DEEPEST:
            raise Unwieldy
        return _sum(whole) + Formula((((atom,), 1),))

    # -- values ----------------------------------------------------------------------------------------------

    def at(self, sizes: int | Mapping[str, int]) -> int:
        """Its value where the open sizes are these, by name; one number is the size of each."""

        def value(symbol: Symbol) -> int:
            size = sizes if isinstance(sizes, int) else sizes[symbol.name]
            return (size - symbol.offset) // symbol.step

        return int(self._with(value))

    def on(self, steps: Mapping[str, tuple[int, int]]) -> Formula:
        """The formula where sizes are known to be `offset` + n * `step` for some n, by name: what divides is exact."""

        def value(symbol: Symbol) -> Formula:
            step, offset = steps.get(symbol.name, (1, 0))
            return Formula.of(Symbol(symbol.name, step, offset)) * step + offset

        made = self._with(value)
        return made if isinstance(made, Formula) else Formula.of(made)

    def _with(self, value: Callable[[Symbol], Any]) -> Any:
        total: Any = 0
        for product, count in self.terms:
            made: Any = count
            for atom in product:
                made = made * (atom.inner._with(value) // atom.over if isinstance(atom, Floor) else value(atom))
            total = total + made
        return total

    @cached_property
    def turn(self) -> tuple[int, int] | None:
        """After how many sizes it goes on as before, and by how much it is then larger; None where it is more than a
        linear function of one size."""
        if len(self.symbols) > 1 or any(len(product) > 1 for product, _ in self.terms):
            return None
        period, rise = 1, 0
        for product, count in self.terms:
            turn = _turn(product[0]) if product else (1, 0)
            if turn is None:
                return None
            both = lcm(period, turn[0])
            rise = rise * (both // period) + count * turn[1] * (both // turn[0])
            period = both
        return period, rise


def _turn(atom: Atom) -> tuple[int, int] | None:
    if isinstance(atom, Symbol):
        return 1, 1
    if atom.inner.turn is None:
        return None
    period, rise = atom.inner.turn
    times = atom.over // gcd(rise, atom.over)
    return period * times, rise * times // atom.over


Extent = Formula | int | None  # a size, or an amount: as a formula, known, or not known to be one


def _formula(value: Formula | int) -> Formula:
    return value if isinstance(value, Formula) else Formula.of(value)


def _sum(counts: Mapping[Product, int]) -> Formula:
    found = [(product, count) for product, count in counts.items() if count]
    if len(found) > MOST_TERMS:
        raise Unwieldy
    return Formula(tuple(sorted(found, key=lambda term: _order(term[0]))))
