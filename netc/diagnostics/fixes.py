"""The fixes that diagnostics carry: which of them are safe, and how they are applied."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import NamedTuple

from netc.diagnostics.codes import Severity
from netc.diagnostics.model import Diagnostic, Edit
from netc.syntax.source import Source

CHECKED = 40_000  # characters that are checked again to find out which fixes are safe; any text is checked once


def prove(source: Source, findings: Iterable[Diagnostic], check: Callable[[Source], Iterable[Diagnostic]]) -> None:
    """Leave only those fixes safe that were seen to mend: what they are for is gone, and nothing new is found.

    Where a fix is made, only the text around it is known: that of a syntax error cannot know what its names mean. Fixes
    are tried together, and in halves where that fails; those of errors first, where lints do not count, which may have
    been hidden by the errors.
    """
    findings = list(findings)
    tries = max(1, CHECKED // (len(source.text) + 1))
    for severity in Severity:
        safe = [found for found in findings if found.severity is severity and _is_safe(found, source)]
        groups, proven = [safe] if safe else [], list[Diagnostic]()
        while groups and tries:
            tries -= 1
            group = groups.pop()
            text, applied = _applied(source, [*proven, *group])
            if len(applied) > len(proven) and _better(findings, applied, check(Source(source.name, text))):
                proven = applied
            elif len(group) > 1:
                groups += [group[len(group) // 2 :], group[: len(group) // 2]]
        kept = set(map(id, proven))
        for found in safe:
            if id(found) not in kept:
                assert found.fix is not None
                found.fix = replace(found.fix, safe=False)


def _better(before: Sequence[Diagnostic], mended: Sequence[Diagnostic], after: Iterable[Diagnostic]) -> bool:
    """Whether of each code there are as many fewer findings as were mended, at least."""
    counted = {Severity.ERROR, mended[0].severity}
    old, gone, new = (
        Counter(found.code for found in findings if found.severity in counted) for findings in (before, mended, after)
    )
    return all(new[code] <= old[code] - gone[code] for code in old | new)


def _is_safe(found: Diagnostic, source: Source) -> bool:
    return found.fix is not None and found.fix.safe and _is_here(found, source)


def _is_here(found: Diagnostic, source: Source) -> bool:
    return found.fix is not None and all(edit.span.source is source for edit in found.fix.edits)


def apply_fixes(source: Source, findings: Iterable[Diagnostic]) -> str:
    """The text with every safe fix applied that lies in this source and touches no earlier one."""
    return _applied(source, findings)[0]


def _applied(source: Source, findings: Iterable[Diagnostic], *, unsafe: bool = False) -> tuple[str, list[Diagnostic]]:
    """The same, unsafe ones too where that is asked for, and the findings whose fixes were applied."""
    taken: list[tuple[int, int, str]] = []  # sorted and disjoint
    applied = []
    for found in findings:
        if found.fix is None or not (_is_safe(found, source) or (unsafe and _is_here(found, source))):
            continue
        if any(_touches(edit, taken) for edit in found.fix.edits):
            continue
        applied.append(found)
        for edit in found.fix.edits:
            insort(taken, (edit.span.start, edit.span.end, edit.replacement))
    pieces, at = [], 0
    for start, end, replacement in taken:
        pieces += [source.text[at:start], replacement]
        at = end
    return "".join(pieces) + source.text[at:], applied


class Mended(NamedTuple):
    """A text after its fixes, what is left to say about it, and how many findings fixes have mended."""

    source: Source
    findings: Sequence[Diagnostic]
    mended: int


Check = Callable[[Source], Sequence[Diagnostic]]


def fix(source: Source, check: Check, *, unsafe: bool = False) -> Mended:
    """Fix, check again, and go on while it gets better; `unsafe` applies, after the safe ones, the others as well."""
    mended = Mended(source, check(source), 0)
    while better := _fixed(mended, check, unsafe=False) or (_fixed(mended, check, unsafe=True) if unsafe else None):
        mended = better
    return mended


def _fixed(before: Mended, check: Check, *, unsafe: bool) -> Mended | None:
    """A text with more fixes applied that is better, or None: all at once, and unsafe ones in halves where all fail."""
    source, findings, so_far = before
    tries = max(10, CHECKED // (len(source.text) + 1)) if unsafe else 1
    groups = [list(findings)]
    while groups and tries:
        group = groups.pop()
        text, applied = _applied(source, group, unsafe=unsafe)
        if not applied:
            continue
        tries -= 1
        fixed = Source(source.name, text)
        left = check(fixed)
        if weight(left) < weight(findings):
            return Mended(fixed, left, so_far + len(applied))
        if unsafe and len(applied) > 1:
            groups += [applied[len(applied) // 2 :], applied[: len(applied) // 2]]
    return None


def _touches(edit: Edit, taken: Sequence[tuple[int, int, str]]) -> bool:
    index = bisect_left(taken, (edit.span.start, edit.span.end, ""))
    touches_before = index > 0 and taken[index - 1][1] >= edit.span.start
    return touches_before or (index < len(taken) and taken[index][0] <= edit.span.end)


def weight(findings: Sequence[Diagnostic]) -> tuple[int, ...]:
    """Errors by family, then everything: a syntax error mended may well uncover errors of later stages."""
    errors = [found.code[3] for found in findings if found.severity is Severity.ERROR]
    return (*(errors.count(family) for family in "0123456789"), len(findings))
