"""`--verify`: what was checked against the direct build, and emitted code against that, by running both.

The emitted code is run in a process of its own, which knows nothing of netc, and leaves its configuration, weights
and outputs in files. This process builds the network directly, takes over those weights by name and compares.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from netc.analysis.cost import measure
from netc.ir.shape import fits, show_shape
from netc.targets.keras.verify_train import RECORDER
from netc.targets.keras.verify_train import differences as training_differences

if TYPE_CHECKING:
    import numpy

    from netc.ir.net import Net
    from netc.program import Program
    from netc.targets.keras.build import Built

TOLERANCE = 1e-6  # of the largest output; on one machine the outputs are the same to the last bit
SAMPLES = 2
SHOWN = 5  # differences listed of one kind
SIZE_STEP, LARGEST_SIZE = 32, 1024  # unknown sizes are tried in these steps

_RUNNER = """
import importlib.util, json, os, sys

answers = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)
import numpy
import keras


# RECORDER


def run(folder, outputs):
    keras.backend.clear_session()
    keras.utils.set_random_seed(1)
    spec = importlib.util.spec_from_file_location("emitted", folder + "/emitted.py")
    emitted = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(emitted)
    model = emitted.build_model()
    with open(folder + "/config.json", "w", encoding="utf-8") as file:
        json.dump(model.get_config(), file, default=str)
    with open(folder + "/weights.json", "w", encoding="utf-8") as file:
        json.dump([[weight.path, list(weight.shape)] for weight in model.weights], file)
    if outputs:
        forward(folder, model)
    if hasattr(emitted, "train"):
        with open(folder + "/train.json", "w", encoding="utf-8") as file:
            json.dump(record(emitted, model), file, default=str)


def forward(folder, model):
    numpy.savez(folder + "/weights.npz", **{str(n): weight.numpy() for n, weight in enumerate(model.weights)})
    given = numpy.load(folder + "/inputs.npz")
    made = model([given[key] for key in given.files] if len(given.files) > 1 else given["0"], training=False)
    made = made if isinstance(made, (list, tuple)) else [made]
    numpy.savez(folder + "/outputs.npz", **{str(n): numpy.asarray(value) for n, value in enumerate(made)})


for line in sys.stdin:
    try:
        answer = run(*json.loads(line)) or ""
    except Exception as error:
        answer = f"{type(error).__name__}: {error}"
    answers.write(json.dumps(answer) + "\\n")
    answers.flush()
"""


class Runner:
    """A process that runs emitted modules one after the other; a context manager. `-I` keeps the surroundings out."""

    def __init__(self, timeout: float = 3600) -> None:
        self.timeout = timeout
        environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "KERAS_BACKEND": "tensorflow"}
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-c", _RUNNER.replace("# RECORDER", RECORDER)],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )

    def __enter__(self) -> Runner:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.communicate()

    def run(self, folder: Path, outputs: bool) -> str:
        """Run the module `emitted.py` of a folder, which gets the results; why that failed, else nothing."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        watchdog = threading.Timer(self.timeout, self._process.kill)
        watchdog.start()
        try:
            self._process.stdin.write(json.dumps([str(folder), outputs]) + "\n")
            self._process.stdin.flush()
            answer = self._process.stdout.readline()
        except BrokenPipeError:
            answer = ""
        finally:
            watchdog.cancel()
        if not answer:
            return f"the process of the emitted code ended, or took more than {self.timeout:g} seconds"
        reason = json.loads(answer)
        return f"the emitted code fails: {reason}" if reason else ""


def verify(program: Program, source: str, *, outputs: bool = True, runner: Runner | None = None) -> list[str]:
    """What differs between what was checked, the direct build and emitted code; empty when nothing does.

    The direct build is compared with what was checked: the output shape of every layer, the names, shapes and trainable
    ones of its weights, the number of parameters. The emitted code is compared with the direct build: the configuration
    of every layer, names and shapes of all weights, what `train` gives to `compile` and `fit`, and the outputs for
    random inputs on the same weights; without `outputs` (for giants) all but these. Each difference is one sentence.
    Without a `runner`, a process is started for this one.
    """
    if runner is None:
        with Runner() as own:
            return verify(program, source, outputs=outputs, runner=own)
    with tempfile.TemporaryDirectory(prefix="netc-verify-") as folder:
        return _verify(program, source, Path(folder), outputs, runner)


def _verify(program: Program, source: str, folder: Path, outputs: bool, runner: Runner) -> list[str]:
    import numpy  # noqa: PLC0415 - comes with TensorFlow

    from netc.targets.keras.build import construct  # noqa: PLC0415

    built = construct(program)
    model, found = built.model, checked_differences(program.net, built)
    (folder / "emitted.py").write_text(source, encoding="utf-8")
    inputs = _inputs(program.net)
    given: dict[str, Any] = {str(number): value for number, value in enumerate(inputs)}
    numpy.savez(folder / "inputs.npz", **given)
    failure = runner.run(folder, outputs)
    if failure:
        return [*found, failure]
    trained = []
    if program.sections.train is not None:
        seen = folder / "train.json"
        told = json.loads(seen.read_text(encoding="utf-8")) if seen.exists() else None
        trained = training_differences(told, program, model)
    found += _configs(json.loads((folder / "config.json").read_text(encoding="utf-8")), model.get_config())
    weights = dict(json.loads((folder / "weights.json").read_text(encoding="utf-8")))
    found += _weights(weights, model) + trained
    if found or not outputs:
        return found
    return _outputs(folder, weights, model, inputs)


# -- what was checked ----------------------------------------------------------------------------------------


def checked_differences(net: Net, built: Built) -> list[str]:
    """Differences between what the layers declare and what Keras made of them."""
    found = []
    for node in net:
        inputs, shape = net.operand_shapes(node.name), net.shapes[node.name]
        made = tuple(built.tensors[node.name].shape)[1:]
        if not fits(shape, made):
            found.append(f"the layer {node.name} was checked as {show_shape(shape)}, Keras makes {show_shape(made)}")
        if inputs:  # an input is a tensor, without a layer
            said = [_weight(weight.name, weight.shape, weight.trainable) for weight in node.layer.weights(inputs)]
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
    """A configuration without what says only where a class was defined."""
    if isinstance(value, dict):
        return {key: _normal(inner) for key, inner in value.items() if key not in ("module", "build_config")}
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


def _outputs(folder: Path, paths: Iterable[str], model: Any, inputs: list[numpy.ndarray]) -> list[str]:
    """Differences between outputs, once the model has the weights of the emitted code by name."""
    import numpy  # noqa: PLC0415

    own, values = {weight.path: weight for weight in model.weights}, numpy.load(folder / "weights.npz")
    for number, path in enumerate(paths):
        own[path].assign(values[str(number)])
    expected = model(inputs if len(inputs) > 1 else inputs[0], training=False)
    expected = expected if isinstance(expected, list | tuple) else [expected]
    given = numpy.load(folder / "outputs.npz")
    found = []
    for number, tensor in enumerate(expected):
        one, other = given[str(number)], numpy.asarray(tensor)
        if one.shape != other.shape:
            found.append(f"output {number + 1} is {one.shape} in the emitted code, {other.shape} in the network")
            continue
        gap = float(numpy.abs(one - other).max(initial=0.0))
        if not gap <= TOLERANCE * max(1.0, float(numpy.abs(other).max(initial=0.0))):
            found.append(f"output {number + 1} differs by up to {gap:g}")
    return found


def _inputs(net: Net) -> list[numpy.ndarray]:
    """Random inputs; an unknown size becomes the smallest multiple of 32 that the network takes."""
    import numpy  # noqa: PLC0415

    random = numpy.random.default_rng(0)
    size = _valid_size(net)
    shapes = [tuple(size if dim is None else dim for dim in net.shapes[name]) for name in net.inputs]
    return [random.standard_normal((SAMPLES, *shape)).astype("float32") for shape in shapes]


def _valid_size(net: Net) -> int:
    sizes = range(SIZE_STEP, LARGEST_SIZE + 1, SIZE_STEP)
    return next((size for size in sizes if _fits(net, size)), LARGEST_SIZE)


def _fits(net: Net, size: int) -> bool:
    """Whether all shapes follow when every unknown size of the inputs is this one."""
    from netc.params import Refused  # noqa: PLC0415

    shapes: dict[str, tuple[int | None, ...]] = {}
    for node in net:
        if node.layer.is_input:
            shapes[node.name] = tuple(size if dim is None else dim for dim in net.shapes[node.name])
            continue
        try:
            shapes[node.name] = node.layer.infer([shapes[name] for name in net.operands(node.name)])
        except Refused:
            return False
    return True
