"""Which findings count, and how much: `--deny`, `--allow` and `--warn`, and `# netc: allow NET501` in a spec.

Only lints (codes whose own severity is a warning) have a level; an error stays one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from enum import Enum

from netc.diagnostics.codes import CODES, Severity
from netc.diagnostics.model import Diagnostic, Diagnostics
from netc.syntax.source import Span
from netc.syntax.tree import Comment, File

PREFIX = "netc:"
USELESS = "NET516"
ACCEPTS = re.compile(rf"#\s*{PREFIX}\s*allow\b(?P<codes>[^#]*)")
_PART = re.compile(r"[^\s,]+(?:\s+[^\s,]+)*")
GROUPS = ("all", "warnings")


class Level(Enum):
    """What becomes of a lint."""

    ALLOW = "allow"
    WARN = "warn"
    DENY = "deny"


class LevelError(ValueError):
    """A code or name that does not exist, or that has no level."""


@dataclass(frozen=True, slots=True)
class Levels:
    """The levels of lints that differ from a warning, by code."""

    changed: dict[str, Level] = field(default_factory=dict)

    @classmethod
    def of(cls, choices: Iterable[tuple[Level, str]]) -> Levels:
        """From choices such as `(Level.DENY, "NET301")`, a later one over an earlier; raises `LevelError`."""
        return cls({code: level for level, text in choices for code in lints(text)})

    def severity(self, found: Diagnostic) -> Severity | None:
        """The severity a finding has in the end; None drops it."""
        level = self.changed.get(found.code)
        if level is None or found.severity is Severity.ERROR:
            return found.severity
        return {Level.ALLOW: None, Level.WARN: Severity.WARNING, Level.DENY: Severity.ERROR}[level]


def find_code(text: str) -> str:
    """The code meant by `NET301`, `net301`, `301` or `window-under-stride`; raises `LevelError`."""
    known = {code.code.lower(): code.code for code in CODES.values()} | {
        code.name: code.code for code in CODES.values()
    }
    wanted = text.strip().lower()
    wanted = f"net{wanted}" if wanted.isdigit() else wanted
    if wanted in known:
        return known[wanted]
    from netc.suggest import nearest  # noqa: PLC0415 - only for a mistake

    close = nearest(wanted, known)
    shown = close.upper() if close and close.upper() in CODES else close
    raise LevelError(f"there is no code `{text.strip()}`" + (f"; did you mean `{shown}`?" if shown else ""))


def lints(text: str) -> list[str]:
    """The lints meant by a code, a name, `warnings` or `all`; raises `LevelError`."""
    if text in GROUPS:
        return [code.code for code in CODES.values() if code.severity is Severity.WARNING]
    return [lint(text)]


def lint(text: str) -> str:
    """The one lint meant by a code or a name; raises `LevelError`."""
    code = find_code(text)
    if CODES[code].severity is Severity.ERROR:
        raise LevelError(f"{code} ({CODES[code].name}) is an error, and only lints have a level")
    return code


def apply(report: Diagnostics, levels: Levels, files: Iterable[File]) -> list[Diagnostic]:
    """Findings after comments and levels, sorted by file and position.

    A comment accepts lints of its line (of the next line when it stands alone), and those of copies that this line
    expands to. One that accepts nothing is a lint itself, unless errors kept the lints from being looked for.
    """
    allows = [allow for file in files for allow in _allows(file, report)]
    by_place: dict[tuple[str, int], dict[str, _Allow]] = {}
    for allow in allows:
        by_place.setdefault(allow.place, {})[allow.code] = allow
    kept = [found for found in report if not (by_place and _accepted(found, by_place))]
    if not report.failed:
        useless = Diagnostics()
        for allow in allows:
            if not allow.used:
                message = f"{allow.code} ({CODES[allow.code].name}) is allowed here, but nothing here gives it"
                useless.add(USELESS, message, allow.span, help=["remove it from the comment"])
        kept.extend(useless)
    judged = [(levels.severity(found), found) for found in kept]
    shown = [replace(found, severity=severity) for severity, found in judged if severity is not None]
    return sorted(shown, key=_position)


def _position(found: Diagnostic) -> tuple[str, int, int, str]:
    span = found.span
    return (span.source.name, span.start, span.end, found.code) if span else ("", -1, -1, found.code)


# -- comments ------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Allow:
    """One code of one comment, and the line it counts for."""

    code: str
    span: Span
    place: tuple[str, int]
    used: bool = False


def _allows(file: File, report: Diagnostics) -> Iterator[_Allow]:
    lines_below: dict[int, int] = {}  # line of a comment standing alone -> the line it counts for
    for comment in reversed(file.comments):
        if not comment.own_line and not comment.text.lstrip().startswith(PREFIX):
            continue
        line = comment.span.line
        if comment.own_line:
            lines_below[line] = lines_below.get(line + 1, line + 1)
        if comment.text.lstrip().startswith(PREFIX):
            yield from _read(comment, (file.source.name, lines_below.get(line, line)), report)


def _read(comment: Comment, place: tuple[str, int], report: Diagnostics) -> Iterator[_Allow]:
    """The codes of `netc: allow NET501, NET502 # why`."""
    source, start, _ = comment.span
    order = ACCEPTS.match(comment.span.text)
    if order is None or not order["codes"].strip():
        report.add("NET009", f"got `{comment.span.text}`, expected `# {PREFIX} allow NET501`", comment.span)
        return
    for part in _PART.finditer(comment.span.text, *order.span("codes")):
        span = Span(source, start + part.start(), start + part.end())
        try:
            yield _Allow(lint(part[0]), span, place)
        except LevelError as error:
            report.add("NET009", str(error), span)


def _accepted(found: Diagnostic, by_place: dict[tuple[str, int], dict[str, _Allow]]) -> bool:
    if found.severity is Severity.ERROR or found.span is None:
        return False
    frames = found.frame.chain() if found.frame else ()
    for span in (found.span, *(frame.span for frame in frames)):
        allow = by_place.get((span.source.name, span.line), {}).get(found.code)
        if allow is not None:
            allow.used = True
            return True
    return False
