"""Every size of a network as a formula of the open sizes of its inputs, by running the layers' own shape rules on them.

What runs is `Layer.infer` and `Layer.macs`, on numbers that remember how they came about: large sizes that work, each
with its formula beside it. So an operation needs nothing of its own here. Rules may ask numbers for more than a formula
says (which of two is larger), so each formula is then compared with what the rule gives for other sizes that work;
where that differs the size is no formula, and `unknown` says at which layer.

Where a rule finds two sizes equal that are different formulas, such as at a sum, the network works only for sizes that
make them equal: these are the `equations`. With them `⌈H/16⌉` is `H/16` in a network for multiples of 16.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice
from math import lcm
from typing import Any
from weakref import WeakKeyDictionary

from netc.analysis.cost import FLOAT32
from netc.analysis.sizes.formula import Extent, Formula, Product, Symbol, Unwieldy
from netc.analysis.sizes.rules import Trial, progression, single_sizes
from netc.ir.net import Net, Node
from netc.ir.shape import Shape
from netc.layers.base import Layer
from netc.params import Refused

AXES = {1: ("L",), 2: ("H", "W"), 3: ("D", "H", "W")}
SAMPLES = 24  # sizes from 1 on, and large ones, on which formulas are compared with the rules
BUDGET = 600  # of different layers to run on samples; at least four samples
MOST_REMAINDERS = 4096
MOST_ROUNDS = 8

Extents = tuple[Extent, ...]
Sizes = Mapping[str, int]  # of each open size, by its symbol


@dataclass(frozen=True, slots=True)
class Equation:
    """Two sizes that a layer takes only when they are equal."""

    name: str
    left: Formula
    right: Formula

    def __str__(self) -> str:
        return f"{self.left} = {self.right}"

    @property
    def names(self) -> list[str]:
        """The open sizes in it."""
        return sorted({*self.left.names, *self.right.names})

    def holds(self, sizes: Sizes) -> bool:
        """Whether they are, for these open sizes."""
        return self.left.at(sizes) == self.right.at(sizes)


@dataclass(frozen=True, slots=True)
class Amounts:
    """What a layer, or several, cost for one sample: multiply-accumulates, and bytes of outputs in float32."""

    macs: Extent = 0
    memory: Extent = 0

    def __add__(self, other: Amounts) -> Amounts:
        return Amounts(total((self.macs, other.macs)), total((self.memory, other.memory)))


@dataclass(frozen=True)
class Formulas:
    """What a network's sizes and costs are as formulas.

    `symbols` names each open size by input and axis. `shapes` are those of all layers and `macs` their
    multiply-accumulates for one sample; None is what is no formula, and `unknown` the first layers where that is so.
    """

    symbols: Mapping[tuple[str, int], str]
    shapes: Mapping[str, Extents]
    macs: Mapping[str, Extent]
    equations: tuple[Equation, ...] = ()
    unknown: tuple[str, ...] = ()

    def amounts(self, name: str) -> Amounts:
        """What a layer costs."""
        memory: Extent = FLOAT32
        for extent in self.shapes[name]:
            memory = None if memory is None or extent is None else memory * extent
        return Amounts(self.macs[name], memory)

    @cached_property
    def total(self) -> Amounts:
        """What the network costs."""
        return sum(map(self.amounts, self.shapes), Amounts())

    def peak(self, net: Net) -> Extent:
        """The most bytes that outputs take at once when each is dropped after its last reader; None where it depends
        on the size which moment that is."""
        readers = {name: len(net.consumers(name)) + (name in net.outputs) for name in self.shapes}
        live: Counter[Product] = Counter()
        moments: dict[frozenset[tuple[Product, int]], None] = {}
        for name in readers:
            memory = self.amounts(name).memory
            if memory is None:
                return None
            live.update(_terms(memory))
            moments[frozenset(live.items())] = None
            for operand in net.operands(name):
                readers[operand] -= 1
                if not readers[operand]:
                    live.subtract(_terms(self.amounts(operand).memory))
        found = [dict(moment) for moment in moments]
        most = max(found, key=lambda counts: sum(counts.values()), default={})
        if any(most.get(product, 0) < count for counts in found for product, count in counts.items()):
            return None
        return total(Formula(((product, count),)) for product, count in most.items())

    def sizes(self, shapes: Mapping[str, Shape]) -> Sizes:
        """The open sizes where the inputs have these shapes."""
        found = {symbol: shapes[name][axis] for (name, axis), symbol in self.symbols.items()}
        return {symbol: size for symbol, size in found.items() if size is not None}


def _terms(amount: Extent) -> dict[Product, int]:
    return dict(amount.terms) if isinstance(amount, Formula) else {(): amount or 0}


def total(amounts: Iterable[Extent]) -> Extent:
    """A sum; None where one is not known, or where it would be too long."""
    made: Extent = 0
    try:
        for one in amounts:
            made = None if made is None or one is None else made + one
    except Unwieldy:
        return None
    return made


_KNOWN: WeakKeyDictionary[Net, Formulas | None] = WeakKeyDictionary()


def formulas(net: Net) -> Formulas | None:
    """The formulas of a finished network; None for one that no open sizes were found for. They are computed once:
    checks, figures and answers to an editor ask for those of one network."""
    if net not in _KNOWN:
        _KNOWN[net] = _formulas(net)
    return _KNOWN[net]


def _formulas(net: Net) -> Formulas | None:
    names = symbols(net)
    if not names:
        costs = {node.name: node.layer.macs(net.operand_shapes(node.name), net.shapes[node.name]) for node in net}
        return Formulas({}, dict(net.shapes), costs)
    begin = start(net, names, Trial(net))
    if begin is None:
        return None
    distrusted: frozenset[Layer] = frozenset()
    while True:
        run = _Run(net, names, begin, distrusted)
        run.all()
        if not (wrong := _wrong(run)):
            break
        distrusted |= wrong
    steps = _steps(run.equations)

    exact: dict[Formula, Extent] = {}

    def known(extent: Extent) -> Extent:
        if not isinstance(extent, Formula):
            return extent
        if extent not in exact:
            made = extent.on(steps) if steps else extent
            exact[extent] = made if made.constant is None else made.constant
        return exact[extent]

    return Formulas(
        names,
        {name: tuple(map(known, extents)) for name, extents in run.shapes.items()},
        {name: known(count) for name, count in run.macs.items()},
        tuple(dict.fromkeys(run.equations)),
        tuple(run.unknown),
    )


def named(shape: Shape, before: str = "") -> Extents:
    """The shape of an input with a symbol for each open size: `HxWx3` for `?x?x3`."""
    letters = AXES.get(len(shape) - 1, ())
    return tuple(
        Formula.of(Symbol(before + letters[axis])) if size is None else size for axis, size in enumerate(shape)
    )


def symbols(net: Net) -> dict[tuple[str, int], str]:
    """A name for each open size, by input and axis: `H` and `W`, or `left.H` where several inputs have some."""
    inputs = [name for name in net.inputs if None in net.shapes[name]]
    return {
        (name, axis): extent.names[0]
        for name in inputs
        for axis, extent in enumerate(named(net.shapes[name], f"{name}." if len(inputs) > 1 else ""))
        if isinstance(extent, Formula)
    }


# -- numbers that remember -----------------------------------------------------------------------------------


class _Number(int):
    """A whole number with the formula that it is the value of."""

    formula: Formula
    found: list[tuple[Formula, Formula]]  # formulas that were found equal

    @staticmethod
    def of(value: int, formula: Formula, found: list[tuple[Formula, Formula]]) -> _Number:
        made = _Number(value)
        made.formula, made.found = formula, found
        return made

    def _made(self, value: Any, formula: Callable[[], Formula]) -> Any:
        return value if value is NotImplemented else _Number.of(value, formula(), self.found)

    def __add__(self, other: int) -> Any:
        return self._made(int.__add__(self, other), lambda: self.formula + _formula(other))

    def __radd__(self, other: int) -> Any:
        return self + other

    def __sub__(self, other: int) -> Any:
        return self._made(int.__sub__(self, other), lambda: self.formula - _formula(other))

    def __rsub__(self, other: int) -> Any:
        return -self + other

    def __mul__(self, other: int) -> Any:
        return self._made(int.__mul__(self, other), lambda: self.formula * _formula(other))

    def __rmul__(self, other: int) -> Any:
        return self * other

    def __neg__(self) -> Any:
        return self._made(int.__neg__(self), lambda: -self.formula)

    def __floordiv__(self, other: int) -> Any:
        if isinstance(other, _Number):
            raise Unwieldy
        return self._made(int.__floordiv__(self, other), lambda: self.formula // other)

    def __rfloordiv__(self, other: int) -> Any:
        raise Unwieldy

    def __mod__(self, other: int) -> Any:
        return self - self // other * other

    def __rmod__(self, other: int) -> Any:
        raise Unwieldy

    def __divmod__(self, other: int) -> Any:
        return self // other, self % other

    def __eq__(self, other: object) -> bool:
        equal = int.__eq__(self, other)
        if equal is True and isinstance(other, int) and (theirs := _formula(other)) != self.formula:
            self.found.append((self.formula, theirs))
        return equal

    def __ne__(self, other: object) -> bool:
        equal = self == other
        return equal if equal is NotImplemented else not equal

    def __bool__(self) -> bool:
        return self != 0

    __hash__ = int.__hash__


def _formula(value: int) -> Formula:
    return value.formula if isinstance(value, _Number) else Formula.of(value)


# -- one run -------------------------------------------------------------------------------------------------

Key = tuple[Layer, tuple[Extents, ...]]


@dataclass
class _Run:
    """The shape rules of a network, on sizes of its inputs with their formulas."""

    net: Net
    symbols: Mapping[tuple[str, int], str]
    start: Mapping[str, Shape]
    distrusted: frozenset[Layer] = frozenset()
    shapes: dict[str, Extents] = field(default_factory=dict)
    macs: dict[str, Extent] = field(default_factory=dict)
    equations: list[Equation] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    done: dict[Key, tuple[Extents, Extent]] = field(default_factory=dict)  # what equal layers make of equal formulas

    @cached_property
    def sizes(self) -> dict[str, int]:
        """The values of the symbols."""
        return {symbol: self.start[name][axis] or 0 for (name, axis), symbol in self.symbols.items()}

    def all(self) -> None:
        """Run the rules of all layers; raises `Refused` where one does not take these sizes, after `shapes` of those
        before."""
        for node in self.net:
            operands = self.net.operands(node.name)
            inputs = tuple(self.shapes[operand] for operand in operands)
            if not operands:
                self.shapes[node.name] = self._input(node)
                self.macs[node.name] = 0
                continue
            key = (node.layer, inputs)
            if key not in self.done:
                self.done[key] = self._layer(node, inputs)
            self.shapes[node.name], self.macs[node.name] = self.done[key]
            if None in self.shapes[node.name] and not any(None in extents for extents in inputs):
                self.unknown.append(node.name)

    def _input(self, node: Node) -> Extents:
        return tuple(
            Formula.of(Symbol(self.symbols[node.name, axis])) if size is None else size
            for axis, size in enumerate(self.net.shapes[node.name])
        )

    def _layer(self, node: Node, inputs: tuple[Extents, ...]) -> tuple[Extents, Extent]:
        known = self.net.shapes[node.name]
        found: list[tuple[Formula, Formula]] = []
        numbers = tuple(tuple(self._number(extent, found) for extent in extents) for extents in inputs)
        try:
            made = node.layer.infer(numbers)
            macs = _extent(node.layer.macs(numbers, made))
            shape = tuple(_extent(size) if dim is None else dim for size, dim in zip(made, known, strict=True))
        except Unwieldy:
            shape, macs = known, None
        if node.layer in self.distrusted:
            shape, macs = known, None
        once = {frozenset(pair): pair for pair in reversed(found)}  # a rule may compare both ways
        self.equations += [Equation(node.name, *pair) for pair in reversed(once.values())]
        fixed = {one: other.constant for pair in found for one, other in (pair, pair[::-1]) if other.constant}
        return tuple(fixed.get(size, size) if isinstance(size, Formula) else size for size in shape), macs

    def _number(self, extent: Extent, found: list[tuple[Formula, Formula]]) -> int | None:
        return _Number.of(extent.at(self.sizes), extent, found) if isinstance(extent, Formula) else extent


def _extent(value: int | None) -> Extent:
    return value.formula if isinstance(value, _Number) else value


def _wrong(run: _Run) -> frozenset[Layer]:
    """The layers whose rules give something else than their formulas, for other sizes that work."""
    wrong: set[Layer] = set()
    for sizes in islice(_samples(run.sizes, _steps(run.equations)), max(4, BUDGET // max(len(run.done), 1))):
        if not all(equation.holds(sizes) for equation in run.equations):
            continue
        differ = _differing(run, sizes)
        if differ is not None:
            wrong |= differ
    return frozenset(wrong)


def _samples(start: Sizes, steps: Mapping[str, tuple[int, int]]) -> Iterator[Sizes]:
    """Small sizes and large ones, of all remainders modulo the smaller strides, in the steps that equations leave."""

    def small(symbol: str, turn: int) -> int:
        step, offset = steps.get(symbol, (1, 0))
        return offset + step * (turn if offset == 0 else turn - 1)

    def large(symbol: str, turn: int) -> int:
        return start[symbol] + turn * steps.get(symbol, (1, 0))[0]

    for turn in range(1, SAMPLES + 1):
        yield {symbol: small(symbol, turn + number) for number, symbol in enumerate(start)}
        yield {symbol: large(symbol, turn * (number + 1)) for number, symbol in enumerate(start)}
        yield {symbol: small(symbol, turn) for symbol in start}


def _differing(run: _Run, sizes: Sizes) -> set[Layer] | None:
    """The layers whose rules differ from their formulas for some sizes; None where the network refuses these."""
    values: dict[Formula, int] = {}

    def value(extent: Extent) -> int | None:
        if not isinstance(extent, Formula):
            return extent
        if extent not in values:
            values[extent] = extent.at(sizes)
        return values[extent]

    differ = set()
    for (layer, inputs), (shape, macs) in run.done.items():
        numbers = tuple(tuple(map(value, extents)) for extents in inputs)
        try:
            made = layer.infer(numbers)
        except Refused:
            return None
        same = all(extent is None or value(extent) == size for extent, size in zip(shape, made, strict=True))
        if not same or (macs is not None and value(macs) != layer.macs(numbers, made)):
            differ.add(layer)
    return differ


# -- sizes to begin with -------------------------------------------------------------------------------------


def start(net: Net, names: Mapping[tuple[str, int], str], trial: Trial) -> Mapping[str, Shape] | None:
    """Shapes of the open inputs that work: large ones, if there are such; None where none was found."""
    base = trial.base()
    if base is not None:
        apart = tuple(size + axis * 7 * trial.period for axis, size in enumerate(base))  # axes are not to be confused
        return trial.shapes(base if trial.failure(apart) else apart)
    if (matched := _matched(net, names, trial)) is not None:
        return matched
    good, _, _ = single_sizes(trial)
    return trial.shapes(trial.equal(good[-1])) if good else None


def _matched(net: Net, names: Mapping[tuple[str, int], str], trial: Trial) -> Mapping[str, Shape] | None:
    """Sizes that are not the same on all axes or of all inputs, found by solving for what has to be equal where it
    meets."""
    sizes = dict.fromkeys(names.values(), trial.far)
    for _ in range(MOST_ROUNDS * len(names)):
        start = {
            name: tuple(
                sizes[names[name, axis]] if size is None else size for axis, size in enumerate(net.shapes[name])
            )
            for name in trial.inputs
        }
        run = _Run(net, names, start)
        try:
            run.all()
        except Refused:
            name = next(node.name for node in net if node.name not in run.shapes)
            changed = _solved([run.shapes[operand] for operand in net.operands(name)], sizes)
            if changed is None:
                return None
            sizes.update(changed)
        else:
            return start
    return None


def _solved(operands: Sequence[Extents], sizes: Sizes) -> Sizes | None:
    """A new value of one symbol, which makes two sizes equal that are not."""
    first, *others = operands
    for other in others:
        for left, right in zip(first, other, strict=False):
            for one, two in ((left, right), (right, left)):
                if not isinstance(two, Formula) or two.turn is None or one is None:
                    continue
                wanted = one.at(sizes) if isinstance(one, Formula) else one
                mine = set(two.names) - set(one.names if isinstance(one, Formula) else ())
                if len(mine) != 1 or two.at(sizes) == wanted:
                    continue
                period, rise = two.turn
                for remainder in range(min(period, MOST_REMAINDERS)):
                    turns, left_over = divmod(wanted - two.at(remainder), rise) if rise else (0, 1)
                    if not left_over and remainder + turns * period > 0:
                        return {two.names[0]: remainder + turns * period}
    return None


# -- what the equations leave --------------------------------------------------------------------------------


def _steps(equations: Sequence[Equation]) -> dict[str, tuple[int, int]]:
    """Of each symbol the step and the first of the sizes for which the equations hold, where these are equidistant."""
    good: dict[str, tuple[int, frozenset[int]]] = {}
    for equation in equations:
        names = equation.names
        left, right = equation.left.turn, equation.right.turn
        if len(names) != 1 or left is None or right is None:
            continue
        (symbol,) = names
        (first, rise), (second, other) = left, right
        period, known = good.get(symbol, (1, frozenset({0})))
        both = lcm(period, first, second)
        if rise * second != other * first or both > MOST_REMAINDERS:
            continue  # single sizes, or too many
        kept = frozenset(size for size in range(both) if size % period in known and equation.holds({symbol: size}))
        good[symbol] = both, kept
    found = {symbol: progression(period, sorted(kept)) for symbol, (period, kept) in good.items() if kept}
    return {symbol: step for symbol, step in found.items() if step is not None and step[0] > 1}
