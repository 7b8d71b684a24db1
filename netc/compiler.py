"""Text to checked program: the one way through the stages."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from netc.checks import CHECKS
from netc.diagnostics.codes import Severity
from netc.diagnostics.levels import USELESS, Levels, apply
from netc.diagnostics.model import Diagnostic, Diagnostics
from netc.limits import Limits
from netc.lower import Texts, lower
from netc.program import Program
from netc.rewrites import REWRITES
from netc.syntax.parser import parse
from netc.syntax.source import Source
from netc.values import Value

if TYPE_CHECKING:
    from netc.sections.override import Change

Pass = Callable[[Program], None]
PASSES: tuple[Pass, ...] = (*CHECKS, *REWRITES)  # checks see what was written


def compile_source(
    source: Source,
    overrides: Mapping[str, Value] | None = None,
    limits: Limits | None = None,
    *,
    speculate: bool = False,
    changes: Sequence[Change] = (),
    texts: Texts | None = None,
    proven: bool = True,
) -> Program:
    """Parse, lower and check a text. Never raises on a bad one: `Program.report` holds what is wrong.

    `speculate` also expands what does not run, which emitted source shows. `changes` are other values for lines of
    the sections; one that fits no line raises `ValueError`. `texts` are those of an editor.
    Fixes are tried before they are called safe, but not those of a text with changes, which is about to run and not to
    be mended, and none unless `proven`, for who calls `prove_fixes` when they are asked for.
    """
    program = _compiled(source, overrides or {}, limits or Limits(), speculate, changes, texts)
    if proven and not changes:
        prove_fixes(program, overrides, limits, texts)
    return program


def prove_fixes(
    program: Program,
    overrides: Mapping[str, Value] | None = None,
    limits: Limits | None = None,
    texts: Texts | None = None,
) -> None:
    """Leave only those fixes of a program safe that are seen to mend, which compiles its text again."""
    if not any(found.fix is not None for found in program.report):
        return
    from netc.diagnostics.fixes import prove  # noqa: PLC0415 - only for a mistake

    def check(text: Source) -> Diagnostics:
        return _compiled(text, overrides or {}, limits or Limits(), speculate=False, texts=texts).report

    prove(program.file.source, program.report, check)


def _compiled(
    source: Source,
    overrides: Mapping[str, Value],
    limits: Limits,
    speculate: bool,
    changes: Sequence[Change] = (),
    texts: Texts | None = None,
) -> Program:
    report = Diagnostics()
    with _collector_paused():
        file = parse(source, limits, report)
        if changes:
            from netc.sections.override import apply_changes  # noqa: PLC0415 - all the settings of training

            file = apply_changes(file, changes)
        program = lower(file, overrides, limits, report, speculate=speculate, texts=texts)
        run(program)
        if report.failed:
            from netc.habits import recognise  # noqa: PLC0415 - only for a mistake

            recognise(report)
    return program


def need_network(program: Program) -> bool:
    """Report a right program that makes no network, for those who want one; whether there was something to report.

    A file of definitions alone is right, for `check` and for `use`.
    """
    lacking = not program.net.outputs and not program.report.failed
    if lacking:
        program.report.add("NET125", f"{program.file.source.name} makes no network: it holds definitions only")
    return lacking


def judge(program: Program, levels: Levels | None = None) -> list[Diagnostic]:
    """What to say about a compiled spec, with the comments of the file and of those it uses."""
    main = program.file.source
    used = {found.span.source for found in program.report if found.span and found.severity is Severity.WARNING}
    files = [parse(source, Limits(), Diagnostics()) for source in used - {main}]
    shown = apply(program.report, levels or Levels(), [program.file, *files])
    judged = main if program.net.outputs else None  # definitions alone give no lints that a comment could accept
    return [found for found in shown if found.code != USELESS or (found.span and found.span.source is judged)]


def run(program: Program, hook: Callable[[Pass, Program], None] | None = None) -> None:
    """Check and rewrite a program; `hook` is called after each pass, to print or time what it did."""
    for step in PASSES:
        step(program)
        if hook is not None:
            hook(step, program)


@contextmanager
def _collector_paused() -> Iterator[None]:
    """Nearly everything made here stays, so that each round of the garbage collector would walk it all in vain."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()
