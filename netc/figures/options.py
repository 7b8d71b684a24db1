"""What a figure can be asked for."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import NoneType

from netc.figures.theme import THEMES

COLLAPSE = ("auto", "none", "all")
SHAPES = ("change", "all", "none")
DIRECTIONS = ("tb", "lr")
SCALES = ("sqrt", "linear", "log")
POINTS = {"in": 72.0, "cm": 72 / 2.54, "mm": 72 / 25.4, "pt": 1.0, "px": 0.75}  # of each unit of length
_LENGTH = re.compile(rf"([0-9]+(?:\.[0-9]*)?|\.[0-9]+)\s*({'|'.join(POINTS)})")
_LONGEST = 200 * 72.0  # what PDF can say: 14,400 points
_PNG = b"\x89PNG\r\n\x1a\n"  # how every PNG file begins
_LENGTHS = ((str, int, float, NoneType), "a length such as '3.3in', or a number of points")
_TYPES: Mapping[str, tuple[tuple[type, ...], str]] = {  # what is no choice of words, and how a message says it
    **dict.fromkeys(("bare", "expand", "tikz"), ((bool,), "True or False")),
    **dict.fromkeys(("title", "receptive", "link"), ((str, NoneType), "a text")),
    **dict.fromkeys(("columns", "dpi"), ((int, NoneType), "a whole number")),
    **dict.fromkeys(("width", "height"), _LENGTHS),
    "id_prefix": ((str,), "a text"),
    "size": ((int, tuple, list, NoneType), "a size such as 256 or (420, 560)"),
    "faces": ((Mapping,), "PNG files by the names of layers"),
}


@dataclass(frozen=True, slots=True)
class Options:
    """How a figure is drawn; what a style does not have, it ignores.

    - `theme`: `light`, `dark`, `auto` (as the reader's system) or `print` (greys and textures on white).
    - `width`, `height`: the size of the page, as a text such as `"3.3in"`, `"84mm"`, `"8.4cm"`, `"240pt"`, or a number
      of points (1/72 inch). The figure is laid out to be so wide, and at most so high, with no text under 6 pt.
    - `bare`: without the header, the legend and the notes, for a figure with a caption.
    - `title`: in place of the network's name.
    - `collapse`: equal consecutive blocks as one frame with their count; `none` draws all of them, `all` also joins
      two equal single layers.
    - `expand`: batch normalisations and activations as nodes of their own.
    - `shapes`: on the edges where they `change`, on `all`, or on `none`.
    - `direction`: from top to bottom (`tb`) or from left to right (`lr`).
    - `columns`: at most this many columns for a long network, or rows from left to right; chosen for the page where it
      is None.
    - `scale`: how volumes show sizes: by their square root (`sqrt`), as they are (`linear`), or by their `log`.
    - `faces`: PNG files to show on the slabs of layers, by their names (volumes).
    - `receptive`: the layer, by label or name, whose receptive field is marked on the input (volumes).
    - `size`: what a `?` of the input stands for, one number for all or one for each.
    - `dpi`: pixels of a PNG an inch; 300 in print and for a page, else 192.
    - `tikz`: a `.tex` file is TikZ, as a `.tikz` file is, and no table.
    - `link`: a URL that every object links to, with `#L` and its line. Never taken from a spec.
    - `id_prefix`: before every id, so that several figures can stand in one page.
    """

    theme: str = "auto"
    width: float | str | None = None
    height: float | str | None = None
    bare: bool = False
    title: str | None = None
    collapse: str = "auto"
    expand: bool = False
    shapes: str = "change"
    direction: str = "tb"
    columns: int | None = None
    scale: str = "sqrt"
    faces: Mapping[str, bytes] = field(default_factory=dict)
    receptive: str | None = None
    size: int | tuple[int, ...] | None = None
    dpi: int | None = None
    tikz: bool = False
    link: str | None = None
    id_prefix: str = ""

    def __post_init__(self) -> None:
        """Raises ValueError for a choice that there is not, and for a value of another type."""
        choices = {
            "theme": THEMES,
            "collapse": COLLAPSE,
            "shapes": SHAPES,
            "direction": DIRECTIONS,
            "scale": SCALES,
        }
        for name, known in choices.items():
            if getattr(self, name) not in known:
                raise ValueError(f"got {name}={getattr(self, name)!r}, expected one of {', '.join(known)}")
        for name, (types, expected) in _TYPES.items():
            value = getattr(self, name)
            if not isinstance(value, types) or (isinstance(value, bool) and bool not in types):
                raise ValueError(f"got {name}={value!r}, expected {expected}")
        if self.size is not None and not (self.sizes and all(type(size) is int for size in self.sizes)):
            raise ValueError(f"got size={self.size!r}, expected {_TYPES['size'][1]}")
        for name, picture in self.faces.items():
            if not isinstance(picture, bytes) or not picture.startswith(_PNG):
                raise ValueError(f"got faces[{name!r}]={picture!r:.40}, expected the bytes of a PNG file")
        if self.columns is not None and self.columns < 1:
            raise ValueError(f"got columns={self.columns}, expected at least 1")
        if self.dpi is not None and not 1 <= self.dpi <= 10_000:
            raise ValueError(f"got dpi={self.dpi}, expected 1 to 10000")
        for name in ("width", "height"):
            value = getattr(self, name)
            if isinstance(value, str):
                object.__setattr__(self, name, points(value))
            elif value is not None and not 0 < value <= _LONGEST:
                raise ValueError(f"got {name}={value!r}, expected more than 0 and at most {_LONGEST:g} points")

    @property
    def sizes(self) -> tuple[int, ...]:
        """What open sizes of the input are, empty where they stay open."""
        if self.size is None:
            return ()
        return (self.size,) if isinstance(self.size, int) else self.size

    @property
    def page(self) -> tuple[float | None, float | None]:
        """Width and height in points, where they are given."""
        assert not isinstance(self.width, str)
        assert not isinstance(self.height, str)
        return self.width, self.height

    def format(self, suffix: str) -> str:
        """What a file with such a name is: itself, but for TikZ under the name of LaTeX."""
        return ".tikz" if suffix == ".tex" and self.tikz else suffix


def points(text: str) -> float:
    """A length such as `3.3in`, `84mm`, `8.4cm`, `240pt` or `600px`, in points. Raises ValueError."""
    found = _LENGTH.fullmatch(text.strip())
    value = float(found[1]) * POINTS[found[2]] if found else 0.0
    if not 0 < value <= _LONGEST:
        raise ValueError(f"got {text!r}, expected a length up to 200in, such as 3.3in, 84mm, 8.4cm or 240pt")
    return value
