"""Blocks that became blocks of another definition: many edits of layers that are one change to who reads them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass

from netc.difference.edits import Added, Changed, Counted, Edit, Ends, Moved, Removed, Replaced, Rewired
from netc.difference.matching import Matching
from netc.difference.side import Side, Unit


@dataclass(frozen=True, slots=True)
class Became:
    """Blocks of a definition that only the first network calls, and those of one that only the second calls in their
    place; `edits` are between layers of these alone."""

    units: tuple[Sequence[Unit], Sequence[Unit]]
    edits: Sequence[Edit]


def became(made: Matching, edits: Sequence[Edit]) -> Iterator[Became]:
    """The blocks that became others, of the innermost definitions that hold all that changed."""
    sides = made.before, made.after
    passed = [_definitions(side) for side in reversed(sides)]
    found = [_blocks(side, known, side.places.keys()) for side, known in zip(sides, passed, strict=True)]
    homes = [{name: kind for kind, units in each.items() for name in _layers(units)} for each in found]
    votes = Counter(
        (homes[0][one], homes[1][other]) for one, other in made.there.items() if one in homes[0] and other in homes[1]
    )
    while votes:
        ((first, second), _), *_ = votes.most_common(1)
        votes = Counter({pair: count for pair, count in votes.items() if pair[0] != first and pair[1] != second})
        units = _innermost(sides, passed, (found[0][first], found[1][second]))
        layers = [_layers(each) for each in units]
        if inside := [edit for edit in edits if _is_inside(edit, layers)]:
            yield Became(units, inside)


def _definitions(side: Side) -> set[str]:
    return {unit.kind for holder in side.holders for unit in holder.units if unit.kind}


def _layers(units: Sequence[Unit]) -> set[str]:
    return {name for unit in units for name in unit.names}


def _blocks(side: Side, passed: Set[str], within: Set[str]) -> dict[str, list[Unit]]:
    """The outermost blocks within some layers, by their definitions; those of some definitions are passed over."""
    found: dict[str, list[Unit]] = {}
    seen = set[str]()
    for holder in side.holders:  # from the outside in
        for unit in holder.units:
            if unit.names and unit.kind and unit.kind not in passed and within >= set(unit.names):
                if seen.isdisjoint(unit.names):
                    found.setdefault(unit.kind, []).append(unit)
                seen.update(unit.names)
    return found


def _innermost(
    sides: tuple[Side, Side], passed: Sequence[Set[str]], units: tuple[Sequence[Unit], Sequence[Unit]]
) -> tuple[Sequence[Unit], Sequence[Unit]]:
    """The blocks inside of others that have all layers of these, as long as both are of one definition."""
    passed = [known | {own[0].kind} for known, own in zip(passed, units, strict=True)]
    inner = []
    for side, known, own in zip(sides, passed, units, strict=True):
        layers = _layers(own)
        found = list(_blocks(side, known, layers).values())
        if len(found) != 1 or len(_layers(found[0])) != len(layers):
            return units
        inner += found
    return _innermost(sides, passed, (inner[0], inner[1]))


def _is_inside(edit: Edit, layers: Sequence[set[str]]) -> bool:
    """Whether an edit is between some layers of the one network and some of the other."""
    return (touched := _touched(edit)) is not None and all(
        whole.issuperset(names) for whole, names in zip(layers, touched, strict=True)
    )


def _touched(edit: Edit) -> tuple[Sequence[str], Sequence[str]] | None:
    """The layers that an edit is about, in each network; None for one that is not about layers."""
    match edit:
        case Counted():
            return (edit.layers, ()) if edit.count[1] < edit.count[0] else ((), edit.layers)
        case Removed():
            return edit.layers, ()
        case Added():
            return (), edit.layers
        case Replaced() | Moved():
            return edit.layers
        case Changed():
            return [one for one, _ in edit.layers], [other for _, other in edit.layers]
        case Rewired():
            return edit.layer[:1], edit.layer[1:]
        case Ends():
            return edit.names
        case _:
            return None
