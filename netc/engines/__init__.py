"""A checked network with its weights, run by one of several engines: the same numbers from each, up to rounding.

>>> run = engine(program, weights, "onnxruntime")
>>> run({"input1": images})["fc1"]
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from copy import copy
from dataclasses import replace
from importlib import import_module, util
from typing import TYPE_CHECKING, Any

from netc import needs
from netc.engines.running import Engine, EngineError
from netc.rewrites.inference import without_unread

if TYPE_CHECKING:
    from netc.ir.weights import Weights
    from netc.program import Program

__all__ = ["AUTO", "NAMES", "Engine", "EngineError", "chosen", "engine"]

AUTO = "auto"
ENGINES: Mapping[str, tuple[str, ...]] = {  # what each needs; `auto` takes the first that is installed
    "onnxruntime": needs.EXPORTING,
    "openvino": needs.OPENVINO,
    "numpy": needs.WEIGHTS,
    "tensorflow": (*needs.WEIGHTS, *needs.BUILDING),
}
NAMES = tuple(ENGINES)


def chosen(name: str = AUTO) -> str:
    """The engine that is meant, of `NAMES`: `auto` is the first that is installed, onnxruntime starting sooner than
    OpenVINO, and NumPy than TensorFlow.

    Raises ValueError for another name, ModuleNotFoundError, which says how to install it, for one that is not there.
    """
    if name == AUTO:
        return next((one for one, modules in ENGINES.items() if all(map(util.find_spec, modules))), None) or chosen(
            NAMES[0]
        )
    if name not in ENGINES:
        raise ValueError(f"got the engine {name!r}, expected one of {', '.join((AUTO, *NAMES))}")
    needs.require(f"the engine {name}", *ENGINES[name])
    return name


def engine(
    program: Program,
    weights: Weights,
    name: str = AUTO,
    *,
    outputs: Sequence[str] | None = None,
    batch: int | None = None,
    threads: int | None = None,
) -> Engine:
    """The network with its weights, ready to run: called with a batch for each input, it gives one for each output.

    `outputs` are the names of the layers that are wanted, those of the network unless given; weights of layers that
    they do not depend on need not be there. A `batch` is the only one that it then takes, by which OpenVINO gains.
    `threads` is how many the engine may use, all processors unless given.

    Raises what `chosen` does, and `EngineError` where the engine does not take the network.
    """
    name = chosen(name)
    net = copy(program.net)
    net.outputs = list(program.net.outputs if outputs is None else outputs)
    net, weights = without_unread(net, weights)
    prepare: Callable[..., tuple[str, Any]] = import_module(f"netc.engines.{name}").prepare
    version, run = prepare(replace(program, net=net), weights, batch, threads)
    return Engine(version, net, run, batch)
