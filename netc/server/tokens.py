"""What each word of a text is, for colours: by the tree where there is one, else by the word itself."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal as Choice
from typing import NamedTuple

from netc.layers import LAYERS
from netc.lower.definitions import SHIPPED
from netc.lower.names import NAMELESS
from netc.server.document import Document, Snapshot
from netc.syntax.tree import RESERVED, Keyword, Operation, Reference, descend

Kind = Choice["keyword", "function", "parameter", "variable", "property", "enumMember", "number", "string", "comment"]
KINDS: tuple[Kind, ...] = (
    "keyword",
    "function",
    "parameter",
    "variable",
    "property",
    "enumMember",
    "number",
    "string",
    "comment",
)
_TOKEN = re.compile(
    r'(?P<comment>#[^\n]*)|(?P<string>"(?:[^"\\\n]|\\.)*"?)|(?P<word>[A-Za-z_]\w*)|(?P<number>\d[\w.]*)'
)
_NAMES: dict[str, Kind] = {
    "definition": "function",
    "parameter": "variable",
    "formal": "parameter",
    "index": "parameter",
    "label": "variable",
}


class Word(NamedTuple):
    """A word of the text: where it stands, what it is, whether its name is defined there, and whether netc ships it."""

    start: int
    end: int
    kind: Kind
    declaration: bool = False
    shipped: bool = False


def tokens(document: Document) -> list[Word]:
    """The words of a text that have a colour, in order."""
    now = document.now
    known = _known(now)
    return [*_words(now.source.text, known)]


def _words(text: str, known: dict[int, Word]) -> Iterator[Word]:
    for match in _TOKEN.finditer(text):
        kind, (start, end) = match.lastgroup, match.span()
        if kind == "word":
            if start in known and known[start].end <= end:
                yield known[start]
            elif match[0] in RESERVED:
                yield Word(start, end, "keyword")
        elif kind in ("comment", "string", "number"):
            yield Word(start, end, kind)  # type: ignore[arg-type]


def _known(now: Snapshot) -> dict[int, Word]:
    """The words that the tree and the index say something of, by where they begin."""
    found: dict[int, Word] = {}
    for node in descend(now.file.statements):
        if isinstance(node, Operation):
            start, end = node.name_span[1:]
            plain = node.name in NAMELESS
            found[start] = Word(start, end, "keyword" if plain else "function", shipped=plain or node.name in LAYERS)
        elif isinstance(node, Keyword):
            found[node.key_span.start] = Word(*node.key_span[1:], "property")
        elif isinstance(node, Reference):
            found[node.span.start] = Word(*node.span[1:], "enumMember")
    for named in now.index.named:
        kind = _NAMES[named.kind]
        shipped = named.spans[0].source.name.startswith(SHIPPED)
        for number, span in enumerate((*named.spans, *named.uses)):
            if span.source is now.source:
                declared = number < len(named.spans)
                found[span.start] = Word(*span[1:], kind, declared, shipped)
    return found
