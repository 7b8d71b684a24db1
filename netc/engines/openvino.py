"""OpenVINO, on the ONNX model of the network."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import openvino

from netc.engines.running import EngineError
from netc.targets.errors import ExportError
from netc.targets.onnx.model import model

if TYPE_CHECKING:
    from netc.engines.running import Arrays, Run
    from netc.ir.weights import Weights
    from netc.program import Program


def prepare(program: Program, weights: Weights, batch: int | None, threads: int | None) -> tuple[str, Run]:
    """Name and version, and the function of batches. Of a fixed batch it makes faster code than of an open one."""
    name = f"OpenVINO {openvino.__version__.split('-')[0]}"
    settings: dict[str, Any] = {
        "PERFORMANCE_HINT": "LATENCY",
        "INFERENCE_PRECISION_HINT": "f32",  # where the processor has bfloat16, it computes in that by itself
    }
    if threads is not None:
        settings["INFERENCE_NUM_THREADS"] = threads
    core = openvino.Core()
    try:
        read = core.read_model(model(program, weights).proto.SerializeToString())
        if batch is not None:
            read.reshape({port.any_name: [batch, *list(port.partial_shape)[1:]] for port in read.inputs})
        compiled = core.compile_model(read, "CPU", settings)
    except ExportError as error:
        raise EngineError(str(error)) from None
    except RuntimeError as error:
        raise EngineError(f"{name} refuses the model: {error}") from None
    request = compiled.create_infer_request()

    def run(inputs: Arrays) -> Arrays:
        try:
            made = request.infer(dict(inputs))
        except RuntimeError as error:
            raise EngineError(f"{name} fails: {error}") from None
        return {output: made[output] for output in program.net.outputs}

    return name, run
