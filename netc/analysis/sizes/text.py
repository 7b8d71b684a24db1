"""Formulas as text: sizes as short as they can be said, amounts as products of sizes where they are some."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from fractions import Fraction
from math import gcd, lcm

from netc.analysis.sizes.formula import Extent, Floor, Formula, Product, Symbol

Number = Callable[[int], str]
WIDEST = 40  # characters of an amount in a table


# -- sizes ---------------------------------------------------------------------------------------------------


def size(extent: Extent) -> str:
    """A size in the shortest form: `⌈H/4⌉`, `2·⌈H/2⌉-1`, `H/4`; `?` for one that is no formula."""
    if extent is None or isinstance(extent, int):
        return "?" if extent is None else str(extent)
    return min(_forms(extent), key=len)


def shape(extents: Sequence[Extent], by: str = "x") -> str:
    """Sizes of a tensor: `⌈H/4⌉x⌈W/4⌉x64`, sums in parentheses; `left.H x left.W x 3` with names of several inputs."""
    if by == "x" and any("." in name for extent in extents if isinstance(extent, Formula) for name in extent.names):
        by = " x "
    return by.join(map(factor, extents)) if len(extents) > 1 else "".join(map(size, extents))


def data(extents: Sequence[Extent]) -> list[int | str | None]:
    """Sizes as data: numbers, and formulas as texts."""
    return [extent if extent is None or isinstance(extent, int) else size(extent) for extent in extents]


def factor(extent: Extent) -> str:
    """A size as one of several that are multiplied: a sum has parentheses."""
    return min(map(_factor, _forms(extent)), key=len) if isinstance(extent, Formula) else size(extent)


def _factor(text: str) -> str:
    """A text that can stand in a product."""
    return f"({text})" if _is_sum(text) else text


def _is_sum(text: str) -> bool:
    depth = 0
    for at, sign in enumerate(text):
        depth += (sign in "(⌈⌊") - (sign in ")⌉⌋")
        if sign in "+-" and at and not depth:
            return True
    return False


def _forms(formula: Formula) -> Iterator[str]:
    """Ways to write a formula: what is added to a quotient can be so inside or outside, rounded down or up."""
    yield _plain(formula)
    floors = [(product[0], count) for product, count in formula.terms if len(product) == 1 and _floor(product)]
    if len(floors) != 1 or not isinstance(atom := floors[0][0], Floor):
        return
    inner, over, times = atom.inner, atom.over, floors[0][1]
    rest = formula - Formula((((atom,), times),))
    constant = dict(rest.terms).get((), 0)
    outside = rest - constant
    if all(count % times == 0 and product[0] in inner.symbols for product, count in outside.terms):
        inner, outside = inner + _divided(outside, times) * over, Formula.of(0)
    lead = next((count for product, count in inner.terms if product), 0)
    if lead < 0:
        inner, times = -inner + (over - 1), -times
    for moved in {0, 1, -1, constant // times, -(-constant // times)}:
        around = (outside, constant - moved * times)
        yield _around(times, _quotient(inner + moved * over, over, "⌊⌋"), *around)
        yield _around(times, _quotient(inner + (moved * over - over + 1), over, "⌈⌉"), *around)


def _floor(product: Product) -> bool:
    return isinstance(product[0], Floor)


def _divided(formula: Formula, by: int) -> Formula:
    return Formula(tuple((product, count // by) for product, count in formula.terms))


def _around(times: int, quotient: str, outside: Formula, constant: int) -> str:
    """What is added to some times a quotient."""
    before = "" if not outside.terms else _plain(outside)
    sign = "-" if times < 0 else "+" if before else ""
    said = quotient if abs(times) == 1 else f"{abs(times)}·{quotient}"
    return before + sign + said + (f"{constant:+}" if constant else "")


def _quotient(inner: Formula, over: int, brackets: str) -> str:
    """A formula divided by a number and rounded. What is above the line in steps of more than 1 is as good rounded when
    it is off by less than a step, so nothing is added there that need not be."""
    counts = _expanded(inner)
    scale = lcm(*(count.denominator for count in counts.values()))
    above = {product: count * scale for product, count in counts.items()}
    down, added = brackets == "⌊⌋", above.get((), 0)
    if (added < 0) == down:
        above[()] = Fraction(added + min(-added, scale - 1) if down else added - min(added, scale - 1))
    above = {product: count for product, count in above.items() if count}
    return f"{brackets[0]}{_factor(_joined(above, str))}/{over * scale}{brackets[1]}"


def _plain(formula: Formula) -> str:
    """A formula as the sum that it is; over one denominator where what is added is no whole number."""
    counts = _expanded(formula)
    below = counts.get((), Fraction()).denominator
    if below == 1:
        return _joined(counts, str)
    scale = lcm(*(count.denominator for count in counts.values()))
    return _factor(_joined({product: count * scale for product, count in counts.items()}, str)) + f"/{scale}"


# -- sums ----------------------------------------------------------------------------------------------------

Written = tuple[str, ...]  # the factors of a product, each as a text


def _expanded(formula: Formula) -> dict[Written, Fraction]:
    """A formula as a sum of products of sizes and quotients, in the sizes themselves."""
    counts: dict[Written, Fraction] = {}
    for product, count in formula.terms:
        made: dict[Written, Fraction] = {(): Fraction(count)}
        for atom in product:
            if isinstance(atom, Symbol):
                by = {(atom.name,): Fraction(1, atom.step), (): Fraction(-atom.offset, atom.step)}
            else:
                by = {(min(_rounded(atom), key=len),): Fraction(1)}
            made = _multiplied(made, by)
        for written, part in made.items():
            counts[written] = counts.get(written, Fraction()) + part
    return {written: part for written, part in counts.items() if part}


def _rounded(atom: Floor) -> tuple[str, str]:
    return _quotient(atom.inner, atom.over, "⌊⌋"), _quotient(atom.inner - (atom.over - 1), atom.over, "⌈⌉")


def _multiplied(left: Mapping[Written, Fraction], right: Mapping[Written, Fraction]) -> dict[Written, Fraction]:
    made: dict[Written, Fraction] = {}
    for first, count in left.items():
        for second, times in right.items():
            if count * times:
                made[first + second] = made.get(first + second, Fraction()) + count * times
    return made


def _joined(counts: Mapping[Written, Fraction], number: Number, plus: str = "") -> str:
    parts: list[str] = []
    for written, count in sorted(counts.items(), key=lambda term: -len(term[0])):
        sign = "-" if count < 0 else "+" if parts else ""
        parts.append(f"{plus}{sign}{plus}" if parts else sign)
        parts.append(_term(written, abs(count), number))
    return "".join(parts) or "0"


def _term(written: Written, count: Fraction, number: Number) -> str:
    """A product with its coefficient: `H/4`, `3H/4`, `1,728·H·W`."""
    below = "" if count.denominator == 1 else f"/{count.denominator}"
    if not written:
        return number(count.numerator) + below
    factors = "·".join(_power(factor, written.count(factor)) for factor in dict.fromkeys(written))
    if count.numerator == 1:
        return factors + below
    close = number is str and len(written) == 1 and len(written[0]) == 1
    return number(count.numerator) + ("" if close else "·") + factors + below


def _power(factor: str, times: int) -> str:
    if times == 1:
        return factor
    return (f"({factor})" if _is_sum(factor) else factor) + {2: "²"}.get(times, f"^{times}")


# -- amounts -------------------------------------------------------------------------------------------------


def amount(formula: Formula | int | None, number: Number = str) -> str:
    """A count of many: `1,728·⌈H/2⌉·⌈W/2⌉` where it is a product of sizes, else the sum that it is."""
    if formula is None or isinstance(formula, int):
        return "?" if formula is None else number(formula)
    if (known := formula.constant) is not None:
        return number(known)
    count, parts = _split(formula)
    written = []
    for part in parts:
        counts = _expanded(part)
        if len(parts) == 1 and len(part.symbols) > 1:  # no product of sizes
            return _joined(_expanded(formula), number, " ")
        if not any(isinstance(atom, Floor) for atom in part.atoms):
            common = Fraction(
                gcd(*(each.numerator for each in counts.values())), lcm(*(each.denominator for each in counts.values()))
            )
            count *= common
            written.append(_factor(_joined({factors: each / common for factors, each in counts.items()}, str)))
        else:
            written.append(factor(part))
    return _term(tuple(written), count, number)


def _split(formula: Formula) -> tuple[Fraction, list[Formula]]:
    """A number, and formulas whose product with it a formula is: one a symbol, if there are such."""
    common = gcd(*(count for _, count in formula.terms))
    count, parts, left = Fraction(common), [], _divided(formula, common)
    for name in formula.names[:-1]:
        rows: dict[Product, dict[Product, int]] = {}
        for product, times in left.terms:
            own = tuple(atom for atom in product if _names(atom) == [name])
            others = tuple(atom for atom in product if _names(atom) != [name])
            rows.setdefault(others, {})[own] = times
        first = next(iter(rows.values()))
        scale = gcd(*first.values())
        base = {own: times // scale for own, times in first.items()}
        ratios = {
            others: Fraction(next(iter(row.values())), base.get(next(iter(row)), 1)) for others, row in rows.items()
        }
        if any(
            row.keys() != base.keys() or any(times != ratios[others] * base[own] for own, times in row.items())
            for others, row in rows.items()
        ):
            return Fraction(common), [_divided(formula, common)]
        parts.append(_from(base))
        left = _from({others: int(ratio) for others, ratio in ratios.items()})
    return count, [*parts, left]


def _names(atom: Symbol | Floor) -> list[str]:
    return [atom.name] if isinstance(atom, Symbol) else atom.inner.names


def _from(counts: Mapping[Product, int]) -> Formula:
    made = Formula.of(0)
    for product, count in counts.items():
        made += Formula(((product, count),))
    return made


def brief(given: Extent, number: Number) -> str:
    """An amount, or what it is close to where its formula is long."""
    said = amount(given, number)
    return about(given, number) if isinstance(given, Formula) and len(said) > WIDEST else said


def about(formula: Formula, number: Number) -> str:
    """What a formula is close to for large sizes, `≈ 12.3 k·H·W`: its products of the most sizes, nothing rounded."""
    counts: dict[Written, Fraction] = {}
    for product, count in formula.terms:
        rise = Fraction(count)
        for atom in product:
            rise *= _rise(atom)
        names = tuple(name for atom in product for name in _names(atom))
        counts[names] = counts.get(names, Fraction()) + rise
    most = max(len(names) for names in counts)
    leading = {names: _rough(count) for names, count in counts.items() if len(names) == most}
    return "≈ " + _joined(leading, number, " ")


def _rough(count: Fraction) -> Fraction:
    return Fraction(round(count)) if abs(count) >= 100 else count.limit_denominator(100)


def _rise(atom: Symbol | Floor) -> Fraction:
    if isinstance(atom, Symbol):
        return Fraction(1, atom.step)
    assert atom.inner.turn is not None
    period, rise = atom.inner.turn
    (symbol,) = atom.inner.symbols
    return Fraction(rise, period * symbol.step * atom.over)
