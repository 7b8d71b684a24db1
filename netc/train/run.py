"""The folder of a run, which holds everything that a run came from and came to.

runs/digits/
    run.json          what was run: parameters, settings, versions, seed, classes
    spec/             the spec as used, with the files that it uses
    log.csv           a row an epoch or validation
    checkpoints/      the last ones, and `best.npz`
    statistics.npz    what `center`, `scale` and `zca` computed on the training images
    model.keras       the network at the end
    curves.svg        the log, drawn
    events/           the log for TensorBoard, where that is installed
    .lock, .holder    while a process trains (`claim`)
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec import structs

from netc import __version__
from netc.files import replace
from netc.sections.data_sets import DataSet
from netc.sections.model import Line
from netc.train import record
from netc.train.checkpoint import Store
from netc.train.log import read_log
from netc.train.record import Record, Settings

if TYPE_CHECKING:
    from netc.data.statistics import Statistics
    from netc.program import Program

RUNS = "runs"


class RunError(Exception):
    """A folder that holds no run, or one that cannot go on. The text is for the user."""


@dataclass(frozen=True, slots=True)
class Run:
    """A run on disk."""

    folder: Path

    @property
    def record(self) -> Path:
        return self.folder / "run.json"

    @property
    def log(self) -> Path:
        return self.folder / "log.csv"

    @property
    def statistics(self) -> Path:
        return self.folder / "statistics.npz"

    @property
    def model(self) -> Path:
        return self.folder / "model.keras"

    @property
    def curves(self) -> Path:
        return self.folder / "curves.svg"

    @property
    def events(self) -> Path:
        return self.folder / "events"

    def store(self, keep: int = 1) -> Store:
        """Its checkpoints."""
        return Store(self.folder / "checkpoints", keep)

    def read(self) -> Record:
        """What `run.json` says; raises `RunError`."""
        try:
            found = record.read(self.record)
            if not (self.folder / found.spec).resolve().is_relative_to(self.folder.resolve()):
                raise ValueError(f"its spec {found.spec} is not in the folder")
        except FileNotFoundError:
            raise RunError(f"{self.folder} holds no run: it has no run.json") from None
        except (OSError, ValueError) as error:
            raise _unreadable(self.record, error) from None
        return found

    def read_statistics(self) -> Statistics | None:
        """What was computed on the training images, where anything was; raises `RunError`."""
        from netc.data.statistics import Statistics  # noqa: PLC0415 - imports NumPy

        if not self.statistics.exists():
            return None
        try:
            return Statistics.load(self.statistics)
        except ValueError as error:
            raise _unreadable(self.statistics, error) from None

    def write(self, said: Record) -> None:
        """Replace `run.json`."""
        self.folder.mkdir(parents=True, exist_ok=True)
        replace(self.record, record.text(said))

    def update(self, **changes: Any) -> None:
        """Change some of what `run.json` says."""
        self.write(structs.replace(self.read(), **changes))

    def keep_spec(self, program: Program) -> str:
        """Copy the spec and the files it uses; returns where the spec is, relative to the folder."""
        main = program.file.source
        sources = {Path(os.path.abspath(main.name)): main.text}
        sources.update((path, source.text) for path, source in program.used.items())
        root = Path(os.path.commonpath([path.parent for path in sources]))
        places = {path: Path("spec", path.relative_to(root)) for path in sources}
        for path, text in sources.items():
            place = self.folder / places[path]
            place.parent.mkdir(parents=True, exist_ok=True)
            replace(place, text)
        return places[next(iter(sources))].as_posix()


def _unreadable(path: Path, error: Exception) -> RunError:
    said = (getattr(error, "strerror", None) or str(error)).lower() if isinstance(error, OSError) else str(error)
    return RunError(f"{path} cannot be read: {said}")


def is_run(path: str | Path) -> bool:
    """Whether a path is the folder of a run."""
    return Run(Path(path)).record.is_file()


def settings(program: Program) -> Settings:
    """Both sections as resolved."""
    data, train = program.sections.data, program.sections.train
    source = data.source if data else None
    return Settings(
        dict(program.parameters),
        source.name if isinstance(source, DataSet) else source,
        [_said(line) for line in (data.lines if data else ())],
        [_said(line) for line in (train.lines if train else ())],
    )


def _said(line: Line[Any]) -> dict[str, Any]:
    return {"setting": line.value.name, **vars(line.value)}


def given(
    overrides: Mapping[str, object],
    changes: Sequence[str],
    data: str | None,
    weights: str | None,
    *,
    exact: bool = False,
) -> dict[str, Any]:
    """How a run was asked for, as fields of its record."""
    return {
        "overrides": {name: str(value) if isinstance(value, str) else value for name, value in overrides.items()},
        "changes": list(changes),
        "data": absolute(data) if data else data,
        "deterministic": exact,
        "weights": weights,
    }


def absolute(data: str) -> str:
    """A path of data, from wherever it is read again; what is no path as it is."""
    return str(Path(data).resolve()) if Path(data).exists() else data


def versions() -> dict[str, str]:
    """What the result depends on beside the spec and the data."""
    from importlib.metadata import PackageNotFoundError, version  # noqa: PLC0415
    from platform import machine, python_version, system  # noqa: PLC0415

    found = {"netc": __version__, "python": python_version(), "platform": f"{system()} {machine()}"}
    for package in ("tensorflow", "keras", "numpy"):
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def now() -> str:
    """The time, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def runs_in(root: Path) -> Iterator[Run]:
    """The runs below a folder, by name."""
    if not root.is_dir():
        return
    for path in sorted(root.iterdir(), key=_natural):
        if is_run(path):
            yield Run(path)


def _natural(path: Path) -> tuple[str, int]:
    """`digits-10` after `digits-9`."""
    name, dash, number = path.name.rpartition("-")
    return (name, int(number)) if dash and number.isdigit() else (path.name, 1)


def last_row(run: Run) -> dict[str, float]:
    """The last row of the log; raises `RunError`."""
    try:
        rows = read_log(run.log)
    except (OSError, ValueError) as error:
        raise _unreadable(run.log, error) from None
    return rows[-1] if rows else {}
