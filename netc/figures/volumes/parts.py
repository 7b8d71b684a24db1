"""What a figure of volumes shows of a network, without coordinates: slabs in rows, and the links between them.

The main chain of the network stands on one axis. What is beside it is a shortcut, drawn as a line, or a row of its own
above the axis: further inputs and outputs, and branches with more than one weighted layer. How a layer looks is said by
the facts of its class: its family, its windows, its weights, its groups.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from netc.figures.facts import word
from netc.figures.volumes.chains import Chain, Chains, concatenates, is_vector
from netc.figures.volumes.chains import read as read_chains
from netc.ir.net import Net, Node
from netc.ir.shape import Shape, channels_of, rank_of
from netc.layers.base import LAYERS, Layer


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
    order: float = 0.0  # its place in the network
    is_bar: bool = field(init=False)  # whether it has no extent but its channels

    def __post_init__(self) -> None:
        self.is_bar = is_vector(self.shape)

    @property
    def colour(self) -> str:
        """Its colour in the table of the theme."""
        return "copy" if self.copied else "up" if self.kind == "upsample" else self.kind

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
    joined ("+"), "" for a concatenation; `copy` is the slab of the tensor where it is concatenated, if it has one;
    `into` is the place in the network of the layer that joins them.
    """

    start: Slab | None
    end: Slab | None
    via: tuple[Node, ...] = ()
    changes: bool = False
    sign: str = ""
    row: int | None = None
    copy: Slab | None = None
    shape: Shape = ()
    into: int = 0


@dataclass(slots=True)
class Parts:
    """The rows of a figure, the main one first, and the links between slabs."""

    rows: list[list[Slab]]
    links: list[Link]


def read(net: Net) -> Parts:
    """What is drawn of a network."""
    found = read_chains(net)
    slabs = _Slabs(net, found.modules)
    heavy = _heavy(net, found)
    rows = [list(slabs.of(chain)) for chain in found.chains if chain in heavy]
    places = {name: slab for row in rows for slab in row for name in slab.names}
    for output in net.outputs:
        places[output].output = True
    order = {node.name: at for at, node in enumerate(net)}
    links: list[Link] = []
    for chain in found.chains[1:]:
        start = places[chain.source] if chain.source else None
        end = places[chain.target] if chain.target else None
        shape = net.shapes[chain.names[-1]]
        changes = chain.source is not None and net.shapes[chain.source] != shape
        row = heavy.get(chain)
        via = tuple(map(net.node, chain.names)) if row is None else ()
        into = order.get(chain.target or "", 0)
        links.append(Link(start, end, via, changes, _sign(net, chain.target), row, shape=shape, into=into))
    for source, target in found.skips:
        if places[source] is not places[target]:
            sign, shape = _sign(net, target), net.shapes[source]
            links.append(Link(places[source], places[target], sign=sign, shape=shape, into=order[target]))
    return Parts(_with_copies(rows, links), links)


def _sign(net: Net, target: str | None) -> str:
    """How a layer joins tensors: a sign or a word, nothing for a concatenation."""
    return "" if target is None or concatenates(net, target) else word(net.node(target).layer)


def _heavy(net: Net, found: Chains) -> dict[Chain, int]:
    """The chains that have a row of their own, with its number: the main one, those that begin or end by themselves,
    those that others meet, and those with more than one weighted layer that are not only a gate's, on channels
    alone."""
    met = {name for chain in found.chains for name in (chain.source, chain.target)}
    met.update(name for skip in found.skips for name in skip)
    rows = {found.chains[0]: 0}
    for chain in found.chains[1:]:
        weighted = sum(net.node(name).layer.weighted for name in chain.names)
        is_gate = all(is_vector(net.shapes[name]) for name in chain.names)
        is_loose = chain.source is None or chain.target is None or not met.isdisjoint(chain.names)
        if is_loose or (weighted > 1 and not is_gate):
            rows[chain] = len(rows)
    return rows


class _Slabs:
    """Makes slabs of chains."""

    def __init__(self, net: Net, modules: dict[str, list[str]]) -> None:
        self.net, self.modules = net, modules
        self.order = {node.name: float(at) for at, node in enumerate(net)}

    def of(self, chain: Chain) -> Iterator[Slab]:
        """The slabs of a chain, each with the layers that belong to it."""
        slab: Slab | None = None
        flattened = False
        for name in chain.names:
            layer = self.net.node(name).layer
            if slab is None or not layer.beside or name in self.modules:
                if slab is not None:
                    yield slab
                slab = self._begun(name, flattened)
                flattened = False
                continue
            slab.names.append(name)
            slab.joined = self.net.shapes[name]
            slab.bands += _bands(layer)
            slab.drops += [layer] if layer.train_only else []
            flattened = flattened or (not rank_of(slab.joined) and self._reads_map(name))
        if slab is not None:
            yield slab

    def _begun(self, name: str, flattened: bool) -> Slab:
        """The slab of a layer, or of the module that ends in it."""
        node, shape, inputs = self.net.node(name), self.net.shapes[name], self.net.operand_shapes(name)
        layer, order = node.layer, self.order[name]
        if name in self.modules:
            stripes = tuple(map(channels_of, inputs))
            return Slab(node, shape, "conv", self.modules[name], stripes=stripes, joined=shape, order=order)
        slab = Slab(node, shape, kind_of(layer, inputs), [name], _own_bands(layer), layer.apart(inputs))
        slab.joined, slab.order = shape, order
        slab.flattened = flattened or (layer.family == "dense" and self._reads_map(name))
        return slab

    def _reads_map(self, name: str) -> bool:
        return any(rank_of(shape) for shape in self.net.operand_shapes(name))


def _with_copies(rows: list[list[Slab]], links: list[Link]) -> list[list[Slab]]:
    """The rows with slabs for concatenated tensors that come from far away, past maps of other sizes or out of another
    row: each beside the slab that it is joined to."""
    place = {id(slab): (row, at) for row, slabs in enumerate(rows) for at, slab in enumerate(slabs)}
    after: dict[int, list[Slab]] = {}
    for link in links:
        if link.sign or link.end is None:
            continue
        if link.start is not None and link.row is None:
            (row, first), (other, last) = place[id(link.start)], place[id(link.end)]
            near = row == other and all(slab.shape[:-1] == link.shape[:-1] for slab in rows[row][first : last + 1])
            if near and not link.start.is_bar:
                continue
        node = rows[link.row][-1].node if link.row is not None else (link.start or link.end).node
        kind = link.end.kind if link.end.is_bar else "conv"
        link.copy = Slab(node, link.shape, kind, joined=link.shape, copied=True, order=link.end.order)
        link.end.joined = link.end.shape
        after.setdefault(id(link.end), []).append(link.copy)
    return [[each for slab in slabs for each in (slab, *after.get(id(slab), ()))] for slabs in rows]


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
