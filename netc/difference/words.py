"""The difference of two networks in words: a line an edit, and a last one with what they come to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from netc.diagnostics.escape import harmless
from netc.difference.blocks import Became, became
from netc.difference.compare import Difference, Figures
from netc.difference.edits import (
    Added,
    Change,
    Changed,
    Counted,
    Edit,
    Ends,
    Moved,
    Place,
    Removed,
    Replaced,
    Rewired,
    Setting,
)
from netc.difference.finding import said
from netc.difference.side import Side, Unit
from netc.report.label import operation
from netc.report.summary import human
from netc.values import show

UNKNOWN = "unknown"
MOST_NAMED = 4  # layers that a line names
MOST_SAID = 8  # layers that a line says in words
MOST_TOLD = 20  # lines that are told of networks with little in common
MOST_INSIDE = 4  # lines that are told of blocks that became others
ALL = "`netc diff --all` tells each edit"


@dataclass(frozen=True, slots=True)
class Line:
    """A line: `+` for what is new, `-` for what is gone, `~` for what is another; then the words."""

    sign: str
    words: str


def lines(difference: Difference) -> list[Line]:
    """A line for each edit."""
    return _lines(difference, difference.edits)


def _lines(difference: Difference, told: Sequence[Edit | Became]) -> list[Line]:
    writer = _Writer(difference.matching.before, difference.matching.after)
    return [line for each in _gathered(difference, told) for line in writer.lines(each)]


def _chosen(difference: Difference, whole: bool) -> list[Line]:
    """The lines, all of them if the `whole` is asked for. Else one line stands for many: of networks that have less
    than half of their layers in common, and of blocks that became blocks of another definition."""
    found, common = lines(difference), difference.common
    counts = [len(side.net) for side in (difference.matching.before, difference.matching.after)]
    if whole or len(found) <= MOST_INSIDE:
        return found
    if len(found) <= MOST_TOLD or 2 * common >= max(counts):
        return _shortened(difference)
    one = f"two different networks: {common} of {counts[0]} and {counts[1]} layers match"
    return [
        Line("~", f"{one}; {ALL}"),
        *(setting(edit) for edit in difference.edits if isinstance(edit, Setting)),
    ]


def _shortened(difference: Difference) -> list[Line]:
    """The lines, with one for those about blocks that became others, where these are many."""
    told: list[Edit | Became] = list(difference.edits)
    for blocks in became(difference.matching, difference.edits):
        if len(_lines(difference, blocks.edits)) > MOST_INSIDE:
            own = set(map(id, blocks.edits))
            at = next(at for at, each in enumerate(told) if id(each) in own)
            told[at:] = [blocks, *(each for each in told[at:] if id(each) not in own)]
    return _lines(difference, told)


def text(difference: Difference, *, whole: bool = False) -> str:
    """The difference as text; `whole`, with all edits, also of networks with little in common and of blocks that became
    others."""
    if difference.same:
        return "no difference\n"
    told = [f"{line.sign} {line.words}" for line in _chosen(difference, whole)]
    return "\n".join([*told, "", total(difference)]) + "\n"


def markdown(difference: Difference, *, whole: bool = False) -> str:
    """The difference as a list, and the figures as a table; `whole` as in `text`."""
    before, after = difference.matching.before, difference.matching.after
    head = f"`{before.name}` -> `{after.name}`"
    if difference.same:
        return f"{head}: no difference\n"
    rows = ["| | before | after |", "|---|--:|--:|"]
    rows += [f"| {name} | {one} | {other} |" for name, one, other in _rows(*difference.figures)]
    return "\n".join([f"{head}", "", *(f"- {line.words}" for line in _chosen(difference, whole)), "", *rows]) + "\n"


def total(difference: Difference) -> str:
    """What the edits come to: `+1.2 M parameters, -0.3 G MACs, receptive field 427 -> 483`."""
    one, other = difference.figures
    said = [_more(one.parameters, other.parameters, "parameters"), _macs(one, other)]
    for name, ours, theirs in _rows(one, other)[2:]:
        if ours != theirs:
            said.append(f"{name} {ours} -> {theirs}")
    return ", ".join(each for each in said if each) or "parameters, MACs and receptive field are the same"


def _more(one: int, other: int, unit: str) -> str:
    if one == other:
        return ""
    return f"{'+' if other > one else '-'}{human(abs(other - one))} {unit}"


def _macs(one: Figures, other: Figures) -> str:
    """How many MACs more, or both numbers where a size is open; what is not known is not called the same."""
    if one.macs is not None and other.macs is not None:
        return _more(one.macs, other.macs, "MACs")
    ours, theirs = _open_macs(one), _open_macs(other)
    return "" if ours == theirs != UNKNOWN else f"MACs {ours} -> {theirs}"


def _open_macs(figures: Figures) -> str:
    return figures.macs_formula or UNKNOWN if figures.macs is None else f"{figures.macs:,}"


def _rows(one: Figures, other: Figures) -> list[tuple[str, str, str]]:
    def field(value: object) -> str:
        if value is None:
            return "whole input"
        return "x".join(map(str, value)) if isinstance(value, list) else str(value)

    return [
        ("parameters", f"{one.parameters:,}", f"{other.parameters:,}"),
        ("MACs", _open_macs(one), _open_macs(other)),
        ("receptive field", field(one.receptive_field), field(other.receptive_field)),
        ("depth", str(one.depth), str(other.depth)),
        ("input", ", ".join(one.inputs), ", ".join(other.inputs)),
        ("output", ", ".join(one.outputs), ", ".join(other.outputs)),
    ]


# -- many edits that are one ---------------------------------------------------------------------------------


def _gathered(difference: Difference, told: Sequence[Edit | Became]) -> Iterator[Edit | Became | list[Edit | Became]]:
    """The edits; those that are equal, in several blocks, together."""
    alike: dict[object, list[Edit | Became]] = {}
    for edit in told:
        key: object = id(edit)
        if isinstance(edit, Changed):
            key = (edit.op, tuple(edit.values), _call(difference.matching.after, edit))
        elif isinstance(edit, Counted) and edit.alike and edit.where and not edit.single:
            key = (edit.block, edit.count[1] > edit.count[0], edit.where[:-1])
        elif isinstance(edit, Added):
            key = (type(edit), edit.said, len(edit.place.after), len(edit.place.before), bool(edit.branch))
        elif isinstance(edit, Replaced):
            key = edit.said
        alike.setdefault(key, []).append(edit)
    for edits in alike.values():
        yield edits if len(edits) > 1 else edits[0]


def _call(side: Side, edit: Changed) -> object:
    """The call around all layers of an edit; what is one change in the whole network stands alone."""
    calls = {side.around.get(other, ("",))[:1] for _, other in edit.layers}
    return calls.pop() if len(calls) == 1 else id(edit)


class _Writer:
    """Writes edits in words."""

    def __init__(self, before: Side, after: Side) -> None:
        self.before, self.after = before, after

    def lines(self, edit: Edit | Became | list[Edit | Became]) -> Iterator[Line]:
        edits = edit if isinstance(edit, list) else [edit]
        first = edits[0]
        match first:
            case Became((ours, theirs)):
                yield Line("~", f"{self._blocks(self.before, ours)} became {self._blocks(self.after, theirs)}; {ALL}")
            case Counted():
                sign = "+" if first.count[1] > first.count[0] else "-"
                yield Line(sign, self._counted([each for each in edits if isinstance(each, Counted)]))
            case Added():
                sign = "-" if isinstance(first, Removed) else "+"
                yield Line(sign, self._added(sign, [each for each in edits if isinstance(each, Added)]))
            case Replaced():
                yield Line("~", self._replaced([each for each in edits if isinstance(each, Replaced)]))
            case Moved():
                side = f"from {self._place(self.before, first.places[0])} to {self._place(self.after, first.places[1])}"
                yield Line("~", f"moved {_said(first.said)} {side}")
            case Changed():
                yield Line("~", self._changed([each for each in edits if isinstance(each, Changed)]))
            case Rewired():
                yield from self._rewired(first)
            case Ends(what, (ours, theirs)):
                told = [", ".join(self._name(side, name) for name in names) or "none"
                        for side, names in ((self.before, ours), (self.after, theirs))]  # fmt: skip
                yield Line("~", f"{what}: {told[0]} -> {told[1]}")
            case Setting():
                yield setting(first)

    def _name(self, side: Side, name: str) -> str:
        return f"`{harmless(side.title(name))}`"

    def _names(self, side: Side, names: Sequence[str]) -> str:
        shown = ", ".join(self._name(side, name) for name in names[:MOST_NAMED])
        return shown + (f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else "")

    def _blocks(self, side: Side, units: Sequence[Unit]) -> str:
        """How many blocks of a definition, and which layers with weights most of them are of, or which layers."""
        kinds = Counter[tuple[str, ...]]()
        for unit in units:
            layers = [name for name in unit.names if side.net.node(name).layer.weighted] or unit.names
            kinds[tuple(operation(side.net.node(name).layer, side.net.shapes[name]) for name in layers)] += 1
        ((words, count),) = kinds.most_common(1)
        which = "" if count == len(units) else f"{count} of "
        return f"{len(units)} block{'s' * (len(units) > 1)} `{harmless(units[0].kind)}` ({which}{_said(words)})"

    def _counted(self, edits: Sequence[Counted]) -> str:
        first = edits[0]
        before, after = first.count
        side = self.after if after > before else self.before
        block = "" if first.block.startswith("repeat") else first.block
        whose = [edit.where[-1] if edit.where else block or edit.block for edit in edits]
        told = ", ".join(f"`{harmless(name)}`" for name in dict.fromkeys(whose))
        several = len({edit.count for edit in edits}) > 1
        counts = [", ".join(str(edit.count[at]) for edit in (edits if several else edits[:1])) for at in (0, 1)]
        told += f": {'each ' if len(edits) > 1 and not several else ''}{counts[0]} -> {counts[1]} "
        if first.single:
            told += f"times `{said(side, first.layers[0])}`"
        else:
            told += f"blocks `{block}`" if block and first.where else "blocks"
        return told if first.alike else f"{told}, {self._place(side, first.place)}"

    def _place(self, side: Side, place: Place) -> str:
        if place.after:
            return f"after {self._names(side, place.after)}"
        return f"before {self._names(side, place.before)}" if place.before else "alone"

    def _added(self, sign: str, edits: Sequence[Added]) -> str:
        first = edits[0]
        side = self.before if sign == "-" else self.after
        block = first.blocks[0] if len(first.blocks) == len(edits) == 1 else ""
        what = f"block `{harmless(block)}`" if block else _said(first.said)
        word = "removed" if sign == "-" else "added"
        if first.branch:
            whose = "of each of " if len(edits) > 1 else "of "
            return f"{word} a branch {whose}{self._names(side, [edit.branch for edit in edits])}: {what}"
        if len(edits) > 1:
            after = [edit.place.after[0] for edit in edits if edit.place.after]
            return f"{word} {len(edits)} times {what}, after {self._names(side, after)}"
        return f"{word} {what} {self._between(side, first.place)}"

    def _between(self, side: Side, place: Place) -> str:
        if place.after and place.before:
            return f"between {self._names(side, place.after)} and {self._names(side, place.before)}"
        return self._place(side, place) + (" at the end" if place.after else "")

    def _replaced(self, edits: Sequence[Replaced]) -> str:
        (ours, theirs), names = edits[0].said, [edit.layers[1][0] for edit in edits]
        return f"{self._names(self.after, names)}: {_said(ours)} -> {_said(theirs)}"

    def _changed(self, edits: Sequence[Changed]) -> str:
        names = [name for edit in edits for _, name in edit.layers]
        counted = [(edit, len(edit.layers)) for edit in edits]
        values = []
        for param in edits[0].values:
            told = Counter[str]()
            for edit, count in counted:
                told[_change(edit.values[param])] += count
            several = len(told) > 1
            each = ", ".join(f"{value} ({count})" if several else value for value, count in told.items())
            values.append(f"{param} {each}")
        op = edits[0].op
        whose = f"all {len(names)} {op}" if len(edits) == 1 and edits[0].every and len(names) > MOST_NAMED else ""
        if not whose:
            call = self.after.around.get(names[0], ())[:1]
            whose = self._names(self.after, names) if len(names) <= MOST_NAMED else f"{len(names)} {op}"
            if len(names) > MOST_NAMED:
                one = call and all(self.after.around.get(name, ())[:1] == call for name in names)
                whose += f" in `{call[0]}`" if one else f" ({self._names(self.after, names)})"
        return f"{whose}: {', '.join(values)}"

    def _rewired(self, edit: Rewired) -> Iterator[Line]:
        _, other = edit.layer
        name = self._name(self.after, other)
        ours, theirs = self._names(self.before, edit.reads[0]), self._names(self.after, edit.reads[1])
        if edit.shares[0] is None and edit.shares[1] is not None:
            yield Line("~", f"{name} uses the weights of {self._name(self.after, edit.shares[1])}")
        elif edit.shares[1] is None and edit.shares[0] is not None:
            yield Line(
                "~", f"{name} has weights of its own instead of those of {self._name(self.before, edit.shares[0])}"
            )
        elif edit.shares[1] is not None:
            yield Line("~", f"{name} uses the weights of {self._name(self.after, edit.shares[1])} instead of others")
        if edit.other:
            yield Line("~", f"{name} reads {theirs} instead of {ours}")


def changes(values: Mapping[str, Change]) -> str:
    """Parameters with their values before and after: `filters 64 -> 96`."""
    return ", ".join(f"{name} {_change(change)}" for name, change in values.items())


def _change(values: tuple[object, object]) -> str:
    ours, theirs = (_value(value) for value in values)
    return f"{ours} -> {theirs}"


def _value(value: object) -> str:
    if value is None:
        return "none"
    if isinstance(value, tuple) and any(part is None for part in value):
        return "x".join("?" if part is None else str(part) for part in value)
    return harmless(value if isinstance(value, str) else show(value))


def _said(words: Sequence[str]) -> str:
    """Layers in words, those that come again in a row once."""
    runs = [(word, len(list(group))) for word, group in groupby(words)]
    shown = ["`" + harmless(word) + "`" + (f" x {count}" if count > 1 else "") for word, count in runs[:MOST_SAID]]
    more = len(words) - sum(count for _, count in runs[:MOST_SAID])
    return ", ".join(shown) + (f" and {more} more layers" if more else "")


def setting(edit: Setting) -> Line:
    """A line of `data` or `train` in words."""
    ours, theirs = edit.text
    if ours is None or theirs is None:
        sign, word = ("+", "added") if ours is None else ("-", "removed")
        if edit.line == edit.section:
            return Line(sign, f"{word} `{edit.section}`")
        return Line(sign, f"{edit.section}: {word} `{harmless(ours or theirs or '')}`")
    if edit.values:
        return Line("~", f"{edit.section}: {edit.line}: {changes(edit.values)}")
    return Line("~", f"{edit.section}: `{harmless(ours)}` -> `{harmless(theirs)}`")
