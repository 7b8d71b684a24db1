"""Where everything in a graph figure stands: measured from the innermost out, then placed from the outermost in."""

from __future__ import annotations

from dataclasses import dataclass, field

from netc.figures.graph.measure import CORNER, GAP, PAD, TAP, Measures, Spot
from netc.figures.graph.tree import Frame, Leaf
from netc.figures.scene import Box

GUTTER = 44.0  # between columns


@dataclass(slots=True)
class Column:
    """One of the columns that the outermost sequence is set in: its items, and where it stands."""

    first: int
    end: int
    line: float = 0.0
    right: float = 0.0
    top: float = 0.0  # of its first item, below the tap of a skip that begins there
    bottom: float = 0.0


@dataclass(slots=True)
class Places:
    """Rectangles along the flow and across it: `(flow, across)` of the two corners."""

    measures: Measures
    items: dict[int, Box] = field(default_factory=dict)  # as Box(across, flow, across, flow)
    lines: dict[int, float] = field(default_factory=dict)  # of leaves, frames and forks
    columns: list[Column] = field(default_factory=list)
    column_of: dict[int, int] = field(default_factory=dict)  # place in the outermost sequence -> column

    def run(self, root: Spot, columns: int) -> None:
        """Place all; the outermost sequence in at most so many columns."""
        self._root(root, columns)
        stack = [root]
        while stack:
            spot = stack.pop()
            at = spot.start
            for slot, item in enumerate(spot.seq.items):
                extent = self.measures.extents[id(item)]
                line = spot.line
                if spot is root:
                    column = self.columns[self.column_of[slot]]
                    line, at = column.line, column.top if column.first == slot else at + spot.gaps[slot]
                else:
                    at += spot.gaps[slot]
                box = Box(line - extent.before, at, line + extent.after, at + extent.flow)
                self.items[id(item)], self.lines[id(item)] = box, line
                at += extent.flow
                if isinstance(item, Leaf):
                    continue
                if isinstance(item, Frame):
                    body = self.measures.spots[id(item.body)]
                    body.start, body.line = box.top + (CORNER if self.measures.vertical else PAD), line
                    stack.append(body)
                    continue
                above, _ = self.measures.bands(item)
                for branch, offset in zip(item.branches, self.measures.spread[id(item)], strict=True):
                    inner = self.measures.spots[id(branch)]
                    inner.start, inner.line = box.top + above, line + offset
                    stack.append(inner)

    def _root(self, root: Spot, columns: int) -> None:
        self.columns = _columns(root, self.measures, columns)
        right = 0.0
        for number, column in enumerate(self.columns):
            items = root.seq.items[column.first : column.end]
            extents = [self.measures.extents[id(item)] for item in items]
            before = max((extent.before for extent in extents), default=0)
            after = max((extent.after for extent in extents), default=0)
            legs = [leg for leg in root.legs if column.first <= leg.start // 2 < column.end]
            after = max([after, *(leg.offset + leg.width for leg in legs)])
            texts = [slot for slot in root.labels if column.first < slot <= column.end]
            after = max(after, 80.0 if texts else 0.0) if self.measures.vertical else after
            column.line = right + before
            column.right = column.line + after
            right = column.right + GUTTER
            for slot in range(column.first, column.end):
                self.column_of[slot] = number
            column.top = TAP + GAP if column.first in root.taps else 0.0
            gaps = root.gaps[column.first + 1 : column.end]
            column.bottom = column.top + sum(gaps) + sum(extent.flow for extent in extents)

    def slot(self, spot: Spot, slot: int) -> float:
        """Where a slot of a sequence begins along the flow: after the item before it."""
        if self.begins_column(spot, slot):
            return 0.0
        return spot.start if slot == 0 else self.items[id(spot.seq.items[slot - 1])].bottom

    def begins_column(self, spot: Spot, slot: int) -> bool:
        """Whether a slot of a sequence is at the top of a column."""
        return spot.parent is None and any(column.first == slot for column in self.columns)

    def line(self, spot: Spot, slot: int) -> float:
        """Where the line of a sequence is at a slot."""
        if spot.parent is not None:
            return spot.line
        return self.columns[self.column_of[min(slot, len(spot.seq.items) - 1)]].line


def _columns(root: Spot, measures: Measures, columns: int) -> list[Column]:
    """Columns of about the same length, cut only where no skip passes."""
    items = root.seq.items
    if columns <= 1 or not items:
        return [Column(0, len(items))]
    blocked = [0] * (2 * len(items) + 3)
    for leg in root.legs:  # a cut at slot k lies between item k - 1, at 2k - 1, and slot k
        blocked[leg.start] += 1
        blocked[leg.end] -= 1
    open_legs, cuts = 0, set()
    for place, change in enumerate(blocked):
        open_legs += change
        if place % 2 and not open_legs and place // 2 + 1 < len(items):
            cuts.add(place // 2 + 1)
    cuts -= {slot for slot in cuts if id(items[slot - 1]) in measures.spread}
    made: list[Column] = []
    share, first, length = root.flow / columns, 0, 0.0
    for slot, item in enumerate(items):
        if slot in cuts and length >= share and len(made) < columns - 1:
            made.append(Column(first, slot))
            first, length = slot, 0.0
        length += measures.extents[id(item)].flow + root.gaps[slot]
    return [*made, Column(first, len(items))]
