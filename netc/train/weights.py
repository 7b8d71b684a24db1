"""Weights of files, put into a network by the names of layers.

Read are `.keras` and `.weights.h5` of Keras 3, the older `.h5` (that of keras.applications, and of whole models), and
netc's own checkpoints and runs. Files are read as arrays only: nothing in them is run.
"""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from netc.ir.shape import show_shape
from netc.sections.model import skipped_layers
from netc.train.checkpoint import BEST, SUFFIX, CheckpointError, read
from netc.train.run import Run, is_run

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from netc.program import Program

    Arrays = list[NDArray[Any]]

KINDS = ".keras, .weights.h5, .h5, a checkpoint (.npz) or the folder of a run"
SHOWN = 8
ANY = ""
SMALL, MOST_PACKED = 1 << 20, 1032  # bytes, and how many of them deflate gets into one


class WeightsError(Exception):
    """A file that holds no weights, or weights that do not fit. The text is for the user."""


@dataclass(frozen=True, slots=True)
class Stored:
    """What a file holds: the arrays of each layer.

    `order` says in which order the network has them: the names of all layers under ANY, or, of a file that knows no
    order across classes of layers, those of each class under its name (`conv2d`).
    """

    path: Path
    layers: Mapping[str, Arrays]
    order: Mapping[str, Sequence[str]]

    @classmethod
    def ordered(cls, path: Path, layers: Mapping[str, Arrays]) -> Stored:
        """All layers in the order of the network."""
        return cls(path, layers, {ANY: list(layers)})


@dataclass(slots=True)
class Matched:
    """What became of the layers: set by name or in order, left fresh (`skip`), missing in the file, left over in it."""

    path: Path
    by_name: bool
    loaded: list[str] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    unused: list[str] = field(default_factory=list)

    def text(self) -> str:
        """The report, as a line or a few."""
        how = "by name" if self.by_name else "in order, as the names differ"
        count = len(self.loaded)
        lines = [f"weights of {self.path}: {count} layer{'s' * (count != 1)} set {how}"]
        for what, names in (
            ("kept fresh by `skip`", self.skipped),
            ("not in the file, so fresh", self.missing),
            ("in the file only, so unused", self.unused),
        ):
            if names:
                lines.append(f"  {what}: {_listed(names)}")
        return "\n".join(lines)


def load_into(model: Any, program: Program, path: Path, *, strict: bool = False) -> Matched:
    """Set the weights of a model from a file; with `strict`, every layer must be in it. Raises `WeightsError`."""
    stored = stored_weights(path)
    layers = {layer.name: weights for layer in model.layers if (weights := list(layer.weights))}
    train = program.sections.train
    skip = set(skipped_layers(train, program.net, program.expansion.labels)) if train else set()
    pairs, by_name = _pairs(stored, model, layers, skip)
    found = Matched(path, by_name)
    found.unused = [name for name in stored.layers if name not in set(pairs.values())]
    wrong = []
    for name, variables in layers.items():
        if name in skip:
            found.skipped.append(name)
        elif name not in pairs:
            found.missing.append(name)
        elif difference := _difference(stored.layers[pairs[name]], variables):
            wrong.append((name, difference if by_name else f"{difference} (`{pairs[name]}` there)"))
        else:
            found.loaded.append(name)
    if wrong:
        raise WeightsError(_misfit(path, wrong))
    if not found.loaded or (strict and found.missing):
        raise WeightsError(_nothing(stored, found))
    for name in found.loaded:
        for variable, array in zip(layers[name], stored.layers[pairs[name]], strict=True):
            variable.assign(array)
    return found


def _pairs(stored: Stored, model: Any, layers: Mapping[str, Any], skip: Collection[str]) -> tuple[dict[str, str], bool]:
    """The layer of the file for each of the network: by name, or in order where more layers fit so, and most.

    The networks of keras.applications have names of their own, of which one or two may be ours too (`fc1`).
    """
    named = {name: name for name in layers if name in stored.layers}
    if len(named) == len(stored.layers):
        return named, True
    classes = {layer.name: type(layer).__name__.lower() for layer in model.layers}
    ordered: dict[str, str] = {}
    for kind, names in stored.order.items():
        ours = [name for name in layers if kind in (ANY, classes[name])]
        ordered.update(zip(ours, names, strict=False))

    def fitting(pairs: Mapping[str, str]) -> int:
        kept = ((here, there) for here, there in pairs.items() if here not in skip)
        return sum(not _difference(stored.layers[there], layers[here]) for here, there in kept)

    fit = fitting(ordered)
    return (ordered, False) if fit > max(fitting(named), len(ordered) // 2) else (named, True)


def _misfit(path: Path, wrong: Sequence[tuple[str, str]]) -> str:
    """The layers that do not fit, and how to go on without them."""
    lines = [f"{path} does not fit the network:", *(f"  {name}: {what}" for name, what in wrong[:SHOWN])]
    if len(wrong) > SHOWN:
        lines.append(f"  and {len(wrong) - SHOWN} layers more")
    name = wrong[0][0]
    return "\n".join([*lines, f"`skip {name}` in `train`, or --set train.skip={name}, leaves a layer fresh"])


def _difference(arrays: Sequence[Any], variables: Sequence[Any]) -> str:
    """What keeps arrays from being the values of variables, naming both sides."""
    there, here = ([tuple(one.shape) for one in side] for side in (arrays, variables))
    if there == here:
        return ""
    if len(there) != len(here):
        return f"the file has {len(there)} arrays for it, the network {len(here)}"
    left, right = next((left, right) for left, right in zip(there, here, strict=True) if left != right)
    return f"the file has {show_shape(left)}, the network {show_shape(right)}"


def _nothing(stored: Stored, found: Matched) -> str:
    theirs, ours = _listed(list(stored.layers)), _listed([*found.missing, *found.skipped])
    if found.loaded:
        return f"{stored.path} lacks weights of the network: {_listed(found.missing)}"
    return (
        f"no layer of {stored.path} has the name of one in the network\n"
        f"  the file has {theirs or 'no layers'}\n  the network has {ours}"
    )


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + more


# -- reading -------------------------------------------------------------------------------------------------


def stored_weights(path: Path) -> Stored:
    """The weights in a file, or of a run: those at its end, else its best, else its last. Raises `WeightsError`."""
    if is_run(path):
        path = final_weights(Run(path))
    if not path.is_file():
        raise WeightsError(f"there is no file {path}")
    try:
        if path.suffix == SUFFIX:
            return Stored.ordered(path, _checkpoint(path))
        if path.suffix == ".keras":
            return _keras(path)
        if path.suffix in (".h5", ".hdf5"):
            return _hdf5(path, path.open("rb"), None)
    except (OSError, KeyError, ValueError, RuntimeError, zipfile.BadZipFile, CheckpointError) as error:
        raise WeightsError(f"cannot read weights from {path}: {error}") from None
    raise WeightsError(f"got {path}, expected weights: {KINDS}")


def final_weights(run: Run) -> Path:
    """The file with the weights that a run came to."""
    store = run.store()
    candidates = [run.model, store.best, *reversed(store.saved())]
    found = next((path for path in candidates if path.is_file()), None)
    if found is None:
        raise WeightsError(f"{run.folder} has no weights yet")
    return found


def _checkpoint(path: Path) -> dict[str, Arrays]:
    layers: dict[str, Arrays] = {}
    for name, array in read(path).arrays.items():
        parts = name.split("/") if path.name == BEST else name.removeprefix("model/").split("/")[1:]
        layer = "/".join(parts[:-1])
        if layer and (path.name == BEST or name.startswith("model/")):
            layers.setdefault(layer, []).append(array)
    return layers


def _keras(path: Path) -> Stored:
    with zipfile.ZipFile(path) as archive:
        config = json.loads(archive.read("config.json"))
        order = [layer["name"] for layer in config["config"].get("layers", ())]
        return _hdf5(path, io.BytesIO(archive.read("model.weights.h5")), order)


def _hdf5(path: Path, file: Any, order: Iterable[str] | None) -> Stored:
    import h5py  # noqa: PLC0415 - comes with Keras

    with file, h5py.File(file, "r") as held:
        root = held.get("model_weights", held)
        if "layer_names" in root.attrs:
            return Stored.ordered(path, dict(_legacy(root)))
        groups = list(_current(held))
    layers = {name: arrays for _, name, arrays in groups}
    if not layers:
        raise ValueError("it holds no layers with weights")
    if order is not None:
        return Stored.ordered(path, {name: layers[name] for name in order if name in layers})
    kinds: dict[str, list[str]] = {}
    for kind, name, _ in groups:
        kinds.setdefault(kind, []).append(name)
    return Stored(path, layers, kinds)


def _legacy(root: Any) -> Iterator[tuple[str, Arrays]]:
    """A group a layer, whose attributes list it and its weights in order."""
    for name in _names(root.attrs, "layer_names"):
        arrays = [_array(root[name], weight) for weight in _names(root[name].attrs, "weight_names")]
        if arrays:
            yield name, arrays


def _names(attributes: Any, key: str) -> list[str]:
    """A list of names; long ones are in parts (`layer_names0` ...)."""
    parts = [attributes[key]] if key in attributes else []
    while f"{key}{len(parts)}" in attributes:
        parts.append(attributes[f"{key}{len(parts)}"])
    return [name.decode() if isinstance(name, bytes) else str(name) for part in parts for name in part]


def _current(held: Any) -> Iterator[tuple[str, str, Arrays]]:
    """Class, name and arrays of each layer: groups are named by classes and counted, `conv2d`, `conv2d_1` and on.

    They come in the order of the count, which is that of the layers of one class; HDF5 has `conv2d_10` before
    `conv2d_2`. An attribute of `vars` has the name of the layer.
    """
    found = []
    for group, content in held.get("layers", {}).items():
        variables = content.get("vars")
        if variables is None or "name" not in variables.attrs or not len(variables):
            continue
        kind, count = re.fullmatch(r"(.+?)(?:_(\d+))?", group).groups("0")  # type: ignore[union-attr]
        arrays = [_array(variables, str(number)) for number in range(len(variables))]
        found.append((int(count), kind.replace("_", ""), str(variables.attrs["name"]), arrays))
    for _, kind, name, arrays in sorted(found, key=lambda one: one[0]):
        yield kind, name, arrays


def _array(group: Any, name: str) -> NDArray[Any]:
    """An array that lies in the file itself: no other file is read, and no more memory taken than it could fill.

    Links to other files lead nowhere already, as HDF5 gets an open file and no path.
    """
    held = group[name]
    if held.external or held.is_virtual:
        raise ValueError(f"{name} lies in another file")
    if held.nbytes > SMALL + MOST_PACKED * held.id.get_storage_size():
        raise ValueError(f"{name} is said to have {held.nbytes:,} bytes, more than the file can hold")
    return held[()]  # type: ignore[no-any-return]
