"""The sheet that all styles share: a header with the numbers of the network, the figure, a legend of what it shows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import ceil

from netc.figures.scene import Box, Group, Item, Path, Rect, Scene, Text, fit, moved, text_width, union
from netc.figures.theme import KIND_NAMES

MARGIN = 16.0
HEADER = 44.0  # from the top of the sheet to the figure
_ROW = 18.0  # of the legend
_WIDEST_TITLE = 640.0


def sheet(
    items: Sequence[Item],
    *,
    title: str,
    facts: str,
    description: str,
    kinds: Iterable[str] = (),
    notes: Sequence[str] = (),
    lines: Sequence[tuple[str, str]] = (),
    bounds: Box | None = None,
) -> Scene:
    """A scene with a header (`title`, and `facts` under it) above the items and a legend below them.

    `kinds` are families of layers, shown in the order of the theme's table. `lines` are pairs of a line's look and
    what it means; `notes` are sentences. `bounds` is what the items cover, where the caller knows it.
    """
    items = [item for item in items if not isinstance(item, Group) or item.items]  # one layer alone has no lines
    box = bounds or (union(item.box for item in items) if items else Box(0, 0, 0, 0))
    present = set(kinds)
    entries = [(kind, name, False) for kind, name in KIND_NAMES.items() if kind in present]
    entries += [(look, text, True) for look, text in lines]
    texts = [text_width(title, 15, True), text_width(facts, 10), *(text_width(note, 10) for note in notes)]
    inner = float(ceil(max(box.right - box.left, min(max(texts), _WIDEST_TITLE))))
    dx, dy = MARGIN - box.left + (inner - (box.right - box.left)) / 2, MARGIN + HEADER - box.top
    dx, dy = float(round(dx)), float(round(dy))  # whole pixels: sharper, and shorter to write
    head: list[Item] = [
        Text(MARGIN, MARGIN + 13, fit(title, inner, 15, True), 15, "start", bold=True),
        Text(MARGIN, MARGIN + 29, fit(facts, inner, 10), 10, "start", "muted"),
    ]
    legend, bottom = _legend(entries, notes, inner, box.bottom + dy + 14)
    shifted = [moved(item, dx, dy) for item in items]
    return Scene(inner + 2 * MARGIN, ceil(bottom + MARGIN), [*head, *shifted, *legend], title, description)


def _legend(
    entries: Sequence[tuple[str, str, bool]], notes: Sequence[str], width: float, top: float
) -> tuple[list[Item], float]:
    """Swatches in rows as wide as the figure, then the notes; and where they end."""
    swatches: list[Item] = []
    texts: list[Item] = []
    x, y = MARGIN, float(round(top))
    for look, text, line in entries:
        indent = 30.0 if line else 20.0
        step = float(ceil(indent + text_width(text, 10) + 12))
        if x > MARGIN and x + step - 12 > MARGIN + width:
            x, y = MARGIN, y + _ROW
        if line:
            swatches.append(Path((x, y + 6), [((x + 24, y + 6),)], look, role="legend"))
        else:
            swatches.append(Rect(x, y, 14, 12, look, 2))
        texts.append(Text(x + indent, y + 10, text, 10, "start", "muted"))
        x += step
    y += _ROW if entries else 0
    for note in notes:
        texts.append(Text(MARGIN, y + 10, fit(note, width, 10), 10, "start", "muted"))
        y += 14
    return ([Group([*swatches, *texts])] if texts else []), y
