"""Layers that Keras makes of others, which files have as layers in a layer: attention of four products, recurrent ones
around a cell, those whose kernel is normed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from netc.layers.base import Weight
from netc.storage.keras import snake
from netc.storage.stored import Layer, Layers, Stored
from netc.target import Call

# By class: where each part is in the group of the layer, by what the names of its weights begin with, or by a weight.
PLACES: Mapping[str, Mapping[str, str]] = {
    "multi_head_attention": {
        **{name: f"{name}_dense" for name in ("query", "key", "value")},
        "attention_output": "output_dense",
    },
    **{name: {"": "cell"} for name in ("lstm", "gru", "simple_rnn")},
    "bidirectional": {side: f"{side}_layer/cell" for side in ("forward", "backward")},
    "spectral_normalization": {"": "layer", "vector_u": ""},
    "weight_normalization": {"": "layer", "g": ""},
}


def placed(kind: str, weights: Sequence[Weight]) -> dict[str, list[str]]:
    """The roles of the weights of a layer of a class, in their order, by where they are in its group."""
    places = PLACES.get(kind, {})
    found: dict[str, list[str]] = {}
    for weight in weights:
        place = places.get(weight.name, places.get(prefix_of(weight.name), ""))
        found.setdefault(place, []).append(weight.name)
    return found


def prefix_of(role: str) -> str:
    """The part of a layer that a weight belongs to: `query` of `query/kernel`."""
    return role.rpartition("/")[0]


def divided(weights: Sequence[Weight]) -> dict[str, list[str]]:
    """The roles of a layer's weights in the order of each part, by what they begin with: `query/kernel`, `kernel`."""
    found: dict[str, list[str]] = {}
    for weight in weights:
        found.setdefault(prefix_of(weight.name), []).append(weight.name)
    return found


def part_names(call: Call, prefix: str) -> tuple[str, ...]:
    """What Keras calls a part of the layer that a call makes, and what is around it there."""
    kind = snake(call.path.rpartition(".")[2])
    if not (call.args and isinstance(call.args[0], Call)):
        return (prefix or f"{kind}_cell",)
    inner: Call = call.args[0]
    if kind != "bidirectional":
        return (inner.kwargs["name"],)
    return f"{prefix}_{inner.kwargs['name']}", f"{snake(inner.path.rpartition('.')[2])}_cell"


def assembled(layers: Layers, needed: Mapping[str, Sequence[Weight]]) -> Layers:
    """The layers of a file, with parts of a layer of the network under its name and the roles of its weights."""
    alone = {layer.name for layer in layers.found if len(layer.arrays) >= len(needed.get(layer.name, ()))}
    parts: dict[str, dict[str, Layer]] = {}  # by the layer of the network, and the place in it
    several: set[str] = set()  # layers of which different models have one
    for layer in layers.found:
        path = "/".join((*layer.around, layer.name)).replace(".", "/").split("/")
        within = next((at for at, name in enumerate(path) if name in needed and name not in alone), None)
        if within is not None:
            held, place = parts.setdefault(path[within], {}), "/".join(path[within + 1 :])
            several.update([path[within]] if place in held else [])
            held[place] = layer
    whole: dict[str, Layer] = {}
    taken: set[int] = set()
    for name, found in parts.items():
        named = list(_named(name, found, needed[name]))
        if len(named) == len(needed[name]) and name not in several:
            taken.update(map(id, found.values()))
            whole[name] = Layer("", name, (), named)
    if not whole:
        return layers
    rest = [layer for layer in layers.found if id(layer) not in taken]
    return replace(layers, found=[*rest, *whole.values()])


def _named(name: str, found: Mapping[str, Layer], weights: Sequence[Weight]) -> Iterator[Stored]:
    """The arrays of all parts under the roles of weights: by the last of their names, else by their places."""
    parts = divided(weights)
    for prefix, roles in parts.items():
        places = [place for place in sorted(found) if f"{place}/".startswith(prefix)]  # first what the layer itself has
        arrays = [stored for place in places for stored in found[place].arrays]
        if len(places) != 1 and (len(parts) != 1 or len(arrays) != len(roles)):
            continue
        known = {stored.name.replace(".", "/").rpartition("/")[2]: stored for stored in arrays}
        ordered = [known.get(role.rpartition("/")[2]) for role in roles]
        if None in ordered or len(known) != len(roles):
            ordered = list(arrays)
        for role, stored in zip(roles, ordered, strict=False):
            if stored is not None:
                yield replace(stored, name=f"{name}/{role}")
