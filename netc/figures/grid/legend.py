"""The legend of a grid: what arrows and bars mean, and once what most of them have in common."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from netc.figures.grid.marks import HEAD, trapezoid
from netc.figures.grid.reduce import Part, is_twin, resamplers, segment_look
from netc.figures.grid.route import Way
from netc.figures.grid.words import Words, brief, shown, way_of
from netc.figures.page import Entry
from netc.figures.scene import Item, Path, Rect

_LISTED = 3  # different texts of one kind of arrow that are written out


def legend(words: Words, ways: Sequence[Way]) -> Iterator[Entry]:
    """The entries of all that is shown."""
    looks = {way.look for way in ways}
    usual = usual_part(words)
    if "run" in looks:
        if usual and says_run(words):
            yield Entry(_line("run"), 26, " · ".join([words.main(usual.main), *words.tails(usual)]))
        else:
            yield Entry(_line("run"), 26, _next(words))
    if usual and words.usual and not says_run(words):
        yield Entry(
            [Rect(x, 0, 6, 12, "conv") for x in (0, 6)],
            12,
            f"block: {'; '.join(words.usual).replace(brief(word := words.main(usual.main)), word, 1)}",
        )
    if "copy" in looks:
        yield Entry(_line("copy"), 26, "copy")
    for look in ("down", "up"):
        for learned in (False, True):
            texts = [
                words.resampling(way.arrow)
                for way in ways
                if way.look == look and resamplers(words.net, way.arrow) and way_of(words.net, way.arrow)[1] == learned
            ]
            if texts:
                yield Entry(_line(look, learned), 30, f"{look}: {listed(texts)}")
    segments = [segment_look(arrow) for cell in words.plan.cells if cell.head == "concat" for arrow in cell.arrows]
    if segments:
        copied = "grid.copied" in segments
        two = [Rect(0, 0, 6, 12, "grid.copied" if copied else "conv"), Rect(6, 0, 8, 12, "conv")]
        yield Entry(two, 14, "concat (hollow: copied)" if copied else "concat")
    if any(is_twin(words.net, part.names) for cell in words.plan.cells for part in cell.parts):
        yield Entry([Rect(0, 0, 14, 12, "conv.twin", 2)], 14, "shared weights: those of a bar with a solid outline")


def notes(words: Words) -> list[str]:
    """The sentences under the legend."""
    found = words.blocks()
    tails = words.usual_tails
    if tails is not None and not says_run(words) and any(words.lines(cell) for cell in words.plan.cells if cell.arrows):
        other = "other " if found or not tails else ""
        found.append(f"{other}convolutions: {' · '.join(tails) or 'linear'}, unless marked")
    return [*found, "bars: height by log of size, width by log of channels (the number above)"]


def usual_part(words: Words) -> Part | None:
    """A map of the cells that say what most of them say, or None."""
    for cell in words.plan.cells:
        if words.usual and cell.arrows and cell.head != "sum" and words.is_usual(cell):
            parts = shown(words.net, cell)[cell.head == "concat" :]
            if parts:
                return parts[0]
    return None


def says_run(words: Words) -> bool:
    """Whether the arrow along a row says what it does: each cell is one map, and most are made alike."""
    return usual_part(words) is not None and all(len(cell.parts) == 1 for cell in words.plan.cells)


def _next(words: Words) -> str:
    blocks = any(len(cell.parts) > 1 or cell.parts[0].inner for cell in words.plan.cells)
    return "next block" if blocks else "next layer"


def listed(texts: Sequence[tuple[str, ...]]) -> str:
    """What arrows of one kind do, each said once and the most frequent first.

    What two differ in stands in parentheses, and of chains that others say link by link nothing is said: `3×3 conv, /2
    · BN (· ReLU)` is also what `/2` twice does.
    """
    counts = Counter(texts)
    single = {text[0] for text in counts if len(text) == 1}
    ways = [text for text, _ in counts.most_common() if len(text) == 1 or not single.issuperset(text)]
    said: list[str] = []
    while ways:
        first = ways.pop(0)
        text = ", ".join(first)
        for other in ways:
            longer, shorter = (first, other) if len(", ".join(first)) > len(", ".join(other)) else (other, first)
            if longer[len(longer) - len(shorter) :] == shorter:
                text = f"({', '.join(longer[: len(longer) - len(shorter)])},) {', '.join(shorter)}"
            elif len(longer) == len(shorter) == 1 and longer[0].startswith(f"{shorter[0]} · "):
                text = f"{shorter[0]} ({longer[0][len(shorter[0]) + 1 :]})"
            else:
                continue
            ways.remove(other)
            break
        said.append(text)
    more = f" and {len(said) - _LISTED + 1} more" if len(said) > _LISTED else ""
    return ", or ".join(said[: _LISTED - 1] if more else said) + more


def _line(look: str, learned: bool | None = None) -> list[Item]:
    """The miniature of an arrow."""
    end = 26.0 if learned is None else 30.0
    items: list[Item] = [
        Path((0, 6), [((end, 6),)], f"grid.{look}", role="legend", arrow=True, filled=look != "copy", head=HEAD)
    ]
    if learned is not None:
        items.append(trapezoid(look, (13, 6), (1, 0), f"grid.{look}.{'learned' if learned else 'fixed'}"))
    return items
