"""What is wrong with a text, and how it is mended."""

from __future__ import annotations

from dataclasses import dataclass

from netc.compiler import judge
from netc.diagnostics.codes import CODES, Severity
from netc.diagnostics.fixes import fix
from netc.diagnostics.levels import ACCEPTS, PREFIX, USELESS
from netc.diagnostics.model import Diagnostic, Edit, Fix
from netc.server.document import Document, Snapshot
from netc.syntax.source import Source, Span


def findings(document: Document) -> list[Diagnostic]:
    """All that `netc check` says of the text, with fixes, of which those are `safe` that were seen to mend."""
    return document.now.proven


def place(now: Snapshot, found: Diagnostic) -> Span:
    """Where a finding is shown in the text itself: its own place, or the call that led to it, or the `use` of the file
    that it is in; else the beginning."""
    spans = [found.span, *(frame.span for frame in (found.frame.chain() if found.frame else ()))]
    here = next((span for span in spans if span is not None and span.source is now.source), None)
    return here or Span(now.source, 0, 0)


@dataclass(frozen=True, slots=True)
class Action:
    """A fix with the finding that it mends."""

    found: Diagnostic
    fix: Fix


def actions(document: Document, start: int, end: int) -> list[Action]:
    """What can be done about findings that touch a range of the text, by edits of this text alone: their fixes, and
    below these a comment that accepts a lint."""
    now = document.now
    touched = [(one, place(now, one)) for one in now.proven]
    touched = [(one, where) for one, where in touched if where.start <= end and start <= where.end]
    fixes = [(one, one.fix) for one, _ in touched if one.fix is not None]
    found = [Action(one, fix) for one, fix in fixes if all(edit.span.source is now.source for edit in fix.edits)]
    told = set[tuple[str, int]]()
    for one, where in touched:
        known = one.code, where.line
        if CODES[one.code].severity is Severity.WARNING and one.code != USELESS and where.text and known not in told:
            told.add(known)
            found.append(
                Action(one, Fix(f"accept {one.code} here: `# {PREFIX} allow {one.code}`", (_accept(now, *known),)))
            )
    return found


def _accept(now: Snapshot, code: str, line: int) -> Edit:
    """What to write on a line so that a lint of it is accepted: a comment, or a word of the one that is there."""
    comment = next((one for one in now.file.comments if one.span.line == line), None)
    if comment is None:
        start = now.source.start(line)
        end = start + len(now.source.line(line).rstrip())
        return Edit(Span(now.source, end, end), f"  # {PREFIX} allow {code}")
    accepts = ACCEPTS.match(comment.span.text)
    if accepts is not None:
        at = comment.span.start + len(accepts[0].rstrip())
        return Edit(Span(now.source, at, at), f"{',' * bool(accepts['codes'].strip())} {code}")
    at = comment.span.start
    return Edit(Span(now.source, at, at), f"# {PREFIX} allow {code} ")


def mended(document: Document, *, unsafe: bool = False) -> str:
    """The text after all its safe fixes, as `netc check --fix` leaves it; with `unsafe`, after the others too."""
    now = document.now
    if not any(found.fix for found in now.findings):
        return now.source.text

    def check(text: Source) -> list[Diagnostic]:
        return judge(now.compile(text), now.settings.levels)

    return fix(now.source, check, unsafe=unsafe).source.text
