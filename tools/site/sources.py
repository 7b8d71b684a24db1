"""The pages that Sphinx reads: those of `docs/`, and what is made of netc itself."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from netc.cli import parser
from netc.cli.options import settings
from netc.cli.running import compile_text
from netc.diagnostics.codes import CODES
from netc.diagnostics.explain import Page, page
from netc.diagnostics.render_text import render
from netc.lower.definitions import shipped_names
from netc.report.reference import block_page, families, gist, operation_page
from netc.syntax.source import Source
from tools.errors import FAMILIES

ROOT = Path(__file__).parent.parent.parent
PAGES = Path(__file__).parent / "pages"

# One long document each in the repository, a folder of pages here: where their parts are found.
PARTED = {"operations": "operations", "errors": "codes"}
_PARTED = re.compile(rf"\]\((?:docs/)?({'|'.join(PARTED)})\.md(?:#([\w-]+))?\)")


def sources(folder: Path) -> None:
    """Write all pages but the gallery."""
    for path in PAGES.iterdir():
        shutil.copy(path, folder)
    for path in sorted((ROOT / "docs").glob("*.md")):
        if path.stem not in PARTED:
            (folder / path.name).write_text(relinked(path.read_text(encoding="utf-8")), encoding="utf-8")
    shutil.copytree(ROOT / "docs" / "figures", folder / "figures")
    shutil.copy(ROOT / "docs" / "tour.ipynb", folder)
    changes = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    (folder / "changelog.md").write_text(relinked(changes).replace("](docs/", "]("), encoding="utf-8")
    _operations(folder / "operations")
    _codes(folder / "codes")


def relinked(text: str, to_root: str = "") -> str:
    """A page whose links into parted documents lead to their parts."""

    def link(match: re.Match[str]) -> str:
        into = PARTED[match[1]]
        name = match[2] or "index"
        return f"]({to_root}{into}/{name.upper() if into == 'codes' and match[2] else name}.md)"

    return _PARTED.sub(link, text)


def listed(names: list[str], caption: str = "") -> str:
    """A table of contents that only the margin shows."""
    said = f":caption: {caption}\n" if caption else ""
    return "```{toctree}\n:hidden:\n" + said + "\n" + "\n".join(names) + "\n```\n"


def _operations(folder: Path) -> None:
    folder.mkdir()
    parts, pages = ["# Operations\n\nWhat `netc ops` says of each, from the classes that implement them.\n"], []
    for title, classes in families():
        parts.append(f"## {title}\n\n" + "".join(f"- [`{cls.op}`]({cls.op}.md): {gist(cls)}\n" for cls in classes))
        for cls in classes:
            (folder / f"{cls.op}.md").write_text(operation_page(cls), encoding="utf-8")
        pages.append(listed([cls.op for cls in classes], title))
    blocks = list(shipped_names())
    parts.append("## Standard blocks\n\n" + "".join(f"- [`{name}`]({name}.md)\n" for name in blocks))
    for name in blocks:
        (folder / f"{name}.md").write_text(block_page(name), encoding="utf-8")
    pages.append(listed(blocks, "Standard blocks"))
    (folder / "index.md").write_text("\n".join(parts + pages), encoding="utf-8")


def _codes(folder: Path) -> None:
    folder.mkdir()
    parts = ["# Errors and lints\n\nWhat `netc explain` says of each code.\n"]
    for number, title in FAMILIES.items():
        codes = [code for code in CODES.values() if code.code[3] == number]
        rows = "".join(f"- [{code.code}]({code.code}.md) `{code.name}`: {page(code.code).title}\n" for code in codes)
        parts.append(f"## {title}\n\n{rows}\n" + listed([f"{code.code} {code.name} <{code.code}>" for code in codes]))
        for code in codes:
            (folder / f"{code.code}.md").write_text(_answered(page(code.code)), encoding="utf-8")
    (folder / "index.md").write_text("\n".join(parts), encoding="utf-8")


def _answered(explained: Page) -> str:
    """The page of a code, with what `netc check` says of its failing example."""
    if explained.without_example:
        return explained.text
    example = explained.examples[0]
    options = parser(["check"]).parse_args(["check", "--isolated", *example.options, "example.net"])
    _, findings = compile_text(Source("example.net", example.text), settings(options, "example.net"))
    said = render(findings).rstrip()
    fence = f"```net\n{example.text}```\n"
    return explained.text.replace(fence, f"{fence}\n`netc check` says:\n\n```\n{said}\n```\n", 1)
