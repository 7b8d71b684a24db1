"""What is raised where findings cannot be returned."""

from __future__ import annotations

from netc.diagnostics.codes import Severity
from netc.diagnostics.model import Diagnostic


class SpecError(ValueError):
    """A spec has errors. The text is the one of the command line, and `diagnostics` holds all findings as data."""

    def __init__(self, diagnostics: tuple[Diagnostic, ...]) -> None:
        self.diagnostics = diagnostics
        super().__init__(diagnostics)

    def __str__(self) -> str:
        from netc.diagnostics.render_text import render  # noqa: PLC0415 - a right spec needs none

        return render(found for found in self.diagnostics if found.severity is Severity.ERROR).rstrip()
