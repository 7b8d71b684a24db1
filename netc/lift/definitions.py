"""What comes again becomes a definition, where the text gets shorter: minimum description length, counted in tokens."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from netc.layers.base import LAYERS
from netc.lift.alike import EXACT, FIXED, OPEN, SPLIT, Alike, call_cost, is_unit, is_word, nodes, parting, reads
from netc.lift.express import Solution, solve
from netc.lift.scopes import Scopes
from netc.lift.vectors import (
    Call,
    Definition,
    Item,
    Layer,
    Loop,
    Series,
    all_series,
    every,
    executed,
    gather_series,
    inner,
    result,
)

LONGEST = 24  # items of a definition
_TRIED = 60  # candidates that are looked at closely before the best of them is taken
_SHARE = 0.015  # of the text, that a definition has to save
_LATE = 4.0
_MODULUS = (1 << 61) - 1


@dataclass(slots=True, eq=False)
class Place:
    """Items of a series that a definition may stand for; `absent`, where the `repeat` at its end never runs here."""

    series: Series
    start: int
    end: int
    absent: Loop | None = None

    @property
    def items(self) -> list[Item]:
        return self.series.items[self.start : self.end]


@dataclass(slots=True, eq=False)
class Candidate:
    gain: float
    places: list[Place]
    body: Series
    entry: list[int]
    solution: Solution
    tensors: list[list[str]]


def define(whole: Series, used: Counter[str], scopes: Scopes, most: int = 40) -> list[Definition]:
    """Replace what comes again by calls, as long as that makes the text shorter; the definitions."""
    made: list[Definition] = []
    for _ in range(most):
        alike = Alike(used, scopes)
        pool = [*all_series(whole), *(each for one in made for each in all_series(one.body))]
        total = alike.series_cost(whole) + sum(3 + alike.series_cost(one.body) for one in made)
        best: Candidate | None = None
        for tried, (bound, places) in enumerate(_groups(pool, alike)):
            if tried >= _TRIED or bound <= max(_SHARE * total, best.gain if best else 0):
                break
            found = _candidate(places, alike)
            if found is not None and found.gain > (best.gain if best else max(_SHARE * total, 2.0)):
                best = found
        if best is None:
            break
        one = Definition(best.body, best.entry)
        one.extra["solution"], one.extra["tensors"] = best.solution, best.tensors
        _replace(best.places, one)
        made.append(one)
    return made


def _replace(places: Sequence[Place], one: Definition) -> None:
    start = 0
    calls: list[tuple[Place, Call]] = []
    for place in places:
        runs = [*range(start, start + place.series.times)]
        start += place.series.times
        calls.append((place, Call(one, runs, [one.channels[run] for run in runs])))
    for place, call in sorted(calls, key=lambda each: -each[0].start):
        place.series.items[place.start : place.end] = [call]


def _groups(pool: Sequence[Series], alike: Alike) -> list[tuple[float, list[Place]]]:
    """Places that are alike, with the most that a definition for them can save, in the order of that."""
    by: dict[tuple[int, int, int], list[Place]] = {}
    for series in pool:
        costs = [alike.cost(item) for item in series.items]
        for level in (OPEN, FIXED, EXACT):
            numbers = alike.numbers(series, level)
            for start in range(len(numbers)):
                hashed, cost = 0, 0.0
                for end in range(start + 1, min(start + LONGEST, len(numbers)) + 1):
                    hashed = (hashed * 1_000_003 + numbers[end - 1]) % _MODULUS
                    cost += costs[end - 1]
                    if cost >= 4:
                        by.setdefault((level, end - start, hashed), []).append(Place(series, start, end))
    found: list[tuple[float, list[Place]]] = []
    seen: set[tuple[tuple[int, int, int], ...]] = set()

    def note(places: list[Place]) -> None:
        key = tuple((id(place.series), place.start, place.end) for place in places)
        if len(places) > 1 and key not in seen:
            seen.add(key)
            cost = max(sum(map(alike.cost, place.items)) for place in places[:3])
            found.append(((len(places) - 1) * (cost - 1) - 4, places))

    for places in by.values():
        if len(places) > 1:
            note(_apart(places))
    for (level, length, _), places in by.items():
        last = places[0].items[-1]
        if level == EXACT or length < 2 or not isinstance(last, Loop) or alike.tied(last):
            continue
        if not any(map(is_unit, last.body.items)) or sum(map(_statements, places[0].items[:-1])) < 2:
            continue
        number = alike.number(last, level)
        short = 0
        for item in places[0].items[:-1]:
            short = (short * 1_000_003 + alike.number(item, level)) % _MODULUS
        bare = [
            Place(place.series, place.start, place.end, last)
            for place in by.get((level, length - 1, short), ())
            if place.end == len(place.series.items) or alike.number(place.series.items[place.end], level) != number
        ]
        if bare:
            note(_apart(sorted([*places, *bare], key=lambda place: (id(place.series), place.start))))
    return sorted(found, key=lambda each: -each[0])


def _apart(places: Sequence[Place]) -> list[Place]:
    """Those that do not overlap, from the first on."""
    made: list[Place] = []
    for place in places:
        if not made or made[-1].series is not place.series or made[-1].end <= place.start:
            made.append(place)
    return made


def _candidate(places: Sequence[Place], alike: Alike) -> Candidate | None:
    """A definition for these places, or None where there is none."""
    chosen = _outermost([place for place in places if _stands_alone(place, alike)])
    if len(chosen) < 2:
        return None
    parts = []
    for place in chosen:
        items = place.items
        if place.absent is not None:
            items = [*items, Loop(Series([], 0), [(0, 0)] * place.series.times)]
        parts.append(Series(items, place.series.times))
    body = gather_series(parts, every(parts))
    first = [_entry(place.items[0], run) for place in chosen for run in range(place.series.times)]
    statements = sum(_statements(item) for item in body.items)
    solution = solve(body, first, max(2, statements - 1))
    if solution is None:
        return None
    tensors = outside(body)
    if tensors is None or len(tensors) > 3:
        return None
    formals = solution.formals
    if (len(chosen) - 1) * statements <= len(chosen):
        return None
    inline = calls = bad = 0.0
    start = split = 0
    for place in chosen:
        runs = [*range(start, start + place.series.times)]
        start += place.series.times
        inline += sum(map(alike.cost, place.items))
        calls += 1.0 + sum(call_cost(formal, runs) for formal in formals) + len(tensors)
        ends = [parting(place.series.items, at) for at in (place.start, place.end)]
        bad += sum(ends) + alike.scopes.parting(place.series.items, place.start, place.end)
        split += max(ends) >= SPLIT
    if 3 * split > len(chosen):
        return None
    fresh = Alike(alike.used, alike.scopes)
    cost = fresh.series_cost(body) + 3 + 1.5 * len(formals) + 4 * len(tensors) + 3 * max(0, len(formals) - 3)
    bad += len(chosen) * (_loose_end(body) + _late(chosen, alike))
    gain = inline - calls - cost - bad - _unordered(body)
    return Candidate(gain, list(chosen), body, first, solution, tensors)


def _unordered(body: Series) -> float:
    """What it costs the reader that a block makes the map smaller which is not the first."""
    units = [item for item in body.items if is_unit(item)]
    if len(units) < 2:
        return 0.0
    return 6.0 * sum(strides(item) and not strides(units[0]) for item in units[1:])


def _outermost(places: Sequence[Place]) -> list[Place]:
    """Those that are not in others."""
    within = {
        id(series) for place in places for item in place.items for each in inner(item) for series in all_series(each)
    }
    return [place for place in places if id(place.series) not in within]


def _late(places: Sequence[Place], alike: Alike) -> float:
    """What it costs the reader that most places, but not all, have the same before them: the unit begins there."""
    ends = {(id(place.series), place.end) for place in places}
    before = Counter(
        alike.number(place.series.items[place.start - 1], FIXED)
        if place.start and (id(place.series), place.start) not in ends
        else 0
        for place in places
    )
    number, count = before.most_common(1)[0]
    return _LATE if number and 0.6 * len(places) <= count < len(places) else 0.0


def _loose_end(body: Series) -> float:
    """What it costs the reader that a block ends in a normalisation that begins the next unit."""
    items = body.items
    at = len(items)
    while at and isinstance(items[at - 1], Layer) and is_word(items[at - 1]):
        at -= 1
    tail = items[at:]
    first = tail[0] if tail else None
    norm = isinstance(first, Layer) and LAYERS[first.word].family == "norm"
    return 3.0 if norm and at and is_unit(items[at - 1]) else 0.0


def strides(item: Item) -> bool:
    """Whether a layer in it makes the map smaller, in any execution."""
    if isinstance(item, Layer):
        own = item.values.get("stride", [])
        return any(isinstance(each, int) and each > 1 for each in own) or any(
            strides(each) for branch in item.branches for each in branch.items
        )
    bodies = [item.body] if isinstance(item, Loop) else item.definition.bodies()
    return any(strides(each) for body in bodies for each in body.items)


def _statements(item: Item) -> int:
    """How many statements an item has, words not counted."""
    own = 0 if is_word(item) else 1
    return own + sum(_statements(each) for series in inner(item) for each in series.items)


def _entry(item: Item, run: int) -> int:
    """The channels of the tensor that an item is given."""
    while isinstance(item, Loop):
        start, count = item.spans[run]
        if not count:
            return 0
        item, run = item.body.items[0], start
    return item.channels[run]


def _stands_alone(place: Place, alike: Alike) -> bool:
    """Whether no label inside is read from outside, but that of the last tensor."""
    items = place.items
    if any(isinstance(item, Layer) and item.word in ("output", "input") for item in items):
        return False
    if not any(map(alike.tied, items)):
        return True
    made = {name for item in items for name in nodes(item) if name in alike.used}
    read = Counter(name for item in items for name in reads(item))
    last = {result(items[-1], run) for run in range(place.series.times)}
    return all(alike.used[name] == read[name] or name in last for name in made)


def outside(body: Series) -> list[list[str]] | None:
    """The tensors that a body reads from outside, one vector over its executions each; None where one is inside in
    some executions only, or differs between the passes of a `repeat`."""
    made: list[set[str]] = [set() for _ in range(body.times)]
    wanted: list[tuple[list[str], list[int]]] = []
    for vector, owner in _read(body, [*range(body.times)]):
        wanted.append((vector, owner))
    if not wanted:
        return []
    for run in range(body.times):
        made[run].update(executed(body, run))
    found: list[list[str]] = []
    for vector, owner in wanted:
        within = [name in made[run] for name, run in zip(vector, owner, strict=True)]
        if all(within):
            continue
        if any(within):
            return None
        by: dict[int, str] = {}
        if any(by.setdefault(run, name) != name for name, run in zip(vector, owner, strict=True)):
            return None
        whole = [by.get(run, "") for run in range(body.times)]
        if whole not in found:
            found.append(whole)
    return found


def _read(series: Series, owner: list[int]) -> Iterator[tuple[list[str], list[int]]]:
    """All vectors of tensors that are read by labels, with the execution of the body that each is in."""
    for item in series.items:
        if isinstance(item, Layer):
            for branch in item.branches:
                yield from _read(branch, owner)
            for _, names in item.reads:
                yield names, owner
        elif isinstance(item, Loop):
            passes = [0] * item.body.times
            for run, (start, count) in enumerate(item.spans):
                passes[start : start + count] = [owner[run]] * count
            yield from _read(item.body, passes)
        else:
            for vector in item.definition.extra["tensors"]:
                yield [vector[run] for run in item.runs], owner


def plain(series: Series) -> Series:
    """A series without the `repeat`s of a single pass."""
    items: list[Item] = []
    for item in series.items:
        if isinstance(item, Layer):
            items.append(replace(item, branches=[plain(branch) for branch in item.branches]))
        elif isinstance(item, Loop) and all(count == 1 for _, count in item.spans):
            body = gather_series([item.body], [(0, start) for start, _ in item.spans])
            items += plain(body).items
        elif isinstance(item, Loop):
            items.append(Loop(plain(item.body), item.spans))
        else:
            items.append(item)
    return Series(items, series.times)
