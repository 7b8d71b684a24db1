"""How much work a regular expression can be at worst, found from its structure.

Python's `re` tries the ways in which a pattern can read a text one after the other. Where one text can be read in
exponentially many ways, a text that fails in the end takes exponential time; where in n^k ways, time of n^(k+1). Both
are properties of the automaton of positions (Glushkov 1961), decided as by Weber and Seidl, "On the degree of ambiguity
of finite automata" (1991): two different paths from a state to itself on one word; or a chain of loops each of which
can hand over to the next anywhere in a word that both read. What `re` looks up before it moves on (assertions,
anchors, atomic groups, that a text may never fail) is left out, so that the answer is an upper bound.

The patterns are all those in the code of `netc`, found in its syntax trees, and all terminals of the grammar.
"""

from __future__ import annotations

import ast
import re
import re._constants as sre
import re._parser as sre_parser
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from importlib import import_module
from itertools import product
from pathlib import Path
from random import Random
from typing import Any

from netc.syntax.grammar import load

ROOT = Path(__file__).parents[1]
EXPONENTIAL = 99  # as a degree
MANY = 6  # repetitions after which one more changes nothing
ALPHABET = [*map(chr, range(128)), "\x85", "\xa0", "ö", "٣", "漢", "\u2028", "\ufeff", "\u201c", "\u201d", "🙂"]
EVERYTHING = (1 << len(ALPHABET)) - 1
ANCHORED = frozenset(("match", "fullmatch"))
METHODS = ANCHORED | {"search", "finditer", "findall", "sub", "subn", "split"}


@dataclass(frozen=True)
class Pattern:
    """A pattern, where it stands, and whether it is looked for anywhere in a text."""

    text: str
    flags: int
    searched: bool
    place: str


# -- the automaton of positions ------------------------------------------------------------------------------


@dataclass
class Part:
    """A piece of a pattern: in how many ways it reads nothing, and the positions it can begin and end with."""

    nothing: int = 1
    first: Counter[int] = field(default_factory=Counter)
    last: Counter[int] = field(default_factory=Counter)
    asserts: bool = False  # whether it may refuse to read nothing


class Automaton:
    """The positions of a pattern, what each reads (a set of `ALPHABET` as bits), and in how many ways one follows another."""

    def __init__(self, pattern: Pattern) -> None:
        self.reads: list[int] = []
        self.follow: list[Counter[int]] = []
        self.groups: dict[int, Any] = {}
        self.assertions: list[Any] = []
        self.refused: set[int] = set()  # positions after which something is asserted
        tree = sre_parser.parse(pattern.text, pattern.flags)
        self.flags = tree.state.flags
        whole = self._sequence(tree)
        self.whole, self.asserts = whole, bool(self.refused) or whole.asserts
        self.ends = set(whole.last) - self.refused
        self.start = len(self.reads) if pattern.searched else -1
        if pattern.searched:
            self._joined(self._repeated(self._one(EVERYTHING), 0), whole)

    def _one(self, reads: int) -> Part:
        self.reads.append(reads)
        self.follow.append(Counter())
        at = len(self.reads) - 1
        return Part(0, Counter((at,)), Counter((at,)))

    def _sequence(self, tree: Any) -> Part:
        whole = Part()
        for kind, argument in tree:
            whole = self._joined(whole, self._part(kind, argument))
        return whole

    def _joined(self, left: Part, right: Part) -> Part:
        for (before, ways), (after, more) in product(left.last.items(), right.first.items()):
            self.follow[before][after] += ways * more
        first, last = Counter(left.first), Counter(right.last)
        for position, ways in right.first.items():
            first[position] += left.nothing * ways
        for position, ways in left.last.items():
            last[position] += right.nothing * ways
        if right.asserts:
            self.refused.update(left.last)
        return Part(left.nothing * right.nothing, +first, +last, left.asserts or right.asserts)

    def _repeated(self, part: Part, least: int) -> Part:
        for (before, ways), (after, more) in product(part.last.items(), part.first.items()):
            self.follow[before][after] += ways * more
        return Part(1 if least == 0 else part.nothing, part.first, part.last, part.asserts)

    def _part(self, kind: Any, argument: Any) -> Part:
        match kind:
            case sre.LITERAL | sre.NOT_LITERAL | sre.ANY | sre.IN:
                return self._one(self._set(kind, argument))
            case sre.AT:
                return Part(asserts=True)
            case sre.SUBPATTERN:
                group, added, removed, tree = argument
                assert not added | removed, "flags of a group"
                self.groups[group] = tree
                return self._sequence(tree)
            case sre.GROUPREF:
                return self._sequence(self.groups[argument])
            case sre.BRANCH:
                parts = [self._sequence(tree) for tree in argument[1]]
                first = sum((part.first for part in parts), Counter[int]())
                last = sum((part.last for part in parts), Counter[int]())
                return Part(sum(part.nothing for part in parts), first, last, any(part.asserts for part in parts))
            case sre.ASSERT | sre.ASSERT_NOT:
                self.assertions.append(argument[1])
                return Part(asserts=True)
            case sre.ATOMIC_GROUP:
                return self._sequence(argument)
            case sre.MAX_REPEAT | sre.MIN_REPEAT | sre.POSSESSIVE_REPEAT:
                return self._repeat(*argument)
        raise NotImplementedError(f"{kind} in a pattern")

    def _repeat(self, least: int, most: Any, tree: Any) -> Part:
        whole = Part()
        for _ in range(min(least, MANY)):
            whole = self._joined(whole, self._sequence(tree))
        if most == sre.MAXREPEAT or most > MANY:
            return self._joined(whole, self._repeated(self._sequence(tree), 0))
        optional = Part()
        for _ in range(most - min(least, MANY)):  # x{0,3} as (x(x(x)?)?)?
            optional = self._joined(self._sequence(tree), optional)
            optional.nothing = 1
        return self._joined(whole, optional)

    def _set(self, kind: Any, argument: Any) -> int:
        return sum(1 << bit for bit, char in enumerate(ALPHABET) if self._holds(kind, argument, char))

    def _holds(self, kind: Any, argument: Any, char: str) -> bool:
        match kind:
            case sre.LITERAL:
                return ord(char) == argument
            case sre.NOT_LITERAL:
                return ord(char) != argument
            case sre.ANY:
                return bool(self.flags & re.DOTALL) or char != "\n"
            case sre.RANGE:
                return bool(argument[0] <= ord(char) <= argument[1])
            case sre.CATEGORY:
                name = str(argument).lower()
                letter = {"digit": r"\d", "space": r"\s", "word": r"\w"}[name.split("_")[-1]]
                return (re.match(letter, char, self.flags & re.ASCII) is not None) != ("not" in name)
            case sre.IN:
                negated = argument[0][0] == sre.NEGATE
                members = argument[negated:]
                return any(self._holds(*member, char) for member in members) != negated
        raise NotImplementedError(f"{kind} in a set")

    # -- words -----------------------------------------------------------------------------------------------

    def reads_all(self, word: str) -> bool:
        """Whether the pattern reads a word as a whole, if nothing is asserted."""
        if not word:
            return bool(self.whole.nothing)
        here = set(self.whole.first)
        for number, char in enumerate(word):
            here = {after for at in here for after in self.follow[at]} if number else here
            here = {at for at in here if self.reads[at] >> ALPHABET.index(char) & 1}
        return not here.isdisjoint(self.whole.last)

    def word(self, random: Random) -> str:
        """A word that the pattern reads, or the beginning of one."""
        word, after = "", self.whole.first
        while after and len(word) < 30:
            at = random.choice(list(after))
            bits = [char for bit, char in enumerate(ALPHABET) if self.reads[at] >> bit & 1]
            word, after = word + random.choice(bits), self.follow[at]
            if at in self.whole.last and random.random() < 0.2:
                break
        return word

    # -- ambiguity -------------------------------------------------------------------------------------------

    @cached_property
    def reach(self) -> list[set[int]]:
        """The positions that can come after each, in one step or more."""
        return [_reached([start], lambda at: self.follow[at]) for start in range(len(self.reads))]

    @property
    def degree(self) -> int:
        """k where a text of n characters can be read in n^k ways; `EXPONENTIAL`."""
        loops = [at for at in range(len(self.reads)) if at in self.reach[at]]
        if any(self._twice(at) for at in loops):
            return EXPONENTIAL
        after = {at: [other for other in loops if at != other and self._hands_over(at, other)] for at in loops}
        degrees: dict[int, int] = {}

        def degree(at: int) -> int:
            if at not in degrees:
                degrees[at] = max((1 + degree(other) for other in after[at]), default=0)
            return degrees[at]

        for at in reversed(loops):
            degree(at)
        return max(degrees.values(), default=0)

    def _twice(self, start: int) -> bool:
        """Whether two different paths lead from a position back to it on one word."""

        def steps(state: tuple[int, int, bool]) -> Iterator[tuple[int, int, bool]]:
            one, other, parted = state
            for (a, ways), (b, _) in product(self.follow[one].items(), self.follow[other].items()):
                if self.reads[a] & self.reads[b] and start in self.reach[a] and start in self.reach[b]:
                    yield a, b, parted or a != b or ways > 1

        return (start, start, True) in _reached([(start, start, False)], steps)

    def _hands_over(self, one: int, other: int) -> bool:
        """Whether some word leads from a position to itself, from it to another, and from that to itself.

        Where one is what a search skips, the last of these ways is work in vain only while nothing is found on it.
        """
        found = self.ends if one == self.start else set[int]()
        if other not in self.reach[one] or other in found:
            return False

        def steps(state: tuple[int, int, int]) -> Iterator[tuple[int, int, int]]:
            for a, b, c in product(*(self.follow[at] for at in state)):
                if (
                    self.reads[a] & self.reads[b] & self.reads[c]
                    and one in self.reach[a]
                    and other in self.reach[b] | {b}
                    and other in self.reach[c]
                    and c not in found
                ):
                    yield a, b, c

        return (one, other, other) in _reached([(one, one, other)], steps)


def _reached(starts: list[Any], steps: Any) -> set[Any]:
    found: set[Any] = set()
    waiting = list(starts)
    while waiting:
        for state in steps(waiting.pop()):
            if state not in found:
                found.add(state)
                waiting.append(state)
    return found


def degree(pattern: Pattern) -> int:
    """The degree of ambiguity of a pattern; what it asserts is read along with it, so that has to be of bounded width."""
    automaton = Automaton(pattern)
    for tree in automaton.assertions:
        assert tree.getwidth()[1] < 1000, f"an assertion without a bound in {pattern.text}"
    return automaton.degree


# -- all patterns --------------------------------------------------------------------------------------------


def patterns() -> list[Pattern]:
    """Every pattern there is."""
    files = sorted((ROOT / "netc").rglob("*.py"))
    return [*terminals(), *(found for path in files for found in _of_file(path))]


def terminals() -> list[Pattern]:
    """The terminals of the grammar, each tried where the parser stands."""
    return [Pattern(made.pattern.to_regexp(), 0, False, made.name) for made in load(None).terminals]


def _of_file(path: Path) -> Iterator[Pattern]:
    text = path.read_text(encoding="utf-8")
    if "\nimport re\n" not in text:
        return
    tree = ast.parse(text)
    place = path.relative_to(ROOT).as_posix()
    module = import_module(".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"))
    made = {name: value for name, value in vars(module).items() if isinstance(value, re.Pattern)}
    used: dict[str, bool] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in made:
            used[node.value.id] = used.get(node.value.id, False) or node.attr not in ANCHORED
        if _is_re(node, METHODS):
            assert isinstance(node, ast.Call)
            assert isinstance(node.func, ast.Attribute)
            text = _text(node.args[0])
            yield Pattern(text, _flags(node.keywords), node.func.attr not in ANCHORED, f"{place}:{node.lineno}")
        elif isinstance(node, ast.Attribute) and _is_re(node.value, {"compile"}):
            assert isinstance(node.value, ast.Call)
            text, flags = _text(node.value.args[0]), _flags(node.value.args[1:])
            yield Pattern(text, flags, node.attr not in ANCHORED, f"{place}:{node.lineno}")
    for name, compiled in made.items():
        yield Pattern(compiled.pattern, compiled.flags & ~re.UNICODE, used.get(name, True), f"{place}:{name}")


def _is_re(node: ast.AST, methods: set[str] | frozenset[str]) -> bool:
    return (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and isinstance(node.func.value, ast.Name)
        and node.func.value.id == "re"
        and node.func.attr in methods
    )


def _flags(nodes: list[Any]) -> int:
    """The flags named in arguments."""
    names = [part.attr for node in nodes for part in ast.walk(node) if isinstance(part, ast.Attribute)]
    return sum(int(getattr(re, name)) for name in names)


def _text(node: ast.expr) -> str:
    """The text of a pattern at a call; what is only known at run time counts as a word."""
    if isinstance(node, ast.JoinedStr):
        return "".join(map(_text, node.values))
    return str(node.value) if isinstance(node, ast.Constant) else "word"
