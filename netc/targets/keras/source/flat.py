"""The network layer by layer, one statement each, straight from the graph."""

from __future__ import annotations

import ast
from collections.abc import Generator, Iterator
from itertools import zip_longest

from netc.ir.net import Net, Node, SharedCall
from netc.syntax.tree import Definition
from netc.target import Call
from netc.targets.keras.lowering import applied
from netc.targets.keras.nesting import Nesting
from netc.targets.keras.order import depths, operand_order
from netc.targets.keras.source import tree
from netc.targets.keras.source.calls import link, made
from netc.targets.keras.source.expressions import constant
from netc.targets.keras.source.identifiers import Identifiers
from netc.targets.keras.source.printer import one_or_all
from netc.targets.keras.source.tree import assign, listed, load


class Flat:
    """Prints a network. `variables` holds the variable of each node's tensor."""

    def __init__(self, net: Net, identifiers: Identifiers) -> None:
        self.net = net
        self.identifiers = identifiers
        self.variables: dict[str, str] = {}
        self._depth = depths(net)
        self._nesting = Nesting(net)
        self._models: dict[Definition, str] = {}  # variables of models in the model
        self._position = {node.name: index for index, node in enumerate(net)}
        self._reused = {node.shares for node in net if node.shares}
        self._layers: dict[str, str] = {}  # variables of layers that are called again

    def statements(self) -> Iterator[ast.stmt]:
        """The statements, in topological order."""
        yield from self._parts(None)

    def _parts(self, within: SharedCall | None) -> Iterator[ast.stmt]:
        parts = list(self._nesting.parts(within))
        for part, following in zip_longest(parts, parts[1:]):
            node = self.net.node(part.result) if isinstance(part, SharedCall) else part
            target = None
            if isinstance(following, SharedCall) and following.definition not in self._models:
                if node.name in following.operands:  # what makes the model stands between
                    target = self.identifiers.make(node.name)
            elif following is None and within is not None:
                target = "x"
            if isinstance(part, SharedCall):
                yield from self._call(part, target)
            else:
                yield from self._node(part, target)

    def _call(self, call: SharedCall, target: str | None) -> Iterator[ast.stmt]:
        """A call of a model, after what makes it."""
        nested = self._nesting.models[call.definition]
        given = [self.variables[name] for name in call.operands]
        if call.definition not in self._models:
            inputs = [self.identifiers.make(name) for name in nested.inputs]
            for variable, name, shape in zip(inputs, nested.inputs, nested.shapes, strict=True):
                yield assign(variable, tree.call("keras.Input", shape=constant(shape), name=constant(name)))
            self.variables.update(zip(call.operands, inputs, strict=True))
            yield from self._parts(call)
            self.variables.update(zip(call.operands, given, strict=True))
            model = self._models[call.definition] = self.identifiers.make(nested.name)
            result = load(self.variables[call.result])
            yield assign(model, tree.call("keras.Model", one_or_all(inputs), result, name=constant(nested.name)))
        self.variables[call.result] = target or self._variable(self.net.node(call.result))
        yield assign(self.variables[call.result], tree.call(self._models[call.definition], one_or_all(given)))

    def _node(self, node: Node, target: str | None) -> Iterator[ast.stmt]:
        target = target or self._variable(node)
        first = self.net.operand_shapes(node.shares) if node.shares else None
        calls = applied(node.layer, self.net.operand_shapes(node.name), first)
        operands = self._operands(node)
        for target_call in calls:
            into = target if target_call is calls[-1] else "x"
            layer = yield from self._made(node, target_call)
            called = link(target_call, ast.Constant(""), node.layer.op).output
            yield assign(into, called(layer, operands) if operands else layer)
            operands = load(into)
        self.variables[node.name] = target

    def _operands(self, node: Node) -> ast.expr | None:
        operands = self.net.operands(node.name)
        if len(operands) <= 1:
            return load(self.variables[operands[0]]) if operands else None
        order = operand_order(self.net, node.name, self._depth)
        return listed(load(self.variables[operands[slot]]) for slot in order)

    def _made(self, node: Node, target: Call) -> Generator[ast.stmt, None, ast.expr]:
        """The layer: a call, or the variable of a layer that is called several times."""
        name = node.layer_name + target.suffix
        layer = made(target, name=ast.Constant(name))
        if (node.shares is None and node.name not in self._reused) or self._nesting.around(node.layer_name):
            return layer
        if name not in self._layers:
            self._layers[name] = self.identifiers.make(f"{name}_layer")
            yield assign(self._layers[name], layer)
        return load(self._layers[name])

    def _variable(self, node: Node) -> str:
        """`x` for a tensor that only the next layer reads, else a variable of its own."""
        if node.layer.is_input:
            return "inputs" if len(self.net.inputs) == 1 else self.identifiers.make(node.name)
        readers = {self._position[name] for name in self.net.consumers(node.name)}
        last = self._position[node.name] == len(self._position) - 1
        if node.name in self.net.outputs:
            return "x" if last else self.identifiers.make(node.name)
        return "x" if readers == {self._position[node.name] + 1} else self.identifiers.make(node.name)
