"""OpenVINO, on the ONNX model of the network."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import openvino

from netc.engines.running import EngineError
from netc.targets.errors import ExportError
from netc.targets.onnx.model import model
from netc.targets.openvino.engine import EXACT, NAME, refused

if TYPE_CHECKING:
    from netc.engines.running import Arrays, Run
    from netc.ir.weights import Weights
    from netc.program import Program


def prepare(program: Program, weights: Weights, batch: int | None, threads: int | None) -> tuple[str, Run]:
    """Name and version, and the function of batches. Of a fixed batch it makes faster code than of an open one."""
    settings: dict[str, Any] = {"PERFORMANCE_HINT": "LATENCY", **EXACT}
    if threads is not None:
        settings["INFERENCE_NUM_THREADS"] = threads
    core = openvino.Core()
    try:
        made = model(program, weights).proto
        with refused(made):
            read = core.read_model(made.SerializeToString())
            if batch is not None:
                read.reshape({port.any_name: [batch, *list(port.partial_shape)[1:]] for port in read.inputs})
            request = core.compile_model(read, "CPU", settings).create_infer_request()
    except ExportError as error:
        raise EngineError(str(error)) from None

    def run(inputs: Arrays) -> Arrays:
        try:
            found = request.infer(dict(inputs))
        except RuntimeError as error:
            raise EngineError(f"{NAME} fails: {error}") from None
        return {output: found[output] for output in program.net.outputs}

    return NAME, run
