"""Another name for what a text defines."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from importlib.resources import files
from pathlib import Path

from netc.layers import LAYERS
from netc.lower import Texts
from netc.lower.definitions import SHIPPED
from netc.lower.index import Named
from netc.lower.names import NAMELESS
from netc.server.definition import seen
from netc.server.document import Document, Snapshot
from netc.server.hover import NAMES
from netc.server.workspace import Workspace, path_of
from netc.syntax.source import Source, Span
from netc.syntax.tree import Lost, descend, is_name


class RenameRefused(Exception):
    """A name that cannot be another one; the text says why."""


def renamable(document: Document, offset: int) -> Span:
    """The name at a place, where it can be another one. Raises `RenameRefused`."""
    named = document.now.index.definition_at(offset)
    if named is None:
        raise RenameRefused("there is no name here that a text defines: expected a parameter, a definition or a label")
    if any(_ships(span.source) for span in named.spans):
        raise RenameRefused(f"`{named.name}` is of a file that netc ships, and keeps its name")
    return document.now.index.words_at(named, offset)


def _ships(source: Source) -> bool:
    """Whether a text is one that netc ships, which may be open too."""
    return source.name.startswith(SHIPPED) or path_of(source.name).parent == Path(str(files("netc.std")))


def rename(workspace: Workspace, document: Document, offset: int, name: str) -> list[Span]:
    """The places where another name must be written, in files that are not open too. Raises `RenameRefused` where one
    of them cannot be written, and where the texts would then mean something else, which is tried."""
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
    known = seen(workspace, document, named, name)
    if not known.whole:
        raise _refused(named, name, "the folders of the workspace hold more files than are looked at")
    spans = known.spans()
    places: dict[Path, list[Span]] = {}
    for span in spans:
        places.setdefault(path_of(span.source.name), []).append(span)
    for path in places:
        if path.exists() and not os.access(path, os.W_OK):
            raise _refused(named, name, f"{path} may not be written")
    renamed = {path: Source(one[0].source.name, _renamed(one, name)) for path, one in places.items()}
    for now, own in known.texts:
        _try(now, own, places.get(path_of(now.source.name), []), renamed, name)
    return spans


def _definitions(document: Document) -> Iterator[Named]:
    return (named for named in document.now.index.named if named.kind == "definition")


def _refused(named: Named, name: str, why: str) -> RenameRefused:
    return RenameRefused(f"`{named.name}` cannot become `{name}`: {why}")


def _try(now: Snapshot, named: Named, places: list[Span], renamed: Mapping[Path, Source], name: str) -> None:
    """See that a text with the new name has no more errors, and that the name stands for the same places in it."""
    for node in descend(now.file.statements):
        if isinstance(node, Lost) and (word := re.search(rf"\b{re.escape(named.name)}\b", node.span.text)):
            at = node.span.start + word.start()
            where = _line(Span(now.source, at, at))
            raise _refused(named, name, f"{where} it stands in words that cannot be read, and might be missed")
    own = sorted(place.start for place in places)
    shift = len(name) - len(named.name)
    wanted = [start + shift * number for number, start in enumerate(own)]
    source = renamed.get(path_of(now.source.name), now.source)
    then = Snapshot(source, now.settings, Texts({**now.texts.written, **renamed}, now.texts.folders))
    found = then.index.definition_at(wanted[0]) if wanted else None
    spans = [] if found is None else then.index.references(found)
    starts = {span.start for span in spans if span.source is source}
    if starts != {*wanted} or len(then.program.report) > len(now.program.report):
        odd = min(starts ^ {*wanted}, default=min(wanted, default=0))
        why = _why(now, then, named, name) or (
            f"{_line(Span(source, odd, odd))} it would mean something else than `{named.name}` does"
        )
        raise _refused(named, name, why)


def _why(now: Snapshot, then: Snapshot, named: Named, name: str) -> str | None:
    """What else has the new name already, or what becomes wrong with it, and where; None where neither is known."""
    for other in now.index.named:
        if other.name == name and (other.scope.holds(named.scope) or named.scope.holds(other.scope)):
            return f"that is already {NAMES.get(other.kind, 'a definition')}, {_line(other.spans[0])}"
    known = {found.message for found in now.program.report}
    for found in then.program.report:
        if found.message not in known and found.span is not None:
            return f"{_line(found.span)} this would be wrong: {found.message}"
    return None


def _line(span: Span) -> str:
    return f"in line {span.line} of {Path(span.source.name).name}"


def _renamed(places: list[Span], name: str) -> str:
    """A text with another name at some of its places."""
    text = places[0].source.text
    for place in sorted(places, key=lambda place: -place.start):
        text = text[: place.start] + name + text[place.end :]
    return text
