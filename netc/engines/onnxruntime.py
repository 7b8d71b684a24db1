"""onnxruntime, on the ONNX model of the network."""

from __future__ import annotations

from typing import TYPE_CHECKING

import onnxruntime

from netc.engines.running import EngineError
from netc.targets.errors import ExportError
from netc.targets.onnx.engine import loaded
from netc.targets.onnx.model import model

if TYPE_CHECKING:
    from netc.engines.running import Arrays, Run
    from netc.ir.weights import Weights
    from netc.program import Program


def prepare(program: Program, weights: Weights, batch: int | None, threads: int | None) -> tuple[str, Run]:
    """Name and version, and the function of batches. A fixed batch is of no use to it."""
    try:
        ready = loaded(model(program, weights, beside="model.onnx.data"), threads)
    except (ExportError, OSError) as error:
        raise EngineError(str(error)) from None
    names = [output.name for output in ready.get_outputs()]

    def run(inputs: Arrays) -> Arrays:
        try:
            return dict(zip(names, ready.run(names, dict(inputs)), strict=True))
        except Exception as error:  # its own classes have no common base but this one
            raise EngineError(f"onnxruntime {onnxruntime.__version__} fails: {error}") from None

    return f"onnxruntime {onnxruntime.__version__}", run
