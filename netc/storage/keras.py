"""Weights as Keras saves them: `.keras`, `.weights.h5`, and the older `.h5` (of whole models, and of
keras.applications). Nothing in a file is run, and nothing of Keras is imported.

Layers come out flat: those in nested models and in wrappers (`TimeDistributed`) are layers like all others.
"""

from __future__ import annotations

import json
import re
import zipfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from netc.storage import hdf5
from netc.storage.memory import affordable
from netc.storage.stored import Layer, Layers, StorageError, Stored, explained

LARGEST_CONFIG = 1 << 26  # bytes of a config.json
PARSED = 32  # bytes that one of them becomes at most, as `[{},{},...]`
CONFIG, WEIGHTS, METADATA = "config.json", "model.weights.h5", "metadata.json"
MODEL, VERSION = "model_config", "keras_version"  # attributes of an `.h5`
SMALL = {CONFIG: 1 << 20, METADATA: 1 << 20, WEIGHTS: 1 << 26}  # bytes that may be packed as one likes
MOST_PACKED = 100  # beyond them, bytes in one
NESTED = 64  # models in models
_COUNTED = re.compile(r"(.+?)(?:_(\d{1,9}))?", re.DOTALL)
CONTAINERS = ("layers", "_layer_checkpoint_dependencies")  # of Keras 3, and of `.keras` files by Keras 2


@contextmanager
def opened(path: Path) -> Iterator[Layers]:
    """The layers of a file, whose arrays are to be read before it is closed; raises `StorageError`."""
    config, member = (_config(path), WEIGHTS) if path.suffix.lower() == ".keras" else ({}, "")
    with hdf5.opened(path, member) as held:
        with explained():
            found = _layers(held, config)
        yield found


def _layers(file: hdf5.Group, config: Mapping[str, Any]) -> Layers:
    inner = hdf5.member(file, "model_weights")
    root = inner if isinstance(inner, hdf5.Group) else file
    listed = any(root.attribute(name) is not None for name in ("layer_names", "layer_names0"))
    found = list(_listed(root) if listed else _tree(file, config, set()))
    if not found:
        raise StorageError("it holds no layers with weights")
    if _configs(config):
        return Layers(found, "network")
    if any(layer.around or not (layer.kind or listed) for layer in found):
        return Layers(found, "none")  # of layers that are nested, or attributes, no other file says where they stand
    return Layers(found, "network" if listed else "class")


# -- Keras 3: groups named by class and counted, `conv2d`, `conv2d_1`; `vars` in each holds `0`, `1` ---------------


def _config(path: Path) -> Mapping[str, Any]:
    """The configuration in a `.keras` file that has weights, too."""
    (config,) = _members(path, CONFIG, beside=WEIGHTS)
    with explained():
        return _mapping(json.loads(config))


def _members(path: Path, *names: str, optional: str = "", beside: str = "") -> list[bytes]:
    """Files in a `.keras` file, with an `optional` one where it is there; one `beside` them is not read here."""
    with explained(), zipfile.ZipFile(path) as archive:
        sizes = {entry.filename: entry.file_size for entry in archive.infolist()}
        packed = {entry.filename: entry.compress_size for entry in archive.infolist()}
        names = (*names, optional) if optional in sizes else names
        for name in (*names, beside) if beside else names:
            most = affordable() if name == WEIGHTS else _most_parsed()
            if name not in sizes:
                raise StorageError(f"it has no {name}")
            if sizes[name] > min(most, max(SMALL[name], MOST_PACKED * packed[name])):
                raise StorageError(f"{name} is said to have {sizes[name]:,} bytes, more than are read")
        return [archive.read(name) for name in names]


def _most_parsed() -> int:
    """Bytes of JSON that are read at most: as many as memory has room for what becomes of them."""
    return min(LARGEST_CONFIG, affordable() // PARSED)


def configuration(path: Path) -> Mapping[str, Any]:
    """What a `.keras` file, a whole `.h5`, or JSON says of a model; under `keras_version` which one wrote it, where
    that is known. Raises `StorageError`."""
    version: object = None
    if path.suffix.lower() == ".keras":
        text, *more = _members(path, CONFIG, optional=METADATA)
        with explained():
            version = _mapping(json.loads(more[0])).get(VERSION) if more else None
    elif path.suffix.lower() == ".json":
        with explained(), path.open("rb") as file:
            most = _most_parsed()
            text = file.read(most + 1)
        if len(text) > most:
            raise StorageError(f"it has more than {most:,} bytes, which are not read")
    else:
        text, version = _attributes(path)
    with explained():
        found = json.loads(text)
    if not isinstance(found, Mapping) or "class_name" not in found:
        raise StorageError("it holds no model of Keras")
    return found if version is None else {**found, VERSION: version}


def _attributes(path: Path) -> tuple[bytes, str | None]:
    """The configuration in an `.h5` of a whole model, and the version of Keras that wrote it, where it says so."""
    with hdf5.opened(path) as file, explained():
        model, version = (file.attribute(name) for name in (MODEL, VERSION))
        if not isinstance(model, str):
            raise StorageError("it holds weights alone, and no model: a spec takes them by `--weights`")
        return model.encode(), version if isinstance(version, str) else None


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _configs(config: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The configurations of the layers in a model, in its order."""
    found = _mapping(config.get("config")).get("layers")
    return [_mapping(one) for one in found] if isinstance(found, list) else []


def _tree(
    group: hdf5.Group, config: Mapping[str, Any], met: set[int], around: tuple[str, ...] = (), kind: str = ""
) -> Iterator[Layer]:
    """The layers in a group and in those below it: first its own variables, then what is in it. `met` are the places of
    groups before: HDF5 can have one in several others, and so in more ways than can be gone."""
    if len(around) > NESTED:
        raise StorageError(f"models are nested more than {NESTED} deep")
    if group.place in met:
        raise StorageError(f"the group `{group.name}` is in it more than once")
    met.add(group.place)
    inside = hdf5.members(group)
    variables = inside.pop("vars", None)
    name = _name(config, variables, group)
    held = hdf5.members(variables) if isinstance(variables, hdf5.Group) else {}
    if held:
        numbers = [str(number) for number in range(len(held))]
        if set(held) != set(numbers):
            raise StorageError(f"the variables of `{name}` are not numbered: {', '.join(sorted(held)[:5])}")
        yield Layer(kind, name, around[1:], [hdf5.array(held[number], f"{name}/{number}") for number in numbers])
    inside.pop("optimizer", None)
    around = (*around, name)
    for key, child in inside.items():
        if not isinstance(child, hdf5.Group):
            continue
        if key in CONTAINERS:
            yield from _contained(child, _configs(config), met, around)
        else:
            inner = _mapping(_mapping(config.get("config")).get(key))
            yield from _tree(child, inner, met, around, snake(str(inner.get("class_name", ""))).replace("_", ""))


def _contained(
    group: hdf5.Group, configs: Sequence[Mapping[str, Any]], met: set[int], around: tuple[str, ...]
) -> Iterator[Layer]:
    """The layers of a model, in its order where its configuration is known, else in that of each class."""
    children = {name: held for name, held in hdf5.members(group).items() if isinstance(held, hdf5.Group)}
    count = Counter[str]()
    for config in configs:
        kind = snake(str(config.get("class_name", "")))
        child = children.pop(f"{kind}_{count[kind]}" if count[kind] else kind, None)
        count[kind] += 1
        if child is not None:
            yield from _tree(child, config, met, around, kind.replace("_", ""))
    by_count = {key: _COUNTED.fullmatch(key).groups("0") for key in children}  # type: ignore[union-attr]
    for key in sorted(children, key=lambda one: int(by_count[one][1])):  # HDF5 has `conv2d_10` before `conv2d_2`
        yield from _tree(children[key], {}, met, around, by_count[key][0].replace("_", ""))


def _name(config: Mapping[str, Any], variables: object, group: hdf5.Group) -> str:
    """The name of a layer: as its configuration says, else as an attribute of its variables does."""
    given = _mapping(config.get("config")).get("name")
    if not given and isinstance(variables, hdf5.Group):
        given = variables.attribute("name")
    return given if isinstance(given, str) else group.name.rpartition("/")[2]


def snake(name: str) -> str:
    """`Conv2DTranspose` as `conv2d_transpose`, as Keras names groups."""
    parts = re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", re.sub(r"\W+", "", name))
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", parts).lower()


# -- Keras 1 and 2: attributes list the layers, and the weights of each -----------------------------------------


def _listed(root: hdf5.Group) -> Iterator[Layer]:
    """A nested model is one layer here, whose weights have the names of its own layers in theirs: `inner/conv/kernel`;
    first all that learn, then all others."""
    for name in _names(root, "layer_names"):
        group = _followed(root, name)  # `conv1/bn` is one in another
        parts: dict[str, list[Stored]] = {}
        for weight in _names(group, "weight_names"):
            parts.setdefault(weight.rpartition("/")[0], []).append(hdf5.array(_followed(group, weight), weight))
        if len(parts) < 2:
            yield from (Layer("", name, (), arrays) for arrays in parts.values())
            continue
        for place, arrays in parts.items():
            *between, inner = place.split("/")
            yield Layer("", inner, (name, *(one for one in between if one != name)), arrays)


def _followed(group: hdf5.Group | hdf5.Dataset, path: str) -> hdf5.Group | hdf5.Dataset:
    """What is below a group, along links that lead nowhere else."""
    for part in filter(None, path.split("/")):
        if (found := hdf5.member(group, part)) is None:
            raise StorageError(f"it names `{path}`, and does not hold it")
        group = found
    return group


def _names(group: hdf5.Group | hdf5.Dataset, key: str) -> list[str]:
    """A list of names; long ones are in parts (`layer_names0` ...)."""
    parts = [] if (first := _part(group, key)) is None else [first]
    while (part := _part(group, f"{key}{len(parts)}")) is not None:
        parts.append(part)
    names = [name for part in parts for name in part]
    if len(set(names)) < len(names):
        raise StorageError(f"its attribute `{key}` has a name twice")
    return names


def _part(group: hdf5.Group | hdf5.Dataset, key: str) -> list[str] | None:
    found = group.attribute(key) if isinstance(group, hdf5.Group) else None
    if found is not None and not isinstance(found, list):
        raise StorageError(f"its attribute `{key}` is no list of names")
    return found
