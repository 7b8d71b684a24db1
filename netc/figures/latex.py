"""Texts as LaTeX that is read as itself: nothing of them is a command, a ligature or an active character."""

from __future__ import annotations

import re
import unicodedata

from netc.diagnostics.escape import harmless

_GREEK = (
    *(
        "alpha",
        "beta",
        "gamma",
        "delta",
        "epsilon",
        "zeta",
        "eta",
        "theta",
        "iota",
        "kappa",
        "lambda",
        "mu",
        "nu",
        "xi",
    ),
    *("pi", "rho", "sigma", "tau", "upsilon", "phi", "chi", "psi", "omega"),
)
_MATHS = {
    **{character: character for character in "<>|"},  # others in the first fonts of TeX
    "×": r"\times", "·": r"\cdot", "→": r"\to", "←": r"\leftarrow", "↑": r"\uparrow", "↓": r"\downarrow",
    "−": "-", "±": r"\pm", "≤": r"\le", "≥": r"\ge", "≠": r"\ne", "≈": r"\approx", "∣": r"\mid", "∞": r"\infty",
    "⌈": r"\lceil", "⌉": r"\rceil", "⌊": r"\lfloor", "⌋": r"\rfloor", "°": r"^{\circ}", "√": r"\surd", "∑": r"\Sigma",
    "∘": r"\circ", "∗": r"\ast", "⊕": r"\oplus", "⊗": r"\otimes", "½": r"\frac12", "µ": r"\mu",
    "Δ": r"\Delta", "Σ": r"\Sigma", "Ω": r"\Omega",
    **{upper: f"^{at}" for at, upper in enumerate("⁰¹²³⁴⁵⁶⁷⁸⁹")},
    **{lower: f"_{at}" for at, lower in enumerate("₀₁₂₃₄₅₆₇₈₉")},
    **{letter: f"\\{name}" for letter, name in zip("αβγδεζηθικλμνξπρστυφχψω", _GREEK, strict=True)},
}  # fmt: skip
_WRITTEN = {
    **{character: "\\" + character for character in "{}$&#_%"},
    "\\": r"\textbackslash{}",
    "^": r"\textasciicircum{}",
    "~": r"\textasciitilde{}",
    "`": r"\textasciigrave{}",
    '"': "''",  # what babel makes of the character itself depends on the language
    "–": "--",
    "—": "---",
    "…": r"\dots{}",
    **{character: f"${maths}$" for character, maths in _MATHS.items()},
}
_LIGATURE = re.compile(r"([-',])(?=[-',])")  # two of them would be another character
# What the fonts of every LaTeX have beyond the table: the letters of Western and Central European languages.
_LETTERS = range(0xC0, 0x180)


def escape(text: str) -> str:
    """A text as LaTeX for which no package is needed."""
    shown = unicodedata.normalize("NFC", harmless(text))
    return "".join(map(_written, _LIGATURE.sub("\\1\N{ZERO WIDTH NON-JOINER}", shown)))


def _written(character: str) -> str:
    return "{}" if character == "\N{ZERO WIDTH NON-JOINER}" else _WRITTEN.get(character, character)


def comment(text: str) -> str:
    """A text of one line, for after a `%`."""
    return harmless(text)


def foreign(text: str) -> set[str]:
    """The characters of a text for which a document needs fonts, and an engine, that have them."""
    shown = unicodedata.normalize("NFC", harmless(text))
    return {c for c in shown if not c.isascii() and c not in _WRITTEN and ord(c) not in _LETTERS}
