"""Which items are alike, what they cost in a text, and where one may part them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Iterator, Mapping, Sequence
from typing import Any

from netc.layers.base import LAYERS
from netc.lift.arguments import declared_by
from netc.lift.express import COUNT, WIDTH, kind_of
from netc.lift.padding import number
from netc.lift.scopes import Scopes
from netc.lift.vectors import Call, Item, Layer, Loop, Series, executed, layers_of, read, results
from netc.lower.bind import trailing_words
from netc.params import REQUIRED

# Parameters left open; all but widths, counts and strides fixed; all fixed; all but those that a pass may count fixed.
OPEN, FIXED, EXACT, COUNTED = range(4)
STEPS = frozenset({"rate", "dilation"})
SPLIT = 4.0  # what it costs the reader that a layer stands apart from its normalisation or its activation
_FREE = frozenset({WIDTH, COUNT, "stride"})
_VARIES = ("varies",)

Tap = tuple[str, int]  # a combiner by its node, and which of its operands


class Alike:
    """Numbers for items, equal for those that are alike, at each of three levels."""

    def __init__(self, used: Counter[str], scopes: Scopes) -> None:
        self.used, self.scopes = used, scopes
        self.branches: set[int] = set()  # the identities of series that are branches
        self.within: set[tuple[int, int]] = set()  # places in series that are within units with optional parts
        self.taps: Mapping[str, Sequence[Tap]] = {}  # of tensors that combiners read by labels
        self._numbers: dict[Any, int] = {}
        self._known: tuple[dict[Item, int], ...] = ({}, {}, {}, {})
        self._costs: dict[Item, float] = {}
        self._tied: dict[Item, bool] = {}

    def number(self, item: Item, level: int) -> int:
        known = self._known[level].get(item)
        if known is None:
            key = self._key(item, level)
            known = self._known[level][item] = self._numbers.setdefault((level, key), len(self._numbers) + 1)
        return known

    def numbers(self, series: Series, level: int) -> tuple[int, ...]:
        return tuple(self.number(item, level) for item in series.items)

    def _key(self, item: Item, level: int) -> Any:
        if isinstance(item, Layer):
            values = tuple(self._value(name, own, level) for name, own in item.values.items())
            reads = tuple(key for key, _ in item.reads)
            branches = tuple(self.numbers(branch, level) for branch in item.branches)
            only = item.names[0] if item.word == "input" else ""
            word = tuple(item.acts) if item.acts and level >= EXACT else bool(item.acts) or item.word
            return word, values, reads, branches, only
        if isinstance(item, Loop):
            counts = tuple(count for _, count in item.spans) if level >= EXACT else bool(item.may_be)
            return COUNT, counts, self.numbers(item.body, level)
        if level == OPEN:
            return item.definition
        formals = item.definition.solution.formals
        return item.definition, tuple(
            self._value(formal.kind, [formal.values[run] for run in item.runs], level) for formal in formals
        )

    def _value(self, name: str, own: list[Any], level: int) -> Any:
        if name == "pad":
            own = [number(each) for each in own]
        first = own[0] if own else None
        if level == COUNTED and name in STEPS and type(first) is int:
            return None
        if level >= EXACT:
            return tuple((type(each), each) for each in own)
        if isinstance(first, tuple) and (name == "shape" or level == OPEN):
            return parts[0] if len({*(parts := [*map(_lines, own)])}) == 1 else _VARIES
        if (level == FIXED and kind_of(name) not in _FREE) or isinstance(first, tuple) or first is None:
            return (type(first), first) if all(each == first for each in own) else _VARIES
        return None

    def drop(self, item: Item) -> None:
        """Forget an item that was changed."""
        for numbers in self._known:
            numbers.pop(item, None)
        self._costs.pop(item, None)
        self._tied.pop(item, None)

    def cost(self, item: Item) -> float:
        """About how many tokens an item takes."""
        known = self._costs.get(item)
        if known is None:
            known = self._costs[item] = self._cost(item)
        return known

    def _cost(self, item: Item) -> float:
        if isinstance(item, Layer):
            own = 1.0 + len(item.reads) + sum(1 + self.series_cost(branch) for branch in item.branches)
            if item.values:
                params = declared_by(LAYERS[item.word]) if item.word in LAYERS else {}
                for name, values in item.values.items():
                    own += value_cost(params[name].default, values)
            return own
        if isinstance(item, Loop):
            body = self.series_cost(item.body)
            return body if all(count == 1 for _, count in item.spans) else 2 + body
        formals = item.definition.solution.formals
        return 1.0 + sum(call_cost(formal, item.runs) for formal in formals)

    def series_cost(self, series: Series) -> float:
        return sum(map(self.cost, series.items))

    def tied(self, item: Item) -> bool:
        """Whether it has to do with labels: reads one, or makes a tensor that is read by one."""
        known = self._tied.get(item)
        if known is None:
            if isinstance(item, Layer):
                known = bool(item.reads) or any(name in self.used for name in item.names)
                known = known or any(self.tied(each) for branch in item.branches for each in branch.items)
            elif isinstance(item, Loop):
                known = any(map(self.tied, item.body.items))
            else:
                known = any(self.tied(each) for body in item.bodies() for each in body.items)
            self._tied[item] = known
        return known


def _lines(size: Any) -> Any:
    """A size of several numbers, of which those that are 1 or `?` stay so: a window of 1x5 is none of 5x1."""
    return tuple(part if part in (1, None) else "" for part in size) if isinstance(size, tuple) else size


def value_cost(default: Any, values: Sequence[Any]) -> float:
    """Tokens for a value: those that every layer of a kind has are said once for all."""
    first = values[0] if values else default
    same = all(own == first for own in values)
    if default is REQUIRED:
        return 1.0
    if same:
        return 0.0 if first == default else 0.5
    return 1.0


def call_cost(formal: Any, runs: Sequence[int]) -> float:
    if not formal.default_values:
        return 0.0 if formal.default is not None else 1.0
    return 0.0 if all(formal.values[run] == formal.default_values[run] for run in runs) else 2.0


def nodes(item: Item) -> Iterator[str]:
    """The nodes of all executions of an item, but those in definitions only of its own."""
    if isinstance(item, Layer):
        for branch in item.branches:
            for each in branch.items:
                yield from nodes(each)
        yield from (name for name in item.names if name is not None)
    elif isinstance(item, Loop):
        for each in item.body.items:
            yield from nodes(each)
    else:
        yield from call_nodes(item)


def call_nodes(call: Call) -> Iterator[str]:
    for run in call.runs:
        yield from executed(*call.definition.at(run))


def reads(item: Item) -> Iterator[str]:
    """The tensors that all executions of an item read by labels."""
    if isinstance(item, Layer):
        for branch in item.branches:
            for each in branch.items:
                yield from reads(each)
        for run in range(len(item.names)):
            yield from read(item, run)
    elif isinstance(item, Loop):
        for each in item.body.items:
            yield from reads(each)
    else:
        for run in item.runs:
            for layer, at in layers_of(*item.definition.at(run)):
                yield from read(layer, at)


def is_word(item: Item) -> bool:
    """Whether it may be a word after the layer before it."""
    return isinstance(item, Layer) and item.word in trailing_words() and not item.reads


def is_unit(item: Item) -> bool:
    """Whether it is a block by itself: a combiner with its branches, a call, a `repeat`."""
    return not isinstance(item, Layer) or bool(item.branches)


def parting(items: Sequence[Item], at: int, used: Container[str] = ()) -> float:
    """What it costs the reader to part a series before an item; `used` are the tensors that are read by labels."""
    if not 0 < at < len(items):
        return 0.0
    before, after = items[at - 1], items[at]
    if is_word(after) and isinstance(after, Layer):
        norm = LAYERS[after.word].family == "norm"
        if isinstance(before, Layer) and not before.branches:
            if before.word == "from":
                return 0.0  # of what stands elsewhere
            heads = before.word in LAYERS and (LAYERS[before.word].trailing or LAYERS[before.word].family == "norm")
            return SPLIT if heads else 1.0
        # What follows a sum belongs to it, unless it begins a pre-activated unit, or the sum is read without it too.
        return 0.0 if norm or any(name in used for name in results(before)) else 3.0
    return 0.0
