"""The canonical style.

One statement a line, four spaces inside braces, one space between arguments, operators of arithmetic without spaces
and all others with. What stood on one line stays on one line while it fits: statements parted by `;`, short blocks,
combiners. Blank lines stay, one in a row. Comments stay where they are; those inside parentheses move above. All lines
end as the first one does, with a line feed or with a carriage return before it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import fields, is_dataclass

from netc.diagnostics.model import Diagnostics
from netc.limits import Limits
from netc.syntax.parser import parse
from netc.syntax.source import Source, Span
from netc.syntax.tree import (
    Arm,
    Binary,
    Block,
    Branch,
    Comment,
    Definition,
    Expr,
    File,
    Formal,
    Group,
    If,
    Keyword,
    Literal,
    Operation,
    Parameter,
    Positional,
    Reference,
    Repeat,
    Size,
    Statement,
    Unary,
)

WIDTH = 120
_INDENT = "    "
_TIGHT = frozenset(("+", "-", "*", "/", "//", "%", "**"))


def format_file(file: File, limits: Limits | None = None) -> str:
    """The text of a file without errors, in canonical style; proves that it means the same."""
    text = _Printer(file).text()
    prove(file, text, limits or Limits())
    return text.replace("\n", "\r\n") if _first_end(file.source.text) == "\r\n" else text


def _first_end(text: str) -> str:
    """How the first line ends."""
    end = text.find("\n")
    return text[max(end - 1, 0) : end + 1]


def prove(file: File, text: str, limits: Limits) -> None:
    """Raise `AssertionError` unless a text is read as the same tree and comments, and formatting changes it no more."""
    report = Diagnostics()
    again = parse(Source(file.source.name, text), limits, report)
    found = [f"{found.code} {found.message}" for found in report]
    assert not found, f"the formatted text of {file.source.name} has errors: {found}"
    assert list(_facts(file)) == list(_facts(again)), f"formatting {file.source.name} would change its meaning"
    assert _Printer(again).text() == text, f"formatting {file.source.name} twice would change it twice"


def _facts(file: File) -> Iterator[object]:
    """What of a tree must stay: everything but positions."""
    yield from _walk(file.statements)
    yield [comment.text for comment in file.comments]


def _walk(node: object) -> Iterator[object]:
    if isinstance(node, Branch):
        yield from _walk(node.statements or (_IDENTITY,))
    elif isinstance(node, tuple):
        yield "("
        for part in node:
            yield from _walk(part)
        yield ")"
    elif is_dataclass(node):
        yield type(node).__name__
        for field in fields(node):
            if not isinstance(value := getattr(node, field.name), Span):
                yield from _walk(value)
    else:
        yield type(node), node


_NOWHERE = Span(Source("", ""), 0, 0)
_IDENTITY = Operation(None, "identity", (), None, (), _NOWHERE, _NOWHERE)  # what an empty branch is


# -- on one line ---------------------------------------------------------------------------------------------


def _expression(node: Expr | Size) -> str:
    if isinstance(node, Literal):
        return node.span.text
    if isinstance(node, Reference):
        return node.name
    if isinstance(node, Group):
        return f"({_expression(node.inner)})"
    if isinstance(node, Size):
        parts = "x".join("?" if part is None else _expression(part) for part in node.parts)
        return parts + ("/" + "x".join(map(_expression, node.stride)) if node.stride else "")
    if isinstance(node, Unary):
        return node.operator + " " * (node.operator == "not") + _expression(node.operand)
    if isinstance(node, Binary):
        operator = node.operator if node.operator in _TIGHT else f" {node.operator} "
        return _expression(node.left) + operator + _expression(node.right)
    condition, otherwise = _expression(node.condition), _expression(node.otherwise)
    return f"{_expression(node.then)} if {condition} else {otherwise}"


def _argument(argument: Positional | Keyword) -> str:
    value = _expression(argument.value)
    return value if isinstance(argument, Positional) else f"{argument.key}={value}"


def _formal(formal: Formal) -> str:
    return formal.name if formal.default is None else f"{formal.name}={_expression(formal.default)}"


def _head(statement: Operation | Repeat | Definition) -> str:
    """A statement up to its braces."""
    if isinstance(statement, Definition):
        formals = ", ".join(map(_formal, statement.formals))
        return f"{'shared ' * statement.shared}def {statement.name}({formals})"
    label = f"{statement.label.text}: " if statement.label else ""
    if isinstance(statement, Operation):
        return label + " ".join((statement.name, *map(_argument, statement.arguments)))
    index = f" as {statement.index.text}" if statement.index else ""
    return f"{label}repeat {_expression(statement.count)}{index}"


def _arm(arm: Arm, first: bool) -> str:
    """An arm of an `if` up to its braces."""
    if arm.condition is None:
        return "else"
    return f"{'' if first else 'else '}if {_expression(arm.condition)}"


def _stands_on_one_line(span: Span) -> bool:
    return "\n" not in span.text


def _inline(statement: Statement) -> str | None:
    """A statement on one line; None where its braces did not stand on one."""
    if isinstance(statement, Parameter):
        return f"param {statement.name} = {_expression(statement.value)}"
    if isinstance(statement, If):
        if not _stands_on_one_line(statement.span):
            return None
        arms = (f"{_arm(arm, not number)} {_braces(arm.body)}" for number, arm in enumerate(statement.arms))
        return " ".join(arms)
    assert isinstance(statement, Operation | Repeat | Definition)
    inner = _inner(statement)
    if inner is None:
        return _head(statement)
    braces = Span(statement.span.source, _opening(statement), statement.span.end)
    return f"{_head(statement)} {_braces(inner)}" if _stands_on_one_line(braces) else None


def _inner(statement: Operation | Repeat | Definition) -> Block | tuple[Branch, ...] | None:
    """What stands in the braces of a statement."""
    if isinstance(statement, Operation):
        return statement.block or statement.branches or None
    return statement.body


def _opening(statement: Operation | Repeat | Definition) -> int:
    """Where the braces of a statement open."""
    if not isinstance(statement, Operation):
        return statement.body.span.start
    head = statement.arguments[-1].span if statement.arguments else statement.name_span
    return statement.span.source.text.index("{", head.end)


def _braces(inner: Block | tuple[Branch, ...]) -> str:
    if isinstance(inner, Block):
        return f"{{ {_row(inner.statements)} }}" if inner.statements else "{ }"
    return "{ " + " ".join(f"| {_row(branch.statements or (_IDENTITY,))}" for branch in inner) + " }"


def _row(statements: Sequence[Statement]) -> str:
    """Statements that stood on one line, braces and all."""
    return "; ".join(_inline(statement) or "" for statement in statements)


# -- on many -------------------------------------------------------------------------------------------------


class _Printer:
    """The lines of a file so far, and the comments that are still to come."""

    def __init__(self, file: File) -> None:
        self.file = file
        self.comments = deque(file.comments)
        self.lines: list[str] = []
        self.indent = ""
        self.bar = False  # whether the next line begins a branch; `indent` is that of what stands after the bar
        self.last: int | None = None  # line of the source where the last line ended; None where no blank may follow

    def text(self) -> str:
        end = len(self.file.source.text)
        self._rows(self.file.statements, end)
        self._comments_before(end)
        return "".join(line + "\n" for line in self.lines)

    # -- lines -----------------------------------------------------------------------------------------------

    def _line_of(self, offset: int) -> int:
        return self.file.source.position(offset)[0]

    def _line(self, text: str, start: int, end: int) -> None:
        """A line for what stood between two offsets."""
        self._gap(start)
        self.lines.append(f"{self.indent[:-2]}| {text}" if self.bar else self.indent + text)
        self.bar = False
        self.last = self._line_of(end)

    def _gap(self, start: int) -> None:
        """A blank line, if one stood before an offset."""
        if self.last is not None and self._line_of(start) > self.last + 1:
            self.lines.append("")

    def _comments_before(self, end: int, at: int | None = None) -> None:
        """Comments on lines of their own, as if they stood before `at`."""
        while self.comments and self.comments[0].span.start < end:
            comment = self.comments.popleft()
            place = comment.span.start if at is None else min(comment.span.start, at)
            self._gap(place)
            self.lines.append((self.indent[:-2] if self.bar else self.indent) + _comment(comment))
            self.last = self._line_of(place)

    def _comment_behind(self, offset: int, end: int) -> None:
        """The comment that stands on the line of an offset, before another, goes after the last line."""
        if not self.comments or self.comments[0].own_line or self.comments[0].span.start >= end:
            return
        if self._line_of(self.comments[0].span.start) == self._line_of(offset):
            self.lines[-1] += "  " + _comment(self.comments.popleft())

    # -- statements ------------------------------------------------------------------------------------------

    def _rows(self, statements: Sequence[Statement], end: int) -> None:
        """Statements, and the comments after them up to an offset."""
        rows: list[list[Statement]] = []
        for statement in statements:
            if rows and self._line_of(rows[-1][-1].span.end) == self._line_of(statement.span.start):
                rows[-1].append(statement)
            else:
                rows.append([statement])
        for row in rows:
            self._row_of(row, end)

    def _row_of(self, row: list[Statement], end: int) -> None:
        start, stop = row[0].span.start, row[-1].span.end
        parts = [_inline(statement) for statement in row]
        text = "; ".join(part or "" for part in parts)
        if None not in parts and self._fits(text):
            self._comments_before(start)
            self._comments_before(stop, start)
            self._line(text, start, stop)
            self._comment_behind(stop, end)
            return
        bounds = [*(statement.span.start for statement in row[1:]), end]
        for statement, part, bound in zip(row, parts, bounds, strict=True):
            self._statement(statement, part, bound)

    def _fits(self, text: str) -> bool:
        return len(self.indent) + len(text) <= WIDTH

    def _statement(self, statement: Statement, text: str | None, end: int) -> None:
        """A statement on lines of its own, on one if its text fits or has no braces."""
        start, stop = statement.span.start, statement.span.end
        self._comments_before(start)
        if isinstance(statement, If) and (text is None or not self._fits(text)):
            self._arms(statement)
        elif isinstance(statement, Operation | Repeat | Definition) and (text is None or not self._fits(text)):
            self._expanded(statement)
        else:
            self._comments_before(stop, start)
            self._line(text or "", start, stop)
        self._comment_behind(stop, end)

    def _expanded(self, statement: Operation | Repeat | Definition) -> None:
        inner, start, stop = _inner(statement), statement.span.start, statement.span.end
        if inner is None:
            self._comments_before(stop, start)
            self._line(_head(statement), start, stop)
            return
        opening = _opening(statement)
        self._comments_before(opening, start)
        self._line(_head(statement) + " {", start, opening)
        if isinstance(inner, Block):
            self._block(inner.statements, opening, stop)
        else:
            self._branches(inner, opening, stop)

    def _arms(self, statement: If) -> None:
        for number, arm in enumerate(statement.arms):
            opening = arm.body.span.start
            if number == 0:
                self._comments_before(opening, statement.span.start)
            else:
                self._comment_behind(statement.arms[number - 1].span.end, opening)
                self._comments_before(opening)
            head = _arm(arm, number == 0) + " {"
            if number and self.lines[-1] == self.indent + "}":
                self.lines[-1] += " " + head
            else:
                self._line(head, arm.span.start, opening)
            self._block(arm.body.statements, opening, arm.body.span.end)

    def _block(self, statements: Sequence[Statement], opening: int, stop: int) -> None:
        """What stands between braces, and the closing one."""
        first = statements[0].span.start if statements else stop
        indent = self._enter(opening, first, _INDENT)
        self._rows(statements, stop - 1)
        self._leave(indent, stop)

    def _branches(self, branches: tuple[Branch, ...], opening: int, stop: int) -> None:
        indent = self._enter(opening, branches[0].span.start, _INDENT + "  ")
        bounds = [*(branch.span.start for branch in branches[1:]), stop - 1]
        for branch, end in zip(branches, bounds, strict=True):
            start, self.bar = branch.span.start, True
            self._comments_before(start)
            self._gap(start)
            self.last = None
            if branch.statements:
                self._rows(branch.statements, end)
            else:
                self._line("identity", start, start)
                self._comment_behind(start, end)
        self.indent = self.indent[:-2]
        self._leave(indent, stop)

    def _enter(self, opening: int, first: int, indent: str) -> str:
        """Begin braces; returns the indentation outside."""
        self._comment_behind(opening, first)
        outside = self.indent
        self.indent, self.last = outside + indent, None
        return outside

    def _leave(self, indent: str, stop: int) -> None:
        self._comments_before(stop)
        self.indent, self.last = indent, None
        self._line("}", stop, stop)


def _comment(comment: Comment) -> str:
    """A comment with a space after its sign, unless there is none on purpose (`#!`)."""
    text = comment.span.text[1:].rstrip()
    return f"# {text}" if text and text[0] not in " \t#!" else f"#{text}"
