"""`run.json`: what a run came from and how far it came, with the type of every field.

Files are checked field by field when they are read (by msgspec), so that nothing after that meets a value of another
kind: people edit JSON.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta, Struct

FORMAT = 1
RUNNING: Final = "running"
STOPPED: Final = "stopped"
FINISHED: Final = "finished"
LARGEST = 1 << 26  # bytes of a run.json; a million classes take a third

Seed = Annotated[int, Meta(ge=0, lt=1 << 32)]
Count = Annotated[int, Meta(ge=0, le=1 << 53)]


class Parts(Struct, frozen=True):
    """How many images there were, and the shape of each before the first step (None where sizes differ)."""

    training: Count
    validation: Count
    shape: tuple[Count | None, Count | None, Count] | None = None  # earlier versions did not write it


class Settings(Struct, frozen=True):
    """Both sections as resolved, defaults filled in."""

    parameters: dict[str, Any]
    data: str | None
    data_lines: list[dict[str, Any]]
    train_lines: list[dict[str, Any]]


class Record(Struct, frozen=True, kw_only=True):
    """All of `run.json`. `spec` is relative to the folder of the run.

    `overrides` to `weights` are how the run was asked for (`-D`, `--set`, `--data`, `--deterministic`, `--weights`),
    which resuming it needs again. `data` is also where a path of the spec led to.
    """

    format: int = FORMAT
    name: str
    status: Literal["running", "stopped", "finished"]
    started: str
    resumed: str | None = None
    seconds: Annotated[float, Meta(ge=0)] = 0.0
    step: Count = 0
    spec: str
    overrides: dict[str, bool | int | float | str] = {}
    changes: list[str] = []
    data: str | None = None
    deterministic: bool = False
    weights: str | None = None
    seed: Seed
    classes: list[str]
    images: Parts
    versions: dict[str, str]
    settings: Settings


class _Head(Struct):
    format: int
    versions: dict[str, str] = {}


def read(path: Path) -> Record:
    """The record in a file. Raises `OSError`, and `ValueError` for one that is none, or of another format."""
    with path.open("rb") as file:
        text = file.read(LARGEST + 1)
    if len(text) > LARGEST:
        raise ValueError(f"it has more than {LARGEST:,} bytes")
    try:
        head = msgspec.json.decode(text, type=_Head)
        if head.format != FORMAT:
            written = head.versions.get("netc", "another version")
            raise ValueError(f"it is of format {head.format}, by netc {written}, and this netc reads format {FORMAT}")
        return msgspec.json.decode(text, type=Record)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    except msgspec.MsgspecError as error:
        raise ValueError(str(error).replace("$.", "")) from None


def text(record: Record) -> bytes:
    """The record as `read` takes it."""
    return msgspec.json.format(msgspec.json.encode(record, enc_hook=str), indent=1) + b"\n"  # a `Word` is a str
