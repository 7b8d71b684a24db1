"""What an engine computes on the way, where its model came from ONNX: the ONNX model with more outputs."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import onnx

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from netc.targets.onnx.model import Made

    Arrays = Mapping[str, NDArray[Any]]


class Probed(ABC):
    """An engine that runs what was made of an ONNX model, or the model itself."""

    def __init__(self, made: Made) -> None:
        self._made = made
        self._outputs = [value.name for value in made.proto.graph.output]

    @abstractmethod
    def _run(self, model: bytes, names: Sequence[str], inputs: Arrays) -> Arrays:
        """Outputs of another ONNX model."""

    def before_softmax(self, inputs: Arrays) -> Arrays:
        made_by = {node.output[0]: node for node in self._made.proto.graph.node}
        ends: dict[str, tuple[str, list[int] | None]] = {}
        for name in made_by.keys() & set(self._outputs):  # an input may be an output
            node, order = made_by[name], None
            if node.op_type == "Transpose" and node.input[0] in made_by:
                node, order = made_by[node.input[0]], list(node.attribute[0].ints)
            if node.op_type == "Softmax":
                ends[name] = node.input[0], order
        found = self._with({value for value, _ in ends.values()}, inputs) if ends else {}
        return {
            name: found[value] if order is None else found[value].transpose(order)
            for name, (value, order) in ends.items()
        }

    def layers(self, inputs: Arrays) -> Arrays:
        values = {name: value for name, (value, _) in self._made.values.items() if value not in inputs}
        found = self._with(values.values(), inputs)
        return {name: found[value].transpose(self._back(name)) for name, value in values.items()}

    def _back(self, name: str) -> list[int]:
        """The order that puts the axes of a value as the layer's output has them."""
        perm = self._made.values[name][1]
        return [perm.index(axis) for axis in range(len(perm))]

    def _with(self, names: Iterable[str], inputs: Arrays) -> Arrays:
        """Inputs, outputs, and more values of the model, which are made outputs."""
        more = sorted(set(names) - {*self._outputs, *inputs})
        wider = onnx.ModelProto()
        wider.CopyFrom(self._made.proto)
        for name in more:
            wider.graph.output.add(name=name)
        return {**inputs, **self._run(wider.SerializeToString(), [*more, *self._outputs], inputs)}
