"""The weights of a network that was read, from the layers of a file or of a model."""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from netc.ir.net import Net
from netc.ir.weights import Weights, WeightsError, declared
from netc.storage.stored import Layer, Layers, StorageError, Stored
from netc.targets.keras.matching import arranged, difference
from netc.targets.keras.parts import assembled
from netc.targets.keras.read.graph import MODELS
from netc.targets.keras.weights import numbers

if TYPE_CHECKING:
    import keras
    from numpy.typing import NDArray

    Path = tuple[str, ...]  # a layer, after the models around it

SHOWN = 8  # layers in a message


def weights_of(net: Net, places: Mapping[str, Path], layers: Layers) -> Weights:
    """The weights of a network, whose nodes have those of the layers at these places.

    Raises `WeightsError` where some are not there or have other shapes, `StorageError` for a broken file.
    """
    needed = declared(net)
    found = assembled(replace(layers, found=list(_renamed(places, layers, needed))), needed)
    held = {layer.name: layer.arrays for layer in found.found}
    arrays, wrong = {}, []
    for name, weights in needed.items():
        there = arranged(held.get(name, ()), weights, found)
        if what := difference(there, weights) if name in held else "the file has none":
            wrong.append(f"  {'/'.join(places.get(name, (name,)))}: {what}")
            continue
        for weight, stored in zip(weights, there, strict=True):
            arrays[name, weight.name] = numbers(stored).reshape(weight.shape)
    if wrong:
        more = [f"  and {len(wrong) - SHOWN} more"] if len(wrong) > SHOWN else []
        raise WeightsError("\n".join(["the weights are not those of the model:", *wrong[:SHOWN], *more]))
    return Weights(arrays)


def _renamed(places: Mapping[str, Path], layers: Layers, needed: Container[str]) -> Iterator[Layer]:
    """The layers that belong to nodes, under their names; parts of a layer are in it."""
    nodes = {place: name for name, place in places.items()}
    ends: dict[tuple[str, str], list[str]] = {}
    for place, name in nodes.items():
        ends.setdefault((place[0], place[-1]), []).append(name)
        if len(place) > 1 and name in needed:  # `.h5` gives a model the weights of its only layer that has any
            ends.setdefault((place[0], place[0]), []).append(name)
    for layer in layers.found:
        path = (*layer.around, layer.name)
        for length in range(len(path), 0, -1):
            if node := nodes.get(path[:length]):
                rest = path[length:]
                yield replace(layer, name=rest[-1] if rest else node, around=(node, *rest[:-1]) if rest else ())
                break
        else:
            near = ends.get((path[0], path[-1]), [])  # Keras 2 leaves out the models between
            if len(near) == 1:
                yield replace(layer, name=near[0], around=())


def constants_of(layers: Layers, path: Path) -> Sequence[NDArray[Any]] | None:
    """The arrays of a layer, None where it has none."""
    found = [layer for layer in layers.found if (*layer.around, layer.name) == path]
    return (
        [numbers(stored) if stored.dtype.kind == "f" else stored.read() for stored in found[0].arrays]
        if found
        else None
    )


def layers_of(model: keras.Model) -> Layers:
    """The layers of a model in memory that have weights."""
    return Layers(list(_layers(model, ())), "network")


def _layers(model: Any, around: Path) -> Iterator[Layer]:
    for layer in model.layers:
        if type(layer).__name__ in MODELS and hasattr(layer, "layers"):
            yield from _layers(layer, (*around, layer.name))
            continue
        parts: dict[str, list[Stored]] = {}
        for variable in layer.weights:
            place = str(variable.path).rpartition("/")[0].removeprefix(layer.name).strip("/")
            parts.setdefault(place, []).append(_stored(variable))
        if len(parts) == 1:
            yield Layer("", layer.name, around, *parts.values())
            continue
        for place, arrays in parts.items():
            *between, inner = place.split("/")
            yield Layer("", inner, (*around, layer.name, *between), arrays)


def _stored(variable: Any) -> Stored:
    import numpy  # noqa: PLC0415 - Keras has brought it

    def load() -> NDArray[Any]:
        import keras  # noqa: PLC0415

        made: NDArray[Any] = keras.ops.convert_to_numpy(variable)
        return made

    try:
        dtype = numpy.dtype(variable.dtype)
    except TypeError:
        raise StorageError(f"`{variable.path}` holds {variable.dtype}, which NumPy has not") from None
    return Stored(str(variable.name), tuple(variable.shape), dtype, load)
