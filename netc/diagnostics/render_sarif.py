"""Findings as SARIF 2.1.0 (OASIS, Static Analysis Results Interchange Format), as code scanning reads it.

Rules carry the explanation pages. A fingerprint is made of the code, the file and the text of the line, so that it
stays when other lines change. Columns count from 1 in code points.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterable
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import quote

from netc import __version__
from netc.diagnostics.codes import CODES
from netc.diagnostics.explain import page
from netc.diagnostics.model import Diagnostic, Fix, capped, clipped
from netc.syntax.source import Span

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"


def render(findings: Iterable[Diagnostic]) -> str:
    """A log with one run."""
    findings = capped(findings)
    rules = sorted({found.code for found in findings})
    seen: Counter[str] = Counter()
    run = {
        "tool": {"driver": {"name": "netc", "semanticVersion": __version__, "rules": [_rule(code) for code in rules]}},
        "columnKind": "unicodeCodePoints",
        "results": [_result(found, rules.index(found.code), seen) for found in findings],
    }
    return json.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2) + "\n"


def _rule(code: str) -> dict[str, Any]:
    explained = page(code)
    return {
        "id": code,
        "name": CODES[code].name,
        "shortDescription": {"text": CODES[code].title},
        "help": {"text": explained.text, "markdown": explained.text},
        "defaultConfiguration": {"level": CODES[code].severity.value},
    }


def _result(found: Diagnostic, rule: int, seen: Counter[str]) -> dict[str, Any]:
    remarks = [*(f"note: {note}" for note in found.notes), *(f"help: {text}" for text in found.help)]
    related = [(label.span, label.text) for label in found.secondary]
    related += [(frame.span, f"in {frame.title}") for frame in (found.frame.chain() if found.frame else ())]
    result: dict[str, Any] = {
        "ruleId": found.code,
        "ruleIndex": rule,
        "level": found.severity.value,
        "message": {"text": "\n".join([found.message, *remarks])},
        "partialFingerprints": {"netcFinding/v1": _fingerprint(found, seen)},
    }
    if found.span is not None:
        result["locations"] = [_location(found.span)]
    if related:
        result["relatedLocations"] = [{**_location(span), "message": {"text": text}} for span, text in related]
    if found.fix is not None:
        result["fixes"] = [_fix(found.fix)]
    return result


def _fingerprint(found: Diagnostic, seen: Counter[str]) -> str:
    """Equal findings on equal lines of a file are told apart by their count."""
    where = f"{_uri(found.span)}\n{clipped(found.span.source.line(found.span.line).strip())}" if found.span else ""
    digest = sha256(f"{found.code}\n{where}".encode("utf-8", "surrogatepass")).hexdigest()[:16]
    seen[digest] += 1
    return f"{digest}:{seen[digest]}"


def _location(span: Span) -> dict[str, Any]:
    return {"physicalLocation": {"artifactLocation": {"uri": _uri(span)}, "region": _region(span)}}


def _region(span: Span) -> dict[str, int]:
    line, column = span.source.position(span.start)
    end_line, end_column = span.source.position(span.end)
    return {"startLine": line, "startColumn": column, "endLine": end_line, "endColumn": end_column}


def _uri(span: Span) -> str:
    """The file relative to the current directory where it is below it."""
    path = Path(span.source.name)
    if path.is_absolute() and path.is_relative_to(Path.cwd()):
        path = path.relative_to(Path.cwd())
    return path.as_uri() if path.is_absolute() else quote(os.fsencode(path.as_posix()))


def _fix(fix: Fix) -> dict[str, Any]:
    changes: dict[str, list[dict[str, Any]]] = {}
    for edit in fix.edits:
        replacement = {"deletedRegion": _region(edit.span), "insertedContent": {"text": edit.replacement}}
        changes.setdefault(_uri(edit.span), []).append(replacement)
    listed = [{"artifactLocation": {"uri": uri}, "replacements": made} for uri, made in changes.items()]
    return {"description": {"text": fix.title}, "artifactChanges": listed}
