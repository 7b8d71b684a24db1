"""What became of the text: the tree of executed statements.

The lowering records, beside the flat network, which statement ran, in which copy of which definition, and which
nodes it made. Emitted code, per-statement reports and figures follow this tree; diagnostics carry its frames.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from netc.ir.shape import Shape
from netc.syntax.tree import Definition, If, Operation, Repeat, Statement
from netc.values import Value


@dataclass(slots=True)
class LayerStep:
    """An operation that made nodes itself: a layer with its trailing words (`conv 64x3 bn relu` makes three), an
    `input`, or a combiner, whose branches come first.

    `result` is the node that holds the current tensor afterwards. For `from LABEL` and `identity`, `nodes` is empty.
    """

    statement: Operation
    nodes: list[str]
    branches: list[Body]
    source: str | None  # node that held the current tensor before, None before any input
    result: str | None


@dataclass(slots=True)
class CallStep:
    """A call of a definition: the arguments it was given, defaults included, and the body as it ran.

    `prefix` is the path of the names made inside, without the joining underscore.
    """

    statement: Operation
    definition: Definition
    arguments: Mapping[str, Value]
    prefix: str
    body: Body
    source: str | None
    result: str | None
    shared: bool = False  # a later call of a shared definition, whose layers exist already


@dataclass(slots=True)
class RepeatStep:
    """A `repeat`, one body a pass; `labels` are the nodes that labels around it named before."""

    statement: Repeat
    count: int
    passes: list[Body]
    source: str | None
    result: str | None
    ghost: Body | None = None  # a speculative pass, where the count was 0
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class IfStep:
    """An `if`: the index of the arm taken (None when none was), and the arms as they ran or would have run.

    `arms[i]` is None for an arm that neither ran nor could be expanded speculatively; `labels` are the nodes that the
    labels of arms named before.
    """

    statement: If
    taken: int | None
    arms: list[Body | None]
    source: str | None
    result: str | None
    labels: Mapping[str, str] = field(default_factory=dict)

    @property
    def ran(self) -> Body | None:
        """The arm that was taken."""
        return None if self.taken is None else self.arms[self.taken]


Step = LayerStep | CallStep | RepeatStep | IfStep


@dataclass(slots=True)
class Body:
    """A sequence of executed statements: a file, a definition's copy, a pass, an arm, a branch."""

    steps: list[Step]
    shape: Shape | None  # of the current tensor on entry; None before any input
    result: str | None
    ghost: bool = False  # expanded only so that emitted code can show it; its nodes are in no network
    labels: dict[str, str] = field(default_factory=dict)  # label -> node, of a file, a pass or an arm


def parts(step: Step) -> list[Body]:
    """The bodies inside a step that ran."""
    match step:
        case LayerStep():
            return step.branches
        case CallStep():
            return [step.body]
        case RepeatStep():
            return step.passes
    return [] if step.ran is None else [step.ran]


def all_parts(step: Step) -> list[Body]:
    """The bodies inside a step, and those that were expanded only to be shown."""
    match step:
        case RepeatStep():
            return [*step.passes, *([step.ghost] if step.ghost else [])]
        case IfStep():
            return [arm for arm in step.arms if arm is not None]
    return parts(step)


Task = Iterator["Task"]  # a walk over a body, which yields the walks over the bodies inside it


def walk(task: Task) -> None:
    """Run a walk to its end, each inner one at the place where it is yielded: bodies can be nested deeply, and Python's
    own recursion ends early."""
    tasks = [task]
    while tasks:
        inner = next(tasks[-1], None)
        if inner is None:
            tasks.pop()
        else:
            tasks.append(inner)


__all__ = ["Body", "CallStep", "IfStep", "LayerStep", "RepeatStep", "Statement", "Step", "Task", "parts", "walk"]
