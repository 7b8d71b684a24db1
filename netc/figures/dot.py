"""The network as a Graphviz graph: a box a layer, shapes on the edges, a frame around each copy of a definition; and
laid out by Graphviz, for those who have its `dot` and want it."""

from __future__ import annotations

from collections.abc import Container, Iterable
from itertools import pairwise

from graphviz import Digraph, escape, nohtml
from graphviz.quoting import quote

from netc.analysis.depth import trunk
from netc.analysis.sizes.text import shape
from netc.analysis.structure import Layers, Series, names_of, structure
from netc.figures.facts import Facts
from netc.figures.styles import FigureError
from netc.figures.theme import KIND_NAMES, colour
from netc.ir.net import Node
from netc.lower.expansion import Task, walk
from netc.program import Program
from netc.report.rows import kind_of

FORMATS = (".svg", ".png", ".pdf", ".dot")  # that Graphviz writes
PATIENCE = 60  # seconds
_FONT = "Helvetica"
_STRAIGHT = "10"  # the weight of an edge of the trunk
_EDGE = {"fontname": _FONT, "fontsize": "9", "fontcolor": "#555555", "color": "#555555", "arrowsize": "0.6"}
_FRAME = 'label="" color="#aaaaaa" style=rounded'
# The name of a frame is a node of its own at the left of its first layer: edges go around nodes, but through the labels
# of frames.
_NAME = 'shape=plaintext fillcolor=none style="" margin=0 width=0 height=0'
_BESIDE = f"minlen=0 weight={_STRAIGHT} style=invis"


def dump(program: Program, direction: str = "tb") -> str:
    """A program as DOT text, the same for the same program, from top to bottom or from left to right (`lr`). No text of
    the spec is read as markup or as a link. Hints keep the trunk straight, with its shortcuts beside it."""
    graph = Digraph(escape(program.name))
    graph.attr("node", shape="box", style="rounded,filled", fillcolor="white", color="#555555", fontname=_FONT)
    graph.attr("node", fontsize="10", margin="0.12,0.05")
    graph.attr("edge", **_EDGE)
    if direction == "lr":
        graph.attr(rankdir="LR")
    path = trunk(program.net)
    known = Facts(program)
    walk(_series(graph, known, structure(program), set(path)))
    straight = set(pairwise(path))
    for node in program.net:
        for operand in program.net.operands(node.name):
            weight = _STRAIGHT if (operand, node.name) in straight else None
            graph.edge(operand, node.name, label=shape(known.extents(operand)), weight=weight)
    source: str = graph.source
    return source


def _series(graph: Digraph, known: Facts, series: Series, path: Container[str]) -> Task:
    """The layers of a series, each inside the frames of the calls that made it."""
    for item in series.items:
        if isinstance(item, Layers):
            for name in item.names:
                _node(graph, known, known.program.net.node(name), name in path)
            for branch in item.branches:
                yield _series(graph, known, branch, path)
            continue
        inside = names_of(item.passes[0]) if item.definition else []
        if inside:  # not the identity of a shortcut
            label, name = quote(_lines([item.name, f"({item.definition})"])), quote("name of " + item.name)
            first = quote(next((layer for layer in inside if layer in path), inside[0]))
            graph.body.append(f"\tsubgraph {quote('cluster_' + item.name)} {{\n")
            graph.body.append(f"\tgraph [{_FRAME}]\n")
            graph.body.append(f"\t{name} [label={label} {_NAME}]\n")
            graph.body.append(f"\t{name} -> {first} [{_BESIDE}]\n")
        for inner in item.passes:
            yield _series(graph, known, inner, path)
        if inside:
            graph.body.append("\t}\n")


def _node(graph: Digraph, known: Facts, node: Node, on_path: bool) -> None:
    net = known.program.net
    lines = [node.name, kind_of(node, net)]
    if node.shares:
        lines.append(f"weights of {node.shares}")
    if node.name in net.outputs:
        lines.append(shape(known.extents(node.name)))
    look = {"fillcolor": colour(node.layer.family, "light")} if node.layer.family in KIND_NAMES else {}
    look |= {"group": "trunk"} if on_path else {}
    graph.node(node.name, _lines(lines), shape="ellipse" if node.layer.is_input else None, **look)


def _lines(lines: Iterable[str]) -> str:
    """A label of several lines, none of which is markup."""
    text: str = nohtml("\\n".join(escape(line) for line in lines))
    return text


def layout(program: Program, suffix: str, direction: str = "tb") -> str | bytes:
    """A program in the format of a file's suffix, from top to bottom (`tb`) or from left to right (`lr`). Raises
    `FigureError` without `dot`, or when it fails."""
    if suffix not in FORMATS:
        raise FigureError(f"Graphviz writes {', '.join(FORMATS)}, not {suffix}")
    text = dump(program, direction)
    if suffix == ".dot":
        return text
    made = _run(text, suffix[1:])
    return made.decode() if suffix == ".svg" else made


def _run(text: str, format: str) -> bytes:
    import subprocess  # noqa: PLC0415 - only here

    try:
        made = subprocess.run(
            ["dot", f"-T{format}"], input=text.encode(), capture_output=True, timeout=PATIENCE, check=True
        )
    except FileNotFoundError:
        raise FigureError(
            "--engine graphviz needs Graphviz' `dot` (graphviz.org); without it, leave --engine out"
        ) from None
    except subprocess.TimeoutExpired:
        raise FigureError(f"Graphviz did not finish in {PATIENCE} seconds; without it, leave --engine out") from None
    except subprocess.CalledProcessError as error:
        said = error.stderr.decode(errors="replace").strip()[:300]
        raise FigureError(f"Graphviz failed: {said!a}") from None
    return made.stdout
