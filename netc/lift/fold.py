"""Equal blocks in a row become a `repeat`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from netc.analysis.repetition import Runs
from netc.lift.alike import COUNTED, Alike, is_unit, parting
from netc.lift.express import columns, is_said
from netc.lift.passes import Labels, name_given
from netc.lift.vectors import Item, Layer, Loop, Series, all_series, gather, gather_series, inner

LONGEST = 120  # items of a block
_SHORT = 3  # passes of a run that may be written out


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
            count, taken, carries = (0 if tied else most), False, False
            if collected and not (tied and labels.tapped(end, period)):
                continue
            if tied and series.times == 1:
                passes = labels.closed(end, period, most)
                count, taken, carries = passes.count, passes.collected, passes.carried > 0
                if count > 1 and carries and not labels.best(end, period, length):
                    count = 1
            if collected and not taken:
                continue
            weight = sum(alike.cost(item) for item in items[end - period : end])
            saved = weight * (count - 1) - 2
            if count < 2 or saved <= 0:
                continue
            spare = 0 if carries else min(length - period * count, period - 1)  # labels say where those end
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


def unfold(whole: Series, alike: Alike) -> None:
    """Write out the runs of branches that are other branches but for the run: `repeat 2` would hide that a block is one
    of several, if its widths happen to be the same."""
    branches = [
        each
        for series in all_series(whole)
        for item in series.items
        if isinstance(item, Layer)
        for each in item.branches
    ]
    groups: dict[tuple[int, ...], list[tuple[Series, list[Item]]]] = {}
    for branch in branches:
        items = _unrolled(branch, alike)
        groups.setdefault(tuple(alike.number(item, 0) for item in items), []).append((branch, items))
    for group in groups.values():
        lengths = {len(branch.items) for branch, _ in group}
        if len(lengths) > 1:
            for branch, items in group:
                if len(branch.items) < max(lengths):
                    branch.items = items


def _unrolled(series: Series, alike: Alike) -> list[Item]:
    """Items with those of short runs, one after the other."""
    made: list[Item] = []
    for item in series.items:
        counts = {count for _, count in item.spans} if isinstance(item, Loop) else set()
        if isinstance(item, Loop) and not alike.tied(item) and len(counts) == 1 and (count := counts.pop()) <= _SHORT:
            for each in range(count):
                picks = [(0, start + each) for start, _ in item.spans]
                made += gather_series([item.body], picks).items
        else:
            made.append(item)
    return made


def turn(whole: Series, alike: Alike) -> None:
    """Begin runs where others do: `a; repeat 2 { b; a }; b` for `repeat 3 { a; b }`, if the first part of that stands
    several times elsewhere."""
    known: Counter[tuple[tuple[int, ...], int, int]] = Counter()  # bodies, with what of them stands before, and passes
    for series in all_series(whole):
        for at, item in enumerate(series.items):
            if isinstance(item, Loop) and (passes := _passes(item)) is not None:
                body = alike.numbers(item.body, 0)
                for size in range(1, min(at + 1, len(body))):
                    before = tuple(alike.number(each, 0) for each in series.items[at - size : at])
                    known[body, size, passes] += before == body[-size:]
    wanted = [key for key, count in known.items() if count > 1]
    for series in list(all_series(whole)) if wanted else ():
        made: list[Item] = []
        for item in series.items:
            size = _turned(item, wanted, alike) if isinstance(item, Loop) else 0
            made += _turn(item, size) if size and isinstance(item, Loop) else [item]
        series.items = made


def _passes(loop: Loop) -> int | None:
    """How many passes a run has, if these are as many in each execution."""
    counts = {count for _, count in loop.spans}
    return counts.pop() if len(counts) == 1 else None


def _turned(loop: Loop, wanted: Sequence[tuple[tuple[int, ...], int, int]], alike: Alike) -> int:
    """How many items of a run stand before it where others of its kind begin; 0 where it begins there."""
    body, passes = alike.numbers(loop.body, 0), _passes(loop)
    if passes is None or alike.tied(loop):
        return 0
    return next((size for key, size, own in wanted if (body[size:] + body[:size], passes) == (key, own + 1)), 0)


def _turn(loop: Loop, size: int) -> list[Item]:
    """A run with the first items of its first pass before it, and the rest of its last pass after it."""
    first, rest = loop.body.items[:size], loop.body.items[size:]
    starts = [(0, start) for start, _ in loop.spans]
    ends = [(0, start + count - 1) for start, count in loop.spans]
    picks = [(0, start + each) for start, count in loop.spans for each in range(count - 1)]
    after = [(0, run + 1) for _, run in picks]
    body = [*(gather([item], picks) for item in rest), *(gather([item], after) for item in first)]
    passes = loop.spans[0][1] - 1
    spans = [(run * passes, passes) for run in range(len(loop.spans))]
    turned = Loop(Series(body, len(picks)), spans)
    return [*(gather([item], starts) for item in first), turned, *(gather([item], ends) for item in rest)]
