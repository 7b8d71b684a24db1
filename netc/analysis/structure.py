"""The structure of a network: what follows what, what stands beside what, and what comes again.

Summaries and figures read it, and know nothing of statements. A network that was written has the structure of its
text: a call or a `repeat` is a `Group`, a combiner with branches is parallel. For one that came as a graph,
the structure is found in the graph (`decompose`, `fold`), in time linear in its layers.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from math import inf

from netc.analysis.repetition import Runs
from netc.ir.net import Net, Node
from netc.lower.expansion import Body, CallStep, IfStep, LayerStep, RepeatStep, Task, parts, walk
from netc.program import Program
from netc.syntax.source import Span

BANDS = frozenset({"norm", "activation", "regularise"})  # families that make no block of their own
_TRIED = 8  # combiners that a block may rather end with
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
    """A call of the definition `definition`, which has one pass, or a `repeat` ("" then).

    The passes of one that is `beside` are equal branches of a combiner, not blocks one after the other.
    """

    name: str
    head: str  # as a spec writes it, without its braces
    passes: list[Series]
    definition: str = ""
    result: str | None = None
    span: Span | None = None
    beside: bool = False


@dataclass(slots=True, eq=False)
class Series:
    """Items one after the other."""

    items: list[Item] = field(default_factory=list)
    result: str | None = None


Item = Layers | Group


def structure(program: Program) -> Series:
    """The structure of a program: that of its text, or of its graph where netc wrote the text from one."""
    if program.from_graph:
        return fold(program.net, decompose(program.net), lambda node: node.layer, least=FOUND)
    whole = Series([], program.expansion.result)
    walk(_series(program.expansion, whole))
    return whole


def names_of(series: Series) -> list[str]:
    """The layers of a series in its order: those of branches before their combiner."""
    found: list[str] = []
    todo: list[Item | str] = [*series.items[::-1]]
    while todo:
        item = todo.pop()
        if isinstance(item, str):
            found.append(item)
            continue
        if isinstance(item, Layers):
            todo += item.names[::-1]
        inner = item.branches if isinstance(item, Layers) else item.passes
        todo += [each for part in inner[::-1] for each in part.items[::-1]]
    return found


def calls_around(whole: Series) -> dict[str, tuple[Group, ...]]:
    """For each layer the calls that made it, from the outermost one."""
    found: dict[str, tuple[Group, ...]] = {}
    todo: list[tuple[Series, tuple[Group, ...]]] = [(whole, ())]
    while todo:
        series, path = todo.pop()
        for item in series.items:
            if isinstance(item, Layers):
                found.update(dict.fromkeys(item.names, path))
                todo += [(branch, path) for branch in item.branches]
            else:
                inner = (*path, item) if item.definition else path
                todo += [(each, inner) for each in item.passes]
    return found


@dataclass(frozen=True, slots=True)
class Least:
    """What is told once with a count: so many equal `blocks` in a row that were written as blocks (calls, passes of a
    `repeat`; with `found`, any), and whatever else comes again where that leaves out so many `layers`. Those of `BANDS`
    count as none, and a block has more than one."""

    blocks: float = 2
    layers: float = 5
    found: bool = False


FOUND = Least(found=True)  # of what came as a graph, where nothing is written as a block


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


def decompose(net: Net, by_label: Collection[str] = ()) -> Series:
    """Series and parallel parts of a network, found in one sweep over its layers.

    A combiner closes a parallel part when all that it joins begins after one tensor. Then the part stands in the
    chain of that tensor, as soon as nothing else reads it. A combiner that closes nothing (of branches that cross, of
    a long skip) begins a chain of its own, and its operands are known by name: so what is parallel inside such a
    network is still found. A skip is long where the other branch makes the map smaller and comes back to its size, as
    in a U-Net: told as a branch, the whole network would stand in it. In layers that share their weights it is a branch
    all the same: the definition that they are calls of has no name for the tensor that it is given. The combiners
    `by_label` close nothing whatever they join.
    """
    shared = {name for node in net if node.shares is not None for name in (node.shares, node.name)}
    ends: dict[str, _Chain] = {}  # chains by the tensor that they end in
    readers = {node.name: len(net.consumers(node.name)) for node in net}
    for place, node in enumerate(net):
        operands = net.operands(node.name)
        sources = {ends[name].source if readers[name] == 1 else name for name in operands}
        source = sources.pop() if len(sources) == 1 else None
        single = Layers([node.name], [], operands[0] if operands else None, node.name)
        if len(operands) == 1:
            chain = _Chain(operands[0], [single], place)
        elif node.layer.operands[1] == 1:  # reads others beside its input, by their labels
            chain = _Chain(None, [single], place)
        else:
            branches = [None if name == source else ends[name] for name in operands]
            told = node.name not in by_label
            if source is None or not (told and _is_parallel(net, source, node.name, branches, node.name in shared)):
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


def _is_parallel(net: Net, source: str, name: str, branches: Sequence[_Chain | None], shared: bool) -> bool:
    """Whether what a combiner joins, which all begins after `source`, is told as branches; `shared`, whether the
    combiner is in layers that share their weights."""
    if max((chain.depth for chain in branches if chain), default=0) >= DEEPEST:
        return False
    if shared:
        return True
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


def fold(
    net: Net,
    series: Series,
    same: Callable[[Node], object],
    *,
    least: Least = Least(),
    modules: bool = False,
) -> Series:
    """A series with one layer an item, whose groups are runs of equal blocks, in branches too.

    A block is what a call or a pass of a `repeat` made, or whatever comes again, of any length. One that comes once is
    opened; with `modules`, calls of definitions stay groups of one pass, and equal branches of a combiner are one group
    that is `beside`. Blocks are equal whose layers are the `same`, have maps of equal size, and are joined alike.
    """
    folded = Series([], series.result)
    walk(_Folder(net, same, least, modules).fold(series, folded))
    return folded


class _Folder:
    def __init__(self, net: Net, same: Callable[[Node], object], least: Least, modules: bool) -> None:
        self.net, self.same, self.least, self.modules = net, same, least, modules
        self._places = {node.name: place for place, node in enumerate(net)}
        self._outputs = frozenset(net.outputs)
        self._last: str | None = None  # the layer before the next one, in its branch
        self._numbers: dict[object, int] = {}
        self._known: dict[Item, tuple[int, int]] = {}  # a number, equal for equal items, and the weight
        self._grown = _grown(net)
        self._growing: dict[str, list[str]] = {}  # concatenations that grow out of a tensor
        for name, (before, _) in self._grown.items():
            self._growing.setdefault(before, []).append(name)

    def fold(self, series: Series, out: Series) -> Task:
        """Fill a series with the items of another, inner ones first."""
        items: list[Item] = []
        yield self._blocks(series, items)
        out.items = self._repeats(items)

    def _blocks(self, series: Series, out: list[Item]) -> Task:
        """The layers of a series, and its blocks as groups of one pass."""
        for item in series.items:
            if isinstance(item, Layers):
                branches = [Series([], branch.result) for branch in item.branches]
                for branch, folded in zip(item.branches, branches, strict=True):
                    self._last = item.source
                    yield self.fold(branch, folded)
                if self.modules:
                    branches = self._beside(branches)
                for name in item.names:
                    out.append(self._layer(Layers([name], branches, item.source, name, item.span)))
                    branches = []
                continue
            for each in item.passes:
                block: list[Item] = []
                yield self._blocks(each, block)
                if len(block) == 1 and not _joins(block[0]):
                    out += block  # what holds a single block says no more than it
                elif block:
                    inner = Series(self._repeats(block), each.result)
                    out.append(self._group(Group(item.name, item.head, [inner], item.definition, each.result)))

    def _beside(self, branches: list[Series]) -> list[Series]:
        """The branches of a combiner, equal ones as a single group where that leaves out enough."""
        alike: dict[tuple[int, ...], list[Series]] = {}
        for branch in branches:
            alike.setdefault(tuple(self._known[item][0] for item in branch.items), []).append(branch)
        made: list[Series] = []
        for equal in alike.values():
            weight = sum(self._known[item][1] for item in equal[0].items)
            if len(equal) > 1 and weight * (len(equal) - 1) >= self.least.layers and not self._told(equal):
                group = Group("branch", "", equal, result=equal[-1].result, beside=True)
                numbers = tuple(self._known[item][0] for item in equal[0].items)
                self._known[group] = self._number(("beside", len(equal), numbers)), weight
                made.append(Series([group], equal[-1].result))
            else:
                made += equal
        return made

    def _told(self, branches: Sequence[Series]) -> bool:
        """Whether something else than the combiner reads from within branches, so that each must be seen."""
        for branch in branches:
            names = set(names_of(branch))
            for name in names:
                readers = set(self.net.consumers(name))
                if (
                    name in self._outputs
                    or (name != branch.result and not readers <= names)
                    or len(readers - names) > 1
                ):
                    return True
        return False

    def _layer(self, item: Layers) -> Layers:
        (name,) = item.names
        node, place = self.net.node(name), self._places[name]
        operands = self._operands(name)
        reads = tuple(operand != self._last and place - self._places[operand] for operand in operands)
        inner = tuple(tuple(self._known[each][0] for each in branch.items) for branch in item.branches)
        weight = sum(self._known[each][1] for branch in item.branches for each in branch.items)
        key = (self.same(node), self.net.shapes[name][:-1], reads or name, inner)  # an input equals no other
        self._known[item] = self._number(key), weight + (node.layer.family not in BANDS)
        self._last = name
        return item

    def _group(self, item: Group) -> Group:
        numbers, weights = zip(*(self._known[each] for each in item.passes[0].items), strict=True)
        self._known[item] = self._number((len(item.passes), numbers)), sum(weights)
        return item

    def _number(self, key: object) -> int:
        return self._numbers.setdefault(key, len(self._numbers) + 1)

    def _repeats(self, items: list[Item]) -> list[Item]:
        """Items with their runs of equal blocks, found from the end: a block ends where its run does, or earlier where
        it is whole then. What comes again inside a block that was found is told there."""
        if len(items) == 1:
            return self._opened(items[0])
        weights = list(accumulate((self._known[item][1] for item in items), initial=0))
        written = self.least.found or any(isinstance(item, Group) for item in items)
        pays = weights[-1] > (1 if written else self.least.layers) and self.least.blocks < inf
        runs = Runs([self._known[item][0] for item in items] if pays else [])
        made: list[Item] = []
        end = len(items)
        while end:
            period, count, spare = self._best(items, weights, runs.ending(end), end)
            start, last = end - period * count, items[end - 1]
            if count > 1 and self._is_split(items, end, period, spare):
                made += self._opened(last)[::-1]
                start = end - 1
            elif count > 1:
                run = _run(items[start:end], period)
                if period > 1:
                    for each in run.passes:
                        each.items = self._repeats(each.items)
                made.append(self._group(run))
            else:
                made += self._opened(last)[::-1]
            end = start
        return made[::-1]

    def _opened(self, item: Item) -> list[Item]:
        """An item that comes once: what is in it, if it is a group that says no more than that."""
        if isinstance(item, Group) and len(item.passes) == 1 and not (self.modules and item.definition):
            return list(item.passes[0].items)
        return [item]

    def _best(
        self, items: Sequence[Item], weights: Sequence[int], runs: Iterable[tuple[int, int]], end: int
    ) -> tuple[int, int, int]:
        """The period and the count of the run before `end` that leaves out most layers, a count of 1 for none; and how
        many items more of the run are before these blocks."""
        found, saved = (1, 1, 0), 0
        for period, length in runs:
            most = length // period
            weight = weights[end] - weights[end - period]
            if not weight or weight * (most - 1) <= saved:
                continue
            count = self._closed(items, end, period, most)
            written = self.least.found or (period == 1 and isinstance(items[end - 1], Group))
            enough = weight * (count - 1) >= self.least.layers or (
                written and weight > 1 and count >= self.least.blocks
            )
            if count > 1 and enough and weight * (count - 1) > saved:
                found, saved = (period, count, length - period * count), weight * (count - 1)
        return found

    def _is_split(self, items: Sequence[Item], end: int, period: int, spare: int) -> bool:
        """Whether the blocks of a run that ends here are halves of two, and those that end with an earlier combiner
        would be whole: nothing but their last tensor is read outside of them."""
        earlier = range(end - 1, end - min(spare, period - 1) - 1, -1)
        combiners = [at for at in earlier if self._joins_tensors(items[at - 1])][:_TRIED]
        return (
            bool(combiners)
            and not self._is_whole(items, end - period, period)  # the last one may end what it is in
            and any(self._is_whole(items, at - period, period) for at in combiners)
        )

    def _joins_tensors(self, item: Item) -> bool:
        return isinstance(item, Layers) and len(self.net.operands(item.names[0])) > 1

    def _is_whole(self, items: Sequence[Item], end: int, period: int) -> bool:
        names = names_of(Series(list(items[end - period : end])))
        within = set(names)
        return all(self._read_within(name, within) for name in names[:-1])

    def _closed(self, items: Sequence[Item], end: int, period: int, most: int) -> int:
        """How many blocks before `end` can be told as one: nothing after the next block reads from any but the last,
        and none but the first reads from farther back than the block before it."""
        after: frozenset[str] | set[str] | None = None
        for count in range(most):
            at = end - period * count
            names = names_of(Series(list(items[at - period : at])))
            within = set(names)
            before = names_of(Series(list(items[max(at - 2 * period, 0) : at - period])))
            reach = within.union(before)
            if any(operand not in reach for name in names for operand in self._operands(name)):
                most = count + 1
            for name in names:
                if name in self._outputs and (after is not None or name != names[-1]):
                    return count
                if after is not None and not self._read_within(name, within | after):
                    return count
            if most == count + 1:
                break
            after = within
        return most

    def _operands(self, name: str) -> Sequence[str]:
        """What a layer reads, of a concatenation that grew what it grew from."""
        return self._grown.get(name) or self.net.operands(name)

    def _read_within(self, name: str, names: set[str]) -> bool:
        """Whether nothing but these layers reads a tensor; a concatenation that grew does not read what it had."""
        readers = (each for each in self.net.consumers(name) if name in self._grown.get(each, (name,)))
        return all(reader in names for reader in (*readers, *self._growing.get(name, ())))


def _grown(net: Net) -> dict[str, tuple[str, str]]:
    """What the concatenations of a dense chain read, told as their growth: where one joins all that an earlier one
    joined, in any order, and before or after it one more, it reads that one and what is new."""
    joined: dict[frozenset[str], str] = {}
    found: dict[str, tuple[str, str]] = {}
    places = {node.name: place for place, node in enumerate(net)}
    for node in net:
        if not node.layer.stacks:
            continue
        operands = net.operands(node.name)
        last = places[operands[-1]] > places[operands[0]]
        new, old = (operands[-1], operands[:-1]) if last else (operands[0], operands[1:])
        before = old[0] if len(old) == 1 else joined.get(frozenset(old))
        if before is not None and new not in old:
            found[node.name] = (before, new)
        joined[frozenset(operands)] = node.name
    return found


def _joins(item: Item) -> bool:
    """Whether it is a combiner with its branches."""
    return isinstance(item, Layers) and bool(item.branches)


def _run(items: Sequence[Item], period: int) -> Group:
    """A run of equal blocks as one group, which is called what the first of them is."""
    first, last = items[0], items[-1]
    if period == 1 and isinstance(first, Group):
        passes = [each.passes[0] for each in items if isinstance(each, Group)]
        return Group(first.name, first.head, passes, first.definition, last.result)
    blocks = [list(items[at : at + period]) for at in range(0, len(items), period)]
    series = [Series(block, block[-1].result) for block in blocks]
    return Group("repeat", f"repeat {len(blocks)}", series, result=last.result)
