"""One finding a line: `resnet.net:9:1: error[NET204] message`. Columns count code points from 1."""

from __future__ import annotations

from collections.abc import Iterable

from netc.diagnostics.escape import harmless
from netc.diagnostics.model import Diagnostic, capped
from netc.diagnostics.render_text import place


def render(findings: Iterable[Diagnostic]) -> str:
    """All findings; one without a position stands under the name `netc`, as does how many warnings there are more."""
    findings = list(findings)
    chosen = capped(findings)
    more = len(findings) - len(chosen)
    lines = [
        f"{place(found.span) if found.span else 'netc'}: {found.severity.value}[{found.code}] "
        f"{harmless(found.message)}\n"
        for found in chosen
    ]
    return "".join(lines) + (f"netc: {more:,} more warnings\n" if more else "")
