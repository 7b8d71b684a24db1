"""onnxruntime, as an engine that a model is proved with."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import onnx
import onnxruntime

from netc.targets.errors import ExportError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from netc.targets.onnx.model import Made

    Arrays = Mapping[str, NDArray[Any]]

QUIET = 3  # errors alone: they are raised besides


def session(model: bytes, threads: int | None = None) -> onnxruntime.InferenceSession:
    """A model ready to run on the processor. Raises `ExportError` where onnxruntime refuses it."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads or 0  # 0 is all processors
    options.log_severity_level = QUIET
    try:
        return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # its own classes have no common base but this one
        raise ExportError(f"onnxruntime {onnxruntime.__version__} refuses the model: {error}") from None


class OnnxRuntime:
    """The bytes that are to be written, checked by `onnx.checker` and run; with more outputs where they are asked."""

    def __init__(self, made: Made, model: bytes) -> None:
        try:
            onnx.checker.check_model(model, full_check=True)
        except (onnx.checker.ValidationError, onnx.shape_inference.InferenceError) as error:
            raise ExportError(f"onnx.checker refuses the model: {error}") from None
        self._made = made
        self._session = session(model)
        self._outputs = [value.name for value in made.proto.graph.output]

    @property
    def name(self) -> str:
        return f"onnxruntime {onnxruntime.__version__}"

    def outputs(self, inputs: Arrays) -> Arrays:
        return dict(zip(self._outputs, self._session.run(self._outputs, dict(inputs)), strict=True))

    def before_softmax(self, inputs: Arrays) -> Arrays:
        made_by = {node.output[0]: node for node in self._made.proto.graph.node}
        ends: dict[str, tuple[str, list[int] | None]] = {}
        for name in made_by.keys() & set(self._outputs):  # an input may be an output
            node, order = made_by[name], None
            if node.op_type == "Transpose" and node.input[0] in made_by:
                node, order = made_by[node.input[0]], list(node.attribute[0].ints)
            if node.op_type == "Softmax":
                ends[name] = node.input[0], order
        found = self._with({value for value, _ in ends.values()}, inputs)
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
        wanted = [*more, *self._outputs]
        made = session(wider.SerializeToString()).run(wanted, dict(inputs))
        return {**inputs, **dict(zip(wanted, made, strict=True))}
