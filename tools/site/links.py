"""What the written pages lead to and load: Sphinx knows its own links, not those in HTML that it was given."""

from __future__ import annotations

from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

LOADS = ("script", "img", "link", "source", "iframe")  # what a page fetches by itself


class _Links(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, str]] = []  # the tag and the address

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [(tag, value) for name, value in attrs if name in ("href", "src") and value]


def wrong(folder: Path) -> Iterator[str]:
    """Links of the pages in a folder that lead nowhere, and what they would load from another host, in words."""
    for path in sorted(folder.rglob("*.html")):
        page = _Links()
        page.feed(path.read_text(encoding="utf-8"))
        for tag, address in page.found:
            parts = urlsplit(address)
            if parts.scheme in ("data", "mailto"):
                continue
            if parts.netloc:
                if tag in LOADS:
                    yield f"{path.relative_to(folder)} loads {address} from another host"
            elif parts.path and not (path.parent / unquote(parts.path)).exists():
                yield f"{path.relative_to(folder)} leads to {address}, which is not there"
