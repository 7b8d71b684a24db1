"""The structure of a network: what follows what, what stands beside what, and what comes again.

Summaries and figures read it, and know nothing of statements. A network that was written has the structure of its
text: a call or a `repeat` is a `Group`, a combiner with branches is parallel. For one that came as a graph,
the structure is found in the graph (`decompose`, `fold`), in time linear in its layers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from netc.ir.net import Net
from netc.lower.expansion import Body, CallStep, IfStep, LayerStep, RepeatStep, Task, parts, walk
from netc.program import Program
from netc.syntax.source import Span

LEAST_BLOCKS = 2  # equal blocks in a row that are told as one
LEAST_LAYERS = 6  # equal single layers in a row that are
BANDS = frozenset({"norm", "activation"})  # families that make no block of their own
LONGEST = 40  # items of a block that is looked for
DEEPEST = 20  # parallel parts inside each other; deeper ones are told by their labels


@dataclass(slots=True, eq=False)
class Layers:
    """What one statement made: a layer with its trailing words (`names`), or a combiner (its only name) after the
    `branches` that it joins, in the order of its operands; an empty one passes the tensor on.

    A statement that only goes on from elsewhere has no names. `source` held the current tensor before it (None before
    any input), `result` holds it afterwards.
    """

    names: list[str]
    branches: list[Series]
    source: str | None
    result: str | None
    span: Span | None = None


@dataclass(slots=True, eq=False)
class Group:
    """A call of the definition `definition`, which has one pass, or a `repeat` ("" then)."""

    name: str
    head: str  # as a spec writes it, without its braces
    passes: list[Series]
    definition: str = ""
    result: str | None = None
    span: Span | None = None


@dataclass(slots=True, eq=False)
class Series:
    """Items one after the other."""

    items: list[Item] = field(default_factory=list)
    result: str | None = None


Item = Layers | Group


def structure(program: Program) -> Series:
    """The structure of a program: that of its text, or of its graph where netc wrote the text from one."""
    if program.from_graph:
        return fold(program.net, decompose(program.net))
    whole = Series([], program.expansion.result)
    walk(_series(program.expansion, whole))
    return whole


# -- of a text -----------------------------------------------------------------------------------------------


def _series(body: Body, out: Series) -> Task:
    for step in body.steps:
        if isinstance(step, IfStep):
            if step.ran is not None:
                yield _series(step.ran, out)
            continue
        bodies = parts(step)
        inner = [Series([], each.result) for each in bodies]
        out.items.append(_item(step, inner))
        for each, series in zip(bodies, inner, strict=True):
            yield _series(each, series)


def _item(step: LayerStep | CallStep | RepeatStep, inner: list[Series]) -> Item:
    span = step.statement.span
    if isinstance(step, LayerStep):
        return Layers(step.nodes, inner, step.source, step.result, span)
    if isinstance(step, CallStep):
        return Group(step.prefix, span.text, inner, step.definition.name, step.result, span)
    label, index = step.statement.label, step.statement.index
    head = f"repeat {step.statement.count.span.text}" + (f" as {index.text}" if index else "")
    return Group(label.text if label else "repeat", head, inner, "", step.result, span)


# -- of a graph ----------------------------------------------------------------------------------------------


@dataclass(slots=True, eq=False)
class _Chain:
    """Items in a row so far, after the tensor `source` (None: an input, or a combiner of tensors from anywhere)."""

    source: str | None
    items: list[Item]
    first: int  # place of its first layer in the network
    depth: int = 0  # parallel parts inside each other
    strided: bool = False  # whether a layer in it makes the map smaller


def decompose(net: Net) -> Series:
    """Series and parallel parts of a network, found in one sweep over its layers.

    A combiner closes a parallel part when all that it joins begins after one tensor. Then the part stands in the
    chain of that tensor, as soon as nothing else reads it. A combiner that closes nothing (of branches that cross, of
    a long skip) begins a chain of its own, and its operands are known by name: so what is parallel inside such a
    network is still found. A skip is long where the other branch makes the map smaller and comes back to its size, as
    in a U-Net: told as a branch, the whole network would stand in it.
    """
    ends: dict[str, _Chain] = {}  # chains by the tensor that they end in
    readers = {node.name: len(net.consumers(node.name)) for node in net}
    for place, node in enumerate(net):
        operands = net.operands(node.name)
        sources = {ends[name].source if readers[name] == 1 else name for name in operands}
        source = sources.pop() if len(sources) == 1 else None
        single = Layers([node.name], [], operands[0] if operands else None, node.name)
        if len(operands) == 1:
            chain = _Chain(operands[0], [single], place)
        else:
            branches = [None if name == source else ends[name] for name in operands]
            if source is None or not _is_parallel(net, source, node.name, branches):
                chain = _Chain(None, [single], place)
            else:
                chain = _parallel(node.name, source, operands, branches, place)
                readers[source] -= len(operands) - 1
                for name in set(operands) - {source}:
                    del ends[name]
        chain.strided |= any(window.stride > 1 for window in node.layer.windows(net.operand_shapes(node.name)) or ())
        if chain.source is not None and readers[chain.source] == 1:
            before = ends.pop(chain.source)
            before.items += chain.items
            before.depth, before.strided = max(before.depth, chain.depth), before.strided or chain.strided
            chain = before
        ends[node.name] = chain
    chains = sorted(ends.values(), key=lambda chain: chain.first)
    items = [item for chain in chains for item in chain.items]
    return Series(items, items[-1].result if items else None)


def _is_parallel(net: Net, source: str, name: str, branches: Sequence[_Chain | None]) -> bool:
    """Whether what a combiner joins, which all begins after `source`, is told as branches."""
    if max((chain.depth for chain in branches if chain), default=0) >= DEEPEST:
        return False
    returns = net.shapes[name][:-1] == net.shapes[source][:-1] and len(net.shapes[name]) > 1
    return not (returns and None in branches and any(chain and chain.strided for chain in branches))


def _parallel(name: str, source: str, operands: Sequence[str], branches: Sequence[_Chain | None], place: int) -> _Chain:
    chains = [chain for chain in branches if chain]
    parts = [Series(chain.items if chain else [], end) for chain, end in zip(branches, operands, strict=True)]
    return _Chain(
        source,
        [Layers([name], parts, source, name)],
        min((chain.first for chain in chains), default=place),
        1 + max((chain.depth for chain in chains), default=0),
        any(chain.strided for chain in chains),
    )


# -- what comes again ----------------------------------------------------------------------------------------


def fold(net: Net, series: Series) -> Series:
    """A series in which equal blocks that follow each other are passes of a `repeat`, in branches too.

    Blocks are compared by the numbers of their items, which are equal for equal layers with maps of equal size,
    joined alike.
    """
    folder = _Folder(net)
    return folder.folded(series)


class _Folder:
    def __init__(self, net: Net) -> None:
        self.net = net
        self._numbers: dict[object, int] = {}
        self._of: dict[int, int] = {}  # numbers of items, by identity

    def folded(self, series: Series) -> Series:
        """The series with its repeats, inner ones first."""
        items: list[Item] = []
        for item in series.items:
            assert isinstance(item, Layers)
            branches = [self.folded(branch) for branch in item.branches]
            items.append(Layers(item.names, branches, item.source, item.result))
        return Series(self._repeats(items), series.result)

    def _number(self, item: Layers) -> int:
        """Equal for equal items: the layers, the sizes of their maps, and what the branches hold."""
        (name,) = item.names
        layer, operands = self.net.node(name).layer, self.net.operands(name)
        joins = name if len(operands) > 1 and not item.branches else ""  # from anywhere: equal to no other
        inner = tuple(tuple(self._number_of(each) for each in branch.items) for branch in item.branches)
        return self._numbers.setdefault((layer, self.net.shapes[name][:-1], joins, inner), len(self._numbers))

    def _number_of(self, item: Item) -> int:
        if id(item) not in self._of:
            if isinstance(item, Layers):
                self._of[id(item)] = self._number(item)
            else:
                inner = tuple(self._number_of(each) for each in item.passes[0].items)
                self._of[id(item)] = self._numbers.setdefault((len(item.passes), inner), len(self._numbers))
        return self._of[id(item)]

    def _weight(self, item: Item) -> int:
        """How many layers of an item are more than a normalisation or an activation."""
        if isinstance(item, Group):
            return sum(map(self._weight, item.passes[0].items))
        own = sum(self.net.node(name).layer.family not in BANDS for name in item.names)
        return own + sum(self._weight(each) for branch in item.branches for each in branch.items)

    def _repeats(self, items: list[Item]) -> list[Item]:
        """Runs of equal blocks, found from the end: a block ends where its run does."""
        numbers = [self._number_of(item) for item in items]
        for at, item in enumerate(items[1:], 1):
            if isinstance(item, Layers) and item.source != items[at - 1].result:
                numbers[at] = -at  # goes on from elsewhere: equal to no other
        weights = [0]
        for item in items:
            weights.append(weights[-1] + self._weight(item))
        made: list[Item] = []
        runs = _Runs(numbers)
        end = len(items)
        while end:
            period, count = runs.best(end, weights)
            if count == 1:
                end -= 1
                made.append(items[end])
                continue
            start = end - period * count
            passes = [items[at : at + period] for at in range(start, end, period)]
            series = [Series(each, each[-1].result) for each in passes]
            made.append(Group("repeat", f"repeat {count}", series, result=items[end - 1].result))
            end = start
        return made[::-1]


class _Runs:
    """How often the items before a place repeat, for each length of a block."""

    def __init__(self, numbers: Sequence[int]) -> None:
        self.equal: list[list[int]] = []  # [period - 1][end]: equal pairs (item, item a period before) in a row
        for period in range(1, min(LONGEST, len(numbers) // 2) + 1):
            row = [0] * (len(numbers) + 1)
            for at in range(period, len(numbers)):
                row[at + 1] = row[at] + 1 if numbers[at] == numbers[at - period] else 0
            self.equal.append(row)

    def best(self, end: int, weights: Sequence[int]) -> tuple[int, int]:
        """The period and the count of the run before `end` that saves most items; a count of 1 for none."""
        found, saved = (1, 1), 0
        for period, row in enumerate(self.equal, 1):
            count = row[end] // period + 1
            weight = weights[end] - weights[end - period]
            least = LEAST_BLOCKS if weight > 1 else LEAST_LAYERS
            if weight and count >= least and (count - 1) * period > saved:
                found, saved = (period, count), (count - 1) * period
        return found
