"""The texts that a page shows beside its figure: the specs, and the definitions of other files that they call."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import PurePath

from netc.figures.svg import escape
from netc.ir.net import Origin
from netc.program import Program
from netc.syntax.source import Source, Span
from netc.values import show

Place = tuple[int, int, int, int, int, int]


@dataclass(frozen=True, slots=True)
class Text:
    """Lines of a source, from `first` to `last`: a spec, with a `note` on it, or a definition. `comments` says at which
    column of a line its comment begins (both from 1)."""

    title: str
    source: Source
    first: int
    last: int
    is_spec: bool = False
    note: str = ""
    comments: dict[int, int] = field(default_factory=dict)

    def html(self) -> str:
        """The text as an article, each line an element."""
        level, kind = ("h1", ' class="spec"') if self.is_spec else ("h2", "")
        file = PurePath(self.source.name).name  # not its folder, which would change with who draws
        heading = f"{escape(self.title)} <small>{escape(f'{file} {self.note}'.rstrip())}</small>"
        start = f' style="counter-reset:line {self.first - 1}"' if self.first > 1 else ""
        lines = "\n".join(f"<li><code>{line}</code></li>" for line in self._lines())
        opening = f'<ol{kind} data-file="{escape(file)}" data-first="{self.first}"{start}>'
        return f"<article>\n<{level}>{heading}</{level}>\n{opening}\n{lines}\n</ol>\n</article>"

    def _lines(self) -> Iterator[str]:
        for number in range(self.first, self.last + 1):
            line = self.source.line(number)
            start = self.comments.get(number, len(line) + 1) - 1
            comment = f"<i>{_escaped(line[start:])}</i>" if line[start:] else ""
            if line or number < self.source.lines:  # after the last line break there is none
                yield _escaped(line[:start]) + comment


def _escaped(text: str) -> str:
    return "\t".join(map(escape, text.split("\t")))


@dataclass
class Texts:
    """All texts of some programs, and the places in them where layers were written."""

    shown: list[Text] = field(default_factory=list)
    places: dict[Place, int] = field(default_factory=dict)  # place -> its number

    @classmethod
    def of(cls, programs: Sequence[Program]) -> Texts:
        """The specs themselves, then each definition of another file once."""
        specs = [_spec(program) for program in programs]
        own = {text.source for text in specs}
        called = [each for program in programs for each in program.definitions.values()]
        others = {each.span: each.name for each in called if each.span.source not in own}
        there = sorted(others, key=lambda span: (span.source.name, span.start))
        return cls([*specs, *(_definition(others[span], span) for span in there)])

    def html(self) -> str:
        """The articles, one after the other."""
        return "\n".join(text.html() for text in self.shown)

    def place(self, origin: Origin) -> int:
        """The number of the place where a layer was written: the words themselves, with the call that led there as the
        place around it, and so on outwards. -1 where no text that is shown has it."""
        spans = [origin.span, *(frame.span for frame in (origin.frame.chain() if origin.frame else ()))]
        outer = -1
        for span in reversed(spans):
            at = next((at for at, text in enumerate(self.shown) if _holds(text, span)), None)
            if at is None:
                continue
            (line, first), (last, end) = (span.source.position(offset) for offset in (span.start, span.end))
            place = (at, line - self.shown[at].first, first, last - line, end, outer)
            outer = self.places.setdefault(place, len(self.places))
        return outer


def _spec(program: Program) -> Text:
    """The text of a program, with the values of its parameters in this figure."""
    source = program.file.source
    values = ", ".join(f"{name}={show(value)}" for name, value in program.parameters.items())
    comments = dict(source.position(comment.span.start) for comment in program.file.comments)
    return Text(program.name, source, 1, source.lines, True, values, comments)


def _definition(name: str, span: Span) -> Text:
    return Text(name, span.source, span.line, span.source.position(span.end)[0])


def _holds(text: Text, span: Span) -> bool:
    return text.source is span.source and text.first <= span.line <= text.last
