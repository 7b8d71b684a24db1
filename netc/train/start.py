"""Training from Python: what the command line asks of options, asked of arguments."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from netc.compiler import compile_source, judge
from netc.diagnostics.spec_error import SpecError
from netc.sections.override import changes, named
from netc.syntax.source import Source
from netc.train.claim import claimed
from netc.train.progress import Progress, progress_for
from netc.train.run import given
from netc.train.session import Outcome, Request, train
from netc.train.stopping import stopping
from netc.values import Value


def train_network(
    source: Source,
    overrides: Mapping[str, Value],
    out: str | os.PathLike[str] | None,
    *,
    data: Any,
    settings: Sequence[str],
    seed: int | None,
    weights: str | None,
    resume: bool,
    quiet: bool,
) -> Outcome:
    """See `netc.api.Network.train`."""
    program = compile_source(source, overrides, changes=changes(settings, data))
    if program.report.failed:
        raise SpecError(tuple(judge(program)))
    place = named(data)
    progress = Progress() if quiet else progress_for(sys.stderr)
    folder = None if out is None else Path(out)
    with claimed(program.name, folder, resume=resume) as run, stopping(progress.note) as stop:
        request = Request(
            program,
            run,
            data=data if place is None else place,
            seed=seed,
            weights=weights,
            resume=resume,
            given=given(overrides, settings, place, weights),
        )
        return train(request, progress, stop)
