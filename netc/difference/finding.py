"""From two networks whose layers are matched to the edits that make one of the other."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from netc.difference.edits import Added, Change, Changed, Counted, Edit, Ends, Moved, Place, Removed, Replaced, Rewired
from netc.difference.matching import UNSURE, Matching
from netc.difference.side import Holder, Side, Unit
from netc.layers.base import Layer
from netc.lift.arguments import params_of
from netc.report.label import kind


def edits_of(made: Matching) -> list[Edit]:
    """The edits between two networks; none for the same network, and only for that."""
    return _Finder(made).edits()


@dataclass(slots=True)
class _Rest:
    """The layers of one network that the other has not, as far as they are not told yet."""

    side: Side
    paired: Mapping[str, str]
    names: dict[str, None] = field(init=False)

    def __post_init__(self) -> None:
        self.names = dict.fromkeys(node.name for node in self.side.net if node.name not in self.paired)

    def told(self, names: Sequence[str]) -> None:
        for name in names:
            self.names.pop(name, None)

    def place(self, names: Sequence[str]) -> Place:
        """What some layers read and what reads them, besides themselves."""
        net, own = self.side.net, set(names)
        reads = dict.fromkeys(each for name in names for each in net.operands(name) if each not in own)
        read_by = dict.fromkeys(each for name in names for each in net.consumers(name) if each not in own)
        return Place(tuple(reads), tuple(read_by))

    def said(self, names: Sequence[str]) -> tuple[str, ...]:
        return tuple(said(self.side, name) for name in names)

    def parts(self) -> list[list[str]]:
        """The layers that are left, those that read each other together, in the order of the network."""
        part: dict[str, list[str]] = {}
        for name in self.names:
            joined = {id(part[each]): part[each] for each in self.side.net.operands(name) if each in part}
            whole = [*(each for one in joined.values() for each in one), name]
            part.update(dict.fromkeys(whole, whole))
        places = self.side.places
        found = {id(one): sorted(one, key=places.__getitem__) for one in part.values()}
        return sorted(found.values(), key=lambda one: places[one[0]])


def said(side: Side, name: str) -> str:
    """A layer in a few words."""
    return kind(side.net.node(name).layer, side.net.shapes[name])


class _Finder:
    def __init__(self, made: Matching) -> None:
        self.made = made
        self.before, self.after = made.before, made.after
        self.gone, self.new = _Rest(made.before, made.there), _Rest(made.after, made.back)

    def edits(self) -> list[Edit]:
        """All edits, each where it is in the second network."""
        found: list[tuple[float, Edit]] = [*self._counted(), *self._runs(), *self._pairs()]
        return [edit for _, edit in sorted(found, key=lambda each: each[0])] + list(self._ends())

    def _where(self, rest: _Rest, names: Sequence[str]) -> float:
        """The place of layers in the order of the second network; of those that it has not, of what they read."""
        if rest is self.new:
            return self.after.places[names[0]]
        reads = [self.made.there[name] for name in rest.place(names).after if name in self.made.there]
        return max((self.after.places[name] for name in reads), default=-1) + 0.5

    # -- blocks ----------------------------------------------------------------------------------------------

    def _counted(self) -> Iterator[tuple[float, Edit]]:
        """Whole blocks that are new or gone among others of their kind."""
        seen: set[int] = set()
        for rest, other, paired in ((self.new, self.before, self.made.back), (self.gone, self.after, self.made.there)):
            for holder in rest.side.holders:
                kinds = dict.fromkeys(_kind(unit) for unit in holder.units)
                for each in kinds:
                    units = [unit for unit in holder.units if _kind(unit) == each]
                    own = [unit for unit in units if unit.names and rest.names.keys() >= set(unit.names)]
                    if not own or len(units) == len(own):
                        continue
                    matched = _holder_of(other, units, paired)
                    theirs = [unit for unit in matched.units if unit.kind and _kind(unit) == each] if matched else []
                    if matched and id(matched) in seen:
                        continue
                    count = len(theirs) if theirs else len(units) - len(own)
                    if abs(len(units) - count) != len(own):
                        continue  # others of them are new in part, and are told with these
                    seen.add(id(holder))
                    names = [name for unit in own for name in unit.names]
                    counts = (count, len(units)) if rest is self.new else (len(units), count)
                    where = self._where(rest, names)
                    place = rest.place(names)
                    only = all(_kind(unit) == each for unit in holder.units if not (unit.kind or own[0].kind))
                    alike = only and _beside(rest.side, own, [unit for unit in units if unit not in own], place)
                    edit = Counted(holder.path, each[0], counts, tuple(names), place, alike)
                    for unit in own:
                        rest.told(unit.names)
                    yield where, edit

    # -- layers of one network -------------------------------------------------------------------------------

    def _runs(self) -> Iterator[tuple[float, Edit]]:
        """What is new, what is gone, and what of it stands in the place of the other, or moved."""
        gone, new = self.gone.parts(), self.new.parts()
        there = self.made.there
        places: dict[tuple[frozenset[str], frozenset[str]], list[str]] = {}
        for part in new:
            place = self.new.place(part)
            places.setdefault((frozenset(place.after), frozenset(place.before)), part)
        for part in list(gone):
            place = self.gone.place(part)
            key = (frozenset(there.get(n, "") for n in place.after), frozenset(there.get(n, "") for n in place.before))
            if (other := places.pop(key, None)) is not None:
                gone.remove(part)
                new.remove(other)
                both = (tuple(part), tuple(other))
                yield self._where(self.new, other), Replaced(both, (self.gone.said(part), self.new.said(other)))
        moved = {tuple(self.gone.said(part)): part for part in gone}
        for part in list(new):
            if old := moved.pop(self.new.said(part), None):
                gone.remove(old)
                new.remove(part)
                places_of = (self.gone.place(old), self.new.place(part))
                yield self._where(self.new, part), Moved((tuple(old), tuple(part)), self.new.said(part), places_of)
        for rest, parts, made in ((self.gone, gone, Removed), (self.new, new, Added)):
            for part in parts:
                yield self._where(rest, part), self._run(rest, part, made)

    def _run(self, rest: _Rest, part: Sequence[str], made: type[Added]) -> Edit:
        place = rest.place(part)
        merges = [name for name in place.before if rest.side.net.node(name).layer.operands[1] != 1]
        one = merges[0] if len(place.before) == len(merges) == 1 else ""
        paired, other = (self.made.back, self.before) if rest is self.new else (self.made.there, self.after)
        fewer = one and one in paired and len(other.net.operands(paired[one])) != len(rest.side.net.operands(one))
        return made(tuple(part), rest.said(part), place, _blocks(rest.side, part), one if fewer else "")

    # -- layers of both --------------------------------------------------------------------------------------

    def _pairs(self) -> Iterator[tuple[float, Edit]]:
        changed: dict[tuple[str, tuple[tuple[str, Change], ...]], list[tuple[str, str]]] = {}
        for one, other in self.made.there.items():
            op, second = self.before.net.node(one).layer.op, self.after.net.node(other).layer.op
            if op != second:
                both = ((said(self.before, one),), (said(self.after, other),))
                yield self.after.places[other], Replaced(((one,), (other,)), both)
            elif values := self._values(one, other):
                changed.setdefault((op, tuple(values.items())), []).append((one, other))
            if (edit := self._rewired(one, other)) is not None:
                yield self.after.places[other], edit
        ops = Counter(self.after.net.node(other).layer.op for other in self.made.back)
        for (op, values_), pairs in changed.items():
            ordered = sorted(pairs, key=lambda pair: self.after.places[pair[1]])
            edit = Changed(op, tuple(ordered), dict(values_), len(ordered) == ops[op] > 1)
            yield self.after.places[ordered[0][1]], edit

    def _values(self, one: str, other: str) -> dict[str, Change]:
        """The parameters of a pair that are not equal, as specs say them."""
        ours, theirs = self.before.facts[one], self.after.facts[other]
        names = [name for name in dict.fromkeys((*ours, *theirs)) if ours.get(name) != theirs.get(name)]
        if UNSURE in names:
            read = self.before.padding(one)
            if read is not None and read == self.after.padding(other):
                names.remove(UNSURE)
        params = params_of(self.after.net.node(other).layer)
        return {params[name].key if name in params else name: (ours.get(name), theirs.get(name)) for name in names}

    def _rewired(self, one: str, other: str) -> Edit | None:
        """A pair that does not read the same, but for what is new or gone between."""
        before, after = self.before.net, self.after.net
        reads, others = before.operands(one), after.operands(other)
        there, back = self.made.there, self.made.back
        ours = [there.get(name) for name in reads]
        shared = before.node(one).shares, after.node(other).shares
        sharing = (there.get(shared[0], "?") if shared[0] else None) != shared[1]
        mixed = after.node(other).layer.commutative
        same = Counter(ours) == Counter(others) if mixed else tuple(ours) == others
        if same and not sharing:
            return None
        left = Counter(name for name in ours if name is not None)
        right = Counter(name for name in others if name in back)
        unread, unwritten = left - right, right - left
        through = self._through(self.gone, reads, there) | self._through(self.new, others, back, own=True)
        extra = [name for name in unread.elements() if name not in through]
        extra += [name for name in unwritten.elements() if name not in through]
        kept, made = [name for name in ours if name in right], [name for name in others if name in left]
        turned = not mixed and not unread and not unwritten and kept != made
        if extra or turned or sharing:
            told = (tuple(reads), tuple(others))
            return Rewired((one, other), told, bool(extra or turned), shared if sharing else (None, None))
        return None

    def _through(self, rest: _Rest, names: Sequence[str], paired: Mapping[str, str], *, own: bool = False) -> set[str]:
        """The layers of the second network that are read through those that one of them alone has."""
        net = rest.side.net
        todo = [name for name in names if name not in paired]
        seen, found = set(todo), set[str]()
        while todo:
            for name in net.operands(todo.pop()):
                if name in paired:
                    found.add(name if own else paired[name])
                elif name not in seen:
                    seen.add(name)
                    todo.append(name)
        return found

    def _ends(self) -> Iterator[Edit]:
        there, back = self.made.there, self.made.back
        for what in ("inputs", "outputs"):
            ours, theirs = getattr(self.before.net, what), getattr(self.after.net, what)
            kept = [there[name] for name in ours if name in there]
            gone, new = (any(name not in paired for name in names) for names, paired in ((ours, there), (theirs, back)))
            told = what == "outputs" and (gone or new)  # as what is removed or added at the end
            if len(ours) != len(theirs) or (not told and kept != theirs):
                yield Ends(what, (tuple(ours), tuple(theirs)))


def _kind(unit: Unit) -> tuple[str, int]:
    """Equal for calls of one definition, and for the passes of one `repeat`."""
    return unit.kind or unit.head, unit.row


def _beside(side: Side, own: Sequence[Unit], others: Sequence[Unit], place: Place) -> bool:
    """Whether one of the other blocks joins at a place and is equal to all at it."""
    around = {*place.after, *place.before}

    def layers(unit: Unit) -> list[Layer]:
        return [side.net.node(name).layer for name in unit.names]

    return any(
        not around.isdisjoint(other.names) and all(layers(other) == layers(unit) for unit in own) for other in others
    )


def _holder_of(side: Side, units: Sequence[Unit], paired: Mapping[str, str]) -> Holder | None:
    """What holds the blocks of the other network whose layers these are."""
    names = {paired[name] for unit in units for name in unit.names if name in paired}
    votes: Counter[int] = Counter()
    holders = side.holders
    for at, holder in enumerate(holders):
        for unit in holder.units:
            if _kind(unit) == _kind(units[0]):
                votes[at] += len(names.intersection(unit.names))
    best = votes.most_common(1)
    return holders[best[0][0]] if best and best[0][1] else None


def _blocks(side: Side, part: Sequence[str]) -> tuple[str, ...]:
    """The calls that made all of some layers and nothing else, in order; none where no calls did."""
    left, found = set(part), list[str]()
    for holder in side.holders:
        for unit in holder.units:
            if unit.kind and unit.names and left.issuperset(unit.names):
                left.difference_update(unit.names)
                found.append(unit.head)
    return () if left else tuple(found)
