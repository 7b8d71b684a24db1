"""A network with its weights as the bytes of a `.keras` file."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from netc.targets.keras.build import Built, assign, construct, deep_recursion
from netc.targets.keras.order import depths, recursion
from netc.targets.proof import Proof, prove

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from netc.ir.net import Net
    from netc.ir.weights import Weights
    from netc.program import Program

    Arrays = Mapping[str, NDArray[Any]]


class KerasModel:
    """A model read from its file, and the one that the file was written from, for its layers."""

    def __init__(self, net: Net, built: Built, path: Path) -> None:
        import keras  # noqa: PLC0415 - seconds

        self._net = net
        self._built = built
        self._model = keras.models.load_model(path)
        self.name = f"Keras {keras.__version__} on {keras.backend.backend()} {_version(keras.backend.backend())}"

    def outputs(self, inputs: Arrays) -> Arrays:
        made = self._run(self._model, inputs)
        return dict(zip(self._net.outputs, made if isinstance(made, list) else [made], strict=True))

    def before_softmax(self, inputs: Arrays) -> Arrays:
        """Those of layers with a softmax, which is taken away while they are called."""
        import keras  # noqa: PLC0415

        softmax, names = keras.activations.softmax, [one for one in self._net.outputs if not self._net.consumers(one)]
        ends = [layer for layer in map(self._model.get_layer, names) if getattr(layer, "activation", None) is softmax]
        given = [inputs[name] for name in self._net.inputs]
        for layer in ends:
            layer.activation = keras.activations.linear
        try:
            made = self._model(given if len(given) > 1 else given[0], training=False)
        finally:
            for layer in ends:
                layer.activation = softmax
        every = dict(zip(self._net.outputs, made if isinstance(made, list | tuple) else [made], strict=True))
        return {layer.name: keras.ops.convert_to_numpy(every[layer.name]) for layer in ends}

    def layers(self, inputs: Arrays) -> Arrays:
        import keras  # noqa: PLC0415

        with deep_recursion(recursion(self._net, depths(self._net))):
            probe = keras.Model(self._built.model.inputs, self._built.tensors)
        made: Arrays = self._run(probe, inputs)
        return made

    def _run(self, model: Any, inputs: Arrays) -> Any:
        given = [inputs[name] for name in self._net.inputs]
        return model.predict_on_batch(given if len(given) > 1 else given[0])


def export(program: Program, weights: Weights) -> tuple[bytes, Proof]:
    """The file, and the proof that Keras computes the network from it. Raises `ExportError`."""
    net, built = program.net, construct(program)
    assign(built.model, weights)
    with TemporaryDirectory() as folder, deep_recursion(recursion(net, depths(net))):
        path = Path(folder) / "model.keras"
        built.model.save(path)
        return path.read_bytes(), prove(program, weights, KerasModel(net, built, path))


def _version(module: str) -> str:
    return str(sys.modules[module].__version__)
