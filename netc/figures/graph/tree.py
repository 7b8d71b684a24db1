"""What a graph figure shows: the structure of a network, with equal blocks joined and layers fused.

A `Seq` is laid out along one line. Branches stand beside each other in a `Fork`, whose combiner follows it in the
sequence. Where only one branch has layers to show, it is part of the line and the others are skips at its side.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from netc.analysis.structure import BANDS, LEAST_BLOCKS, LEAST_LAYERS, Layers, Series, structure
from netc.figures import facts
from netc.figures.options import Options
from netc.ir.net import Net, Node
from netc.layers.merge import Add
from netc.lower.expansion import Task, walk
from netc.program import Program

MOST_BANDS = 4  # normalisations and activations that are drawn with their layer
_HOSTS = frozenset({"conv", "dense"})


@dataclass(slots=True, eq=False)
class Leaf:
    """One box: a layer with the normalisations and activations before and after it that are drawn with it.

    An `output` is the mark that names an output of the network.
    """

    names: list[str]
    main: int = 0
    output: bool = False
    sig: int = 0
    weight: int = 1

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
    sig: int = 0
    weight: int = 0
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
    sig: int = 0
    weight: int = 0


Item = Leaf | Fork | Frame


@dataclass(slots=True, eq=False)
class Block:
    """What one call or one pass made, until it is known whether it is one of several equal ones."""

    title: str
    items: list[Item]
    first: int  # place of its first layer in the network, and of the one after its last
    end: int
    sig: int
    weight: int


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
        self.net: Net = program.net
        self.whole = structure(program)
        self.options = options
        self.order = [node.name for node in self.net]
        self.index = {name: place for place, name in enumerate(self.order)}
        self.shown = {name: name for name in self.order}
        self.skips: list[Skip] = []
        self._at = 0  # place in the network of the next layer
        self._known: dict[object, int] = {}
        self._labels = {node.name: facts.label(node.layer, self.net.shapes[node.name]) for node in self.net}

    def build(self) -> Tree:
        """The whole tree."""
        items: list[Item | Block] = []
        walk(self._items(self.whole, items))
        root = Seq(self._fused(self._joined(items)))
        hidden = {name for name in self.order if self.shown[name] != name}
        skips = [skip for skip in self.skips if skip.target not in hidden]
        return Tree(root, skips, self.shown, hidden)

    # -- items -----------------------------------------------------------------------------------------------

    def _items(self, series: Series, out: list[Item | Block]) -> Task:
        for item in series.items:
            if isinstance(item, Layers):
                branches: list[list[Item | Block]] = []
                for branch in item.branches:
                    branches.append([])
                    yield self._items(branch, branches[-1])
                self._layers(item, branches, out)
                continue
            for inner in item.passes:
                made: list[Item | Block] = []
                first = self._at
                yield self._items(inner, made)
                self._close(item.name if item.definition else "repeat", first, made, out)

    def _close(self, title: str, first: int, made: list[Item | Block], out: list[Item | Block]) -> None:
        if len(made) == 1 and isinstance(made[0], Block | Leaf):
            out.append(made[0])
            return
        if not made:
            return
        items = self._joined(made)
        sig = self._sig(("block", *(item.sig for item in items)))
        weight = sum(item.weight for item in items)
        out.append(Block(title, items, first, self._at, sig, weight))

    def _layers(self, item: Layers, branches: list[list[Item | Block]], out: list[Item | Block]) -> None:
        if branches:
            self._branches(item.names[0], [self._joined(branch) for branch in branches], out)
        out.extend(self._leaf(name) for name in item.names)
        self._at += len(item.names)

    def _leaf(self, name: str) -> Leaf:
        node, place = self.net.node(name), self.index[name]
        reads = tuple(place - self.index[operand] for operand in self.net.operands(name))
        sig = self._sig((self._labels[name], self.net.shapes[name][:-1], reads))
        return Leaf([name], sig=sig, weight=node.layer.family not in BANDS)

    def _branches(self, merge: str, branches: list[list[Item]], out: list[Item | Block]) -> None:
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
            seqs = [Seq(self._fused(branch)) for branch in heavy]
            sig = self._sig(("fork", *(tuple(item.sig for item in branch) for branch in heavy)))
            out.append(Fork(seqs, sig, sum(item.weight for branch in heavy for item in branch)))

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

    # -- equal blocks ----------------------------------------------------------------------------------------

    def _sig(self, key: object) -> int:
        return self._known.setdefault(key, len(self._known) + 1)

    def _joined(self, made: Sequence[Item | Block]) -> list[Item]:
        """Runs of equal blocks as frames; the items of all other blocks in their place."""
        out: list[Item] = []
        start = 0
        while start < len(made):
            end = start + 1
            while end < len(made) and made[end].sig == made[start].sig and type(made[end]) is type(made[start]):
                end += 1
            if self._is_run(made[start], end - start):
                out.append(self._frame(made[start:end]))
            else:
                for each in made[start:end]:
                    out.extend(each.items if isinstance(each, Block) else [each])
            start = end
        return out

    def _is_run(self, one: Item | Block, count: int) -> bool:
        if self.options.collapse == "none" or count < LEAST_BLOCKS or not isinstance(one, Block | Leaf):
            return False
        if self.options.collapse == "all":
            return one.weight > 0
        return count >= (LEAST_BLOCKS if one.weight > 1 else LEAST_LAYERS) and one.weight > 0

    def _frame(self, run: Sequence[Item | Block]) -> Frame:
        one = run[0]
        assert isinstance(one, Block | Leaf)
        first = one.first if isinstance(one, Block) else self.index[one.names[0]]
        period = one.end - one.first if isinstance(one, Block) else 1
        end = first + period * len(run)
        for place in range(first + period, end):
            self.shown[self.order[place]] = self.shown[self.order[place - period]]
        names = self.order[first:end]
        varies = any(self.net.shapes[name] != self.net.shapes[names[k % period]] for k, name in enumerate(names))
        items = self._fused(one.items if isinstance(one, Block) else [one])
        title = one.title if isinstance(one, Block) else one.names[0]
        sig = self._sig(("frame", len(run), one.sig))
        return Frame(Seq(items), len(run), names, title, varies, sig, one.weight)

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
                out[-1] = Leaf([*last.names, *item.names], main, sig=last.sig)
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
