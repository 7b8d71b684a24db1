"""A network as a spec that says nothing but its layers: the statements, and their text.

One statement a layer, in the canonical style; what is parallel stands in branches, what is joined from further away
is told by labels. A label is the name of the layer whose tensor it means. A layer has a label too where the name that
it would be given by itself (docs/architecture.md, "Names") is not its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from netc.analysis.structure import Layers, Series, decompose
from netc.ir.net import Net, Node
from netc.layers.shape import Identity
from netc.lift.arguments import Unwritable, arguments, given, params_of
from netc.lower.bind import trailing_words
from netc.lower.special import LEGAL
from netc.lower.walk import WITH
from netc.program import Program
from netc.sections.base import Name as Named
from netc.sections.base import Setting
from netc.sections.data_sets import DataSet
from netc.sections.metrics import Metric
from netc.sections.model import Data, Section, layers_of
from netc.sections.settings import FAMILIES, METRICS_LINE, Restore
from netc.syntax.printer import print_tree
from netc.syntax.source import NOWHERE
from netc.syntax.tree import (
    Argument,
    Block,
    Branch,
    Definition,
    Keyword,
    Literal,
    Name,
    Operation,
    Positional,
    Reference,
    Statement,
    alike,
    is_name,
)


def statements_of(net: Net) -> list[Statement]:
    """The syntax tree of a network. Raises `Unwritable`."""
    writer = _Writer(net)
    body = writer.statements()
    head = [operation("net", _word(net.name))] if LEGAL.match(net.name) else []
    return [*head, *writer.definitions, *body]


def section_text(section: Section, program: Program) -> str:
    """The text of a section: what its lines came to, with names of layers in place of labels, and paths from here."""
    return print_tree((_section(section, program),))


def operation(name: str, *given: Argument, label: str | None = None, branches: Sequence[Branch] = ()) -> Operation:
    """A statement without a place in a text."""
    named = None if label is None else Name(label, NOWHERE)
    return Operation(named, name, given, None, tuple(branches), NOWHERE, NOWHERE)


def _word(name: str) -> Positional:
    """A bare name; quoted where it could not stand alone."""
    value = Reference(name, NOWHERE) if is_name(name) else Literal(name, NOWHERE)
    return Positional(value, NOWHERE)


# -- layers --------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Shared:
    """Layers that share their weights with others, as the calls of one `shared def` make them: `prefixes[name]` is the
    call that a layer belongs to, `first` the prefix of the call that makes the weights."""

    first: str
    prefixes: dict[str, str]


@dataclass(slots=True)
class _Body:
    """A file or a definition: the prefix of names made in it, the layer whose tensor it gives (a call's label means
    that one), and the counts of its operations. Of a call of a `shared def`, the `names` of its layers, and what it
    calls the tensors that it is handed."""

    prefix: str = ""
    result: str | None = None
    counts: dict[str, int] = field(default_factory=dict)
    names: frozenset[str] = frozenset()
    handed: dict[str, str] = field(default_factory=dict)

    def inner(self, name: str) -> str:
        """A layer's name without the prefix."""
        return name.removeprefix(f"{self.prefix}_") if self.prefix else name

    def label(self, word: str, name: str, wanted: bool) -> str | None:
        """The label of a statement of the operation `word` whose name has to be `name`; None where it needs none."""
        count = self.counts.get(word, 0) + 1
        if wanted or name != f"{word}{count}":
            return name
        self.counts[word] = count
        return None

    def take(self, tensor: str) -> str:
        """What a definition calls a tensor from outside, which it is handed: `skip`, or the next name that is free."""
        if tensor not in self.handed:
            taken = {*map(self.inner, self.names), *self.handed.values()}
            numbered = (f"skip{count}" if count else "skip" for count in range(len(taken) + 1))
            self.handed[tensor] = next(name for name in numbered if name not in taken)
        return self.handed[tensor]


class _Writer:
    """Writes the statements of one network."""

    def __init__(self, net: Net) -> None:
        self.net = net
        self.definitions: list[Definition] = []
        self.shared = {name: group for group in _shared(net) for name in group.prefixes}
        self.whole = self._decomposed()
        self.read = self._read()
        self.labels: dict[str, str] = {}  # by the layer whose tensor a label means

    def statements(self) -> list[Statement]:
        """The statements of the file, without its definitions."""
        made = self._series(_items(self.whole), None, _Body())
        if self.net.outputs != [self.whole.result]:
            made.append(operation("output", *self._labels(self.net.outputs, _Body())))
        return made

    def _decomposed(self) -> Series:
        """The structure of the network, in which a combiner in calls of a definition has branches in all of them or in
        none, and nothing else than of its call stands in these: what a call is handed may be what it is called on."""
        calls: dict[str, set[str]] = {}
        for name in self.shared:
            calls.setdefault(self.net.node(name).layer_name, set()).add(name)
        by_label: set[str] = set()
        while True:
            whole = decompose(self.net, by_label)
            closing = {item.names[0] for item in _every(whole) if item.branches and self._is_in_call(item)}
            found = {name for names in calls.values() if names - closing for name in names & closing}
            found |= {item.names[0] for item in _every(whole) if item.branches} & self.shared.keys() - closing
            if not found:
                return whole
            by_label |= {name for names in calls.values() if names & found for name in names}

    def _is_in_call(self, item: Layers) -> bool:
        """Whether all that stands in the branches of a combiner is of its call."""
        return len({self._call_of(self.net.node(name)) for name in _names(item)}) == 1

    def _read(self) -> set[str]:
        """The layers whose tensors are read by a label."""
        found = set() if self.net.outputs == [self.whole.result] else set(self.net.outputs)
        current = None
        for item in _items(self.whole):
            if item.source not in (None, current):
                found.add(item.source)
            if not item.branches:
                found.update(self.net.operands(item.names[0])[1:])
            current = item.result
        return {name for name in found if name is not None}

    def _label(self, name: str, body: _Body) -> Reference:
        if body.prefix and name not in body.names:
            return Reference(body.take(name), NOWHERE)
        if name not in self.labels:
            raise Unwritable(f"`{name}` is read from outside of the layers that share their weights")
        return Reference(self.labels[name], NOWHERE)

    def _labels(self, names: Sequence[str], body: _Body) -> list[Positional]:
        return [Positional(self._label(name, body), NOWHERE) for name in names]

    def _series(self, items: Sequence[Layers], current: str | None, body: _Body) -> list[Statement]:
        made: list[Statement] = []
        at = 0
        while at < len(items):
            item = items[at]
            if item.source not in (None, current):
                made.append(operation("from", *self._labels([item.source], body)))
            group = self.shared.get(item.names[0])
            if group is not None and not body.prefix:
                end = self._end_of_call(items, at, group)
                made.append(self._call(items[at:end], group, body))
            else:
                end = self._end_of_statement(items, at)
                made.append(self._statement(items[at:end], body))
            current, at = items[end - 1].result, end
        return made

    def _end_of_statement(self, items: Sequence[Layers], start: int) -> int:
        """After the layers that can be trailing words: `conv 64x3 bn relu`, if their names are those of the words."""
        head = self.net.node(items[start].names[0])
        end = start + 1
        if not head.layer.trailing or given(head.layer).get("act", "linear") != "linear":
            return end
        names = [head.name]
        while end < len(items) and not items[end].branches:
            node = self.net.node(items[end].names[0])
            word = node.layer.op
            fused = len(names) == 1 and word in params_of(head.layer)["act"].kind.words()
            follows = self.net.operands(node.name) == (names[-1],) and names[-1] not in self.read
            plain = word in trailing_words() and not given(node.layer) and self._call_of(node) == self._call_of(head)
            if fused or not (follows and plain and node.name == f"{head.name}_{word}"):
                break
            names.append(node.name)
            end += 1
        return end

    def _statement(self, items: Sequence[Layers], body: _Body) -> Operation:
        """A layer with its trailing words, or a combiner with its branches."""
        first = items[0]
        node, last = self.net.node(first.names[0]), items[-1].names[0]
        layer, words = node.layer, [self.net.node(item.names[0]).layer.op for item in items[1:]]
        if isinstance(layer, Identity):
            raise Unwritable(f"`{node.name}`: `identity` makes no layer in a spec: leave it out")
        # Counted before what stands in its branches, as names are.
        label = body.label(layer.op, body.inner(node.name), last in self.read and last != body.result)
        branches = [Branch(tuple(self._series(_items(part), first.source, body)), NOWHERE) for part in first.branches]
        operands, params = self.net.operands(node.name), params_of(layer)
        keys = [params[name].key for name in layer.tensors() if getattr(layer, name)]
        own = len(operands) - len(keys)
        joined = () if first.branches else operands[1:own]
        parts = self._arguments(node, words) + [Positional(self._joined(node, name, body), NOWHERE) for name in joined]
        for key, name in zip(keys, operands[own:], strict=True):
            parts.append(Keyword(key, self._label(name, body), NOWHERE, NOWHERE))
        parts += [Positional(Reference(word, NOWHERE), NOWHERE) for word in words]
        if label is not None:
            self.labels[last] = label
        return operation(layer.op, *parts, label=label, branches=branches)

    def _joined(self, node: Node, name: str, body: _Body) -> Reference:
        """A tensor from further away that a combiner joins."""
        label = self._label(name, body)
        if label.name in {"channels", *type(node.layer).signature(node.layer.op).bare_words()}:
            raise Unwritable(f"`{label.name}` is a word of `{node.layer.op}`, which joins it: rename it")
        return label

    def _arguments(self, node: Node, words: Sequence[str]) -> list[Argument]:
        """The arguments of a layer. `bn` after a layer takes away its bias, so that one that has it says so."""
        try:
            made = arguments(node.layer, {"bias": False} if words[:1] == ["bn"] else {})
        except Unwritable as error:
            raise Unwritable(f"`{node.name}`: {error}") from None
        if words[:1] == ["bn"] and getattr(node.layer, "bias", False):
            made.append(Positional(Reference("bias", NOWHERE), NOWHERE))
        return made

    # -- shared weights --------------------------------------------------------------------------------------

    def _end_of_call(self, items: Sequence[Layers], start: int, group: _Shared) -> int:
        """After the items that one call makes, which are all of its layers and nothing else."""
        prefix = group.prefixes[items[start].names[0]]
        missing = {name for name, owner in group.prefixes.items() if owner == prefix}
        made = set[str | None]()
        end = start
        while missing and end < len(items):
            names = set(_names(items[end]))
            if not names <= missing or (made and items[end].source not in made):
                break
            missing -= names
            made |= names
            end += 1
        if missing:
            raise Unwritable(_no_call(min(missing)))
        return end

    def _call_of(self, node: Node) -> str | None:
        """The prefix of the call of a `shared def` that makes a layer."""
        return self.shared[node.name].prefixes[node.name] if node.name in self.shared else None

    def _call(self, items: Sequence[Layers], group: _Shared, body: _Body) -> Operation:
        first, last = items[0].names[0], items[-1].names[0]
        prefix = group.prefixes[first]
        inside = _Body(prefix, last, names=frozenset(name for item in items for name in _names(item)))
        own = Block(tuple(self._series(items, items[0].source, inside)), NOWHERE)
        tensors = tuple(Name(name, NOWHERE) for name in inside.handed.values())
        made = Definition(group.first, (), tensors, own, True, NOWHERE, NOWHERE)
        given = self._labels([*inside.handed], body)
        if given:
            given.insert(0, Positional(Reference(WITH, NOWHERE), NOWHERE))
        same = next((known for known in self.definitions if known.name == group.first), None)
        if same is None and prefix != group.first:
            raise Unwritable(f"`{first}` uses the weights of a layer that stands after it")
        if same is None:
            self.definitions.append(made)
        elif not alike(same, made):
            raise Unwritable(_no_call(first))
        if prefix == group.first:  # its layers have the name of the definition, so that its label is free
            label = last if last in self.read else None
            body.counts[group.first] = body.counts.get(group.first, 0) + (label is None)
        else:
            label = body.label(group.first, prefix, last in self.read)
        if label is not None:
            self.labels[last] = label
        return operation(group.first, *given, label=label)


def _items(series: Series) -> list[Layers]:
    """What stands in a series of which nothing is folded."""
    return [item for item in series.items if isinstance(item, Layers)]


def _every(series: Series) -> Iterator[Layers]:
    """The items of a series, and those in their branches."""
    for item in _items(series):
        yield item
        for branch in item.branches:
            yield from _every(branch)


def _names(item: Layers) -> Iterator[str]:
    """All layers of an item."""
    yield from item.names
    for branch in item.branches:
        for inner in _items(branch):
            yield from _names(inner)


def _shared(net: Net) -> list[_Shared]:
    """The layers that share weights, by the `shared def` that says so: `tower_conv1` and `tower2_conv1` are the layer
    `conv1` of two calls of `tower`. Raises `Unwritable` for names that no calls would give."""
    groups: dict[str, _Shared] = {}
    for node in net:
        if node.shares is None:
            continue
        rest = _common(node.shares, node.name)
        if rest is None:
            raise Unwritable(_no_call(node.name))
        first, prefix = (name.removesuffix(f"_{rest}") for name in (node.shares, node.name))
        prefixes = groups.setdefault(first, _Shared(first, {})).prefixes
        prefixes |= {node.shares: first, node.name: prefix}
    return list(groups.values())


def _common(one: str, other: str) -> str | None:
    """The longest end, after an underscore, that two names have in common."""
    ends = (one[at + 1 :] for at, character in enumerate(one) if character == "_" and at)
    return next((end for end in ends if end and other.endswith(f"_{end}") and len(other) > len(end) + 1), None)


def _no_call(name: str) -> str:
    return (
        f"`{name}` has the weights of another layer, and no calls of one `shared def` would make the two: a spec can "
        "say so for layers in a row with the same names after two prefixes, such as `tower_conv1` and `tower2_conv1`, "
        "and not for those that one `shared def` makes in another"
    )


# -- sections ------------------------------------------------------------------------------------------------


def _section(section: Section, program: Program) -> Operation:
    """`data` or `train` with its lines."""
    folder = Path(program.file.source.name).parent
    given: list[Argument] = []
    if isinstance(section, Data) and section.source is not None:
        source = section.source
        named = (
            _word(source.name)
            if isinstance(source, DataSet)
            else Positional(Literal(str(folder / source), NOWHERE), NOWHERE)
        )
        given = [named]
    made = [line_of(resolved(line.value, program, folder)) for line in section.lines]
    word = "data" if isinstance(section, Data) else "train"
    return replace(operation(word, *given), block=Block(tuple(made), NOWHERE))


def resolved(setting: Setting, program: Program, folder: Path) -> Setting:
    """A setting with the names of layers where it has labels of other statements, and with its path from here."""
    cls, labels = type(setting), program.expansion.labels

    def name(word: str) -> str:
        return word if layers_of(word, program.net, {}) else labels.get(word, word)

    values: dict[str, Any] = dict(vars(setting))
    for param in params_of(setting).values():
        own = values[param.name]
        if param.name == "of":
            values["of"] = labels.get(own, own)
        elif isinstance(param.kind, Named) and param.name != "monitor":
            values[param.name] = tuple(map(name, own)) if isinstance(own, tuple) else own and name(own)
        elif isinstance(setting, Restore):
            values[param.name] = str(folder / own)
    return cls(**values)


def line_of(setting: Setting) -> Operation:
    """A line of a section."""
    if isinstance(setting, Metric):
        first = next(iter(arguments(setting)), None)
        if first is None:
            return operation(METRICS_LINE, _word(setting.name))
        assert isinstance(first, Positional)
        return operation(METRICS_LINE, Keyword(setting.name, first.value, NOWHERE, NOWHERE))
    family = next((word for word, known in FAMILIES.items() if known.get(setting.name) is type(setting)), None)
    if family is None:
        return operation(setting.name, *arguments(setting))
    return operation(family, _word(setting.name), *arguments(setting))
