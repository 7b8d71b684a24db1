"""Nodes over an axis, or around one, that are one layer together: replaced by a node of an operation that says so."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from netc.layers.norm import TINY
from netc.lift.source import Unsaid
from netc.targets.onnx.read.constants import short
from netc.targets.onnx.read.graph import Graph, Op, Subgraph

FAR = 1 << 31
RANDOM = ("Dropout",)


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
        return self.along(op) if op.attributes.get("keepdims", 1) else None

    def along(self, op: Op) -> list[int] | None:
        """The axes of a node, which are an attribute or a constant."""
        if "axes" in op.attributes:
            return list(op.attributes["axes"])
        return self.integers(op.given(1))

    def alike(self, one: str, other: str, depth: int = 4) -> bool:
        """Whether two values are the same: made once, or in the same few nodes of the same values."""
        if one == other:
            return True
        makers = self._makers.get(one), self._makers.get(other)
        if None in makers:
            numbers = self.integers(one)
            return makers == (None, None) and numbers is not None and numbers == self.integers(other)
        first, second = (maker for maker in makers if maker is not None)
        return (
            depth > 0
            and (first.op, first.domain, first.attributes) == (second.op, second.domain, second.attributes)
            and first.outputs.index(one) == second.outputs.index(other)
            and len(first.inputs) == len(second.inputs)
            and first.op not in RANDOM
            and all(self.alike(*pair, depth - 1) for pair in zip(first.inputs, second.inputs, strict=True))
        )

    def without_one(self, name: str, axis: int) -> str:
        """The value that another is without an axis, if that has the size 1."""
        op = self.made(name, "Squeeze", "If")
        if op is not None and op.op == "Squeeze" and self.along(op) == [axis]:
            return op.inputs[0]
        branches = [one.passes_on() for one in op.attributes.values() if isinstance(one, Subgraph)] if op else []
        return branches[0] if len(branches) == 2 and branches[0] == branches[1] and branches[0] else name

    def bordered(self, name: str, axis: int, by: int) -> str | None:
        """The value that another is with as many zeros on both sides of an axis."""
        op = self.made(name, "Pad")
        pads = op and self.integers(op.given(1))
        if not (op and pads) or op.attributes.get("mode", "constant") != "constant" or len(op.inputs) > 3:
            return None
        rank = len(pads) // 2
        wanted = [by if at in (axis, axis + rank) else 0 for at in range(2 * rank)]
        zero = not op.given(2) or self.number(op.given(2)) == 0
        return op.inputs[0] if pads == wanted and zero else None

    def inverse_root(self, name: str) -> str | None:
        """The value whose root a value is 1 divided by."""
        inverse = self.made(name, "Reciprocal", "Div", "Pow")
        if inverse is None:
            return None
        if inverse.op == "Pow":
            return inverse.inputs[0] if self.number(inverse.inputs[1]) == -0.5 else None
        if inverse.op == "Div" and self.number(inverse.inputs[0]) != 1:
            return None
        return self.root(inverse.inputs[-1])

    def root(self, name: str) -> str | None:
        """The value whose root another is."""
        op = self.made(name, "Sqrt", "Pow")
        if op is None or (op.op == "Pow" and self.number(op.inputs[1]) != 0.5):
            return None
        return op.inputs[0]

    def square(self, name: str) -> str | None:
        """The value whose square another is."""
        op = self.made(name, "Mul", "Pow")
        if op is None or len(op.inputs) != 2:
            return None
        if op.op == "Mul":
            return op.inputs[0] if op.inputs[0] == op.inputs[1] else None
        return op.inputs[0] if self.number(op.inputs[1]) == 2 else None


Replacement = tuple[str, list[str], dict[str, Any]]  # the operation, its inputs, its attributes


def _log_of_softmax(m: Matcher, op: Op) -> Replacement | None:
    """log(softmax(x))."""
    softmax = m.made(op.inputs[0], "Softmax")
    if softmax is None or softmax.version < 13:  # which took the sum over several axes
        return None
    return "LogSoftmax", [*softmax.inputs], {"axis": softmax.attributes.get("axis", -1)}


def _log_softmax(m: Matcher, op: Op) -> Replacement | None:
    """s - log(sum(exp(s))) of s = x - max(x)."""
    logarithm = m.made(op.inputs[1], "Log")
    total = logarithm and m.made(logarithm.inputs[0], "ReduceSum")
    power = total and m.made(total.inputs[0], "Exp")
    if not (logarithm and total and power) or power.inputs[0] != op.inputs[0]:
        return None
    lowered = m.made(op.inputs[0], "Sub")
    largest = lowered and m.made(lowered.inputs[1], "ReduceMax")
    if not (lowered and largest) or largest.inputs[0] != lowered.inputs[0]:
        return None
    axes = m.axes(total)
    if axes is None or len(axes) != 1 or m.axes(largest) != axes:
        return None
    return "LogSoftmax", [lowered.inputs[0]], {"axis": axes[0]}


STACKED = {"ReduceSum": "Sum", "ReduceMean": "Mean", "ReduceMax": "Max"}


def _stacked(m: Matcher, op: Op) -> Replacement | None:
    """A sum, a mean or a maximum of tensors that were stacked for it along an axis of their own."""
    axes = m.along(op)
    joined = m.made(op.inputs[0], "Concat") if axes and not op.attributes.get("keepdims", 1) else None
    if joined is None or axes != [joined.attributes.get("axis")]:
        return None
    parts = [m.made(name, "Unsqueeze") for name in joined.inputs]
    if any(part is None or m.along(part) != axes for part in parts):
        return None
    return STACKED[op.op], [part.inputs[0] for part in parts if part is not None], {}


def _l2norm(m: Matcher, op: Op) -> Replacement | None:
    """x / max(length of x, 1e-12), or by the length itself."""
    name = op.inputs[1]
    if (wider := m.made(name, "Expand")) is not None:
        name = wider.inputs[0]
    bounded = m.made(name, "Max", "Clip")
    least = None if bounded is None else m.with_number(bounded)
    if bounded and bounded.op == "Clip" and len(bounded.inputs) == 3 and not bounded.inputs[2]:
        number = m.number(bounded.inputs[1])
        least = None if number is None else (bounded.inputs[0], number)
    if bounded is None:
        least = name, TINY
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
    return "L2Norm", [op.inputs[0]], {"axis": axes[0], "bounded": bounded is not None}


def _standardized(m: Matcher, op: Op) -> Replacement | None:
    """c / sqrt(mean(c ** 2) + epsilon) of c = x - mean(x)."""
    pairs = [op.inputs] if op.op == "Div" else [op.inputs, op.inputs[::-1]]
    under = m.root if op.op == "Div" else m.inverse_root
    found = next(((one, root) for one, other in pairs if (root := under(other)) is not None), None)
    shifted = found and m.made(found[1], "Add")
    epsilon = None if shifted is None else m.with_number(shifted)
    variance = None if epsilon is None else m.made(epsilon[0], "ReduceMean")
    centred = found and m.made(found[0], "Sub")
    mean = centred and m.made(centred.inputs[1], "ReduceMean")
    if not (variance and centred and mean and epsilon and found) or mean.inputs[0] != centred.inputs[0]:
        return None
    square, axes = m.square(variance.inputs[0]), m.axes(variance)  # exporters may write what is squared twice
    if square is None or not m.alike(square, found[0]) or axes is None or len(axes) != 1 or m.axes(mean) != axes:
        return None
    return "Standardized", [centred.inputs[0]], {"axis": axes[0], "epsilon": epsilon[1]}


def _grouped(m: Matcher, op: Op) -> Replacement | None:
    """Groups of channels as channels of their own, each normalised."""
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
    part = whole is not None and (whole.attributes.get("start", 0) or "end" in whole.attributes)
    same = whole is not None and not part and whole.inputs[0] == parts.inputs[0]
    after = [] if same else m.integers(op.inputs[1])
    if after is None:
        return None
    epsilon = norm.attributes.get("epsilon", 1e-5)
    return "Grouped", [parts.inputs[0]], {"groups": sizes[1], "rest": sizes[2], "sizes": after, "epsilon": epsilon}


def _prelu(m: Matcher, op: Op) -> Replacement | None:
    """x where it is above 0, else a slope times it."""
    above, below = m.made(op.inputs[0], "Greater"), m.made(op.inputs[2], "Mul")
    if not (above and below) or above.inputs[0] != op.inputs[1] or m.number(above.inputs[1]) != 0:
        return None
    for one, other in (below.inputs, below.inputs[::-1]):
        slope = m.graph.constants.get(other)
        if one == op.inputs[1] and slope is not None and slope.size > 1:
            return "PRelu", [one, other], {}
    return None


def _lrn(m: Matcher, op: Op) -> Replacement | None:
    """x / (bias + alpha * sum of squares of the channels around) ** beta."""
    power = m.made(op.inputs[1], "Pow")
    beta = m.number(power.inputs[1]) if power else None
    shifted = power and m.made(power.inputs[0], "Add")
    bias = m.with_number(shifted) if shifted else None
    scaled = m.made(bias[0], "Mul") if bias else None
    alpha = m.with_number(scaled) if scaled else None
    if beta is None or bias is None or alpha is None:
        return None
    values = {"alpha": alpha[1], "bias": bias[1], "beta": beta}
    return _in_slices(m, op.inputs[0], alpha[0], values) or _in_means(m, op.inputs[0], alpha[0], values)


def _in_slices(m: Matcher, source: str, name: str, values: dict[str, float]) -> Replacement | None:
    """A normalisation across channels whose sum is of slices, as netc exports it."""
    slices: list[str] = []
    while (total := m.made(name, "Add")) is not None and len(slices) < 1000:
        slices.append(total.inputs[1])
        name = total.inputs[0]
    cuts = [_cut(m, one) for one in (name, *slices[::-1])]
    if any(cut is None for cut in cuts):
        return None
    known = [cut for cut in cuts if cut is not None]
    wide, _, count, axis = known[0]
    if known != [(wide, at, count, axis) for at in range(len(known))] or len(known) % 2 == 0:
        return None
    squares = m.bordered(wide, axis, len(known) // 2)
    if squares is None or m.square(squares) != source:
        return None
    return "AcrossChannels", [source], {"axis": axis, "channels": count, "radius": len(known) // 2, **values}


def _in_means(m: Matcher, source: str, name: str, values: dict[str, float]) -> Replacement | None:
    """A normalisation across channels whose mean is a pool over channels as positions, as PyTorch writes it."""
    after = m.made(name, "Reshape")
    if after is None and m.made(name, "Squeeze") is None:
        return None
    name = name if after is None else after.inputs[0]
    pool = m.made(m.without_one(name, 1), "AveragePool")
    window = pool.attributes.get("kernel_shape", []) if pool else []
    usual = {"strides": [1] * len(window), "pads": [0] * 2 * len(window), "ceil_mode": 0, "auto_pad": "NOTSET"}
    if not (pool and window) or any(pool.attributes.get(one, value) != value for one, value in usual.items()):
        return None
    if window[0] % 2 == 0 or set(window[1:]) != {1}:
        return None
    wide = m.made(m.bordered(pool.inputs[0], 2, window[0] // 2) or "", "Reshape", "Unsqueeze")
    if wide is None or (wide.op == "Unsqueeze" and m.along(wide) != [1]) or m.square(wide.inputs[0]) != source:
        return None
    shapes = [op.inputs[1] if op is not None and op.op == "Reshape" else "" for op in (wide, after)]
    given = {"axis": 1, "radius": window[0] // 2, **values, "alpha": short(values["alpha"] / window[0])}
    return "AcrossChannels", [source, *shapes], given


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
    if len(op.inputs) not in (2, 3):
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


Pattern = Callable[[Matcher, Op], Replacement | None]
PATTERNS: Mapping[str, Sequence[Pattern]] = {  # by the node that they end in
    "Log": (_log_of_softmax,),
    "Sub": (_log_softmax,),
    "Div": (_l2norm, _standardized, _lrn),
    "Mul": (_standardized,),
    "Reshape": (_grouped,),
    "Where": (_prelu,),
    "Concat": (_mirrored,),
    **dict.fromkeys(STACKED, (_stacked,)),
}
ONE = ("Log", *STACKED)  # that may have one input; others have two at least


def with_patterns(graph: Graph) -> None:
    """Replace nodes that are a layer together."""
    matcher = Matcher(graph)
    for at, op in enumerate(graph.ops):
        if op.domain or not op.version or len(op.inputs) < 2 - (op.op in ONE):
            continue
        found = None
        for pattern in PATTERNS.get(op.op, ()):
            try:
                found = found or pattern(matcher, op)
            except Unsaid:  # a constant that is too large to be a number
                continue
        if found is not None:
            kind, inputs, attributes = found
            version = 13 if kind == "LogSoftmax" else 1
            graph.ops[at] = Op(op.index, op.name, kind, inputs, op.outputs, attributes, version, "", op.scopes, op.line)
    graph.needed()
