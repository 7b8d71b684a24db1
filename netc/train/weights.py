"""Weights of files, put into a network by the names of layers.

Read are `.keras` and `.weights.h5` of Keras 3, the older `.h5` (that of keras.applications, and of whole models), and
netc's own checkpoints and runs.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from netc.ir.shape import show_shape
from netc.sections.model import skipped_layers
from netc.storage import keras
from netc.storage.stored import StorageError, Stored
from netc.train.checkpoint import BEST, SUFFIX, CheckpointError, read
from netc.train.run import Run, is_run

if TYPE_CHECKING:
    from netc.program import Program

KINDS = ".keras, .weights.h5, .h5, a checkpoint (.npz) or the folder of a run"
SHOWN = 8
ANY = ""


class WeightsError(Exception):
    """A file that holds no weights, or weights that do not fit. The text is for the user."""


@dataclass(frozen=True, slots=True)
class Held:
    """What a file holds: the arrays of each layer, not read yet.

    `order` says in which order the network has them: the names of all layers under ANY, or, of a file that knows no
    order across classes of layers, those of each class under its name (`conv2d`).
    """

    path: Path
    layers: Mapping[str, Sequence[Stored]]
    order: Mapping[str, Sequence[str]]


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
    with weights_of(path) as held:
        return _loaded(model, program, held, strict=strict)


def _loaded(model: Any, program: Program, held: Held, *, strict: bool) -> Matched:
    layers = {layer.name: weights for layer in model.layers if (weights := list(layer.weights))}
    train = program.sections.train
    skip = set(skipped_layers(train, program.net, program.expansion.labels)) if train else set()
    pairs, by_name = _pairs(held, model, layers, skip)
    found = Matched(held.path, by_name)
    found.unused = [name for name in held.layers if name not in set(pairs.values())]
    wrong = []
    for name, variables in layers.items():
        if name in skip:
            found.skipped.append(name)
        elif name not in pairs:
            found.missing.append(name)
        elif difference := _difference(held.layers[pairs[name]], variables):
            wrong.append((name, difference if by_name else f"{difference} (`{pairs[name]}` there)"))
        else:
            found.loaded.append(name)
    if wrong:
        raise WeightsError(_misfit(held.path, wrong))
    if not found.loaded or (strict and found.missing):
        raise WeightsError(_nothing(held, found))
    for name in found.loaded:
        for variable, array in zip(layers[name], held.layers[pairs[name]], strict=True):
            variable.assign(array.read())
    return found


def _pairs(held: Held, model: Any, layers: Mapping[str, Any], skip: Collection[str]) -> tuple[dict[str, str], bool]:
    """The layer of the file for each of the network: by name, or in order where more layers fit so, and most.

    The networks of keras.applications have names of their own, of which one or two may be ours too (`fc1`).
    """
    named = {name: name for name in layers if name in held.layers}
    if len(named) == len(held.layers):
        return named, True
    classes = {layer.name: type(layer).__name__.lower() for layer in model.layers}
    ordered: dict[str, str] = {}
    for kind, names in held.order.items():
        ours = [name for name in layers if kind in (ANY, classes[name])]
        ordered.update(zip(ours, names, strict=False))

    def fitting(pairs: Mapping[str, str]) -> int:
        kept = ((here, there) for here, there in pairs.items() if here not in skip)
        return sum(not _difference(held.layers[there], layers[here]) for here, there in kept)

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


def _nothing(held: Held, found: Matched) -> str:
    theirs, ours = _listed(list(held.layers)), _listed([*found.missing, *found.skipped])
    if found.loaded:
        return f"{held.path} lacks weights of the network: {_listed(found.missing)}"
    return (
        f"no layer of {held.path} has the name of one in the network\n"
        f"  the file has {theirs or 'no layers'}\n  the network has {ours}"
    )


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + more


# -- reading -------------------------------------------------------------------------------------------------


@contextmanager
def weights_of(path: Path) -> Iterator[Held]:
    """The weights in a file, or of a run: those at its end, else its best, else its last. Raises `WeightsError`."""
    if is_run(path):
        path = final_weights(Run(path))
    if not path.is_file():
        raise WeightsError(f"there is no file {path}")
    try:
        if path.suffix == SUFFIX:
            layers = _checkpoint(path)
            yield Held(path, layers, {ANY: list(layers)})
        elif path.suffix in (".keras", ".h5", ".hdf5"):
            with keras.opened(path) as found:
                yield _named(path, found)
        else:
            raise WeightsError(f"got {path}, expected weights: {KINDS}")
    except (StorageError, CheckpointError) as error:
        raise WeightsError(f"cannot read weights from {path}: {error}") from None


def final_weights(run: Run) -> Path:
    """The file with the weights that a run came to."""
    store = run.store()
    candidates = [run.model, store.best, *reversed(store.saved())]
    found = next((path for path in candidates if path.is_file()), None)
    if found is None:
        raise WeightsError(f"{run.folder} has no weights yet")
    return found


def _checkpoint(path: Path) -> dict[str, list[Stored]]:
    layers: dict[str, list[Stored]] = {}
    for name, array in read(path).arrays.items():
        parts = name.split("/") if path.name == BEST else name.removeprefix("model/").split("/")[1:]
        layer = "/".join(parts[:-1])
        if layer and (path.name == BEST or name.startswith("model/")):
            layers.setdefault(layer, []).append(Stored(name, array.shape, array.dtype, array.view))
    return layers


def _named(path: Path, found: keras.Layers) -> Held:
    """Layers of Keras by name: of several with one name, in different models, each has those of the models too."""
    count = Counter(layer.name for layer in found.found)
    names = ["_".join((*layer.around, layer.name)) if count[layer.name] > 1 else layer.name for layer in found.found]
    if len(set(names)) < len(names):
        raise StorageError("several layers in it have one name")
    order: dict[str, list[str]] = {ANY: names} if found.order == "network" else {}
    if found.order == "class":
        for name, layer in zip(names, found.found, strict=True):
            order.setdefault(layer.kind, []).append(name)
    return Held(path, dict(zip(names, (layer.arrays for layer in found.found), strict=True)), order)
