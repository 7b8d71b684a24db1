"""The network: a `networkx.MultiDiGraph` with typed payloads, and the only ways to change it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import networkx

from netc.diagnostics.model import Frame
from netc.ir.shape import Shape
from netc.syntax.source import Span
from netc.syntax.tree import Expr

if TYPE_CHECKING:
    from netc.layers.base import Layer

Written = Expr | tuple[Expr, ...]


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a node comes from: the words that wrote it, the expansion around it, and its written arguments.

    `written` maps a parameter of the layer to the expression (or one expression a dimension) that gave its value;
    parameters left at their default are absent.
    """

    span: Span
    frame: Frame | None = None
    written: Mapping[str, Written] = field(default_factory=dict)


@dataclass(slots=True)
class Node:
    """One layer of a network.

    `name` is unique in the net and legal in every export. `shares` names the node whose weights this one uses
    (a later call of a `shared def`), else None.
    """

    name: str
    layer: Layer
    origin: Origin
    shares: str | None = None

    @property
    def layer_name(self) -> str:
        """The name under which its weights are made."""
        return self.shares or self.name


class Net:
    """A network in topological order.

    Nodes are added after the ones they read, so insertion order is topological. Edges carry the operand slot as
    their key. `shapes` holds the inferred output shape of each node and is filled as nodes are added; a pass that
    rebuilds makes a new `Net`.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.graph: networkx.MultiDiGraph[str] = networkx.MultiDiGraph(name=name)
        self.shapes: dict[str, Shape] = {}
        self.outputs: list[str] = []

    def add(self, node: Node, operands: Sequence[str], shape: Shape) -> str:
        """Append a node that reads `operands`, in slot order; returns its name."""
        graph = self.graph
        graph.add_node(node.name, node=node)
        for slot, operand in enumerate(operands):
            graph.add_edge(operand, node.name, key=slot)
        self.shapes[node.name] = shape
        return node.name

    def __contains__(self, name: str) -> bool:
        return name in self.graph

    def __len__(self) -> int:
        return len(self.graph)

    def __iter__(self) -> Iterator[Node]:
        """All nodes in topological order."""
        for _, data in self.graph.nodes(data=True):
            yield data["node"]

    def node(self, name: str) -> Node:
        """The node of a name."""
        node: Node = self.graph.nodes[name]["node"]
        return node

    def operands(self, name: str) -> tuple[str, ...]:
        """Names of the nodes that a node reads, in slot order."""
        edges = [(slot, source) for source, _, slot in self.graph.in_edges(name, keys=True)]
        edges.sort()
        return tuple(source for _, source in edges)

    def operand_shapes(self, name: str) -> tuple[Shape, ...]:
        """Shapes of the operands, in slot order."""
        return tuple(self.shapes[source] for source in self.operands(name))

    def consumers(self, name: str) -> tuple[str, ...]:
        """Names of the nodes that read a node, in the order they were added; twice if read twice."""
        return tuple(target for _, target in self.graph.out_edges(name))

    @property
    def inputs(self) -> list[str]:
        """Names of the input nodes, in order."""
        return [node.name for node in self if node.layer.op == "input"]
