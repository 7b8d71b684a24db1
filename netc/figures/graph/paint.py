"""Draws a graph figure: boxes, frames, labels, lines."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from math import ceil

from netc.analysis.cost import Cost
from netc.analysis.sizes.trace import Extents
from netc.figures import facts
from netc.figures.facts import Facts
from netc.figures.graph.lines import Lines
from netc.figures.graph.measure import LABEL, LANE, NODE, PILL, TAP, Measures
from netc.figures.graph.place import Places
from netc.figures.graph.route import Router, Side
from netc.figures.graph.tree import Frame, Leaf, Tree
from netc.figures.options import Options
from netc.figures.page import sheet
from netc.figures.scene import Box, Group, Item, Rect, Scene, Stamp, Template, Text, fit, text_width
from netc.figures.trunk import LINES

WIDEST = 260.0  # box
_BAND = 3.5  # of a normalisation or an activation in a box


class Painter:
    """Makes the scene of a tree."""

    def __init__(self, known: Facts, tree: Tree, options: Options) -> None:
        self.facts, self.tree, self.options = known, tree, options
        self.net = known.program.net
        self._templates: dict[str, Template] = {}  # by key
        self.vertical = options.direction == "tb"
        self.router = Router(tree, self.net)
        self.flows, self.sides = self.router.route()
        self.texts = {id(leaf): self._text(leaf) for leaf in self.router.leaves}
        widths = {id(leaf): self._size(leaf) for leaf in self.router.leaves}
        self.measures = Measures(self.vertical, self.router.spots, widths, self.router.tracks)
        self._label_slots()
        self._label_skips()
        self.measures.run(self.router.order)
        self.places = Places(self.measures)
        self.places.run(self.router.order[0], (options.columns or 1) if self.vertical else 1)

    # -- what is said ----------------------------------------------------------------------------------------

    def _family(self, leaf: Leaf) -> str:
        return "input" if leaf.output else self.net.node(leaf.names[leaf.main]).layer.family

    def _text(self, leaf: Leaf) -> str:
        if leaf.output:
            name = leaf.exit if len(self.net.outputs) > 1 else ""
            return self._named("output ", name, self.facts.shape(leaf.exit))
        main = self.net.node(leaf.names[leaf.main])
        parts = [facts.label(main.layer, self.net.shapes[main.name])]
        if main.layer.family not in ("conv", "dense"):
            parts += [facts.word(self.net.node(name).layer) for name in leaf.names[leaf.main + 1 :]]
        if main.layer.is_input and len(self.net.inputs) > 1:
            return self._named("", f"{main.name}:", parts[0])
        return fit(", ".join(parts), WIDEST - 12)

    @staticmethod
    def _named(before: str, name: str, after: str) -> str:
        """A text with a name in it, which is cut where it is too long for all to fit."""
        room = WIDEST - 12 - text_width(f"{before} {after}")
        return fit(before + (f"{fit(name, room)} " if name else "") + after, WIDEST - 12)

    def _size(self, leaf: Leaf) -> tuple[float, float]:
        width = text_width(self.texts[id(leaf)])
        if self._is_pill(leaf):
            return max(round(width) + 18.0, 34.0 if width < 30 else 100.0), PILL
        return max(NODE[0], round(width) + 12.0), NODE[1]

    def _is_active(self, leaf: Leaf) -> bool:
        """Whether the layer of a box has an activation as an argument, which is drawn as a band."""
        layer = self.net.node(leaf.names[leaf.main]).layer
        return not self._is_pill(leaf) and getattr(layer, "act", "linear") != "linear"

    def _is_pill(self, leaf: Leaf) -> bool:
        return leaf.output or self._family(leaf) in ("merge", "input")

    def _label_slots(self) -> None:
        """Shapes beside the line, where they change."""
        wanted = self.options.shapes
        if wanted == "none":
            return
        for spot in self.router.order:
            branch = spot.parent is not None and not isinstance(spot.owner, Frame)
            if isinstance(spot.owner, Frame) and spot.owner.varies:
                continue
            last: Extents | None = None
            for index, item in enumerate(spot.seq.items[:-1]):
                if not isinstance(item, Leaf | Frame) or (isinstance(item, Leaf) and item.output):
                    continue
                name = item.exit if isinstance(item, Leaf) else item.names[-1]
                shape = self.facts.extents(name)
                if isinstance(item, Leaf) and self._family(item) == "input":
                    last = shape
                    continue
                before = last if last is not None else self._entry_shape(spot.seq.items[index])
                changed = shape[:-1] != (before or ())[:-1] if branch else shape != before
                if wanted == "all" or changed:
                    spot.labels[index + 1] = self.facts.shape(name)
                last = shape

    def _entry_shape(self, item: object) -> Extents | None:
        """The shape that enters an item."""
        names = item.names if isinstance(item, Leaf | Frame) else ()
        operands = self.net.operands(names[0]) if names else ()
        return self.facts.extents(operands[0]) if operands else None

    def _label_skips(self) -> None:
        for side in self.sides:
            if not side.names:
                continue
            text = ", ".join(filter(None, map(self._skip_label, side.names)))
            leg = side.legs[0]
            leg.label = fit(text, 130, LABEL)
            leg.width = LANE + (ceil(text_width(leg.label, LABEL)) + 4 if self.vertical else LABEL + 4)

    def _skip_label(self, name: str) -> str:
        layer, shape = self.net.node(name).layer, self.net.shapes[name]
        if layer.family == "norm":
            return ""
        text = facts.label(layer, shape)
        return text.replace(" conv", "", 1) if layer.family == "conv" else text.replace("subsample ", "/")

    # -- the scene -------------------------------------------------------------------------------------------

    def scene(self) -> Scene:
        """The whole figure."""
        lines = Lines(self.places, self.router, self.vertical)
        edges, skips, dotted = lines.draw(self.flows, self.sides, self._changes)
        items: list[Item] = [*self._frames()]
        looks = (("edge", edges), ("skip", skips), ("dotted", dotted))
        items += [Group([*paths], look=look) for look, paths in looks if paths]
        items += self._slot_labels()
        items += self._leg_labels(lines)
        places = {node.name: place for place, node in enumerate(self.net)}
        leaves = sorted(self.router.leaves, key=lambda leaf: (places[leaf.exit], leaf.output))
        items += [self._box(leaf) for leaf in leaves]
        shown = [pair for pair, paths in zip(LINES, (skips, dotted), strict=True) if paths]
        known = self.facts
        return sheet(
            items,
            title=known.program.name,
            facts=known.header(),
            description=known.description(),
            options=self.options,
            kinds=self._kinds(),
            lines=shown,
        )

    def _changes(self, side: Side) -> bool:
        """Whether a shortcut changes the shape of what it carries."""
        names = side.names
        return bool(names) and self.facts.extents(self.net.operands(names[0])[0]) != self.facts.extents(names[-1])

    def _kinds(self) -> set[str]:
        """Families of all that is shown, in bands too."""
        shown = [leaf for leaf in self.router.leaves if not leaf.output]
        kinds = {self.net.node(name).layer.family for leaf in shown for name in leaf.names}
        return kinds | {"activation"} if any(map(self._is_active, shown)) else kinds

    def _frames(self) -> Iterable[Item]:
        for spot in self.router.order:
            frame = spot.owner
            if not isinstance(frame, Frame):
                continue
            box = self._screen(self.places.items[id(frame)])
            cost = sum((self.facts.cost.layers[name] for name in frame.names), Cost())
            width, height = box.right - box.left, box.bottom - box.top
            border = Template(f"frame{width:g}x{height:g}", [Rect(0, 0, width, height, "frame", 6)])
            title = f"{frame.title}: {frame.count} equal blocks of {len(frame.names) // frame.count} layers"
            more = facts.counts(cost)
            node = self.net.node(frame.names[0])
            yield Group(
                [
                    Stamp(box.left, box.top, border),
                    Text(box.left + 7, box.top + 15, f"×{frame.count}", 12, "start", bold=True),
                ],
                name=f"{frame.names[0]}-frame",
                title="\n".join(filter(None, [title, more, self.facts.place(node)])),
                role="frame",
                line=self.facts.line(node),
                span=self.facts.span(node),
                nodes=[self.net.node(name) for name in frame.names],
            )

    def _screen(self, box: Box) -> Box:
        """A box along the flow and across it as one on the screen."""
        return box if self.vertical else Box(box.top, box.left, box.bottom, box.right)

    def _box(self, leaf: Leaf) -> Group:
        box = self._screen(self.places.items[id(leaf)])
        node = self.net.node(leaf.names[leaf.main])
        before = [self.net.node(name).layer.family for name in leaf.names[: leaf.main]]
        after = [self.net.node(name).layer.family for name in leaf.names[leaf.main + 1 :]]
        if self._is_active(leaf):
            after.insert(0, "activation")
        if self._is_pill(leaf):
            before = after = []
        middle = (box.top + len(before) * _BAND + box.bottom - len(after) * _BAND) / 2
        baseline = min(max(middle + 4.2, box.top + 9.5), box.bottom - 2.7)
        text = Text((box.left + box.right) / 2, round(baseline), self.texts[id(leaf)])
        stamp = Stamp(box.left, box.top, self._template(leaf, box, before, after))
        made = self.facts.drawn([stamp, text], node, leaf.names)
        return replace(made, name=f"{leaf.exit}-output", title=f"output {leaf.exit}") if leaf.output else made

    def _template(self, leaf: Leaf, box: Box, before: list[str], after: list[str]) -> Template:
        """A box with a band for each normalisation and activation, those before the layer at the side it begins."""
        width, height, family = box.right - box.left, box.bottom - box.top, self._family(leaf)
        size = "" if (width, height) == NODE else f"{width:g}"
        marks = "".join(band[0] for band in before) + "." + "".join(band[0] for band in after)
        key = f"{family}{size}" + (marks if before or after else "")
        if key in self._templates:
            return self._templates[key]
        rects = [Rect(0, 0, width, height, family, height / 2 if self._is_pill(leaf) else 3)]
        for number, band in enumerate(before):
            rects.append(Rect(0.5, 0.5 + number * _BAND, width - 1, _BAND, f"{band}.band"))
        for number, band in enumerate(reversed(after)):
            rects.append(Rect(0.5, height - 0.5 - (number + 1) * _BAND, width - 1, _BAND, f"{band}.band"))
        return self._templates.setdefault(key, Template(key, rects))

    def _slot_labels(self) -> Iterable[Item]:
        labels = []
        for spot in self.router.order:
            for slot, text in sorted(spot.labels.items()):
                item = spot.seq.items[slot - 1]
                tapped = slot in spot.taps and not self.places.begins_column(spot, slot)
                at = self.places.items[id(item)].bottom + (TAP if tapped else 0)
                line = self.places.lines[id(item)]
                if self.vertical:
                    labels.append(Text(line + 6, at + 13, text, LABEL, "start", "muted"))
                else:
                    labels.append(Text(at + 4, line - 4, text, LABEL, "start", "muted"))
        return labels

    def _leg_labels(self, lines: Lines) -> Iterable[Item]:
        for side in self.sides:
            leg = side.legs[0]
            if not leg.label:
                continue
            width = ceil(text_width(leg.label, LABEL))
            if self.vertical:
                lane, middle = lines.beside_leg(side, LABEL + 2, 5 + width)
                yield Text(lane + 5, round(middle) + 3, leg.label, LABEL, "start", "note")
            else:
                lane, middle = lines.beside_leg(side, width + 4, LABEL + 5)
                yield Text(round(middle - width / 2), lane + LABEL + 3, leg.label, LABEL, "start", "note")
