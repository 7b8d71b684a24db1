"""Case files: specs that say in comments what netc has to find in them.

    input 8x8x3
    conv 64 x 3     #! NET004 @6-11 "written with spaces"
    pool 16
    #! NET204

`#!` after a statement speaks of its line, on a line of its own of the line above. After the code may stand the
columns underlined, both included and counted from 1 (`@6-11`; `@6` for an empty range; `@6-+2:1` for one that ends in
column 1 two lines below), and a part of the message. Several findings of a line are joined by ` #! `. Without any a
file has to be clean. What is to be written may follow: `=> "part of the first help"`. Three more forms stand on lines of
their own:

    #! options: -D n=9 --deny NET301
    #! elsewhere: NET112 "parameter `m`"      (a finding without position, or in another file)
    #! helps                                  (`--update` writes the first help of each finding too)

These comments are taken out before netc sees the text, so that they may stand after an unclosed string.
`python -m tests.cases --update [FILE...]` writes what netc finds; look at the difference before committing it.
Files whose names begin with `_` are no cases but included by some.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from netc.cli import parser
from netc.cli.options import Settings, settings
from netc.cli.running import compile_text, read
from netc.diagnostics import Diagnostic
from netc.syntax.source import Source, Span

ROOT = Path(__file__).parent
OPTIONS, ELSEWHERE, HELPS = "options:", "elsewhere:", "helps"
_COMMENT = re.compile(r"(.*?)[ \t]*#!(.*)")
_EXPECTED = re.compile(r'(NET\d{3})(?: @([\d:+-]+))?(?: "(.*?)")?(?: => "(.*)")?')


@dataclass(frozen=True, slots=True)
class Expected:
    """What is to be found on a line: the code, and where they are given the columns and a part of the message."""

    code: str
    columns: str = ""
    text: str = ""
    help: str = ""

    @classmethod
    def read(cls, text: str) -> Expected:
        match = _EXPECTED.fullmatch(text.strip())
        if match is None:
            raise ValueError(f'got `#! {text}`, expected `#! NET204 @1-6 "part of the message"`')
        return cls(match[1], match[2] or "", match[3] or "", match[4] or "")

    def fits(self, seen: Expected) -> bool:
        """Whether a finding is what was expected."""
        told = self.text in seen.text and self.help in seen.help
        return self.code == seen.code and self.columns in ("", seen.columns) and told

    def __str__(self) -> str:
        parts = (f" @{self.columns}", f' "{self.text}"', f' => "{self.help}"')
        given = (self.columns, self.text, self.help)
        return self.code + "".join(part for part, value in zip(parts, given, strict=True) if value)


@dataclass(slots=True)
class Case:
    """A case file: the text without its comments, and what they expect on each line of it (0: elsewhere)."""

    path: Path
    options: list[str] = field(default_factory=list)
    helps: bool = False
    lines: list[str] = field(default_factory=list)
    expected: dict[int, list[Expected]] = field(default_factory=dict)

    def expect(self, line: int, texts: Iterable[str]) -> None:
        self.expected.setdefault(line, []).extend(map(Expected.read, texts))

    def found(self) -> dict[int, list[Expected]]:
        """What netc finds."""
        findings = check_text("\n".join(self.lines), self.options, str(self.path))
        found: dict[int, list[Expected]] = {}
        for finding in findings:
            line, columns = _place(finding.span, self.path)
            help = next(iter(finding.help), "")
            found.setdefault(line, []).append(Expected(finding.code, columns, finding.message, help))
        return found

    def differences(self) -> list[str]:
        """Where the case and netc disagree, a line each."""
        found, missing = self.found(), []
        for line, wanted in self.expected.items():
            for one in sorted(wanted, key=lambda one: -len(str(one))):  # the one that says most first
                match = next((seen for seen in found.get(line, []) if one.fits(seen)), None)
                if match is None:
                    missing.append((line, f"missing    {one}"))
                else:
                    found[line].remove(match)
        unexpected = [(line, f"unexpected {seen}") for line, seen_there in found.items() for seen in seen_there]
        return [f"{self._shown(line)}{told}" for line, told in sorted(missing + unexpected)]

    def text(self, found: dict[int, list[Expected]]) -> str:
        """The case file that expects what was found; what still fits stays as it is written."""
        kept = {line: [self._kept(line, one) for one in there] for line, there in found.items()}
        comments = {line: " #! ".join(map(str, there)) for line, there in kept.items()}
        head = [f"#! {OPTIONS} {' '.join(self.options)}"] if self.options else []
        head += [f"#! {HELPS}"] if self.helps else []
        head += [f"#! {ELSEWHERE} {comments[0]}"] if 0 in comments else []
        numbered = enumerate(self.lines, 1)
        return "\n".join(head + [f"{text}  #! {comments[n]}" if n in comments else text for n, text in numbered])

    def _kept(self, line: int, seen: Expected) -> Expected:
        new = seen if self.helps else replace(seen, help="")
        return next((one for one in self.expected.get(line, []) if one.fits(seen)), new)

    def _shown(self, line: int) -> str:
        return f"{self.path.name}: {f'`{self.lines[line - 1].strip()}`' if line else 'elsewhere'}: "


def paths() -> list[Path]:
    """All case files."""
    return sorted(path for path in ROOT.rglob("*.net") if not path.name.startswith("_"))


def check_text(text: str, arguments: Sequence[str] = (), name: str = "example.net") -> list[Diagnostic]:
    """What `netc check` finds in a text, given as a file of that name."""
    return compile_text(Source(name, text), _settings(arguments))[1]


def check_file(path: Path, arguments: Sequence[str] = ()) -> list[Diagnostic]:
    """What `netc check` finds in a file."""
    chosen = _settings(arguments)
    source, findings = read(str(path), chosen.limits, str(path))
    return findings if source is None else compile_text(source, chosen)[1]


def _settings(arguments: Sequence[str]) -> Settings:
    return settings(parser(["check"]).parse_args(["check", "-", "--isolated", *arguments]), "-")


def read_case(path: Path) -> Case:
    """A case file."""
    case = Case(path)
    with path.open(encoding="utf-8", newline="") as file:
        lines = file.read().split("\n")
    for line in lines:
        match = _COMMENT.fullmatch(line)
        text, comment = (line, None) if match is None else (match[1], match[2].strip())
        if text or comment is None:
            case.lines.append(text)
        if comment is None:
            continue
        if comment.startswith(OPTIONS):
            case.options += comment.removeprefix(OPTIONS).split()
        elif comment == HELPS:
            case.helps = True
        elif comment.startswith(ELSEWHERE):
            case.expect(0, comment.removeprefix(ELSEWHERE).split(" #! "))
        else:
            case.expect(len(case.lines), comment.split(" #! "))
    return case


def update(path: Path) -> bool:
    """Rewrite the comments of a case that does not pass to what netc finds; whether that was needed."""
    case = read_case(path)
    if not case.differences():
        return False
    path.write_bytes(case.text(case.found()).encode())
    return True


def _place(span: Span | None, path: Path) -> tuple[int, str]:
    """The line of a finding and its columns as a case writes them."""
    if span is None or span.source.name != str(path):
        return 0, ""
    line, column = span.source.position(span.start)
    if span.start == span.end:
        return line, str(column)
    last, end = span.source.position(span.end - 1)
    return line, f"{column}-{f'+{last - line}:' if last > line else ''}{end}"
