"""`netc sizes`: which sizes of its inputs a network takes."""

from __future__ import annotations

import argparse

from netc.cli.endings import CLEAN, ERRORS, UsageError, refusing
from netc.cli.options import add, add_compiling
from netc.cli.output import emit
from netc.cli.running import load
from netc.diagnostics.levels import Level

DESCRIPTION = "Which sizes work for an input such as `?x?x3`, and what every layer makes of them, as formulas."
EXAMPLES = """\
examples:
  netc sizes unet.net                          which sizes work, and why not all
  netc sizes unet.net --layers                 the output and MACs of each layer: ⌈H/4⌉x⌈W/4⌉x64
  netc sizes unet.net --size 420x560           420x560: pad to 432x560, or crop to 416x560
  netc sizes siamese.net --size left=64x64 --size right=32x32
  netc sizes unet.net --format json

exit codes: 0 the size works, or none was asked about, 1 it does not, or the spec has errors, 2 wrong use"""

Size = tuple[str, tuple[int, ...]]  # the input, empty for all of them


def configure(command: argparse.ArgumentParser) -> None:
    """Declare the options."""
    add(command, "file")
    command.add_argument(
        "--size",
        metavar="[INPUT=]SIZE",
        type=_size,
        action="append",
        default=[],
        help="does this size work? such as 420x560; one number is that of all open axes; may be given for each input",
    )
    command.add_argument("--layers", action="store_true", help="a table of all layers")
    command.add_argument("--format", choices=("text", "json"), default="text")
    add(command, "--stdin-filename")
    add_compiling(command)


def _size(given: str) -> Size:
    name, named, size = given.rpartition("=")
    parts = size.replace("×", "x").split("x")
    if bool(named) != bool(name) or not all(
        part.isascii() and part.isdigit() and len(part) < 10 and int(part) for part in parts
    ):
        raise argparse.ArgumentTypeError(f"got {given!r}, expected a size such as 420x560, or input=420x560")
    return name, tuple(map(int, parts))


def run(options: argparse.Namespace) -> int:
    """Print what works; 1 if the size that was asked about does not, or the spec has errors."""
    from netc.analysis.sizes.fitting import OpenSizes  # noqa: PLC0415 - --help needs none of it
    from netc.report.sizes import dump, render, render_fit  # noqa: PLC0415

    if options.layers and (options.size or options.format == "json"):
        raise UsageError("--layers goes with neither --size nor --format json, which has the layers anyway")
    given = dict(options.size)
    if len(given) < len(options.size):
        raise UsageError("--size is given twice for one input: name them as in `--size left=64x64`")
    options.levels.insert(0, (Level.ALLOW, "NET302"))  # which sizes work is what is printed
    program = load(options)
    sizes = OpenSizes(program.net)
    fit = None
    if given:
        with refusing(ValueError, option="--size"):
            fit = sizes.fit(*given.pop("", ()), **given)
    if options.format == "json":
        emit(dump(program, sizes, fit))
    elif fit is None:
        emit(render(program, sizes, layers=options.layers))
    else:
        emit(render_fit(program, fit))
    return CLEAN if fit is None or fit.works else ERRORS
