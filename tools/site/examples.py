"""An extension of Sphinx: every `net` example of a page has a link into the playground, and its figure."""

from __future__ import annotations

import re
from hashlib import sha256
from html import escape
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util.typing import ExtensionMetadata

import netc
from netc.figures.styles import FigureError
from tools.playground import link
from tools.site.gallery import THEMES

FRAGMENT = "input 32x32x16\n"  # what stands above an example that begins without an input (docs/language.md)
DRAWN_ABOVE = "drawn-above"  # the class of an example whose figure the page has
_INPUT = re.compile(r"^(?:\w+: )?input ", re.MULTILINE)
_OF_FILES = re.compile(r'^use "', re.MULTILINE)


class Examples(SphinxPostTransform):
    """Puts what belongs to an example below it."""

    default_priority = 400
    formats = ("html",)

    def run(self, **kwargs: Any) -> None:
        to_root = "../" * self.env.docname.count("/")
        for block in list(self.document.findall(nodes.literal_block)):
            if block.get("language") == "net":
                text = whole(block.astext() + "\n")
                drawn = DRAWN_ABOVE not in block["classes"] and self._drawn(text)
                block.parent.insert(block.parent.index(block) + 1, _raw(_below(text, to_root, drawn or "")))

    def _drawn(self, text: str) -> str:
        """The name of an example's figure, which is written where the pages go; none where it makes no network."""
        try:
            network = netc.loads(text)
        except netc.SpecError:
            return ""
        name = sha256(text.encode()).hexdigest()[:16]
        folder = Path(self.app.outdir) / "examples"
        folder.mkdir(exist_ok=True)
        try:
            for theme in THEMES:
                network.draw(folder / f"{name}-{theme}.svg", theme=theme)
        except FigureError:
            return ""
        return name


def whole(text: str) -> str:
    """An example as a text that can stand alone."""
    definitions = text.lstrip().startswith(("def ", "shared def ")) and _makes_none(text)
    return text if _INPUT.search(text) or _OF_FILES.search(text) or definitions else FRAGMENT + text


def _makes_none(text: str) -> bool:
    """Whether a text holds definitions alone."""
    try:
        netc.loads(text)
    except netc.SpecError as error:
        return {found.code for found in error.diagnostics} == {"NET125"}
    return False


def _below(text: str, to_root: str, figure: str) -> str:
    address = f"{to_root}playground/#{link(text)}"
    opened = f'<a class="try" href="{escape(address)}">Open in the playground</a>'
    if not figure:
        return f'<div class="example">{opened}</div>'
    images = "".join(
        f'<img class="only-{theme}" src="{to_root}examples/{figure}-{theme}.svg" alt="" loading="lazy">'
        for theme in THEMES
    )
    return f'<div class="example">{opened}<details><summary>Figure</summary>{images}</details></div>'


def _raw(html: str) -> nodes.raw:
    return nodes.raw("", html, format="html")


def setup(app: Sphinx) -> ExtensionMetadata:
    """Sphinx calls this."""
    app.add_post_transform(Examples)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
