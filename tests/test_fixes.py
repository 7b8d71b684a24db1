"""A fix that is called safe mends what it is for, brings nothing new, and is what was meant."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from random import Random

import pytest

from netc.compiler import compile_source, judge
from netc.diagnostics import Diagnostic, Severity
from netc.diagnostics.fixes import apply_fixes, fix
from netc.syntax.source import Source
from tests.cases import paths, read_case
from tests.fuzz import LIMITS, mutated, texts

INPUT = "param ch = 8\nparam stride = 2\nparam k = 3\ninput 28x28x1\n"


def judged(source: Source) -> list[Diagnostic]:
    return judge(compile_source(source, {}, LIMITS))


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("conv 8 x 3", "conv 8x3"),
        ("conv (ch) x3 / 2", "conv (ch)x3/2"),
        ("conv chx3", "conv (ch)x3"),
        ("conv 8x3/stride", "conv 8x3/(stride)"),
        ("conv (ch)x3/stride", "conv (ch)x3/(stride)"),
        ("conv (ch)x(3)xk/stride", "conv (ch)x(3)x(k)/(stride)"),
        ("conv chx3/stride", "conv (ch)x3/(stride)"),
        ("conv 4*ch x3", "conv (4*ch)x3"),
        ("conv 8X3", "conv 8x3"),
        ("pool k/stride", "pool (k)/(stride)"),
        ("conv 8x3, relu", "conv 8x3 relu"),
        ("conv 8x3,stride=2,relu, pad=same", "conv 8x3 stride=2 relu pad=same"),
        ("a: bn; b: bn; add a, b,a", "a: bn; b: bn; add a b a"),
    ],
)
def test_what_was_meant(text: str, meant: str) -> None:
    if "conv" in text:  # a kernel of each number of dimensions
        text, meant = (f"{each}; gap" for each in (text, meant))
    assert fix(Source("example.net", INPUT + text + "\n"), judged)[0].text == INPUT + meant + "\n"


@pytest.mark.parametrize("text", ["input 28,28,1", "x: input 28, 28 ,1", 'net "a"; input 28,28,1'])
def test_sizes_with_commas(text: str) -> None:
    assert "input 28x28x1" in fix(Source("example.net", text + "\nconv 8x3\n"), judged)[0].text


@pytest.mark.parametrize(
    "text",
    [
        "x1: bn; x2: bn; add x1 + x2",  # labels are no numbers
        "pool 3, 2",  # a window of 3x2, or one of 3 with stride 2
        "conv 8, 3, 2",
        "conv ch -k",  # (ch-k), or two arguments
        "conv 8x3, foo",  # uncovers an error
        "reshape 28, -1",
    ],
)
def test_what_may_mean_something_else(text: str) -> None:
    source = Source("example.net", INPUT + text + "\n")
    findings = judged(source)
    assert any(found.severity is Severity.ERROR for found in findings)
    assert not [found.fix for found in findings if found.fix is not None and found.fix.safe]
    assert apply_fixes(source, findings) == source.text


def holds(source: Source) -> int:
    """How many safe fixes a text has, each of which does what it should; so do all together, and they end."""
    findings = judged(source)
    safe = [found for found in findings if found.fix is not None and found.fix.safe]
    for group in (*([found] for found in safe[:4]), safe):
        if group:
            better(findings, group, judged(Source(source.name, apply_fixes(source, group))), source)
    fixed, left = fix(source, judged)
    assert fix(fixed, judged)[0].text == fixed.text, source.text
    assert kinds(left) == kinds(judged(fixed))
    return len(safe)


def better(
    before: Sequence[Diagnostic], mended: Sequence[Diagnostic], after: Sequence[Diagnostic], source: Source
) -> None:
    old, new = kinds(before), kinds(after)
    failed = any(found.severity is Severity.ERROR for found in before)
    if failed and all(found.severity is Severity.ERROR for found in mended):  # errors hide lints
        old, new = kinds(before, Severity.ERROR), kinds(after, Severity.ERROR)
    told = (source.text, mended, after)
    assert new.total() < old.total(), told
    assert set(new) <= set(old), told


def kinds(findings: Sequence[Diagnostic], *severities: Severity) -> Counter[str]:
    return Counter(found.code for found in findings if found.severity in (severities or tuple(Severity)))


def test_cases() -> None:
    assert sum(holds(Source(str(path), "\n".join(read_case(path).lines))) for path in paths()) > 20


@pytest.mark.parametrize("seed", range(6))
def test_mutated_texts(seed: int) -> None:
    random, corpus = Random(seed), texts()
    for _ in range(30):
        holds(Source("mutated.net", mutated(random, corpus)))
