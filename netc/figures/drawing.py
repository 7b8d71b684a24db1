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
from netc.figures.styles import AUTO, STYLES, FigureError, chosen, draw, one_or_several
from netc.params import Refused

if TYPE_CHECKING:
    from netc.figures.scene import Scene
    from netc.program import Program

TABLES = {".md": "markdown", ".tex": "latex"}  # formats of the style table, and the functions that write them
SCENES = (".svg", ".png", ".pdf", ".tikz")  # formats of every figure
FORMATS = (*SCENES, ".html", ".dot", *TABLES)
OWNERS = {**dict.fromkeys(TABLES, "table"), ".dot": "graph"}  # formats that one style alone has


@dataclass(frozen=True, repr=False)
class Drawing:
    """One figure of checked programs. In a notebook it shows itself, as SVG. Raises ValueError for an unknown style."""

    programs: tuple[Program, ...]
    style: str = AUTO
    options: Options = field(default_factory=Options)

    def __post_init__(self) -> None:
        if self.style not in (AUTO, *STYLES):
            raise ValueError(f"got style={self.style!r}, expected one of {', '.join((AUTO, *STYLES))}")

    def __repr__(self) -> str:
        return f"<Drawing of {', '.join(program.name for program in self.programs)}: {self.style}>"

    @cached_property
    def scene(self) -> Scene:
        """Its shapes with their coordinates. Raises `FigureError` for a network that the style cannot show."""
        return draw(self.shown, self.chosen, self.options)

    @cached_property
    def chosen(self) -> str:
        """The style that is drawn: what `auto` comes to for these networks and options."""
        return chosen(self.shown, self.style, self.options)

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

    @property
    def caption(self) -> str:
        """What the figure shows, its numbers, its legend and its notes as a paragraph of LaTeX, for `\\caption`."""
        from netc.figures.caption import caption  # noqa: PLC0415

        return caption(self.scene, self.options)

    def render(self, suffix: str) -> str | bytes:
        """The content of a file with such a name: `.svg`, `.png`, `.pdf`, `.tikz`, `.html`, `.dot`, and for tables
        `.md` and `.tex`; with the option `tikz`, `.tex` is as `.tikz`. Raises `FigureError` for another, and where a
        library is missing."""
        suffix = self.options.format(suffix)
        if suffix not in FORMATS:
            raise FigureError(f"got the format {suffix!r}, expected one of {', '.join(FORMATS)}")
        if self.style == AUTO and suffix == ".dot":
            return replace(self, style=OWNERS[suffix]).render(suffix)
        if OWNERS.get(suffix, self.chosen) != self.chosen:
            more = "; for TikZ give the option `tikz`, or the name .tikz" if suffix == ".tex" else ""
            raise FigureError(f"{suffix} is a format of the style {OWNERS[suffix]}, not of {self.chosen}{more}")
        one_or_several(self.programs, self.chosen)
        match suffix:
            case ".svg":
                return self.svg
            case ".html":
                from netc.figures.html import write  # noqa: PLC0415

                return write(self)
            case ".dot":
                from netc.figures.dot import dump  # noqa: PLC0415 - imports graphviz

                return dump(self.shown[0], self.options.direction)
        if suffix in SCENES:
            return write_scene(self.scene, suffix, self.options)
        text: str = getattr(import_module("netc.figures.table"), TABLES[suffix])(self.shown, self.options)
        return text

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the figure in the format of the path's name. Raises `FigureError` and OSError; the old file stays."""
        files.replace(path, self.render(Path(path).suffix.lower()))


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


def write_scene(scene: Scene, suffix: str, options: Options | None = None) -> str | bytes:
    """A scene, also one that is no style's, such as learning curves, as the content of a `.svg`, `.png`, `.pdf` or
    `.tikz` file. On paper `auto` is light: nobody can switch there. Raises `FigureError` for another format, and where
    a library is missing."""
    options = options or Options()
    if suffix not in SCENES:
        raise FigureError(f"got the format {suffix!r}, expected one of {', '.join(SCENES)}")
    if suffix != ".svg" and options.theme == "auto":
        options = replace(options, theme="light")
    if suffix == ".png":
        from netc.figures import png, svg  # noqa: PLC0415

        paper = options.theme == "print" or any(options.page)
        return png.render(svg.write(scene, options), options.dpi, usual=png.PAPER if paper else png.SCREEN)
    written: str | bytes = import_module(f"netc.figures.{suffix[1:]}").write(scene, options)
    return written
