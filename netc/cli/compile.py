"""`netc compile`: a spec as Keras code, JSON or a Graphviz graph."""

from __future__ import annotations

import argparse
import re
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from netc import needs
from netc.cli.endings import CLEAN, Failed, UsageError
from netc.cli.options import add, add_compiling, place
from netc.cli.output import STDIO, keep, say, tell, write
from netc.cli.running import inputs, load, need

if TYPE_CHECKING:
    from netc.program import Program

SUFFIXES = {"keras": ".py", "json": ".json", "dot": ".dot"}
TARGETS = {"keras": "netc.targets.keras.source", "json": "netc.targets.json", "dot": "netc.figures.dot"}

DESCRIPTION = "Write a spec as a Keras 3 module that needs nothing of netc."
EXAMPLES = """\
examples:
  netc compile resnet.net                    writes resnet.py to the current directory
  netc compile resnet.net -D n=9 -o models/resnet56.py
  netc compile resnet.net -o -               prints to standard output
  netc compile resnet.net --watch            again after each change
  netc compile resnet.net --verify           proves the code, on TensorFlow
  netc compile resnet.net --verify --backend jax
  netc compile resnet.net --target dot -o - | dot -Tsvg > resnet.svg
  netc compile - < resnet.net                a spec from standard input is printed

Without -o the file is named as the spec, with `_` for what a Python module's name cannot hold:
specs/resnet-cifar.net becomes resnet_cifar.py. A file that netc wrote is replaced, and only by a complete one.

The module runs on each backend of Keras. --verify runs it on one, in a process of its own, and compares it with the
network: layers, weights, training, and what it computes on random weights with what NumPy does. Where one differs
nothing is written."""


def configure(command: argparse.ArgumentParser) -> None:
    """Declare the options."""
    add(command, "file")
    command.add_argument("-o", "--output", metavar="OUT", help="where to; `-` is standard output")
    add(command, "--force")
    command.add_argument("--target", choices=tuple(SUFFIXES), default="keras")
    command.add_argument("--flat", action="store_true", help="write every layer out, without functions and loops")
    command.add_argument(
        "--verify", action="store_true", help="build both the code and the network with Keras, and compare them"
    )
    command.add_argument(
        "--backend",
        choices=tuple(needs.BACKENDS),
        help="what Keras runs on to verify (the default is tensorflow): it has to be installed",
    )
    add(command, "--stdin-filename", "--watch")
    add_compiling(command)


def run(options: argparse.Namespace) -> int:
    """Compile; 1 if the spec has errors."""
    if options.target != "keras" and (options.flat or options.verify):
        raise UsageError(f"--flat and --verify are for the target keras, not {options.target}")
    if options.backend and not options.verify:
        raise UsageError("--backend goes with --verify: the module itself is the same for all")
    backend = options.backend or "tensorflow"
    if options.verify:
        need("--verify", needs.BACKENDS[backend])
    program = load(options, speculate=options.target == "keras" and not options.flat)
    output = options.output or _output_name(options)
    keep(output, inputs(program), force=options.force)
    target = import_module(TARGETS[options.target])
    text = target.emit(program, flat=options.flat) if options.target == "keras" else target.dump(program)
    if options.verify:
        _verify(program, text, backend)
    write(output, text, named=options.output is None)
    return CLEAN


def _verify(program: Program, text: str, backend: str) -> None:
    """Say what proves the code; `Failed` where it computes something else than NumPy, or the backend cannot run it."""
    from netc.targets.errors import ExportError  # noqa: PLC0415 - of this option alone
    from netc.targets.keras.runner import Runner  # noqa: PLC0415
    from netc.targets.keras.verify import verify  # noqa: PLC0415

    try:
        with Runner(backend) as runner:
            verified = verify(program, text, runner=runner)
    except ExportError as error:
        tell(f"netc: {error}")
        raise Failed from None
    if verified.differences:
        raise RuntimeError("the code is not the network: " + "; ".join(verified.differences))
    say("verified: the code builds the network that was checked, with the same weights and outputs")
    if verified.proof:
        say(verified.proof.text())


def _output_name(options: argparse.Namespace) -> str:
    """The file that holds the result of a spec."""
    if options.file == STDIO:
        return STDIO
    stem = re.sub(r"\W", "_", Path(options.file).stem, flags=re.ASCII) or "net"
    return place(options, options.file, ("_" if stem[0].isdigit() else "") + stem + SUFFIXES[options.target])
