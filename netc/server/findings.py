"""What is wrong with a text, and how it is mended."""

from __future__ import annotations

from dataclasses import dataclass

from netc.compiler import judge
from netc.diagnostics.fixes import fix
from netc.diagnostics.model import Diagnostic, Fix
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
    """The fixes of findings that touch a range of the text; of edits in this text alone."""
    now = document.now
    found = []
    for one in now.proven:
        if one.fix is None or any(edit.span.source is not now.source for edit in one.fix.edits):
            continue
        where = place(now, one)
        if where.start <= end and start <= where.end:
            found.append(Action(one, one.fix))
    return found


def mended(document: Document, *, unsafe: bool = False) -> str:
    """The text after all its safe fixes, as `netc check --fix` leaves it; with `unsafe`, after the others too."""
    now = document.now
    if not any(found.fix for found in now.findings):
        return now.source.text

    def check(text: Source) -> list[Diagnostic]:
        return judge(now.compile(text), now.settings.levels)

    return fix(now.source, check, unsafe=unsafe).source.text
