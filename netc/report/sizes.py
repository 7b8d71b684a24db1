"""`netc sizes`: which sizes a network takes, what each layer makes of them, and the nearest that fit."""

from __future__ import annotations

import json
from typing import Any

from netc.analysis.sizes import text
from netc.analysis.sizes.fitting import Fit, Fitting, OpenSizes, Shapes
from netc.analysis.sizes.formula import Extent
from netc.analysis.sizes.rules import Rule
from netc.analysis.sizes.trace import Extents, named
from netc.diagnostics.escape import harmless
from netc.ir.net import Node
from netc.ir.shape import show_shape
from netc.program import Program
from netc.report.rows import kind_of, node_line
from netc.report.table import plain

MOST_EQUATIONS = 8
HEADER = ("layer", "kind", "output", "MACs", "line")
RIGHT = (False, False, False, False, True)


def number(count: int) -> str:
    """A count with its thousands apart."""
    return f"{count:,}"


def render(program: Program, sizes: OpenSizes, *, layers: bool = False) -> str:
    """What there is to say of all sizes, as text; with a table of `layers`, if wanted."""
    net = program.net
    lines = _lines(program, sizes)
    width = max(len(name) for name, _ in lines)
    inputs, outputs = (
        " and ".join(text.shape(sizes.shapes[name]) for name in names) for names in (net.inputs, net.outputs)
    )
    said = f"{harmless(program.name)} takes {inputs} and gives {outputs}\n"
    said += "".join(f"{name:{width}}  {value}".rstrip() + "\n" for name, value in lines)
    return said + ("\n" + _table(program, sizes) if layers else "")


def _lines(program: Program, sizes: OpenSizes) -> list[tuple[str, str]]:
    lines = [*_rules(sizes), *_equations(program, sizes)]
    found = sizes.formulas
    if found is None:
        return [*lines, ("formulas", "none: no sizes of the inputs were found that work together")]
    lines.append(("MACs", text.amount(found.total.macs, number)))
    lines.append(("activations", f"{text.amount(found.total.memory, number)} bytes"))
    for name in found.unknown:
        node = program.net.node(name)
        lines.append(("?", f"what `{node.layer.op}`{_place(program, node)} makes of a size is no formula"))
    return lines


def _rules(sizes: OpenSizes) -> list[tuple[str, str]]:
    """What works for each open size, those of the same rule together."""
    if not sizes.symbols:
        return [("sizes", "the input is fixed: `?` in its place leaves a size open")]
    alike: dict[str, list[str]] = {}
    for fitting in sizes.fittings:
        alike.setdefault(_words(fitting), []).append(" = ".join(fitting.symbols))
    told = [f"{_listed(symbols)}: {rule}" for rule, symbols in alike.items()]
    if len([symbol for fitting in sizes.fittings for symbol in fitting.symbols]) < len(sizes.symbols):
        told.append("to be matched where they meet")
    return [("sizes" if not at else "", rule) for at, rule in enumerate(told)]


def _words(fitting: Fitting) -> str:
    works = fitting.works
    tried = f" (only multiples of {works.period} were tried)" if isinstance(works, Rule) and not works.complete else ""
    return f"{fitting}{tried}"


def _listed(names: list[str]) -> str:
    return names[0] if len(names) == 1 else ", ".join(names[:-1]) + " and " + names[-1]


def _equations(program: Program, sizes: OpenSizes) -> list[tuple[str, str]]:
    """Why: what has to be equal, each once, with the first layer that needs it."""
    places: dict[str, str] = {}
    for equation in sizes.equations:
        places.setdefault(str(equation), equation.name)
    layers: dict[str, list[str]] = {}
    for needed, name in places.items():
        layers.setdefault(name, []).append(needed)
    told = [f"`{name}`{_place(program, program.net.node(name))} needs {', '.join(own)}" for name, own in layers.items()]
    if len(told) > MOST_EQUATIONS:
        told[MOST_EQUATIONS:] = [f"and {len(told) - MOST_EQUATIONS} more layers"]
    return [("because" if not at else "", line) for at, line in enumerate(told)]


def _place(program: Program, node: Node) -> str:
    line = node_line(program, node)
    return "" if line is None else f" (line {line})"


def _table(program: Program, sizes: OpenSizes) -> str:
    macs = {} if sizes.formulas is None else sizes.formulas.macs
    rows = []
    for node in program.net:
        line = node_line(program, node)
        cost = macs.get(node.name)
        rows.append([
            node.name,
            kind_of(node, program.net),
            text.shape(sizes.shapes[node.name]),
            "" if cost == 0 else text.amount(cost, number),
            "" if line is None else str(line),
        ])  # fmt: skip
    return plain(HEADER, rows, RIGHT)


# -- given sizes ---------------------------------------------------------------------------------------------


def render_fit(program: Program, fit: Fit) -> str:
    """What there is to say of given sizes, as text."""
    given = spaces(fit.inputs)
    if fit.works:
        outputs = " and ".join(map(show_shape, fit.outputs.values()))
        macs = "" if fit.macs is None else f", with {number(fit.macs)} MACs"
        return f"{given}: works, and gives {outputs}{macs}\n"
    ways = [
        f"{what} {spaces(shapes)}"
        for what, shapes in (("pad to", fit.larger), ("crop to", fit.smaller))
        if shapes is not None
    ]
    place = "" if fit.layer is None else f" `{fit.layer}`{_place(program, program.net.node(fit.layer))}:"
    advice = ", or ".join(ways) or "neither padding nor cropping alone makes one that fits"
    return f"{given}: {advice}\n{' ' * len(given)}  does not work:{place} {fit.reason}\n"


def spaces(shapes: Shapes) -> str:
    """Spatial sizes of inputs: `420x560`, and with their names where they differ."""
    shown = {name: show_shape(shape[:-1]) or "a vector" for name, shape in shapes.items()}
    if len(set(shown.values())) == 1:
        return next(iter(shown.values()))
    return ", ".join(f"{name} {space}" for name, space in shown.items())


# -- JSON ----------------------------------------------------------------------------------------------------


def dump(program: Program, sizes: OpenSizes, fit: Fit | None) -> str:
    """All of it as JSON (docs/sizes.md)."""
    net, found = program.net, sizes.formulas
    data: dict[str, Any] = {
        "name": program.name,
        "inputs": {name: text.data(named_input(sizes, name)) for name in net.inputs},
        "outputs": {name: text.data(sizes.shapes[name]) for name in net.outputs},
        "sizes": [_rule(fitting) for fitting in sizes.fittings],
        "equations": [{"layer": one.name, "left": str(one.left), "right": str(one.right)} for one in sizes.equations],
        "macs": None if found is None else _extent(found.total.macs),
        "memory": None if found is None else _extent(found.total.memory),
        "layers": [
            {
                "name": node.name,
                "output_shape": text.data(sizes.shapes[node.name]),
                "macs": None if found is None else _extent(found.macs[node.name]),
                "line": node_line(program, node),
            }
            for node in net
        ],
    }
    if fit is not None:
        data["fit"] = {
            "inputs": fit.inputs,
            "works": fit.works,
            "outputs": fit.outputs,
            "macs": fit.macs,
            "reason": fit.reason or None,
            "layer": fit.layer,
            "larger": fit.larger,
            "smaller": fit.smaller,
        }
    return json.dumps(data, indent=2, ensure_ascii=False) + "\n"


def named_input(sizes: OpenSizes, name: str) -> Extents:
    """The shape of an input, with its symbols also where there are no formulas."""
    shape = sizes.shapes[name]
    return shape if sizes.formulas is not None else named(sizes.net.shapes[name], f"{name}." * (len(sizes.symbols) > 1))


def _rule(fitting: Fitting) -> dict[str, Any]:
    told: dict[str, Any] = {"symbols": fitting.symbols, "text": str(fitting)}
    if isinstance(fitting.works, Rule):
        rule = fitting.works
        return told | {"period": rule.period, "smallest": dict(rule.smallest), "complete": rule.complete}
    return told | {"only": fitting.works}


def _extent(extent: Extent) -> int | str | None:
    return extent if extent is None or isinstance(extent, int) else str(extent)
