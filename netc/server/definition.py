"""Where a name is defined, and where it is used."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from netc.lower.index import Named
from netc.server.document import Document, Snapshot
from netc.server.links import links
from netc.server.workspace import Workspace, path_of
from netc.syntax.source import Source, Span

Place = tuple[Path, int, int]


@dataclass(frozen=True, slots=True)
class Target:
    """The words at a place, and what they lead to: of a file all of it, where `span` is empty."""

    words: Span
    spans: tuple[Span, ...]


def definition(document: Document, offset: int) -> Target | None:
    """Where the name at a place is defined, which may be in another file or in one that netc ships."""
    now = document.now
    for link in links(document):
        if link.span.start <= offset <= link.span.end:
            source = now.texts.written.get(link.path) or Source(str(link.path), "")
            return Target(link.span, (Span(source, 0, 0),))
    named = now.index.definition_at(offset)
    return None if named is None else Target(now.index.words_at(named, offset), tuple(named.spans))


@dataclass(frozen=True, slots=True)
class Seen:
    """The texts in which a name is known, each with what it is there; `whole` unless there are more files than are
    looked at."""

    texts: list[tuple[Snapshot, Named]]
    whole: bool

    def spans(self, *, declaration: bool = True) -> list[Span]:
        """Every place of the name, where it is defined too if asked for: those of the first text first."""
        place, found = _placing(), dict[Place, Span]()
        for _, named in self.texts:
            for span in (*(named.spans if declaration else ()), *named.uses):
                found.setdefault(place(span), span)
        return [*found.values()]


def seen(workspace: Workspace, document: Document, named: Named, *words: str) -> Seen:
    """Where a name of a document is known: in it, in other texts that are open, and in files that are not. Of those
    only such are looked at as have the name in them, or one of some other `words`."""
    others = (other.now for other in workspace.documents.values() if other is not document)
    texts = [(document.now, named), *_knowing(others, named)]
    if named.kind not in ("definition", "formal"):  # what a text that uses this one does not see
        return Seen(texts, whole=True)
    specs = workspace.specs()
    word = re.compile(rf"\b(?:{'|'.join({re.escape(each) for each in (named.name, *words)})})\b")
    paths = dict.fromkeys(path_of(span.source.name) for _, one in texts for span in (*one.spans, *one.uses))
    texts += _knowing(workspace.closed(dict.fromkeys((*paths, *specs.paths)), word.search), named)
    return Seen(texts, specs.whole)


def references(workspace: Workspace, document: Document, offset: int) -> Seen:
    """Where the name at a place is known: nowhere, if there is none."""
    named = document.now.index.definition_at(offset)
    return Seen([], whole=True) if named is None else seen(workspace, document, named)


def highlights(document: Document, offset: int) -> list[Span]:
    """The places in the text itself of the name at a place."""
    now = document.now
    named = now.index.definition_at(offset)
    return [] if named is None else [span for span in now.index.references(named) if span.source is now.source]


def _knowing(texts: Iterable[Snapshot], named: Named) -> Iterator[tuple[Snapshot, Named]]:
    """Those texts that know a name, and what it is there."""
    place = _placing()
    wanted = [*map(place, named.spans)]
    for text in texts:
        for one in text.index.named:
            if one.name == named.name and [*map(place, one.spans)] == wanted:
                yield text, one


def _placing() -> Callable[[Span], Place]:
    """Where spans are: the same file is read for each text that uses it."""
    path = cache(path_of)
    return lambda span: (path(span.source.name), *span[1:])
