"""Whatever text comes, the parser answers with diagnostics: it never raises, and never loses text silently."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from netc.diagnostics.model import Diagnostics
from netc.limits import Limits
from netc.syntax.format import format_file
from netc.syntax.parser import parse
from netc.syntax.source import Source, Span
from netc.syntax.tree import File, Lost
from tests.syntax_samples import EVERYTHING, nodes

PIECES = (
    *"(){}|;:,=#\"'\\?.x/*-+<>!&@[] \n\t\r",
    *("def", "shared", "param", "if", "else", "repeat", "as", "and", "or", "not", "true", "false"),
    *(
        "conv",
        "ch",
        "x",
        "x3",
        "chx3",
        "64",
        "3",
        "64x3/2",
        "(ch)x3",
        "64x",
        "x(",
        "1e-4",
        "1e",
        ".5",
        "-1",
        "**",
        "//",
    ),
    *("==", "\ufeff", "\x00", "\u00a0", "ö", "漢", "🙂", '"a\\n"', "# c\n", "relu", "l2=", "enc1:", "\n    ", "9" * 30),
)
SPECS = [EVERYTHING, *(path.read_text(encoding="utf-8") for path in sorted(Path("specs").glob("*.net"))[:8])]


@st.composite
def mutated(draw: st.DrawFn) -> str:
    """A good text with a few parts deleted, doubled, or replaced."""
    text = draw(st.sampled_from(SPECS))
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(text)))
        end = min(len(text), start + draw(st.sampled_from((0, 0, 1, 2, 5, 30))))
        middle = draw(st.sampled_from(("", text[start:end] * 2, *PIECES)))
        text = text[:start] + middle + text[end:]
    return text


texts = st.one_of(mutated(), st.lists(st.sampled_from(PIECES), max_size=40).map("".join), st.text(max_size=60))


def spans(file: File, report: Diagnostics) -> Iterator[Span]:
    """Every span of a tree and of what was found."""
    for node in nodes(file):
        yield node.span
    for found in report:
        assert found.span is not None
        yield from (found.span, *(label.span for label in found.secondary))
        yield from (edit.span for edit in (found.fix.edits if found.fix else ()))


def check(text: str) -> None:
    source, report = Source("fuzz", text), Diagnostics()
    file = parse(source, Limits(), report)
    for span in spans(file, report):
        assert span.source is source
        assert 0 <= span.start <= span.end <= len(text), (span.start, span.end)
    assert all(report_line for report_line in (found.message for found in report))
    if any(isinstance(node, Lost) for node in nodes(file)):
        assert report.failed
    if not report.failed:
        format_file(file)


@settings(max_examples=400, deadline=None)
@given(texts)
def test_any_text_gives_diagnostics_only(text: str) -> None:
    check(text)


@settings(max_examples=200, deadline=None)
@given(texts)
def test_text_outside_the_tree_is_reported(text: str) -> None:
    """Characters that are in no statement are blanks, separators and comments, or there is an error."""
    report = Diagnostics()
    file = parse(Source("fuzz", text), Limits(), report)
    if report.failed:
        return
    covered = [node.span for node in (*file.statements, *file.comments)]
    rest = list(text.removeprefix("\ufeff").rjust(len(text)))
    for span in covered:
        rest[span.start : span.end] = " " * (span.end - span.start)
    assert not "".join(rest).strip(" \t\r\f\n;")


@pytest.mark.parametrize(
    "text", ["", "\n", ";", "\ufeff", "#", "\r", "a { b } c", "if a { b } if", "a {{", "}{", "|", "(\n)"]
)
def test_edges(text: str) -> None:
    check(text)
