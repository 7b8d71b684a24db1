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


def label_of(nodes: Sequence[str], scopes: Scopes, taken: Collection[str], *, repeated: bool) -> str | None:
    """A name for the tensor of these nodes, one an execution, that is not `taken`; None where the source has none.

    `taken` are all names of the text, so that no label is that of a call (`mixed3` of a definition `mixed`). Layers of
    a `repeated` label are counted, so that it does not end in a number.
    """
    for name in _proposed([scopes.source(node) for node in nodes]):
        plain = name.rstrip(digits + "_") if repeated else name
        if _is_free(plain, taken):
            return plain
    return None


def _is_free(name: str, taken: Collection[str]) -> bool:
    word = _NUMBERED.sub("", name)
    known = any(each in LAYERS or each in NAMELESS or shipped(each) is not None for each in (name, word))
    return is_name(name) and not known and name not in taken and word not in taken


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
