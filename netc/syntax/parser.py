"""Text to syntax tree, going on after every error."""

from __future__ import annotations

import re
from functools import cache
from threading import Lock
from typing import Any

from lark import Lark, TextSlice, Token, UnexpectedInput, UnexpectedToken

from netc.diagnostics.model import Diagnostics
from netc.limits import Limits
from netc.syntax.build import Builder, Lines
from netc.syntax.findings import Findings, TooMany
from netc.syntax.grammar import load
from netc.syntax.layout import Layout
from netc.syntax.source import BLANK, Source, Span
from netc.syntax.tree import File, Lost, Statement

_STOP = re.compile(r'"[^"\\\n]*(?:\\.[^"\\\n]*)*"?|[\n;{}|]')
_LOCK = Lock()  # the one parser builds one tree at a time


def parse(source: Source, limits: Limits, report: Diagnostics) -> File:
    """The tree of a text. Never raises on a bad one: what is wrong is in `report`, and `Lost` in the tree."""
    layout = Layout(source, Findings(source, report))
    with _LOCK:
        statements = _statements(layout, limits)
    return File(source, statements, tuple(layout.comments))


def _statements(layout: Layout, limits: Limits) -> tuple[Statement, ...]:
    lark, builder = _parser()
    try:
        if layout.scan(limits):
            builder.begin(layout, limits)
            lines: object = lark.parse(layout.text, on_error=lambda error: _recover(error, layout))
            assert isinstance(lines, Lines)
            return tuple(lines)
    except TooMany:
        pass
    return (Lost(Span(layout.source, 0, len(layout.source.text))),)


@cache
def _parser() -> tuple[Lark, Builder]:
    builder = Builder()
    return load(builder), builder


def size_typo(name: str) -> str | None:
    """The size that a name was probably meant to be: `(ch)x3` for `chx3`.

    >>> size_typo("chx3x1"), size_typo("relu")
    ('(ch)x3x1', None)
    """
    parts = name.split("x")
    head = len(parts)
    while head > 1 and parts[head - 1].isdecimal():
        head -= 1
    head += head == 1 and not parts[0]  # `x3x3` begins with an `x` of the name
    if head == len(parts):
        return None
    return "x".join((f"({'x'.join(parts[:head])})", *parts[head:]))


# -- recovery ------------------------------------------------------------------------------------------------

# What Lark documents lets a parser that stopped go on, but neither back nor elsewhere in the text. So the two stacks of
# its `parser_state` and the text and position of its `lexer_thread` are changed here, and nowhere else. Lark may change
# them in any minor version: pyproject.toml takes those that the tests have seen.

_BRACE_BELOW = re.compile(rf"[{BLANK}]*\n\s*\{{")


def _recover(error: UnexpectedInput, layout: Layout) -> bool:
    """Report an error, give LOST for its statement, and go on where that ends or where its braces begin."""
    from netc.syntax.mistakes import Mistake, explain  # noqa: PLC0415 - only for a mistake

    parser: Any = error.interactive_parser
    values = parser.parser_state.value_stack
    at = min(error.pos_in_stream or 0, len(layout.text) - 1)
    known = isinstance(error, UnexpectedToken)
    mistake = Mistake(layout, at, values[-1] if values else None, parser.accepts(), known)
    start = _unwind(parser, at)
    end = _resume(layout, at, in_branches=len(values) > 1)
    reported = _loose_size(layout, start, end) is not None or layout.findings.marked(start, end + 1)
    if reported:
        layout.findings.count_one()
    else:
        explain(mistake)
    if _tightened(layout, start, end):
        _read_from(parser, start, layout.text)
    else:
        parser.feed_token(Token("LOST", "", start, end_pos=min(end, len(layout.source.text))))
        _read_from(parser, end, layout.text)
    return True


def _read_from(parser: Any, offset: int, text: str) -> None:
    """Go on at an offset of a text."""
    lexer: Any = parser.lexer_thread.state
    lexer.text = TextSlice(text, 0, len(text))
    lexer.line_ctr.char_pos = offset


def _unwind(parser: Any, at: int) -> int:
    """Go back to the lines before the statement in hand; returns where that begins."""
    states, values = parser.parser_state.state_stack, parser.parser_state.value_stack
    if values and _is(values[-1], "TERMINATOR"):  # after a whole statement that is not yet among its lines
        parser.feed_token(Token("TERMINATOR", "", at))
    if "lines" in parser.choices():  # nothing is read since the brace or bar
        values.append(Lines())
    if _is(values[-1], "RBRACE"):  # after a whole block that is not yet one
        while not _is(values.pop(), "LBRACE"):
            pass
    last = len(values) - 1
    while not isinstance(values[last], Lines):
        last -= 1
    start = _start(values[last + 1]) if last + 1 < len(values) else at
    del values[last + 1 :], states[last + 1 :]
    states.append(parser.choices()["lines"][1])
    return start


def _loose_size(layout: Layout, start: int, end: int) -> int | None:
    """Where a size with blanks begins, in the statement between two offsets."""
    return next((at for at in layout.loose if start <= at <= end), None)


def _tightened(layout: Layout, start: int, end: int) -> bool:
    """Whether the size that is wrong in a statement is mended now, and the only thing that was found there."""
    at = _loose_size(layout, start, end)
    if at is None:
        return False
    layout.findings.forgive(at)
    if layout.findings.marked(start, end + 1):
        layout.findings.mark(at)
        return False
    layout.tighten(at)
    return True


def _is(value: Any, terminal: str) -> bool:
    return isinstance(value, Token) and value.type == terminal


def _start(value: Any) -> int:
    if isinstance(value, Token):
        return value.start_pos or 0
    first = value[0] if isinstance(value, list) else value  # the arms of an `if` are a list
    start: int = first.span.start
    return start


def _resume(layout: Layout, at: int, *, in_branches: bool) -> int:
    """Where to read on: the end of the statement, or the brace that opens before that."""
    brace = _BRACE_BELOW.match(layout.text, at)
    if brace is not None:  # a brace on a line of its own belongs to the header above it
        return brace.end() - 1
    for match in _STOP.finditer(layout.text, at):
        if match[0][0] != '"' and (match[0] != "|" or in_branches):
            return match.start()
    raise AssertionError("a text that is laid out ends with a line break")
