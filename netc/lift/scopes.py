"""Scopes in the names of a source: `conv2_block1_1_conv` stands in `conv`, 2, `block`, 1, 1."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from string import digits

from netc.lift.vectors import Item, Layer, Loop, executed, result

_PIECE = re.compile(r"[^\W_]+")
_INSIDE, _ACROSS = 0.5, 3.0  # what it costs to part a scope, and to take some blocks of one, or parts of several
_NESTED = 2  # parts of a name that make a scope


def parts_of(name: str) -> tuple[str, ...]:
    """The words of a name, with the numbers at their ends apart."""
    parts: list[str] = []
    for piece in _PIECE.findall(name):
        word = piece.rstrip(digits)
        parts += [part for part in (word, piece[len(word) :]) if part]
    return tuple(parts)


class Scopes:
    """The scopes of nodes, by their names at the source."""

    def __init__(self, sources: Mapping[str, str]) -> None:
        self._sources = sources
        self._known: dict[str, tuple[str, ...]] = {}

    def source(self, node: str) -> str:
        """What the source calls a node; nothing where it has no such name."""
        return self._sources.get(node, "")

    def path(self, node: str | None) -> tuple[str, ...]:
        """The parts of a node's name at the source; none where it has no such name."""
        if node is None:
            return ()
        known = self._known.get(node)
        if known is None:
            known = self._known[node] = parts_of(self.source(node))
        return known

    def common(self, one: str | None, other: str | None) -> int:
        """How many parts two names begin with in common."""
        pairs = [*zip(self.path(one), self.path(other), strict=False)]
        return next((at for at, (left, right) in enumerate(pairs) if left != right), len(pairs))

    def parting(self, items: Sequence[Item], start: int, end: int) -> float:
        """What it costs the reader that items of a series are taken as a block: scopes that begin or end within."""
        if not self._sources:
            return 0.0
        own = self.common(self._first(items[start:end]), last(items[start:end]))
        found = 0.0
        for at in (start, end):
            if 0 < at < len(items):
                found += self._cut(last(items[:at]), self._first(items[at:]), own, items, start, end)
        return found

    def _first(self, items: Sequence[Item]) -> str | None:
        """The first node; of branches, of which some have layers without such names, one that has most in common with
        the others."""
        item = items[0] if items else None
        if not isinstance(item, Layer) or not item.branches:
            return first(items)
        names = [name for branch in item.branches if (name := first(branch.items)) is not None] + item.names[:1]
        return max(names, key=lambda name: sum(self.common(name, other) for other in names if other != name))

    def _cut(
        self, before: str | None, after: str | None, own: int, items: Sequence[Item], start: int, end: int
    ) -> float:
        depth = self.common(before, after)
        if depth < _NESTED or depth < own:
            return 0.0
        if depth > own:
            return _ACROSS
        ends = [self.path(name) for name in (self._first(items[start:end]), last(items[start:end]), before, after)]
        numbers = [path[own] for path in ends if len(path) > own and path[own].isdecimal()]
        several = len(numbers) == len(ends) and numbers[0] != numbers[1]
        return _ACROSS if several else _INSIDE  # some blocks of several


def first(items: Sequence[Item]) -> str | None:
    """The first node of items, in their first execution."""
    for item in items:
        for name in _executed(item):
            return name
    return None


def _executed(item: Item) -> Sequence[str]:
    if isinstance(item, Layer):
        for branch in item.branches:
            found = first(branch.items)
            if found is not None:
                return (found,)
        return tuple(name for name in item.names[:1] if name is not None)
    if isinstance(item, Loop):
        found = first(item.body.items) if item.body.items else None
        return () if found is None else (found,)
    return tuple(name for _, name in zip(range(1), executed(*item.definition.at(item.runs[0])), strict=False))


def last(items: Sequence[Item]) -> str | None:
    """The last node of items, in their first execution."""
    for item in reversed(items):
        name = None if isinstance(item, Layer) and item.word == "from" else result(item, 0)
        if name is not None:
            return name
    return None
