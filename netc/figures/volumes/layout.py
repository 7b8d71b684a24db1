"""Where slabs stand: one after the other, rows that join them in time, and the whole as wide as it may be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import ceil, sqrt

from netc.figures.volumes.geometry import PT, Measures, Place, Scale, Solid, Spacing, fitted, split
from netc.figures.volumes.parts import Link, Slab
from netc.figures.volumes.stages import Stage

MEET = 10 * PT  # from a slab to where another row meets its axis, and from there on
TURN = 6 * PT  # right of a row that goes on below
_LONGEST = 24  # slabs of a stage before some are left out
_THIN = (3.0 * PT, 4.0 * PT)  # mean thickness of slabs under which a figure is folded; narrow and wide
_USUAL = 3.0 * PT  # of the thickest slab, for the lengths by which stages are set in rows
_WORTH = 0.8  # of the length of one row, that of the longest of several
_ROWS = 6  # a figure is folded into at most
_INDENT = 14 * PT  # of a row that goes on from above
_SPREAD = 15 * PT  # what a gap of a row can get at most


@dataclass(slots=True, eq=False)
class _Step:
    """A slab in the order in which slabs are set."""

    row: int
    stage: int
    slab: Slab
    begins: bool


class Layout:
    """The slabs of `rows` of stages at their places. `plain` are the gaps between them as far as they are given.

    The main row may be in several pieces, `folds`, one under the other.
    """

    def __init__(
        self, rows: Sequence[Sequence[Stage]], links: Sequence[Link], measures: Measures, plain: Spacing, scale: str
    ) -> None:
        self.stages, self.links, self.measures, self.plain = rows, links, measures, plain
        self.slabs = [slab for row in rows for stage in row for slab in stage.shown]
        self.steps = self._steps()
        self.folds = [range(len(rows[0]))]
        self.scale, self.spacing = self._fitted(scale)
        self.rows = self._places(self.scale, self.spacing)
        self._spread()

    def _steps(self) -> list[_Step]:
        """All slabs in the order of the network, so that what a slab reads has its place already."""
        found = [
            _Step(row, number, slab, at == 0)
            for row, stages in enumerate(self.stages)
            for number, stage in enumerate(stages)
            for at, slab in enumerate(stage.shown)
        ]
        return sorted(found, key=lambda step: (step.slab.order, step.row))

    def _fitted(self, kind: str) -> tuple[Scale, Spacing]:
        """The scale with which the figure is as wide as it may be, in as many rows as that takes."""
        m = self.measures
        beside = len(self.stages) > 1
        widest = max((slab.shape[-1] or 1 for slab in self.slabs if not slab.is_bar), default=1)
        thick = [slab for slab in self.slabs if not slab.is_bar and not slab.thin]
        whole = Scale.of(self.slabs, kind, m.low if beside else m.tall, m)
        gaps = len({(step.row, step.stage) for step in self.steps}) - len(self.stages)
        scale, spacing = fitted(whole, self.plain, self._reach, gaps, widest)
        for rows in range(2, _ROWS + 1):
            mean = sum(scale.solid(slab).width for slab in thick) / max(len(thick), 1)
            fits = self._reach(scale, spacing) <= m.width + 0.1
            if (fits and mean >= _THIN[not m.narrow]) or beside or rows > len(self.stages[0]):
                break
            whole = Scale.of(self.slabs, kind, m.low, m)
            before, usual = self.folds, whole.with_thickness(_USUAL / sqrt(widest))
            self.folds = self._folded(usual, rows)
            if len(self.folds) <= len(before) and not fits:
                self.folds = self._folded(usual, rows, bars=True)
            if len(self.folds) <= len(before):
                self.folds = before
                break
            scale, spacing = fitted(whole, self.plain, self._reach, gaps // len(self.folds), widest)
        return scale, spacing

    def _folded(self, scale: Scale, rows: int, *, bars: bool = False) -> list[range]:
        """The stages of each row, which only with `bars` begins with a vector after another one; one row where several
        would hardly be shorter."""
        self.folds = [range(len(self.stages[0]))]
        places = self._places(scale, self.plain)[0]
        allowed = [True] * len(self.stages[0])
        at = {id(slab): number for number, stage in enumerate(self.stages[0]) for slab in stage.shown}
        last = {id(slab): slab is stage.slabs[-1] for stage in self.stages[0] for slab in stage.slabs}
        for link in self.links:
            start, end = (at.get(id(slab)) for slab in (link.start, link.end))
            if start is None or end is None:
                continue
            for number in range(start + 1, end + 1):
                if number > start + 1 or link.copy is not None or not last[id(link.start)]:
                    allowed[number] = False
        vectors = [stage.is_bar for stage in self.stages[0]]
        after = [False, *vectors[:-1]]  # what a vector of a map is made by is said on the line between them
        allowed = [may and (not bar or (bars and b)) for may, bar, b in zip(allowed, vectors, after, strict=True)]
        ends: dict[int, float] = {}
        for place in places:
            ends[at[id(place.slab)]] = place.end
        edges = [0.0, *(ends[number] for number in range(len(self.stages[0])))]
        lengths = [max(b - a, 1.0) for a, b in pairwise(edges)]
        found = split(lengths, rows, allowed)
        longest = max(sum(lengths[row.start : row.stop]) for row in found)
        return found if longest < _WORTH * sum(lengths) else self.folds

    def _reach(self, scale: Scale, spacing: Spacing) -> float:
        """How wide the figure is."""
        rows = self._places(scale, spacing)
        ends = {id(self.stages[0][fold.stop - 1].shown[-1]) for fold in self.folds[:-1]}
        return max(place.reach + (TURN if id(place.slab) in ends else 0.0) for row in rows for place in row)

    def _places(self, scale: Scale, spacing: Spacing) -> list[list[Place]]:
        """The slabs of each row at their places."""
        rows: list[list[Place]] = [[] for _ in self.stages]
        found: dict[int, Place] = {}
        fold_starts = {fold.start for fold in self.folds}
        solids: dict[tuple[object, ...], Solid] = {}
        lanes = {link.row: link.start for link in self.links if link.row is not None}
        joins: dict[int, list[int]] = {}
        meets: dict[int, list[int]] = {}
        for link in self.links:
            if link.row is not None and link.end is not None:
                where = meets if link.copy is None else joins
                where.setdefault(id(link.end), []).append(link.row)
        m = self.measures
        for step in self.steps:
            slab, row = step.slab, rows[step.row]
            key = (slab.shape, slab.kind, len(slab.bands), slab.groups if slab.kind == "more" else 0)
            solid = solids.get(key)
            if solid is None:
                solid = solids[key] = scale.solid(slab)
            if not row or (step.row == 0 and step.begins and step.stage in fold_starts):
                start = lanes.get(step.row)
                x = solid.dx / 2 + (_INDENT if row else 0.0)
                if start is not None and id(start) in found:
                    x = found[id(start)].top[0] + solid.dx / 2 + m.between + 4 * PT
            else:
                x = spacing.after(row[-1], slab, solid, begins=step.begins)
            for lane in joins.get(id(slab), ()):
                if rows[lane]:
                    x = max(x, rows[lane][-1].end + m.between + 2 * PT - solid.width / 2)
            if row and not slab.copied and (before := meets.get(id(row[-1].slab))):
                ends = [row[-1].far - row[-1].solid.dx / 2, *(rows[lane][-1].end for lane in before if rows[lane])]
                x = max(x, max(ends) + 2 * MEET + solid.near)
            place = Place(slab, solid, x)
            row.append(place)
            found[id(slab)] = place
        return rows

    def _spread(self) -> None:
        """Give the gaps of folded rows what is left of the width, so that the rows are equally long."""
        if len(self.folds) < 2:
            return
        at = {id(slab): number for number, stage in enumerate(self.stages[0]) for slab in stage.shown}
        for fold in self.folds:
            places = [place for place in self.rows[0] if at[id(place.slab)] in fold]
            spare = self.measures.width - TURN - max(place.reach for place in places)
            each = min(spare / max(len(fold) - 1, 1), _SPREAD)
            for place in places if each > 0 else ():
                place.x += each * (at[id(place.slab)] - fold.start)


def shown(stage: Stage, links: Sequence[Link], collapse: str) -> list[Slab]:
    """The slabs of a stage that are drawn: of a long one whole blocks at either end, and between them a gap that grows
    with what is left out, so that a longer stage is never shorter."""
    slabs = stage.slabs
    layers = len(slabs) - (slabs[-1].kind == "pool")
    at = {id(slab): number for number, slab in enumerate(slabs)}
    ends = sorted(at[id(link.end)] for link in links if id(link.end) in at and id(link.start) in at)
    steps = {b - a for a, b in pairwise(ends) if b > a}
    block = min(steps, default=1)
    keep = ceil(_LONGEST / 2 / block) * block
    if collapse == "none" or layers <= 2 * keep:
        return slabs
    more = Slab(slabs[keep].node, slabs[keep].shape, "more", groups=layers - 2 * keep, order=slabs[keep].order)
    return [*slabs[:keep], more, *slabs[layers - keep :]]
