"""What must be known of a text before it is parsed: comments, and which brackets belong together.

The parser gets a text in which everything keeps its offset, but comments and line breaks inside parentheses are
blank, brackets that nothing opened are gone, and braces that nothing closes are closed after the end. So it never
meets an unbalanced brace, and its depth is bounded before it starts.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from netc.diagnostics.model import Edit, Fix, Label
from netc.limits import Limits
from netc.syntax.findings import Findings
from netc.syntax.source import BLANK, Source, Span
from netc.syntax.tree import Comment

_PARTS = re.compile(
    r'(?P<begun>/\*|^[ \t]*""")|"[^"\\\n]*(?:\\.[^"\\\n]*)*(?P<closed>"?)|#[^\n]*|[(){};]', re.MULTILINE
)
_ENDS = {"/*": "*/", '"""': '"""'}  # of comments that belong to other languages
_PARTS_OF_CODE = re.compile(r'\\"|#[^\n]*|[(){};]')
_LINE_END = re.compile("[\r\v\f\x85\u2028\u2029]")  # what other programs show as the end of a line
_STATEMENT = re.compile(r"[^\n;{}]+")
_OPENER = {")": "(", "}": "{"}
_BOM = "\ufeff"


@dataclass(slots=True)
class Layout:
    """A text as the parser reads it.

    `closers` has the offset of the closing bracket of every opening one that is closed, and of every brace, `openers`
    that of the opening parenthesis of every closing one. `loose` has the end of each size that is written with blanks,
    and how it is written without; `tightened` the end of those whose blanks stand after them now.
    """

    source: Source
    findings: Findings
    text: str = ""
    comments: list[Comment] = field(default_factory=list)
    closers: dict[int, int] = field(default_factory=dict)
    openers: dict[int, int] = field(default_factory=dict)
    loose: dict[int, tuple[int, str]] = field(default_factory=dict)
    tightened: dict[int, int] = field(default_factory=dict)
    _open: list[int] = field(default_factory=list)
    _blanks: list[tuple[int, int]] = field(default_factory=list)
    _suspect: tuple[int, int] | None = None  # an opening brace, and the closing one that is indented less

    def scan(self, limits: Limits) -> bool:
        """Fill the layout; false where brackets are nested too deeply to read the text."""
        for start, part in _parts(self.source.text):
            if part[0] == "#":
                self._comment(start, part)
            elif part[:2] in ("/*", '""'):
                self._foreign_comment(start, part)
            elif part[0] == '"':
                self._unclosed_string(start)
            elif part[0] == "\\":
                self._blanks.append((start, start + 2))
            elif part in "({":
                self._opened(start, part)
                if len(self._open) > limits.nesting:
                    self.findings.too_deep("brackets", start, start + 1, limits.nesting)
                    return False
            else:
                self._closed(start, part)
        self._unclosed_parenthesis()
        self._unclosed_braces()
        self._finish()
        return self._statements_fit(limits.statement)

    def tighten(self, start: int) -> None:
        """Take the blanks out of a size, and put them after it, so that all else keeps its offset."""
        end, size = self.loose.pop(start)
        self.tightened[start] = end
        self.text = self.text[:start] + size.ljust(end - start) + self.text[end:]

    def _statements_fit(self, limit: int) -> bool:
        """Whether each statement is short enough to read; reports one that is not. Comments do not count."""
        for match in _STATEMENT.finditer(self.text):
            if match.end() - match.start() > limit and len(match[0].strip()) > limit:
                start = match.start() + len(match[0]) - len(match[0].lstrip())
                help = [f"raise the bound with `--limit statement={10 * limit}`"]
                message = f"this statement has more than {limit:,} characters"
                self.findings.add("NET609", message, start, start + 1, help=help)
                return False
        return True

    def _comment(self, start: int, part: str) -> None:
        before = self.source.text[self.source.text.rfind("\n", 0, start) + 1 : start]
        end = start + len(part.rstrip())
        hides = _LINE_END.search(part, 0, end - start)
        if hides is not None:
            at = start + hides.start()
            message = f"a comment ends with its line, but many programs show U+{ord(hides[0]):04X} as the end of one"
            self.findings.add("NET001", message, at, at + 1, help=["end the line with a line feed"])
        own_line = not before.strip(BLANK + _BOM)
        self.comments.append(Comment(part[1:].strip(), own_line, Span(self.source, start, end)))
        self._blanks.append((start, end))

    def _foreign_comment(self, start: int, part: str) -> None:
        """Report a comment of C or a text of Python, which may have several lines, and leave it out."""
        sign, text = next(sign for sign in _ENDS if part.startswith(sign)), self.source.text
        inner = part[len(sign) : -len(_ENDS[sign])].split("\n")
        end = start + len(part)
        line_end = text.find("\n", end)
        alone = not text[end : line_end if line_end >= 0 else None].strip(BLANK)
        comments = "\n".join(f"# {line.strip(BLANK)}".rstrip() for line in inner)
        self.findings.add(
            "NET001",
            f"`{sign}` begins no comment",
            start,
            start + len(sign),
            help=["a comment begins with `#`, and ends with its line"],
            fix=Fix("write `#`", (Edit(Span(self.source, start, end), comments),), safe=True) if alone else None,
            spoils=False,
        )
        at = start
        for line in part.split("\n"):  # line breaks stay
            self._blanks.append((at, at + len(line)))
            at += len(line) + 1

    def _unclosed_string(self, start: int) -> None:
        """Report; what follows counts as code."""
        end = self.source.text.find("\n", start)
        line = self.source.text[start : end if end >= 0 else None]
        self.findings.add(
            "NET006",
            "this string does not end on its line",
            start,
            start + len(line.rstrip()),
            help=['a string begins and ends with `"`; inside it, `\\"` is a quote'],
        )
        self._blanks.append((start, start + 1))

    # -- brackets --------------------------------------------------------------------------------------------

    def _opened(self, at: int, part: str) -> None:
        if part == "{":
            self._unclosed_parenthesis()
        self._open.append(at)

    def _closed(self, at: int, part: str) -> None:
        text = self.source.text
        if part != ")":
            self._unclosed_parenthesis()
        if part == ";":
            return
        if not self._open or text[self._open[-1]] != _OPENER[part]:
            label = f"no `{_OPENER[part]}` is open here"
            self.findings.add("NET001", f"`{part}` closes nothing", at, at + 1, label=label)
            self._blanks.append((at, at + 1))
            return
        opener = self._open.pop()
        self.closers[opener] = at
        if part == "}":
            self._compare_indentation(opener, at)
            return
        self.openers[at] = opener
        if not self._in_parentheses:
            self._blanks += [(newline, newline + 1) for newline in _all(text, "\n", opener, at)]

    @property
    def _in_parentheses(self) -> bool:
        return bool(self._open) and self.source.text[self._open[-1]] == "("

    def _unclosed_parenthesis(self) -> None:
        """Report parentheses that are open where none can be: before a brace, a `;` or the end."""
        opener = -1
        while self._in_parentheses:
            opener = self._open.pop()
        if opener >= 0:
            self.findings.add("NET002", "this `(` is never closed", opener, opener + 1)

    def _compare_indentation(self, opener: int, closer: int) -> None:
        if self._suspect is None and self.source.text.find("\n", opener, closer) >= 0:
            indent, opened = self._indent(closer), self._indent(opener)
            if closer == indent[1] and indent[0] < opened[0]:
                self._suspect = opener, closer

    def _indent(self, at: int) -> tuple[int, int]:
        """Indentation of a line, and the offset of its first character that is not blank."""
        text = self.source.text
        start = text.rfind("\n", 0, at) + 1
        first = at - len(text[start:at].lstrip(BLANK))
        return first - start, first

    def _unclosed_braces(self) -> None:
        """Report one unclosed brace, since one that is missing leaves all outer ones open; it spoils all of them."""
        if not self._open:
            return
        opener, secondary = self._open[-1], []
        if self._suspect is not None:
            opener, closer = self._suspect
            secondary = [Label(Span(self.source, closer, closer + 1), "taken for its end, but it is indented less")]
        for other in self._open:
            self.findings.mark(other)
        self.findings.add("NET002", "this `{` is never closed", opener, opener + 1, secondary=secondary)

    def _finish(self) -> None:
        text, end = self.source.text, len(self.source.text) + 1
        if text.startswith(_BOM):
            self._blanks.append((0, 1))
        pieces, at = [], 0
        for start, stop in sorted(self._blanks):
            pieces += [text[at:start], " " * (stop - start)]
            at = stop
        self.closers.update({opener: end + number for number, opener in enumerate(reversed(self._open))})
        self.text = "".join(pieces) + text[at:] + "\n" + "}" * len(self._open) + "\n"


def _parts(text: str) -> Iterator[tuple[int, str]]:
    """Brackets, semicolons, comments and strings without an end, each with its offset.

    What follows such a string on its line counts as code, since brackets may be closed there; the quotes in it are
    escaped, and begin no string.
    """
    at, unended = 0, set[str]()
    while match := _PARTS.search(text, at):
        at = match.end()
        if match["begun"]:
            sign = match[0].strip()
            end = -1 if sign in unended else text.find(_ENDS[sign], at)
            if end < 0:  # one that does not end is none, and the last quote may begin a string
                unended.add(sign)
                at -= sign == '"""'
            else:
                start, at = at - len(sign), end + len(_ENDS[sign])
                yield start, text[start:at]
            continue
        if match["closed"]:
            continue
        yield match.start(), match[0]
        if match[0][0] == '"':
            code = _PARTS_OF_CODE.finditer(text, match.start() + 1, match.end())
            yield from ((part.start(), part[0]) for part in code)


def _all(text: str, part: str, start: int, end: int) -> list[int]:
    found = []
    at = text.find(part, start, end)
    while at >= 0:
        found.append(at)
        at = text.find(part, at + 1, end)
    return found
