"""What the boxes of a graph figure say: cells in the order in which they compute, and one sentence for those that most
convolutions have in common."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from netc.figures import facts
from netc.figures.facts import Facts
from netc.figures.graph.tree import Leaf, Tree

FEWEST = 5  # convolutions whose cells a sentence stands for, where half of them are alike
_NUMBER = re.compile(r"\d+(?:\.\d+)?(?:e-?\d+)?")
Pattern = tuple[tuple[str, ...], tuple[str, ...]]  # what cells before and after a convolution say


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell of a box: what it says, and the family of its operation."""

    text: str
    family: str


@dataclass(frozen=True, slots=True)
class Cells:
    """The cells of a box: that of its layer, and those before and after it."""

    main: Cell
    before: tuple[Cell, ...] = ()
    after: tuple[Cell, ...] = ()

    @property
    def pattern(self) -> Pattern:
        """What stands around the layer."""
        return tuple(cell.text for cell in self.before), tuple(cell.text for cell in self.after)

    @property
    def all(self) -> tuple[Cell, ...]:
        """All of them, in the order in which they compute."""
        return *self.before, self.main, *self.after


class Words:
    """The cells of all boxes. `rule` is what a convolution without cells has; with it, one that has none is marked."""

    def __init__(self, known: Facts, tree: Tree, leaves: Sequence[Leaf], *, expand: bool) -> None:
        self.facts, self.net = known, known.program.net
        self._others: dict[str, list[str]] = defaultdict(list)  # layers that another one is drawn for
        for name, drawn in tree.shown.items():
            if name != drawn:
                self._others[drawn].append(name)
        self.whole = {id(leaf): self._cells(leaf) for leaf in leaves}
        convolutions = [cells for cells in self.whole.values() if cells.main.family == "conv"]
        self.rule, self.always = (None, False) if expand else _rule(convolutions)
        self.cells = {key: self._shortened(cells) for key, cells in self.whole.items()}

    @property
    def sentence(self) -> str:
        """What the rule says: `A convolution without cells is followed by BN and ReLU.`"""
        if self.rule is None:
            return ""
        said = [
            f"{how} by {facts.listed(texts)}"
            for how, texts in zip(("preceded", "followed"), self.rule, strict=True)
            if texts
        ]
        return f"{'Every convolution' if self.always else 'A convolution without cells'} is {' and '.join(said)}."

    def _shortened(self, cells: Cells) -> Cells:
        if self.rule is None or cells.main.family != "conv":
            return cells
        if cells.pattern == self.rule:
            return Cells(cells.main)
        if cells.pattern == ((), ()):
            return Cells(cells.main, after=(Cell(NONE, ""),))
        return cells

    def _cells(self, leaf: Leaf) -> Cells:
        if leaf.output:
            name = self.facts.labels.get(leaf.exit, leaf.exit) if len(self.net.outputs) > 1 else ""
            shape = self.facts.shape(leaf.exit)
            return Cells(Cell(" ".join(filter(None, ["output", name, shape])), "input"))
        main = leaf.names[leaf.main]
        own, *more = self.of(main)
        before = (cell for name in leaf.names[: leaf.main] for cell in self.of(name))
        after = [*more, *(cell for name in leaf.names[leaf.main + 1 :] for cell in self.of(name))]
        layer = self.net.node(main).layer
        if layer.is_input:
            own = Cell(f"{main if len(self.net.inputs) > 1 else 'input'} {self.facts.shape(main)}", own.family)
        if layer.stacks:
            channels = (str(self.net.shapes[name][-1]) for name in (main, *self._others[main]))
            own = Cell(f"{own.text}, {_range(channels)}", own.family)
        formula = self.net.node(leaf.names[leaf.main + 1]).layer.formula if len(leaf.names) > leaf.main + 1 else ""
        if layer.symbol and formula and len(self.net.operands(main)) == 2:
            own = Cell(formula.format(f"a {layer.symbol} b"), own.family)
            after = after[1:]
        return Cells(own, tuple(before), tuple(after))

    def of(self, name: str) -> list[Cell]:
        """The cells of a layer, with the range of what the layers have that it is drawn for: `drop path 0.1…0.3`."""
        node = self.net.node(name)
        texts = facts.parts(node.layer, self.net.shapes[name])
        others = [layer for each in self._others[name] if (layer := self.net.node(each).layer) != node.layer]
        if others:
            more = (facts.parts(layer, self.net.shapes[name]) for layer in others)
            texts = tuple(map(_range, zip(texts, *more, strict=True)))
        families = (node.layer.family, *["activation"] * (len(texts) - 1))
        return [Cell(text, family) for text, family in zip(texts, families, strict=True)]


NONE = "plain"  # said of a convolution that has no cells where one without is short for some


def _rule(convolutions: Sequence[Cells]) -> tuple[Pattern | None, bool]:
    """What most convolutions have around them, and whether all do."""
    if len(convolutions) < FEWEST:
        return None, False
    ((pattern, count),) = Counter(cells.pattern for cells in convolutions).most_common(1)
    if pattern == ((), ()) or 2 * count < len(convolutions):
        return None, False
    return pattern, count == len(convolutions)


def _range(texts: Iterable[str]) -> str:
    """Texts that differ in numbers as one, each number from the least to the largest."""
    first, *others = dict.fromkeys(texts)
    rows = [_NUMBER.findall(text) for text in (first, *others)]
    columns = iter(list(zip(*rows, strict=True)))

    def told(found: re.Match[str]) -> str:
        values = sorted(set(next(columns)), key=float)
        return values[0] if len(values) == 1 else f"{values[0]}…{values[-1]}"

    return _NUMBER.sub(told, first)
