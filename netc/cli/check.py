"""`netc check`: everything that is wrong with some specs, in one run."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from importlib import import_module

from netc.cli.endings import CLEAN, ERRORS, UsageError
from netc.cli.options import Settings, add, add_compiling, coloured, settings
from netc.cli.output import STDIO, difference, emit, say, write
from netc.cli.running import compile_text, exit_code, is_model, names, of_model, read, specs
from netc.diagnostics.model import Diagnostic

DESCRIPTION = "Report everything that is wrong with a spec, without TensorFlow."
EXAMPLES = """\
examples:
  netc check resnet.net
  netc check specs                            all .net files below a folder
  netc check specs/*.net --deny warnings      lints fail the run too
  netc check resnet.net -D n=9 --allow NET503
  netc check resnet.net --fix                 apply the safe fixes (--diff only shows them)
  netc check resnet.net --fix --unsafe-fixes  the others too, which may not be what was meant
  netc check specs --watch                    again after each change
  netc check --format sarif *.net > netc.sarif
  netc check --format github specs            annotations in GitHub Actions (docs/ci.md)

Columns count from 1 in code points.

exit codes: 0 no error in any file, 1 errors (with --diff also something to change), 2 wrong use, or a file that
cannot be read: the others are checked all the same"""


def configure(command: argparse.ArgumentParser) -> None:
    """Declare the options."""
    add(command, "files")
    command.add_argument("--format", choices=("text", "concise", "json", "sarif", "github"), default="text")
    mending = command.add_mutually_exclusive_group()
    mending.add_argument("--fix", action="store_true", help="apply the safe fixes to the files")
    mending.add_argument("--diff", action="store_true", help="show what --fix would change, and change nothing")
    command.add_argument(
        "--unsafe-fixes", action="store_true", help="with --fix or --diff: the fixes too that may mean something else"
    )
    add(command, "--stdin-filename", "--watch")
    add_compiling(command)


def run(options: argparse.Namespace) -> int:
    """Check the files; 1 if any has an error, 2 if any cannot be read."""
    if options.unsafe_fixes and not (options.fix or options.diff):
        raise UsageError("--unsafe-fixes goes with --fix or --diff")
    if options.watch and options.fix:
        raise UsageError("--watch does not go with --fix, which would write the files that you are writing")
    paths = list(dict.fromkeys(specs(options.files)))
    called = names(options, paths)
    findings: list[Diagnostic] = []
    changed = False
    for path, name in zip(paths, called, strict=True):
        found, changes = _check(path, name, settings(options, path), options)
        findings += found
        changed |= changes
    aside = options.diff or (options.fix and STDIO in paths)  # standard output holds the diff or the text
    colour = coloured(options.color, sys.stderr if aside else sys.stdout)
    render = import_module(f"netc.diagnostics.render_{options.format}")
    said: str = render.render(findings, colour=colour) if options.format == "text" else render.render(findings)
    if options.format == "text":
        said += "\n" * bool(said) + render.summary(findings, called) + "\n"
    if aside:
        say(said.rstrip("\n"), rendered=True)
    else:
        emit(said, rendered=True)
    return exit_code(findings) or (ERRORS if options.diff and changed else CLEAN)


def _check(path: str, name: str, chosen: Settings, options: argparse.Namespace) -> tuple[Sequence[Diagnostic], bool]:
    """What is to be said about a file, after mending where that is asked for, and whether that changes it."""
    if is_model(path):
        if options.fix or options.diff:
            raise UsageError(f"`{path}` is a model, and --fix mends specs: `netc import` makes one of it")
        return compile_text(of_model(path), chosen)[1], False
    source, findings = read(path, chosen.limits, name)
    if source is None:
        return findings, False
    if not (options.fix or options.diff):
        return compile_text(source, chosen)[1], False
    from netc.diagnostics.fixes import fix  # noqa: PLC0415

    fixed, left, count = fix(source, lambda text: compile_text(text, chosen)[1], unsafe=options.unsafe_fixes)
    changed = fixed.text != source.text
    if options.diff:
        emit(difference(source.name, source.text, fixed.text))
    elif changed or path == STDIO:
        write(path, fixed.text)
    if changed or any(found.fix for found in left):
        counted = _counted(count, left, unsafe=options.unsafe_fixes)
        say(f"{'fixed' if options.fix else 'would fix'} {counted} in {source.name}")
    return left, changed


def _counted(count: int, left: Sequence[Diagnostic], *, unsafe: bool) -> str:
    """`3 findings, 2 remain`, and how many of these have an unsafe fix that was not tried."""
    more = 0 if unsafe else sum(found.fix is not None for found in left)
    hint = f" ({more} with a fix that --unsafe-fixes applies)" if more else ""
    return f"{count} finding{'s' * (count != 1)}, {len(left) or 'none'} remain{'s' * (len(left) == 1)}{hint}"
