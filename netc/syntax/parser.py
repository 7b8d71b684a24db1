"""Text to syntax tree: Lark's LALR parser with callbacks, and recovery to the next statement."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

from lark import Lark, Token
from lark.exceptions import UnexpectedCharacters, UnexpectedInput, UnexpectedToken
from lark.parsers.lalr_analysis import Shift

from netc.diagnostics.model import Diagnostics, Edit, Fix
from netc.limits import Limits
from netc.syntax.build import RESERVED, Builder
from netc.syntax.grammar import load
from netc.syntax.source import Source, Span
from netc.syntax.tree import Comment, File

_SIZE_TYPO = re.compile(r"([A-Za-z_]\w*?)x(\d+)\Z")
_SKIPPED = re.compile(r'"(?:\\.|[^"\\\n])*"?|#[^\n]*|[\n;{}()]')
_BRACKETS = re.compile(r'"(?:\\.|[^"\\\n])*"|#[^\n]*|[{}()]')
_COMMENTS = re.compile(r'"(?:\\.|[^"\\\n])*"|#[^\n]*')


def size_typo(name: str) -> str | None:
    """`(ch)x3` for the name `chx3`, which looks like a size; None for other names."""
    match = _SIZE_TYPO.match(name)
    return f"({match.group(1)})x{match.group(2)}" if match else None


def parse(source: Source, limits: Limits, report: Diagnostics) -> File:
    """The syntax tree of a text. Never raises on a bad one: what cannot be read is reported and becomes `Lost`."""
    text = source.text
    comments = tuple(_comments(source))
    if _too_deep(source, limits, report):
        return File(source, (), comments)
    lark, builder = _tables()
    builder.begin(source, limits, report)
    start = 1 if text.startswith("\ufeff") else 0
    statements = lark.parse(" " * start + text[start:], on_error=_Recovery(source, report))
    return File(source, statements, comments)  # type: ignore[arg-type]


@cache
def _tables() -> tuple[Lark, Builder]:
    builder = Builder()
    return load(builder), builder


def _comments(source: Source) -> list[Comment]:
    text = source.text
    found = []
    for match in _COMMENTS.finditer(text):
        if match.group()[0] == "#":
            line_start = text.rfind("\n", 0, match.start()) + 1
            own = not text[line_start : match.start()].strip(" \t\ufeff")
            end = match.start() + len(match.group().rstrip("\r"))
            found.append(Comment(text[match.start() + 1 : end].strip(), own, Span(source, match.start(), end)))
    return found


def _too_deep(source: Source, limits: Limits, report: Diagnostics) -> bool:
    """Whether brackets are nested beyond the bound, found before anything has to follow them down."""
    depth = 0
    for match in _BRACKETS.finditer(source.text):
        bracket = match.group()
        depth += bracket in "({"
        depth -= bracket in ")}"
        if depth > limits.nesting:
            report.add(
                "NET602",
                f"brackets nested more than {limits.nesting} deep",
                Span(source, match.start(), match.end()),
                help=(f"raise the bound with `--limit nesting={limits.nesting * 2}`",),
            )
            return True
    return False


class _Recovery:
    """Lark's error handler: report, drop the statement that cannot be read, and go on behind it."""

    def __init__(self, source: Source, report: Diagnostics) -> None:
        self.source = source
        self.report = report

    def __call__(self, error: UnexpectedInput) -> bool:
        interactive: Any = error.interactive_parser
        state = interactive.parser_state
        lexer = interactive.lexer_thread.state
        at = self._place(error)
        self._report(error, at, state)
        start = self._unwind(interactive, at)
        end = self._skip(at.start, closing="RBRACE" in interactive.accepts())
        interactive.feed_token(Token("LOST", self.source.text[start:end], start, end_pos=end))
        lexer.line_ctr.char_pos = end
        lexer.last_token = None
        if end == len(self.source.text):
            while "RBRACE" in interactive.accepts():
                interactive.feed_token(Token("RBRACE", "}", end, end_pos=end))
        return True

    def _place(self, error: UnexpectedInput) -> Span:
        length = len(self.source.text)
        if isinstance(error, UnexpectedToken) and error.token.type != "$END":
            end: int = error.token.end_pos
            length = len("else") if error.token.type == "ELSE" else len(error.token)
            return Span(self.source, end - length, end)
        if isinstance(error, UnexpectedCharacters):
            at = error.pos_in_stream
            assert at is not None
            return Span(self.source, at, at + 1)
        return Span(self.source, length, length)

    # -- going on --------------------------------------------------------------------------------------------

    def _unwind(self, interactive: Any, at: Span) -> int:
        """Drop what the parser holds of the statement; returns where that began."""
        state = interactive.parser_state
        table = state.parse_conf.parse_table.states
        start = at.start
        while "LOST" not in table[state.state_stack[-1]]:
            if table[state.state_stack[-1]].get("_SEP", (None,))[0] is Shift:  # behind a whole statement
                interactive.feed_token(Token("_SEP", "", at.start, end_pos=at.start))
                break
            state.state_stack.pop()
            start = min(start, _start_of(state.value_stack.pop(), start))
        return start

    def _skip(self, start: int, *, closing: bool) -> int:
        """Where the statement ends that holds an offset: at a separator or a closing brace outside all brackets."""
        depth = 0
        for match in _SKIPPED.finditer(self.source.text, start):
            mark = match.group()
            if mark in ("{", "("):
                depth += 1
            elif mark == ")":
                depth = max(depth - 1, 0)
            elif mark == "}":
                if not depth and closing:
                    return match.start()
                depth = max(depth - 1, 0)
            elif mark in "\n;" and not depth:
                return match.start()
        return len(self.source.text)

    # -- messages --------------------------------------------------------------------------------------------

    def _report(self, error: UnexpectedInput, at: Span, state: Any) -> None:
        text = self.source.text
        if at.start >= len(text):
            self._unclosed(at)
        elif text[at.start] == '"':
            end = len(text) if (end := text.find("\n", at.start)) < 0 else end
            span = Span(self.source, at.start, end)
            self.report.add("NET006", "this string is not closed on its line", span, help=('end it with `"`',))
        elif self._bare_expression(at):
            pass
        else:
            self._unexpected(at, state)

    def _unclosed(self, at: Span) -> None:
        opened = []
        for match in _BRACKETS.finditer(self.source.text):
            if match.group() in "({":
                opened.append(match)
            elif match.group() in ")}" and opened:
                opened.pop()
        if not opened:
            self.report.add("NET001", "the text ends in the middle of a statement", at)
            return
        span = Span(self.source, opened[-1].start(), opened[-1].end())
        self.report.add("NET002", f"`{span.text}` is never closed", span, label="opened here")

    def _bare_expression(self, at: Span) -> bool:
        """Whether an operator follows an argument: `4*ch` must be `(4*ch)`."""
        text = self.source.text
        match = _OPERATION_TAIL.match(text, at.start)
        line_start = max(text.rfind("\n", 0, at.start), text.rfind(";", 0, at.start)) + 1
        before = _LAST_OPERAND.search(text[line_start : at.start])
        if match is None or before is None or not _IN_ARGUMENTS.search(text[line_start : line_start + before.start()]):
            return False
        span = Span(self.source, line_start + before.start(), match.end())
        self.report.add(
            "NET007",
            f"`{span.text}` is an expression of several tokens",
            span,
            help=(f"in an argument it stands in parentheses: `({span.text})`",),
            fix=Fix("put it in parentheses", (Edit(span, f"({span.text})"),), safe=True),
        )
        return True

    def _unexpected(self, at: Span, state: Any) -> None:
        found = at.text
        if found == "\n":
            self.report.add("NET001", "the line ends too early", at, label=self._wanted(state))
            return
        shown = found if found.isprintable() else ascii(found)[1:-1]
        help: tuple[str, ...] = ()
        code = "NET124" if found in RESERVED and found not in ("true", "false") else "NET001"
        if found in "})":
            message = f"`{found}` closes nothing"
        elif found == "|":
            message = "`|` begins a branch, and stands in the braces of a combiner only"
            help = ("for example `add { | identity | conv 64x3 }`",)
        else:
            message = f"`{shown}` cannot stand here"
            hint = _HINTS.get(found) or (f"expected {wanted}" if (wanted := self._wanted(state)) else "")
            help = (hint,) if hint else ()
        self.report.add(code, message, at, help=help)

    def _wanted(self, state: Any) -> str:
        """What could stand where the parser is, in a user's words."""
        accepted = set(state.parse_conf.parse_table.states[state.state_stack[-1]])
        names = [words for terminals, words in _WANTED if terminals & accepted]
        return " or ".join(names[:3])


_OPERATION_TAIL = re.compile(
    r"[ \t]*(?:\*\*|//|[-+*/%])[ \t]*(?:[\w.]+|\([^()\n]*\))(?:[ \t]*(?:\*\*|//|[-+*/%])[ \t]*(?:[\w.]+|\([^()\n]*\)))*"
)
_IN_ARGUMENTS = re.compile(r"[\w.)\"=][ \t]*\Z")
_LAST_OPERAND = re.compile(r"(?:[\w.]+|\([^()]*\))[ \t]*\Z")
_HINTS = {
    ",": "arguments are separated by spaces",
    "'": 'strings stand in double quotes: "..."',
    "[": "the language has no lists; sizes are written `64x3`",
    "&": "conditions are joined by `and`",
    ":": "a label is one word that is not reserved, in front of an operation: `enc1: conv 64x3`",
}
_WANTED = (
    ({"LBRACE"}, "`{`"),
    ({"RPAR"}, "`)`"),
    ({"KEY"}, "`name=`"),
    ({"LOST"}, "a statement"),
    ({"_SEP"}, "the end of the statement"),
    ({"INT", "REAL"}, "a value"),
    ({"NAME"}, "a name"),
)


def _start_of(value: Any, default: int) -> int:
    """Where something on the parser's stack begins."""
    if isinstance(value, Token):
        return value.start_pos if value.start_pos is not None else default
    if isinstance(value, list) and value:
        return _start_of(value[0], default)
    span = getattr(value, "span", None)
    start = span.start if isinstance(span, Span) else getattr(value, "start", default)
    return start if isinstance(start, int) else default
