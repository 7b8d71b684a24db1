"""Units that are alike but for parts that some of them have: an expansion, a gate, a shortcut.

The unit of a family is a branch beside which nothing stands (`add { | identity | ... }`). Units of the family that have
no shortcut stand in a row among other layers: they end where the branch does, in its last layer with weights, and go
back as far as they are in its order. Parts are statements, whose activations may differ.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from netc.layers.base import LAYERS
from netc.lift.alike import OPEN, Alike, is_unit, is_word
from netc.lift.vectors import Before, Item, Layer, Loop, Series

_LEAST = 3  # statements of a unit
_MORE = 2  # statements that units may have beside those of the longest branch
_SHARE = 0.6  # of the statements of the shorter of two units that both have

Key = tuple[object, ...]


@dataclass(slots=True, eq=False)
class Unit:
    """A part of a series that is a unit of a family, and its statements; `skip`, the sum in which it is a branch."""

    series: Series
    start: int
    end: int
    phrases: list[list[Item]]
    keys: list[Key]
    skip: Layer | None = None
    slots: list[int] = field(default_factory=list)  # which of the family's statements each of its own is

    @property
    def before(self) -> list[Before]:
        """What its executions are given."""
        first = self.skip or self.phrases[0][0]
        assert isinstance(first, Layer)
        return first.before


def families(pool: Sequence[Series], branches: set[int], alike: Alike) -> Iterator[tuple[list[Unit], list[Series]]]:
    """Units that are alike but for optional parts, each with its statements as a series in which such a part is a
    `repeat` that runs once or not at all."""
    residual = [unit for series in pool for unit in _residuals(series, alike)]
    residual.sort(key=lambda unit: -len(unit.keys))
    rows = [_Row(series, alike) for series in pool if id(series) not in branches]
    while residual and len(residual[0].keys) >= _LEAST:
        whole = residual[0].keys
        own, others = list[Unit](), list[Unit]()
        for unit in residual:
            (own if _close(unit.keys, whole) else others).append(unit)
        residual = others
        if not any(map(_is_weighted, whole)):
            continue
        end = max(at for at, key in enumerate(whole) if _is_weighted(key))
        longest = len(whole) + _MORE
        seen = Counter(keys for row in rows for keys in row.beginning(whole[0], whole[end]))
        for keys in [*(tuple(unit.keys) for unit in own), *(keys for keys, count in seen.items() if count > 1)]:
            joined = _joined(whole, keys)
            if len(joined) <= longest and _close(keys, whole):
                whole = joined
        end = max(at for at, key in enumerate(whole) if _is_weighted(key))
        units = [unit for unit in own if _placed(unit, whole)]
        units += [unit for row in rows for unit in row.units(whole, end) if 2 * len(unit.keys) >= len(whole)]
        made = _aligned(units, len(whole))
        if len(units) > 1 and made is not None:
            yield units, made


# -- statements ----------------------------------------------------------------------------------------------


def _phrases(items: Sequence[Item]) -> list[list[Item]]:
    """Layers with the words after them, and other items."""
    made: list[list[Item]] = []
    for item in items:
        if made and is_word(item) and isinstance(made[-1][0], Layer) and not made[-1][0].branches:
            made[-1].append(item)
        else:
            made.append([item])
    return made


def _key(phrase: Sequence[Item], alike: Alike) -> Key:
    """Equal for statements that may be one: activations, and sizes of windows of more than a pixel, are left open."""
    head = phrase[0]
    if any(map(alike.tied, phrase)):
        return ("tied", id(head))
    words = ["act" if _is_act(item) else alike.number(item, OPEN) for item in phrase[1:]]
    if not isinstance(head, Layer):
        return ("call", alike.number(head, OPEN), *words)
    pixel = all(own == 1 for own in head.values["kernel"]) if "kernel" in head.values else None
    return (head.word, alike.number(head, OPEN), pixel, *words)


def _is_act(item: Item) -> bool:
    return isinstance(item, Layer) and LAYERS[item.word].family == "activation" and not item.values


def _is_weighted(key: Key) -> bool:
    return isinstance(key[0], str) and key[0] in LAYERS and LAYERS[key[0]].weighted


def _residuals(series: Series, alike: Alike) -> Iterator[Unit]:
    for at, item in enumerate(series.items):
        if not isinstance(item, Layer) or item.word != "add" or len(item.branches) != 2 or item.reads:
            continue
        full = [branch for branch in item.branches if branch.items]
        if len(full) == 1 and not any(name in alike.used for name in item.names):
            phrases = _phrases(full[0].items)
            yield Unit(series, at, at + 1, phrases, [_key(phrase, alike) for phrase in phrases], item)


class _Row:
    """A series as statements, in which units may stand."""

    def __init__(self, series: Series, alike: Alike) -> None:
        self.series = series
        self.phrases = _phrases(series.items)
        self.keys = [_key(phrase, alike) for phrase in self.phrases]
        self._at = [0]
        for phrase in self.phrases:
            self._at.append(self._at[-1] + len(phrase))

    def beginning(self, first: Key, last: Key) -> Iterator[tuple[Key, ...]]:
        """The statements from one that units begin with to the next one that they end in."""
        start: int | None = None
        for at, key in enumerate(self.keys):
            if key == first:
                start = at
            if key == last and start is not None:
                yield tuple(self.keys[start : at + 1])
            if key == last or (is_unit(self.phrases[at][0]) and key[0] != "mul"):
                start = None

    def units(self, whole: Sequence[Key], end: int) -> Iterator[Unit]:
        """Units that end as a family does."""
        free = 0
        for at, key in enumerate(self.keys):
            if key != whole[end]:
                continue
            start, slots = at, [end]
            while start > free and (slot := _before(whole, slots[0], self.keys[start - 1])) is not None:
                start, slots = start - 1, [slot, *slots]
            phrases, keys = self.phrases[start : at + 1], self.keys[start : at + 1]
            if isinstance(phrases[0][0], Layer):
                yield Unit(self.series, self._at[start], self._at[at + 1], phrases, keys, None, slots)
                free = at + 1


def _before(whole: Sequence[Key], slot: int, key: Key) -> int | None:
    return next((at for at in range(slot - 1, -1, -1) if whole[at] == key), None)


# -- families ------------------------------------------------------------------------------------------------


def _common(one: Sequence[Key], other: Sequence[Key]) -> list[tuple[int, int]]:
    """The places of the longest sequence that two have in common."""
    best = [[0] * (len(other) + 1) for _ in range(len(one) + 1)]
    for i in range(len(one) - 1, -1, -1):
        for j in range(len(other) - 1, -1, -1):
            best[i][j] = best[i + 1][j + 1] + 1 if one[i] == other[j] else max(best[i + 1][j], best[i][j + 1])
    found, i, j = list[tuple[int, int]](), 0, 0
    while i < len(one) and j < len(other):
        if one[i] == other[j]:
            found.append((i, j))
            i, j = i + 1, j + 1
        elif best[i + 1][j] >= best[i][j + 1]:
            i += 1
        else:
            j += 1
    return found


def _close(one: Sequence[Key], other: Sequence[Key]) -> bool:
    return len(_common(one, other)) >= max(2, _SHARE * min(len(one), len(other)))


def _joined(one: Sequence[Key], other: Sequence[Key]) -> list[Key]:
    """The shortest sequence of which both are parts."""
    made: list[Key] = []
    i = j = 0
    for at, place in [*_common(one, other), (len(one), len(other))]:
        made += [*one[i:at], *other[j:place]]
        made += one[at : at + 1]
        i, j = at + 1, place + 1
    return made


def _placed(unit: Unit, whole: Sequence[Key]) -> bool:
    """Note which of a family's statements those of a unit are, if it has no others."""
    found = _common(unit.keys, whole)
    unit.slots = [slot for _, slot in found]
    return len(found) == len(unit.keys)


def _aligned(units: Sequence[Unit], count: int) -> list[Series] | None:
    """Units as series that are alike; None where all have all parts, or all have different ones."""
    has = [frozenset(unit.slots) for unit in units]
    presence = [tuple(slot in own for own in has) for slot in range(count)]
    skips = tuple(unit.skip is not None for unit in units)
    sides = {_identity_first(unit.skip) for unit in units if unit.skip is not None}
    if len(sides) != 1 or not any(all(each) for each in presence) or all(map(all, [*presence, skips])):
        return None
    parts = [slot for slot in range(count) if any(presence[slot])]
    if any(skips):
        presence.append(skips)
        parts.append(count)
    runs: list[list[int]] = []  # what is there in the same units stands in one `if`
    for part in parts:
        if runs and presence[part] == presence[runs[-1][0]] and not all(presence[part]):
            runs[-1].append(part)
        else:
            runs.append([part])
    made: list[Series] = []
    for unit in units:
        by: dict[int, Sequence[Item]] = dict(zip(unit.slots, unit.phrases, strict=True))
        if unit.skip is not None:
            by[count] = [_sum(unit.skip)]
        items: list[Item] = []
        for run in runs:
            own = [item for part in run for item in by.get(part, ())]
            items += own if all(presence[run[0]]) else [_optional(own, unit.series.times)]
        made.append(Series(items, unit.series.times))
    return made


def _optional(items: list[Item], times: int) -> Loop:
    if not items:
        return Loop(Series([], 0), [(0, 0)] * times)
    return Loop(Series(items, times), [(run, 1) for run in range(times)])


def _identity_first(skip: Layer) -> bool:
    return not skip.branches[0].items


def _sum(skip: Layer) -> Layer:
    """The sum with what its unit was given, as it stands after that."""
    times = len(skip.before)
    names = [name or "" for name, _ in skip.before]
    given = Series([Layer("from", {}, [("", names)], [None] * times, [*skip.before], [])], times)
    branches = [given, Series([], times)] if _identity_first(skip) else [Series([], times), given]
    return Layer("add", skip.values, [], skip.names, [*skip.before], branches)
