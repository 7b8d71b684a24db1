"""Unknown sizes of inputs: which ones the network can be built for (NET213, NET302)."""

from __future__ import annotations

from collections.abc import Sequence

from netc.analysis.sizes.rules import Failure, Rule, Trial, rule_of, single_sizes
from netc.checks.findings import Findings, words
from netc.diagnostics.model import Label
from netc.ir.net import Node
from netc.ir.shape import show_shape
from netc.program import Program

_AXES = {1: ("length",), 2: ("height", "width"), 3: ("depth", "height", "width")}


def check_unknown_sizes(program: Program) -> None:
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
    return Label(failure.node.origin.span, f"fails for {shown}: {failure.error.message}")


def _report_single(trial: Trial, inputs: Sequence[Node], findings: Findings) -> None:
    """No size works from some size on: report the single ones that do, or that none does."""
    good, most, size = single_sizes(trial)
    node, several = inputs[0], len(inputs) > 1
    if good:
        told = ", ".join(map(str, good[:4])) + (", ..." if len(good) > 4 else "")
        message = f"few sizes work for `{words(node)}`: {told} (of those up to {most})"
        fixed = tuple(good[0] if dim is None else dim for dim in trial.net.shapes[node.name])
        findings.add("NET302", node, message, help=[f"write the size out: {show_shape(fixed)}"])
        return
    failure = trial.failure(trial.equal(size))
    assert failure is not None
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
