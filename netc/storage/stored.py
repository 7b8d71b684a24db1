"""What a file with weights holds before it is read, whatever its format: arrays, and the layers they belong to."""

from __future__ import annotations

import lzma
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING, Any, Literal

from netc.storage.memory import SHARE, affordable

if TYPE_CHECKING:
    import numpy
    from numpy.typing import NDArray

NUMBERS = "biuf"  # kinds of types: truth, integers, floats


class StorageError(ValueError):
    """A file that cannot be read, or holds what is not read. The text is for the user, without the name of the file."""


_STUMBLES = (
    *(ArithmeticError, AttributeError, EOFError, LookupError, MemoryError, NotImplementedError, OSError, RuntimeError),
    *(TypeError, ValueError, lzma.LZMAError, zipfile.BadZipFile, zlib.error, struct.error),
)


@contextmanager
def explained() -> Iterator[None]:
    """What libraries raise, whatever a broken file makes them stumble over, as `StorageError`."""
    try:
        yield
    except (StorageError, FileNotFoundError):
        raise
    except _STUMBLES as error:
        said = getattr(error, "strerror", None) or str(error) or type(error).__name__
        raise StorageError(said[0].lower() + said[1:]) from None


def widened(bits: NDArray[Any]) -> NDArray[Any]:
    """Numbers of bfloat16, which NumPy has not, as float32: their bits are its upper half."""
    import numpy  # noqa: PLC0415 - for those who read arrays

    wide: NDArray[Any] = (bits.astype(numpy.uint32) << 16).view(numpy.float32)
    return wide


TRIFLE = 1 << 20  # bytes of an array for which it is not asked how much memory there is, which takes longer


@dataclass(frozen=True, slots=True)
class Stored:
    """An array in a file: what its header says, and how to read it. `dtype` is the type that it is read as, `kind` the
    name of the one in the file, where NumPy has not got it."""

    name: str
    shape: tuple[int, ...]
    dtype: numpy.dtype[Any]
    load: Callable[[], NDArray[Any]]
    kind: str = ""

    @property
    def nbytes(self) -> int:
        """Bytes that it takes in memory."""
        return prod(self.shape) * self.dtype.itemsize

    def check(self) -> None:
        """Raises `StorageError` for what is no array of numbers, and for more than fit into memory."""
        if self.dtype.kind not in NUMBERS:
            raise StorageError(f"`{self.name}` holds {self.dtype}, and numbers are expected")
        if self.nbytes > TRIFLE and self.nbytes > affordable():
            said = f"`{self.name}` takes {self.nbytes:,} bytes"
            raise StorageError(f"{said}, more than a third of the {SHARE * affordable():,} that are free")

    def read(self) -> NDArray[Any]:
        """The numbers. Raises as `check`, and `StorageError` for a broken file."""
        self.check()
        return self.load()


@dataclass(frozen=True, slots=True)
class Layer:
    """A layer with weights: its class in lower case (`conv2d`; "" where the file does not say), its name, the names of
    the models and wrappers around it, and its arrays. The name of an array ends in its role where the file says it
    (`conv1/kernel`)."""

    kind: str
    name: str
    around: tuple[str, ...]
    arrays: Sequence[Stored]


@dataclass(frozen=True, slots=True)
class Layers:
    """The layers of a file, and in which order they come: that of the `network`, that of each `class` of layers, or
    none. Where arrays are not `arranged`, as Keras makes them, only their roles tell them apart."""

    found: Sequence[Layer]
    order: Literal["network", "class", "none"]
    arranged: bool = True
