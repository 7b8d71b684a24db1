"""A figure in a page of its own: the specs at the left, the figure at the right; pan, zoom, search, folding, selection.

The page is one file without anything from the network. Nothing of a spec reaches it but as escaped text.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from importlib.resources import files
from typing import TYPE_CHECKING

from netc.figures.scene import Group
from netc.figures.svg import escape
from netc.figures.theme import colour
from netc.values import show

if TYPE_CHECKING:
    from netc.figures.drawing import Drawing
    from netc.program import Program

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
<section id="specs" aria-label="spec">
{specs}
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
<output id="about" hidden></output>
</main>
<script>
{script}</script>
</body>
</html>
"""
_FOLD = '<button id="fold" title="show equal blocks once, or each (f)">unfold</button>\n'


def write(drawing: Drawing) -> str:
    """The page of a drawing. A graph with equal blocks comes folded and unfolded, to switch between."""
    folded = _figure(drawing, "folded", drawing.options.collapse)
    folds = any(isinstance(item, Group) and item.role == "frame" for item in drawing.scene.walk())
    unfolded = _figure(drawing, "unfolded", "none") if folds else ""
    return _PAGE.format(
        title=escape(drawing.scene.title),
        colours=_colours(drawing.options.theme),
        style=_asset("page.css"),
        specs="\n".join(map(_spec, drawing.programs)),
        fold=_FOLD if unfolded else "",
        figures=folded + unfolded,
        script=_asset("page.js"),
    )


def _spec(program: Program) -> str:
    """The text of a program, with the values of its parameters in this figure."""
    values = ", ".join(f"{name}={show(value)}" for name, value in program.parameters.items())
    lines = "\n".join(f"<li><code>{line}</code></li>" for line in _lines(program))
    heading = f"<h1>{escape(program.file.source.name)} <small>{escape(values)}</small></h1>"
    return f"<article>\n{heading}\n<ol>\n{lines}\n</ol>\n</article>"


def _lines(program: Program) -> Iterator[str]:
    """The lines of a spec as HTML, comments as such."""
    source = program.file.source
    places = (source.position(comment.span.start) for comment in program.file.comments)
    comments = {line: column - 1 for line, column in places}
    for number in range(1, source.lines + 1):
        line = source.line(number)
        start = comments.get(number, len(line))
        comment = f"<i>{_text(line[start:])}</i>" if line[start:] else ""
        if line or number < source.lines:  # after the last line break there is none
            yield _text(line[:start]) + comment


def _text(text: str) -> str:
    return "\t".join(map(escape, text.split("\t")))


def _figure(drawing: Drawing, name: str, collapse: str) -> str:
    prefix = f"{drawing.options.id_prefix}{name}-"
    options = replace(drawing.options, collapse=collapse, id_prefix=prefix)
    hidden = " hidden" if name == "unfolded" else ""
    svg = replace(drawing, options=options).svg
    return f'<div id="{name}" data-prefix="{escape(prefix)}"{hidden}>\n{svg}</div>\n'


def _colours(theme: str) -> str:
    """The page's colours as variables, in the figure's theme; and the browser's own controls in it."""
    if theme != "auto":
        return f":root{{{_variables(theme)}}}"
    return f":root{{{_variables('light')}}}\n@media(prefers-color-scheme:dark){{:root{{{_variables('dark')}}}}}"


def _variables(theme: str) -> str:
    scheme = "dark" if theme == "dark" else "light"
    colours = {**{name: colour(name, theme) for name in _COLOURS}, "words": colour("activation", theme)}
    return ";".join([f"color-scheme:{scheme}", *(f"--page-{name}:{value}" for name, value in colours.items())])


def _asset(name: str) -> str:
    return (files("netc.figures.html") / name).read_text("utf-8")
