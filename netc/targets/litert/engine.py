"""LiteRT, as an engine that a model is proved with."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from ai_edge_litert.interpreter import Interpreter

from netc.targets.errors import ExportError
from netc.targets.keras.build import all_layers
from netc.targets.keras.quiet import silence
from netc.targets.litert.convert import converted

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from netc.program import Program
    from netc.targets.keras.build import Built

    Arrays = Mapping[str, NDArray[Any]]

NAME = f"LiteRT {version('ai-edge-litert')}"


class LiteRt:
    """The bytes that are to be written, and the Keras model that they were made of, for its layers."""

    def __init__(self, program: Program, built: Built, content: bytes) -> None:
        self._program = program
        self._built = built
        self._content = content
        self.name = NAME

    def outputs(self, inputs: Arrays) -> Arrays:
        return ran(self._content, inputs)

    def before_softmax(self, inputs: Arrays) -> Arrays:
        return {}  # it is part of the layer

    def layers(self, inputs: Arrays) -> Arrays:
        names = [node.name for node in self._program.net if not node.layer.is_input]
        return ran(converted(self._program, self._built, all_layers(self._built), names), inputs)


def ran(content: bytes, inputs: Arrays) -> Arrays:
    """What a file makes of a batch, of whatever size. Raises `ExportError` where LiteRT fails."""
    try:
        with silence():  # it says which delegate it made
            interpreter = Interpreter(model_content=content)
            taken, made = _ends(interpreter)
            for name, index in taken.items():
                interpreter.resize_tensor_input(index, inputs[name].shape)
            interpreter.allocate_tensors()
            for name, index in taken.items():
                interpreter.set_tensor(index, inputs[name])
            interpreter.invoke()
            return {name: interpreter.get_tensor(index) for name, index in made.items()}
    except (RuntimeError, ValueError) as error:
        raise ExportError(f"{NAME} refuses the model: {error}") from None


def _ends(interpreter: Any) -> tuple[dict[str, int], dict[str, int]]:
    """The tensors of inputs and of outputs, by the names of layers. While what knows them exists, nothing runs."""
    signature = interpreter.get_signature_runner()
    taken, made = signature.get_input_details(), signature.get_output_details()
    return {name: told["index"] for name, told in taken.items()}, {name: told["index"] for name, told in made.items()}
