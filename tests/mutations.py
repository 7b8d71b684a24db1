"""Specs with one random change, of which it is known what it is: `python -m tests.mutations 200` says how many of them
`netc.diff` names."""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from random import Random

import netc
from netc.diagnostics.model import Diagnostics
from netc.difference.compare import Difference
from netc.difference.edits import Added, Changed, Counted, Edit, Removed, Replaced
from netc.difference.side import Side
from netc.limits import Limits
from netc.syntax.parser import parse
from netc.syntax.source import Source, Span
from netc.syntax.tree import Block, Branch, Definition, If, Operation, Repeat, Statement
from tests.specs import SPECS

PLAIN = (
    "elu",
    "dropout 0.37",
    "prelu",
    "groupnorm 1",
    "conv (channels)x3 bn relu",
    "dwconv 3",
    "conv (channels)x1; selu",
)
NO_LAYERS = frozenset({"input", "from", "output", "net", "default", "use", "data", "train", "identity"})


@dataclass(frozen=True)
class Mutation:
    """A spec, the text that it became, and what was done to it, where."""

    spec: str
    kind: str
    what: str
    before: netc.Network
    after: netc.Network


@dataclass(frozen=True)
class Change:
    """A place in a text, and what stands there instead."""

    span: Span
    text: str

    def of(self, text: str) -> str:
        return text[: self.span.start] + self.text + text[self.span.end :]


def mutations(seed: int) -> Iterator[Mutation]:
    """Mutations of shipped specs without an end, kind after kind; none that is no network, or is the same one."""
    random = Random(seed)
    paths = sorted(path for path in SPECS.glob("*.net") if "1001" not in path.name)
    while True:
        for kind, make in MAKERS.items():
            for _ in range(50):
                path = random.choice(paths)
                text = path.read_text()
                before = netc.loads(text, str(path))
                found = list(make(random, _statements(text)))
                if not found:
                    continue
                change = random.choice(found)
                try:
                    after = netc.loads(change.of(text), str(path))
                except netc.SpecError:
                    continue
                if _facts(before) == _facts(after):
                    continue
                yield Mutation(path.stem, kind, f"{change.span.text!r} -> {change.text!r}", before, after)
                break


def _facts(network: netc.Network) -> Counter[object]:
    net = network.net
    return Counter((node.layer, net.operand_shapes(node.name)) for node in net)


def _statements(text: str) -> list[Statement]:
    """The statements of a text that make layers, also those in blocks."""
    todo: list[Statement | Branch] = list(parse(Source("", text), Limits(), Diagnostics()).statements)
    found: list[Statement] = []
    while todo:
        one = todo.pop(0)
        blocks: list[Block | Branch] = []
        match one:
            case Operation() if one.name not in ("data", "train"):
                found.append(one)
                blocks += one.branches
            case Repeat():
                found.append(one)
                blocks.append(one.body)
            case Definition():
                blocks.append(one.body)
            case If():
                blocks += [arm.body for arm in one.arms]
        for block in blocks:
            todo += block.statements
    return found


def _layers(statements: Sequence[Statement]) -> list[Operation]:
    return [one for one in statements if isinstance(one, Operation) and one.name not in NO_LAYERS]


def _added(random: Random, statements: Sequence[Statement]) -> Iterator[Change]:
    for one in _layers(statements):
        yield Change(one.span, f"{one.span.text}; {random.choice(PLAIN)}")


def _removed(random: Random, statements: Sequence[Statement]) -> Iterator[Change]:
    for one in _layers(statements):
        if one.label is None and not one.branches:
            yield Change(one.span, "identity")


def _changed(random: Random, statements: Sequence[Statement]) -> Iterator[Change]:
    """Another number, or another activation, among the arguments of a layer."""
    for one in _layers(statements):
        for found in re.finditer(r"(?<![\w.])\d+(?=[x/ ;)}\n]|$)|\brelu\b", one.span.text):
            if one.branches:
                continue
            start = one.span.start + found.start()
            new = (
                random.choice(("elu", "gelu"))
                if found[0] == "relu"
                else str(int(found[0]) + random.choice((1, 2, 8, 16)))
            )
            yield Change(Span(one.span.source, start, start + len(found[0])), new)


def _repeated(random: Random, statements: Sequence[Statement]) -> Iterator[Change]:
    """A block once more."""
    for one in statements:
        if isinstance(one, Repeat):
            yield Change(one.count.span, f"{one.count.span.text}+1")
        elif isinstance(one, Operation) and one.name not in NO_LAYERS and one.label is None and one.branches:
            yield Change(one.span, f"{one.span.text}\n{one.span.text}")


def _branched(random: Random, statements: Sequence[Statement]) -> Iterator[Change]:
    """A branch beside others, or beside a layer."""
    for one in _layers(statements):
        if one.branches and one.name in ("add", "concat", "avg", "max"):
            last = one.branches[-1].span
            new = random.choice(("conv 24x1 relu", "conv 8x1; conv 16x3", "pool 3/1; conv 12x1"))
            new = new if one.name == "concat" else random.choice(("conv (channels)x1", "dwconv 5", "elu", "tanh"))
            yield Change(last, f"{last.text.rstrip()}\n| {new}\n")
        elif one.label is None and not one.branches:
            yield Change(one.span, f"add {{\n| identity\n| {one.span.text}\n}}")


Maker = Callable[[Random, Sequence[Statement]], Iterator[Change]]
MAKERS: dict[str, Maker] = {
    "added": _added,
    "removed": _removed,
    "changed": _changed,
    "repeated": _repeated,
    "branched": _branched,
}


# -- whether a difference names what was done ----------------------------------------------------------------


def is_named(mutation: Mutation, difference: Difference) -> bool:
    """Whether the edits are what was done, and nothing else: as many layers of each kind as one network has more, and
    of those of one name in both, as a `transition` has that halves fewer channels now, other parameters."""
    before, after = (Side.of(each.program) for each in (mutation.before, mutation.after))
    edits = difference.edits
    if before.net.shapes.keys() == after.net.shapes.keys():
        return _values(edits) == _wanted(before, after)
    new, gone = Counter(_kinds(after)), Counter(_kinds(before))
    more, less = new - gone, gone - new
    allowed = (Added, Removed, Counted, Replaced)
    told = Counter[str](), Counter[str]()
    for edit in edits:
        if isinstance(edit, Changed) and all(one == other for one, other in edit.layers):
            continue
        if not isinstance(edit, allowed):
            return False
        for at, side, names in _sides(edit, before, after):
            told[at].update(side.net.node(name).layer.op for name in names)
    ops = [Counter[str](), Counter[str]()]
    for found, counts in zip(ops, (less, more), strict=True):
        for kind, count in counts.items():
            found[kind] += count
    return list(told) == ops


def _sides(edit: Edit, before: Side, after: Side) -> Iterator[tuple[int, Side, Sequence[str]]]:
    match edit:
        case Counted():
            at = int(edit.count[1] > edit.count[0])
            yield at, (before, after)[at], edit.layers
        case Removed():
            yield 0, before, edit.layers
        case Added():
            yield 1, after, edit.layers
        case Replaced():
            yield 0, before, edit.layers[0]
            yield 1, after, edit.layers[1]


def _kinds(side: Side) -> Iterator[str]:
    return (node.layer.op for node in side.net)


def _values(edits: Sequence[Edit]) -> set[object] | None:
    """The layers whose parameters are others, with the values; None where more is told."""
    found: set[object] = set()
    for edit in edits:
        if isinstance(edit, Replaced):
            found |= {(one, other) for one, other in zip(*edit.layers, strict=True)}
        elif isinstance(edit, Changed):
            found |= {(one, other) for one, other in edit.layers}
        else:
            return None
    return found


def _wanted(before: Side, after: Side) -> set[object]:
    """The same, by the names of layers, which a changed number leaves."""
    found: set[object] = set()
    for node in after.net:
        if node.name not in before.facts or before.net.node(node.name).layer.op != node.layer.op:
            found.add((node.name, node.name))
            continue
        ours, theirs = before.facts[node.name], after.facts[node.name]
        names = {name for name in theirs if ours[name] != theirs[name]}
        if "pad" in names and before.padding(node.name) == after.padding(node.name) is not None:
            names.remove("pad")
        if names:
            found.add((node.name, node.name))
    return found


def main(count: int, seed: int) -> None:
    """Print what is not named, and the rate."""
    missed = Counter[str]()
    for number, mutation in zip(range(count), mutations(seed), strict=False):
        difference = netc.diff(mutation.before, mutation.after)
        if not is_named(mutation, difference):
            missed[mutation.kind] += 1
            print(f"-- {number} {mutation.spec} {mutation.kind}: {mutation.what}\n{difference}")
    print(f"{count - missed.total()} of {count} are named; missed: {dict(missed)}")


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 0)
