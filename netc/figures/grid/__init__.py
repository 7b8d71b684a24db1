"""The style `grid`: a row for each resolution, maps as bars, operations as arrows; U-Nets, pyramids, parallel streams.

As their papers draw them: Ronneberger et al. 2015 (arXiv:1505.04597, Figure 1), Lin et al. 2017 (arXiv:1612.03144,
Figure 3), Wang et al. 2020 (arXiv:1908.07919, Figure 2). The way from a network to a figure: `reduce` (what is drawn),
`place` (its columns), `layout` (where), `route` (the arrows), `labels` and `paint` (the shapes).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import ceil

from netc.diagnostics.escape import harmless
from netc.figures.facts import Facts
from netc.figures.grid.layout import TEXT, WIDE, Measure
from netc.figures.grid.paint import Painter
from netc.figures.grid.place import place
from netc.figures.grid.reduce import Plan, reduce, step
from netc.figures.grid.route import Router
from netc.figures.grid.rows import resolutions
from netc.figures.grid.words import Words
from netc.figures.options import Options
from netc.figures.page import LEAST, margin, room
from netc.figures.scene import Scene
from netc.figures.styles import FigureError
from netc.ir.shape import rank_of
from netc.program import Program

_PAGE = 840.0  # units: a page of 7 in, which a figure without a width is laid out for too
_WIDEST = 1.5 * _PAGE  # units: what is wider is a graph, unless it is asked for
_SCALES = (1.0, 0.8, 0.55, 0.45)  # of the widths of bars: in a large figure, in a small one, where there is no room
_LINES = {True: 90.0, False: 52.0}  # units: of a line of text under a bar at most, where it can be broken
_MOST = 36  # maps that are drawn each by itself


def draw(programs: Sequence[Program], options: Options) -> Scene:
    """The scene of one checked network. Raises `FigureError` where it does not fit in the width."""
    return painter(programs[0], options).scene()


def suits(program: Program, options: Options) -> bool:
    """Whether a network is one that papers draw by resolution, and fits in a grid: maps become finer in it, or leave it
    at several resolutions. In time linear in its layers."""
    net = program.net
    finer = any(step(net, node) > 1 for node in net if rank_of(net.shapes[node.name]))
    if not finer and resolutions(net, net.outputs) < 2:
        return False
    plan = reduce(program, blocks=True)
    least = Measure(net, plan, place(plan.cells), Words(program, plan, _LINES[False]), False, _SCALES[-1]).needed
    return least <= (room(options, TEXT) or _WIDEST)


def painter(program: Program, options: Options) -> Painter:
    """The figure of a network in the most detail that fits in the width."""
    given = room(options, TEXT)
    wanted = _PAGE if given is None else given
    measure = None
    for measure in _ways(program, options, wanted >= WIDE):
        if measure.needed <= wanted:
            break
    assert measure is not None
    if given is not None and measure.needed > given:
        least = ceil((measure.needed + 2 * margin(options)) * LEAST / TEXT / 72 * 100) / 100
        raise FigureError(
            f"the style grid cannot show {harmless(program.name)} in a width of {_inches(options):.3g} in with text "
            f"of {LEAST:g} pt: expected at least {least:g} in; the style graph needs less"
        )
    layout = measure.solve(max(wanted, measure.needed))
    router = Router(layout, measure.plan.cells)
    return Painter(Facts(program), measure.plan, measure.words, layout, router, options)


def _inches(options: Options) -> float:
    return (options.page[0] or 0) / 72


def _ways(program: Program, options: Options, large: bool) -> Iterator[Measure]:
    """The figure in less and less detail, and with narrower bars."""
    scales = _SCALES if large else _SCALES[1:]
    for plan in _plans(program, options, large):
        columns, words = place(plan.cells), Words(program, plan, _LINES[large])
        for scale in scales:
            yield Measure(program.net, plan, columns, words, large, scale)


def _plans(program: Program, options: Options, large: bool) -> Iterator[Plan]:
    blocks = reduce(program, blocks=True)
    if options.collapse == "none" or (options.collapse == "auto" and _is_plain(program, blocks)):
        if large:
            yield reduce(program, pools=True)
        yield reduce(program)
    if options.collapse != "none":
        yield reduce(program, blocks=True, stem=True)
        yield blocks


def _is_plain(program: Program, blocks: Plan) -> bool:
    """Whether each map of a network is drawn by itself: few, and none of residual blocks."""
    residual = any(part.inner for cell in blocks.cells for part in cell.parts)
    return not residual and len(reduce(program).cells) <= _MOST
