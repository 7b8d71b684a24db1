"""A network as papers tell it: one path of layers from the input to the output, with shortcuts beside it.

The columns and tables of papers have a row for each convolution, pooling and fully connected layer. What stands between
two of them (normalisation, activation, dropout, the sum a shortcut ends in) belongs to the one before. Where paths
meet, the path goes on along the operand with the most weighted layers after it. It is read from the network, not from
its structure, which knows a shortcut only where it is written as a branch: `add block1` ends one too.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from netc.analysis.depth import trunk
from netc.diagnostics.escape import harmless
from netc.figures.facts import parts, times
from netc.figures.styles import FigureError
from netc.ir.net import Net, Node
from netc.ir.shape import Shape, rank_of
from netc.layers.base import Layer
from netc.layers.kinds import Sized
from netc.layers.sliding import spread
from netc.report.label import dilation, groups, sliding


@dataclass(slots=True)
class Unit:
    """A layer of the path with what follows it up to the next one; `names` are all of them, in order.

    `shape` is that of the layer's own output, `joined` the one after the sums and concatenations that follow.
    """

    node: Node
    shape: Shape
    joined: Shape
    names: list[str] = field(default_factory=list)

    @property
    def layer(self) -> Layer:
        """The layer that is drawn."""
        return self.node.layer


@dataclass(frozen=True, slots=True)
class Shortcut:
    """A line that skips layers: it leaves after unit `start` and ends after unit `end` in the layer `into`, through the
    layers `via`. `changes` says that its tensor has another shape where it ends.
    """

    start: int
    end: int
    via: tuple[Node, ...]
    into: Node
    changes: bool

    @property
    def span(self) -> range:
        """The places that it skips, one at least."""
        return range(self.start, max(self.end, self.start + 1))

    @property
    def look(self) -> str:
        """How its line is drawn."""
        return "dotted" if self.changes else "skip"


LINES = (("skip", "shortcut"), ("dotted", "shortcut whose dimensions change"))  # look, and what the legend says


def lines(shortcuts: Sequence[Shortcut]) -> list[tuple[str, str]]:
    """The looks among lines that skip layers, and what each means: where not all are summed, where they end says what
    becomes of them."""
    word = "shortcut" if all(line.into.layer.residual for line in shortcuts) else "skip connection"
    looks = {line.look for line in shortcuts}
    return [(look, text.replace("shortcut", word)) for look, text in LINES if look in looks]


@dataclass(slots=True)
class Trunk:
    """The path, and the shortcuts in the order in which they end."""

    net: Net
    units: list[Unit]
    shortcuts: list[Shortcut] = field(default_factory=list)


def is_own(layer: Layer) -> bool:
    """Whether a layer gets a row of its own."""
    return not layer.beside


def read(net: Net, style: str, own: Callable[[Layer], bool] = is_own) -> Trunk:
    """The path of a network, with a unit for each layer that is `own`. Raises `FigureError` for one that is more than a
    path with shortcuts."""
    if len(net.inputs) != 1 or len(net.outputs) != 1:
        counts = f"{_count(net.inputs, 'input')} and {_count(net.outputs, 'output')}"
        raise _refusal(net, style, f"has {counts}, and the style shows networks with one of each")
    names = trunk(net)
    units, places = units_of(net, names, own)
    made, seen = Trunk(net, units), set(names)
    for before, name in pairwise(names):
        operands = list(net.operands(name))
        operands.reverse()
        operands.remove(before)  # its last mention: the path itself
        for operand in reversed(operands):
            via, source = _branch(net, operand, places, style)
            if any(node.name in seen for node in via):
                raise _refusal(net, style, f"uses `{via[-1].name}`, which is beside its path, more than once")
            seen.update(node.name for node in via)
            shortcut = Shortcut(
                places[source], places[name], via, net.node(name), net.shapes[source] != net.shapes[operand]
            )
            if shortcut.start < shortcut.end or any(is_own(node.layer) for node in via):
                made.shortcuts.append(shortcut)
    if left := next((node.name for node in net if node.name not in seen), None):
        raise _refusal(net, style, f"has layers beside its path, at `{left}`, that are no shortcut")
    return made


def _branch(net: Net, name: str, path: Container[str], style: str) -> tuple[tuple[Node, ...], str]:
    """The layers of a shortcut that ends in a layer, in order, and the layer of the path where it begins."""
    via: list[Node] = []
    while name not in path:
        via.append(net.node(name))
        operands = net.operands(name)
        if len(operands) != 1 or sum(node.layer.weighted for node in via) > 1:
            raise _refusal(net, style, f"branches, at `{via[0].name}`, into more than a path with shortcuts")
        name = operands[0]
    return tuple(reversed(via)), name


def units_of(net: Net, names: Iterable[str], own: Callable[[Layer], bool]) -> tuple[list[Unit], dict[str, int]]:
    """A unit for the first of the layers of a path and each that is `own`, and by name the index of each layer's."""
    units: list[Unit] = []
    places: dict[str, int] = {}  # name -> index of its unit
    for name in names:
        node = net.node(name)
        if not units or own(node.layer):
            units.append(Unit(node, net.shapes[name], net.shapes[name]))
        elif node.layer.family == "merge":
            units[-1].joined = net.shapes[name]
        units[-1].names.append(name)
        places[name] = len(units) - 1
    return units, places


def _refusal(net: Net, style: str, what: str) -> FigureError:
    return FigureError(f"the style {style} cannot show {harmless(net.name)}: it {what}; the style graph shows it")


def _count(names: Sequence[str], word: str) -> str:
    return f"{len(names)} {word}" + ("" if len(names) == 1 else "s")


def stages(sizes: Sequence[object]) -> list[range]:
    """Runs of equal sizes, as ranges of indices."""
    starts = [at for at, size in enumerate(sizes) if not at or size != sizes[at - 1]]
    return [range(start, end) for start, end in pairwise([*starts, len(sizes)])]


def short(layer: Layer, shape: Shape) -> str:
    """A layer with its output shape as the rows of tables say it: `3×3, 64`, `fc 4096`, `3×3 max pool, /2`."""
    if layer.mark is None:
        return parts(layer, shape)[0]
    said = [layer.mark + sliding(layer, shape), str(shape[-1]), groups(layer), dilation(layer)]
    return times(", ".join(filter(None, said)))


def kernel(layer: Layer, shape: Shape) -> str:
    """The window of a layer that has one: `3×3`."""
    size: Sized = vars(layer)["kernel"]
    return "×".join(map(str, spread(size, rank_of(shape))))
