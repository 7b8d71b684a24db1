"""What a process runs: a network with its weights, made ready by an engine, or in Keras as its users call it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from netc import engines, needs

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from netc.ir.weights import Weights
    from netc.program import Program

    Arrays = Mapping[str, NDArray[Any]]

TF_FUNCTION = "tf.function"
KERAS = ("keras.predict", "keras.predict_on_batch", TF_FUNCTION)
NAMES = (*(name for name in engines.NAMES if name != "tensorflow"), *KERAS)


@dataclass(frozen=True, slots=True)
class Given:
    """What a subject is made of: a network with weights, and how it is to run."""

    program: Program
    weights: Weights
    engine: str
    precision: str
    batch: int
    threads: int | None


@dataclass(frozen=True, slots=True)
class Subject:
    """Something that is measured: its name with its version, its outputs for a batch of each input, and how many bytes
    the file has that the engine runs elsewhere."""

    name: str
    run: Callable[[Arrays], Arrays]
    size: Callable[[], int]


def available(name: str) -> str:
    """The name, of `NAMES`. Raises `ModuleNotFoundError`, which says how to install it, for one that is not there."""
    if name in KERAS:
        needs.require(f"`{name}`", *needs.WEIGHTS, *needs.BUILDING)
        return name
    return engines.chosen(name)


def subject(given: Given) -> Subject:
    """One of `NAMES`, ready to run. Raises `netc.engines.EngineError` where it does not take the network."""
    if given.engine in KERAS:
        return _keras(given)
    threads = None if given.engine == "numpy" else given.threads  # which has read the environment by now
    run = engines.engine(given.program, given.weights, given.engine, batch=given.batch, threads=threads)
    return Subject(run.name, run, partial(_size, given))


def _size(given: Given) -> int:
    """Of the weights alone for NumPy, of the ONNX files for all others."""
    if given.engine == "numpy":
        return sum(array.nbytes for array in given.weights.values())
    from netc.targets.onnx.model import model  # noqa: PLC0415 - NumPy needs none

    made = model(given.program, given.weights, beside="model.onnx.data")
    size: int = made.proto.ByteSize() + (made.beside.size if made.beside else 0)
    return size


def _keras(given: Given) -> Subject:
    """The Keras model, called in one of three ways."""
    from netc.targets.keras.build import assign, build  # noqa: PLC0415 - imports TensorFlow
    from netc.targets.keras.quiet import import_tensorflow  # noqa: PLC0415

    import_tensorflow()
    import keras  # noqa: PLC0415
    import tensorflow as tf  # noqa: PLC0415

    if given.threads is not None:
        tf.config.threading.set_intra_op_parallelism_threads(given.threads)
        tf.config.threading.set_inter_op_parallelism_threads(1)
    model, net = build(given.program), given.program.net
    assign(model, given.weights)
    call = {
        "keras.predict": partial(model.predict, batch_size=given.batch, verbose=0),
        "keras.predict_on_batch": model.predict_on_batch,
        TF_FUNCTION: tf.function(partial(model, training=False)),
    }[given.engine]

    def run(inputs: Arrays) -> Arrays:
        batches = [inputs[name] for name in net.inputs]
        made = call(batches if len(batches) > 1 else batches[0])
        found = made if isinstance(made, list | tuple) else [made]
        arrays = [value.numpy() if given.engine == TF_FUNCTION else value for value in found]
        return dict(zip(net.outputs, arrays, strict=True))

    version = f"TensorFlow {tf.__version__}" if given.engine == TF_FUNCTION else f"Keras {keras.__version__}"
    return Subject(f"{given.engine} ({version})", run, partial(_saved, given, model))


def _saved(given: Given, model: Any) -> int:
    """The size of the `.keras` file."""
    from pathlib import Path  # noqa: PLC0415
    from tempfile import TemporaryDirectory  # noqa: PLC0415

    from netc.targets.keras.build import deep_recursion  # noqa: PLC0415
    from netc.targets.keras.order import depths, recursion  # noqa: PLC0415

    net = given.program.net
    with TemporaryDirectory() as folder, deep_recursion(recursion(net, depths(net))):
        path = Path(folder) / "model.keras"
        model.save(path)
        return path.stat().st_size
