"""`netc compile`: a spec as Keras code, JSON or a Graphviz graph."""

from __future__ import annotations

import argparse
import re
from pathlib import Path
from typing import TYPE_CHECKING

from netc import needs
from netc.cli import CLEAN, ERRORS, UsageError
from netc.cli.options import add_colour, add_compiling, add_stdin_name, check_stdin, settings
from netc.cli.output import STDIO, keep, say, write
from netc.cli.running import inputs, load, need

if TYPE_CHECKING:
    from netc.program import Program

SUFFIXES = {"keras": ".py", "json": ".json", "dot": ".dot"}

_EXAMPLES = """\
examples:
  netc compile resnet.net                    writes resnet.py to the current directory
  netc compile resnet.net -D n=9 -o models/resnet56.py
  netc compile resnet.net -o -               prints to standard output
  netc compile resnet.net --target dot -o - | dot -Tsvg > resnet.svg
  netc compile - < resnet.net                a spec from standard input is printed

Without -o the file is named as the spec, with `_` for what a Python module's name cannot hold:
specs/resnet-cifar.net becomes resnet_cifar.py. A file that netc wrote is replaced, and only by a complete one."""


def configure(command: argparse.ArgumentParser) -> None:
    """Declare the options."""
    command.description = "Write a spec as a Keras 3 module that needs nothing of netc."
    command.epilog = _EXAMPLES
    command.add_argument("file", metavar="FILE", help="a spec; `-` reads standard input")
    command.add_argument("-o", "--output", metavar="OUT", help="where to; `-` is standard output")
    command.add_argument("--force", action="store_true", help="replace a file that netc did not write too")
    command.add_argument("--target", choices=tuple(SUFFIXES), default="keras")
    command.add_argument("--flat", action="store_true", help="write every layer out, without functions and loops")
    command.add_argument(
        "--verify", action="store_true", help="build both the code and the network with TensorFlow, and compare them"
    )
    add_stdin_name(command)
    add_colour(command)
    add_compiling(command)


def run(options: argparse.Namespace) -> int:
    """Compile; 1 if the spec has errors."""
    if options.target != "keras" and (options.flat or options.verify):
        raise UsageError(f"--flat and --verify are for the target keras, not {options.target}")
    check_stdin(options, [options.file])
    if options.verify:
        need("--verify", needs.BUILDING)
    program = load(options, settings(options), speculate=options.target == "keras" and not options.flat)
    if program is None:
        return ERRORS
    output = options.output or _output_name(options.file, options.target)
    keep(output, inputs(program), force=options.force)
    text = _emit(program, options)
    if options.verify:
        _verify(text, program)
        say("verified: the code builds the network that was checked, with the same weights and outputs")
    write(output, text)
    if options.output is None and output != STDIO:
        say(f"wrote {output}")
    return CLEAN


def _emit(program: Program, options: argparse.Namespace) -> str:
    if options.target == "json":
        from netc.backends import json  # noqa: PLC0415 - each target is imported when it is wanted

        return json.dump(program)
    if options.target == "dot":
        from netc.figures import dot  # noqa: PLC0415

        return dot.dump(program)
    from netc.backends import keras_source  # noqa: PLC0415

    return keras_source.emit(program, flat=options.flat)


def _verify(text: str, program: Program) -> None:
    from netc.backends.verify import verify  # noqa: PLC0415

    if differences := verify(program, text):
        raise RuntimeError("the code is not the network: " + "; ".join(differences))


def _output_name(path: str, target: str) -> str:
    """The file in the current directory that holds the result of a spec."""
    if path == STDIO:
        return STDIO
    stem = re.sub(r"\W", "_", Path(path).stem, flags=re.ASCII) or "net"
    return ("_" if stem[0].isdigit() else "") + stem + SUFFIXES[target]
