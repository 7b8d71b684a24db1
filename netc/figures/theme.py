"""Colours: one table by kind of operation, and the looks that shapes name.

A colour has a name and three values: on light paper, on dark paper, in print. `conv.line` is the outline of `conv`;
colours and looks of volumes begin with `v.`.
"""

from __future__ import annotations

from dataclasses import dataclass

THEMES = ("light", "dark", "auto", "print")

# By family of the layer (`Layer.family`): fill and outline. They were found by computation, to which
# tests/test_figures_colours.py holds them: text on each at least 7:1, outlines at least 3:1 against the paper and the
# fill, and any two fills CIEDE2000 10 apart for those who see no red or no green.
KINDS = {
    "input": (("#ffffff", "#14191f", "#ffffff"), ("#4a5663", "#a3b0bd", "#000000")),
    "conv": (("#c0e4fc", "#265480", "#d0d0d0"), ("#2b5f94", "#a5d0ee", "#000000")),
    "pool": (("#e5a978", "#250d00", "#ffffff"), ("#8a4a10", "#dd9a72", "#000000")),
    "norm": (("#b5a6bf", "#070c40", "#ffffff"), ("#57456a", "#a9a4dc", "#000000")),
    "activation": (("#f8efb0", "#312f00", "#ffffff"), ("#75690f", "#d0c85a", "#000000")),
    "dense": (("#a3bbfd", "#001c94", "#a6a6a6"), ("#27408f", "#a9b8ff", "#000000")),
    "merge": (("#cacaca", "#4a5647", "#ffffff"), ("#404a55", "#a9c9a9", "#000000")),
    "shape": (("#e4e4cc", "#255c1c", "#ffffff"), ("#55552f", "#a8d89a", "#000000")),
    "regularise": (("#e6939d", "#5b4758", "#ffffff"), ("#8f2f3c", "#d3abc6", "#000000")),
    "sequence": (("#fcf060", "#2d3732", "#e8e8e8"), ("#6b5f00", "#b9c9b8", "#000000")),
    "": (("#ffffff", "#14191f", "#ffffff"), ("#4a5663", "#a3b0bd", "#000000")),
}
# Lines at 45 and at 135 degrees, points, lines across, upright ones.
TEXTURE_NAMES = ("hatch", "back", "dots", "level", "upright")
# What tells kinds apart on white in print.
TEXTURES = {"pool": "hatch", "norm": "dots", "activation": "level", "regularise": "upright", "shape": "back"}
KIND_NAMES = {
    "input": "input",
    "conv": "convolution",
    "pool": "pooling",
    "norm": "normalisation",
    "activation": "activation",
    "dense": "fully connected",
    "merge": "merge",
    "shape": "reshaping",
    "regularise": "only in training",
    "sequence": "along positions",
}
# Volumes: front, top, and the right side from near the viewer to far away, by what a slab is. Light falls from above in
# every theme. Fronts are told apart without red or green as KINDS are; in print by texture and outline.
SLABS = {
    "input": (
        ("#f1f3f6", "#f7f8fa", "#d8dce1", "#eceff2"),
        ("#4a545f", "#80878f", "#2a3036", "#4b5056"),
        ("#ffffff", "#ffffff", "#f4f4f4", "#f4f4f4"),
    ),
    "conv": (
        ("#74aeea", "#b3d2f3", "#5a8abc", "#78a5d3"),
        ("#62a2ea", "#91bef0", "#385c85", "#587aa0"),
        ("#d4d4d4", "#ececec", "#b2b2b2", "#b2b2b2"),
    ),
    "stripe": (
        ("#b3d2f4", "#d8e8f9", "#8fb4dc", "#a8c6e5"),
        ("#a3c8f3", "#c2dbf7", "#5b7ba0", "#7896b8"),
        ("#f2f2f2", "#fafafa", "#d2d2d2", "#d2d2d2"),
    ),
    "act": (
        ("#2460a8", "#87a8cf", "#2f6cb3", "#63a0de"),
        ("#1c4a86", "#6080aa", "#0f2c58", "#24569a"),
        ("#4a4a4a", "#aeaeae", "#a8a8a8", "#a8a8a8"),
    ),
    "pool": (
        ("#f4a37b", "#f9ccb6", "#f6b493", "#f9cfba"),
        ("#c4754a", "#d69e80", "#70432a", "#8d624b"),
        ("#9a9a9a", "#ffffff", "#ffffff", "#ffffff"),
    ),
    "norm": (
        ("#e0d2f9", "#eee6fc", "#ada6c8", "#c5bede"),
        ("#e0d2f9", "#e9e0fb", "#6d657b", "#938ba1"),
        ("#8f8f8f", "#cdcdcd", "#787878", "#787878"),
    ),
    "dense": (
        ("#f2d33d", "#f8e794", "#bba637", "#d2be57"),
        ("#e3c23a", "#ebd475", "#7c6920", "#9a8841"),
        ("#b4b4b4", "#dadada", "#a9a9a9", "#a9a9a9"),
    ),
    "up": (
        ("#4ebca6", "#9edace", "#3e9488", "#5daea3"),
        ("#4ebca6", "#83d0c1", "#2c6c5f", "#4d887c"),
        ("#ececec", "#f6f6f6", "#dedede", "#dedede"),
    ),
    "softmax": (
        ("#8c1c3f", "#c08295", "#6d1b39", "#893d59"),
        ("#e0527f", "#e986a5", "#802f49", "#9b5068"),
        ("#111111", "#949494", "#0e0e0e", "#0e0e0e"),
    ),
    "softmap": (  # the side of a map after a softmax, which would outshine the rest
        ("#8c1c3f", "#c08295", "#b47d8f", "#cb9fae"),
        ("#e0527f", "#e986a5", "#6a3046", "#84465d"),
        ("#111111", "#949494", "#8a8a8a", "#8a8a8a"),
    ),
    "shape": (
        ("#c9cdb4", "#e2e4d6", "#a3a78e", "#bcc0aa"),
        ("#8f9678", "#b0b69c", "#4c513e", "#666c57"),
        ("#ffffff", "#ffffff", "#f4f4f4", "#f4f4f4"),
    ),
    "copy": (
        ("#c9dff6", "#e2eefa", "#a6c0dc", "#bfd3e8"),
        ("#b8d3f2", "#d0e2f6", "#566e8a", "#788fa9"),
        ("#f6f6f6", "#fcfcfc", "#e0e0e0", "#e0e0e0"),
    ),
}
_FACES = ("", ".top", ".near", ".far")
# Where light text is read better than dark text on a side: theme by theme.
_ON_SIDE = {"act": ("#ffffff", "#f0f3f6", "#000000"), "softmax": ("#ffffff", "#f0f3f6", "#ffffff")}
_DARK = ("#0c1d33", "#f0f3f6", "#000000")
# One hue a stage (a run of layers of one spatial size), in the order of He et al. 2015, Figure 3; they repeat.
STAGES = (
    ("#d9d2ee", "#43346e", "#f6f6f6"),
    ("#d3ecc6", "#2c5320", "#d8d8d8"),
    ("#fbd2c8", "#6f2b20", "#e7e7e7"),
    ("#cbe3f7", "#1d466d", "#c9c9c9"),
    ("#f9e7a9", "#584708", "#bababa"),
    ("#c6ebe6", "#134e49", "#ababab"),
)
BASE = {
    "paper": ("#ffffff", "#14191f", "#ffffff"),
    "ink": ("#14202b", "#f2f5f8", "#000000"),
    "muted": ("#46525f", "#b7c2cd", "#000000"),
    "edge": ("#54616f", "#a3b0bd", "#000000"),
    "skip": ("#0f5ea8", "#7cbcf5", "#000000"),
    "down": ("#a33a12", "#ff9d6b", "#000000"),
    "up": ("#1f5f9e", "#7cbcf5", "#000000"),
    "copy": ("#6b7683", "#93a0ad", "#000000"),
    "diff.added": ("#cdeccb", "#1d4a24", "#ffffff"),
    "diff.removed": ("#f9d3cc", "#63261e", "#d4d4d4"),
    "diff.changed": ("#f9e7a9", "#584708", "#efefef"),
    "diff.line": ("#46525f", "#b7c2cd", "#000000"),
    "texture": ("#777777", "#777777", "#777777"),
    "guide": ("#e4e8ec", "#272f38", "#d8d8d8"),
    "second": ("#a8480a", "#ffb27d", "#000000"),
    "frame": ("#9aa6b2", "#5d6a77", "#777777"),
    "panel": ("#f6f8fa", "#1b222a", "#ffffff"),
    "v.line": ("#22303f", "#93a5b8", "#000000"),
    "v.arrow": ("#22303f", "#e3eaf0", "#000000"),
    "v.link": ("#b3452a", "#ff9d7a", "#000000"),
    "v.text": ("#0c1d33", "#06121f", "#000000"),
    "v.split": ("#ffffff", "#0b1a2a", "#000000"),
    "v.cold": ("#44015a", "#44015a", "#44015a"),  # ends of the colours of maps, as of what is drawn of an image
    "v.hot": ("#fde725", "#fde725", "#fde725"),
    "v.ray": ("#2460a8", "#f0f3f6", "#444444"),
}


def _between(one: str, other: str) -> str:
    """The colour in the middle of two."""
    pairs = zip(_channels(one), _channels(other), strict=True)
    return "#" + "".join(f"{round(a + (b - a) / 2):02x}" for a, b in pairs)


def _channels(value: str) -> tuple[int, int, int]:
    return int(value[1:3], 16), int(value[3:5], 16), int(value[5:7], 16)


_COLOURS = {
    **{kind: fill for kind, (fill, _) in KINDS.items()},
    **{f"{kind}.line": outline for kind, (_, outline) in KINDS.items()},
    **{f"stage{number}": hue for number, hue in enumerate(STAGES)},
    **{f"stage{number}.line": tuple(map(_between, hue, BASE["ink"])) for number, hue in enumerate(STAGES)},
    **BASE,
    **{
        f"v.{kind}{face}": tuple(theme[at] for theme in themes)
        for kind, themes in SLABS.items()
        for at, face in enumerate(_FACES)
    },
    **{f"v.{kind}.on": _ON_SIDE.get(kind, _DARK) for kind in SLABS},
}
_INDEX = {"light": 0, "auto": 0, "dark": 1, "print": 2}


@dataclass(frozen=True, slots=True)
class Look:
    """How a shape is painted: colour names (empty: none), the width of its outline and its dashes.

    `to` makes of the fill a gradient, from `fill` at the lower left of the shape's box to `to` at the upper right.
    `texture` is one of `TEXTURE_NAMES`, drawn over the fill in print. A `bare` shape has no outline in a group that
    gives one to its shapes.
    """

    fill: str = ""
    stroke: str = ""
    width: float = 1
    dash: str = ""
    to: str = ""
    texture: str = ""
    bare: bool = False


def _slabs() -> dict[str, Look]:
    """The looks of volumes."""
    found = {
        "v.slab": Look("", "v.line", 0.75),
        "v.arrow": Look("", "v.arrow", 1.1),
        "v.arrow.under": Look("", "paper", 3.5),
        "v.tip": Look("v.arrow"),
        "v.link": Look("", "v.link", 1.4),
        "v.link.changed": Look("", "v.link", 1.4, "3.5 2.5"),
        "v.link.tip": Look("v.link"),
        "v.disc": Look("paper", "v.link", 1.1),
        "v.sign": Look("", "v.link", 1),
        "v.ghost": Look("", "muted", 0.8, "2.5 2"),
        "v.split": Look("", "v.split", 1.2, "3 2.2"),
        "v.rule": Look("", "v.line", 0.5),
        "v.window": Look("conv", "v.ray", 0.9),
        "v.ray": Look("", "v.ray", 0.7),
        "v.heat": Look("v.cold", to="v.hot"),
        "v.field": Look("", "v.link", 1.6),
        "v.field.under": Look("", "paper", 3.2),
        "v.window.bright": Look("", "v.hot", 1.3),
        "v.ray.bright": Look("", "v.hot", 0.9),
        "v.leader": Look("", "muted", 0.7, "1 2"),
        "v.ruler": Look("", "muted", 0.9),
        "v.text": Look("v.text"),
        "v.note": Look("v.link"),
    }
    for kind in SLABS:
        name = f"v.{kind}"
        texture = {"up": "hatch"}.get(kind, "")
        found[name] = Look(name, texture=texture)
        found[f"{name}.top"] = Look(f"{name}.top", texture=texture)
        found[f"{name}.side"] = Look(f"{name}.near", to=f"{name}.far", texture="hatch" if kind == "pool" else texture)
        found[f"{name}.band"] = Look(name, bare=True)
        found[f"{name}.over"] = Look(f"{name}.top", bare=True)
        found[f"{name}.on"] = Look(f"{name}.on")
    return found


# Arrows of the style grid, by what they do to a map.
_ARROWS = {
    "grid.run": Look("", "ink", 1.3),
    "grid.copy": Look("", "copy", 2.4, "5 2.7"),
    "grid.down": Look("", "down", 1.5),
    "grid.up": Look("", "up", 1.5),
}
LOOKS = {
    "edge": Look("", "edge", 1.3),
    "skip": Look("", "skip", 1.5),
    "dotted": Look("", "skip", 1.5, "2 3"),
    **_ARROWS,
    **{f"{name}.head": Look(look.stroke) for name, look in _ARROWS.items()},  # of arrows whose head is filled
    **{f"grid.{way}.text": Look(way) for way in ("down", "up")},
    **{f"grid.{way}.fixed": Look("paper", way, 1.4) for way in ("down", "up")},
    **{f"grid.{way}.learned": Look(way, way, 1.4) for way in ("down", "up")},
    "grid.row": Look("", "guide", 1),
    "grid.copied": Look("paper", "conv.line"),
    "grid.sum": Look("paper", "ink", 1.4),
    "paper": Look("paper"),
    "panel": Look("panel", "frame"),
    "frame": Look("panel", "frame", 1, "5 3"),
    "tab": Look("input.line"),
    "on": Look("paper"),  # what a tab says
    "tie": Look("", "ink", 1),
    "mark": Look("paper", "skip", 1.2),
    "share": Look("merge.line"),
    "dense.bar": Look("", "dense.line", 1),
    "rule": Look("", "frame", 1),
    "grid": Look("", "frame", 0.5),
    **{f"diff.{kind}": Look(f"diff.{kind}", "diff.line") for kind in ("added", "removed", "changed")},
    "diff.hatch": Look("", "diff.line", 0.8),
    "train": Look("", "skip", 1.6),
    "train.mark": Look("skip"),
    "validation": Look("", "second", 1.6, "5 2"),
    "validation.mark": Look("second"),
    "bracket": Look("", "ink", 1.2),
    "ink": Look("ink"),
    "muted": Look("muted"),
    "note": Look("skip"),
    **{name: Look(name, f"{name}.line", texture=TEXTURES.get(name, "")) for name in KINDS},
    "regularise": Look("regularise", "regularise.line", 1, "3 2", texture=TEXTURES["regularise"]),
    **{f"{name}.plate": Look(name) for name in TEXTURES},  # below texts, where there is no texture in print
    **{f"{name}.twin": Look(name, f"{name}.line", 1.2, "4 2", texture=TEXTURES.get(name, "")) for name in KINDS},
    **{name: Look(name, f"{name}.line") for name in (f"stage{number}" for number in range(len(STAGES)))},
    **_slabs(),
}


def stage(number: int) -> str:
    """The look of the n-th stage, from 0."""
    return f"stage{number % len(STAGES)}"


def colour(name: str, theme: str) -> str:
    """A colour as `#rrggbb`; `auto` gives that on light paper."""
    return _COLOURS[name][_INDEX[theme]]
