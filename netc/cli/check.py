"""`netc check`: everything that is wrong with some specs, in one run."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from netc.cli import ERRORS
from netc.cli.options import Settings, add_colour, add_compiling, add_stdin_name, check_stdin, coloured, settings
from netc.cli.output import STDIO, difference, emit, say, write
from netc.cli.running import STDIN, compile_text, exit_code, read, specs
from netc.diagnostics.model import Diagnostic

_EXAMPLES = """\
examples:
  netc check resnet.net
  netc check specs                            all .net files below a folder
  netc check specs/*.net --deny warnings      lints fail the run too
  netc check resnet.net -D n=9 --allow NET503
  netc check resnet.net --fix                 apply the safe fixes (--diff only shows them)
  netc check --format sarif *.net > netc.sarif

Columns count from 1 in code points.

exit codes: 0 no error in any file, 1 errors (with --diff also something to change), 2 wrong use, or a file that
cannot be read: the others are checked all the same"""


def configure(command: argparse.ArgumentParser) -> None:
    """Declare the options."""
    command.description = "Report everything that is wrong with a spec, without TensorFlow."
    command.epilog = _EXAMPLES
    command.add_argument("files", nargs="+", metavar="FILE", help="specs, or folders of them; `-` reads standard input")
    command.add_argument("--format", choices=("text", "concise", "json", "sarif"), default="text")
    mending = command.add_mutually_exclusive_group()
    mending.add_argument("--fix", action="store_true", help="apply the safe fixes to the files")
    mending.add_argument("--diff", action="store_true", help="show what --fix would change, and change nothing")
    add_stdin_name(command)
    add_colour(command)
    add_compiling(command)


def run(options: argparse.Namespace) -> int:
    """Check the files; 1 if any has an error, 2 if any cannot be read."""
    chosen = settings(options)
    options.files = list(dict.fromkeys(specs(options.files)))
    check_stdin(options, options.files)
    findings: list[Diagnostic] = []
    changed = False
    for path in options.files:
        found, changes = _check(path, chosen, options)
        findings += found
        changed |= changes
    if options.diff or (options.fix and STDIO in options.files):  # standard output holds the diff or the text
        say(_render(findings, options, coloured(options.color, sys.stderr)).rstrip("\n"), rendered=True)
    else:
        emit(_render(findings, options, coloured(options.color, sys.stdout)), rendered=True)
    return exit_code(findings) or (ERRORS if options.diff and changed else 0)


def _check(path: str, chosen: Settings, options: argparse.Namespace) -> tuple[Sequence[Diagnostic], bool]:
    """What is to be said about a file, after mending where that is asked for, and whether that changes it."""
    source, findings = read(path, chosen.limits, options.stdin_filename)
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
        say(f"fixed {path}")
    return left, changed


def _render(findings: Sequence[Diagnostic], options: argparse.Namespace, colour: bool) -> str:
    if options.format == "text":
        from netc.diagnostics import render_text  # noqa: PLC0415 - each format is imported when it is wanted

        listed = render_text.render(findings, colour=colour)
        names = [options.stdin_filename or STDIN if path == STDIO else path for path in options.files]
        return listed + "\n" * bool(listed) + render_text.summary(findings, names) + "\n"
    if options.format == "concise":
        from netc.diagnostics import render_concise  # noqa: PLC0415

        return render_concise.render(findings)
    if options.format == "json":
        from netc.diagnostics import render_json  # noqa: PLC0415

        return render_json.render(findings)
    from netc.diagnostics import render_sarif  # noqa: PLC0415

    return render_sarif.render(findings)
