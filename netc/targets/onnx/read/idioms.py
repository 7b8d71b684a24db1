"""Nodes that are one layer together, in the ways in which exporters write it: replaced by a node that says so."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from netc.layers.base import LAYERS
from netc.lift.source import Unsaid
from netc.params import Refused
from netc.targets.onnx.read import functions
from netc.targets.onnx.read.constants import Constant, short
from netc.targets.onnx.read.functions import Above, Form, NoForm, X, form, form_of
from netc.targets.onnx.read.graph import Graph, Op

MOST_NODES = 16  # of a function
MOST_LOOKED_AT = 3_000  # nodes of functions, besides some for each node of a model


def layer_form(op: str, **values: Any) -> Form:
    try:
        return form_of(LAYERS[op](**values))
    except Refused:
        raise NoForm from None


def _applied(outer: Form, x: Form) -> Form:
    """A function of a form, where it is of `x` itself."""
    if x.key == X.key:
        return outer
    raise NoForm


Forms = list[Form]
Made = Callable[[Op, list[Any]], Any]

UNARY: Mapping[str, Callable[[Form], Any]] = {
    "Neg": lambda p: -p,
    "Exp": functions.Symbolic.exp,
    "Log": functions.Symbolic.log,
    "Sqrt": functions.Symbolic.sqrt,
    "Erf": functions.Symbolic.erf,
    "Tanh": functions.Symbolic.tanh,
    "Sigmoid": functions.Symbolic.sigmoid,
    "Abs": functions.Symbolic.abs,
    "Reciprocal": lambda p: 1.0 / p,
    "Relu": functions.relu,
    "Softplus": functions.softplus,
    "Softsign": lambda p: p / (functions.absolute(p) + 1.0),
    "HardSwish": lambda p: p * (functions.relu(p + 3.0) - functions.relu(p - 3.0)) * (1 / 6),
    "Mish": lambda p: p * functions.Symbolic.tanh(functions.softplus(p)),
    "Identity": lambda p: p,
}
BINARY: Mapping[str, Callable[[Any, Any], Any]] = {
    "Add": lambda p, q: p + q,
    "Sub": lambda p, q: p - q,
    "Mul": lambda p, q: p * q,
    "Div": lambda p, q: p / q,
    "Max": functions.maximum,
    "Min": lambda p, q: q - functions.relu(q - p),
    "Greater": lambda p, q: p > q,
    "Less": lambda p, q: p < q,
    "GreaterOrEqual": lambda p, q: Above(q - p, otherwise=True),
    "LessOrEqual": lambda p, q: Above(p - q, otherwise=True),
}
UNIT = form(0.0), form(1.0)
# With attributes: what they are called and are where they are not given, and the activation.
GIVEN: Mapping[str, tuple[dict[str, float], Callable[..., Form]]] = {
    "LeakyRelu": ({"alpha": 0.01}, lambda p, alpha: functions.relu(p) - functions.relu(-p) * alpha),
    "HardSigmoid": ({"alpha": 0.2, "beta": 0.5}, lambda p, alpha, beta: functions.clip(p * alpha + beta, *UNIT)),
    "ThresholdedRelu": ({"alpha": 1.0}, lambda p, alpha: functions.chosen(p > alpha, p, form(0.0))),
    "Elu": ({"alpha": 1.0}, lambda p, alpha: _applied(layer_form("elu", alpha=alpha), p)),
    "Celu": ({"alpha": 1.0}, lambda p, alpha: _applied(layer_form("celu", alpha=alpha), p)),
    "Swish": ({"alpha": 1.0}, lambda p, alpha: p * functions.sigmoid(p * alpha)),
}
SELU = {"alpha": 1.6732632, "gamma": 1.0507009}
EXACT = 1e-6


def _gelu(op: Op, p: Form) -> Form:
    kind = op.attributes.get("approximate", "none")
    if kind not in ("none", "tanh"):
        raise NoForm
    return _applied(layer_form("gelu", approximate=kind == "tanh"), p)


def _selu(op: Op, p: Form) -> Form:
    for name, usual in SELU.items():
        if abs(op.attributes.get(name, usual) - usual) > EXACT:
            raise NoForm
    return _applied(layer_form("selu"), p)


def _clip(op: Op, given: list[Any]) -> Form:
    low, high = (*given[1:], None, None)[:2] if len(given) > 1 else (None, None)
    bounds = []
    for name, bound in (("min", low), ("max", high)):
        number = op.attributes.get(name) if bound is None else bound.number
        bounds.append(None if number is None or abs(number) > 1e30 else form(number))
    return functions.clip(given[0], *bounds)


def _computed(op: Op, given: list[Any]) -> Any:
    """What a node computes of forms. Raises `NoForm`."""
    if op.domain or (op.attributes and op.op not in (*GIVEN, "Clip", "Selu", "Gelu")):
        raise NoForm
    if op.op in UNARY and len(given) == 1:
        return UNARY[op.op](given[0])
    if op.op in BINARY and len(given) == 2:
        return BINARY[op.op](*given)
    if op.op in GIVEN and len(given) == 1:
        usual, function = GIVEN[op.op]
        if not op.attributes.keys() <= usual.keys():
            raise NoForm
        return function(given[0], **{name: op.attributes.get(name, value) for name, value in usual.items()})
    if op.op == "Clip" and op.attributes.keys() <= {"min", "max"}:
        return _clip(op, given)
    if op.op == "Pow" and len(given) == 2 and given[1].number is not None:
        return functions.power(given[0], given[1].number)
    if op.op == "Where" and isinstance(given[0], Above):
        return functions.chosen(given[0], given[1], given[2])
    if op.op == "Gelu":
        return _gelu(op, given[0])
    if op.op == "Selu":
        return _selu(op, given[0])
    raise NoForm


ELEMENTWISE = {*UNARY, *BINARY, *GIVEN, "Clip", "Pow", "Where", "Gelu", "Selu"}


@dataclass(slots=True)
class _Functions:
    """Finds functions of one tensor."""

    graph: Graph
    places: dict[str, int]  # of the nodes that make values
    left: int  # nodes that may still be looked at: chains of hundreds of nodes take no longer than others

    def number(self, name: str) -> Constant | None:
        """A constant that is a number."""
        found = self.graph.constants.get(name)
        return found if found is not None and found.size == 1 and found.dtype.kind == "f" else None

    def bases(self, op: Op) -> list[tuple[str, list[Op]]]:
        """The values that a node is a function of, farthest first, each with the nodes between."""
        found: list[tuple[str, list[Op]]] = []
        frontier, inside = {op.outputs[0]}, list[Op]()
        while len(inside) < (MOST_NODES if self.left > 0 else 1):
            latest = max(frontier, key=lambda name: self.places.get(name, -1))
            maker = self.graph.ops[self.places[latest]] if latest in self.places else None
            if maker is None or maker.op not in ELEMENTWISE or maker.domain or latest != maker.outputs[0]:
                break
            inside.append(maker)
            frontier.remove(latest)
            frontier |= {name for name in maker.inputs if name and self.number(name) is None}
            if any(name in self.graph.constants for name in frontier) or not frontier:
                break
            if len(frontier) == 1:
                found.append((next(iter(frontier)), inside[::-1]))
        return found[::-1]

    def function(self, base: str, inside: list[Op]) -> tuple[functions.Found, int] | None:
        """The activation that some nodes are of a value, and the most axes of their constants."""
        known: dict[str, Any] = {base: X}
        self.left -= len(inside)
        numbers, rank = [], 0
        try:
            for op in sorted(inside, key=lambda one: self.places[one.outputs[0]]):
                given: list[Any] = []
                for name in op.inputs:
                    constant = self.number(name) if name else None
                    if constant is not None:
                        value = short(float(constant.array().reshape(-1)[0]))
                        numbers.append(value)
                        rank = max(rank, len(constant.shape))
                        given.append(form(value) if abs(value) < 1e30 else _Endless(value))
                    elif name:
                        given.append(known[name])
                    else:
                        given.append(None)
                numbers += [value for value in op.attributes.values() if isinstance(value, int | float)]
                known[op.outputs[0]] = _computed(op, given)
            made = known[inside[-1].outputs[0]]
            if not isinstance(made, Form):
                return None
            found = functions.activation(made, numbers, short)
        except (NoForm, Unsaid, ArithmeticError, AttributeError, TypeError):
            return None
        return None if found is None else (found, rank)


@dataclass(frozen=True, slots=True)
class _Endless:
    """A bound that is none."""

    number: float


def with_functions(graph: Graph) -> None:
    """Replace nodes that are an activation together."""
    places = {name: at for at, op in enumerate(graph.ops) for name in op.outputs if name}
    finder = _Functions(graph, places, MOST_LOOKED_AT + 5 * len(graph.ops))
    sizes = _of_sizes(graph)
    wanted = set(graph.outputs)
    made: list[Op] = []
    for op in reversed(graph.ops):
        if not wanted.intersection(op.outputs):
            continue
        if op.op in ELEMENTWISE and not op.domain and op.version and op not in sizes:
            for base, inside in finder.bases(op):
                found = finder.function(base, inside)
                if found is not None:
                    ((kind, values), rank) = found
                    op = Op(  # noqa: PLW2901 - stands for it
                        op.index, op.name, "Function", [base], op.outputs,
                        {"layer": kind, "values": values, "rank": rank}, 1, "", op.scopes, op.line,
                    )  # fmt: skip
                    break
        wanted.update(op.inputs)
        made.append(op)
    graph.ops = made[::-1]


def _of_sizes(graph: Graph) -> set[Op]:
    """Nodes that compute with sizes and constants alone, which are no layers."""
    found: set[Op] = set()
    known = {"", *graph.constants}
    for op in graph.ops:
        if op.op == "Shape" or known.issuperset(op.inputs):
            found.add(op)
            known.update(op.outputs)
    return found
