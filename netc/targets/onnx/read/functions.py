"""Which activation of netc some nodes compute together, however they are written.

Nodes of elements by themselves, over one tensor and numbers, are a function of one variable. Its normal form is a
polynomial of `x` and of functions of such polynomials, in which everything that is linear in pieces is a sum of
`relu(x - t)`. An activation says what it computes (`Layer.compute`) in the same functions: it is the one of the file
where both have one form. So `x * sigmoid(x)` and `x / (1 + exp(-x))` are both `silu`, and none is guessed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import combinations, product
from math import erf, exp, log, sqrt, tanh
from typing import Any

from netc.layers.activation import Activation
from netc.layers.base import LAYERS, Layer
from netc.params import Bool, Real, Refused, declared

MOST_TERMS, MOST_CHARACTERS = 32, 1_000  # of a form, and of its key
MOST_CONSTANTS = 4  # of a function, that are tried as parameters
NOISE = 1e-6  # of a number: what rounding of constants to float32 leaves of differences that are none
FAR = 16.0  # from where on softplus(x) is x in float32
DIGITS = 6  # in which numbers are equal


class NoForm(Exception):
    """A function that has no normal form here."""


@dataclass(frozen=True, slots=True)
class Atom:
    """`x`, or a function of a form. Equal ones have one key."""

    key: str
    name: str
    argument: Any = None  # a form

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Atom) and self.key == other.key

    def __hash__(self) -> int:
        return hash(self.key)


Monomial = tuple[tuple[Atom, int], ...]  # with powers, in the order of their keys


class Form:
    """A polynomial of atoms."""

    __slots__ = ("_key", "terms")

    def __init__(self, terms: Mapping[Monomial, float]) -> None:
        if len(terms) > MOST_TERMS:
            raise NoForm
        self.terms = dict(terms)
        self._key = ""

    @property
    def key(self) -> str:
        if not self._key:
            shown = sorted(f"{_shown(monomial)}*{value:.{DIGITS}g}" for monomial, value in self.terms.items())
            self._key = "+".join(shown) or "0"
        return self._key

    @property
    def number(self) -> float | None:
        """Its value, where it is a constant."""
        return self.terms.get((), 0.0) if all(not monomial for monomial in self.terms) else None

    @property
    def leading(self) -> float:
        """The factor of the last term that is no constant."""
        return max((_shown(monomial), value) for monomial, value in self.terms.items() if monomial)[1]

    def __add__(self, other: Form | float) -> Form:
        made = dict(self.terms)
        for monomial, value in form(other).terms.items():
            before = made.get(monomial, 0.0)
            total = before + value
            if abs(total) <= NOISE * max(abs(before), abs(value)):
                made.pop(monomial, None)
            else:
                made[monomial] = total
        return Form(made)

    __radd__ = __add__

    def __mul__(self, other: Form | float) -> Form:
        made = Form({})
        if len(self.terms) * len(form(other).terms) > MOST_TERMS**2 // 2:
            raise NoForm
        for one, factor in self.terms.items():
            products = {_product(one, two): factor * value for two, value in form(other).terms.items()}
            made += Form({monomial: value for monomial, value in products.items() if value})
        return made

    __rmul__ = __mul__

    def __neg__(self) -> Form:
        return self * -1.0

    def __sub__(self, other: Form | float) -> Form:
        return self + -form(other)

    def __rsub__(self, other: float) -> Form:
        return -self + other

    def __truediv__(self, other: Form | float) -> Form:
        return self * _reciprocal(form(other))

    def __rtruediv__(self, other: float) -> Form:
        return _reciprocal(self) * other

    def __gt__(self, other: Form | float) -> Above:
        return Above(self - other)

    def __lt__(self, other: Form | float) -> Above:
        return Above(form(other) - self)


@dataclass(frozen=True, slots=True)
class Above:
    """Whether a form is above 0, or is not."""

    difference: Form
    otherwise: bool = False


def form(value: Form | float) -> Form:
    """A number as a form."""
    if isinstance(value, Form):
        return value
    if not abs(value) < 1e30:
        raise NoForm
    return Form({(): float(value)} if value else {})


def _shown(monomial: Monomial) -> str:
    return "*".join(f"{atom.key}^{power}" for atom, power in monomial)


def _product(one: Monomial, two: Monomial) -> Monomial:
    powers = dict(one)
    for atom, power in two:
        powers[atom] = powers.get(atom, 0) + power
    return tuple(sorted(powers.items(), key=lambda item: item[0].key))


def _atom(name: str, argument: Form) -> Form:
    if len(argument.key) > MOST_CHARACTERS:
        raise NoForm
    return Form({((Atom(f"{name}({argument.key})", name, argument), 1),): 1.0})


X = Form({((Atom("x", "x"), 1),): 1.0})


# -- functions of forms ----------------------------------------------------------------------------------------


def relu(p: Form) -> Form:
    """max(p, 0), of a form whose last factor is 1: relu(c * q) is c * relu(q), and relu(-q) is relu(q) - q."""
    if (value := p.number) is not None:
        return form(max(value, 0.0))
    size = abs(p.leading)
    unit = p * (1 / p.leading)
    if (within := _only_relu(unit)) is not None:  # relu(relu(q) - t)
        argument, threshold = within
        if p.leading > 0:
            return p if threshold <= 0 else relu(argument - threshold) * size
        return form(0.0) if threshold <= 0 else (relu(argument - threshold) - unit) * size
    made = _atom("relu", unit)
    return (made if p.leading > 0 else made - unit) * size


def _only_relu(p: Form) -> tuple[Form, float] | None:
    """q and t, where a form is relu(q) - t."""
    rest = {monomial: value for monomial, value in p.terms.items() if monomial}
    if len(rest) != 1:
        return None
    ((monomial, value),) = rest.items()
    if len(monomial) != 1 or monomial[0][0].name != "relu" or monomial[0][1] != 1 or value != 1:
        return None
    return monomial[0][0].argument, -p.terms.get((), 0.0)


def maximum(p: Form, q: Form) -> Form:
    return q + relu(p - q)


def absolute(p: Form) -> Form:
    return relu(p) * 2 - p


def chosen(condition: Above, p: Form, q: Form) -> Form:
    """p where a form is above 0, else q."""
    if condition.otherwise:
        p, q = q, p
    gain, above = p - q, condition.difference
    if (value := above.number) is not None:
        return p if value > 0 else q
    if _is_rounding(gain, above):
        return q
    ratio = None if gain.number is not None else gain.leading / above.leading
    if ratio is not None and not (gain - above * ratio).terms:
        return q + relu(above) * ratio
    return q + _atom("step", above * (1 / abs(above.leading))) * gain


def _is_rounding(gain: Form, above: Form) -> bool:
    """Whether a difference is only rounding above 0 of a form: of a softplus and its argument, far above 0, where
    libraries take the latter."""
    for monomial, value in gain.terms.items():
        if len(monomial) == 1 and monomial[0][0].name == "softplus" and monomial[0][1] == 1:
            argument: Form = monomial[0][0].argument
            rest = above * (argument.leading / above.leading) - argument
            if rest.number is not None and rest.number <= -FAR and above.leading * argument.leading > 0:
                return not (gain - (_atom("softplus", argument) - argument) * value).terms
    return False


def _signed(name: str, function: Callable[[float], float], p: Form, mirrored: Callable[[Form], Form]) -> Form:
    """A function of which that of -p is known by that of p."""
    if (value := p.number) is not None:
        return form(function(value))
    return _atom(name, p) if p.leading > 0 else mirrored(_atom(name, -p))


def sigmoid(p: Form) -> Form:
    return _signed("sigmoid", lambda value: 0.5 * (tanh(value / 2) + 1), p, lambda made: 1.0 - made)


def _of(name: str, function: Callable[[float], float], p: Form) -> Form:
    if (value := p.number) is None:
        return _atom(name, p)
    try:
        return form(function(value))
    except (ValueError, OverflowError):
        raise NoForm from None


def _one_plus_exp(p: Form) -> Form | None:
    """q, where a form is 1 + exp(q)."""
    rest = p - 1.0
    if len(rest.terms) == 1:
        ((monomial, value),) = rest.terms.items()
        if abs(value - 1) < NOISE and len(monomial) == 1 and monomial[0][0].name == "exp" and monomial[0][1] == 1:
            argument: Form = monomial[0][0].argument
            return argument
    return None


def softplus(p: Form) -> Form:
    """log(1 + exp(p)). It is written with -|q| for p too, which does not overflow, and then has relu(q) beside it."""
    if (value := p.number) is not None:
        return form(max(value, 0.0) + log(1 + exp(-abs(value))))
    for monomial, value in p.terms.items():
        if len(monomial) == 1 and monomial[0][0].name == "relu" and monomial[0][1] == 1 and value < 0:
            q = monomial[0][0].argument * (-value / 2)
            if (-absolute(q)).key == p.key:
                return softplus(q) - relu(q)
    return _atom("softplus", p) if p.leading > 0 else _atom("softplus", -p) + p


def logarithm(p: Form) -> Form:
    if (q := _one_plus_exp(p)) is not None:
        return softplus(q)
    if len(p.terms) == 1:
        ((monomial, value),) = p.terms.items()
        if value == 1 and len(monomial) == 1 and monomial[0][0].name == "sigmoid" and monomial[0][1] == 1:
            return -softplus(-monomial[0][0].argument)
    return _of("log", log, p)


def _reciprocal(p: Form) -> Form:
    if (q := _one_plus_exp(p)) is not None:
        return sigmoid(-q)
    if p.number is None:
        factor = p.leading
        return _of("reciprocal", lambda value: 1 / value, p * (1 / factor)) * (1 / factor)
    if p.number == 0:
        raise NoForm
    return form(1 / p.number)


def power(p: Form, exponent: float) -> Form:
    if exponent == 0.5:
        return _of("sqrt", sqrt, p)
    if exponent != int(exponent) or not 0 <= exponent <= 8:
        raise NoForm
    made = form(1.0)
    for _ in range(int(exponent)):
        made = made * p
    return made


class Symbolic:
    """The functions of `netc.primitives` that are of elements by themselves."""

    def layer(self, layer: Layer, xs: Sequence[Form], w: Mapping[str, Any]) -> Any:
        return layer.compute(self, xs, w)  # type: ignore[arg-type]

    exp = staticmethod(lambda p: _of("exp", exp, p))
    log = staticmethod(logarithm)
    sqrt = staticmethod(lambda p: power(p, 0.5))
    tanh = staticmethod(lambda p: _signed("tanh", tanh, p, lambda made: -made))
    erf = staticmethod(lambda p: _signed("erf", erf, p, lambda made: -made))
    sigmoid = staticmethod(sigmoid)
    abs = staticmethod(absolute)
    pow = staticmethod(power)
    maximum = staticmethod(lambda p, q: maximum(form(p), form(q)))
    clip = staticmethod(lambda p, low, high: clip(p, form(low), form(high)))
    where = staticmethod(lambda condition, p, q: chosen(condition, form(p), form(q)))


def clip(p: Form, low: Form | None, high: Form | None) -> Form:
    """p, but at least `low`, and then at most `high`."""
    if low is not None and high is not None and (low.number or 0) > (high.number or 0):
        raise NoForm
    made = p if low is None else low + relu(p - low)
    return made if high is None else made - relu(p - high)


def form_of(layer: Layer) -> Form:
    """The normal form of an activation. Raises `NoForm`."""
    try:
        made: Form = Symbolic().layer(layer, (X,), {})
    except (AttributeError, TypeError, ArithmeticError, LookupError):  # of more than one element, or of weights
        raise NoForm from None
    return made


# -- activations -------------------------------------------------------------------------------------------------

Found = tuple[str, dict[str, Any]]


@cache
def _known() -> dict[str, Found]:
    """The activations without numbers as parameters, by the keys of their forms."""
    found: dict[str, Found] = {}
    for cls in _activations():
        flags = [name for name, one in declared(cls).items() if isinstance(one.kind, Bool)]
        for values in ({}, *({flag: True} for flag in flags)):
            known: Any = cls
            if (key := _key(known, tuple(values.items()))) is not None:
                found.setdefault(key, (cls.op, values))
    return found


def _activations() -> Iterator[type[Activation]]:
    for cls in dict.fromkeys(LAYERS.values()):
        if issubclass(cls, Activation) and not cls.across:
            yield cls


@lru_cache(maxsize=1 << 14)
def _key(cls: Any, values: tuple[tuple[str, Any], ...]) -> str | None:
    """The key of an activation's form; None where it has none, weights, or other sizes than its input."""
    try:
        for name, value in values:
            declared(cls)[name].kind.accept(value, 0)
        layer = cls(**dict(values))
        if layer.weights(((1,),)) or layer.infer(((1,),)) != (1,):
            return None
        return form_of(layer).key
    except (NoForm, Refused):
        return None


_tried: dict[tuple[str, tuple[float, ...]], Found | None] = {}


def activation(made: Form, constants: Sequence[float], short: Callable[[float], float]) -> Found | None:
    """The operation and the parameters that compute a form, `rescale` among them; "" for what changes nothing.

    `constants` are numbers of the file, which parameters may be; `short` writes a number as float32 holds it.
    """
    if all(monomial in ((), *X.terms) for monomial in made.terms):
        factor, offset = (short(made.terms.get(monomial, 0.0)) for monomial in (*X.terms, ()))
        return ("", {}) if (factor, offset) == (1, 0) else ("rescale", {"factor": factor, "offset": offset})
    if (found := _known().get(made.key)) is not None:
        return found
    numbers = tuple(dict.fromkeys(short(abs(number)) for number in constants))[:MOST_CONSTANTS]
    if (made.key, numbers) not in _tried:
        if len(_tried) > 4096:
            _tried.clear()
        _tried[made.key, numbers] = _with_numbers(made, numbers)
    return _tried[made.key, numbers]


def _with_numbers(made: Form, numbers: Sequence[float]) -> Found | None:
    """The activation whose parameters are one or two of the numbers, or minus them."""
    names = _functions(made)
    for cls, some, functions, terms in _parametric():
        if functions != names or len(made.terms) > terms:
            continue
        for values in product((*numbers, *(-number for number in numbers if number)), repeat=len(some)):
            given = tuple(zip(some, values, strict=True))
            if made.key == _key(cls, given):
                return cls.op, dict(given)
    return None


@cache
def _parametric() -> list[tuple[Any, tuple[str, ...], frozenset[str], int]]:
    """The activations with one or two of their numbers given: the functions in their forms, and how many terms."""
    found = []
    for count in (1, 2):
        for cls in sorted(_activations(), key=lambda cls: len(declared(cls))):
            numbers = [name for name, one in declared(cls).items() if isinstance(one.kind, Real)]
            for some in combinations(numbers, count):
                try:
                    made = form_of(cls(**dict(zip(some, (0.37, 0.73), strict=False))))
                except NoForm:
                    continue
                found.append((cls, some, _functions(made), len(made.terms)))
    return found


def _functions(made: Form) -> frozenset[str]:
    """The names of the functions in a form."""
    return frozenset(re.split("[^a-z]", before)[-1] for before in made.key.split("(")[:-1]) - {""}
