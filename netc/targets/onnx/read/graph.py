"""The nodes of a model as they are read: named, in order, with what they are given; constants and aliases resolved."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from errno import ENOENT
from pathlib import Path, PureWindowsPath
from typing import Any

import numpy as np
import onnx

from netc.lift.source import ImportRefused, Reason, Unsaid
from netc.limits import Limits
from netc.targets.onnx.read.constants import Constant, known, short, stored

MAIN = ("", "ai.onnx")  # names of the domain of ONNX's own operations
OLDEST = 7  # opset: operations before it broadcast otherwise
SCOPES, TRACE = "pkg.torch.onnx.name_scopes", "pkg.torch.onnx.stack_trace"
CLASSES = "pkg.torch.onnx.class_hierarchy"  # the operation of the model, after its modules
LAYING = ("Identity", "Squeeze", "Unsqueeze", "Reshape")  # operations that leave elements in their order
SHOWN = 80  # characters of a name in a message
MOST_METADATA = 10_000  # characters of an entry that are looked at
_FRAME = re.compile(r'File "([^"\n]+)", line (\d{1,9})\b')
_PYTORCH = re.compile(r"[/\\](site|dist)-packages[/\\]torch[/\\]")  # in the paths of its own files
_FOLDED = (
    "if the model has any, PyTorch's exporter made it part of the convolutions, which `do_constant_folding=False` "
    "(without `dynamo=False`: `optimize=False`) keeps it from"
)


@dataclass(eq=False, slots=True)
class Op:
    """One node. `version` is the opset in which its operation got the meaning that it has in the model's."""

    index: int
    name: str
    op: str
    inputs: list[str]
    outputs: list[str]
    attributes: dict[str, Any]
    version: int = 0
    domain: str = ""
    scopes: tuple[str, ...] = ()
    line: str = ""  # of the user's program, that it comes of
    normed: bool = False  # whether a batch norm of the model is part of it
    known: frozenset[str] = frozenset()  # attributes of its operation
    mistyped: Sequence[str] = ()  # those that are of another type than there
    arity: tuple[int, int] = (0, 1 << 31)  # the fewest and the most inputs of its operation
    read: set[str] = field(default_factory=set)

    @property
    def place(self) -> str:
        """What messages call it."""
        kind = f"{self.domain}.{self.op}" if self.domain else self.op
        line = f", {self.line}" if self.line else ""
        return f"node {self.index} `{shown(self.name or self.outputs[0])}` ({shown(kind)}){line}"

    def attr(self, name: str, default: Any = None) -> Any:
        """The value of an attribute, which then counts as read."""
        self.read.add(name)
        return self.attributes.get(name, default)

    def flag(self, name: str, default: bool = False) -> bool:
        """The value of an attribute that is 0 or 1. Raises `Unsaid` for another number."""
        value = self.attr(name, int(default))
        if value not in (0, 1):
            raise Unsaid(f"its {name} is {value}, expected 0 or 1")
        return bool(value)

    def given(self, place: int) -> str:
        """The name of an input; "" for one that is left out."""
        return self.inputs[place] if place < len(self.inputs) else ""

    def check(self) -> None:
        """Raises `Unsaid` for attributes that nothing has read."""
        for name in self.attributes.keys() - self.read:
            raise Unsaid(f"has the attribute `{shown(name)}`, which is not read")


@dataclass(slots=True)
class Graph:
    """A model: its nodes in order, its constants, its inputs with their sizes (None for one that is open; a name for
    one that is open and named), and its outputs."""

    name: str
    opset: int
    ops: list[Op]
    constants: dict[str, Constant]
    inputs: Mapping[str, tuple[int | str | None, ...] | None]
    outputs: Sequence[str]
    metadata: Mapping[str, str]
    producer: str = ""
    types: Mapping[str, int] = field(default_factory=dict)
    scopes: set[str] = field(default_factory=set)  # what stands before a `/` in names of nodes

    def makers(self) -> dict[str, Op]:
        """The node that makes each value."""
        return {name: op for op in self.ops for name in op.outputs if name}

    def readers(self) -> dict[str, list[Op]]:
        """The nodes that read each value; once for each time."""
        found: dict[str, list[Op]] = {}
        for op in self.ops:
            for name in op.inputs:
                found.setdefault(name, []).append(op)
        return found

    def folded_norms(self) -> str | None:
        """What there is to know of batch norms that are part of convolutions, or may be. PyTorch's new exporter notes
        of each node which operations of the model it is of; its old one, and others, note nothing."""
        convs = [op for op in self.ops if op.op in ("Conv", "ConvTranspose", "Gemm")]
        if noted := sum(op.normed for op in convs):
            return f"PyTorch's exporter made batch norm part of {noted} layers, which `optimize=False` keeps it from"
        convs = [op for op in convs if op.op != "Gemm"]
        if not convs or any(op.op == "BatchNormalization" for op in self.ops):
            return None
        if self.producer == "pytorch":
            return None if all(op.scopes for op in convs) else f"no batch norm is in the file: {_FOLDED}"
        if len(convs) > 1 and all(op.given(2) for op in convs):
            said = "where batch norm followed them, it is part of their weights"
            return f"all {len(convs)} convolutions have biases: {said}"
        return None

    def needed(self) -> None:
        """Leave out nodes that no output depends on."""
        wanted, kept = set(self.outputs), []
        for op in reversed(self.ops):
            if wanted.intersection(op.outputs):
                wanted.update(op.inputs)
                kept.append(op)
        self.ops = kept[::-1]


def shown(text: str) -> str:
    """A name of a file as a message shows it."""
    plain = "".join(char if char.isprintable() else "?" for char in text[:SHOWN])
    return plain + "..." * (len(text) > SHOWN)


def graph_of(model: onnx.ModelProto, folder: Path | None, name: str, limits: Limits) -> Graph:
    """The graph of a model. Raises `ImportRefused` with all that is wrong with it, FileNotFoundError where a file with
    its arrays is not there."""
    reasons: list[Reason] = []
    opset = _opset(model, reasons)
    body = model.graph
    if len(body.node) > limits.layers:
        raise ImportRefused([Reason("the model", f"it has {len(body.node):,} nodes, and at most {limits.layers:,}")])
    if body.sparse_initializer:
        reasons.append(Reason("the model", "it has sparse arrays"))
    broken: dict[str, Exception] = {}
    constants: dict[str, Constant] = {}
    for tensor in body.initializer:
        _store(tensor, tensor.name, folder, constants, broken)
    inputs = {info.name: _sizes(info) for info in body.input if info.name not in constants and info.name not in broken}
    types = {info.name: info.type.tensor_type.elem_type for info in (*body.input, *body.value_info)}
    types |= {tensor.name: tensor.data_type for tensor in body.initializer}
    graph = Graph(name, opset, [], constants, inputs, [], {}, model.producer_name, types)
    alias: dict[str, str] = {}
    sequences: dict[str, Op] = {}
    made = {"", *constants, *broken, *inputs}
    for index, node in enumerate(body.node):
        op = _op(index, node, opset)
        _check(op, made, reasons)
        made.update(op.outputs)
        _typed(op, types)
        _parted(op, sequences)
        op.inputs = [alias.get(source, source) for source in op.inputs]
        if op.op == "Constant" and not op.domain and op.outputs:
            _constant(op, folder, constants, broken)
        elif op.op == "Identity" and not op.domain and len(op.inputs) == 1 and op.outputs:
            alias[op.outputs[0]] = op.inputs[0]
        else:
            graph.ops.append(op)
    outputs = [info.name for info in body.output]
    reasons += [Reason(f"output `{shown(one)}`", "nothing makes it") for one in outputs if one not in made]
    graph.outputs = [alias.get(one, one) for one in outputs]
    graph.metadata = {entry.key: entry.value for entry in model.metadata_props}
    graph.needed()
    graph.scopes = {op.name.rpartition("/")[0] for op in graph.ops} - {""}
    used = {source for op in graph.ops for source in op.inputs} | set(graph.outputs)
    unread = [error for one, error in broken.items() if one in used]
    if missing := {str(error.filename): None for error in unread if isinstance(error, FileNotFoundError)}:
        raise _beside(list(missing))
    reasons += [Reason("the model", str(error)) for error in unread]
    if reasons:
        raise ImportRefused(reasons)
    return graph


def _beside(missing: Sequence[str]) -> FileNotFoundError:
    more = f" and {len(missing) - 1:,} more" * (len(missing) > 1)
    there, it = ("is", "it") if len(missing) == 1 else ("are", "them")
    said = f"its weights are in `{shown(missing[0])}`{more}, which {there} not there: put {it} beside the model"
    return FileNotFoundError(ENOENT, said, missing[0])


def _opset(model: onnx.ModelProto, reasons: list[Reason]) -> int:
    versions = {entry.domain: entry.version for entry in model.opset_import}
    found = next((versions[domain] for domain in MAIN if domain in versions), 0)
    newest = onnx.defs.onnx_opset_version()
    if not OLDEST <= found <= newest:
        said = f"of opset {found}" if found else "of no opset of ONNX"
        reasons.append(Reason("the model", f"it is {said}, expected one from {OLDEST} to {newest}"))
    return found


def _check(op: Op, made: set[str], reasons: list[Reason]) -> None:
    """Note inputs that nothing has made before, outputs that something has, and attributes that the operation lacks."""
    reasons += [
        Reason(op.place, f"has the attribute `{shown(name)}`, which its operation has not")
        for name in sorted(op.attributes.keys() - op.known)
        if op.version
    ]
    reasons += [Reason(op.place, f"the attribute `{shown(name)}` is of another type") for name in op.mistyped]
    least, most = op.arity
    if not least <= len(op.inputs) <= most:
        reasons.append(Reason(op.place, f"it has {len(op.inputs)} inputs, expected {least} to {most}"))
    for source in op.inputs:
        if source not in made:
            reasons.append(Reason(op.place, f"it reads `{shown(source)}`, which nothing makes before it"))
    for target in op.outputs:
        if target and target in made:
            reasons.append(Reason(op.place, f"it makes `{shown(target)}`, which is there already"))


def _typed(op: Op, types: dict[str, int]) -> None:
    """Make a `CastLike` the `Cast` that it is, where the file says the type of what it reads for that alone."""
    if op.op in (*LAYING, "Transpose") and op.inputs:
        types.setdefault(op.outputs[0], types.get(op.inputs[0], 0))
    if op.op == "CastLike" and not op.domain and (kind := types.get(op.given(1), 0)):
        op.op, op.inputs = "Cast", op.inputs[:1]
        op.attributes["to"] = kind


def _parted(op: Op, sequences: dict[str, Op]) -> None:
    """Have what is taken from the parts of a tensor read the tensor itself, and how it is parted, before the place."""
    if op.op == "SplitToSequence" and not op.domain:
        sequences[op.outputs[0]] = op
    elif op.op == "SequenceAt" and not op.domain and (whole := sequences.get(op.given(0))) is not None:
        op.inputs = [whole.given(0), whole.given(1), op.given(1)]
        op.attributes = dict(whole.attributes)


def _store(
    tensor: onnx.TensorProto,
    name: str,
    folder: Path | None,
    constants: dict[str, Constant],
    broken: dict[str, Exception],
) -> None:
    try:
        constants[name] = stored(tensor, folder)
    except (Unsaid, FileNotFoundError) as error:
        broken[name] = error


def _constant(op: Op, folder: Path | None, constants: dict[str, Constant], broken: dict[str, Exception]) -> None:
    """What a node `Constant` holds."""
    name, values = op.outputs[0], op.attributes
    if len(values) != 1:
        broken[name] = Unsaid(f"{op.place} has {len(values)} values")
        return
    ((key, value),) = values.items()
    if key == "value" and isinstance(value, onnx.TensorProto):
        _store(value, name, folder, constants, broken)
    elif key in ("value_float", "value_floats"):
        constants[name] = known(np.asarray(value, np.float32))
    elif key in ("value_int", "value_ints"):
        constants[name] = known(np.asarray(value, np.int64))
    else:
        broken[name] = Unsaid(f"{op.place} is of no numbers")


@dataclass(frozen=True, slots=True)
class Subgraph:
    """An attribute that is a graph, or something else that is no value."""

    body: onnx.GraphProto | None = None

    def passes_on(self) -> str | None:
        """The value from outside that is its only output, in another shape at most; None where it is anything else."""
        made: dict[str, str] = {}
        for node in self.body.node if self.body is not None else ():
            if node.op_type in LAYING and node.domain in MAIN and node.input:
                made[node.output[0]] = made.get(node.input[0], node.input[0])
            elif node.op_type != "Constant":
                return None
        outputs = [made.get(info.name) for info in self.body.output] if self.body is not None else []
        return outputs[0] if len(outputs) == 1 else None


def _op(index: int, node: onnx.NodeProto, opset: int) -> Op:
    domain = "" if node.domain in MAIN else node.domain
    attributes = {attribute.name: _value(attribute) for attribute in node.attribute}
    metadata = {entry.key: entry.value for entry in node.metadata_props}
    op = Op(index, node.name, node.op_type, list(node.input), list(node.output) or [""], attributes, domain=domain)
    op.scopes = tuple(re.findall(r"'([^']*)'", metadata.get(SCOPES, "")[:MOST_METADATA]))
    op.normed = "batch_norm" in metadata.get(CLASSES, "")[-MOST_METADATA:].rpartition(",")[2]
    op.line = _line(metadata.get(TRACE, "")[-MOST_METADATA:])
    if not domain:
        try:
            schema = onnx.defs.get_schema(node.op_type, opset)
            op.version, op.known = schema.since_version, frozenset(schema.attributes)
            op.arity = schema.min_input, schema.max_input
        except Exception:  # of its own kind, for what that opset has not
            op.version = 0
        else:
            types = {name: int(attribute.type) for name, attribute in schema.attributes.items()}  # type: ignore[call-overload]
            op.mistyped = [one.name for one in node.attribute if types.get(one.name, one.type) != one.type]
    return op


def _line(trace: str) -> str:
    """The last line of a trace that is not PyTorch's own, `model.py line 37`; "" where there is none."""
    frames = [(path, number) for path, number in _FRAME.findall(trace) if not _PYTORCH.search(path)]
    return f"{shown(PureWindowsPath(frames[-1][0]).name)} line {frames[-1][1]}" if frames else ""


_A = onnx.AttributeProto


def _value(attribute: onnx.AttributeProto) -> Any:
    if attribute.ref_attr_name:
        return Subgraph()
    kind = attribute.type
    if kind == _A.FLOAT:
        return short(attribute.f)
    if kind == _A.INT:
        return attribute.i
    if kind == _A.STRING:
        return attribute.s.decode("utf-8", "replace")
    if kind == _A.TENSOR:
        return attribute.t
    if kind == _A.FLOATS:
        return [short(value) for value in attribute.floats]
    if kind == _A.STRINGS:
        return [text.decode("utf-8", "replace") for text in attribute.strings]
    if kind == _A.GRAPH:
        return Subgraph(attribute.g)
    if kind == _A.INTS:
        return list(attribute.ints)
    return Subgraph()


def _sizes(info: onnx.ValueInfoProto) -> tuple[int | str | None, ...] | None:
    """The sizes of an input; None where the file does not say how many there are."""
    kind = info.type.tensor_type
    if not info.type.HasField("tensor_type") or not kind.HasField("shape"):
        return None
    return tuple(_dim(dim) for dim in kind.shape.dim)


def _dim(dim: onnx.TensorShapeProto.Dimension) -> int | str | None:
    if dim.HasField("dim_value"):
        return dim.dim_value
    return dim.dim_param or None
