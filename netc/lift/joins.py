"""What layers join (`concat`), in whatever steps: the same tensors one after the other are the same tensor.

Programs write DenseNets with all features joined anew in each layer, or as what grows; and joins within a join, which
exporters make one. Compared are networks in which what is joined grows (`grown`), and a part that nothing else reads is
none by itself (`opened`). Texts say such a part where branches close in it (`nested`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from netc.ir.net import Net
from netc.layers.merge import Concatenate


def grown(net: Net) -> Net:
    """The network in which `concat a b c` reads the `concat a b` that stands somewhere, and `c`; the network itself
    where there is none such.

    Whatever the order of the layers, all networks that differ in this alone have one form. What two layers join alike
    is left as it is, since neither is the one to be read.
    """
    at: dict[str, _Path] = {}  # what each layer joins
    ends: dict[_Path, list[str]] = {}
    paths: dict[tuple[object, str], _Path] = {}
    for node in net:
        if not isinstance(node.layer, Concatenate):
            continue
        first, *rest = net.operands(node.name)
        path = at.get(first)
        if path is None or net.node(first).layer != node.layer:
            path = paths.setdefault((node.layer, first), _Path(None, first))
        for operand in rest:
            path = paths.setdefault((path, operand), _Path(path, operand))
        at[node.name] = path
        ends.setdefault(path, []).append(node.name)
    operands = {name: _grown(name, path, net, at, ends) for name, path in at.items()}
    if all(net.operands(name) == own for name, own in operands.items()):
        return net
    made = Net(net.name)
    for node in net:
        waiting = [node.name]
        while waiting:  # of what is read now, another `concat` may come later in the network
            name = waiting[-1]
            own = operands.get(name, net.operands(name))
            if missing := [each for each in own if each not in made]:
                waiting += missing
                continue
            if name not in made:
                made.add(net.node(name), own, net.shapes[name])
            waiting.pop()
    made.outputs = list(net.outputs)
    return made


@dataclass(frozen=True, slots=True, eq=False)
class _Path:
    """Tensors one after the other: those of another path, if there is one, and one more."""

    before: _Path | None
    last: str


def _grown(
    name: str, path: _Path, net: Net, at: Mapping[str, _Path], ends: Mapping[_Path, Sequence[str]]
) -> tuple[str, ...]:
    """What a layer reads that joins the tensors of a path: what joins the most of the first of these, and the rest."""
    own = at.get(net.operands(name)[0])
    rest = [path.last]
    before = path.before
    while before is not None and before is not own and len(ends.get(before, ())) != 1:
        rest.append(before.last)
        before = before.before
    if before is None:
        return net.operands(name)
    return (net.operands(name)[0] if before is own else ends[before][0], *rest[::-1])


class Part(NamedTuple):
    """Some in a row of what a layer joins."""

    reader: str
    start: int
    stop: int


def opened(net: Net) -> tuple[Net, dict[str, Part]]:
    """The network in which a layer joins by itself what another one joined for it alone, and of each such one, which
    part of what the layer joins it was."""
    inside: dict[str, str] = {}  # by what is joined for another layer alone, that layer
    outputs = set(net.outputs)
    for node in net:
        readers = net.consumers(node.name)
        alone = isinstance(node.layer, Concatenate) and len(readers) == 1 and node.name not in outputs
        if alone and net.node(readers[0]).layer == node.layer:
            inside[node.name] = readers[0]
    if not inside:
        return net, {}
    counts, starts = dict[str, int](), dict[str, int]()
    for name in inside:
        counts[name] = sum(counts.get(each, 1) for each in net.operands(name))
    made = Net(net.name)
    for node in net:
        if node.name in inside:
            continue
        operands, waiting = list[str](), [*net.operands(node.name)[::-1]]
        while waiting:
            name = waiting.pop()
            if name in inside:
                starts[name] = len(operands)
                waiting += net.operands(name)[::-1]
            else:
                operands.append(name)
        made.add(node, operands, net.shapes[node.name])
    made.outputs = list(net.outputs)
    places = outermost(inside).items()
    return made, {name: Part(reader, starts[name], starts[name] + counts[name]) for name, reader in places}


def outermost(inside: dict[str, str]) -> dict[str, str]:
    """Of layers that are parts of others, each after those that are parts of it, the one that is a part of none."""
    found: dict[str, str] = {}
    for name in reversed(inside):
        found[name] = found.get(inside[name], inside[name])
    return found


def nested(net: Net) -> Net:
    """The network in which those in a row of what a layer joins that come of one tensor, which nothing else reads, are
    joined by a layer of their own, where all then comes of one tensor: branches of branches, as they were written.

    Names of such layers have a space, as no other name has.
    """
    made, begins = Net(net.name), _Begins(net)
    for node in net:
        operands = list(net.operands(node.name))
        for start, count in begins.rows(operands) if isinstance(node.layer, Concatenate) else ():
            name, part = f"{node.name} {len(made)}", operands[start : start + count]
            shape = node.layer.infer([made.shapes[each] for each in part])
            made.add(replace(node, name=name, shares=None), part, shape)
            begins.add(name, part, reads=1)
            operands[start : start + count] = [name]
        made.add(node, operands, net.shapes[node.name])
        begins.add(node.name, operands if node.layer.operands[1] != 1 else operands[:1])
    made.outputs = list(net.outputs)
    return made if len(made) > len(net) else net


class _Begins:
    """The tensors after which begins what layers make: a chain of layers, and of branches that close, leads there."""

    def __init__(self, net: Net) -> None:
        self._reads = {node.name: len(net.consumers(node.name)) for node in net}  # by what is not yet closed
        self._before: dict[str, str | None] = {}

    def add(self, name: str, operands: Sequence[str], reads: int | None = None) -> None:
        """Note a layer, and how often it is read if it is none of the network."""
        if reads is not None:
            self._reads[name] = reads
        found = {operands[0]} if len(operands) == 1 else {self._begin(each) for each in operands}
        source = found.pop() if len(found) == 1 else None
        if source is not None:
            self._reads[source] -= len(operands) - 1
            source = self._begin(source)
        self._before[name] = source

    def _begin(self, name: str) -> str | None:
        return self._before[name] if self._reads[name] == 1 else name

    def rows(self, operands: Sequence[str]) -> list[tuple[int, int]]:
        """Which operands in a row, those of rows before them as one, come of one tensor, so that all of them do; none
        where they do not, or do so as they are. A row has no others in it and not that tensor, which would be features
        that grow."""
        stack: list[tuple[str | None, int, bool]] = []  # with how many in a row come of the same one, and may be a row
        made: list[tuple[int, int]] = []
        for at, name in enumerate(operands):
            begin = self._begin(name)
            self._push(stack, begin, begin != name)
            begin, count, may_be = stack[-1]
            last = at == len(operands) - 1 and count == len(stack)
            if begin is not None and may_be and 1 < count == self._reads[begin] and not last:
                del stack[len(stack) - count :]
                made.append((len(stack), count))
                self._push(stack, self._before[begin], False)
        begin, count, _ = stack[-1]
        return made if begin is not None and count == len(stack) else []

    @staticmethod
    def _push(stack: list[tuple[str | None, int, bool]], begin: str | None, may_be: bool) -> None:
        before = stack[-1] if stack and stack[-1][0] == begin else (begin, 0, True)
        stack.append((begin, before[1] + 1, before[2] and may_be))
