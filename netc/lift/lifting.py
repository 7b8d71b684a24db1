"""From a network to the text that says it, always proved by compiling the text again."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial

from netc.compiler import compile_source, judge
from netc.ir.net import Net
from netc.layers.merge import Multiply
from netc.lift.accepting import accepting
from netc.lift.alike import Alike
from netc.lift.arguments import Unwritable
from netc.lift.definitions import define
from netc.lift.fold import fold, turn, unfold, wrap
from netc.lift.joined import busy
from netc.lift.joins import grown, nested
from netc.lift.names import name_definitions
from netc.lift.passes import collect, taps
from netc.lift.proof import NotTheNetwork, mapped
from netc.lift.scopes import Scopes
from netc.lift.sharing import share
from netc.lift.source import ImportRefused, Reason
from netc.lift.std import Standard
from netc.lift.sums import summed
from netc.lift.text import statements_of
from netc.lift.tree import Tree, in_order
from netc.lift.vectors import executed
from netc.lift.writing import Writer
from netc.program import Program
from netc.syntax.printer import print_tree
from netc.syntax.source import Source

_COLLECTED = 3  # lines that it is worth to say what all passes of a `repeat` make in one word


@dataclass(slots=True)
class Lifted:
    """A text, what it compiles to, and of each node of the network it was made of, the node that it is there."""

    text: str
    program: Program
    names: Mapping[str, str]
    flat_because: str = ""  # why it is the flat text, where one with blocks was asked for


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
    text has their names. In a text with blocks, comments accept the lints, as the network is what it is. Raises
    `ImportRefused` where it has errors as a spec.
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
    names = mapped(net, program.net, order or list(program.net.shapes))
    if order is not None and (lints := judge(program)):
        whole = accepting(program.file.source, lints)
        program = compile_source(Source(program.file.source.name, whole))
    return Lifted(whole, program, names)


def lifted(net: Net, sources: Mapping[str, str], comment: Sequence[str] = ()) -> Lifted:
    """The network as an expert would have written it: blocks as definitions, `repeat`, branches.

    `sources` are the names of its nodes at their source, whose scopes give blocks their names. Where no such text is
    known, the flat one, and `flat_because` says why. Raises what `flat` does.
    """
    try:
        return with_blocks(net, sources, comment)
    except Unwritable as error:
        made = flat(net, comment)
        made.flat_because = str(error)
        return made


def with_blocks(net: Net, sources: Mapping[str, str], comment: Sequence[str] = ()) -> Lifted:
    """The text that `lifted` gives first. Raises `Unwritable` where none is known."""
    try:
        text, order = structured(net, sources)
        return proved(net, text, order, comment)
    except (NotTheNetwork, ImportRefused) as error:
        raise Unwritable(str(error)) from None


def structured(net: Net, sources: Mapping[str, str]) -> tuple[str, list[str]]:
    """The text of a network with its blocks, and the nodes in the order of its statements. Raises `Unwritable`."""
    told, scopes = net, Scopes(sources)
    net = nested(grown(busy(net)[0]))
    whole, parts = summed(net)
    forms = [net, whole] if parts else [net]  # sums that a `repeat` may add to, or collect
    best = min((_of_form(form, told, scopes) for form in forms), key=_Text.lines)
    return best.text, best.order


def _of_form(net: Net, told: Net, scopes: Scopes) -> _Text:
    """The best text of a network in one form."""
    gates = (False, True) if any(isinstance(node.layer, Multiply) for node in net) else (True,)
    made = [each for gated in gates for each in _texts(partial(Tree, net), told, scopes, gated)]
    if made[0].labels:  # tensors are read from afar, so that blocks may be found in one order and not in another
        ways = [partial(Tree, net), partial(Tree, in_order(net))]
        if not any(node.shares for node in net):  # whose layers stay together
            ways.append(partial(Tree, net, levelled=True))
        orders = [[*executed(way().series, 0)] for way in ways]
        others = [way for at, way in enumerate(ways) if orders.index(orders[at]) == at > 0]
        made += [each for way in others for gated in gates for each in _texts(way, told, scopes, gated)]
    return min(made, key=lambda each: each.lines() - _COLLECTED * each.collected)


@dataclass(slots=True)
class _Text:
    """A text, the nodes in its order, whether it was made of a tree with labels, how often it says what all passes
    make, and whether it has optional parts."""

    text: str
    order: list[str]
    labels: bool
    collected: int
    optional: bool

    def lines(self) -> int:
        """How many lines it has that are not blank."""
        return sum(map(bool, self.text.splitlines()))


def _texts(tree: Callable[[], Tree], told: Net, scopes: Scopes, gated: bool) -> list[_Text]:
    """Texts of a network: the best one, and where that has optional parts, one that has none."""
    with suppress(Unwritable):
        made = _text(tree(), told, scopes, gated, optional=True)
        return [made, _text(tree(), told, scopes, gated, optional=False)] if made.optional else [made]
    return [_text(tree(), told, scopes, gated, optional=False)]


def _text(tree: Tree, told: Net, scopes: Scopes, gated: bool, *, optional: bool) -> _Text:
    """The text of a tree; `told` is the network as its source has it."""
    shared = share(tree, told)
    standard, alike, collected = Standard(), Alike(tree.used, scopes), 0
    alike.taps = taps(tree.series)
    for series in (tree.series, *(one.body for one in shared)):
        standard.recognise(series)
        fold(series, alike)
        unfold(series, Alike(tree.used, scopes))
        turn(series, Alike(tree.used, scopes))
        collected += collect(series, tree.used)
        wrap(series, Alike(tree.used, scopes))
    labels = bool(tree.used)
    _, some = define(tree.series, tree.used, scopes, gated=gated, optional=optional, known=shared)
    writer = Writer(tree.net.name, tree.series, tree.used, scopes, tree.scale)
    name_definitions(writer.definitions, scopes, tree.net.name)
    return _Text(writer.text(), [*executed(writer.whole, 0)], labels, collected, some)
