"""`netc runs`: the runs of a folder, or some beside each other."""

from __future__ import annotations

import argparse
from pathlib import Path

from netc.cli.endings import CLEAN, UsageError
from netc.cli.output import emit, say
from netc.cli.running import named
from netc.cli.training import telling

DESCRIPTION = "List runs with what they came to, or compare some."
EXAMPLES = """\
examples:
  netc runs                              all below runs/
  netc runs experiments/                 all below another folder
  netc runs runs/digits runs/digits-2    compared: results, and the settings that differ
  netc runs --format csv > runs.csv"""


def configure(command: argparse.ArgumentParser) -> None:
    """Declare the options."""
    command.add_argument("folder", nargs="*", metavar="DIR", help="folders of runs (runs), or runs to compare")
    command.add_argument("--format", choices=("text", "json", "csv", "md"), default="text")


@telling()
def run(options: argparse.Namespace) -> int:
    """Print the table; 1 for a run that cannot be read."""
    from netc.train.compare import comparison, listing  # noqa: PLC0415
    from netc.train.run import RUNS, Run, is_run, runs_in  # noqa: PLC0415

    folders = named(options.folder) or [RUNS]
    given = [Run(Path(folder)) for folder in folders if is_run(folder)]
    for folder in folders:
        if not is_run(folder) and not Path(folder).is_dir():
            if options.folder:
                raise UsageError(f"there is no folder {folder}")
            say(f"there are no runs: there is no folder {folder}")
            return CLEAN
    if len(given) > 1 and len(given) == len(folders):
        emit(comparison(given, options.format))
        return CLEAN
    found = given + [run for folder in folders if not is_run(folder) for run in runs_in(Path(folder))]
    if not found:
        say(f"there are no runs in {', '.join(folders)}")
    else:
        emit(listing(found, options.format))
    return CLEAN
