"""The Keras class of an operation that has no lowering, written from what the operation says it computes.

`compute` is Python over the functions of `netc/primitives.py`, most of which `keras.ops` has too: its text, with these
in their place, is the `call` of a layer as one would write it by hand. So an operation needs nothing here to be emitted
and built; a lowering is for those that Keras has itself, for weights, which train, and for what differs in training.
"""

from __future__ import annotations

import ast
import builtins
import inspect
import math
from collections.abc import Iterable, Mapping
from functools import cache
from textwrap import dedent, indent
from typing import Any, NoReturn

from netc.layers import LAYERS
from netc.layers.base import Layer, OperationError
from netc.params import declared
from netc.primitives import Primitives
from netc.target import concrete

FUNCTIONS = {  # what each is in `keras.ops`, in the names of its parameters
    **{name: f"ops.{name}(x)" for name in ("exp", "log", "sqrt", "tanh", "erf", "sigmoid", "abs", "softmax")},
    **{name: f"ops.{name}(x, axis=axes, keepdims=keep)" for name in ("sum", "mean", "max")},
    "pow": "ops.power(x, exponent)",
    "maximum": "ops.maximum(x, other)",
    "clip": "ops.clip(x, low, high)",
    "where": "ops.where(condition, x, other)",
    "cumsum": "ops.cumsum(x, axis=-1)",
    "sort_descending": "-ops.sort(-x)",
    "reshape": "ops.reshape(x, (-1, *shape))",
    "concat": "ops.concatenate(xs, axis=axis)",
    "pad": "ops.pad(x, [(0, 0), *sides])",
    "slice": "x[tuple([slice(None), *slices])]",
    "gather": "ops.take(x, order, axis=-1)",
}


def written() -> dict[str, str]:
    """The operations that have no lowering, by the names of their classes."""
    from netc.targets.keras.lowering import to_keras  # noqa: PLC0415 - which asks this module

    without = to_keras.dispatch(object)
    return {cls.__name__: cls.op for cls in LAYERS.values() if to_keras.dispatch(cls) is without}


@cache
def source(op: str) -> str:
    """The text of the class of an operation. Raises `OperationError`, which says why, where there is none."""
    cls = LAYERS[op]
    try:
        text = dedent(inspect.getsource(cls.compute))
    except (OSError, TypeError):
        raise OperationError(f"`{cls.op}` cannot be written in Keras: the text of its `compute` is not there") from None
    (function,) = ast.parse(text).body
    assert isinstance(function, ast.FunctionDef)
    body = function.body[1:] if ast.get_docstring(function) else function.body
    rewrite = _Written(cls, function).visit
    statements = (ast.unparse(ast.fix_missing_locations(rewrite(statement))) for statement in body)
    parts = [
        f'"""{inspect.cleandoc(cls.__doc__ or cls.op)}\n"""',
        _method("call", "inputs", statements),
    ]
    if params := sorted(declared(cls).values(), key=lambda param: not param.required):
        given = (param.name if param.required else f"{param.name}={concrete(param.default)!r}" for param in params)
        kept = ["super().__init__(**kwargs)", *(f"self.{param.name} = {param.name}" for param in params)]
        own = ", ".join(f'"{param.name}": self.{param.name}' for param in params)
        parts.insert(1, _method("__init__", ", ".join((*given, "**kwargs")), kept))
        parts.append(_method("get_config", "", [f"return {{**super().get_config(), {own}}}"]))
    head = f'@keras.saving.register_keras_serializable(package="netc")\nclass {cls.__name__}(layers.Layer):\n'
    return head + indent("\n\n".join(parts), "    ")


@cache
def made(op: str) -> Any:
    """The class itself, which Keras then knows when it loads a model."""
    import keras  # noqa: PLC0415 - seconds

    held: dict[str, Any] = {
        "__name__": __name__,
        "keras": keras,
        "layers": keras.layers,
        "ops": keras.ops,
        "math": math,
    }
    exec(compile(source(op), f"<{op}>", "exec"), held)  # of netc, never of a spec
    return held[LAYERS[op].__name__]


def _method(name: str, parameters: str, body: Iterable[str]) -> str:
    given = ", ".join(filter(None, ("self", parameters)))
    return f"def {name}({given}):\n" + indent("\n".join(body), "    ")


class _Written(ast.NodeTransformer):
    """`compute` as the `call` of a layer: functions of `keras.ops`, `inputs`, and the parameters of the layer."""

    def __init__(self, cls: type[Layer], function: ast.FunctionDef) -> None:
        self.cls = cls
        self.single = cls.operands == (1, 1)
        self.parameters = declared(cls).keys()
        self.known = inspect.getmodule(cls.compute)
        variables = (node for node in ast.walk(function) if isinstance(node, ast.Name))
        self.own = {node.id for node in variables if isinstance(node.ctx, ast.Store)}

    def _refuse(self, what: str) -> NoReturn:
        raise OperationError(
            f"`{self.cls.op}` cannot be written in Keras: `{self.cls.__name__}.compute` uses {what}; say what it "
            "becomes in netc/targets/keras/lowering.py"
        )

    def visit_Call(self, node: ast.Call) -> Any:
        match node.func:
            case ast.Attribute(value=ast.Name(id="f"), attr=name):
                return self._function(name, node)
        return self.generic_visit(node)

    def _function(self, name: str, node: ast.Call) -> Any:
        """A function of netc's as what it is in `keras.ops`."""
        if name not in FUNCTIONS:
            self._refuse(f"`f.{name}`, which is no single function there")
        parameters = inspect.signature(getattr(Primitives, name)).parameters
        values: dict[str, Any] = {key: ast.Constant(parameter.default) for key, parameter in parameters.items()}
        values |= zip(list(parameters)[1:], map(self.visit, node.args), strict=False)
        values |= {keyword.arg or "": self.visit(keyword.value) for keyword in node.keywords}
        return _filled(FUNCTIONS[name], values)

    def visit_Subscript(self, node: ast.Subscript) -> ast.AST:
        if self.single and ast.unparse(node) == "xs[0]":
            return ast.Name("inputs", ast.Load())
        return self.generic_visit(node)

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        if isinstance(node.value, ast.Name) and node.value.id == "self":
            if node.attr not in self.parameters:
                self._refuse(f"`self.{node.attr}`, which is no parameter")
            return node
        return self.generic_visit(node)

    def visit_Name(self, node: ast.Name) -> ast.AST:
        if node.id == "xs":
            return ast.List([ast.Name("inputs", ast.Load())]) if self.single else ast.Name("inputs", ast.Load())
        if node.id in ("self", "f", "w"):
            self._refuse(f"`{node.id}` by itself" if node.id != "w" else "weights, which train")
        if node.id in self.own or hasattr(builtins, node.id):
            return node
        value = getattr(self.known, node.id, None)
        if value is not None and value is getattr(math, node.id, None):
            return ast.Attribute(ast.Name("math", ast.Load()), node.id, ast.Load())
        if not isinstance(value, int | float):
            self._refuse(f"`{node.id}`")
        return ast.Constant(value)


def _filled(text: str, values: Mapping[str, Any]) -> Any:
    """An expression with others for its names; arguments that are False, as they are by default, are left out."""

    class Filler(ast.NodeTransformer):
        def visit_Name(self, node: ast.Name) -> Any:
            return values.get(node.id, node)

        def visit_Call(self, node: ast.Call) -> Any:
            self.generic_visit(node)
            node.keywords = [one for one in node.keywords if ast.unparse(one.value) != "False"]
            return node

    return Filler().visit(ast.parse(text, mode="eval").body)
