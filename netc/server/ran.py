"""What the statements of a text made when they ran: each as often as it did, in every copy and pass."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from netc.ir.net import Node
from netc.lower.expansion import Body, CallStep, LayerStep, RepeatStep, Step, parts
from netc.program import Program
from netc.syntax.source import Source, Span
from netc.syntax.tree import Operation, Repeat
from netc.values import Value

Range = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Run:
    """One run of a statement: the node that holds what it gave, the nodes that it made without its blocks, and the one
    that held the current tensor before it."""

    result: str
    nodes: tuple[str, ...] = ()
    source: str | None = None


@dataclass(slots=True)
class Ran:
    """What ran, by where it stands in the file itself.

    `runs` are those of each statement. `calls` are the arguments of each call of a definition, `labels` the nodes that
    a label named, `indices` the passes that an index counted, by where these have their names. `nodes` are all nodes
    with their places in the file, innermost first: their own words, and the calls and `repeat`s that led to them.
    """

    runs: dict[Range, list[Run]] = field(default_factory=dict)
    calls: dict[Range, list[dict[str, Value]]] = field(default_factory=dict)
    labels: dict[Range, list[str]] = field(default_factory=dict)
    indices: dict[Range, list[int]] = field(default_factory=dict)
    nodes: list[tuple[str, tuple[Range, ...]]] = field(default_factory=list)


def ran(program: Program) -> Ran:
    """What the statements of a program made."""
    made, source = Ran(), program.file.source
    for step in _steps(program.expansion):
        statement = step.statement
        if isinstance(step, CallStep) and step.definition.span.source is source:
            made.calls.setdefault(_range(step.definition.name_span), []).append(dict(step.arguments))
        if statement.span.source is not source:
            continue
        result = step.result if step.result is not None and step.result in program.net else None
        if result is not None:
            nodes = tuple(step.nodes) if isinstance(step, LayerStep) else ()
            made.runs.setdefault(_range(statement.span), []).append(Run(result, nodes, step.source))
        if isinstance(step, RepeatStep) and step.statement.index is not None:
            made.indices.setdefault(_range(step.statement.index.span), []).append(step.count)
        if isinstance(statement, Operation | Repeat) and statement.label is not None and result is not None:
            made.labels.setdefault(_range(statement.label.span), []).append(result)
    known: dict[int, tuple[Range, ...]] = {}
    made.nodes = [(node.name, _places(node, source, known)) for node in program.net]
    return made


def _steps(whole: Body) -> Iterator[Step]:
    """All steps, each after those inside it."""
    todo: list[Step | tuple[Step]] = [*whole.steps[::-1]]
    while todo:
        step = todo.pop()
        if isinstance(step, tuple):
            yield step[0]
            continue
        todo.append((step,))
        todo += [inner for body in parts(step)[::-1] for inner in body.steps[::-1]]


def _places(node: Node, source: Source, known: dict[int, tuple[Range, ...]]) -> tuple[Range, ...]:
    frame = node.origin.frame
    around: tuple[Range, ...] = ()
    if frame is not None:
        if id(frame) not in known:
            known[id(frame)] = tuple(_range(one.span) for one in frame.chain() if one.span.source is source)
        around = known[id(frame)]
    return (_range(node.origin.span), *around) if node.origin.span.source is source else around


def _range(span: Span) -> Range:
    return span.start, span.end
