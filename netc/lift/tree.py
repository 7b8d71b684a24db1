"""From a network to the tree of its statements: series, branches where they close, labels where they do not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import pairwise, product
from math import gcd
from typing import Any

from netc.analysis.structure import BANDS, Group, Layers, decompose, names_of
from netc.analysis.structure import Series as Parts
from netc.ir.net import Net
from netc.layers.base import Layer as Operation
from netc.layers.kinds import Operand
from netc.layers.regularise import DropPath
from netc.lift.arguments import SAID, collapsed, given, params_of
from netc.lift.numbers import integral
from netc.lift.padding import Same, said
from netc.lift.vectors import Before, Layer, Series
from netc.rewrites.canonical import plain
from netc.rewrites.ramps import rising

_TOTALS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.05)  # the usual largest rates of stochastic depth
_MOST_PARTS = 129


class Tree:
    """The statements of a network, each of which runs once.

    `used` counts by which labels a tensor is read. `kinds` are the layers of each operation, for their declarations.
    """

    def __init__(self, net: Net, *, levelled: bool = False) -> None:
        self.net = net
        self.kinds: dict[str, Operation] = {}
        self.used: Counter[str] = Counter()
        self._values: dict[str, dict[str, Any]] = {}
        self._open: dict[str, dict[str, Any]] = {}  # by operation, parameters that some layer gives, with defaults
        for node in net:
            self._see(node.name, plain(node.layer))
        self._pad_alike()
        whole = decompose(net)
        if levelled:
            whole = in_levels(whole, net)
        self.series = self._series(whole, None)
        self.scale = self._drop_rates()
        if net.outputs != [whole.result]:
            self.series.items.append(self._other("output", net.outputs, whole.result))

    def _see(self, name: str, layer: Operation) -> None:
        params = params_of(layer)
        values = {"rate": layer.share} if isinstance(layer, DropPath) else given(layer)
        values = {
            key: collapsed(params[key], integral(own))
            for key, own in values.items()
            if not isinstance(params[key].kind, Operand)
        }
        self.kinds.setdefault(layer.op, layer)
        self._values[name] = values
        known = self._open.setdefault(layer.op, {})
        if layer.trailing and "bias" in params:  # words take it away
            known["bias"] = params["bias"].default
        if (key := SAID.get(layer.op)) is not None:
            known[key] = params[key].default
        known.update({key: params[key].default for key in values if key not in known})

    def _pad_alike(self) -> None:
        """Say padding as `same` where that is what it is, and note the pixels that it is too: in one way for all layers
        that share their weights, whatever the sizes of their maps."""
        calls: dict[str, list[tuple[str, list[Any]]]] = {}
        for node in self.net:
            layer, operands = plain(node.layer), self.net.operand_shapes(node.name)
            if operands and "pad" in params_of(layer):
                calls.setdefault(node.layer_name, []).append((node.name, said(layer, operands[0])))
        for several in calls.values():
            ways = [way for way in several[0][1] if all(way in each for _, each in several)]
            number = next((way for way in ways if type(way) is int), None)
            for name, _ in several if ways else ():
                self._values[name]["pad"] = Same(number) if ways[0] == "same" else ways[0]

    def _series(self, parts: Parts, current: str | None) -> Series:
        items: list[Any] = []
        for part in parts.items:
            assert isinstance(part, Layers)
            if part.source not in (None, current):
                items.append(self._other("from", [part.source], current))
            items += self._layer(part)
            current = part.result
        return Series(items, 1)

    def _drop_rates(self) -> tuple[float, int] | None:
        """Say rates of stochastic depth that rise with the depth as such: as a `ramp` where they are one, else by whole
        numbers `m` that stand for `c*m/N`; gives `c` and `N`."""
        layers = [item for item in _layers(self.series) if item.word == "droppath"]
        rates = [item.values["rate"][0] for item in layers]
        if len(set(rates)) < 2:
            return None
        top = max(rates)
        if [top * share for share in rising(len(rates))] == rates:
            for item in layers:
                item.values = {"rate": [top], "ramp": [True]}
            return None
        for most, parts in product(dict.fromkeys((*_TOTALS, top)), range(1, _MOST_PARTS)):
            places = [round(rate * parts / most) for rate in rates]
            steps = gcd(*(other - one for one, other in pairwise(places)))
            if steps == 1 and max(places) <= parts and [most * place / parts for place in places] == rates:
                for item, place in zip(layers, places, strict=True):
                    item.values = {**item.values, "rate": [place]}
                return most, parts
        return None

    def _other(self, word: str, reads: list[str], current: str | None) -> Layer:
        self.used.update(reads)
        return Layer(word, {}, [("", [name]) for name in reads], [None], [self._before(current)], [])

    def _before(self, current: str | None) -> Before:
        return current, (self.net.shapes[current][-1] or 0) if current else 0

    def _layer(self, part: Layers) -> list[Layer]:
        (name,) = part.names
        layer, operands = plain(self.net.node(name).layer), self.net.operands(name)
        values = {key: [self._values[name].get(key, default)] for key, default in self._open[layer.op].items()}
        branches = [self._series(branch, part.source) for branch in part.branches]
        params = params_of(layer)
        keys = [params[key].key for key in layer.tensors() if getattr(layer, key)]
        own = len(operands) - len(keys)
        joined = () if branches else operands[1:own]
        reads = [*(("", [each]) for each in joined), *zip(keys, ([each] for each in operands[own:]), strict=True)]
        self.used.update(each[0] for _, each in reads)
        before = part.source if branches else operands[0] if operands else None
        act = values.get("act", ["linear"])[0] if layer.trailing else "linear"
        if layer.trailing:
            values.pop("act", None)
        fused = act != "linear"
        made = [Layer(layer.op, values, reads, [None if fused else name], [self._before(before)], branches)]
        if fused:
            plainly = {key: [default] for key, default in self._open.get(act, {}).items()}
            made.append(Layer(act, plainly, [], [name], [(None, self._before(name)[1])], []))
        return made


def _layers(series: Series) -> Iterator[Layer]:
    """The layers in the order of the text."""
    for item in series.items:
        assert isinstance(item, Layer)
        for branch in item.branches:
            yield from _layers(branch)
        yield item


def in_levels(whole: Parts, net: Net) -> Parts:
    """The chains of a series in the order of how many others they come after, and in that of what reads them last:
    what stands beside each other in several modules has the same order in all of them. A chain ends after what joins
    tensors from afar."""
    chains: list[list[Layers]] = []
    for part in whole.items:
        assert isinstance(part, Layers)
        goes_on = chains and part.source is not None and part.source == chains[-1][-1].result
        family = net.node(part.names[0]).layer.family
        if not goes_on or (_joins_afar(chains[-1][0], net) and family not in BANDS):
            chains.append([])
        chains[-1].append(part)
    home = {name: at for at, chain in enumerate(chains) for name in names_of(Parts([*chain]))}
    levels = [0] * len(chains)
    readers: list[list[tuple[int, int, int]]] = [[] for _ in chains]
    for place, (name, at) in enumerate(home.items()):
        for slot, operand in enumerate(net.operands(name)):
            if (other := home[operand]) != at:
                readers[other].append((at, place, slot))
                levels[at] = max(levels[at], levels[other] + 1)
    ranks = [0] * len(chains)
    by: dict[int, list[int]] = {}
    for at, level in enumerate(levels):
        by.setdefault(level, []).append(at)
    for level in sorted(by, reverse=True):
        keys: dict[int, tuple[int, ...]] = {}
        for at in by[level]:
            latest = max((levels[one] for one, _, _ in readers[at]), default=0)
            last = [(ranks[one], place, slot) for one, place, slot in readers[at] if levels[one] == latest]
            keys[at] = latest, *min(last, default=())
        for rank, at in enumerate(sorted(by[level], key=lambda at: (keys[at], at))):
            ranks[at] = rank
    order = sorted(range(len(chains)), key=lambda at: (levels[at], ranks[at]))
    items: list[Layers | Group] = [part for at in order for part in chains[at]]
    return Parts(items, items[-1].result)


def _joins_afar(part: Layers, net: Net) -> bool:
    return not part.branches and len(net.operands(part.names[0])) > 1


def in_order(net: Net) -> Net:
    """The network with its layers in the order in which they are asked for, from the outputs back: a block has its
    layers in the same order wherever it stands."""
    made = Net(net.name)
    waiting = [*net.outputs[::-1], *net.inputs[::-1]]
    asked: set[str] = set()
    while waiting:
        name = waiting[-1]
        missing = [] if name in asked else [each for each in net.operands(name) if each not in made]
        asked.add(name)
        if missing:
            waiting += missing[::-1]
            continue
        waiting.pop()
        if name not in made:
            made.add(net.node(name), net.operands(name), net.shapes[name])
    made.outputs = net.outputs
    return made
