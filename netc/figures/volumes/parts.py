"""What a figure of volumes shows of a network, without coordinates: slabs in rows, and the links between them.

The path along which the network is deepest stands on one axis. What is beside it is a shortcut, drawn as a line, or a
row of its own above the axis: further inputs and outputs, and branches with more than one weighted layer. Branches of
one tensor that are concatenated again are one slab, with a stripe for each. All of it is read from the network, and
how a layer looks from the facts of its class: its family, its windows, its weights.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from netc.analysis.depth import depths, trunk
from netc.figures.facts import word
from netc.ir.net import Net, Node
from netc.ir.shape import Shape, channels_of, rank_of
from netc.layers.base import LAYERS, Layer

_LARGEST = 400  # layers that are one slab of stripes at most


@dataclass(frozen=True, slots=True)
class Band:
    """What follows a layer on its slab: `kind` is its colour, `text` what papers call it."""

    kind: str  # norm, act or softmax
    text: str


@dataclass(slots=True, eq=False)
class Slab:
    """A tensor, as it leaves `node` and what belongs to that: `names` are all of these layers, in order.

    `kind` is the colour. `copied` is a tensor that stands beside another one because both are concatenated: it has the
    node that made it, and no names. `stripes` are the channels of the branches that one slab stands for.
    """

    node: Node
    shape: Shape
    kind: str
    names: list[str] = field(default_factory=list)
    bands: list[Band] = field(default_factory=list)
    groups: int = 1
    stripes: tuple[int, ...] = ()
    drops: list[Layer] = field(default_factory=list)
    flattened: bool = False  # before it a map becomes a vector
    joined: Shape = ()  # after the concatenations that are no slab of their own
    output: bool = False
    copied: bool = False

    @property
    def is_bar(self) -> bool:
        """Whether it has no extent but its channels."""
        return all(side == 1 for side in self.shape[:-1])

    @property
    def depthwise(self) -> bool:
        """Whether each channel is convolved by itself."""
        return self.groups > 1 and self.groups == self.shape[-1]

    @property
    def thin(self) -> bool:
        """Whether its thickness says nothing: it only changes the size of a map."""
        return self.kind in ("pool", "upsample", "shape", "input")


@dataclass(slots=True)
class Link:
    """A tensor that goes from slab `start` to slab `end` beside the axis; of a `row` above it, with its slabs between.

    A row may begin at an input (`start` is None) or end in an output (`end` is None). `sign` is how the tensors are
    joined ("+"), "" for a concatenation; `copy` is the slab of the tensor where it is concatenated, if it has one.
    """

    start: Slab | None
    end: Slab | None
    via: tuple[Node, ...] = ()
    changes: bool = False
    sign: str = ""
    row: int | None = None
    copy: Slab | None = None
    shape: Shape = ()


@dataclass(slots=True)
class Parts:
    """The rows of a figure, the main one first, and the links between slabs."""

    net: Net
    rows: list[list[Slab]]
    links: list[Link]


@dataclass(slots=True, eq=False)
class _Chain:
    """Layers in a row that follow `source` and end where `target` reads them."""

    names: list[str]
    source: str | None = None
    target: str | None = None


def read(net: Net) -> Parts:
    """What is drawn of a network."""
    chains, skips = _chains(net)
    modules = _modules(net, chains, skips)
    return _Reader(net, chains, skips, modules).parts()


def _chains(net: Net) -> tuple[list[_Chain], list[tuple[str, str]]]:
    """All layers in chains, the deepest path first; and what reads a tensor of another chain without layers between."""
    known = depths(net)
    seen: dict[str, _Chain] = {}
    skips: list[tuple[str, str]] = []
    first = _Chain(trunk(net))
    chains = [first]
    seen.update(dict.fromkeys(first.names, first))

    def back(name: str, target: str | None) -> _Chain:
        names, source = [name], None
        while operands := net.operands(names[-1]):
            source = max(reversed(operands), key=known.__getitem__)
            if source in seen:
                break
            names.append(source)
            source = None
        chain = _Chain(names[::-1], source, target)
        seen.update(dict.fromkeys(names, chain))
        return chain

    ends = [*net.outputs[1:], *(node.name for node in net if not net.consumers(node.name))]
    for end in [None, *ends]:
        if end is not None and end in seen:
            continue
        todo = [first] if end is None else [back(end, None)]
        chains += [] if end is None else todo
        while todo:
            chain = todo.pop()
            before = chain.source
            for name in chain.names:
                operands = list(net.operands(name))
                if before in operands:
                    operands.reverse()
                    operands.remove(before)  # its last mention: the chain itself
                    operands.reverse()
                for operand in operands:
                    if operand in seen:
                        skips.append((operand, name))
                    else:
                        todo.append(back(operand, name))
                        chains.append(todo[-1])
                before = name
    return chains, skips


def _modules(net: Net, chains: list[_Chain], skips: list[tuple[str, str]]) -> dict[str, list[str]]:
    """By the concatenation that ends it: the layers of each part in which branches of one tensor stand side by side."""
    ending: dict[str, int] = {}
    for chain in chains:
        if chain.target is not None and any(not net.node(name).layer.beside for name in chain.names):
            ending[chain.target] = ending.get(chain.target, 0) + 1
    found: dict[str, list[str]] = {}
    inside: set[str] = set()
    order = {node.name: at for at, node in enumerate(net)}
    for chain in chains:
        for name in reversed(chain.names):
            if name in ending and name not in inside and _concatenates(net, name):
                members = _between(net, name, order)
                if members:
                    found[name] = members
                    inside.update(members)
    return found


def _concatenates(net: Net, name: str) -> bool:
    """Whether a layer sets its operands side by side: its channels are all of theirs."""
    shapes = net.operand_shapes(name)
    return len(shapes) > 1 and channels_of(net.shapes[name]) == sum(map(channels_of, shapes))


def _between(net: Net, end: str, order: Mapping[str, int]) -> list[str]:
    """The layers between a tensor and the concatenation of its branches, in order; none where they are more than that.

    Walks back from the last layer to the first: once all that was reached reads a single tensor, this is the one.
    """
    operands = set(net.operands(end))
    reached, members = set(operands), {end}
    while len(reached) > 1:
        last = max(reached, key=order.__getitem__)
        reached.remove(last)
        if len(members) > _LARGEST or not set(net.consumers(last)) <= members or last in net.outputs:
            return []
        members.add(last)
        reached.update(net.operands(last))
        if net.node(last).layer.is_input:
            return []
    own = [name for name in operands if name in members and _is_branch(net, name, members)]
    return sorted(members, key=order.__getitem__) if len(own) > 1 else []


def _is_branch(net: Net, name: str, members: set[str]) -> bool:
    """Whether an operand comes out of a layer of its own, not only of a normalisation or an identity."""
    while name in members and net.node(name).layer.beside:
        operands = net.operands(name)
        if len(operands) != 1:
            return True
        name = operands[0]
    return name in members


class _Reader:
    """Turns chains into rows of slabs and links between them."""

    def __init__(
        self, net: Net, chains: list[_Chain], skips: list[tuple[str, str]], modules: dict[str, list[str]]
    ) -> None:
        self.net = net
        self.modules = modules
        inner = {name for end, members in modules.items() for name in members if name != end}
        self.chains = [chain for chain in chains if chain.names[-1] not in inner or chain.target is None]
        self.skips = [(source, target) for source, target in skips if target not in inner and target not in modules]
        self.inner = inner
        self.places: dict[str, Slab] = {}
        joints = {name for chain in self.chains for name in (chain.source, chain.target) if name}
        joints.update(name for skip in self.skips for name in skip)
        self.rows = [
            chain
            for at, chain in enumerate(self.chains)
            if not at or chain.target is None or chain.source is None or self._is_heavy(chain, joints)
        ]
        self.shortcuts = [chain for chain in self.chains if chain not in self.rows]

    def _is_heavy(self, chain: _Chain, joints: set[str]) -> bool:
        """Whether a chain between two others has a row of its own: more than one weighted layer, not counting what
        works on channels alone, as a gate does."""
        if any(name in joints for name in chain.names):
            return True
        shapes = [self.net.shapes[name] for name in chain.names]
        if all(all(side == 1 for side in shape[:-1]) for shape in shapes):
            return False
        return sum(self.net.node(name).layer.weighted for name in chain.names) > 1

    def parts(self) -> Parts:
        net = self.net
        rows = [list(self._slabs(chain)) for chain in self.rows]
        for row in rows:
            for slab in row:
                self.places.update(dict.fromkeys(slab.names, slab))
        for output in net.outputs:
            self.places[output].output = True
        links: list[Link] = []
        for at, chain in enumerate(self.rows[1:], 1):
            start = self.places[chain.source] if chain.source else None
            links.append(self._link(start, chain.names[-1], chain.target, (), at))
        for chain in self.shortcuts:
            assert chain.source
            assert chain.target
            via = tuple(net.node(name) for name in chain.names)
            links.append(self._link(self.places[chain.source], chain.names[-1], chain.target, via, None, chain.source))
        for source, target in self.skips:
            links.append(self._link(self.places[source], source, target, (), None, source))
        self._copies(rows, links)
        return Parts(
            net, rows, [link for link in links if link.row is not None or link.start is not link.end or link.via]
        )

    def _slabs(self, chain: _Chain) -> Iterator[Slab]:
        """The slabs of a chain, each with the layers that belong to it."""
        net = self.net
        slab: Slab | None = None
        flattened = False
        names = [name for name in chain.names if name not in self.inner]
        for at, name in enumerate(names):
            node = net.node(name)
            layer, shape = node.layer, net.shapes[name]
            if name in self.modules:
                if slab is not None:
                    yield slab
                channels = tuple(map(channels_of, net.operand_shapes(name)))
                slab = Slab(node, shape, "conv", [*self.modules[name]], stripes=channels, joined=shape)
                continue
            if slab is None or not layer.beside:
                if slab is not None:
                    yield slab
                inputs = net.operand_shapes(name)
                slab = Slab(node, shape, kind_of(layer, inputs), [], _own_bands(layer), layer.apart(inputs))
                slab.joined = shape
                slab.flattened = flattened or (
                    len(inputs) == 1 and not rank_of(shape) and rank_of(inputs[0]) > 0 and layer.family == "dense"
                )
                flattened = False
                slab.names.append(name)
                continue
            slab.names.append(name)
            slab.joined = shape
            slab.bands += _bands(layer)
            if layer.train_only:
                slab.drops.append(layer)
            if rank_of(shape) == 0 and at and rank_of(net.operand_shapes(name)[0]) > 0:
                flattened = True
        if slab is not None:
            yield slab

    def _link(
        self,
        start: Slab | None,
        last: str,
        target: str | None,
        via: tuple[Node, ...],
        row: int | None,
        source: str | None = None,
    ) -> Link:
        net = self.net
        shape = net.shapes[last]
        if target is None:
            return Link(start, None, via, row=row, shape=shape)
        layer = net.node(target).layer
        sign = "" if _concatenates(net, target) else (layer.symbol or word(layer))
        changes = source is not None and net.shapes[source] != shape
        return Link(start, self.places[target], via, changes, sign, row, shape=shape)

    def _copies(self, rows: list[list[Slab]], links: list[Link]) -> None:
        """Give a concatenated tensor that comes from far away, past maps of other sizes, a slab beside the one that it
        is joined to."""
        place = {id(slab): (row, at) for row, slabs in enumerate(rows) for at, slab in enumerate(slabs)}
        after: dict[int, list[Slab]] = {}
        for link in links:
            if link.sign or link.end is None:
                continue
            if link.start is not None and link.row is None:
                (row, first), (other, last) = place[id(link.start)], place[id(link.end)]
                sizes = {slab.shape[:-1] for slab in rows[row][first : last + 1]}
                if row == other and len(sizes) == 1 and not link.start.is_bar:
                    continue
            node = link.start.node if link.start is not None else rows[link.row or 0][-1].node
            link.copy = Slab(node, link.shape, link.end.kind if link.end.kind == "dense" else "conv", copied=True)
            if link.end.is_bar and link.end.kind == "pool":
                link.copy.kind = "pool"
            after.setdefault(id(link.end), []).append(link.copy)
            link.end.joined = link.end.shape
        for at, slabs in enumerate(rows):
            rows[at] = [each for slab in slabs for each in (slab, *after.get(id(slab), ()))]


def kind_of(layer: Layer, inputs: tuple[Shape, ...]) -> str:
    """The colour of a layer, by the facts of its class."""
    windows = layer.windows(inputs) if inputs else ()
    if any(window.up > 1 for window in windows or ()):
        return "up" if layer.weighted else "upsample"
    if layer.family in ("input", "conv", "dense", "pool", "norm", "shape"):
        return layer.family
    if layer.family == "activation":
        return "softmax" if getattr(layer, "across", False) else "act"
    return "conv" if layer.weighted else "shape"


def _bands(layer: Layer) -> list[Band]:
    if layer.family == "norm":
        return [Band("norm", word(layer))]
    if layer.family == "activation":
        return [Band("softmax" if getattr(layer, "across", False) else "act", word(layer))]
    return []


def _own_bands(layer: Layer) -> list[Band]:
    """The activation that a layer has itself."""
    act = getattr(layer, "act", "linear")
    if act == "linear":
        return []
    across = getattr(LAYERS[act], "across", False)
    return [Band("softmax" if across else "act", word(LAYERS[act]))]
