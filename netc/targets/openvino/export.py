"""A network with its weights as the two files of OpenVINO."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import onnx
import openvino

from netc import __version__
from netc.targets.onnx.model import Made, model
from netc.targets.openvino.engine import OpenVino, refused
from netc.targets.proof import Proof, prove

if TYPE_CHECKING:
    from netc.ir.weights import Weights
    from netc.program import Program

MARK = b"\n<!-- netc " + __version__.encode() + b" -->"  # after the first line: who wrote it
NO_XML = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def export(program: Program, weights: Weights, more: Mapping[str, str]) -> tuple[tuple[bytes, bytes], Proof]:
    """The text and the weights, and the proof that OpenVINO computes the network from them. Raises `ExportError`,
    OSError where there is no room for temporary files."""
    made = model(program, weights, more)
    contents = written(made)
    return contents, prove(program, weights, OpenVino(made, *contents))


def written(made: Made) -> tuple[bytes, bytes]:
    """What OpenVINO makes of an ONNX model: the text, which holds the metadata too, and the weights."""
    model = onnx.ModelProto()
    model.CopyFrom(made.proto)
    for said in model.metadata_props:
        if NO_XML.search(said.value):
            said.key, said.value = f"{said.key}_json", json.dumps(said.value)
    with refused(model):
        read = openvino.Core().read_model(model.SerializeToString())
    with TemporaryDirectory() as folder:
        text, numbers = Path(folder) / "model.xml", Path(folder) / "model.bin"
        try:
            openvino.serialize(read, text, numbers)
        except RuntimeError as error:
            raise OSError(f"OpenVINO cannot write temporary files: {error}") from None
        first, end, rest = text.read_bytes().partition(b"\n")
        return first + MARK + end + rest, numbers.read_bytes()
