"""OpenVINO, on the ONNX model of the network."""

from __future__ import annotations

from typing import TYPE_CHECKING

from netc.engines.running import EngineError
from netc.targets.errors import ExportError
from netc.targets.onnx.model import model
from netc.targets.openvino.engine import EXACT, NAME, compiled

if TYPE_CHECKING:
    from netc.engines.running import Arrays, Run
    from netc.ir.weights import Weights
    from netc.program import Program


def prepare(program: Program, weights: Weights, batch: int | None, threads: int | None) -> tuple[str, Run]:
    """Name and version, and the function of batches, of which a fixed one is faster."""
    try:
        request = compiled(model(program, weights).proto, EXACT, batch, threads).create_infer_request()
    except ExportError as error:
        raise EngineError(str(error)) from None

    def run(inputs: Arrays) -> Arrays:
        try:
            found = request.infer(dict(inputs))
        except RuntimeError as error:
            raise EngineError(f"{NAME} fails: {error}") from None
        return {output: found[output] for output in program.net.outputs}

    return NAME, run
