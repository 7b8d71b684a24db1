"""Two networks side by side, a row a layer or a whole block, with what was added, removed and changed (`netc diff -o
changes.svg`)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from netc.diagnostics.escape import harmless
from netc.difference.compare import Difference
from netc.difference.edits import Changed, Replaced, Rewired, Setting
from netc.difference.side import Side, Unit
from netc.difference.words import changes, setting, total
from netc.figures.facts import kind_of, label
from netc.figures.options import Options
from netc.figures.page import Entry, sheet, wrap
from netc.figures.scene import Group, Item, Path, Rect, Scene, Text, fit, text_width
from netc.ir.net import Node

_WIDTH, _WIDEST, _HEIGHT, _PITCH, _GAP = 330.0, 520.0, 15.0, 18.0, 28.0  # of a row, from row to row, between networks
_HATCHED, _STRIP = 16.0, 32.0  # the hatched part of a row, and where its text begins, after the sign
_TEXT, _TOP, _LINE, _HEAD, _TITLE = 10.0, 22.0, 14.0, 12.0, 15.0
_INSIDE = _STRIP + 10  # what of a row is not for its text
_AROUND = 2  # rows that are shown around a change
_MOST = 12  # rows of a run of added or removed layers
SIGNS = {"added": "+", "removed": "−", "changed": "~"}
_MINUS = re.compile(r"(?<!\S)-(?=[\d ])")  # before a number, and as the sign of a line
MEANINGS = {"added": "only in the second", "removed": "only in the first", "changed": "changed"}


@dataclass(frozen=True, slots=True)
class _Row:
    """What stands in a row: a layer of each network, or of one, or all those of a block, with its name where it is a
    call; or how many layers are left out."""

    kind: str  # of `SIGNS`, or "" for the same in both
    names: tuple[Sequence[str], Sequence[str]] = ((), ())
    titles: tuple[str, str] = ("", "")
    left_out: int = 0

    @property
    def layers(self) -> int:
        """How many layers it has in a network."""
        return max(map(len, self.names))


def draw(difference: Difference, options: Options | None = None) -> Scene:
    """The figure of a difference; rows far from any change are left out."""
    sides = difference.matching.before, difference.matching.after
    told = _told(difference)
    writer = _Writer(sides, told)
    items: list[Item] = []
    top = 0.0
    for edit in difference.edits:
        if isinstance(edit, Setting):
            line = setting(edit)
            for said in wrap(_typeset(f"{line.sign} {line.words}"), 2 * writer.width + _GAP, _TEXT):
                items.append(Text(0, top + 6, said, _TEXT, "start"))
                top += _LINE
    top += 6 if items else 0
    for at, side in enumerate(sides):
        head = _ending(harmless(side.name), writer.width, _HEAD)
        items.append(Text(writer.left(at), top + 12, head, _HEAD, "start", bold=True))
    rows = list(_shortened(_folded(list(_rows(difference, told)), sides)))
    for at, row in enumerate(rows):
        items += writer.drawn(row, top + _TOP + at * _PITCH)
    kinds = {row.kind for row in rows}
    summed = "no difference" if difference.same else _typeset(total(difference))
    return sheet(
        items,
        title=" → ".join(_ending(harmless(side.name), writer.width - _GAP, _TITLE) for side in sides),
        facts=summed,
        description=f"The networks {sides[0].name} and {sides[1].name} side by side: {summed}.",
        options=options,
        legend=[Entry(_mark(kind, 0, 0, 12), _STRIP, MEANINGS[kind]) for kind in SIGNS if kind in kinds],
    )


def _typeset(words: str) -> str:
    """Words of a text as a figure has them: with arrows, and a minus sign where one is meant, not a hyphen."""
    return _MINUS.sub(SIGNS["removed"], words.replace("->", "→").replace("`", ""))


def _ending(text: str, width: float, size: float) -> str:
    """A name that is at most so wide: the whole, or its end, which tells files apart."""
    if text_width(text, size, bold=True) <= width:
        return text
    return "…" + fit(text[::-1], width - text_width("…", size, bold=True), size, bold=True).removesuffix("...")[::-1]


def _told(difference: Difference) -> dict[str, str]:
    """What is said of layers of the second network that are others, by their names."""
    found: dict[str, str] = {}
    for edit in difference.edits:
        if isinstance(edit, Changed):
            found |= {name: _joined(found.get(name, ""), _typeset(changes(edit.values))) for _, name in edit.layers}
        elif isinstance(edit, Replaced) and all(len(names) == 1 for names in edit.layers):
            found.setdefault(edit.layers[1][0], "")
        elif isinstance(edit, Rewired):
            said = "reads other layers" if edit.other else "shares other weights"
            found[edit.layer[1]] = _joined(found.get(edit.layer[1], ""), said)
    return found


def _joined(*words: str) -> str:
    return ", ".join(filter(None, words))


def _rows(difference: Difference, told: dict[str, str]) -> Iterator[_Row]:
    """All layers, in the order of the second network; what the first alone has where it was there."""
    made = difference.matching
    gone = [node.name for node in made.before.net if node.name not in made.there]
    for node in made.after.net:
        one = made.back.get(node.name)
        while one is not None and gone and made.before.places[gone[0]] < made.before.places[one]:
            yield _Row("removed", ((gone.pop(0),), ()))
        kind = "added" if one is None else "changed" if node.name in told else ""
        yield _Row(kind, (() if one is None else (one,), (node.name,)))
    for name in gone:
        yield _Row("removed", ((name,), ()))


def _folded(rows: Sequence[_Row], sides: tuple[Side, Side]) -> Iterator[_Row]:
    """The rows, with one for each of the largest blocks whose layers are all new, all gone or all the same."""
    begins: tuple[dict[str, list[Unit]], dict[str, list[Unit]]] = ({}, {})
    titles = [{frozenset(unit.names): unit.name for unit in _units(side)} for side in sides]
    for side, found in zip(sides, begins, strict=True):
        for unit in _units(side):
            found.setdefault(min(unit.names, key=side.places.__getitem__), []).append(unit)
    at = 0
    while at < len(rows):
        row = rows[at]
        own = 0 if row.kind == "removed" else 1
        for unit in begins[own].get(row.names[own][0], ()) if row.kind != "changed" else ():
            run = rows[at : at + len(unit.names)]
            names = tuple(tuple(name for each in run for name in each.names[side]) for side in (0, 1))
            if {each.kind for each in run} == {row.kind} and set(names[own]) == set(unit.names):
                first, second = (titles[side].get(frozenset(names[side]), "") for side in (0, 1))
                yield _Row(row.kind, (names[0], names[1]), (first, second))
                at += len(run)
                break
        else:
            yield row
            at += 1


def _units(side: Side) -> Iterator[Unit]:
    """The blocks of several layers, from the outside in."""
    return (unit for holder in side.holders for unit in holder.units if len(unit.names) > 1)


def _shortened(folded: Iterator[_Row]) -> Iterator[_Row]:
    """The rows around changes, with a row in place of those that are left out."""
    rows = list(folded)
    near = {at + by for at, row in enumerate(rows) if row.kind for by in range(-_AROUND, _AROUND + 1)}
    near |= {at for at in range(len(rows)) if near and near | {-1, len(rows)} >= {at - 1, at + 1}}  # a single row
    run, skipped, last = 0, 0, ""
    for at, row in enumerate(rows):
        run, before = (run + 1 if row.kind == last else 1), last
        last = row.kind
        long = row.kind in ("added", "removed") and run > _MOST
        if skipped and (row.kind != before or (at in near and not long)):
            yield _Row(before, left_out=skipped)
            skipped = 0
        if at in near and not long:
            yield row
        else:
            skipped += row.layers
    if skipped:
        yield _Row(last, left_out=skipped)


class _Writer:
    """Draws rows, as wide as what changed takes."""

    def __init__(self, sides: tuple[Side, Side], told: dict[str, str]) -> None:
        self._sides, self._told = sides, told
        wanted = [0.0]
        for name, change in told.items():
            with_name = text_width(f"{change} · {self._label(1, name)} · {_shorter(sides[1].title(name))[-1]}", _TEXT)
            wanted += [min(with_name + _INSIDE, _WIDEST), text_width(change, _TEXT) + _INSIDE]
        self.width = max(_WIDTH, *wanted)

    def left(self, at: int) -> float:
        """Where the rows of a network begin."""
        return at * (self.width + _GAP)

    def drawn(self, row: _Row, top: float) -> Iterator[Item]:
        """The row so far down."""
        if row.left_out:
            layers = f"layer{'s' * (row.left_out != 1)}"
            same = f"{layers} as {'they were' if row.left_out != 1 else 'it was'}"
            words = f"… {row.left_out} {f'more {layers}' if row.kind else same}"
            for at in (0, 1):
                if row.kind not in (("added",), ("removed",))[at]:
                    yield Text(self.left(at) + _STRIP + 6, top + 11, words, _TEXT, "start", "muted")
            return
        for at, (side, names) in enumerate(zip(self._sides, row.names, strict=True)):
            if names:
                nodes = [side.net.node(name) for name in names]
                yield self._box(row, at, nodes, top)

    def _box(self, row: _Row, at: int, nodes: Sequence[Node], top: float) -> Group:
        left, name = self.left(at), nodes[0].name
        shapes: list[Item] = [Rect(left, top, self.width, _HEIGHT, f"diff.{row.kind}" if row.kind else "panel", 2)]
        shapes += _mark(row.kind, left, top, _HEIGHT) if row.kind else []
        if len(nodes) > 1:
            ends = (
                [row.titles[at]]
                if row.titles[at]
                else [self._sides[at].title(each) for each in (name, row.names[at][-1])]
            )
            shorter = [_shorter(harmless(end)) for end in ends]
            most = max(map(len, shorter))
            both = (" to ".join(words[min(cut, len(words) - 1)] for words in shorter) for cut in range(most))
            said = [f"{title} ({len(nodes)} layers)" for title in both]
        else:
            change = self._told.get(name, "") if at else ""
            what, titles = self._label(at, name), _shorter(harmless(self._sides[at].title(name)))
            said = [" · ".join(filter(None, [change, what, title])) for title in titles]
            said += [f"{change} · {title}" for title in titles] + [change] if change else []
        room = self.width - _INSIDE
        shown = next((words for words in said if text_width(words, _TEXT) <= room), fit(said[-1], room, _TEXT))
        shapes.append(Text(left + _STRIP + 6, top + 11, shown, _TEXT, "start"))
        return Group(shapes, name=f"{'ab'[at]}_{name}", title=said[0], role="box", nodes=nodes)

    def _label(self, at: int, name: str) -> str:
        """A layer in words; a sum in that of the language, for its sign is that of what is new."""
        net = self._sides[at].net
        say = kind_of if net.node(name).layer.symbol else label
        return say(net.node(name).layer, net.shapes[name])


def _shorter(name: str) -> list[str]:
    """A name, and what is left of it after each call that it begins with: `a_unit1_conv2`, `…unit1_conv2`, `…conv2`."""
    words = name.split("_")
    return [name, *("…" + "_".join(words[at:]) for at in range(1, len(words)))]


def _mark(kind: str, left: float, top: float, height: float) -> list[Item]:
    """The strip of a row: its hatch, which leans to one side for what was added and to the other for what was removed,
    and its sign."""
    items: list[Item] = [Rect(left, top, _STRIP, height, f"diff.{kind}", 2)]
    for step in range(4 - int(height), int(_HATCHED), 4) if kind != "changed" else ():
        items.append(_line(left + step, top, height, left, flipped=kind == "removed"))
    items.append(Text(left + (_HATCHED + _STRIP) / 2, top + height / 2 + 4, SIGNS[kind], 11, bold=True))
    return items


def _line(x: float, top: float, height: float, left: float, *, flipped: bool) -> Path:
    """A line that rises by 45 degrees from the bottom at `x`, cut off at both sides of the hatch; flipped, it falls."""
    right = left + _HATCHED
    start, end = max(x, left), min(x + height, right)
    below, above = top + height - (start - x), top + height - (end - x)
    if flipped:
        start, end = left + right - start, left + right - end
    return Path((start, below), [((end, above),)], "diff.hatch", role="hatch")
