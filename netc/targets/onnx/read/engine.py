"""onnxruntime, running a file that was read: what the network is compared with."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from netc import needs
from netc.ir.net import Net
from netc.ir.weights import Weights
from netc.lift.lifting import Lifted
from netc.lift.source import Imported
from netc.targets.errors import ExportError

if TYPE_CHECKING:
    import onnx
    import onnxruntime
    from numpy.typing import NDArray

    Arrays = Mapping[str, NDArray[Any]]
    Laid = Mapping[str, Sequence[int | None]]

IDS = {"tensor(int64)": "int64", "tensor(int32)": "int32"}  # types of inputs that hold ids
LAYING = ("Cast", "Dropout", "Flatten", "Identity", "Reshape", "Squeeze", "Transpose", "Unsqueeze")


class OnnxSource:
    """A file, whose inputs and outputs have the names of a text, and its layout; `laid` says which axes of an input or
    an output of the file are those of a node."""

    def __init__(
        self, path: Path, net: Net, inputs: Mapping[str, str], laid: Mapping[str, Sequence[int | None]]
    ) -> None:
        import onnxruntime  # noqa: PLC0415 - for those who ask

        from netc.targets.onnx.engine import session  # noqa: PLC0415

        self._path = path
        self._session = session(path)
        if set(inputs.values()) - {one.name for one in self._session.get_inputs()}:
            raise ExportError(f"the inputs of {path} are not those of the network")
        self._net = net
        self._inputs = inputs
        self._laid = laid
        self.name = f"onnxruntime {onnxruntime.__version__}"

    def outputs(self, inputs: Arrays) -> Arrays:
        return self._made(self._session, inputs)

    def before_softmax(self, inputs: Arrays) -> Arrays:
        """Those of outputs that a softmax makes, whatever lays them out after it: of the model in which it passes on
        what it is given."""
        from netc.targets.onnx.engine import session  # noqa: PLC0415
        from netc.targets.onnx.read.parse import parsed  # noqa: PLC0415

        model = parsed(self._path)
        ends = [_softmax(model.graph, output.name) for output in model.graph.output]
        for node in filter(None, ends):
            node.op_type = "Identity"
            del node.attribute[:]
        if not any(ends):
            return {}
        made = self._made(session(model.SerializeToString(), folder=self._path.parent), inputs)
        return {name: made[name] for name, node in zip(self._net.outputs, ends, strict=True) if node}

    def layers(self, inputs: Arrays) -> Arrays:
        return {}

    def _made(self, session: onnxruntime.InferenceSession, inputs: Arrays) -> Arrays:
        there = {one.name: one for one in session.get_inputs()}
        given = {
            self._inputs[name]: _as_in_file(array, self._laid[name], there[self._inputs[name]].type)
            for name, array in inputs.items()
        }
        wanted = next((one.shape[0] for one in there.values() if isinstance(one.shape[0], int)), None)
        try:
            parts = [session.run(None, part) for part in _parts(given, wanted)]
        except Exception as error:  # its own classes have no common base but this one
            raise ExportError(f"{self.name} fails to run the model: {error}") from None
        batch = len(next(iter(inputs.values())))
        pairs = zip(self._net.outputs, zip(*parts, strict=True), strict=True)
        return {name: _joined([_as_here(array, self._laid[name]) for array in arrays], batch) for name, arrays in pairs}


def _softmax(graph: onnx.GraphProto, name: str) -> onnx.NodeProto | None:
    """The softmax that makes a value, before it is laid out in another way; None where anything else does."""
    made_by = {node.output[0]: node for node in graph.node if node.output and not node.domain}
    node = made_by.get(name)
    while node is not None and node.op_type in LAYING:
        node = made_by.get(node.input[0])
    return node if node is not None and node.op_type == "Softmax" else None


def _parts(given: Arrays, wanted: int | None) -> Iterator[Arrays]:
    """Samples in parts of the batch that a file is for, `wanted`; the last part has its last sample again where it has
    too few. One part where any batch will do."""
    batch = len(next(iter(given.values())))
    for start in range(0, batch, wanted or batch):
        places = [min(at, batch - 1) for at in range(start, start + (wanted or batch))]
        yield {name: array[places] for name, array in given.items()}


def _joined(arrays: Sequence[NDArray[Any]], batch: int) -> NDArray[Any]:
    """The samples of the parts."""
    import numpy  # noqa: PLC0415

    made: NDArray[Any] = numpy.concatenate(arrays)[:batch]
    return made


def _as_in_file(array: NDArray[Any], laid: Sequence[int | None], kind: str) -> NDArray[Any]:
    """An array of a node with its axes as a file has them, in the type that it takes."""
    import numpy  # noqa: PLC0415

    moved = numpy.ascontiguousarray(array.transpose(numpy.argsort([axis or 0 for axis in laid])))
    return moved.astype(IDS.get(kind, array.dtype))


def _as_here(array: NDArray[Any], laid: Sequence[int | None]) -> NDArray[Any]:
    """An array of a file with its axes as a node has them."""
    import numpy  # noqa: PLC0415

    moved = array.transpose([axis for axis in laid if axis is not None])
    return numpy.expand_dims(moved, [at for at, axis in enumerate(laid) if axis is None])


def opened(path: Path, found: Imported, made: Lifted) -> tuple[Weights, OnnxSource]:
    """The weights, by the nodes of the network that was read, and onnxruntime with the file. Raises `ExportError`."""
    needs.require("running an ONNX file", "onnxruntime")
    if found.weights is None:
        raise ExportError(f"{path} has no weights, and nothing to compare")
    inputs = {made.names[node]: found.sources[node] for node in found.net.inputs}
    net = made.program.net
    ends = zip((*inputs, *net.outputs), (*found.net.inputs, *found.net.outputs), strict=True)
    laid = {here: found.layout[there] for here, there in ends}
    return found.weights(), OnnxSource(path, net, inputs, laid)
