"""What a tensor that is read from afar is called: as its source calls it, where that says something."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from string import digits

from netc.layers.base import LAYERS
from netc.lift.scopes import Scopes
from netc.lower.definitions import shipped
from netc.lower.names import NAMELESS
from netc.syntax.tree import is_name

_LONGEST = 16  # letters of a label
_NAMES = re.compile(r"[/.:]+")  # between the names of scopes
# What programs call layers by what they are, which says nothing of what they are for.
_PLAIN = re.compile(
    r"activation|average|batch|biasadd|concatenate|conv[123]d|conv|convolution|convolutional|dense|depthwise|"
    r"elementwise|fused|global|layer|leaky|linear|lu|max|maximum|mean|merge|multiply|node|nonlinearity|norm|"
    r"normalization|op|out|output|padding[123]d|pointwise|pooling[123]d|re|result|route|separable|sum|tensor|"
    r"transpose|upsampling[123]d|value|x|zero"
)
_NUMBERED = re.compile(r"\d+(_.*)?$")  # how the name of a call ends, of which the definition is the rest


class Taken:
    """The names of a body that are taken: at first by its parameters and by definitions, then by labels.

    No two layers may have one name. A call with the label `c2` makes `c2_h` of the layer `h` within, a definition
    `mixed` makes `mixed3_h`, and words after a layer `a` are `a_bn`. In a `repeat` labels are counted, as
    are its passes by its own.
    """

    def __init__(self, names: Collection[str]) -> None:
        self._names, self._counted = set(names), set(names)
        self._within: dict[str, Collection[str] | None] = dict.fromkeys(names)  # by what stands before these
        self._begun: set[str] = set()  # what labels have before a number
        self._after: dict[str, set[str]] = {}  # what they have after a `_`, by what they have before it

    def take(self, name: str, within: Collection[str] | None, *, counted: bool) -> None:
        """Take a free name for a statement, `within` which layers have these names (None: any)."""
        self._names.add(name)
        self._counted |= {name} if counted else set()
        self._within[name] = within
        self._begun.update(_stems(name))
        for before, after in _parts(name):
            for stem in _stems(before):
                self._after.setdefault(stem, set()).add(after)

    def is_free(self, name: str, within: Collection[str] | None, *, counted: bool) -> bool:
        """Whether a label has no name of others, and would make none."""
        if name in self._names or self._counted.intersection(_stems(name)) or (counted and name in self._begun):
            return False
        made = [(within, after) for after in self._after.get(name, ())]
        made += [(self._within[own], after) for own, after in _parts(name) if own in self._within]
        made += [(self._within[stem], after) for own, after in _parts(name) for stem in _stems(own) & self._counted]
        return not any(_is_made(after, known) for known, after in made)


def _is_made(name: str, within: Collection[str] | None) -> bool:
    """Whether a layer may have a name within a statement, in whose body labels and definitions have these."""
    stems = {stem for before in (name, *(own for own, _ in _parts(name))) for stem in _stems(before)}
    return within is None or any(stem in within or stem in LAYERS for stem in stems)


def _parts(name: str) -> Iterator[tuple[str, str]]:
    """What stands before and after each `_` of a name."""
    return ((name[:at], name[at + 1 :]) for at, sign in enumerate(name) if sign == "_")


def _stems(name: str) -> set[str]:
    """A name, and without its last digits."""
    least = len(name.rstrip(digits))
    return {name[:end] for end in range(max(least, 1), len(name) + 1)}


def label_of(
    nodes: Sequence[str],
    scopes: Scopes,
    taken: Taken,
    within: Collection[str] | None,
    *,
    repeated: bool,
    counted: bool,
) -> str | None:
    """A free name for the tensor of these nodes, one an execution; None where the source has none.

    Layers of a label that is `counted` have numbers after it: one that is `repeated` does not end in one itself.
    """
    for name in _proposed([scopes.source(node) for node in nodes]):
        plain = name.rstrip(digits + "_") if repeated else name
        if is_name(plain) and not _is_known(plain) and taken.is_free(plain, within, counted=counted):
            return plain
    return None


def _is_known(name: str) -> bool:
    names = name, _NUMBERED.sub("", name)
    return any(each in LAYERS or each in NAMELESS or shipped(each) is not None for each in names)


def _proposed(sources: Sequence[str]) -> Iterator[str]:
    """Names that the sources have in common, the innermost scope first."""
    paths = [_NAMES.split(source)[::-1] for source in sources]
    for names in zip(*paths, strict=False):
        words = _common([[word for word in name.lower().split("_") if word] for name in names])
        while words and not words[-1].isdecimal() and _is_plain(words[-1]):
            words.pop()
        while words and _is_plain(words[0]):
            words = words[1:]
        if words and len(name := "_".join(words)) <= _LONGEST:
            yield name


def _is_plain(word: str) -> bool:
    word = word.strip(digits)
    return not word or word in LAYERS or _PLAIN.fullmatch(word) is not None


def _common(names: Sequence[list[str]]) -> list[str]:
    """The words that all names end in, or else begin with."""
    backwards = _first([name[::-1] for name in names])[::-1]
    return backwards if not all(map(_is_plain, backwards)) else _first(names)


def _first(names: Sequence[list[str]]) -> list[str]:
    """The words that all names begin with."""
    same: list[str] = []
    for words in zip(*names, strict=False):
        if len(set(words)) > 1:
            break
        same.append(words[0])
    return same
