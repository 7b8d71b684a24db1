"""`netc bench`: how fast engines run a network, side by side."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from netc import needs
from netc.cli.endings import CLEAN, ERRORS, INTERRUPTED, UsageError, refusing
from netc.cli.options import add_compiling, sizes, whole
from netc.cli.output import STDIO, emit, keep, say, tell, write
from netc.cli.running import inputs, is_model, load, load_model, need
from netc.cli.training import add_trained, telling, trained
from netc.precision import FULL, NEEDS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from netc.bench.accuracy import Labelled
    from netc.bench.measure import Tell
    from netc.bench.report import Report
    from netc.bench.rows import Case
    from netc.ir.weights import Weights
    from netc.program import Program

DESCRIPTION = "How fast engines run a network, how soon they begin, and how much memory they take: measured in turns."
EXAMPLES = """\
examples:
  netc bench resnet32.net                                    all engines that are installed, one image at a time
  netc bench runs/flowers --batch 1,32 -o flowers.svg        a run, with its accuracy, and a plot
  netc bench resnet.net -D n=9 --engines onnxruntime,keras.predict --threads 1
  netc bench resnet50.net --precision fp32,int8,bf16         in fewer bits too
  netc bench unet.net --size 256 --format csv > unet.csv     where the input is open

engines:
  onnxruntime, openvino, numpy           as `netc predict --engine` runs them
  keras.predict, keras.predict_on_batch  the calls of Keras' users
  tf.function                            the Keras model, traced once

precisions:
  fp32                                   in every engine
  fp16, int8 in onnxruntime, bf16 in openvino: every layer, as `netc export --precision` before any returns to float32

Each engine has a process of its own, and one of them works at a time: --rounds turns each, in changing order. `times
the fastest` is the median of the ratios of the rounds, with the interval that holds it with 95 % confidence. `first
result` is from the start of the process: imports, the network made ready, one batch. Inputs are noise; weights are
those of the run, of --weights or of the model, else random. A process that dies is a row that says why."""

_FIRST_BATCH = 1


def configure(command: argparse.ArgumentParser) -> None:
    """Declare the options."""
    add_trained(command)
    command.add_argument(
        "--random-weights",
        metavar="SEED",
        type=whole(0, 2**32 - 1),
        help="the weights of a spec without --weights, or of a model in place of its own: the same for a seed (0)",
    )
    command.add_argument("--engines", metavar="E,E", help="which, see below (all that are installed)")
    command.add_argument(
        "--precision", metavar="P,P", type=_precisions, default=[FULL], help=f"of {', '.join(NEEDS)} (fp32), see below"
    )
    command.add_argument("--batch", metavar="N,N", type=_batches, default=[_FIRST_BATCH], help="images in a call (1)")
    command.add_argument("--size", type=sizes, metavar="N", help="what a `?` of the input stands for: 256, or 420x560")
    command.add_argument("--threads", type=whole(1, 1024), metavar="N", help="of each engine (what it takes by itself)")
    command.add_argument("--rounds", type=whole(1, 1000), metavar="N", default=20, help="turns of each engine (20)")
    command.add_argument(
        "--seconds", type=_seconds, metavar="S", default=3.0, help="about how long each row is measured, in all (3)"
    )
    command.add_argument(
        "--images", type=whole(0, 10**9), metavar="N", default=1000, help="of a run, for its accuracy (1000; 0: none)"
    )
    command.add_argument("--format", choices=("text", "json", "csv"), default="text")
    command.add_argument(
        "-o",
        "--output",
        metavar="OUT",
        help="a plot too: the time of an image against accuracy, or memory; OUT.svg, .png, .pdf or .tikz",
    )
    add_compiling(command)


@telling()
def run(options: argparse.Namespace) -> int:
    """Print the table; 1 for errors of spec or weights, and where no engine ran."""
    need("bench", needs.WEIGHTS)
    names, absent = _engines(options.engines)
    from netc.bench.machine import Machine  # noqa: PLC0415 - for a right command line
    from netc.bench.measure import Plan, measure  # noqa: PLC0415
    from netc.bench.report import Report  # noqa: PLC0415
    from netc.bench.rows import Row  # noqa: PLC0415

    if options.output is not None:
        _refuse_plot(options.output)
    program, weights, said, labelled = _given(options)
    if absent:
        say(f"not installed: {_missing(absent)}")
    plan = Plan(options.seconds, options.rounds, options.threads)
    rows = [Row(case) for batch in options.batch for case in _cases(names, options.precision, batch)]
    whole, judged = True, ""
    try:
        with _progress() as progress:
            judged = measure(program, weights, rows, plan, progress, labelled)
    except KeyboardInterrupt:
        whole = False
    report = Report(_network(program), said, rows, plan, Machine.this(), absent, whole, judged)
    emit(report.render(options.format))
    if options.format != "text":
        for note in report.notes():
            say(note)
    measured = any(row.times for row in rows)
    if options.output is not None and measured:
        _plot(report, options.output)
    if not whole:
        return INTERRUPTED
    return CLEAN if measured else ERRORS


def _cases(names: Sequence[str], precisions: Sequence[str], batch: int) -> Iterator[Case]:
    """What is measured on batches of one size; raises `UsageError` for a precision whose engine is not."""
    from netc.bench.narrow import RUNS  # noqa: PLC0415 - for a right command line
    from netc.bench.rows import Case  # noqa: PLC0415

    for precision in precisions:
        if precision == FULL:
            yield from (Case(name, batch) for name in names)
            continue
        if (engine := RUNS[precision]) not in names:
            raise UsageError(f"--precision {precision} runs in {engine}, which is not measured")
        yield Case(engine, batch, "netc.bench.narrow:subject", precision)


def _precisions(text: str) -> list[str]:
    """Precisions, each once, such as fp32,int8."""
    found = list(dict.fromkeys(text.split(",")))
    for one in found:
        if one not in NEEDS:
            raise argparse.ArgumentTypeError(f"got {one!r}, expected some of {', '.join(NEEDS)}")
    return found


def _batches(text: str) -> list[int]:
    """Sizes of batches, each once, such as 1,32."""
    size = whole(1, 65_536)
    return list(dict.fromkeys(size(part) for part in text.split(",")))


def _seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0
    if not 0 < value <= 86_400:
        raise argparse.ArgumentTypeError(f"got {text!r}, expected a number of seconds above 0, at most a day")
    return value


def _engines(given: str | None) -> tuple[Sequence[str], Mapping[str, str]]:
    """The engines that are measured, and those that are not installed, with what installs them; where one is asked
    for, that is a usage error."""
    from netc.bench.subjects import NAMES, available  # noqa: PLC0415
    from netc.suggest import did_you_mean  # noqa: PLC0415

    absent: dict[str, str] = {}
    if given is not None:
        names = list(dict.fromkeys(given.split(",")))
        for name in names:
            if name not in NAMES:
                (advice,) = did_you_mean(name, NAMES, [f"expected some of {', '.join(NAMES)}"])
                raise UsageError(f"--engines: there is no engine {name!r}; {advice}")
            with refusing(ModuleNotFoundError, option="--engines"):
                available(name)
        return names, absent
    for name in NAMES:
        try:
            available(name)
        except ModuleNotFoundError as error:
            absent[name] = str(error).rpartition(": ")[2]
    return [name for name in NAMES if name not in absent], absent


def _missing(absent: Mapping[str, str]) -> str:
    """Engines by what installs them."""
    by: dict[str, list[str]] = {}
    for name, install in absent.items():
        by.setdefault(install, []).append(name)
    return "; ".join(f"{', '.join(names)} ({install})" for install, names in by.items())


def _given(options: argparse.Namespace) -> tuple[Program, Weights, str, Labelled | None]:
    """The program at the size that is asked for, its weights, what these are, and the images of a run."""
    from netc.bench.accuracy import Labelled  # noqa: PLC0415
    from netc.ir.weights import random_weights  # noqa: PLC0415 - for a right command line
    from netc.train.run import is_run  # noqa: PLC0415
    from netc.train.weights import read_from  # noqa: PLC0415

    if options.weights or is_run(options.file):
        if options.random_weights is not None:
            raise UsageError("--random-weights is for a spec without --weights; a run has its own")
        program, path, record, statistics = trained(options)
        _keep(options, program, [path])
        weights, found = read_from(path, program.net)
        tell(found.text())
        labelled = None
        if record and options.images and options.size is None:  # at another size they are not the run's images
            labelled = Labelled(record.data, statistics, record.seed, options.images)
        return _sized(program, options.size), weights, f"weights of {path}", labelled
    if Path(options.file).is_dir():
        raise UsageError(f"{options.file} holds no run: it has no run.json")
    own = None
    if is_model(options.file) and options.random_weights is None:
        program, own = load_model(options)
    else:
        program = load(options, models=True)
    _keep(options, program, [])
    if own is not None:
        own.check(program.net)
        return _sized(program, options.size), own, f"weights of {options.file}", None
    seed = options.random_weights or 0
    return _sized(program, options.size), random_weights(program.net, seed), f"random weights of seed {seed}", None


def _sized(program: Program, sizes: tuple[int, ...] | None) -> Program:
    """The program with numbers for what is open in its input."""
    from netc.analysis.sized import at  # noqa: PLC0415
    from netc.ir.shape import show_shape  # noqa: PLC0415
    from netc.params import Refused  # noqa: PLC0415

    net = program.net
    shapes = ", ".join(show_shape(net.shapes[name]) for name in net.inputs)
    if sizes is None:
        if "?" in shapes:
            raise UsageError(f"the input of {program.name} is {shapes}: --size says at which size it is run")
        return program
    try:
        sized = replace(program, net=at(net, sizes))
    except (Refused, ValueError) as error:
        raise UsageError(f"--size: {program.name} does not work: {error}; `netc sizes` says which sizes do") from None
    if sized.net is net:
        raise UsageError(f"--size: the input of {program.name} is {shapes}, and no size of it is open")
    return sized


def _keep(options: argparse.Namespace, program: Program, weights: list[Path]) -> None:
    if options.output is not None:
        keep(options.output, [*inputs(program), *weights])


def _network(program: Program) -> str:
    """The network in a few words."""
    from netc.analysis.cost import measure  # noqa: PLC0415
    from netc.ir.shape import show_shape  # noqa: PLC0415
    from netc.report.summary import human  # noqa: PLC0415

    net, total = program.net, measure(program.net).total
    ends = [", ".join(show_shape(net.shapes[name]) for name in names) for names in (net.inputs, net.outputs)]
    return f"{program.name}: {ends[0]} -> {ends[1]}, {human(total.parameters)} parameters, {human(total.macs)} MACs"


@contextmanager
def _progress() -> Iterator[Tell]:
    """A bar on a terminal, nothing elsewhere."""
    if not sys.stderr.isatty() or os.environ.get("TERM") == "dumb":
        yield lambda what, done, whole: None
        return
    from rich.console import Console  # noqa: PLC0415 - only on a terminal
    from rich.progress import Progress  # noqa: PLC0415

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("")
        yield lambda what, done, whole: bar.update(task, description=what, completed=done, total=whole)


def _plot(report: Report, output: str) -> None:
    from netc.bench.plot import plot  # noqa: PLC0415 - not every table is drawn
    from netc.figures.drawing import write_scene  # noqa: PLC0415
    from netc.figures.styles import FigureError  # noqa: PLC0415

    with refusing(FigureError):
        content = write_scene(plot(report), Path(output).suffix.lower())
    write(output, content, announce=True)


def _refuse_plot(output: str) -> None:
    """End with a usage error where a plot could not be written, before anything is measured."""
    from netc.figures.drawing import SCENES  # noqa: PLC0415

    path = Path(output)
    if output == STDIO or path.suffix.lower() not in SCENES:
        raise UsageError(f"got -o {output}, expected a name that ends in one of {', '.join(SCENES)}")
    if not path.resolve().parent.is_dir():
        raise UsageError(f"cannot write `{path}`: there is no folder of that name")
