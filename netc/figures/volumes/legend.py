"""The legend of volumes: miniatures of what is there, and rulers; in the room that smaller slabs leave under them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import ceil

from netc.figures.facts import times, word
from netc.figures.page import Entry
from netc.figures.scene import Box, Group, Item, Path, Polygon, Rect, Stamp, Text, moved, text_width
from netc.figures.volumes import paint
from netc.figures.volumes.geometry import PT, Scale, Solid
from netc.figures.volumes.parts import Band, Link, Slab
from netc.figures.volumes.shapes import Shapes
from netc.figures.volumes.stages import operation
from netc.report.label import window_size

_ROW = 19.0
_BETWEEN = 13.0  # entries
_INDENT = 6.0  # between a miniature and its text
_TICK = 2.5 * PT
_CLEAR = 8.0  # around what is drawn
_SEARCHED = 600  # pixels above the end of what is drawn, among which room for the legend is looked for
_MOST = 3  # pools that are told apart


def entries(shapes: Shapes, slabs: Sequence[Slab], links: Sequence[Link]) -> list[Entry]:
    """What is in the figure, each thing once."""
    found: dict[str, Entry] = {}
    pools = {str(operation(shapes.net, slab)) for slab in slabs if slab.kind == "pool" and not slab.is_bar}
    texts = {id(slab): _text(shapes, slab, len(pools) <= _MOST) for slab in slabs}
    for slab in slabs:
        text = texts[id(slab)]
        if _ends(slab) and any(other.startswith(f"{text} +") for other in texts.values()):
            continue
        if text and text not in found:
            found[text] = Entry([_miniature(slab)], _width(slab), text)
    softmax = {band.text: slab for slab in slabs for band in slab.bands if band.kind == "softmax"}
    for name in softmax:
        node = next(iter(softmax.values())).node
        slab = Slab(node, (1,), "softmax")
        found.setdefault(name, Entry([_miniature(slab)], _width(slab), name))
    if copies := [slab for slab in slabs if slab.copied and slab.kind != "more"]:
        found["copied, concatenated"] = Entry([_miniature(copies[0])], _width(copies[0]), "copied, concatenated")
    if drops := {word(layer): slab for slab in slabs for layer in slab.drops}:
        for name in drops:
            found[name] = Entry([Polygon([(3, 4), (8, 0), (8, 8), (3, 12)], "v.ghost")], 8, name)
    return [*found.values(), *_links(links)]


def window(text: str) -> Entry:
    """What is marked on the input."""
    return Entry([Polygon([(0, 4), (8, 0), (8, 8), (0, 12)], "v.field")], 8, text)


def heat(text: str) -> Entry:
    """What the colours of maps mean."""
    return Entry([Rect(0, 2, 24, 8, "v.heat")], 24, text)


def _links(links: Sequence[Link]) -> Iterator[Entry]:
    """The kinds of shortcuts."""
    seen: dict[str, tuple[bool, str]] = {}
    for link in links:
        if link.row is not None or link.copy is not None:
            continue
        inner = [word(node.layer) for node in link.via if not node.layer.beside]
        inner = list(dict.fromkeys(inner))
        weighted = next((node for node in link.via if node.layer.weighted), None)
        if link.sign == "+" and weighted is not None and link.start is not None and len(inner) == 1:
            windows = weighted.layer.windows((link.start.shape,)) or ()
            text = times(window_size([each.size for each in windows])) + " projection"
        elif link.sign == "+":
            text = f"shortcut: {', '.join(inner)}" if inner else "identity shortcut"
        elif link.sign:
            text = ", ".join([*inner, {"×": "multiplied", "−": "subtracted"}.get(link.sign, link.sign)])
        else:
            text = ", ".join([*inner, "concatenated"])
        seen.setdefault(text, (link.changes, link.sign))
    for text, (changes, sign) in seen.items():
        arc = paint.arc((1, 11), (19, 11), 9, dotted=changes)
        yield Entry([arc, *paint.disc((19, 9), sign, 2 * PT)], 23, text)


def _text(shapes: Shapes, slab: Slab, every_pool: bool) -> str:
    """What a slab is, with what follows it: `conv + BN + ReLU`."""
    if slab.kind in ("input", "more") or slab.copied:
        return ""
    layer = slab.node.layer
    bands = "".join(f" + {band.text}" for band in slab.bands if band.kind != "softmax")
    if slab.stripes:
        return f"{len(slab.stripes)} branches, concatenated" + bands
    name = word(layer)
    if slab.kind == "dense":
        name = "fully connected"
    elif slab.kind == "pool" and not slab.is_bar and every_pool:
        name = str(operation(shapes.net, slab))
    elif slab.depthwise:
        return "depthwise conv" + bands
    return name + bands


def _ends(slab: Slab) -> bool:
    return any(band.kind == "softmax" for band in slab.bands)


def _width(slab: Slab) -> float:
    solid = _small(slab)
    return solid.width + solid.dx


def _small(slab: Slab) -> Solid:
    if slab.is_bar:
        return Solid(7.0 if slab.bands else 4.5, 4.0, 26.0)
    if slab.thin:
        return Solid(3.5, 8.0, 14.8)
    return Solid(13.0 if slab.bands or slab.stripes else 8.0, 8.0, 14.8)


def _miniature(slab: Slab) -> Stamp:
    solid = _small(slab)
    shown = Slab(slab.node, slab.shape, slab.kind, [], _told(slab), slab.groups, slab.stripes, copied=slab.copied)
    template = paint.faces(shown, solid)
    box = template.box
    return Stamp(-box.left, 6.0, template)


def _told(slab: Slab) -> list[Band]:
    return [band for band in slab.bands if band.kind != "softmax"]


def look_of(entry: Entry) -> str:
    """How an entry looks, in one look: the front of a slab, a line."""
    first = entry.items[0]
    if isinstance(first, Stamp):
        return next(shape.look.removesuffix(".top") for shape in first.template.items if shape.look.endswith(".top"))
    return first.look


def rulers(shapes: Shapes, slabs: Sequence[Slab], scale: Scale, kind: str, size: float) -> list[Entry]:
    """The sides and the channels as lengths."""
    found: list[Entry] = []
    maps = [slab for slab in slabs if not slab.is_bar and slab.kind != "more"]
    sides = {
        max((side or 1, len(text), text) for side, text in zip(slab.shape[:-1], shapes.sides(slab), strict=True))
        for slab in maps
    }
    if sides:
        lengths = {scale.side(side): text for side, _, text in sorted(sides)}
        name = {"sqrt": "side, √ scale", "log": "side, log scale", "linear": "side"}[kind]
        found.append(_ruler(name, lengths, size))
    channels = sorted({slab.shape[-1] or 1 for slab in maps if not slab.thin and not slab.copied})
    ends = {scale.channels(count): str(count) for count in (channels[:1] + channels[-1:])}
    if len(ends) > 1:
        found.append(_ruler("channels", ends, size))
    return found


def _ruler(name: str, ticks: dict[float, str], size: float) -> Entry:
    """A line from 0 with ticks at lengths, their values under it."""
    longest = max(ticks)
    start = text_width(name, size) + 6
    lines: list[Item] = [Path((start, 6), [((start + longest, 6),)], "v.ruler", role="legend")]
    texts: list[Item] = [Text(0, 10, name, size, "start", "muted")]
    free = start + longest + 100
    for length in sorted({0.0, *ticks}, reverse=True):
        x = start + length
        lines.append(Path((x, 6 - _TICK), [((x, 6 + _TICK),)], "v.ruler", role="legend"))
        text = ticks.get(length, "")
        width = text_width(text, size)
        if text and x + width / 2 < free:
            texts.append(Text(x, 6 + _TICK + size, text, size, "middle", "muted"))
            free = x - width / 2 - 2
    right = max(item.box.right for item in [*lines, *texts])
    return Entry([*lines, *texts], right, "")


def set_out(
    parts: Sequence[Entry], rules: Sequence[Entry], taken: Sequence[Box], reach: float, size: float
) -> list[Item]:
    """The entries in rows under what is drawn (`taken`), as high and as far right as there is room."""
    if not parts and not rules:
        return []
    bottom = max(box.bottom for box in taken)
    best: tuple[float, float, list[list[Entry]], float, float] | None = None
    y = max(min(box.bottom for box in taken), bottom - _SEARCHED)
    taken = [box for box in taken if box.bottom + _CLEAR > y]
    widths = [_across(entry, size) for entry in [*parts, *rules]]
    while True:
        y = min(y, bottom)
        left, right = _free([box for box in taken if box.bottom + _CLEAR > y and y < bottom], reach)
        if right - left >= max(widths) or y >= bottom:
            room = max(right - left, *widths)
            rows = _wrapped(parts, room, size) + _wrapped(rules, room, size)
            low = y + _CLEAR + sum(map(_height, rows))
            cost = max(low, bottom) + 3 * len(rows)
            if best is None or cost < best[0]:
                best = (cost, y, rows, left, right)
        if y >= bottom:
            break
        y += 6
    assert best is not None
    _, y, rows, left, right = best
    longest = max(sum(ceil(_across(entry, size)) + _BETWEEN for entry in row) - _BETWEEN for row in rows)
    spare = max(right - left - longest, 0.0)
    start = left + (spare if right >= reach and left > 0 else spare / 2)
    return list(_rows(rows, float(int(start)), float(ceil(y + _CLEAR)), size))


def _free(taken: Sequence[Box], reach: float) -> tuple[float, float]:
    """The widest room between boxes, from 0 to `reach`."""
    best, at = (0.0, 0.0), 0.0
    for box in sorted(taken, key=lambda box: box.left):
        best = max(best, (at, box.left - 2 * _CLEAR), key=lambda room: room[1] - room[0])
        at = max(at, box.right + 2 * _CLEAR)
    return max(best, (at, reach), key=lambda room: room[1] - room[0])


def _rows(rows: Sequence[Sequence[Entry]], left: float, y: float, size: float) -> Iterator[Item]:
    """The entries of rows at their places; what looks alike stands together, which is shorter to write."""
    found: list[Item] = []
    for row in rows:
        x = left
        for entry in row:
            found += [moved(item, x, y) for item in entry.items]
            if entry.text:
                found.append(Text(x + entry.width + _INDENT, y + 10, entry.text, size, "start", "muted"))
            x += ceil(_across(entry, size) + _BETWEEN)
        y += _height(row)
    stamps = [item for item in found if isinstance(item, Stamp)]
    if stamps:
        shapes = [moved(shape, stamp.x, stamp.y) for stamp in stamps for shape in stamp.template.items]
        yield Group(list(shapes), look="v.slab")
    yield from (item for item in found if not isinstance(item, Stamp | Text))
    yield from sorted((item for item in found if isinstance(item, Text)), key=lambda text: text.anchor)


def _height(row: Sequence[Entry]) -> float:
    """Rulers have a line of numbers under them."""
    return _ROW if row[0].text else 1.5 * _ROW


def _across(entry: Entry, size: float) -> float:
    return entry.width + (_INDENT + text_width(entry.text, size) if entry.text else 0.0)


def _wrapped(parts: Sequence[Entry], room: float, size: float) -> list[list[Entry]]:
    rows: list[list[Entry]] = []
    used = 0.0
    for entry in parts:
        wide = ceil(_across(entry, size)) + _BETWEEN
        if not rows or used + wide - _BETWEEN > room:
            rows.append([])
            used = 0.0
        rows[-1].append(entry)
        used += wide
    return rows
