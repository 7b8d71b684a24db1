"""A network as a tree in which everything that was found equal stands once.

Statements that came together run several times, once an *execution*: in each call of their definition, in each pass of
their `repeat`. What they differ in is a vector, one value an execution. Nothing is abstracted while the tree is made:
which expressions and parameters give the vectors is found from them (`netc.lift.express`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from netc.lift.express import Solution

Before = tuple[str | None, int]  # the current tensor, and its channels
Pick = tuple[int, int]  # which of several items, and which of its executions
COLLECTED = "*"  # the key of tensors that are read of all passes of a `repeat`: several an execution


@dataclass(slots=True, eq=False)
class Layer:
    """A layer, or `from`, `output` and `identity`, which make none: `word` is its operation.

    `values` has its parameters, `reads` the tensors that it reads by their labels (with the keys of those that options
    name, or `COLLECTED`: then these are all that it reads), `names` the node that it is, None where that is one with
    another layer, and `before` the current tensor before it. A combiner may have `branches`.
    """

    word: str
    values: dict[str, list[Any]]
    reads: list[tuple[str, list[Any]]]
    names: list[str | None]
    before: list[Before]
    branches: list[Series]
    acts: list[str] = field(default_factory=list)  # of an activation that is another one in some executions


@dataclass(slots=True, eq=False)
class Loop:
    """A `repeat`: the executions of its body that are its passes are those from `start` on, `count` of them. One that
    runs once or not at all is an `if`."""

    body: Series
    spans: list[tuple[int, int]]  # start and count

    @property
    def may_be(self) -> list[bool]:
        """Whether each execution has its body, if it is an `if`; else nothing."""
        counts = [count for _, count in self.spans]
        return [count > 0 for count in counts] if {*counts} == {0, 1} else []


@dataclass(slots=True, eq=False)
class Call:
    """A call of a definition, and which execution of this each one is."""

    definition: Definition
    runs: list[int]
    before: list[Before]

    def bodies(self) -> list[Series]:
        """The series that its executions are of."""
        if self.definition.places is None:
            return [self.definition.body]
        return [*dict.fromkeys(self.definition.places[run][0] for run in self.runs)]


Item = Layer | Loop | Call


@dataclass(slots=True, eq=False)
class Series:
    """Items one after the other, all of which run `times` times."""

    items: list[Item]
    times: int


@dataclass(slots=True, eq=False)
class Definition:
    """What is written once and called; a block that netc ships is not written, and each execution of it has its place
    in a series of its own. The executions of a `shared` one have their weights in common."""

    body: Series
    before: list[Before]  # what each execution is given
    name: str = ""
    places: list[tuple[Series, int]] | None = None
    shared: bool = False
    solution: Solution = field(init=False)  # its parameters
    tensors: list[list[str]] = field(default_factory=list)  # what it is handed, one vector each

    def at(self, run: int) -> tuple[Series, int]:
        """The series of an execution, and which of its executions that is."""
        return (self.body, run) if self.places is None else self.places[run]


def gather(items: Sequence[Item], picks: Sequence[Pick]) -> Item:
    """One item for several alike, whose executions are those that are picked, in this order."""
    first = items[0]
    if isinstance(first, Layer):
        layers: Sequence[Layer] = items  # type: ignore[assignment]
        return Layer(
            first.word,
            {name: [layers[at].values[name][run] for at, run in picks] for name in first.values},
            [
                (key, [layers[at].reads[place][1][run] for at, run in picks])
                for place, (key, _) in enumerate(first.reads)
            ],
            [layers[at].names[run] for at, run in picks],
            [layers[at].before[run] for at, run in picks],
            [gather_series([layer.branches[place] for layer in layers], picks) for place in range(len(first.branches))],
            _acts(layers, picks),
        )
    if isinstance(first, Call):
        calls: Sequence[Call] = items  # type: ignore[assignment]
        return Call(
            first.definition,
            [calls[at].runs[run] for at, run in picks],
            [calls[at].before[run] for at, run in picks],
        )
    loops: Sequence[Loop] = items  # type: ignore[assignment]
    inner: list[Pick] = []
    spans: list[tuple[int, int]] = []
    for at, run in picks:
        start, count = loops[at].spans[run]
        spans.append((len(inner), count))
        inner += [(at, start + each) for each in range(count)]
    return Loop(gather_series([loop.body for loop in loops], inner), spans)


def _acts(layers: Sequence[Layer], picks: Sequence[Pick]) -> list[str]:
    """The activations that layers are, where they are not one."""
    if not any(layer.acts for layer in layers) and len({layer.word for layer in layers}) == 1:
        return []
    return [layers[at].acts[run] if layers[at].acts else layers[at].word for at, run in picks]


def gather_series(parts: Sequence[Series], picks: Sequence[Pick]) -> Series:
    """One series for several alike; those without items (of a `repeat` that never ran) are passed over."""
    made = [part for part in parts if part.items]
    if not made:
        return Series([], len(picks))
    places = {at: place for place, at in enumerate(at for at, part in enumerate(parts) if part.items)}
    inner = [(places[at], run) for at, run in picks]
    columns = zip(*(part.items for part in made), strict=True)
    return Series([gather(column, inner) for column in columns], len(picks))


def every(parts: Sequence[Series]) -> list[Pick]:
    """All executions of several series, one after the other."""
    return [(at, run) for at, part in enumerate(parts) for run in range(part.times)]


def inner(item: Item) -> Sequence[Series]:
    """The series inside an item, but for the bodies of definitions."""
    if isinstance(item, Layer):
        return item.branches
    return (item.body,) if isinstance(item, Loop) else ()


def all_series(outer: Series) -> Iterator[Series]:
    """A series and those in it, inner ones first."""
    for item in outer.items:
        for each in inner(item):
            yield from all_series(each)
    yield outer


def result(item: Item, run: int) -> str | None:
    """The node whose tensor is the current one after an execution of an item; None where that is the one before it."""
    if isinstance(item, Layer):
        return item.reads[0][1][run] if item.word == "from" else item.names[run]
    if isinstance(item, Loop):
        start, count = item.spans[run]
        if not count:
            return None
        body, run = item.body, start + count - 1
    else:
        body, run = item.definition.at(item.runs[run])
    return next((name for each in reversed(body.items) if (name := result(each, run)) is not None), None)


def results(item: Item) -> list[str | None]:
    """What the executions of an item make."""
    times = len(item.names if isinstance(item, Layer) else item.spans if isinstance(item, Loop) else item.runs)
    return [result(item, run) for run in range(times)]


def entry(item: Item, run: int) -> Before:
    """The tensor that an execution of an item is given."""
    while isinstance(item, Loop):
        start, count = item.spans[run]
        if not count:
            return None, 0
        item, run = item.body.items[0], start
    return item.before[run]


def read(layer: Layer, run: int) -> Iterator[str]:
    """The tensors that an execution of a layer reads by labels."""
    for key, names in layer.reads:
        if key == COLLECTED:
            yield from names[run]
        else:
            yield names[run]


def layers_of(series: Series, run: int) -> Iterator[tuple[Layer, int]]:
    """The layers of an execution, in the order in which its statements make them, and which of theirs it is."""
    for item in series.items:
        if isinstance(item, Layer):
            for branch in item.branches:
                yield from layers_of(branch, run)
            yield item, run
        elif isinstance(item, Loop):
            start, count = item.spans[run]
            for each in range(start, start + count):
                yield from layers_of(item.body, each)
        else:
            yield from layers_of(*item.definition.at(item.runs[run]))


def executed(series: Series, run: int) -> Iterator[str]:
    """The nodes of an execution, in the order in which its statements make them."""
    for layer, at in layers_of(series, run):
        if (name := layer.names[at]) is not None:
            yield name
