"""What a figure can be asked for."""

from __future__ import annotations

from dataclasses import dataclass

COLLAPSE = ("auto", "none", "all")
SHAPES = ("change", "all", "none")
DIRECTIONS = ("tb", "lr")


@dataclass(frozen=True, slots=True)
class Options:
    """How a figure is drawn; what a style does not have, it ignores.

    - `theme`: `light`, `dark`, `auto` (as the reader's system) or `print` (greys on white).
    - `collapse`: equal consecutive blocks as one frame with their count; `none` draws all of them, `all` also joins
      two equal single layers.
    - `expand`: batch normalisations and activations as nodes of their own.
    - `shapes`: on the edges where they `change`, on `all`, or on `none`.
    - `direction`: from top to bottom (`tb`) or from left to right (`lr`).
    - `columns`: at most this many columns for a long network, side by side.
    - `link`: a URL that every object links to, with `#L` and its line. Never taken from a spec.
    - `id_prefix`: before every id, so that several figures can stand in one page.
    """

    theme: str = "auto"
    collapse: str = "auto"
    expand: bool = False
    shapes: str = "change"
    direction: str = "tb"
    columns: int = 1
    link: str | None = None
    id_prefix: str = ""
