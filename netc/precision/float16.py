"""float16: weights and nodes, converted by onnxruntime. Inputs and outputs stay float32."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

import onnx
import onnxruntime
from onnxruntime.transformers.float16 import convert_float_to_float16

from netc.precision.forms import in_onnxruntime, layers_of, nodes_of, ordered, refusing, settled

if TYPE_CHECKING:
    from netc.precision.forms import Run

WEIGHTED = ("Conv", "ConvTranspose", "Gemm", "MatMul", "BatchNormalization", "LayerNormalization", "Mul", "Add")


class Float16:
    """A model in float16."""

    name = "fp16"
    engine = f"onnxruntime {onnxruntime.__version__}"

    def __init__(self, content: bytes) -> None:
        self._model = onnx.load_from_string(content)
        self.layers = layers_of(self._model, WEIGHTED)

    def model(self, floats: Collection[str]) -> onnx.ModelProto:
        copy = onnx.ModelProto()
        copy.CopyFrom(self._model)
        blocked = nodes_of(copy, floats)
        with refusing("onnxruntime's converter to float16"):
            return settled(ordered(convert_float_to_float16(copy, keep_io_types=True, node_block_list=blocked)))

    def ready(self, content: bytes, batch: int | None = None, threads: int | None = None) -> Run:
        return in_onnxruntime(content, threads)
