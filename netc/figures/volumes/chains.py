"""A network as chains of layers: the path along which it is deepest, and what is beside it.

Branches of one tensor that are concatenated again are a module, which one slab stands for.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from netc.analysis.depth import depths
from netc.ir.net import Net
from netc.ir.shape import Shape, channels_of

_LARGEST = 400  # layers of a module


@dataclass(slots=True, eq=False)
class Chain:
    """Layers one after the other, which follow `source` (None: they begin with an input) and end where `target` reads
    them (None: in an output)."""

    names: list[str]
    source: str | None = None
    target: str | None = None


@dataclass(slots=True)
class Chains:
    """All layers of a network but those in modules, each in one chain, the main one first.

    `skips` are pairs of a layer and one that reads it from another chain, or from farther on in its own. `modules` are
    layers by the concatenation that they end in.
    """

    chains: list[Chain]
    skips: list[tuple[str, str]] = field(default_factory=list)
    modules: dict[str, list[str]] = field(default_factory=dict)


def read(net: Net) -> Chains:
    """The chains of a network, in time linear in its layers."""
    walk = _Walk(net)
    found = Chains(walk.chains, walk.skips, _modules(net, walk.chains))
    inner = {name for end, members in found.modules.items() for name in members if name != end}
    chains = [chain for chain in walk.chains if chain.target is None or chain.names[-1] not in inner]
    for chain in chains:
        chain.names = [name for name in chain.names if name not in inner]
    ends = inner | set(found.modules)
    return Chains(chains, [skip for skip in walk.skips if skip[1] not in ends], found.modules)


def concatenates(net: Net, name: str) -> bool:
    """Whether a layer sets its operands side by side: its channels are all of theirs."""
    shapes = net.operand_shapes(name)
    return len(shapes) > 1 and channels_of(net.shapes[name]) == sum(map(channels_of, shapes))


def is_vector(shape: Shape) -> bool:
    """Whether a tensor has no extent but its channels."""
    return all(side == 1 for side in shape[:-1])


class _Walk:
    """Back from each output, along the operand with the most weighted layers before it, to what is known already."""

    def __init__(self, net: Net) -> None:
        self.net = net
        self.depths = depths(net)
        self.seen: set[str] = set()
        self.chains: list[Chain] = []
        self.skips: list[tuple[str, str]] = []
        for end in [*net.outputs, *(node.name for node in net if not net.consumers(node.name))]:
            todo = [] if end in self.seen else [self._back(end, None)]
            while todo:
                todo += self._beside(todo.pop())

    def _back(self, name: str, target: str | None) -> Chain:
        """The chain that ends in a layer."""
        names, source = [name], self._before(name)
        while source is not None and source not in self.seen:
            names.append(source)
            source = self._before(source)
        self.seen.update(names)
        self.chains.append(Chain(names[::-1], source, target))
        return self.chains[-1]

    def _before(self, name: str) -> str | None:
        """The operand along which a chain goes on: a map rather than what gates it, then the one after the most
        weighted layers, then the last."""
        operands = self.net.operands(name)
        if not operands:
            return None
        shapes, whole = self.net.shapes, self.net.shapes[name]
        return max(
            reversed(operands), key=lambda each: (is_vector(whole) or not is_vector(shapes[each]), self.depths[each])
        )

    def _beside(self, chain: Chain) -> list[Chain]:
        """The chains that end in layers of a chain; what ends there without layers of its own is a skip."""
        found = []
        before = chain.source
        for name in chain.names:
            operands = list(self.net.operands(name))
            if before in operands:
                del operands[len(operands) - 1 - operands[::-1].index(before)]  # its last mention: the chain itself
            for operand in operands:
                if operand in self.seen:
                    self.skips.append((operand, name))
                else:
                    found.append(self._back(operand, name))
            before = name
        return found


def _modules(net: Net, chains: list[Chain]) -> dict[str, list[str]]:
    """Modules by their ends; of several inside each other the outermost."""
    joined = Counter(chain.target for chain in chains if any(not net.node(name).layer.beside for name in chain.names))
    order = {node.name: at for at, node in enumerate(net)}
    found: dict[str, list[str]] = {}
    inside: set[str] = set()
    for chain in chains:
        for name in reversed(chain.names):
            if name in joined and name not in inside and concatenates(net, name):
                found[name] = _between(net, name, order)
                inside.update(found[name])
    return {end: members for end, members in found.items() if members}


def _between(net: Net, end: str, order: Mapping[str, int]) -> list[str]:
    """The layers between a tensor and the concatenation of its branches, in order; none where they are more than that.

    Walks back from the last layer to the first: once all that was reached is a single tensor, this is the one.
    """
    operands = set(net.operands(end))
    reached, members = set(operands), {end}
    while len(reached) > 1:
        last = max(reached, key=order.__getitem__)
        reached.remove(last)
        is_inner = set(net.consumers(last)) <= members and last not in net.outputs and not net.node(last).layer.is_input
        if len(members) > _LARGEST or not is_inner:
            return []
        members.add(last)
        reached.update(net.operands(last))
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
