"""Twice the text takes twice the time: labels, names, definitions, branches, comments, lints, long lines."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from netc.compiler import compile_source, judge
from netc.diagnostics import render_sarif, render_text
from netc.diagnostics.fixes import apply_fixes
from netc.limits import Limits
from netc.syntax.source import Source

SMALL, FACTOR = 800, 4
MOST = 7  # times the time for `FACTOR` times the text, where twice the quadratic part of a text gives 16


def lines(text: str) -> Callable[[int], str]:
    return lambda n: "input 8x8x3\n" + "".join(text.format(i=i) + "\n" for i in range(n))


def block(text: str) -> Callable[[int], str]:
    return lambda n: lines("repeat 1 {{")(1) + "".join(text.format(i=i) + "\n" for i in range(n)) + "}\n"


TEXTS: dict[str, Callable[[int], str]] = {
    "labels": lines("a{i}: conv 3x1"),
    "labels in branches": lines("add {{ | a{i}: conv 3x1 | identity }}"),
    "labels in arms": lines("if true {{ a{i}: conv 3x1 }} else {{ b{i}: bn }}"),
    "labels in a block": block("a{i}: conv 3x1; if true {{ b{i}: bn }}"),
    "labels, then choices": lambda n: lines("a{i}: conv 3x1")(n) + "if true { bn }\n" * n,
    "definitions, then choices": lambda n: (
        "".join(f"def f{i}() {{ bn }}\n" for i in range(n)) + lines("f{i}")(n) + "if true { bn } else { tanh }\n" * n
    ),
    "parameters and comments": lambda n: (
        "".join(f"param p{i} = {i}  # the {i}th\n" for i in range(n))
        + lines("conv 3x1 l2=p{i} # netc: allow NET508")(n)
    ),
    "one line": lambda n: "input 8x8x3; " + "; ".join(f"a{i}: conv 3x1; add a{i} a{i}" for i in range(n)),
    "lints on one line": lambda n: "input 8x8x3; " + "relu; relu; " * n,
}


def seconds(text: str, *, speculate: bool) -> float:
    start, source = time.process_time(), Source("long.net", text)
    program = compile_source(source, {}, Limits(statement=10**6), speculate=speculate)
    findings = judge(program)
    render_text.render(findings)
    render_sarif.render(findings)
    apply_fixes(source, findings)
    return time.process_time() - start


@pytest.mark.parametrize("name", TEXTS)
def test_time_grows_with_the_text(name: str) -> None:
    made, speculate = TEXTS[name], "arms" in name
    for _ in range(3):
        small, large = (seconds(made(n), speculate=speculate) for n in (SMALL, FACTOR * SMALL))
        if large <= MOST * small:
            return
    assert large <= MOST * small, f"{small:.2f} s, {large:.2f} s"
