"""Findings as a JSON array, with everything that is known of each.

Lines and columns count from 1, columns in code points; `end` is the place after the last character.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from netc.diagnostics.codes import CODES
from netc.diagnostics.model import Diagnostic, Fix, capped
from netc.syntax.source import Span


def render(findings: Iterable[Diagnostic]) -> str:
    """The array as text, ASCII only."""
    return json.dumps([finding(found) for found in capped(findings)], indent=2) + "\n"


def finding(found: Diagnostic) -> dict[str, Any]:
    """One finding as plain data."""
    return {
        "code": found.code,
        "name": CODES[found.code].name,
        "severity": found.severity.value,
        "message": found.message,
        **_place(found.span),
        "label": found.label,
        "labels": [{**_place(label.span), "text": label.text} for label in found.secondary],
        "notes": list(found.notes),
        "help": list(found.help),
        "fix": _fix(found.fix) if found.fix else None,
        "chain": [{"title": frame.title, **_place(frame.span)} for frame in found.frame.chain()] if found.frame else [],
    }


def _fix(fix: Fix) -> dict[str, Any]:
    edits = [{**_place(edit.span), "replacement": edit.replacement} for edit in fix.edits]
    return {"title": fix.title, "safe": fix.safe, "edits": edits}


def _place(span: Span | None) -> dict[str, Any]:
    if span is None:
        return {"file": None, "start": None, "end": None}
    return {"file": span.source.name, "start": _position(span, span.start), "end": _position(span, span.end)}


def _position(span: Span, offset: int) -> dict[str, int]:
    line, column = span.source.position(offset)
    return {"line": line, "column": column}
