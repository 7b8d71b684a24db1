"""bfloat16: weights are kept in it, and engines that compute in it do. It is proved in OpenVINO, on a processor that
has it; elsewhere the file runs in float32 with rounded weights."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Any

import numpy as np
import onnx
import openvino
from onnx import TensorProto, helper, numpy_helper

from netc.precision.forms import Layer, settled
from netc.targets.errors import ExportError
from netc.targets.openvino.engine import BFLOAT16, NAME, compiled, refused

if TYPE_CHECKING:
    from netc.precision.forms import Arrays, Run

KERNELS = {"Conv": 1, "ConvTranspose": 1, "Gemm": 1, "MatMul": 1}  # which input is rounded; sums stay float32


class BFloat16:
    """A model in bfloat16. OpenVINO chooses its precision for a whole model, so that no layer returns to float32."""

    name = "bf16"
    engine = NAME
    layers: tuple[Layer, ...] = ()

    def __init__(self, content: bytes) -> None:
        self._model = onnx.load_from_string(content)

    def model(self, floats: Collection[str]) -> onnx.ModelProto:
        made = onnx.ModelProto()
        made.CopyFrom(self._model)
        graph = made.graph
        kernels = {node.input[KERNELS[node.op_type]] for node in graph.node if node.op_type in KERNELS}
        casts = []
        for held in graph.initializer:
            if held.name not in kernels or held.data_type != TensorProto.FLOAT:
                continue
            name, held.name = held.name, f"{held.name}/bfloat16"
            held.CopyFrom(_rounded(held))
            casts.append(helper.make_node("Cast", [held.name], [name], name=name, to=TensorProto.FLOAT))
        nodes = [*casts, *graph.node]
        del graph.node[:]
        graph.node.extend(nodes)
        return settled(made)

    def ready(self, content: bytes, batch: int | None = None, threads: int | None = None) -> Run:
        if "BF16" not in openvino.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES"):
            raise ExportError(
                "this processor does not compute in bfloat16, so that nothing about it can be proved here"
            )
        proto = onnx.load_from_string(content)
        ready = compiled(proto, BFLOAT16, batch, threads)
        names = [output.any_name for output in ready.outputs]

        def run(inputs: Arrays) -> dict[str, Any]:
            with refused(proto):
                made = ready(dict(inputs))
            return {name: np.array(made[name]) for name in names}

        return run


def _rounded(held: TensorProto) -> TensorProto:
    """A constant in bfloat16, to the nearest, to even from the middle."""
    bits = numpy_helper.to_array(held).astype(np.float32).view(np.uint32)
    up = ((bits >> 16) & 1) + np.uint32(0x7FFF)
    half = ((bits + up) >> 16).astype(np.uint16)
    return TensorProto(
        name=held.name, data_type=TensorProto.BFLOAT16, dims=list(held.dims), raw_data=half.astype("<u2").tobytes()
    )
