"""The caption of a figure, in LaTeX: what it shows, its numbers, and in words what its legend and its notes say, so
that a figure without them (`--bare`) loses nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from colorsys import rgb_to_hls
from textwrap import fill
from typing import TYPE_CHECKING

from netc.figures.latex import comment, escape
from netc.figures.scene import Scene
from netc.figures.theme import Look, colour

if TYPE_CHECKING:
    from netc.figures.options import Options

_COLUMNS = 110
# Hues up to so many degrees; red is on both sides of 0.
_HUES = (
    (15, "red"), (45, "orange"), (68, "yellow"), (165, "green"), (195, "teal"), (250, "blue"), (305, "purple"),
    (345, "pink"), (360, "red"),
)  # fmt: skip
_TEXTURES = {
    "hatch": "hatched",
    "back": "hatched backwards",
    "dots": "dotted",
    "level": "lined across",
    "upright": "lined upright",
}


def caption(scene: Scene, options: Options) -> str:
    """One paragraph, for `\\caption{\\protect\\input{...}}`."""
    said = [] if scene.title in scene.description else [scene.title]
    words = scene.description.split()
    numbers = [part for part in scene.facts.split(" · ") if part.split(" ")[0] not in words]  # not what is said already
    sentences = [*said, scene.description, ", ".join(numbers), "; ".join(_legend(scene, options.theme)), *scene.notes]
    text = " ".join(map(_sentence, filter(None, sentences)))
    body = fill(escape(text), _COLUMNS, break_long_words=False, break_on_hyphens=False)
    return f"% The caption of {comment(scene.title)}, by netc: \\caption{{\\protect\\input{{THIS FILE}}}}\n{body}%\n"


def _sentence(text: str) -> str:
    return text[0].upper() + text[1:] + ("" if text.endswith((".", "!", "?")) else ".")


def _legend(scene: Scene, theme: str) -> list[str]:
    """What each entry means, after what its miniature looks like; those that look the same together, and the values of
    colours that words cannot tell apart."""
    meaning: dict[tuple[str, str], list[str]] = {}
    for look, text in scene.legend:
        name = look.fill or look.stroke
        meaning.setdefault((_words(look, theme), colour(name, theme) if name else ""), []).append(text)
    again = Counter(words for words, _ in meaning)
    return [
        f"{words if again[words] == 1 else f'{words} ({value})'}: {' or '.join(texts)}"
        for (words, value), texts in meaning.items()
    ]


def _words(look: Look, theme: str) -> str:
    """What a look is in words: `light blue`, `white, hatched`, `dotted blue line`."""
    if look.fill:
        texture = f", {_TEXTURES[look.texture]}" if look.texture and theme == "print" else ""
        return named(colour(look.fill, theme)) + texture
    lengths = [float(part) for part in look.dash.split()]
    broken = "" if not lengths else "dotted " if lengths[0] < lengths[-1] else "dashed "
    return f"{broken}{named(colour(look.stroke, theme))} line" if look.stroke else "no colour"


def named(value: str) -> str:
    """A colour `#rrggbb` in words: `pale yellow`, `dark grey`."""
    red, green, blue = (int(value[at : at + 2], 16) / 255 for at in (1, 3, 5))
    hue, lightness, _ = rgb_to_hls(red, green, blue)
    chroma = max(red, green, blue) - min(red, green, blue)
    if chroma < 0.06 or (lightness < 0.15 and chroma < 0.15):
        shades = ((0.15, "black"), (0.4, "dark grey"), (0.68, "grey"), (0.97, "light grey"), (1.01, "white"))
        return _first(shades, lightness)
    shades = ((0.2, "very dark "), (0.38, "dark "), (0.68, ""), (0.86, "light "), (1.01, "pale "))
    return _first(shades, lightness) + _first(_HUES, hue * 360)


def _first(limits: Sequence[tuple[float, str]], value: float) -> str:
    return next(name for limit, name in limits if value <= limit)
