"""The explanation pages, one a code.

A page is Markdown: the code's title, an explanation, a failing example in a ```net block, whose check gives exactly
that code, and corrected ones in further ```net blocks, which are clean. A line `options: --limit layers=3` before a
block gives the options it is checked with; `example: none` and a reason stand where no text can show the code.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from importlib.resources import files

from netc.diagnostics.codes import CODES, Code

PAGES = files("netc.diagnostics.pages")
_BLOCK = re.compile(r"(?:^options: *(?P<options>[^\n]*)\n+)?^```net\n(?P<text>.*?)^```", re.MULTILINE | re.DOTALL)
_NO_EXAMPLE = re.compile(r"^example: none", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Example:
    """A spec of a page, with the command-line options it is checked with."""

    text: str
    options: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Page:
    """The explanation of a code."""

    code: Code
    title: str
    body: str

    @property
    def text(self) -> str:
        """The whole page, as Markdown."""
        code = self.code
        return f"# {code.code}: {self.title}\n\n`{code.name}` ({code.severity.value})\n\n{self.body}"

    @property
    def examples(self) -> tuple[Example, ...]:
        """The failing example, then the corrected ones."""
        blocks = _BLOCK.finditer(self.body)
        return tuple(Example(block["text"], tuple((block["options"] or "").split())) for block in blocks)

    @property
    def without_example(self) -> bool:
        """Whether the page says that no text can show the code."""
        return _NO_EXAMPLE.search(self.body) is not None


def page(code: str) -> Page:
    """The page of a code, which must be one of `CODES`."""
    title, _, body = (PAGES / f"{code}.md").read_text(encoding="utf-8").partition("\n")
    return Page(CODES[code], title.removeprefix("# "), body.strip() + "\n")


def index() -> str:
    """All codes, a line each."""
    return "".join(f"{code.code}  {code.severity.value:7}  {code.name:26}  {code.title}\n" for code in CODES.values())
