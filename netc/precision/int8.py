"""8 bits: onnxruntime's static quantiser, with scales seen on images of the training data.

Tensors are unsigned with a zero point, weights signed with a scale for each output channel. Weights take 7 of their
8 bits: without VNNI, processors add pairs of products in 16 bits, and with 8 they would overflow silently, so that the
file would be another network there (onnxruntime's documentation of quantisation, "reduce_range").
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import onnx
import onnxruntime
from onnxruntime.quantization import CalibrationDataReader, CalibrationMethod, QuantType
from onnxruntime.quantization.calibrate import create_calibrator
from onnxruntime.quantization.qdq_quantizer import QDQQuantizer

from netc.precision.forms import in_onnxruntime, layers_of, nodes_of, ordered, settled

if TYPE_CHECKING:
    from netc.precision.forms import Arrays, Run

# What computes in 8 bits, and what hands numbers of 8 bits on, which it does where it gets some.
COMPUTING = ("Conv", "Gemm", "MatMul", "Add", "Mul", "Concat", "AveragePool", "GlobalAveragePool")
CARRYING = ("Relu", "Clip", "MaxPool", "Transpose", "Flatten", "Reshape", "Slice", "Pad")


class Int8:
    """A model in 8 bits; `images` are batches by the names of inputs."""

    name = "int8"
    engine = f"onnxruntime {onnxruntime.__version__}"

    def __init__(self, content: bytes, images: Iterable[Arrays]) -> None:
        self._model = onnx.shape_inference.infer_shapes(onnx.load_from_string(content))
        self.layers = layers_of(self._model, COMPUTING)
        self._ranges = _ranges(self._model, images)

    def model(self, floats: Collection[str]) -> onnx.ModelProto:
        copy = onnx.ModelProto()
        copy.CopyFrom(self._model)
        excluded = nodes_of(copy, floats)
        types = QuantType.QInt8, QuantType.QUInt8
        quantiser = QDQQuantizer(copy, True, True, *types, self._ranges, [], excluded, [*COMPUTING, *CARRYING], {})
        quantiser.quantize_model()
        return settled(ordered(quantiser.model.model))

    def ready(self, content: bytes) -> Run:
        return in_onnxruntime(content)


class _Reader(CalibrationDataReader):  # type: ignore[misc]
    def __init__(self, images: Iterator[Arrays]) -> None:
        self._images = images

    def get_next(self) -> Any:
        found = next(self._images, None)
        return None if found is None else dict(found)


def _ranges(model: onnx.ModelProto, images: Iterable[Arrays]) -> Any:
    """From where to where the numbers of each tensor go."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "model.onnx"
        onnx.save(model, path)
        watching = Path(folder) / "watching.onnx"
        method = CalibrationMethod.MinMax
        calibrator = create_calibrator(path, [*COMPUTING, *CARRYING], watching.as_posix(), calibrate_method=method)
        calibrator.collect_data(_Reader(iter(images)))
        return calibrator.compute_data()
