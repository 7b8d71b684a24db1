"""Nodes over an axis, or around one, that are one layer together: replaced by a node of an operation that says so."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from netc.layers.norm import TINY
from netc.lift.source import Unsaid
from netc.targets.onnx.read.constants import short
from netc.targets.onnx.read.graph import Graph, Op

FAR = 1 << 31


class Matcher:
    """What makes values, and which numbers constants are."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self._makers = graph.makers()

    def made(self, name: str, *kinds: str) -> Op | None:
        """The node that makes a value as its first output, if it is of some kinds."""
        op = self._makers.get(name)
        fits = op is not None and op.op in kinds and not op.domain and op.version > 0 and op.outputs[0] == name
        return op if fits else None

    def integers(self, name: str) -> list[int] | None:
        """A constant of whole numbers."""
        found = self.graph.constants.get(name)
        if found is None or found.dtype.kind not in "iu" or found.size > FAR:
            return None
        return [int(one) for one in found.array().reshape(-1)]

    def number(self, name: str) -> float | None:
        """A constant that is one number."""
        found = self.graph.constants.get(name)
        if found is None or found.size != 1 or found.dtype.kind != "f":
            return None
        return short(float(found.array().reshape(-1)[0]))

    def with_number(self, op: Op) -> tuple[str, float] | None:
        """The other input, and the number, of a node of a value and a number, in any order."""
        if len(op.inputs) != 2:
            return None
        for one, other in (op.inputs, op.inputs[::-1]):
            if (number := self.number(other)) is not None:
                return one, number
        return None

    def axes(self, op: Op) -> list[int] | None:
        """The axes of a node that reduces them and keeps them with size 1."""
        if not op.attributes.get("keepdims", 1):
            return None
        if "axes" in op.attributes:
            return list(op.attributes["axes"])
        return self.integers(op.given(1))

    def square(self, name: str) -> str | None:
        """The value whose square another is."""
        op = self.made(name, "Mul", "Pow")
        if op is None or len(op.inputs) != 2:
            return None
        if op.op == "Mul":
            return op.inputs[0] if op.inputs[0] == op.inputs[1] else None
        return op.inputs[0] if self.number(op.inputs[1]) == 2 else None


Replacement = tuple[str, list[str], dict[str, Any]]  # the operation, its inputs, its attributes


def _log_softmax(m: Matcher, op: Op) -> Replacement | None:
    """s - log(sum(exp(s))) of s = x - max(x)."""
    logarithm = m.made(op.inputs[1], "Log")
    total = logarithm and m.made(logarithm.inputs[0], "ReduceSum")
    power = total and m.made(total.inputs[0], "Exp")
    if op.op != "Sub" or not (logarithm and total and power) or power.inputs[0] != op.inputs[0]:
        return None
    lowered = m.made(op.inputs[0], "Sub")
    largest = lowered and m.made(lowered.inputs[1], "ReduceMax")
    if not (lowered and largest) or largest.inputs[0] != lowered.inputs[0]:
        return None
    axes = m.axes(total)
    if axes is None or len(axes) != 1 or m.axes(largest) != axes:
        return None
    return "LogSoftmax", [lowered.inputs[0]], {"axis": axes[0]}


def _l2norm(m: Matcher, op: Op) -> Replacement | None:
    """x / max(length of x, 1e-12)."""
    if op.op != "Div":
        return None
    name = op.inputs[1]
    if (wider := m.made(name, "Expand")) is not None:
        name = wider.inputs[0]
    bounded = m.made(name, "Max", "Clip")
    least = None if bounded is None else m.with_number(bounded)
    if bounded and bounded.op == "Clip" and len(bounded.inputs) == 3 and not bounded.inputs[2]:
        number = m.number(bounded.inputs[1])
        least = None if number is None else (bounded.inputs[0], number)
    if least is None or abs(least[1] - TINY) > TINY * 1e-6:
        return None
    length = m.made(least[0], "ReduceL2", "Sqrt")
    if length is None:
        return None
    total = m.made(length.inputs[0], "ReduceSum") if length.op == "Sqrt" else length
    if total is None:
        return None
    source = m.square(total.inputs[0]) if length.op == "Sqrt" else total.inputs[0]
    axes = m.axes(total)
    if not axes or len(axes) != 1 or source != op.inputs[0]:
        return None
    return "L2Norm", [op.inputs[0]], {"axis": axes[0]}


def _standardized(m: Matcher, op: Op) -> Replacement | None:
    """c / sqrt(mean(c ** 2) + epsilon) of c = x - mean(x)."""
    if op.op not in ("Div", "Mul"):
        return None
    name = op.inputs[1]
    if op.op == "Mul":
        inverse = m.made(name, "Reciprocal")
        if inverse is None:
            return None
        name = inverse.inputs[0]
    root = m.made(name, "Sqrt", "Pow")
    if root is not None and root.op == "Pow" and m.number(root.inputs[1]) != 0.5:
        return None
    shifted = root and m.made(root.inputs[0], "Add")
    epsilon = None if shifted is None else m.with_number(shifted)
    variance = None if epsilon is None else m.made(epsilon[0], "ReduceMean")
    centred = m.made(op.inputs[0], "Sub")
    mean = centred and m.made(centred.inputs[1], "ReduceMean")
    if not (variance and centred and mean and epsilon) or mean.inputs[0] != centred.inputs[0]:
        return None
    square, axes = m.square(variance.inputs[0]), m.axes(variance)
    again = None if square is None else m.made(square, "Sub")  # exporters may write it twice
    same = square == op.inputs[0] or (again is not None and again.inputs == centred.inputs)
    if not same or axes is None or len(axes) != 1 or m.axes(mean) != axes:
        return None
    return "Standardized", [centred.inputs[0]], {"axis": axes[0], "epsilon": epsilon[1]}


def _grouped(m: Matcher, op: Op) -> Replacement | None:
    """Groups of channels as channels of their own, each normalised."""
    if op.op != "Reshape" or len(op.inputs) != 2:
        return None
    norm = m.made(op.inputs[0], "InstanceNormalization")
    parts = norm and m.made(norm.inputs[0], "Reshape")
    if not (norm and parts) or len(norm.inputs) != 3 or len(parts.inputs) != 2:
        return None
    arrays = [m.graph.constants.get(name) for name in norm.inputs[1:]]
    sizes = m.integers(parts.inputs[1])
    if sizes is None or len(sizes) != 3 or sizes[0] not in (0, -1) or any(array is None for array in arrays):
        return None
    plain = [array.array() for array in arrays if array is not None]
    if not np.all(plain[0] == 1) or plain[1].any():
        return None
    whole = m.made(op.inputs[1], "Shape")
    same = whole is not None and not whole.attributes and whole.inputs[0] == parts.inputs[0]
    after = [] if same else m.integers(op.inputs[1])
    if after is None:
        return None
    epsilon = norm.attributes.get("epsilon", 1e-5)
    return "Grouped", [parts.inputs[0]], {"groups": sizes[1], "rest": sizes[2], "sizes": after, "epsilon": epsilon}


def _prelu(m: Matcher, op: Op) -> Replacement | None:
    """x where it is above 0, else a slope times it."""
    if op.op != "Where" or len(op.inputs) != 3:
        return None
    above, below = m.made(op.inputs[0], "Greater"), m.made(op.inputs[2], "Mul")
    if not (above and below) or above.inputs[0] != op.inputs[1] or m.number(above.inputs[1]) != 0:
        return None
    for one, other in (below.inputs, below.inputs[::-1]):
        slope = m.graph.constants.get(other)
        if one == op.inputs[1] and slope is not None and slope.size > 1:
            return "PRelu", [one, other], {}
    return None


def _lrn(m: Matcher, op: Op) -> Replacement | None:
    """x / (bias + alpha * sum of squares of the channels around) ** beta, whose sum is of slices."""
    if op.op != "Div":
        return None
    power = m.made(op.inputs[1], "Pow")
    beta = power and m.number(power.inputs[1])
    shifted = power and m.made(power.inputs[0], "Add")
    bias = shifted and m.with_number(shifted)
    scaled = bias and m.made(bias[0], "Mul")
    alpha = scaled and m.with_number(scaled)
    if beta is None or not (bias and alpha):
        return None
    slices: list[str] = []
    name = alpha[0]
    while (total := m.made(name, "Add")) is not None and len(slices) < 1000:
        slices.append(total.inputs[1])
        name = total.inputs[0]
    cuts = [_cut(m, one) for one in (name, *slices[::-1])]
    if any(cut is None for cut in cuts):
        return None
    known = [cut for cut in cuts if cut is not None]
    source, _, count, axis = known[0]
    if known != [(source, at, count, axis) for at in range(len(known))] or len(known) % 2 == 0:
        return None
    radius = len(known) // 2
    around = m.made(source, "Pad")
    pads = around and m.integers(around.given(1))
    if not (around and pads) or around.attributes.get("mode", "constant") != "constant" or len(around.inputs) > 3:
        return None
    if around.given(2) and m.number(around.given(2)) != 0:
        return None
    rank = len(pads) // 2
    wanted = [radius if at in (axis, axis + rank) else 0 for at in range(2 * rank)]
    if pads != wanted or m.square(around.inputs[0]) != op.inputs[0]:
        return None
    values = {"radius": radius, "alpha": alpha[1], "bias": bias[1], "beta": beta}
    return "AcrossChannels", [op.inputs[0]], {"axis": axis, "channels": count, "values": values}


def _cut(m: Matcher, name: str) -> tuple[str, int, int, int] | None:
    """What a slice along one axis is of, where it begins, and how long it is."""
    op = m.made(name, "Slice")
    if op is None or op.version < 10:
        return None
    given = [m.integers(op.given(at)) for at in (1, 2, 3)]
    steps = m.integers(op.given(4)) if op.given(4) else [1]
    if steps != [1] or any(one is None or len(one) != 1 for one in given):
        return None
    (start,), (end,), (axis,) = (one for one in given if one is not None)
    return (op.inputs[0], start, end - start, axis) if min(start, axis) >= 0 and end > start else None


def _mirrored(m: Matcher, op: Op) -> Replacement | None:
    """Pieces of a tensor backwards around it."""
    if op.op != "Concat" or len(op.inputs) not in (2, 3):
        return None
    pieces = [_backwards(m, name) for name in op.inputs]
    middle = [name for name, piece in zip(op.inputs, pieces, strict=True) if piece is None]
    wanted = middle[0] if len(middle) == 1 else "", op.attributes.get("axis")
    if len(middle) != 1 or any(piece is not None and piece[::3] != wanted for piece in pieces):
        return None
    at = op.inputs.index(middle[0])
    left = pieces[0] if at == 1 else None
    right = pieces[-1] if at < len(op.inputs) - 1 else None
    if (at == 1) != (left is not None) or at > 1:
        return None
    before, after, beyond = 0, 0, set()
    if left is not None:
        _, start, end, _ = left
        before = start - end if end >= 0 else start + 1
        beyond.add(start + 1 - before)
    if right is not None:
        _, start, end, _ = right
        after = start - end
        beyond.add(-1 - start)
    if len(beyond) != 1 or not beyond <= {0, 1}:
        return None
    mode = "reflect" if beyond == {1} else "symmetric"
    return "Mirrored", middle, {"axis": op.attributes["axis"], "before": before, "after": after, "mode": mode}


def _backwards(m: Matcher, name: str) -> tuple[str, int, int, int] | None:
    """What a slice from the end to the beginning along one axis is of, where it begins, and what it ends before."""
    op = m.made(name, "Slice")
    if op is None or op.version < 10 or m.integers(op.given(4)) != [-1]:
        return None
    given = [m.integers(op.given(at)) for at in (1, 2, 3)]
    if any(one is None or len(one) != 1 for one in given):
        return None
    (start,), (end,), (axis,) = (one for one in given if one is not None)
    if start >= 0 and end < 0 and end > -FAR:
        return None
    return op.inputs[0], start, end, axis


PATTERNS: Sequence[Callable[[Matcher, Op], Replacement | None]] = (
    _log_softmax,
    _l2norm,
    _standardized,
    _grouped,
    _prelu,
    _lrn,
    _mirrored,
)
ENDS = {"Sub", "Div", "Mul", "Reshape", "Where", "Concat"}  # nodes that patterns end in


def with_patterns(graph: Graph) -> None:
    """Replace nodes that are a layer together."""
    matcher = Matcher(graph)
    for at, op in enumerate(graph.ops):
        if op.op not in ENDS or op.domain or not op.version or len(op.inputs) < 2:
            continue
        found = None
        for pattern in PATTERNS:
            try:
                found = found or pattern(matcher, op)
            except Unsaid:  # a constant that is too large to be a number
                continue
        if found is not None:
            kind, inputs, attributes = found
            version = 13 if kind == "LogSoftmax" else 1
            graph.ops[at] = Op(op.index, op.name, kind, inputs, op.outputs, attributes, version, "", op.scopes)
    graph.needed()
