"""What a pass finds, once for each statement however many copies of it the network has."""

from __future__ import annotations

from collections.abc import Iterable
from types import TracebackType

from netc.diagnostics.model import Diagnostic, Diagnostics, Fix, Label
from netc.ir.net import Node
from netc.syntax.source import Span

Key = tuple[str, Span, object]


class Findings:
    """The findings of one pass. Used as a context: on leaving it, each says in how many other copies it holds.

    if findings.fresh("NET502", node):
        findings.add("NET502", node, "two activations in a row")
    """

    def __init__(self, report: Diagnostics) -> None:
        self.report = report
        self._copies: dict[Key, int] = {}
        self._first: dict[Key, Diagnostic] = {}

    def __enter__(self) -> Findings:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for key, found in self._first.items():
            others = self._copies.get(key, 1) - 1
            if others:
                found.notes = (*found.notes, f"and in {others:,} other cop{'y' if others == 1 else 'ies'}")

    def fresh(self, code: str, node: Node, essence: object = None) -> bool:
        """Count a copy; whether it is the first one of its statement with this essence, which is to be added."""
        key = (code, node.origin.span, essence)
        self._copies[key] = self._copies.get(key, 0) + 1
        return self._copies[key] == 1

    def add(
        self,
        code: str,
        node: Node,
        message: str,
        *,
        essence: object = None,
        label: str = "",
        secondary: Iterable[Label] = (),
        notes: Iterable[str] = (),
        help: Iterable[str] = (),
        fix: Fix | None = None,
    ) -> None:
        """Report the first copy, at the words that wrote the node."""
        origin = node.origin
        self._first[code, origin.span, essence] = self.report.add(
            code,
            message,
            origin.span,
            label=label,
            secondary=secondary,
            notes=notes,
            help=help,
            fix=fix,
            frame=origin.frame,
        )


def words(node: Node) -> str:
    """The words that wrote a node, for messages; the operation alone where they are long."""
    text = (node.origin.word or node.origin.span).text
    return text if len(text) <= 40 and "\n" not in text else text.split()[0]
