"""What a graph figure shows: the structure of a network, folded, with layers fused.

A `Seq` is laid out along one line. Branches stand beside each other in a `Fork`, whose combiner follows it in the
sequence. Where only one branch has layers to show, it is part of the line and the others are skips at its side.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import inf

from netc.analysis.structure import BANDS, Group, Least, Series, fold, names_of, structure
from netc.figures import facts
from netc.figures.options import Options
from netc.ir.net import Net, Node
from netc.layers.merge import Add
from netc.lower.expansion import Task, walk
from netc.program import Program

MOST_BANDS = 4  # normalisations and activations that are drawn with their layer
_HOSTS = frozenset({"conv", "dense"})
_LEAST = {"none": Least(inf, inf), "auto": Least(), "all": Least(2, 1)}  # what is a frame


@dataclass(slots=True, eq=False)
class Leaf:
    """One box: a layer with the normalisations and activations before and after it that are drawn with it.

    An `output` is the mark that names an output of the network.
    """

    names: list[str]
    main: int = 0
    output: bool = False

    @property
    def exit(self) -> str:
        """The node whose tensor leaves it."""
        return self.names[-1]


@dataclass(slots=True, eq=False)
class Seq:
    """Items one after the other."""

    items: list[Item] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class Fork:
    """Branches beside each other; the combiner that joins them is the next item."""

    branches: list[Seq]
    rootless: bool = False  # each branch begins with an input of its own
    trunk: int | None = None  # the branch that goes on along the line; the others end in outputs of their own


@dataclass(slots=True, eq=False)
class Frame:
    """Equal consecutive blocks, of which the first is shown. `varies` where their channels differ."""

    body: Seq
    count: int
    names: list[str]  # of all layers of all blocks
    title: str
    varies: bool


Item = Leaf | Fork | Frame


@dataclass(slots=True, eq=False)
class Skip:
    """A shortcut without a box of its own: `names` are the layers on it, which are said by a label."""

    source: str
    target: str
    names: list[str]


@dataclass(slots=True)
class Tree:
    """All that is shown. `shown` maps every layer to the one that is drawn for it."""

    root: Seq
    skips: list[Skip]
    shown: dict[str, str]
    hidden: set[str]


class Builder:
    """Builds the tree of a program; `build` is the way in."""

    def __init__(self, program: Program, options: Options) -> None:
        self.program = program
        self.net: Net = program.net
        self.options = options
        self.shown = {node.name: node.name for node in self.net}
        self.skips: list[Skip] = []

    def build(self) -> Tree:
        """The whole tree."""
        shapes, least = self.net.shapes, _LEAST[self.options.collapse]
        whole = structure(self.program)
        folded = fold(self.net, whole, lambda node: facts.label(node.layer, shapes[node.name]), least=least)
        items: list[Item] = []
        walk(self._items(folded, items))
        hidden = {name for name, drawn in self.shown.items() if drawn != name}
        return Tree(Seq(self._fused(items)), self.skips, self.shown, hidden)

    def _items(self, series: Series, out: list[Item]) -> Task:
        for item in series.items:
            if isinstance(item, Group):
                inner: list[Item] = []
                yield self._items(item.passes[0], inner)
                out.append(self._frame(item, self._fused(inner)))
                continue
            branches: list[list[Item]] = [[] for _ in item.branches]
            for branch, made in zip(item.branches, branches, strict=True):
                yield self._items(branch, made)
            self._branches(item.names[0], branches, out)
            out.append(Leaf(item.names))

    def _frame(self, group: Group, items: list[Item]) -> Frame:
        first, *others = [names_of(each) for each in group.passes]
        for again in others:
            self.shown.update((name, self.shown[drawn]) for name, drawn in zip(again, first, strict=True))
        names = [*first, *(name for again in others for name in again)]
        varies = any(self.net.shapes[name] != self.net.shapes[first[k % len(first)]] for k, name in enumerate(names))
        title = first[0] if len(first) == 1 else group.name if group.definition else "repeat"
        return Frame(Seq(items), len(group.passes), names, title, varies)

    def _branches(self, merge: str, branches: list[list[Item]], out: list[Item]) -> None:
        """Branches as a fork, or as a part of the line with skips at its side."""
        full = [branch for branch in branches if branch]
        light = [branch for branch in full if self._is_light(merge, branch)] if len(full) > 1 else []
        heavy = [branch for branch in full if branch not in light]
        if not heavy:
            heavy, light = light, []
        for branch in light:
            names = [leaf.names[0] for leaf in branch if isinstance(leaf, Leaf)]
            self.skips.append(Skip(self.net.operands(names[0])[0], merge, names))
        if len(heavy) == 1:
            out.extend(heavy[0])
        elif heavy:
            out.append(Fork([Seq(self._fused(branch)) for branch in heavy]))

    def _is_light(self, merge: str, branch: Sequence[Item]) -> bool:
        """Whether a branch of an `add` is a shortcut as papers draw it: no more than a projection."""
        if self.options.expand or not isinstance(self.net.node(merge).layer, Add) or len(branch) > 3:
            return False
        names = [leaf.names[0] for leaf in branch if isinstance(leaf, Leaf)]
        if len(names) < len(branch):
            return False
        operands = [self.net.operands(name) for name in names]
        chained = all(operands[place] == (names[place - 1],) for place in range(1, len(names)))
        nodes = [self.net.node(name) for name in names]
        convolutions = [node for node in nodes if node.layer.family == "conv"]
        narrow = all(getattr(node.layer, "kernel", 1) in (1, (1, 1), (1,), (1, 1, 1)) for node in convolutions)
        plain = all(node.layer.family in ("conv", "norm", "shape", "pool") for node in nodes)
        return chained and narrow and plain and len(convolutions) <= 1 and len(operands[0]) == 1

    # -- fusing ----------------------------------------------------------------------------------------------

    def _fused(self, items: Sequence[Item]) -> list[Item]:
        """Normalisations and activations drawn with the layer that they follow, or else precede."""
        if self.options.expand:
            return list(items)
        out: list[Item] = []
        for item in items:
            last = out[-1] if out else None
            if isinstance(item, Leaf) and isinstance(last, Leaf) and self._fuses(last, item):
                main = last.main if self._node(last).layer.family not in BANDS else len(last.names) + item.main
                if self._node(item).layer.family in BANDS and self._node(last).layer.family in BANDS:
                    main = last.main
                out[-1] = Leaf([*last.names, *item.names], main)
            else:
                out.append(item)
        return out

    def _node(self, leaf: Leaf) -> Node:
        return self.net.node(leaf.names[leaf.main])

    def _fuses(self, last: Leaf, item: Leaf) -> bool:
        tensor, next_node = last.exit, self.net.node(item.names[0])
        consumers = self.net.consumers(tensor)
        if len(consumers) != 1 or tensor in self.net.outputs or self.net.operands(next_node.name) != (tensor,):
            return False
        if len(last.names) + len(item.names) > MOST_BANDS + 1:
            return False
        before, family = self._node(last).layer.family, next_node.layer.family
        if family in BANDS:
            return before in _HOSTS | BANDS or (before == "merge" and family == "activation")
        return before in BANDS and family in _HOSTS
