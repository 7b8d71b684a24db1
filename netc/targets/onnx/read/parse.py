"""ONNX files as messages: how much memory one takes is known before it is read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from stat import S_ISREG
from typing import Any

import onnx
from google.protobuf.message import DecodeError  # type: ignore[import-untyped]

from netc.storage.memory import SHARE, affordable
from netc.storage.stored import StorageError, explained

LARGEST = 2**31 - 1  # bytes: the limit of protocol buffers
EACH = 100  # bytes of memory that one of a message may take: two are a message, or a number, of its own
VARINT, FIXED64, LENGTH, FIXED32 = 0, 1, 2, 5  # kinds of fields
RAW = 9  # the field of an array that has its numbers as they are
LISTS = (4, 5, 7, 10, 11)  # and those that have them one by one, of at most 8 bytes
TENSOR: Mapping[int, object] = dict.fromkeys((RAW, *LISTS))
# Where large arrays are: the fields of each message that are looked into.
ATTRIBUTE = {5: TENSOR}
NODE = {5: ATTRIBUTE}
GRAPH = {1: NODE, 5: TENSOR}
MODEL: Mapping[int, object] = {7: GRAPH}


def parsed(path: Path) -> onnx.ModelProto:
    """The model of a file, without the arrays that it has in others. Raises `StorageError`, OSError."""
    found = path.stat()
    if not S_ISREG(found.st_mode) or found.st_size > LARGEST:
        raise StorageError(f"it has {found.st_size:,} bytes, and an ONNX file has at most {LARGEST:,}")
    if found.st_size > affordable():
        raise _too_large(found.st_size)
    content = path.read_bytes()
    with explained():
        try:
            taken = len(content) + sum(_memory(memoryview(content), MODEL))
            if taken > SHARE * affordable():
                raise _too_large(taken)
            model = onnx.ModelProto()
            model.ParseFromString(content)
        except DecodeError as error:
            raise StorageError(f"it is no ONNX model: {str(error)[:200]}") from None
        if not all(isinstance(text, str) for text in _texts(model)):
            raise StorageError("a name in it is no text (UTF-8)")
        return model


def _texts(message: Any) -> Iterator[str | bytes]:
    """The texts in a message: those that are not UTF-8 come as bytes."""
    if isinstance(message, onnx.TensorProto):  # the rest of which is large
        yield message.name
        yield from (text for entry in message.external_data for text in (entry.key, entry.value))
        return
    for field, value in message.ListFields():
        if field.type == field.TYPE_STRING:
            yield from (value,) if isinstance(value, str | bytes) else value
        elif field.type == field.TYPE_MESSAGE:
            for part in value if isinstance(value, Iterable) else (value,):
                yield from _texts(part)


def _too_large(taken: int) -> StorageError:
    return StorageError(f"it may take {taken:,} bytes of memory, and {SHARE * affordable():,} are free")


def _memory(message: memoryview, inside: Mapping[int, object]) -> Iterator[int]:
    """Bytes of memory that the parts of a message may take, at most. Raises `StorageError` for one that is broken."""
    at = 0
    while at < len(message):
        start = at
        key, at = _varint(message, at)
        field, kind = key >> 3, key & 7
        if kind == VARINT:
            _, at = _varint(message, at)
        elif kind in (FIXED64, FIXED32):
            at += 8 if kind == FIXED64 else 4
        elif kind == LENGTH:
            length, at = _varint(message, at)
            if length > len(message) - at:
                raise StorageError("it is no ONNX model, or not a whole one")
            part = message[at : at + length]
            at += length
            if field in inside:
                within = inside[field]
                yield EACH
                if isinstance(within, Mapping):
                    yield from _memory(part, within)
                else:
                    yield length * (1 if field == RAW else 8)
                continue
        else:
            raise StorageError("it is no ONNX model")
        yield EACH * (at - start)


def _varint(message: memoryview, at: int) -> tuple[int, int]:
    """A number of as many bytes as it needs, and where the next one begins."""
    value = 0
    for count in range(10):
        if at + count >= len(message):
            break
        byte = message[at + count]
        value |= (byte & 0x7F) << (7 * count)
        if byte < 0x80:
            return value, at + count + 1
    raise StorageError("it is no ONNX model, or not a whole one")
