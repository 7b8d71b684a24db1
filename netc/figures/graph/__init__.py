"""The graph figure: boxes and lines, in the renderer's own geometry.

The spec's tree is measured from the innermost out and placed from the outermost in, so that the trunk is straight,
nothing crosses a box, and the same spec gives the same figure, in time linear in what is shown.
"""

from __future__ import annotations

from collections.abc import Sequence

from netc.figures.facts import Facts
from netc.figures.graph.ends import finish
from netc.figures.graph.paint import Painter
from netc.figures.graph.tree import Builder
from netc.figures.options import Options
from netc.figures.scene import Scene
from netc.figures.styles import FigureError
from netc.program import Program


def draw(programs: Sequence[Program], options: Options) -> Scene:
    """The graph figure of one program."""
    (program,) = programs
    known = Facts(program)
    if len(program.net.outputs) == 1 or options.width is None:
        return _draw(known, options)
    try:
        beside = _draw(known, options)
    except FigureError:
        return _draw(known, options, beside=False)
    below = _draw(known, options, beside=False)  # can go on from column to column
    return min(beside, below, key=lambda scene: scene.height * scene.unit)


def _draw(known: Facts, options: Options, *, beside: bool = True) -> Scene:
    tree = Builder(known.program, options).build()
    finish(tree, known.program.net, beside=beside)
    return Painter(known, tree, options).scene()
