"""A fix that is called safe mends what it is for, brings nothing new, and is what was meant."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from random import Random

import pytest

from netc.cli import main
from netc.compiler import compile_source, judge
from netc.diagnostics import Diagnostic, Severity
from netc.diagnostics.fixes import apply_fixes, fix, weight
from netc.syntax.source import Source
from tests.cases import paths, read_case
from tests.effort import EXAMPLES
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
        ("conv 8×3×3 relu", "conv 8x3x3 relu"),
        ("conv\u00a08x3\u00a0relu\u00a0stride=2", "conv 8x3 relu stride=2"),
        ("conv\u202f8\u00d73\u3000relu\uff1b\u2009bn", "conv 8x3 relu; bn"),
        ("conv 8\u200bx3 re\u200blu\ufeff; bn", "conv 8x3 relu; bn"),
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
    for unsafe in (False, True):
        fixed, left, _ = fix(source, judged, unsafe=unsafe)
        assert fix(fixed, judged, unsafe=unsafe).source.text == fixed.text, source.text
        assert kinds(left) == kinds(judged(fixed))
        assert weight(left) <= weight(findings)
    return len(safe)


def better(
    before: Sequence[Diagnostic], mended: Sequence[Diagnostic], after: Sequence[Diagnostic], source: Source
) -> None:
    """A fix removes its finding and adds none, and does not change a network that there was."""
    old, new = kinds(before), kinds(after)
    failed = any(found.severity is Severity.ERROR for found in before)
    if failed and all(found.severity is Severity.ERROR for found in mended):  # errors hide lints
        old, new = kinds(before, Severity.ERROR), kinds(after, Severity.ERROR)
    told = (source.text, mended, after)
    assert new.total() < old.total(), told
    assert set(new) <= set(old), told
    for code, count in Counter(found.code for found in mended).items():
        assert new[code] <= old[code] - count, told
    if not failed:
        assert network(source) == network(Source(source.name, apply_fixes(source, mended))), told


def network(source: Source) -> list[tuple[object, ...]]:
    """The layers of a text after all rewrites, in order, each with what it reads by its place."""
    net = compile_source(source, {}, LIMITS).net
    places = {node.name: place for place, node in enumerate(net)}
    return [(node.layer, *(places[operand] for operand in net.operands(node.name))) for node in net]


def kinds(findings: Sequence[Diagnostic], *severities: Severity) -> Counter[str]:
    return Counter(found.code for found in findings if found.severity in (severities or tuple(Severity)))


def test_cases() -> None:
    assert sum(holds(Source(str(path), "\n".join(read_case(path).lines))) for path in paths()) > 100


@pytest.mark.parametrize("seed", range(6))
def test_mutated_texts(seed: int) -> None:
    """`NETC_EXAMPLES=10000` tries that many, `python -m pytest tests/test_fixes.py -k mutated`."""
    random, corpus = Random(seed), texts()
    for _ in range(EXAMPLES // 6 or 12):
        holds(Source("mutated.net", mutated(random, corpus)))


def test_fixes_are_counted(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = tmp_path / "a.net"
    path.write_text("input (8, 8, 3)\nconv 8 x 3\nconv 8x3 rleu\n")
    assert main(["check", "--fix", str(path)]) == 1
    shown = capsys.readouterr().err
    assert shown == f"fixed 2 findings, 1 remains (1 with a fix that --unsafe-fixes applies) in {path}\n"
    assert path.read_text() == "input 8x8x3\nconv 8x3\nconv 8x3 rleu\n"
    assert main(["check", "--fix", "--unsafe-fixes", str(path)]) == 0
    assert path.read_text() == "input 8x8x3\nconv 8x3\nconv 8x3 relu\n"
    assert capsys.readouterr().err == f"fixed 1 finding, none remain in {path}\n"
    assert main(["check", "--unsafe-fixes", str(path)]) == 2
    capsys.readouterr()
    path.write_text("input 8x8x3\ncnv (foo+bar)x3 xoo=2 zoo\n")
    assert main(["check", "--fix", "--unsafe-fixes", str(path)]) == 1
    assert capsys.readouterr().err == f"fixed 0 findings, 1 remains in {path}\n"  # the fix uncovers more
