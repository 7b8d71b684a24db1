"""What comes again becomes a definition, where the text gets shorter: minimum description length, counted in tokens."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import accumulate

from netc.layers.base import LAYERS
from netc.lift.alike import EXACT, FIXED, OPEN, SPLIT, Alike, call_cost, is_unit, is_word, nodes, parting, reads
from netc.lift.express import Solution, solve
from netc.lift.optional import families
from netc.lift.scopes import Scopes
from netc.lift.vectors import (
    COLLECTED,
    Before,
    Call,
    Definition,
    Item,
    Layer,
    Loop,
    Series,
    all_series,
    entry,
    every,
    executed,
    gather_series,
    inner,
    result,
)

LONGEST = 64  # items of a definition
_TRIED = 300  # candidates that are looked at closely before the best of them is taken
_SHARE = 0.015  # of the text, that a definition has to save
_LATE = 4.0  # what it costs the reader that a unit begins after its first layers
_PART = 0.3  # and that it is a part of a branch, and not the whole
TENSORS = ("skip", "other", "third", "fourth")  # what a definition calls the tensors that it is handed
_LEAST = 4  # tokens of a block


@dataclass(slots=True, eq=False)
class Place:
    """Items of a series that a definition may stand for; `absent`, where the `repeat` at its end never runs here;
    `unit`, where it is alike to others but for optional parts, and the tensors that this is given."""

    series: Series
    start: int
    end: int
    absent: Loop | None = None
    unit: Series | None = None
    given: list[Before] = field(default_factory=list)

    @property
    def items(self) -> list[Item]:
        return self.series.items[self.start : self.end]

    def before(self) -> list[Before]:
        """What its executions are given."""
        return self.given or [entry(self.items[0], run) for run in range(self.series.times)]


@dataclass(slots=True, eq=False)
class Candidate:
    gain: float
    places: list[Place]
    body: Series
    before: list[Before]
    solution: Solution
    tensors: list[list[str]]


def define(
    whole: Series,
    used: Counter[str],
    scopes: Scopes,
    most: int = 40,
    *,
    gated: bool = True,
    optional: bool = True,
    known: Sequence[Definition] = (),
) -> tuple[list[Definition], bool]:
    """Replace what comes again by calls, in definitions that are known too, as long as that makes the text shorter;
    all definitions, and whether some have optional parts.

    Unless `gated`, none begins at a gate and goes on after it, so that squeeze and excitation stands within its unit.
    """
    made, some = [*known], False
    for _ in range(most):
        alike = Alike(used, scopes)
        pool = [*all_series(whole), *(each for one in made for each in all_series(one.body))]
        alike.branches = {id(branch) for series in pool for item in series.items for branch in _branches(item)}
        total = alike.series_cost(whole) + sum(3 + alike.series_cost(one.body) for one in made)
        least = max(_SHARE * total, 2.0)
        best: Candidate | None = None
        groups = _families(pool, alike) if optional else []
        units = [place for _, places in groups for place in places]
        alike.within = {(id(unit.series), at) for unit in units for at in range(unit.start + 1, unit.end)}
        groups += _groups(pool, alike, _SHARE * total)
        groups = [each for each in groups if gated or not _begins_at_gate(each[1][0].items)]
        best = _best(sorted(groups, key=lambda each: -each[0]), alike, least)
        if best is None:
            break
        one = Definition(best.body, best.before)
        one.solution, one.tensors = best.solution, best.tensors
        if best.places[0].unit is not None:
            some = True
            used.update(name for name in reads_of(best.body) if name in {each for each, _ in best.before})
        _replace(best.places, one)
        made.append(one)
    return made, some


def _best(groups: Sequence[tuple[float, list[Place]]], alike: Alike, least: float) -> Candidate | None:
    """The definition that saves most tokens, at least so many; but what stands in it several times is one before it."""
    best: Candidate | None = None
    for bound, places in groups[:_TRIED]:
        if bound <= (best.gain if best else least):
            break
        found = _candidate(places, alike)
        if found is not None and found.gain > (best.gain if best else least):
            best = found
    if best is None:
        return None
    for parts in _steps(best.places, [places for _, places in groups], alike):
        found = _candidate(parts, alike)
        if found is not None and found.gain > least:
            return found
    return best


def _steps(places: Sequence[Place], groups: Sequence[list[Place]], alike: Alike) -> list[list[Place]]:
    """The groups of which each of the places has several, one after the other, and little else, as a stage has units:
    those first that are most of them."""
    steps: dict[tuple[int, int], tuple[int, int]] = {}  # where items of the places begin: the place, and the item
    inside: dict[int, tuple[int, int]] = {}  # and in which of them series are
    for number, place in enumerate(places):
        for at, item in enumerate(place.items, place.start):
            steps[id(place.series), at] = number, at
            inside |= {id(series): (number, at) for each in inner(item) for series in all_series(each)}
    costs = [sum(map(alike.cost, place.items)) for place in places]
    made: list[tuple[float, list[Place]]] = []
    for parts in groups:
        begun, left = [set[int]() for _ in places], [*costs]
        for part in parts:
            number, at = inside.get(id(part.series)) or steps.get((id(part.series), part.start), (-1, 0))
            if number >= 0 and (part.series is not places[number].series or _is_within(part, places[number])):
                begun[number].add(at)
                left[number] -= sum(map(alike.cost, part.items))
        few = all(len(own) > 1 and 2 * rest < cost for own, rest, cost in zip(begun, left, costs, strict=True))
        if few and not _late(parts, alike):
            made.append((sum(left), parts))
    return [parts for _, parts in sorted(made, key=lambda each: each[0])]


def _is_within(part: Place, whole: Place) -> bool:
    """Whether what begins in a place of the same series ends there too, and is less."""
    return part.end <= whole.end and part.end - part.start < whole.end - whole.start


def reads_of(body: Series) -> Iterator[str]:
    """The tensors that a body reads by labels."""
    for item in body.items:
        yield from reads(item)


def _families(pool: Sequence[Series], alike: Alike) -> list[tuple[float, list[Place]]]:
    """Places that are alike but for optional parts, with the most that a definition for them can save."""
    made: list[tuple[float, list[Place]]] = []
    for units, bodies in families(pool, alike.branches, alike):
        places = [
            Place(unit.series, unit.start, unit.end, None, body, unit.before)
            for unit, body in zip(units, bodies, strict=True)
        ]
        costs = [sum(map(alike.cost, place.items)) for place in places]
        made.append((sum(costs) - max(costs) - len(costs), places))
    return made


def _branches(item: Item) -> Sequence[Series]:
    return item.branches if isinstance(item, Layer) else ()


def _replace(places: Sequence[Place], one: Definition) -> None:
    start = 0
    calls: list[tuple[Place, Call]] = []
    for place in places:
        runs = [*range(start, start + place.series.times)]
        start += place.series.times
        calls.append((place, Call(one, runs, [one.before[run] for run in runs])))
    for place, call in sorted(calls, key=lambda each: -each[0].start):
        place.series.items[place.start : place.end] = [call]


def _groups(pool: Sequence[Series], alike: Alike, least: float) -> list[tuple[float, list[Place]]]:
    """Places that are alike, with the most that a definition for them can save, if that is at least so much, in the
    order of that. They grow item by item, as long as there are several."""
    found: list[tuple[float, list[Place]]] = []
    seen: set[tuple[tuple[int, int, int], ...]] = set()
    costs = [[0.0, *accumulate(map(alike.cost, series.items))] for series in pool]

    def note(starts: Sequence[_Start], length: int, absent: Mapping[_Start, Loop] = {}) -> None:
        apart = [
            Place(pool[at], start, start + length - (1 if (at, start) in absent else 0), absent.get((at, start)))
            for at, start in _apart(starts, length)
        ]
        most = max(costs[at][start + length] - costs[at][start] for at, start in starts if (at, start) not in absent)
        bound = (len(apart) - 1) * (most - 1) - 4
        key = tuple((id(place.series), place.start, place.end) for place in apart)
        if len(apart) > 1 and most >= _LEAST and bound > least and key not in seen:
            seen.add(key)
            found.append((bound, apart))

    for level in (OPEN, FIXED, EXACT):
        numbers = [alike.numbers(series, level) for series in pool]
        groups = [[(at, start) for at, own in enumerate(numbers) for start in range(len(own))]]
        for length in range(LONGEST + 1):
            longer: list[list[_Start]] = []
            for starts in groups:
                if length and len(starts) > 1:
                    note(starts, length)
                by: dict[int, list[_Start]] = {}
                for at, start in starts:
                    if start + length < len(numbers[at]):
                        by.setdefault(numbers[at][start + length], []).append((at, start))
                longer += [several for several in by.values() if len(several) > 1]
                if level != EXACT and length > 1 and len(starts) > 1:
                    for several in by.values():
                        loop = _optional(pool, several[0], length, alike)
                        if loop is not None and len(several) < len(starts):
                            rows = [each for each in starts if id(pool[each[0]]) not in alike.branches]
                            bare = set(rows) - set(several)
                            if bare and len(rows) > len(bare):
                                note(rows, length + 1, dict.fromkeys(bare, loop))
            groups = longer
    return sorted(found, key=lambda each: -each[0])


_Start = tuple[int, int]  # which series of several, and a place in it


def _optional(pool: Sequence[Series], where: _Start, length: int, alike: Alike) -> Loop | None:
    """The `repeat` after so many items, if it is one of blocks, which may run not at all elsewhere."""
    at, start = where
    items = pool[at].items
    loop = items[start + length]
    if not isinstance(loop, Loop) or alike.tied(loop) or not any(map(is_unit, loop.body.items)):
        return None
    return loop if _statements(items[start : start + length]) > 1 else None


def _apart(starts: Sequence[_Start], length: int) -> list[_Start]:
    """Those of which items from so many on do not overlap, from the first on."""
    made: list[_Start] = []
    for at, start in starts:
        if not made or made[-1][0] != at or made[-1][1] + length <= start:
            made.append((at, start))
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
        parts.append(place.unit or Series(items, place.series.times))
    body = gather_series(parts, every(parts))
    before = [each for place in chosen for each in place.before()]
    if any(name is None for name, _ in before) and _may_be_absent(body.items[0]):
        return None
    statements = _statements(body.items)
    solution = solve(body, [channels for _, channels in before], max(2, statements - 1))
    if solution is None:
        return None
    tensors = outside(body, before)
    if tensors is None or len(tensors) > len(TENSORS):
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
        ends = [parting(place.series.items, at, alike.used) for at in (place.start, place.end)]
        bad += _PART * (0 < place.end - place.start < len(place.series.items) and id(place.series) in alike.branches)
        bad += SPLIT * sum((id(place.series), at) in alike.within for at in (place.start, place.end))
        bad += sum(ends) + alike.scopes.parting(place.series.items, place.start, place.end)
        split += max(ends) >= SPLIT
    if 3 * split > len(chosen):
        return None
    fresh = Alike(alike.used, alike.scopes)
    cost = fresh.series_cost(body) + 3 + 1.5 * len(formals) + 4 * len(tensors) + 3 * max(0, len(formals) - 3)
    bad += _loose_end(body) * sum(map(_goes_on, chosen)) + len(chosen) * _late(chosen, alike)
    gain = inline - calls - cost - bad - _unordered(body)
    return Candidate(gain, list(chosen), body, before, solution, tensors)


def _may_be_absent(item: Item) -> bool:
    return isinstance(item, Loop) and any(not count for _, count in item.spans)


def _begins_at_gate(items: Sequence[Item]) -> bool:
    """Whether a tensor times what comes of it stands before other items."""
    first = items[0]
    if isinstance(first, Call) and len(first.bodies()[0].items) == 1:
        (first,) = first.bodies()[0].items
    gate = isinstance(first, Layer) and first.word == "mul" and any(not branch.items for branch in first.branches)
    return gate and len(items) > 1


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


def _goes_on(place: Place) -> bool:
    """Whether the next item takes the tensor that items end in."""
    after = place.series.items[place.end : place.end + 1]
    return bool(after) and not (isinstance(after[0], Layer) and after[0].word in ("from", "output"))


def strides(item: Item, runs: Sequence[int] | None = None) -> bool:
    """Whether a layer in it makes the map smaller, in any of these executions of it, or in any at all."""
    if isinstance(item, Layer):
        own = item.values.get("stride", [])
        chosen = own if runs is None or not own else [own[run] for run in runs]
        return any(isinstance(each, int) and each > 1 for each in chosen) or any(
            strides(each, runs) for branch in item.branches for each in branch.items
        )
    if isinstance(item, Loop):
        spans = item.spans if runs is None else [item.spans[run] for run in runs]
        within = [start + each for start, count in spans for each in range(count)]
        return any(strides(each, within) for each in item.body.items)
    chosen = item.runs if runs is None else [item.runs[run] for run in runs]
    if item.definition.places is None:
        return any(strides(each, chosen) for each in item.definition.body.items)
    places = [item.definition.places[run] for run in chosen]
    return any(strides(each, [run]) for series, run in places for each in series.items)


def _statements(items: Sequence[Item]) -> int:
    """How many statements items are, words not counted."""
    count, joined = 0, False
    for item in items:
        joined = joined and is_word(item)
        if not joined:
            count += 1
            joined = isinstance(item, Layer) and item.word in LAYERS and LAYERS[item.word].trailing
        count += sum(_statements(series.items) for series in inner(item))
    return count


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


def outside(body: Series, before: Sequence[Before]) -> list[list[str]] | None:
    """The tensors that a body reads from outside, one vector over its executions each, but for the one that it is
    given; None where one is inside in some executions only, or differs between the passes of a `repeat`."""
    made: list[set[str]] = [set() for _ in range(body.times)]
    wanted: list[tuple[list[str], list[int]]] = []
    for vector, owner in _read(body, [*range(body.times)]):
        wanted.append((vector, owner))
    if not wanted:
        return []
    for run in range(body.times):
        made[run].update(executed(body, run))
    found: list[list[str]] = []
    given = [name or "" for name, _ in before]
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
        if whole not in found and any(name != own for name, own in zip(whole, given, strict=True) if name):
            found.append(whole)
    return found


def _read(series: Series, owner: list[int]) -> Iterator[tuple[list[str], list[int]]]:
    """All vectors of tensors that are read by labels, with the execution of the body that each is in."""
    for item in series.items:
        if isinstance(item, Layer):
            for branch in item.branches:
                yield from _read(branch, owner)
            for key, names in item.reads:
                if key == COLLECTED:
                    yield (
                        [name for own in names for name in own],
                        [run for own, run in zip(names, owner, strict=True) for _ in own],
                    )
                else:
                    yield names, owner
        elif isinstance(item, Loop):
            passes = [0] * item.body.times
            for run, (start, count) in enumerate(item.spans):
                passes[start : start + count] = [owner[run]] * count
            yield from _read(item.body, passes)
        else:
            for vector in item.definition.tensors:
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
