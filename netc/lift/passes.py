"""What labels say of the passes of a `repeat`: the tensor that each is given, and what is collected of all of them.

`z*` joins what `z` named in each pass. In a flat network that is a combiner that reads one tensor of each block, in
their order; and a block that reads by a label what the block before it made names it first (`x: identity`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from netc.layers.base import LAYERS
from netc.lift.alike import Alike, Tap, nodes, reads
from netc.lift.vectors import COLLECTED, Item, Layer, Loop, Series, all_series, entry, inner, result

# -- before blocks are folded --------------------------------------------------------------------------------


def taps(whole: Series) -> dict[str, tuple[Tap, ...]]:
    """By which combiners that take any number of tensors, and as which operands, tensors are read by labels."""
    found: dict[str, tuple[Tap, ...]] = {}
    for series in all_series(whole):
        for place, item in enumerate(series.items):
            if _joins(item):
                assert isinstance(item, Layer)
                for at, name in enumerate(_operands(item)):
                    if at or _comes_from(series.items, place):
                        found[name] = (*found.get(name, ()), (id(item), at))
    return found


def _joins(item: Item) -> bool:
    """Whether it is a combiner that takes any number of tensors, and reads them by labels."""
    if not isinstance(item, Layer) or item.branches or not item.reads or item.word not in LAYERS:
        return False
    return LAYERS[item.word].operands[1] is None and not any(key for key, _ in item.reads)


def _operands(item: Layer) -> list[str]:
    """All that the first execution of a combiner joins."""
    first = item.before[0][0]
    assert first is not None
    return [first, *(names[0] for _, names in item.reads)]


def _comes_from(items: Sequence[Item], place: int) -> bool:
    """Whether the current tensor of an item is one that is read by its label."""
    before = items[place - 1] if place else None
    return isinstance(before, Layer) and before.word == "from"


# -- which blocks may be passes ------------------------------------------------------------------------------


def closed(items: Sequence[Item], end: int, period: int, most: int, alike: Alike) -> tuple[int, bool]:
    """How many blocks before `end` labels allow to be the passes of one `repeat`, all of which run once; and whether
    something is collected of them.

    What is read in all of them is made in the same pass, is the tensor that the pass is given, or is one tensor from
    outside; what is read outside is what the last of them ends in, or is collected of all.
    """
    within: set[int] = set()
    whole: set[str] = set()
    wanted: list[_Wanted] = []
    collected: list[list[_Collected]] = [[]]  # in one of several ways
    for count in range(most):
        own = items[end - period * (count + 1) : end - period * count]
        within.update(map(id, _layers(own)))
        made = {name for item in own for name in nodes(item)}
        whole |= made
        read = Counter(name for item in own for name in reads(item))
        last, given = result(own[-1], 0), entry(own[0], 0)[0]
        outside = [name for item in own for name in reads(item) if name not in made]
        known = wanted if count else [_Wanted(name) for name in outside]
        if len(outside) != len(known) or any(_is_collected(loop, read) for loop in _loops(own)):
            break  # in the second case `z*` would join what `z` named in earlier passes too
        wanted = [each.narrowed(name, given) for each, name in zip(known, outside, strict=True)]
        if not all((each.same and each.name not in whole) or each.given for each in wanted):
            break
        handed = sum(each.given for each in wanted) if count else 0  # what the next pass reads of its first tensor
        tapped = {name: [tap for tap in alike.taps.get(name, ()) if tap[0] not in within] for name in made}
        expected = {name: read[name] + len(tapped[name]) + handed * (name == last) for name in made}
        if any(alike.used[name] != expected[name] and (count or name != last) for name in made):
            break
        ways = [_collected(own, tapped)]
        if not count and last is not None and tapped.pop(last, []):  # what a `repeat` ends in has a label outside too
            ways.append(_collected(own, tapped))
        found = [each for each in ways if each is not None]
        if count:
            found = [each for each in found if [one.after() for one in each] in collected]
        if not found:
            break
        collected = found
    else:
        count = most
    return count, bool(collected[0])


@dataclass(frozen=True, slots=True)
class _Wanted:
    """A tensor that blocks read from outside: whether it is the same for all, whether it is what each is given."""

    name: str
    same: bool = True
    given: bool = True

    def narrowed(self, name: str, given: str | None) -> _Wanted:
        """With what one more block reads there."""
        return _Wanted(name, self.same and name == self.name, self.given and name == given)


@dataclass(frozen=True, slots=True)
class _Collected:
    """What combiners read of all executions of the item at a place: as which operands, and of how many executions."""

    place: int
    taps: tuple[Tap, ...]
    times: int

    def after(self) -> _Collected:
        """The same of the next block."""
        return _Collected(self.place, _after(self.taps, self.times), self.times)


def _after(taps: Sequence[Tap], times: int = 1) -> tuple[Tap, ...]:
    return tuple((combiner, place + times) for combiner, place in taps)


def _collected(items: Sequence[Item], tapped: Mapping[str, Sequence[Tap]]) -> list[_Collected] | None:
    """What combiners outside of a block read of it; None where they read some executions of an item and not others."""
    found: list[_Collected] = []
    missing = {name for name, own in tapped.items() if own}
    for place, names in enumerate(_results(items, 1)):
        marks = [tuple(tapped.get(name or "", ())) for name in names]
        rows = all(_after(one) == other for one, other in pairwise(marks))
        if marks and all(marks) and rows and missing.intersection(names):
            missing.difference_update(names)
            found.append(_Collected(place, marks[0], len(marks)))
    return None if missing else found


def _results(items: Sequence[Item], times: int) -> Iterator[list[str | None]]:
    """What each item makes in its executions, outer ones first."""
    for item in items:
        yield [result(item, run) for run in range(times)]
        for each in inner(item):
            yield from _results(each.items, each.times)


def _layers(items: Sequence[Item]) -> Iterator[Layer]:
    for item in items:
        if isinstance(item, Layer):
            yield item
        for each in inner(item):
            yield from _layers(each.items)


def _loops(items: Sequence[Item]) -> Iterator[Loop]:
    for item in items:
        if isinstance(item, Loop):
            yield item
        for each in inner(item):
            yield from _loops(each.items)


def _is_collected(loop: Loop, read: Mapping[str, int]) -> bool:
    """Whether what is made in the passes of a `repeat` is read after it, of which `read` counts the reads."""
    within = Counter(reads(loop))
    ends = {result(loop, run) for run in range(len(loop.spans))}
    return any(read[name] > within[name] for name in nodes(loop) if name in read and name not in ends)


# -- after they are folded -----------------------------------------------------------------------------------


def name_given(loop: Loop, used: Counter[str]) -> None:
    """Let each pass name the tensor that it is given, where something in it reads that by a label.

    That tensor has another name then, which no node has, so that what is read in a pass is made in the same pass.
    """
    first = loop.body.items[0]
    given = [entry(first, run) for run in range(loop.body.times)]
    called = [f"{name} given {id(loop)}" for name, _ in given]
    changed = False
    for layer, owner in _owned(loop.body, [*range(loop.body.times)]):
        for _, names in layer.reads:
            same = all(name == given[run][0] for name, run in zip(names, owner, strict=True))
            if same and len(set(names)) > 1:
                changed = True
                used.subtract(names)
                names[:] = [called[run] for run in owner]
                used.update(names)
    if changed:
        loop.body.items.insert(0, Layer("identity", {}, [], [*called], given, []))
        for name, _ in given:
            if name is not None and not used[name]:
                del used[name]


def _owned(series: Series, owner: list[int]) -> Iterator[tuple[Layer, list[int]]]:
    """The layers of a series, each with the execution of the whole that each of its executions is in."""
    for item in series.items:
        if isinstance(item, Layer):
            yield item, owner
            for branch in item.branches:
                yield from _owned(branch, owner)
        elif isinstance(item, Loop):
            passes = [0] * item.body.times
            for run, (start, count) in enumerate(item.spans):
                passes[start : start + count] = [owner[run]] * count
            yield from _owned(item.body, passes)


def collect(whole: Series, used: Counter[str]) -> int:
    """Let combiners read what they join of all passes as such, after blocks were folded; how many do."""
    count = 0
    several: dict[str, list[tuple[str, ...]]] = {}
    for loop in _loops(whole.items):
        for results in _results(loop.body.items, loop.body.times):
            names = tuple(name or "" for name in results)
            if len(names) > 1 and names[0] in used:
                several.setdefault(names[0], []).append(names)
    for series in all_series(whole):
        if series.times == 1:
            for place in range(len(series.items) - 1, -1, -1):
                item = series.items[place]
                if _joins(item):
                    assert isinstance(item, Layer)
                    count += _collect(series, place, item, several, used)
    return count


def _collect(
    series: Series, place: int, item: Layer, several: Mapping[str, list[tuple[str, ...]]], used: Counter[str]
) -> bool:
    operands = _operands(item)
    found: list[tuple[str, list[Any]]] = []
    at = 0
    while at < len(operands):
        fitting = [each for each in several.get(operands[at], ()) if (*operands[at : at + len(each)],) == each]
        if fitting:
            names = max(fitting, key=len)
            found.append((COLLECTED, [names]))
            at += len(names)
        else:
            found.append(("", [operands[at]]))
            at += 1
    if len(found) == len(operands):
        return False
    item.reads = found
    if _comes_from(series.items, place):
        del series.items[place - 1]
    else:
        used[operands[0]] += 1
    return True
