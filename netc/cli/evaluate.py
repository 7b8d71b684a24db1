"""`netc evaluate`: loss and metrics of a run, or of a spec with weights."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING

from netc import needs
from netc.cli import CLEAN, ERRORS, UsageError
from netc.cli.options import add_colour, add_compiling, settings
from netc.cli.output import STDIO, emit
from netc.cli.running import load, need
from netc.diagnostics.escape import harmless

if TYPE_CHECKING:
    from netc.data.statistics import Statistics
    from netc.program import Program
    from netc.train.record import Record

_EXAMPLES = """\
examples:
  netc evaluate runs/digits                              on its test images, else those kept for validation
  netc evaluate runs/digits --weights best               the best checkpoint instead of the end
  netc evaluate runs/flowers --data ~/other --on all     on all images of another folder
  netc evaluate vgg16.net --weights vgg16.weights.h5 --data ~/imagenet/val"""


BEST = "best"
_ON = "which images: the first there are; `all` of a folder, whatever `validation` of the spec keeps"


def configure(command: argparse.ArgumentParser) -> None:
    """Declare the options."""
    command.description = "Loss and metrics of trained weights, as the `train` section names them."
    command.epilog = _EXAMPLES
    command.add_argument("file", metavar="RUN|FILE", help="the folder of a run, or a spec with --weights")
    add_weights(command)
    command.add_argument("--data", metavar="PATH|NAME", help="other images than the run's")
    command.add_argument("--on", choices=("test", "validation", "train", "all"), help=_ON)
    command.add_argument("--format", choices=("text", "json"), default="text")
    add_colour(command)
    add_compiling(command)


def add_weights(command: argparse.ArgumentParser) -> None:
    """`--weights`."""
    command.add_argument(
        "--weights", metavar="W", help="`best`, or a file: .keras, .h5, a checkpoint (those at the end of the run)"
    )


def run(options: argparse.Namespace) -> int:
    """Print what was found; 1 for errors of spec, data or weights."""
    from netc.cli.training import tried  # noqa: PLC0415

    need("evaluate", needs.READING)
    return tried(lambda: _run(options))


def _run(options: argparse.Namespace) -> int:
    from netc.train.evaluate import ALL, evaluate  # noqa: PLC0415 - for a right command line

    opened = trained(options)
    if opened is None:
        return ERRORS
    program, weights, record, statistics = opened
    found = evaluate(
        program,
        weights,
        data=options.data or (record and record.data),
        part=options.on,
        statistics=statistics,
        seed=record.seed if record else 0,
    )
    if options.format == "json":
        said = {"on": found.part, "images": found.images, "weights": str(found.weights), **found.values}
        emit(json.dumps(said, indent=1) + "\n")
        return CLEAN
    from netc.train.progress import quantities  # noqa: PLC0415

    part = "" if found.part == ALL else f"{found.part} "
    emit(f"{quantities(found.values)}  ({found.images:,} {part}images, {harmless(str(found.weights))})\n")
    return CLEAN


def trained(options: argparse.Namespace) -> tuple[Program, Path, Record | None, Statistics | None] | None:
    """The program and the weights that a command line names, with the record and the statistics of the run."""
    from netc.cli.training import reopened  # noqa: PLC0415
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
        program = load(options, settings(options), changes=changes((), other))
        return None if program is None else (program, Path(options.weights), None, None)
    if options.overrides:
        raise UsageError(f"-D does not go with a run: {options.file} has the parameters that it was trained with")
    kept = Run(Path(options.file))
    again, record = reopened(kept, options)
    if again is None:
        return None
    weights = kept.store().best if options.weights == BEST else Path(options.weights or options.file)
    return again, weights, record, kept.read_statistics()
