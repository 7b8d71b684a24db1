"""Which layer of one network is which of another.

Layers that compute the same from the inputs on are matched, and those that are followed by the same up to the outputs;
then, between changes, those that are alike around. What is left is aligned in the order of the networks (Needleman &
Wunsch 1970), long rests in pieces, and pairs that their neighbours contradict are made anew. Where a run of added
layers could lie at several places, as a block of a repeat, it is moved to where a block begins; if blocks differ
little beside it, to where it is whole blocks.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from heapq import heappop, heappush
from itertools import accumulate

from netc.difference.side import Side

FAR = 6  # layers that twins are compared on, where they are not alike wholly
NEAR = 20  # neighbours of a layer that are looked at
CELLS = 400_000  # pairs of layers that are weighed
UNSURE = "pad"  # what a spec says in several ways, compared when layers are matched

Keys = Mapping[str, int]


@dataclass(slots=True)
class Matching:
    """The layer of `after` for each of `before` that has one, and the other way round."""

    before: Side
    after: Side
    there: dict[str, str] = field(default_factory=dict)
    back: dict[str, str] = field(default_factory=dict)

    def pair(self, one: str, other: str) -> None:
        """Say that two layers are one."""
        self.there[one], self.back[other] = other, one


def match(before: Side, after: Side) -> Matching:
    """The layers of two networks that are one; in time linear in them where few are changed."""
    made = Matching(before, after)
    keys = _keys(before, after)
    _inputs(made)
    _both_ends(made, keys)
    _anchor(made, keys)
    _grow(made, keys, 1.4)
    ours = [node.name for node in before.net if node.name not in made.there]
    _align(made, keys, ours, [node.name for node in after.net if node.name not in made.back])
    _mend(made, keys)
    _swap(made)
    _slide(made, keys)
    made = _gathered(made, keys)
    mirrored = _gathered(Matching(after, before, made.back, made.there), (keys[1], keys[0]))
    made = Matching(before, after, mirrored.back, mirrored.there)
    _part(made)
    return made


def _keys(before: Side, after: Side) -> tuple[Keys, Keys]:
    """What layers are told by: the operation and its parameters, but for those of which the layers of one network have
    no value that those of the other have (all convolutions have a bias now): they say nothing about which is which."""
    seen = _values(before), _values(after)
    telling = {which for which in seen[0].keys() & seen[1].keys() if seen[0][which] & seen[1][which]}
    numbers: dict[Hashable, int] = {}
    return _told(before, telling, numbers), _told(after, telling, numbers)


def _values(side: Side) -> dict[tuple[str, str], set[Hashable]]:
    """The values of each parameter of each operation."""
    found: dict[tuple[str, str], set[Hashable]] = {}
    for layer, facts in side.kinds.items():
        for name, own in facts.items():
            found.setdefault((layer.op, name), set()).add(own)
    return found


def _told(side: Side, telling: set[tuple[str, str]], numbers: dict[Hashable, int]) -> Keys:
    known: dict[int, int] = {}  # equal layers have one object for their facts
    found: dict[str, int] = {}
    for node in side.net:
        facts, op = side.facts[node.name], node.layer.op
        if id(facts) not in known:
            told = [(name, own) for name, own in facts.items() if name != UNSURE and (op, name) in telling]
            known[id(facts)] = numbers.setdefault((op, *told), len(numbers) + 1)
        found[node.name] = known[id(facts)]
    return found


def _inputs(made: Matching) -> None:
    """Pair the inputs: in order where there are as many, else by their shapes and names."""
    ours, theirs = made.before.net.inputs, made.after.net.inputs
    if len(ours) != len(theirs):
        kept = [name for name in ours if name in theirs]
        shapes = {made.after.net.shapes[name]: name for name in theirs if name not in kept}
        pairs = [(name, name if name in kept else shapes.pop(made.before.net.shapes[name], None)) for name in ours]
        ours, theirs = [one for one, other in pairs if other], [other for _, other in pairs if other]
    for one, other in zip(ours, theirs, strict=True):
        made.pair(one, other)


# -- what is equal from an end on ----------------------------------------------------------------------------

Known = Callable[[str], int | None]
Sign = Callable[[Side, Keys, str, Known], Hashable]


def _from_inputs(side: Side, keys: Keys, name: str, known: Known) -> Hashable:
    """What a layer computes of what is known of those that it reads; None where one of them is not known."""
    node = side.net.node(name)
    operands = side.net.operands(name)
    read = [number for operand in operands if (number := known(operand)) is not None]
    shares = known(node.shares) if node.shares else 0
    if len(read) < len(operands) or shares is None:
        return None
    return keys[name], tuple(sorted(read) if node.layer.commutative else read), shares


def _from_outputs(side: Side, keys: Keys, name: str, known: Known) -> Hashable:
    """What becomes of a layer in those that read it; None where one of them is not known."""
    net, slots = side.net, list[tuple[int, int]]()
    for reader in dict.fromkeys(net.consumers(name)):
        after = known(reader)
        if after is None:
            return None
        mixed = net.node(reader).layer.commutative
        slots += [(after, -1 if mixed else at) for at, operand in enumerate(net.operands(reader)) if operand == name]
    return keys[name], tuple(sorted(slots)), side.outputs.get(name, -1)


def _sweep(made: Matching, keys: tuple[Keys, Keys], *, forwards: bool) -> None:
    """Pair layers whose keys are equal and which read pairs, from the inputs on; or which pairs read, from the outputs
    back. Of several that are alike, those are paired that are alike on their other side too, as far as that goes."""
    sign, other = (_from_inputs, _from_outputs) if forwards else (_from_outputs, _from_inputs)
    twins = _Twins((made.before, made.after), keys, other, forwards=not forwards)
    later, back, there, places = made.after.net, made.back, made.there, made.after.places
    waiting: dict[Hashable, list[str]] = {}

    def place(name: str) -> int | None:
        return places[name] if name in back else None

    def place_there(name: str) -> int | None:
        return places[there[name]] if name in there else None

    def wait(name: str) -> None:
        if name not in back and (key := sign(made.after, keys[1], name, place)):
            waiting.setdefault(key, []).append(name)

    for node in later:
        wait(node.name)
    ordered = [node.name for node in made.before.net]
    for name in ordered if forwards else reversed(ordered):
        key = None if name in there else sign(made.before, keys[0], name, place_there)
        free = [each for each in waiting.get(key, ()) if each not in back] if key else []
        if free:
            chosen = free[0] if len(free) == 1 else twins.nearest(name, free if forwards else free[::-1])
            made.pair(name, chosen)
            for each in dict.fromkeys(later.consumers(chosen) if forwards else later.operands(chosen)):
                wait(each)


def _both_ends(made: Matching, keys: tuple[Keys, Keys]) -> None:
    """Pair what is equal from the inputs on and from the outputs back. Where layers of one network are both, as those
    of a row of blocks to which others were added, the one ends and the other begins where fewest tensors pass."""
    ends = [replace(made, there=dict(made.there), back=dict(made.back)) for _ in range(2)]
    for end, forwards in zip(ends, (True, False), strict=True):
        _sweep(end, keys, forwards=forwards)
    first, last = (end.there for end in ends)
    _cut(made.before, made.after, first, last)
    first, last = ({other: one for one, other in claims.items()} for claims in (first, last))
    _cut(made.after, made.before, first, last)
    for claims in (last, first):
        for other, one in claims.items():
            made.pair(one, other)


def _cut(side: Side, other: Side, first: dict[str, str], last: dict[str, str]) -> None:
    """Leave each layer of a network one claim: that from the inputs on before a place in its order, else that from the
    outputs back."""
    order, places = list(side.places), side.places
    both = [places[name] for name in first if name in last and last[name] != first[name]]
    if not both:
        return
    passing = [0] * (len(order) + 2)  # changes, from place to place, of how many tensors pass that are read otherwise
    for name, mate in first.items():
        wrong = [
            places[reader]
            for reader in side.net.consumers(name)
            if reader in last and mate not in other.net.operands(last[reader])
        ]
        if wrong:
            passing[places[name] + 1] += 1
            passing[max(wrong) + 1] -= 1
    counts = list(accumulate(passing))

    def worth(place: int) -> tuple[int, int, int]:
        begins = side.begins.get(order[place], len(order)) if place < len(order) else 0
        return counts[place], begins, -place

    at = min(range(min(both), max(both) + 2), key=worth)
    for name in list(first):
        if name in last:
            del (first if places[name] >= at else last)[name]


class _Twins:
    """Which of several layers that are alike on one side is most alike on the other."""

    def __init__(self, sides: tuple[Side, Side], keys: tuple[Keys, Keys], sign: Sign, *, forwards: bool) -> None:
        self._sides, self._keys, self._sign, self._forwards = sides, keys, sign, forwards

    def nearest(self, name: str, others: Sequence[str]) -> str:
        """The one of `others` that is alike the farthest; the first of several."""
        for own, theirs in (self._whole, *reversed(self.levels)):
            if (found := next((each for each in others if theirs[each] == own[name]), None)) is not None:
                return found
        return others[0]

    @cached_property
    def levels(self) -> list[tuple[Keys, Keys]]:
        """Numbers of layers, equal for those that are alike themselves, one layer far, two ..."""
        found = [self._keys]
        for _ in range(FAR):
            found.append(self._numbered(found[-1]))
        return found

    @cached_property
    def _whole(self) -> tuple[Keys, Keys]:
        """The same of those that are alike to the end of the network."""
        return self._numbered(None)

    def _numbered(self, before: tuple[Keys, Keys] | None) -> tuple[Keys, Keys]:
        """One layer farther than the numbers before; to the end, without these."""
        numbers: dict[Hashable, int] = {}
        found: tuple[dict[str, int], dict[str, int]] = ({}, {})
        for at, (side, known) in enumerate(zip(self._sides, found, strict=True)):
            ordered = [node.name for node in side.net]
            nearer = known if before is None else before[at]
            for name in ordered if self._forwards else reversed(ordered):
                known[name] = numbers.setdefault(self._sign(side, self._keys[at], name, nearer.get), len(numbers) + 1)
        return found


# -- what is equal around ------------------------------------------------------------------------------------


def _anchor(made: Matching, keys: tuple[Keys, Keys]) -> None:
    """Pair layers between changes that are alike on both sides, as far as to the changes or nearer, where both networks
    have as many of them, in order."""
    sides = (made.before, made.after)
    reads, read_by = (_Twins(sides, keys, sign, forwards=False).levels for sign in (_from_inputs, _from_outputs))
    for above, below in reversed(list(zip(reads, read_by, strict=True))):
        groups: dict[Hashable, tuple[list[str], list[str]]] = {}
        for at, (side, paired) in enumerate(zip(sides, (made.there, made.back), strict=True)):
            for node in side.net:
                if node.name not in paired:
                    which = (above[at][node.name], below[at][node.name])
                    groups.setdefault(which, ([], []))[at].append(node.name)
        for ours, theirs in groups.values():
            if len(ours) == len(theirs):
                for one, other in zip(ours, theirs, strict=True):
                    made.pair(one, other)


def _agreement(made: Matching, one: str, other: str) -> float:
    """The share of what two layers read, and of what reads them, that is paired; what is paired otherwise counts
    against it."""
    before, after, there, back = made.before.net, made.after.net, made.there, made.back
    share = 0.0
    for ours, theirs in (
        (before.operands(one), after.operands(other)),
        (before.consumers(one), after.consumers(other)),
    ):
        right = sum(there.get(name) in theirs for name in ours)
        wrong = sum(name in there and there[name] not in theirs for name in ours)
        wrong += sum(name in back and back[name] not in ours for name in theirs)
        share += (right - wrong / 2) / max(len(ours), len(theirs), 1)
    return share


def _grow(made: Matching, keys: tuple[Keys, Keys], least: float) -> None:
    """Pair layers of equal keys beside pairs, those first of whose neighbours most are pairs too, but for those that
    agree no more than the `least`."""
    before, after, there = made.before.net, made.after.net, made.there
    waiting: list[tuple[float, int, int, str, str]] = []

    def wait(one: str, other: str) -> None:
        """Look at the neighbours of a pair."""
        sides = ((before.operands(one), after.operands(other)), (before.consumers(one), after.consumers(other)))
        for ours, theirs in sides:
            free = [name for name in dict.fromkeys(theirs) if name not in made.back][:NEAR]
            for name in [name for name in dict.fromkeys(ours) if name not in there][:NEAR]:
                for mate in free:
                    if keys[0][name] == keys[1][mate] and (share := _agreement(made, name, mate)) > least:
                        places = made.before.places[name], made.after.places[mate]
                        heappush(waiting, (-share, *places, name, mate))

    for one, other in list(there.items()):
        wait(one, other)
    while waiting:
        share, _, _, one, other = heappop(waiting)
        if one not in there and other not in made.back and _agreement(made, one, other) >= -share:
            made.pair(one, other)
            wait(one, other)


def _mend(made: Matching, keys: tuple[Keys, Keys]) -> None:
    """Part the pairs whose neighbours are not paired as they are, and pair them again by their neighbours."""
    for _ in range(3):
        wrong = [(one, other) for one, other in made.there.items() if _agreement(made, one, other) < 0.6]
        if not wrong:
            return
        for one, other in wrong:
            del made.there[one], made.back[other]
        _grow(made, keys, 0.4)
        for one, other in wrong:
            if one not in made.there and other not in made.back:
                made.pair(one, other)


# -- what lies between changes -------------------------------------------------------------------------------


def _align(made: Matching, keys: tuple[Keys, Keys], ours: Sequence[str], theirs: Sequence[str]) -> None:
    """Pair what is left, in the order of both networks, so that most is alike; long rests in pieces."""
    if not ours or not theirs:
        return
    if len(ours) * len(theirs) > CELLS and min(len(ours), len(theirs)) > 1:
        here, there = len(ours) // 2, len(theirs) // 2
        _align(made, keys, ours[:here], theirs[:there])
        _align(made, keys, ours[here:], theirs[there:])
        return
    gains = _Gains(made, keys)
    best = [0.0] * (len(theirs) + 1)  # of the layers so far and the first j of the others
    ways: list[bytearray] = []  # 1: without this one of ours, 2: without that one of theirs, 3: both are a pair
    for one in ours:
        row, way = [best[0]], bytearray([1])
        for j, other in enumerate(theirs):
            most, came = (best[j + 1], 1) if best[j + 1] > row[j] else (row[j], 2)
            gain = gains.of(one, other)
            if gain and best[j] + gain >= most:
                most, came = best[j] + gain, 3
            row.append(most)
            way.append(came)
        best = row
        ways.append(way)
    i, j = len(ours), len(theirs)
    while i and j:
        came = ways[i - 1][j]
        if came == 3:
            made.pair(ours[i - 1], theirs[j - 1])
        i, j = i - (came != 2), j - (came != 1)


class _Gains:
    """What it is worth to take two layers for one: more where their parameters, sizes and surroundings agree."""

    def __init__(self, made: Matching, keys: tuple[Keys, Keys]) -> None:
        self._made, self._keys = made, keys
        self._known: dict[Hashable, float] = {}

    def of(self, one: str, other: str) -> float:
        """0 for layers of different operations."""
        before, after = self._made.before, self._made.after
        ours, theirs = self._keys[0][one], self._keys[1][other]
        shapes = before.net.shapes[one], after.net.shapes[other]
        which = (ours, theirs, shapes)
        if which not in self._known:
            self._known[which] = self._alike(one, other, ours == theirs)
        gain = self._known[which]
        if gain:
            there = self._made.there
            gain += any(there.get(name) in after.net.operands(other) for name in before.net.operands(one)) / 2
            gain += any(there.get(name) in after.net.consumers(other) for name in before.net.consumers(one)) / 2
        return gain

    def _alike(self, one: str, other: str, equal: bool) -> float:
        before, after = self._made.before, self._made.after
        layer, second = before.net.node(one).layer, after.net.node(other).layer
        if layer.op != second.op or layer.is_input != second.is_input:
            return 0.0
        facts, others = before.facts[one], after.facts[other]
        names = layer.size or tuple(facts)
        same = sum(facts.get(name) == others.get(name) for name in names) / len(names) if names else 1.0
        shape, made = before.net.shapes[one], after.net.shapes[other]
        return (4.0 if equal else 1 + 1.5 * same) + (shape[-1] == made[-1]) * 0.75 + (shape[:-1] == made[:-1]) * 0.25


def _part(made: Matching) -> None:
    """Part pairs that have other neighbours on all sides, none of them new: such a layer was moved."""
    for one, other in list(made.there.items()):
        ours = made.before.net.operands(one), made.before.net.consumers(one)
        theirs = made.after.net.operands(other), made.after.net.consumers(other)
        known = all(name in made.there for part in ours for name in part)
        known &= all(name in made.back for part in theirs for name in part)
        moved = [made.there.get(name) not in names for part, names in zip(ours, theirs, strict=True) for name in part]
        if known and all(ours) and all(moved):
            del made.there[one], made.back[other]


def _swap(made: Matching) -> None:
    """Pair what stands in one place in both networks, of whatever operations: it became the other."""
    places: dict[Hashable, list[str]] = {}
    for node in made.after.net:
        if node.name not in made.back:
            reads, read_by = made.after.net.operands(node.name), made.after.net.consumers(node.name)
            if reads and all(name in made.back for name in (*reads, *read_by)):
                places.setdefault((reads, frozenset(read_by)), []).append(node.name)
    for node in made.before.net:
        ours, our_readers = made.before.net.operands(node.name), made.before.net.consumers(node.name)
        if node.name in made.there or not all(name in made.there for name in (*ours, *our_readers)):
            continue
        place = tuple(made.there[name] for name in ours), frozenset(made.there[name] for name in our_readers)
        if found := places.get(place):
            made.pair(node.name, found.pop(0))


# -- where a run of changes begins ---------------------------------------------------------------------------


def _gathered(made: Matching, keys: tuple[Keys, Keys]) -> Matching:
    """Take layers for those that are in the block where most of their own block is, where that agrees better."""
    tried = replace(made, there=dict(made.there), back=dict(made.back))
    blocks, others = made.before.inside, made.after.inside
    votes: dict[tuple[str, ...], Counter[tuple[str, ...]]] = {}
    for one, other in made.there.items():
        if one in blocks:
            votes.setdefault(blocks[one], Counter())[others.get(other, ())] += 1
    for block, counts in votes.items():
        home = counts.most_common(1)[0][0]
        for one in block:
            if home and one in tried.there and others.get(tried.there[one], ()) != home:
                free = (each for each in home if each not in tried.back and keys[1][each] == keys[0][one])
                if (found := next(free, None)) is not None:
                    del tried.back[tried.there[one]]
                    tried.pair(one, found)
    if tried.there == made.there:
        return made
    _slide(tried, keys)
    sums = [sum(_agreement(each, one, other) for one, other in each.there.items()) for each in (made, tried)]
    return tried if sums[1] > sums[0] else made


def _slide(made: Matching, keys: tuple[Keys, Keys]) -> None:
    """Move each run of layers that one network alone has to where a block begins, if it could as well stand there."""
    _slid(made.after, keys[1], made.back, lambda old, new: made.pair(made.back.pop(old), new))

    def paired(old: str, new: str) -> None:
        made.pair(new, made.there.pop(old))

    _slid(made.before, keys[0], made.there, paired)


def _slid(side: Side, keys: Keys, paired: Mapping[str, str], move: Callable[[str, str], None]) -> None:
    order = [node.name for node in side.net]
    at = 0
    while at < len(order):
        if order[at] in paired:
            at += 1
            continue
        end = at
        while end < len(order) and order[end] not in paired:
            end += 1
        least, most = at, at
        while least and order[least - 1] in paired and keys[order[least - 1]] == keys[order[least - 1 + end - at]]:
            least -= 1
        while (
            most + end - at < len(order)
            and order[most + end - at] in paired
            and keys[order[most]] == keys[order[most + end - at]]
        ):
            most += 1
        known = []
        for start in range(least, min(most + 1, len(order))):
            if order[start] in side.begins:
                stop = side.stops.get(order[start + end - at - 1], len(order))
                known.append((side.begins[order[start]] + stop, -start))  # the last of equal ones
        start = -min(known)[1] if known else _whole(side, order, paired, (at, end))
        for step in range(at - 1, start - 1, -1):
            move(order[step], order[step + end - at])
        for step in range(at, start):
            move(order[step + end - at], order[step])
        at = max(start + end - at, end)


def _whole(side: Side, order: Sequence[str], paired: Mapping[str, str], run: tuple[int, int]) -> int:
    """The nearest place from which a run of layers is whole blocks, over layers that differ in one parameter at most,
    as those of blocks that became wider beside it; its own where there is none."""
    at, end = run
    found = list[int]()
    for step in (-1, 1):
        start = at
        while True:
            here = start - 1 if step < 0 else start  # the first of both that the next step slides over
            there = here + end - at
            if here < 0 or there >= len(order) or order[here if step < 0 else there] not in paired:
                break
            if not _nearly(side, order[here], order[there]):
                break
            start += step
            if order[start] in side.begins and order[start + end - at - 1] in side.stops:
                found.append(start)
                break
    return min(found, key=lambda start: abs(start - at), default=at)


def _nearly(side: Side, one: str, other: str) -> bool:
    """Whether two layers are of one operation and differ in one parameter at most."""
    ours, theirs = side.facts[one], side.facts[other]
    same = side.net.node(one).layer.op == side.net.node(other).layer.op
    return same and sum(ours[name] != theirs[name] for name in ours) <= 1
