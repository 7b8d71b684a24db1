"""Unknown sizes of inputs: which ones the network can be built for (NET213, NET302)."""

from __future__ import annotations

from collections.abc import Sequence

from netc.analysis.sizes.fitting import OpenSizes
from netc.analysis.sizes.rules import Failure, Rule, Trial, most_tried, rule_of, single_sizes
from netc.analysis.sizes.trace import Equation
from netc.checks.findings import Findings, words
from netc.diagnostics.model import Label
from netc.ir.net import Node
from netc.ir.shape import Shape, show_shape
from netc.program import Program

_AXES = {1: ("length",), 2: ("height", "width"), 3: ("depth", "height", "width")}


def check(program: Program) -> None:
    """Report an unknown input size for which the network cannot be built, or which must be chosen with care."""
    net = program.net
    if program.report.failed:
        return
    inputs = [net.node(name) for name in net.inputs if None in net.shapes[name]]
    if not inputs:
        return
    trial = Trial(net)
    with Findings(program.report) as findings:
        base = trial.base()
        if base is None:
            _report_single(trial, inputs, findings)
        else:
            _report_periodic(trial, inputs, base, findings)


def _report_periodic(trial: Trial, inputs: Sequence[Node], base: tuple[int, ...], findings: Findings) -> None:
    rules = {axis: rule_of(trial, axis, base) for axis in trial.axes}
    if all(rule.complete and rule.divisor == 1 and rule.threshold == 1 for rule in rules.values()):
        return
    node = inputs[0]
    if len({str(rule) for rule in rules.values()}) == 1:
        told = str(next(iter(rules.values())))
    else:
        names = _AXES[len(trial.net.shapes[node.name]) - 1]
        told = "; ".join(f"{names[axis]} {rule}" for axis, rule in rules.items())
    findings.add(
        "NET302",
        node,
        f"not every size works for `{words(node)}`; sizes that work: {told}",
        label="unknown sizes here",
        secondary=_example(trial, rules, base),
        notes=[] if trial.all_residues else [f"only multiples of {trial.period} were tried, the network is too large"],
        help=["give images such sizes, or write the size out; `# netc: allow NET302` on this line accepts it"],
    )


def _example(trial: Trial, rules: dict[int, Rule], base: tuple[int, ...]) -> list[Label]:
    """Where a size next to the smallest one fails, and why."""
    sizes = list(base)
    for axis, rule in rules.items():
        at = rule.minimum
        sizes[axis] = next((size for size in (at + 1, at - 1) if size > 0 and not rule.works(size)), at)
    failure = trial.failure(sizes)
    return [] if failure is None else [_place(trial, failure, sizes)]


def _place(trial: Trial, failure: Failure, sizes: Sequence[int]) -> Label:
    shown = show_shape(tuple(sizes[axis] for axis in trial.axes))
    needs = _needs(OpenSizes(trial.net).equations, failure.node.name)
    return Label(failure.node.origin.span, f"{needs}fails for {shown}: {failure.error.message}")


def _needs(equations: Sequence[Equation], name: str) -> str:
    """What sizes a layer takes only when they are equal."""
    own = ", ".join(str(equation) for equation in equations if equation.name == name)
    return f"needs {own}; " if own else ""


def _report_single(trial: Trial, inputs: Sequence[Node], findings: Findings) -> None:
    """No size works from some size on: report the single ones that do, or that none does."""
    node, sizes = inputs[0], OpenSizes(trial.net)
    if sizes.formulas is not None:
        message, fixed = _few(sizes, node, most_tried(trial))
        findings.add("NET302", node, message, help=[f"write the size out: {show_shape(fixed)}"] if fixed else [])
        return
    _, most, size = single_sizes(trial)
    failure = trial.failure(trial.equal(size))
    assert failure is not None
    several = len(inputs) > 1
    findings.add(
        "NET302" if several else "NET213",
        node,
        f"no common size of the inputs up to {most} works: their sizes have to be matched by hand"
        if several
        else f"no size up to {most} works for `{words(node)}`",
        label="unknown sizes here",
        secondary=[_place(trial, failure, trial.equal(size))],
        notes=failure.error.notes,
        help=["make the branches that meet there agree, or write the sizes out"],
    )


def _few(sizes: OpenSizes, node: Node, most: int) -> tuple[str, Shape | None]:
    """The message about the single sizes that work, and an input's shape with the first of them."""
    first = {symbol: fitting.above(1) for fitting in sizes.fittings for symbol in fitting.symbols}
    if len(first) < len(sizes.symbols):
        between = dict.fromkeys(str(equation) for equation in sizes.equations if len(equation.names) > 1)
        return f"sizes of the inputs have to be matched: {', '.join(between)}", None
    told = dict.fromkeys(map(str, sizes.fittings))
    if len(told) > 1:
        told = {f"{'+'.join(fitting.symbols)} {fitting}": None for fitting in sizes.fittings}
    shape = sizes.net.shapes[node.name]
    fixed = tuple(first[sizes.symbols[node.name, axis]] if size is None else size for axis, size in enumerate(shape))
    return f"few sizes work for `{words(node)}`: {'; '.join(told)} (all up to {most} were tried)", fixed
