"""`netc check`: everything that is wrong with some specs, in one run."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from netc.cli import CLEAN, ERRORS
from netc.cli.options import Settings, add_colour, add_compiling, coloured, settings
from netc.cli.output import STDIO, difference, emit, say, write
from netc.cli.running import compile_text, failed, read
from netc.diagnostics.escape import harmless
from netc.diagnostics.model import Diagnostic

_EXAMPLES = """\
examples:
  netc check resnet.net
  netc check specs/*.net --deny warnings      lints fail the run too
  netc check resnet.net -D n=9 --allow NET503
  netc check resnet.net --fix                 apply the safe fixes (--diff only shows them)
  netc check --format sarif *.net > netc.sarif

Columns count from 1 in code points. With --diff the exit code is 1 too where something is to be changed."""


def configure(command: argparse.ArgumentParser) -> None:
    """Declare the options."""
    command.description = "Report everything that is wrong with a spec, without TensorFlow."
    command.epilog = _EXAMPLES
    command.add_argument("files", nargs="+", metavar="FILE", help="a spec; `-` reads standard input")
    command.add_argument("--format", choices=("text", "concise", "json", "sarif"), default="text")
    mending = command.add_mutually_exclusive_group()
    mending.add_argument("--fix", action="store_true", help="apply the safe fixes to the files")
    mending.add_argument("--diff", action="store_true", help="show what --fix would change, and change nothing")
    add_colour(command)
    add_compiling(command)


def run(options: argparse.Namespace) -> int:
    """Check the files; 1 if any has an error."""
    chosen = settings(options)
    options.files = list(dict.fromkeys(options.files))
    findings: list[Diagnostic] = []
    changed = False
    for path in options.files:
        found, changes = _check(path, chosen, options)
        findings += found
        changed |= changes
    if options.diff or (options.fix and STDIO in options.files):  # standard output holds the diff or the text
        say(_render(findings, options, coloured(options.color, sys.stderr)).rstrip("\n"))
    else:
        sys.stdout.write(_render(findings, options, coloured(options.color, sys.stdout)))
    return ERRORS if failed(findings) or (options.diff and changed) else CLEAN


def _check(path: str, chosen: Settings, options: argparse.Namespace) -> tuple[Sequence[Diagnostic], bool]:
    """What is to be said about a file, after mending where that is asked for, and whether that changes it."""
    source, findings = read(path, chosen.limits)
    if source is None:
        return findings, False
    if not (options.fix or options.diff):
        return compile_text(source, chosen)[1], False
    from netc.diagnostics.fixes import fix  # noqa: PLC0415

    fixed, left = fix(source, lambda text: compile_text(text, chosen)[1])
    changed = fixed.text != source.text
    if options.diff:
        emit(difference(source.name, source.text, fixed.text))
    elif changed or path == STDIO:
        write(path, fixed.text)
    if changed and options.fix and path != STDIO:
        say(f"fixed {harmless(path)}")
    return left, changed


def _render(findings: Sequence[Diagnostic], options: argparse.Namespace, colour: bool) -> str:
    if options.format == "text":
        from netc.diagnostics import render_text  # noqa: PLC0415 - each format is imported when it is wanted

        listed = render_text.render(findings, colour=colour)
        names = ["<stdin>" if path == STDIO else path for path in options.files]
        return listed + "\n" * bool(listed) + render_text.summary(findings, names) + "\n"
    if options.format == "concise":
        from netc.diagnostics import render_concise  # noqa: PLC0415

        return render_concise.render(findings)
    if options.format == "json":
        from netc.diagnostics import render_json  # noqa: PLC0415

        return render_json.render(findings)
    from netc.diagnostics import render_sarif  # noqa: PLC0415

    return render_sarif.render(findings)
