"""Arrays that a file holds, and what is computed of these alone; read when they are asked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from math import prod
from pathlib import Path, PurePosixPath
from stat import S_ISREG
from typing import TYPE_CHECKING, Any

import numpy as np
import onnx

from netc.lift.source import Unsaid
from netc.storage.stored import StorageError, Stored, widened

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]

_P = onnx.TensorProto
TYPES: Mapping[int, tuple[str, str]] = {  # of a file: that of NumPy, and the field that holds numbers of it one by one
    _P.FLOAT: ("float32", "float_data"),
    _P.DOUBLE: ("float64", "double_data"),
    _P.FLOAT16: ("float16", "int32_data"),
    _P.BFLOAT16: ("uint16", "int32_data"),  # as bits
    _P.INT64: ("int64", "int64_data"),
    _P.UINT64: ("uint64", "uint64_data"),
    _P.UINT32: ("uint32", "uint64_data"),
    **{
        kind: (name, "int32_data")
        for kind, name in (
            (_P.INT32, "int32"),
            (_P.INT16, "int16"),
            (_P.INT8, "int8"),
            (_P.UINT16, "uint16"),
            (_P.UINT8, "uint8"),
            (_P.BOOL, "bool"),
        )
    },
}
MOST = 1 << 22  # bytes of an array that is not a weight: sizes, numbers, tables
MOST_WORK = 32  # numbers that are computed for each one of a weight


@dataclass(frozen=True, slots=True, eq=False)
class Constant:
    """An array: its shape, its type, and how it is read. `name` is the one that the file gives it, if it is there as it
    is; `kind` its type there, where netc has it as another.

    Sizes that are known only when the network runs are a `Size` among the elements of a `symbolic` array.
    """

    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    load: Callable[[], Array]
    name: str = ""
    kind: str = ""
    work: int = 0  # numbers that are computed whenever it is read

    @property
    def size(self) -> int:
        """The number of its elements."""
        return prod(self.shape)

    @property
    def symbolic(self) -> bool:
        return self.dtype == object

    def array(self) -> Array:
        """The numbers of one that is no weight. Raises `Unsaid` for more than sizes and tables take."""
        if self.size * self.dtype.itemsize > MOST:
            raise Unsaid(f"computes with a constant of {self.size:,} numbers")
        return self.load()

    def weights(self) -> Array:
        """The numbers as float32. Raises `StorageError`."""
        Stored(self.name or "a constant", self.shape, self.dtype, self.load).check()
        return self.load().astype(np.float32, copy=False)

    def changed(self, shape: tuple[int, ...], change: Callable[[Array], Array]) -> Constant:
        """Another array, which is made of this one when it is read."""
        return Constant(shape, self.dtype, lambda: change(self.load()), kind=self.kind, work=self.work)


def known(array: Array) -> Constant:
    """An array that is in memory."""
    return Constant(array.shape, array.dtype, lambda: array)


def derived(given: Sequence[Constant], shape: tuple[int, ...], function: Callable[..., Array]) -> Constant:
    """A weight that is computed of others whenever it is read. Raises `Unsaid` for one that takes much more than they
    do."""
    work = prod(shape) + sum(one.work + one.size for one in given)
    if work > MOST_WORK * max(one.size for one in given):
        raise Unsaid("computes a weight in too many steps")
    kind = next((one.kind for one in given if one.kind), "")

    def load() -> Array:
        with np.errstate(all="ignore"):
            return np.asarray(function(*(one.load() for one in given)), given[0].dtype)

    return Constant(shape, given[0].dtype, load, kind=kind, work=work)


def stored(tensor: onnx.TensorProto, folder: Path | None) -> Constant:
    """An array of a file, whose numbers are there in full; `folder` is where files beside the model may be. Raises
    `Unsaid`, and FileNotFoundError as `_outside`."""
    said = f"the array `{tensor.name}`"
    if tensor.data_type not in TYPES:
        kinds = dict(zip(_P.DataType.values(), _P.DataType.keys(), strict=True))
        raise Unsaid(f"{said} is of the type {kinds.get(tensor.data_type, tensor.data_type)}")
    if tensor.HasField("segment") or any(size < 0 for size in tensor.dims):
        raise Unsaid(f"{said} is in pieces, or has a size below 0")
    name, numbers = TYPES[tensor.data_type]
    shape, dtype = tuple(tensor.dims), np.dtype(name)
    whole = tensor.data_type == _P.BFLOAT16
    wanted = prod(shape) * dtype.itemsize
    if tensor.data_location == _P.EXTERNAL:
        load = _outside(tensor, folder, wanted, dtype)
    elif tensor.HasField("raw_data"):
        load, found = lambda: np.frombuffer(tensor.raw_data, dtype.newbyteorder("<")), len(tensor.raw_data)
        if found != wanted:
            raise Unsaid(f"{said} has {found:,} bytes, and its sizes and its type take {wanted:,}")
    else:
        load, count = partial(_typed, tensor, numbers, dtype), len(getattr(tensor, numbers))
        if count != prod(shape):
            raise Unsaid(f"{said} has {count:,} numbers, and its sizes take {prod(shape):,}")
    own = np.dtype("float32") if whole else dtype
    kind = "bfloat16" if whole else name if name in ("float16", "float64") else ""
    return Constant(shape, own, lambda: (widened(load()) if whole else load()).reshape(shape), tensor.name, kind)


def _typed(tensor: onnx.TensorProto, numbers: str, dtype: np.dtype[Any]) -> Array:
    """The numbers of a field that holds each by itself; those of 16 bits and fewer are bits in integers."""
    held = np.array(getattr(tensor, numbers))
    if dtype.kind == "f" and held.dtype.kind in "iu":
        return held.astype(np.uint16).view(dtype)
    return held.astype(dtype)


def _outside(tensor: onnx.TensorProto, folder: Path | None, wanted: int, dtype: np.dtype[Any]) -> Callable[[], Array]:
    """How an array in a file beside the model is read: one in its folder, which is no link, and long enough. Raises
    `Unsaid`; FileNotFoundError, whose `filename` is what the model calls it, where there is none."""
    said = f"the array `{tensor.name}`"
    entries = {entry.key: entry.value for entry in tensor.external_data}
    place = PurePosixPath(entries.get("location", ""))
    if folder is None:
        raise Unsaid(f"{said} is in another file, and the model has no folder: give its path")
    if place.is_absolute() or not place.parts or ".." in place.parts or "\\" in str(place) or ":" in str(place):
        raise Unsaid(f"{said} is in {str(place)!r}, which is not in the folder of the model")
    path = folder / place
    if any((folder / Path(*place.parts[:count])).is_symlink() for count in range(1, len(place.parts) + 1)):
        raise Unsaid(f"{said} is in {place}, which is a link")
    try:
        offset, length = int(entries.get("offset") or 0), int(entries.get("length") or wanted)
        found = path.stat()
    except FileNotFoundError as error:
        raise FileNotFoundError(error.errno, error.strerror, str(place)) from None
    except (ValueError, OSError) as error:
        raise Unsaid(f"{said} is in {place}: {getattr(error, 'strerror', None) or 'no place there'}") from None
    if not S_ISREG(found.st_mode) or offset < 0 or length != wanted or offset + length > found.st_size:
        raise Unsaid(f"{said} takes {wanted:,} bytes from {offset:,} on, which {place} has not")

    def load() -> Array:
        try:
            return np.fromfile(path, dtype.newbyteorder("<"), wanted // dtype.itemsize, offset=offset)
        except OSError as error:
            raise StorageError(f"{place}: {error.strerror}") from None

    return load


def short(number: float) -> float:
    """A number with as many digits as float32 tells apart: `1e-05` where a file has 9.999999747378752e-06."""
    return float(str(np.float32(number)))
