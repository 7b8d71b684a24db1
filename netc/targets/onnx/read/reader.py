"""Reads the nodes of a model one after the other; what each makes of its inputs is said by `OPERATIONS`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from math import prod
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import onnx

from netc.ir.shape import Shape, rank_of
from netc.lift.source import Sketch, Unsaid
from netc.targets.onnx.read.constants import Constant
from netc.targets.onnx.read.graph import Graph, Op, shown
from netc.targets.onnx.read.layout import BATCH, Axis, Digits, Layout, Tensor, Unknown, channels_first, whole
from netc.targets.onnx.read.names import Names
from netc.targets.onnx.read.sizes import OPEN

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]

Load = Callable[[], Any]


@dataclass(frozen=True, slots=True)
class Repeated:
    """A constant that each sample of the batch has, without the axis of the batch."""

    constant: Constant


Value = Any  # a `Tensor`, a `Constant`, `Repeated`, `Scores`; None comes of what was refused
Handler = Callable[["Reader", Op], Any]
OPERATIONS: dict[str, tuple[int, Handler]] = {}  # with the newest opset whose meaning the handler knows
LARGEST = 2**31 - 1  # elements of an input
FLOATS = (onnx.TensorProto.FLOAT, onnx.TensorProto.DOUBLE, onnx.TensorProto.FLOAT16, onnx.TensorProto.BFLOAT16)
WHOLE = (onnx.TensorProto.INT64, onnx.TensorProto.INT32)

# Which axis of their first input has the channels, of operations that say it.
SECOND = (
    *("Conv", "ConvTranspose", "MaxPool", "AveragePool", "GlobalAveragePool", "GlobalMaxPool", "BatchNormalization"),
    *("InstanceNormalization", "GroupNormalization", "LRN", "DepthToSpace", "SpaceToDepth", "Resize", "Upsample"),
)
OWN = ("Standardized", "L2Norm", "AcrossChannels", "LogSoftmax", "Softmax")  # an axis of their own
LAST = ("MatMul", "LayerNormalization", "LSTM", "GRU", "RNN")
KEEPING = (
    *("Function", "Cast", "Add", "Sub", "Mul", "Div", "Max", "Pad", "Slice", "Dropout", "Concat", "PRelu"),
    *("ReduceMean", "Split", "Sum", "Clip"),
)

H = TypeVar("H", bound=Handler)


def reads(newest: int, *ops: str) -> Callable[[H], H]:
    """Register what reads some operations, as they are from the oldest opset on to that in which they last changed."""

    def register(handler: H) -> H:
        for op in ops:
            assert op not in OPERATIONS, op
            OPERATIONS[op] = newest, handler
        return handler

    return register


@dataclass(slots=True)
class Reader:
    """A model while it is read."""

    graph: Graph
    sketch: Sketch
    values: dict[str, Value] = field(default_factory=dict)
    weights: dict[str, dict[str, Load]] = field(default_factory=dict)
    remarks: dict[str, None] = field(default_factory=dict)
    whole: set[str] = field(default_factory=set)  # values of whole numbers
    skipped: dict[Op, str] = field(default_factory=dict)  # nodes that another one has done, and what stands for them
    laid: dict[str, Sequence[int | None]] = field(default_factory=dict)  # `Imported.layout`
    layout: Layout = field(init=False)
    names: Names = field(init=False)
    readers: Mapping[str, list[Op]] = field(init=False)
    owners: dict[Any, str] = field(default_factory=dict)  # nodes by their constants
    attended: dict[str, Any] = field(default_factory=dict)  # attentions whose heads are not joined yet, by nodes
    _first: dict[Any, str] = field(default_factory=dict)  # nodes by what they are, and what they read

    def __post_init__(self) -> None:
        self.layout = Layout(self.sketch)
        self.names = Names(self.graph)
        self.readers = self.graph.readers()
        self.values |= self.graph.constants

    @property
    def _channels_last(self) -> bool:
        """Whether all inputs and outputs are known to have their channels last."""
        return self.graph.producer == "netc"

    def read(self) -> list[str | None]:
        """Read all nodes; gives the outputs' nodes."""
        for name in self.graph.inputs:
            try:
                self.values[name] = self._input(name)
            except Unsaid as error:
                self.sketch.refuse(f"input `{shown(name)}`", str(error))
                self.values[name] = None
            except Unknown:
                self.values[name] = None
        for op in self.graph.ops:
            self._read(op)
        return [self._output(name) for name in self.graph.outputs]

    def _read(self, op: Op) -> None:
        made: Any = None
        try:
            if op in self.skipped:
                made = self.values.get(self.skipped[op])
            else:
                made = self._handler(op)(self, op)
                op.check()
        except Unsaid as error:
            self.sketch.refuse(op.place, str(error))
        except Unknown:
            pass
        several = made if isinstance(made, list) else [made]
        for at, name in enumerate(op.outputs):
            if name:
                self.values[name] = several[at] if at < len(several) else None
                if at >= len(several) and made is not None:
                    self._refuse_output(op, at)

    def of_constants(self, op: Op) -> dict[str, Constant] | None:
        """What a node makes of constants; None where that is not known, or no constant."""
        try:
            made = self._handler(op)(self, op)
            op.check()
        except (Unsaid, Unknown):
            return None
        several = dict(zip(op.outputs, made if isinstance(made, list) else [made], strict=False))
        wanted = {name for name in op.outputs if self.readers.get(name) or name in self.graph.outputs}
        fits = wanted <= several.keys() and all(isinstance(one, Constant) for one in several.values())
        return several if fits else None

    def _handler(self, op: Op) -> Handler:
        newest, handler = OPERATIONS.get(op.op, (0, None))
        if op.domain or handler is None:
            raise Unsaid("no layer of netc is known for it")
        if not 0 < op.version <= newest and op.version >= 0:
            raise Unsaid(f"its meaning of opset {op.version} is not known" if op.version else "its opset has none")
        return handler

    def _refuse_output(self, op: Op, at: int) -> None:
        if self.readers.get(op.outputs[at]) or op.outputs[at] in self.graph.outputs:
            self.sketch.refuse(op.place, f"its output {at + 1} is read")

    # -- inputs and outputs --------------------------------------------------------------------------------------

    def _input(self, name: str) -> Tensor:
        sizes = self.graph.inputs[name]
        kind = self.graph.types.get(name, 0)
        if kind in WHOLE:
            self.whole.add(name)
        elif kind not in FLOATS:
            raise Unsaid("it is of no numbers that a network is given")
        if sizes is None or len(sizes) < 2:
            raise Unsaid("it has no axes but that of the batch" if sizes else "the file does not say its sizes")
        whole_sizes = [size for size in sizes if isinstance(size, int)]
        if any(size < 1 for size in whole_sizes) or prod(whole_sizes) > LARGEST:
            raise Unsaid(f"its sizes are {list(sizes)}")
        known = [size if isinstance(size, int) else None for size in sizes]
        channels = self._channels(name, known)
        order = [*(axis for axis in range(1, len(sizes)) if axis != channels), channels]
        shape = tuple(known[axis] for axis in order)
        node = self.sketch.add(name, "input", shape=shape, place=f"input `{shown(name)}`")
        if node is None:
            raise Unknown
        self.laid[node] = 0, *order
        batch: Axis = (Digits(BATCH, known[0]),)
        axes = [batch] * len(sizes)
        for at, axis in enumerate(order):
            axes[axis] = whole(at, known[axis])
        return Tensor(node, tuple(axes))

    def _channels(self, name: str, sizes: Sequence[int | None]) -> int:
        """Which axis of an input has the channels: the one that the first layer takes for them which says it."""
        rank = len(sizes)
        if self._channels_last:
            return rank - 1
        known: dict[str, tuple[int, ...]] = {name: tuple(range(rank))}
        for op in self.graph.ops if rank > 2 else ():
            axes = next((known[source] for source in op.inputs if source in known), None)
            if axes is None:
                continue
            if op.op in SECOND and len(axes) == rank:
                return axes[1] or rank - 1
            if op.op in LAST:
                return axes[-1] or rank - 1
            if op.op in OWN and len(axes) == rank:
                return axes[self.axis(op.attributes.get("axis", -1), rank)] or rank - 1
            if op.op == "Transpose":
                perm = op.attributes.get("perm") or list(range(rank))[::-1]
                if sorted(perm) != list(range(rank)):
                    continue
                axes = tuple(axes[axis] for axis in perm)
            elif op.op not in KEEPING:
                continue
            known.update((target, axes) for target in op.outputs)
        few = rank > 3 and sizes[1] in (1, 3, 4) and sizes[-1] not in (1, 3, 4)
        return 1 if few else rank - 1

    def _output(self, name: str) -> str | None:
        value = self.values.get(name)
        try:
            if value is None:
                raise Unknown
            if not isinstance(value, Tensor) or value.node in self.attended:
                raise Unsaid("it is no tensor that a layer gives")
            batch = next((at for at in range(value.rank) if value.is_batch(at)), 0)
            axes = [batch, *(at for at in range(value.rank) if at != batch)]
            value = Tensor(value.node, tuple(value.axes[at] for at in axes) + ((),) * (value.rank == 1))
            if self._channels_last:
                value = self.layout.turned(value, range(1, value.rank))
            value, order = self.layout.settled(value)
        except Unsaid as error:
            self.sketch.refuse(f"output `{shown(name)}`", str(error))
            return None
        except Unknown:
            return None
        self.laid[value.node] = laid = [axes[at] if at < len(axes) else None for at in (0, *order)]
        if batch:
            self.remark(f"the batch is first in the output `{value.node}`, and not in the file's `{shown(name)}`")
        elif laid != sorted(axes) and len(laid) == len(axes):
            self.remark(f"channels are last in the output `{value.node}`, and not in the file's `{shown(name)}`")
        return value.node

    # -- what handlers ask for ------------------------------------------------------------------------------------

    def value(self, op: Op, place: int) -> Any:
        """An input. Raises `Unsaid` where it is left out, `Unknown` where it comes of what was refused."""
        name = op.given(place)
        if not name:
            raise Unsaid(f"it has no input {place + 1}")
        found = self.values.get(name)
        if found is None:
            raise Unknown
        return found

    def plain(self, op: Op, place: int) -> Tensor | Constant:
        """An input that is a tensor or a constant."""
        found = self.value(op, place)
        if not isinstance(found, Tensor | Constant):
            raise Unsaid("it is of a constant that is repeated, or within an attention")
        return found

    def tensor(self, op: Op, place: int = 0, whole: bool = False) -> Tensor:
        """An input that is a tensor."""
        found = self.value(op, place)
        if not isinstance(found, Tensor):
            what = "a constant" if isinstance(found, Constant | Repeated) else "within an attention"
            raise Unsaid(f"its input {place + 1} is {what}")
        if not whole and op.given(place) in self.whole:
            raise Unsaid(f"its input {place + 1} holds whole numbers")
        return found

    def constant(self, op: Op, place: int, what: str) -> Constant:
        """An input that is a constant."""
        found = self.value(op, place)
        if not isinstance(found, Constant):
            raise Unsaid(f"its {what} is no constant")
        return found

    def integers(self, op: Op, place: int, what: str) -> list[Any] | None:
        """An input of sizes, which may be symbolic; None where it is left out."""
        if not op.given(place):
            return None
        found = self.constant(op, place, what)
        if found.dtype.kind not in "iuO" or len(found.shape) > 1:
            raise Unsaid(f"its {what} is no list of whole numbers")
        return [int(one) if isinstance(one, np.integer | int) else one for one in found.array().reshape(-1)]

    def whole_numbers(self, op: Op, place: int, what: str) -> list[int] | None:
        """An input of whole numbers that are known."""
        found = self.integers(op, place, what)
        if found is not None and not all(isinstance(one, int) for one in found):
            raise Unsaid(OPEN)
        return found

    def axes(self, op: Op, place: int, since: int, rank: int, default: Sequence[int] | None = None) -> list[int] | None:
        """Axes, which are an attribute before an opset and an input since then."""
        given = self.whole_numbers(op, place, "axes") if op.version >= since else op.attr("axes")
        if given is None:
            return None if default is None else list(default)
        return [self.axis(axis, rank) for axis in given]

    @staticmethod
    def axis(axis: int, rank: int) -> int:
        """An axis counted from the first. Raises `Unsaid` for one that is not there."""
        if not -rank <= axis < rank:
            raise Unsaid(f"there is no axis {axis} of {rank}")
        return axis % rank

    def remark(self, text: str) -> None:
        """Say something of the whole model, once."""
        self.remarks[text] = None

    def shape(self, x: Tensor) -> Shape:
        return self.layout.shape(x)

    def mapped(self, op: Op, x: Tensor) -> Tensor:
        """A tensor as convolutions take it: batch, channels, and the axes of positions."""
        if x.rank < 3:
            raise Unsaid("it works on positions, and its input has none")
        return self.layout.last(x, 1)

    def layer(
        self, op: Op, kind: str, operands: Sequence[str], weights: Mapping[str, Load] | None = None, **values: Any
    ) -> str:
        """Add a layer; `weights` load its arrays by role. Raises `Unknown` where it is refused."""
        shares = values.pop("shares", None)
        if any(operand in self.attended for operand in operands):
            raise Unsaid("it reads an attention whose heads no matrix joins")
        net = self.sketch.net
        key = kind, repr(sorted(values.items())), tuple(operands)
        if not weights:  # between layers that share their weights, of one call
            first = tuple(net.node(operand).shares or operand for operand in operands)
            shares = self._first.get((*key[:2], first)) if first != key[2] else None
        node = self.sketch.add(self.names.of(op), kind, operands, place=op.place, shares=shares, **values)
        if node is None:
            raise Unknown
        self._first.setdefault(key, node)
        if weights and shares is None:
            self.weights[node] = dict(weights)
        return node

    def owner(self, kind: str, constants: Sequence[Constant], *more: Any) -> tuple[Any, str | None]:
        """A key of the arrays of a layer, and the node that has the same, if they are those of one layer: not all
        alike, as arrays are that nothing was learnt in yet and that a file holds once."""
        key = kind, tuple(constant.name for constant in constants), more
        if not all(key[1]) or not constants:
            return None, None
        return key, self.owners.get(key)

    def placed(self, node: str, x: Tensor) -> Tensor:
        """A map as convolutions give it."""
        return self.layout.placed(node, x.axes[0], channels_first(rank_of(self.sketch.net.shapes[node]) + 1))

    # -- looking ahead ---------------------------------------------------------------------------------------------

    def after(self, op: Op, kind: str, axis: int, rank: int, channels: int) -> tuple[Op, Constant] | None:
        """The node of a kind that alone reads the output of another, or of a transposition of it, with a constant for
        each of the channels, which are an axis of the output."""
        name = op.outputs[0]
        while True:
            readers = self.readers.get(name, [])
            if len(readers) != 1 or name in self.graph.outputs:
                return None
            (reader,) = readers
            if reader.op == "Transpose" and sorted(reader.attributes.get("perm", [])) == list(range(rank)):
                axis, name = reader.attributes["perm"].index(axis), reader.outputs[0]
                continue
            if reader.op != kind or reader.domain or len(reader.inputs) != 2:
                return None
            if kind in ("Sub", "Div") and reader.inputs[0] != name:
                return None
            other = reader.inputs[1 - reader.inputs.index(name)]
            constant = self.values.get(other)
            if not isinstance(constant, Constant) or len(constant.shape) > rank or constant.dtype.kind != "f":
                return None
            shape = (1,) * (rank - len(constant.shape)) + constant.shape
            if constant.size != channels or shape[axis] != channels or channels == 1:
                return None
            self.skipped[reader] = name
            return reader, constant.changed((channels,), lambda array: array.reshape(-1))


def with_constants(graph: Graph) -> None:
    """Compute nodes of constants alone: what is looked for after that finds numbers where exporters write steps."""
    reader, left = Reader(graph, Sketch(graph.name)), list[Op]()
    for op in graph.ops:
        made = reader.of_constants(op) if op.inputs and graph.constants.keys() >= set(op.inputs) - {""} else None
        if made is None:
            left.append(op)
        else:
            graph.constants |= made
            reader.values |= made
    graph.ops = left
