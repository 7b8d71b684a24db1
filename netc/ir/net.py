"""The network: nodes with typed payloads and ordered operands."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from netc.diagnostics.model import Frame
from netc.ir.shape import Shape
from netc.syntax.source import Span
from netc.syntax.tree import Definition, Expr

if TYPE_CHECKING:
    from netc.layers.base import Layer

Written = Expr | tuple[Expr | None, ...]  # one expression a dimension, None for a `?`


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a node comes from: the words that wrote it, the expansion around it, and its written arguments.

    `written` maps a parameter of the layer to the expression (or one expression a dimension) that gave its value;
    parameters left at their default are absent. `unseen` are the expressions of `default` statements that gave others
    and cannot be written here, where their names mean something else or nothing. `word` is the word of a `default` that
    made the node, whose `span` then is the statement's. `in_order` says that the operands are read in the order
    that was written, though it means nothing. `op` is the expression whose value named the operation, if any did.
    """

    span: Span
    frame: Frame | None = None
    written: Mapping[str, Written] = field(default_factory=dict)
    unseen: tuple[Expr, ...] = ()
    word: Span | None = None
    in_order: bool = False
    op: Expr | None = None


@dataclass(frozen=True, slots=True)
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


@dataclass(frozen=True, slots=True)
class SharedCall:
    """One call of a `shared def`: the nodes whose tensors it is called on and handed, its own, which stand together in
    the network, from the number `start` to before `stop`, and the one that holds what it gives.

    `reads_sizes` says that what it makes may depend on the sizes of its maps.
    """

    definition: Definition
    operands: tuple[str, ...]
    start: int
    stop: int
    result: str
    reads_sizes: bool


class Net:
    """A network in topological order.

    Nodes are added after the ones they read, so insertion order is topological. `shapes` holds the inferred output
    shape of each node, and `shared` the calls of `shared def`s on tensors, outer ones first. `netc.lift.graph` gives it
    to users as a `networkx.MultiDiGraph`, and takes it from them.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.shapes: dict[str, Shape] = {}
        self.outputs: list[str] = []
        self.shared: list[SharedCall] = []
        self._nodes: dict[str, Node] = {}
        self._operands: dict[str, tuple[str, ...]] = {}
        self._consumers: dict[str, list[str]] = {}

    def add(self, node: Node, operands: Sequence[str], shape: Shape) -> str:
        """Append a node that reads `operands`, in slot order; returns its name."""
        name = node.name
        self._nodes[name] = node
        self._operands[name] = tuple(operands)
        self._consumers[name] = []
        for operand in operands:
            self._consumers[operand].append(name)
        self.shapes[name] = shape
        return name

    def __contains__(self, name: str) -> bool:
        return name in self._nodes

    def __len__(self) -> int:
        return len(self._nodes)

    def __iter__(self) -> Iterator[Node]:
        """All nodes in topological order."""
        return iter(self._nodes.values())

    def node(self, name: str) -> Node:
        """The node of a name."""
        return self._nodes[name]

    def operands(self, name: str) -> tuple[str, ...]:
        """Names of the nodes that a node reads, in slot order."""
        return self._operands[name]

    def operand_shapes(self, name: str) -> tuple[Shape, ...]:
        """Shapes of the operands, in slot order."""
        return tuple(self.shapes[source] for source in self._operands[name])

    def consumers(self, name: str) -> tuple[str, ...]:
        """Names of the nodes that read a node, in the order they were added; twice if read twice."""
        return tuple(self._consumers[name])

    def ids(self, name: str) -> int | None:
        """How many ids a node may hold, where layers read it as such; None where it holds amounts."""
        readers = [self.node(reader).layer for reader in self._consumers[name]]
        return min((getattr(layer, layer.ids) for layer in readers if layer.ids), default=None)

    def rewrite(self, rule: Callable[[Node], Node]) -> Net:
        """The network with each node as a rule gives it: the node itself, or one that stands for it, with its name and
        its shape. The network itself where no node changes; else both have their edges in common.

        Raises `AssertionError` for a rule that changes more.
        """
        changed = {node.name: made for node in self if (made := rule(node)) is not node}
        if not changed:
            return self
        for name, made in changed.items():
            operands = self.operand_shapes(name)
            if made.name != name or (operands and made.layer.infer(operands) != self.shapes[name]):
                raise AssertionError(f"a rule made another layer of `{name}`: {made.layer}")
        net = copy(self)
        net._nodes = self._nodes | changed
        return net

    def used(self) -> set[str]:
        """Names of the nodes that an output depends on, the outputs among them."""
        reached, waiting = set(self.outputs), list(self.outputs)
        while waiting:
            new = set(self._operands[waiting.pop()]) - reached
            reached |= new
            waiting.extend(new)
        return reached

    @property
    def is_open(self) -> bool:
        """Whether the size of an input is unknown."""
        return any(None in self.shapes[name] for name in self.inputs)

    @property
    def inputs(self) -> list[str]:
        """Names of the input nodes, in order."""
        return [node.name for node in self if node.layer.is_input]
