"""A network in fewer bits, as something that is measured: every layer in them, with scales seen on noise, which decide
what comes out and not how soon."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from netc.bench.subjects import Given, Subject
from netc.engines import EngineError

if TYPE_CHECKING:
    from netc.precision.forms import Form

RUNS: Mapping[str, str] = {"fp16": "onnxruntime", "bf16": "openvino", "int8": "onnxruntime"}  # in which engine
SAMPLES = 32


def subject(given: Given) -> Subject:
    """A network in the precision of a row. Raises `EngineError` where it cannot be."""
    from netc.precision.forms import form  # noqa: PLC0415 - brings ONNX
    from netc.targets.errors import ExportError  # noqa: PLC0415
    from netc.targets.noise import noise  # noqa: PLC0415
    from netc.targets.onnx.model import model  # noqa: PLC0415

    try:
        content = model(given.program, given.weights).proto.SerializeToString()
        made: Form = form(given.precision, content, [noise(given.program.net, SAMPLES, 0)])
        narrow = made.model(()).SerializeToString()
        run = made.ready(narrow, given.batch, given.threads)
    except ExportError as error:
        raise EngineError(str(error)) from None
    return Subject(made.engine, run, lambda: len(narrow))
