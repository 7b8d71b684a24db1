"""Diagnostic objects. Text is made of them elsewhere (`render_*`)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace

from netc.diagnostics.codes import CODES, Severity
from netc.suggest import Meant
from netc.syntax.source import Span

LONGEST = 1000  # characters of a message
MOST = 1000  # errors looked for in one text, and warnings shown: whoever has more reads no more of them


@dataclass(frozen=True, slots=True)
class Frame:
    """One step of the expansion that led to a place: a call of a definition, or a pass of a `repeat`.

    `title` reads like "copy 3 of 5 of `resblock`" or "`stage`"; `span` is the call. Frames are linked outwards,
    so that a node costs one reference however deep it stands.
    """

    title: str
    span: Span
    outer: Frame | None = None

    def chain(self) -> Iterator[Frame]:
        """This frame, then the ones around it."""
        frame: Frame | None = self
        while frame is not None:
            yield frame
            frame = frame.outer


@dataclass(frozen=True, slots=True)
class Label:
    """A place and what is to be seen there ("1x1x512 here")."""

    span: Span
    text: str


@dataclass(frozen=True, slots=True)
class Edit:
    """Replace the text of a span."""

    span: Span
    replacement: str


@dataclass(frozen=True, slots=True)
class Fix:
    """Edits that mend a diagnostic. Safe: the network means the same, or what was plainly meant."""

    title: str
    edits: tuple[Edit, ...]
    safe: bool = False


@dataclass(slots=True)
class Diagnostic:
    """One finding. The message is lower case, says what was received, then what was expected."""

    code: str
    message: str
    span: Span | None = None
    label: str = ""
    secondary: tuple[Label, ...] = ()
    notes: tuple[str, ...] = ()
    help: tuple[str, ...] = ()
    fix: Fix | None = None
    frame: Frame | None = None
    severity: Severity = field(default=Severity.ERROR)

    @property
    def key(self) -> tuple[str, str, int, int, str]:
        """What makes two diagnostics the same finding, and the order they are shown in."""
        if self.span is None:
            return ("", self.code, -1, -1, self.message)
        return (self.span.source.name, self.code, self.span.start, self.span.end, self.message)


def clipped(text: str) -> str:
    """A text that somebody can read: a spec may hold words of any length."""
    return text if len(text) <= LONGEST else f"{text[: LONGEST // 2]} ... {text[-LONGEST // 2 :]}"


def capped(findings: Iterable[Diagnostic]) -> list[Diagnostic]:
    """What is shown of findings: all errors, and the first `MOST` warnings, of which the last says how many follow."""
    chosen: list[Diagnostic] = []
    last, warnings = -1, 0
    for found in findings:
        if found.severity is Severity.WARNING:
            warnings += 1
            if warnings > MOST:
                continue
            last = len(chosen)
        chosen.append(found)
    if warnings > MOST:
        more = f"this is the last of {MOST:,} warnings that are shown, there are {warnings - MOST:,} more"
        chosen[last] = replace(chosen[last], notes=(*chosen[last].notes, more))
    return chosen


class Diagnostics:
    """The findings of one run, in the order found; the same finding twice counts once."""

    def __init__(self) -> None:
        self._found: dict[tuple[str, str, int, int, str], Diagnostic] = {}

    def add(
        self,
        code: str,
        message: str,
        span: Span | None = None,
        *,
        label: str = "",
        secondary: Iterable[Label] = (),
        notes: Iterable[str] = (),
        help: Iterable[str] = (),
        fix: Fix | None = None,
        frame: Frame | None = None,
    ) -> Diagnostic:
        """Record a finding, with the severity that its code has in `CODES`.

        Help that says which name was meant (`did_you_mean`) is a fix too, where the span is that of the name."""
        found = Diagnostic(code, clipped(message), span, severity=CODES[code].severity)
        earlier = self._found.setdefault(found.key, found)
        if earlier is found:  # whatever takes work is done once for a finding, not for each of its copies
            found.label, found.secondary, found.fix, found.frame = label, tuple(secondary), fix, frame
            found.notes, found.help = tuple(map(clipped, notes)), tuple(map(clipped, help))
            if fix is None and isinstance(help, Meant) and help.found and span and span.text == help.name:
                found.fix = Fix(f"write `{help.found}`", (Edit(span, help.found),), safe=help.sure)
        return earlier

    def extend(self, others: Iterable[Diagnostic]) -> None:
        """Take over findings made elsewhere."""
        for other in others:
            self._found.setdefault(other.key, other)

    def discard(self, unwanted: Callable[[Diagnostic], bool]) -> None:
        """Forget some findings."""
        self._found = {key: found for key, found in self._found.items() if not unwanted(found)}

    def __iter__(self) -> Iterator[Diagnostic]:
        return iter(self._found.values())

    def __len__(self) -> int:
        return len(self._found)

    @property
    def failed(self) -> bool:
        """Whether any finding is an error."""
        return any(found.severity is Severity.ERROR for found in self)
