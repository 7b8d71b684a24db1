"""What a precision makes of an ONNX model, and where that runs."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import onnx
import onnxruntime

from netc import needs
from netc.precision import NEEDS
from netc.targets.errors import ExportError
from netc.targets.onnx.engine import session
from netc.targets.onnx.model import IR

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Arrays = Mapping[str, NDArray[Any]]
    Run = Callable[[Arrays], Arrays]


@dataclass(frozen=True, slots=True)
class Layer:
    """A layer that fewer bits can harm: its name, the operation of its node, and where the spec says it."""

    name: str
    op: str
    place: str


class Form(Protocol):
    """An ONNX model in a precision."""

    name: str
    engine: str  # in which it is proved

    @property
    def layers(self) -> Sequence[Layer]:
        """The layers that can return to float32, in the order of the network."""

    def model(self, floats: Collection[str]) -> onnx.ModelProto:
        """The model, with some layers in float32."""

    def ready(self, content: bytes, batch: int | None = None, threads: int | None = None) -> Run:
        """A model of this form, as a function of batches by the names of inputs; of one size only, where OpenVINO is
        told a `batch`, by which it gains. Raises `ExportError`."""


def layers_of(model: onnx.ModelProto, ops: Collection[str]) -> tuple[Layer, ...]:
    """The layers that have nodes of some operations."""
    found = {layer_of(node): node for node in model.graph.node if node.op_type in ops}
    return tuple(Layer(name, node.op_type, node.doc_string) for name, node in found.items())


def layer_of(node: onnx.NodeProto) -> str:
    """The layer that a node belongs to: it has its name, or its name before a number of its own."""
    return str(node.name).partition("/")[0]


def nodes_of(model: onnx.ModelProto, layers: Collection[str]) -> list[str]:
    """The names of the nodes of layers."""
    return [node.name for node in model.graph.node if layer_of(node) in layers]


def ordered(model: onnx.ModelProto) -> onnx.ModelProto:
    """A model with each node after those that it reads, as the format wants it and converters do not."""
    from onnxruntime.quantization.onnx_model import ONNXModel  # noqa: PLC0415 - brings the whole quantiser

    ONNXModel(model).topological_sort()
    return model


def settled(model: onnx.ModelProto) -> onnx.ModelProto:
    """A model that a converter made, as netc's own: without the shapes between, which every engine infers."""
    del model.graph.value_info[:]
    model.producer_name, model.ir_version = "netc", IR
    return model


@contextmanager
def refusing(who: str) -> Iterator[None]:
    """What a converter or an engine fails with, as `ExportError`: its own classes have no common base."""
    try:
        yield
    except ExportError:
        raise
    except Exception as error:
        raise ExportError(f"{who} does not take the network: {error}") from None


def in_onnxruntime(content: bytes, threads: int | None = None) -> Run:
    """A model in onnxruntime."""
    ready = session(content, threads)
    names = [output.name for output in ready.get_outputs()]

    def run(inputs: Arrays) -> Arrays:
        with refusing(f"onnxruntime {onnxruntime.__version__}"):
            return dict(zip(names, ready.run(names, dict(inputs)), strict=True))

    return run


def checked(content: bytes) -> bytes:
    """The bytes of a model, once `onnx.checker` has nothing against them; raises `ExportError`."""
    try:
        onnx.checker.check_model(content, full_check=True)
    except (onnx.checker.ValidationError, onnx.shape_inference.InferenceError) as error:
        raise ExportError(f"onnx.checker refuses the model: {error}") from None
    return content


def form(precision: str, content: bytes, images: Iterable[Arrays] = ()) -> Form:
    """A proved model of float32 in another precision. `images` are batches on which `int8` sees its scales.

    Raises `ExportError`, and ModuleNotFoundError where what it needs is not installed.
    """
    needs.require(f"--precision {precision}", *NEEDS[precision])
    if precision == "int8":
        from netc.precision.int8 import Int8  # noqa: PLC0415 - each brings what it needs

        return Int8(content, images)
    if precision == "fp16":
        from netc.precision.float16 import Float16  # noqa: PLC0415

        return Float16(content)
    from netc.precision.bfloat16 import BFloat16  # noqa: PLC0415

    return BFloat16(content)


def named(images: Any, inputs: Sequence[str]) -> dict[str, Any]:
    """A batch of a stream by the names of inputs, as arrays."""
    given = images if isinstance(images, Mapping) else {inputs[0]: images}
    return {name: array.numpy() for name, array in given.items()}


def batches(stream: Any, inputs: Sequence[str]) -> Iterator[Arrays]:
    """The images of a stream, without their labels."""
    return (named(images, inputs) for images, _ in stream.batches())
