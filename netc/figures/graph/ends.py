"""The ends of a network: what each of several inputs goes through alone stands beside the others, and a head that leads
to a further output begins beside the place where it branches off. A mark names each output."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from netc.figures.graph.tree import Fork, Frame, Item, Leaf, Seq, Tree
from netc.ir.net import Net


def finish(tree: Tree, net: Net, *, beside: bool = True) -> None:
    """Set the ends of a tree beside each other, and mark the outputs. Heads can also stay one below the other, not
    `beside` the place where they branch off."""
    if len(net.inputs) > 1 or (len(net.outputs) > 1 and beside):
        tree.root.items = _Ends(tree, net).set(heads=beside)
    _mark_outputs(tree.root, set(net.outputs))


def _mark_outputs(root: Seq, outputs: set[str]) -> None:
    marked: list[Item] = []
    stack: list[tuple[Seq, Iterator[Item], list[Item]]] = [(root, iter(root.items), marked)]
    while stack:
        seq, items, made = stack[-1]
        item = next(items, None)
        if item is None:
            seq.items = made
            stack.pop()
            continue
        made.append(item)
        names = item.names if isinstance(item, Leaf) else item.names[-1:] if isinstance(item, Frame) else []
        made.extend(Leaf([name], output=True) for name in names if name in outputs)
        outputs -= set(names)  # that of a frame stands after it, not in its block
        inner = [item.body] if isinstance(item, Frame) else item.branches if isinstance(item, Fork) else []
        stack.extend((each, iter(each.items), []) for each in inner)


class _Ends:
    """The outermost items of a tree, and what each of them reads."""

    def __init__(self, tree: Tree, net: Net) -> None:
        self.items, self.skips, self.net = tree.root.items, tree.skips, net
        self._number()

    def set(self, *, heads: bool) -> list[Item]:
        """The items of the whole network, with its ends as forks where they can be."""
        if len(self.net.inputs) > 1:
            self._join_inputs()
        if len(self.net.outputs) > 1 and heads:
            self._part_heads()
        return self.items

    def _number(self) -> None:
        """Where each layer is, and what each item reads from others."""
        self.place = {name: number for number, item in enumerate(self.items) for name in _layers(item)}
        self.reads = [
            {
                self.place[operand]
                for name in _layers(item)
                for operand in self.net.operands(name)
                if operand in self.place
            }
            for item in self.items
        ]
        for skip in self.skips:
            if skip.target in self.place and skip.source in self.place:
                self.reads[self.place[skip.target]].add(self.place[skip.source])

    def _join_inputs(self) -> None:
        """Chains of single layers that begin with an input each, up to the layer that joins them."""
        starts = [number for number, item in enumerate(self.items) if self._is_input(item)]
        if len(starts) < len(self.net.inputs) or starts[0]:
            return
        end = next((k for k, item in enumerate(self.items) if not isinstance(item, Leaf) or self._joins(k, starts)), 0)
        if end <= starts[-1] or not isinstance(self.items[end], Leaf):
            return
        branches = [Seq(self.items[start:stop]) for start, stop in zip(starts, [*starts[1:], end], strict=True)]
        self.items = [Fork(branches, rootless=True), *self.items[end:]]
        self._number()

    def _is_input(self, item: Item) -> bool:
        return isinstance(item, Leaf) and self.net.node(item.names[0]).layer.is_input

    def _joins(self, number: int, starts: Sequence[int]) -> bool:
        """Whether an item reads what comes from another input than the last one before it."""
        own = max(start for start in starts if start <= number)
        return any(read < own for read in self.reads[number])

    def _part_heads(self) -> None:
        """What leads to each further output beside what leads to the first, from where it branches off.

        A head begins where an item does not read the one before it. The later it branches off, the nearer it stands.
        """
        count = len(self.items)
        starts = [k for k in range(1, count) if k - 1 not in self.reads[k] and not self._is_input(self.items[k])]
        if not starts or any(self._is_input(item) for item in self.items[starts[0] :]):
            return
        main = starts[0]
        sources: dict[int, int] = {}
        for start, end in zip(starts, [*starts[1:], count], strict=True):
            read = {place for number in range(start, end) for place in self.reads[number] if place < start}
            if not read or max(read) >= main:
                return  # one reads another
            sources[start] = max(read)
        ends = dict(zip(starts, [*starts[1:], count], strict=True))
        trunk = self.items[:main]
        for start in sorted(starts, key=lambda start: (-sources[start], start)):
            begin = sources[start] + 1
            if begin < len(trunk):
                head = Seq(self.items[start : ends[start]])
                trunk = [*trunk[:begin], Fork([Seq(trunk[begin:]), head], trunk=0)]
            else:
                trunk += self.items[start : ends[start]]
        self.items = trunk


def _layers(item: Item) -> Iterator[str]:
    """The names of all layers in an item."""
    stack = [item]
    while stack:
        one = stack.pop()
        if isinstance(one, Fork):
            stack += [inner for branch in one.branches for inner in branch.items]
        else:
            yield from one.names
