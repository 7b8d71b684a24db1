"""Colours: one table by kind of operation, and the looks that shapes name.

A colour has a name and three values: on light paper, on dark paper, in print. Names with a suffix are made of others:
`conv.side` is `conv` shaded, `conv.top` lightened, `conv.line` its outline.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

THEMES = ("light", "dark", "auto", "print")

# By family of the layer (`Layer.family`); text on each has a contrast of at least 7:1 (tests/test_figures.py).
KINDS = {
    "input": ("#e6e9ed", "#39424c", "#ffffff"),
    "conv": ("#cde2f8", "#1d4670", "#e4e4e4"),
    "pool": ("#fbd3bd", "#6b3118", "#c8c8c8"),
    "norm": ("#e0d5f5", "#48326f", "#f2f2f2"),
    "activation": ("#fae99b", "#574808", "#a8a8a8"),
    "dense": ("#cbeacd", "#1e5230", "#d8d8d8"),
    "merge": ("#bfe8e5", "#124d4c", "#ffffff"),
    "shape": ("#e6e2d8", "#464238", "#ffffff"),
    "regularise": ("#f8d1e0", "#692543", "#f2f2f2"),
    "": ("#ffffff", "#2a3139", "#ffffff"),
}
KIND_NAMES = {
    "input": "input",
    "conv": "convolution",
    "pool": "pooling",
    "norm": "normalisation",
    "activation": "activation",
    "dense": "fully connected",
    "merge": "merge",
    "shape": "shape",
    "regularise": "regularisation",
}
# One hue a stage (a run of layers of one spatial size), in the order of He et al. 2015, Figure 3; they repeat.
STAGES = (
    ("#d9d2ee", "#43346e", "#f4f4f4"),
    ("#d3ecc6", "#2c5320", "#e4e4e4"),
    ("#fbd2c8", "#6f2b20", "#d4d4d4"),
    ("#cbe3f7", "#1d466d", "#f4f4f4"),
    ("#f9e7a9", "#584708", "#e4e4e4"),
    ("#c6ebe6", "#134e49", "#d4d4d4"),
)
BASE = {
    "paper": ("#ffffff", "#14191f", "#ffffff"),
    "ink": ("#15202b", "#f2f5f8", "#000000"),
    "muted": ("#46525f", "#b7c2cd", "#000000"),
    "edge": ("#54616f", "#a3b0bd", "#000000"),
    "skip": ("#0f5ea8", "#7cbcf5", "#000000"),
    "second": ("#a8480a", "#ffb27d", "#000000"),
    "frame": ("#9aa6b2", "#5d6a77", "#777777"),
    "panel": ("#f6f8fa", "#1b222a", "#ffffff"),
}
_COLOURS = {**KINDS, **{f"stage{number}": hue for number, hue in enumerate(STAGES)}, **BASE}
_INDEX = {"light": 0, "auto": 0, "dark": 1, "print": 2}
# suffix: what is mixed in, and how much
_MIXED = {"side": ("ink", 0.2), "top": ("paper", 0.45), "line": ("ink", 0.5), "band": ("ink", 0.1)}


@dataclass(frozen=True, slots=True)
class Look:
    """How a shape is painted: colour names (empty: none), the width of its outline and its dashes."""

    fill: str = ""
    stroke: str = ""
    width: float = 1
    dash: str = ""


LOOKS = {
    "paper": Look("paper"),
    "panel": Look("panel", "frame"),
    "edge": Look("", "edge", 1.3),
    "skip": Look("", "skip", 1.5),
    "dotted": Look("", "skip", 1.5, "2 3"),
    "frame": Look("panel", "frame", 1.2, "5 3"),
    "rule": Look("", "frame", 1),
    "grid": Look("", "frame", 0.5),
    "train": Look("", "skip", 1.6),
    "train.mark": Look("skip"),
    "validation": Look("", "second", 1.6, "5 2"),
    "validation.mark": Look("second"),
    "bracket": Look("", "ink", 1.2),
    "ink": Look("ink"),
    "muted": Look("muted"),
    "note": Look("skip"),
    **{name: Look(name, f"{name}.line") for name in (*KINDS, *(f"stage{number}" for number in range(len(STAGES))))},
    **{f"{name}.{part}": Look(f"{name}.{part}") for name in KINDS for part in ("side", "top", "band")},
}


def stage(number: int) -> str:
    """The look of the n-th stage, from 0."""
    return f"stage{number % len(STAGES)}"


@cache
def colour(name: str, theme: str) -> str:
    """A colour as `#rrggbb`; `auto` gives that on light paper."""
    base, _, part = name.partition(".")
    value = _COLOURS[base][_INDEX[theme]]
    if not part:
        return value
    other, share = _MIXED[part]
    return _mix(value, colour(other, theme), share)


def _mix(one: str, other: str, share: float) -> str:
    pairs = zip(_channels(one), _channels(other), strict=True)
    return "#" + "".join(f"{round(a + (b - a) * share):02x}" for a, b in pairs)


def _channels(value: str) -> tuple[int, int, int]:
    return int(value[1:3], 16), int(value[3:5], 16), int(value[5:7], 16)
