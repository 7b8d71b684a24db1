"""OpenVINO, as an engine that a model is proved with."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
import openvino

from netc.targets.errors import ExportError, Unproved
from netc.targets.onnx.probing import Probed

if TYPE_CHECKING:
    import onnx
    from numpy.typing import NDArray

    from netc.targets.onnx.model import Made

    Arrays = Mapping[str, NDArray[Any]]

NAME = f"OpenVINO {openvino.__version__.split('-')[0]}"
# Where the processor has bfloat16, OpenVINO computes in that by itself.
EXACT, BFLOAT16 = ({"INFERENCE_PRECISION_HINT": name} for name in ("f32", "bf16"))
LACKING = re.compile(r"No conversion rule found for operations: (\w+)-")
FRAME = ("Exception from", "Check ", "FrontEnd API", "Model wasn't", "--", "While validating", "To facilitate")


class OpenVino(Probed):
    """The two files that are to be written, run in float32."""

    def __init__(self, made: Made, xml: bytes, weights: bytes) -> None:
        super().__init__(made)
        held = openvino.Tensor(np.frombuffer(weights, np.uint8))
        with refused(made.proto):
            self._compiled = _exact(openvino.Core().read_model(xml, held))
        self.name = NAME

    def outputs(self, inputs: Arrays) -> Arrays:
        return self._made_by(self._compiled, self._outputs, inputs)

    def _run(self, model: bytes, names: Sequence[str], inputs: Arrays) -> Arrays:
        with refused(self._made.proto):
            wider = _exact(openvino.Core().read_model(model))
        return self._made_by(wider, names, inputs)

    def _made_by(self, compiled: Any, names: Sequence[str], inputs: Arrays) -> Arrays:
        with refused(self._made.proto):
            read = {name for port in compiled.inputs for name in port.names}  # of one that says a size nothing is read
            made = compiled({name: array for name, array in inputs.items() if name in read})
            return {name: made[name] for name in names}


def _check_windows(proto: onnx.ModelProto) -> None:
    """Raises `Unproved` where windows of a convolution lie in the padding after its input alone.

    OpenVINO 2026.4.1 reads there, on a processor with AVX2, outside of its memory, and may end the process; of 108
    convolutions with as much padding before the input none did. A `Pad` before the convolution is no help: OpenVINO
    makes it part of the windows itself.
    """
    for node in proto.graph.node:
        if node.op_type != "Conv":
            continue
        said = {each.name: list(each.ints) for each in node.attribute}
        before, after = np.split(np.array(said.get("pads", [0] * 2 * len(said["kernel_shape"]))), 2)
        reach = (np.array(said["kernel_shape"]) - 1) * said["dilations"] + 1
        if np.any((after >= reach) & (after > before)):
            raise Unproved(
                f"{NAME} may crash at `{node.name}`, {node.doc_string}: windows lie in the padding alone: nothing is "
                "proved. Expected less padding after the input than a window is long"
            )


def _exact(model: Any) -> Any:
    return openvino.Core().compile_model(model, "CPU", EXACT)


def compiled(proto: onnx.ModelProto, precision: Mapping[str, str], batch: int | None, threads: int | None) -> Any:
    """An ONNX model, run in a precision. Of a fixed batch OpenVINO makes faster code than of an open one. Raises
    `ExportError`."""
    settings: dict[str, Any] = {"PERFORMANCE_HINT": "LATENCY", **precision}
    if threads is not None:
        settings["INFERENCE_NUM_THREADS"] = threads
    with refused(proto):
        read = openvino.Core().read_model(proto.SerializeToString())
        if batch is not None:
            read.reshape({port.any_name: [batch, *list(port.partial_shape)[1:]] for port in read.inputs})
        return openvino.Core().compile_model(read, "CPU", settings)


@contextmanager
def refused(proto: onnx.ModelProto) -> Iterator[None]:
    """What OpenVINO refuses as an `ExportError`, with the operation and the line of the spec if it names one.

    `Unproved` for what may crash it.
    """
    _check_windows(proto)
    try:
        yield
    except RuntimeError as error:
        said = str(error)
        lacking = LACKING.search(said)
        node = next((node for node in proto.graph.node if _is_named(node, said, lacking)), None)
        where = f" at `{node.name}` ({node.op_type} of ONNX), {node.doc_string}" if node else ""
        lines = [line for line in said.partition("Summary:")[0].splitlines() if line and not line.startswith(FRAME)]
        why = "it lacks this operation" if lacking else " ".join(lines) or said.strip()
        raise ExportError(f"{NAME} refuses the model{where}: {why}") from None


def _is_named(node: onnx.NodeProto, said: str, lacking: re.Match[str] | None) -> bool:
    return node.op_type == lacking[1] if lacking else f"<Node({node.op_type}): {node.name}>" in said
