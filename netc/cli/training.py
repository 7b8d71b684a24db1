"""What the commands about training share."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from netc.cli.endings import Failed, UsageError, refusing
from netc.cli.options import Settings, limits
from netc.cli.output import STDIO, reason, tell
from netc.cli.running import compile_text, failed, load, read, show
from netc.diagnostics.levels import Levels

if TYPE_CHECKING:
    from netc.data.statistics import Statistics
    from netc.program import Program
    from netc.train.record import Record
    from netc.train.run import Run

BEST = "best"


@contextmanager
def telling() -> Iterator[None]:
    """Say what is wrong with data, runs or weights, and raise `Failed`; `UsageError` for files that cannot be used."""
    try:
        yield
    except OSError as error:
        where = f" {error.filename}" if error.filename else ""
        raise UsageError(f"cannot go on:{where} {reason(error)}") from None
    except Exception as error:
        _tell(error)
        raise Failed from None


def _tell(error: Exception) -> None:
    """Say it, if it is for the user; else raise it again."""
    from netc.data import DataError, ShareError  # noqa: PLC0415 - what goes well needs none of it
    from netc.engines import EngineError  # noqa: PLC0415
    from netc.ir.weights import WeightsError  # noqa: PLC0415
    from netc.storage.checkpoint import CheckpointError  # noqa: PLC0415
    from netc.targets.errors import ExportError  # noqa: PLC0415
    from netc.train.loop import Diverged  # noqa: PLC0415
    from netc.train.run import RunError  # noqa: PLC0415
    from netc.train.strategy import ClusterError  # noqa: PLC0415

    if isinstance(error, DataError):
        show(error.diagnostics, "auto")
        return
    ours = RunError, ShareError, WeightsError, CheckpointError, Diverged, ClusterError, ExportError, EngineError
    if not isinstance(error, ours):
        raise error
    tell(f"netc: {error}")


def add_trained(command: argparse.ArgumentParser) -> None:
    """Declare what names trained weights."""
    command.add_argument("file", metavar="RUN|FILE", help="the folder of a run, or a spec with --weights")
    command.add_argument(
        "--weights",
        metavar="W",
        help="`best`, or a file: .keras, .h5, .safetensors, .npz, a checkpoint (those at the end of the run)",
    )


def add_engine(command: argparse.ArgumentParser, default: str) -> None:
    """Declare what runs the network."""
    from netc.engines import AUTO, NAMES  # noqa: PLC0415

    command.add_argument(
        "--engine",
        choices=(AUTO, *NAMES),
        default=default,
        help=f"what runs the network ({default}); `{AUTO}` is the first of these that is installed",
    )


def installed(engine: str) -> str:
    """The engine that is meant; raises `UsageError` for one that is not installed."""
    from netc.engines import chosen  # noqa: PLC0415

    with refusing(ModuleNotFoundError):
        return chosen(engine)


def trained(options: argparse.Namespace) -> tuple[Program, Path, Record | None, Statistics | None]:
    """The program and the weights that a command line names, with the record and the statistics of the run."""
    from netc.sections.override import changes  # noqa: PLC0415
    from netc.train.run import Run, is_run  # noqa: PLC0415

    if not is_run(options.file):
        if Path(options.file).is_dir():
            raise UsageError(f"{options.file} holds no run: it has no run.json")
        if options.file != STDIO and not Path(options.file).exists():
            raise UsageError(f"there is no {options.file}: expected a spec, or the folder of a run")
        if not options.weights:
            raise UsageError("a spec needs --weights; the folder of a run has its own")
        if options.weights == BEST:
            raise UsageError(f"`--weights {BEST}` is the best checkpoint of a run, and {options.file} is a spec")
        other = getattr(options, "data", None)  # `predict` has none
        return load(options, changes=changes((), other)), there(options.weights), None, None
    if options.overrides:
        raise UsageError(f"-D does not go with a run: {options.file} has the parameters that it was trained with")
    kept = Run(Path(options.file))
    program, record = reopened(kept, options)
    weights = there(kept.store().best if options.weights == BEST else options.weights or options.file)
    return program, weights, record, kept.read_statistics()


def there(path: str | Path) -> Path:
    """A file or folder that is named; raises `UsageError` where it does not exist."""
    if not Path(path).exists():
        raise UsageError(f"there is no file {path}")
    return Path(path)


def reopened(run: Run, options: argparse.Namespace) -> tuple[Program, Record]:
    """The program of a run as it began, and what its `run.json` says; raises `Failed` after saying what is wrong."""
    from netc.lower.overrides import parse_override  # noqa: PLC0415
    from netc.sections.override import changes  # noqa: PLC0415
    from netc.train.run import RunError  # noqa: PLC0415

    record = run.read()
    try:
        overrides = {
            name: parse_override(f"{name}={value}")[1] if isinstance(value, str) and value.isidentifier() else value
            for name, value in record.overrides.items()
        }
        changed = changes(record.changes, record.data)
    except ValueError as error:
        raise RunError(f"{run.record} cannot be read: {error}") from None
    path = str(run.folder / record.spec)
    bounds = limits(options, path)
    source, findings = read(path, bounds, path)
    if source is not None:
        program, findings = compile_text(source, Settings(overrides, bounds, Levels()), changes=changed)
    if failed(findings):
        show(findings, options.color)
        raise Failed
    return program, record
