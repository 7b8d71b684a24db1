"""Lines of Python by package: `python -m tools.lines`. All lines count, comments and empty ones too."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from netc.report.table import plain

ROOT = Path(__file__).parent.parent


def counted() -> list[tuple[str, int, int]]:
    """Packages directly inside netc with all that is in them, netc's own modules, tools, and the sum: name, files,
    lines."""
    files: Counter[str] = Counter()
    lines: Counter[str] = Counter()
    for folder in ("netc", "tools"):
        for path in (ROOT / folder).rglob("*.py"):
            package = "/".join(path.relative_to(ROOT).parts[:-1][:2])
            for name in (package, "total"):
                files[name] += 1
                lines[name] += len(path.read_text(encoding="utf-8").splitlines())
    return [(name, files[name], lines[name]) for name in [*sorted(files.keys() - {"total"}), "total"]]


if __name__ == "__main__":
    rows = [(name, f"{files:,}", f"{lines:,}") for name, files, lines in counted()]
    print(plain(("package", "files", "lines"), rows, (False, True, True)), end="")
