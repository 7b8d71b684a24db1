"""The figure of volumes: rows of slabs one under the other, and their legend."""

from __future__ import annotations

from collections.abc import Sequence

from netc.analysis.structure import Series
from netc.diagnostics.escape import harmless
from netc.figures.facts import Facts
from netc.figures.options import Options
from netc.figures.page import Entry
from netc.figures.scene import Item, moved, text_width
from netc.figures.styles import FigureError
from netc.figures.theme import LOOKS, Look
from netc.figures.volumes import legend, paint
from netc.figures.volumes.band import Band, Painter, flattened
from netc.figures.volumes.geometry import PT, Measures, Place, Spacing
from netc.figures.volumes.layout import TURN, Layout, shown
from netc.figures.volumes.links import join, lanes
from netc.figures.volumes.parts import Parts
from netc.figures.volumes.seen import seen, words
from netc.figures.volumes.shapes import Shapes
from netc.figures.volumes.stages import group

_APART = 11 * PT  # between rows, for the line from one to the next


class Figure:
    """The figure of a network, with such measures."""

    def __init__(
        self, facts: Facts, shapes: Shapes, parts: Parts, whole: Series, options: Options, measures: Measures
    ) -> None:
        self.shapes, self.parts, self.options = shapes, parts, options
        self.measures = measures
        rows = [group(row, whole) for row in parts.rows]
        for stage in (stage for row in rows for stage in row):
            stage.shown = shown(stage, parts.links, options.collapse)
        for row in rows[1:]:
            if row[-1].slabs[-1].output:  # one of several, which the spec tells apart by its call
                row[-1].name = row[-1].call or row[-1].name
        counts = [str(flattened(shapes.net, slab)) for row in parts.rows for slab in row if slab.flattened]
        flat = max(text_width(text, self.measures.text) for text in ("flatten", *counts)) + 2 * PT
        if missing := sorted(name for name in options.faces if name not in shapes.net):
            raise FigureError(f"no layer has the name `{harmless(missing[0])}`: expected faces of layers")
        self.seen = {} if options.receptive is None else seen(facts, shapes.net, options.receptive)
        faces = frozenset(options.faces) | frozenset(self.seen)
        self.layout = Layout(rows, parts.links, self.measures, Spacing(self.measures, 0.0, flat, faces), options.scale)
        stages = {id(slab): stage for row in rows for stage in row for slab in stage.shown}
        marked = {source: each.shares for source, each in self.seen.items()}
        self.painter = Painter(facts, shapes, self.measures, self.layout.scale, stages, options.faces, marked)

    def items(self) -> list[Item]:
        """The figure without header and legend."""
        layout, links = self.layout, self.parts.links
        reach = max(0.0, *(place.reach for row in layout.rows for place in row))
        reach = max(reach, self.measures.width) if self.options.width else reach
        main = iter(layout.rows[0])
        bands = []
        for fold in layout.folds:
            count = sum(len(layout.stages[0][number].shown) for number in fold)
            bands.append(self.painter.band([next(main) for _ in range(count)], reach))
            join(self.painter, bands[-1], links)
        lanes(self.painter, bands[0], layout.rows[1:], links, reach)
        return self._stacked(bands)

    def _stacked(self, bands: Sequence[Band]) -> list[Item]:
        """Bands one under the other, with the lines between them."""
        drawn: list[Item] = []
        bottom = axis = 0.0
        for at, band in enumerate(bands):
            box = band.box
            y = bottom - box.top
            if at:
                y += _APART
                drawn += self._turn(bands[at - 1].places[-1], band.places[0], axis, y, bottom + _APART / 2)
            drawn += [moved(item, 0, y) for item in band.all()]
            bottom, axis = y + box.bottom, y
        return drawn

    def _turn(self, before: Place, after: Place, above: float, below: float, between: float) -> list[Item]:
        """The line from the end of a row to the beginning of the next one."""
        right, left, x = before.far + TURN - PT, 2 * PT, after.x - after.solid.near
        points = [(before.end, above), (right, above), (right, between), (left, between), (left, below), (x, below)]
        return paint.arrow(points, self.measures)

    def legend(self, items: Sequence[Item]) -> list[Item]:
        """The legend, where there is room for it under the items, or below them."""
        m, layout = self.measures, self.layout
        rules = legend.rulers(self.shapes, layout.slabs, layout.scale, self.options.scale, m.text)
        taken = [item.box for item in items]
        reach = max(m.width if self.options.width else 0.0, *(box.right for box in taken))
        return legend.set_out(self._entries(), rules, taken, reach, m.text)

    def words(self) -> list[tuple[Look, str]]:
        """What the legend says, for a caption: how each entry looks, and what it means."""
        return [(LOOKS[legend.look_of(entry)], entry.text) for entry in self._entries()]

    def _entries(self) -> list[Entry]:
        found = legend.entries(self.shapes, self.layout.slabs, self.parts.links)
        found += [legend.window(words(self.seen))] if self.seen else []
        if not self.options.faces.keys() <= set(self.shapes.net.inputs):
            found.append(legend.heat("mean of the channels, from the smallest to the largest"))
        return found
