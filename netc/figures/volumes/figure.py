"""The figure of volumes: its parts at their places, and what is written on and around them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from math import atan, ceil, cos, sin

from netc.analysis.structure import Series
from netc.figures.facts import Facts
from netc.figures.facts import parts as words
from netc.figures.options import Options
from netc.figures.page import wrap
from netc.figures.scene import Box, Ellipse, Item, Stamp, Text, moved, text_width, union
from netc.figures.volumes import legend, paint
from netc.figures.volumes.geometry import (
    PT,
    RIGHT,
    UP,
    Measures,
    Place,
    Scale,
    Solid,
    Spacing,
    fitted,
    floor_of,
    split,
)
from netc.figures.volumes.labels import TILT, Line, Texts
from netc.figures.volumes.parts import Link, Parts, Slab
from netc.figures.volumes.shapes import Shapes
from netc.figures.volumes.stages import Stage, group, operation, told

_LONGEST = 24  # slabs of a stage before some are left out
_THIN = (3.0 * PT, 4.0 * PT)  # mean thickness of slabs under which a figure is folded; narrow and wide
_WORTH = 0.8  # of the length of one row, that of the longest of several
_ROWS = 6  # a figure is folded into at most
_INDENT, _TURN = 14 * PT, 6 * PT  # of a row that goes on, and right of one that does
_SMALL = 2.5 * PT  # between a text and an edge
_MEET = 10 * PT  # from a slab to where another row meets its axis, and from there on
_LANE = 10 * PT  # between the lines of copies
_APART = 9 * PT  # between rows
_SPREAD = 15 * PT  # what a gap of a row can get at most


@dataclass(slots=True, eq=False)
class _Step:
    """A slab in the order in which slabs are set."""

    row: int
    stage: int
    slab: Slab
    begins: bool


@dataclass(slots=True)
class Band:
    """What is drawn around one axis, at y = 0."""

    items: list[Item] = field(default_factory=list)
    texts: Texts = field(default_factory=lambda: Texts(0, 0))
    places: list[Place] = field(default_factory=list)
    stages: list[tuple[Stage, list[Place]]] = field(default_factory=list)
    over: list[Item] = field(default_factory=list)  # lines, above all slabs
    faces: list[Text] = field(default_factory=list)  # texts on slabs
    tops: list[Box] = field(default_factory=list)  # what lines that cross over have to clear

    @property
    def box(self) -> Box:
        """The box around it."""
        return union(item.box for item in self.all())

    def all(self) -> list[Item]:
        """Its items, the texts last."""
        faces = sorted(self.faces, key=lambda text: (text.look, text.turn, text.size))  # alike ones are written once
        return [*self.items, *self.over, *faces, *self.texts.names, *self.texts.items]

    def top(self, left: float, right: float) -> float:
        """How high it reaches between two places."""
        return min((box.top for box in self.tops if box.left < right and box.right > left), default=0.0)


class Figure:
    """The figure of a network. Raises `FigureError` where it does not fit."""

    def __init__(
        self, facts: Facts, shapes: Shapes, parts: Parts, whole: Series, options: Options, width: float
    ) -> None:
        self.facts, self.shapes, self.parts, self.options = facts, shapes, parts, options
        self.net = parts.net
        self.measures = Measures.of(width)
        self.rows = [group(row, whole) for row in parts.rows]
        for row in self.rows:
            for stage in row:
                stage.shown = shown(stage, parts.links, options.collapse)
        self.slabs = [slab for row in self.rows for stage in row for slab in stage.shown]
        self.steps = self._steps()
        self.joins = [link for link in parts.links if link.row is not None and link.end is not None]
        self.folds = [range(len(self.rows[0]))]
        lines = ("flatten", *(f"{self._count(slab):d}" for slab in self.slabs if slab.flattened))
        self.flat = max(text_width(line, self.measures.text) for line in lines) + 2 * PT
        self.spacing = Spacing(self.measures, 0.0, self.flat)
        self.scale = self._scale()

    def _count(self, slab: Slab) -> int:
        """How many elements a flattened map has."""
        found = 1
        name = slab.names[0]
        source = self.net.operands(name)[0]
        for side in self.net.shapes[source]:
            found *= side or 1
        return found

    # -- where slabs stand -------------------------------------------------------------------------------------

    def _steps(self) -> list[_Step]:
        order = {node.name: at for at, node in enumerate(self.net)}
        found: list[tuple[float, int, _Step]] = []
        for row, stages in enumerate(self.rows):
            key = -1.0
            for number, stage in enumerate(stages):
                for at, slab in enumerate(stage.shown):
                    key = max(key, float(order[slab.names[0]])) if slab.names else key
                    found.append((key, row, _Step(row, number, slab, at == 0)))
        return [step for _, _, step in sorted(found, key=lambda each: each[:2])]

    def _scale(self) -> Scale:
        """The scale with which the figure is as wide as it may be, in as many rows as that takes."""
        m = self.measures
        folded = len(self.rows) > 1
        widest = max((slab.shape[-1] or 1 for slab in self.slabs if not slab.is_bar), default=1)
        thick = [slab for slab in self.slabs if not slab.is_bar and not slab.thin]
        whole = Scale.of(self.slabs, self.options.scale, m.low if folded else m.tall, m)
        gaps = len({(step.row, step.stage) for step in self.steps}) - len(self.rows)
        scale, spacing = fitted(whole, self.spacing, self._reach, gaps, widest)
        for rows in range(2, _ROWS + 1):
            mean = sum(scale.solid(slab).width for slab in thick) / max(len(thick), 1)
            fits = self._reach(scale, spacing) <= m.width + 0.1
            if (fits and mean >= _THIN[not m.narrow]) or folded or rows > len(self.rows[0]):
                break
            whole = Scale.of(self.slabs, self.options.scale, m.low, m)
            before = self.folds
            self.folds = self._folded(whole.with_thickness(3 * PT / (widest**0.5)), rows)
            if len(self.folds) <= len(before):
                self.folds = before
                break
            scale, spacing = fitted(whole, self.spacing, self._reach, gaps // len(self.folds), widest)
        self.spacing = spacing
        return scale

    def _folded(self, scale: Scale, rows: int) -> list[range]:
        """The stages of each row; one row where several would hardly be shorter."""
        self.folds = [range(len(self.rows[0]))]
        places = self._places(scale, Spacing(self.measures, 0.0, self.flat))[0]
        allowed = [True] * len(self.rows[0])
        at = {id(slab): number for number, stage in enumerate(self.rows[0]) for slab in stage.shown}
        last = {id(slab): slab is stage.slabs[-1] for stage in self.rows[0] for slab in stage.slabs}
        for link in self.parts.links:
            start, end = (at.get(id(slab)) for slab in (link.start, link.end))
            if start is None or end is None:
                continue
            for number in range(start + 1, end + 1):
                if number > start + 1 or link.copy is not None or not last[id(link.start)]:
                    allowed[number] = False
        allowed = [may and not stage.is_bar for may, stage in zip(allowed, self.rows[0], strict=True)]
        ends: dict[int, float] = {}
        for place in places:
            ends[at[id(place.slab)]] = place.end
        edges = [0.0, *(ends[number] for number in range(len(self.rows[0])))]
        lengths = [max(b - a, 1.0) for a, b in pairwise(edges)]
        found = split(lengths, rows, allowed)
        longest = max(sum(lengths[row.start : row.stop]) for row in found)
        return found if longest < _WORTH * sum(lengths) else self.folds

    def _reach(self, scale: Scale, spacing: Spacing) -> float:
        """How wide the figure is."""
        rows = self._places(scale, spacing)
        ends = {id(self.rows[0][fold.stop - 1].shown[-1]) for fold in self.folds[:-1]}
        return max(place.reach + (_TURN if id(place.slab) in ends else 0.0) for row in rows for place in row)

    def _places(self, scale: Scale, spacing: Spacing) -> list[list[Place]]:
        """The slabs of each row at their places."""
        rows: list[list[Place]] = [[] for _ in self.rows]
        found: dict[int, Place] = {}
        fold_starts = {fold.start for fold in self.folds}
        solids: dict[tuple[object, ...], Solid] = {}
        lanes = {link.row: link.start for link in self.parts.links if link.row is not None}
        joins: dict[int, list[int]] = {}
        meets: dict[int, list[int]] = {}
        for link in self.joins:
            where = meets if link.copy is None else joins
            where.setdefault(id(link.end), []).append(link.row or 0)
        m = self.measures
        for step in self.steps:
            slab, row = step.slab, rows[step.row]
            key = (slab.shape, slab.kind, len(slab.bands), slab.groups if slab.kind == "more" else 0)
            solid = solids.get(key)
            if solid is None:
                solid = solids[key] = scale.solid(slab)
            if not row or (step.row == 0 and step.begins and step.stage in fold_starts):
                start = lanes.get(step.row)
                x = solid.dx / 2 + (_INDENT if row else 0.0)
                if start is not None and id(start) in found:
                    x = found[id(start)].top[0] + solid.dx / 2 + m.between + 4 * PT
            else:
                x = spacing.after(row[-1], slab, solid, begins=step.begins)
            for lane in joins.get(id(slab), ()):
                if rows[lane]:
                    x = max(x, rows[lane][-1].end + m.between + 2 * PT - solid.width / 2)
            if row and not slab.copied and (before := meets.get(id(row[-1].slab))):
                ends = [row[-1].far - row[-1].solid.dx / 2, *(rows[lane][-1].end for lane in before if rows[lane])]
                x = max(x, max(ends) + 2 * _MEET + solid.near)
            place = Place(slab, solid, x)
            row.append(place)
            found[id(slab)] = place
        return rows

    # -- drawing -----------------------------------------------------------------------------------------------

    def items(self) -> list[Item]:
        """The figure without header and legend."""
        m = self.measures
        rows = self._places(self.scale, self.spacing)
        self._spread(rows)
        reach = max(m.width if self.options.width else 0.0, *(place.reach for row in rows for place in row))
        self.found = {id(place.slab): place for row in rows for place in row}
        stage_of = {id(slab): stage for row in self.rows for stage in row for slab in stage.shown}
        bands: list[Band] = []
        main = iter(rows[0])
        for fold in self.folds:
            count = sum(len(self.rows[0][number].shown) for number in fold)
            bands.append(self._band([next(main) for _ in range(count)], stage_of, reach))
        for band in bands:
            self._links(band)
        if len(rows) > 1:
            self._lanes(bands[0], rows[1:], stage_of, reach)
        drawn: list[Item] = []
        y = last = 0.0
        for at, band in enumerate(bands):
            box = band.box
            down = y - box.top
            if at:
                down += _APART * 1.2
                drawn += self._turn(bands[at - 1].places[-1], band.places[0], last, down, y + _APART * 0.6, reach)
            drawn += [moved(item, 0, down) for item in band.all()]
            last = down
            y = down + box.bottom
        return drawn

    def _spread(self, rows: list[list[Place]]) -> None:
        """Give the gaps of folded rows what is left of the width, so that the rows are equally long."""
        if len(self.folds) < 2:
            return
        at = {id(slab): number for number, stage in enumerate(self.rows[0]) for slab in stage.shown}
        for fold in self.folds:
            places = [place for place in rows[0] if at[id(place.slab)] in fold]
            spare = self.measures.width - _TURN - max(place.reach for place in places)
            each = min(spare / max(len(fold) - 1, 1), _SPREAD)
            for place in places if each > 0 else ():
                place.x += each * (at[id(place.slab)] - fold.start)

    def _turn(
        self, before: Place, after: Place, above: float, below: float, between: float, reach: float
    ) -> list[Item]:
        """The line from the end of a row to the beginning of the next one."""
        right = before.far + _TURN - PT
        x = after.x - after.solid.near
        points = [(before.end, above), (right, above), (right, between), (2 * PT, between), (2 * PT, below), (x, below)]
        return paint.arrow(points, self.measures)

    def _band(self, places: list[Place], stage_of: dict[int, Stage], reach: float) -> Band:
        """Slabs around an axis, with what is written on and under them, and the arrows between stages."""
        band = Band(texts=Texts(0.0, reach), places=places)
        for place in places:
            stage = stage_of[id(place.slab)]
            if not band.stages or band.stages[-1][0] is not stage:
                band.stages.append((stage, []))
            band.stages[-1][1].append(place)
        for place in places:
            band.tops.append(Box(place.left, -place.solid.bottom, place.far, place.solid.bottom))
        nexts = {id(a): b for a, b in pairwise(places)}
        for stage, inside in band.stages:
            for at, place in enumerate(inside):
                band.items += self._slab(band, stage, place, at, inside, nexts.get(id(place)))
        for (_, before), (_, after) in zip(band.stages, band.stages[1:], strict=False):
            band.over += self._arrow(band, before[-1], after[0])
        self._window(band)
        floor = floor_of(places)
        for stage, inside in band.stages:
            drawn = [place for place in inside if not place.slab.thin] or inside
            middle = (drawn[0].left + drawn[-1].right) / 2
            top = max(place.solid.bottom for place in inside) + _SMALL
            lines = self._lines(stage, drawn[-1].right - drawn[0].left)
            band.texts.under(middle, top, lines, floor)
        self._last_map(band)
        return band

    def _slab(
        self, band: Band, stage: Stage, place: Place, at: int, inside: list[Place], after: Place | None
    ) -> list[Item]:
        """A slab with what is on it."""
        slab = place.slab
        if slab.kind == "more":
            return self._more(place)
        items: list[Item] = [Stamp(place.x, 0, paint.faces(slab, place.solid, self.measures))]
        parts = paint.segments(slab, place.solid, self.measures)
        items += paint.splits(place, parts[0][1])
        band.faces += self._channels(band, stage, place, at, parts[0][1])
        band.faces += self._side(band, place, inside, after)
        ghosts: list[Item] = [paint.ghost(place)] if slab.drops else []
        if slab.copied:
            return [*items, *ghosts]
        return [self.facts.drawn([*items, *ghosts], slab.node, slab.names, "slab")]

    def _more(self, place: Place) -> list[Item]:
        """Three dots in place of slabs that are left out."""
        step = place.solid.width / 4
        return [Ellipse(place.x + step * at, 0, 1.1 * PT, 1.1 * PT, "v.tip") for at in (1, 2, 3)]

    def _channels(self, band: Band, stage: Stage, place: Place, at: int, width: float) -> list[Text]:
        """The channels at the foot of the front, where they fit: level, else upright."""
        slab, size = place.slab, self.measures.face
        if slab.is_bar or slab.thin or slab.depthwise:
            return []
        alike = [each for each in stage.shown[:at] if each.shape[-1] == slab.shape[-1] and each.kind == slab.kind]
        if len(stage.shown) > 5 and alike:
            return []
        count = slab.shape[-1] or 1
        shares = slab.groups if 1 < slab.groups <= 4 else 1
        part = width / shares
        texts = [str(count // shares)] * shares
        long = text_width(texts[0], size)
        bottom = place.solid.bottom - _SMALL
        found: list[Text] = []
        for number, text in enumerate(texts):
            middle = place.left + part * (number + 0.5)
            if long <= part - 0.6 * PT:
                made = Text(middle, bottom, text, size, "middle", "v.text")
            elif part >= 0.74 * size and long < place.solid.height - 2 * _SMALL:
                made = Text(middle + 0.36 * size, bottom, text, size, "start", "v.text", turn=-90)
            else:
                return []
            if not band.texts.is_free(made.box) or any(made.box.overlaps(other.box) for other in found):
                return []
            found.append(made)
        band.texts.taken += [item.box for item in found]
        return found

    def _side(self, band: Band, place: Place, inside: list[Place], after: Place | None) -> list[Text]:
        """The side's length, along the lower edge of the right face, where that is seen."""
        slab, solid, size = place.slab, place.solid, self.measures.face
        if slab.is_bar or (slab.thin and slab.kind != "input") or len(slab.shape) != 3:
            return []
        plain = [each for each in inside if not each.slab.thin or each.slab.kind == "input"]
        if place is not plain[-1]:
            return []
        text = self.shapes.sides(slab)[1]
        angle = atan(UP / RIGHT)
        along, off = 1.0 * size, 2.0 * PT  # from the front edge, along the lower one and away from it
        x = place.right + along * cos(angle) - off * sin(angle)
        y = solid.bottom - along * sin(angle) - off * cos(angle)
        long = text_width(text, size) / 1.1
        last = paint.segments(slab, solid, self.measures)[-1][0]
        made = Text(x, y, text, size, "start", f"v.{'copy' if slab.copied else last}.on", turn=TILT)
        end = x + long * cos(angle)
        if end > place.far - 1.5 * PT:
            return []
        for other in [*inside[inside.index(place) + 1 :], *([after] if after and after not in inside else [])]:
            edge = solid.bottom - max(0.0, other.left - place.right) * UP / RIGHT
            clear = (edge - other.solid.bottom) * cos(angle)
            if other.left < end + PT and clear < off + 0.85 * size:
                return []
        if not band.texts.is_free(made.box):
            return []
        band.texts.taken.append(made.box)
        return [made]

    def _arrow(self, band: Band, before: Place, after: Place) -> list[Item]:
        """The arrow from a stage to the next one, and on it what becomes of the shape."""
        tip = after.x - after.solid.near
        items = paint.arrow([before.face, (tip, 0.0)], self.measures)
        if after.slab.flattened:
            far = max(place.end + place.solid.dx / 2 for place in band.places if place.x <= before.x)
            middle = (min(far, before.end + before.solid.dx / 2 + 6 * PT) + tip) / 2
            size = self.measures.text
            count = self._count(after.slab)
            for text, y, lean in (("flatten", -2.2 * PT, 0.0), (str(count), PT + size, 0.8 * size)):
                made = Text(middle - lean, y, text, size, "middle", "muted")
                band.texts.try_add(made)
        return items

    def _window(self, band: Band) -> None:
        """The window of the first convolution, on the face of the input."""
        for before, after in zip(band.places, band.places[1:], strict=False):
            slab = after.slab
            if before.slab.kind != "input" or before.slab.is_bar or slab.is_bar or len(slab.shape) != 3 or slab.copied:
                continue
            windows = slab.node.layer.windows(self.net.operand_shapes(slab.node.name))
            if slab.node.layer.family != "conv" or not windows or slab.stripes:
                continue
            tall, wide = (self.scale.side(each.extent) for each in windows)
            tall, wide = min(tall, before.solid.height / 2), min(wide, before.solid.depth / 2)
            room = after.left - before.right
            across = min(before.solid.dx * 0.5, room * 0.55)
            middle = (before.right + across, before.solid.height * 0.20 - 0)
            middle = (middle[0], before.solid.bottom - before.solid.height * 0.30 - across * UP / RIGHT)
            eye = (after.left + 0.5, min(middle[1] + tall * 0.35, after.solid.bottom - 4 * PT))
            band.over += paint.window(middle, (wide * RIGHT, -wide * UP), tall, eye)

    def _lines(self, stage: Stage, stage_width: float) -> list[Line]:
        """What is written under a stage: its name, its operations, the shape of its output."""
        m, first = self.measures, stage.slabs[0]
        last = stage.body[-1]
        shape = self.shapes.shown(last, short=m.narrow)
        name = Line(stage.name, m.name, bold=True)
        if first.kind == "input":
            several = len(self.net.inputs) > 1
            return [Line(first.node.name if several else "input", m.name, bold=True), Line(shape, m.text)]
        ends = [band.text for slab in stage.body for band in slab.bands if band.kind == "softmax"]
        drops = [", ".join(words(layer, ())) for slab in stage.slabs for layer in slab.drops]
        if stage.is_bar:
            more = [*ends, *([] if m.narrow else drops)]
            return [name, Line(shape, m.text), *(Line(text, m.text) for text in dict.fromkeys(more))]
        if m.narrow:
            return [Line(shape, m.text)]
        texts = told([operation(self.net, slab) for slab in stage.body])
        room = max(stage_width, 84 * PT)
        texts = [line for text in texts for line in wrap(text, room, m.text)]
        return [name, *(Line(text, m.text) for text in [*texts, shape, *dict.fromkeys(ends)])]

    def _last_map(self, band: Band) -> None:
        """The shape of a pool's output, where no stage after it says it."""
        for (_, before), (_, after) in zip(band.stages, [*band.stages[1:], (None, [])], strict=True):
            place = before[-1]
            if place.slab.kind not in ("pool", "upsample", "shape") or place.slab.is_bar or len(before) == 1:
                continue
            if after and not after[0].slab.is_bar:
                continue
            size = self.measures.text
            text = self.shapes.shown(place.slab, short=False)
            x = place.top[0] + place.solid.dx / 4
            top = band.top(x - text_width(text, size) / 2, x + text_width(text, size) / 2)
            y = top - 4 * PT
            made = Text(x, y, text, size, "middle", "muted")
            if band.texts.try_add(made):
                path = paint.rounded(
                    [(x, y + PT), (x, -place.solid.height / 2 - 0.4 * place.solid.dy)], "v.ruler", "leader"
                )
                band.over.append(path)
                band.tops.append(made.box)

    # -- links -------------------------------------------------------------------------------------------------

    def _links(self, band: Band) -> None:
        """Shortcuts: arcs between slabs of a row, and lines to the copies of what comes from far away."""
        inside = {id(place.slab): at for at, place in enumerate(band.places)}
        near = [link for link in self.parts.links if link.row is None and link.copy is None and id(link.end) in inside]
        spans = [(inside.get(id(link.start), -1), inside[id(link.end)]) for link in near]
        ends = sorted({end for _, end in spans})
        steps = [band.places[b].top[0] - band.places[a].top[0] for a, b in pairwise(ends)]
        size = min([self.measures.disc, *(max(step, 2 * PT) * 0.46 for step in steps)])
        discs: dict[int, list[Item]] = {}
        for link, (start, end) in sorted(zip(near, spans, strict=True), key=lambda each: each[1][1] - each[1][0]):
            if id(link.start) not in self.found:
                continue
            b = band.places[end]
            target = b.top
            if start < 0:
                source = (2 * PT, -8 * PT)
                if end != 0 and band.places[0].left > 2 * PT:
                    source = (band.places[0].left - 4 * PT, 0.0)
            else:
                source = band.places[start].top
            if start == end:
                source = (b.x + b.solid.width * 0.1, target[1])
            along = max(target[0] - source[0], 4 * PT)
            highest = min(source[1], target[1])
            rise = max(min(0.34 * along, 11 * PT), highest - self._over(band, start, end) + 3 * PT)
            made = paint.arc(source, target, rise, dotted=link.changes)
            band.over.append(made)
            peak = highest - rise
            band.tops.append(Box(source[0], peak - 2 * PT, target[0], target[1]))
            discs.setdefault(end, paint.disc(target, link.sign, size))
        for each in discs.values():
            band.over += each
        self._copy_lines(band, inside)

    def _over(self, band: Band, start: int, end: int) -> float:
        """How high what an arc passes over reaches: the tops of slabs in the middle of their depth, and arcs there."""
        slabs = [place.top[1] - place.solid.dy * 0.3 for place in band.places[max(start, 0) + 1 : end]]
        left = band.places[max(start, 0)].top[0] + 0.5
        right = band.places[end].top[0] - 0.5
        arcs = [box.top for box in band.tops[len(band.places) :] if box.left < right and box.right > left]
        return min([0.0, *slabs, *arcs])

    def _copy_lines(self, band: Band, inside: dict[int, int]) -> None:
        far = [
            link for link in self.parts.links if link.row is None and link.copy is not None and id(link.copy) in inside
        ]
        far = [link for link in far if id(link.start) in inside]
        far.sort(key=lambda link: inside[id(link.copy)] - inside[id(link.start)])
        size = self.measures.text
        for link in far:
            a, b = band.places[inside[id(link.start)]], band.places[inside[id(link.copy)]]
            (x1, y1), (x2, y2) = a.top, b.top
            y = band.top(x1, x2) - _LANE * (0.7 if self.measures.narrow else 0.8)
            band.over += paint.copied([(x1, y1), (x1, y), (x2, y), (x2, y2)], self.measures)
            assert link.copy is not None
            text = f"copy {self.shapes.shown(link.copy, short=self.measures.narrow)}"
            top = y
            if text_width(text, size) < x2 - x1 - 4 * PT and not self.measures.narrow:
                made = Text((x1 + x2) / 2, y - 1.8 * PT, text, size, "middle", "v.note")
                if band.texts.try_add(made):
                    top = made.box.top
            band.tops.append(Box(x1, top, x2, y))

    # -- rows above the axis -----------------------------------------------------------------------------------

    def _lanes(self, main: Band, rows: Sequence[list[Place]], stage_of: dict[int, Stage], reach: float) -> None:
        """Rows beside the axis, above it: those that begin last are lowest."""
        lanes = [link for link in self.parts.links if link.row is not None and rows[link.row - 1]]
        heights: dict[int, float] = {}  # of the axis of a row, by its number

        def begins(link: Link) -> float:
            return rows[(link.row or 1) - 1][0].left

        for link in sorted(lanes, key=begins, reverse=True):
            places = rows[(link.row or 1) - 1]
            band = self._band(places, stage_of, reach)
            self._links(band)
            box = band.box
            left, right = box.left, box.right
            ends = [
                self.found[id(slab)].top[0] for slab in (link.start, link.copy or link.end) if id(slab) in self.found
            ]
            y = main.top(min([left, *ends]), max([right, *ends])) - _APART - box.bottom
            heights[link.row or 0] = y
            main.over += [moved(item, 0, y) for item in [*band.items, *band.over, *band.faces]]
            main.texts.items += [moved(item, 0, y) for item in band.texts.items]
            main.texts.names += [moved(item, 0, y) for item in band.texts.names]
            first, last = places[0], places[-1]
            main.tops.append(Box(left, y + box.top, right, y + box.bottom))
            if link.start is not None:
                x, top = self.found[id(link.start)].top
                above = next(
                    (
                        heights[at]
                        for at, row in enumerate(rows, 1)
                        if self.found[id(link.start)] in row and at in heights
                    ),
                    0.0,
                )
                main.over += paint.copied([(x, top + above), (x, y), (first.x - first.solid.near, y)], self.measures)
            if link.end is None:
                continue
            target = self.found[id(link.copy if link.copy is not None else link.end)]
            above = next((heights[at] for at, row in enumerate(rows, 1) if target in row and at in heights), 0.0)
            x, top = target.top
            if link.copy is None:
                x, top = max(target.far - target.solid.dx / 2, last.end) + _MEET, 0.0
                main.over += paint.disc((x, above), link.sign, self.measures.disc)
                if target is [main.places, *rows][0][-1]:
                    main.over += paint.arrow([(target.end, above), (x - self.measures.disc, above)], self.measures)
                main.over += paint.copied([(last.end, y), (x, y), (x, above - self.measures.disc)], self.measures)
            else:
                main.over += paint.copied([(last.end, y), (x, y), (x, top + above)], self.measures)

    # -- legend ------------------------------------------------------------------------------------------------

    def legend(self, items: Sequence[Item]) -> list[Item]:
        """The legend, where there is room for it under the items, or below them."""
        m = self.measures
        slabs = [slab for slab in self.slabs if id(slab) in self.found]
        parts = legend.entries(self.shapes, slabs, self.parts.links, m)
        rules = legend.rulers(self.shapes, slabs, self.scale, self.options.scale, m.text)
        taken = [item.box for item in items]
        reach = max(m.width if self.options.width else 0.0, *(box.right for box in taken))
        return legend.set_out(parts, rules, taken, reach, m.text)


def shown(stage: Stage, links: Sequence[Link], collapse: str) -> list[Slab]:
    """The slabs of a stage that are drawn: of a long one whole blocks at either end, and between them a gap that grows
    with what is left out, so that a longer stage is never shorter."""
    slabs = stage.slabs
    layers = len(slabs) - (slabs[-1].kind == "pool")
    at = {id(slab): number for number, slab in enumerate(slabs)}
    ends = sorted(at[id(link.end)] for link in links if id(link.end) in at and id(link.start) in at)
    steps = {b - a for a, b in pairwise(ends) if b > a}
    block = min(steps, default=1)
    keep = ceil(_LONGEST / 2 / block) * block
    if collapse == "none" or layers <= 2 * keep:
        return slabs
    more = Slab(slabs[keep].node, slabs[keep].shape, "more", groups=layers - 2 * keep)
    return [*slabs[:keep], more, *slabs[layers - keep :]]
