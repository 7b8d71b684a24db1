"""Where everything in a graph figure stands: measured from the innermost out, then placed from the outermost in."""

from __future__ import annotations

from dataclasses import dataclass, field

from netc.figures.graph.boxes import LABEL
from netc.figures.graph.measure import GAP, TAP, Measures, Spot
from netc.figures.graph.tree import Frame, Leaf
from netc.figures.scene import Box, text_width

GUTTER = 22.0  # between columns


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

    def run(self, root: Spot) -> None:
        """Place all; the outermost sequence in its columns."""
        self._root(root)
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
                    body.start, body.line = box.top + self.measures.top(item), line
                    stack.append(body)
                    continue
                above, _ = self.measures.bands(item)
                for branch, offset in zip(item.branches, self.measures.spread[id(item)], strict=True):
                    inner = self.measures.spots[id(branch)]
                    inner.start, inner.line = box.top + above, line + offset
                    stack.append(inner)

    def _root(self, root: Spot) -> None:
        items, measures = root.seq.items, self.measures
        starts = [0, *measures.cuts]
        pieces = [piece for leg in root.legs for piece in leg.pieces or [leg]]
        right = 0.0
        for number, (first, end) in enumerate(zip(starts, [*starts[1:], len(items)], strict=True)):
            column = Column(first, end)
            extents = [measures.extents[id(item)] for item in items[first:end]]
            before = max((extent.before for extent in extents), default=0)
            after = [extent.after for extent in extents]
            after += [leg.offset + leg.width for leg in pieces if first <= leg.start // 2 < end]
            if measures.vertical:
                after += [6 + text_width(text, LABEL) for slot, text in root.labels.items() if first < slot <= end]
            column.line = right + before
            column.right = column.line + max(after, default=0)
            right = column.right + GUTTER
            for slot in range(first, end):
                self.column_of[slot] = number
            column.top = TAP + GAP if first in root.taps and first else 0.0
            gaps = root.gaps[first + 1 : end]
            column.bottom = column.top + sum(gaps) + sum(extent.flow for extent in extents)
            self.columns.append(column)

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
