"""The tree of emitted code as text, the same on every Python; `black` then breaks its lines."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

from netc.targets.keras.source.comments import docstring
from netc.targets.keras.source.tree import Carried, Comment, Docstring, For, reads

CONDITIONAL, OR, AND, NOT, COMPARISON, SUM, PRODUCT, SIGN, POWER, ATOM = range(10)  # how tightly a form binds
_SIGNS: dict[type[ast.AST], tuple[str, int]] = {
    ast.Or: ("or", OR),
    ast.And: ("and", AND),
    ast.Add: ("+", SUM),
    ast.Sub: ("-", SUM),
    ast.Mult: ("*", PRODUCT),
    ast.Div: ("/", PRODUCT),
    ast.FloorDiv: ("//", PRODUCT),
    ast.Mod: ("%", PRODUCT),
    ast.Not: ("not ", NOT),
    ast.USub: ("-", SIGN),
    ast.UAdd: ("+", SIGN),
    ast.Eq: ("==", COMPARISON),
    ast.NotEq: ("!=", COMPARISON),
    ast.Lt: ("<", COMPARISON),
    ast.LtE: ("<=", COMPARISON),
    ast.Gt: (">", COMPARISON),
    ast.GtE: (">=", COMPARISON),
    ast.In: ("in", COMPARISON),
    ast.NotIn: ("not in", COMPARISON),
    ast.Is: ("is", COMPARISON),
    ast.IsNot: ("is not", COMPARISON),
}


def number(value: float) -> str:
    """A real number as one writes it: `1e-4`, `0.9`."""
    text = repr(value)
    if value and abs(value) < 1e-3 and "e" not in text:
        text = f"{value:.17e}" if float(f"{value:.15e}") != value else f"{value:.15e}"
    if "e" in text:
        mantissa, exponent = text.split("e")
        short = f"{mantissa.rstrip('0').rstrip('.') if '.' in mantissa else mantissa}e{int(exponent)}"
        text = short if float(short) == value else repr(value)
    return text


def expression(node: ast.expr, least: int = CONDITIONAL) -> str:
    """An expression, in parentheses where it binds less tightly than its place asks."""
    text, own = _form(node)
    return text if own >= least else f"({text})"


def _form(node: ast.expr) -> tuple[str, int]:
    match node:
        case ast.Name():
            return node.id, ATOM
        case ast.Constant():
            text = number(node.value) if isinstance(node.value, float) else repr(node.value)
            return text, SIGN if text.startswith("-") else ATOM
        case ast.Attribute():
            return f"{expression(node.value, ATOM)}.{node.attr}", ATOM
        case ast.Subscript():
            return f"{expression(node.value, ATOM)}[{expression(node.slice)}]", ATOM
        case ast.Slice(lower=ast.expr() as first, upper=None, step=None):
            return f"{expression(first)}:", ATOM
        case ast.Call():
            arguments = [*map(expression, node.args), *(f"{one.arg}={expression(one.value)}" for one in node.keywords)]
            return f"{expression(node.func, ATOM)}({_items(arguments, node)})", ATOM
        case ast.Starred():
            return f"*{expression(node.value, ATOM)}", ATOM
        case ast.List():
            return f"[{_items(map(expression, node.elts), node)}]", ATOM
        case ast.Tuple():
            return f"({_items(map(expression, node.elts), node)}{',' if len(node.elts) == 1 else ''})", ATOM
        case ast.Dict():
            pairs = zip(node.keys, node.values, strict=True)
            return f"{{{', '.join(f'{expression(key)}: {expression(value)}' for key, value in pairs if key)}}}", ATOM
        case ast.ListComp(generators=[loop]):
            tests = "".join(f" if {expression(test, OR)}" for test in loop.ifs)
            return f"[{expression(node.elt)} for {expression(loop.target)} in {expression(loop.iter, OR)}{tests}]", ATOM
        case ast.JoinedStr():
            return f'f"{"".join(map(_piece, node.values))}"', ATOM
        case ast.UnaryOp():
            sign, own = _SIGNS[type(node.op)]
            return f"{sign}{expression(node.operand, own)}", own
        case ast.BinOp(op=ast.Pow()):
            return f"{expression(node.left, ATOM)}**{expression(node.right, SIGN)}", POWER
        case ast.BinOp():
            sign, own = _SIGNS[type(node.op)]
            return f"{expression(node.left, own)} {sign} {expression(node.right, own + 1)}", own
        case ast.BoolOp():
            sign, own = _SIGNS[type(node.op)]
            first, *rest = node.values
            return f" {sign} ".join([expression(first, own), *(expression(value, own + 1) for value in rest)]), own
        case ast.Compare(ops=[operator], comparators=[right]):
            sign, own = _SIGNS[type(operator)]
            return f"{expression(node.left, own + 1)} {sign} {expression(right, own + 1)}", own
        case ast.IfExp():
            then, test, otherwise = expression(node.body, OR), expression(node.test, OR), expression(node.orelse)
            return f"{then} if {test} else {otherwise}", CONDITIONAL
    raise TypeError(f"emitted code has no {type(node).__name__}")


def _items(items: Iterable[str], node: ast.expr) -> str:
    text = ", ".join(items)
    return f"{text}," if text and getattr(node, "tall", False) else text


def _piece(piece: ast.expr) -> str:
    if isinstance(piece, ast.FormattedValue):
        return f"{{{expression(piece.value)}}}"
    assert isinstance(piece, ast.Constant)
    return str(piece.value)


def lines(statements: Iterable[ast.stmt], indent: str = "") -> Iterator[str]:
    """The lines of statements."""
    for statement in statements:
        yield from _statement(statement, indent)


def _statement(node: ast.stmt, indent: str) -> Iterator[str]:
    match node:
        case Comment():
            yield f"{indent}# {node.text}" if node.text else ""
        case Docstring():
            yield docstring(node.lines, indent)
        case Carried():
            yield node.source
        case ast.Assign(targets=[target]):
            names = target.elts if isinstance(target, ast.Tuple) else [target]
            yield f"{indent}{', '.join(map(expression, names))} = {expression(node.value)}"
        case ast.AugAssign():
            yield f"{indent}{expression(node.target)} {_SIGNS[type(node.op)][0]}= {expression(node.value)}"
        case ast.Pass():
            yield f"{indent}pass"
        case ast.Expr():
            yield f"{indent}{expression(node.value)}"
        case ast.Return(value=ast.expr() as value):
            yield f"{indent}return {expression(value)}"
        case ast.Raise(exc=ast.expr() as error):
            yield f"{indent}raise {expression(error)}"
        case ast.Import():
            yield f"{indent}import {', '.join(_alias(name) for name in node.names)}"
        case ast.ImportFrom():
            yield f"{indent}from {node.module} import {', '.join(_alias(name) for name in node.names)}"
        case ast.For(target=ast.Name(id=index)):
            remark = f"  # {node.remark}" if isinstance(node, For) and node.remark else ""
            shown = index if index in reads(node.body) else "_"
            yield f"{indent}for {shown} in {expression(node.iter)}:{remark}"
            yield from _inside(node.body, indent)
        case ast.If():
            yield from _if(node, indent, "if")
        case ast.FunctionDef():
            yield f"{indent}def {node.name}({', '.join(_parameters(node.args))}):"
            yield from _inside(node.body, indent)
        case _:
            raise TypeError(f"emitted code has no {type(node).__name__}")


def _if(node: ast.If, indent: str, word: str) -> Iterator[str]:
    yield f"{indent}{word} {expression(node.test)}:"
    yield from _inside(node.body, indent)
    if getattr(node, "chained", False):
        (inner,) = node.orelse
        assert isinstance(inner, ast.If)
        yield from _if(inner, indent, "elif")
    elif node.orelse:
        yield f"{indent}else:"
        yield from _inside(node.orelse, indent)


def _inside(body: list[ast.stmt], indent: str) -> Iterator[str]:
    yield from lines(body, indent + "    ")
    if all(isinstance(statement, Comment) for statement in body):
        yield indent + "    pass"


def _alias(name: ast.alias) -> str:
    return f"{name.name} as {name.asname}" if name.asname else name.name


def _parameters(args: ast.arguments) -> Iterator[str]:
    """Parameters as written; those that have no default have None in its place."""
    given: list[ast.expr | None] = [None] * (len(args.args) - len(args.defaults))
    for parameter, default in zip(args.args, [*given, *args.defaults], strict=True):
        yield parameter.arg + (f"={expression(default)}" if default else "")
    if args.kwonlyargs:
        yield "*"
    for parameter, default in zip(args.kwonlyargs, args.kw_defaults, strict=True):
        yield parameter.arg + (f"={expression(default)}" if default else "")
