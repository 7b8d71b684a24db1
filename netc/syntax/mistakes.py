"""What a text that cannot be read was probably meant to be, in the words of those who write specs."""

from __future__ import annotations

import re
from collections.abc import Iterator, Set
from dataclasses import dataclass, replace
from typing import Any

from lark import Token

from netc.diagnostics.model import Edit, Fix
from netc.syntax.layout import Layout
from netc.syntax.sizes import loose_start, rewrite, shorten, spaced_size
from netc.syntax.source import BLANK, Span
from netc.syntax.tree import RESERVED, Keyword, Literal, Name, Positional, Reference

_WITH_NAMES = re.compile(  # a name takes in what follows, but an `x` before a `?` is a joint
    r"(?:(?:[0-9]+|\?)[x/]|[A-Za-z_]\w*/|[A-Za-z_]\w+(?<=x)\?[x/])+"
    r"(?:[0-9]+|\?|[A-Za-z_]\w*|[A-Za-z_]\w+(?<=x)\?)(?![\w/])"
)
_NUMBER_LIKE = re.compile(r"\.?[0-9?](?:[eE][-+](?=[0-9])|[\w.?]|/(?=[\w?]))*/?")
_SIZE = re.compile(r"[0-9?]+(?:[x/][0-9?]+)+")
_NAMES_NETWORK = re.compile(rf"(?:.*;)?[{BLANK}]*net[{BLANK}]+")
_NETWORK = re.compile(rf"[A-Za-z][\w.-]*(?![^{BLANK}\n;])", re.ASCII)
_SIZE_AFTER = re.compile(rf"[{BLANK}]*(?=x[0-9?(])")
_FOUND = re.compile(r"\w+|==|!=|<=|>=|\*\*|//|&&|\|\||.", re.DOTALL)
_OPERATOR = re.compile(rf"[{BLANK}]*(?:\*\*|//|==|!=|<=|>=|[-+*/%<>]|(?:and|or|if|else)\b)[{BLANK}]*")
_SIGN = re.compile(rf"(?:[-+]|not\b)[{BLANK}]*")
_OPERAND = re.compile(r'[A-Za-z_]\w*|(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]+)?|"(?:[^"\\\n]|\\.)*"')
_NUMBER = re.compile(r"[0-9]+|\?")
_NUMBERS = re.compile(rf"(?:[0-9]+|\?)(?:[{BLANK}]*,[{BLANK}]*(?:[0-9]+|\?))+(?![\w.?/])")
_INPUT = re.compile(rf"(?:.*[;:])?[{BLANK}]*input[{BLANK}]+")
_COMMAS = re.compile(r'"[^"\\\n]*(?:\\.[^"\\\n]*)*"?|\([^()\n]*\)?|,')  # those in strings and parentheses aside
_END = re.compile(r"[\n;{}|]")
_LAST = re.compile(rf"[{BLANK}]*[\n;{{}}|]")
_SEPARATE_SIGN = re.compile(rf"[{BLANK}]+[-+](?=[^{BLANK}])")

_HINTS = {
    "'": 'a string stands in double quotes: `"text"`',
    "[": "there are no lists; a size is written `3x3`",
    "]": "there are no lists; a size is written `3x3`",
    "&&": "write `and`",
    "&": "write `and`",
    "||": "write `or`",
    "!": "write `not`",
    "=": "an option is written `key=value`, a comparison `==`",
    ".": 'a path stands in quotes: `use "blocks.net"`',
    ":": "a label is one word in front of an operation: `enc1: conv 64x3`",
    **dict.fromkeys(("<", "<=", ">", ">=", "==", "!="), "comparisons are joined by `and`: `a < b and b < c`"),
    "|": "`|` begins a branch in the braces of a combiner: `add { | identity | conv 64x3 }`",
    "{": "braces belong to an operation, a `repeat`, an `if` or a `def`, and open on its line",
}
_MEANT = {
    **dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2212", "-"),
    **dict.fromkeys("\u2018\u2019\u201c\u201d\u201e", '"'),
    "\u00d7": "x",
}
_PRINTED = {" ": "a space", "": "nothing: it shows nothing"}
_STRAY = re.compile(r'"[^"\\\n]*(?:\\.[^"\\\n]*)*"?|\u201c[^"\u201c\u201d\n]*\u201d|[\n;{}|]|[^\x00-\x7f]')
_WANTED = {
    "DEF": "`def`",
    "LPAR": "`(`",
    "EQUAL": "`=`",
    "COMMA": "`,`",
    "RPAR": "`)`",
    "OTHERWISE": "`else`",
    "LBRACE": "`{`",
    "TERMINATOR": "the end of the line",
    "ADD": "an operator",
}


@dataclass(slots=True)
class Mistake:
    """Where the parser stopped: the offset, what it read last, what it would take, and whether it knows what it met."""

    layout: Layout
    at: int
    last: Any
    expected: Set[str]
    known: bool

    @property
    def found(self) -> str:
        """The word, operator or character."""
        match = _FOUND.match(self.layout.text, self.at)
        return match[0] if match else ""

    @property
    def before(self) -> Any:
        """The argument or operand that was read last."""
        last = self.last[-1] if isinstance(self.last, list) and self.last else self.last
        return last.value if isinstance(last, Positional | Keyword) else last

    @property
    def in_arguments(self) -> bool:
        """Whether an argument could begin here."""
        return "KEY" in self.expected

    def report(
        self,
        code: str,
        message: str,
        end: int | None = None,
        *,
        start: int | None = None,
        help: str = "",
        fix: str = "",
    ) -> bool:
        """Report an error; `fix` replaces the text underlined. Returns true."""
        start = self.at if start is None else start
        end = start + len(self.found) if end is None else end
        mend = rewrite(self.layout, start, end, fix) if fix else None
        self.layout.findings.add(code, message, start, end, help=[help] if help else [], fix=mend)
        return True


def explain(mistake: Mistake) -> None:
    """Report what is wrong where the parser stopped."""
    any(recognise(mistake) for recognise in _RECOGNISERS)


# -- characters and words ------------------------------------------------------------------------------------


def _odd_character(mistake: Mistake) -> bool:
    found = mistake.found
    if (found.isascii() and found.isprintable()) or found == "\n":
        return False
    if found[0].isalnum() or len(found) > 1:
        help = "names are made of the letters a to z, digits and `_`"
        return mistake.report("NET001", f"`{found}` is no name", help=help)
    import unicodedata  # noqa: PLC0415 - large, and for this message only

    name, meant = unicodedata.name(found, "control character"), _meant(found)
    message = f"U+{ord(found):04X} ({name.lower()}) cannot stand here"
    if meant is None:
        return mistake.report("NET001", message)
    edits = tuple(_plain(mistake))
    one = len({edit.replacement for edit in edits}) == 1
    written = f"write {_PRINTED.get(meant, f'`{meant}`')}"
    fix = Fix(written if one else "write it in plain characters", edits, safe=True)
    mistake.layout.findings.add("NET001", message, mistake.at, mistake.at + 1, help=[written], fix=fix)
    return True


def _plain(mistake: Mistake) -> Iterator[Edit]:
    """All characters of the rest of a statement that stand for others; those before it were read."""
    for match in _STRAY.finditer(mistake.layout.text, mistake.at):
        if match[0] in "\n;{}|":
            return
        ends = (
            sorted({match.start(), match.end() - 1}) if match[0][0] != '"' else ()
        )  # of a quotation, or the character
        for at in ends:
            span = Span(mistake.layout.source, at, at + 1)
            if (meant := _meant(span.text)) is not None:
                yield Edit(span, meant)


def _meant(character: str) -> str | None:
    """What a character was meant to be that looks like one of the language or like nothing; None if that is not known.

    >>> _meant("\\u3000"), _meant("\\u200b"), _meant("\\uff1b"), _meant("\\u00d7"), _meant("\\u00e9")
    (' ', '', ';', 'x', None)
    """
    import unicodedata  # noqa: PLC0415 - large, and for a mistake only

    if character in _MEANT:
        return _MEANT[character]
    category, plain = unicodedata.category(character), unicodedata.normalize("NFKC", character)
    if category in ("Zs", "Cf"):
        return " " if category == "Zs" else ""
    return plain if plain.isascii() and len(plain) == 1 and not plain.isalnum() else None


def _reserved(mistake: Mistake) -> bool:
    found, expected, last = mistake.found, mistake.expected, mistake.last
    if found == ":" and isinstance(last, Token) and last in RESERVED:
        message = f"`{last}` is a reserved word, and cannot be a label"
        return mistake.report("NET124", message, last.end_pos, start=last.start_pos)
    if found not in RESERVED:
        return False
    after = mistake.at + len(found)
    wants_name = expected & {"WORD", "OPERATION"} and not expected & {"NUMBER", "SIGNED"}
    if not wants_name and not (mistake.in_arguments and mistake.layout.text.startswith("=", after)):
        return False
    if found == "else" and "DEF" in expected:
        return mistake.report("NET001", "`else` without an `if` before it", help="`else` follows the `}` of its `if`")
    if "REPEAT" in expected and "PARAM" not in expected and found in ("if", "def", "shared", "param"):
        return mistake.report("NET001", f"a label cannot name `{found}`", help="it names an operation or a `repeat`")
    return mistake.report("NET124", f"`{found}` is a reserved word, expected {_wanted(mistake)}")


def _statement_after(mistake: Mistake) -> bool:
    if mistake.found not in ("repeat", "def", "shared", "param") or "TERMINATOR" not in mistake.expected:
        return False
    help = "a statement begins on a new line or after `;`"
    return mistake.report("NET001", f"`{mistake.found}` cannot stand here", help=help)


def _comma(mistake: Mistake) -> bool:
    if mistake.found != "," or not mistake.in_arguments:
        return False
    source, text, at = mistake.layout.source, mistake.layout.text, mistake.at
    numbers = _NUMBERS.match(text, mistake.before.span.start) if isinstance(mistake.before, Literal) else None
    if numbers is not None and numbers.end() > at:
        # `input 28,28,1` can be one size only; `pool 3, 2` may be a window and its stride
        size = "x".join(_NUMBER.findall(numbers[0]))
        alone = _INPUT.fullmatch(text, text.rfind("\n", 0, numbers.start()) + 1, numbers.start()) is not None
        fix = replace(rewrite(mistake.layout, *numbers.span(), size), safe=alone)
        help = f"the extents of a size are joined by `x`: `{shorten(size)}`"
    else:
        end = _END.search(text, at)
        parts = _COMMAS.finditer(text, at, end.start() if end else len(text))
        commas = [Span(source, *part.span()) for part in parts if part[0] == ","]
        edits = (Edit(comma, "" if text[comma.end] in BLANK + "\n" else " ") for comma in commas)
        fix = Fix("remove it" if len(commas) == 1 else "remove the commas", tuple(edits), safe=True)
        help = "arguments are parted by spaces, statements by `;` or a new line"
    mistake.layout.findings.add("NET001", "`,` cannot stand between arguments", at, at + 1, help=[help], fix=fix)
    return True


# -- numbers and expressions ---------------------------------------------------------------------------------


def _name_in_size(mistake: Mistake) -> bool:
    """`64xch`, `chx3/2`, `(ch)x3/stride`."""
    before, start, text = mistake.before, mistake.at, mistake.layout.text
    if isinstance(before, Reference) and mistake.found == "/" and before.span.end == start:
        start = before.span.start
    joint = text[start] if text[start - 1 : start] == ")" and text[start] in "x/" else ""
    match = _WITH_NAMES.match(text, start + len(joint))
    if match is None or match.end() <= mistake.at or not (mistake.in_arguments or "SIGNED" in mistake.expected):
        return False
    size = _in_parentheses(match[0])
    if size is None:
        return False
    if joint:
        begin = loose_start(mistake.layout, start)
        start, size = begin, f"{text[begin:start]}{joint}{size}"
    help = f"a name in a size stands in parentheses: `{size}`"
    written = text[start : match.end()]
    return mistake.report("NET004", f"`{written}` is no size", match.end(), start=start, help=help, fix=size)


def _in_parentheses(size: str) -> str | None:
    parts = re.split(r"(?<=[0-9?])([x/])|(?<=\w)(/)|(?<=[A-Za-z_])(x)(?=[0-9])", size)
    made = "".join(f"({part})" if re.fullmatch(r"[A-Za-wyz_]\w*|x\w+", part) else part for part in parts if part)
    return made if made != size else None


def _bad_number(mistake: Mistake) -> bool:
    match = _NUMBER_LIKE.match(mistake.layout.text, mistake.at)
    if mistake.known or match is None:
        return False
    lowered = match[0].replace("X", "x")
    if lowered != match[0] and _SIZE.fullmatch(lowered):
        help = f"the `x` of a size is a small one: `{shorten(lowered)}`"
        return mistake.report("NET004", f"`{shorten(match[0])}` is no size", match.end(), help=help, fix=lowered)
    what = "neither a number nor a size" if mistake.in_arguments or "SIGNED" in mistake.expected else "no number"
    help = "numbers are written `16`, `0.1` or `1e-4`, sizes `64x3` or `3x3/2`"
    return mistake.report("NET003", f"`{shorten(match[0])}` is {what}", match.end(), help=help)


def _size_in_expression(mistake: Mistake) -> bool:
    match = _NUMBER_LIKE.match(mistake.layout.text, mistake.at)
    if match is None or "NUMBER" not in mistake.expected:
        return False
    message = f"`{shorten(match[0])}` is a size, expected a number or another single value"
    return mistake.report("NET001", message, match.end(), help="sizes are arguments: they stand after an operation")


def _network_name(mistake: Mistake) -> bool:
    """`net vgg-16`."""
    text, before = mistake.layout.text, mistake.before
    if mistake.found not in ("-", ".") or not hasattr(before, "span"):
        return False
    start = before.span.start
    name = _NETWORK.match(text, start)
    if name is None or not _NAMES_NETWORK.fullmatch(text[text.rfind("\n", 0, start) + 1 : start]):
        return False
    help = f'a name with other characters than letters, digits and `_` stands in quotes: `net "{name[0]}"`'
    return mistake.report(
        "NET001", f"`{name[0]}` is more than one word", name.end(), start=start, help=help, fix=f'"{name[0]}"'
    )


def _loose_star(mistake: Mistake) -> bool:
    """`add z *`."""
    before, at = mistake.before, mistake.at
    if mistake.found != "*" or not mistake.in_arguments or not isinstance(before, Reference):
        return False
    if before.span.end == at or not _LAST.match(mistake.layout.text, at + 1):
        return False
    star, start = f"{before.name}*", before.span.start
    help = f"the label of all passes is one word: `{star}`"
    message = f"`{before.name}` and its `*` stand apart"
    return mistake.report("NET007", message, at + 1, start=start, help=help, fix=star)


def _bare_expression(mistake: Mistake) -> bool:
    """`4*ch x3`, `n=n-1`, `-k` among arguments."""
    text, at, before = mistake.layout.text, mistake.at, mistake.before
    as_value = "SIGNED" in mistake.expected
    operator = _OPERATOR.match(text, at) or _SIGN.match(text, at)
    if operator is None or not (as_value or mistake.in_arguments):
        return False
    unary = _SIGN.match(text, at) is not None and (text[at - 1] in BLANK + "=" and operator[0][-1:] not in BLANK)
    has_left = hasattr(before, "span") and not isinstance(before, Name)
    start = at if not has_left or unary or mistake.found == "not" else before.span.start
    end = _expression_end(mistake.layout, start)
    if end is None or end <= at:
        help = "an expression in an argument stands in parentheses: `(2*n)`"
        return mistake.report("NET007", f"`{operator[0].strip()}` cannot stand between arguments", help=help)
    written = text[start:end]
    after = _SIZE_AFTER.match(text, end)
    fix = Edit(Span(mistake.layout.source, start, after.end() if after else end), f"({written})")
    mistake.layout.findings.add(
        "NET007",
        f"`{shorten(written)}` is more than one token, and stands outside parentheses",
        start,
        end,
        help=[f"more than one token goes in parentheses: `({shorten(written)})`"],
        fix=Fix("add parentheses", (fix,), safe=not (unary and has_left)),  # `n -k` may mean `(n-k)`
    )
    return True


def _expression_end(layout: Layout, at: int) -> int | None:
    text = layout.text
    while True:
        while sign := _SIGN.match(text, at):
            at = sign.end()
        operand = _OPERAND.match(text, at)
        if operand is not None and operand[0] not in RESERVED - {"true", "false"}:
            end = operand.end()
        elif text[at : at + 1] == "(" and at in layout.closers:
            end = layout.closers[at] + 1
        else:
            return None
        operator = _OPERATOR.match(text, end)
        if operator is None or _SEPARATE_SIGN.match(text, end):
            return end
        at = operator.end()


# -- anything else -------------------------------------------------------------------------------------------


def _unexpected(mistake: Mistake) -> bool:
    found, wanted = mistake.found, _wanted(mistake)
    help = _HINTS.get(found, "") if found != "{" or "OPERATION" in mistake.expected else ""
    if "LBRACE" in mistake.expected and (found.isidentifier() or not help):
        help = "what it governs stands in braces: `repeat 3 { conv 64x3 }`, `if n > 1 { pool 2 }`"
    elif "LPAR" in mistake.expected and mistake.expected <= {"LPAR"}:
        help = "parameters stand in parentheses, even if there are none: `def stage(n, ch) { ... }`"
    elif found == "=" and isinstance(mistake.last, Token):
        name = str(mistake.last)
        help = f"to name a result, write `{name}: ...`; to name a value, `param {name} = ...`"
    elif found == "{" and "NUMBER" in mistake.expected:
        help = "how often, or when, is missing: `repeat 3 { ... }`, `if n > 1 { ... }`"
    if found in ("\n", ""):
        ended = "line" if mistake.at < len(mistake.layout.source.text) else "file"
        if "LBRACE" in mistake.expected and not mistake.in_arguments:
            help = "the brace opens on the same line"
        return mistake.report("NET001", f"the {ended} ends where {wanted} must stand", mistake.at, help=help)
    return mistake.report("NET001", f"`{found}` cannot stand here, expected {wanted}", help=help)


def _wanted(mistake: Mistake) -> str:
    """What can stand where the parser stopped."""
    expected = mistake.expected
    if "OPERATION" in expected:
        return "a statement" if "PARAM" in expected else "an operation or `repeat` after the label"
    if mistake.in_arguments:
        return "an argument or the end of the line"
    if "SIGNED" in expected:
        return f"a value for `{mistake.last.text}`" if isinstance(mistake.last, Name) else "a value"
    if "NUMBER" in expected:
        return "a value"
    if "WORD" in expected:
        return "a name"
    return _either([words for terminal, words in _WANTED.items() if terminal in expected]) or "something else"


def _either(words: list[str]) -> str:
    return " or ".join(filter(None, (", ".join(words[:-1]), *words[-1:])))


def _spaced(mistake: Mistake) -> bool:
    """`64x 3`, `16x3 /2`, `(n) x3/2`."""
    if not (mistake.in_arguments or "SIGNED" in mistake.expected):
        return False
    start = loose_start(mistake.layout, mistake.at) if mistake.found == "/" else mistake.at
    return spaced_size(mistake.layout, start, mistake.at) is not None


_RECOGNISERS = (
    _odd_character,
    _spaced,
    _name_in_size,
    _bad_number,
    _size_in_expression,
    _reserved,
    _statement_after,
    _network_name,
    _loose_star,
    _bare_expression,
    _comma,
    _unexpected,
)
