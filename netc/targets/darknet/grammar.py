"""The text of a `.cfg` file as sections: names that may come again, each with its options.

As Darknet's `read_cfg` has it: blanks mean nothing, and a line that begins with `#` or `;` is a comment.
"""

from __future__ import annotations

from dataclasses import dataclass

from lark import Lark, Token
from lark.exceptions import UnexpectedInput

from netc.lift.source import ImportRefused, Reason

_GRAMMAR = r"""
    start: (_NEWLINE | COMMENT | HEADER | OPTION)*
    COMMENT: /[#;][^\n]*/
    HEADER: /\[[^\]\n]*\][ \t\r]*(?=\n|$)/
    OPTION: /[^\[\]#;=\s][^=\n]*=[^\n]*/
    _NEWLINE: /\n/
    %ignore /[ \t\r]+/
"""
MOST_SECTIONS = 20_000


@dataclass(frozen=True, slots=True)
class Option:
    """A line `key=value`."""

    value: str
    line: int


@dataclass(slots=True)
class Section:
    """A name in brackets, and the options below it. Of one that is given twice the first counts, as in Darknet."""

    name: str
    line: int
    options: dict[str, Option]


def parse(text: str) -> list[Section]:
    """The sections of a text, in order. Raises `ImportRefused` with the line that is none."""
    try:
        tokens = list(_LEXER.lex(text))
    except UnexpectedInput as error:
        line = text.splitlines()[error.line - 1].strip()[:40] if text else ""
        why = f"got {line!r}, expected `[section]` or `key=value`"
        raise ImportRefused([Reason(f"line {error.line}", why)]) from None
    found: list[Section] = []
    for token in tokens:
        if token.type == "HEADER":
            found.append(Section("".join(token.split())[1:-1], _line(token), {}))
        elif token.type == "OPTION":
            if not found:
                raise ImportRefused([Reason(f"line {_line(token)}", "an option before any `[section]`")])
            key, _, value = "".join(token.split()).partition("=")
            found[-1].options.setdefault(key, Option(value, _line(token)))
    if len(found) > MOST_SECTIONS:
        raise ImportRefused([Reason("the file", f"it has {len(found):,} sections, expected at most {MOST_SECTIONS:,}")])
    return found


def _line(token: Token) -> int:
    assert token.line is not None
    return token.line


_LEXER = Lark(_GRAMMAR, parser="lalr")
