"""Where a statement runs: what it sees, what it may name, and the current tensor."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum

from netc.diagnostics.model import Frame
from netc.ir.net import Net, Node
from netc.lower.definitions import Namespace, Options
from netc.lower.evaluate import Scope
from netc.lower.names import Names
from netc.syntax.source import Span


class Broken(Enum):
    """The tensor behind an error: whatever reads it stays silent."""

    TENSOR = "broken"


BROKEN = Broken.TENSOR
Current = str | Broken | None  # a node, a broken tensor, or nothing before any input


@dataclass(slots=True)
class Mark:
    """A label: the node it names, where it stands, and whether it is there on every path."""

    node: Current
    span: Span
    everywhere: bool = True


@dataclass(slots=True)
class Labels:
    """The labels of a body, over those of the body around a `repeat` pass."""

    outer: Labels | None = None
    marks: dict[str, Mark] = field(default_factory=dict)

    def find(self, name: str) -> Mark | None:
        """A label of this body, or of the one around."""
        labels: Labels | None = self
        while labels is not None:
            if name in labels.marks:
                return labels.marks[name]
            labels = labels.outer
        return None

    def names(self) -> Iterator[str]:
        """All labels in sight."""
        labels: Labels | None = self
        while labels is not None:
            yield from labels.marks
            labels = labels.outer


@dataclass(slots=True)
class Sharing:
    """How a call of a `shared def` relates to the weights: the first call records its nodes, later ones follow."""

    record: list[Node]
    follow: Iterator[Node] | None = None


@dataclass(slots=True)
class Context:
    """The state of one body while its statements run. `copy` is (pass, passes) directly inside a `repeat`."""

    net: Net
    scope: Scope
    names: Names
    labels: Labels
    options: Options
    namespace: Namespace
    position: int
    frame: Frame | None = None
    current: Current = None
    top: bool = False  # directly in the file
    outermost: bool = False  # directly in the file, or in an `if` that is
    shipped: bool = False
    repeated: bool = False  # inside an unlabelled `repeat` of this body
    copy: tuple[int, int] | None = None
    sharing: tuple[Sharing, ...] = ()

    def move(self, current: Current) -> None:
        """Make another tensor the current one."""
        self.current = current
        self.scope.broken = current is BROKEN
        self.scope.shape = self.net.shapes[current] if isinstance(current, str) else None
