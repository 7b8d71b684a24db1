"""A figure in a page of its own: the specs at the left, the figure at the right; pan, zoom, search, folding, selection.

The page is one file without anything from the network. Nothing of a spec reaches it but as escaped text.
"""

from __future__ import annotations

from dataclasses import replace
from importlib.resources import files
from typing import TYPE_CHECKING

from netc.figures import svg
from netc.figures.html.network import network
from netc.figures.html.texts import Texts
from netc.figures.scene import Group, Scene
from netc.figures.styles import draw
from netc.figures.svg import escape
from netc.figures.theme import colour

if TYPE_CHECKING:
    from netc.figures.drawing import Drawing
    from netc.figures.options import Options

_COLOURS = ("paper", "ink", "muted", "panel", "frame", "skip", "second")
_SCRIPTS = ("network", "themes", "view", "map", "selection", "card", "search", "save", "keys")  # in this order
_FOLD = '<button id="fold" title="show equal blocks once, or each (f)">unfold</button>\n'


def write(drawing: Drawing) -> str:
    """The page of a drawing. A graph with equal blocks comes folded and unfolded, to switch between."""
    scenes = {"folded": drawing.scene}
    if any(isinstance(item, Group) and item.role in ("frame", "repeat") for item in drawing.scene.walk()):
        whole = replace(drawing.options, collapse="none", width=None, height=None)  # of any length: a page scrolls
        scenes["unfolded"] = draw(drawing.shown, drawing.style, whole)
    shown = list(scenes.values())
    theme, texts = drawing.options.theme, Texts.of(drawing.shown)
    return _asset("page.html").format(
        title=escape(drawing.scene.title),
        theme=theme,
        style=_asset("page.css"),
        themes="\n".join(_sheet(shown, each, _holds(each, theme)) for each in ("light", "dark", "print")),
        texts=texts.html(),
        fold=_FOLD if len(scenes) > 1 else "",
        figures="".join(_figure(name, scene, drawing.options) for name, scene in scenes.items()),
        textures="\n".join(dict.fromkeys(pattern for scene in shown for pattern in svg.textures(scene))),
        network=network(drawing.shown, shown, texts),
        script="\n".join(_asset(f"{name}.js") for name in _SCRIPTS),
    )


def _figure(name: str, scene: Scene, options: Options) -> str:
    """A figure whose theme the page decides, with ids of its own."""
    prefix = f"{options.id_prefix}{name}-"
    hidden = " hidden" if name == "unfolded" else ""
    figure = svg.write(scene, replace(options, theme="auto", id_prefix=prefix), styled=False)
    return f'<div id="{name}" data-prefix="{escape(prefix)}"{hidden}>\n{figure}</div>\n'


def _holds(sheet: str, theme: str) -> str:
    """The media in which the style sheet of a theme holds, in a page of a theme. themes.js says the same."""
    media = {"light": "all", "dark": "(prefers-color-scheme:dark)"} if theme == "auto" else {theme: "all"}
    return media.get(sheet, "not all")


def _sheet(scenes: list[Scene], theme: str, media: str) -> str:
    """The style sheet of a theme: the page's colours as variables, the browser's own controls, the figures' looks."""
    scheme = "dark" if theme == "dark" else "light"
    colours = {**{name: colour(name, theme) for name in _COLOURS}, "words": colour("conv", theme)}
    own = [f"color-scheme:{scheme}", *(f"--page-{name}:{value}" for name, value in colours.items())]
    rules = dict.fromkeys(rule for scene in scenes for rule in svg.rules(scene, theme))
    return f'<style data-theme="{theme}" media="{media}">\n:root{{{";".join(own)}}}\n' + "\n".join(rules) + "\n</style>"


def _asset(name: str) -> str:
    return (files("netc.figures.html") / name).read_text("utf-8")
