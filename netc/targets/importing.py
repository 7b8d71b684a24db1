"""Models of other programs, read by the ending of a name, and the specs that are made of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from textwrap import wrap
from typing import TYPE_CHECKING, Any

from netc import needs
from netc.diagnostics.escape import harmless
from netc.lift.source import Imported
from netc.targets.errors import ExportError
from netc.targets.unread import unread

if TYPE_CHECKING:
    from netc.ir.net import Net
    from netc.ir.weights import Weights
    from netc.lift.lifting import Lifted
    from netc.targets.proof import Engine

_KERAS = "netc.targets.keras.read"
READERS: Mapping[str, str] = {  # the module whose `read` reads files of an ending, without running anything in them
    ".keras": _KERAS,
    ".h5": _KERAS,
    ".hdf5": _KERAS,
    ".json": _KERAS,
    ".onnx": "netc.targets.onnx.read",
    ".cfg": "netc.targets.darknet.read",
    ".prototxt": "netc.targets.caffe.read",
}
NEEDS: Mapping[str, tuple[str, ...]] = {  # where more than arrays are read, or none
    ".onnx": (*needs.WEIGHTS, "onnx"),
    ".cfg": (),
    ".prototxt": (),
}
WIDTH = 98  # of a comment, without its sign


def suffix_of(path: Path) -> str | None:
    """The ending by which a file is read as a model; None for another."""
    return next((suffix for suffix in READERS if path.name.lower().endswith(suffix)), None)


def needed(path: Path) -> tuple[str, ...]:
    """The modules that reading a file takes. Raises ValueError for an ending that none has."""
    return NEEDS.get(_known(path), needs.WEIGHTS)


def is_keras(path: Path) -> bool:
    """Whether a file is read as a model of Keras, whose `Rescaling` and `Normalization` may be left out."""
    return READERS.get(suffix_of(path) or "") == _KERAS


def read(path: Path, **options: Any) -> Imported:
    """The flat network of a model file, with its weights where it has any; `preprocessing=False` is for one of Keras.

    Raises `netc.lift.source.ImportRefused` for a model that is no network of netc, `netc.storage.stored.StorageError`
    for a broken file, ValueError for another ending, OSError for what cannot be opened.
    """
    module: Any = import_module(READERS[_known(path)])
    made: Imported = module.read(path, **options)
    return made


def _known(path: Path) -> str:
    if (suffix := suffix_of(path)) is None:
        if (what := unread(path)) is not None:
            raise ValueError(f"{path} is {what}")
        raise ValueError(f"got {path}, expected a name that ends in {', '.join(READERS)}")
    return suffix


def spec(found: Imported, source: str, *, flat: bool = False) -> Lifted:
    """The text of a model, with blocks and repeats or `flat`, whose comment says that it is of `source`, what was left
    out, and what else is to be known. Raises as `netc.lift.lifting.flat`."""
    from netc.lift import lifting  # noqa: PLC0415 - brings the compiler
    from netc.lift.arguments import Unwritable  # noqa: PLC0415

    said = [f"Imported by netc from {source}: its layers are those of the model, proved one by one."]
    said += [f"Left out: {one}." for one in found.left_out]
    said += [f"Note: {one}." for one in found.remarks]
    if flat:
        return lifting.flat(found.net, _wrapped(said))
    try:
        return lifting.with_blocks(found.net, found.sources, _wrapped(said))
    except Unwritable as error:
        why = f"Flat, one statement a layer, as no text with blocks was proved: {error}"
    made = lifting.flat(found.net, _wrapped([*said, why]))
    made.flat_because = why
    return made


def _wrapped(sentences: Sequence[str]) -> list[str]:
    return [line for one in sentences for line in wrap(harmless(one), WIDTH, subsequent_indent="  ")]


def renamed(weights: Weights, names: Mapping[str, str], net: Net) -> Weights:
    """Weights for another network, given its node for each of theirs: of layers that share them, it may make another
    one first."""
    from netc.ir.weights import Weights  # noqa: PLC0415

    return Weights({(net.node(names[node]).layer_name, role): array for (node, role), array in weights.items()})


def source_engine(path: Path, found: Imported, made: Lifted) -> tuple[Weights, Engine]:
    """What the program that a model is of computes from it, under the names of the text that was made of it, and the
    weights. Raises `netc.targets.errors.ExportError` where it cannot run the model, ModuleNotFoundError without it."""
    if not needed(path):
        raise ExportError(f"a {_known(path)} has no weights, and its program is none that runs in Python")
    module: Any = import_module(f"{READERS[_known(path)]}.engine")
    weights, engine = module.opened(path, found, made)
    return renamed(weights, made.names, made.program.net), engine
