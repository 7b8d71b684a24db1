"""An extension of Sphinx: every `net` example of a page has a link into the playground, and its figure."""

from __future__ import annotations

import re
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from functools import partial
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
from tools.site.gallery import THEMES, pictures, save

FRAGMENT = "input 32x32x16\n"  # what stands above an example that begins without an input (docs/language.md)
DRAWN_ABOVE = "drawn-above"  # the class of an example whose figure the page has
EXAMPLES = "examples"  # the folder of their figures, in that of the sources and in the site
_FENCE = re.compile(r"^```net[^\n]*\n(.*?)^```", re.MULTILINE | re.DOTALL)
_INPUT = re.compile(r"^(?:\w+: )?input ", re.MULTILINE)
_OF_FILES = re.compile(r'^use "', re.MULTILINE)


def draw(sources: Path) -> None:
    """Write the figures of the examples of all pages, in as many processes as there are processors."""
    folder = sources / EXAMPLES
    folder.mkdir()
    texts = {found[1] for path in sources.rglob("*.md") for found in _FENCE.finditer(path.read_text(encoding="utf-8"))}
    with ProcessPoolExecutor() as pool:
        list(pool.map(partial(_draw, folder), sorted(texts), chunksize=8))


def _draw(folder: Path, text: str) -> None:
    """Write the figure of an example, where it makes a network that one can draw."""
    with suppress(netc.SpecError, FigureError):
        save(netc.loads(whole(text)), folder / _name(text))


def _name(text: str) -> str:
    return sha256(text.encode()).hexdigest()[:16]


class Examples(SphinxPostTransform):
    """Puts what belongs to an example below it."""

    default_priority = 400
    formats = ("html",)

    def run(self, **kwargs: Any) -> None:
        to_root = "../" * self.env.docname.count("/")
        for block in list(self.document.findall(nodes.literal_block)):
            if block.get("language") == "net":
                text = block.astext().rstrip("\n") + "\n"
                shown = self._figure(text, to_root) if DRAWN_ABOVE not in block["classes"] else ""
                block.parent.insert(block.parent.index(block) + 1, _raw(_below(whole(text), to_root, shown)))

    def _figure(self, text: str, to_root: str) -> str:
        """The pictures of an example's figure, if it has one."""
        name = _name(text)
        drawn = (Path(self.env.srcdir) / EXAMPLES / f"{name}-{THEMES[0]}.svg").is_file()
        return pictures(f"{to_root}{EXAMPLES}/{name}") if drawn else ""


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
    opened = f'<a class="try" href="{escape(f"{to_root}playground/#{link(text)}")}">Open in the playground</a>'
    folded = f"<details><summary>Figure</summary>{figure}</details>" if figure else ""
    return f'<div class="example">{opened}{folded}</div>'


def _raw(html: str) -> nodes.raw:
    return nodes.raw("", html, format="html")


def setup(app: Sphinx) -> ExtensionMetadata:
    """Sphinx calls this."""
    app.add_post_transform(Examples)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
