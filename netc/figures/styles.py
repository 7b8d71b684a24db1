"""The styles of figures. Each is the module or package of its name, with `draw(programs, options) -> Scene`."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from typing import TYPE_CHECKING

from netc import needs
from netc.figures.options import Options

if TYPE_CHECKING:
    from netc.figures.scene import Scene
    from netc.program import Program

STYLES = {
    "graph": "the network as boxes and lines, skips at the side, equal blocks as one",
    "grid": "a row for each resolution, maps as bars, operations as arrows: U-Nets, pyramids, parallel streams",
    "volumes": "the tensors as slabs, as the VGG-16 diagram",
    "column": "one row a layer with arcs for shortcuts, as He et al. 2015, Figure 3; several nets side by side",
    "table": "one column a net, as Simonyan & Zisserman 2014, Table 1",
    "sheet": "networks of a family at one scale, and their parameters against MACs and depth",
}
AUTO = "auto"  # grid for networks of several resolutions that come together, where it fits; graph for all others
GRAPHS = ("collapse", "expand", "shapes", "direction", "columns")  # options that, given without a style, mean graph
SEVERAL = frozenset({"column", "table", "sheet"})  # styles that set several networks side by side


class FigureError(Exception):
    """A network that a style cannot show; the text says why and which style can."""


def need(what: str, *modules: str) -> None:
    """Raises `FigureError` where a format needs modules that are not installed; it names them."""
    try:
        needs.require(what, *modules)
    except ModuleNotFoundError as error:
        raise FigureError(str(error)) from None


def one_or_several(programs: Sequence[Program], style: str) -> None:
    """Raises `FigureError` for more networks than a style takes."""
    if len(programs) > 1 and style not in SEVERAL:
        raise FigureError(
            f"the style {style} draws one network, got {len(programs)}; column, table and sheet take several"
        )


def chosen(programs: Sequence[Program], style: str, options: Options) -> str:
    """The style of a figure, which for `auto` its networks and its options decide."""
    if style != AUTO:
        return style
    if len(programs) > 1 or any(getattr(options, name) != getattr(Options(), name) for name in GRAPHS):
        return "graph"
    from netc.figures.grid import suits  # noqa: PLC0415 - styles are imported when they draw

    return "grid" if suits(programs[0], options) else "graph"


def draw(programs: Sequence[Program], style: str = AUTO, options: Options | None = None) -> Scene:
    """The scene of checked programs in a style. Raises `FigureError`."""
    options = options or Options()
    style = chosen(programs, style, options)
    one_or_several(programs, style)
    module = import_module(f"netc.figures.{style}")
    scene: Scene = module.draw(programs, options)
    return scene
