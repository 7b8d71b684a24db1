"""onnxruntime, as an engine that a model is proved with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import onnx
import onnxruntime

from netc.targets.errors import ExportError
from netc.targets.onnx.probing import Probed

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from netc.targets.onnx.model import Made

    Arrays = Mapping[str, NDArray[Any]]

QUIET = 4  # errors are raised, and need not be printed besides


def session(model: bytes, threads: int | None = None) -> onnxruntime.InferenceSession:
    """A model ready to run on the processor. Raises `ExportError` where onnxruntime refuses it."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads or 0  # 0 is all processors
    options.log_severity_level = QUIET
    try:
        return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # its own classes have no common base but this one
        raise ExportError(f"onnxruntime {onnxruntime.__version__} refuses the model: {error}") from None


def _ran(session: onnxruntime.InferenceSession, wanted: list[str], inputs: Arrays) -> list[NDArray[Any]]:
    """Values of a model for a batch. Raises `ExportError` where onnxruntime finds only now that it does not take it."""
    try:
        made: list[NDArray[Any]] = session.run(wanted, dict(inputs))
    except Exception as error:
        raise ExportError(f"onnxruntime {onnxruntime.__version__} fails to run the model: {error}") from None
    return made


class OnnxRuntime(Probed):
    """The bytes that are to be written, checked by `onnx.checker` and run."""

    def __init__(self, made: Made, model: bytes) -> None:
        try:
            onnx.checker.check_model(model, full_check=True)
        except (onnx.checker.ValidationError, onnx.shape_inference.InferenceError) as error:
            raise ExportError(f"onnx.checker refuses the model: {error}") from None
        super().__init__(made)
        self._session = session(model)

    @property
    def name(self) -> str:
        return f"onnxruntime {onnxruntime.__version__}"

    def outputs(self, inputs: Arrays) -> Arrays:
        return dict(zip(self._outputs, _ran(self._session, self._outputs, inputs), strict=True))

    def _run(self, model: bytes, names: Sequence[str], inputs: Arrays) -> Arrays:
        return dict(zip(names, _ran(session(model), list(names), inputs), strict=True))
