"""Any syntax tree as text in the canonical style, by what it says alone.

One statement a line, four spaces inside braces, one space between arguments, operators of arithmetic without spaces and
all others with. Parentheses stand where the tree has them, and where it would be read as another one without. What a
tree does not say is its `Trivia`, which the formatter finds in the text that the tree was read from.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import NamedTuple

from netc.syntax.tree import (
    IDENTITY,
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
    Reference,
    Repeat,
    Size,
    Starred,
    Statement,
    Unary,
)
from netc.values import show

WIDTH = 120
_INDENT = "    "
_ESCAPES = str.maketrans({'"': r"\"", "\\": r"\\", "\n": r"\n", "\t": r"\t"})
_TIGHT = frozenset(("+", "-", "*", "/", "//", "%", "**"))

# How tightly operators bind, as in the grammar; with those of two sides, the least that each side needs.
_CONDITIONAL, _OR, _NOT, _SIGN, _ATOM = 0, 1, 3, 7, 9
_BINARY = {
    "or": (_OR, _OR, 2),
    "and": (2, 2, _NOT),
    **dict.fromkeys(("==", "!=", "<", "<=", ">", ">="), (4, 5, 5)),
    **dict.fromkeys(("+", "-"), (5, 5, 6)),
    **dict.fromkeys(("*", "/", "//", "%"), (6, 6, _SIGN)),
    "**": (8, _ATOM, _SIGN),
}


class Trivia:
    """How a tree is written that comes from no text: literals by their values, a statement a line, and on one line with
    their braces only those combiners whose branches are no more than a layer."""

    def literal(self, literal: Literal) -> str:
        """How a literal is written."""
        value = literal.value
        if isinstance(value, float):
            return _real(value)
        return f'"{value.translate(_ESCAPES)}"' if isinstance(value, str) else show(value)

    def beside(self, one: Statement, other: Statement) -> bool:
        """Whether a statement stands on the line on which the one before it ends."""
        return False

    def closed(self, statement: Statement, opening: int) -> bool:
        """Whether the braces of a statement, which open at an offset, close on that line."""
        inner = [branch.statements for branch in getattr(statement, "branches", ())]
        return bool(inner) and all(len(each) < 2 and all(map(_is_head, each)) for each in inner)


def _real(value: float) -> str:
    """A real number, with a power of ten where that is shorter: `1e-4`."""
    plain = repr(value)
    sign, digits, exponent = Decimal(plain).normalize().as_tuple()
    if not isinstance(exponent, int):
        return plain
    first, *rest = map(str, digits)
    power = f"{'-' * sign}{first}{'.' * bool(rest)}{''.join(rest)}e{exponent + len(rest)}"
    return power if len(power) < len(plain) else plain


def _is_head(statement: Statement) -> bool:
    return isinstance(statement, Operation) and not statement.block and not statement.branches


@dataclass(slots=True)
class Line:
    """A line, and what it stands for in the text that the tree was read from, by offsets: where this begins (in a
    branch, also its bar) and ends, and where the next thing begins. `outer` is the indentation of comments above."""

    indent: str
    text: str
    start: int
    stop: int
    after: int
    outer: str
    bar: int | None = None

    def joins(self, lines: Sequence[str]) -> bool:
        """Whether it goes on with the last of these lines: an `else` after its brace."""
        return self.text.startswith("else ") and lines[-1] == self.indent + "}"

    def put(self, lines: list[str]) -> None:
        """Add it to lines."""
        if self.joins(lines):
            lines[-1] += " " + self.text
        else:
            lines.append(self.indent + self.text)


def print_tree(statements: Iterable[Statement]) -> str:
    """Statements as text."""
    made: list[str] = []
    for line in Printer(Trivia()).lines(tuple(statements), 0):
        line.put(made)
    return "".join(f"{line}\n" for line in made)


class _Part(NamedTuple):
    """A statement up to its braces and what stands in them, with the offsets where it begins, where the braces open and
    where it ends. Each arm of an `if` is one."""

    head: str
    inner: Block | tuple[Branch, ...] | None
    start: int
    opening: int
    stop: int


class Printer:
    """Prints statements."""

    def __init__(self, trivia: Trivia) -> None:
        self.trivia = trivia

    # -- statements ------------------------------------------------------------------------------------------

    def lines(self, statements: Sequence[Statement], end: int, indent: str = "") -> Iterator[Line]:
        """Statements on lines, of which those that stand on one stay there while they fit; what comes after them begins
        at an offset."""
        for row in self._rows(statements):
            texts = [self._inline(statement) for statement in row]
            text = "; ".join(text or "" for text in texts)
            if None not in texts and _fits(indent, text):
                yield Line(indent, text, row[0].span.start, row[-1].span.end, end, indent)
                continue
            afters = [*(statement.span.start for statement in row[1:]), end]
            for statement, single, after in zip(row, texts, afters, strict=True):
                if single is not None and _fits(indent, single):
                    yield Line(indent, single, statement.span.start, statement.span.end, after, indent)
                else:
                    yield from self._expanded(self._parts(statement), after, indent)

    def _rows(self, statements: Iterable[Statement]) -> list[list[Statement]]:
        rows: list[list[Statement]] = []
        for statement in statements:
            if rows and self.trivia.beside(rows[-1][-1], statement):
                rows[-1].append(statement)
            else:
                rows.append([statement])
        return rows

    def _expanded(self, parts: Sequence[_Part], after: int, indent: str) -> Iterator[Line]:
        """A statement with what stands in its braces on lines of its own."""
        afters = [*(part.opening for part in parts[1:]), after]
        for (head, inner, start, opening, stop), following in zip(parts, afters, strict=True):
            if inner is None:
                yield Line(indent, head, start, stop, following, indent)
                continue
            inside = inner.statements if isinstance(inner, Block) else inner
            yield Line(indent, head + " {", start, opening, inside[0].span.start if inside else stop, indent)
            if isinstance(inner, Block):
                yield from self.lines(inner.statements, stop - 1, indent + _INDENT)
            else:
                yield from self._branches(inner, stop - 1, indent + _INDENT)
            yield Line(indent, "}", stop, stop, following, indent + _INDENT)

    def _branches(self, branches: Sequence[Branch], end: int, indent: str) -> Iterator[Line]:
        ends = [*(branch.span.start for branch in branches[1:]), end]
        for branch, after in zip(branches, ends, strict=True):
            statements = branch.statements or (replace(IDENTITY, span=branch.span),)
            first, *rest = self.lines(statements, after, indent + "  ")
            yield replace(first, indent=indent + "| ", outer=indent, bar=branch.span.start)
            yield from rest

    def _inline(self, statement: Statement) -> str | None:
        """A statement on one line; None where its braces do not close there."""
        parts = self._parts(statement)
        if parts[0].inner is None:
            return parts[0].head
        if not self.trivia.closed(statement, parts[0].opening):
            return None
        return " ".join(f"{part.head} {self._braces(part.inner)}" for part in parts)

    def _braces(self, inner: Block | tuple[Branch, ...] | None) -> str:
        if isinstance(inner, Block):
            return f"{{ {self._row(inner.statements)} }}" if inner.statements else "{ }"
        return "{ " + " ".join(f"| {self._row(branch.statements or (IDENTITY,))}" for branch in inner or ()) + " }"

    def _row(self, statements: Iterable[Statement]) -> str:
        return "; ".join(filter(None, map(self._inline, statements)))

    def _parts(self, statement: Statement) -> list[_Part]:
        start, stop = statement.span.start, statement.span.end
        match statement:
            case Operation():
                head = _label(statement.label) + " ".join((statement.name, *map(self._argument, statement.arguments)))
                opening = statement.arguments[-1].span.end if statement.arguments else statement.name_span.end
                return [_Part(head, statement.block or statement.branches or None, start, opening, stop)]
            case Repeat():
                index = f" as {statement.index.text}" if statement.index else ""
                head = f"{_label(statement.label)}repeat {self._expression(statement.count)}{index}"
                return [_Part(head, statement.body, start, statement.body.span.start, stop)]
            case If():
                return [self._arm(arm, first=arm is statement.arms[0]) for arm in statement.arms]
            case Definition():
                formals = ", ".join(map(self._formal, statement.formals))
                tensors = " with " + " ".join(tensor.text for tensor in statement.tensors) if statement.tensors else ""
                head = f"{'shared ' * statement.shared}def {statement.name}({formals}){tensors}"
                return [_Part(head, statement.body, start, statement.body.span.start, stop)]
            case Parameter():
                head = f"param {statement.name} = {self._expression(statement.value)}"
                return [_Part(head, None, start, stop, stop)]
            case Lost():
                raise AssertionError("text that could not be read cannot be printed")

    def _arm(self, arm: Arm, first: bool) -> _Part:
        head = "else" if arm.condition is None else f"{'' if first else 'else '}if {self._expression(arm.condition)}"
        return _Part(head, arm.body, arm.span.start, arm.body.span.start, arm.body.span.end)

    # -- expressions -----------------------------------------------------------------------------------------

    def _formal(self, formal: Formal) -> str:
        return formal.name if formal.default is None else f"{formal.name}={self._expression(formal.default)}"

    def _argument(self, argument: Argument) -> str:
        """An argument; more than one token stands in parentheses."""
        value = argument.value
        if isinstance(value, Size):
            text = "/".join("x".join(map(self._extent, parts)) for parts in (value.parts, value.stride) if parts)
        else:
            text = self._expression(value, _SIGN if isinstance(value, Literal) else _ATOM)
        return f"{argument.key}={text}" if isinstance(argument, Keyword) else text

    def _extent(self, part: Expr | None) -> str:
        if part is None:
            return "?"
        text = self._expression(part)
        return text if isinstance(part, Group) or text.isdecimal() else f"({text})"

    def _expression(self, node: Expr, least: int = _CONDITIONAL) -> str:
        """An expression; in parentheses where it binds less tightly than it has to."""
        binding = _ATOM
        match node:
            case Literal():
                text = self.trivia.literal(node)
                binding = _SIGN if text[0] in "+-" else _ATOM
            case Reference():
                text = node.name
            case Starred():
                text = f"{node.name}*"
            case Group():
                text = f"({self._expression(node.inner)})"
            case Unary():
                binding = _NOT if node.operator == "not" else _SIGN
                text = node.operator + " " * (binding == _NOT) + self._expression(node.operand, binding)
            case Binary():
                binding, left, right = _BINARY[node.operator]
                operator = node.operator if node.operator in _TIGHT else f" {node.operator} "
                text = self._expression(node.left, left) + operator + self._expression(node.right, right)
            case Conditional():
                binding = _CONDITIONAL
                then, condition = self._expression(node.then, _OR), self._expression(node.condition, _OR)
                text = f"{then} if {condition} else {self._expression(node.otherwise)}"
        return f"({text})" if binding < least else text


def _fits(indent: str, text: str) -> bool:
    return len(indent) + len(text) <= WIDTH


def _label(label: Name | None) -> str:
    return f"{label.text}: " if label else ""
