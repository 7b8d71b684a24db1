"""What figures say about layers: labels as papers write them, tooltips, the header's numbers."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import PurePath

from netc.analysis.cost import Cost, NetCost, measure
from netc.analysis.receptive import Field, receptive_fields
from netc.analysis.sizes import text
from netc.analysis.sizes.trace import Extents, Formulas, formulas, named, total
from netc.figures.scene import Group, Item
from netc.ir.net import Node
from netc.ir.shape import Shape
from netc.ir.window import Window
from netc.layers.base import LAYERS, Layer
from netc.program import Program
from netc.report.label import kind
from netc.report.rows import line_of, node_line
from netc.report.summary import human, show_field, show_fields

_BY = re.compile(r"(?<=[\d?])x(?=[\d?])")


def times(text: str) -> str:
    """Sizes with a real multiplication sign: `32×32×3`."""
    return _BY.sub("×", text)


@lru_cache(maxsize=4096)
def show_extents(extents: Extents) -> str:
    """Sizes as figures write them: `32×32×3`, `⌈H/4⌉×⌈W/4⌉×64`."""
    return text.shape(extents, by="×")


def listed(texts: Sequence[str]) -> str:
    """Texts in a sentence: `BN, ReLU and dropout`."""
    return " and ".join(filter(None, [", ".join(texts[:-1]), *texts[-1:]]))


def word(layer: Layer | type[Layer]) -> str:
    """What papers call a layer, or a sign for it: `max pool`, `ReLU6`, `+`."""
    return layer.symbol or (layer.paper if isinstance(layer, type) else layer.called) or layer.op


@lru_cache(maxsize=4096)  # equal layers are most of a deep network
def label(layer: Layer, output: Shape) -> str:
    """A layer as tables of papers label it: `3×3 conv, 64, /2`, `fc 1000, softmax`, without a `usual` activation."""
    own, *activation = parts(layer, output)
    return own if LAYERS[getattr(layer, "act", "linear")].usual else ", ".join([own, *activation])


@lru_cache(maxsize=4096)
def parts(layer: Layer, output: Shape) -> tuple[str, ...]:
    """What a layer computes, in order, as papers say it: `("3×3 conv, 64, /2", "ReLU")`."""
    if layer.is_input:
        return (f"input {show_extents(named(output))}",)
    text = kind(layer, output, activation=False)
    if layer.enlarges:
        text = text.replace(", /", ", ×", 1)
    own = times(re.sub(rf"(?<![\w.]){re.escape(layer.op)}(?!\w)", word(layer), text, count=1))
    act = getattr(layer, "act", "linear")
    return (own,) if act == "linear" else (own, word(LAYERS[act]))


@lru_cache(maxsize=4096)
def kind_of(layer: Layer, output: Shape) -> str:
    """A layer in the words of the language: `3×3 conv, 64, /2, relu`."""
    if layer.is_input:
        return f"{layer.op} {show_extents(named(output))}"
    return times(kind(layer, output))


@dataclass
class Facts:
    """What is known of a program, measured once for a figure."""

    program: Program

    @cached_property
    def cost(self) -> NetCost:
        """Parameters, MACs, memory, depth."""
        return measure(self.program.net)

    @cached_property
    def fields(self) -> dict[str, Field]:
        """The receptive field of each layer."""
        return receptive_fields(self.program.net)

    @cached_property
    def _formulas(self) -> Formulas | None:
        return formulas(self.program.net) if self.program.net.is_open else None

    def extents(self, name: str) -> Extents:
        """The output shape of a layer, open sizes as formulas of those of the input; None where there is no formula."""
        return self.program.net.shapes[name] if self._formulas is None else self._formulas.shapes[name]

    def shape(self, name: str) -> str:
        """The output shape of a layer as figures write it: `56×56×64`, or `⌈H/4⌉×⌈W/4⌉×64` where sizes are open."""
        return show_extents(self.extents(name))

    def macs(self, names: Iterable[str] | None = None) -> str:
        """The multiply-accumulates of layers, or of all: `1.8 G`, `36.9 k·⌈H/4⌉·⌈W/4⌉`; empty for none, and where they
        are not known."""
        known, found = self.cost.layers, self._formulas
        chosen = known if names is None else names
        amount = total(known[name].macs if found is None else found.macs[name] for name in chosen)
        return text.brief(amount, human) if amount else ""

    def node_title(self, names: Sequence[str]) -> str:
        """The tooltip of layers that are drawn as one, in order: names, kinds, shapes, window, costs, place."""
        net = self.program.net
        first, last = names[0], names[-1]
        nodes = [net.node(name) for name in names]
        main = next((node for node in nodes if node.layer.weighted), nodes[0])
        kinds = ", ".join(kind_of(node.layer, net.shapes[node.name]) for node in nodes)
        inputs = " + ".join(dict.fromkeys(self.shape(operand) for operand in net.operands(first)))
        flow = f"{inputs} → {self.shape(last)}" if inputs else self.shape(last)
        cost = sum((self.cost.layers[name] for name in names), Cost())
        flow = ", ".join(filter(None, [flow, window(main.layer, net.operand_shapes(main.name))]))
        lines = [f"{main.name}: {kinds}", flow]
        if main.shares:
            lines.append(f"weights of {main.shares}")
        lines.append(
            ", ".join(
                filter(None, [counts(cost, self.macs(names)), f"receptive field {show_field(self.fields[last])}"])
            )
        )
        return "\n".join([*filter(None, lines), self.place(main)])

    @cached_property
    def labels(self) -> dict[str, str]:
        """The labels of layers in the spec."""
        return {node: label for label, node in self.program.expansion.labels.items()}

    def place(self, node: Node) -> str:
        """`file:line` of a layer."""
        line = node_line(self.program, node)
        return self._file if line is None else f"{self._file}:{line}"

    @cached_property
    def _file(self) -> str:
        """The name of the spec's file; not its folder, which would change with who draws."""
        return PurePath(self.program.file.source.name).name

    def line(self, node: Node) -> int | None:
        """The line of the spec that made a layer."""
        return node_line(self.program, node)

    def span(self, node: Node) -> str | None:
        """Where in its line a layer was made, by its own words or the call that led to it: columns from 1, the second
        one after the end (`5-17`; `5-9:2` where that is column 2 of line 9). Other lines may change around it."""
        spans = [node.origin.span, *(frame.span for frame in (node.origin.frame.chain() if node.origin.frame else ()))]
        own = next((span for span in spans if line_of(self.program, span) is not None), None)
        if own is None:
            return None
        (line, first), (last, end) = (own.source.position(offset) for offset in (own.start, own.end))
        return f"{first}-{end}" if line == last else f"{first}-{last}:{end}"

    def drawn(self, items: list[Item], node: Node, names: Sequence[str], role: str = "box", prefix: str = "") -> Group:
        """Shapes as what is drawn for a layer and those that belong to it (`names`): with its name as their id after a
        `prefix`, a tooltip, and its place in the spec."""
        title, line, nodes = self.node_title(names), self.line(node), [self.program.net.node(name) for name in names]
        name = prefix + node.name
        return Group(items, name=name, title=title, role=role, line=line, span=self.span(node), nodes=nodes)

    def header(self) -> str:
        """The numbers of the network: parameters, MACs (left out where they are not known), depth, receptive field."""
        field = show_fields(self.program.net, self.fields)
        macs = self.macs()
        parts = [
            f"{self.cost.total.trainable:,} {counted(self.cost.total)}",
            f"{macs} MACs" if macs else "",
            f"{self.cost.depth} layer{'s' * (self.cost.depth != 1)} deep",
        ]
        return " · ".join([*filter(None, parts), f"receptive field {times(field)}"])

    def description(self) -> str:
        """One sentence for those who cannot see the figure."""
        net = self.program.net
        inputs, outputs = (" and ".join(map(self.shape, ends)) for ends in (net.inputs, net.outputs))
        return (
            f"The network {self.program.name} takes {inputs} to {outputs} through {len(net)} layers, "
            f"{self.cost.depth} weighted ones deep, with {self.cost.total.trainable:,} trainable parameters."
        )


@lru_cache(maxsize=4096)
def window(layer: Layer, inputs: tuple[Shape, ...]) -> str:
    """Stride and padding of a layer that slides: `stride 2, padding 1`. Its kind says the kernel; of one that reads one
    position for each there is nothing to say."""
    windows = layer.windows(inputs) if inputs else ()
    if not windows or not hasattr(layer, "kernel") or all(each == _POSITION for each in windows):
        return ""
    steps = _one([f"1/{each.up}" if each.up > 1 else str(each.stride) for each in windows])
    return f"stride {steps}, padding {_one([_sides(each) for each in windows])}"


_POSITION = Window(1)


def _sides(each: Window) -> str:
    return str(each.before) if each.before == each.after else f"{each.before} and {each.after}"


def _one(texts: Sequence[str]) -> str:
    return texts[0] if len(set(texts)) == 1 else "×".join(texts)


def counted(*costs: Cost) -> str:
    """What the weights are called that training changes: `trainable parameters` where there are others."""
    return "parameters" if all(cost.trainable == cost.parameters for cost in costs) else "trainable parameters"


def counts(cost: Cost, macs: str) -> str:
    """Parameters and MACs, as `Facts.macs` says them, in words; without those that are none, or not known."""
    parts = [f"{cost.parameters:,} parameters" if cost.parameters else "", f"{macs} MACs" if macs else ""]
    return ", ".join(filter(None, parts))
