"""Texts, and where there is room for them: no text lies on another one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import atan2, degrees

from netc.figures.scene import Box, Item, Path, Text, text_width
from netc.figures.volumes.geometry import PT, RIGHT, UP, lowest

TILT = -degrees(atan2(UP, RIGHT))  # of a text along an edge away from the viewer
_PAD = 1.6 * PT  # between texts
_CLEAR = 2.0 * PT  # between a text and a slab
_SHIFTS = tuple(
    PT * step for step in (0, -2, 2, -4, 4, -6, 6, 8, 10, 13, 16, 19, 22, 26)
)  # of a label from under its stage
_ASIDE = 0.55  # what a shift costs, against a drop
_LEADER = 9.0 * PT  # a drop that needs a line


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a label."""

    text: str
    size: float
    bold: bool = False
    width: float = field(init=False)  # at most

    def __post_init__(self) -> None:
        object.__setattr__(self, "width", text_width(self.text, self.size, self.bold))


@dataclass(slots=True)
class Texts:
    """The texts of a row, and the room that they and other things take."""

    left: float
    right: float
    items: list[Item] = field(default_factory=list)
    names: list[Item] = field(default_factory=list)
    taken: list[Box] = field(default_factory=list)

    def is_free(self, box: Box) -> bool:
        """Whether a text can stand in a box."""
        return not any(box.overlaps(other, -0.3) for other in self.taken)

    def try_add(self, text: Text) -> bool:
        """Add a text where there is room for it; whether there was."""
        box = text.box
        if not self.is_free(box):
            return False
        self.items.append(text)
        self.taken.append(box)
        return True

    def under(
        self, middle: float, top: float, lines: Sequence[Line], floor: Sequence[tuple[float, float, float, float]]
    ) -> None:
        """Add the lines of a label under what it says, below the outline `floor` of all slabs, near `middle`."""
        if not lines:
            return
        widest = max(line.width for line in lines)
        best: tuple[float, float, float] | None = None
        left = max(min(self.left, self.right - widest), 0.0) + widest / 2
        right = max(self.right - widest / 2, left)
        for shift in (*_SHIFTS, left - middle, right - middle):
            centre = min(max(middle + shift, left), right)
            y = self._drop(centre, top, lines, floor)
            cost = y - top + _ASIDE * abs(centre - middle)
            if best is None or cost < best[0] - 1e-9:
                best = (cost, centre, y)
        assert best is not None
        _, centre, y = best
        if y - top > _LEADER:
            reach = min(max(middle, centre - widest / 2 + 2), centre + widest / 2 - 2)
            box = Box(reach - 0.5, top, reach + 0.5, y - 1)
            if self.is_free(box):
                self.items.append(Path((reach, top), [((reach, y - 1.0),)], "v.leader", role="leader"))
        for line in lines:
            y += line.size
            text = Text(
                centre, y - 0.2 * line.size, line.text, line.size, "middle", "" if line.bold else "muted", line.bold
            )
            (self.names if line.bold else self.items).append(text)
            self.taken.append(text.box)
            y += 0.14 * line.size

    def _drop(
        self, centre: float, top: float, lines: Sequence[Line], floor: Sequence[tuple[float, float, float, float]]
    ) -> float:
        """How low a label must begin there."""
        y = top
        offset = 0.0
        for line in lines:
            left, right = centre - line.width / 2 - _PAD, centre + line.width / 2 + _PAD
            y = max(y, lowest(floor, left, right) + _CLEAR - offset)
            offset += 1.14 * line.size
        while True:
            box = self._box(centre, y, lines)
            lower = [
                other.bottom for other in self.taken if other.overlaps(box) and self._meets(other, centre, y, lines)
            ]
            if not lower:
                return y
            y = max(y + 0.5, min(lower) - self._first_meeting(lower, y, lines) + 0.4)

    def _first_meeting(self, lower: Sequence[float], y: float, lines: Sequence[Line]) -> float:
        """How far below the label's top the line is that has to go below what it meets."""
        offset = 0.0
        bottom = min(lower)
        for line in lines:
            if y + offset < bottom:
                return offset
            offset += 1.14 * line.size
        return 0.0

    def _box(self, centre: float, y: float, lines: Sequence[Line]) -> Box:
        widest = max(line.width for line in lines) / 2 + _PAD
        return Box(centre - widest, y, centre + widest, y + sum(1.14 * line.size for line in lines))

    def _meets(self, other: Box, centre: float, y: float, lines: Sequence[Line]) -> bool:
        for line in lines:
            box = Box(centre - line.width / 2 - _PAD, y, centre + line.width / 2 + _PAD, y + 1.05 * line.size)
            if other.overlaps(box):
                return True
            y += 1.14 * line.size
        return False
