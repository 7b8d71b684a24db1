"""Images in files of their own: looked through before training, read one by one while it runs."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from netc.data.errors import Finding, Unfit, bounded, shown
from netc.data.pictures import Header, Where, decode, header
from netc.data.sources import Images
from netc.ir.shape import Shape

DECODED = 1 << 30  # pixels that are decoded before training, at about 50 million a second and core
AT_ONCE = 4096  # files that wait for a thread
T = TypeVar("T")
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Reading:
    """How image files are to be read: with how many channels (None: as most of them have), and who is told."""

    channels: int | None = None
    progress: Progress | None = None


class Files(Images):
    """Images in files, or in the records of a file: whatever `fetch` gives for an index."""

    def __init__(self, count: int, fetch: Callable[[int], Where], name: Callable[[int], str], reading: Reading) -> None:
        self.count, self.fetch, self.name = count, fetch, name
        self.wanted = reading.channels
        headers = _looked_through(self, reading)
        self.channels = self.channels_of(headers)
        rows, columns = {found.rows for found in headers}, {found.columns for found in headers}
        self.sizes = sorted({(found.rows, found.columns) for found in headers})
        self.shape: Shape = (
            rows.pop() if len(rows) == 1 else None,
            columns.pop() if len(columns) == 1 else None,
            self.channels,
        )

    @classmethod
    def at(cls, given: Sequence[Where], reading: Reading) -> Files:
        """Image files, by path or as bytes. Raises `Unfit`, naming each that cannot be read."""

        def name(index: int) -> str:
            one = given[index]
            return "standard input" if isinstance(one, bytes) else shown(one)

        return cls(len(given), lambda index: given[index], name, reading)

    def channels_of(self, headers: Sequence[Header]) -> int:
        """As many channels as are wanted, else as the files have."""
        return self.wanted or (1 if all(found.grey for found in headers) else 3)

    def __len__(self) -> int:
        return self.count

    def one(self, index: int) -> NDArray[np.float32]:
        return decode(self.fetch(index), self.channels, self.name(index))


def _looked_through(files: Files, reading: Reading) -> list[Header]:
    """The heads of all files; and as many of them decoded, spread evenly, as take a few seconds."""
    look = _Look(files, reading.progress)
    headers = look.over("looking at images", range(files.count), header)
    every = -(-sum(found.rows * found.columns for found in headers) // DECODED) or 1
    whole = [index for index in range(0, files.count, every) if index not in look.findings]
    look.over("reading images", whole, lambda image, name: decode(image, files.channels_of(headers), name).shape)
    if look.findings:
        raise bounded([look.findings[index] for index in sorted(look.findings)], files.count)
    return headers


class _Look:
    """Goes through files in several threads and keeps what is wrong with each."""

    def __init__(self, files: Files, progress: Progress | None) -> None:
        self.files = files
        self.tell = progress or (lambda *_: None)
        self.findings: dict[int, Finding] = {}

    def over(self, what: str, indices: Sequence[int], function: Callable[[Where, str], T]) -> list[T]:
        """What a function makes of each image that it can read."""
        found: list[T] = []
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            for start in range(0, len(indices), AT_ONCE):
                results = pool.map(lambda index: self._one(index, function), indices[start : start + AT_ONCE])
                for done, made in enumerate(results, start + 1):
                    self.tell(what, done, len(indices))
                    found += made
        return found

    def _one(self, index: int, function: Callable[[Where, str], T]) -> list[T]:
        try:
            return [function(self.files.fetch(index), self.files.name(index))]
        except Unfit as problem:
            self.findings[index] = problem.findings[0]
            return []
