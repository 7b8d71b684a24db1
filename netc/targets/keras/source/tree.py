"""Emitted code as a tree: Python's `ast`, with comments and docstrings as statements.

What the code reads and calls is asked of the tree (`reads`, `calls`); text is made of it once, by `text`. Comments are
outside every question, because their text is no field of theirs.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from copy import deepcopy
from functools import cache

CHECKED, GHOST, HOLE, DEAD = 0, 1, 2, 3  # how far what stands below an `if` or a `for` can be trusted

Tree = ast.AST | Iterable[ast.AST]
Statements = list[ast.stmt]
Parameter = tuple[ast.arg, ast.expr | None]  # with its default, if any


class Comment(ast.stmt):
    """`# text`; without a text, an empty line."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text = text


class Docstring(ast.stmt):
    """Lines that may hold anything; an empty one parts paragraphs."""

    def __init__(self, lines: Sequence[str]) -> None:
        super().__init__()
        self.lines = list(lines)


class Carried(ast.stmt):
    """A class or function that netc ships, as it stands in its file."""

    _fields = ("code",)

    def __init__(self, source: str) -> None:
        super().__init__()
        self.source = source
        self.code = ast.parse(source).body


class If(ast.If):
    """An `if` whose arms ran (`CHECKED`), were expanded only to be shown (`GHOST`), are unknown (`HOLE`), or cannot run
    (`DEAD`).

    `other` is the rank of `else`; `chained` says that there stands an `elif`.
    """

    def __init__(self, test: ast.expr, body: list[ast.stmt], orelse: list[ast.stmt], rank: int, other: int) -> None:
        super().__init__(test=test, body=body, orelse=orelse)
        self.rank, self.other, self.chained = rank, other, False


class For(ast.For):
    """A loop; `remark` is a comment after its colon. A variable that nothing below reads is printed as `_`."""

    def __init__(
        self, index: str, over: ast.expr, body: Sequence[ast.stmt], rank: int = CHECKED, remark: str = ""
    ) -> None:
        super().__init__(target=store(index), iter=over, body=list(body), orelse=[])
        self.index, self.rank, self.remark = index, rank, remark


class Link(ast.expr):
    """The call that makes a layer, without its name: that of its chain, with a `suffix`. `word` is the spec's for it.

    `defaults` are the values of arguments that are not given. `apart` and `applied` are those of `netc.target.Call`.
    """

    _fields = ("made", "suffix", "applied")

    def __init__(
        self,
        made: ast.Call,
        suffix: ast.expr,
        word: str,
        defaults: Mapping[str, ast.expr],
        apart: int = 0,
        applied: Sequence[ast.keyword] = (),
    ) -> None:
        super().__init__()
        self.made, self.suffix, self.word, self.defaults = made, suffix, word, defaults
        self.apart, self.applied = apart, list(applied)

    def output(self, layer: ast.expr, operand: ast.expr) -> ast.Call:
        """The layer, called on its operand or on the list of them."""
        several = operand.elts if isinstance(operand, ast.List) else [operand]
        args = [*several, *several[-1:] * (self.apart - len(several))] if self.apart else [operand]
        return ast.Call(layer, [*map(deepcopy, args)], [*self.applied])


class Chain(ast.stmt):
    """Layers that one statement of a spec makes, each applied to what the one before it gives, which is in `work`."""

    _fields = ("target", "operand", "links", "name")

    def __init__(self, target: str, work: str, operand: ast.expr, links: Sequence[Link], name: ast.expr) -> None:
        super().__init__()
        self.target, self.work, self.operand, self.links, self.name = store(target), work, operand, list(links), name


# -- making --------------------------------------------------------------------------------------------------


def load(name: str) -> ast.Name:
    """A variable that is read."""
    return ast.Name(name, ast.Load())


def store(name: str) -> ast.Name:
    """A variable that is assigned."""
    return ast.Name(name, ast.Store())


def dotted(path: str) -> ast.expr:
    """`layers.Conv2D`."""
    first, *rest = path.split(".")
    made: ast.expr = load(first)
    for name in rest:
        made = ast.Attribute(made, name, ast.Load())
    return made


def call(function: ast.expr | str, *args: ast.expr, **kwargs: ast.expr) -> ast.Call:
    """A call of something, given as a dotted path or as an expression."""
    function = dotted(function) if isinstance(function, str) else function
    return ast.Call(function, list(args), [ast.keyword(key, value) for key, value in kwargs.items()])


def listed(items: Iterable[ast.expr]) -> ast.List:
    return ast.List(list(items), ast.Load())


def assign(name: str, value: ast.expr | str) -> ast.Assign:
    """`name = value`, where a value given as text is another variable."""
    return ast.Assign([store(name)], load(value) if isinstance(value, str) else value)


def refuse(test: ast.expr, message: str) -> If:
    """`if test: raise ValueError(message)`."""
    return If(test, [error(message)], [], CHECKED, CHECKED)


def define(name: str, parameters: Sequence[Parameter], number: int, body: Statements) -> ast.FunctionDef:
    """A function; all parameters but the first `number` are given by keyword only."""
    plain, only = parameters[:number], parameters[number:]
    args = ast.arguments(
        posonlyargs=[],
        args=[parameter for parameter, _ in plain],
        kwonlyargs=[parameter for parameter, _ in only],
        kw_defaults=[default for _, default in only],
        defaults=[default for _, default in plain if default is not None],
    )
    return ast.FunctionDef(name, args, body, [])


def error(message: str) -> ast.Raise:
    return ast.Raise(call("ValueError", ast.Constant(message)), None)


def chain(arms: Sequence[tuple[ast.expr | None, Statements, int]]) -> Statements:
    """`if`, `elif`, `else`: conditions (None for `else`), statements, and how far these can be trusted."""
    orelse: Statements = []
    other, chained = CHECKED, False
    for test, body, rank in reversed(arms):
        if test is None:
            orelse, other = body or [ast.Pass()], rank
            continue
        made = If(test, body, orelse, rank, other)
        made.chained = chained
        orelse, other, chained = [made], CHECKED, True
    return orelse


def negated(test: ast.expr) -> ast.expr:
    """The opposite of a condition, as one writes it."""
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        return test.operand
    if isinstance(test, ast.Compare) and type(test.ops[0]) in _OPPOSITE:
        return ast.Compare(test.left, [_OPPOSITE[type(test.ops[0])]()], test.comparators)
    return ast.UnaryOp(ast.Not(), test)


_OPPOSITE: dict[type[ast.cmpop], type[ast.cmpop]] = {
    one: other
    for pair in ((ast.Eq, ast.NotEq), (ast.Lt, ast.GtE), (ast.Gt, ast.LtE), (ast.In, ast.NotIn), (ast.Is, ast.IsNot))
    for one, other in (pair, pair[::-1])
}


def written(template: str, **parts: ast.expr | str) -> ast.expr:
    """An expression written as Python, in which names stand for other expressions or, as text, for variables.

    The template is netc's own text; nothing of a spec is ever parsed.
    """
    (statement,) = statements(template, **parts)
    assert isinstance(statement, ast.Expr)
    return statement.value


def statements(template: str, **parts: ast.expr | str) -> list[ast.stmt]:
    """Statements written as Python, in which names stand for other expressions or, as text, for variables."""
    filler = _Filler({name: load(part) if isinstance(part, str) else part for name, part in parts.items()})
    return [filler.visit(statement) for statement in deepcopy(_parsed(template))]


@cache
def _parsed(template: str) -> list[ast.stmt]:
    return ast.parse(template).body


class _Filler(ast.NodeTransformer):
    def __init__(self, parts: dict[str, ast.expr]) -> None:
        self.parts = parts

    def visit_Name(self, node: ast.Name) -> ast.expr:
        part = self.parts.get(node.id, node)
        return ast.Name(part.id, node.ctx) if isinstance(part, ast.Name) else part


def joined(*parts: ast.expr) -> ast.expr:
    """Pieces of text, and expressions that give text, as one."""
    pieces: list[ast.expr] = []
    text = ""
    for part in parts:
        for piece in part.values if isinstance(part, ast.JoinedStr) else [part]:
            if isinstance(piece, ast.Constant):
                text += str(piece.value)
                continue
            pieces += [ast.Constant(text)] * bool(text)
            pieces.append(piece if isinstance(piece, ast.FormattedValue) else ast.FormattedValue(piece, -1))
            text = ""
    if not pieces:
        return ast.Constant(text)
    if len(pieces) == 1 and not text and len(parts) > 1 and isinstance(parts[0], ast.Name):
        return parts[0]
    return ast.JoinedStr([*pieces, *([ast.Constant(text)] * bool(text))])


def expanded(chain: Chain, *, once: bool = False) -> Statements:
    """A chain as statements, one a layer; with `once`, that makes each layer once for its name."""
    found: Statements = []
    operand = chain.operand
    for number, link in enumerate(chain.links):
        named = [*link.made.keywords, ast.keyword("name", joined(chain.name, link.suffix))]
        made = ast.Call(link.made.func, link.made.args, named)
        if once:
            made = ast.Call(load("once"), [made.func, *made.args], made.keywords)
        target = chain.target.id if number == len(chain.links) - 1 else chain.work
        found.append(assign(target, link.output(made, operand)))
        operand = load(target)
    return found


def returned(items: Statements) -> Statements:
    """A body that returns what its last statement would assign to a variable."""
    match items:
        case [*before, ast.Assign(targets=[ast.Name(id=made)], value=value), ast.Return(value=ast.Name(id=variable))]:
            return [*before, ast.Return(value)] if made == variable else items
    return items


def tall(node: ast.expr) -> ast.expr:
    """Have each argument or item on a line of its own."""
    vars(node)["tall"] = True
    return node


# -- asking --------------------------------------------------------------------------------------------------


def nodes(tree: Tree) -> Iterator[ast.AST]:
    """All nodes, in no particular order."""
    for part in (tree,) if isinstance(tree, ast.AST) else tree:
        yield from ast.walk(part)


def reads(tree: Tree) -> set[str]:
    """The variables that are read."""
    return {node.id for node in nodes(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)}


def calls(tree: Tree) -> set[str]:
    """The functions that are called by a plain name."""
    return {node.func.id for node in nodes(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)}


def packages(tree: Tree) -> set[str]:
    """The names that attributes are taken of, imported modules among them."""
    return {
        node.value.id for node in nodes(tree) if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name)
    }


def carried(module: Statements) -> set[str]:
    """Names of the classes and functions in a module that netc ships."""
    return {getattr(part, "name", "") for node in module if isinstance(node, Carried) for part in node.code}


def same(one: object, other: object) -> bool:
    """Whether two trees would print the same."""
    if one is other:
        return True
    if type(one) is not type(other):
        return False
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    if not isinstance(one, ast.AST):
        return one == other
    if isinstance(one, Comment) and isinstance(other, Comment):
        return one.text == other.text
    return all(same(getattr(one, name, None), getattr(other, name, None)) for name in one._fields)


# -- copies --------------------------------------------------------------------------------------------------


def merge(one: Statements, other: Statements) -> Statements | None:
    """What two copies print, where they print the same; None where they differ.

    What ran in one copy alone is printed as it ran: the other copy does not reach it.
    """
    if len(one) != len(other):
        return None
    merged: Statements = []
    for left, right in zip(one, other, strict=True):
        statement = _merge(left, right)
        if statement is None:
            return None
        merged.append(statement)
    return merged


def _merge(one: ast.stmt, other: ast.stmt) -> ast.stmt | None:
    if isinstance(one, For) and isinstance(other, For):
        if not (same(one.target, other.target) and same(one.iter, other.iter)):
            return None
        body = _ranked(one.body, one.rank, other.body, other.rank)
        return None if body is None else For(one.index, one.iter, body, min(one.rank, other.rank))
    if isinstance(one, If) and isinstance(other, If):
        if not same(one.test, other.test) or one.chained != other.chained:
            return None
        body = _ranked(one.body, one.rank, other.body, other.rank)
        orelse = _ranked(one.orelse, one.other, other.orelse, other.other)
        if body is None or orelse is None:
            return None
        made = If(one.test, body, orelse, min(one.rank, other.rank), min(one.other, other.other))
        made.chained = one.chained
        return made
    return one if same(one, other) else None


def _ranked(one: Statements, rank: int, other: Statements, other_rank: int) -> Statements | None:
    if rank != other_rank:
        return one if rank < other_rank else other
    merged = merge(one, other)
    return one if merged is None and rank else merged


def living(items: Statements) -> Statements:
    """Statements without what no copy of them can come to."""
    kept: Statements = []
    for item in items:
        if isinstance(item, For):
            kept += [] if item.rank == DEAD else [For(item.index, item.iter, living(item.body), item.rank, item.remark)]
        elif isinstance(item, If):
            kept += _living(item)
        else:
            kept.append(item)
    return kept


def _living(node: If) -> Statements:
    orelse = [] if node.other == DEAD else living(node.orelse)
    if node.rank == DEAD:
        return orelse
    made = If(node.test, living(node.body), orelse, node.rank, node.other)
    made.chained = node.chained and len(orelse) == 1 and isinstance(orelse[0], If)
    return [made]


def replaced(items: Statements, rule: Callable[[Chain], Statements]) -> Statements:
    """Statements with others for each chain in them."""
    found: Statements = []
    for item in items:
        if isinstance(item, Chain):
            found += rule(item)
        elif isinstance(item, For):
            found.append(For(item.index, item.iter, replaced(item.body, rule), item.rank, item.remark))
        elif isinstance(item, If):
            made = If(item.test, replaced(item.body, rule), replaced(item.orelse, rule), item.rank, item.other)
            made.chained = item.chained
            found.append(made)
        else:
            found.append(item)
    return found


def chained(items: Statements, depth: int = 1) -> Iterator[tuple[Chain, int]]:
    """All chains in statements, with how deep they are indented."""
    for item in items:
        if isinstance(item, Chain):
            yield item, depth
        elif isinstance(item, ast.If | ast.For):
            yield from chained(item.body, depth + 1)
            yield from chained(item.orelse, depth + (not getattr(item, "chained", False)))


def hoist(first: Statements, others: Statements) -> tuple[slice, Statements] | None:
    """What the first pass of a loop alone begins with, such as the `Flatten` before dense layers, and the common rest.

    None where the first pass differs in any other way.
    """
    extra = len(first) - len(others)
    start = next((n for n, statement in enumerate(first) if not isinstance(statement, Comment)), 0)
    rest = merge(first[:start] + first[start + extra :], others) if extra > 0 else None
    return None if rest is None else (slice(start, start + extra), rest)
