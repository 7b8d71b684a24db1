"""A network with its weights as files, by the ending of a name."""

from __future__ import annotations

from collections.abc import Mapping
from mmap import mmap
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from netc import files, needs
from netc.layers import LAYERS

if TYPE_CHECKING:
    from netc.ir.net import Net
    from netc.ir.weights import Weights
    from netc.program import Program

SUFFIXES: Mapping[str, tuple[str, ...]] = {  # and what each needs
    ".onnx": needs.EXPORTING,
    ".xml": needs.OPENVINO,
    ".keras": (*needs.WEIGHTS, *needs.BUILDING),
    ".tflite": (*needs.WEIGHTS, *needs.BUILDING, "ai_edge_litert"),
    ".savedmodel": (*needs.WEIGHTS, *needs.BUILDING),
    ".weights.h5": needs.WEIGHTS,
    ".safetensors": needs.WEIGHTS,
    ".npz": needs.WEIGHTS,
}
BESIDE: Mapping[str, tuple[str, ...]] = {  # the endings of files that belong to one; that of ONNX only if it is large
    ".xml": (".bin",),
    ".onnx": (".onnx.data",),
}
FOLDERS: Mapping[str, tuple[str, ...]] = {  # endings of folders, and what such a one holds, the first always
    ".savedmodel": ("saved_model.pb", "fingerprint.pb", "variables", "assets", "assets.extra"),
}

Contents = Mapping[str, bytes | mmap]  # of files, by what each has in place of the ending; of a folder, by names in it


def suffix_of(path: Path) -> str:
    """The ending of a name that says what is written. Raises `ValueError` for another."""
    found = next((suffix for suffix in SUFFIXES if path.name.endswith(suffix) and path.name != suffix), None)
    if found is None:
        raise ValueError(f"got {path}, expected a name that ends in {', '.join(SUFFIXES)}")
    return found


def places(path: Path) -> list[Path]:
    """The files that may be written for a name. Raises `ValueError` as `suffix_of`."""
    suffix = suffix_of(path)
    return [_place(path, suffix, ending) for ending in (suffix, *BESIDE.get(suffix, ()))]


def save(path: Path, contents: Contents) -> tuple[list[tuple[Path, int]], list[Path]]:
    """Write the files of a name, all of them or none, and remove those that only the old one needed: the places and
    sizes in bytes of what was written, and the places of what was removed. Raises OSError."""
    suffix = suffix_of(path)
    if suffix in FOLDERS:
        files.replace_folder(path, contents, FOLDERS[suffix])
        return [(path, sum(map(len, contents.values())))], []
    placed = {_place(path, suffix, ending): content for ending, content in contents.items()}
    left = [place for place in places(path) if place not in placed and place.is_file()] if path.is_file() else []
    files.replace_all(placed)
    for place in left:
        place.unlink()
    return [(place, len(content)) for place, content in placed.items()], left


def _place(path: Path, suffix: str, ending: str) -> Path:
    return path.with_name(path.name.removesuffix(suffix) + ending)


def exported(
    program: Program, weights: Weights, path: Path, more: Mapping[str, str] | None = None
) -> tuple[Contents, str]:
    """The contents of the files of a name, and what proves that they are the network with these weights. `more` is what
    a file of ONNX or OpenVINO says of itself besides.

    Raises `netc.targets.errors.ExportError` where they are not, `netc.ir.weights.WeightsError` for weights of another
    network, OSError where there is no room for temporary files.
    """
    suffix = suffix_of(path)
    weights.check(program.net)
    if suffix == ".onnx":
        from netc.targets.onnx import export as onnx  # noqa: PLC0415 - of this file alone

        contents, proof = onnx.export_files(program, weights, more or {}, path)
        return contents, proof.text()
    if suffix == ".xml":
        from netc.targets.openvino import export as openvino  # noqa: PLC0415 - of this file alone

        (text, numbers), proof = openvino.export(program, weights, more or {})
        return {suffix: text, ".bin": numbers}, proof.text()
    if suffix == ".keras":
        from netc.targets.keras import export as keras  # noqa: PLC0415 - imports TensorFlow

        content, proof = keras.export(program, weights)
        return {suffix: content}, proof.text()
    if suffix == ".savedmodel":
        from netc.targets.keras import saved  # noqa: PLC0415 - imports TensorFlow

        inside, proof = saved.export(program, weights)
        return inside, proof.text()
    if suffix == ".tflite":
        from netc.targets.litert import export as litert  # noqa: PLC0415 - imports TensorFlow

        content, proof = litert.export(program, weights)
        return {suffix: content}, proof.text()
    content, said = _weights(program, weights, suffix)
    return {suffix: content}, said


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
