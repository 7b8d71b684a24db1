"""Sizes that went wrong in writing: `64 x 3`, `(n)xk`."""

from __future__ import annotations

import re
from collections.abc import Collection

from netc.diagnostics.model import Edit, Fix
from netc.syntax.layout import Layout
from netc.syntax.source import BLANK, Span
from netc.syntax.tree import Argument, Expr, Keyword, Literal, Positional, Reference, Size

_EXTENT = re.compile(r"[0-9]+|\?")
_LOOSE_JOINT = re.compile(rf"[{BLANK}]x|x[{BLANK}]")
_JOIN = re.compile(rf"[{BLANK}]*[x/][{BLANK}]*(?=[0-9?(])")


def rewrite(layout: Layout, start: int, end: int, text: str) -> Fix:
    """A safe fix that puts a text between two offsets."""
    return Fix(f"write `{shorten(text)}`", (Edit(Span(layout.source, start, end), text),), safe=True)


def shorten(text: str) -> str:
    """Text as messages quote it."""
    return text if len(text) <= 60 else f"{text[:40]}..."


def spaced_size(layout: Layout, start: int, after: int) -> int | None:
    """Report a size with blanks inside that begins at an offset and reaches after another; returns its end.

    The statement goes on as if it were right: `joined` mends it where every part is an argument, else the parser stops
    at it, and reads the statement again without the blanks.
    """
    end, fixed = _tight(layout, start)
    written = layout.source.text[start:end]
    if end <= after or fixed == written:
        return None
    layout.loose[start] = end, fixed
    stride = written.partition("/")[2]
    layout.findings.add(
        "NET004",
        f"`{shorten(written)}` is written with spaces, but a size is one word",
        start,
        end,
        help=[f"write `{shorten(fixed)}`"],
        fix=rewrite(layout, start, end, fixed),
        spoils=_LOOSE_JOINT.search(stride) is not None,  # a stride in the middle
    )
    return end


def loose_start(layout: Layout, at: int) -> int:
    """Where the size begins whose joint, an `x` or `/` with or without blanks, stands at an offset."""
    text, start, end = layout.text, at, at
    while (extent := _extent_start(layout, _without_blanks(text, end))) is not None:
        start = extent
        end = _without_blanks(text, start) - 1
        if text[end : end + 1] not in ("x", "/"):
            break
    return start if text[start] == "(" or text[start - 1 : start] in ("", *BLANK, "=", "\n") else at


def _without_blanks(text: str, end: int) -> int:
    while end and text[end - 1] in BLANK:
        end -= 1
    return end


def _extent_start(layout: Layout, end: int) -> int | None:
    """Where the number, `?` or parenthesis begins that ends at an offset."""
    text, start = layout.text, end
    while start and (text[start - 1].isdigit() or text[start - 1] == "?"):
        start -= 1
    return start if start < end else layout.openers.get(end - 1)


def _tight(layout: Layout, at: int) -> tuple[int, str]:
    """The end of extents joined by `x` and `/`, blanks around those allowed, and their text without the blanks."""
    text, end, pieces = layout.source.text, at, []
    while True:
        extent = _EXTENT.match(layout.text, at)
        if extent is not None:
            end = extent.end()
        elif layout.text[at : at + 1] == "(" and at in layout.closers:
            end = layout.closers[at] + 1
        else:
            break
        pieces.append(text[at:end])
        join = _JOIN.match(layout.text, end)
        if join is None:
            break
        pieces.append(join[0].strip())
        at = join.end()
    return end, "".join(pieces)


def joined(arguments: list[Argument], words: Collection[int]) -> list[Argument]:
    """Arguments in which the sizes with blanks are what they were meant to be; `words` are where their `x`s begin."""
    runs: list[list[Argument]] = []
    waiting = False
    for argument in arguments:
        word = argument.span.start in words
        if word or waiting:
            runs[-1].append(argument)
        else:
            runs.append([argument])
        waiting = word and argument.span.text == "x"
    return [_join(run) if len(run) > 1 else run[0] for run in runs]


def _join(run: list[Argument]) -> Argument:
    first, last = run[0], run[-1]
    stride = last.value.stride if isinstance(last.value, Size) else ()
    parts = tuple(part for argument in run for part in _parts(argument))
    size = Size(parts, stride, first.value.span.to(last.span))
    if isinstance(first, Keyword):
        return Keyword(first.key, size, first.key_span, first.span.to(last.span))
    return Positional(size, size.span)


def _parts(argument: Argument) -> tuple[Expr | None, ...]:
    value = argument.value
    if isinstance(value, Size):
        return value.parts
    if isinstance(value, Reference):  # `x` or `x3x3`
        return tuple(Literal(int(extent), value.span) for extent in value.name.split("x") if extent)
    return (value,)


def size_with_name(layout: Layout, start: int, after: int, name: str) -> None:
    """Report `(n)xk`, whose parts begin at an offset and whose `xk` at another."""
    end = after + len(name)
    written, fixed = layout.source.text[start:end], f"{layout.source.text[start:after]}x({name[1:]})"
    fix = rewrite(layout, start, end, fixed) if name[1:].isidentifier() else None
    help = [f"a name in a size stands in parentheses: `{shorten(fixed)}`"] if fix else []
    layout.findings.add("NET004", f"`{shorten(written)}` is no size", start, end, help=help, fix=fix)
