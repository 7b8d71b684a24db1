"""What a network costs: parameters, multiply-accumulates, activation memory, depth. One forward sweep each."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from netc.analysis.depth import depths
from netc.ir.net import Net
from netc.ir.shape import Shape, elements
from netc.layers.base import Layer

FLOAT32 = 4  # bytes


@dataclass(frozen=True, slots=True)
class Cost:
    """The cost of one layer, or of several together; None where an unknown size leaves it open.

    `parameters` counts all weights, `trainable` those that training changes, as Keras counts them. `macs` are
    multiply-accumulates for one sample, biases not counted. `memory` is the output for one sample in float32, in
    bytes.
    """

    parameters: int = 0
    trainable: int = 0
    macs: int | None = 0
    memory: int | None = 0

    def __add__(self, other: Cost) -> Cost:
        return Cost(
            self.parameters + other.parameters,
            self.trainable + other.trainable,
            None if self.macs is None or other.macs is None else self.macs + other.macs,
            None if self.memory is None or other.memory is None else self.memory + other.memory,
        )


@dataclass(frozen=True, slots=True)
class NetCost:
    """The costs of a network.

    `layers` holds each layer's own, `total` their sum. `peak` is the most memory that outputs take at once when
    one sample is inferred layer by layer and each output is dropped after its last reader, in bytes. `depth` is
    the number of weighted layers on the longest path, as papers count the layers of a network.
    """

    layers: dict[str, Cost]
    total: Cost
    peak: int | None
    depth: int


def measure(net: Net) -> NetCost:
    """The costs of a network, layer by layer and in total. Weights used twice count once, where they are made."""
    layers = {
        node.name: _of_layer(node.layer, bool(node.shares), net.operand_shapes(node.name), net.shapes[node.name])
        for node in net
    }
    known = depths(net)
    deepest = max((known[name] for name in net.outputs), default=0)
    return NetCost(layers, sum(layers.values(), Cost()), _peak(net, layers), deepest)


@lru_cache(maxsize=4096)  # equal layers are most of a deep network
def _of_layer(layer: Layer, shares: bool, inputs: tuple[Shape, ...], output: Shape) -> Cost:
    weights = () if shares else layer.weights(inputs)
    return Cost(
        sum(weight.count for weight in weights),
        sum(weight.count for weight in weights if weight.trainable),
        layer.macs(inputs, output),
        memory(output),
    )


def memory(shape: Shape) -> int | None:
    """Bytes of one sample in float32."""
    count = elements(shape)
    return None if count is None else count * FLOAT32


def _peak(net: Net, layers: dict[str, Cost]) -> int | None:
    readers = {node.name: len(net.consumers(node.name)) for node in net}
    for name in net.outputs:
        readers[name] += 1  # an output stays until the end
    live = peak = 0
    for name in readers:
        size = layers[name].memory
        if size is None:
            return None
        live += size
        peak = max(peak, live)
        for operand in net.operands(name):
            readers[operand] -= 1
            if not readers[operand]:
                live -= layers[operand].memory or 0
    return peak
