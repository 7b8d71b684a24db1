"""What of the tree stands around a place."""

from __future__ import annotations

from netc.syntax.source import Span
from netc.syntax.tree import Definition, File, If, Node, Operation, Parameter, Repeat, children

Named = Operation | Repeat | If | Definition | Parameter


def path(file: File, offset: int) -> list[Node]:
    """The parts of a tree around a place, from the outermost one; their ends count as well.

    Where two meet at a place, the one that begins there is it.
    """
    found: list[Node] = []
    inside: list[Node] = [*file.statements]
    while inside:
        at = [node for node in inside if node.span.start <= offset <= node.span.end]
        if not at:
            break
        found.append(at[-1])
        inside = children(at[-1])
    return found


def statement(file: File, offset: int) -> Named | None:
    """The innermost statement around a place."""
    return next((node for node in reversed(path(file, offset)) if isinstance(node, Named)), None)


def head(node: Named) -> Span:
    """The words of a statement, without its braces."""
    span = node.span
    if isinstance(node, Operation):
        last = node.arguments[-1].span if node.arguments else node.name_span
        return span.to(last)
    if isinstance(node, Repeat):
        return span.to(node.count.span if node.index is None else node.index.span)
    if isinstance(node, If):
        arm = node.arms[0]
        return span.to(arm.span if arm.condition is None else arm.condition.span)
    if isinstance(node, Definition):
        last = [node.name_span, *(formal.span for formal in node.formals), *(name.span for name in node.tensors)][-1]
        return span.to(last)
    return span
