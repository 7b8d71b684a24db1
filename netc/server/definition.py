"""Where a name is defined, where it is used, and another name for it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from netc.layers import LAYERS
from netc.lower.index import Named
from netc.lower.names import NAMELESS
from netc.server.document import Document, Snapshot
from netc.server.hover import NAMES
from netc.server.links import links
from netc.server.workspace import Workspace
from netc.syntax.source import Source, Span
from netc.syntax.tree import is_name


class RenameRefused(Exception):
    """A name that cannot be another one; the text says why."""


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
            source = now.texts.get(link.path) or Source(str(link.path), "")
            return Target(link.span, (Span(source, 0, 0),))
    named = now.index.definition_at(offset)
    return None if named is None else Target(now.index.words_at(named, offset), tuple(named.spans))


def references(workspace: Workspace, document: Document, offset: int, *, declaration: bool = True) -> list[Span]:
    """Where the name at a place is used, in all texts that are open, and where it is defined if asked for."""
    named = document.now.index.definition_at(offset)
    if named is None:
        return []
    found = document.now.index.references(named) if declaration else [*named.uses]
    for other in _others(workspace, document, named):
        found += other.uses
    return list(dict.fromkeys(found))


def renamable(document: Document, offset: int) -> Span:
    """The name at a place, where it can be another one. Raises `RenameRefused`."""
    named = document.now.index.definition_at(offset)
    if named is None:
        raise RenameRefused("there is no name here that a text defines: expected a parameter, a definition or a label")
    if not all(Path(span.source.name).is_file() or span.source is document.now.source for span in named.spans):
        raise RenameRefused(f"`{named.name}` is a block that netc ships, and keeps its name")
    return document.now.index.words_at(named, offset)


def rename(workspace: Workspace, document: Document, offset: int, name: str) -> list[Span]:
    """The places where another name must be written, of which `references` are all that are known. Raises
    `RenameRefused` where the texts would then mean something else, which is tried."""
    renamable(document, offset)
    named = document.now.index.definition_at(offset)
    assert named is not None
    if not is_name(name) or (named.kind == "definition" and name in NAMELESS):
        raise RenameRefused(f"got `{name}`, expected a name: letters, digits and `_`, and no word of the language")
    if named.kind == "definition" and name in LAYERS:
        raise RenameRefused(f"`{named.name}` cannot become `{name}`: that is an operation")
    other = next((one for one in _definitions(document) if one.name == name and one is not named), None)
    if named.kind == "definition" and other is not None:
        raise RenameRefused(
            f"`{named.name}` cannot become `{name}`: that is already a definition, {_line(other.spans[0])}"
        )
    places = references(workspace, document, offset)
    for each in [document, *(other for other in workspace.documents.values() if other is not document)]:
        if any(place.source is each.now.source for place in places):
            _try(each, named, places, name)
    return places


def _definitions(document: Document) -> Iterator[Named]:
    return (named for named in document.now.index.named if named.kind == "definition")


def _try(document: Document, named: Named, places: list[Span], name: str) -> None:
    """See that a text with the new name has no more errors, and that the name stands for the same places in it."""
    now = document.now
    own = sorted({place.start for place in places if place.source is now.source})
    shift = len(name) - len(named.name)
    wanted = [start + shift * number for number, start in enumerate(own)]
    texts = {path: Source(source.name, _renamed(source, places, name)) for path, source in now.texts.items()}
    renamed = Snapshot(Source(now.source.name, _renamed(now.source, places, name)), now.settings, texts)
    found = renamed.index.definition_at(wanted[0])
    spans = [] if found is None else renamed.index.references(found)
    starts = {span.start for span in spans if span.source is renamed.source}
    if starts != {*wanted} or len(renamed.program.report) > len(now.program.report):
        odd = min(starts ^ {*wanted}, default=wanted[0])
        why = _why(now, renamed, named, name) or (
            f"{_line(Span(renamed.source, odd, odd))} it would mean something else than `{named.name}` does"
        )
        raise RenameRefused(f"`{named.name}` cannot become `{name}`: {why}")


def _why(now: Snapshot, renamed: Snapshot, named: Named, name: str) -> str | None:
    """What else has the new name already, or what becomes wrong with it, and where; None where neither is known."""
    for other in now.index.named:
        if other.name == name and (other.scope.holds(named.scope) or named.scope.holds(other.scope)):
            return f"that is already {NAMES.get(other.kind, 'a definition')}, {_line(other.spans[0])}"
    known = {found.message for found in now.program.report}
    for found in renamed.program.report:
        if found.message not in known and found.span is not None:
            return f"{_line(found.span)} this would be wrong: {found.message}"
    return None


def _line(span: Span) -> str:
    return f"in line {span.line} of {Path(span.source.name).name}"


def _renamed(source: Source, places: list[Span], name: str) -> str:
    text = source.text
    for place in sorted({place for place in places if place.source is source}, key=lambda place: -place.start):
        text = text[: place.start] + name + text[place.end :]
    return text


def _others(workspace: Workspace, document: Document, named: Named) -> Iterator[Named]:
    """The same name in the other texts that are open."""
    for other in workspace.documents.values():
        if other is not document:
            yield from (one for one in other.now.index.named if _same(one, named))


def _same(one: Named, other: Named) -> bool:
    return [(*span[1:], span.source.name) for span in one.spans] == [
        (*span[1:], span.source.name) for span in other.spans
    ]
