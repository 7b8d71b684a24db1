"""Lines beside the axis: arcs of shortcuts, lines to copies, and the rows above."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from math import hypot

from netc.figures.scene import Box, Item, Point, Text, moved, text_width
from netc.figures.volumes import paint
from netc.figures.volumes.band import Band, Painter
from netc.figures.volumes.geometry import PT, Place
from netc.figures.volumes.layout import MEET
from netc.figures.volumes.parts import Link, Slab

_LANE = 8 * PT  # between the lines of copies
_APART = 9 * PT  # between rows
_STEEP, _HIGHEST = 0.34, 11 * PT  # rise of an arc for its length, and the most
_OVER = 3 * PT  # between an arc and what it passes
_NEAR = 8 * PT  # where an arc begins whose slab is in the row above, before the first slab


def join(painter: Painter, band: Band, links: Sequence[Link]) -> None:
    """Draw the shortcuts that end in a band: arcs, and lines to the copies of what comes from far away."""
    places = {id(place.slab): at for at, place in enumerate(band.places)}
    beside = [link for link in links if link.row is None]
    near = [link for link in beside if link.copy is None and id(link.end) in places]
    _arcs(painter, band, [(places.get(id(link.start), -1), places[id(link.end)], link) for link in near])
    far = [(places[id(link.start)], places[id(link.copy)], link) for link in beside if _is_in(places, link)]
    for start, end, link in sorted(far, key=lambda each: each[1] - each[0]):
        _copy(painter, band, band.places[start], band.places[end], link)


def _is_in(places: dict[int, int], link: Link) -> bool:
    return link.copy is not None and id(link.copy) in places and id(link.start) in places


def _arcs(painter: Painter, band: Band, spans: Sequence[tuple[int, int, Link]]) -> None:
    """Arcs over the tops, the short ones first: longer ones go over them. A start of -1 is in the row above."""
    ends = sorted({end for _, end, _ in spans})
    merges = {at: sorted({link.into for _, end, link in spans if end == at}) for at in ends}
    steps = [band.places[b].top[0] - band.places[a].top[0] for a, b in pairwise(ends)]
    size = min([painter.measures.disc, *(max(step, 2 * PT) * 0.46 for step in steps)])
    peaks = [place.top[1] - place.solid.dy * 0.3 for place in band.places]  # what an arc over a slab has to clear
    discs: dict[tuple[int, int], list[Item]] = {}
    for first, end, link in sorted(spans, key=lambda span: span[1] - span[0]):
        if first < 0 and id(link.start) not in painter.stages:
            continue  # the slab that it leaves is left out
        target = _spot(band.places[end], merges[end], link.into, size)
        source = _source(band, first, end)
        between = peaks[max(first, 0) + 1 : end]
        rise = min(_STEEP * max(target[0] - source[0], 4 * PT), _HIGHEST)
        highest = min(source[1], target[1])
        rise = max(rise, highest - min(between, default=0.0) + _OVER)
        band.over.append(paint.arc(source, target, rise, dotted=link.changes))
        top = highest - rise - PT
        peaks[max(first, 0) + 1 : end] = [min(peak, top) for peak in between]
        band.tops.append(Box(source[0], top, target[0], target[1]))
        discs.setdefault((end, -link.into), paint.disc(target, link.sign, size))
    for _, disc in sorted(discs.items(), key=lambda each: each[0]):  # the farthest first: nearer ones are before it
        band.over += disc


def _spot(place: Place, merges: Sequence[int], merge: int, size: float) -> Point:
    """Where the disc of one of the merges of a slab is: on the top, and of several from the front to the back in their
    order, as far apart as the top is deep."""
    (x, y), solid = place.top, place.solid
    along = (merges.index(merge) - (len(merges) - 1) / 2) / max(len(merges) - 1, 1)
    reach = min(1.0, 2.1 * size * (len(merges) - 1) / hypot(solid.dx, solid.dy)) if solid.depth else 0.0
    return x + along * reach * solid.dx, y - along * reach * solid.dy


def _source(band: Band, first: int, end: int) -> Point:
    """Where an arc begins: on the slab that it leaves; on its own one's left part where it ends in the same."""
    if first == end:
        place = band.places[end]
        return place.x + place.solid.width * 0.1, place.top[1]
    return band.places[first].top if first >= 0 else (max(band.places[0].left - _NEAR, 2 * PT), 0.0)


def _copy(painter: Painter, band: Band, start: Place, end: Place, link: Link) -> None:
    """The line of a tensor to where it is concatenated, above all that is between, and what it carries."""
    (x1, y1), (x2, y2), m = start.top, end.top, painter.measures
    y = top = band.top(x1, x2) - _LANE
    band.over += paint.copied([(x1, y1), (x1, y), (x2, y), (x2, y2)], m)
    text = f"copy {painter.shapes.shown(end.slab, short=m.narrow)}"
    if text_width(text, m.text) < x2 - x1 - 4 * PT and not m.narrow:
        made = Text((x1 + x2) / 2, y - 1.8 * PT, text, m.text, "middle", "v.note")
        if band.texts.try_add(made):
            top = made.box.top
    band.tops.append(Box(x1, top, x2, y))


# -- rows above the axis ---------------------------------------------------------------------------------------------


def lanes(painter: Painter, main: Band, rows: Sequence[list[Place]], links: Sequence[Link], reach: float) -> None:
    """Draw further rows above the main one."""
    axes = {id(place.slab): 0.0 for place in main.places}  # how high each slab stands
    found = {id(place.slab): place for row in [main.places, *rows] for place in row}
    beside = [(rows[link.row - 1], link) for link in links if link.row is not None and rows[link.row - 1]]
    for places, link in _from_lowest(beside, found):
        begin = 0.0 if link.start is None else places[0].left - 2 * PT  # there its line comes up, and those of others
        band = painter.band(places, reach, begin)
        join(painter, band, links)
        _share(painter, band)
        box = band.box
        ends = [found[id(slab)].top[0] for slab in (link.start, link.copy or link.end) if id(slab) in found]
        left, right = min([box.left, *ends]), max([box.right, *ends])
        y = main.top(left, right) - _APART - box.bottom
        axes |= {id(place.slab): y for place in places}
        main.over += [moved(item, 0, y) for item in band.all()]
        main.tops.append(Box(left, y + box.top, right, y + box.bottom))
    for places, link in beside:
        main.over += _ways(painter, places, link, found, axes)


def _from_lowest(
    beside: Sequence[tuple[list[Place], Link]], found: dict[int, Place]
) -> Iterator[tuple[list[Place], Link]]:
    """Rows in the order in which they are set: each above those that it comes from and goes to, and above all whose
    lines would go through it; else those that begin last are lowest."""
    rows = sorted(beside, key=lambda each: each[0][0].left, reverse=True)
    homes = {id(place.slab): at for at, (places, _) in enumerate(rows) for place in places}
    lines = [(at, x, homes.get(id(slab))) for at, row in enumerate(rows) for slab, x in _upright(*row, found)]
    joined = [{homes[id(slab)] for slab in (link.start, link.copy, link.end) if id(slab) in homes} for _, link in rows]
    under = _all_under(joined)
    below: list[set[int]] = []
    for at, (places, _) in enumerate(rows):
        crossed = {
            other
            for other, x, home in lines
            if places[0].left < x < places[-1].reach and at not in joined[other]
            if home is None or at not in under[home]  # the line goes up from there
        }
        below.append((crossed | joined[at]) - {at})
    waiting = dict.fromkeys(range(len(rows)))
    while waiting:
        at = next((at for at in waiting if waiting.keys().isdisjoint(below[at])), next(iter(waiting)))
        del waiting[at]
        yield rows[at]


def _all_under(joined: Sequence[set[int]]) -> list[set[int]]:
    """The rows under each: those that it comes from or goes to, and all under these."""
    found: list[set[int]] = []
    for at, next_to in enumerate(joined):
        seen, waiting = set[int](), [*next_to]
        while waiting:
            row = waiting.pop()
            if row != at and row not in seen:
                seen.add(row)
                waiting += joined[row]
        found.append(seen)
    return found


def _upright(places: Sequence[Place], link: Link, found: dict[int, Place]) -> list[tuple[Slab | None, float]]:
    """Where the lines that come to a row and leave it go up and down, and the slab from or to which each does."""
    lines = [(link.start, found[id(link.start)].top[0])] if id(link.start) in found else []
    if id(link.copy) in found:
        lines.append((link.copy, found[id(link.copy)].top[0]))
    elif id(link.end) in found:
        lines.append((link.end, _meeting(found[id(link.end)], places[-1])))
    return lines


def _meeting(target: Place, last: Place) -> float:
    """Where a row that ends with a slab joins the axis after the target."""
    return max(target.far - target.solid.dx / 2, last.end) + MEET


def _ways(
    painter: Painter, places: Sequence[Place], link: Link, found: dict[int, Place], axes: dict[int, float]
) -> list[Item]:
    """How the tensor comes to a row, and where it goes from there."""
    m, first, last = painter.measures, places[0], places[-1]
    y = axes[id(first.slab)]
    items: list[Item] = []
    if link.start is not None and id(link.start) in found:
        x, top = found[id(link.start)].top
        items += paint.copied([(x, top + axes[id(link.start)]), (x, y), (first.x - first.solid.near, y)], m)
    end = link.copy if link.copy is not None else link.end
    if end is None or id(end) not in found:
        return items
    target, axis = found[id(end)], axes[id(end)]
    if link.copy is not None:
        x, top = target.top
        return [*items, *paint.copied([(last.end, y), (x, y), (x, top + axis)], m)]
    x = _meeting(target, last)
    items += paint.copied([(last.end, y), (x, y), (x, axis - m.disc)], m)
    items += paint.arrow([(target.end, axis), (x - m.disc, axis)], m)
    return [*items, *paint.disc((x, axis), link.sign, m.disc)]


def _share(painter: Painter, band: Band) -> None:
    """Say of a row that its weights are those of others."""
    names = [place.slab.node.shares for place in band.places if place.slab.node.shares]
    if not names:
        return
    text = f"shared weights: {names[0]}" + (f" – {names[-1]}" if len(names) > 1 else "")
    band.texts.items.append(Text(band.box.left, band.box.top - 2 * PT, text, painter.measures.text, "start", "v.note"))
