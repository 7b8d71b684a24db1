"""`--verify`: what was checked against the direct build, emitted code against that, and its numbers against NumPy.

The emitted code is run in a process of its own, which knows nothing of netc (`runner`). This process builds the network
directly and compares; then both get the same random weights, and what they compute is compared.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from netc.analysis.cost import measure
from netc.ir.shape import fits, show_shape
from netc.targets.errors import ExportError
from netc.targets.exporting import unlike_keras
from netc.targets.keras.backends import refusal
from netc.targets.keras.runner import EmittedModel, Runner
from netc.targets.keras.verify_train import differences as training_differences

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from netc.ir.net import Net
    from netc.program import Program
    from netc.targets.keras.build import Built
    from netc.targets.proof import Proof

    Arrays = Mapping[str, NDArray[Any]]

TOLERANCE = 1e-6  # of the largest output; on one machine the outputs are the same to the last bit
SEED = 0  # of weights and inputs
SHOWN = 5  # differences listed of one kind


@dataclass(frozen=True, slots=True)
class Verified:
    """What differs, each a sentence; and where nothing does, how far the outputs are from those of NumPy."""

    differences: list[str]
    proof: Proof | None = None


def verify(program: Program, source: str, *, outputs: bool = True, runner: Runner | None = None) -> Verified:
    """What differs between what was checked, the direct build and emitted code.

    The direct build is compared with what was checked: the output shape of every layer, the names, shapes and trainable
    ones of its weights, the number of parameters. The emitted code is compared with the direct build: the configuration
    of every layer, names and shapes of all weights, what `train` gives to `compile` and `fit`, and the outputs on the
    same random weights and inputs; and these are proved to be those of NumPy. Without `outputs` (for giants) numbers
    are left out. Both run on the backend of the `runner`; without one, a process on TensorFlow is started for this one.

    Raises `netc.targets.errors.ExportError` where the backend computes something else than NumPy or cannot run the
    code, RuntimeError where Keras runs on another backend in this process already.
    """
    if runner is None:
        with Runner() as own:
            return verify(program, source, outputs=outputs, runner=own)
    with tempfile.TemporaryDirectory(prefix="netc-verify-") as folder:
        return _verify(program, source, Path(folder), outputs, runner)


def _verify(program: Program, source: str, folder: Path, outputs: bool, runner: Runner) -> Verified:
    from netc.ir.weights import random_weights  # noqa: PLC0415
    from netc.targets.keras.build import assign, construct  # noqa: PLC0415
    from netc.targets.keras.quiet import import_keras  # noqa: PLC0415
    from netc.targets.proof import prove  # noqa: PLC0415 - comes with Keras: NumPy

    if why := refusal(program.net, runner.backend):
        raise ExportError(why)
    import_keras(runner.backend)
    built = construct(program)
    model, found = built.model, checked_differences(program.net, built)
    (folder / "emitted.py").write_text(source, encoding="utf-8")
    failure = runner.run("build", folder)
    if failure:
        if runner.backend != "tensorflow":  # which may lack what Keras does there
            raise ExportError(failure)
        return Verified([*found, failure])
    trained = []
    if program.sections.train is not None:
        seen = folder / "train.json"
        told = json.loads(seen.read_text(encoding="utf-8")) if seen.exists() else None
        trained = training_differences(told, program, model)
    found += _configs(json.loads((folder / "config.json").read_text(encoding="utf-8")), model.get_config())
    found += _weights(dict(json.loads((folder / "weights.json").read_text(encoding="utf-8"))), model) + trained
    if found or not outputs:
        return Verified(found)
    weights = random_weights(program.net, SEED)
    emitted = EmittedModel(runner, program.net, weights, folder)
    try:
        proof = prove(program, weights, emitted, SEED)
    except ExportError as error:
        known = (f"\n  `{op}`: {what}" for op, what in unlike_keras(program.net).items())
        raise ExportError("".join((str(error), *known))) from None
    assign(model, weights)
    return Verified(_outputs(program.net, emitted, model), proof)


# -- what was checked ----------------------------------------------------------------------------------------


def checked_differences(net: Net, built: Built) -> list[str]:
    """Differences between what the layers declare and what Keras made of them."""
    found = []
    tensors = built.tensors()
    for node in net:
        inputs, shape = net.operand_shapes(node.name), net.shapes[node.name]
        made = tuple(tensors[node.name].shape)[1:]
        if not fits(shape, made):
            found.append(f"the layer {node.name} was checked as {show_shape(shape)}, Keras makes {show_shape(made)}")
        if inputs:  # an input is a tensor, without a layer
            # Keras says where in the layer a variable is by a path, and not the same for all of them: the numbers tell.
            said = [
                _weight(weight.name.rpartition("/")[2], weight.shape, weight.trainable)
                for weight in node.layer.weights(inputs)
            ]
            variables = (variable for layer in built.layers[node.layer_name] for variable in layer.weights)
            has = [_weight(variable.name, variable.shape, variable.trainable) for variable in variables]
            if said != has:
                found.append(f"the layer {node.name} declares {_list(said)}, Keras makes {_list(has)}")
    counted, count = measure(net).total.parameters, built.model.count_params()
    if counted != count:
        found.append(f"{counted:,} parameters were counted, and the model has {count:,}")
    return found


def _weight(name: str, shape: Sequence[int], trainable: bool) -> str:
    return f"{name} {show_shape(tuple(shape))}" + ("" if trainable else " (not trained)")


def _list(weights: Sequence[str]) -> str:
    return ", ".join(weights) or "no weights"


# -- configuration -------------------------------------------------------------------------------------------


def _configs(emitted: dict[str, Any], built: Any) -> list[str]:
    """Differences between two model configurations, layer by layer."""
    left, right = _normal(emitted), _normal(json.loads(json.dumps(built, default=str)))
    layers = [{layer["name"]: layer for layer in config.pop("layers")} for config in (left, right)]
    found = _name_differences("layer", list(layers[0]), list(layers[1]))
    for name, layer in layers[0].items():
        if name in layers[1] and layer != layers[1][name]:
            found.append(f"the layer {name} is {_difference(layer, layers[1][name])}")
    found += [
        f"the model's {key} differs: {left[key]} != {right.get(key)}" for key in left if left[key] != right.get(key)
    ]
    return found


def _normal(value: Any) -> Any:
    """A configuration without what says only where a class was defined, and without what a call is told not to do."""
    if isinstance(value, dict):
        known = {key: _normal(inner) for key, inner in value.items() if key not in ("module", "build_config")}
        called = known.get("kwargs")
        told = (
            {key: inner for key, inner in called.items() if inner is not False} if isinstance(called, dict) else called
        )
        return {**known, "kwargs": told} if "kwargs" in known else known
    return [_normal(inner) for inner in value] if isinstance(value, list) else value


def _difference(emitted: Any, built: Any, path: str = "") -> str:
    """The first place where two configurations differ."""
    if isinstance(emitted, dict) and isinstance(built, dict):
        for key in {**emitted, **built}:
            if emitted.get(key) != built.get(key):
                return _difference(emitted.get(key), built.get(key), f"{path}.{key}" if path else str(key))
    return f"different in {path}: {emitted!r} in the emitted code, {built!r} in the network"


def _name_differences(kind: str, emitted: list[str], built: list[str]) -> list[str]:
    more = [name for name in emitted if name not in set(built)]
    less = [name for name in built if name not in set(emitted)]
    found = [f"the {kind} {name} is in the emitted code only" for name in more[:SHOWN]]
    found += [f"the {kind} {name} is missing in the emitted code" for name in less[:SHOWN]]
    hidden = max(len(more) - SHOWN, 0) + max(len(less) - SHOWN, 0)
    return found + ([f"and {hidden} more {kind}s differ"] if hidden else [])


# -- weights and outputs -------------------------------------------------------------------------------------


def _weights(emitted: dict[str, list[int]], model: Any) -> list[str]:
    """Differences in names and shapes of weights."""
    own = {weight.path: list(weight.shape) for weight in model.weights}
    found = _name_differences("weight", list(emitted), list(own))
    for path, shape in emitted.items():
        if own.get(path, shape) != shape:
            found.append(f"the weight {path} is {shape} in the emitted code, {own[path]} in the network")
    return found


def _outputs(net: Net, emitted: EmittedModel, model: Any) -> list[str]:
    """Differences between the outputs of the emitted code and of the direct build, which have the same weights."""
    import numpy  # noqa: PLC0415 - comes with Keras
    from keras import ops  # noqa: PLC0415 - seconds

    from netc.targets.noise import noise  # noqa: PLC0415
    from netc.targets.proof import BATCH  # noqa: PLC0415

    inputs = noise(net, BATCH, SEED)
    operands = [inputs[name] for name in net.inputs]
    expected = model(operands if len(operands) > 1 else operands[0], training=False)
    given = emitted.outputs(inputs)
    found = []
    for name, tensor in zip(net.outputs, expected if isinstance(expected, list | tuple) else [expected], strict=True):
        one, other = given[name], ops.convert_to_numpy(tensor)
        if one.shape != other.shape:
            found.append(f"the output {name} is {one.shape} in the emitted code, {other.shape} in the network")
            continue
        gap = float(numpy.abs(one - other).max(initial=0.0))
        if not gap <= TOLERANCE * max(1.0, float(numpy.abs(other).max(initial=0.0))):
            found.append(f"the output {name} differs by up to {gap:g}")
    return found
