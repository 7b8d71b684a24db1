"""Comments that accept the lints of a text: `conv 512x1/2 bn  # netc: allow NET301`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from netc.diagnostics.levels import PREFIX
from netc.diagnostics.model import Diagnostic
from netc.lift.writing import WIDTH
from netc.syntax.source import Source, Span


def accepting(source: Source, lints: Sequence[Diagnostic]) -> str:
    """A text with a comment for each lint: at the end of its line, above it where the line is long."""
    codes: dict[int, set[str]] = {}
    for found in lints:
        for span in _spans(found):
            if span.source is source:
                codes.setdefault(span.line, set()).add(found.code)
                break
    made: list[str] = []
    for number, line in enumerate(source.text.splitlines(), 1):
        comment = f"# {PREFIX} allow {', '.join(sorted(codes.get(number, ())))}"
        if number not in codes:
            made.append(line)
        elif len(line) + 2 + len(comment) <= WIDTH:
            made.append(f"{line}  {comment}")
        else:
            made += [" " * (len(line) - len(line.lstrip())) + comment, line]
    return "".join(f"{line}\n" for line in made)


def _spans(found: Diagnostic) -> Iterator[Span]:
    """Where a lint is, and the calls that led there, from the inside."""
    if found.span is not None:
        yield found.span
    for frame in found.frame.chain() if found.frame else ():
        yield frame.span
