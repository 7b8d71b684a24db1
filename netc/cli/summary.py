"""`netc summary`: what a network costs, layer by layer."""

from __future__ import annotations

import argparse

from netc.cli import CLEAN, ERRORS
from netc.cli.options import add_colour, add_compiling, settings
from netc.cli.output import emit
from netc.cli.running import load

_EXAMPLES = """\
examples:
  netc summary vgg16.net
  netc summary resnet.net -D n=18
  netc summary resnet.net --format json | jq .parameters.total
  netc summary resnet.net --format md > table.md"""


def configure(command: argparse.ArgumentParser) -> None:
    """Declare the options."""
    command.description = "Output shape, parameters, MACs, memory and receptive field of every layer."
    command.epilog = _EXAMPLES
    command.add_argument("file", metavar="FILE", help="a spec; `-` reads standard input")
    command.add_argument("--format", choices=("text", "json", "csv", "md"), default="text")
    add_colour(command)
    add_compiling(command)


def run(options: argparse.Namespace) -> int:
    """Print the summary; 1 if the spec has errors."""
    program = load(options, settings(options))
    if program is None:
        return ERRORS
    from netc.report.summary import render  # noqa: PLC0415

    emit(render(program, options.format))
    return CLEAN
