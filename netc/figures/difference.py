"""Two networks side by side, a row a layer, with what was added, removed and changed (`netc diff -o changes.svg`)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from netc.diagnostics.escape import harmless
from netc.difference.compare import Difference
from netc.difference.edits import Changed, Replaced
from netc.difference.side import Side
from netc.difference.words import changes, total
from netc.figures.facts import label
from netc.figures.options import Options
from netc.figures.page import Entry, sheet
from netc.figures.scene import Group, Item, Path, Rect, Scene, Text, fit

_WIDTH, _HEIGHT, _PITCH, _GAP = 330.0, 15.0, 18.0, 28.0  # of a row, from row to row, between the networks
_HATCHED, _STRIP = 16.0, 32.0  # the hatched part of a row, and where its text begins, after the sign
_TEXT, _TOP = 10.0, 22.0
_AROUND = 2  # rows that are shown around a change
_MOST = 12  # rows of a run of added or removed layers
SIGNS = {"added": "+", "removed": "−", "changed": "~"}
MEANINGS = {"added": "only in the second", "removed": "only in the first", "changed": "in both, and changed"}


@dataclass(frozen=True, slots=True)
class _Row:
    """What stands in a row: a layer of each network, or of one; or how many rows are left out."""

    kind: str  # of `SIGNS`, or "" for the same in both
    names: tuple[str | None, str | None] = (None, None)
    left_out: int = 0


def draw(difference: Difference, options: Options | None = None) -> Scene:
    """The figure of a difference; rows far from any change are left out."""
    sides = difference.matching.before, difference.matching.after
    told = _told(difference)
    items: list[Item] = []
    for at, side in enumerate(sides):
        items.append(Text(_left(at), 12, fit(harmless(side.name), _WIDTH, 12, bold=True), 12, "start", bold=True))
    rows = list(_shortened(list(_rows(difference, told))))
    for at, row in enumerate(rows):
        items += _drawn(row, sides, told, _TOP + at * _PITCH)
    kinds = {row.kind for row in rows}
    summed = "no difference" if difference.same else total(difference).replace("->", "→")
    return sheet(
        items,
        title=f"{harmless(sides[0].name)} → {harmless(sides[1].name)}",
        facts=summed,
        description=f"The networks {sides[0].name} and {sides[1].name} side by side: {summed}.",
        options=options,
        legend=[Entry(_mark(kind, 0, 0, 12), _STRIP, MEANINGS[kind]) for kind in SIGNS if kind in kinds],
    )


def _told(difference: Difference) -> dict[str, str]:
    """What is said of layers of the second network that are others, by their names."""
    found: dict[str, str] = {}
    for edit in difference.edits:
        if isinstance(edit, Changed):
            found |= dict.fromkeys((name for _, name in edit.layers), changes(edit.values))
        elif isinstance(edit, Replaced) and all(len(names) == 1 for names in edit.layers):
            found[edit.layers[1][0]] = ""
    return found


def _rows(difference: Difference, told: dict[str, str]) -> Iterator[_Row]:
    """All rows, in the order of the second network; what the first alone has where it was there."""
    made = difference.matching
    gone = [node.name for node in made.before.net if node.name not in made.there]
    for node in made.after.net:
        one = made.back.get(node.name)
        while one is not None and gone and made.before.places[gone[0]] < made.before.places[one]:
            yield _Row("removed", (gone.pop(0), None))
        kind = "added" if one is None else "changed" if node.name in told else ""
        yield _Row(kind, (one, node.name))
    for name in gone:
        yield _Row("removed", (name, None))


def _shortened(rows: Sequence[_Row]) -> Iterator[_Row]:
    """The rows around changes, with a row in place of those that are left out."""
    near = {at + by for at, row in enumerate(rows) if row.kind for by in range(-_AROUND, _AROUND + 1)}
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
            skipped += 1
    if skipped:
        yield _Row(last, left_out=skipped)


def _left(at: int) -> float:
    return at * (_WIDTH + _GAP)


def _drawn(row: _Row, sides: tuple[Side, Side], told: dict[str, str], top: float) -> Iterator[Item]:
    if row.left_out:
        words = f"… {row.left_out} {'more' if row.kind else 'layers as they were'}"
        for at in (0, 1):
            if row.kind not in (("added",), ("removed",))[at]:
                yield Text(_left(at) + _STRIP + 6, top + 11, words, _TEXT, "start", "muted")
        return
    for at, (side, name) in enumerate(zip(sides, row.names, strict=True)):
        if name is None:
            continue
        node, left = side.net.node(name), _left(at)
        look = f"diff.{row.kind}" if row.kind else "panel"
        shapes: list[Item] = [Rect(left, top, _WIDTH, _HEIGHT, look, 2)]
        shapes += _mark(row.kind, left, top, _HEIGHT) if row.kind else []
        changed = told.get(name, "").replace("->", "→") if at else ""
        said = [label(node.layer, side.net.shapes[name]), changed, harmless(side.title(name))]
        shown = " · ".join(filter(None, said))
        shapes.append(Text(left + _STRIP + 6, top + 11, fit(shown, _WIDTH - _STRIP - 10, _TEXT), _TEXT, "start"))
        yield Group(shapes, name=f"{'ab'[at]}_{name}", title=shown, role="box", nodes=[node])


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
