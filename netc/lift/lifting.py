"""From a network to the text that says it, always proved by compiling the text again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from netc.compiler import compile_source, judge
from netc.ir.net import Net
from netc.lift.arguments import Unwritable
from netc.lift.proof import mapped
from netc.lift.source import ImportRefused, Reason
from netc.lift.text import statements_of
from netc.program import Program
from netc.syntax.printer import print_tree
from netc.syntax.source import Source


@dataclass(slots=True)
class Lifted:
    """A text, what it compiles to, and of each node of the network it was made of, the node that it is there."""

    text: str
    program: Program
    names: Mapping[str, str]


def flat(net: Net, comment: Sequence[str] = ()) -> Lifted:
    """The network, one statement a layer under the names of its nodes. Raises `ImportRefused` for one that no such text
    says, or that has errors as a spec, and `NotTheNetwork` for a bug."""
    try:
        text = print_tree(statements_of(net))
    except Unwritable as error:
        raise ImportRefused([Reason("the network", str(error))]) from None
    return proved(net, text, None, comment)


def proved(net: Net, text: str, order: Sequence[str] | None, comment: Sequence[str] = ()) -> Lifted:
    """A text with a comment above it, compiled and compared with the network it was made of (`mapped`).

    `order` are the nodes of the network in the order in which the statements of the text make theirs; None where the
    text has their names. Raises `ImportRefused` where the network has errors as a spec.
    """
    whole = "".join(f"# {line}".rstrip() + "\n" for line in comment) + text
    program = compile_source(Source(f"{net.name}.net", whole))
    if program.report.failed:
        reasons = [
            Reason(found.span.text if found.span else "the network", found.message)
            for found in judge(program)
            if found.severity.value == "error"
        ]
        raise ImportRefused(reasons)
    return Lifted(whole, program, mapped(net, program.net, order or list(program.net.shapes)))
