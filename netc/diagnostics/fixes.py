"""Applying the fixes that diagnostics carry."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Callable, Iterable, Sequence

from netc.diagnostics.codes import Severity
from netc.diagnostics.model import Diagnostic, Edit
from netc.syntax.source import Source

ROUNDS = 4  # one fix may make room for another


def apply_fixes(source: Source, findings: Iterable[Diagnostic]) -> str:
    """The text with every safe fix applied that lies in this source and touches no earlier one."""
    taken: list[tuple[int, int, str]] = []  # sorted and disjoint
    for found in findings:
        if found.fix is None or not found.fix.safe or any(edit.span.source is not source for edit in found.fix.edits):
            continue
        if any(_touches(edit, taken) for edit in found.fix.edits):
            continue
        for edit in found.fix.edits:
            insort(taken, (edit.span.start, edit.span.end, edit.replacement))
    pieces, at = [], 0
    for start, end, replacement in taken:
        pieces += [source.text[at:start], replacement]
        at = end
    return "".join(pieces) + source.text[at:]


def fix(source: Source, check: Callable[[Source], Sequence[Diagnostic]]) -> tuple[Source, Sequence[Diagnostic]]:
    """Fix, check again, and go on while it gets better: the last text that did, and what is left to say about it."""
    findings = check(source)
    for _ in range(ROUNDS):
        text = apply_fixes(source, findings)
        if text == source.text:
            break
        fixed = Source(source.name, text)
        left = check(fixed)
        if weight(left) >= weight(findings):
            break
        source, findings = fixed, left
    return source, findings


def _touches(edit: Edit, taken: Sequence[tuple[int, int, str]]) -> bool:
    index = bisect_left(taken, (edit.span.start, edit.span.end, ""))
    touches_before = index > 0 and taken[index - 1][1] >= edit.span.start
    return touches_before or (index < len(taken) and taken[index][0] <= edit.span.end)


def weight(findings: Sequence[Diagnostic]) -> tuple[int, ...]:
    """Errors by family, then everything: a syntax error mended may well uncover errors of later stages."""
    errors = [found.code[3] for found in findings if found.severity is Severity.ERROR]
    return (*(errors.count(family) for family in "0123456789"), len(findings))
