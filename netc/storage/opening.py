"""A file with weights, opened by what its name ends in."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from netc.storage import checkpoint, keras, npz, safetensors
from netc.storage.stored import Layer, Layers, StorageError, Stored

KINDS = ".keras, .weights.h5, .h5, .safetensors, .npz, or the folder of a run"
MODEL = "model/"  # before the names of a checkpoint's weights, and their number


@contextmanager
def opened(path: Path) -> Iterator[Layers]:
    """The layers of a file, whose arrays are to be read before it is closed. Capitals in the ending make no difference.
    Raises `StorageError`."""
    suffix = path.suffix.lower()
    if suffix in (".keras", ".h5", ".hdf5"):
        with keras.opened(path) as layers:
            yield layers
    elif suffix == ".safetensors":
        with safetensors.opened(path) as found:
            yield Layers(_grouped((stored.name, stored) for stored in found), "none", arranged=False)
    elif suffix == ".npz":
        with npz.opened(path) as arrays:
            if checkpoint.STATE not in arrays:
                yield Layers(_grouped(arrays.items()), "none", arranged=False)
                return
        yield Layers(_grouped(_weights(checkpoint.read(path))), "network")
    else:
        raise StorageError(f"expected {KINDS}")


def _weights(read: checkpoint.Checkpoint) -> Iterator[tuple[str, Stored]]:
    """The weights of a checkpoint: `model/3/conv1/kernel` beside the optimizer, or `conv1/kernel` alone."""
    whole = any(name.startswith(MODEL) for name in read.arrays)
    for name, array in read.arrays.items():
        place = name.removeprefix(MODEL).partition("/")[2] if whole else name
        if name.startswith(MODEL) or not whole:
            yield place, Stored(place, array.shape, array.dtype, array.view)


def _grouped(found: Iterable[tuple[str, Stored]]) -> list[Layer]:
    """Arrays by the name of their layer, which stands before the last `/` or `.`; others are no weights of layers."""
    layers: dict[str, list[Stored]] = {}
    for name, stored in found:
        cut = max(name.rfind("/"), name.rfind("."))
        if cut > 0:
            layers.setdefault(name[:cut], []).append(stored)
    if not layers:
        raise StorageError("it holds no layers with weights, named such as `conv1/kernel`")
    return [Layer("", name, (), arrays) for name, arrays in layers.items()]
