"""A network as it is compared: activations joined to their layers, values in one form, blocks by who holds them."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from netc.analysis.structure import FOUND, Group, Item, Layers, Series, decompose, fold, names_of, structure
from netc.ir.net import Net
from netc.layers.base import Layer
from netc.layers.dense import Dense
from netc.layers.kinds import Padding
from netc.layers.pool import AveragePool, GlobalPool, Pool
from netc.layers.regularise import DropPath
from netc.layers.shape import Flatten
from netc.lift.arguments import params_of
from netc.lift.joined import joined, without
from netc.lift.source import Imported
from netc.params import Sizes
from netc.program import Program
from netc.rewrites.canonical import plain
from netc.sections.settings import WeightDecay
from netc.values import Value, show

BEGINNINGS = {"init", "bias_init", "recurrent_init", "gamma", "gamma_std"}  # parameters that are initial values

Facts = dict[str, Hashable]  # a layer's parameters by name, equal for what computes and trains the same


@dataclass(frozen=True, slots=True)
class Unit:
    """A block: a call, or a pass of a `repeat`. `kind` is the definition, or "" for a pass; `head` is what wrote it,
    `name` what a call is called, `row` the number of the `repeat` of a pass among what stands beside it."""

    kind: str
    head: str
    names: tuple[str, ...]
    name: str = ""
    row: int = 0


@dataclass(slots=True, eq=False)
class Holder:
    """What holds blocks one after the other: the file, a call, a branch, or a `repeat` inside them. `path` are the
    names of the calls around, the outermost first."""

    path: tuple[str, ...]
    definition: str
    units: list[Unit] = field(default_factory=list)


@dataclass
class Side:
    """One of two networks that are compared. `called` says what a node is called where it came from, where that is not
    its name; `program` is there for a spec. `file` is where it comes from, and `given` are the parameters that were set
    for it."""

    name: str
    whole: Net
    program: Program | None = None
    called: Mapping[str, str] = field(default_factory=dict)
    file: str = ""
    given: Sequence[tuple[str, Value]] = ()
    net: Net = field(init=False)
    ends: Mapping[str, str] = field(init=False)
    kinds: dict[Layer, Facts] = field(init=False)  # by layer: equal ones are most of a deep network
    facts: dict[str, Facts] = field(init=False)

    def __post_init__(self) -> None:
        bare, gone = _bare(self.whole)
        self.net, ends, parts = joined(bare)
        ends |= {name: part.reader for name, part in parts.items()}
        self.ends = ends | {name: ends.get(kept, kept) for name, kept in gone.items()}
        train = self.program.sections.train if self.program else None
        decay = train.value(WeightDecay) if train else None
        self.kinds = {}
        for node in self.net:
            if node.layer not in self.kinds:
                facts = _facts(plain(node.layer))
                if decay is not None and facts.get("l2") == decay.strength:
                    facts["l2"] = None  # what `train` says of all, it says once
                self.kinds[node.layer] = facts
        self.facts = {node.name: self.kinds[node.layer] for node in self.net}
        for node in self.net:
            if isinstance(node.layer, GlobalPool) and node.layer.keep and _only_dense(self.net, node.name):
                self.facts[node.name] = self.facts[node.name] | {"keep": False}  # the same numbers for a dense layer

    @classmethod
    def of(cls, program: Program, given: Sequence[tuple[str, Value]] = ()) -> Side:
        """That of a spec, for which some parameters were set."""
        return cls(program.name, program.net, program, file=program.file.source.name, given=given)

    @classmethod
    def imported(cls, model: Imported, file: str) -> Side:
        """That of the file of a model of another program, whose layers are called what they are called there."""
        return cls(model.net.name, model.net, None, model.sources, file)

    def tell_from(self, file: str) -> None:
        """Name the network so that it is not taken for one of the same name from a file: by its own file, if that is
        another, and by the parameters that were set."""
        name = self.name if self.file == file else self.file
        self.name = " ".join([name, *(f"{param}={show(value)}" for param, value in self.given)])

    def forget_beginnings(self) -> None:
        """Leave initial values out of the comparison: a model of another program is past them."""
        for facts in (*self.kinds.values(), *self.facts.values()):
            for name in BEGINNINGS & facts.keys():
                del facts[name]

    def title(self, name: str) -> str:
        """What a layer is called where it came from."""
        return self.called.get(name, name)

    @cached_property
    def places(self) -> dict[str, int]:
        """The place of each layer in the order of the network."""
        return {node.name: place for place, node in enumerate(self.net)}

    @cached_property
    def outputs(self) -> dict[str, int]:
        """The number of each output."""
        return {name: number for number, name in enumerate(self.net.outputs)}

    @cached_property
    def begins(self) -> dict[str, int]:
        """How deep in others the outermost block stands that begins with a layer."""
        return self._depths(0)

    @cached_property
    def stops(self) -> dict[str, int]:
        """How deep in others the outermost block stands that ends with a layer."""
        return self._depths(-1)

    def _depths(self, end: int) -> dict[str, int]:
        found: dict[str, int] = {}
        for holder in self.holders:  # from the outside in
            for unit in holder.units:
                if unit.names:
                    found.setdefault(unit.names[end], len(holder.path))
        return found

    @cached_property
    def series(self) -> Series:
        """The structure of the text, or of the graph where there is no text that was written."""
        if self.program is not None and not self.program.from_graph:
            return structure(self.program)
        return fold(self.whole, decompose(self.whole), lambda node: node.layer, least=FOUND)

    @cached_property
    def holders(self) -> list[Holder]:
        """What holds blocks, from the outside in."""
        found: list[Holder] = []
        todo: list[tuple[Series, tuple[str, ...], str]] = [(self.series, (), "")]
        while todo:
            series, path, definition = todo.pop(0)
            holder = Holder(path, definition)
            for row, item in enumerate(series.items):
                for unit, inner, name in self._units(item, row):
                    holder.units.append(unit)
                    todo.append((inner, (*path, name) if name else path, unit.kind or definition))
                if isinstance(item, Layers):
                    todo += [(branch, path, definition) for branch in item.branches if branch.items]
            if holder.units:
                found.append(holder)
        return found

    def _units(self, item: Item, row: int) -> Iterator[tuple[Unit, Series, str]]:
        """The blocks that an item of a series is: a call, or the passes of a `repeat`, each a call where that is all;
        with what is in them, and the name of the call."""
        if isinstance(item, Layers):
            return
        for each in item.passes:
            only = each.items[0] if len(each.items) == 1 else None
            if item.definition or not (isinstance(only, Group) and only.definition):
                name = item.name if item.definition else ""
                yield Unit(item.definition, item.head, self._own(each), name, 0 if item.definition else row), each, name
            else:
                yield from self._units(only, row)

    def _own(self, series: Series) -> tuple[str, ...]:
        return tuple(name for name in names_of(series) if name in self.net)

    @cached_property
    def inside(self) -> dict[str, tuple[str, ...]]:
        """For each layer of a block all layers of the innermost one."""
        return {name: unit.names for holder in self.holders for unit in holder.units for name in unit.names}

    @cached_property
    def around(self) -> dict[str, tuple[str, ...]]:
        """For each layer the calls that made it, from the outermost one; nothing for those of no call."""
        found: dict[str, tuple[str, ...]] = {}
        for holder in self.holders:
            for unit in holder.units:
                if unit.kind:
                    found.update(dict.fromkeys(unit.names, holder.path))
        return found

    def padding(self, name: str) -> Hashable:
        """The zeros that the windows of a layer read before and after each dimension, however a spec says it, and
        whether they count in a mean; None where sizes are open, or windows go over a finer grid."""
        layer, shapes, output = self.net.node(name).layer, self.net.operand_shapes(name), self.net.shapes[name]
        windows = layer.windows(shapes)
        if not windows or None in shapes[0] or None in output or any(window.up > 1 for window in windows):
            return None
        sides = [
            (window.before, window.beyond(size, made))
            for window, size, made in zip(windows, shapes[0], output, strict=False)
            if size is not None and made is not None
        ]
        padded = any(before > 0 or after > 0 for before, after in sides)
        return (*sides, padded and isinstance(layer, AveragePool) and layer.pad != "same")


def _only_dense(net: Net, name: str) -> bool:
    """Whether dense layers alone read a tensor, which take its numbers in whatever shape they are."""
    readers = net.consumers(name)
    return (
        bool(readers) and name not in net.outputs and all(isinstance(net.node(each).layer, Dense) for each in readers)
    )


def _bare(net: Net) -> tuple[Net, dict[str, str]]:
    """The network without layers that do nothing, and of each of these the layer whose tensor it hands on."""
    gone: dict[str, str] = {}
    for node in net:
        layer, shapes = node.layer, net.operand_shapes(node.name)
        if len(shapes) == 1 and node.name not in net.outputs:
            flat = isinstance(layer, Flatten) and _only_dense(net, node.name)
            if flat or layer.does_nothing(shapes):
                (read,) = net.operands(node.name)
                gone[node.name] = gone.get(read, read)
    return without(net, gone), gone


def _facts(layer: Layer) -> Facts:
    if isinstance(layer, DropPath):
        return {"rate": layer.share}  # however it is said
    found: dict[str, Hashable] = {}
    for name, param in params_of(layer).items():
        own: Any = layer.step if name == "stride" and isinstance(layer, Pool) else getattr(layer, name)
        once = isinstance(param.kind, Sizes | Padding) and isinstance(own, tuple) and len(set(own)) == 1
        found[name] = own[0] if once else own
    return found
