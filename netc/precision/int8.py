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

from netc.precision.forms import in_onnxruntime, layers_of, nodes_of, ordered, refusing, settled
from netc.targets.errors import ExportError
from netc.targets.onnx.engine import QUIET

if TYPE_CHECKING:
    from netc.precision.forms import Arrays, Run

# What computes in 8 bits, and what hands numbers of 8 bits on, which it does where it gets some.
COMPUTING = ("Conv", "Gemm", "MatMul", "Add", "Mul", "Concat", "AveragePool", "GlobalAveragePool")
CARRYING = ("Relu", "Clip", "MaxPool", "Transpose", "Flatten", "Reshape", "Slice", "Pad")
QUANTISER = "onnxruntime's quantiser"


class Int8:
    """A model in 8 bits; `images` are batches by the names of inputs."""

    name = "int8"
    engine = f"onnxruntime {onnxruntime.__version__}"

    def __init__(self, content: bytes, images: Iterable[Arrays]) -> None:
        self._model = onnx.shape_inference.infer_shapes(onnx.load_from_string(content))
        self.layers = layers_of(self._model, COMPUTING)
        if not self.layers:
            raise ExportError("nothing in this network computes in int8: it has no convolution, product or sum")
        with refusing(QUANTISER):
            self._ranges = _ranges(self._model, images)

    def model(self, floats: Collection[str]) -> onnx.ModelProto:
        copy = onnx.ModelProto()
        copy.CopyFrom(self._model)
        excluded = nodes_of(copy, floats)
        types = QuantType.QInt8, QuantType.QUInt8
        with refusing(QUANTISER):
            made = QDQQuantizer(copy, True, True, *types, self._ranges, [], excluded, [*COMPUTING, *CARRYING], {})
            made.quantize_model()
            return settled(ordered(made.model.model))

    def ready(self, content: bytes, batch: int | None = None, threads: int | None = None) -> Run:
        return in_onnxruntime(content, threads)


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
        onnxruntime.set_default_logger_severity(QUIET)  # its sessions are not netc's
        calibrator = create_calibrator(path, [*COMPUTING, *CARRYING], watching.as_posix(), calibrate_method=method)
        calibrator.collect_data(_Reader(iter(images)))
        return calibrator.compute_data()
