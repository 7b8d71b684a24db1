"""A last look at emitted code: nothing but what the printer is known to write."""

from __future__ import annotations

import ast
from collections.abc import Iterable

_STATEMENTS = (
    ast.Module, ast.FunctionDef, ast.arguments, ast.arg, ast.Assign, ast.AugAssign, ast.Expr, ast.For, ast.If,
    ast.Return, ast.Raise, ast.Pass, ast.Import, ast.ImportFrom, ast.alias,
)  # fmt: skip
_EXPRESSIONS = (
    ast.Name, ast.Constant, ast.Attribute, ast.Call, ast.keyword, ast.List, ast.Tuple, ast.Dict, ast.Subscript,
    ast.Slice, ast.BinOp, ast.UnaryOp, ast.BoolOp, ast.Compare, ast.IfExp, ast.JoinedStr, ast.FormattedValue,
    ast.ListComp, ast.comprehension, ast.Lambda, ast.Starred,
    ast.expr_context, ast.operator, ast.unaryop, ast.boolop, ast.cmpop,
)  # fmt: skip
_MODULES = frozenset({"h5py", "keras", "math", "sys"})
_BUILTINS = frozenset({"range", "max", "min", "int", "round", "len", "ValueError", "abs", "once", "isinstance", "next"})
_BANNED = frozenset({"utils", "config", "io", "saving", "py_function", "numpy_function", "load_op_library"})
_SEEDING = "set_random_seed"  # all that is taken from `keras.utils`


class UnexpectedCode(RuntimeError):
    """Emitted code holds something that the printer never writes: a bug of netc's."""


def inspect(text: str, trusted: Iterable[str] = ()) -> None:
    """Raise `UnexpectedCode` unless a module holds expected statements and calls only.

    `trusted` are the classes and functions that netc itself ships, which are carried along as they stand.
    """
    trusted = frozenset(trusted)
    module = ast.parse(text)
    body = [node for node in module.body if not _is_trusted(node, trusted)]
    nodes = [node for statement in body for node in ast.walk(statement)]
    functions = {node.name for node in nodes if isinstance(node, ast.FunctionDef)}
    seeding = {id(node.value) for node in nodes if isinstance(node, ast.Attribute) and node.attr == _SEEDING}
    made = {target.id for node in nodes for target in _targets(node)}
    for node in nodes:
        if id(node) in seeding:
            continue
        _check(node, functions | made | trusted | _BUILTINS)


def _targets(node: ast.AST) -> list[ast.Name]:
    """Variables that hold the result of a call, such as a layer that is called again."""
    if not isinstance(node, ast.Assign) or not isinstance(node.value, ast.Call):
        return []
    return [target for target in node.targets if isinstance(target, ast.Name)]


def _is_trusted(node: ast.stmt, trusted: frozenset[str]) -> bool:
    return isinstance(node, ast.ClassDef | ast.FunctionDef) and node.name in trusted


def _check(node: ast.AST, callable_names: frozenset[str] | set[str]) -> None:
    if not isinstance(node, _STATEMENTS + _EXPRESSIONS):
        raise UnexpectedCode(f"line {getattr(node, 'lineno', '?')}: {type(node).__name__}")
    if isinstance(node, ast.Import) and any(alias.name not in _MODULES for alias in node.names):
        raise UnexpectedCode(f"line {node.lineno}: import of {node.names[0].name}")
    if isinstance(node, ast.ImportFrom) and node.module != "keras":
        raise UnexpectedCode(f"line {node.lineno}: import from {node.module}")
    if isinstance(node, ast.Attribute) and (node.attr.startswith("_") or node.attr in _BANNED):
        raise UnexpectedCode(f"line {node.lineno}: attribute {node.attr}")
    if isinstance(node, ast.Name) and node.id.startswith("__") and node.id != "__name__":
        raise UnexpectedCode(f"line {node.lineno}: {node.id}")
    if isinstance(node, ast.Call):
        _check_call(node, callable_names)


def _check_call(node: ast.Call, callable_names: frozenset[str] | set[str]) -> None:
    """A call is of a function of the module, of a constructed layer, or of something in an expected package."""
    function = node.func
    while isinstance(function, ast.Attribute | ast.Call | ast.Subscript):
        function = function.func if isinstance(function, ast.Call) else function.value
    if not isinstance(function, ast.Name):
        raise UnexpectedCode(f"line {node.lineno}: a call of {ast.unparse(node.func)}")
    if isinstance(node.func, ast.Name) and function.id not in callable_names:
        raise UnexpectedCode(f"line {node.lineno}: a call of {function.id}")
