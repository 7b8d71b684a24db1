"""`.safetensors`: a JSON header with names, types, shapes and places, then the numbers."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Any

from netc.storage.stored import StorageError, Stored, explained, widened

if TYPE_CHECKING:
    from numpy.typing import NDArray

TYPES = {
    **{f"F{bits}": f"float{bits}" for bits in (16, 32, 64)},
    **{f"I{bits}": f"int{bits}" for bits in (8, 16, 32, 64)},
    **{f"U{bits}": f"uint{bits}" for bits in (8, 16, 32, 64)},
    "BOOL": "bool",
}
BFLOAT16 = "BF16"
LENGTH = 8  # bytes that say how long the header is


@contextmanager
def opened(path: Path) -> Iterator[list[Stored]]:
    """The arrays of a file, to be read before it is closed. The library compares the header with the file. Raises
    `StorageError`."""
    import numpy  # noqa: PLC0415 - only for files of it

    try:
        from safetensors import SafetensorError, safe_open  # noqa: PLC0415
    except ModuleNotFoundError:
        raise StorageError("safetensors is not installed: pip install 'netc[weights]'") from None
    with explained():
        try:
            file: Any = safe_open(path, framework="numpy")
        except SafetensorError as error:
            raise StorageError(str(error)) from None
    with file:
        found = []
        for name in file.keys():  # noqa: SIM118 - it is no mapping
            part = file.get_slice(name)
            kind, shape = part.get_dtype(), tuple(part.get_shape())
            if kind == BFLOAT16:
                found.append(Stored(name, shape, numpy.dtype("float32"), partial(_wide, path, name, shape), "bfloat16"))
                continue
            if kind not in TYPES:
                raise StorageError(f"`{name}` is of the type {kind}, which NumPy has not")
            found.append(Stored(name, shape, numpy.dtype(TYPES[kind]), partial(file.get_tensor, name)))
        yield found


def _wide(path: Path, name: str, shape: tuple[int, ...]) -> NDArray[Any]:
    """An array of bfloat16, which the library gives to other programs than NumPy alone; it has checked the header."""
    import numpy  # noqa: PLC0415

    with explained(), path.open("rb") as file:
        length = int.from_bytes(file.read(LENGTH), "little")
        start, _ = json.loads(file.read(length))[name]["data_offsets"]
        bits = numpy.fromfile(file, "<u2", prod(shape), offset=start)
        return widened(bits.reshape(shape))


def text(arrays: Mapping[str, NDArray[Any]]) -> bytes:
    """A file that holds arrays by name."""
    import numpy  # noqa: PLC0415
    from safetensors.numpy import save  # noqa: PLC0415

    return save({name: numpy.ascontiguousarray(array) for name, array in arrays.items()})
