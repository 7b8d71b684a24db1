"""Receptive fields: which pixels of the input one position of a layer's output can see.

The recurrences are those of Araujo, Norris & Sim 2019 ("Computing Receptive Fields of Convolutional Neural
Networks", Distill, doi:10.23915/distill.00021): after a window of k taps and stride s the field grows by
(k - 1) * jump and the jump is multiplied by s. Upsampling divides the jump, and then neighbouring positions see
different numbers of pixels. So the first and the last pixel seen are kept for each phase, the positions after which
the pattern repeats: a single one until something upsamples.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from math import gcd, lcm
from typing import Any, TypeVar

from netc.ir.net import Net, Node
from netc.ir.shape import Shape, rank_of
from netc.ir.window import Window

MOST_PHASES = 4096

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Axis:
    """What positions see along one dimension, as if the input went on beyond its borders.

    Position o of phase p = o % len(first) sees the pixels from first[p] to last[p], both shifted by
    (o // len(first)) * len(first) * jump. `jump` is the distance in pixels between neighbouring positions, the
    product of the strides. `aligned` is false once branches of different jumps were joined: the larger jump and the
    larger field were kept. `placed` is false once positions were set in another order, as those of all maps are in the
    rows of a detector's boxes: there is an axis a dimension of the input still, but only its size holds, the largest.
    """

    first: tuple[int, ...] = (0,)
    last: tuple[int, ...] = (0,)
    jump: Fraction = Fraction(1)
    aligned: bool = True
    placed: bool = True

    @property
    def size(self) -> int:
        """The receptive field in pixels, the largest where phases differ."""
        return max(last - first for first, last in zip(self.first, self.last, strict=True)) + 1

    @property
    def padding(self) -> int:
        """Pixels before the border of the input that position 0 sees, negative where it begins inside."""
        return -self.first[0]

    def at(self, position: int) -> tuple[int, int]:
        """The first and the last pixel that a position sees."""
        turn, phase = divmod(position, len(self.first))
        shift = turn * len(self.first) * self.jump.numerator // self.jump.denominator  # exact: a turn is whole pixels
        return self.first[phase] + shift, self.last[phase] + shift


Field = tuple[Axis, ...] | None  # one axis a spatial dimension; None sees the whole input


def is_placed(field: Field) -> bool:
    """Whether it is known where on the input each position lies."""
    return field is not None and all(axis.placed for axis in field)


def jump(field: Field) -> Fraction | list[Fraction] | None:
    """The distance in pixels between neighbouring positions, as `figure` gives it; None where there is none."""
    return figure(field, lambda axis: axis.jump) if is_placed(field) else None


def receptive_fields(net: Net, of: str | None = None) -> dict[str, Field]:
    """The receptive field of each layer; of several inputs, the largest in any. With `of`, that in this input, of the
    layers that read it.

    None stands for the whole input: after a global pool or a dense layer, where there are no positions (any more),
    and where upsampling makes a pattern of more than 4096 phases.
    """
    fields: dict[str, Field] = {}
    for node in net:
        read = [fields[operand] for operand in node.layer.valued(net.operands(node.name)) if operand in fields]
        if of is not None and node.name != of and not read:
            continue
        inputs, output = net.operand_shapes(node.name), net.shapes[node.name]
        fields[node.name] = _slide(node, inputs, output, _join(node, inputs, read, output))
    return fields


def net_field(net: Net, fields: dict[str, Field], output: str | None = None) -> Field:
    """The receptive field of a network: of the last layer before an output (the first unless given) that does not see
    the whole input by being global or dense. None where a layer that still has positions sees all of it
    (squeeze-and-excitation), and where no windows come before what is global or dense."""
    if not net.outputs:
        return None
    end, slid = output or net.outputs[0], _after_windows(net)
    seen = {end}
    for node in reversed(list(net)):  # readers come before what they read
        if node.name not in seen:
            continue
        if fields[node.name] is None:
            if any(dim != 1 for dim in net.shapes[node.name][:-1]):
                return None
        elif node.name in slid or node.name == end:
            return fields[node.name]
        seen.update(net.operands(node.name))
    return None


def _after_windows(net: Net) -> set[str]:
    """The layers that read their input in windows, and all after them."""
    found: set[str] = set()
    for node in net:
        operands = net.operands(node.name)
        if not found.isdisjoint(operands) or (operands and node.layer.windows(net.operand_shapes(node.name))):
            found.add(node.name)
    return found


def figure(field: Field, of: Callable[[Axis], T]) -> T | list[T] | None:
    """A figure of a field as data: one value where all dimensions agree, else a list; None for the whole input."""
    if field is None:
        return None
    values = [of(axis) for axis in field]
    return values[0] if all(value == values[0] for value in values) else values


def _slide(node: Node, inputs: tuple[Shape, ...], output: Shape, field: Field) -> Field:
    if not inputs:
        return tuple(Axis() for _ in range(rank_of(output))) or None
    windows = node.layer.windows(inputs)
    if field is None or _is_rearranged(node, inputs, [field]):
        return field
    if windows is None or not (is_placed(field) or all(window == Window(1) for window in windows)):
        return None
    if not windows or not is_placed(field):
        return field
    return _each(_through, list(zip(field, windows, strict=True)))


def _is_rearranged(node: Node, inputs: tuple[Shape, ...], fields: Sequence[Field]) -> bool:
    """Whether a layer sets positions in another order: all of a map at once, or some that were in none."""
    return node.layer.rearranges(inputs) and (node.layer.windows(inputs) is None or not all(map(is_placed, fields)))


def _each(make: Callable[..., Axis | None], given: list[tuple[Any, ...]]) -> Field:
    """What is made of each dimension's arguments, once where all are the same; None if any is."""
    axes = [make(*given[0])] * len(given) if all(one == given[0] for one in given) else [make(*one) for one in given]
    known = tuple(axis for axis in axes if axis is not None)
    return known if len(known) == len(axes) else None


def _through(axis: Axis, window: Window) -> Axis | None:
    """What the outputs of a window see; None when the pattern has too many phases.

    Output o covers the positions o * stride - before + (0 ... extent - 1) of the spread-out input, and every
    `up`-th of those is a position of the input.
    """
    step, up, phases = window.stride, window.up, len(axis.first)
    count = phases * up // gcd(phases * up, step)
    if count > MOST_PHASES:
        return None
    starts = [output * step - window.before for output in range(count)]
    return Axis(
        tuple(axis.at(-(-start // up))[0] for start in starts),
        tuple(axis.at((start + window.extent - 1) // up)[1] for start in starts),
        axis.jump * step / up,
        axis.aligned,
    )


def _join(node: Node, inputs: tuple[Shape, ...], fields: list[Field], output: Shape) -> Field:
    """The union of what the operands see."""
    known = [field for field in fields if field is not None]
    if not known or len(known) < len(fields) or len({len(field) for field in known}) > 1:
        return None
    if _is_rearranged(node, inputs, known):
        return tuple(replace(max(axes, key=lambda axis: axis.size), placed=False) for axes in zip(*known, strict=True))
    if not all(map(is_placed, known)):
        return known[0] if len(known) == 1 else None  # of several, none knows what the others see at its place
    if len(known[0]) != rank_of(output):
        return None
    if len(known) == 1:
        return known[0]
    return _each(_union, list(zip(*known, strict=True)))


def _union(*axes: Axis) -> Axis | None:
    if all(axis == axes[0] for axis in axes):
        return axes[0]
    jump = max(axis.jump for axis in axes)
    same = [axis for axis in axes if axis.jump == jump]
    count = lcm(*(len(axis.first) for axis in same))
    if count > MOST_PHASES:
        return None
    seen = [[axis.at(phase) for axis in same] for phase in range(count)]
    first = tuple(min(pair[0] for pair in pairs) for pairs in seen)
    last = tuple(max(pair[1] for pair in pairs) for pairs in seen)
    aligned = len(same) == len(axes) and all(axis.aligned for axis in axes)
    widest = max(axis.size for axis in axes)
    if not aligned:
        last = tuple(max(end, start + widest - 1) for start, end in zip(first, last, strict=True))
    return Axis(first, last, jump, aligned)
