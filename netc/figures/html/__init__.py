"""A figure in a page of its own: the spec at the left, the figure at the right; pan, zoom, search, folding, selection.

The page is one file without anything from the network. Nothing of the spec reaches it but as escaped text.
"""

from __future__ import annotations

from dataclasses import replace
from importlib.resources import files
from typing import TYPE_CHECKING

from netc.figures.scene import Group
from netc.figures.svg import escape
from netc.figures.theme import colour

if TYPE_CHECKING:
    from netc.figures.drawing import Drawing

_COLOURS = ("paper", "ink", "muted", "panel", "frame", "skip")
_PAGE = """\
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" \
content="default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
{colours}
{style}</style>
</head>
<body>
<main>
<section id="spec" aria-label="spec">
<h1>{file}</h1>
<ol>
{lines}
</ol>
</section>
<section id="figure" aria-label="figure">
<nav>
<input id="search" type="search" placeholder="search layers (/)" aria-label="search layers" autocomplete="off">
<output id="found"></output>
{fold}<button id="out" title="zoom out (-)">-</button>
<button id="in" title="zoom in (+)">+</button>
<button id="fit" title="fit the whole figure (0)">fit</button>
</nav>
<div id="view">
{figures}</div>
</section>
</main>
<script>
{script}</script>
</body>
</html>
"""


def write(drawing: Drawing) -> str:
    """The page of a drawing. A graph with equal blocks comes folded and unfolded, to switch between."""
    source = drawing.programs[-1].file.source
    lines = [escape(source.line(number)) for number in range(1, source.lines + 1)]
    folded = _figure(drawing, "folded", drawing.options.collapse)
    unfolded = _figure(drawing, "unfolded", "none") if _folds(drawing) else ""
    return _PAGE.format(
        title=escape(drawing.scene.title),
        file=escape(source.name),
        colours=_colours(drawing.options.theme),
        style=_asset("page.css"),
        lines="\n".join(f'<li data-line="{number}"><code>{line}</code></li>' for number, line in enumerate(lines, 1)),
        fold='<button id="fold" title="show equal blocks once, or each (f)">unfold</button>\n' if unfolded else "",
        figures=folded + unfolded,
        script=_asset("page.js"),
    )


def _figure(drawing: Drawing, name: str, collapse: str) -> str:
    options = replace(drawing.options, collapse=collapse, id_prefix=f"{drawing.options.id_prefix}{name}-")
    hidden = " hidden" if name == "unfolded" else ""
    return f'<div id="{name}"{hidden}>\n{replace(drawing, options=options).svg}</div>\n'


def _folds(drawing: Drawing) -> bool:
    """Whether equal blocks are shown as one."""
    return any(isinstance(item, Group) and item.role == "frame" for item in drawing.scene.walk())


def _colours(theme: str) -> str:
    """The page's colours as variables, in the figure's theme."""
    if theme != "auto":
        return f":root{{{_variables(theme)}}}"
    return f":root{{{_variables('light')}}}\n@media(prefers-color-scheme:dark){{:root{{{_variables('dark')}}}}}"


def _variables(theme: str) -> str:
    return ";".join(f"--page-{name}:{colour(name, theme)}" for name in _COLOURS)


def _asset(name: str) -> str:
    return (files("netc.figures.html") / name).read_text("utf-8")
