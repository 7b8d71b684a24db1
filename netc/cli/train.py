"""`netc train`: a spec trained on data, into the folder of a run."""

from __future__ import annotations

import argparse
import errno
import os
import shlex
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from netc import needs
from netc.cli.endings import CLEAN, UsageError, refusing
from netc.cli.options import add_compiling, overrides, whole
from netc.cli.output import STDIO, emit, say
from netc.cli.running import load, need
from netc.cli.training import reopened, telling, there
from netc.diagnostics.escape import harmless

if TYPE_CHECKING:
    from netc.train.progress import Progress
    from netc.train.run import Run
    from netc.train.session import Outcome, Request
    from netc.train.stopping import Stop

DESCRIPTION = "Train a network as the `data` and `train` sections of its spec say."
EXAMPLES = """\
examples:
  netc train specs/digits.net                     no download: digits come with scikit-learn
  netc train resnet-cifar.net -D n=3 --data ~/cifar-10-batches-bin
  netc train resnet.net --set train.batch=64 --set train.optimizer.lr=0.05
  netc train resnet.net --epochs 20 --seed 1 --out runs/seed1
  netc train resnet.net --resume                  goes on with the last run of this spec
  netc train runs/resnet-2 --resume               goes on with this one
  netc train vgg16-flowers.net --weights vgg16_weights_tf_dim_ordering_tf_kernels_notop.h5
  netc train resnet.net --distribute mirrored     on all devices of this machine
  netc train resnet.net --distribute multiworker --workers a:12345,b:12345 --index 0

A run is a folder: the spec as used, run.json (settings, versions, seed), log.csv, checkpoints, model.keras and
curves.svg. Ctrl-C writes a checkpoint and says how to go on; a run that was killed goes on from its last checkpoint,
and comes to the same weights and log, bit for bit, as one that never stopped.

exit codes: 0 trained, 1 errors in the spec, in data or in weights, 2 wrong use or a full disk, 130 and 143 stopped by a
signal"""


def configure(command: argparse.ArgumentParser) -> None:
    """Declare the options."""
    command.add_argument("file", metavar="FILE", help="a spec, or with --resume the folder of a run")
    command.add_argument("--data", metavar="PATH|NAME", help="what to train on, instead of what `data` names")
    command.add_argument("--out", metavar="DIR", help="folder of the run (runs/NAME, with a number where it exists)")
    command.add_argument(
        "--epochs", metavar="N", type=whole(1, 10**9), help="short for --set train.epochs=N, without `steps`"
    )
    command.add_argument("--seed", metavar="S", type=whole(0, 2**32 - 1), help="where all random numbers come from")
    command.add_argument(
        "--set",
        dest="changes",
        metavar="LINE=VALUE",
        action="append",
        default=[],
        help="another line for a section: train.batch=64, train.optimizer.lr=0.01, train.schedule= (none)",
    )
    command.add_argument("--resume", action="store_true", help="go on with a run that was stopped or killed")
    command.add_argument(
        "--weights",
        metavar="W",
        help="start from these: .keras, .h5, .safetensors, .npz, a checkpoint or a run; by the names of layers",
    )
    command.add_argument(
        "--deterministic", action="store_true", help="bit for bit on a GPU too, and slower (a CPU always is)"
    )
    spread = command.add_argument_group("several devices", "docs/training.md says what to type on a cluster")
    spread.add_argument("--distribute", choices=("mirrored", "multiworker"), help="on what to train")
    spread.add_argument("--workers", metavar="HOST:PORT,...", help="all machines, in the same order on each")
    spread.add_argument("--index", metavar="I", type=int, help="which of them this is, from 0")
    add_compiling(command)


@telling()
def run(options: argparse.Namespace) -> int:
    """Train; 1 for errors of spec or data, 130 or 143 when stopped by a signal."""
    need("train", needs.TRAINING)
    if options.file == STDIO:
        raise UsageError("`train` needs a file: a run keeps its spec")
    from netc.train.progress import progress_for  # noqa: PLC0415 - of train alone
    from netc.train.stopping import stopping  # noqa: PLC0415

    request, progress = _request(options), progress_for(sys.stderr)
    with _claimed(options, request) as run, stopping(progress.note) as stop:
        again = _going_on(options, run.folder)
        outcome = _train(replace(request, run=run), progress, stop, again)
    if outcome.finished:
        _summary(outcome)
        return CLEAN
    say(f"stopped after step {outcome.step:,} of {outcome.clock.total:,}; to go on:")
    say(f"  {again}")
    return stop.code


@contextmanager
def _claimed(options: argparse.Namespace, request: Request) -> Iterator[Run]:
    """The folder of the run, held by this process; who finds its own `--out` taken asked for what cannot be."""
    from netc.train.claim import TakenError, claimed  # noqa: PLC0415

    folder = request.run.folder
    named = folder if options.out or request.resume else None
    claim = claimed(request.program.name, named, resume=request.resume, writes=request.cluster.chief)
    with refusing(TakenError), claim as run:
        if run.folder != folder:
            say(f"{folder} is taken, so this run is in {run.folder}")
        yield run


def _going_on(options: argparse.Namespace, folder: Path) -> str:
    """What to type to go on with a run, here or on this one of several machines."""
    given = {"--distribute": options.distribute, "--workers": options.workers, "--index": options.index}
    more = [part for name, value in given.items() if value is not None for part in (name, str(value))]
    return shlex.join(["netc", "train", str(folder), "--resume", *more])


def _train(request: Request, progress: Progress, stop: Stop, again: str) -> Outcome:
    from netc.train.session import train  # noqa: PLC0415

    try:
        return train(request, progress, stop)
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        said = f"{os.strerror(error.errno).lower()}, below {request.run.folder}"
        raise UsageError(f"{said}; with room again, `{again}` goes on") from None
    except KeyboardInterrupt:
        say(f"stopped at once; the last checkpoint stays: {again}")
        raise


# -- from options to a request -------------------------------------------------------------------------------


def _request(options: argparse.Namespace) -> Request:
    from netc.sections.override import changes  # noqa: PLC0415
    from netc.train.run import RUNS, Run, given, is_run  # noqa: PLC0415
    from netc.train.session import Request  # noqa: PLC0415
    from netc.train.strategy import ClusterError, cluster  # noqa: PLC0415

    with refusing(ClusterError):
        workers = [one for one in (options.workers or "").split(",") if one]
        where = cluster(options.distribute, workers, options.index)
    if options.resume:
        return _resumed(options, where)
    if is_run(options.file):
        raise UsageError(f"{options.file} is a run; --resume goes on with it")
    epochs = [f"train.epochs={options.epochs}", "train.steps="] if options.epochs else []
    lines = [*options.changes, *epochs]
    with refusing(ValueError, option="--set"):
        changed = changes(lines, options.data)
    program = load(options, changes=changed)
    if options.out and is_run(options.out) and where.chief:
        raise UsageError(f"{options.out} holds a run already; --resume goes on with it, another --out keeps it")
    if options.weights:
        there(options.weights)
    folder = Path(options.out) if options.out else Path(RUNS, program.name)
    asked = given(overrides(options), lines, options.data, options.weights, exact=options.deterministic)
    return Request(
        program,
        Run(folder),
        data=options.data,
        seed=options.seed,
        weights=options.weights,
        cluster=where,
        deterministic=options.deterministic,
        given=asked,
    )


def _resumed(options: argparse.Namespace, where: Any) -> Request:
    """The request of a run that goes on: everything but where is what it was."""
    from netc.train.run import Run, is_run  # noqa: PLC0415
    from netc.train.session import Request  # noqa: PLC0415

    fixed = {"--set": options.changes, "--epochs": options.epochs, "--seed": options.seed}
    for name, value in {**fixed, "--weights": options.weights, "-D": options.overrides}.items():
        if value not in (None, []):
            raise UsageError(f"{name} does not go with --resume: a run goes on as it began")
    folder = Path(options.file if is_run(options.file) else options.out or _last(options.file))
    kept = Run(folder)
    program, record = reopened(kept, options)
    if not is_run(options.file) and Path(options.file).read_bytes() != (folder / record.spec).read_bytes():
        raise UsageError(
            f"{options.file} has changed since {folder} began; `{_going_on(options, folder)}` goes on with the spec"
            " as it was, and without --resume a new run begins"
        )
    return Request(
        program,
        kept,
        data=options.data or record.data,
        weights=record.weights,
        resume=True,
        cluster=where,
        deterministic=record.deterministic,
    )


def _last(file: str) -> Path:
    """The folder of the last run of a spec."""
    from netc.train.run import RUNS, runs_in  # noqa: PLC0415

    stem = Path(file).name
    found = [run for run in runs_in(Path(RUNS)) if Path(run.read().spec).name == stem]
    if not found:
        raise UsageError(f"there is no run of {file} below {RUNS}; --out names one, and without --resume one begins")
    return max(found, key=lambda run: run.record.stat().st_mtime).folder


# -- at the end ----------------------------------------------------------------------------------------------


def _summary(outcome: Outcome) -> None:
    from netc.train.finish import own_classes  # noqa: PLC0415
    from netc.train.progress import quantities, span  # noqa: PLC0415

    run: Run = outcome.run
    early = "" if outcome.step == outcome.clock.total else f" of {outcome.clock.total:,}, as `early_stopping` says,"
    lines = [f"trained {outcome.step:,}{early or ' steps'} in {span(outcome.seconds)}: {quantities(outcome.row)}"]
    if outcome.best is not None:
        lines.append(f"best at step {outcome.best[1]:,}: {outcome.best[0]:.4f} ({run.store().best})")
    lines.append(f"model, log and checkpoints are in {run.folder}; `netc predict {run.folder} IMAGE...` uses the model")
    if run.model.is_file() and (own := own_classes(run.model)):  # the first of several workers writes it
        lines.append(f"Keras itself loads {run.model} after `import netc.keras_layers`: it holds {', '.join(own)}")
    emit("".join(f"{harmless(line)}\n" for line in lines))
