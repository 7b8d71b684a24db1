"""A whole network in NumPy."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from netc.ir.weights import Weights
from netc.targets.numpy.primitives import Numpy
from netc.targets.trace import fitting, traced

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from netc.ir.net import Net


def run(net: Net, weights: Weights, inputs: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """The outputs of a network, outside training, by their names.

    `inputs` are batches by the names of the inputs, batch x shape; they decide the type that is computed in, float32 or
    float64. Raises `ValueError` where one does not fit.
    """
    return {name: made for name, made in layers(net, weights, inputs) if name in net.outputs}


def layers(net: Net, weights: Weights, inputs: Mapping[str, NDArray[Any]]) -> Iterator[tuple[str, NDArray[Any]]]:
    """The output of each layer, in order, as `run`."""
    fitting(net, inputs)
    kind = next(iter(inputs.values())).dtype
    typed = Weights({key: array.astype(kind, copy=False) for key, array in weights.items()})
    for node, made in traced(net, typed, Numpy(), inputs):
        yield node.name, made
