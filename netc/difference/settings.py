"""What changed in `data` and `train`: their lines, matched by what they set."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping
from pathlib import Path

from netc.difference.edits import Setting as Edit
from netc.difference.matching import Matching
from netc.difference.side import Side
from netc.lift.arguments import params_of
from netc.lift.text import line_of, resolved
from netc.program import Program
from netc.sections.base import Name, Setting
from netc.sections.model import Data, Section, layers_of
from netc.sections.settings import FAMILIES
from netc.syntax.printer import print_tree

Line = tuple[Setting, Mapping[str, Hashable]]
Lines = list[Line]


def settings_of(made: Matching) -> Iterator[Edit]:
    """The edits of both sections of two specs; nothing where one of them is no spec, and has none to compare."""
    before, after = made.before.program, made.after.program
    if before is None or after is None:
        return
    for word in ("data", "train"):
        ours, theirs = getattr(before.sections, word), getattr(after.sections, word)
        if (heads := (_head(ours), _head(theirs)))[0] != heads[1]:
            yield Edit(word, word, {}, heads)
        if ours is None or theirs is None:
            continue  # a section that is new or gone is told as a whole
        there = {name: made.there.get(name, name) for name in made.before.net.shapes}
        yield from _lines(word, _facts(ours, before, made.before, there), _facts(theirs, after, made.after, {}))


def _head(section: Section | None) -> str | None:
    """What a section begins with."""
    if section is None:
        return None
    source = section.source if isinstance(section, Data) else None
    word = "data" if isinstance(section, Data) else "train"
    return word if source is None else f"{word} {source if isinstance(source, str) else source.name}"


def _facts(section: Section | None, program: Program, side: Side, there: Mapping[str, str]) -> Lines:
    """The lines of a section, with what they set: of layers that they name, those of the second network."""
    found: Lines = []
    for line in section.lines if section else ():
        setting = resolved(line.value, program, Path())  # paths are told as they were written
        facts: dict[str, Hashable] = {}
        for name, param in params_of(setting).items():
            own = getattr(setting, name)
            if isinstance(param.kind, Name) and name != "monitor" and own:
                labels = own if isinstance(own, tuple) else (own,)
                layers = {side.ends.get(each, each) for label in labels for each in layers_of(label, program.net, {})}
                own = frozenset(there.get(each, each) for each in layers) or own
            facts[name] = own
        found.append((setting, facts))
    return found


def _lines(word: str, ours: Lines, theirs: Lines) -> Iterator[Edit]:
    """The edits between the lines of a section: equal ones go first, then those of one kind, then of one family."""
    gone, new = list(ours), list(theirs)
    _taken(gone, new, lambda one, other: type(one[0]) is type(other[0]) and one[1] == other[1])
    kept = [[_said(each[0]) for each in lines if each not in left] for lines, left in ((ours, gone), (theirs, new))]
    if word == "data" and kept[0] != kept[1]:  # steps of a pipeline come one after the other
        yield Edit(word, "order", {}, ("; ".join(kept[0]), "; ".join(kept[1])))
    for (one, facts), (other, others) in _taken(gone, new, lambda one, other: type(one[0]) is type(other[0])):
        values = {name: (getattr(one, name), getattr(other, name)) for name in facts if facts[name] != others[name]}
        yield Edit(word, _words(one), values, (_said(one), _said(other)))
    for (one, _), (other, _) in _taken(gone, new, lambda one, other: _family(one[0]) == _family(other[0]) != ""):
        yield Edit(word, _family(one), {}, (_said(one), _said(other)))
    for one, _ in gone:
        yield Edit(word, _words(one), {}, (_said(one), None))
    for other, _ in new:
        yield Edit(word, _words(other), {}, (None, _said(other)))


def _taken(gone: Lines, new: Lines, equal: Callable[[Line, Line], bool]) -> list[tuple[Line, Line]]:
    """Pairs of lines, which are taken out of both lists."""
    pairs = []
    for one in list(gone):
        if (other := next((each for each in new if equal(one, each)), None)) is not None:
            gone.remove(one)
            new.remove(other)
            pairs.append((one, other))
    return pairs


def _family(setting: Setting) -> str:
    """The word before the name of a setting, of those that have one: `optimizer`."""
    return next((word for word, known in FAMILIES.items() if known.get(setting.name) is type(setting)), "")


def _words(setting: Setting) -> str:
    return f"{_family(setting)} {setting.name}".strip()


def _said(setting: Setting) -> str:
    return print_tree((line_of(setting),)).strip()
