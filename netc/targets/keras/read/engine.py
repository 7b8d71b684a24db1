"""Keras, running a model of its own that was read: what the network is compared with."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from netc import needs
from netc.ir.net import Net
from netc.ir.weights import Weights, random_weights
from netc.lift.lifting import Lifted
from netc.lift.source import Imported
from netc.targets.errors import ExportError
from netc.targets.keras.build import deep_recursion
from netc.targets.keras.order import depths, recursion
from netc.targets.keras.quiet import import_tensorflow
from netc.targets.keras.written import made as written_class
from netc.targets.keras.written import written

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Arrays = Mapping[str, NDArray[Any]]


class KerasSource:
    """A model of Keras, whose inputs, outputs and layers have the names of a text."""

    def __init__(self, model: Any, net: Net, layers: Mapping[str, str]) -> None:
        import keras  # noqa: PLC0415 - seconds

        self._model = model
        self._net = net
        self._layers = layers
        self.name = f"Keras {keras.__version__}"

    def outputs(self, inputs: Arrays) -> Arrays:
        found = self._model.predict_on_batch(self._given(inputs))
        return dict(zip(self._net.outputs, _listed(found), strict=True))

    def before_softmax(self, inputs: Arrays) -> Arrays:
        """Those of layers of the outermost model with a softmax, which is taken away while they are called."""
        import keras  # noqa: PLC0415

        known: dict[str, Any] = {layer.name: layer for layer in self._model.layers}
        ends = {name: known.get(self._layers.get(name, "")) for name in self._net.outputs}
        softmax = keras.activations.softmax
        soft: dict[str, Any] = {
            name: layer for name, layer in ends.items() if getattr(layer, "activation", None) is softmax
        }
        for layer in soft.values():
            layer.activation = keras.activations.linear
        try:
            made = dict(zip(self._net.outputs, _listed(self._model(self._given(inputs), training=False)), strict=True))
        finally:
            for layer in soft.values():
                layer.activation = softmax
        return {name: keras.ops.convert_to_numpy(made[name]) for name in soft}

    def layers(self, inputs: Arrays) -> Arrays:
        """Those of the outermost model that are called once."""
        import keras  # noqa: PLC0415

        known: dict[str, Any] = {layer.name: layer for layer in self._model.layers}
        single = {
            name: known[source].output
            for name, source in self._layers.items()
            if source in known and len(known[source]._inbound_nodes) == 1
        }
        made: Arrays = keras.Model(self._model.inputs, single).predict_on_batch(_one(self._arrays(inputs)))
        return made

    def _arrays(self, inputs: Arrays) -> list[Any]:
        return [inputs[name] for name in self._net.inputs]

    def _given(self, inputs: Arrays) -> Any:
        arrays = self._arrays(inputs)
        if isinstance(self._model.input, dict):
            return dict(zip(sorted(self._model.input), arrays, strict=True))
        return _one(arrays)


def _one(arrays: list[Any]) -> Any:
    return arrays if len(arrays) > 1 else arrays[0]


def _listed(made: Any) -> list[Any]:
    if isinstance(made, dict):
        return [made[name] for name in sorted(made)]
    return list(made) if isinstance(made, list | tuple) else [made]


def opened(path: Path, found: Imported, made: Lifted) -> tuple[Weights, KerasSource]:
    """The weights, by the nodes of the network that was read, and Keras with the model, of whose classes every one is
    known. One without weights gets random ones. Raises `ExportError`, ModuleNotFoundError."""
    needs.require("running a model of Keras", *needs.BUILDING)
    import_tensorflow()
    import keras  # noqa: PLC0415

    from netc.targets.keras import custom  # noqa: PLC0415 - registers its classes

    assert custom
    for op in written().values():
        written_class(op)
    weights = found.weights() if found.weights is not None else None  # first: what HDF5 dies of, it dies of there
    with deep_recursion(recursion(found.net, depths(found.net))):
        try:
            if weights is not None:
                model = keras.models.load_model(path, compile=False)
            else:
                model = keras.models.model_from_json(path.read_text(encoding="utf-8"))
        except Exception as error:  # whatever a Keras of another version stumbles over
            raise ExportError(f"Keras {keras.__version__} does not load {path}: {error}") from None
    layers = {made.names[node]: source for node, source in found.sources.items() if node in made.names}
    engine = KerasSource(model, made.program.net, layers)
    return _random(model, found) if weights is None else weights, engine


def _random(model: Any, found: Imported) -> Weights:
    """Random weights, which the model gets too."""
    weights = random_weights(found.net, 0)
    places = {source: node for node, source in found.sources.items()}
    for layer in model.layers:
        arrays = weights.of(places.get(layer.name, ""))
        if len(arrays) != len(layer.weights):
            raise ExportError(f"`{layer.name}` has no weights in the file, and gets none that are known to be its own")
        for variable, array in zip(layer.weights, arrays, strict=True):
            variable.assign(array.reshape(variable.shape))
    return weights
