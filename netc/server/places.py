"""From places in a text to the nodes that they made, and back: what a click and a cursor mean in a figure."""

from __future__ import annotations

from dataclasses import dataclass

from netc.server.around import statement
from netc.server.document import Document, Snapshot
from netc.syntax.source import Span
from netc.syntax.tree import Operation


@dataclass(frozen=True, slots=True)
class Nodes:
    """The nodes that a place made, in the order of the network; `old` where they are those of an older version."""

    names: tuple[str, ...] = ()
    old: bool = False


@dataclass(frozen=True, slots=True)
class Place:
    """A place that a node comes from, and what it is: the words of the node, or the call or `repeat` that led to it.

    `span` is in the text as it is now, or in another file.
    """

    span: Span
    what: str


def nodes(document: Document, offset: int) -> Nodes:
    """The nodes that the innermost statement around a place made, in all its copies: of a call, of a `repeat` and of a
    definition all those inside. On a word that made a node of its own (`bn` in `conv 64x3 bn`), that alone."""
    good = document.good
    if good is None:
        return Nodes()
    return Nodes(made(good, document.before(offset)), document.is_old)


def made(good: Snapshot, offset: int) -> tuple[str, ...]:
    """The same, of a version that works."""
    around = statement(good.file, offset)
    if around is None:
        return ()
    span = around.span
    begin = around.name_span.start if isinstance(around, Operation) else span.start  # a label is no part of a node
    found = [
        (name, places)
        for name, places in good.ran.nodes
        if any(span.start <= start and end <= span.end for start, end in places)
    ]
    own = [(places[0], name) for name, places in found if places and places[0][0] <= offset <= places[0][1]]
    if own:
        least = min(end - start for (start, end), _ in own)
        smallest = [name for (start, end), name in own if end - start == least]
        if any(end - start < span.end - begin for (start, end), name in own if name in smallest):
            return tuple(smallest)
    return tuple(name for name, _ in found)


def places(document: Document, name: str) -> list[Place]:
    """Where a node comes from: its own words, then the calls and `repeat`s around it, from the innermost one. Nothing
    for a node that is not there, and without the places that are gone."""
    good = document.good
    if good is None or name not in good.program.net:
        return []
    node = good.program.net.node(name)
    chain = [Place(node.origin.span, f"`{name}`")]
    chain += [Place(frame.span, frame.title) for frame in (node.origin.frame.chain() if node.origin.frame else ())]
    moved = ((document.then(place.span), place.what) for place in chain)
    return [Place(span, what) for span, what in moved if span is not None]
