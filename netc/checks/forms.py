"""Arguments that many read in another way, and layers far too large: NET505, NET509, NET513, NET515, NET517."""

from __future__ import annotations

import re

from netc.checks.findings import Findings, words
from netc.diagnostics.model import Edit, Fix
from netc.ir.net import Net, Node
from netc.ir.shape import Shape, elements, show_shape
from netc.layers import LAYERS, Layer
from netc.layers.activation import Activation
from netc.layers.conv import Conv
from netc.layers.dense import Dense
from netc.program import Program
from netc.syntax.source import Span

KERNELS = (1, 3, 5, 7)  # that `conv 3x3` may mean
COLOURS = (1, 3, 4)  # channels of images
SEQUENCE = 16  # a square input of at least this size may be an image
HEAVY = 1_000_000  # parameters
MOST = 0.8  # of all parameters: VGG's first dense layer holds up to 77 %, AlexNet's 62 %

_ONE_MAP = ("sigmoid", "tanh")  # `conv 1x1 sigmoid` is how a net ends in, or weighs by, a single map
_PAIR = re.compile(r"(?P<op>\w+\s+)(?P<size>\d+)x(?P=size)(?P<stride>/\d+)?(?=\s|\Z)")


_TRIPLE = re.compile(r"(?P<op>\w+\s+)(?P<size>[357])x(?P=size)x(?P<filters>\d+)(?P<stride>/\d+)?(?=\s|\Z)")
FEWEST = 8  # filters in `conv 3x3x32`; fewer may be a window


def check_forms(program: Program) -> None:
    """Report `conv 3x3`, `input 28x28`, and a softmax of one channel."""
    net = program.net
    with Findings(program.report) as findings:
        for node in net:
            if isinstance(node.layer, Conv):
                _kernel_pair(net, node, findings)
            elif node.layer.is_input:
                _image_without_channels(net, node, findings)
                _sizes_out_of_order(net, node, findings, failed=program.report.failed)
            if net.shapes[node.name][-1] == 1 and _looks_across(node.layer):
                _always_one(net, node, findings)


def _kernel_pair(net: Net, node: Node, findings: Findings) -> None:
    """`conv 3x3`, in two or more dimensions: filters and kernel, or a kernel alone?"""
    layer, span = node.layer, node.origin.span
    if not isinstance(layer, Conv) or layer.filters not in KERNELS or len(net.shapes[node.name]) < 3:
        return
    if layer.filters == 1 and (layer.act in _ONE_MAP or node.name in net.outputs):
        return
    match = _PAIR.match(span.text)
    if match is None:
        _filters_last(node, findings)
        return
    if int(match["size"]) != layer.filters or not findings.fresh("NET509", node):
        return
    size, op, stride = match["size"], match["op"].strip(), match["stride"] or ""
    long = f"{op} filters={size} kernel={size}" + (f" stride={stride[1:]}" if stride else "")
    written = Span(span.source, span.start, span.start + match.end())
    findings.add(
        "NET509",
        node,
        f"`{written.text}` is {size} filter{'s' * (size != '1')} of {size}x{size}, not a kernel of {size}x{size}",
        help=[f"for a kernel of {size}x{size} give the filters: `{op} 64x{size}{stride}`", f"otherwise write `{long}`"],
        fix=Fix(f"write `{long}`", (Edit(written, long),)),
    )


def _filters_last(node: Node, findings: Findings) -> None:
    """`conv 3x3x32`, in two dimensions: a window of 3x3 and 32 filters, as papers write it?"""
    span = node.origin.span
    match = _TRIPLE.match(span.text)
    if match is None or int(match["filters"]) < FEWEST or not findings.fresh("NET509", node):
        return
    op, size, filters, stride = match["op"].strip(), match["size"], match["filters"], match["stride"] or ""
    written = Span(span.source, span.start, span.start + match.end())
    meant, said = f"{op} {filters}x{size}{stride}", f"{size} filters of {size}x{filters}"
    findings.add(
        "NET509",
        node,
        f"`{written.text}` is {said}, not {filters} of {size}x{size}",
        help=[f"filters come first: `{meant}`", f"otherwise write `{op} filters={size} kernel={size}x{filters}`"],
        fix=Fix(f"write `{meant}`", (Edit(written, meant),)),
    )


def _image_without_channels(net: Net, node: Node, findings: Findings) -> None:
    """A square of steps and channels under convolutions: an image whose channels were forgotten?"""
    shape = net.shapes[node.name]
    if len(shape) != 2 or shape[0] != shape[1] or shape[0] is None or shape[0] < SEQUENCE:
        return
    if not _slides(net, node) or not findings.fresh("NET515", node):
        return
    steps, size, span = shape[0], show_shape(shape), node.origin.span
    at = span.text.find(size)
    end = Span(span.source, span.start + at + len(size), span.start + at + len(size))
    findings.add(
        "NET515",
        node,
        f"`{words(node)}` is a sequence of {steps} steps with {steps} channels each",
        help=[f"for a grey image write `input {size}x1`, for a colour image `input {size}x3`"],
        fix=Fix(f"write `input {size}x1`", (Edit(end, "x1"),)) if at >= 0 else None,
    )


def _sizes_out_of_order(net: Net, node: Node, findings: Findings, *, failed: bool) -> None:
    """An image whose channels come first, as in PyTorch, or that has a batch of one in front.

    Beside errors it may be why there are some, and what reads it may be missing."""
    shape, span = net.shapes[node.name], node.origin.span
    meant: Shape
    if len(shape) == 3 and shape[0] in COLOURS and shape[1] == shape[2]:
        meant, said = (*shape[1:], shape[0]), f"{shape[0]} rows, {shape[1]} columns and {shape[2]} channels"
    elif len(shape) == 4 and shape[0] == 1 and shape[1] == shape[2] and shape[3] in COLOURS:
        meant, said = shape[1:], f"a volume of 1x{shape[1]}x{shape[2]} with {shape[3]} channels"
    else:
        return
    if (shape[1] or 0) < SEQUENCE or not (failed or _slides(net, node)) or not findings.fresh("NET517", node):
        return
    size = show_shape(shape)
    at = span.start + span.text.find(size)
    findings.add(
        "NET517",
        node,
        f"`{words(node)}` is {said}",
        help=[f"sizes are those of one sample, with the channels last: `input {show_shape(meant)}`"],
        fix=Fix(f"write `input {show_shape(meant)}`", (Edit(Span(span.source, at, at + len(size)), show_shape(meant)),))
        if size in span.text
        else None,
    )


def _slides(net: Net, node: Node) -> bool:
    """Whether a layer with windows reads a node."""
    return any(net.node(reader).layer.slides for reader in net.consumers(node.name))


def _looks_across(layer: Layer) -> bool:
    """Whether a layer ends in an activation that divides by a sum over the channels."""
    last = LAYERS.get(layer.activation or "")
    return last is not None and issubclass(last, Activation) and last.across


def _always_one(net: Net, node: Node, findings: Findings) -> None:
    if findings.fresh("NET513", node):
        findings.add(
            "NET513",
            node,
            f"`{words(node)}` is a softmax over one channel, whose result is the same for every input",
            label=f"{show_shape(net.shapes[node.name])} here",
            help=["one output with `sigmoid`, or two with `softmax`, tell two classes apart"],
        )


def heavy_dense(program: Program) -> None:
    """Report a dense layer on a map of pixels that holds most of the parameters."""
    net = program.net
    if program.report.failed:
        return
    heavy = [(node, count) for node in net if isinstance(node.layer, Dense) and (count := _weights(net, node)) > HEAVY]
    if not heavy:
        return
    total = sum(_weights(net, node) for node in net)
    with Findings(program.report) as findings:
        for node, count in heavy:
            source = _unflattened(net, net.operands(node.name)[0])
            if count <= MOST * total or len(net.shapes[source]) == 1 or not findings.fresh("NET505", node):
                continue
            findings.add(
                "NET505",
                node,
                f"`{words(node)}` holds {100 * count // total} % of all parameters ({count:,} of {total:,})",
                label=f"a weight for each of {show_shape(net.shapes[source])}",
                help=["a `gap` before it needs one weight a channel; another `pool` before it makes it smaller"],
            )


def _weights(net: Net, node: Node) -> int:
    """Parameters that a node makes; 0 where it shares another one's."""
    if node.shares is not None:
        return 0
    return sum(weight.count for weight in node.layer.weights(net.operand_shapes(node.name)))


def _unflattened(net: Net, name: str) -> str:
    """The tensor whose elements a vector holds, before any `flatten` and dropout."""
    while len(net.shapes[name]) == 1 and net.node(name).layer.transparent and len(net.operands(name)) == 1:
        (source,) = net.operands(name)
        if elements(net.shapes[source]) != elements(net.shapes[name]):
            break
        name = source
    return name
