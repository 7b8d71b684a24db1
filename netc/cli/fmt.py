"""`netc fmt`: the canonical style."""

from __future__ import annotations

import argparse

from netc.cli.endings import CLEAN, ERRORS
from netc.cli.options import add, add_bounds, limits
from netc.cli.output import STDIO, difference, emit, say, write
from netc.cli.running import exit_code, failed, names, read, show, specs
from netc.diagnostics.model import Diagnostics
from netc.limits import Limits

DESCRIPTION = "Write specs in the canonical style."
EXAMPLES = """\
examples:
  netc fmt resnet.net
  netc fmt --check specs          names the files below a folder that would change
  netc fmt --diff resnet.net      shows what would change
  netc fmt - < a.net > b.net

Comments are kept, and the text is written only after reading it again gave the same network.

exit codes: 0 all right, 1 a file with errors (with --check and --diff also one that would change), 2 wrong use, or a
file that cannot be read or written"""


def configure(command: argparse.ArgumentParser) -> None:
    """Declare the options."""
    add(command, "files")
    modes = command.add_mutually_exclusive_group()
    modes.add_argument("--check", action="store_true", help="change nothing, name the files that would change")
    modes.add_argument("--diff", action="store_true", help="change nothing, show what would change")
    add(command, "--stdin-filename", "--color")
    add_bounds(command)


def run(options: argparse.Namespace) -> int:
    """Format the files; 1 where one cannot be read or, with --check and --diff, would change."""
    paths = list(dict.fromkeys(specs(options.files)))
    called = names(options, paths)
    return max([_format(path, name, limits(options, path), options) for path, name in zip(paths, called, strict=True)])


def _format(path: str, name: str, limits: Limits, options: argparse.Namespace) -> int:
    from netc.syntax.format import format_file  # noqa: PLC0415
    from netc.syntax.parser import parse  # noqa: PLC0415

    source, findings = read(path, limits, name)
    if source is not None:
        report = Diagnostics()
        file = parse(source, limits, report)
        if report.failed:
            from netc.habits import recognise  # noqa: PLC0415 - only for a mistake

            recognise(report)
        findings = list(report)
    if source is None or failed(findings):
        show(findings, options.color)
        return exit_code(findings)
    text = format_file(file, limits)
    changed = text != source.text
    if options.diff:
        emit(difference(source.name, source.text, text))
    elif options.check and changed:
        say(f"would change {source.name}")
    elif not options.check and (changed or path == STDIO):
        write(path, text)
    return ERRORS if changed and (options.check or options.diff) else CLEAN
