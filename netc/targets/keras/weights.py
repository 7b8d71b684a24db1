"""Weights from files and into them, for a network: by the names of layers, else as `matching` finds.

Read without Keras and TensorFlow, from what either writes: `.keras`, `.weights.h5`, the older `.h5` (that of
keras.applications, and of whole models), `.safetensors`, `.npz`, and netc's checkpoints.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from netc.files import replace
from netc.ir.net import Net, SharedCall
from netc.ir.weights import Key, Weights, WeightsError, declared
from netc.layers.base import Weight
from netc.storage import opening
from netc.storage.keras import snake
from netc.storage.stored import Layers, StorageError, Stored
from netc.targets.keras.matching import SHOWN, Held, arranged, difference, listed, pairs
from netc.targets.keras.nesting import Nested, Nesting
from netc.targets.keras.order import nested_in_order
from netc.targets.keras.parts import assembled, part_names, placed, prefix_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from netc.target import Call


@dataclass(slots=True)
class Matched:
    """What became of the layers: set by name or in order, left fresh (`skip`), missing in the file, left over in it;
    those of which the file has other types than float32, by type, and those with infinity or NaN in them."""

    path: Path
    by_name: bool
    loaded: list[str] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    unused: list[str] = field(default_factory=list)
    converted: dict[str, dict[str, None]] = field(default_factory=dict)
    no_numbers: list[str] = field(default_factory=list)

    @property
    def plain(self) -> bool:
        """Whether there is nothing to know: each layer had its name, and numbers of float32."""
        return self.by_name and "\n" not in self.text()

    def text(self) -> str:
        """The report, as a line or a few."""
        how = "by name" if self.by_name else "in order, as the names differ"
        count = len(self.loaded)
        lines = [f"weights of {self.path}: {count} layer{'s' * (count != 1)} set {how}"]
        for what, names in (
            ("kept fresh by `skip`", self.skipped),
            ("not in the file, so fresh", self.missing),
            ("in the file only, so unused", self.unused),
            *((f"{kind} in the file, float32 here", list(names)) for kind, names in self.converted.items()),
            ("infinity or NaN among their numbers", self.no_numbers),
        ):
            if names:
                lines.append(f"  {what}: {listed(names)}")
        return "\n".join(lines)


def read(
    path: Path, net: Net, *, only: Collection[str] | None = None, skip: Collection[str] = (), strict: bool = True
) -> tuple[Weights, Matched]:
    """The weights of a network from a file, and how they were matched.

    `only` names the nodes that need weights, all without it; those in `skip` keep theirs. With `strict`, every other
    one must be in the file. Raises `WeightsError`: also where a shape differs, or more than one match is as good.
    """
    if not path.is_file():
        raise WeightsError(f"there is no file {path}")
    try:
        with opening.opened(path) as layers:
            return _matched(path, net, only, layers, skip, strict=strict)
    except StorageError as error:
        raise WeightsError(f"cannot read weights from {path}: {error}") from None


def _matched(
    path: Path, net: Net, only: Collection[str] | None, layers: Layers, skip: Collection[str], *, strict: bool
) -> tuple[Weights, Matched]:
    needed = declared(net)
    layers = assembled(layers, needed)
    held = _named(layers)
    matching = pairs(net, needed, layers, held, skip)
    used = set(matching.of.values())
    found = Matched(path, matching.by_name, unused=[name for name in held if name not in used])
    chosen: dict[Key, tuple[Stored, Weight]] = {}
    wrong = []
    for name, weights in needed.items():
        if only is not None and name not in only:
            continue
        if name in skip:
            found.skipped.append(name)
        elif name not in matching.of:
            found.missing.append(name)
        else:
            there = matching.of[name]
            arrays = arranged(held[there], weights, layers)
            if what := difference(arrays, weights):
                wrong.append((name, what if matching.by_name else f"{what} (`{there}` there)"))
                continue
            found.loaded.append(name)
            chosen.update({(name, weight.name): (array, weight) for weight, array in zip(weights, arrays, strict=True)})
    if wrong:
        raise WeightsError(_misfit(path, wrong, strict=strict))
    if not found.loaded or (strict and found.missing):
        raise WeightsError(_nothing(path, held, found))
    filled = Weights({key: numbers(stored).reshape(weight.shape) for key, (stored, weight) in chosen.items()})
    for (name, _), (stored, _) in chosen.items():
        if (kind := stored.kind or stored.dtype.name) != "float32":
            found.converted.setdefault(kind, {})[name] = None
    found.no_numbers = [name for name in found.loaded if not all(map(_finite, filled.of(name)))]
    return filled, found


def numbers(stored: Stored) -> NDArray[Any]:
    """An array in float32. Raises `StorageError`: also for numbers that are none of float32."""
    import numpy  # noqa: PLC0415

    if stored.dtype.kind != "f":
        raise StorageError(f"`{stored.name}` holds {stored.dtype}, and weights are real numbers")
    array = stored.read()
    with numpy.errstate(over="ignore"):
        made = array.astype("float32", copy=False)
    if made is not array and not (numpy.isfinite(made) == numpy.isfinite(array)).all():
        raise StorageError(f"`{stored.name}` holds numbers of {stored.dtype} that are too large for float32")
    return made


def _finite(array: NDArray[Any]) -> bool:
    import numpy  # noqa: PLC0415

    return bool(numpy.isfinite(array).all())


def _named(layers: Layers) -> Held:
    """Layers by name: of several with one name, in different models, each has those of the models too."""
    count = Counter(layer.name for layer in layers.found)
    names = ["_".join((*layer.around, layer.name)) if count[layer.name] > 1 else layer.name for layer in layers.found]
    if len(set(names)) < len(names):
        raise StorageError("several layers in it have one name")
    return dict(zip(names, (layer.arrays for layer in layers.found), strict=True))


def _misfit(path: Path, wrong: Sequence[tuple[str, str]], *, strict: bool) -> str:
    """The layers that do not fit, and how to go on without them where that is possible."""
    lines = [f"{path} does not fit the network:", *(f"  {name}: {what}" for name, what in wrong[:SHOWN])]
    if len(wrong) > SHOWN:
        lines.append(f"  and {len(wrong) - SHOWN} layers more")
    if not strict:
        name = wrong[0][0]
        lines.append(f"`skip {name}` in `train`, or --set train.skip={name}, leaves a layer fresh")
    return "\n".join(lines)


def _nothing(path: Path, held: Held, found: Matched) -> str:
    theirs, ours = listed(list(held)), listed([*found.missing, *found.skipped])
    if found.loaded:
        return f"{path} lacks weights of the network: {listed(found.missing)}"
    return (
        f"no layer of {path} has the name of one in the network\n"
        f"  the file has {theirs or 'no layers'}\n  the network has {ours}"
    )


# -- writing -------------------------------------------------------------------------------------------------


def write(path: Path, net: Net, weights: Weights) -> None:
    """Write all weights of a network to a file. Raises as `content`, and `OSError`."""
    replace(path, content(path, net, weights))


def content(path: Path, net: Net, weights: Weights) -> bytes:
    """All weights of a network as a file: `.safetensors` and `.npz` hold them as `conv1/kernel`, `.weights.h5` is what
    `load_weights` of the Keras model reads. Raises `WeightsError` where they are not of the network."""
    weights.check(net)
    if path.name.endswith(".weights.h5"):
        return _hdf5(net, weights)
    flat = {f"{name}/{role}": array for (name, role), array in weights.items()}
    if path.suffix == ".safetensors":
        from netc.storage import safetensors  # noqa: PLC0415

        return safetensors.text(flat)
    if path.suffix == ".npz":
        import numpy  # noqa: PLC0415

        held = BytesIO()
        numpy.savez(held, allow_pickle=False, **flat)
        return held.getvalue()
    raise WeightsError(f"got {path}, expected a name in .safetensors, .npz or .weights.h5")


def _hdf5(net: Net, weights: Weights) -> bytes:
    """Every layer is a group, named by its class and its number among those of the class."""
    import h5py  # noqa: PLC0415

    held = BytesIO()
    with h5py.File(held, "w") as file:
        needed = declared(net)
        for name, call, kind, group in _groups(net, Nesting(net)):
            file.create_group(f"{group}/vars").attrs["name"] = name
            if call is None or call.suffix:
                continue
            for place, roles in placed(kind, needed.get(name, ())).items():
                variables = file.require_group("/".join(filter(None, (group, place, "vars"))))
                within = group
                names = part_names(call, prefix_of(roles[0]))
                for part, part_name in zip(place.split("/"), names, strict=True) if place else ():
                    within += f"/{part}"
                    file.require_group(f"{within}/vars").attrs["name"] = part_name
                for number, role in enumerate(roles):
                    variables[str(number)] = weights[name, role]
        file.create_group("vars")
    return held.getvalue()


def _groups(
    net: Net, nesting: Nesting, around: str = "", within: SharedCall | None = None
) -> Iterator[tuple[str, Call | None, str, str]]:
    """The layers as a Keras model has them: each name, the call that makes it (None for a model, whose own layers
    follow), its class and its group."""
    count = Counter[str]()
    for name, made in nested_in_order(net, nesting, within):
        path = "Functional" if isinstance(made, Nested) else "InputLayer" if made.path == "Input" else made.path
        kind = snake(path.rpartition(".")[2])
        group = f"{around}layers/{kind}_{count[kind]}" if count[kind] else f"{around}layers/{kind}"
        count[kind] += 1
        if not isinstance(made, Nested):
            yield name, made, kind, group
        else:
            yield name, None, kind, group
            yield from _groups(net, nesting, f"{group}/", made.first)
