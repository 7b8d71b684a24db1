"""A process that runs emitted modules, on the backend of Keras that is asked for.

It knows nothing of netc. What it is told is a line of JSON, and arrays go through files in a folder.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from netc.targets.errors import ExportError
from netc.targets.keras.verify_train import RECORDER

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from netc.ir.net import Net
    from netc.ir.weights import Weights

    Arrays = Mapping[str, NDArray[Any]]

_PROGRAM = """
import importlib.util, json, os, sys

answers = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)
import numpy
import keras

model = None


# RECORDER


def build(folder):
    global model
    keras.backend.clear_session()
    keras.utils.set_random_seed(1)
    spec = importlib.util.spec_from_file_location("emitted", folder + "/emitted.py")
    emitted = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(emitted)
    make = emitted.build_model
    if hasattr(emitted, "train"):
        write(folder + "/train.json", record(emitted, make()))  # a model of its own, which training changes
        keras.backend.clear_session()
    model = make()
    backend = sys.modules[keras.config.backend()]
    write(folder + "/versions.json", f"Keras {keras.__version__} on {backend.__name__} {backend.__version__}")
    write(folder + "/config.json", model.get_config())
    write(folder + "/weights.json", [[weight.path, list(weight.shape)] for weight in model.weights])


def assign(folder):
    given = numpy.load(folder + "/weights.npz")
    held = {}
    for name in given.files:  # the layer and the role of each, in the order in which layers have them
        held.setdefault(name.partition("/")[0], []).append(given[name])
    for weight in model.weights:
        layer = next(part for part in weight.path.split("/") if part in held)
        weight.assign(held[layer].pop(0))


def outputs(folder):
    save(folder, forward(model, folder))


def before_softmax(folder):
    with open(folder + "/ends.json", encoding="utf-8") as file:
        names = json.load(file)
    ends = [layer for layer in model.layers if layer.name in names and len(layer._inbound_nodes) == 1]
    ends = [layer for layer in ends if getattr(layer, "activation", None) is keras.activations.softmax]
    write(folder + "/opened.json", [layer.name for layer in ends])
    for layer in ends:
        layer.activation = keras.activations.linear
    try:
        outputs(folder)
    finally:
        for layer in ends:
            layer.activation = keras.activations.softmax


def layers(folder):
    made = {layer.name: layer.output for layer in model.layers if len(layer._inbound_nodes) == 1}
    write(folder + "/layers.json", list(made))
    save(folder, forward(keras.Model(model.inputs, list(made.values())), folder))


def forward(model, folder):
    given = [*numpy.load(folder + "/inputs.npz").values()]
    made = model(given if len(given) > 1 else given[0], training=False)
    return made if isinstance(made, (list, tuple)) else [made]


def save(folder, made):
    numpy.savez(folder + "/outputs.npz", *map(keras.ops.convert_to_numpy, made))


def write(path, what):
    with open(path, "w", encoding="utf-8") as file:
        json.dump(what, file, default=str)


known = {function.__name__: function for function in (build, assign, outputs, before_softmax, layers)}
for line in sys.stdin:
    name, folder = json.loads(line)
    try:
        answer = known[name](folder) or ""
    except Exception as error:
        answer = f"{type(error).__name__}: {error}"
    answers.write(json.dumps(answer) + "\\n")
    answers.flush()
"""


class Runner:
    """The process, in which one module is run after the other; a context manager. `-I` keeps the surroundings out."""

    def __init__(self, backend: str = "tensorflow", timeout: float = 3600) -> None:
        self.backend = backend
        self.timeout = timeout
        environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "KERAS_BACKEND": backend}
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-c", _PROGRAM.replace("# RECORDER", RECORDER)],
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

    def run(self, what: str, folder: Path) -> str:
        """Let it do one of its functions on a folder; why that failed, else nothing."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        watchdog = threading.Timer(self.timeout, self._process.kill)
        watchdog.start()
        try:
            self._process.stdin.write(json.dumps([what, str(folder)]) + "\n")
            self._process.stdin.flush()
            answer = self._process.stdout.readline()
        except BrokenPipeError:
            answer = ""
        finally:
            watchdog.cancel()
        if not answer:
            return f"the process of the emitted code ended, or took more than {self.timeout:g} seconds"
        reason = json.loads(answer)
        return f"the emitted code fails on {self.backend}: {reason}" if reason else ""


class EmittedModel:
    """The model of the module that a runner has built last, with these weights, as an engine to be proved."""

    def __init__(self, runner: Runner, net: Net, weights: Weights, folder: Path) -> None:
        import numpy  # noqa: PLC0415 - comes with Keras

        self._runner = runner
        self._net = net
        self._folder = folder
        self.name = self._said("versions")
        given: dict[str, Any] = {"/".join(key): array for key, array in weights.items()}
        numpy.savez(folder / "weights.npz", **given)
        self._do("assign")

    def outputs(self, inputs: Arrays) -> Arrays:
        return dict(zip(self._net.outputs, self._run("outputs", inputs), strict=True))

    def before_softmax(self, inputs: Arrays) -> Arrays:
        ends = [name for name in self._net.outputs if not self._net.consumers(name)]
        (self._folder / "ends.json").write_text(json.dumps(ends), encoding="utf-8")
        made = dict(zip(self._net.outputs, self._run("before_softmax", inputs), strict=True))
        return {name: made[name] for name in self._said("opened")}

    def layers(self, inputs: Arrays) -> Arrays:
        made = self._run("layers", inputs)
        return dict(zip(self._said("layers"), made, strict=True))

    def _said(self, what: str) -> Any:
        return json.loads((self._folder / f"{what}.json").read_text(encoding="utf-8"))

    def _run(self, what: str, inputs: Arrays) -> list[NDArray[Any]]:
        import numpy  # noqa: PLC0415

        numpy.savez(self._folder / "inputs.npz", *(inputs[name] for name in self._net.inputs))
        self._do(what)
        return [*numpy.load(self._folder / "outputs.npz").values()]

    def _do(self, what: str) -> None:
        if failure := self._runner.run(what, self._folder):
            raise ExportError(failure)
