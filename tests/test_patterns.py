"""No regular expression of netc takes a hostile text as a reason to run for ever."""

from __future__ import annotations

import re
import time
from random import Random

import pytest

from netc.syntax.parser import size_typo
from tests.patterns import ALPHABET, EXPONENTIAL, Automaton, Pattern, degree, patterns

PATTERNS = patterns()

# What the bound calls quadratic, each because no text of a user reaches it at length or an anchor keeps it linear.
QUADRATIC = {
    "netc/data/errors.py:_MARKED": "what TensorFlow says about a mark that netc made",
    "netc/diagnostics/explain.py:_BLOCK": "netc's own pages",
    "netc/syntax/layout.py:_PARTS": "blanks, read once a line: they count from its start",
    "netc/checks/windows.py:_LABEL": "the 200 characters before an operation",
    "netc/lift/labels.py:_NUMBERED": "names that are short by then",
    "netc/report/reference.py:_SOURCE": "netc's own docstrings",
    "netc/report/reference.py:_COMMENT_ABOVE": "netc's own blocks",
}


def test_no_pattern_is_ambiguous() -> None:
    degrees = {pattern.place: degree(pattern) for pattern in PATTERNS}
    assert {place: found for place, found in degrees.items() if found > 1} == {}
    assert {place for place, found in degrees.items() if found} == set(QUADRATIC)


def test_all_patterns_are_found() -> None:
    """The grammar's terminals, module constants, constants made of others, and patterns at their calls."""
    texts = {pattern.place.split(":")[0]: pattern.text for pattern in PATTERNS}
    assert len(PATTERNS) > 80
    assert {"STRING", "SIZE_TAIL", "netc/figures/svg.py", "netc/syntax/mistakes.py", "netc/lower/statements.py"} < set(
        texts
    )
    assert any("word" in pattern.text for pattern in PATTERNS)


@pytest.mark.parametrize(
    ("text", "searched", "expected"),
    [
        (r"(a+)+b", False, EXPONENTIAL),
        (r"(a*)*b", False, EXPONENTIAL),
        (r"(a|a)*b", False, EXPONENTIAL),
        (r"(a+b?)*c", False, EXPONENTIAL),
        (r"(\w+\s?)*,", False, EXPONENTIAL),
        (r"(?:ab|a|b)+c", False, EXPONENTIAL),
        (r"([a-z]+[x/])+[a-z]+(?!\w)", False, EXPONENTIAL),  # sizes with names in them, as netc once looked for them
        (r"a*a*b", False, 1),
        (r"\s*.*?\s*b", False, 2),
        (r"a+b", True, 1),
        (r"\(.*\)", True, 1),
        (r"\w+", True, 0),
        (r"a+", False, 0),
        (r"(?:a+,)*a+", False, 0),
        (r"(?:ab|ac)*d", False, 0),
        (r"a?a?a?a?b", False, 0),
        (r'"[^"\\]*(?:\\.[^"\\]*)*"', False, 0),
    ],
)
def test_degrees_that_are_known(text: str, searched: bool, expected: int) -> None:
    assert degree(Pattern(text, 0, searched, "")) == expected


def test_automata_read_what_re_reads() -> None:
    """Random words, most of them made along the automaton, and cut, doubled or changed in one place."""
    random, tried = Random(0), 0
    for pattern in PATTERNS:
        automaton = Automaton(Pattern(pattern.text, pattern.flags, False, ""))
        if automaton.asserts or "(?P=" in pattern.text:
            continue
        for _ in range(40):
            word = automaton.word(random)
            at = random.randrange(len(word) + 1)
            word = random.choice((word, word[:at], word[:at] + random.choice(ALPHABET) + word[at + 1 :]))
            assert automaton.reads_all(word) == bool(re.fullmatch(pattern.text, word, pattern.flags)), (pattern, word)
            tried += bool(word)
    assert tried > 500


UNITS = (
    *"a1x/?\"\\ \t,=#:({;'-.",
    "ax",
    "x3",
    "3x",
    "/1",
    "1/",
    "a ",
    " ,",
    '\\"',
    '"a',
    "e-",
    "a=",
    "(a",
    "#a",
    "def ",
)


@pytest.mark.parametrize("ending", ["", "!", "\n", '"'])
def test_attacks(ending: str) -> None:
    """One piece again and again, then something else."""
    for pattern in PATTERNS:
        compiled = re.compile(pattern.text, pattern.flags)
        start = time.process_time()
        for unit in UNITS:
            text = unit * 1000 + ending
            compiled.fullmatch(text)
            compiled.match(text)
            if pattern.searched:
                compiled.search(text)
        assert time.process_time() - start < 2, pattern


def test_size_typos() -> None:
    assert {name: size_typo(name) for name in ("chx3", "x3x3", "axbx3", "x3", "chx", "relu", "x", "max3x")} == {
        "chx3": "(ch)x3",
        "x3x3": "(x3)x3",
        "axbx3": "(axb)x3",
        "x3": None,
        "chx": None,
        "relu": None,
        "x": None,
        "max3x": None,
    }
