"""The direct build: a program as a running `keras.Model`."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from netc.layers.base import OperationError
from netc.targets.keras.backends import refusal
from netc.targets.keras.lowering import applied
from netc.targets.keras.order import depths, operand_order, recursion
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
    """A Keras model, with what it was made of: the tensor of each node, and the layers under each `layer_name`."""

    model: keras.Model
    tensors: dict[str, Any]
    layers: dict[str, list[Any]]


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
    depth = depths(net)
    tensors: dict[str, Any] = {}
    made: dict[str, list[Any]] = {}
    with deep_recursion(recursion(net, depth)):
        for node in net:
            operands = [tensors[net.operands(node.name)[slot]] for slot in operand_order(net, node.name, depth)]
            tensors[node.name] = _apply(net, node, operands, made)
        model = keras.Model(_ends(tensors, net.inputs), _ends(tensors, net.outputs), name=program.name)
    return Built(model, tensors, made)


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

    return keras.Model(built.model.inputs, built.tensors)


def assign(model: keras.Model, weights: Weights) -> None:
    """Set the variables of the layers that weights are for, in the order in which they are declared."""
    for layer in model.layers:
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
    return tensors[names[0]] if len(names) == 1 else [tensors[name] for name in names]


@contextmanager
def deep_recursion(levels: int) -> Iterator[None]:
    """Let Python recurse that many levels deeper than usual, and set the limit back afterwards."""
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(max(before, levels + LEVELS_TO_SPARE))
    try:
        yield
    finally:
        sys.setrecursionlimit(before)
