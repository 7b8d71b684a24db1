"""Proof that an engine computes the network: its outputs beside those of NumPy, before anything is written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from netc.diagnostics.escape import harmless
from netc.ir.net import Net
from netc.ir.shape import show_shape
from netc.layers.shape import Identity
from netc.targets.errors import ExportError, Unproved
from netc.targets.noise import noise
from netc.targets.numpy.primitives import Numpy
from netc.targets.numpy.run import layers, run

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from netc.ir.weights import Weights
    from netc.program import Program

    Arrays = Mapping[str, NDArray[Any]]

TOLERANCE = 1e-4  # of the largest number expected, for a network
ROUNDING = 4  # how many times as far from float64 as NumPy in float32, where that is more
BATCH = 2
LEAST = 1e-30  # a probability that float32 holds with all its digits
LEAST_SEEN = 1e-3  # what a logarithm has to be for its digits not to be lost in a probability near 1


class Engine(Protocol):
    """What runs a file that is to be written. Arrays are batches, channels last, by the names of layers."""

    @property
    def name(self) -> str:
        """Name and version."""

    def outputs(self, inputs: Arrays) -> Arrays:
        """What the file makes of inputs."""

    def before_softmax(self, inputs: Arrays) -> Arrays:
        """What outputs that end in a softmax are before it, as far as that can be had."""

    def layers(self, inputs: Arrays) -> Arrays:
        """The output of each layer that can be had."""


@dataclass(frozen=True, slots=True)
class Proof:
    """How far an engine is from NumPy in float64, relative to the largest number, and how far float32 is in NumPy."""

    engine: str
    shapes: tuple[str, ...]
    seed: int
    error: float
    rounding: float

    def text(self) -> str:
        """The report, of one line."""
        return (
            f"proved: {self.engine} differs from NumPy in float64 by {self.error:.1e} of the largest output (allowed "
            f"{_allowed(self.rounding):.1e}; float32 in NumPy {self.rounding:.1e}), on noise of seed {self.seed}, "
            f"batch x {', '.join(self.shapes)}"
        )


def prove(program: Program, weights: Weights, engine: Engine, seed: int = 0) -> Proof:
    """Compare an engine with NumPy on seeded noise: outputs, and what they are before a softmax, which hides
    differences. A batch of one has to give what it gives among others.

    Raises `ExportError`, which names the first layer that differs and its line in the spec.
    """
    net = program.net
    inputs = _noise(net, seed)
    open_net = without_softmax(net)
    softened = {name for name in net.outputs if open_net.node(name).layer != net.node(name).layer}
    with np.errstate(all="ignore"):  # what is infinite is seen below
        exact = run(open_net, weights, _double(inputs))
        single = run(open_net, weights, inputs)
    if not all(np.isfinite(array).all() for array in (*exact.values(), *single.values())):
        raise Unproved("with these weights, outputs are beyond float32 on noise of variance 1: nothing is proved")
    expected = {name: Numpy().softmax(array) if name in softened else array for name, array in exact.items()}
    found, before, alone = engine.outputs(inputs), engine.before_softmax(inputs), engine.outputs(_one(inputs))
    rounded = {name: difference(single[name], exact[name]) for name in exact}
    pairs = [(difference(found[name], expected[name]), rounded[name]) for name in expected]
    pairs += [(difference(before[name], exact[name]), rounded[name]) for name in softened & before.keys()]
    pairs += [_logarithms(found[name], exact[name], single[name]) for name in softened - before.keys()]
    pairs += [(difference(alone[name], expected[name][:1]), rounded[name]) for name in expected]
    error, rounding = max(error for error, _ in pairs), max(rounding for _, rounding in pairs)
    if not all(error <= _allowed(rounding) for error, rounding in pairs):
        raise ExportError(
            f"{engine.name} computes another network: outputs differ by {error:.1e} of the largest, and at most "
            f"{_allowed(rounding):.1e} is rounding\n{_first(program, weights, engine, inputs, rounding)}"
        )
    return Proof(engine.name, tuple(show_shape(inputs[name].shape[1:]) for name in net.inputs), seed, error, rounding)


def _logarithms(found: NDArray[Any], exact: NDArray[Any], single: NDArray[Any]) -> tuple[float, float]:
    """How far the logarithms of probabilities are from those that the network's numbers before the softmax give, in
    float64 and in float32, and how far these are from one another. A difference before the softmax is one between the
    logarithms too, however small the probability, as long as float32 holds it.

    Raises `Unproved` where the softmax leaves one channel everything: then it hides all differences.
    """
    double, float32 = _log_softmax(exact), _log_softmax(single.astype(np.float64))
    seen = (double > np.log(LEAST)) & (double < -LEAST_SEEN)
    if not seen.any():
        raise Unproved("on noise of variance 1 the softmax leaves one channel everything: nothing is proved")
    with np.errstate(all="ignore"):
        logarithms = np.log(found.astype(np.float64))
    return difference(logarithms[seen], double[seen]), difference(float32[seen], double[seen])


def _log_softmax(array: NDArray[Any]) -> NDArray[Any]:
    lowered = array - array.max(-1, keepdims=True)
    made: NDArray[Any] = lowered - np.log(np.exp(lowered).sum(-1, keepdims=True))
    return made


def difference(found: NDArray[Any], expected: NDArray[Any]) -> float:
    """The largest difference, relative to the largest number expected; infinite for another shape."""
    if found.shape != expected.shape:
        return float("inf")
    largest = max(float(np.max(np.abs(expected), initial=0)), 1e-30)
    return float(np.max(np.abs(found.astype(np.float64) - expected), initial=0)) / largest


def place_of(program: Program, name: str) -> str:
    """Where a layer was written: `resnet.net:12`, whatever the file is called; of one in a definition of another file,
    the line that called it too: `netc/std/resnet.net:68, from a.net:3`."""
    origin = program.net.node(name).origin
    said = f"{origin.span.source.name}:{origin.span.line}"
    calls = [frame.span for frame in (origin.frame.chain() if origin.frame else ())]
    here = next((span for span in calls if span.source is program.file.source), origin.span)
    if here.source is not origin.span.source:
        said += f", from {here.source.name}:{here.line}"
    return harmless(said)


def _allowed(rounding: float) -> float:
    return max(TOLERANCE, ROUNDING * rounding)


def _first(program: Program, weights: Weights, engine: Engine, inputs: Arrays, rounding: float) -> str:
    """The first layer that differs, as a sentence."""
    made = engine.layers(inputs)
    for name, expected in layers(program.net, weights, _double(inputs)):
        if name in made and not (off := difference(made[name], expected)) <= _allowed(rounding):
            layer = program.net.node(name).layer
            return f"  the first layer that differs is `{name}` ({layer.op}), {place_of(program, name)}: by {off:.1e}"
    return "  no layer that can be looked at differs by itself"


def _noise(net: Net, seed: int) -> Arrays:
    try:
        return noise(net, BATCH, seed)
    except ValueError as error:
        raise Unproved(f"{error}: nothing is proved") from None


def _double(inputs: Arrays) -> Arrays:
    return {name: array.astype(np.float64) for name, array in inputs.items()}


def _one(inputs: Arrays) -> Arrays:
    return {name: array[:1] for name, array in inputs.items()}


def without_softmax(net: Net) -> Net:
    """The network whose outputs are those before the softmax that they end in, where nothing else reads them."""
    ends = {name for name in net.outputs if net.node(name).layer.ending == "softmax" and not net.consumers(name)}

    def opened(node: Any) -> Any:
        if node.name not in ends:
            return node
        layer = node.layer
        return replace(node, layer=replace(layer, act="linear") if hasattr(layer, "act") else Identity())

    return net.rewrite(opened)
