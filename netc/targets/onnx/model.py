"""A network with its weights as an ONNX model."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from netc import __version__
from netc.diagnostics.escape import harmless
from netc.rewrites.inference import REWRITES as EXACT
from netc.rewrites.inference import convolved_shortcuts, rewritten
from netc.targets.errors import ExportError
from netc.targets.onnx import external
from netc.targets.onnx.graph import Graph, Node, Value
from netc.targets.onnx.primitives import Onnx, Tensor
from netc.targets.onnx.rewrites import REWRITES
from netc.targets.proof import place_of
from netc.targets.trace import traced

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from netc.analysis.sizes.formula import Extent
    from netc.analysis.sizes.trace import Formulas
    from netc.ir.net import Net
    from netc.ir.shape import Dim
    from netc.ir.weights import Weights
    from netc.program import Program
    from netc.targets.onnx.external import Beside

OPSET = 18  # what every engine of today has, and all that is needed
IR = 8
BATCH = "batch"
FRAME = 64  # bytes that an array takes besides at most: its type, its sizes, lengths
LARGEST = 2**31 - 1  # bytes of a file: the limit of protocol buffers
LAYERS = (*EXACT, convolved_shortcuts)  # rewrites of the network; those of its nodes follow
PLAIN = str.maketrans({"⌈": "ceil(", "⌉": ")", "⌊": "floor(", "⌋": ")", "·": "*"})


@dataclass(frozen=True, slots=True)
class Made:
    """A model, and where the output of each layer is in it: the name of a value, and which axis of the layer's output
    each of its axes is. Layers that became part of others are not there. `beside` has the arrays that the file of the
    model has no room for."""

    proto: onnx.ModelProto
    values: Mapping[str, tuple[str, tuple[int, ...]]]
    beside: Beside | None = None


def model(program: Program, weights: Weights, more: Mapping[str, str] | None = None, beside: str | None = None) -> Made:
    """The model of a program: inputs and outputs have the names of its layers, the batch and open sizes stay open.

    `more` is metadata beside netc's own. A model that is too large for one file has its arrays in another of the name
    `beside`; raises `ExportError` where there is no name.
    """
    net = program.net
    graph, tensors = _graph(*rewritten(net, weights, LAYERS))
    for rewrite in REWRITES:
        rewrite(graph)
    _named(graph, tensors)
    made = {value for node in graph.nodes for value in node.outputs} | {value for value, _ in graph.inputs}
    values = {
        name: (tensor.value.name, tensor.perm)
        for name, tensor in tensors.items()
        if tensor.value in made and tensor.value is not None
    }
    proto, arrays = _proto(program, graph, _formulas(net))
    for key, value in {**_metadata(program, weights), **(more or {})}.items():
        proto.metadata_props.add(key=key, value=value)
    size = proto.ByteSize() + sum(array.nbytes + len(name.encode()) + FRAME for name, array in arrays.items())
    if size <= LARGEST:
        proto.graph.initializer.extend(numpy_helper.from_array(array, name) for name, array in arrays.items())
        return Made(proto, values)
    if beside is None:
        raise ExportError(f"the model has {size:,} bytes, and one ONNX file has at most {LARGEST:,}")
    return Made(proto, values, external.place(proto, arrays, beside))


def _formulas(net: Net) -> Formulas | None:
    if not net.is_open:
        return None
    from netc.analysis.sizes.trace import formulas  # noqa: PLC0415 - few networks are open

    return formulas(net)


def _graph(net: Net, weights: Weights) -> tuple[Graph, dict[str, Tensor]]:
    """The nodes of a network, each with its layer, and the tensor of each layer."""
    f = Onnx()
    inputs = {name: f.input(net.shapes[name]) for name in net.inputs}
    for name, tensor in inputs.items():
        assert tensor.value is not None
        tensor.value.name = name
    tensors: dict[str, Tensor] = {}
    owned = 0
    for node, tensor in traced(net, weights, f, inputs):
        for made in f.graph.nodes[owned:]:
            made.layer = node.name
        owned = len(f.graph.nodes)
        tensors[node.name] = tensor
    for name in net.outputs:
        value = f.output(tensors[name], net.node(name).layer.is_input)
        value.name = name
        for made in f.graph.nodes[owned:]:
            made.layer = name
        owned = len(f.graph.nodes)
    return f.graph, tensors


def _named(graph: Graph, tensors: Mapping[str, Tensor]) -> None:
    """Name values, and so nodes: the output of a layer as the layer, what lies before it with a number."""
    taken = {value.name for value, _ in (*graph.inputs, *graph.outputs)}
    made_by = {node.output: node.layer for node in graph.nodes}
    for name, tensor in tensors.items():
        value = tensor.value
        if value is not None and not value.name and made_by.get(value) == name and name not in taken:
            value.name = name
            taken.add(name)
    count: Counter[str] = Counter()
    for node in graph.nodes:
        for value in node.outputs:
            while not value.name:
                stem = f"{node.layer}/{node.op}"
                count[stem] += 1
                if f"{stem}_{count[stem]}" not in taken:
                    value.name = f"{stem}_{count[stem]}"
                    taken.add(value.name)


def _proto(
    program: Program, graph: Graph, known: Formulas | None
) -> tuple[onnx.ModelProto, Mapping[str, NDArray[Any]]]:
    """The model without the arrays that it holds, and these."""
    net = program.net
    constants: dict[tuple[Any, ...], str] = {}
    held: dict[str, NDArray[Any]] = {}
    names = {value.name for node in graph.nodes for value in node.outputs} | set(net.inputs)

    def constant(array: NDArray[Any], node: Node, place: int) -> str:
        """The name of an initializer, one for all equal ones."""
        array = np.ascontiguousarray(array)
        key = (array.dtype.str, array.shape, hashlib.sha256(array.data).digest())
        if key not in constants:
            stem = f"{node.output.name}/{_ROLES.get(node.op, {}).get(place, f'input{place}')}"
            name, number = stem, 1
            while name in names:
                number += 1
                name = f"{stem}_{number}"
            names.add(name)
            constants[key] = name
            held[name] = array
        return constants[key]

    nodes = []
    for node in graph.nodes:
        sources = [
            "" if source is None else source.name if isinstance(source, Value) else constant(source, node, place)
            for place, source in enumerate(node.inputs)
        ]
        targets = [value.name for value in node.outputs]
        made = helper.make_node(node.op, sources, targets, name=node.output.name, **node.attributes)
        made.doc_string = place_of(program, node.layer)
        nodes.append(made)
    inputs = [_info(value.name, shape, known) for value, shape in graph.inputs]
    outputs = [_info(value.name, shape, known) for value, shape in graph.outputs]
    body = helper.make_graph(nodes, harmless(program.name), inputs, outputs)
    opset = helper.make_opsetid("", OPSET)
    made = helper.make_model(
        body, opset_imports=[opset], ir_version=IR, producer_name="netc", producer_version=__version__
    )
    return made, held


_ROLES = {
    "Conv": {1: "kernel", 2: "bias"},
    "ConvTranspose": {1: "kernel", 2: "bias"},
    "Gemm": {1: "kernel", 2: "bias"},
    "BatchNormalization": {1: "factor", 2: "offset", 3: "mean", 4: "variance"},
    "LayerNormalization": {1: "gamma", 2: "beta"},
}


def _info(name: str, shape: tuple[Dim, ...], known: Formulas | None) -> onnx.ValueInfoProto:
    """An input or output; open sizes are named by their formulas."""
    said = known.shapes[name] if known is not None else shape[1:]
    dims: list[int | str] = [BATCH]
    for axis, (size, extent) in enumerate(zip(shape[1:], said, strict=True), 1):
        if size is not None:
            dims.append(size)
        else:
            dims.append(f"{name}_{axis}" if extent is None else _formula(extent))
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, dims)


def _formula(extent: Extent) -> str:
    from netc.analysis.sizes import text  # noqa: PLC0415

    return text.size(extent).translate(PLAIN)


def _metadata(program: Program, weights: Weights) -> dict[str, str]:
    """What the model was made of."""
    spec = program.file.source.text.encode("utf-8", "backslashreplace")  # a text of Python may be none in UTF-8
    digest = hashlib.sha256()
    for (name, role), array in weights.items():
        digest.update(f"{name}/{role}\0".encode())
        digest.update(np.ascontiguousarray(array).data)
    return {
        "netc_version": __version__,
        "onnx_version": onnx.__version__,
        "netc_spec": spec.decode(),
        "netc_spec_sha256": hashlib.sha256(spec).hexdigest(),
        "netc_parameters": json.dumps(dict(program.parameters), default=str),
        "netc_weights_sha256": digest.hexdigest(),
    }
