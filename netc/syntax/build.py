"""The tree of a text, made by the parser's callbacks: terminals when they are read, rules when they are complete."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import partial
from math import isfinite
from typing import Any, NamedTuple, cast

from lark import Token

from netc.limits import Limits
from netc.syntax.findings import Findings
from netc.syntax.layout import Layout
from netc.syntax.sizes import joined, size_with_name, spaced_size
from netc.syntax.source import BLANK, Source, Span
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
    Node,
    Operation,
    Parameter,
    Positional,
    Reference,
    Repeat,
    Size,
    Starred,
    Statement,
    Unary,
    children,
)

_ESCAPES = {'"': '"', "\\": "\\", "n": "\n", "t": "\t"}
_ESCAPE = re.compile(r"\\(.)")
_EXTENTS = re.compile(r"[x/]|[^x/]+")
_EXTENTS_AFTER_X = re.compile(r"x(?:[0-9]+(?:x[0-9]+)*)?")
_BLANKS = re.compile(rf"[{BLANK}]*")
_LONGEST = 4000  # digits of an integer that Python still reads
_LEAVES = (Literal, Reference)


class Lines(list[Statement]):
    """The statements of a block, while it is read."""


class Braces(NamedTuple):
    """What stands in braces: a block, or branches."""

    block: Block | None
    branches: tuple[Branch, ...]
    span: Span


class Builder:
    """The callbacks for one text at a time: terminals in capitals, rules in small letters."""

    layout: Layout
    source: Source
    findings: Findings
    limits: Limits
    names: set[str]  # parameters and loop indices so far
    spaced: set[int]  # where the `x`s of sizes with blanks begin
    sized_to: int  # the end of the last of those sizes

    def begin(self, layout: Layout, limits: Limits) -> None:
        """Take up a text."""
        self.layout, self.limits, self.names = layout, limits, set()
        self.spaced, self.sized_to = set(), 0
        self.source, self.findings = layout.source, layout.findings

    def _span(self, token: Token) -> Span:
        start = token.start_pos
        assert start is not None
        return Span(self.source, start, start + len(token))

    # -- terminals -------------------------------------------------------------------------------------------

    def WORD(self, token: Token) -> Reference:
        return Reference(token.value, self._span(token))

    def STARRED(self, token: Token) -> Starred:
        return Starred(token[:-1], self._span(token))

    def BOOLEAN(self, token: Token) -> Literal:
        return Literal(token == "true", self._span(token))

    def LABEL(self, token: Token) -> Name:
        text, start = token[:-1].rstrip(), self._span(token).start
        return Name(text, Span(self.source, start, start + len(text)))

    KEY = LABEL

    def NUMBER(self, token: Token) -> Literal:
        text, span = token.value, self._span(token)
        if text.lstrip("-+").isdecimal():
            return self._integer(text, span.start)
        value = float(text)
        if not isfinite(value):
            self.findings.add("NET607", f"`{_short(text)}` is too large for a real number", span.start, span.end)
            return Literal(0.0, span)
        return Literal(value, span)

    SIGNED = NUMBER

    def _integer(self, text: str, start: int) -> Literal:
        end = start + len(text)
        if len(text) > _LONGEST or abs(value := int(text)) > self.limits.number:
            message = f"`{_short(text)}` is larger than {self.limits.number}"
            help = [f"raise the bound with `--limit number={text}`"] if len(text) <= 30 else []
            self.findings.add("NET607", message, start, end, help=help)
            value = 0
        return Literal(value, Span(self.source, start, end))

    def STRING(self, token: Token) -> Literal:
        span = self._span(token)
        return Literal(_ESCAPE.sub(partial(self._unescape, span.start), token[1:-1]), span)

    def _unescape(self, start: int, match: re.Match[str]) -> str:
        if match[1] in _ESCAPES:
            return _ESCAPES[match[1]]
        at = start + 1 + match.start()
        help = ['the escapes are `\\"`, `\\\\`, `\\n` and `\\t`']
        self.findings.add("NET006", f"`{match[0]}` is no escape", at, at + 2, help=help)
        return ""

    def SIZE(self, token: Token) -> Size:
        return self._size([token], self._span(token))

    def _size(self, pieces: Iterable[Token | Group], span: Span) -> Size:
        parts: list[Expr | None] = []
        stride: list[Expr] = []
        strided = False
        for piece in pieces:
            if isinstance(piece, Group):
                (stride if strided else parts).append(piece)
                continue
            at = self._span(piece).start
            for part in _EXTENTS.findall(piece):
                if part == "/":
                    if strided:
                        self._bad_size("a size has one `/`, with the stride after it", at, at + 1)
                    strided = True
                elif part == "?":
                    if strided:
                        self._bad_size("a stride cannot be unknown", at, at + 1)
                    parts.append(None)
                elif part != "x":
                    (stride if strided else parts).append(self._integer(part, at))
                at += len(part)
        whole = Span(self.source, span.start, self.layout.tightened.get(span.start, span.end))
        return Size(tuple(parts), tuple(stride), whole)

    def _bad_size(self, message: str, start: int, end: int) -> None:
        help = ["`64x3x3/2x2` is 64 filters of 3x3 with stride 2x2"]
        self.findings.add("NET001", message, start, end, help=help)

    # -- arguments -------------------------------------------------------------------------------------------

    def no_arguments(self, _: list[Any]) -> list[Argument]:
        return []

    def positional(self, children: list[Any]) -> list[Argument]:
        arguments, value = children
        if type(value) is Reference and value.name[0] == "x" and arguments:
            self._perhaps_size(arguments, value)
        arguments.append(Positional(value, value.span))
        return cast(list[Argument], arguments)

    def keyword(self, children: list[Any]) -> list[Argument]:
        arguments, key, value = children
        arguments.append(Keyword(key.text, value, key.span, key.span.to(value.span)))
        return cast(list[Argument], arguments)

    def _perhaps_size(self, arguments: list[Argument], word: Reference) -> None:
        """`64 x 3`, `64 x3` and `(n)xk` are sizes that went wrong, unless `x` is a parameter."""
        start, after = arguments[-1].value.span.start, word.span.start
        if self.source.text[after - 1] == ")" and word.name != "x":
            size_with_name(self.layout, start, after, word.name)
            return
        if word.name in self.names or not _EXTENTS_AFTER_X.fullmatch(word.name):
            return
        end = self.sized_to if after < self.sized_to else spaced_size(self.layout, start, after)
        if end is not None:
            self.sized_to = end
            self.spaced.add(after)

    def parenthesised(self, children: list[Any]) -> Group:
        opening, inner, closing = children
        self._bounded(inner)
        return Group(inner, Span(self.source, opening.start_pos, closing.start_pos + 1))

    def sized(self, children: list[Any]) -> Group | Size:
        if len(children) == 1:
            return cast(Group, children[0])
        first, last = children[0], children[-1]
        start = first.span.start if isinstance(first, Group) else first.start_pos
        end = last.span.end if isinstance(last, Group) else last.end_pos
        return self._size(children, Span(self.source, start, end))

    # -- expressions -----------------------------------------------------------------------------------------

    def group(self, children: list[Any]) -> Group:
        opening, inner, closing = children
        return Group(inner, Span(self.source, opening.start_pos, closing.start_pos + 1))

    def unary(self, children: list[Any]) -> Unary:
        operator, operand = children
        return Unary(operator.value, operand, Span(self.source, operator.start_pos, operand.span.end))

    def binary(self, children: list[Any]) -> Binary:
        left, operator, right = children
        return Binary(operator.value, left, right, left.span.to(right.span))

    def conditional(self, children: list[Any]) -> Conditional:
        then, _, condition, _, otherwise = children
        return Conditional(then, condition, otherwise, then.span.to(otherwise.span))

    def _bounded(self, expr: Expr) -> Expr:
        """Report an expression that is too deep for code that recurses over it."""
        stack: list[tuple[Node, int]] = [(expr, 1)]
        while stack:
            node, depth = stack.pop()
            if isinstance(node, _LEAVES):
                continue
            if depth > self.limits.nesting:
                self.findings.too_deep("operators", expr.span.start, expr.span.end, self.limits.nesting)
                break
            stack.extend((child, depth + 1) for child in children(node))
        return expr

    # -- statements ------------------------------------------------------------------------------------------

    def no_lines(self, _: list[Any]) -> Lines:
        return Lines()

    def blank(self, children: list[Any]) -> Lines:
        return cast(Lines, children[0])

    def line(self, children: list[Any]) -> Lines:
        lines, statement = children[0], children[1]
        lines.append(self._checked(statement) if self.findings.marks else statement)
        return cast(Lines, lines)

    def statements(self, children: list[Any]) -> Lines:
        return self.line(children) if len(children) > 1 else cast(Lines, children[0])

    def start(self, children: list[Any]) -> Lines:
        return cast(Lines, children[0])

    def _checked(self, statement: Statement) -> Statement:
        """The statement, or that it is broken where an error stands in it or after it."""
        after = _BLANKS.match(self.layout.text, statement.span.end)
        assert after is not None
        if not self.findings.spoilt(statement.span.start, after.end()) or isinstance(statement, Lost):
            return statement
        return Lost(statement.span)

    def lost(self, children: list[Any]) -> Lost:
        first, last = children[0], children[-1]
        end = last.span.end if isinstance(last, Braces) else last.end_pos
        return Lost(Span(self.source, first.start_pos, end))

    def block(self, children: list[Any]) -> Braces:
        opening, lines, closing = children[0], children[1], children[-1]
        end = min(closing.start_pos + 1, len(self.source.text))  # a brace that nothing closes ends with the text
        span = Span(self.source, opening.start_pos, end)
        if len(children) == 3:
            return Braces(Block(tuple(lines), span), (), span)
        if lines:
            first = lines[0].span
            message = "these braces hold branches, but this stands before the first `|`"
            self.findings.add("NET001", message, first.start, first.end, help=["begin every branch with `|`"])
        return Braces(None, tuple(children[2]), span)

    def branches(self, children: list[Any]) -> list[Branch]:
        bar, lines = children[-2:]
        end = lines[-1].span.end if lines else bar.start_pos + 1
        branches = children[0] if len(children) > 2 else []
        branches.append(Branch(tuple(lines), Span(self.source, bar.start_pos, end)))
        return cast(list[Branch], branches)

    def _body(self, braces: Braces, what: str) -> Block:
        if braces.block is not None:
            return braces.block
        bar = braces.branches[0].span.start
        help = ["branches stand in the braces of a combiner: `add { | identity | conv 64x3 }`"]
        self.findings.add("NET001", f"the braces of {what} hold statements, not branches", bar, bar + 1, help=help)
        return Block((), braces.span)

    def operation(self, children: list[Any]) -> Operation:
        label = children.pop(0) if type(children[0]) is Name else None
        name, arguments = children[0], children[1]
        if self.spaced:
            arguments = joined(arguments, self.spaced)
        name_span = self._span(name)
        first = label.span if label else name_span
        if len(children) == 2:
            last = arguments[-1].span if arguments else name_span
            return Operation(label, name.value, tuple(arguments), None, (), name_span, first.to(last))
        block, branches, last = children[2]
        return Operation(label, name.value, tuple(arguments), block, branches, name_span, first.to(last))

    def repeat(self, children: list[Any]) -> Repeat:
        label = children.pop(0) if type(children[0]) is Name else None
        keyword, count, braces = self._span(children[0]), children[1], children[-1]
        index = children[2] if len(children) > 3 else None
        span = (label.span if label else keyword).to(braces.span)
        return Repeat(label, self._bounded(count), index, self._body(braces, "`repeat`"), keyword, span)

    def index(self, children: list[Any]) -> Name:
        name = children[1]
        self.names.add(name.name)
        return Name(name.name, name.span)

    def first_arm(self, children: list[Any]) -> list[Arm]:
        keyword, condition, braces = children
        span = self._span(keyword).to(braces.span)
        return [Arm(self._bounded(condition), self._body(braces, "`if`"), span)]

    def next_arm(self, children: list[Any]) -> list[Arm]:
        arms, otherwise, _, condition, braces = children
        span = self._from_else(otherwise, braces)
        arms.append(Arm(self._bounded(condition), self._body(braces, "`if`"), span))
        return cast(list[Arm], arms)

    def _from_else(self, otherwise: Token, braces: Braces) -> Span:
        """The terminal `else` begins with the line breaks before it."""
        return Span(self.source, self._span(otherwise).end - len("else"), braces.span.end)

    def choice(self, children: list[Any]) -> If:
        arms = children[0]
        if len(children) > 1:
            otherwise, braces = children[1:]
            arms.append(Arm(None, self._body(braces, "`else`"), self._from_else(otherwise, braces)))
        return If(tuple(arms), arms[0].span.to(arms[-1].span))

    def definition(self, children: list[Any]) -> Definition:
        first, braces = children[0], children[-1]
        shared = first.type == "SHARED"
        name = children[2 if shared else 1]
        formals = next((child for child in children if isinstance(child, list)), [])
        tensors = children[-2] if type(children[-2]) is tuple else ()
        body, span = self._body(braces, "`def`"), self._span(first).to(braces.span)
        return Definition(name.name, tuple(formals), tensors, body, shared, name.span, span)

    def tensors(self, children: list[Any]) -> tuple[Name, ...]:
        return tuple(Name(word.name, word.span) for word in children[1:])

    def formals(self, children: list[Any]) -> list[Formal]:
        formals = children[0] if len(children) > 1 else []
        formals.append(children[-1])
        return cast(list[Formal], formals)

    def formal(self, children: list[Any]) -> Formal:
        name = children[0]
        self.names.add(name.name)
        if len(children) == 1:
            return Formal(name.name, None, name.span)
        return Formal(name.name, self._bounded(children[2]), name.span.to(children[2].span))

    def parameter(self, children: list[Any]) -> Parameter:
        keyword, name, _, value = children
        self.names.add(name.name)
        span = self._span(keyword).to(value.span)
        return Parameter(name.name, self._bounded(value), name.span, span)


def _short(text: str) -> str:
    return text if len(text) <= 30 else f"{text[:12]}...{text[-6:]}"
