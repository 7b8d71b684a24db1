"""Layers that share their weights: what runs several times with the same ones becomes a `shared def` of the longest run
of layers that all of its calls have.

A run holds each of its layers once, and of layers with weights all that share them, one in each call. Layers without
weights stand in it where they do in every call. Nothing but its last tensor is read outside.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import inf
from typing import Any

from netc.ir.net import Net
from netc.layers.regularise import DropPath
from netc.lift.alike import nodes, reads
from netc.lift.arguments import Unwritable
from netc.lift.definitions import TENSORS, outside
from netc.lift.express import Solution
from netc.lift.padding import said
from netc.lift.tree import Tree
from netc.lift.vectors import (
    Call,
    Definition,
    Item,
    Layer,
    Series,
    all_series,
    entry,
    every,
    gather_series,
    inner,
    result,
)


@dataclass(frozen=True, slots=True, eq=False)
class _Unit:
    """Items of a series that stand or fall together: a layer with the activation that it has itself. `node` is the
    layer of the network; None of what makes none."""

    series: Series
    at: int  # among the units of the series
    start: int
    end: int
    node: str | None

    @property
    def items(self) -> list[Item]:
        return self.series.items[self.start : self.end]


_SHAPE = "shape"
_SIZED = frozenset({"pad", _SHAPE})  # parameters that may say the same in several ways, which depend on sizes of maps

Row = list[_Unit]  # one unit of each call, the same in all of them


def share(tree: Tree, told: Net) -> list[Definition]:
    """Replace the layers of a tree that share their weights by calls of definitions, which are given.

    `told` is the network as its source has it, where layers without weights may be said to be the same too. Raises
    `Unwritable`.
    """
    sharing = _Sharing(tree, told)
    while sharing.left:
        sharing.take(max(len(sharing.members[owner]) for owner in sharing.left))
    return sharing.made


class _Sharing:
    """Runs of a tree, while they are found. Those of the most calls come first: others may hold their calls."""

    def __init__(self, tree: Tree, told: Net) -> None:
        self.tree, self.made = tree, list[Definition]()
        self.members = _members(tree.net)
        self.told = _members(told)
        self.owner = {name: owner for owner, names in self.members.items() for name in names}
        self.source_owner = {name: owner for owner, names in self.told.items() for name in names}
        self.says_all = self.told.keys() != self.members.keys()  # the source tells of layers without weights
        self.left = dict.fromkeys(self.members)
        self.units: dict[Series, list[_Unit]] = {}
        self.paths: dict[str, list[_Unit]] = {}  # of each layer that shares weights, the units around it
        self.taken: set[_Unit] = set()

    def take(self, count: int) -> None:
        """Make the definitions that are called so often."""
        self.units, self.paths, self.taken = {}, {}, set()
        self._index(self.tree.series, [])
        runs: list[list[Row]] = []
        for owner in [each for each in self.left if len(self.members[each]) == count]:
            paths = [self.paths[name] for name in self.members[owner]]
            for level in range(min(map(len, paths))):
                if owner not in self.left:
                    break
                row = [path[level - min(map(len, paths))] for path in paths]
                if len(set(row)) == count and self._same(row):
                    runs += self._runs(self._around(row))
            if owner in self.left:
                raise Unwritable(f"`{owner}` and the layers that have its weights stand in no calls of one definition")
        self._replace(runs)

    def _index(self, series: Series, path: list[_Unit]) -> None:
        found = self.units[series] = []
        at = 0
        while at < len(series.items):
            item, end = series.items[at], at + 1
            name = item.names[0] if isinstance(item, Layer) else None
            if isinstance(item, Layer) and name is None and item.word not in ("from", "output"):
                activation = series.items[at + 1]
                assert isinstance(activation, Layer)
                name, end = activation.names[0], at + 2
            unit = _Unit(series, len(found), at, end, name)
            found.append(unit)
            around = [*path, unit]
            for each in inner(item):
                self._index(each, around)
            if name in self.owner:
                self.paths[name] = around
            at = end

    # -- what is the same ------------------------------------------------------------------------------------

    def _same(self, row: Row) -> bool:
        """Whether units are the same in all calls, and hold of the layers with weights all that share them."""
        return len({unit.end - unit.start for unit in row}) == 1 and self._alike([unit.items for unit in row])

    def _alike(self, parts: Sequence[Sequence[Item]]) -> bool:
        if len({len(part) for part in parts}) > 1:
            return False
        return all(self._is_one(column) for column in zip(*parts, strict=True))

    def _is_one(self, items: Sequence[Item]) -> bool:
        first = items[0]
        if isinstance(first, Call):
            return all(isinstance(item, Call) and item.definition is first.definition for item in items)
        layers = [item for item in items if isinstance(item, Layer)]
        if len(layers) < len(items) or not isinstance(first, Layer) or first.word in ("input", "output"):
            return False
        if len({(layer.word, tuple(key for key, _ in layer.reads), len(layer.branches)) for layer in layers}) > 1:
            return False
        if len({_said(layer) for layer in layers}) > 1:
            return False
        for key in _SIZED & first.values.keys():
            if self._one_way(key, [(layer.names[0], layer.values[key][0]) for layer in layers]) is None:
                return False
        return self._is_shared([layer.names[0] for layer in layers]) and all(
            self._alike([layer.branches[place].items for layer in layers]) for place in range(len(first.branches))
        )

    def _is_shared(self, names: Sequence[str | None]) -> bool:
        """Whether layers are all that share their weights, or have none."""
        if None in names:
            return not any(names)
        owners = {self.owner.get(name or "") for name in names}
        if len(owners) > 1:
            return False
        (owner,) = owners
        if owner is not None:
            return len(self.members[owner]) == len(names)
        net = self.tree.net
        layers = [net.node(name or "").layer for name in names]
        rates = {layer.share for layer in layers if isinstance(layer, DropPath)}
        return len(rates) < 2 and not any(layers[0].weights(net.operand_shapes(name or "")) for name in names[:1])

    def _one_way(self, key: str, calls: Sequence[tuple[str | None, Any]]) -> Any:
        """What says a parameter of a layer in all calls, given its nodes and what says it in each; None if none."""
        own = calls[0][1]
        if all(type(each) is type(own) and each == own for _, each in calls):
            return own
        if key == _SHAPE:
            return _opened([shape for _, shape in calls])
        net = self.tree.net
        ways = [said(net.node(name).layer, net.operand_shapes(name)[0]) for name, _ in calls if name is not None]
        return next((way for way in ways[0] if all(way in each for each in ways)), None) if ways else None

    def _around(self, row: Row) -> list[Row]:
        """The rows before and after a row that are the same in all calls, with it."""
        found, mine = [row], set(row)
        for step in (-1, 1):
            while True:
                ends = found[0] if step < 0 else found[-1]
                places = [(self.units[unit.series], unit.at + step) for unit in ends]
                if not all(0 <= at < len(units) for units, at in places):
                    break
                beside = [units[at] for units, at in places]
                if mine.intersection(beside) or self.taken.intersection(beside) or len(set(beside)) < len(beside):
                    break
                if not self._same(beside):
                    break
                found.insert(0, beside) if step < 0 else found.append(beside)
                mine.update(beside)
        return found

    # -- runs ------------------------------------------------------------------------------------------------

    def _runs(self, rows: Sequence[Row]) -> list[list[Row]]:
        """The rows as runs of which nothing but the last tensor is read outside."""
        within, ending = self._reach(rows)
        made: list[list[Row]] = []
        start = 0
        while start < len(rows):
            end, at = len(rows), start
            while at < end:
                if within[at] >= end:
                    end, at = at, start
                elif ending[at] >= end and at < end - 1:
                    end, at = at + 1, start
                else:
                    at += 1
            made += self._checked(self._trimmed(rows[start:end]))
            start = max(end, start + 1)
        for run in made:
            for row in run:
                self.taken.update(row)
                for owner in self._owners(row[0].items):
                    self.left.pop(owner, None)
        return made

    def _reach(self, rows: Sequence[Row]) -> tuple[list[float], list[float]]:
        """For each row, the last one that reads a tensor made within it, and one that reads what it ends in."""
        within, ending = [-1.0] * len(rows), [-1.0] * len(rows)
        for column in zip(*rows, strict=True):
            count, last = Counter[str](), dict[str, int]()
            for at, unit in enumerate(column):
                for item in unit.items:
                    for name in reads(item):
                        count[name] += 1
                        last[name] = at
            for at, unit in enumerate(column):
                end = result(unit.items[-1], 0)
                for name in (name for item in unit.items for name in nodes(item) if name in self.tree.used):
                    reach = inf if self.tree.used[name] > count[name] else last[name]
                    if name == end:
                        ending[at] = max(ending[at], reach)
                    elif reach > at:
                        within[at] = max(within[at], reach)
        return within, ending

    def _trimmed(self, rows: Sequence[Row]) -> list[Row]:
        """Rows without those at their ends that need not be part of what is shared."""
        start, end = 0, len(rows)
        while start < end and not self._belongs(rows[start], begins=True):
            start += 1
        while start < end and not self._belongs(rows[end - 1], begins=False):
            end -= 1
        own = rows[start:end]
        return [*own] if any(self._owners(row[0].items) for row in own) else []

    def _belongs(self, row: Row, *, begins: bool) -> bool:
        """Whether a run may begin or end with a row: it has weights, or is the same at the source. Where no source
        tells that, or its layers are of different sizes, those without weights end what is before them."""
        first = row[0]
        if any(True for _ in self._owners(first.items)):
            return True
        if first.node is None:
            return any(isinstance(item, Call) for item in first.items)
        sizes = {repr(item.values.get(_SHAPE)) for unit in row for item in unit.items if isinstance(item, Layer)}
        if self.says_all and len(sizes) == 1:
            owner = self.source_owner.get(first.node)
            return owner is not None and all(self.source_owner.get(unit.node or "") == owner for unit in row)
        return not begins and not any(True for item in first.items for _ in reads(item))

    def _owners(self, items: Sequence[Item]) -> Iterator[str]:
        return (
            self.owner[name] for item in items if isinstance(item, Layer) for name in nodes(item) if name in self.owner
        )

    def _checked(self, rows: list[Row]) -> list[list[Row]]:
        """A run that a definition says, else its parts."""
        if not rows:
            return []
        body, given = _body(rows)
        tensors = outside(body, given)
        if tensors is not None and len(tensors) <= len(TENSORS):
            return [rows]
        half = len(rows) // 2
        return [run for part in (rows[:half], rows[half:]) if half for run in self._checked(self._trimmed(part))]

    def _replace(self, runs: Sequence[list[Row]]) -> None:
        calls: dict[Series, list[tuple[int, int, Call]]] = {}
        for rows in runs:
            body, given = _body(rows)
            for layer in (item for series in all_series(body) for item in series.items if isinstance(item, Layer)):
                for key in _SIZED & layer.values.keys():
                    own = self._one_way(key, [*zip(layer.names, layer.values[key], strict=True)])
                    layer.values[key] = [own] * body.times
            one = Definition(body, given, shared=True)
            one.solution, one.tensors = Solution([], {}), outside(body, given) or []
            self.made.append(one)
            for run, (first, last) in enumerate(zip(rows[0], rows[-1], strict=True)):
                call = Call(one, [run], [given[run]])
                calls.setdefault(first.series, []).append((first.start, last.end, call))
        for series, places in calls.items():
            for start, end, call in sorted(places, key=lambda place: -place[0]):
                series.items[start:end] = [call]


def _members(net: Net) -> dict[str, list[str]]:
    """The layers that share weights, those of one set by the one that has them."""
    found: dict[str, list[str]] = {}
    for node in net:
        if node.shares is not None:
            found.setdefault(node.shares, [node.shares]).append(node.name)
    return found


def _said(layer: Layer) -> tuple[object, ...]:
    """All values of a layer that runs once, but those that there are several ways to say."""
    return tuple((name, type(own[0]), own[0]) for name, own in layer.values.items() if name not in _SIZED)


def _opened(shapes: Sequence[Any]) -> tuple[int | None, ...] | None:
    """Shapes that differ in one size as one, in which that is `?`."""
    if len({len(shape) for shape in shapes}) > 1 or any(None in shape for shape in shapes):
        return None
    sizes = [set(column) for column in zip(*shapes, strict=True)]
    one = tuple(None if len(several) > 1 else min(several) for several in sizes)
    return one if one.count(None) == 1 else None


def _body(rows: Sequence[Row]) -> tuple[Series, list[tuple[str | None, int]]]:
    """What the calls of a run have in common, and what each is given."""
    parts = [
        Series(first.series.items[first.start : last.end], 1) for first, last in zip(rows[0], rows[-1], strict=True)
    ]
    return gather_series(parts, every(parts)), [entry(part.items[0], 0) for part in parts]
