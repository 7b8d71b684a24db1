"""`netc fmt`: the canonical style."""

from __future__ import annotations

import argparse

from netc.cli import CLEAN, ERRORS
from netc.cli.options import add_colour
from netc.cli.output import STDIO, difference, emit, say, write
from netc.cli.running import failed, read, show
from netc.diagnostics.model import Diagnostics
from netc.limits import Limits

_EXAMPLES = """\
examples:
  netc fmt resnet.net
  netc fmt --check specs/*.net    names the files that would change; exit code 1 if any
  netc fmt --diff resnet.net      shows what would change; exit code 1 if anything
  netc fmt - < a.net > b.net

Comments are kept, and the text is written only after reading it again gave the same network."""


def configure(command: argparse.ArgumentParser) -> None:
    """Declare the options."""
    command.description = "Write specs in the canonical style."
    command.epilog = _EXAMPLES
    command.add_argument("files", nargs="+", metavar="FILE", help="a spec; `-` reads standard input, writes to output")
    modes = command.add_mutually_exclusive_group()
    modes.add_argument("--check", action="store_true", help="change nothing, name the files that would change")
    modes.add_argument("--diff", action="store_true", help="change nothing, show what would change")
    add_colour(command)


def run(options: argparse.Namespace) -> int:
    """Format the files; 1 where one cannot be read or, with --check and --diff, would change."""
    return max([_format(path, options) for path in dict.fromkeys(options.files)])


def _format(path: str, options: argparse.Namespace) -> int:
    from netc.syntax.format import format_file  # noqa: PLC0415
    from netc.syntax.parser import parse  # noqa: PLC0415

    limits = Limits()
    source, findings = read(path, limits)
    if source is not None:
        report = Diagnostics()
        file = parse(source, limits, report)
        findings = list(report)
    if source is None or failed(findings):
        show(findings, options.color)
        return ERRORS
    text = format_file(file)
    changed = text != source.text
    if options.diff:
        emit(difference(source.name, source.text, text))
    elif options.check and changed:
        say(f"would change {source.name}")
    elif not options.check and (changed or path == STDIO):
        write(path, text)
    return ERRORS if changed and (options.check or options.diff) else CLEAN
