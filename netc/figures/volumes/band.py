"""What stands around one axis: slabs, what is written on and under them, and the arrows between their stages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from math import atan, cos, prod, sin

from netc.figures.facts import Facts
from netc.figures.facts import parts as words
from netc.figures.page import wrap
from netc.figures.scene import Box, Ellipse, Item, Stamp, Text, text_width, union
from netc.figures.volumes import paint
from netc.figures.volumes.geometry import PT, RIGHT, UP, Measures, Place, Scale, floor_of
from netc.figures.volumes.labels import TILT, Line, Texts
from netc.figures.volumes.parts import Slab
from netc.figures.volumes.shapes import Shapes
from netc.figures.volumes.stages import Stage, operation, told
from netc.ir.net import Net

_SMALL = 2.5 * PT  # between a text and an edge
_FEW = 5  # slabs of a stage that all have their channels written on them
_ROOM = 84 * PT  # of the lines under a stage, where its slabs are not wider


def flattened(net: Net, slab: Slab) -> int:
    """How many elements the map has that becomes a vector before a slab."""
    (source, *_) = net.operands(slab.names[0])
    return prod(side or 1 for side in net.shapes[source])


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


@dataclass(frozen=True, slots=True)
class Painter:
    """What bands are drawn with."""

    facts: Facts
    shapes: Shapes
    measures: Measures
    scale: Scale
    stages: Mapping[int, Stage]  # of each slab, by its identity
    images: Mapping[str, bytes]  # on the faces of layers, by their names
    marked: Mapping[
        str, tuple[tuple[float, float], ...]
    ]  # on the faces of inputs: from and to, as shares, down, across

    @property
    def net(self) -> Net:
        """The network, with a size for everything."""
        return self.shapes.net

    def band(self, places: list[Place], reach: float, left: float = 0.0) -> Band:
        """Slabs around an axis, with what is written on and under them, and the arrows between stages; texts stand from
        `left` to `reach`."""
        band = Band(texts=Texts(left, reach), places=places)
        for place in places:
            stage = self.stages[id(place.slab)]
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
        items: list[Item] = [Stamp(place.x, 0, paint.faces(slab, place.solid))]
        parts = paint.segments(slab, place.solid)
        items += paint.splits(place, parts[0][1])
        image = self._image(slab)
        seen = [each for each in inside if not each.slab.thin or each.slab.kind == "input"]
        if image and (slab.thin or place is seen[-1]):
            items += paint.picture(place, image)
        band.faces += self._channels(band, stage, place, at, parts[0][1])
        if not image:
            band.faces += self._side(band, place, inside, after)
        ghosts: list[Item] = [paint.ghost(place)] if slab.drops else []
        if slab.copied:
            return [*items, *ghosts]
        return [self.facts.drawn([*items, *ghosts], slab.node, slab.names, "slab")]

    def _image(self, slab: Slab) -> bytes | None:
        """What is shown on the right face of a slab: the last tensor of its layers that there is an image of."""
        if slab.is_bar or len(slab.shape) != 3:
            return None
        return next((self.images[name] for name in reversed(slab.names) if name in self.images), None)

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
        if len(stage.shown) > _FEW and alike:
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
        last = paint.segments(slab, solid)[-1][0]
        made = Text(x, y, text, size, "start", f"v.{last}.on", turn=TILT)
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
        if self._image(before.slab):
            items.insert(0, paint.line([before.face, (tip, 0.0)], "v.arrow.under", "under"))
        if after.slab.flattened:
            far = max(place.end + place.solid.dx / 2 for place in band.places if place.x <= before.x)
            begin = min(far, before.end + before.solid.dx / 2 + 6 * PT)
            middle, size = (begin + tip) / 2, self.measures.text
            count = flattened(self.net, after.slab)
            for text, y, lean in (("flatten", -2.2 * PT, 0.0), (str(count), PT + size, 0.8 * size)):
                x = max(middle - lean, begin + text_width(text, size) / 2 + PT)  # the slab ends before it
                band.texts.try_add(Text(x, y, text, size, "middle", "muted"))
        return items

    def _window(self, band: Band) -> None:
        """The window of the first convolution, on the face of the input, or what is marked there in its place."""
        for place in band.places if self.marked else ():
            if not place.slab.copied and (shares := self.marked.get(place.slab.node.name)):
                band.over += paint.field(place, *shares)
        if self.marked:
            return
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
            low = before.solid.bottom - 0.3 * before.solid.height
            middle = (before.right + across, low - across * UP / RIGHT)
            eye = (after.left + 0.5, min(middle[1] + tall * 0.35, after.solid.bottom - 4 * PT))
            band.over += paint.window(
                middle, (wide * RIGHT, -wide * UP), tall, eye, bright=self._image(before.slab) is not None
            )

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
        room = max(stage_width, _ROOM)
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
                path = paint.line(
                    [(x, y + PT), (x, -place.solid.height / 2 - 0.4 * place.solid.dy)], "v.ruler", "leader"
                )
                band.over.append(path)
                band.tops.append(made.box)
