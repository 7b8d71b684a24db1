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
OUTSIDE = {  # documents that do not stand in docs/, and their pages
    "CHANGELOG.md": "changelog.md",
    "CONTRIBUTING.md": "contributing.md",
    "editors/vscode/README.md": "vscode.md",
}
_PARTED = re.compile(rf"\]\((?:docs/)?({'|'.join(PARTED)})\.md(?:#([\w-]+))?\)")


def sources(folder: Path) -> None:
    """Write all pages but the gallery."""
    for path in PAGES.iterdir():
        shutil.copy(path, folder)
    for path in sorted((ROOT / "docs").glob("*.md")):
        if path.stem not in PARTED:
            (folder / path.name).write_text(relinked(path.read_text(encoding="utf-8")), encoding="utf-8")
    shutil.copytree(ROOT / "docs" / "figures", folder / "figures")
    shutil.copytree(ROOT / "editors" / "vscode" / "images", folder / "images")
    shutil.copy(ROOT / "docs" / "tour.ipynb", folder)
    for outside, name in OUTSIDE.items():
        text = (ROOT / outside).read_text(encoding="utf-8")
        (folder / name).write_text(relinked(text).replace("](docs/", "]("), encoding="utf-8")
    _operations(folder / "operations")
    _codes(folder / "codes")


def relinked(text: str) -> str:
    """A page whose links into parted documents lead to their parts, and those out of docs/ to their pages."""
    for outside, name in OUTSIDE.items():
        text = re.sub(rf"\]\((?:\.\./)?{re.escape(outside)}", f"]({name}", text)

    def link(match: re.Match[str]) -> str:
        into = PARTED[match[1]]
        name = match[2] or "index"
        return f"]({into}/{name.upper() if into == 'codes' and match[2] else name}.md)"

    return _PARTED.sub(link, text)


def write(path: Path, text: str) -> None:
    """Write a page that others list, and the margin of all pages does not: with hundreds in it each page would take a
    second to make."""
    path.write_text(f"---\norphan: true\n---\n\n{text}", encoding="utf-8")


def _operations(folder: Path) -> None:
    folder.mkdir()
    parts = ["# Operations\n\nWhat `netc ops` says of each, from the classes that implement them.\n"]
    for title, classes in families():
        parts.append(f"## {title}\n\n" + "".join(f"- [`{cls.op}`]({cls.op}.md): {gist(cls)}\n" for cls in classes))
        for cls in classes:
            write(folder / f"{cls.op}.md", operation_page(cls))
    blocks = list(shipped_names())
    parts.append("## Standard blocks\n\n" + "".join(f"- [`{name}`]({name}.md)\n" for name in blocks))
    for name in blocks:
        write(folder / f"{name}.md", block_page(name))
    (folder / "index.md").write_text("\n".join(parts), encoding="utf-8")


def _codes(folder: Path) -> None:
    folder.mkdir()
    parts = ["# Errors and lints\n\nWhat `netc explain` says of each code.\n"]
    for number, title in FAMILIES.items():
        codes = [code for code in CODES.values() if code.code[3] == number]
        rows = "".join(f"- [{code.code}]({code.code}.md) `{code.name}`: {page(code.code).title}\n" for code in codes)
        parts.append(f"## {title}\n\n{rows}")
        for code in codes:
            write(folder / f"{code.code}.md", _answered(page(code.code)))
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
