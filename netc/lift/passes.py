"""What labels say of the passes of a `repeat`: the tensor that each is given, and what is collected of all of them.

`z*` joins what `z` named in each pass. In a flat network that is a combiner that reads one tensor of each block, in
their order; and a block that reads by a label what the block before it made names it first (`x: identity`).
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
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
                        found[name] = (*found.get(name, ()), (item.names[0] or "", at))
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
    return place > 0 and _goes_on(items[place - 1])


def _goes_on(item: Item) -> bool:
    return isinstance(item, Layer) and item.word == "from"


# -- which blocks may be passes ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Passes:
    """How many of `most` blocks may be passes, whether something is collected of them, and how many labels they carry
    on."""

    most: int
    count: int
    collected: bool
    carried: int


class Labels:
    """The items of a series, all of which run once, and the labels by which they read each other."""

    def __init__(self, items: Sequence[Item], alike: Alike) -> None:
        self.items, self.alike = items, alike
        self._known: dict[tuple[int, int], Passes] = {}

    @cached_property
    def _readers(self) -> Mapping[str, Sequence[int]]:
        """The places of the items that read a tensor."""
        found: dict[str, list[int]] = {}
        for place, item in enumerate(self.items):
            for name in reads(item):
                found.setdefault(name, []).append(place)
        return found

    def tapped(self, end: int, period: int) -> bool:
        """Whether combiners after two blocks that end here read what the first of them makes."""
        made = {name for item in self.items[end - 2 * period : end] for name in nodes(item)}
        own = (name for item in self.items[end - 2 * period : end - period] for name in nodes(item))
        return any(combiner not in made for name in own for combiner, _ in self.alike.taps.get(name, ()))

    def closed(self, end: int, period: int, most: int) -> Passes:
        """How many blocks before `end` labels allow to be the passes of one `repeat`.

        What is read in all of them is made in the same pass, is the tensor that the pass is given, is what the pass
        before made (which its label carries on), or is one tensor from outside; what is read outside is what the last
        of them ends in or carries on, or is collected of all.
        """
        known = self._known.get((end, period))
        if known is None or known.most != most:
            known = self._known[end, period] = self._closed(end, period, most)
        return known

    def _closed(self, end: int, period: int, most: int) -> Passes:
        whole: set[str] = set()
        wanted: list[_Wanted] = []
        ways: list[list[_Collected]] = [[]]  # what may be collected of the block that was looked at before
        final: _Block | None = None
        for count in range(most):
            own = _Block(self.items[end - period * (count + 1) : end - period * count])
            whole |= own.made
            tapped = {name: [tap for tap in self.alike.taps.get(name, ()) if tap[0] not in whole] for name in own.made}
            if any(_is_collected(loop, own.read) for loop in _loops(own.items)):
                break  # `z*` would join what `z` named in earlier passes too
            if final is None:
                final, ends = own, tapped
                wanted = [_Wanted(name, place, given=name == own.given) for name, place in own.outside]
                continue
            if len(own.outside) != len(wanted):
                break
            pairs = zip(wanted, own.outside, strict=True)
            now = [each.narrowed(name, own.given, own.places) for each, (name, _) in pairs]
            if not all(each.name not in whole if each.same else each.is_handed for each in now):
                break
            handed = Counter(each.name for each, one in zip(wanted, now, strict=True) if not one.same)
            if any(self.alike.used[name] != own.read[name] + len(tapped[name]) + handed[name] for name in own.made):
                break
            if count == 1:
                ways = self._ends(final, ends, {each.carried for each in now if not each.same and not each.given})
            found = _collected(own.items, tapped)
            if found is None or [each.after() for each in found] not in ways:
                break
            ways, wanted = [found], now
        else:
            count = most
        if count > 1 and not self._begun(end - period * count, wanted):
            count = 0
        carried = {each.carried for each in wanted if not each.same}
        return Passes(most, count, count > 1 and bool(ways[0]), len(carried))

    def best(self, end: int, period: int, length: int) -> bool:
        """Whether blocks that end here rather than earlier, in a run of so many items, are most passes, and of these
        the ones that carry on least."""
        own = self.closed(end, period, length // period)
        for shift in range(1, min(length - period, period - 1) + 1):
            other = self.closed(end - shift, period, (length - shift) // period)
            late = _goes_on(self.items[end - shift - 1]) - _goes_on(self.items[end - 1])
            if other.count > 1 and (-other.count, other.carried + late) < (-own.count, own.carried):
                return False
        return True

    def _ends(self, final: _Block, tapped: Mapping[str, Sequence[Tap]], carried: set[int]) -> list[list[_Collected]]:
        """What may be collected of the last block, which carries on what its items at some places make: that has a
        label outside, as what the `repeat` ends in has."""
        labelled = {name for name, place in final.places.items() if place in carried}
        used = self.alike.used
        if any(
            used[name] != final.read[name] + len(tapped[name]) for name in final.made - labelled if name != final.last
        ):
            return []
        ways = []
        for without in (labelled, labelled | {final.last}):
            ways.append(_collected(final.items, {name: () if name in without else own for name, own in tapped.items()}))
        return [each for each in ways if each is not None]

    def _begun(self, start: int, wanted: Sequence[_Wanted]) -> bool:
        """Whether what passes carry on can have its label above the `repeat`: the first pass reads one tensor by each
        of these labels, which nothing reads later."""
        begun: dict[int, set[str]] = {}
        carried = [each for each in wanted if not each.same and not each.given]
        for each in carried:
            begun.setdefault(each.carried, set()).add(each.name)
        reads = Counter(each.name for each in wanted if not each.same)  # of the first pass
        firsts = {each.name for each in carried}
        one_each = all(len(names) == 1 for names in begun.values()) and len(firsts) == len(begun)
        return one_each and all(
            self.alike.used[name] == reads[name] + bisect_left(self._readers.get(name, ()), start) for name in firsts
        )


class _Block:
    """Items that may be a pass, and what labels say of them."""

    def __init__(self, items: Sequence[Item]) -> None:
        self.items = items
        self.made = {name for item in items for name in nodes(item)}
        self.read = Counter(name for item in items for name in reads(item))
        self.last, self.given = result(items[-1], 0), entry(items[0], 0)[0]
        made = ((result(item, 0), place) for place, item in enumerate(items) if not _goes_on(item))
        self.places = {name: place for name, place in made if name is not None}
        self.outside = [
            (name, place) for place, item in enumerate(items) for name in reads(item) if name not in self.made
        ]


_UNKNOWN, _NOWHERE = -1, -2


@dataclass(frozen=True, slots=True)
class _Wanted:
    """A tensor that an item of blocks reads from outside: whether it is the same for all, whether it is what each is
    given, and which item of the block before made it."""

    name: str
    place: int
    same: bool = True
    given: bool = True
    carried: int = _UNKNOWN

    @property
    def is_handed(self) -> bool:
        """Whether a pass can read it: of what is carried on, before it is made anew."""
        return self.given or self.carried >= self.place

    def narrowed(self, name: str, given: str | None, places: Mapping[str, int]) -> _Wanted:
        """With what the block before reads there, whose items make what is at `places`."""
        found = places.get(self.name, _NOWHERE)
        carried = found if self.carried in (_UNKNOWN, found) else _NOWHERE
        return _Wanted(name, self.place, self.same and name == self.name, self.given and name == given, carried)


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
    called = [f"{name} given" for name, _ in given]
    while any(name in used for name in called):
        called = [f"{name} again" for name in called]
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
