"""The style `volumes`: each layer's output as a slab in space, the diagram that VGG-16 is known by."""

from __future__ import annotations

from collections.abc import Sequence

from netc.analysis.structure import structure
from netc.figures.facts import Facts
from netc.figures.options import Options
from netc.figures.page import room, sheet
from netc.figures.scene import Scene
from netc.figures.volumes.figure import Figure
from netc.figures.volumes.geometry import WIDE
from netc.figures.volumes.parts import read
from netc.figures.volumes.shapes import Shapes
from netc.program import Program


def draw(programs: Sequence[Program], options: Options) -> Scene:
    """The figure of a network. Raises `FigureError`."""
    (program,) = programs
    facts = Facts(program)
    shapes = Shapes(facts)
    width = room(options) or WIDE
    figure = Figure(facts, shapes, read(shapes.net), structure(program), options, width)
    items = figure.items()
    if not options.bare:
        items += figure.legend(items)
    return sheet(
        items,
        title=program.name,
        facts=facts.header(),
        description=facts.description(),
        options=options,
    )
