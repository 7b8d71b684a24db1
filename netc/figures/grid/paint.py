"""The shapes of a grid: bars, arrows with their marks, texts and the legend."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from math import hypot, prod

from netc.figures.facts import Facts
from netc.figures.grid.labels import Board
from netc.figures.grid.layout import AFTER, CIRCLE, LINE, STUB, TEXT, Layout, Spot, channels, channels_shown
from netc.figures.grid.reduce import Arrow, Part, Plan, resamplers, step
from netc.figures.grid.route import Router, Way
from netc.figures.grid.words import Words, shown, way_of
from netc.figures.options import Options
from netc.figures.page import Entry, sheet
from netc.figures.scene import Box, Ellipse, Group, Item, Path, Point, Polygon, Rect, Scene, Text, text_width
from netc.ir.shape import rank_of

_HEAD = 5.0  # length of an arrow's head
_MARK, _BROAD, _SLIM = 4.2, 6.5, 3.2  # half of a trapezoid's length and of its two ends
_PLACES = (0.5, 0.42, 0.58, 0.34, 0.66, 0.27, 0.73, 0.8)  # along an arrow, where its trapezoid may be
_NEIGHBOURS = 24  # arrows in one gap that are looked at for that
_ORDER = ("copy", "run", "down", "up")


@dataclass(slots=True)
class Mark:
    """A trapezoid on an arrow: its middle, and the direction of the arrow there."""

    way: Way
    at: Point
    along: Point
    piece: int  # of the way

    def polygon(self, look: str) -> Polygon:
        """Its shape: narrower towards a coarser map."""
        (x, y), (dx, dy) = self.at, self.along
        ends = (_BROAD, _SLIM) if self.way.look == "down" else (_SLIM, _BROAD)
        return trapezoid(x, y, dx, dy, ends, look)

    @property
    def box(self) -> Box:
        """The box around it."""
        return self.polygon("").box


def trapezoid(x: float, y: float, dx: float, dy: float, ends: tuple[float, float], look: str) -> Polygon:
    """A trapezoid around a point along a direction, with half the widths of its two ends."""
    back, front = ends
    corners = ((-_MARK, -back), (_MARK, -front), (_MARK, front), (-_MARK, back))
    return Polygon([(x + a * dx - b * dy, y + a * dy + b * dx) for a, b in corners], look)


@dataclass
class Painter:
    """The scene of a layout."""

    facts: Facts
    plan: Plan
    words: Words
    layout: Layout
    router: Router
    options: Options
    board: Board = field(default_factory=Board)
    left_out: list[str] = field(default_factory=list)  # texts without a place

    def __post_init__(self) -> None:
        self.net = self.facts.program.net
        self._ways = {id(way.arrow): way for way in self.router.ways}

    def scene(self) -> Scene:
        """The whole figure."""
        facts, layout = self.facts, self.layout
        spots = [layout[cell] for cell in self.plan.cells]
        self.board.limit = layout.limit + 1
        bars = [item for spot in spots for item in self._bars(spot)]
        marks = self._marks()
        for spot in spots:
            self.board.take(spot.box)
        for way in self.router.ways:
            self.board.draw(way.points)
        for mark in marks.values():
            self.board.take(mark.box)
        rows = [self.board.put([[Text(0, band.middle + 3.5, label, TEXT, "start")]])
                for band, label in zip(layout.bands, self.plan.labels, strict=True)]  # fmt: skip
        texts: list[Item] = [text for row in rows for text in row]
        texts += self._outputs(spots)
        texts += [text for spot in spots for text in self._channels(spot)]
        texts += [text for spot in spots for text in self._lines(spot)]
        texts += [item for way in self.router.ways for item in self._beside(way, marks.get(id(way.arrow)))]
        guides = [
            Path((text_width(label, TEXT) + 8, band.middle), [((layout.right, band.middle),)], role="")
            for band, label in zip(layout.bands, self.plan.labels, strict=True)
        ]
        items: list[Item] = [Group([*guides], look="grid.row"), *self._arrows(marks), *bars]
        items += [self._mark(mark) for mark in marks.values()]
        return sheet(
            [*items, *texts],
            title=facts.program.name,
            facts=facts.header(),
            description=facts.description(),
            options=self.options,
            legend=list(self._legend(marks)),
            notes=self._notes(),
            smallest=TEXT,
        )

    # -- bars ------------------------------------------------------------------------------------------------

    def _bars(self, spot: Spot) -> Iterator[Item]:
        cell, high = spot.cell, spot.bottom - spot.top
        first, drawn = cell.parts[0], shown(self.net, cell)
        node = self.net.node(first.main)
        if cell.head == "sum":
            (x, y), sign = spot.middle, node.layer.symbol
            inside = [Text(x, y + 4.4, sign, 12.5, bold=True)] if sign else []
            yield self.facts.drawn([Ellipse(x, y, CIRCLE, CIRCLE, "grid.sum"), *inside], node, first.names)
            return
        if cell.head == "concat":
            wide = max(at + width for at, width in spot.segments.values())
            rects = [Rect(spot.left, spot.top, wide, high, "conv")]
            for arrow in cell.arrows:
                at, width = spot.segments[id(arrow)]
                look = "conv" if arrow.via or arrow.falls else "grid.copied"
                rects.append(Rect(spot.left + at, spot.top, width, high, look))
            yield self.facts.drawn([*rects], node, first.names)
            drawn = drawn[1:]
        for number, (at, width) in enumerate(spot.parts):
            group = drawn[number : len(drawn) if number + 1 == len(spot.parts) else number + 1]
            yield self._bar(
                group,
                Rect(spot.left + at, spot.top, width, high, "", 2 if len(drawn) == 1 and not spot.segments else 0),
            )

    def _bar(self, parts: Sequence[Part], rect: Rect) -> Item:
        node = self.net.node(parts[0].main)
        rect.look = node.layer.family if node.layer.family in ("input", "dense") else "conv"
        items: list[Item] = [rect]
        if len(parts) > 1:
            x, y = rect.x + rect.width / 2, rect.y + rect.height / 2
            items += [Ellipse(x, y + dy, 0.9, 0.9, "ink") for dy in (-4, 0, 4)]
        return self.facts.drawn(items, node, [name for part in parts for name in part.names])

    # -- arrows ----------------------------------------------------------------------------------------------

    def _factor(self, arrow: Arrow) -> float:
        """How many times as large an arrow makes a map, along each axis on average."""
        factor = prod(step(self.net, self.net.node(name)) for name in resamplers(self.net, arrow))
        return float(factor ** (1 / max(rank_of(self.net.shapes[arrow.source.output]), 1)))

    def _marks(self) -> dict[int, Mark]:
        """The trapezoids, by the id of their arrow, each where it is farthest from the other arrows of its gap."""
        gaps: dict[int, list[Way]] = defaultdict(list)
        for way in self.router.ways:
            gaps[self.layout[way.arrow.source].column].append(way)
        found: dict[int, Mark] = {}
        for ways in gaps.values():
            made: list[Mark] = []
            for way in ways:
                if way.look in ("down", "up") and self._factor(way.arrow) != 1:
                    mark = self._best(
                        way, [each for each in ways[:_NEIGHBOURS] if each is not way], made[-_NEIGHBOURS:]
                    )
                    made.append(mark)
                    found[id(way.arrow)] = mark
        return found

    def _best(self, way: Way, others: Sequence[Way], made: Sequence[Mark]) -> Mark:
        (x1, y1), (x2, y2) = piece = way.longest()
        length = hypot(x2 - x1, y2 - y1) or 1.0
        along = ((x2 - x1) / length, (y2 - y1) / length)
        number = list(pairwise(way.points)).index(piece)
        free = length - _HEAD if number == len(way.points) - 2 else length
        marks = [
            Mark(way, (x1 + along[0] * free * t, y1 + along[1] * free * t), along, number)
            for t in (_PLACES if x1 != x2 else _PLACES[:1])
        ]
        lines = [line for each in others for line in pairwise(each.points)]

        def room(mark: Mark) -> float:
            near = [_distance(mark.at, *line) for line in lines]
            near += [0.7 * hypot(mark.at[0] - each.at[0], mark.at[1] - each.at[1]) for each in made]
            return min([*near, 14.0])

        return max(marks, key=room)

    def _arrows(self, marks: dict[int, Mark]) -> list[Item]:
        """The lines, those of one look together; in two pieces where a mark parts them."""
        paths: dict[str, list[Item]] = {look: [] for look in _ORDER}
        for way in self.router.ways:
            points, look, filled = way.points, f"grid.{way.look}", way.look != "copy"
            if mark := marks.get(id(way.arrow)):
                (x, y), (dx, dy), cut = mark.at, mark.along, mark.piece + 1
                before = [*points[:cut], (x - dx * _MARK, y - dy * _MARK)]
                points = [(x + dx * _MARK, y + dy * _MARK), *points[cut:]]
                paths[way.look].append(Path(before[0], [(point,) for point in before[1:]], look))
            segments = _rounded(points) if way.lane else [(point,) for point in points[1:]]
            paths[way.look].append(Path(points[0], segments, look, arrow=True, filled=filled, head=_HEAD))
        return [path for group in paths.values() for path in group]

    def _mark(self, mark: Mark) -> Item:
        """A trapezoid, as an object where layers go with its arrow."""
        arrow = mark.way.arrow
        names = self._carried(arrow)
        look = f"grid.{mark.way.look}.{'learned' if self._learns(arrow) else 'fixed'}"
        shape = mark.polygon(look)
        if not names:
            return shape
        main = next((name for name in names if step(self.net, self.net.node(name)) != 1), names[0])
        return self.facts.drawn([shape], self.net.node(main), names, "")

    def _carried(self, arrow: Arrow) -> list[str]:
        """The layers that an arrow shows: those on its way, and what only opens the cell it leads to."""
        cell = arrow.target
        opens = shown(self.net, cell) is not cell.parts
        return [*arrow.via, *(cell.parts[0].names if opens else [])]

    def _learns(self, arrow: Arrow) -> bool:
        """Whether what resamples on an arrow has weights."""
        return way_of(self.net, arrow)[1]

    # -- texts -----------------------------------------------------------------------------------------------

    def _put(self, places: Iterable[Sequence[Text]], text: str) -> list[Text]:
        found = self.board.put(places)
        if not found:
            self.left_out.append(text)
        return found

    def _channels(self, spot: Spot) -> list[Text]:
        """The channels above a cell; left out where the cell before it says the same and is too near."""
        if not channels_shown(self.net, spot.cell):
            return []
        text, y = channels(self.net, spot.cell), spot.top - 3
        x = spot.middle[0]
        tops = [way.points[-1][0] for way in map(self._way_of, spot.cell.arrows) if way.points[-1][1] == spot.top]
        places = [Text(x, y, text, TEXT, "middle", "muted")]
        if tops:
            places.append(Text(max(tops) + 4, y, text, TEXT, "start", "muted"))
        places += [Text(spot.right, y, text, TEXT, "end", "muted"), Text(spot.left, y, text, TEXT, "start", "muted")]
        places += [Text(x + 4, y, text, TEXT, "start", "muted"), Text(x - 4, y, text, TEXT, "end", "muted")]
        places += [Text(spot.right + 3, spot.top + 8, text, TEXT, "start", "muted")]
        row = self.layout.rows[spot.cell.row]
        alike = spot.place and channels(self.net, row[spot.place - 1].cell) == text
        if alike:
            return self.board.put([places[:1]])
        return self._put(([place] for place in places), text)

    def _way_of(self, arrow: Arrow) -> Way:
        return self._ways[id(arrow)]

    def _lines(self, spot: Spot) -> list[Text]:
        """The text under a cell."""
        lines = self.words.lines(spot.cell)
        if not lines:
            return []
        x = spot.middle[0]
        places = []
        for down in range(3):
            inner = spot.left + (spot.parts[0][0] if spot.parts else 0)
            for at, anchor in ((x, "middle"), (inner, "start"), (spot.right, "end"), (x + 6, "start"), (x - 6, "end")):
                y = spot.bottom + 10 + down * LINE
                places.append([Text(at, y + n * LINE, line, TEXT, anchor) for n, line in enumerate(lines)])
        return self._put(places, " ".join(lines))

    def _beside(self, way: Way, mark: Mark | None) -> Iterator[Item]:
        """The texts beside an arrow: what it carries along a row, its dropout, its factor over 2."""
        arrow = way.arrow
        (x1, y1), (x2, y2) = way.longest() if not way.lane else (way.points[1], way.points[2])
        for text in self.words.beside(arrow):
            x, y = (x1 + x2) / 2, (y1 + y2) / 2
            places = [(x, y - 4, "middle"), (x, y + 11, "middle")] if y1 == y2 else []
            places += [
                (px, y1 + (y2 - y1) * t + 3.5, anchor)
                for t in (0.5, 0.25, 0.75)
                for px, anchor in ((min(x1, x2) - 9, "end"), (max(x1, x2) + 9, "start"))
            ]
            found = self._put([[Text(px, py, text, TEXT, anchor)] for px, py, anchor in places], text)
            if found and mark is None and arrow.via:
                yield self.facts.drawn([*found], self.net.node(arrow.via[0]), arrow.via, "")
            else:
                yield from found
        if mark is not None:
            factor = self._factor(arrow)
            text = f"×{factor:.3g}" if factor > 1 else f"/{1 / factor:.3g}"
            if text not in ("×2", "/2"):
                (x, y), look = mark.at, f"grid.{way.look}.text"
                places = [
                    (x + 8, y + 10, "start"),
                    (x - 8, y - 3, "end"),
                    (x + 9, y - 2, "start"),
                    (x - 9, y + 10, "end"),
                    (x + 9, y + 4, "start"),
                    (x - 9, y + 4, "end"),
                ]
                yield from self._put([[Text(px, py, text, TEXT, anchor, look)] for px, py, anchor in places], text)

    def _outputs(self, spots: Sequence[Spot]) -> Iterator[Item]:
        """An arrow and a name at each output, if there are several."""
        if len(self.net.outputs) < 2:
            return
        ends = {spot.cell.output: spot for spot in spots}
        for name in self.net.outputs:
            spot = ends[name]
            x, y = spot.right, spot.middle[1]
            stub = Path((x, y), [((x + STUB, y),)], "grid.run", arrow=True, filled=True, head=_HEAD)
            text = Text(x + STUB + AFTER, y + 3.5, name, TEXT, "start", bold=True)
            if not spot.cell.readers and self.board.is_free(text.box):
                self.board.draw([stub.start, stub.end])
                self.board.take(text.box)
                yield stub
                yield text
            else:
                mid = spot.middle[0]
                places = [Text(mid, spot.bottom + 10 + LINE * n, name, TEXT, "middle", bold=True) for n in range(3)]
                yield from self._put([[place] for place in places], name)

    # -- legend ----------------------------------------------------------------------------------------------

    def _legend(self, marks: dict[int, Mark]) -> Iterator[Entry]:
        ways = self.router.ways
        looks = {way.look for way in ways}
        usual = self._usual_part()
        if "run" in looks:
            text = self.words.name_of(self.plan.cells)
            if usual and all(len(cell.parts) == 1 for cell in self.plan.cells):
                text = " · ".join([self.words.main(usual.main), *self.words.tails(usual)])
                usual = None
            yield Entry(_line("run"), 26, text)
        if usual and self.words.usual:
            maps = [Rect(x, 0, 6, 12, "conv") for x in (0, 6)]
            yield Entry(maps, 12, f"block: {'; '.join(self.words.usual)}")
        if "copy" in looks:
            yield Entry(_line("copy"), 26, "copy")
        for look in ("down", "up"):
            for learned in (False, True):
                texts = [
                    self.words.resampling(way.arrow)
                    for way in ways
                    if way.look == look and id(way.arrow) in marks and self._learns(way.arrow) == learned
                ]
                if texts:
                    yield Entry(_line(look, learned), 30, f"{look}: {_listed(texts)}")
        if any(cell.head == "concat" for cell in self.plan.cells):
            two = [Rect(0, 0, 6, 12, "grid.copied"), Rect(6, 0, 8, 12, "conv")]
            copied = any(look == "grid.copied" for look in self._segment_looks())
            yield Entry(two if copied else [Rect(0, 0, 6, 12, "conv"), Rect(6, 0, 8, 12, "conv")], 14,
                        "concat (hollow: copied)" if copied else "concat")  # fmt: skip

    def _segment_looks(self) -> Iterator[str]:
        for cell in self.plan.cells:
            for arrow in cell.arrows if cell.head == "concat" else ():
                yield "conv" if arrow.via or arrow.falls else "grid.copied"

    def _usual_part(self) -> Part | None:
        """A map of the cells that say what most of them say, or None."""
        usual = self.words.usual
        for cell in self.plan.cells:
            if usual and cell.arrows and cell.head != "sum" and not self.words.lines(cell):
                parts = shown(self.net, cell)[1:] if cell.head == "concat" else shown(self.net, cell)
                if parts:
                    return parts[0]
        return None

    def _notes(self) -> list[str]:
        notes = self.words.blocks()
        tails = self.words.usual_tails
        if tails is not None and any(self.words.lines(cell) for cell in self.plan.cells):
            said = " · ".join(tails) if tails else "no activation"
            notes.append(f"convolutions: {said}, unless marked")
        return [*notes, "bars: height by log of size, width by log of channels (the number above)"]


def _listed(texts: Sequence[str]) -> str:
    """Different texts, the most frequent first; of many, how many more there are."""
    different = sorted(dict.fromkeys(texts), key=lambda text: -texts.count(text))
    more = f" and {len(different) - 2} more" if len(different) > 3 else ""
    return ", or ".join(different[:2] if more else different) + more


def _line(look: str, learned: bool | None = None) -> list[Item]:
    """The miniature of an arrow."""
    end = 26.0 if learned is None else 30.0
    items: list[Item] = [
        Path((0, 6), [((end, 6),)], f"grid.{look}", role="legend", arrow=True, filled=look != "copy", head=_HEAD)
    ]
    if learned is not None:
        ends = (_BROAD, _SLIM) if look == "down" else (_SLIM, _BROAD)
        items.append(trapezoid(13, 6, 1, 0, ends, f"grid.{look}.{'learned' if learned else 'fixed'}"))
    return items


def _rounded(points: Sequence[Point], radius: float = 4.0) -> list[tuple[Point, ...]]:
    """The segments of a line with its corners rounded."""
    made: list[tuple[Point, ...]] = []
    for before, at, after in zip(points, points[1:], points[2:], strict=False):
        one, other = _towards(at, before, radius), _towards(at, after, radius)
        made += [(one,), (_towards(at, before, radius / 2), _towards(at, after, radius / 2), other)]
    return [*made, (points[-1],)]


def _towards(at: Point, other: Point, by: float) -> Point:
    dx, dy = other[0] - at[0], other[1] - at[1]
    length = hypot(dx, dy) or 1.0
    by = min(by, length / 2)
    return at[0] + dx / length * by, at[1] + dy / length * by


def _distance(point: Point, one: Point, other: Point) -> float:
    """From a point to a straight line between two others."""
    dx, dy = other[0] - one[0], other[1] - one[1]
    length = dx * dx + dy * dy or 1.0
    t = min(max(((point[0] - one[0]) * dx + (point[1] - one[1]) * dy) / length, 0.0), 1.0)
    return hypot(point[0] - one[0] - t * dx, point[1] - one[1] - t * dy)
