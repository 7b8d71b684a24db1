"""Tables as text: aligned columns, CSV, Markdown."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

from netc.diagnostics.escape import harmless

Cells = Sequence[Sequence[str]]


def plain(header: Sequence[str], rows: Cells, right: Sequence[bool]) -> str:
    """Aligned columns under a ruled header; `right` says which are aligned to the right."""
    rows = [[harmless(cell) for cell in cells] for cells in rows]
    lines = [header, *rows]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]

    def line(cells: Sequence[str]) -> str:
        pads = (cell.rjust(w) if r else cell.ljust(w) for cell, w, r in zip(cells, widths, right, strict=True))
        return "  ".join(pads).rstrip()

    return "\n".join([line(header), "  ".join("-" * width for width in widths), *map(line, rows)]) + "\n"


def markdown(header: Sequence[str], rows: Cells, right: Sequence[bool]) -> str:
    """A table of GitHub's Markdown; nothing in a cell is read as markup."""
    rule = ["---:" if r else "---" for r in right]
    body = [[inert(cell) for cell in cells] for cells in rows]
    return "".join("| " + " | ".join(cells) + " |\n" for cells in (header, rule, *body))


def inert(cell: str) -> str:
    """A text as Markdown that is read as itself."""
    text = harmless(cell).replace("&", "&amp;").replace("<", "&lt;")
    indent = len(text) - len(text.lstrip(" "))
    return "&nbsp;" * indent + "".join("\\" + c if c in "\\`*_[]|~" else c for c in text.lstrip(" "))


def comma_separated(header: Sequence[str], rows: Sequence[Sequence[str | int | None]]) -> str:
    """CSV (RFC 4180 with plain newlines), unknown as an empty cell; no text can be a spreadsheet's formula."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(header)
    writer.writerows([_not_a_formula(cell) for cell in cells] for cells in rows)
    return out.getvalue()


def _not_a_formula(cell: str | int | None) -> str | int | None:
    return "'" + cell if isinstance(cell, str) and cell.startswith(("=", "+", "-", "@", "\t", "\r")) else cell
