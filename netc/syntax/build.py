"""Grammar rules to tree nodes: the callbacks that Lark runs as it reduces."""

from __future__ import annotations

import re
from math import isinf
from typing import Any

from lark import Token, Transformer

from netc.diagnostics.model import Diagnostic, Diagnostics, Edit, Fix
from netc.limits import Limits
from netc.syntax.source import Source, Span
from netc.syntax.tree import (
    Argument,
    Arm,
    Binary,
    Block,
    Branch,
    Conditional,
    Definition,
    Expr,
    Formal,
    Group,
    If,
    Keyword,
    Literal,
    Lost,
    Name,
    Operation,
    Parameter,
    Positional,
    Reference,
    Repeat,
    Size,
    Statement,
    Unary,
)

RESERVED = frozenset(("def", "shared", "param", "if", "else", "repeat", "as", "and", "or", "not", "true", "false"))
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_ESCAPES = {"n": "\n", "t": "\t", '"': '"', "\\": "\\"}
_DIMS = re.compile(r"[^x/]+")


class Head:
    """An operation while its arguments are being read."""

    __slots__ = ("arguments", "end", "label", "name", "start")

    def __init__(self, label: Name | None, name: Token, start: int) -> None:
        self.label = label
        self.name = name
        self.start = start
        self.end: int = name.end_pos  # type: ignore[assignment]
        self.arguments: list[Argument] = []


class Parts:
    """What stands in braces: statements, then those behind each bar."""

    __slots__ = ("bars", "groups")

    def __init__(self, lines: list[Statement]) -> None:
        self.groups = [lines]
        self.bars: list[Token] = []


class Builder(Transformer[Token, Any]):
    """The callbacks, named as the rules' aliases. Children are tokens and what other callbacks made."""

    source: Source
    limits: Limits
    report: Diagnostics

    def begin(self, source: Source, limits: Limits, report: Diagnostics) -> None:
        """Begin a text."""
        self.source, self.limits, self.report = source, limits, report
        self.depths: dict[int, int] = {}  # of compound expressions, by identity
        self.cut: Diagnostic | None = None  # the first expression that was too deep

    def span(self, token: Token) -> Span:
        return Span(self.source, token.start_pos, token.end_pos)  # type: ignore[arg-type]

    def between(self, first: Span, last: Span) -> Span:
        return Span(self.source, first.start, last.end)

    # -- lists -----------------------------------------------------------------------------------------------

    def first(self, children: list[Any]) -> list[Any]:
        return [] if children[0] is None else children

    def more(self, children: list[Any]) -> list[Any]:
        if children[-1] is not None:
            children[0].append(children[-1])
        made: list[Any] = children[0]
        return made

    def none(self, children: list[Any]) -> list[Any]:
        return []

    def no_line(self, children: list[Any]) -> None:
        return None

    def line(self, children: list[Any]) -> Any:
        return children[0]

    def start(self, children: list[Any]) -> tuple[Statement, ...]:
        return tuple(children[0])

    # -- statements ------------------------------------------------------------------------------------------

    def lost(self, children: list[Token]) -> Lost:
        return Lost(self.span(children[0]))

    def head(self, children: list[Token]) -> Head:
        return Head(None, children[0], children[0].start_pos)  # type: ignore[arg-type]

    def labelled(self, children: list[Token]) -> Head:
        return Head(self.label(children[0]), children[1], children[0].start_pos)  # type: ignore[arg-type]

    def argued(self, children: list[Any]) -> Head:
        made: Head = children[0]
        made.arguments.append(children[1])
        made.end = children[1].span.end
        return made

    def label(self, token: Token) -> Name:
        """The name of a label, whose token holds the colon too."""
        text = token[:-1].rstrip()
        return self.name(text, token.start_pos)  # type: ignore[arg-type]

    def name(self, text: str, start: int) -> Name:
        span = Span(self.source, start, start + len(text))
        self.free(text, span)
        return Name(text, span)

    def free(self, text: str, span: Span) -> None:
        """Report a reserved word where a name must stand."""
        if text in RESERVED:
            self.report.add("NET124", f"`{text}` is a reserved word and cannot be a name", span)

    def _operation(self, head: Head, block: Block | None, branches: tuple[Branch, ...], end: int) -> Operation:
        spaced_sizes(head.arguments, self.report)
        span = self.span(head.name)
        self.free(head.name, span)
        return Operation(
            head.label, str(head.name), tuple(head.arguments), block, branches, span, Span(self.source, head.start, end)
        )

    def plain(self, children: list[Head]) -> Operation:
        return self._operation(children[0], None, (), children[0].end)

    def braced(self, children: list[Any]) -> Operation:
        head, (opened, parts, closed) = children
        span = Span(self.source, opened.start_pos, closed.end_pos)
        if not parts.bars:
            return self._operation(head, Block(tuple(parts.groups[0]), span), (), span.end)
        if parts.groups[0]:
            self.report.add(
                "NET001",
                "statements in front of the first `|`",
                parts.groups[0][0].span,
                help=("each branch begins with `|`",),
            )
        ends = [*(bar.start_pos for bar in parts.bars[1:]), closed.start_pos]
        branches = tuple(
            Branch(tuple(lines), Span(self.source, bar.start_pos, end))
            for bar, lines, end in zip(parts.bars, parts.groups[1:], ends, strict=True)
        )
        return self._operation(head, None, branches, span.end)

    def braces(self, children: list[Any]) -> list[Any]:
        return children

    def statements(self, children: list[Any]) -> Parts:
        return Parts(children[0])

    def branch(self, children: list[Any]) -> Parts:
        parts: Parts = children[0]
        parts.bars.append(children[1])
        parts.groups.append(children[2])
        return parts

    def block(self, children: list[Any]) -> Block:
        opened, lines, closed = children
        return Block(tuple(lines), Span(self.source, opened.start_pos, closed.end_pos))

    def _repeat(self, label: Token | None, keyword: Token, count: Expr, index: Token | None, body: Block) -> Repeat:
        start: int = (label or keyword).start_pos  # type: ignore[assignment]
        return Repeat(
            None if label is None else self.label(label),
            count,
            None if index is None else self.name(str(index), index.start_pos),  # type: ignore[arg-type]
            body,
            self.span(keyword),
            Span(self.source, start, body.span.end),
        )

    def repeat(self, children: list[Any]) -> Repeat:
        return self._repeat(None, children[0], children[1], None, children[2])

    def labelled_repeat(self, children: list[Any]) -> Repeat:
        return self._repeat(children[0], children[1], children[2], None, children[3])

    def indexed_repeat(self, children: list[Any]) -> Repeat:
        return self._repeat(None, children[0], children[1], children[3], children[4])

    def labelled_indexed_repeat(self, children: list[Any]) -> Repeat:
        return self._repeat(children[0], children[1], children[2], children[4], children[5])

    def arm(self, children: list[Any]) -> Arm:
        keyword, condition, body = children
        return Arm(condition, body, self.between(self.span(keyword), body.span))

    def if_(self, children: list[Arm]) -> If:
        return If((children[0],), children[0].span)

    def else_if(self, children: list[Any]) -> If:
        return self._else(children[0], children[1], children[2])

    def else_(self, children: list[Any]) -> If:
        start = children[1].end_pos - len("else")
        body: Block = children[2]
        return self._else(children[0], children[1], Arm(None, body, Span(self.source, start, body.span.end)))

    def _else(self, made: If, keyword: Token, arm: Arm) -> If:
        if made.arms[-1].condition is None:
            end: int = keyword.end_pos  # type: ignore[assignment]
            place = Span(self.source, end - len("else"), end)
            self.report.add("NET001", "an `else` behind the last `else`", place)
        return If((*made.arms, arm), self.between(made.span, arm.span))

    def _definition(self, children: list[Any], shared: bool) -> Definition:
        keyword, name, formals, body = children[0], children[-5], children[-3], children[-1]
        span = self.span(name)
        self.free(str(name), span)
        return Definition(str(name), tuple(formals), body, shared, span, self.between(self.span(keyword), body.span))

    def definition(self, children: list[Any]) -> Definition:
        return self._definition(children, False)

    def shared(self, children: list[Any]) -> Definition:
        return self._definition(children, True)

    def formal(self, children: list[Token]) -> Formal:
        name = self.name(str(children[0]), children[0].start_pos)  # type: ignore[arg-type]
        return Formal(name.text, None, name.span)

    def defaulted(self, children: list[Any]) -> Formal:
        name = self.key(children[0])
        return Formal(name.text, children[1], self.between(name.span, children[1].span))

    def parameter(self, children: list[Any]) -> Parameter:
        name = self.key(children[1])
        value: Expr = children[2]
        return Parameter(name.text, value, name.span, self.between(self.span(children[0]), value.span))

    # -- arguments -------------------------------------------------------------------------------------------

    def key(self, token: Token) -> Name:
        """The name of a key, whose token holds the equals sign too."""
        return self.name(token[:-1].rstrip(), token.start_pos)  # type: ignore[arg-type]

    def positional(self, children: list[Any]) -> Positional:
        return Positional(children[0], children[0].span)

    def keyword(self, children: list[Any]) -> Keyword:
        name, value = self.key(children[0]), children[1]
        return Keyword(name.text, value, name.span, self.between(name.span, value.span))

    def literal_size(self, children: list[Token]) -> Size:
        token = children[0]
        extents, _, strides = token.partition("/")
        start: int = token.start_pos  # type: ignore[assignment]
        parts = tuple(self._extents(extents, start))
        stride = tuple(self._extents(strides, start + len(extents) + 1))
        return Size(parts, stride, self.span(token))  # type: ignore[arg-type]

    def _extents(self, text: str, start: int) -> list[Expr | None]:
        found: list[Expr | None] = []
        for match in _DIMS.finditer(text):
            span = Span(self.source, start + match.start(), start + match.end())
            found.append(None if match.group() == "?" else Literal(self._integer(match.group(), span), span))
        return found

    def lone_unknown(self, children: list[Token]) -> Size:
        return Size((None,), (), self.span(children[0]))

    def size(self, children: list[Any]) -> Size:
        parts, _, last = children
        return self._size([*parts, last], [])

    def strided(self, children: list[Any]) -> Size:
        return self._size(children[0], children[2])

    def _size(self, parts: list[Any], stride: list[Any]) -> Size:
        last = (stride or parts)[-1]
        span = self.between(self._place(parts[0]), self._place(last))
        if any(isinstance(extent, Token) for extent in stride):
            self.report.add("NET001", "`?` cannot be a stride", span)
        known = [None if isinstance(part, Token) else part for part in parts]
        return Size(tuple(known), tuple(extent for extent in stride if not isinstance(extent, Token)), span)

    def _place(self, part: Any) -> Span:
        return self.span(part) if isinstance(part, Token) else part.span

    def unknown(self, children: list[Token]) -> Token:
        return children[0]

    def same(self, children: list[Any]) -> Any:
        return children[0]

    # -- expressions -----------------------------------------------------------------------------------------

    def _integer(self, text: str, span: Span) -> int:
        limit = self.limits.number
        if len(text) > len(str(limit)) + 1 or abs(int(text)) > limit:
            self.report.add("NET607", f"this integer is larger than {limit}", span)
            return 0
        return int(text)

    def number(self, children: list[Token]) -> Literal:
        token = children[0]
        span = self.span(token)
        if token.lstrip("+-").isdigit():
            return Literal(self._integer(str(token), span), span)
        value = float(token)
        if isinf(value):
            self.report.add("NET607", "this number is too large", span)
            value = 0.0
        return Literal(value, span)

    def string(self, children: list[Token]) -> Literal:
        token = children[0]
        unknown = [match for match in _ESCAPE.finditer(token) if match.group(1) not in _ESCAPES]
        for match in unknown:
            at = token.start_pos + match.start()  # type: ignore[operator]
            self.report.add(
                "NET006",
                f"`{match.group()}` is no escape in a string",
                Span(self.source, at, at + 2),
                help=(r"escapes are \n, \t, \" and \\",),
            )
        return Literal(_ESCAPE.sub(lambda match: _ESCAPES.get(match.group(1), ""), token[1:-1]), self.span(token))

    def boolean(self, children: list[Token]) -> Literal:
        return Literal(children[0] == "true", self.span(children[0]))

    def reference(self, children: list[Token]) -> Reference:
        span = self.span(children[0])
        self.free(str(children[0]), span)
        return Reference(str(children[0]), span)

    def group(self, children: list[Any]) -> Expr:
        opened, inner, closed = children
        return self._deep(Group(inner, Span(self.source, opened.start_pos, closed.end_pos)), inner)

    def unary(self, children: list[Any]) -> Expr:
        token, operand = children
        return self._deep(Unary(str(token), operand, self.between(self.span(token), operand.span)), operand)

    def binary(self, children: list[Any]) -> Expr:
        left, token, right = children
        return self._deep(Binary(str(token), left, right, self.between(left.span, right.span)), left, right)

    def conditional(self, children: list[Any]) -> Expr:
        then, _, condition, _, otherwise = children
        span = self.between(then.span, otherwise.span)
        return self._deep(Conditional(then, condition, otherwise, span), then, condition, otherwise)

    def _deep(self, made: Expr, *parts: Expr) -> Expr:
        """Note the depth of an expression, and cut it where code over it could no longer recurse."""
        depth = 1 + max(self.depths.get(id(part), 0) for part in parts)
        limit = self.limits.nesting
        if depth > limit:
            self.cut = self.cut or self.report.add(
                "NET602",
                f"an expression of more than {limit} operators inside each other",
                made.span,
                help=(f"raise the bound with `--limit nesting={limit * 2}`",),
            )
            return Literal(0, made.span)
        self.depths[id(made)] = depth
        return made


_SPACED = re.compile(r"x(\d*)\Z")


def spaced_sizes(arguments: list[Argument], report: Diagnostics) -> None:
    """Report sizes with spaces in them, `64 x 3` or `64 x3`, and read them as they were meant."""
    index = 1
    while index < len(arguments):
        joined = _joined(arguments, index)
        if joined is None:
            index += 1
            continue
        size, count = joined
        text = "".join(size.span.text.split())
        report.add(
            "NET004",
            f"`{size.span.text}` is a size with spaces in it",
            size.span,
            help=(f"a size is written without spaces: `{text}`",),
            fix=Fix(f"write `{text}`", (Edit(size.span, text),), safe=True),
        )
        arguments[index - 1 : index + count] = [Positional(size, size.span)]


def _joined(arguments: list[Argument], index: int) -> tuple[Size, int] | None:
    """The size that ends at the `x` or `x3` of an index, and how many arguments it takes from there."""
    before, word = arguments[index - 1], arguments[index]
    match = _SPACED.match(word.value.name) if isinstance(word.value, Reference) else None
    first = _extents_of(before)
    if match is None or first is None or isinstance(word, Keyword):
        return None
    if match.group(1):
        last: tuple[Expr | None, ...] = (Literal(int(match.group(1)), word.span),)
        return Size((*first, *last), (), before.span.to(word.span)), 1
    behind = arguments[index + 1] if index + 1 < len(arguments) else None
    rest = None if behind is None else _extents_of(behind)
    if behind is None or rest is None:
        return None
    stride = behind.value.stride if isinstance(behind.value, Size) else ()
    return Size((*first, *rest), stride, before.span.to(behind.span)), 2


def _extents_of(argument: Argument) -> tuple[Expr | None, ...] | None:
    """The extents of an argument that could be part of a size."""
    value = argument.value
    if isinstance(argument, Keyword):
        return None
    if isinstance(value, Size):
        return value.parts
    integer = isinstance(value, Literal) and isinstance(value.value, int) and not isinstance(value.value, bool)
    return (value,) if integer or isinstance(value, Group) else None
