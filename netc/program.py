"""The result of compiling a text: everything that targets, reports and figures read."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # the modules that make a program import this one
    from collections.abc import Callable, Mapping

    from netc.diagnostics.model import Diagnostics
    from netc.ir.net import Net, Node
    from netc.lower.expansion import Body
    from netc.sections.model import Data, Train
    from netc.syntax.source import Source
    from netc.syntax.tree import Definition, File
    from netc.values import Value


@dataclass(frozen=True, slots=True)
class Sections:
    """Both sections of a file, each where it has one."""

    data: Data | None = None
    train: Train | None = None


@dataclass(slots=True, repr=False)
class Program:
    """A compiled spec.

    `net` is complete only while `report.failed` is false; after errors it holds what could be made, for reports.
    `parameters` are the file's `param`s in order, overrides applied. `definitions` are all that were called, in
    an order in which callees come first (a second one of the same name has the key `name~2`). `ghosts` holds the
    nodes of bodies that were expanded only to be shown (`Body.ghost`): their names end in `~` and a number, and
    the real nodes they read are in it too, without their own operands. `used` are the files brought in by `use`.
    `from_graph` says that netc wrote the text, from a graph: its structure is to be found in the graph.
    """

    file: File
    name: str
    parameters: Mapping[str, Value]
    net: Net
    expansion: Body
    definitions: Mapping[str, Definition]
    sections: Sections
    report: Diagnostics
    ghosts: Net
    used: Mapping[Path, Source] = field(default_factory=dict)
    from_graph: bool = False

    def __repr__(self) -> str:
        return f"<Program {self.name}: {len(self.net)} layers>"

    def rewrite(self, rule: Callable[[Node], Node]) -> None:
        """Replace nodes by what a rule makes of them, those that are only shown too (`Net.rewrite`)."""
        self.net, self.ghosts = self.net.rewrite(rule), self.ghosts.rewrite(rule)

    def home(self, name: str) -> Net:
        """The network that holds a node: `net`, or `ghosts` for a node of a speculative body."""
        return self.net if name in self.net else self.ghosts
