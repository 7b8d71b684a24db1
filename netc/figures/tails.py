"""What stands between two layers of a path: activations, normalisations, what skipping lines end in. Where most layers
of a family are followed by the same, one rule says it for all of them, and only the others say their own."""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Sequence
from dataclasses import dataclass, field

from netc.figures.facts import parts, word
from netc.figures.theme import KIND_NAMES
from netc.figures.trunk import Trunk, Unit
from netc.ir.net import Net, Node

LEAST = 5  # layers that are worth a rule
_SINGULAR = {"dense": "fully connected layer", "sequence": "layer along positions"}  # one of a family

Tail = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Habit:
    """What usually follows a family of layers: `plain`, and `joined` where a line (`ends`: a shortcut) ends.

    `others` of `count` layers have something else after them.
    """

    family: str
    plain: Tail
    joined: Tail
    ends: str
    others: int
    count: int

    def covers(self, after: Tail) -> bool:
        """Whether a layer with this after it needs to say nothing."""
        return after in (self.plain, self.joined)


@dataclass(slots=True)
class Tails:
    """What follows each unit of a path, and what usually follows a family."""

    trunk: Trunk
    after: list[Tail]
    habits: dict[str, Habit] = field(default_factory=dict)

    @classmethod
    def of(cls, trunk: Trunk, least: int = LEAST) -> Tails:
        """Those of a path. What follows the ends of lines is usual from `least` of them on."""
        made = cls(trunk, [_tail(trunk.net, unit) for unit in trunk.units])
        merges = {word(each.into.layer) for each in trunk.shortcuts}
        ends = "a shortcut" if all(each.into.layer.residual for each in trunk.shortcuts) else "a skip connection"
        for family in dict.fromkeys(unit.layer.family for unit in trunk.units):
            tails = [tail for unit, tail in zip(trunk.units, made.after, strict=True) if unit.layer.family == family]
            if habit := _habit(family, tails, merges, ends, least):
                made.habits[family] = habit
        return made

    def text(self, index: int) -> str:
        """A unit with what follows it, as far as that is not usual: `3×3 conv, 512, ReLU · dropout 0.5`."""
        unit, after = self.trunk.units[index], self.after[index]
        text, *own = parts(unit.layer, unit.shape)
        habit = self.habits.get(unit.layer.family)
        if habit and habit.covers(after):
            return text
        if habit and not after:
            return f"{text}, {'linear' if hasattr(unit.layer, 'act') else 'alone'}"
        return " · ".join([", ".join([text, *own]), *after[len(own) :]])


def notes(networks: Sequence[tuple[str, Tails]], marked: bool) -> list[str]:
    """What is usual, in sentences: one for all networks (`name`, tails) that have the same habit. `marked`: each layer
    that has something else after it says so."""
    found: dict[str, list[str]] = {}
    for name, tails in networks:
        for habit in tails.habits.values():
            found.setdefault(_sentence(habit, marked), []).append(name)
    alone = len(found) <= 1 or len(networks) == 1
    return [text if alone else f"{', '.join(names)}: {text}" for text, names in found.items()]


def beside(networks: Sequence[tuple[str, Tails]]) -> list[str]:
    """The weighted layers of lines that skip others, but for projections of shortcuts, which papers leave out; for rows
    that have no place for them: `beside the path: fc 64, sigmoid ×10`."""
    found: dict[str, list[str]] = {}
    for name, tails in networks:
        net = tails.trunk.net
        counts = Counter(
            ", ".join(parts(node.layer, net.shapes[node.name]))
            for shortcut in tails.trunk.shortcuts
            for node in shortcut.via
            if node.layer.weighted and not (shortcut.into.layer.residual and _is_projection(net, node))
        )
        if counts:
            text = "; ".join(f"{text} ×{count}" if count > 1 else text for text, count in counts.items())
            found.setdefault(f"beside the path: {text}", []).append(name)
    return [text if len(networks) == 1 else f"{', '.join(names)}: {text}" for text, names in found.items()]


def _is_projection(net: Net, node: Node) -> bool:
    windows = node.layer.windows(net.operand_shapes(node.name))
    return bool(windows) and all(window.size == 1 for window in windows or ())


def _sentence(habit: Habit, marked: bool) -> str:
    name = _SINGULAR.get(habit.family) or KIND_NAMES.get(habit.family, habit.family)
    text = f"after each {name} {' · '.join(habit.plain)}"
    if habit.joined != habit.plain:
        text += f", where {habit.ends} ends {' · '.join(habit.joined)}"
    if not habit.others:
        return text
    return f"{text}, unless its row says what else" if marked else f"{text}, but for {habit.others} of {habit.count}"


def _habit(family: str, tails: Sequence[Tail], merges: Container[str], ends: str, least: int) -> Habit | None:
    """What at least half of the layers of a family share, not counting where lines end in what follows them."""
    if len(tails) < LEAST:
        return None
    plain, count = Counter(_without(tail, merges) for tail in tails).most_common(1)[0]
    at_ends = Counter(tail for tail in tails if _without(tail, merges) == plain and tail != plain)
    joined = next((tail for tail, times in at_ends.most_common(1) if times >= least), plain)
    others = sum(tail not in (plain, joined) for tail in tails)
    return Habit(family, plain, joined, ends, others, len(tails)) if plain and 2 * count >= len(tails) else None


def _without(tail: Tail, words: Container[str]) -> Tail:
    return tuple(each for each in tail if each not in words)


def _tail(net: Net, unit: Unit) -> Tail:
    followers = [net.node(name) for name in unit.names if name != unit.node.name]
    after = [" ".join(parts(node.layer, net.shapes[node.name])) for node in followers]
    return (*parts(unit.layer, unit.shape)[1:], *after)
