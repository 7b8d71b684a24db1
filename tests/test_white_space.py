"""White space and control characters at every place of a text: it is formatted, or refused with a position."""

from __future__ import annotations

import pytest

from netc.diagnostics.model import Diagnostics
from netc.limits import Limits
from netc.syntax.format import format_file
from netc.syntax.parser import parse
from netc.syntax.source import BLANK, Source

TEXT = """\
param n = 8
input 8x8x(3)  # of one sample
# a note
enc1: conv (n * 2)x3/1 act=relu bn
add { | identity | conv 16x3 }; relu
if n > 1 { pool 2 } else { bn }
repeat 2 as i { conv (i + 1)x(n)x3 }
def f(a, b=1) { fc (a) }
fc 10 "a b"
train { loss mse }
"""
ODD = (
    *("\r", "\f", "\v", "\t", "\x00", "\x1b", "\x1c", "\x1f", "\x7f", "\x85", "\xa0", "\xad", "\u1680", "\u2007"),
    *("\u200b", "\u200f", "\u2028", "\u2029", "\u202e", "\u2060", "\u3000", "\ufeff", "\r\r", "\r\n", " \f ", "\ud800"),
)
LINE_ENDS = "\r\v\f\x85\u2028\u2029"


def formatted(text: str) -> str | None:
    """The text in canonical style; None where it has an error, which has a place."""
    source, report = Source("odd.net", text), Diagnostics()
    file = parse(source, Limits(), report)
    assert all(found.span is not None and 0 <= found.span.start <= len(text) for found in report)
    return None if report.failed else format_file(file)


@pytest.mark.parametrize("odd", ODD, ids=ascii)
def test_every_place(odd: str) -> None:
    """Every other one, begun at the first or the second by turns."""
    places = {"formatted": 0, "refused": 0}
    for at in range(ODD.index(odd) % 2, len(TEXT) + 1, 2):
        once = formatted(TEXT[:at] + odd + TEXT[at:])
        places["refused" if once is None else "formatted"] += 1
        assert once is None or formatted(once) == once
        in_words = "#" not in TEXT[TEXT.rfind("\n", 0, at) + 1 : at] and not 0 < at - TEXT.index('"a b"') < 5
        if set(odd) <= set(BLANK) and in_words:
            assert (once and once.replace("\r\n", "\n")) == formatted(TEXT[:at] + " " + TEXT[at:]), ascii(
                TEXT[at - 9 : at]
            )
    assert places["formatted"], places
    assert places["refused"], places


@pytest.mark.parametrize("end", LINE_ENDS, ids=ascii)
def test_a_comment_hides_no_code(end: str) -> None:
    """What an editor shows as a line of its own is none for netc."""
    assert formatted(f"input 8x8x3\n# the stem{end}conv 8x3\npool 2\n") is None


def test_line_ends_stay() -> None:
    canonical = "input 8x8x3\n\n# stem\nadd {\n    | conv 8x3  # wide\n    | identity\n}\n"
    windows = canonical.replace("\n", "\r\n")
    assert formatted(canonical) == canonical
    assert formatted(windows) == windows
    assert formatted(windows.replace("conv 8x3", "conv   8x3")) == windows
    assert formatted(windows.replace("\r\n", "\n", 1)) == canonical
    assert formatted(canonical.replace("\n", "\r\n", 1)) == windows
    assert formatted("input 8x8x3") == "input 8x8x3\n"
