"""Which sizes an unknown input may have: those that the shape rules accept (NET213, NET302).

The rules run on numbers in place of `?`. With P the total stride of the network, the size of every tensor is an affine
function of m for inputs of r + m * P, each r from 0 to P - 1 by itself. So a condition between two tensors that holds
for some large m holds for all, and a window that fits at m fits from there on: for each r it is enough to ask whether a
large size works, and to search for the smallest one by halving. Only sizes that must meet a fixed one (a join with a
tensor of known size) work for single m; they are looked for one by one, up to `LIMIT`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import gcd, lcm

from netc.checks.findings import Findings, words
from netc.diagnostics.model import Label
from netc.ir.net import Net, Node
from netc.ir.shape import Shape, show_shape
from netc.layers.base import LayerError
from netc.program import Program

LIMIT = 1024  # single sizes are tried up to here
BUDGET = 100_000  # shape rules to run at most; beyond it only multiples of the total stride are tried
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


@dataclass(frozen=True, slots=True)
class Failure:
    """A node that refuses the sizes that an input size leads to."""

    position: int
    node: Node
    error: LayerError


class Trial:
    """Shape rules on numbers, for the nodes that an unknown size reaches. A size is given for each axis."""

    def __init__(self, net: Net) -> None:
        self.net = net
        self.inputs = [name for name in net.inputs if None in net.shapes[name]]
        self.axes = sorted({axis for name in self.inputs for axis, size in enumerate(net.shapes[name]) if size is None})
        self.nodes = [
            (node, net.operands(node.name))
            for node in net
            if any(None in net.shapes[operand] for operand in net.operands(node.name))
        ]
        self._known: dict[tuple[str, tuple[Shape, ...]], Shape | LayerError] = {}
        self.period = self._total_stride()
        self.all_residues = self.period * len(self.nodes) <= BUDGET
        self.far = self.period * (-(-LIMIT // self.period) + 1)

    def _total_stride(self) -> int:
        """The least number of input pixels that moves every tensor by whole pixels, on all axes."""
        scales: dict[str, tuple[tuple[int, int], ...]] = {}  # input pixels a pixel, as a reduced fraction
        for node, operands in self.nodes:
            rank = len(self.net.shapes[node.name]) - 1
            before = scales.get(operands[0], ((1, 1),) * rank)
            windows = node.layer.windows(self.net.operand_shapes(node.name))
            if windows and len(windows) == rank:
                before = tuple(_scaled(scale, w.stride, w.up) for scale, w in zip(before, windows, strict=True))
            scales[node.name] = before
        return lcm(*(pixels for each in scales.values() for pixels, _ in each))

    def failure(self, sizes: Sequence[int]) -> Failure | None:
        """The first node that refuses these sizes of the axes; None when the network works."""
        shapes: dict[str, Shape] = {}
        for name in self.inputs:
            shape = self.net.shapes[name]
            shapes[name] = tuple(sizes[axis] if size is None else size for axis, size in enumerate(shape))
        for position, (node, operands) in enumerate(self.nodes):
            inputs = tuple(shapes.get(operand) or self.net.shapes[operand] for operand in operands)
            key = (node.name, inputs)
            if key not in self._known:
                self._known[key] = _infer(node, inputs)
            found = self._known[key]
            if isinstance(found, LayerError):
                return Failure(position, node, found)
            shapes[node.name] = found
        return None

    def equal(self, size: int) -> tuple[int, ...]:
        """The same size on every axis."""
        return (size,) * (max(self.axes) + 1)

    def residues(self) -> range:
        """The remainders modulo the period to ask about."""
        return range(self.period if self.all_residues else 1)

    def base(self) -> tuple[int, ...] | None:
        """Large sizes that work, the same on every axis."""
        candidates = (self.equal(self.far + residue) for residue in self.residues())
        return next((sizes for sizes in candidates if self.failure(sizes) is None), None)


def _scaled(scale: tuple[int, int], stride: int, up: int) -> tuple[int, int]:
    pixels, parts = scale[0] * stride, scale[1] * up
    common = gcd(pixels, parts)
    return pixels // common, parts // common


def _infer(node: Node, inputs: tuple[Shape, ...]) -> Shape | LayerError:
    try:
        return node.layer.infer(inputs)
    except LayerError as error:
        return error.with_traceback(None)


# -- sizes that work from some size on -----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Rule:
    """The sizes of one axis that work: for each remainder modulo the period the smallest one."""

    period: int
    smallest: tuple[tuple[int, int], ...]  # (remainder, smallest size), sorted
    complete: bool = True

    @property
    def minimum(self) -> int:
        """The smallest size that works."""
        return min(size for _, size in self.smallest)

    @property
    def divisor(self) -> int | None:
        """What all sizes that work are equidistant by; None where they are not."""
        remainders = [remainder for remainder, _ in self.smallest]
        step = gcd(self.period, *(b - a for a, b in pairwise(remainders)))
        return step if len(remainders) * step == self.period else None

    @property
    def threshold(self) -> int:
        """The size from which on all sizes with a good remainder work."""
        spacing = self.divisor or 1
        gaps = [size - self.period for _, size in self.smallest if size > self.period]
        return max(self.minimum, *(gap + spacing for gap in gaps)) if gaps else self.minimum

    def works(self, size: int) -> bool:
        """Whether a size works."""
        return any(size % self.period == remainder and size >= least for remainder, least in self.smallest)

    def __str__(self) -> str:
        step, least = self.divisor, self.threshold
        if step == 1:
            return f"all from {least} on" if least > 1 else "all"
        if step is not None and not self.minimum % step:
            return f"multiples of {step}, at least {least}"
        few = sorted(least + turn * self.period for _, least in self.smallest for turn in range(4))[:4]
        return ", ".join(map(str, few)) + ", ..." + (f" (in steps of {step})" if step else "")


def _rule(trial: Trial, axis: int, base: tuple[int, ...]) -> Rule:
    """The rule of one axis, the others at sizes that work."""

    def works(size: int) -> bool:
        return trial.failure((*base[:axis], size, *base[axis + 1 :])) is None

    smallest, guess = [], trial.far // trial.period
    for remainder in trial.residues():
        if works(trial.far + remainder):
            least = _smallest(works, remainder, trial, guess)
            smallest.append((remainder, least))
            guess = least // trial.period
    return Rule(trial.period, tuple(smallest), trial.all_residues)


def _smallest(works: Callable[[int], bool], remainder: int, trial: Trial, guess: int) -> int:
    """The smallest size of a remainder that works, by halving; most often it is near that of the one before."""
    period = trial.period
    low, high = (0 if remainder else 1), trial.far // period
    for probe in (guess, guess - 1):
        if low <= probe < high and works(remainder + probe * period):
            high = probe
        elif low <= probe < high:
            low = probe + 1
    while low < high:
        middle = (low + high) // 2
        if works(remainder + middle * period):
            high = middle
        else:
            low = middle + 1
    return remainder + high * period


def _report_periodic(trial: Trial, inputs: Sequence[Node], base: tuple[int, ...], findings: Findings) -> None:
    rules = {axis: _rule(trial, axis, base) for axis in trial.axes}
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


# -- single sizes --------------------------------------------------------------------------------------------


def _report_single(trial: Trial, inputs: Sequence[Node], findings: Findings) -> None:
    """No size works from some size on: report the single ones that do, or that none does."""
    most = max(1, min(LIMIT, BUDGET // max(len(trial.nodes), 1)))
    good, furthest = [], (-1, 0)
    for size in range(1, most + 1):
        failure = trial.failure(trial.equal(size))
        if failure is None:
            good.append(size)
        else:
            furthest = max(furthest, (failure.position, -size))
    node, several = inputs[0], len(inputs) > 1
    if good:
        told = ", ".join(map(str, good[:4])) + (", ..." if len(good) > 4 else "")
        message = f"few sizes work for `{words(node)}`: {told} (of those up to {most})"
        findings.add("NET302", node, message, help=[f"write the size out: {show_shape(_fixed(trial, node, good[0]))}"])
        return
    size = -furthest[1]
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


def _fixed(trial: Trial, node: Node, size: int) -> Shape:
    return tuple(size if dim is None else dim for dim in trial.net.shapes[node.name])
