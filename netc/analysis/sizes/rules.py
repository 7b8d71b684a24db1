"""Which sizes an unknown input may have: those that the shape rules accept.

The rules run on numbers in place of `?`. With P the total stride of the network, the size of every tensor is an affine
function of m for inputs of r + m * P, each r from 0 to P - 1 by itself. So a condition between two tensors that holds
for some large m holds for all, and a window that fits at m fits from there on: for each r it is enough to ask whether a
large size works, and to search for the smallest one by halving. Only sizes that must meet a fixed one (a join with a
tensor of known size) work for single m; they are looked for one by one, up to `LIMIT`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import gcd, lcm

from netc.ir.net import Net, Node
from netc.ir.shape import Shape
from netc.params import Refused

LIMIT = 1024  # single sizes are tried up to here
BUDGET = 100_000  # shape rules to run at most; beyond it only multiples of the total stride are tried


@dataclass(frozen=True, slots=True)
class Failure:
    """A node that refuses the sizes that an input size leads to."""

    position: int
    node: Node
    error: Refused


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
        self._known: dict[tuple[str, tuple[Shape, ...]], Shape | Refused] = {}
        self.period = self._total_stride()
        self.all_residues = self.period * len(self.nodes) <= BUDGET
        self.far = self.period * (-(-LIMIT // self.period) + 1)

    def _total_stride(self) -> int:
        """The least number of input pixels that moves every tensor by whole pixels, on all axes."""
        scales: dict[str, tuple[tuple[int, int], ...]] = {}  # input pixels a pixel, as a reduced fraction
        for node, operands in self.nodes:
            rank = len(self.net.shapes[node.name]) - 1
            read = [scales[operand] for operand in operands if operand in scales and len(scales[operand]) == rank]
            before = tuple(map(_common, *read)) if read else ((1, 1),) * rank
            windows = node.layer.windows(self.net.operand_shapes(node.name))
            if windows and len(windows) == rank:
                before = tuple(_scaled(scale, w.stride, w.up) for scale, w in zip(before, windows, strict=True))
            scales[node.name] = before
        return lcm(*(pixels for each in scales.values() for pixels, _ in each))

    def shapes(self, sizes: Sequence[int]) -> dict[str, Shape]:
        """The shapes of the open inputs with these sizes of the axes."""
        return {
            name: tuple(sizes[axis] if size is None else size for axis, size in enumerate(self.net.shapes[name]))
            for name in self.inputs
        }

    def failure(self, sizes: Sequence[int]) -> Failure | None:
        """The first node that refuses these sizes of the axes; None when the network works."""
        return self.failure_of(self.shapes(sizes))

    def failure_of(self, inputs: Mapping[str, Shape]) -> Failure | None:
        """The first node that refuses these shapes of the open inputs; None when the network works."""
        return self.run(inputs)[1]

    def run(self, inputs: Mapping[str, Shape]) -> tuple[dict[str, Shape], Failure | None]:
        """The shapes of all layers for these of the open inputs, up to the first node that refuses what it is given."""
        shapes = {**self.net.shapes, **inputs}
        for position, (node, operands) in enumerate(self.nodes):
            given = tuple(shapes[operand] for operand in operands)
            key = (node.name, given)
            if key not in self._known:
                self._known[key] = _infer(node, given)
            found = self._known[key]
            if isinstance(found, Refused):
                return shapes, Failure(position, node, found)
            shapes[node.name] = found
        return shapes, None

    def equal(self, size: int) -> tuple[int, ...]:
        """The same size on every axis."""
        return (size,) * (max(self.axes) + 1)

    def residues(self) -> range:
        """The remainders modulo the period to ask about."""
        return range(self.period if self.all_residues else 1)

    def base(self) -> tuple[int, ...] | None:
        """Large sizes that work, the same on every axis."""
        lasting = (self.far + residue for residue in self.residues() if self.lasts(self.works, residue))
        return next(map(self.equal, lasting), None)

    def works(self, size: int) -> bool:
        """Whether the network works for a size that is the same on every axis."""
        return self.failure(self.equal(size)) is None

    def lasts(self, works: Callable[[int], bool], residue: int) -> bool:
        """Whether large sizes of a remainder work: two of them, for a single one may be what meets a fixed size."""
        return all(works(self.far + turn * self.period + residue) for turn in range(2))


def _scaled(scale: tuple[int, int], stride: int, up: int) -> tuple[int, int]:
    pixels, parts = scale[0] * stride, scale[1] * up
    common = gcd(pixels, parts)
    return pixels // common, parts // common


def _common(*scales: tuple[int, int]) -> tuple[int, int]:
    """A scale that counts whole pixels of all tensors: one of them may say the size of what is made of the others."""
    return lcm(*(pixels for pixels, _ in scales)), gcd(*(parts for _, parts in scales))


def _infer(node: Node, inputs: tuple[Shape, ...]) -> Shape | Refused:
    try:
        return node.layer.infer(inputs)
    except Refused as error:
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
        equidistant = progression(self.period, [remainder for remainder, _ in self.smallest])
        return equidistant and equidistant[0]

    @property
    def threshold(self) -> int:
        """The size from which on all sizes with a good remainder work."""
        spacing = self.divisor or 1
        gaps = [size - self.period for _, size in self.smallest if size > self.period]
        return max(self.minimum, *(gap + spacing for gap in gaps)) if gaps else self.minimum

    def works(self, size: int) -> bool:
        """Whether a size works."""
        return any(size % self.period == remainder and size >= least for remainder, least in self.smallest)

    def above(self, size: int) -> list[int]:
        """For each remainder the smallest size from this one on that works."""
        return [max(least, size + (remainder - size) % self.period) for remainder, least in self.smallest]

    def below(self, size: int) -> list[int]:
        """For each remainder the largest size up to this one that works, where there is one."""
        near = [(size - (size - remainder) % self.period, least) for remainder, least in self.smallest]
        return [found for found, least in near if found >= least]

    def __str__(self) -> str:
        step, least = self.divisor, self.threshold
        if step == 1:
            return f"all from {least} on" if least > 1 else "all"
        if step is not None and not self.minimum % step:
            return f"multiples of {step}, at least {least}"
        few = sorted(least + turn * self.period for _, least in self.smallest for turn in range(4))[:4]
        return ", ".join(map(str, few)) + ", ..." + (f" (in steps of {step})" if step else "")


def progression(period: int, remainders: Sequence[int]) -> tuple[int, int] | None:
    """The step and the first of sizes with these remainders modulo the period, sorted; None where they are not
    equidistant."""
    step = gcd(period, *(b - a for a, b in pairwise(remainders)))
    return (step, remainders[0]) if len(remainders) * step == period else None


def rule_of(trial: Trial, axis: int, base: tuple[int, ...]) -> Rule:
    """The rule of one axis, the others at sizes that work."""
    return rule(trial, lambda size: trial.failure((*base[:axis], size, *base[axis + 1 :])) is None)


def rule(trial: Trial, works: Callable[[int], bool]) -> Rule:
    """The rule of sizes, by whether each works."""
    smallest, guess = [], trial.far // trial.period
    for remainder in trial.residues():
        if trial.lasts(works, remainder):
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


def most_tried(trial: Trial) -> int:
    """The largest of single sizes that are tried."""
    return max(1, min(LIMIT, BUDGET // max(len(trial.nodes), 1)))


def single_sizes(trial: Trial) -> tuple[list[int], int, int]:
    """Where no size works from some size on: the single ones that do, of those up to the second number; and where none
    does, the one that comes furthest through the network."""
    most = most_tried(trial)
    good, furthest = [], (-1, 0)
    for size in range(1, most + 1):
        failure = trial.failure(trial.equal(size))
        if failure is None:
            good.append(size)
        else:
            furthest = max(furthest, (failure.position, -size))
    return good, most, -furthest[1]
