"""What is drawn of a network: cells, which stand for maps, and arrows, which carry the operations between them.

- An element-wise operation belongs to the map that it changes, unless others read that map as it was: then it goes
  with the arrow that it begins.
- What resamples on its way into a merge goes with its arrow, and so does a 1×1 convolution that stands beside the
  main path (the lateral one of a feature pyramid) or before an upsampling. Pools do too, unless they get cells.
- In blocks (`fold`), a chain that ends in a sum with its beginning becomes one part, and parts in a row one cell.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from netc.figures.grid.rows import find
from netc.ir.net import Net, Node
from netc.ir.shape import Shape, channels_of, rank_of
from netc.layers.base import Layer
from netc.program import Program


@dataclass(slots=True)
class Part:
    """A map of a cell: the layer `main` that makes it and those that belong to it (`names`, in order). With `inner`
    maps it is a residual block of them, whose shortcut has the layers `shortcut`."""

    main: str
    names: list[str]
    inner: list[Part] = field(default_factory=list)
    shortcut: list[str] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class Cell:
    """What stands at one place: maps in a row that nothing else reads but the last.

    `head` says what its first part is: "map", "sum" (any merge that keeps its operands' channels) or "concat".
    """

    head: str
    parts: list[Part]
    arrows: list[Arrow] = field(default_factory=list)  # those that end in it, in the order of operands
    readers: list[Arrow] = field(default_factory=list)
    row: int = 0
    level: float = 0.0  # halvings below the finest map
    size: str = ""  # of its map, where that is not what its row says

    @property
    def names(self) -> list[str]:
        """Its layers."""
        return [name for part in self.parts for name in part.names]

    @property
    def output(self) -> str:
        """The layer whose output is read."""
        return self.parts[-1].names[-1]

    @property
    def is_bare(self) -> bool:
        """Whether it is no more than a merge that is drawn as its sign."""
        return self.head == "sum"


@dataclass(slots=True, eq=False)
class Arrow:
    """The way of a tensor from a cell into another one, through the layers `via`."""

    source: Cell
    target: Cell
    via: list[str]

    @property
    def falls(self) -> float:
        """Halvings from the map of its source down to that of its target: above 0 to a coarser one."""
        return self.target.level - self.source.level


@dataclass(slots=True)
class Plan:
    """The cells of a network in its order, what its rows are called, and how many halvings each is below the first."""

    cells: list[Cell]
    labels: list[str]
    levels: list[float]


def reduce(program: Program, *, pools: bool = False, blocks: bool = False, stem: bool = False) -> Plan:
    """What is drawn: with a cell for each of the `pools` that come between two maps, in `blocks`, or with the `stem`
    above the first row in which something branches in one row."""
    reader = _Reader(program.net, pools)
    reader.read()
    cells = reader.cells
    rows = find(program.net, [part.main for cell in cells for part in cell.parts])
    for cell in cells:
        cell.row = rows.of[cell.parts[0].main]
        cell.level = rows.heights[cell.row]
    if blocks:
        cells = _chains(program.net, _residuals(program.net, cells))
    plan = Plan(cells, rows.labels, rows.heights)
    if stem:
        _join_stem(plan)
    return plan


def step(net: Net, node: Node) -> float:
    """How many times as large, over all axes, a layer makes a map: below 1 for smaller ones."""
    return _step(node.layer, net.operand_shapes(node.name))


@lru_cache(maxsize=4096)  # equal layers are most of a deep network
def _step(layer: Layer, inputs: tuple[Shape, ...]) -> float:
    factor = 1.0
    for window in layer.windows(inputs) or ():
        factor *= window.up / window.stride
    return factor


def resamplers(net: Net, arrow: Arrow) -> list[str]:
    """The layers of an arrow that change the size of its map: on its way, and the one that makes the map it ends in."""
    target = arrow.target
    names = [*arrow.via, *([target.parts[0].main] if target.head == "map" else [])]
    return [name for name in names if step(net, net.node(name)) != 1]


def segment_look(arrow: Arrow) -> str:
    """How the segment of an operand of a concatenation looks: hollow where it was only copied there."""
    return "conv" if arrow.via or arrow.falls else "grid.copied"


def is_learned(net: Net, name: str) -> bool:
    """Whether a layer has weights."""
    return _is_learned(net.node(name).layer, net.operand_shapes(name))


@lru_cache(maxsize=4096)
def _is_learned(layer: Layer, inputs: tuple[Shape, ...]) -> bool:
    return bool(layer.weights(inputs))


def is_twin(net: Net, names: Iterable[str]) -> bool:
    """Whether layers have weights, and none but those of others."""
    learned = [name for name in names if is_learned(net, name)]
    return bool(learned) and all(net.node(name).shares for name in learned)


def is_pointwise(net: Net, name: str) -> bool:
    """Whether each position of a layer's output reads one position of its input, with weights between channels."""
    layer, inputs = net.node(name).layer, net.operand_shapes(name)
    windows = layer.windows(inputs) if layer.slides and len(inputs) == 1 else None
    return bool(windows) and is_learned(net, name) and all(w.size * w.stride * w.up == 1 for w in windows or ())


def is_concat(net: Net, name: str) -> bool:
    """Whether a merge sets its operands side by side."""
    channels = [channels_of(shape) for shape in net.operand_shapes(name)]
    return len(channels) > 1 and sum(channels) == channels_of(net.shapes[name])


def _is_elementwise(net: Net, node: Node) -> bool:
    """Whether a layer changes values only, each by itself or by a rule of its channel."""
    operands = net.operand_shapes(node.name)
    layer = node.layer
    return layer.beside and len(operands) == 1 and operands[0] == net.shapes[node.name]


class _Reader:
    """Cells and arrows of a network, one for each map."""

    def __init__(self, net: Net, pools: bool) -> None:
        self.net, self.pools = net, pools
        self.cells: list[Cell] = []
        self._ends: dict[str, tuple[Cell, list[str]]] = {}  # layer -> the cell it is in or comes from, and the way
        self._merging = self._into_merges()

    def read(self) -> None:
        """Read all layers."""
        for node in self.net:
            operands = self.net.operands(node.name)
            if len(operands) == 1:
                self._single(node, operands[0])
            else:
                head = "map" if not operands else "concat" if is_concat(self.net, node.name) else "sum"
                self._cell(node.name, head, operands)

    def _into_merges(self) -> dict[str, bool]:
        """Whether a layer leads to a merge and nowhere else, through layers that may go with an arrow; and whether one
        of these resamples."""
        found: dict[str, bool] = {}
        for node in reversed(list(self.net)):
            readers = self.net.consumers(node.name)
            if len(readers) != 1 or node.name in self.net.outputs or len(self.net.operands(node.name)) != 1:
                continue
            (reader,) = readers
            if len(self.net.operands(reader)) > 1:
                found[node.name] = step(self.net, node) != 1
            elif reader in found and self._may_go(self.net.node(reader)):
                found[node.name] = found[reader] or step(self.net, node) != 1
        return found

    def _may_go(self, node: Node) -> bool:
        """Whether a layer may go with an arrow into a merge."""
        if not rank_of(self.net.shapes[node.name]) or not rank_of(self.net.operand_shapes(node.name)[0]):
            return False
        return not is_learned(self.net, node.name) or step(self.net, node) != 1 or _is_elementwise(self.net, node)

    def _goes(self, node: Node, before: str) -> bool:
        """Whether a layer goes with the arrow that begins at or passes the layer before it."""
        net, name = self.net, node.name
        if len(net.consumers(name)) != 1 or name in net.outputs:
            return False
        if name in self._merging:
            return self._may_go(node) or (is_pointwise(net, name) and self._is_lateral(name, before))
        if is_learned(net, name) and not node.layer.beside:
            return False
        resamples = step(net, node) != 1
        return not self.pools if resamples else node.layer.beside

    def _is_lateral(self, name: str, before: str) -> bool:
        """Whether a 1×1 convolution on its way into a merge stands before an upsampling, or beside the main path: a
        shortcut, or a way along a row into a merge of several rows."""
        if self._merging[name] or len(self.net.consumers(before)) == 1:
            return self._merging[name]
        merge = name
        while len(self.net.operands(merge)) == 1:
            (merge,) = self.net.consumers(merge)
        return not is_concat(self.net, merge) or any(self._merging.get(each) for each in self.net.operands(merge))

    def _single(self, node: Node, operand: str) -> None:
        source, via = self._ends[operand]
        alone = len(self.net.consumers(operand)) == 1 and operand not in self.net.outputs
        if _is_elementwise(self.net, node) and not via and alone and source.output == operand:
            source.parts[-1].names.append(node.name)
            self._ends[node.name] = source, []
        elif self._goes(node, operand):
            if any((step(self.net, self.net.node(name)) - 1) * (step(self.net, node) - 1) < 0 for name in via):
                source, via = self._passing(source, via), []  # it turns back: what it turns at is a map of its own
            self._ends[node.name] = source, [*via, node.name]
        else:
            self._cell(node.name, "map", (operand,))

    def _cell(self, name: str, head: str, operands: Sequence[str]) -> Cell:
        cell = Cell(head, [Part(name, [name])])
        seen: set[int] = set()
        for operand in operands:
            source, via = self._ends[operand]
            if id(source) in seen and via:  # two ways from one cell to another: the later one gets a cell to pass
                source, via = self._passing(source, via), []
            seen.add(id(source))
            arrow = Arrow(source, cell, via)
            cell.arrows.append(arrow)
            source.readers.append(arrow)
        self.cells.append(cell)
        self._ends[name] = cell, []
        return cell

    def _passing(self, source: Cell, via: Sequence[str]) -> Cell:
        """A cell for what goes with an arrow: its last layer that is more than element-wise, and what follows that."""
        at = max((at for at, name in enumerate(via) if not _is_elementwise(self.net, self.net.node(name))), default=0)
        cell = Cell("map", [Part(via[at], list(via[at:]))])
        arrow = Arrow(source, cell, list(via[:at]))
        cell.arrows.append(arrow)
        source.readers.append(arrow)
        self.cells.append(cell)
        return cell


def _join_stem(plan: Plan) -> None:
    """Set the rows above the first one in which something branches into one row: each has few maps, and is high."""
    branching = [cell.row for cell in plan.cells if len(cell.readers) > 1 or len(cell.arrows) > 1]
    last = min(branching, default=0) - 1
    stem = [cell for cell in plan.cells if cell.row <= last]
    if last < 1 or any(arrow.target.row < arrow.source.row for cell in stem for arrow in cell.readers):
        return
    for cell in plan.cells:
        cell.size = plan.labels[cell.row] if 0 < cell.row <= last else ""
        cell.row = max(cell.row - last, 0)
    plan.labels = [plan.labels[0], *plan.labels[last + 1 :]]
    plan.levels = [plan.levels[0], *plan.levels[last + 1 :]]


# -- blocks --------------------------------------------------------------------------------------------------


def _residuals(net: Net, cells: Sequence[Cell]) -> list[Cell]:
    """Cells with each chain that ends in a sum with its beginning, in one row, as one cell of one part."""
    gone: set[int] = set()
    for cell in cells:
        block = _residual(net, cell)
        if block is None:
            continue
        chain, shortcut = block
        first = chain[0]
        for each in chain:  # what is element-wise before a map belongs to it here
            (arrow,) = each.arrows
            if all(_is_elementwise(net, net.node(name)) for name in arrow.via):
                each.parts[0].names[:0] = arrow.via
                arrow.via = []
        inner = [part for each in chain for part in each.parts]
        names = [name for part in inner for name in part.names]
        extra = [name for each in chain[1:] for arrow in each.arrows for name in arrow.via]
        extra += [name for arrow in cell.arrows if arrow is not shortcut for name in arrow.via]
        first.parts = [Part(first.parts[0].main, [*shortcut.via, *names, *extra, *cell.names], inner, shortcut.via)]
        shortcut.source.readers.remove(shortcut)
        _take_over(first, cell)
        gone.update(id(each) for each in [*chain[1:], cell])
    return [cell for cell in cells if id(cell) not in gone]


def _residual(net: Net, cell: Cell) -> tuple[list[Cell], Arrow] | None:
    """The chain of a residual block that a sum ends, and the arrow of its shortcut."""
    if cell.head != "sum" or len(cell.arrows) != 2 or net.shapes[cell.output] == ():
        return None
    for shortcut, way in (cell.arrows, cell.arrows[::-1]):
        arrow, at = way, way.source
        chain: list[Cell] = []
        while at is not shortcut.source and len(at.readers) == 1 and len(at.arrows) == 1 and at.head == "map":
            if at.row != cell.row or at.parts[0].inner or any(step(net, net.node(name)) != 1 for name in arrow.via):
                break
            chain.append(at)
            (arrow,) = at.arrows
            at = arrow.source
        if at is shortcut.source and chain and not any(name in net.outputs for each in chain for name in each.names):
            return chain[::-1], shortcut
    return None


def _chains(net: Net, cells: Iterable[Cell]) -> list[Cell]:
    """Cells with those joined that follow each other in a row and are read by nothing else."""
    made: list[Cell] = []
    joined: dict[int, Cell] = {}
    for cell in cells:
        before = cell.arrows[0].source if len(cell.arrows) == 1 else None
        before = joined.get(id(before), before)
        if before is None or not _continues(net, before, cell):
            made.append(cell)
            continue
        cell.parts[0].names[:0] = cell.arrows[0].via
        before.parts += cell.parts
        _take_over(before, cell)
        joined[id(cell)] = before
    return made


def _continues(net: Net, before: Cell, cell: Cell) -> bool:
    """Whether a cell is drawn as one with the cell before it."""
    if len(before.readers) != 1 or before.row != cell.row or before.is_bare or cell.head != "map":
        return False
    if (
        not before.arrows
        or before.output in net.outputs
        or any(step(net, net.node(n)) != 1 for n in cell.arrows[0].via)
    ):
        return False
    last = is_pointwise(net, cell.parts[0].main) and not cell.parts[0].inner
    return not (last and (not cell.readers or before.parts[-1].inner))


def _take_over(cell: Cell, last: Cell) -> None:
    """Let what reads the last cell of a chain read the cell that stands for it."""
    cell.readers = last.readers
    for arrow in cell.readers:
        arrow.source = cell
