"""Emitted statements as a tree of lines, and how those of several copies become one."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

CHECKED, GHOST, HOLE = 0, 1, 2  # how far the inside of a suite can be trusted


@dataclass(frozen=True, slots=True)
class Suite:
    """A header such as `if stride > 1:` with what stands below it.

    `rank` says whether it ran (`CHECKED`), was expanded only to be shown (`GHOST`), or is unknown (`HOLE`).
    `index` is the loop variable of a `for`.
    """

    header: str
    items: Items
    rank: int = CHECKED
    index: str = ""


Item = str | Suite
Items = tuple[Item, ...]


def merge(one: Items, other: Items) -> Items | None:
    """What two copies print, where they print the same; None where they differ.

    A suite that ran in one copy alone is printed as it ran: the other copy does not reach it.
    """
    if one == other:
        return one
    if len(one) != len(other):
        return None
    merged: list[Item] = []
    for left, right in zip(one, other, strict=True):
        item = _merge(left, right)
        if item is None:
            return None
        merged.append(item)
    return tuple(merged)


def _merge(one: Item, other: Item) -> Item | None:
    if isinstance(one, str) or isinstance(other, str):
        return one if one == other else None
    if one.header != other.header:
        return None
    if one.rank != other.rank:
        return min(one, other, key=lambda suite: suite.rank)
    items = merge(one.items, other.items)
    if items is None:
        return one if one.rank else None
    return replace(one, items=items)


def hoist(first: Items, others: Items) -> tuple[slice, Items] | None:
    """What the first pass of a loop alone begins with, such as the `Flatten` before dense layers, and the common rest.

    None where the first pass differs in any other way.
    """
    extra = len(first) - len(others)
    start = next((n for n, item in enumerate(first) if not _is_comment(item)), 0)
    rest = merge(first[:start] + first[start + extra :], others) if extra > 0 else None
    return None if rest is None else (slice(start, start + extra), rest)


def _is_comment(item: Item) -> bool:
    return isinstance(item, str) and item.startswith("#")


def lines(items: Sequence[Item], indent: str = "") -> Iterator[str]:
    """The text of items. A loop variable that nothing reads becomes `_`."""
    for item in items:
        if isinstance(item, str):
            yield indent + item
            continue
        inside = list(lines(item.items, indent + "    "))
        header = item.header
        if item.index and not any(re.search(rf"\b{item.index}\b", line) for line in inside):
            header = header.replace(f"for {item.index} in", "for _ in", 1)
        yield indent + header
        yield from inside
        if all(line.lstrip().startswith("#") for line in inside):
            yield indent + "    pass"
