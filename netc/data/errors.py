"""What is wrong with data, as diagnostics with a place in the spec."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from netc.diagnostics.escape import harmless
from netc.diagnostics.model import Diagnostic, Label
from netc.syntax.source import Span

if TYPE_CHECKING:
    from netc.program import Program

MISSING, BROKEN = "NET410", "NET411"
CLASSES, SHAPE = "NET405", "NET406"
SHOWN = 20  # findings of one kind that are told one by one
_MARKED = re.compile(r"netc-data\((NET4\d\d)\): (.*?) \(end of netc-data\)", re.DOTALL)


class DataError(ValueError):
    """Data cannot be used. The text is the one of the command line, and `diagnostics` holds all findings as data."""

    def __init__(self, diagnostics: Iterable[Diagnostic]) -> None:
        self.diagnostics = tuple(diagnostics)
        super().__init__(self.diagnostics)

    def __str__(self) -> str:
        from netc.diagnostics.render_text import render  # noqa: PLC0415 - right data need none

        return render(self.diagnostics).rstrip()


class ShareError(ValueError):
    """Batches that cannot be shared out to that many workers."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Something wrong with data. `about` is the line of `data` that it speaks of, by name; the source without it."""

    code: str
    message: str
    help: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    about: str = ""
    output: str = ""  # the layer that it contradicts


class Unfit(Exception):
    """Raised where the data are read, which knows no spec; whoever does adds the place. Unlike `Refused`, it may be
    several findings, and speaks of lines of `data` and outputs instead of a parameter."""

    def __init__(self, *findings: Finding) -> None:
        super().__init__(findings[0].message)
        self.findings = findings

    def marked(self) -> str:
        """The first finding as a text that survives TensorFlow."""
        found = self.findings[0]
        return f"netc-data({found.code}): {found.message} (end of netc-data)"


def unfit(code: str, message: str, *help: str, notes: Iterable[str] = (), about: str = "", output: str = "") -> Unfit:
    """One finding, to be raised."""
    return Unfit(Finding(code, message, help, tuple(notes), about, output))


def bounded(findings: list[Finding], of: int) -> Unfit:
    """Findings about files, the first ones one by one."""
    more = len(findings) - SHOWN
    if more > 0:
        rest = f"{more:,} more cannot be used either: {len(findings):,} of {of:,} files in all"
        findings = [*findings[:SHOWN], Finding(findings[0].code, rest)]
    return Unfit(*findings)


def shown(path: str | os.PathLike[str]) -> str:
    """A path as messages show it; bytes that are no text, and whatever could steer a terminal, as escapes."""
    text = os.fsencode(path).decode("utf-8", "backslashreplace")
    return f"`{harmless(text)}`"


def located(problem: Unfit, program: Program, *, of_data: bool = True) -> DataError:
    """The findings with their places, added to the report of the program.

    What is not `of_data`, images to predict, has none in the spec but for the lines and layers that it contradicts.
    """
    data = program.sections.data
    made = []
    for found in problem.findings:
        span: Span | None = None
        if data is not None:
            lines = (line for line in data.lines if line.value.name == found.about)
            span = next((line.span for line in lines), data.source_span if of_data else None)
        secondary: list[Label] = []
        if found.output in program.net:
            origin = program.net.node(found.output).origin
            span, secondary = (origin.span, []) if span is None else (span, [Label(origin.span, "this layer")])
        made.append(
            program.report.add(found.code, found.message, span, secondary=secondary, help=found.help, notes=found.notes)
        )
    return DataError(made)


def from_tensorflow(error: BaseException, program: Program) -> DataError | None:
    """See `netc.data.as_data_error`."""
    match = _MARKED.search(str(error))
    return located(unfit(match[1], match[2]), program) if match else None
