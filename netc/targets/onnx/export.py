"""A network with its weights as the bytes of an ONNX file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from netc.targets.onnx.engine import OnnxRuntime
from netc.targets.onnx.model import model
from netc.targets.proof import Proof, prove

if TYPE_CHECKING:
    from netc.ir.weights import Weights
    from netc.program import Program


def export(program: Program, weights: Weights, more: Mapping[str, str]) -> tuple[bytes, Proof]:
    """The file, and the proof that onnxruntime computes the network from it. Raises `ExportError`."""
    made = model(program, weights, more)
    content = made.proto.SerializeToString(deterministic=True)
    return content, prove(program, weights, OnnxRuntime(made, content))
