"""What the commands about training share."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import TYPE_CHECKING

from netc.cli import ERRORS
from netc.cli.options import Settings, limits
from netc.cli.output import say
from netc.cli.running import compile_text, failed, read, show
from netc.diagnostics.levels import Levels

if TYPE_CHECKING:
    from netc.program import Program
    from netc.train.record import Record
    from netc.train.run import Run


def tried(work: Callable[[], int]) -> int:
    """Do the work of a command; what is wrong with data, runs, weights or the disk is said, and gives 1."""
    from netc.data import DataError, ShareError  # noqa: PLC0415 - of the commands about training alone
    from netc.train.checkpoint import CheckpointError  # noqa: PLC0415
    from netc.train.loop import Diverged  # noqa: PLC0415
    from netc.train.run import RunError  # noqa: PLC0415
    from netc.train.strategy import ClusterError  # noqa: PLC0415
    from netc.train.weights import WeightsError  # noqa: PLC0415

    try:
        return work()
    except DataError as error:
        show(error.diagnostics, "auto")
    except (RunError, ShareError, WeightsError, CheckpointError, Diverged, ClusterError) as error:
        say(f"netc: {error}")
    except OSError as error:
        where = f" {error.filename}" if error.filename else ""
        say(f"netc: cannot go on:{where} {(error.strerror or str(error)).lower()}")
    return ERRORS


def reopened(run: Run, options: argparse.Namespace) -> tuple[Program | None, Record]:
    """The program of a run as it began (None after saying what is wrong), and what its `run.json` says."""
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
    bounds = limits(options)
    source, findings = read(str(run.folder / record.spec), bounds)
    program = None
    if source is not None:
        program, findings = compile_text(source, Settings(overrides, bounds, Levels()), changes=changed)
    if failed(findings):
        show(findings, options.color)
        return None, record
    return program, record
