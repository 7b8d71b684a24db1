"""Reads ONNX files: as the flat network that they are, with its weights, or with all reasons why there is none."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from netc import needs
from netc.ir.weights import Weights
from netc.lift.source import Imported, Sketch
from netc.limits import Limits

if TYPE_CHECKING:
    import onnx


def read(path: Path) -> Imported:
    """The network of a file. Raises `netc.lift.source.ImportRefused`, `netc.storage.stored.StorageError`, OSError."""
    needs.require("reading an ONNX file", "numpy", "onnx", "psutil")
    from netc.targets.onnx.read.parse import parsed  # noqa: PLC0415 - imports onnx

    return imported(parsed(path), path.parent, path.stem, Limits())


def imported(model: onnx.ModelProto, folder: Path | None, name: str, limits: Limits) -> Imported:
    """The network of a model; `folder` is where its other files may be. Raises `ImportRefused`."""
    from netc.targets.onnx.read import (  # noqa: F401, PLC0415 - registers what is read
        elements,
        layers,
        reductions,
        resizing,
        sequences,
        shapes,
    )
    from netc.targets.onnx.read.graph import graph_of  # noqa: PLC0415
    from netc.targets.onnx.read.idioms import with_functions  # noqa: PLC0415
    from netc.targets.onnx.read.patterns import with_patterns  # noqa: PLC0415
    from netc.targets.onnx.read.reader import Reader, with_constants  # noqa: PLC0415

    graph = graph_of(model, folder, name, limits)
    with_constants(graph)
    with_patterns(graph)
    with_functions(graph)
    reader = Reader(graph, Sketch(name))
    net = reader.sketch.finish(reader.read())
    if (said := graph.folded_norms()) is not None:
        reader.remark(said)
    weights = reader.weights

    def loaded() -> Weights:
        arrays: dict[tuple[str, str], Any] = {
            (node.name, role): load() for node in net for role, load in weights.get(node.name, {}).items()
        }
        made = Weights(arrays)
        made.check(net)
        return made

    sources = {node.name: reader.sketch.sources[node.name] for node in net}
    return Imported(net, sources, loaded if weights else None, (), list(reader.remarks), reader.laid)
