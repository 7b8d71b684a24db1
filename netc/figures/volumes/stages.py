"""Slabs in stages: what papers draw close together and say one thing of, such as three convolutions and their pool."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby, pairwise, takewhile
from string import digits

from netc.analysis.structure import Group, Series, calls_around
from netc.figures.facts import times, word
from netc.figures.volumes.parts import Slab
from netc.ir.net import Net
from netc.report.label import window_size

_LONGEST = 6  # layers of a block that is told with a count


@dataclass(slots=True, eq=False)
class Stage:
    """Slabs side by side, and what the spec calls them."""

    slabs: list[Slab]
    name: str = ""
    call: str = ""  # the outermost call around it
    shown: list[Slab] = field(default_factory=list)  # those that are drawn

    @property
    def body(self) -> list[Slab]:
        """The layers that it is told by: not the pools, and not what is copied; all, if there are no others."""
        return [slab for slab in self.slabs if not slab.copied and not slab.thin] or self.slabs[:1]

    @property
    def is_bar(self) -> bool:
        """Whether it is one vector."""
        return self.slabs[0].is_bar


def group(slabs: Sequence[Slab], whole: Series) -> list[Stage]:
    """The stages of a row of slabs, in order; `whole` is the structure of the network."""
    calls, inner = _calls(slabs, whole)
    stages: list[Stage] = []
    owners: list[list[_Call | None]] = []
    for at, slab in enumerate(slabs):
        if not at or _begins(slabs[at - 1], slab, owners[-1], calls[at], stages[-1], at == len(slabs) - 1):
            stages.append(Stage([]))
            owners.append([])
        stages[-1].slabs.append(slab)
        if not slab.copied:
            owners[-1].append(calls[at])
    for stage, groups in zip(stages, owners, strict=True):
        stage.name = _name(stage, groups, inner)
        stage.call = inner.get(stage.slabs[-1].node.name, "").removesuffix("_")
    return stages


def _begins(
    before: Slab, slab: Slab, groups: list[_Call | None], call: _Call | None, stage: Stage, final: bool
) -> bool:
    """Whether a stage begins with a slab; `groups` are the calls of the one before it. A `final` map is the output."""
    last = groups[-1] if groups else None
    if slab.copied:
        return False
    if before.kind == "input" or slab.kind == "input" or slab.is_bar or before.is_bar:
        return True
    if slab.kind == "pool" and before.kind != "pool":
        return False
    if call is not None and call is last:
        return False
    if before.kind == "pool":
        return True
    if before.shape[:-1] != slab.shape[:-1]:
        return True
    if all(each.copied or each.kind in ("up", "upsample") for each in stage.slabs):
        return False
    if final and call is None and slab.output:
        return False
    return call is not last and (call is None or last is None or not call.follows(last))


@dataclass(slots=True, eq=False)
class _Call:
    """A call of a definition, and the slabs of a row that it made."""

    group: Group
    slabs: list[Slab] = field(default_factory=list)

    @property
    def changes(self) -> int:
        """How often the size changes in it, not counting the pools."""
        sizes = [slab.shape[:-1] for slab in self.slabs if slab.kind != "pool"]
        return sum(a != b for a, b in pairwise(sizes))

    def is_in(self, slabs: Sequence[Slab]) -> bool:
        """Whether all its slabs but pools are among some."""
        return all(slab in slabs for slab in self.slabs if slab.kind != "pool")

    def follows(self, other: _Call) -> bool:
        """Whether it is told with the call before it, as `inception ×2`: of one definition, which makes one slab, or
        tensors of one shape."""
        if self.group.definition != other.group.definition or self.changes or other.changes:
            return False
        if self.slabs[0].shape[:-1] != other.slabs[0].shape[:-1]:
            return False
        return len(self.slabs) == len(other.slabs) == 1 or self.slabs[-1].shape == other.slabs[-1].shape


def _calls(slabs: Sequence[Slab], whole: Series) -> tuple[list[_Call | None], dict[str, str]]:
    """For each slab the outermost call that made it and changes the size at its beginning at most; and what the names
    of layers begin with because of the calls around them."""
    paths = calls_around(whole)
    calls: dict[int, _Call] = {}
    found: list[list[_Call]] = []
    for slab in slabs:
        path = () if slab.copied else paths.get(slab.node.name, ())
        found.append([calls.setdefault(id(group), _Call(group)) for group in path])
        for call in found[-1]:
            call.slabs.append(slab)
    least = {id(call): call.changes for call in calls.values()}
    prefixes = {slab.node.name: f"{path[0].group.name}_" for slab, path in zip(slabs, found, strict=True) if path}
    return [next((call for call in path if least[id(call)] <= 1), None) for path in found], prefixes


def _name(stage: Stage, calls: Sequence[_Call | None], prefixes: Mapping[str, str]) -> str:
    """What the spec calls a stage: the call that made it, or its layers."""
    first = stage.slabs[0]
    if stage.is_bar and first.node.layer.family == "pool":
        return word(first.node.layer).removeprefix("global ")
    own = [slab for slab in stage.slabs if not slab.copied]
    named = [call.group for call in dict.fromkeys(calls) if call is not None and call.is_in(own)]
    if len(named) == 1:
        return named[0].name
    if named and len({call.definition for call in named}) == 1:
        return f"{named[0].definition} ×{len(named)}"
    if named:
        return f"{named[0].name} – {named[-1].name}"
    names = [slab.node.name.removeprefix(prefixes.get(slab.node.name, "")) for slab in stage.body]
    if len(names) == 1:
        return names[0]
    if prefix := "_".join(_beginning([name.split("_") for name in names])):
        return prefix
    heads = {name.rstrip(digits) for name in names}
    if len(heads) == 1 and not heads & set(names):  # `conv1`, `conv2` ... are numbers of one word
        return f"{names[0]}–{names[-1].removeprefix(heads.pop())}"
    return ", ".join(names) if len(names) == 2 else f"{names[0]} – {names[-1]}"


def _beginning(rows: Sequence[Sequence[str]]) -> list[str]:
    """What all rows begin with."""
    return [level[0] for level in takewhile(lambda level: len(set(level)) == 1, zip(*rows, strict=False))]


# -- what its layers are -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Operation:
    """A layer in the words of papers: `3×3 conv`, its step (`/2`, "" for none), its groups."""

    text: str
    step: str = ""
    groups: int = 1

    def __str__(self) -> str:
        return self.text + (f", {self.step}" if self.step else "") + self._groups(", {}")

    @property
    def unstepped(self) -> Operation:
        """It without its step."""
        return replace(self, step="")

    def short(self, word: str) -> str:
        """It without a word at its end that others say, and without a step: `3×3`, `3×3 in 32 groups`."""
        return self.text.removesuffix(f" {word}") + self._groups(" in {}")

    def _groups(self, form: str) -> str:
        return form.format(f"{self.groups} groups") if self.groups > 1 else ""


def operation(net: Net, slab: Slab) -> Operation:
    """What a slab is made by."""
    if slab.stripes:
        return Operation(f"{len(slab.stripes)} branches")
    layer, inputs = slab.node.layer, net.operand_shapes(slab.node.name)
    windows = layer.windows(inputs) if inputs else ()
    if not windows:
        return Operation(word(layer))
    size = times(window_size([each.size for each in windows])) + " " if layer.slides else ""
    steps = [each.stride for each in windows]
    up = [each.up for each in windows]
    step = "" if max(steps) == 1 else "/" + _one(steps)
    step = "×" + _one(up) if max(up) > 1 and not layer.slides else step
    gaps = [each.dilation for each in windows]
    text = size + word(layer) + (f", dilation {_one(gaps)}" if max(gaps) > 1 else "")
    return Operation(text, step, 1 if slab.depthwise else slab.groups)


def _one(values: Sequence[int]) -> str:
    return str(values[0]) if len(set(values)) == 1 else "×".join(map(str, values))


def told(operations: Sequence[Operation]) -> list[str]:
    """Lines that say the operations of a stage: runs with their counts, or a block with its count."""
    plain = [each.text for each in operations]
    if len(set(plain)) == 1:
        runs = [(each, len(list(run))) for each, run in groupby(operations)]
        if len(runs) > 2 or len({each.groups for each in operations}) > 1:
            runs = [(Operation(plain[0]), len(plain))]
        return [f"{each}" + (f" ×{count}" if count > 1 else "") for each, count in runs]
    period = next((step for step in range(2, min(_LONGEST, len(plain) // 2) + 1) if _repeats(plain, step)), 0)
    if period:
        strided = [at for at, each in enumerate(operations) if each.step]
        once = strided and strided[-1] < period
        block = joined([each.unstepped if once else each for each in operations[:period]])
        return [f"{block} ×{len(plain) // period}" + (f", first {operations[strided[0]].step}" if once else "")]
    if len(plain) <= _LONGEST:
        texts = [(str(each), len(list(run))) for each, run in groupby(operations)]
        if all(count == 1 for _, count in texts):
            return [joined(operations)]
        return [text + (f" ×{count}" if count > 1 else "") for text, count in texts]
    return [f"{len(plain)} layers"]


def joined(operations: Sequence[Operation]) -> str:
    """Operations in a row, the word that all end with said once: `1×1, 3×3 in 32 groups, 1×1 conv`."""
    texts = [each.text for each in operations]
    shared = {text.rpartition(" ")[2] for text in texts}
    alike = all(" " in each.text and "," not in each.text and not each.step for each in operations)
    if len(shared) == 1 and len(texts) > 1 and alike:
        ending = shared.pop()
        return ", ".join(each.short(ending) for each in operations) + " " + ending
    return ", ".join(map(str, operations))


def _repeats(parts: Sequence[str], period: int) -> bool:
    return len(parts) % period == 0 and all(part == parts[at % period] for at, part in enumerate(parts))


def flat(sizes: Iterable[str], channels: int, *, short: bool) -> str:
    """A shape: `112×112×128`, or in short `112²×128`."""
    sides = list(sizes)
    if short and all(side == "1" for side in sides):
        return str(channels)
    if short and len(sides) == 2 and sides[0] == sides[1] and sides[0].isdigit():
        return f"{sides[0]}²×{channels}"
    return "×".join([*sides, str(channels)])
