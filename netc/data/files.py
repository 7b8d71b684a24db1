"""Images in files of their own: looked through before training, read one by one while it runs."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from netc.data.errors import Finding, Unfit, bounded
from netc.data.pictures import Header, Where, decode, header
from netc.data.sources import Images
from netc.ir.shape import Shape

DECODED = 1 << 30  # pixels that are decoded before training, at about 50 million a second and core
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
        headers = _looked_through(self, reading)
        self.channels = reading.channels or (1 if all(found.grey for found in headers) else 3)
        rows, columns = {found.rows for found in headers}, {found.columns for found in headers}
        self.sizes = sorted({(found.rows, found.columns) for found in headers})
        self.shape: Shape = (
            rows.pop() if len(rows) == 1 else None,
            columns.pop() if len(columns) == 1 else None,
            self.channels,
        )
        self.headers = headers

    @classmethod
    def at(cls, paths: Sequence[str | os.PathLike[str]], reading: Reading) -> Files:
        """Image files. Raises `Unfit`, naming each that cannot be read."""
        from netc.data.errors import shown  # noqa: PLC0415

        return cls(len(paths), lambda index: paths[index], lambda index: shown(paths[index]), reading)

    def __len__(self) -> int:
        return self.count

    def one(self, index: int) -> NDArray[np.float32]:
        return decode(self.fetch(index), self.channels, self.name(index))


def _looked_through(files: Files, reading: Reading) -> list[Header]:
    """The heads of all files; and as many of them decoded, spread evenly, as take a few seconds."""
    findings: dict[int, Finding] = {}
    headers: list[Header] = []
    tell = reading.progress or (lambda *_: None)
    with warnings.catch_warnings(), ThreadPoolExecutor(os.cpu_count()) as pool:
        warnings.simplefilter("ignore")  # Pillow's remarks on odd files that it can read

        def over(indices: Sequence[int], function: Callable[[int], Header | None], what: str) -> Iterator[Header]:
            for done, (index, found) in enumerate(zip(indices, pool.map(_tried(function), indices), strict=True), 1):
                tell(what, done, len(indices))
                if isinstance(found, Unfit):
                    findings.setdefault(index, found.findings[0])
                elif found is not None:
                    yield found

        everything = range(files.count)
        headers += over(everything, lambda index: header(files.fetch(index), files.name(index)), "looking at images")
        pixels = sum(found.rows * found.columns for found in headers)
        every = -(-pixels // DECODED) or 1

        def decoded(index: int) -> None:
            if index not in findings:
                decode(files.fetch(index), 3, files.name(index))

        headers += over(everything[::every], decoded, "reading images")
    if findings:
        raise bounded([findings[index] for index in sorted(findings)], files.count)
    return headers


def _tried(function: Callable[[int], Header | None]) -> Callable[[int], Header | Unfit | None]:
    def run(index: int) -> Header | Unfit | None:
        try:
            return function(index)
        except Unfit as problem:
            return problem

    return run
