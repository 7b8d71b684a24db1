"""From a path on the command line to a checked program and what there is to say about it."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from netc import needs
from netc.cli import UsageError
from netc.cli.options import Settings, coloured
from netc.cli.output import say
from netc.diagnostics.codes import Severity
from netc.diagnostics.levels import judge
from netc.diagnostics.model import Diagnostic, Diagnostics
from netc.limits import Limits
from netc.syntax.source import Source

if TYPE_CHECKING:
    from netc.program import Program
    from netc.sections.override import Override


def need_tensorflow(what: str) -> None:
    """End with a usage error where TensorFlow, which a command or an option needs, is not installed."""
    try:
        needs.tensorflow(f"`{what}`")
    except ModuleNotFoundError as error:
        raise UsageError(str(error)) from None


def read(path: str, limits: Limits) -> tuple[Source | None, list[Diagnostic]]:
    """The text of a file (or of standard input for `-`), or why there is none."""
    from netc.syntax import reading  # noqa: PLC0415 - not every command reads specs

    report = Diagnostics()
    return reading.read(path, limits, report), list(report)


def compile_text(
    source: Source, settings: Settings, *, speculate: bool = False, changes: Sequence[Override] = ()
) -> tuple[Program, list[Diagnostic]]:
    """A text, compiled, with what there is to say about it after levels and comments."""
    from netc.compiler import compile_source  # noqa: PLC0415 - not every command compiles

    try:
        program = compile_source(source, settings.overrides, settings.limits, speculate=speculate, changes=changes)
    except ValueError as error:  # a change that fits no line
        raise UsageError(f"--set: {error}") from None
    return program, judge(program, settings.levels)


def load(
    options: argparse.Namespace,
    settings: Settings,
    *,
    speculate: bool = False,
    path: str | None = None,
    changes: Sequence[Override] = (),
) -> Program | None:
    """The program of a path (`options.file` unless given), for commands that need a right one; what is wrong goes to
    standard error."""
    source, findings = read(options.file if path is None else path, settings.limits)
    program = None
    if source is not None:
        program, findings = compile_text(source, settings, speculate=speculate, changes=changes)
    if program is not None and not program.net.outputs and not failed(findings):
        program.report.add("NET125", f"{program.file.source.name} makes no network: it holds definitions only")
        findings = judge(program, settings.levels)
    if findings:
        show(findings, options.color)
    return None if failed(findings) else program


def show(findings: Sequence[Diagnostic], colour: str) -> None:
    """Print findings on standard error."""
    from netc.diagnostics.render_text import render  # noqa: PLC0415 - a right spec needs none

    say(render(findings, colour=coloured(colour, sys.stderr)))


def failed(findings: Sequence[Diagnostic]) -> bool:
    """Whether any finding is an error."""
    return any(found.severity is Severity.ERROR for found in findings)
