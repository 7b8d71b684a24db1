"""What a graph figure shows: the structure of a network, folded, with layers fused.

A `Seq` is laid out along one line. Branches stand beside each other in a `Fork`, whose combiner follows it in the
sequence. Where only one branch has layers to show, it is part of the line and the others are skips at its side.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from math import inf

from netc.analysis.structure import BANDS, Group, Least, Series, fold, names_of, structure
from netc.figures.options import Options
from netc.figures.scene import fit
from netc.ir.net import Net
from netc.layers.base import Layer
from netc.lower.expansion import Task, walk
from netc.program import Program

_WIDEST = 150.0  # name in the tab of a frame
MOST_BANDS = 4  # normalisations and activations that are drawn with their layer
_LED = frozenset({"conv", "dense"})  # families that may have cells before them
_HOSTS = _LED | {"pool"}  # what goes on a chain
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
    """Equal consecutive blocks, of which the first is shown, or one module. `varies` where their channels differ."""

    body: Seq
    count: int
    names: list[str]  # of all layers of all blocks
    title: str
    varies: bool
    beside: bool = False  # the blocks are equal branches of a combiner

    @property
    def heading(self) -> str:
        """What its tab says."""
        count = f"×{self.count}" + " in parallel" * self.beside if self.count > 1 else ""
        return " ".join(filter(None, [fit(self.title, _WIDEST, bold=True), count]))


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
        whole = structure(self.program)
        folded = fold(
            self.net, whole, lambda node: _form(node.layer), least=_LEAST[self.options.collapse], modules=True
        )
        items: list[Item] = []
        walk(self._items(folded, items, ""))
        return Tree(Seq(self._fused(items)), self.skips, self.shown)

    def _items(self, series: Series, out: list[Item], around: str) -> Task:
        for item in series.items:
            if isinstance(item, Group):
                inner: list[Item] = []
                yield self._items(item.passes[0], inner, item.name if item.definition else around)
                if len(item.passes) > 1:
                    out.append(self._frame(item, self._fused(inner)))
                elif any(isinstance(each, Fork) for each in inner):
                    names = names_of(item.passes[0])
                    out.append(Frame(Seq(self._fused(inner)), 1, names, _title(item, around), varies=False))
                else:
                    out += inner
                continue
            branches: list[list[Item]] = [[] for _ in item.branches]
            for branch, made in zip(item.branches, branches, strict=True):
                yield self._items(branch, made, around)
            self._branches(item.names[0], branches, out)
            out.append(Leaf(item.names))

    def _frame(self, group: Group, items: list[Item]) -> Frame:
        first, *others = [names_of(each) for each in group.passes]
        for again in others:
            self.shown.update((name, self.shown[drawn]) for name, drawn in zip(again, first, strict=True))
        names = [*first, *(name for again in others for name in again)]
        varies = any(self.net.shapes[name] != self.net.shapes[first[k % len(first)]] for k, name in enumerate(names))
        return Frame(Seq(items), len(group.passes), names, group.definition, varies, group.beside)

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
        """Whether a branch of a sum is a shortcut as papers draw it: no more than a projection."""
        if self.options.expand or not self.net.node(merge).layer.sums or len(branch) > 3:
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
        """Normalisations, activations and what acts only in training drawn as cells of the layer that they belong to.

        That is the one before them. Where a chain begins with some before its first convolution, as with
        pre-activation (He et al. 2016), equal ones before the other convolutions of the chain belong to these.
        """
        if self.options.expand:
            return list(items)
        out: list[Item] = []
        chain: list[str] = []
        for item in items:
            if isinstance(item, Leaf) and chain and self._goes_on(chain[-1], item.names[0]):
                chain += item.names
                continue
            out += self._boxes(chain)
            chain = list(item.names) if isinstance(item, Leaf) else []
            if not chain:
                out.append(item)
        return [*out, *self._boxes(chain)]

    def _goes_on(self, last: str, name: str) -> bool:
        """Whether nothing but one layer reads another's tensor, and both may be cells of one box."""
        if self.net.consumers(last) != (name,) or last in self.net.outputs or self.net.operands(name) != (last,):
            return False
        before, after = self.net.node(last).layer, self.net.node(name).layer
        if before.is_input or before.stacks or after.family not in BANDS | _HOSTS:
            return False
        return not (before.family == "merge" and after.family == "norm")

    def _boxes(self, chain: Sequence[str]) -> Iterator[Leaf]:
        """The boxes of a chain of layers, each with its cells."""
        families = [self.net.node(name).layer.family for name in chain]
        mains = [at for at, family in enumerate(families) if family not in BANDS]
        if not mains:
            yield from self._bands(chain)
            return
        leads = families[: mains[0]] if families[mains[0]] in _LED else []
        if not leads:  # what is before a layer that takes none
            yield from self._bands(chain[: mains[0]])
        start = mains[0] - len(leads)
        for main, following in zip(mains, [*mains[1:], len(chain)], strict=True):
            end = following
            if leads and following < len(chain) and families[following] in _LED:
                own = families[main + 1 : following]
                if own[len(own) - len(leads) :] == leads:
                    end -= len(leads)
            last = min(end, main + 1 + MOST_BANDS)
            yield Leaf(list(chain[start:last]), main - start)
            if last < end:
                yield from self._bands(chain[last:end])
            start = end

    @staticmethod
    def _bands(names: Sequence[str]) -> Iterator[Leaf]:
        for at in range(0, len(names), MOST_BANDS):
            yield Leaf(list(names[at : at + MOST_BANDS]))


def _form(layer: Layer) -> object:
    """What two layers have in common that are drawn as one: all but their rates, slopes and other real numbers, which
    change neither shapes nor weights."""
    return type(layer), *((name, value) for name, value in vars(layer).items() if not isinstance(value, float))


def _title(call: Group, around: str) -> str:
    """What the frame of a module says: its definition, and its label or number."""
    own = call.name.removeprefix(f"{around}_") if around else call.name
    return f"{call.definition} {own.removeprefix(call.definition)}".rstrip()
