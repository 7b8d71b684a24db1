"""Networks as networkx graphs, both ways: what `Network.graph` gives, `from_graph` takes.

The form (docs/graph.md): a `networkx.MultiDiGraph` whose nodes are named as the layers and carry `layer`, the typed
layer, `shape`, what it makes, and `shares`, the layer whose weights it uses (None for its own); an edge goes from a
layer to one that reads it, its key is the operand slot. The graph itself carries `name`, `outputs`, `parameters`,
and `data` and `train` as a spec writes them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from netc.compiler import compile_source
from netc.diagnostics.model import Diagnostics
from netc.ir.net import Net, Node, Origin
from netc.ir.shape import Shape
from netc.layers.base import LAYERS, Layer
from netc.lift.arguments import Unwritable, accepted, given
from netc.lift.text import section_text, statements_of
from netc.limits import Limits
from netc.params import Refused
from netc.program import Program
from netc.rewrites.canonical import plain, single_pixel_pool
from netc.syntax.format import format_file
from netc.syntax.parser import parse
from netc.syntax.printer import print_tree
from netc.syntax.source import NOWHERE, Source
from netc.syntax.tree import is_name

if TYPE_CHECKING:
    import networkx

UNUSED_LABEL = "NET508"  # labels of the text give layers their names
MOST_SHOWN = 5  # names in a message


class GraphError(ValueError):
    """A graph that is no network. The message names the node."""


# -- to a graph ----------------------------------------------------------------------------------------------


def graph_of(program: Program) -> networkx.MultiDiGraph[str]:
    """The graph of a program, made anew: it is the caller's."""
    import networkx  # noqa: PLC0415 - longer than most checks

    net, sections = program.net, program.sections
    graph: networkx.MultiDiGraph[str] = networkx.MultiDiGraph(
        name=program.name,
        outputs=tuple(net.outputs),
        parameters=dict(program.parameters),
        data=sections.data and section_text(sections.data, program),
        train=sections.train and section_text(sections.train, program),
    )
    for node in net:
        graph.add_node(node.name, layer=plain(node.layer), shape=net.shapes[node.name], shares=node.shares)
        for slot, source in enumerate(net.operands(node.name)):
            graph.add_edge(source, node.name, key=slot)
    return graph


# -- from a graph --------------------------------------------------------------------------------------------


def program_of(graph: networkx.MultiDiGraph[str]) -> Program:
    """The checked program of a graph, whose text netc writes: what is wrong with a layer is reported there.

    Raises `GraphError` for a graph that is no network, TypeError for another kind of graph.
    """
    net = _net(graph)
    parameters = graph.graph.get("parameters") or {}
    if not isinstance(parameters, Mapping):
        raise GraphError(f"the graph's `parameters` are {parameters!r}, expected the values by name")
    sections = [_section(word, graph.graph.get(word)) for word in ("data", "train")]
    program = compile_source(Source("<graph>", _text(net) + "".join(sections)))
    program.report.discard(lambda found: found.code == UNUSED_LABEL)
    if not program.report.failed:
        prove_equal(net, program.net)
    program.from_graph, program.name = True, net.name
    program.parameters = dict(parameters)
    return program


def text_of_program(program: Program) -> str:
    """The text of a program as `program_of` would write it for its graph. Raises `GraphError`."""
    sections = [section for section in (program.sections.data, program.sections.train) if section is not None]
    return _text(program.net) + "".join(section_text(section, program) for section in sections)


def _text(net: Net) -> str:
    try:
        return print_tree(statements_of(net))
    except Unwritable as error:
        raise GraphError(str(error)) from None


def prove_equal(net: Net, other: Net) -> None:
    """Raise `AssertionError` unless two networks have the same layers under the same names, joined alike."""
    if net.shapes.keys() != other.shapes.keys():
        raise AssertionError("the text of a graph has other layers")
    for node in net:
        if _facts(node, net) != _facts(other.node(node.name), other):
            raise AssertionError(f"the text of a graph says something else of `{node.name}`")
    if net.outputs != other.outputs:
        raise AssertionError("the text of a graph has other outputs")


def _facts(node: Node, net: Net) -> tuple[object, ...]:
    """What of a layer must be the same in its text."""
    return node.layer.op, given(node.layer), net.operands(node.name), node.shares


def _net(graph: networkx.MultiDiGraph[str]) -> Net:
    """The network of a graph, with everything checked that a text cannot get wrong."""
    import networkx  # noqa: PLC0415

    if not isinstance(graph, networkx.MultiDiGraph):
        raise TypeError(f"got a {type(graph).__name__}, expected a networkx.MultiDiGraph (the form of `Network.graph`)")
    if not graph:
        raise GraphError("the graph has no layers")
    net = Net(str(graph.graph.get("name") or "net"))
    for name, attributes in graph.nodes(data=True):
        _check_node(name, attributes)
    for name in _ordered(graph):
        attributes = graph.nodes[name]
        operands = _operands(graph, name)
        shapes = [net.shapes[operand] for operand in operands]
        layer = _normal(name, attributes["layer"], shapes)
        try:
            shape = layer.infer(shapes)
        except Refused as error:
            raise GraphError(f"`{name}`, {_listed(operands, 'which reads')}: {error.message}") from None
        node = Node(name, layer, Origin(NOWHERE), attributes.get("shares"))
        net.add(single_pixel_pool(node), operands, shape)
    _check_sharing(net)
    net.outputs = _outputs(graph, net)
    if unused := net.shapes.keys() - net.used():
        raise GraphError(f"no output depends on {_listed(sorted(unused))}: remove it, or name it in `outputs`")
    return net


def _check_node(name: object, attributes: Mapping[str, Any]) -> None:
    if not isinstance(name, str) or not is_name(name):
        raise GraphError(
            f"{name!r} is no name of a layer: expected letters, digits and `_`, and no word of the language"
        )
    if "layer" not in attributes:
        raise GraphError(f"`{name}` has no attribute `layer`")
    layer = attributes["layer"]
    if not isinstance(layer, Layer) or LAYERS.get(getattr(layer, "op", "")) is not type(layer):
        raise GraphError(f"`{name}` has the layer {layer!r}, expected one of an operation in netc.layers.LAYERS")


def _ordered(graph: networkx.MultiDiGraph[str]) -> list[str]:
    """The nodes in topological order; as they were added, where that is one."""
    import networkx  # noqa: PLC0415

    places = {name: place for place, name in enumerate(graph)}
    try:
        return list(networkx.lexicographical_topological_sort(graph, key=places.__getitem__))
    except networkx.NetworkXUnfeasible:
        around = " -> ".join(f"`{edge[0]}`" for edge in networkx.find_cycle(graph))
        raise GraphError(f"the graph goes round in a circle: {around} -> ...") from None


def _operands(graph: networkx.MultiDiGraph[str], name: str) -> list[str]:
    """What a node reads, by the keys of its edges: 0, 1, 2 ..."""
    layer: Layer = graph.nodes[name]["layer"]
    edges = [(key, source) for source, _, key in graph.in_edges(name, keys=True)]
    slots = [key for key, _ in edges]
    if any(isinstance(key, bool) or not isinstance(key, int) for key in slots) or sorted(slots) != [*range(len(slots))]:
        shown = ", ".join(f"`{source}` with {key!r}" for key, source in edges)
        raise GraphError(f"`{name}` reads {shown}: the keys of its edges are its slots, expected 0 to {len(edges) - 1}")
    least, most = layer.reads
    if not least <= len(edges) <= (len(edges) if most is None else most):
        expected = str(least) if least == most else f"at least {least}"
        raise GraphError(f"`{name}` ({layer.op}) reads {expected} layers, but {len(edges)} edges lead to it")
    return [source for _, source in sorted(edges)]


def _normal(name: str, layer: Layer, shapes: list[Shape]) -> Layer:
    """A layer with its values as a spec stores them, each checked by the kind of its parameter."""
    try:
        return type(layer)(**accepted(type(layer), given(layer), len(shapes[0]) - 1 if shapes else 0))
    except Refused as error:
        raise GraphError(f"`{name}`: `{error.param}` of `{layer.op}`: {error}") from None


def _check_sharing(net: Net) -> None:
    for node in net:
        if node.shares is None:
            continue
        if not isinstance(node.shares, str) or node.shares not in net:
            raise GraphError(f"`{node.name}` shares the weights of {node.shares!r}, and there is no such layer")
        first = net.node(node.shares)
        if first.shares is not None:
            raise GraphError(f"`{node.name}` shares the weights of `{first.name}`, whose are those of `{first.shares}`")
        weights, others = (each.layer.weights(net.operand_shapes(each.name)) for each in (node, first))
        if first.layer != node.layer or [one.shape for one in weights] != [one.shape for one in others]:
            raise GraphError(f"`{node.name}` shares the weights of `{first.name}`, which is another layer")


def _outputs(graph: networkx.MultiDiGraph[str], net: Net) -> list[str]:
    """The outputs that the graph names; without any, the one layer that nothing reads."""
    ends = [name for name in net.shapes if not net.consumers(name)]
    named = graph.graph.get("outputs", ends if len(ends) == 1 else None)
    if named is None:
        raise GraphError(f"nothing reads {_listed(ends)}: name the outputs in the graph's attribute `outputs`")
    sequence = isinstance(named, list | tuple) and all(isinstance(name, str) for name in named)
    if not sequence or not named or len(set(named)) < len(named):
        raise GraphError(f"the graph's `outputs` are {named!r}, expected a list of different layers")
    for name in named:
        if name not in net:
            raise GraphError(f"the graph's `outputs` name {name!r}, and there is no such layer")
    return list(named)


def _section(word: str, text: object) -> str:
    """A section in the canonical style; as it stands, where it has errors."""
    if text is None:
        return ""
    if not isinstance(text, str):
        raise GraphError(f"the graph's `{word}` is {text!r}, expected the text of the section: `{word} {{ ... }}`")
    report = Diagnostics()
    file = parse(Source(f"<{word}>", text), Limits(), report)
    if report.failed:
        return text + "\n"
    if len(file.statements) != 1 or getattr(file.statements[0], "name", "") != word:
        raise GraphError(f"the graph's `{word}` is no section: expected `{word} {{ ... }}`")
    return format_file(file)


def _listed(names: Sequence[str], words: str = "") -> str:
    """Names for a message."""
    shown = ", ".join(f"`{name}`" for name in names[:MOST_SHOWN]) + ", ..." * (len(names) > MOST_SHOWN)
    return f"{words} {shown}".strip()
