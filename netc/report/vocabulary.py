"""The words of the language by what they do, from the classes that give them a meaning, and how to find them in a text:
for whoever colours one.

Names of operations and options are no words of the grammar, and what one means depends on its place, which the tree
knows. Here is what it may mean.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache

from netc.ir.shape import SIZES
from netc.layers import LAYERS
from netc.lower.definitions import shipped_names
from netc.lower.evaluate import value_words
from netc.lower.names import NAMELESS
from netc.lower.walk import WITH
from netc.syntax.tree import RESERVED


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Words in alphabetical order, each kind by itself; one word may be of several kinds."""

    keywords: tuple[str, ...]  # of the grammar: `def`, `repeat`
    constants: tuple[str, ...]  # `true`, `false`
    statements: tuple[str, ...]  # what makes no layer: `net`, `output`, `default`
    operations: tuple[str, ...]
    blocks: tuple[str, ...]  # that netc ships
    settings: tuple[str, ...]  # what begins a line of `data` or `train`
    words: tuple[str, ...]  # what sets an option without its key: `same`, `relu`
    options: tuple[str, ...]  # keys: `pad`
    sizes: tuple[str, ...]  # of the current tensor, in expressions: `channels`


@cache
def vocabulary() -> Vocabulary:
    """All words of this version of netc."""
    from netc.sections.settings import SECTIONS, lines  # noqa: PLC0415 - all the settings of training

    constants = {"true", "false"}
    options = {param.key for layer in LAYERS.values() for param in layer.signature(layer.op).params.values()}
    return Vocabulary(
        keywords=_sorted((RESERVED | {WITH}) - constants),
        constants=_sorted(constants),
        statements=_sorted(NAMELESS),
        operations=_sorted(LAYERS),
        blocks=_sorted(shipped_names()),
        settings=_sorted(line for section in SECTIONS for line in lines(section)),
        words=_sorted(value_words()),
        options=_sorted(options),
        sizes=SIZES,
    )


def _sorted(words: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(set(words)))


_NAME = r"[A-Za-z_][A-Za-z0-9_]*"
_PART = r"(?:\?|[0-9]+)"


@cache
def patterns() -> Mapping[str, str]:
    """A regular expression for each kind of word, in order: what stands at a place is of the first kind that matches
    there, and every word is of one. They mean the same to Python, JavaScript and Oniguruma."""
    known = vocabulary()
    return {
        "comment": r"#[^\n]*",
        "string": r'"[^"\\\n]*(?:\\.[^"\\\n]*)*"',
        "label": rf"{_NAME}(?=[ \t]*:)",
        "option": rf"{_NAME}(?=[ \t]*=(?!=))",
        "definition": rf"(?<=\bdef ){_NAME}",
        "keyword": _any(known.keywords),
        "constant": _any(known.constants),
        "statement": _any(known.statements),
        "size": _any(known.sizes),
        "operation": _any((*known.operations, *known.blocks, *known.settings)),
        "word": _any(known.words),
        "number": "|".join(
            (
                rf"{_PART}(?:[x/]{_PART})+(?![A-Za-z0-9_])",  # a size: 64x3/2
                rf"(?:{_PART}[x/])+(?=\()",  # the parts of one before an expression
                rf"(?<=\))[x/](?:{_PART}(?:[x/]{_PART})*)?",  # and after one
                r"\?",
                r"(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]+)?",
            )
        ),
        "name": _NAME,
        "operator": r"\*\*|//|[=!<>]=|[-+*/%<>=]",
        "punctuation": r"[{}();|,:]",
    }


def _any(words: Iterable[str]) -> str:
    """A pattern for one of some words."""
    return rf"(?:{'|'.join(map(re.escape, words))})(?![A-Za-z0-9_])"
