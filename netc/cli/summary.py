"""`netc summary`: what a network costs, layer by layer."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from netc.cli.endings import CLEAN, UsageError, refusing
from netc.cli.options import add, add_compiling
from netc.cli.output import STDIO, emit, keep, write
from netc.cli.running import inputs, load

if TYPE_CHECKING:
    from netc.program import Program

DESCRIPTION = "Output shape, parameters, MACs, memory and receptive field of every layer."
EXAMPLES = """\
examples:
  netc summary vgg16.net
  netc summary resnet.net -D n=18
  netc summary resnet.net --format json | jq .parameters.total
  netc summary resnet.net --format md > table.md
  netc summary vgg16.net --plot vgg16-costs.svg    parameters, MACs and memory of each layer as bars"""


def configure(command: argparse.ArgumentParser) -> None:
    """Declare the options."""
    add(command, "file")
    command.add_argument("--format", choices=("text", "json", "csv", "md"), default="text")
    command.add_argument(
        "--plot",
        metavar="OUT",
        help="draw parameters, MACs and memory by layer: OUT.svg, .png, .pdf or .tikz",
    )
    add(command, "--stdin-filename")
    add_compiling(command)


def run(options: argparse.Namespace) -> int:
    """Print the summary; 1 if the spec has errors."""
    if options.plot is not None and options.format != "text":
        raise UsageError("--format and --plot are two results: ask for one of them")
    program = load(options, models=True)
    if options.plot is not None:
        _plot(program, options.plot)
        return CLEAN
    from netc.report.summary import render  # noqa: PLC0415

    emit(render(program, options.format))
    return CLEAN


def _plot(program: Program, output: str) -> None:
    from netc.figures.bars import bars  # noqa: PLC0415 - not every summary is drawn
    from netc.figures.drawing import write_scene  # noqa: PLC0415
    from netc.figures.styles import FigureError  # noqa: PLC0415

    keep(output, inputs(program))
    with refusing(FigureError):
        content = write_scene(bars(program), ".svg" if output == STDIO else Path(output).suffix.lower())
    write(output, content, announce=True)
