"""The style `volumes`: each layer's output as a slab in space, the diagram that VGG-16 is known by."""

from __future__ import annotations

from collections.abc import Sequence

from netc.analysis.structure import structure
from netc.figures.facts import Facts
from netc.figures.options import Options
from netc.figures.page import room, sheet
from netc.figures.scene import Scene
from netc.figures.styles import FigureError
from netc.figures.volumes.figure import Figure
from netc.figures.volumes.geometry import WIDE, Measures
from netc.figures.volumes.parts import read
from netc.figures.volumes.shapes import Shapes
from netc.program import Program

_TALL = (1.0, 0.85, 0.7, 0.55, 0.42)  # heights of the largest slab that are tried for a page, times the usual one


def draw(programs: Sequence[Program], options: Options) -> Scene:
    """The figure of a network. Raises `FigureError`."""
    (program,) = programs
    facts = Facts(program)
    shapes = Shapes(facts)
    width, parts, whole = room(options) or WIDE, read(shapes.net), structure(program)
    for tall in _TALL:
        figure = Figure(facts, shapes, parts, whole, options, Measures.of(width, tall))
        items = figure.items()
        if not options.bare:
            items += figure.legend(items)
        try:
            scene = sheet(
                items, title=program.name, facts=facts.header(), description=facts.description(), options=options
            )
        except FigureError:
            if options.height is None or tall == _TALL[-1]:
                raise
            continue  # it may fit with lower slabs
        scene.legend = figure.words()
        return scene
    raise AssertionError("one of the heights is the last")
