"""The legend of a graph figure: a miniature of each kind of box that it shows, and of its lines."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from netc.figures.graph.boxes import Form, Kind, Piece, shapes, strip
from netc.figures.graph.cells import Cell
from netc.figures.page import Entry, stroke
from netc.figures.scene import Group, Item, Path, moved
from netc.figures.theme import KIND_NAMES

_WIDTH, _HEIGHT = 18.0, 12.0
_NAMES = {"bar": "concatenation, in shares", "up": "upsampling", "global": "global pooling"}
_ORDER = ["input", "conv", "dense", "sequence", "pool", "norm", "activation", "regularise", "shape", "merge"]


def legend(forms: Iterable[Form], lines: Sequence[tuple[str, str]]) -> list[Entry]:
    """An entry for each kind of box and cell that is there, and one for each kind of line."""
    kinds: dict[str, Kind] = {}
    twins = False
    for form in forms:
        twins |= form.kind.dashed
        for number, piece in enumerate(form.pieces):
            kind = form.kind if number == 0 else Kind(piece.cell.family)
            if kind.family in KIND_NAMES:
                kinds.setdefault(_name(kind), Kind(kind.family, kind.effect))
    ordered = sorted(kinds.items(), key=lambda pair: (_ORDER.index(pair[1].family), pair[1].effect))
    entries = [Entry(_miniature(kind), _WIDTH, name) for name, kind in ordered]
    if twins:
        double: list[Item] = [Path((0, y), [((_WIDTH, y),)], "tie", role="legend") for y in (4, 8)]
        entries.append(Entry(double, _WIDTH, "shared weights (twin dashed)"))
    return [*entries, *(stroke(look, text) for look, text in lines)]


def _name(kind: Kind) -> str:
    return _NAMES.get(kind.effect if kind.effect != "global" or kind.family == "pool" else "", KIND_NAMES[kind.family])


def _miniature(kind: Kind) -> list[Item]:
    """The shape of a kind without its text."""
    wide = _HEIGHT if kind.effect == "sign" else _WIDTH
    piece = Piece(-wide / 2, 0, wide / 2, _HEIGHT, Cell("", kind.family), (), 0, kind.look)
    form = Form(kind, (piece,), wide / 2, wide / 2, _HEIGHT)
    made: list[Item] = [*shapes(form)]
    if kind.effect == "bar":
        made.append(Group([*strip(replace(form, shares=(1, 1)), 0, 0)], look="share"))
    return [moved(item, _WIDTH / 2, 0) for item in made]
