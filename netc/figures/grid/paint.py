"""The shapes of a grid: bars, arrows with their marks, and texts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from math import dist

from netc.figures.facts import Facts
from netc.figures.grid.labels import Board
from netc.figures.grid.layout import AFTER, CIRCLE, LINE, STUB, TEXT, Layout, Spot, channels, channels_shown
from netc.figures.grid.legend import legend, notes
from netc.figures.grid.marks import HALF, HEAD, Mark, factors, marks
from netc.figures.grid.reduce import Arrow, Part, Plan, is_twin, segment_look, step
from netc.figures.grid.route import Router, Way
from netc.figures.grid.words import Words, shown, way_of
from netc.figures.options import Options
from netc.figures.page import sheet
from netc.figures.scene import Box, Ellipse, Group, Item, Path, Point, Rect, Scene, Text, text_width, towards

_ORDER = ("copy", "run", "down", "up")


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
        trapezoids = marks(self.net, layout, self.router.ways)
        for spot in spots:
            self.board.take(spot.box)
        for way in self.router.ways:
            self.board.draw(way.points)
        for mark in trapezoids.values():
            self.board.take(mark.box)
        rows = [self.board.put([[Text(0, band.middle + 3.5, label, TEXT, "start")]])
                for band, label in zip(layout.bands, self.plan.labels, strict=True)]  # fmt: skip
        texts: list[Item] = [text for row in rows for text in row]
        texts += self._outputs(spots)
        texts += [text for spot in spots for text in self._channels(spot)]
        texts += [text for spot in spots for text in self._lines(spot)]
        texts += [item for way in self.router.ways for item in self._beside(way, trapezoids.get(id(way.arrow)))]
        guides = [
            Path((text_width(label, TEXT) + 8, band.middle), [((layout.right, band.middle),)], role="")
            for band, label in zip(layout.bands, self.plan.labels, strict=True)
        ]
        self._extend()
        items: list[Item] = [Group([*guides], look="grid.row"), *self._arrows(trapezoids), *bars]
        items += [self._mark(mark) for mark in trapezoids.values()]
        return sheet(
            [*items, *texts],
            title=facts.program.name,
            facts=facts.header(),
            description=facts.description(),
            options=self.options,
            legend=list(legend(self.words, self.router.ways)),
            notes=[*notes(self.words), *self._missing()],
            smallest=TEXT,
        )

    def _missing(self) -> Iterator[str]:
        """The operations that had no room where they are."""
        if counts := Counter(text for text in self.left_out if not text.isdigit()):
            yield "without room: " + ", ".join(f"{text} ×{count}" for text, count in counts.items())

    # -- bars ------------------------------------------------------------------------------------------------

    def _bars(self, spot: Spot) -> Iterator[Item]:
        cell, high = spot.cell, spot.bottom - spot.top
        first, drawn = cell.parts[0], shown(self.net, cell)
        node = self.net.node(first.main)
        if cell.head == "sum":
            (x, y), sign = spot.middle, node.layer.symbol
            inside = [Text(x, y + 3.8, sign, 11, bold=True)] if sign else []
            before = [name for arrow in cell.arrows for name in arrow.via] if self.words.common(cell) else []
            yield self.facts.drawn([Ellipse(x, y, CIRCLE, CIRCLE, "grid.sum"), *inside], node, [*before, *first.names])
            return
        if cell.head == "concat":
            wide = max(at + width for at, width in spot.segments.values())
            rects = [Rect(spot.left, spot.top, wide, high, "conv")]
            for arrow in cell.arrows:
                at, width = spot.segments[id(arrow)]
                look = segment_look(arrow)
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
        names = [name for part in parts for name in part.names]
        rect.look = node.layer.family if node.layer.family in ("input", "dense") else "conv"
        rect.look += ".twin" * is_twin(self.net, names)
        items: list[Item] = [rect]
        if len(parts) > 1:
            x, y = rect.x + rect.width / 2, rect.y + rect.height / 2
            items += [Ellipse(x, y + dy, 0.9, 0.9, "ink") for dy in (-4, 0, 4)]
        return self.facts.drawn(items, node, names)

    # -- arrows ----------------------------------------------------------------------------------------------

    def _arrows(self, trapezoids: dict[int, Mark]) -> list[Item]:
        """The lines, those of one look together; in two pieces where a mark parts them."""
        paths: dict[str, list[Item]] = {look: [] for look in _ORDER}
        for way in self.router.ways:
            points, look, filled = way.points, f"grid.{way.look}", way.look != "copy"
            if mark := trapezoids.get(id(way.arrow)):
                (x, y), (dx, dy), cut = mark.at, mark.along, mark.piece + 1
                before = [*points[:cut], (x - dx * HALF, y - dy * HALF)]
                points = [(x + dx * HALF, y + dy * HALF), *points[cut:]]
                paths[way.look].append(Path(before[0], [(point,) for point in before[1:]], look))
            segments = _rounded(points) if way.lane else [(point,) for point in points[1:]]
            paths[way.look].append(Path(points[0], segments, look, arrow=True, filled=filled, head=HEAD))
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

    def _extend(self) -> None:
        """Let arrows reach the bar itself where the text that they would stop at found its place elsewhere."""
        for way in self.router.ways:
            for at, cell in ((0, way.arrow.source), (-1, way.arrow.target)):
                (x, y), spot = way.points[at], self.layout[cell]
                for edge, sign, kept in ((spot.top, -1, spot.above), (spot.bottom, 1, spot.below)):
                    strip = sorted((edge + sign * 0.6, edge + sign * (kept - 0.6)))
                    if kept and y == edge + sign * kept and self.board.is_free(Box(x, strip[0], x, strip[1])):
                        way.points[at] = (x, edge)
                        self.board.draw([(x, y), (x, edge)])

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
        text, y, x = channels(self.net, spot.cell), spot.top - 3, spot.middle[0]
        tops = [way.points[-1][0] for way in map(self._way_of, spot.cell.arrows) if way.points[-1][1] == spot.top]
        ends = [(x, y, "middle"), *((max(tops) + 4, y, "start") for _ in tops[:1])]
        ends += [(spot.right - by, y, "end") for by in (0, 2, 4)] + [(spot.left + by, y, "start") for by in (0, 2, 4)]
        ends += [(x + 4, y, "start"), (x - 4, y, "end"), (spot.right + 3, spot.top + 8, "start")]
        ends += [
            (spot.left - 3, spot.bottom - 2, "end"),
            (x, spot.bottom + 10, "middle"),
            (spot.left, spot.bottom + 10, "start"),
        ]
        places = [[Text(px, py, text, TEXT, anchor, "muted")] for px, py, anchor in ends]
        near = self.layout.rows[spot.cell.row][spot.place - 1] if spot.place else None
        if near and channels(self.net, near.cell) == text and x - near.middle[0] < text_width(text, TEXT) + 4:
            return self.board.put(places[:1])  # the one before says it
        return self._put(places, text)

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
        above = spot.top - 3 - LINE - LINE * (len(lines) - 1)
        places += [
            [Text(at, above + n * LINE, line, TEXT, anchor) for n, line in enumerate(lines)]
            for at, anchor in ((x, "middle"), (spot.right, "end"), (spot.left, "start"))
        ]
        return self._put(places, " ".join(lines))

    def _beside(self, way: Way, mark: Mark | None) -> Iterator[Item]:
        """The texts beside an arrow: what it carries along a row, its dropout, its factor over 2."""
        arrow = way.arrow
        (x1, y1), (x2, y2) = way.longest() if not way.lane else (way.points[1], way.points[2])
        for text in self.words.beside(arrow):
            x, y = (x1 + x2) / 2, (y1 + y2) / 2
            places = [(x, y - 4, "middle"), (x, y + 11, "middle")] if y1 == y2 else []
            lean = abs((x2 - x1) / (y2 - y1)) if y1 != y2 else 0
            away = min(9 + lean * TEXT / 2, abs(x2 - x1) / 2 + 9)  # a slanted arrow passes clear of the letters
            places += [
                (x1 + (x2 - x1) * t + side * away, y1 + (y2 - y1) * t + 3.5, anchor)
                for t in (0.5, 0.25, 0.75)
                for side, anchor in ((-1, "end"), (1, "start"))
            ]
            found = self._put([[Text(px, py, text, TEXT, anchor)] for px, py, anchor in places], text)
            if found and mark is None and arrow.via:
                yield self.facts.drawn([*found], self.net.node(arrow.via[0]), arrow.via, "")
            else:
                yield from found
        if mark is not None:
            text = factors(self.net, arrow)
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
            spot, said = ends[name], self.facts.labels.get(name, name)
            x, y = spot.right, spot.middle[1]
            stub = Path((x, y), [((x + STUB, y),)], "grid.run", arrow=True, filled=True, head=HEAD)
            text = Text(x + STUB + AFTER, y + 3.5, said, TEXT, "start", bold=True, halo=True)
            if not spot.cell.readers and self.board.is_free(text.box):
                self.board.draw([stub.start, stub.end])
                self.board.take(text.box)
                yield stub
                yield text
            else:
                mid = spot.middle[0]
                places = [Text(mid, spot.bottom + 10 + LINE * n, said, TEXT, "middle", bold=True) for n in range(3)]
                yield from self._put([[place] for place in places], said)


def _rounded(points: Sequence[Point], radius: float = 4.0) -> list[tuple[Point, ...]]:
    """The segments of a line with its corners rounded, each side of a corner by itself: many are short."""
    made: list[tuple[Point, ...]] = []
    for before, at, after in zip(points, points[1:], points[2:], strict=False):
        (one, first), (other, last) = (
            [towards(at, end, min(by, dist(at, end) / 2)) for by in (radius, radius / 2)] for end in (before, after)
        )
        made += [(one,), (first, last, other)]
    return [*made, (points[-1],)]
