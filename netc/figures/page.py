"""The sheet that all styles share: a header with the numbers of the network, the figure, a legend of what it shows; and
how large it is on a page."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import ceil

from netc.figures.options import Options
from netc.figures.painted import Painted, painted
from netc.figures.scene import PIXEL, Box, Group, Item, Path, Rect, Scene, Text, fit, moved, text_width, union
from netc.figures.styles import FigureError
from netc.figures.theme import KIND_NAMES, Look

LEAST = 6.0  # points: the smallest text that is read on paper
_SCREEN, _TIGHT = 16.0, 2.0  # margins: around a figure of its own, and of one that a page puts space around
_TITLE, _TEXT = 15.0, 10.0  # sizes of text
_ROW = 18.0  # of the legend
_LINE = 14.0  # of the notes
_WIDEST_TITLE = 640.0


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of a legend: a miniature, drawn in a box `width` wide and 12 high from its upper left corner, and what
    it means."""

    items: Sequence[Item]
    width: float
    text: str

    @property
    def look(self) -> Look:
        """How the miniature looks in the main: as its largest area that is more than ground, else as its first
        line."""
        shapes = [
            each for each in painted(self.items) if isinstance(each, Painted) and not isinstance(each.shape, Text)
        ]
        areas = [each for each in shapes if each.look.fill and each.look.fill not in ("paper", "panel")]
        return max(areas, key=lambda each: each.area).look if areas else next((each.look for each in shapes), Look())


def swatch(kind: str, text: str = "") -> Entry:
    """The entry of a family of layers."""
    return Entry([Rect(0, 0, 14, 12, kind, 2)], 14, text or KIND_NAMES[kind])


def stroke(look: str, text: str) -> Entry:
    """The entry of a line."""
    return Entry([Path((0, 6), [((24, 6),)], look, role="legend")], 24, text)


def margin(options: Options) -> float:
    """The margin of a sheet, in user units."""
    return _TIGHT if options.bare or options.width is not None or options.height is not None else _SCREEN


def room(options: Options, smallest: float = _TEXT) -> float | None:
    """How many user units a figure may be wide, where its smallest text is so many units high and shall be 6 pt on the
    page; None without a width."""
    width, _ = options.page
    return None if width is None else width * smallest / LEAST - 2 * margin(options)


def room_down(options: Options, smallest: float = _TEXT) -> float | None:
    """How many user units a sheet may be high, header and legend included; None without a height."""
    _, height = options.page
    return None if height is None else height * smallest / LEAST


def sheet(
    items: Sequence[Item],
    *,
    title: str,
    facts: str,
    description: str,
    options: Options | None = None,
    legend: Sequence[Entry] = (),
    kinds: Iterable[str] = (),
    lines: Sequence[tuple[str, str]] = (),
    notes: Sequence[str] = (),
    smallest: float = _TEXT,
) -> Scene:
    """A scene with a header (`title`, and `facts` under it) above the items and a legend below them.

    The legend has `kinds`, families of layers in the order of the theme's table, then `legend`, then `lines`, pairs of
    a line's look and what it means; `notes` are sentences. One user unit is a pixel; for a page it is made smaller as
    long as the text that is `smallest` units high is at least 6 pt on it. Raises `FigureError` where that does not fit.
    """
    items = [item for item in items if not isinstance(item, Group) or item.items]  # one layer alone has no lines
    options = options or Options()
    present = set(kinds)
    entries = [swatch(kind) for kind in KIND_NAMES if kind in present]
    entries += [*legend, *(stroke(look, text) for look, text in lines)]
    box = union(item.box for item in items) if items else Box(0, 0, 0, 0)
    made = _Sheet(items, box, options.title or title, facts, description, entries, notes, options)
    width, height = options.page
    if width is None and height is None:
        return made.scene(None, PIXEL)
    least = LEAST / smallest
    across = box.right - box.left + 2 * margin(options)
    if width is not None and across * least > width * 1.0001:
        raise _too_small("wide", width, across * least)
    unit = PIXEL if width is None else min(PIXEL, max(least, width / across))
    scene = made.scene(None if width is None else width / unit, unit)
    if height is None or scene.height * unit <= height * 1.0001:
        return scene
    unit = max(least, unit * height / scene.height)
    scene = made.scene(None if width is None else width / unit, unit)
    if scene.height * unit > height * 1.0001:
        raise _too_small("high", height, scene.height * unit)
    return scene


def _too_small(how: str, given: float, needed: float) -> FigureError:
    return FigureError(
        f"the figure does not fit on a page {given / 72:.3g} in {how} with text of {LEAST:g} pt: "
        f"expected at least {ceil(needed / 72 * 100) / 100:g} in"
    )


@dataclass(slots=True)
class _Sheet:
    """The parts of a sheet."""

    items: Sequence[Item]
    box: Box
    title: str
    facts: str
    description: str
    entries: Sequence[Entry]
    notes: Sequence[str]
    options: Options

    def scene(self, width: float | None, unit: float) -> Scene:
        """All of it, so many units wide."""
        space, box, bare = margin(self.options), self.box, self.options.bare
        figure = box.right - box.left
        if width is None:
            texts = [text_width(self.title, _TITLE, True), *(text_width(t, _TEXT) for t in (self.facts, *self.notes))]
            inner = float(ceil(figure if bare else max(figure, min(max(texts), _WIDEST_TITLE))))
            width = inner + 2 * space
        inner = width - 2 * space
        head, top = ([], space) if bare else self._head(inner)
        dx, dy = float(round(space - box.left + (inner - figure) / 2)), float(round(top - box.top))  # shorter to write
        dx = min(max(dx, -box.left), width - box.right)
        bottom = box.bottom + dy
        legend: list[Item] = []
        if not bare:
            legend, bottom = self._legend(inner, bottom + 14)
        shifted = [moved(item, dx, dy) for item in self.items]
        key = [(entry.look, entry.text) for entry in self.entries]
        drawn, about = [*head, *shifted, *legend], (self.title, self.description)
        return Scene(width, ceil(bottom + space), drawn, *about, unit, self.facts, key, self.notes)

    def _head(self, width: float) -> tuple[list[Item], float]:
        """Title and facts, and where the figure begins."""
        left = margin(self.options)
        y = left + 13
        head: list[Item] = [Text(left, y, fit(self.title, width, _TITLE, True), _TITLE, "start", bold=True)]
        y += 16
        for line in wrap(self.facts, width, _TEXT, " · "):
            head.append(Text(left, y, line, _TEXT, "start", "muted"))
            y += _LINE
        return head, y + 1

    def _legend(self, width: float, top: float) -> tuple[list[Item], float]:
        """Entries in rows as wide as the sheet, then the notes; and where they end."""
        left = margin(self.options)
        miniatures: list[Item] = []
        texts: list[Item] = []
        x, y = left, float(round(top))
        for entry in self.entries:
            indent = entry.width + 6
            step = float(ceil(indent + text_width(entry.text, _TEXT) + 12))
            if x > left and x + step - 12 > left + width:
                x, y = left, y + _ROW
            miniatures += [moved(item, x, y) for item in entry.items]
            text = fit(entry.text, max(left + width - x - indent, 0), _TEXT)
            texts.append(Text(x + indent, y + 10, text, _TEXT, "start", "muted"))
            x += step
        y += _ROW if self.entries else 0
        for note in self.notes:
            for line in wrap(note, width, _TEXT):
                texts.append(Text(left, y + 10, line, _TEXT, "start", "muted"))
                y += _LINE
        return ([Group([*miniatures, *texts])] if texts else []), y


def wrap(text: str, width: float, size: float, between: str = " ", within: str = "") -> list[str]:
    """A text in lines that are at most so wide, broken only at `between`, which goes there, and at `within` in parts
    that are wider; what is wider alone is cut."""
    lines: list[str] = []
    for part in text.split(between):
        longer = f"{lines[-1]}{between}{part}" if lines else part
        if lines and text_width(longer, size) <= width:
            lines[-1] = longer
        else:
            lines += wrap(part, width, size, within) if within else [part]
    return [fit(line, width, size) for line in lines]
