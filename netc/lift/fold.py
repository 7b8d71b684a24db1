"""Equal blocks in a row become a `repeat`."""

from __future__ import annotations

from collections.abc import Sequence

from netc.analysis.repetition import Runs
from netc.lift.alike import COUNTED, Alike, is_unit, parting
from netc.lift.express import columns, is_said
from netc.lift.passes import Labels, name_given
from netc.lift.vectors import Item, Loop, Series, all_series, gather, inner

LONGEST = 120  # items of a block


def fold(whole: Series, alike: Alike) -> bool:
    """Fold the runs of equal blocks in a series and in all inside it, inner ones first; whether there were any."""
    changed = False
    for item in whole.items:
        own = False
        for each in inner(item):
            own |= fold(each, alike)
        if own:
            alike.drop(item)
            changed = True
    if alike.taps and whole.times == 1:
        changed = _runs(whole, alike, LONGEST, collected=True) or changed
    for longest in (1, 2, 3, LONGEST):  # short blocks first: 12, 24 and 16 units are no 4, and twice 8 and 16
        changed = _runs(whole, alike, longest) or changed
    return changed


def _runs(series: Series, alike: Alike, longest: int, *, collected: bool = False) -> bool:
    """Fold the runs of blocks of so many items at most; only those of which something is `collected`."""
    items = series.items
    if len(items) < 2:
        return False
    runs = Runs([alike.number(item, COUNTED) for item in items])
    labels = Labels(items, alike)
    made: list[Item] = []
    end, changed = len(items), False
    while end:
        best: tuple[float, int, int] | None = None
        for period, length in runs.ending(end):
            if period > longest:
                continue
            most = length // period
            tied = any(map(alike.tied, items[end - period * most : end]))
            count, taken = (most, False) if not tied else (0, False)
            if tied and series.times == 1:
                passes = labels.closed(end, period, most)
                count, taken = passes.count, passes.collected
                if count > 1 and passes.carried and not labels.best(end, period, length):
                    count = 1
            if collected and not taken:
                continue
            weight = sum(alike.cost(item) for item in items[end - period : end])
            saved = weight * (count - 1) - 2
            if count < 2 or saved <= 0:
                continue
            spare = min(length - period * count, period - 1)
            quality = {shift: _phase(items, end - shift, period, count, alike) for shift in range(spare + 1)}
            if min(quality.values()) < quality[0]:
                saved, count = 0, 1  # blocks that end earlier read better
            if best is not None and (collected or saved <= best[0]):
                continue
            if count > 1 and _counts(_loop(items[end - period * count : end], period, count, series.times)):
                best = (saved, period, count)
        if best is None or best[2] < 2:
            made.append(items[end - 1])
            end -= 1
            continue
        _, period, count = best
        start = end - period * count
        made.append(_loop(items[start:end], period, count, series.times))
        body = made[-1]
        assert isinstance(body, Loop)
        if series.times == 1:
            name_given(body, alike.used)
        fold(body.body, alike)
        end, changed = start, True
    if changed:
        series.items = made[::-1]
    return changed


def _counts(loop: Loop) -> bool:
    """Whether what differs between the passes is said by their numbers."""
    return all(is_said(column, loop.body.times) for column in columns(Series([loop], len(loop.spans))))


def _phase(items: Sequence[Item], end: int, period: int, count: int, alike: Alike) -> float:
    """How badly blocks read that end here: less is better."""
    start = end - period * count
    bad = parting(items, end) + parting(items, start) + parting(items, end - period)
    bad += alike.scopes.parting(items, end - period, end)
    merges = is_unit(items[end - 1]) or (end > 1 and not is_unit(items[end - 1]) and is_unit(items[end - 2]))
    return bad - 0.5 * merges


def _loop(items: Sequence[Item], period: int, count: int, times: int) -> Loop:
    """One item for equal blocks, the passes of each execution one after the other."""
    picks = [(at, run) for run in range(times) for at in range(count)]
    body = [gather([items[place + period * at] for at in range(count)], picks) for place in range(period)]
    return Loop(Series(body, len(picks)), [(run * count, count) for run in range(times)])


def wrap(whole: Series, alike: Alike) -> None:
    """Single copies of what is repeated elsewhere become a `repeat` of one pass, so that the two are alike."""
    bodies: dict[tuple[int, ...], int] = {}
    for series in all_series(whole):
        for item in series.items:
            if isinstance(item, Loop) and any(map(is_unit, item.body.items)):
                bodies[alike.numbers(item.body, 0)] = len(item.body.items)
    if not bodies:
        return
    own = {id(item.body) for series in all_series(whole) for item in series.items if isinstance(item, Loop)}
    for series in list(all_series(whole)):
        if id(series) in own and alike.numbers(series, 0) in bodies:
            continue
        at, made, changed = 0, list[Item](), False
        numbers = [alike.number(item, 0) for item in series.items]
        while at < len(series.items):
            length = next((size for key, size in bodies.items() if tuple(numbers[at : at + size]) == key), 0)
            if length and not any(map(alike.tied, series.items[at : at + length])):
                body = Series(series.items[at : at + length], series.times)
                made.append(Loop(body, [(run, 1) for run in range(series.times)]))
                at, changed = at + length, True
            else:
                made.append(series.items[at])
                at += 1
        if changed:
            series.items = made
