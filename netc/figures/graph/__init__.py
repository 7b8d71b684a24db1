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
from netc.program import Program


def draw(programs: Sequence[Program], options: Options) -> Scene:
    """The graph figure of one program."""
    (program,) = programs
    tree = Builder(program, options).build()
    finish(tree, program.net)
    return Painter(Facts(program), tree, options).scene()
