"""What each layer costs, as bars: parameters, MACs and activation memory (`netc summary --plot`)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from netc.analysis.cost import Cost
from netc.figures.facts import Facts, counted, label
from netc.figures.page import sheet
from netc.figures.scene import Group, Item, Path, Rect, Scene, Text, fit, text_width
from netc.figures.trunk import is_own
from netc.ir.net import Node
from netc.program import Program
from netc.report.summary import human

_ROW, _BAR = 16.0, 11.0  # px: height of a row and of its bar
_PANEL, _VALUE, _BETWEEN = 170.0, 62.0, 18.0  # px: longest bar, room for its value, and between the panels
_NAMES, _TEXT, _HEADING = 300.0, 10.0, 34.0
PANELS = (("MACs", ""), ("activations, float32", "B"))


@dataclass(slots=True)
class _Layer:
    """A row: a layer with what follows it up to the next one (normalisation, activation, sums), and their costs."""

    node: Node
    names: list[str] = field(default_factory=list)
    cost: Cost = field(default_factory=Cost)

    @property
    def values(self) -> tuple[int | None, ...]:
        """Its figures, in the order of the panels."""
        return self.cost.trainable, self.cost.macs, self.cost.memory


def bars(program: Program) -> Scene:
    """The figure of a program's costs: a row a layer, in the order of the spec."""
    facts = Facts(program)
    layers = _layers(facts)
    left = min(max(text_width(_name(facts, layer), _TEXT) for layer in layers), _NAMES) + 12
    items: list[Item] = []
    for at, (title, unit) in enumerate(((counted(facts.cost.total), ""), *PANELS)):
        items += _panel(left + at * (_PANEL + _VALUE + _BETWEEN), title, unit, layers, at)
    items += [_row(facts, layer, left, at) for at, layer in enumerate(layers)]
    return sheet(
        items,
        title=program.name,
        facts=facts.header(),
        description=facts.description(),
        kinds={layer.node.layer.family for layer in layers},
        notes=["for one sample; a layer with the normalisation, activation or sum that follows it"],
    )


def _layers(facts: Facts) -> list[_Layer]:
    net = facts.program.net
    rows: dict[str, int] = {}  # name of a node -> the number of the row it belongs to
    made: list[_Layer] = []
    for node in net:
        operands = net.operands(node.name)
        if is_own(node.layer) or not operands:
            rows[node.name] = len(made)
            made.append(_Layer(node))
        else:  # what joins tensors belongs to the last of them to be made, not to one from far before it
            rows[node.name] = max(rows[operand] for operand in operands)
        row = made[rows[node.name]]
        row.names.append(node.name)
        row.cost += facts.cost.layers[node.name]
    return made


def _name(facts: Facts, layer: _Layer) -> str:
    return f"{layer.node.name} · {label(layer.node.layer, facts.program.net.shapes[layer.node.name])}"


def _row(facts: Facts, layer: _Layer, left: float, at: int) -> Group:
    """The name at the left, which carries the tooltip."""
    text = Text(left - 8, _HEADING + at * _ROW + 9, fit(_name(facts, layer), left - 12, _TEXT), _TEXT, "end")
    return facts.drawn([text], layer.node, layer.names, role="")


def _panel(x: float, title: str, unit: str, layers: Sequence[_Layer], at: int) -> Iterator[Item]:
    """One column of bars, the longest as wide as the panel."""
    values = [layer.values[at] for layer in layers]
    known = [value for value in values if value is not None]
    total = f"{human(sum(known), unit)} in all" if len(known) == len(values) else "unknown"
    yield Text(x, 12, title, 12, "start", bold=True)
    yield Text(x, 25, total, _TEXT, "start", "muted")
    yield Path((x, _HEADING - 3), [((x, _HEADING + len(layers) * _ROW),)], "rule", role="rule")
    most = max(known, default=0)
    for row, (layer, value) in enumerate(zip(layers, values, strict=True)):
        top = _HEADING + row * _ROW
        width = round(_PANEL * value / most, 1) if value and most else 0.0
        if width:
            yield Rect(x, top, max(width, 1), _BAR, layer.node.layer.family)
        if value != 0:
            yield Text(x + width + 5, top + 9, human(value, unit), _TEXT, "start")
