"""Nodes of ONNX as they are made, before they are a file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from netc.ir.shape import Dim


@dataclass(eq=False, slots=True)
class Value:
    """What a node makes, or an input; it is named at the end."""

    name: str = ""


@dataclass(eq=False, slots=True)
class Node:
    """One node; `layer` is the layer of the network that it belongs to.

    An input is a value, an array (a constant), or None where it is left out.
    """

    op: str
    inputs: list[Any]
    outputs: list[Value]
    attributes: dict[str, Any]
    layer: str = ""

    @property
    def output(self) -> Value:
        """The output that is read."""
        return self.outputs[0]


@dataclass(eq=False, slots=True)
class Graph:
    """Nodes in order, each after those that it reads. Shapes are those of the file: batch first, channels last."""

    nodes: list[Node] = field(default_factory=list)
    inputs: list[tuple[Value, tuple[Dim, ...]]] = field(default_factory=list)
    outputs: list[tuple[Value, tuple[Dim, ...]]] = field(default_factory=list)

    def add(self, op: str, inputs: Sequence[Any], count: int = 1, **attributes: Any) -> Node:
        """Append a node of so many outputs."""
        node = Node(op, list(inputs), [Value() for _ in range(count)], attributes)
        self.nodes.append(node)
        return node

    def readers(self) -> Counter[Value]:
        """How often each value is read, by nodes and as an output."""
        read = Counter(source for node in self.nodes for source in node.inputs if isinstance(source, Value))
        read.update(value for value, _ in self.outputs)
        return read
