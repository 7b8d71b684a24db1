"""Shapes beside statements, and numbers above them."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from netc.analysis.cost import Cost
from netc.figures.facts import counts
from netc.server.around import head
from netc.server.document import Document, Snapshot
from netc.server.hover import folded, share
from netc.syntax.source import Span
from netc.syntax.tree import Definition, Operation, descend

SHAPES = 3  # different ones that are told beside a statement


@dataclass(frozen=True, slots=True)
class Hint:
    """What stands after a place of the text."""

    offset: int
    text: str
    old: bool = False


def hints(document: Document, start: int, end: int) -> list[Hint]:
    """The shape that each statement between two places gives: `32×32×16`, `32×32×16, ×5` where it ran several times,
    formulas where sizes are open. After a call or a layer, and after the braces of a combiner."""
    good = document.good
    if good is None:
        return []
    found = []
    for node in descend(good.file.statements):
        runs = good.ran.runs.get((node.span.start, node.span.end)) if isinstance(node, Operation) else None
        if not runs or not isinstance(node, Operation):
            continue
        span = document.then(node.span if node.branches or node.block else head(node))
        if span is None or not start <= span.end <= end:
            continue
        shapes = [good.facts.shape(run.result) for run in runs]
        text = f"{shapes[0]}, ×{len(shapes)}" if len(set(shapes)) == 1 < len(shapes) else folded(shapes, SHAPES)
        found.append(Hint(span.end, text, document.is_old))
    return sorted(found, key=lambda hint: hint.offset)


@dataclass(frozen=True, slots=True)
class Lens:
    """What stands above a statement; one that `draws` is a button for the figure."""

    span: Span
    text: str
    draws: bool = False


def lenses(document: Document) -> list[Lens]:
    """Above the network a button for its figure, and its parameters and MACs; above each definition how often it is
    called, and its share of them."""
    good, now = document.good, document.now
    if good is None:
        return []
    names = [node.name for node in good.program.net]
    first = next(
        (one for one in now.file.statements if isinstance(one, Operation) and one.name in ("net", "input")), None
    )
    place = first.name_span if first is not None else Span(now.source, 0, 0)
    total = good.facts.cost.total
    found = [Lens(place, "draw", draws=True), Lens(place, _costs(good, names, total))]
    for statement, inside in _definitions(good):
        calls = len(good.ran.calls.get((statement.name_span.start, statement.name_span.end), ()))
        span = document.then(statement.name_span)
        if span is None or not calls:
            continue
        own = sum((good.facts.cost.layers[name] for name in inside), Cost())
        said = [f"{calls} call{'s' * (calls != 1)}"]
        if own.parameters:
            said.append(_costs(good, inside, own, share(own.parameters, total.parameters)))
        found.append(Lens(span, " · ".join(said)))
    return found


def _definitions(good: Snapshot) -> Iterator[tuple[Definition, list[str]]]:
    """The definitions of a text, and the nodes that each made in all its copies, in the order of the network."""
    found = [statement for statement in good.file.statements if isinstance(statement, Definition)]
    starts, made = [one.span.start for one in found], [list[str]() for _ in found]
    for name, places in good.ran.nodes:
        for at in {bisect_right(starts, start) - 1 for start, _ in places}:
            if at >= 0 and any(starts[at] <= start and end <= found[at].span.end for start, end in places):
                made[at].append(name)
    return zip(found, made, strict=True)


def _costs(good: Snapshot, names: Sequence[str], cost: Cost, part: str = "") -> str:
    """`467,562 parameters · 68.9 M MACs`, of what layers cost."""
    parameters, *macs = counts(cost, good.facts.macs(names)).split(", ")
    return " · ".join([parameters + part, *macs])
