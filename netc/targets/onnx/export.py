"""A network with its weights as the contents of an ONNX file, or two."""

from __future__ import annotations

from collections.abc import Mapping
from mmap import ACCESS_READ, mmap
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from netc.files import TEMPORARY
from netc.targets.errors import ExportError
from netc.targets.onnx.engine import OnnxRuntime
from netc.targets.onnx.model import Made, model
from netc.targets.proof import Proof, prove

if TYPE_CHECKING:
    from netc.ir.weights import Weights
    from netc.program import Program

SUFFIX, DATA = ".onnx", ".data"


def export(program: Program, weights: Weights, more: Mapping[str, str]) -> tuple[bytes, Proof]:
    """The file, and the proof that onnxruntime computes the network from it. Raises `ExportError`, also for a model
    that is too large for one."""
    return _alone(program, weights, model(program, weights, more))


def export_files(
    program: Program, weights: Weights, more: Mapping[str, str], path: Path
) -> tuple[Mapping[str, bytes | mmap], Proof]:
    """The files of a name, by their endings, and the proof, as `export`: one, or two where the model is larger than one
    can be. Raises OSError where the folder has no room for them."""
    beside = path.with_name(path.name + DATA)
    made = model(program, weights, more, beside.name)
    if made.beside is None:
        content, proof = _alone(program, weights, made)
        return {SUFFIX: content}, proof
    if path.is_symlink() or beside.is_symlink():
        raise ExportError(f"the model needs two files, {path.name} and {beside.name}, and one of them is a link")
    with TemporaryDirectory(prefix=TEMPORARY, dir=path.parent) as folder:  # memory may be what /tmp is
        data = made.beside.write(Path(folder))
        content = _bytes(made)
        proof = prove(program, weights, OnnxRuntime(made, content, Path(folder)))
        with open(data, "rb") as file:
            return {SUFFIX: content, SUFFIX + DATA: mmap(file.fileno(), 0, access=ACCESS_READ)}, proof


def _alone(program: Program, weights: Weights, made: Made) -> tuple[bytes, Proof]:
    content = _bytes(made)
    return content, prove(program, weights, OnnxRuntime(made, content))


def _bytes(made: Made) -> bytes:
    content: bytes = made.proto.SerializeToString(deterministic=True)
    return content
