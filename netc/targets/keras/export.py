"""A network with its weights as the bytes of a `.keras` file."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from netc.targets.keras.build import Built, all_layers, weighted
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
        return self._named(self._model.predict_on_batch(self._given(inputs)))

    def before_softmax(self, inputs: Arrays) -> Arrays:
        """Those of layers with a softmax, which is taken away while they are called."""
        import keras  # noqa: PLC0415

        softmax, names = keras.activations.softmax, [one for one in self._net.outputs if not self._net.consumers(one)]
        ends = [layer for layer in self._model.layers if layer.name in names and len(layer._inbound_nodes) == 1]
        ends = [layer for layer in ends if getattr(layer, "activation", None) is softmax]
        for layer in ends:
            layer.activation = keras.activations.linear
        try:
            made = self._named(self._model(self._given(inputs), training=False))
        finally:
            for layer in ends:
                layer.activation = softmax
        return {layer.name: keras.ops.convert_to_numpy(made[layer.name]) for layer in ends}

    def layers(self, inputs: Arrays) -> Arrays:
        made: Arrays = all_layers(self._built).predict_on_batch(self._given(inputs))
        return made

    def _given(self, inputs: Arrays) -> Any:
        given = [inputs[name] for name in self._net.inputs]
        return given if len(given) > 1 else given[0]

    def _named(self, made: Any) -> dict[str, Any]:
        return dict(zip(self._net.outputs, made if isinstance(made, list | tuple) else [made], strict=True))


def export(program: Program, weights: Weights) -> tuple[bytes, Proof]:
    """The file, and the proof that Keras computes the network from it. Raises `ExportError`."""
    with TemporaryDirectory() as folder, weighted(program, weights) as built:
        path = Path(folder) / "model.keras"
        built.model.save(path)
        return path.read_bytes(), prove(program, weights, KerasModel(program.net, built, path))


def _version(module: str) -> str:
    return str(sys.modules[module].__version__)
