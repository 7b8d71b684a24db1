"""What is wrong with the geometry of a scene, as a reader would see it: the test of every figure.

`python -m tests.figure_geometry [NETWORKS]` examines the figures of all specs in all styles and of twice that many
random networks (300), and prints what was looked at and how much of it is wrong.
"""

from __future__ import annotations

import itertools
import math
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

import netc
from netc.figures import FigureError, Options
from netc.figures.graph.measure import TAP
from netc.figures.scene import (
    SAFETY,
    Box,
    Ellipse,
    Group,
    Item,
    Point,
    Polygon,
    Rect,
    Scene,
    Stamp,
    Text,
    moved,
    union,
)
from netc.figures.scene import Path as Line
from netc.figures.styles import STYLES, draw
from netc.program import Program
from tests import random_networks
from tests.effort import effort

TOUCH = 1.0  # pixels that an edge may go into the boxes it joins
_CELL = 200.0  # of the grid that boxes are looked up in
SPECS = sorted(Path("specs").glob("*.net"))


@dataclass(slots=True)
class Examined:
    """What a scene shows, and everything wrong with it: texts outside their box or the sheet, overlaps, edges through
    boxes and texts, shortcuts on top of each other."""

    boxes: int
    edges: int
    labels: int
    wrong: list[str]


def violations(scene: Scene) -> list[str]:
    """Everything wrong with a scene."""
    return examine(scene).wrong


def examine(scene: Scene) -> Examined:
    """Look at a whole scene."""
    items = list(scene.walk())
    boxes = [(item.name, item.items[0].box, item) for item in items if isinstance(item, Group) and item.role == "box"]
    inside = {id(inner) for _, _, group in boxes for inner in group.items}
    outlines = {name: silhouettes(group) for name, _, group in boxes}
    labels = [item for item in items if isinstance(item, Text) and id(item) not in inside]
    frames = [item.items[0].box for item in items if isinstance(item, Group) and item.role == "frame"]
    edges = [item for item in items if isinstance(item, Line) and item.role == "edge"]
    sheet = Box(0, 0, scene.width, scene.height)
    found = [
        f"{name}: {text.text!r} leaves its box"
        for name, _, text in _texts(boxes)
        if not any(_inside(_ink(text), outline, 0.5) for outline in outlines[name])
    ]
    found += [f"{name} leaves the sheet" for name, box, _ in boxes if not sheet.holds(box)]
    found += [f"{label.text!r} leaves the sheet" for label in labels if not sheet.holds(label.box, 0.5)]
    areas = [(name, box) for name, box, _ in boxes] + [(repr(label.text), label.box) for label in labels]
    found += [f"{one} overlaps {other}" for one, other in overlaps(areas)]
    found += [
        f"{label.text!r} lies on the border of a frame {frame}"
        for label in labels
        for frame in frames
        if label.box.overlaps(frame) and not frame.holds(label.box)
    ]
    grid = Grid([(name, _grown(box, -TOUCH)) for name, box in areas])
    for edge in edges:
        found += _crossings(edge, grid, sheet, outlines)
    found += _on_top(scene)
    return Examined(len(boxes), len(edges), len(labels), found)


def _texts(boxes: list[tuple[str, Box, Group]]) -> Iterator[tuple[str, Box, Text]]:
    for name, box, group in boxes:
        for item in group.items:
            if isinstance(item, Text):
                yield name, box, item


def overlaps(areas: list[tuple[str, Box]]) -> Iterator[tuple[str, str]]:
    """Pairs that overlap, by a sweep along the longer side."""
    whole = union(box for _, box in areas) if areas else Box(0, 0, 0, 0)
    begin = 0 if whole.right - whole.left > whole.bottom - whole.top else 1  # a box is left, top, right, bottom
    active: list[tuple[str, Box]] = []
    for name, box in sorted(areas, key=lambda area: area[1][begin]):
        active = [each for each in active if each[1][begin + 2] > box[begin]]
        yield from ((name, other) for other, theirs in active if box.overlaps(theirs, 0.3))
        active.append((name, box))


class Grid:
    """Areas by the cells of a grid that they touch."""

    def __init__(self, areas: Iterable[tuple[str, Box]]) -> None:
        self.cells: dict[tuple[int, int], list[tuple[str, Box]]] = defaultdict(list)
        for name, box in areas:
            self.add(name, box)

    def add(self, name: str, box: Box) -> None:
        """One area more."""
        area = name, box
        for cell in _cells(box):
            self.cells[cell].append(area)

    def near(self, box: Box) -> dict[int, tuple[str, Box]]:
        """The areas that a box may meet."""
        return {id(area[1]): area for cell in _cells(box) for area in self.cells.get(cell, ())}


def _cells(box: Box) -> Iterator[tuple[int, int]]:
    across = range(int(box.left // _CELL), int(box.right // _CELL) + 1)
    return itertools.product(across, range(int(box.top // _CELL), int(box.bottom // _CELL) + 1))


def silhouettes(group: Group) -> list[list[Point]]:
    """The areas of a box, each a convex polygon: its cells, as they are seen."""
    shape = group.items[0]
    shapes = [moved(each, shape.x, shape.y) for each in shape.template.items] if isinstance(shape, Stamp) else [shape]
    return [outline for each in shapes if (outline := _outline(each))]


def _ink(text: Text) -> list[Point]:
    """The corners of what a text covers: a sign, such as `+`, stands above its line and not over all of its width."""
    if text.text not in ("+", "×", "−"):
        return text.corners
    left, _, right, _ = text.box
    rim = (right - left) * (1 - 1 / SAFETY) / 2
    top, bottom = text.y - 0.62 * text.size, text.y - 0.05 * text.size
    return [(left + rim, top), (right - rim, top), (right - rim, bottom), (left + rim, bottom)]


def _outline(shape: Item) -> list[Point]:
    if isinstance(shape, Ellipse):
        steps = [index * math.tau / 32 for index in range(32)]
        return [(shape.x + shape.rx * math.cos(step), shape.y + shape.ry * math.sin(step)) for step in steps]
    if isinstance(shape, Polygon):
        return list(shape.points)
    left, top, right, bottom = shape.box
    return [(left, top), (right, top), (right, bottom), (left, bottom)] if isinstance(shape, Rect) else []


def _sides(outline: Sequence[Point]) -> Iterator[tuple[float, float, float]]:
    """The half planes of a convex polygon that is drawn clockwise on the screen: a unit vector inwards, and how far
    along it the side is."""
    for (x, y), (to_x, to_y) in itertools.pairwise([*outline, outline[0]]):
        length = math.hypot(to_x - x, to_y - y) or 1.0
        across, down = (y - to_y) / length, (to_x - x) / length
        yield across, down, across * x + down * y


def _inside(points: Iterable[Point], outline: Sequence[Point], slack: float) -> bool:
    sides = list(_sides(outline))
    return all(x * across + y * down >= at - slack for x, y in points for across, down, at in sides)


def _passes(outline: Sequence[Point], one: Point, other: Point) -> bool:
    """Whether a straight segment goes farther than `TOUCH` into a convex polygon (Cyrus & Beck 1978)."""
    low, high = 0.0, 1.0
    for across, down, at in _sides(outline):
        begin, end = (x * across + y * down - at - TOUCH for x, y in (one, other))
        if begin <= 0 and end <= 0:
            return False
        if begin * end < 0:
            share = begin / (begin - end)
            low, high = (max(low, share), high) if begin < 0 else (low, min(high, share))
    return low < high


def _crossings(path: Line, grid: Grid, sheet: Box, outlines: dict[str, list[list[Point]]]) -> list[str]:
    points = list(path.points())
    found = (
        []
        if all(sheet.holds(Box(*point, *point), 0.5) for point in points)
        else [f"an edge at {points[0]} leaves the sheet"]
    )
    near = [(name, box) for name, box in grid.near(path.box).values() if box.overlaps(_grown(path.box, TOUCH))]
    for name, box in near:
        pieces = list(itertools.pairwise(points))
        meets = any(_segment_meets(box, one, other) for one, other in pieces)
        if meets and name in outlines:
            meets = any(_passes(outline, *piece) for outline in outlines[name] for piece in pieces)
        if meets:
            found.append(f"an edge from {points[0]} to {points[-1]} crosses {name} {box}")
    return found


def in_the_air(scene: Scene) -> list[str]:
    """Lines of a graph that begin neither at a box nor on another line."""
    items = list(scene.walk())
    grid = Grid(
        (item.name, _grown(item.items[0].box, TOUCH))
        for item in items
        if isinstance(item, Group) and item.role == "box"
    )
    edges = {str(number): item for number, item in enumerate(items) if isinstance(item, Line) and item.role == "edge"}
    for number, edge in edges.items():
        for (x, y), (to_x, to_y) in itertools.pairwise(edge.points()):
            grid.add(number, _grown(Box(min(x, to_x), min(y, to_y), max(x, to_x), max(y, to_y)), TOUCH))
    return [
        f"an edge begins in the air, at {edge.start}"
        for number, edge in edges.items()
        if all(
            name == number for name, box in grid.near(Box(*edge.start, *edge.start)).values() if _on(box, edge.start)
        )
    ]


def _on(box: Box, point: Point) -> bool:
    return box.holds(Box(*point, *point))


def _on_top(scene: Scene) -> Iterator[str]:
    """Shortcuts that run along each other on the same pixels."""
    groups = [item for item in scene.walk() if isinstance(item, Group) and item.look in ("skip", "dotted")]
    runs: dict[tuple[bool, float], list[tuple[float, float]]] = defaultdict(list)
    for path in (path for group in groups for path in group.items if isinstance(path, Line) and path.role == "edge"):
        for one, other in _long_sides(path):
            upright = one[0] == other[0]
            along = sorted((one[1], other[1]) if upright else (one[0], other[0]))
            runs[upright, one[0] if upright else one[1]].append((along[0], along[1]))
    for (upright, at), spans in runs.items():
        spans.sort()
        for before, after in itertools.pairwise(spans):
            if after[0] < before[1] - 1:
                yield f"two shortcuts run on {'x' if upright else 'y'}={at} from {after[0]} to {before[1]}"


def _long_sides(path: Line) -> Iterator[tuple[tuple[float, float], tuple[float, float]]]:
    """The straight pieces in the middle of a path: not those at its ends, which others may share (after a layer that
    nothing follows, one more: they leave it straight on)."""
    last, straight = path.start, []
    for segment in path.segments:
        if len(segment) == 1 and (segment[0][0] == last[0]) != (segment[0][1] == last[1]):
            straight.append((last, segment[0]))
        last = segment[-1]
    upright = [one[0] == other[0] for one, other in straight]
    (x, y), (to_x, to_y) = straight[0] if straight else ((0, 0), (0, 0))
    alone = bool(straight) and (upright[0] != upright[-1] or abs(to_x - x) + abs(to_y - y) < TAP)
    return iter(straight[2 if alone else 1 : -1])


def _grown(box: Box, by: float) -> Box:
    return Box(box.left - by, box.top - by, box.right + by, box.bottom + by)


def _segment_meets(box: Box, one: tuple[float, float], other: tuple[float, float]) -> bool:
    """Whether a straight segment has a point inside a box (Liang & Barsky 1984)."""
    dx, dy = other[0] - one[0], other[1] - one[1]
    low, high = 0.0, 1.0
    for step, room in (
        (-dx, one[0] - box.left),
        (dx, box.right - one[0]),
        (-dy, one[1] - box.top),
        (dy, box.bottom - one[1]),
    ):
        if step == 0:
            if room <= 0:
                return False
            continue
        at = room / step
        if step < 0:
            low = max(low, at)
        else:
            high = min(high, at)
    return low < high


# -- random networks: statements that keep the shape, so that all can be joined ------------------------------

LAYERS = ["conv 8x3 relu", "bn; relu; conv 8x3", "conv 8x3 bn relu", "dropout 0.5", "bn", "relu", "pool 3/1"]


@st.composite
def bodies(draw: Any, depth: int = 0, labels: tuple[str, ...] = ()) -> str:
    """Statements of a network with an input of 8x8x8."""
    lines, known = [], list(labels)
    for _ in range(draw(st.integers(1, 4 if depth else 6))):
        kinds = ["layer", "layer", "join", "from", "label"] + ["branches", "repeat"] * (depth < 3)
        kind = draw(st.sampled_from(kinds))
        if kind == "layer":
            lines.append(draw(st.sampled_from(LAYERS)))
        elif kind == "label":
            name = f"l{draw(st.integers(0, 10**9))}"
            lines.append(f"{name}: conv 8x1")
            known.append(name)
        elif kind == "join" and known:
            lines.append(f"add {draw(st.sampled_from(known))}")
        elif kind == "from" and known:
            lines.append(f"add {{ | from {draw(st.sampled_from(known))} | identity }}")
        elif kind == "branches":
            joined = draw(
                st.lists(
                    st.one_of(st.just("identity"), st.just("conv 8x1"), bodies(depth + 1, tuple(known))),
                    min_size=2,
                    max_size=4,
                )
            )
            merge, after = draw(st.sampled_from([("add", ""), ("concat", "\nconv 8x1")]))
            lines.append(merge + " {\n" + "".join(f"| {branch}\n" for branch in joined) + "}" + after)
        elif kind == "repeat":
            lines.append(f"repeat {draw(st.integers(1, 3))} {{\n{draw(bodies(depth + 1, tuple(known)))}\n}}")
    return "\n".join(lines) or "relu"


def random_net(body: str, after: str = "") -> netc.Network | None:
    """A network around a body, and with another one after it three heads; None where labels of one branch in another
    are refused."""
    text = f"{body}\ngap; fc 3 softmax"
    if after:
        heads = "from mid; conv 8x3; second: conv 1x1\nfrom start; third: conv 1x1\noutput main second third"
        text = f"start: conv 8x1\n{body}\nmid: conv 8x1\n{after}\ngap; main: fc 3 softmax\n{heads}"
    try:
        return netc.loads(f"input 8x8x8\n{text}")
    except netc.SpecError:
        return None


# -- the command ---------------------------------------------------------------------------------------------


@dataclass
class Tally:
    """What was examined of each kind of figure."""

    figures: Counter[str] = field(default_factory=Counter)
    boxes: Counter[str] = field(default_factory=Counter)
    edges: Counter[str] = field(default_factory=Counter)
    labels: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)

    def add(self, kind: str, which: str, scene: Scene) -> None:
        """Examine one figure."""
        found = examine(scene)
        self.figures[kind] += 1
        self.boxes[kind] += found.boxes
        self.edges[kind] += found.edges
        self.labels[kind] += found.labels
        self.wrong += [f"{kind} of {which}: {each}" for each in found.wrong]

    def try_graph(self, kind: str, program: Program, options: Options, which: str) -> None:
        """Examine a graph, unless it is refused as too wide for a page."""
        try:
            scene = draw([program], "graph", options)
        except FigureError:
            if options.width is None:
                raise
            return
        self.add(kind, f"{which} {options}", scene)

    def table(self) -> str:
        """The counts, and their sums."""
        lines = [f"{'':<10}{'figures':>9}{'boxes':>10}{'edges':>10}{'labels':>10}"]
        columns = (self.figures, self.boxes, self.edges, self.labels)
        for kind in (*self.figures, "all"):
            counts = (column.total() if kind == "all" else column[kind] for column in columns)
            lines.append(f"{kind:<10}" + "".join(f"{n:>{9 if not at else 10},}" for at, n in enumerate(counts)))
        return "\n".join(lines)


def variants() -> list[Options]:
    """Every way to draw a graph."""
    ways = itertools.product(("auto", "none", "all"), (False, True), ("change", "all", "none"))
    places = ({}, {"columns": 4}, {"direction": "lr"}, {"width": "7in"}, {"width": "3.3in"})
    return [
        Options(collapse=collapse, expand=expand, shapes=shapes, **place)  # type: ignore[arg-type]
        for (collapse, expand, shapes), place in itertools.product(ways, places)
    ]


def look_at_grids(tally: Tally, path: Path) -> None:
    """Examine the grids of a network on pages."""
    program = netc.load(path).program
    for width in ("7in", "3.3in"):
        try:
            tally.add("grid", f"{path.stem} {width}", draw([program], "grid", Options(width=width)))
        except FigureError:
            continue


def main(networks: int) -> int:
    """Examine all and print; 1 if anything is wrong."""
    tally, start = Tally(), time.monotonic()
    for path in SPECS:
        program = netc.load(path).program
        for options in variants():
            tally.try_graph("graph", program, options, path.stem)
        for style, collapse in itertools.product(sorted(set(STYLES) - {"graph"}), ("auto", "none")):
            try:
                scene = draw([program], style, Options(collapse=collapse))
            except FigureError:
                continue  # a network that the style refuses with words
            tally.add(style, f"{path.stem} collapse={collapse}", scene)
        look_at_grids(tally, path)
        print(f"{path.stem}: {len(tally.wrong)} wrong so far", file=sys.stderr)

    for path in sorted(Path("tests/figures_nets").glob("*.net")):
        tally.add("grid", path.stem, draw([netc.load(path).program], "grid"))
        look_at_grids(tally, path)

    @effort(networks)
    @given(bodies(), bodies() | st.just(""), st.sampled_from(variants()))
    def examine_random(body: str, after: str, options: Options) -> None:
        net = random_net(body, after)
        if net is not None:
            tally.try_graph("random", net.program, options, f"{body}\n{after}\n")

    @effort(networks)
    @given(random_networks.networks(), st.sampled_from(variants()))
    def examine_any(text: str, options: Options) -> None:
        program = random_networks.compiled(text)
        assert program is not None
        tally.try_graph("random", program, options, f"{text}\n")

    examine_any()
    examine_random()
    print(tally.table())
    print(*tally.wrong[:40], sep="\n")
    print(f"{len(tally.wrong)} violations, {time.monotonic() - start:.0f} s")
    return int(bool(tally.wrong))


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 300))
