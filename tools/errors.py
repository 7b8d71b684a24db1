"""The explanation pages as one document: `python -m tools.errors > docs/errors.md`."""

from __future__ import annotations

from netc.diagnostics.codes import CODES
from netc.diagnostics.explain import page

FAMILIES = {
    "0": "Reading and syntax",
    "1": "Names, arguments and definitions",
    "2": "Shapes",
    "3": "Legal, but not what a target or an eye expects",
    "4": "The `data` and `train` sections",
    "5": "Lints",
    "6": "Bounds",
    "9": "netc itself",
}


def document() -> str:
    """All pages as one Markdown document."""
    parts = ["# Errors and lints", "", "Made from the pages that `netc explain CODE` shows.", ""]
    family = ""
    for code in CODES.values():
        if code.code[3] != family:
            family = code.code[3]
            parts += [f"## {FAMILIES[family]}", ""]
        parts += ["##" + page(code.code).text]
    return "\n".join(parts)


if __name__ == "__main__":
    print(document(), end="")
