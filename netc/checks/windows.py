"""What sliding windows leave out or round: between them (NET301), at the border (NET503), in size (NET504)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from math import prod

from netc.checks.findings import Findings, words
from netc.diagnostics.model import Edit, Fix, Label
from netc.ir.net import Net, Node
from netc.ir.shape import Shape, show_shape
from netc.ir.window import Window, read_share, same_padding, skips
from netc.layers.pool import AveragePool
from netc.layers.shape import Pad
from netc.program import Program
from netc.syntax.source import Span
from netc.values import show

_AXES = {1: ("step",), 2: ("row", "column"), 3: ("slice", "row", "column")}
_VALUE = r"\([^()]*\)|\d+"
_STATEMENT = re.compile(
    rf"(?P<op>\w+)\s+(?:(?P<filters>{_VALUE})x)?(?P<window>\d+(?:x\d+)*)/(?P<stride>(?:{_VALUE})(?:x(?:{_VALUE}))*)"
)
_LABEL = re.compile(r"\w+\s*:\s*\Z")


@dataclass(frozen=True, slots=True)
class Sliding:
    """A node whose windows step by more than one pixel."""

    net: Net
    node: Node
    shape: Shape  # of its input
    windows: tuple[Window, ...]

    @property
    def sizes(self) -> tuple[int, ...]:
        """The window, a number a dimension."""
        return tuple(window.size for window in self.windows)

    @property
    def strides(self) -> tuple[int, ...]:
        """The stride, a number a dimension."""
        return tuple(window.stride for window in self.windows)


def check_windows(program: Program) -> None:
    """Report windows smaller than their stride, borders that no window reads, and sizes that are rounded."""
    net, resized = program.net, _Resized(program.net)
    with Findings(program.report) as findings:
        for node in net:
            if not node.layer.slides:
                continue
            shape = net.shapes[net.operands(node.name)[0]]
            windows = node.layer.windows((shape,))
            if not windows or all(window.stride == 1 for window in windows):
                continue
            sliding = Sliding(net, node, shape, windows)
            if any(map(skips, windows)):
                _skipped(sliding, findings)
            elif getattr(node.layer, "pad", "same") == "same":
                _rounded(sliding, resized, findings)
            else:
                _dropped(sliding, findings)


# -- NET301 --------------------------------------------------------------------------------------------------


def _skipped(sliding: Sliding, findings: Findings) -> None:
    """A window smaller than its stride, or one whose dilated taps all fall on the same pixels of each step."""
    node, pool = sliding.node, sliding.node.layer.family == "pool"
    unread = 1 - prod(map(read_share, sliding.shape[:-1], sliding.windows))
    essence = (sliding.sizes, sliding.strides)
    if unread <= 0 or not findings.fresh("NET301", node, essence):
        return
    window, stride = show(sliding.sizes), show(sliding.strides)
    apart = show(tuple(window.dilation for window in sliding.windows))
    spread = any(window.dilation > 1 for window in sliding.windows)
    why = f"its taps stand {apart} apart" if spread else f"its window is {window}"
    share = f"{min(100 * unread, 99.9):.1f}".removesuffix(".0")
    findings.add(
        "NET301",
        node,
        f"`{words(node)}` never reads {share} % of its input: {why}, its stride is {stride}",
        essence=essence,
        label=f"window {window}, stride {stride}, on {show_shape(sliding.shape)}",
        notes=[
            "TensorFlow before 1.4.0 refused the CPU gradient of such an average pool, `stride must be less than or "
            "equal to kernel size` (TFLearn issue 331); it is legal since, and its results and gradients are right"
            if isinstance(node.layer, AveragePool)
            else "legal in TensorFlow, forward and backward; the pixels between the windows have no influence"
        ],
        help=_pool_choices(sliding) if pool else _conv_choices(sliding),
        fix=_pool_fix(sliding) if pool else _conv_fix(sliding),
    )


def _pool_choices(sliding: Sliding) -> list[str]:
    stride, op = _compact(sliding.strides), sliding.node.origin.span.text.split()[0]
    slices = [f"`subsample {stride}` is the same as a strided slice: the same numbers, plainly said"]
    taken = " (as TFLearn did in its pull request 592)" if isinstance(sliding.node.layer, AveragePool) else ""
    return [
        *(slices if max(sliding.sizes) == 1 else ()),
        f"`{op} {stride}` reads every pixel, but changes the results{taken}",
        f"`conv (channels)x{stride}/{stride}` is a projection that reads every pixel and is learnt",
    ]


def _conv_choices(sliding: Sliding) -> list[str]:
    stride, op = _compact(sliding.strides), sliding.node.origin.span.text.split()[0]
    pixel = max(sliding.sizes) == 1
    plain = f"`subsample {stride}` before it, and no stride: the same numbers, plainly said"
    return [
        *([plain] if pixel else ()),
        f"`avgpool {stride}` before it, and no stride: reads every pixel, but changes the results (ResNet-D, "
        "arXiv:1812.01187)",
        f"a window of {stride} or more reads every pixel, but has other weights"
        if all(window.dilation == 1 for window in sliding.windows)
        else f"`{op}` without the dilation reads every pixel, but changes the results",
        *(["a projection of a published network is kept: `# netc: allow NET301` on its line"] if pixel else ()),
    ]


def _pool_fix(sliding: Sliding) -> Fix | None:
    """A strided slice for a window of one pixel, which is the same; else a window as large as the stride."""
    span = sliding.node.origin.span
    match = _STATEMENT.match(span.text)
    if match is None or match["filters"]:
        return None
    rest = span.text[match.end() :]
    if max(sliding.sizes) == 1 and rest.strip() in ("", "same", "valid", "pad=same", "pad=valid", "pad=0"):
        text = f"subsample {match['stride']}"
        return Fix(f"write `{text}`, which is the same", (Edit(span, text),), safe=True)
    text = f"{match['op']} {match['stride']}{rest}"
    return Fix(f"write `{text}`, which changes the results", (Edit(span, text),))


def _conv_fix(sliding: Sliding) -> Fix | None:
    """The slice before a convolution of one pixel."""
    span = sliding.node.origin.span
    match = _STATEMENT.match(span.text)
    if match is None or max(sliding.sizes) > 1:
        return None
    source, start = span.source, span.start
    label = _LABEL.search(source.text, max(start - 200, 0), start)
    begin = Span(source, label.start() if label else start, label.start() if label else start)
    stride = Span(source, start + match.start("stride") - 1, start + match.end("stride"))
    slice_ = f"subsample {match['stride']}"
    return Fix(f"put `{slice_}` before it", (Edit(begin, f"{slice_}; "), Edit(stride, "")))


def _compact(sizes: Sequence[int]) -> str:
    """Equal sizes as one number, as a spec writes them."""
    return show(tuple(sizes) if len(set(sizes)) > 1 else sizes[0])


# -- NET503 --------------------------------------------------------------------------------------------------


def _dropped(sliding: Sliding, findings: Findings) -> None:
    """Rows and columns after the last whole window."""
    names = _AXES[len(sliding.windows)]
    added = _added_after(sliding)
    left = [
        max(_left_over(size, window) - zeros, 0)
        for size, window, zeros in zip(sliding.shape[:-1], sliding.windows, added, strict=True)
    ]
    if not any(left) or not findings.fresh("NET503", sliding.node):
        return
    node, shape = sliding.node, sliding.shape
    lost = " and ".join(
        f"{count} of {size} {name}s" for count, size, name in zip(left, shape[:-1], names, strict=True) if count
    )
    findings.add(
        "NET503",
        node,
        f"`{words(node)}` never reads {lost}: its windows do not fill {show_shape(shape[:-1])}",
        label=f"{show_shape(shape)} here",
        help=["`pad=same` reads every pixel, and rounds the size up; or choose an input size that fits"],
    )


def _added_after(sliding: Sliding) -> list[int]:
    """The zeros that a `pad` right before puts at the end of each dimension: nobody misses them."""
    (source,) = sliding.net.operands(sliding.node.name)
    layer = sliding.net.node(source).layer
    rank = len(sliding.windows)
    return [after for _, after in layer.pairs(rank)] if isinstance(layer, Pad) else [0] * rank


def _left_over(size: int | None, window: Window) -> int:
    if size is None:
        return 0
    return max((size + window.before + window.after - window.extent) % window.stride - window.after, 0)


# -- NET504 --------------------------------------------------------------------------------------------------


class _Resized:
    """Which node gave a tensor its size: looked up backwards, each node once."""

    def __init__(self, net: Net) -> None:
        self.net = net
        self._known: dict[str, str] = {}

    @cached_property
    def strides(self) -> dict[str, tuple[int, ...]]:
        """For each node the strides on the way to it along first operands, multiplied, since all was read together."""
        found: dict[str, tuple[int, ...]] = {}
        for node in self.net:
            operands, one = self.net.operands(node.name), (1,) * (len(self.net.shapes[node.name]) - 1)
            windows = node.layer.windows(self.net.operand_shapes(node.name)) if operands else None
            before = found[operands[0]] if operands and windows is not None else one
            if windows and len(windows) == len(before):
                before = tuple(size * window.stride for size, window in zip(before, windows, strict=True))
            found[node.name] = before if len(before) == len(one) else one
        return found

    def by(self, name: str) -> str:
        """The last node before this one, or itself, that changed the spatial size."""
        net, known, passed = self.net, self._known, []
        while name not in known:
            operands = net.operands(name)
            if not operands or net.shapes[operands[0]][:-1] != net.shapes[name][:-1]:
                known[name] = name
                break
            passed.append(name)
            name = operands[0]
        found = known[name]
        known.update(dict.fromkeys(passed, found))
        return found


def _rounded(sliding: Sliding, resized: _Resized, findings: Findings) -> None:
    """A size that the stride does not divide: the last window hangs over the border."""
    net, node, shape = sliding.net, sliding.node, sliding.shape
    uneven = [_uneven(size, window) for size, window in zip(shape[:-1], sliding.windows, strict=True)]
    if not any(uneven) or not findings.fresh("NET504", node):
        return
    first = next(size for size, zeros in zip(shape, uneven, strict=False) if zeros)
    stride, size = _compact(sliding.strides), show_shape(shape[:-1])
    made = net.node(resized.by(net.operands(node.name)[0]))
    findings.add(
        "NET504",
        node,
        f"`{words(node)}` rounds {size} up to {show_shape(net.shapes[node.name][:-1])}: {first} is "
        + ("odd" if stride == "2" else f"no multiple of its stride {stride}"),
        label=f"{show_shape(shape)} here",
        secondary=[Label(made.origin.span, f"gives {size}")],
        help=_whole(sliding, uneven, resized.strides[node.name]),
    )


def _uneven(size: int | None, window: Window) -> tuple[int, int] | None:
    """Where `same` adds more after than before because of the size: how many of these zeros a `pad` writes out, before
    and after, that leaves the same windows. A window of 3 and stride 2 lies evenly on odd sizes."""
    if size is None or not size % window.stride:
        return None
    before, after = same_padding(size, window.size, window.stride, window.dilation)
    if before == after:
        return None
    written = before - (window.extent - window.stride) // 2
    return written, -size % window.stride - written


def _whole(sliding: Sliding, uneven: Sequence[tuple[int, int] | None], total: Sequence[int]) -> list[str]:
    """What makes the size fit: an input that all strides so far divide, or zeros that are written."""
    before, after = map(_compact, zip(*(zeros or (0, 0) for zeros in uneven), strict=True))
    pool = sliding.node.layer.family == "pool"  # which reads no padding
    return [
        f"an input whose size is a multiple of {_compact(total)} fits all the way",
        f"`pad before={before} after={after}` before it "
        + (
            "makes it fit, and changes means, and maxima of negative numbers: the zeros count"
            if pool
            else "writes out the zeros that it reads, where they are meant"
        ),
    ]
