"""A network with its weights as a file, by the ending of its name."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from netc import needs
from netc.layers import LAYERS

if TYPE_CHECKING:
    from netc.ir.net import Net
    from netc.ir.weights import Weights
    from netc.program import Program

SUFFIXES: Mapping[str, tuple[str, ...]] = {  # and what each needs
    ".onnx": needs.EXPORTING,
    ".keras": (*needs.WEIGHTS, *needs.BUILDING),
    ".weights.h5": needs.WEIGHTS,
    ".safetensors": needs.WEIGHTS,
    ".npz": needs.WEIGHTS,
}


def suffix_of(path: Path) -> str:
    """The ending of a name that says what is written. Raises `ValueError` for another."""
    found = next((suffix for suffix in SUFFIXES if path.name.endswith(suffix) and path.name != suffix), None)
    if found is None:
        raise ValueError(f"got {path}, expected a name that ends in {', '.join(SUFFIXES)}")
    return found


def exported(
    program: Program, weights: Weights, suffix: str, more: Mapping[str, str] | None = None
) -> tuple[bytes, str]:
    """The content of a file, and what proves that it is the network with these weights. `more` is what an ONNX file
    says of itself besides.

    Raises `netc.targets.errors.ExportError` where it is not, `netc.ir.weights.WeightsError` for weights of another
    network.
    """
    weights.check(program.net)
    if suffix == ".onnx":
        from netc.targets.onnx import export as onnx  # noqa: PLC0415 - of this file alone

        content, proof = onnx.export(program, weights, more or {})
        return content, proof.text()
    if suffix == ".keras":
        from netc.targets.keras import export as keras  # noqa: PLC0415 - imports TensorFlow

        content, proof = keras.export(program, weights)
        return content, proof.text()
    return _weights(program, weights, suffix)


def unlike_keras(net: Net) -> dict[str, str]:
    """What Keras computes otherwise than the file, by the operation: of weights that were trained there."""
    kinds = {kind for node in net for kind in (type(node.layer), LAYERS.get(getattr(node.layer, "act", ""))) if kind}
    return {kind.op: kind.unlike_keras for kind in sorted(kinds, key=lambda kind: kind.op) if kind.unlike_keras}


def _weights(program: Program, weights: Weights, suffix: str) -> tuple[bytes, str]:
    """Weights alone, read back."""
    from netc.targets.errors import ExportError  # noqa: PLC0415
    from netc.targets.keras.weights import read, write  # noqa: PLC0415

    with TemporaryDirectory() as folder:
        path = Path(folder) / f"weights{suffix}"
        write(path, program.net, weights)
        again, _ = read(path, program.net)
        for key, array in weights.items():
            if again[key].tobytes() != array.tobytes():
                raise ExportError(f"the {key[1]} of {key[0]} is not read back from {suffix} as it was written")
        return path.read_bytes(), f"proved: read back, all {len(weights)} arrays are the same bytes"
