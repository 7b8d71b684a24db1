"""Which `shared def`s become Keras models of their own, called wherever the definition is."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import count

from netc.ir.net import Net, Node, SharedCall
from netc.ir.shape import Shape, channels_of, rank_of
from netc.layers.base import Layer
from netc.layers.shape import Reshape
from netc.params import Refused
from netc.rewrites.ramps import is_ramp
from netc.syntax.tree import Definition
from netc.targets.keras.lowering import to_keras


@dataclass(frozen=True, slots=True)
class Nested:
    """The model of a `shared def`, made of its first call: its name, and the names and shapes of its inputs. With
    `any_size`, the sizes of maps are open in these."""

    name: str
    inputs: tuple[str, ...]
    shapes: tuple[Shape, ...]
    first: SharedCall
    any_size: bool


class Nesting:
    """The models in the model of a network.

    A `shared def` becomes one where all its calls are one graph, which a model then stands for. Of others the layers
    are called one by one: where what a call makes depends on the sizes of its maps, and these differ; where it reads a
    tensor twice under two names, or one of them not at all; where each call has places of its own among the rates that
    rise over the network; where it makes an input; and where a `shared def` inside is called elsewhere too, as files of
    Keras cannot say that one layer is in two models.
    """

    def __init__(self, net: Net) -> None:
        self.models: dict[Definition, Nested] = {}
        self._net = net
        self._nodes = list(net)
        self._place = {node.name: place for place, node in enumerate(self._nodes)}
        self._taken = {*self._place}
        self._calls: dict[Definition, list[SharedCall]] = defaultdict(list)
        for call in net.shared:
            self._calls[call.definition].append(call)
        known: dict[Definition, bool] = {}
        for definition in self._calls:
            self._is_model(definition, known)
        self._at: dict[int, list[SharedCall]] = defaultdict(list)  # calls of models, by where they begin
        for call in net.shared:
            if call.definition in self.models:
                self._at[call.start].append(call)

    def parts(self, within: SharedCall | None = None) -> Iterator[Node | SharedCall]:
        """The layers of the network, or of a call, in order, with calls of models in place of what is in them."""
        place, stop = (0, len(self._nodes)) if within is None else (within.start, within.stop)
        while place < stop:
            calls = self._at.get(place, [])
            inner = calls[calls.index(within) + 1 :] if within in calls else calls
            if inner:
                yield inner[0]
                place = inner[0].stop
            else:
                yield self._nodes[place]
                place += 1

    def around(self, layer: str) -> tuple[str, ...]:
        """The models that a layer is in, from the outermost one to the one that has it."""
        return self._around[self._place[layer]]

    @cached_property
    def _around(self) -> list[tuple[str, ...]]:
        found: list[tuple[str, ...]] = [()] * len(self._nodes)
        for call in self._net.shared:  # outer ones first
            if call.definition in self.models:
                for place in range(call.start, call.stop):
                    found[place] = (*found[place], self.models[call.definition].name)
        return found

    def outputs(self) -> dict[str, str]:
        """The outputs of the network, with the names that Keras has for them: those of layers."""
        calls = (part for part in self.parts() if isinstance(part, SharedCall))
        models = {call.result: self.models[call.definition].name for call in calls}
        return {name: models.get(name, self._net.node(name).layer_name) for name in self._net.outputs}

    # -- which -----------------------------------------------------------------------------------------------

    def _is_model(self, definition: Definition, known: dict[Definition, bool]) -> bool:
        """Whether a definition becomes a model, which is then among them."""
        if definition not in known:
            calls = self._calls[definition]
            inner = {one.definition for one in self._net.shared if _is_inside(one, calls[0])} - {definition}
            only_here = all(any(_is_inside(one, call) for call in calls) for name in inner for one in self._calls[name])
            models = [self._is_model(one, known) for one in inner]
            nested = self._nested(calls) if only_here and all(models) and self._is_one_graph(calls) else None
            if nested is not None:
                self.models[definition] = nested
            known[definition] = nested is not None
        return known[definition]

    def _nested(self, calls: Sequence[SharedCall]) -> Nested | None:
        """The model that stands for calls of one graph; None where it would have to be of a size, and they differ."""
        opened = self._open(calls[0])
        shapes = self._shapes(calls[0]) if opened is None else opened
        if opened is None and any(self._shapes(call) != shapes for call in calls):
            return None
        name = self._free(calls[0].definition.name)
        inputs = tuple(self._free(f"{name}_input{number + 1}") for number in range(len(shapes)))
        return Nested(name, inputs, shapes, calls[0], opened is not None)

    def _free(self, name: str) -> str:
        """A name that no layer of the network has."""
        names = (name if number == 1 else f"{name}_{number}" for number in count(1))
        free = next(one for one in names if one not in self._taken)
        self._taken.add(free)
        return free

    def _is_one_graph(self, calls: Sequence[SharedCall]) -> bool:
        wired = self._wiring(calls[0])
        nodes = self._nodes[calls[0].start : calls[0].stop]
        if wired is None or any(node.layer.is_input or is_ramp(node) for node in nodes):
            return False
        return all(self._wiring(call) == wired for call in calls[1:])

    def _wiring(self, call: SharedCall) -> list[list[int]] | None:
        """What each node of a call reads, and the call gives: nodes of its own from 0, what it is handed from -1 down;
        None where it is not handed different tensors, of which it reads each and no other."""
        handed = {name: -1 - number for number, name in enumerate(call.operands)}
        if len(handed) < len(call.operands):
            return None
        own = {node.name: number for number, node in enumerate(self._nodes[call.start : call.stop])}
        if call.result not in own:
            return None
        of = {**handed, **own}
        wired = [[of.get(name, len(own)) for name in self._net.operands(name)] for name in own]
        needed, waiting = set[int](), [own[call.result]]
        while waiting:
            one = waiting.pop()
            if one not in needed:
                needed.add(one)
                waiting += wired[one] if 0 <= one < len(own) else []
        if not needed >= {*handed.values()} or len(own) in needed:
            return None
        return [*wired, [own[call.result]]]

    # -- sizes -----------------------------------------------------------------------------------------------

    def _shapes(self, call: SharedCall) -> tuple[Shape, ...]:
        return tuple(self._net.shapes[name] for name in call.operands)

    def _open(self, call: SharedCall) -> tuple[Shape, ...] | None:
        """The shapes that a call reads, with all sizes of maps open; None where it makes layers for its own."""
        opened = tuple((*(None,) * rank_of(shape), channels_of(shape)) for shape in self._shapes(call))
        if call.reads_sizes or not any(map(rank_of, opened)):
            return None
        made: dict[str, Shape] = dict(zip(call.operands, opened, strict=True))
        for node in self._nodes[call.start : call.stop]:
            here = self._net.operand_shapes(node.name)
            shapes = tuple(made[name] for name in self._net.operands(node.name))
            try:
                made[node.name] = _of_any_size(node.layer, shapes)
            except Refused:
                return None
            if to_keras(node.layer, shapes) != to_keras(node.layer, here):
                return None
            if node.layer.weights(shapes) != node.layer.weights(here):
                return None
        return opened


def _is_inside(call: SharedCall, other: SharedCall) -> bool:
    return other.start <= call.start and call.stop <= other.stop


def _of_any_size(layer: Layer, shapes: Sequence[Shape]) -> Shape:
    """The output shape of a layer on maps of open sizes. netc refuses these for a `reshape`, whose elements it counts;
    Keras works its open size out at each call, which was checked for the sizes of each."""
    return layer.shape if isinstance(layer, Reshape) and None in layer.shape else layer.infer(shapes)
