"""What the grid says: of each cell, of each arrow, and once in the legend what most of them have in common."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import count as count_from
from itertools import groupby

from netc.analysis.structure import Group, calls_around, structure
from netc.figures import facts
from netc.figures.grid.reduce import Arrow, Cell, Part, Plan, is_learned, resamplers, step
from netc.figures.scene import text_width
from netc.ir.net import Net
from netc.ir.shape import channels_of
from netc.program import Program

_USUAL = 0.6  # of the cells say the same: then the legend says it
_BREAKS = re.compile(r"(?= · )|(?<=, )")  # where a line under a cell may end
_PERIOD = 4  # parts of a cell that come again together, at most
_SEVERAL = 3  # arrows into a merge that carry the same
_WRITTEN = 3  # parts of a cell that are written out; of more, the first two and their number


@dataclass
class Words:
    """The texts of a figure."""

    program: Program
    plan: Plan
    widest: float = 90.0  # of a line under a cell, where it can be broken
    _named: dict[tuple[object, ...], str] = field(default_factory=dict)  # residual blocks by what they compute
    _mains: dict[str, str] = field(default_factory=dict)
    _lines: dict[int, list[str]] = field(default_factory=dict)  # by the id of the cell

    def __post_init__(self) -> None:
        self.net = self.program.net
        blocks = [part for cell in self.plan.cells for part in cell.parts if part.inner]
        after: dict[tuple[object, ...], Counter[tuple[str, ...]]] = defaultdict(Counter)
        for part in blocks:
            after[self._core(part)][self._after(part)] += 1
        self._usual_after = {core: counts.most_common(1)[0][0] for core, counts in after.items()}
        for part in blocks:
            self._name(part)

    # -- layers ----------------------------------------------------------------------------------------------

    def main(self, name: str) -> str:
        """A layer without its activation and its channels, which stand above: `3×3 conv, /2`."""
        if name not in self._mains:
            self._mains[name] = self._short(name)
        return self._mains[name]

    def _short(self, name: str) -> str:
        node, shape = self.net.node(name), self.net.shapes[name]
        first, *rest = facts.parts(node.layer, shape)[0].split(", ")
        kernel = first.split(" ")[0].removeprefix("k=").split("×")
        if step(self.net, node) != 1 and len(set(kernel)) == 1:  # windows side by side: the stride is their size
            rest = [text for text in rest if text[1:] != kernel[0]]
        if not kernel[0].isdigit() and len(first.split(" ")) > 1 and step(self.net, node) != 1:
            first = facts.word(node.layer)  # the arrow says the factor
        return ", ".join([first, *(text for text in rest if text != str(channels_of(shape)))])

    def tails(self, part: Part) -> tuple[str, ...]:
        """What follows the layer of a part: `("BN", "ReLU")`."""
        layer = self.net.node(part.main).layer
        own = facts.parts(layer, self.net.shapes[part.main])[1:]
        at = part.names.index(part.main)
        return (*own, *(self.main(name) for name in part.names[at + 1 :] if not self.net.node(name).layer.train_only))

    def dropped(self, cell: Cell) -> list[str]:
        """What a cell does in training only, beside what makes its maps: `dropout 0.5`."""
        mains = {part.main for part in cell.parts}
        nodes = [self.net.node(name) for name in cell.names if name not in mains]
        return list(dict.fromkeys(self.main(node.name) for node in nodes if node.layer.train_only))

    def before(self, part: Part) -> tuple[str, ...]:
        """What goes before the layer of a part: `("BN", "ReLU")` of a pre-activation."""
        return tuple(self.main(name) for name in part.names[: part.names.index(part.main)])

    def chain(self, names: Iterable[str]) -> str:
        """Layers one after the other: `1×1 conv · BN, upsample`."""
        return ", ".join(self._links(names))

    def _links(self, names: Iterable[str]) -> list[str]:
        """Layers one after the other, each with what follows it."""
        links: list[str] = []
        for name in names:
            layer = self.net.node(name).layer
            if layer.does_nothing(self.net.operand_shapes(name)):
                continue
            if layer.family in ("norm", "activation") and links:
                links[-1] += f" · {self.main(name)}"
            else:
                links.append(" · ".join([self.main(name), *facts.parts(layer, self.net.shapes[name])[1:]]))
        return links

    # -- cells -----------------------------------------------------------------------------------------------

    @cached_property
    def usual_tails(self) -> tuple[str, ...] | None:
        """What follows most convolutions, or None."""
        counts = Counter(self.tails(part) for part in self._maps() if self._is_conv(part))
        if not counts:
            return None
        tails, count = counts.most_common(1)[0]
        return tails if count >= _USUAL * counts.total() else None

    def _maps(self) -> Iterable[Part]:
        for cell in self.plan.cells:
            yield from (part for part in shown(self.net, cell) if not part.inner and cell.head == "map")

    def _is_conv(self, part: Part) -> bool:
        return self.net.node(part.main).layer.family == "conv"

    def part(self, part: Part) -> str:
        """A part in short: `3×3`, `1×1 · softmax`, `unit`."""
        if part.inner:
            return self._named[self._kind(part)]
        tails = self.tails(part)
        text = self.main(part.main)
        if self._is_conv(part):
            text = brief(text)
            if tails == self.usual_tails:
                return text
            tails = tails or ("linear",)
        return " · ".join([*self.before(part), text, *tails])

    def lines(self, cell: Cell) -> list[str]:
        """The text under a cell, in lines; empty where the legend says it."""
        if id(cell) not in self._lines:
            self._lines[id(cell)] = self._found(cell)
        return self._lines[id(cell)]

    def _found(self, cell: Cell) -> list[str]:
        if not cell.arrows and cell.head == "map":
            several = len(self.net.inputs) > 1
            return [cell.parts[0].main if several else "input"]
        size = [cell.size] if cell.size else []
        lines = [] if self.is_usual(cell) else self._opened(cell) if self._is_opened(cell) else list(self._said(cell))
        return [*(short for line in lines for short in broken(line, self.widest)), *self.dropped(cell), *size]

    def is_usual(self, cell: Cell) -> bool:
        """Whether a cell says what most do, which the legend says."""
        return self._said(cell) == self.usual

    def _is_opened(self, cell: Cell) -> bool:
        """Whether a cell is no more than a map that the arrow to it makes, by resampling."""
        part = cell.parts[0]
        single = cell.head == "map" and len(cell.parts) == 1 and not part.inner
        return single and step(self.net, self.net.node(part.main)) != 1

    def _opened(self, cell: Cell) -> list[str]:
        """What is said of such a cell: nothing where it is made as most are, else the window."""
        arrow = cell.arrows[0]
        if self.resampling(arrow) == self._usual_resampling[way_of(self.net, arrow)]:
            return []
        return [brief(self.main(cell.parts[0].main).split(", ")[0])]

    @cached_property
    def _usual_resampling(self) -> dict[tuple[bool, bool], tuple[str, ...]]:
        """What most arrows between rows do, by their way."""
        counts: dict[tuple[bool, bool], Counter[tuple[str, ...]]] = defaultdict(Counter)
        for cell in self.plan.cells:
            for arrow in cell.arrows:
                if text := self.resampling(arrow):
                    counts[way_of(self.net, arrow)][text] += 1
        return {way: found.most_common(1)[0][0] for way, found in counts.items()}

    def _said(self, cell: Cell) -> tuple[str, ...]:
        parts = shown(self.net, cell)
        parts = parts[1:] if cell.head == "concat" else parts
        if cell.head == "sum":
            rest = [text for name in cell.parts[0].names[1:] if (text := self.main(name))]
            sign = self.net.node(cell.parts[0].main).layer.symbol
            first = [*filter(None, [self.common(cell)]), *([] if sign else [self.main(cell.parts[0].main)])]
            return (*first, *(rest if rest != ["ReLU"] else []))
        lines: list[str] = []
        for is_block, group in groupby(parts, lambda part: bool(part.inner)):
            made = list(group)
            texts = [", ".join([self.part(part), *(self._more(part) if is_block else ())]) for part in made[:-1]]
            said = runs([*texts, self.part(made[-1])])
            if len(said) > _WRITTEN and not is_block:
                said = [*said[:2], f"… ({len(made)})"]
            more = self._more(made[-1]) if is_block else ()
            lines.append(", ".join([*said, *more]))
        return tuple(lines)

    @cached_property
    def usual(self) -> tuple[str, ...] | None:
        """What most cells with text say, if these are at least three."""
        counts = Counter(said for cell in self.plan.cells if cell.arrows and (said := self._said(cell)))
        if not counts:
            return None
        said, count = counts.most_common(1)[0]
        return said if count >= max(3, _USUAL * counts.total()) else None

    # -- residual blocks -------------------------------------------------------------------------------------

    @cached_property
    def _calls(self) -> dict[str, tuple[Group, ...]]:
        return calls_around(structure(self.program))

    def _core(self, part: Part) -> tuple[object, ...]:
        """What a block computes up to where its shortcut ends, but for its channels and its shortcut."""
        return self._formula(part), *((self.before(each), self._plain(each), self.tails(each)) for each in part.inner)

    def _kind(self, part: Part) -> tuple[object, ...]:
        """What a block computes, without what only some have after it."""
        after, more = self._after(part), self._more(part)
        return *self._core(part), after[: len(after) - len(more)]

    def _more(self, part: Part) -> tuple[str, ...]:
        """What follows a block beside what follows most of its kind."""
        after, usual = self._after(part), self._usual_after[self._core(part)]
        return after[len(usual) :] if after[: len(usual)] == usual else ()

    def _plain(self, part: Part) -> str:
        """A map of a block without its stride, which its arrow shows."""
        return self.main(part.main).split(", /")[0]

    def _name(self, part: Part) -> None:
        """Give a block the name of a definition that makes it and no more, else one of its own."""
        kind = self._kind(part)
        if kind in self._named:
            return
        whole = set(part.names)
        paths = [self._calls.get(name, ()) for name in (part.inner[0].main, part.names[-1])]
        common = [one for one, other in zip(*paths, strict=False) if one is other]
        name = "unit"
        if common:
            made = {name for name, path in self._calls.items() if common[-1] in path}
            name = common[-1].definition if made <= whole else name
        taken = set(self._named.values())
        number = next(n for n in range(1, len(taken) + 2) if (name if n == 1 else f"{name} {n}") not in taken)
        self._named[kind] = name if number == 1 else f"{name} {number}"

    def blocks(self) -> list[str]:
        """What each residual block is: `unit = x + (3×3 · BN · ReLU, 3×3 · BN), then ReLU`."""
        said: dict[str, str] = {}
        shortcuts: dict[str, set[str]] = {}
        for part in (part for cell in self.plan.cells for part in cell.parts if part.inner):
            name = self._named[self._kind(part)]
            maps = ", ".join(self._map(each) for each in part.inner)
            after, more = self._after(part), self._more(part)
            then = "".join(f", then {text}" for text in after[: len(after) - len(more)])
            said[name] = f"{name} = {self._formula(part).format(f'({maps})')}{then}"
            shortcuts.setdefault(name, set()).add(self.chain(part.shortcut))
        for name, kinds in shortcuts.items():
            if ways := sorted(kind for kind in kinds if kind):
                kernels = dict.fromkeys(way.split(",")[0] for way in ways)
                said[name] += f"; x by {' or '.join(kernels)} where its shape changes"
        return list(said.values())

    def _map(self, part: Part) -> str:
        text = self._plain(part)
        text = brief(text) if self._is_conv(part) else text
        return " · ".join([*self.before(part), text, *self.tails(part)])

    def _place_of_merge(self, part: Part) -> int:
        names = part.names
        return next(at for at, name in enumerate(names) if len(self.net.operands(name)) > 1)

    def _after(self, part: Part) -> tuple[str, ...]:
        """What follows where the shortcut of a block ends."""
        return tuple(self.main(name) for name in part.names[self._place_of_merge(part) + 1 :])

    def _formula(self, part: Part) -> str:
        """How a block joins what it is given, x, and what it makes of it: `x + {}`."""
        name = part.names[self._place_of_merge(part)]
        layer = self.net.node(name).layer
        if not layer.symbol:
            return f"{facts.word(layer)}(x, {{}})"
        first = self.net.operands(name)[0] in {each for one in part.inner for each in one.names}
        return f"{{}} {layer.symbol} x" if first and not layer.commutative else f"x {layer.symbol} {{}}"

    # -- arrows ----------------------------------------------------------------------------------------------

    def resampling(self, arrow: Arrow) -> tuple[str, ...]:
        """What an arrow between rows does, layer by layer with what follows each: `("3×3 conv, /2 · BN · ReLU",)`."""
        found = self._links(name for name in arrow.via if not self.net.node(name).layer.train_only)
        part = arrow.target.parts[0]
        if arrow.target.head == "map" and step(self.net, self.net.node(part.main)) != 1:
            own = part.inner[0] if part.inner else part
            found.append(" · ".join([self.main(own.main), *self.tails(own)]))
        return tuple(found)

    def common(self, cell: Cell) -> str:
        """What each of several arrows into a merge carries, which stands there once; empty where they differ."""
        texts = {tuple(self._carried(arrow)) for arrow in cell.arrows}
        return ", ".join(*texts) if cell.is_bare and len(cell.arrows) >= _SEVERAL and len(texts) == 1 else ""

    def beside(self, arrow: Arrow) -> list[str]:
        """The texts beside an arrow: all that it carries, or its dropout where the legend says the rest; none where it
        stands at its end."""
        return [] if self.common(arrow.target) else self._carried(arrow)

    def _carried(self, arrow: Arrow) -> list[str]:
        if not resamplers(self.net, arrow):
            text = self.chain(arrow.via)
            last = arrow.via[-1] if arrow.via else ""
            if any(is_learned(self.net, name) for name in arrow.via):
                first, *rest = text.split(" · ")
                text = " · ".join([f"{first}, {channels_of(self.net.shapes[last])}", *rest])
            return [text] if text else []
        return [self.main(name) for name in arrow.via if self.net.node(name).layer.train_only]


def runs(texts: Sequence[str]) -> list[str]:
    """Texts in order, each run of equal ones once with their count, and so what alternates: `(unit, unit 2) ×12`."""
    said: list[str] = []
    at = 0
    while at < len(texts):
        period, count = 1, 1
        for length in range(1, _PERIOD + 1):
            first = texts[at : at + length]
            times = next(n for n in count_from(1) if texts[at + n * length : at + (n + 1) * length] != first)
            if times > 1 and times * length > period * count:
                period, count = length, times
        one = ", ".join(texts[at : at + period])
        said.append(one if count == 1 else f"{one} ×{count}" if period == 1 else f"({one}) ×{count}")
        at += period * count
    return said


def brief(text: str) -> str:
    """A convolution without the word, where its window says that it is one: `3×3`."""
    return text.replace(" conv", "", 1) if "×" in text else text


def broken(text: str, widest: float) -> list[str]:
    """A text in lines that are not wider, if it has places to break it at."""
    lines: list[str] = []
    for part in _BREAKS.split(text):
        longer = (lines[-1] + part) if lines else part
        if lines and text_width(longer.rstrip(), 10) <= widest:
            lines[-1] = longer
        else:
            lines.append(part.removeprefix(" · "))
    return [line.rstrip() for line in lines]


def way_of(net: Net, arrow: Arrow) -> tuple[bool, bool]:
    """Whether an arrow leads down, and whether what resamples on it has weights."""
    return arrow.falls > 0, any(is_learned(net, name) for name in resamplers(net, arrow))


def shown(net: Net, cell: Cell) -> list[Part]:
    """The parts of a cell that are drawn in it: not a map that only opens it by resampling, which its arrow shows."""
    first, *rest = cell.parts
    opens = cell.head == "map" and rest and cell.arrows and not first.inner and step(net, net.node(first.main)) != 1
    return rest if opens else cell.parts
