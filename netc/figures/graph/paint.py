"""Draws a graph figure: boxes, frames, labels, lines."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from math import ceil

from netc.analysis.cost import Cost
from netc.analysis.sizes.trace import Extents
from netc.figures import facts
from netc.figures.facts import Facts
from netc.figures.graph.boxes import LABEL, SIGN, Form, Kind, broken, needed, row, shapes, strip
from netc.figures.graph.boxes import LINE as LEADING
from netc.figures.graph.cells import Words
from netc.figures.graph.legend import legend
from netc.figures.graph.lines import Lines
from netc.figures.graph.measure import MARK, TAB, TAP, Measures, Spot
from netc.figures.graph.place import Places
from netc.figures.graph.route import Router, Side
from netc.figures.graph.tree import Fork, Frame, Leaf, Tree
from netc.figures.options import Options
from netc.figures.page import room, sheet
from netc.figures.scene import (
    Box,
    Ellipse,
    Group,
    Item,
    Path,
    Point,
    Rect,
    Scene,
    Stamp,
    Template,
    Text,
    fit,
    text_width,
)

_WIDEST = 240.0  # text of a box
NARROWEST = 3  # of the ways to make boxes narrower
_ROWS = 40  # columns, or rows, at most
_RIBBON = 3.0  # how much wider than high a figure is at most that has no width to keep to
_USUAL = 150.0  # width that boxes along a line share at most


class Painter:
    """Makes the scene of a tree."""

    def __init__(self, known: Facts, tree: Tree, options: Options) -> None:
        self.facts, self.tree, self.options = known, tree, options
        self.net = known.program.net
        self.vertical = options.direction == "tb"
        self.router = Router(tree, self.net)
        self.flows, self.sides = self.router.route()
        self.words = Words(known, tree, self.router.leaves, expand=options.expand)
        self.kinds = {id(leaf): self._kind(leaf) for leaf in self.router.leaves}
        self._templates: dict[str, Template] = {}  # by key
        self._label_slots()
        self._label_skips()
        self._fit()

    # -- what is said ----------------------------------------------------------------------------------------

    def _kind(self, leaf: Leaf) -> Kind:
        """What decides the silhouette of a box."""
        if leaf.output:
            return Kind("input")
        node = self.net.node(leaf.names[leaf.main])
        layer, inputs = node.layer, self.net.operand_shapes(node.name)
        windows = layer.windows(inputs) if inputs else ()
        effect = ""
        if layer.stacks:
            effect = "bar"
        elif layer.symbol and layer.symbol == self.words.cells[id(leaf)].main.text:
            effect = "sign"
        elif windows is None:
            effect = "global"
        elif layer.family != "conv" and any(window.up > window.stride for window in windows):
            effect = "up"
        return Kind(layer.family, effect, bool(node.shares and layer.weights(inputs)))

    def _label_slots(self) -> None:
        """Shapes beside the line, where maps change their size."""
        wanted = self.options.shapes
        if wanted == "none":
            return
        for spot in self.router.order:
            if isinstance(spot.owner, Frame) and spot.owner.varies:
                continue
            last: Extents | None = None
            for index, item in enumerate(spot.seq.items[:-1]):
                if not isinstance(item, Leaf | Frame) or (isinstance(item, Leaf) and item.output):
                    continue
                name = item.exit if isinstance(item, Leaf) else item.names[-1]
                shape = self.facts.extents(name)
                if isinstance(item, Leaf) and self.kinds[id(item)].family == "input":
                    last = shape
                    continue
                before = last if last is not None else self._entry_shape(item)
                if wanted == "all" or shape[:-1] != (before or ())[:-1]:
                    spot.labels[index + 1] = self.facts.shape(name)
                last = shape

    def _entry_shape(self, item: Leaf | Frame) -> Extents | None:
        """The shape that enters an item."""
        operands = self.net.operands(item.names[0])
        return self.facts.extents(operands[0]) if operands else None

    def _label_skips(self) -> None:
        for side in self.sides:
            side.legs[0].label = " · ".join(text for name in side.names for text in self._skip_words(name))

    def _skip_words(self, name: str) -> Iterator[str]:
        """What is said of a layer on a skip."""
        for cell in self.words.of(name):
            yield cell.text.replace(" conv", "", 1) if cell.family == "conv" else cell.text.replace("subsample ", "/")

    # -- where it stands -------------------------------------------------------------------------------------

    def _fit(self) -> None:
        """Lay the figure out: for a page, as low as can be in its width; else in one column, or from left to right in
        as many rows as make it no ribbon."""
        most, given = room(self.options, LABEL), self.options.columns
        if most is None:
            for count in [given] if given else range(1, 2 if self.vertical else _ROWS + 1):
                self._lay_out(count, 0)
                width, height = self._size()
                if width <= _RIBBON * height:
                    break
            return
        best: tuple[float, int, int] | None = None
        for narrow in range(NARROWEST + 1):
            for columns in [given] if given else range(1, _ROWS + 1):
                self._lay_out(columns, narrow)
                width, height = self._size()
                fits = width <= most
                if fits and (best is None or height < 0.95 * best[0]):
                    best = height, columns, narrow
                if len(self.places.columns) < columns or fits != self.vertical:
                    break
        if best is not None and best[1:] != (columns, narrow):
            self._lay_out(*best[1:])

    def _size(self) -> tuple[float, float]:
        """How wide and how high the figure is, without what is around it."""
        columns = self.places.columns
        along = max(column.bottom for column in columns) + (self.measures.cut * 2 if len(columns) > 1 else 0.0)
        return (columns[-1].right, along) if self.vertical else (along, columns[-1].right)

    def _lay_out(self, columns: int, narrow: int) -> None:
        """Measure and place all, in at most so many columns. With `narrow` 1 the boxes of branches have their cells
        below them and their texts on two lines, with 2 all boxes have their cells below them, with 3 both."""
        forms: dict[int, Form] = {}
        for leaves, inside in self._lines():
            wrapped, below = narrow >= (1 if inside else 3), narrow >= (1 if inside else 2) or not self.vertical
            width = self._width(leaves, wrapped)
            for leaf in leaves:
                forms[id(leaf)] = self._form(leaf, width, wrapped=wrapped, below=below)
        self.measures = Measures(
            self.vertical, self.router.spots, forms, self.router.tracks, columns, upright=narrow > 0
        )
        self.measures.run(self.router.order)
        self.places = Places(self.measures)
        self.places.run(self.router.order[0])

    def _lines(self) -> Iterator[tuple[list[Leaf], bool]]:
        """The boxes on each line, through frames; and whether that is a branch."""
        heads: dict[int, Spot] = {}
        found: dict[int, list[Leaf]] = {}
        for spot in self.router.order:
            inside = isinstance(spot.owner, Frame) and spot.parent is not None
            heads[id(spot)] = heads[id(spot.parent)] if inside else spot
            found.setdefault(id(heads[id(spot)]), []).extend(i for i in spot.seq.items if isinstance(i, Leaf))
        for spot in self.router.order:
            if heads[id(spot)] is spot:
                trunk = spot.parent is None or (isinstance(spot.owner, Fork) and spot.owner.trunk is not None)
                yield found[id(spot)], not trunk

    def _width(self, leaves: Iterable[Leaf], wrapped: bool) -> float:
        """The width that the boxes on a line share."""
        widths = [0.0]
        for leaf in leaves:
            kind, text = self.kinds[id(leaf)], self.words.cells[id(leaf)].main.text
            if kind.effect != "sign":
                lines = broken(text) if wrapped else (text,)
                widths.append(max(needed(kind, fit(line, _WIDEST)) for line in lines))
        return max((width for width in widths if width <= _USUAL), default=0.0) if self.vertical else 0.0

    def _form(self, leaf: Leaf, width: float, *, wrapped: bool, below: bool) -> Form:
        kind, cells = self.kinds[id(leaf)], self.words.cells[id(leaf)]
        if needed(kind, cells.main.text) > _WIDEST:
            cells = replace(cells, main=replace(cells.main, text=fit(cells.main.text, _WIDEST - 20)))
        below = below or (kind.family == "merge" and self.vertical)  # lines from the side end in what they join
        form = row(kind, cells, width, wrapped=wrapped, below=below)
        if kind.effect == "bar":
            shares = tuple(shape[-1] or 1 for shape in self.net.operand_shapes(leaf.names[leaf.main]))
            form = replace(form, shares=shares)
        return form

    # -- the scene -------------------------------------------------------------------------------------------

    def scene(self) -> Scene:
        """The whole figure."""
        lines = Lines(self.places, self.router, self.vertical)
        edges, skips, dotted = lines.draw(self.flows, self.sides, self._changes)
        items: list[Item] = [*self._frames()]
        looks = (("edge", edges), ("skip", skips), ("dotted", dotted))
        items += [Group([*paths], look=look) for look, paths in looks if paths]
        ties = list(self._ties())
        items += [Group([*ties], look="tie")] if ties else []
        items += self._slot_labels()
        items += self._leg_labels(lines)
        items += self._marks(lines)
        places = {node.name: place for place, node in enumerate(self.net)}
        leaves = sorted(self.router.leaves, key=lambda leaf: (places[leaf.exit], leaf.output))
        items += [self._box(leaf) for leaf in leaves]
        known = self.facts
        forms = [self.measures.forms[id(leaf)] for leaf in leaves]
        return sheet(
            items,
            title=known.program.name,
            facts=known.header(),
            description=known.description(),
            options=self.options,
            legend=legend(forms, self._said_of_lines(bool(skips), bool(dotted))),
            notes=[self.words.sentence] if self.words.sentence else [],
            smallest=LABEL,
        )

    def _said_of_lines(self, skips: bool, dotted: bool) -> list[tuple[str, str]]:
        """What the lines at the side mean: shortcuts lead into sums, skip connections into what joins channels."""
        said = []
        for look, there, changed in (("skip", skips, False), ("dotted", dotted, True)):
            layers = [
                self.net.node(side.target.names[0]).layer for side in self.sides if self._changes(side) == changed
            ]
            words = ["shortcut"] if any(layer.sums for layer in layers) else []
            words += ["skip connection"] if any(layer.stacks for layer in layers) else []
            if there and words:
                said.append((look, ", ".join(words) + (" that changes the shape" if changed else "")))
        return said

    def _changes(self, side: Side) -> bool:
        """Whether a shortcut changes the shape of what it carries."""
        names = side.names
        return bool(names) and self.net.operand_shapes(names[0])[0] != self.net.shapes[names[-1]]

    def _frames(self) -> Iterable[Item]:
        for spot in self.router.order:
            frame = spot.owner
            if not isinstance(frame, Frame):
                continue
            area = self.places.items[id(frame)]
            box = self._screen(area)
            width, height = box.right - box.left, box.bottom - box.top
            wide = self.measures.tab(frame)
            left = wide + 4 <= self.places.lines[id(frame)] - area.left or not self.vertical
            tab = Rect(0 if left else width - wide, 0, wide, TAB[0], "tab")
            x, y = box.left + tab.x + wide / 2, box.top + 10.5
            heading = Text(x, y, frame.heading, TAB[1], look="on", bold=True)
            if self.measures.stands(frame):
                tab = Rect(0, 0, TAB[0], wide, "tab")
                heading = replace(heading, x=box.left + 10.5, y=box.top + wide / 2, turn=-90.0)
            key = f"frame{width:g}x{height:g}-{tab.x + tab.width:g}"
            border = Template(key, [Rect(0, 0, width, height, "frame", 6), tab])
            items: list[Item] = [Stamp(box.left, box.top, border), heading]
            title, more = frame.title or "repeat", ""
            if frame.count > 1:
                blocks = "equal branches" if frame.beside else "equal blocks"
                title += f": {frame.count} {blocks} of {len(frame.names) // frame.count} layers"
                cost = sum((self.facts.cost.layers[name] for name in frame.names), Cost())
                more = facts.counts(cost, self.facts.macs(frame.names))
            node = self.net.node(frame.names[0])
            yield Group(
                items,
                name=f"{frame.names[0]}-{'module' if frame.count == 1 else 'frame'}",
                title="\n".join(filter(None, [title, more, self.facts.place(node)])),
                role="frame",
                line=self.facts.line(node),
                span=self.facts.span(node),
                nodes=[self.net.node(name) for name in frame.names],
            )

    def _screen(self, box: Box) -> Box:
        """A box along the flow and across it as one on the screen."""
        return box if self.vertical else Box(box.top, box.left, box.bottom, box.right)

    def _origin(self, leaf: Leaf) -> Point:
        """Where the line meets the top of a box, around which its form is."""
        box, form = self._screen(self.places.items[id(leaf)]), self.measures.forms[id(leaf)]
        return box.left + form.before, box.top

    def _box(self, leaf: Leaf) -> Group:
        form, (x, y) = self.measures.forms[id(leaf)], self._origin(leaf)
        node = self.net.node(leaf.names[leaf.main])
        if form.key not in self._templates:
            self._templates[form.key] = Template(form.key, shapes(form))
        items: list[Item] = [Stamp(x, y, self._templates[form.key])]
        if form.shares:
            items.append(Group([*strip(form, x, y)], look="share"))
        made = self.facts.drawn([*items, *self._texts(form, x, y)], node, leaf.names)
        return replace(made, name=f"{leaf.exit}-output", title=f"output {leaf.exit}") if leaf.output else made

    def _texts(self, form: Form, x: float, y: float) -> Iterator[Text]:
        """The texts of a box, in the order in which its cells compute."""
        for piece in sorted(form.pieces, key=lambda piece: (piece.top, piece.left)):
            middle, across = (piece.top + piece.bottom) / 2, x + (piece.left + piece.right) / 2
            if form.turned:
                yield Text(across + 1.5, y + middle, piece.lines[0], piece.size, turn=-90.0)
                continue
            up = 2.0 if form.shares and piece is form.pieces[0] else 0.0
            first = y + middle + (5.0 if piece.size == SIGN else 3.7) - up - (len(piece.lines) - 1) * LEADING / 2
            for number, line in enumerate(piece.lines):
                yield Text(across, round(first + number * LEADING), line, piece.size)

    def _ties(self) -> Iterator[Path]:
        """Signs of equality between layers side by side that share their weights."""
        shown = {name: leaf for leaf in self.router.leaves if not leaf.output for name in leaf.names}
        for leaf in self.router.leaves:
            node = self.net.node(leaf.names[leaf.main])
            twin = shown.get(node.shares or "")
            if twin is None or not self.kinds[id(leaf)].dashed or not self._beside(twin, leaf):
                continue
            one, other = sorted(self._screen(self.places.items[id(each)]) for each in (twin, leaf))
            if self.vertical:
                y = (one.top + one.bottom) / 2
                yield from (Path((one.right, y + by), [((other.left, y + by),)], role="tie") for by in (-2, 2))
            else:
                x = (one.left + one.right) / 2
                yield from (Path((x + by, one.bottom), [((x + by, other.top),)], role="tie") for by in (-2, 2))

    def _beside(self, one: Leaf, other: Leaf) -> bool:
        """Whether two boxes stand at one height in neighbouring branches."""
        (spot, _), (next_to, _) = self.router.places[id(one)], self.router.places[id(other)]
        fork = spot.owner
        if not isinstance(fork, Fork) or next_to.owner is not fork:
            return False
        at, to = (next(n for n, seq in enumerate(fork.branches) if seq is each.seq) for each in (spot, next_to))
        return abs(at - to) == 1 and self.places.items[id(one)][1::2] == self.places.items[id(other)][1::2]

    def _slot_labels(self) -> Iterable[Item]:
        labels = []
        for spot in self.router.order:
            for slot, text in sorted(spot.labels.items()):
                item = spot.seq.items[slot - 1]
                tapped = slot in spot.taps and not self.places.begins_column(spot, slot)
                at = self.places.items[id(item)].bottom + (TAP if tapped else 0)
                line = self.places.lines[id(item)]
                if self.vertical:
                    labels.append(Text(line + 6, at + 10, text, LABEL, "start", "muted"))
                else:
                    labels.append(Text(at + 4, line - 4, text, LABEL, "start", "muted"))
        return labels

    def _leg_labels(self, lines: Lines) -> Iterable[Item]:
        for side in self.sides:
            texts = side.legs[0].labelled.lines
            if not texts:
                continue
            width = ceil(max(text_width(text, LABEL) for text in texts))
            height = len(texts) * (LABEL + 1)
            if self.vertical:
                lane, middle = lines.beside_leg(side, width, height + 5)
                for number, text in enumerate(texts):
                    yield Text(
                        lane + 4 + LABEL * 0.78 + number * (LABEL + 1),
                        round(middle),
                        text,
                        LABEL,
                        look="note",
                        turn=-90.0,
                    )
            else:
                lane, middle = lines.beside_leg(side, width + 4, height + 5)
                yield Text(round(middle), lane + LABEL + 2, texts[0], LABEL, look="note")

    def _marks(self, lines: Lines) -> Iterator[Group]:
        """The two ends of each skip that goes on in another column, with a letter."""
        for number, (side, out, into) in enumerate(lines.stubs(self.sides)):
            letter = _letters(number)
            name = f"{side.source.exit}-to-{side.target.exit}"
            title = f"from {side.source.exit} to {side.target.exit}"
            for (x, y), end in ((out, "leaves"), (into, "enters")):
                radius = max(MARK, ceil(text_width(letter, LABEL) / 2) + 1.0)
                mark: list[Item] = [Ellipse(x, y, radius, MARK, "mark"), Text(x, y + 3.4, letter, LABEL)]
                yield Group(mark, name=f"{name}-{end}-{letter}", title=title, role="box")


def _letters(number: int) -> str:
    """`a` to `z`, then `aa`, `ab`, ..."""
    text = ""
    number += 1
    while number:
        number, letter = divmod(number - 1, 26)
        text = chr(97 + letter) + text
    return text
