"""Arrays of a model in a file beside it, for models that are too large for one file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import onnx
from onnx import helper, numpy_helper

if TYPE_CHECKING:
    from numpy.typing import NDArray

SMALL = 1024  # bytes: smaller arrays stay in the model, where shapes are inferred from them
PAGE = 4096  # bytes: arrays begin where engines can map them into memory


@dataclass(frozen=True, slots=True)
class Beside:
    """A file beside the one of a model: its name, and where each array begins in it, in bytes."""

    name: str
    placed: Sequence[tuple[int, NDArray[Any]]]

    @property
    def size(self) -> int:
        """Its bytes."""
        start, last = self.placed[-1]
        return start + last.nbytes

    def write(self, folder: Path) -> Path:
        """Write it into a folder. Raises OSError."""
        with open(folder / self.name, "xb") as file:
            for start, array in self.placed:
                file.seek(start)
                file.write(array.astype(array.dtype.newbyteorder("<"), copy=False).data)
        return folder / self.name


def place(proto: onnx.ModelProto, arrays: Mapping[str, NDArray[Any]], name: str) -> Beside:
    """Give a model its arrays, the large ones as places in a file of a name."""
    placed, end = [], 0
    for key, array in arrays.items():
        if array.nbytes < SMALL:
            proto.graph.initializer.append(numpy_helper.from_array(array, key))
            continue
        held = proto.graph.initializer.add(
            name=key,
            dims=array.shape,
            data_type=helper.np_dtype_to_tensor_dtype(array.dtype),
            data_location=onnx.TensorProto.EXTERNAL,
        )
        start = -(-end // PAGE) * PAGE
        end = start + array.nbytes
        for what, value in (("location", name), ("offset", start), ("length", array.nbytes)):
            held.external_data.add(key=what, value=str(value))
        placed.append((start, array))
    return Beside(name, placed)
