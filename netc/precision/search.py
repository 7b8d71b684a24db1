"""Which layers return to float32: the fewest of an order with which something holds."""

from __future__ import annotations

from collections.abc import Callable


def fewest(most: int, holds: Callable[[int], bool]) -> int | None:
    """The number of layers, from 0 to `most`, with which it holds and with one fewer does not; None where it holds with
    none that was tried. Numbers are doubled until it holds, and then halved, so that few are tried of many."""
    fails, tried = -1, 0
    while not holds(tried):
        if tried >= most:
            return None
        fails, tried = tried, min(max(1, 2 * tried), most)
    while tried - fails > 1:
        middle = (tried + fails) // 2
        if holds(middle):
            tried = middle
        else:
            fails = middle
    return tried
