"""A figure that knows how to be written: the one way from programs to files, for the command line and for Python."""

from __future__ import annotations

import os
from dataclasses import dataclass, field, replace
from functools import cached_property
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from netc import files
from netc.analysis.sized import at
from netc.figures.options import Options
from netc.figures.styles import STYLES, FigureError, draw, one_or_several
from netc.params import Refused

if TYPE_CHECKING:
    from netc.figures.scene import Scene
    from netc.program import Program

TABLES = {".md": "markdown", ".tex": "latex"}  # formats of the style table, and the functions that write them
FORMATS = (".svg", ".png", ".pdf", ".html", ".dot", *TABLES)
OWNERS = {**dict.fromkeys(TABLES, "table"), ".dot": "graph"}  # formats that one style alone has


@dataclass(frozen=True, repr=False)
class Drawing:
    """One figure of checked programs. In a notebook it shows itself, as SVG. Raises ValueError for an unknown style."""

    programs: tuple[Program, ...]
    style: str = "graph"
    options: Options = field(default_factory=Options)

    def __post_init__(self) -> None:
        if self.style not in STYLES:
            raise ValueError(f"got style={self.style!r}, expected one of {', '.join(STYLES)}")

    def __repr__(self) -> str:
        return f"<Drawing of {', '.join(program.name for program in self.programs)}: {self.style}>"

    @cached_property
    def scene(self) -> Scene:
        """Its shapes with their coordinates. Raises `FigureError` for a network that the style cannot show."""
        return draw(self.shown, self.style, self.options)

    @cached_property
    def shown(self) -> tuple[Program, ...]:
        """The programs at the size that the options ask for, where that of their input is open. Raises `FigureError`
        for one that does not work at it."""
        sizes = self.options.sizes
        if not sizes:
            return self.programs
        made = tuple(_sized(program, sizes) for program in self.programs)
        if all(each.net is program.net for each, program in zip(made, self.programs, strict=True)):
            raise FigureError(f"no size of the input of {self.programs[0].name} is open: expected none to be given")
        return made

    @cached_property
    def svg(self) -> str:
        """The figure as the text of an SVG file."""
        from netc.figures.svg import write  # noqa: PLC0415 - DOT needs none

        return write(self.scene, self.options)

    def _repr_svg_(self) -> str:
        return self.svg

    def render(self, suffix: str) -> str | bytes:
        """The content of a file with such a name: `.svg`, `.png`, `.pdf`, `.html`, `.dot`, and for tables `.md` and
        `.tex`. Raises `FigureError` for another, and where a library is missing."""
        if suffix not in FORMATS:
            raise FigureError(f"got the format {suffix!r}, expected one of {', '.join(FORMATS)}")
        if OWNERS.get(suffix, self.style) != self.style:
            raise FigureError(f"{suffix} is a format of the style {OWNERS[suffix]}, not of {self.style}")
        one_or_several(self.programs, self.style)
        match suffix:
            case ".svg":
                return self.svg
            case ".png" | ".pdf":
                return _rendered(self.on_paper(), suffix, self.scene.title)
            case ".html":
                from netc.figures.html import write  # noqa: PLC0415

                return write(self)
            case ".dot":
                from netc.figures.dot import dump  # noqa: PLC0415 - imports graphviz

                return dump(self.shown[0], self.options.direction)
        text: str = getattr(import_module("netc.figures.table"), TABLES[suffix])(self.shown, self.options)
        return text

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the figure in the format of the path's name. Raises `FigureError` and OSError; the old file stays."""
        files.replace(path, self.render(Path(path).suffix.lower()))

    def on_paper(self) -> str:
        """The SVG in one theme: `auto` is light where nobody can switch."""
        if self.options.theme != "auto":
            return self.svg
        return Drawing(self.programs, self.style, replace(self.options, theme="light")).svg


def _sized(program: Program, sizes: tuple[int, ...]) -> Program:
    try:
        return replace(program, net=at(program.net, sizes))
    except Refused as error:
        shown = "x".join(map(str, sizes))
        raise FigureError(
            f"{program.name} does not work at {shown}: {error}; `netc sizes` says which sizes do"
        ) from None
    except ValueError as error:
        raise FigureError(f"{program.name}: {error}") from None


def write_scene(scene: Scene, suffix: str) -> str | bytes:
    """A scene that is no style's, such as learning curves, as the content of a `.svg`, `.png` or `.pdf` file. Raises
    `FigureError` for another format, and where a library is missing."""
    from netc.figures.svg import write  # noqa: PLC0415

    if suffix not in (".svg", ".png", ".pdf"):
        raise FigureError(f"got the format {suffix!r}, expected one of .svg, .png, .pdf")
    if suffix == ".svg":
        return write(scene, Options())
    return _rendered(write(scene, Options(theme="light")), suffix, scene.title)


def _rendered(svg: str, suffix: str, title: str) -> bytes:
    from netc.figures.raster import pdf, png  # noqa: PLC0415 - need a library that SVG does not

    return png(svg) if suffix == ".png" else pdf(svg, title)
