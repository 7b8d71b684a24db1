"""The direct build: a program as a running `keras.Model`."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from netc.ir.net import SharedCall
from netc.layers.base import OperationError
from netc.targets.keras.backends import refusal
from netc.targets.keras.lowering import applied
from netc.targets.keras.nesting import Nested, Nesting
from netc.targets.keras.order import depths, in_order, operand_order, recursion
from netc.targets.keras.quiet import backend, import_keras

if TYPE_CHECKING:
    import keras

    from netc.ir.net import Net, Node
    from netc.ir.weights import Weights
    from netc.program import Program
    from netc.target import Call

LEVELS_TO_SPARE = 2000  # frames of the caller, and of Keras around its own recursion


@dataclass(frozen=True, slots=True)
class Built:
    """A Keras model, with what it was made of: the network, the tensors of nodes that are in no model inside, and the
    layers under each `layer_name`."""

    model: keras.Model
    net: Net
    outer: dict[str, Any]
    layers: dict[str, list[Any]]

    def tensors(self) -> dict[str, Any]:
        """The tensor of each node. Where there are models inside, these are tensors of other calls of the same layers,
        one by one."""
        if all(node.name in self.outer for node in self.net):
            return self.outer
        depth = depths(self.net)
        found: dict[str, Any] = {}
        for node in self.net:
            operands = [found[self.net.operands(node.name)[slot]] for slot in operand_order(self.net, node.name, depth)]
            found[node.name] = _apply(self.net, node, operands, self.layers)
        return found


def build(program: Program) -> keras.Model:
    """The network as a Keras model with new weights; layers have the names of the nodes."""
    return construct(program).model


def construct(program: Program) -> Built:
    """The network as a Keras model, with its parts. Raises `OperationError` where Keras lacks what a layer becomes, or
    computes something else on what it runs on.

    Keras follows a model recursively from its outputs to its inputs and fails at about 1,000 layers one after the
    other, so Python's recursion limit is raised while the model is made. The model then predicts, trains and saves
    under any limit; `keras.models.load_model` needs a raised one again (`deep_recursion`).
    """
    import_keras()
    import keras  # noqa: PLC0415 - seconds

    net = program.net
    if why := refusal(net, backend()):
        raise OperationError(why)
    maker = _Maker(net)
    with deep_recursion(recursion(net, maker.depth)):
        tensors = maker.made({})
        model = keras.Model(_ends(tensors, net.inputs), _ends(tensors, net.outputs), name=program.name)
    return Built(model, net, tensors, maker.layers)


class _Maker:
    """Makes the layers of a network, and the models of its `shared def`s."""

    def __init__(self, net: Net) -> None:
        self.net = net
        self.depth = depths(net)
        self.layers: dict[str, list[Any]] = {}
        self._nesting = Nesting(net)
        self._models: dict[str, Any] = {}

    def made(self, tensors: dict[str, Any], within: SharedCall | None = None) -> dict[str, Any]:
        """The tensors of the nodes of the network or of a call, from those that are given."""
        for part in self._nesting.parts(within):
            if isinstance(part, SharedCall):
                operands = [tensors[name] for name in part.operands]
                tensors[part.result] = self._model(self._nesting.models[part.definition])(_one_or_all(operands))
            else:
                operands = [tensors[self.net.operands(part.name)[slot]] for slot in self._order(part)]
                tensors[part.name] = _apply(self.net, part, operands, self.layers)
        return tensors

    def _order(self, node: Node) -> Sequence[int]:
        return operand_order(self.net, node.name, self.depth)

    def _model(self, nested: Nested) -> Any:
        import keras  # noqa: PLC0415

        if nested.name not in self._models:
            call = nested.first
            inputs = [keras.Input(shape, name=name) for shape, name in zip(nested.shapes, nested.inputs, strict=True)]
            tensors = self.made(dict(zip(call.operands, inputs, strict=True)), call)
            self._models[nested.name] = keras.Model(_one_or_all(inputs), tensors[call.result], name=nested.name)
        return self._models[nested.name]


def layers_of(model: keras.Model) -> list[Any]:
    """The layers of a model, those of the models in it in their place."""
    import keras  # noqa: PLC0415 - seconds

    parts = (layers_of(layer) if isinstance(layer, keras.Model) else [layer] for layer in model.layers)
    return [layer for part in parts for layer in part]


def layers_in_order(model: keras.Model, net: Net) -> list[Any]:
    """The layers of the model of a network, in the order that they would have without models in it."""
    if len(known := {layer.name: layer for layer in layers_of(model)}) == len(model.layers):
        return [*model.layers]
    return [known[name + call.suffix] for name, call in in_order(net)]


@contextmanager
def weighted(program: Program, weights: Weights) -> Iterator[Built]:
    """The Keras model with its weights, which may be followed from its outputs to its inputs however deep it is."""
    net, built = program.net, construct(program)
    assign(built.model, weights)
    with deep_recursion(recursion(net, depths(net))):
        yield built


def all_layers(built: Built) -> keras.Model:
    """The model that gives the output of each layer, by its name."""
    import keras  # noqa: PLC0415 - seconds

    return keras.Model(built.model.inputs, built.tensors())


def assign(model: keras.Model, weights: Weights) -> None:
    """Set the variables of the layers that weights are for, in the order in which they are declared."""
    for layer in layers_of(model):
        if arrays := weights.of(layer.name):
            for variable, array in zip(layer.weights, arrays, strict=True):
                variable.assign(array)


def _apply(net: Net, node: Node, operands: list[Any], made: dict[str, list[Any]]) -> Any:
    """The output of a node, whose layers are those of the node that it shares with, if any."""
    from netc.targets.keras.calls import make  # noqa: PLC0415 - imports Keras

    calls = applied(node.layer, net.operand_shapes(node.name), net.operand_shapes(node.shares) if node.shares else None)
    if node.layer_name not in made:
        try:
            made[node.layer_name] = [make(call, node.layer_name + call.suffix) for call in calls]
        except OperationError as error:
            raise OperationError(f"`{node.layer.op}` cannot be built: {error}") from None
    layers = made[node.layer_name]
    if not operands:
        return layers[0]  # an input is a tensor already
    for layer, call in zip(layers, calls, strict=True):
        operands = [apply(call, layer, operands)]
    return operands[0]


def apply(call: Call, layer: Any, operands: Sequence[Any]) -> Any:
    """What the layer that a call makes gives for tensors."""
    given = call.arguments(operands) or [operands if len(operands) > 1 else operands[0]]
    return layer(*given, **call.applied)


def _ends(tensors: dict[str, Any], names: list[str]) -> Any:
    return _one_or_all([tensors[name] for name in names])


def _one_or_all(tensors: list[Any]) -> Any:
    return tensors[0] if len(tensors) == 1 else tensors


@contextmanager
def deep_recursion(levels: int) -> Iterator[None]:
    """Let Python recurse that many levels deeper than usual, and set the limit back afterwards."""
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(max(before, levels + LEVELS_TO_SPARE))
    try:
        yield
    finally:
        sys.setrecursionlimit(before)
