"""Findings as workflow commands of GitHub Actions, which shows them on the lines of a pull request.

A command is a line `::error file=...,line=...::message`. Percent signs and ends of lines in it are escaped, colons and
commas in its properties too, as the toolkit of Actions does (`packages/core/src/command.ts`); whatever else does not
print is an escape, as everywhere. Whatever a text holds, a finding is therefore one line and one command.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from netc.diagnostics.escape import harmless
from netc.diagnostics.model import Diagnostic, capped
from netc.syntax.source import Span


def render(findings: Iterable[Diagnostic]) -> str:
    """One command a line; notes and help are further lines of its message."""
    return "".join(f"{_command(found)}\n" for found in capped(findings))


def _command(found: Diagnostic) -> str:
    properties = {**(_place(found.span) if found.span else {}), "title": found.code}
    said = ",".join(f"{name}={_property(str(value))}" for name, value in properties.items())
    lines = [found.message, *(f"note: {note}" for note in found.notes), *(f"help: {text}" for text in found.help)]
    return f"::{found.severity.value} {said}::{'%0A'.join(map(_data, lines))}"


def _place(span: Span) -> dict[str, object]:
    """Where a finding is. Columns are those of the first and the last character: GitHub takes them of one line."""
    line, column = span.source.position(span.start)
    end_line, end_column = span.source.position(max(span.start, span.end - 1))
    place: dict[str, object] = {"file": _file(span.source.name), "line": line}
    if line == end_line:
        place["col"] = column
    place["endLine"] = end_line
    if line == end_line:
        place["endColumn"] = end_column
    return place


def _file(name: str) -> str:
    """The file as the repository has it, wherever in it the command runs."""
    root, path = os.environ.get("GITHUB_WORKSPACE") or os.getcwd(), Path(os.path.abspath(name))
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else name


def _data(text: str) -> str:
    return harmless(text).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
