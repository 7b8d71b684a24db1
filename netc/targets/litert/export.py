"""A network with its weights as the bytes of a `.tflite` file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from netc.targets.keras.saved import on_tensorflow
from netc.targets.litert.convert import converted
from netc.targets.litert.engine import LiteRt
from netc.targets.proof import Proof, prove

if TYPE_CHECKING:
    from netc.ir.weights import Weights
    from netc.program import Program


def export(program: Program, weights: Weights) -> tuple[bytes, Proof]:
    """The file, and the proof that LiteRT computes the network from it. Raises `ExportError`, OSError where there is
    no room for temporary files."""
    with on_tensorflow(program, weights) as built:
        content = converted(program, built, built.model, program.net.outputs)
        return content, prove(program, weights, LiteRt(program, built, content))
